import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault, fromHex, toHex } from '@latchwork/core/base'
import { readExport, type SignedHead, type StreamVerdict, verifyStream, writeExport } from '@latchwork/core/ledger'
import { checkStored, readJournal } from '@latchwork/edge/journal'
import { nodeCrypto, signingKey } from '@latchwork/edge/keys'
import { type ApiServer, apiServer } from '../api-client.ts'
import { fetchExport } from '../audit/download.ts'
import { isLogExport, type LogClaims, proveEntry, sayLog, verifyLogFolder } from '../audit/log-folder.ts'
import { dataDirectory, readArgs } from '../config.ts'

/**
 * `latchwork ledger verify [DIR|FILE] [--key KEY] [--kept FILE]`, `latchwork ledger proof DIR --position N`, `latchwork ledger export FILE` and
 * `latchwork ledger export --server URL --token T --out DIR`. Exit 0: whole; 1: not, and the first bad place is named.
 */
export async function ledger([verb, ...rest]: readonly string[]): Promise<void> {
	const { values, positionals } = readArgs(
		rest,
		{
			data: { type: 'string' },
			key: { type: 'string' },
			kept: { type: 'string' },
			position: { type: 'string' },
			server: { type: 'string' },
			token: { type: 'string' },
			out: { type: 'string' },
		},
		true,
	)
	const text = (name: string) => (values[name] === undefined ? undefined : String(values[name]))
	const claims = { ...(text('key') !== undefined && { key: String(values.key) }), ...(text('kept') !== undefined && { kept: String(values.kept) }) }
	const data = text('data') ?? dataDirectory(process.env)
	const [target] = positionals
	if (verb === 'verify') return verify(target ?? data, claims)
	if (verb === 'proof') return prove(target, text('position'), claims)
	if (verb === 'export' && text('server') !== undefined)
		return fetchLog(apiServer(String(values.server), text('token') ?? process.env.LATCHWORK_TOKEN), text('out'), claims)
	if (verb === 'export') return write(target, data)
	throw new Fault('config-invalid', 'Say what to do: `latchwork ledger verify`, `proof` or `export`; `latchwork help ledger` tells more.')
}

async function verify(target: string, claims: LogClaims): Promise<void> {
	if (!existsSync(target))
		throw new Fault(
			'not-found',
			`${target} does not exist. Name a data directory, a file made by \`latchwork ledger export\`, or the folder of a log's export.`,
		)
	const isFolder = statSync(target).isDirectory()
	if (isFolder && isLogExport(target)) return verifyFolder(target, claims)
	const verdicts = isFolder ? ofDirectory(target, claims.key) : [ofFile(target, claims.key)]
	for (const { name, verdict } of verdicts) process.stdout.write(`${say(name, verdict)}\n`)
	if (verdicts.length === 0)
		throw new Fault(
			'journal-damaged',
			`The journal in ${target} holds no stream, and a controller begins one at its first start. Its events were removed.`,
		)
	if (verdicts.some(({ verdict }) => !verdict.ok)) process.exitCode = 1
}

async function verifyFolder(folder: string, claims: LogClaims): Promise<void> {
	const verdict = await verifyLogFolder(folder, claims)
	process.stdout.write(`${await sayLog(folder, verdict, claims)}\n`)
	if (!verdict.ok) process.exitCode = 1
}

/** The proof goes to standard output as it is kept in a file, what it is about beside it. */
async function prove(folder: string | undefined, position: string | undefined, claims: LogClaims): Promise<void> {
	if (!folder || !existsSync(folder) || !isLogExport(folder))
		throw new Fault('config-invalid', 'Name the folder of a log export: latchwork ledger proof DIR --position N.')
	if (position === undefined || !/^\d{1,15}$/.test(position))
		throw new Fault('config-invalid', '--position needs the number of an entry, the first is 0.')
	const { proof, entry } = await proveEntry(folder, Number(position), claims)
	process.stdout.write(proof)
	process.stderr.write(`Proven: entry ${position} is\n${Buffer.from(entry).toString()}\n`)
}

async function fetchLog(server: ApiServer, out: string | undefined, claims: LogClaims): Promise<void> {
	if (!out) throw new Fault('config-invalid', 'Name the folder to write: latchwork ledger export --server URL --token T --out DIR.')
	const { verdict, place, grown } = await fetchExport(server, resolve(out), claims)
	process.stdout.write(`${await sayLog(verdict.ok ? out : place, verdict, claims, grown)}\n`)
	if (verdict.ok) return
	process.stdout.write(`${out} is as it was. What the server sent is kept in ${place}: it may be evidence.\n`)
	process.exitCode = 1
}

function say(name: string, verdict: StreamVerdict): string {
	if (!verdict.ok) return `${name}: NOT WHOLE. First bad index ${verdict.index} (${verdict.code}). ${verdict.text}`
	return `${name}: whole. ${verdict.count} events, head ${verdict.head.hash.slice(0, 16)}…, ${verdict.signed ? 'signed by the controller' : 'end fixed by head and mark, not by a signature'}.`
}

function ofDirectory(directory: string, key: string | undefined): { name: string; verdict: StreamVerdict }[] {
	const keyFile = join(directory, 'device.pem')
	const publicKey = key ? fromHex(key) : existsSync(keyFile) ? signingKey(keyFile).publicKey : undefined
	return readJournal(directory).map((stream) => ({ name: stream.stream, verdict: checkStored(stream, publicKey) }))
}

function ofFile(path: string, key: string | undefined): { name: string; verdict: StreamVerdict } {
	const { events, head } = readExport(readFileSync(path))
	if (head && !key) throw new Fault('config-invalid', `Name the controller's public key: --key HEX. \`latchwork ledger export\` printed it.`)
	const verdict = verifyStream(events, { crypto: nodeCrypto, ...(head && key && { head, keys: new Map([[head.keyId, fromHex(key)]]) }) })
	if (!head && verdict.ok)
		return { name: path, verdict: { ok: false, index: events.length, code: 'truncated', text: 'The signed head at the end of the file is missing.' } }
	return { name: path, verdict }
}

/** Writes the newest stream up to its last signed head. */
function write(file: string | undefined, data: string): void {
	if (!file) throw new Fault('config-invalid', 'Name the file to write: latchwork ledger export FILE.')
	const stream = readJournal(data).at(-1)
	const head: SignedHead | undefined = stream?.head
	if (!stream || !head) throw new Fault('not-found', 'The controller has signed nothing yet; it does so every 30 s and when it stops.')
	writeFileSync(file, Buffer.concat([...writeExport(stream.lines.slice(0, head.seq), head)]))
	process.stdout.write(
		`${head.seq} events of ${stream.stream} written to ${file}.\nPublic key of the controller: ${toHex(signingKey(join(data, 'device.pem')).publicKey)}\n`,
	)
}
