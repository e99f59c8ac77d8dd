import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault, type FaultCode } from '@latchwork/core/base'
import { checkpointPath, exportPaths, LOG_FILES, peekCheckpoint, readmeOf, statementOf } from '@latchwork/core/ledger'

export interface LogServer {
	/** Where its API is, without `/v1`. */
	readonly url: string
	readonly token: string
}

/** So many requests are under way at a time. */
const AT_ONCE = 8

/**
 * Fetches a tenant's log as it was when its newest checkpoint was signed; the server records that it was exported. Full tiles and old checkpoints
 * never change: those that an earlier export left in the folder are not fetched again. Nothing is believed here; whoever calls verifies what
 * lies there afterwards.
 */
export async function downloadLog(server: LogServer, folder: string): Promise<void> {
	const { get, record } = client(server)
	await record()
	const newest = await get(LOG_FILES.checkpoint)
	const tree = peekCheckpoint(newest)
	if (!tree) throw new Fault('log-invalid', `${server.url} did not answer with a checkpoint.`)
	const keep = (path: string, bytes: Uint8Array) => {
		const place = join(folder, path)
		mkdirSync(dirname(place), { recursive: true })
		writeFileSync(place, bytes)
	}
	const missing = exportPaths(tree.size).filter((path) => path.includes('.p/') || !existsSync(join(folder, path)))
	await each(missing, async (path) => keep(path, await get(path)))
	for (let number = 0, size = -1; size < tree.size; number++) {
		const path = checkpointPath(number)
		const note = existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : await get(path)
		size = peekCheckpoint(note)?.size ?? tree.size
		keep(path, note)
	}
	keep(LOG_FILES.key, await get(LOG_FILES.key))
	keep(LOG_FILES.statement, statementOf(tree))
	keep(LOG_FILES.readme, new TextEncoder().encode(readmeOf(tree.origin)))
	// Last, so that an export that was broken off is not taken for a whole one.
	keep(LOG_FILES.checkpoint, newest)
}

const REFUSALS: Readonly<Record<number, FaultCode>> = { 401: 'not-signed-in', 403: 'not-permitted', 404: 'not-found' }

function client({ url, token }: LogServer): { get(path: string): Promise<Uint8Array>; record(): Promise<void> } {
	const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
		const address = `${url.replace(/\/+$/, '')}/v1/audit/${path}`
		const response = await fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }).catch((cause: unknown) => {
			throw new Fault('transport-closed', `${url} does not answer. Is it the server's address, and does the server run?`, { cause })
		})
		if (response.ok) return response
		const code = REFUSALS[response.status] ?? 'request-refused'
		throw new Fault(code, `${address}: the server answered ${response.status}. ${await detailOf(response)}`.trim())
	}
	return {
		get: async (path) => new Uint8Array(await (await ask(`log/${path}`)).arrayBuffer()),
		async record() {
			await ask('exports', { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }, body: '{}' })
		},
	}
}

/** What a problem document says, if it is one. */
async function detailOf(response: Response): Promise<string> {
	const text = await response.text()
	try {
		const { detail, title } = JSON.parse(text) as { detail?: unknown; title?: unknown }
		return String(detail ?? title ?? '')
	} catch {
		return ''
	}
}

async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
	const left = items.values()
	const worker = async () => {
		for (const item of left) await act(item)
	}
	await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
