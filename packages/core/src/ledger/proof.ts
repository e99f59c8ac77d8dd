import { Fault } from '../base/index.ts'
import { HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, type TileAt, tilePath, widthAt } from './tiles.ts'
import { hashNode, hashPerfect, type Sha256 } from './tree.ts'

/** Answers the hashes of a tile one behind the other. Whoever reads them from elsewhere has no proof before the proof was verified. */
export type ReadTile = (tile: TileAt) => Uint8Array | Promise<Uint8Array>

/** RFC 6962 §2.1.1: the hashes that lead from leaf `index` to the root of the first `size` leaves, the sibling of the leaf first. */
export async function proveInclusion(index: number, size: number, readTile: ReadTile, sha256: Sha256): Promise<Uint8Array[]> {
	if (!isCount(index) || !isCount(size) || index >= size)
		throw new Fault('out-of-range', `A log of ${size} entries has no entry ${index}; the first is 0.`)
	return hashRanges(inclusionRanges(index, 0, size), size, readTile, sha256)
}

/** RFC 6962 §2.1.2: the hashes that show that the first `from` leaves are still what a tree of that size had. None from or to the same size. */
export async function proveConsistency(from: number, size: number, readTile: ReadTile, sha256: Sha256): Promise<Uint8Array[]> {
	if (!isCount(from) || !isCount(size) || from > size) throw new Fault('out-of-range', `A log of ${size} entries was never as long as ${from}.`)
	if (from === 0 || from === size) return []
	return hashRanges(consistencyRanges(from, 0, size, true), size, readTile, sha256)
}

/** Is `leafHash` entry `index` of the tree with this size and root? */
export function verifyInclusion(
	proof: readonly Uint8Array[],
	claim: { readonly index: number; readonly size: number; readonly leafHash: Uint8Array; readonly root: Uint8Array },
	sha256: Sha256,
): boolean {
	const { index, size, leafHash, root } = claim
	if (!isCount(index) || !isCount(size) || index >= size || !areHashes([...proof, leafHash, root])) return false
	const steps = inclusionRanges(index, 0, size)
	if (steps.length !== proof.length) return false
	const reached = steps.reduce((hash, [start], i) => {
		const other = proof[i] ?? hash
		return start > index ? hashNode(hash, other, sha256) : hashNode(other, hash, sha256)
	}, leafHash)
	return sameBytes(reached, root)
}

export interface TreeHead {
	readonly size: number
	readonly root: Uint8Array
}

/** Did the tree `from` grow into `to` by appending alone? */
export function verifyConsistency(proof: readonly Uint8Array[], from: TreeHead, to: TreeHead, sha256: Sha256): boolean {
	if (!isCount(from.size) || !isCount(to.size) || from.size > to.size || !areHashes([...proof, from.root, to.root])) return false
	if (from.size === to.size) return proof.length === 0 && sameBytes(from.root, to.root)
	if (from.size === 0) return proof.length === 0 && sameBytes(from.root, sha256(new Uint8Array()))
	if (proof.length !== consistencyRanges(from.size, 0, to.size, true).length) return false
	const rest = [...proof]
	const reached = climb(from, 0, to.size, true, rest, sha256)
	return sameBytes(reached.old, from.root) && sameBytes(reached.now, to.root)
}

type Range = readonly [start: number, end: number]

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const areHashes = (hashes: readonly Uint8Array[]): boolean => hashes.every((hash) => hash.length === HASH_BYTES)

/** By fours: this is asked of every tile of a log, and says yes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false
	const [left, right] = [a, b].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
	let at = 0
	for (; at + 4 <= a.length; at += 4) if (left?.getInt32(at) !== right?.getInt32(at)) return false
	for (; at < a.length; at++) if (a[at] !== b[at]) return false
	return true
}

/** The height of the largest full subtree that fits into `leaves`. A logarithm in doubles is wrong just below high powers of two. */
function heightWithin(leaves: number): number {
	let height = 0
	while (2 ** (height + 1) <= leaves) height++
	return height
}

