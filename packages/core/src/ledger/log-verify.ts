import { type Crypto, toBase64 } from '../base/index.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { type EntryFault, type FaultyEntry, readEvents, readFacts, type StreamEnd } from './log-events.ts'
import { bundlesOf, checkpointPath, exportPaths, LOG_FILES, readmeOf, statementOf } from './log-export.ts'
import { type NoteFault, type NoteKey, parseVerifierKey } from './note.ts'
import { sameBytes } from './proof.ts'
import { bundleOpener, entriesPath, HASH_BYTES, type OpenBundle, startOf, TILE_WIDTH, type TileAt, tilePath, widthAt } from './tiles.ts'
import { EMPTY_TREE, edgeTiles, type GrowingTree, growTree, hashPerfect, type Sha256, type Tile } from './tree.ts'

/**
 * - `missing`          a file, or the end of it, is not there
 * - `key`              the key of the log is malformed, or not the one that was named
 * - `statement`        `export.json` does not say what the newest checkpoint says
 * - `order`            a checkpoint is not larger than the one before, or is of another log
 * - `split-view`       a signed checkpoint does not stand for the entries: this log showed somebody another history
 * - `altered`          not what the signed checkpoint stands for
 * - `beyond-end`       bytes, or a file, where nothing belongs
 * - and what `NoteFault` names of checkpoints and `EntryFault` of entries
 */
export type LogFault = 'missing' | 'key' | 'statement' | 'order' | 'split-view' | 'altered' | 'beyond-end' | NoteFault | EntryFault

export interface BadLog {
	readonly ok: false
	readonly kind: 'file' | 'checkpoint' | 'tile' | 'entry'
	readonly path: string
	/** Of an entry, its position; of a tile, the first position under the first bad hash; of a checkpoint, its number; of another file 0. */
	readonly index: number
	readonly code: LogFault
	readonly text: string
}

export interface GoodLog {
	readonly ok: true
	readonly origin: string
	readonly size: number
	/** Base64, as in the checkpoint. */
	readonly root: string
	readonly checkpoints: number
	readonly ofServer: number
	readonly streams: ReadonlyMap<string, StreamEnd>
}
export type LogVerdict = GoodLog | BadLog

/** Answers the content of a file of the export, undefined when there is none. */
export type ReadFile = (path: string) => Uint8Array | undefined | Promise<Uint8Array | undefined>

export interface LogTerms {
	/** `verifyAside`: the same judgement by another thread, while this one goes on. */
	readonly crypto: Pick<Crypto, 'sha256' | 'verify'> & { readonly verifyAside?: (...given: Parameters<Crypto['verify']>) => Promise<boolean> }
	/** The verifier key as it was handed over on another way. Without it the export's own key is believed. */
	readonly key?: string
	/** A checkpoint of this log that was kept elsewhere, such as by a witness: the log must have grown out of it. */
	readonly kept?: Uint8Array
	/** All files that lie there, where they can be listed: one that nothing signed stands for is named. */
	readonly paths?: readonly string[]
}

/**
 * Is this export whole, and is it what the log has signed, at every time that it signed? Everything is computed anew from the bytes of the
 * entries: leaves, tiles, and the root at each checkpoint, so that consistency between checkpoints needs no proof. If not, what is the first
 * thing that differs from the original? The signed root decides whether a tile or the entries under it were touched.
 */
export async function verifyLog(read: ReadFile, terms: LogTerms): Promise<LogVerdict> {
	const keys = await readKeys(read, terms)
	if ('ok' in keys) return keys
	const signatures: Signature[] = []
	const signed = await readCheckpoints(read, keys, terms, signatures)
	const verdict = 'ok' in signed ? signed : await verifyEntries(read, signed, terms)
	return (await firstForged(signatures)) ?? ((verdict.ok && strayFile(verdict, terms.paths)) || verdict)
}

/** Of a checkpoint, judged beside the rest: until it is, its checkpoint is taken at its word. */
interface Signature {
	readonly genuine: Promise<boolean>
	readonly fault: BadLog
}

