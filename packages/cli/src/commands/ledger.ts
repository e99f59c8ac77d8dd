import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, fromHex, toHex } from '@latchwork/core/base'
import { readExport, type SignedHead, type StreamVerdict, verifyStream, writeExport } from '@latchwork/core/ledger'
import { checkStored, readJournal } from '@latchwork/edge/journal'
import { nodeCrypto, signingKey } from '@latchwork/edge/keys'
import { dataDirectory, readArgs } from '../config.ts'

/**
 * `latchwork ledger verify [DIR|FILE] [--key HEX]` and `latchwork ledger export FILE [--data DIR]`.
 * Exit 0: whole; 1: not, and the first bad line is named.
 */
export async function ledger([verb, ...rest]: readonly string[]): Promise<void> {
	const { values, positionals } = readArgs(rest, { data: { type: 'string' }, key: { type: 'string' } }, true)
	const data = values.data === undefined ? dataDirectory(process.env) : String(values.data)
	if (verb === 'verify') return verify(positionals[0] ?? data, values.key === undefined ? undefined : String(values.key))
	if (verb === 'export') return write(positionals[0], data)
	throw new Fault('config-invalid', 'Say what to do: `latchwork ledger verify [DIR|FILE]` or `latchwork ledger export FILE`.')
}

function verify(target: string, key: string | undefined): void {
	if (!existsSync(target))
		throw new Fault('not-found', `${target} does not exist. Name a data directory, or a file made by \`latchwork ledger export\`.`)
	const verdicts = statSync(target).isDirectory() ? ofDirectory(target, key) : [ofFile(target, key)]
	for (const { name, verdict } of verdicts) process.stdout.write(`${say(name, verdict)}\n`)
	if (verdicts.length === 0)
		throw new Fault(
			'journal-damaged',
			`The journal in ${target} holds no stream, and a controller begins one at its first start. Its events were removed.`,
		)
	if (verdicts.some(({ verdict }) => !verdict.ok)) process.exitCode = 1
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
