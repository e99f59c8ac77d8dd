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
 * Fetches a tenant's log as it was when its newest checkpoint was signed. Full tiles never change: those that an earlier export left in the
 * folder are not fetched again. Nothing is believed here; whoever calls verifies what lies there afterwards.
 */
export async function downloadLog(server: LogServer, folder: string): Promise<void> {
	const get = reader(server)
	const newest = await get('/checkpoint')
	const tree = peekCheckpoint(newest)
	if (!tree) throw new Fault('log-invalid', `${server.url} did not answer with a checkpoint.`)
	const keep = (path: string, bytes: Uint8Array) => {
		const place = join(folder, path)
		mkdirSync(dirname(place), { recursive: true })
		writeFileSync(place, bytes)
	}
	const missing = exportPaths(tree.size).filter((path) => path.includes('.p/') || !existsSync(join(folder, path)))
	await each(missing, async (path) => keep(path, await get(`/${path}`)))
	for (const [number, note] of (await checkpointsUpTo(tree.size, get)).entries()) keep(checkpointPath(number), new TextEncoder().encode(note))
	keep(LOG_FILES.key, await get('/key'))
	keep(LOG_FILES.statement, statementOf(tree))
	keep(LOG_FILES.readme, new TextEncoder().encode(readmeOf(tree.origin)))
	// Last, so that an export that was broken off is not taken for a whole one.
	keep(LOG_FILES.checkpoint, newest)
}

/** The checkpoint of an earlier export into this folder: the log must have grown out of it. */
export function keptCheckpoint(folder: string): Uint8Array | undefined {
	const place = join(folder, LOG_FILES.checkpoint)
	return existsSync(place) ? readFileSync(place) : undefined
}

type Get = (path: string) => Promise<Uint8Array>

async function checkpointsUpTo(size: number, get: Get): Promise<string[]> {
	const notes: string[] = []
	for (let cursor = ''; ; ) {
		const page: unknown = JSON.parse(
			new TextDecoder().decode(await get(`/checkpoints?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)),
		)
		const { items, next } = page as { items?: readonly { readonly size?: unknown; readonly note?: unknown }[]; next?: unknown }
		if (!Array.isArray(items)) throw new Fault('log-invalid', 'The server did not answer with a list of checkpoints.')
		for (const one of items) {
			if (typeof one.note !== 'string' || typeof one.size !== 'number')
				throw new Fault('log-invalid', 'The server listed something else than a checkpoint.')
			// What was signed after this export began belongs to the next.
			if (one.size <= size) notes.push(one.note)
		}
		if (typeof next !== 'string' || items.length === 0) return notes
		cursor = next
	}
}

const REFUSALS: Readonly<Record<number, FaultCode>> = { 401: 'not-signed-in', 403: 'not-permitted', 404: 'not-found' }

function reader({ url, token }: LogServer): Get {
	const base = `${url.replace(/\/+$/, '')}/v1/audit/log`
	return async (path) => {
		const response = await fetch(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } }).catch((cause: unknown) => {
			throw new Fault('transport-closed', `${url} does not answer. Is it the server's address, and does the server run?`, { cause })
		})
		if (!response.ok)
			throw new Fault(
				REFUSALS[response.status] ?? 'request-refused',
				`${base}${path}: the server answered ${response.status}. ${await detailOf(response)}`.trim(),
			)
		return new Uint8Array(await response.arrayBuffer())
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