/** Whatever else differs comes after it, or would not have been looked for. */
async function firstForged(signatures: readonly Signature[]): Promise<BadLog | undefined> {
	for (const { genuine, fault } of signatures) if (!(await genuine)) return fault
	return undefined
}

/** A tile of an earlier, smaller export is as little vouched for as a stranger's file: nobody could tell whether it was changed. */
function strayFile({ size, checkpoints }: GoodLog, paths: readonly string[] = []): BadLog | undefined {
	const belongs = new Set<string>(Object.values(LOG_FILES))
	for (const path of exportPaths(size)) belongs.add(path)
	for (let number = 0; number < checkpoints; number++) belongs.add(checkpointPath(number))
	const stray = paths.filter((path) => !belongs.has(path)).sort()[0]
	return stray === undefined
		? undefined
		: badFile(stray, 'beyond-end', 'Nothing that the log has signed stands for this file: take it out of the export.')
}

type Bad = Omit<BadLog, 'ok'>
const bad = (fault: Bad): BadLog => ({ ok: false, ...fault })
const badFile = (path: string, code: LogFault, text: string) => bad({ kind: 'file', path, index: 0, code, text })

async function readKeys(read: ReadFile, { key, crypto }: LogTerms): Promise<NoteKey[] | BadLog> {
	const path = LOG_FILES.key
	const file = await read(path)
	if (!file) return badFile(path, 'missing', 'The key of the log is missing.')
	const lines = new TextDecoder().decode(file).split('\n')
	const keys = lines.slice(0, -1).map((line) => parseVerifierKey(line, crypto.sha256))
	if (lines.at(-1) !== '' || keys.length === 0 || !keys.every((one) => one !== undefined))
		return badFile(path, 'key', 'It does not hold verifier keys, one a line.')
	if (key === undefined) return keys
	const named = parseVerifierKey(key.trim(), crypto.sha256)
	if (!named) return badFile(path, 'key', 'The key that was named is not a verifier key (name+id+base64).')
	const isKnown = keys.some((one) => one.name === named.name && sameBytes(one.publicKey, named.publicKey))
	return isKnown ? [named] : badFile(path, 'key', 'It is not the key that was named.')
}

interface Signed {
	/** In the order of their numbers, sizes rising; the last is the newest. */
	readonly checkpoints: readonly { readonly path: string; readonly number: number; readonly checkpoint: Checkpoint }[]
	readonly newest: Checkpoint
	/** One of them that came from elsewhere. */
	readonly kept?: Checkpoint
}

