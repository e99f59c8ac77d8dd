import { type Crypto, Fault } from '../base/index.ts'
import { HASH_BYTES, hashesAt, MAX_LEVELS, TILE_HEIGHT, TILE_WIDTH, type TileAt, widthAt } from './tiles.ts'

/** The Merkle tree of RFC 6962 §2.1. Leaves and nodes are hashed under different first bytes, so that neither can be passed off as the other. */
export type Sha256 = Crypto['sha256']

const LEAF = 0x00
const NODE = 0x01
const PAIR_BYTES = 1 + 2 * HASH_BYTES

/** What is hashed as a leaf, made in one place: an array for each of millions of entries makes the collector go through all of them again and again. */
const leafInput = new Uint8Array(16_384)

export function hashLeaf(entry: Uint8Array, sha256: Sha256): Uint8Array {
	const bytes = entry.length < leafInput.length ? leafInput.subarray(0, entry.length + 1) : new Uint8Array(entry.length + 1)
	bytes[0] = LEAF
	bytes.set(entry, 1)
	return sha256(bytes)
}

export function hashNode(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
	const bytes = new Uint8Array(PAIR_BYTES)
	bytes[0] = NODE
	bytes.set(left, 1)
	bytes.set(right, 1 + HASH_BYTES)
	return sha256(bytes)
}

/** Root of a perfect subtree, given the hashes of its 1, 2, 4 … 256 leaves one behind the other. */
export function hashPerfect(hashes: Uint8Array, sha256: Sha256): Uint8Array {
	// Not `slice`: that of Node's Buffer is a view, and this row is written over.
	const row = Uint8Array.from(hashes)
	const pair = new Uint8Array(PAIR_BYTES)
	pair[0] = NODE
	for (let length = row.length; length > HASH_BYTES; length /= 2) {
		for (let at = 0; at < length; at += 2 * HASH_BYTES) {
			pair.set(row.subarray(at, at + 2 * HASH_BYTES), 1)
			row.set(sha256(pair), at / 2)
		}
	}
	return row.slice(0, HASH_BYTES)
}

/** What must be kept of a tree to let it grow: its size, and by level the hashes of the last tile where that one is partial, else none. */
export interface RightEdge {
	readonly size: number
	readonly tiles: readonly Uint8Array[]
}
export const EMPTY_TREE: RightEdge = { size: 0, tiles: [] }

/** A tile with its hashes one behind the other. */
export interface Tile extends TileAt {
	readonly hashes: Uint8Array
}

/**
 * A tree that grows to the right. It holds its right edge only; each leaf costs one more hash on average, and a root as many as the
 * tree is high. Not for two writers: what comes out of `takeTiles` and `edge` belongs into one transaction.
 */
export interface GrowingTree {
	readonly size: number
	append(leafHash: Uint8Array): void
	/** RFC 6962's MTH of all leaves so far. */
	root(): Uint8Array
	/** Tiles that are new or wider since the last call, level by level from the left; of a partial tile only the widest. */
	takeTiles(): Tile[]
	edge(): RightEdge
}