/** Where RFC 6962 cuts [start, end): behind the largest power of two of leaves that leaves something over. */
const cut = (start: number, end: number): number => start + 2 ** heightWithin(end - start - 1)

/** The leaves under each hash of an inclusion proof. */
function inclusionRanges(index: number, start: number, end: number): Range[] {
	if (end - start === 1) return []
	const middle = cut(start, end)
	return index < middle ? [...inclusionRanges(index, start, middle), [middle, end]] : [...inclusionRanges(index, middle, end), [start, middle]]
}

/** The leaves under each hash of a consistency proof. `known`: this part of the new tree is the whole old one, whose root the reader has. */
function consistencyRanges(from: number, start: number, end: number, known: boolean): Range[] {
	if (from === end) return known ? [] : [[start, end]]
	const middle = cut(start, end)
	return from <= middle
		? [...consistencyRanges(from, start, middle, known), [middle, end]]
		: [...consistencyRanges(from, middle, end, false), [start, middle]]
}

/** Both roots of the range, from the proof's hashes in the order in which `consistencyRanges` names them. */
function climb(from: TreeHead, start: number, end: number, known: boolean, rest: Uint8Array[], sha256: Sha256): { old: Uint8Array; now: Uint8Array } {
	if (from.size === end) {
		const hash = known ? from.root : (rest.shift() ?? from.root)
		return { old: hash, now: hash }
	}
	const middle = cut(start, end)
	const isLeft = from.size <= middle
	const inner = isLeft ? climb(from, start, middle, known, rest, sha256) : climb(from, middle, end, false, rest, sha256)
	const other = rest.shift() ?? from.root
	if (isLeft) return { old: inner.old, now: hashNode(inner.now, other, sha256) }
	return { old: hashNode(other, inner.old, sha256), now: hashNode(other, inner.now, sha256) }
}

/** A subtree of 2^height leaves that is full. */
interface Subtree {
	readonly height: number
	readonly index: number
}

/** The full subtrees of a range, from the left, as the root of the range needs them. */
function subtreesOf([start, end]: Range): Subtree[] {
	if (start === end) return []
	const height = heightWithin(end - start)
	const span = 2 ** height
	return [{ height, index: start / span }, ...subtreesOf([start + span, end])]
}

/** Which tile holds the hashes under a subtree, and which of them. */
function tileUnder({ height, index }: Subtree, size: number): { readonly tile: TileAt; readonly start: number; readonly span: number } {
	const level = Math.floor(height / TILE_HEIGHT)
	const span = 2 ** (height % TILE_HEIGHT)
	const first = index * span
	const tile = Math.floor(first / TILE_WIDTH)
	return { tile: { level, index: tile, width: widthAt(level, tile, size) }, start: first % TILE_WIDTH, span }
}

async function hashRanges(ranges: readonly Range[], size: number, readTile: ReadTile, sha256: Sha256): Promise<Uint8Array[]> {
	const wanted = ranges.map((range) => subtreesOf(range).map((subtree) => tileUnder(subtree, size)))
	const tiles = new Map(wanted.flat().map(({ tile }) => [tilePath(tile), tile]))
	const read = new Map(await Promise.all([...tiles].map(async ([path, tile]) => [path, await readWhole(tile, readTile)] as const)))
	return wanted.map((subtrees) =>
		subtrees
			.map(({ tile, start, span }) => {
				const hashes = read.get(tilePath(tile)) ?? new Uint8Array()
				return hashPerfect(hashes.subarray(start * HASH_BYTES, (start + span) * HASH_BYTES), sha256)
			})
			.reduceRight((right, left) => hashNode(left, right, sha256)),
	)
}

async function readWhole(tile: TileAt, readTile: ReadTile): Promise<Uint8Array> {
	const hashes = await readTile(tile)
	if (hashes.length !== tile.width * HASH_BYTES)
		throw new Fault('log-invalid', `${tilePath(tile)} must hold ${tile.width * HASH_BYTES} bytes, not ${hashes.length}.`)
	return hashes
}
