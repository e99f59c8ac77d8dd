import { randomBytes } from 'node:crypto'
import { Fault } from '@latchwork/core/base'
import { sharedClock, systemClock } from '@latchwork/edge/clock-file'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { serverConfig } from '@latchwork/server/config'
import { startServer } from '@latchwork/server/main'
import { hasPages } from '@latchwork/server/pages'
import { readArgs } from '../config.ts'
import { consoleFolder } from '../dev/web.ts'

/** `latchwork server`: everything it needs to know is in the environment (docs/guides/operator.md). Prints `SERVER {json}` when it is ready. */
export async function server(args: readonly string[]): Promise<void> {
	const { values } = readArgs(args, { data: { type: 'string' }, clock: { type: 'string' }, child: { type: 'boolean' } })
	if (values.data === '') throw new Fault('config-invalid', '--data needs a directory.')
	// What is written here is for this user alone: keys and the database.
	process.umask(0o077)
	// Whoever read what it says is gone: nobody hears it, and that ends nothing.
	for (const out of [process.stdout, process.stderr]) out.on('error', () => {})
	const web = consoleFolder()
	const clock = values.clock === undefined ? undefined : sharedClock(String(values.clock), 'server')
	const running = await startServer(serverConfig({ ...process.env, ...(values.data !== undefined && { LATCHWORK_DATA: String(values.data) }) }), {
		clock: clock ?? systemClock,
		random: (n) => new Uint8Array(randomBytes(n)),
		log: ({ text, ...entry }) => process.stderr.write(`${entry.level === 'info' && text ? text : JSON.stringify({ ...entry, text })}\n`),
		engine: cedarEngine,
		web,
		failed: (fault) => {
			process.stderr.write(`${fault.message}\n`)
			process.exit(1)
		},
	})
	if (!hasPages(web)) process.stderr.write('The console was not built, so there is the API alone: `npm run build -w @latchwork/web`.\n')
	let stopping = false
	const stop = async () => {
		if (stopping) return
		stopping = true
		await running.stop()
		clock?.stop()
		process.exit(0)
	}
	process.on('SIGTERM', stop)
	// Started by `latchwork dev`: it ends with its parent's pipe, and leaves Ctrl-C, which reaches the whole terminal group, to the parent.
	if (values.child) process.stdin.on('end', stop).on('close', stop).resume()
	process.on('SIGINT', values.child ? () => {} : stop)
	const { url, first } = running
	const admin = first && { admin: { email: first.email, password: first.password } }
	const pids = { pid: process.pid, broker: running.broker(), database: running.database() }
	process.stdout.write(
		`SERVER ${JSON.stringify({ url, api: `${url}/v1`, openapi: `${url}/openapi.json`, device: running.device(), ...pids, ...admin })}\n`,
	)
}