async function readCheckpoints(
	read: ReadFile,
	keys: readonly NoteKey[],
	{ crypto, kept }: LogTerms,
	signatures: Signature[],
): Promise<Signed | BadLog> {
	const newestBytes = await read(LOG_FILES.checkpoint)
	if (!newestBytes) return badFile(LOG_FILES.checkpoint, 'missing', 'The newest checkpoint is missing.')
	const newest = openCheckpoint(newestBytes, keys, crypto)
	if (!newest.ok) return badFile(LOG_FILES.checkpoint, newest.code, newest.text)
	const { origin, size } = newest.checkpoint
	const statement = await read(LOG_FILES.statement)
	if (!statement) return badFile(LOG_FILES.statement, 'missing', 'The statement of what this export is is missing.')
	if (!sameBytes(statement, statementOf(newest.checkpoint)))
		return badFile(LOG_FILES.statement, 'statement', `It does not describe an export of ${origin} with ${size} entries.`)
	// It proves nothing and may be missing, but whoever reads it years later must not be told something else.
	const readme = await read(LOG_FILES.readme)
	if (readme && !sameBytes(readme, new TextEncoder().encode(readmeOf(origin))))
		return badFile(LOG_FILES.readme, 'altered', 'It is not the text that belongs to this form of export.')
	const checkpoints: { path: string; number: number; checkpoint: Checkpoint }[] = []
	for (let number = 0, last = -1; last < size; number++) {
		const path = checkpointPath(number)
		const at = { kind: 'checkpoint', path, index: number } as const
		const bytes = await read(path)
		if (!bytes) return bad({ ...at, code: 'missing', text: `Checkpoint ${number} is missing; the newest is not reached.` })
		const aside: Crypto['verify'] = (key, message, signature) => {
			const genuine = crypto.verifyAside?.(key, message, signature) ?? Promise.resolve(crypto.verify(key, message, signature))
			const name = keys.find(({ publicKey }) => sameBytes(publicKey, key))?.name
			signatures.push({ genuine, fault: bad({ ...at, code: 'signature', text: `The signature of ${name} is wrong.` }) })
			return true
		}
		const opened = openCheckpoint(bytes, keys, { sha256: crypto.sha256, verify: aside })
		if (!opened.ok) return bad({ ...at, code: opened.code, text: opened.text })
		const { checkpoint } = opened
		if (checkpoint.origin !== origin) return bad({ ...at, code: 'order', text: `It is a checkpoint of ${checkpoint.origin}.` })
		if (checkpoint.size <= last || checkpoint.size > size)
			return bad({ ...at, code: 'order', text: `It has ${checkpoint.size} entries, the one before ${last}, the newest ${size}.` })
		last = checkpoint.size
		checkpoints.push({ path, number, checkpoint })
	}
	if (await read(checkpointPath(checkpoints.length)))
		return bad({
			kind: 'checkpoint',
			path: checkpointPath(checkpoints.length),
			index: checkpoints.length,
			code: 'beyond-end',
			text: 'It comes after the newest checkpoint.',
		})
	if (!kept) return { checkpoints, newest: newest.checkpoint }
	const keptOne = openCheckpoint(kept, keys, crypto)
	if (!keptOne.ok) return badFile(LOG_FILES.key, 'key', `The key did not sign the checkpoint that was kept: ${keptOne.text}`)
	if (keptOne.checkpoint.origin !== origin)
		return badFile(LOG_FILES.checkpoint, 'order', `The checkpoint that was kept is of ${keptOne.checkpoint.origin}.`)
	if (keptOne.checkpoint.size > size)
		return bad({
			kind: 'entry',
			path: LOG_FILES.checkpoint,
			index: size,
			code: 'missing',
			text: `The log had ${keptOne.checkpoint.size} entries when the kept checkpoint was signed; this export ends before.`,
		})
	return { checkpoints, newest: newest.checkpoint, kept: keptOne.checkpoint }
}

async function verifyEntries(read: ReadFile, signed: Signed, { crypto }: LogTerms): Promise<LogVerdict> {
	const { newest } = signed
	const { sha256 } = crypto
	const view: View = { read, newest, sha256 }
	const tree = growTree(EMPTY_TREE, sha256)
	const events = readEvents(sha256)
	const openBundle = bundleOpener()
	const heads = headsOf(signed)
	const notEmpty = heads.splitAt(tree)
	if (notEmpty) return notEmpty
	for (const at of bundlesOf(newest.size)) {
		const [bundle, tile] = [await read(entriesPath(at)), await read(tilePath(at))]
		const opened = openBundle(bundle ?? new Uint8Array())
		const { bytes, ends, rest } = opened
		const leaves = hashEntries(opened, sha256)
		const hashes = flat(leaves)
		if (rest > 0 || leaves.length !== at.width || !tile || !sameBytes(tile, hashes)) return firstDifference(at, { bundle, tile, leaves, rest }, view)
		// One kind of work at a time: reading all, then hashing all takes a tenth less than by turns.
		const facts = readFacts(opened)
		for (let i = 0; i < leaves.length; i++) {
			const index = tree.size
			tree.append(leaves[i] ?? hashes)
			const fault = faultOf(events.take(facts[i], bytes.subarray(startOf(ends, i), ends[i])), at, index) ?? heads.splitAt(tree)
			if (fault) return (await isProven(at, flat(leaves), view)) ? fault : changedTogether(at, heads.agreed(), index)
		}
		const grown = tree.takeTiles().filter(({ level, width }) => level > 0 && width === TILE_WIDTH)
		const differs = await differingTile(grown, view)
		if (differs) return differs
	}
	const edge = tree.edge().tiles
	const last = edgeTiles(newest.size).map((at) => ({ ...at, hashes: edge[at.level] ?? new Uint8Array() }))
	const differs = await differingTile(last, view)
	if (differs) return differs
	const { origin, size, root } = newest
	return {
		ok: true,
		origin,
		size,
		root: toBase64(root),
		checkpoints: signed.checkpoints.length,
		ofServer: events.ofServer,
		streams: events.streams(),
	}
}