/** Throws `log-invalid` when the tiles do not have the widths that a tree of this size has. */
export function growTree(edge: RightEdge, sha256: Sha256): GrowingTree {
	let size = edge.size
	/** Roots of the perfect subtrees of the tree by height, where the bit of the size is set: each is the left one of the pair that will be hashed. */
	const pairs: Uint8Array[] = []
	const setPeak = (height: number, hash: Uint8Array) => {
		pairs[height] ??= new Uint8Array(PAIR_BYTES).fill(NODE, 0, 1)
		pairs[height].set(hash, 1)
	}
	const open = Array.from({ length: MAX_LEVELS }, (_, level) => openTile(edge, level))
	for (const [level, hashes] of open.entries()) readPeaks(hashes, widthOfEdge(level, size), level * TILE_HEIGHT, setPeak, sha256)
	const firstFresh = open.map((_, level) => hashesAt(level, size))
	let full: Tile[] = []

	const place = (level: number, index: number, hash: Uint8Array) => {
		const tile = open[level]
		if (!tile) throw new Fault('log-invalid', `A log cannot have more than ${TILE_WIDTH ** MAX_LEVELS} entries.`)
		const offset = index % TILE_WIDTH
		tile.set(hash, offset * HASH_BYTES)
		if (offset === TILE_WIDTH - 1) full.push({ level, index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH, hashes: tile.slice() })
	}
	const partial = (level: number): Uint8Array => (open[level] ?? new Uint8Array()).slice(0, widthOfEdge(level, size) * HASH_BYTES)

	return {
		get size() {
			return size
		},
		append(leafHash) {
			let hash = leafHash
			let height = 0
			place(0, size, hash)
			// As in binary addition: each peak that is there already is carried upwards.
			for (let left = size; left % 2 === 1; left = (left - 1) / 2) {
				const pair = pairs[height++] ?? hash
				pair.set(hash, 1 + HASH_BYTES)
				hash = sha256(pair)
				if (height % TILE_HEIGHT === 0) place(height / TILE_HEIGHT, (left - 1) / 2, hash)
			}
			setPeak(height, hash)
			size++
		},
		root() {
			let root: Uint8Array | undefined
			for (let height = 0, left = size; left > 0; height++, left = Math.floor(left / 2)) {
				const peak = pairs[height]?.slice(1, 1 + HASH_BYTES)
				if (left % 2 === 1 && peak) root = root ? hashNode(peak, root, sha256) : peak
			}
			return root ?? sha256(new Uint8Array())
		},
		takeTiles() {
			const grown = open.flatMap((_, level): Tile[] => {
				const width = widthOfEdge(level, size)
				const isWider = hashesAt(level, size) > (firstFresh[level] ?? 0)
				firstFresh[level] = hashesAt(level, size)
				return width > 0 && isWider ? [{ level, index: Math.floor(hashesAt(level, size) / TILE_WIDTH), width, hashes: partial(level) }] : []
			})
			const taken = [...full, ...grown].sort((a, b) => a.level - b.level || a.index - b.index)
			full = []
			return taken
		},
		edge() {
			const tiles = open.map((_, level) => partial(level))
			while (tiles.at(-1)?.length === 0) tiles.pop()
			return { size, tiles }
		},
	}
}

const widthOfEdge = (level: number, size: number): number => hashesAt(level, size) % TILE_WIDTH

/** Where each partial tile of a tree lies: what a store reads to grow the tree further. */
export const edgeTiles = (size: number): TileAt[] =>
	Array.from({ length: MAX_LEVELS }, (_, level) => ({ level, index: Math.floor(hashesAt(level, size) / TILE_WIDTH) }))
		.map((at) => ({ ...at, width: widthAt(at.level, at.index, size) }))
		.filter(({ width }) => width > 0)

function openTile({ size, tiles }: RightEdge, level: number): Uint8Array {
	const hashes = tiles[level] ?? new Uint8Array()
	const width = widthOfEdge(level, size)
	if (hashes.length !== width * HASH_BYTES)
		throw new Fault(
			'log-invalid',
			`The last tile of level ${level} of a log of ${size} entries holds ${width} hashes, not ${hashes.length / HASH_BYTES}.`,
		)
	const open = new Uint8Array(TILE_WIDTH * HASH_BYTES)
	open.set(hashes)
	return open
}

/** The perfect subtrees inside a partial tile, the widest first. */
function readPeaks(hashes: Uint8Array, width: number, height: number, setPeak: (height: number, hash: Uint8Array) => void, sha256: Sha256): void {
	let start = 0
	for (let bit = TILE_HEIGHT - 1; bit >= 0; bit--) {
		const span = 1 << bit
		if ((width & span) === 0) continue
		setPeak(height + bit, hashPerfect(hashes.subarray(start * HASH_BYTES, (start + span) * HASH_BYTES), sha256))
		start += span
	}
}
