import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '@latchwork/core/base'
import { checkpointPath, exportPaths, LOG_FILES, type LogVerdict, parseTilePath, peekCheckpoint, readmeOf, statementOf } from '@latchwork/core/ledger'
import { type ApiServer, apiOf } from '../api-client.ts'
import { isLogExport, type LogClaims, pathsIn, verifyLogFolder } from './log-folder.ts'

export interface Fetched {
	readonly verdict: LogVerdict
	/** The export that the verdict is of: `folder` itself, or, where it is not whole, what was fetched, beside it. */
	readonly place: string
	/** A checkpoint was kept that it had to grow out of. */
	readonly grown: boolean
}

/** So many requests are under way at a time. */
const AT_ONCE = 8

/**
 * Fetches a tenant's log as it was when its newest checkpoint was signed; the server records that it was exported. It is put together and verified
 * beside `folder`, whose files change only when it is whole and has grown out of what lies there: what was whole stays so, whatever a server says.
 */
export async function fetchExport(server: ApiServer, folder: string, claims: LogClaims): Promise<Fetched> {
	const held = await heldIn(folder)
	mkdirSync(dirname(folder), { recursive: true })
	const beside = mkdtempSync(`${folder}.fetched-`)
	let evidence = false
	try {
		await downloadLog(server, beside, held && { folder, origin: held.origin })
		const kept = claims.kept ?? (held && join(folder, LOG_FILES.checkpoint))
		const verdict = await verifyLogFolder(beside, { ...claims, ...(kept !== undefined && { kept }) })
		if (verdict.ok) takeOver(beside, folder)
		else evidence = true
		return { verdict, place: verdict.ok ? folder : beside, grown: kept !== undefined }
	} finally {
		if (!evidence) rmSync(beside, { recursive: true, force: true })
	}
}

/** A file of some export of a log, of whichever size. */
const isOfExport = (path: string): boolean =>
	parseTilePath(path) !== undefined || /^checkpoints\/(?:x\d{3}\/)*\d{3}$/.test(path) || Object.values<string>(LOG_FILES).includes(path)

/** The export that lies in the folder already. Nothing is fetched on top of something else, or of something damaged. */
async function heldIn(folder: string): Promise<{ readonly origin: string } | undefined> {
	if (!existsSync(folder)) return undefined
	const foreign = pathsIn(folder).find((path) => !isOfExport(path))
	if (foreign !== undefined)
		throw new Fault('config-invalid', `${folder} holds ${foreign}, which is of no log export. Name another folder, or take it out.`)
	if (!isLogExport(folder)) return undefined
	// What a broken-off export left there is of no harm here: it is removed when this one is whole.
	const verdict = await verifyLogFolder(folder, {}, { leftOver: true })
	if (!verdict.ok)
		throw new Fault(
			'log-invalid',
			`${folder} holds an export that is not whole: ${verdict.path}, index ${verdict.index} (${verdict.code}). ${verdict.text} Nothing was fetched; name another folder.`,
		)
	return verdict
}

/** Full tiles and old checkpoints never change: those of the export that is held are not fetched again. */
async function downloadLog(server: ApiServer, into: string, held?: { readonly folder: string; readonly origin: string }): Promise<void> {
	const { get, record } = client(server)
	await record()
	const newest = await get(LOG_FILES.checkpoint)
	const tree = peekCheckpoint(newest)
	if (!tree) throw new Fault('log-invalid', `${server.url} did not answer with a checkpoint.`)
	if (held && held.origin !== tree.origin)
		throw new Fault('config-invalid', `${held.folder} holds the log ${held.origin}, and the server's is ${tree.origin}. Name another folder for it.`)
	const placeOf = (path: string) => {
		const place = join(into, path)
		mkdirSync(dirname(place), { recursive: true })
		return place
	}
	const keep = (path: string, bytes: Uint8Array) => writeFileSync(placeOf(path), bytes)
	const bring = async (path: string): Promise<void> => {
		const here = held && join(held.folder, path)
		if (here && existsSync(here)) link(here, placeOf(path))
		else keep(path, await get(path))
	}
	await each(exportPaths(tree.size), (path) => (path.includes('.p/') ? get(path).then((bytes) => keep(path, bytes)) : bring(path)))
	for (let number = 0, size = -1; size < tree.size; number++) {
		const path = checkpointPath(number)
		await bring(path)
		size = peekCheckpoint(readFileSync(join(into, path)))?.size ?? tree.size
	}
	keep(LOG_FILES.key, await get(LOG_FILES.key))
	keep(LOG_FILES.statement, statementOf(tree))
	keep(LOG_FILES.readme, new TextEncoder().encode(readmeOf(tree.origin)))
	keep(LOG_FILES.checkpoint, newest)
}

function link(from: string, to: string): void {
	try {
		linkSync(from, to)
	} catch {
		// Another file system, or one that knows no links.
		copyFileSync(from, to)
	}
}

function move(from: string, to: string): void {
	try {
		renameSync(from, to)
	} catch {
		// The folder is where another disk is mounted.
		copyFileSync(from, to)
	}
}

/** The checkpoint last, so that an export that was broken off here is not taken for a whole one; then goes what a smaller one left. */
function takeOver(fetched: string, folder: string): void {
	const paths = pathsIn(fetched).sort((a, b) => Number(a === LOG_FILES.checkpoint) - Number(b === LOG_FILES.checkpoint))
	for (const path of paths) {
		const place = join(folder, path)
		mkdirSync(dirname(place), { recursive: true })
		move(join(fetched, path), place)
	}
	const mine = new Set(paths)
	for (const path of pathsIn(folder).filter((one) => !mine.has(one))) {
		rmSync(join(folder, path))
		const partials = dirname(path)
		if (partials.endsWith('.p') && pathsIn(join(folder, partials)).length === 0) rmdirSync(join(folder, partials))
	}
}

function client(server: ApiServer): { get(path: string): Promise<Uint8Array>; record(): Promise<void> } {
	const ask = apiOf(server)
	return {
		get: async (path) => new Uint8Array(await (await ask(`audit/log/${path}`)).arrayBuffer()),
		async record() {
			await ask('audit/exports', {
				method: 'POST',
				headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
				body: '{}',
			})
		},
	}
}

/** Throws when none is under way any more: what was begun would write into a folder that is being removed. */
async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
	const left = items.values()
	let failed = false
	const worker = async () => {
		for (const item of left) {
			if (failed) return
			await act(item).catch((cause: unknown) => {
				failed = true
				throw cause
			})
		}
	}
	for (const end of await Promise.allSettled(Array.from({ length: AT_ONCE }, worker))) if (end.status === 'rejected') throw end.reason
}
