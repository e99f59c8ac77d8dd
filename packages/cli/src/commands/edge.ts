import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '@latchwork/core/base'
import { readConfig } from '@latchwork/edge/config'
import { enrolOnce } from '@latchwork/edge/enrolment'
import { apiServer } from '../api-client.ts'
import { wiringOf } from '../commissioning/wiring.ts'
import { dataDirectory, readArgs } from '../config.ts'

/**
 * `latchwork edge [edge.json]` runs a controller here, `--server URL --claim TOKEN` enrols it before its first start;
 * `latchwork edge wiring --server URL --bank BANK` prints a beginning of the file that says how its hardware is wired;
 * `latchwork edge settle DOOR nothing|TAG` ends the hold on a compartment, `latchwork edge settle --history` the waiting after records were lost.
 */
export async function edge(args: readonly string[]): Promise<void> {
	if (args[0] === 'settle') return settle(args.slice(1))
	if (args[0] === 'wiring') return wiring(args.slice(1))
	const { values, positionals } = readArgs(
		args,
		{
			data: { type: 'string' },
			server: { type: 'string' },
			claim: { type: 'string' },
			'claim-file': { type: 'string' },
			config: { type: 'string' },
		},
		true,
	)
	const data = values.data === undefined ? dataDirectory(process.env) : resolve(String(values.data))
	const path = positionals[0] ?? join(data, 'edge.json')
	await enrolOnce({ ...values, claimFile: values['claim-file'], environment: process.env, path })
	// The same program that `latchwork dev` and a service manager start, so that all of them run one code path.
	process.argv[2] = path
	const { main } = await import(fileURLToPath(import.meta.resolve('@latchwork/edge/main')))
	await main(process.argv[2])
}

async function wiring(args: readonly string[]): Promise<void> {
	const { values } = readArgs(args, { server: { type: 'string' }, token: { type: 'string' }, bank: { type: 'string' } })
	if (values.server === undefined || values.bank === undefined)
		throw new Fault('config-invalid', 'Say of which bank: `latchwork edge wiring --server https://lockers.example --bank bnk_…`.')
	const token = values.token === undefined ? process.env.LATCHWORK_TOKEN : String(values.token)
	process.stdout.write(`${JSON.stringify(await wiringOf(apiServer(String(values.server), token), String(values.bank)), null, '\t')}\n`)
}

async function settle(args: readonly string[]): Promise<void> {
	const { values, positionals } = readArgs(
		args,
		{ data: { type: 'string' }, history: { type: 'boolean' }, returned: { type: 'boolean' }, sure: { type: 'boolean' } },
		true,
	)
	const [door, found] = positionals
	if (!values.history && (!door || !found || !/^\d+$/.test(door)))
		throw new Fault('config-invalid', 'Say which door and what is inside: `latchwork edge settle 14 nothing` or `latchwork edge settle 14 LT-0418`.')
	const data = values.data === undefined ? dataDirectory(process.env) : String(values.data)
	const { port } = readConfig(join(data, 'edge.json'))
	const token = operatorToken(data)
	const answer = await fetch(`http://127.0.0.1:${port}/api/operator/settle`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
		body: JSON.stringify(
			values.history
				? { history: 'checked' }
				: {
						door: Number(door),
						found: found === 'nothing' ? 'nothing' : { tag: found },
						...(values.returned && { returned: true }),
						...(values.sure && { sure: true }),
					},
		),
	}).catch((cause) => {
		throw new Fault('transport-closed', `No controller answers for ${data}. Start it first.`, { cause })
	})
	// Another program may sit at that port and answer whatever it likes.
	const body = (await answer.json().catch(() => ({}))) as { detail?: string; was?: { kind: string; why: string } }
	if (!answer.ok) throw new Fault('request-refused', body.detail ?? `The controller answered ${answer.status}.`)
	if (values.history) process.stdout.write('The lost records are confirmed as lost; loans go on.\n')
	else process.stdout.write(`Door ${door} is in service again (it was ${body.was?.kind}: ${body.was?.why}).\n`)
}

function operatorToken(data: string): string {
	const file = join(data, 'operator.token')
	if (!existsSync(file)) throw new Fault('not-found', `No controller has run in ${data} yet. Start it first, or name its directory with --data.`)
	return readFileSync(file, 'utf8').trim()
}
