import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { Fault } from '@latchwork/core/base'
import {
	entriesPath,
	formatProof,
	type GoodLog,
	LOG_FILES,
	type LogVerdict,
	openProof,
	parseVerifierKey,
	peekCheckpoint,
	proveInclusion,
	type ReadFile,
	readBundle,
	TILE_WIDTH,
	tilePath,
	verifyLog,
	widthAt,
} from '@latchwork/core/ledger'
import { nodeCrypto, verifyAside } from '@latchwork/edge/keys'

/** Sixteen mebibytes are a full bundle of the longest entries. */
const MAX_FILE_BYTES = 17_000_000

/** A folder that `latchwork ledger export --server` wrote, or an archive of one that was unpacked. */
export function isLogExport(folder: string): boolean {
	return [LOG_FILES.key, LOG_FILES.statement, LOG_FILES.checkpoint].some((name) => isFile(join(folder, name)))
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** Its files; what is not there, or is no file, is undefined. */
const filesOf =
	(folder: string): ReadFile =>
	(path) => {
		const place = join(folder, path)
		const found = statOf(place)
		if (!found?.isFile()) return undefined
		if (found.size > MAX_FILE_BYTES) throw new Fault('log-invalid', `${place} has ${found.size} bytes; no file of a log export is so long.`)
		return readFileSync(place)
	}

/** Everything that lies there, by the names that the files of an export have. */
export const pathsIn = (folder: string): string[] =>
	readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => !entry.isDirectory())
		.map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))

function statOf(path: string) {
	try {
		return statSync(path, { throwIfNoEntry: false })
	} catch {
		// A part of the path is a file.
		return undefined
	}
}

export interface LogClaims {
	/** The log's verifier key, as it was handed over on another way. */
	readonly key?: string
	/** File with a checkpoint that was kept. */
	readonly kept?: string
}

/** `leftOver`: files of another size of the log may lie there, too. */
export async function verifyLogFolder(folder: string, { key, kept }: LogClaims, { leftOver = false } = {}): Promise<LogVerdict> {
	return verifyLog(filesOf(folder), {
		crypto: { ...nodeCrypto, verifyAside },
		...(!leftOver && { paths: pathsIn(folder) }),
		...(key !== undefined && { key }),
		...(kept !== undefined && { kept: readFileSync(kept) }),
	})
}

export async function sayLog(folder: string, verdict: LogVerdict, claims: LogClaims, grown = claims.kept !== undefined): Promise<string> {
	if (!verdict.ok) return `${folder}: NOT WHOLE. First bad index ${verdict.index} in ${verdict.path} (${verdict.code}). ${verdict.text}`
	return [
		`${folder}: whole. ${verdict.size} entries of ${verdict.origin}, root ${verdict.root}, ${verdict.checkpoints} checkpoints${grown ? ', grown out of the one that was kept' : ''}.`,
		...contents(verdict),
		claims.key === undefined ? await askToCompare(folder) : 'Signed with the key that you named.',
	].join('\n')
}

function contents({ ofServer, streams }: GoodLog): string[] {
	const ends = [...streams].map(([stream, { seq, hash }]) => `  ${stream}: ${seq} events, the last has hash ${hash}`)
	return [
		`${ofServer} entries of the server, and streams of ${streams.size === 1 ? 'one controller database' : `${streams.size} controller databases`}:`,
		...ends,
	]
}

async function askToCompare(folder: string): Promise<string> {
	const key = await filesOf(folder)(LOG_FILES.key)
	return `Signed with the key in the export itself: compare it with the one that you were given, or name that with --key.\n  ${Buffer.from(key ?? [])
		.toString()
		.trim()}`
}

/** That the entry at a position is in the log, as text, and what the entry is. It was verified as any reader of it would. */
export async function proveEntry(
	folder: string,
	position: number,
	{ key }: LogClaims,
): Promise<{ readonly proof: string; readonly entry: Uint8Array }> {
	const read = filesOf(folder)
	const checkpoint = await whole(read, LOG_FILES.checkpoint)
	const size = peekCheckpoint(checkpoint)?.size
	if (size === undefined) throw new Fault('log-invalid', `${join(folder, LOG_FILES.checkpoint)} is not a checkpoint.`)
	const tile = async (path: string) => whole(read, path)
	const hashes = await proveInclusion(position, size, (at) => tile(tilePath(at)), nodeCrypto.sha256)
	const index = Math.floor(position / TILE_WIDTH)
	const { entries } = readBundle(await whole(read, entriesPath({ index, width: widthAt(0, index, size) })))
	const entry = entries[position % TILE_WIDTH]
	if (!entry) throw new Fault('log-invalid', `Entry ${position} is missing.`)
	const proof = formatProof({ index: position, hashes, checkpoint })
	const lines =
		key === undefined
			? Buffer.from(await whole(read, LOG_FILES.key))
					.toString()
					.trim()
					.split('\n')
			: [key.trim()]
	const keys = lines.map((line) => parseVerifierKey(line, nodeCrypto.sha256)).filter((one) => one !== undefined)
	const opened = openProof(proof, entry, keys, nodeCrypto)
	if (!opened.ok) throw new Fault('log-invalid', `${opened.text} \`latchwork ledger verify\` names the first bad place.`)
	return { proof, entry }
}

async function whole(read: ReadFile, path: string): Promise<Uint8Array> {
	const bytes = await read(path)
	if (!bytes) throw new Fault('log-invalid', `The export has no file ${path}.`)
	return bytes
}