function faultOf(fault: FaultyEntry | undefined, at: TileAt, index: number): BadLog | undefined {
	if (!fault) return undefined
	return bad({ kind: 'entry', path: entriesPath(at), index, code: fault.code, text: `Entry ${index} was signed, yet ${fault.text}.` })
}

/** Entries and tiles fit each other and not what was signed. From where on, only the checkpoint tells up to which all was well. */
function changedTogether(at: TileAt, agreed: number, before: number): BadLog {
	const index = Math.max(agreed, at.index * TILE_WIDTH)
	const path = entriesPath({ index: Math.floor(index / TILE_WIDTH), width: at.width })
	const text = `Among the entries from ${index} to ${before}, entries and their tiles were changed together; they are not what was signed.`
	return bad({ kind: 'entry', path, index, code: 'altered', text })
}

interface Heads {
	/** The first checkpoint of the tree's size that does not stand for it. */
	splitAt(tree: GrowingTree): BadLog | undefined
	/** Size of the last checkpoint that did. */
	agreed(): number
}

/** Goes through the signed checkpoints beside the growing tree. */
function headsOf({ checkpoints, kept }: Signed): Heads {
	const all = checkpoints.map(({ path, number, checkpoint }) => ({ path, number, size: checkpoint.size, root: checkpoint.root }))
	if (kept)
		all.push({ path: 'the checkpoint that was kept', number: all.findLastIndex(({ size }) => size <= kept.size), size: kept.size, root: kept.root })
	all.sort((a, b) => a.size - b.size)
	let next = 0
	const agreed = () => all[next - 1]?.size ?? 0
	return {
		agreed,
		splitAt(tree) {
			for (let head = all[next]; head?.size === tree.size; head = all[++next]) {
				if (sameBytes(tree.root(), head.root)) continue
				const text = `It is signed, and the newest one does not grow out of it: two histories, different among positions ${agreed()} to ${head.size - 1}.`
				return bad({ kind: 'checkpoint', path: head.path, index: head.number, code: 'split-view', text })
			}
			return undefined
		},
	}
}

const hashEntries = ({ bytes, ends }: OpenBundle, sha256: Sha256): Uint8Array[] =>
	ends.map((end, i) => sha256(bytes.subarray(startOf(ends, i) - 1, end)))

/** Index of the first hash in which both differ; where one ends, if they do not. */
function firstUnlike(tile: Uint8Array, leaves: readonly Uint8Array[]): number {
	const least = Math.min(leaves.length, Math.floor(tile.length / HASH_BYTES))
	for (let i = 0; i < least; i++) {
		const leaf = leaves[i] ?? tile
		for (let byte = 0, at = i * HASH_BYTES; byte < HASH_BYTES; byte++, at++) if (leaf[byte] !== tile[at]) return i
	}
	return least
}

/** What the files hold at one place of level 0. */
interface Found {
	readonly bundle: Uint8Array | undefined
	readonly tile: Uint8Array | undefined
	readonly leaves: readonly Uint8Array[]
	/** Bytes of the bundle behind its last whole entry. */
	readonly rest: number
}
interface View {
	readonly read: ReadFile
	readonly newest: Checkpoint
	readonly sha256: Sha256
}

/** Entries and tile do not fit each other: which of them is not what was signed, and from where on? */
async function firstDifference(at: TileAt, { bundle, tile, leaves, rest }: Found, view: View): Promise<BadLog> {
	const start = at.index * TILE_WIDTH
	const unlike = firstUnlike(tile ?? new Uint8Array(), leaves)
	const isFormed = rest === 0 && leaves.length === at.width
	if (isFormed && (await isProven(at, flat(leaves), view))) {
		const index = Math.min(unlike, at.width)
		const code = !tile || (index * HASH_BYTES >= tile.length && index < at.width) ? 'missing' : index === at.width ? 'beyond-end' : 'altered'
		return bad({
			kind: 'tile',
			path: tilePath(at),
			index: start + index,
			code,
			text: `${tilePath(at)} does not hold the hash of entry ${start + index}.`,
		})
	}
	// Without its tile, only what the bundle itself shows can be said.
	const index = tile ? Math.min(unlike, at.width) : isFormed ? 0 : Math.min(leaves.length, at.width)
	const isGone = !bundle || (index === leaves.length && rest === 0)
	const code = index === at.width ? 'beyond-end' : isGone ? 'missing' : 'altered'
	const words = {
		'beyond-end': `${entriesPath(at)} goes on where it must end`,
		missing: `Entry ${start + index} is missing`,
		altered: `Entry ${start + index} is not the one that was signed`,
	}
	return bad({ kind: 'entry', path: entriesPath(at), index: start + index, code, text: `${words[code]}.` })
}

/** The first tile that is not what the entries make of it. */
async function differingTile(computed: readonly Tile[], view: View): Promise<BadLog | undefined> {
	for (const tile of computed) {
		const path = tilePath(tile)
		const file = await view.read(path)
		if (file && sameBytes(file, tile.hashes)) continue
		const hashes = Array.from({ length: tile.width }, (_, i) => hashAt(tile.hashes, i))
		const first = firstUnlike(file ?? new Uint8Array(), hashes)
		const index = (tile.index * TILE_WIDTH + Math.min(first, tile.width - 1)) * TILE_WIDTH ** tile.level
		if (await isProven(tile, tile.hashes, view)) {
			const code = !file || first * HASH_BYTES >= file.length ? 'missing' : first === tile.width ? 'beyond-end' : 'altered'
			return bad({ kind: 'tile', path, index, code, text: `${path} does not hold the hashes of the tiles below it.` })
		}
		const text = `Among the ${TILE_WIDTH ** tile.level} entries from ${index} on, entries and their tiles were changed together; ${path} was not.`
		return bad({ kind: 'entry', path: entriesPath({ index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH }), index, code: 'altered', text })
	}
	return undefined
}

/** Do these hashes belong there, as the newest checkpoint has it? A full tile stands as one hash in the tile above; partial tiles make the root. */
async function isProven(at: TileAt, hashes: Uint8Array, view: View): Promise<boolean> {
	const { newest, read, sha256 } = view
	if (at.width === TILE_WIDTH) {
		const [level, index] = [at.level + 1, Math.floor(at.index / TILE_WIDTH)]
		const above = { level, index, width: widthAt(level, index, newest.size) }
		const file = await read(tilePath(above))
		if (file?.length !== above.width * HASH_BYTES || !(await isProven(above, file, view))) return false
		return sameBytes(hashPerfect(hashes, sha256), hashAt(file, at.index % TILE_WIDTH))
	}
	const tiles: Uint8Array[] = []
	for (const edge of edgeTiles(newest.size)) {
		const file = edge.level === at.level ? hashes : await read(tilePath(edge))
		if (file?.length !== edge.width * HASH_BYTES) return false
		while (tiles.length < edge.level) tiles.push(new Uint8Array())
		tiles.push(file)
	}
	return sameBytes(growTree({ size: newest.size, tiles }, sha256).root(), newest.root)
}

const hashAt = (hashes: Uint8Array, i: number): Uint8Array => hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)

function flat(hashes: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(hashes.length * HASH_BYTES)
	for (const [i, hash] of hashes.entries()) bytes.set(hash, i * HASH_BYTES)
	return bytes
}
