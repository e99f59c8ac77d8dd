import { Fault } from '../base/index.ts'

/**
 * Where hashes and entries of a log lie as files (C2SP tlog-tiles): a tile holds up to 256 consecutive hashes of one level, and each hash of
 * level n + 1 stands for one full tile of level n. Only the last tile of a level can be partial, and its width is part of its name.
 */
export interface TileAt {
	/** 0 holds the hashes of the leaves. */
	readonly level: number
	/** From the left, 0 first. */
	readonly index: number
	/** How many hashes it holds, 1 to 256. */
	readonly width: number
}

export const TILE_HEIGHT = 8
export const TILE_WIDTH = 256
export const HASH_BYTES = 32
/** No safe integer needs more levels. */
export const MAX_LEVELS = 7

/** How many hashes a level has in a tree of `size` leaves. Powers of 256 are exact in a double. */
export const hashesAt = (level: number, size: number): number => Math.floor(size / TILE_WIDTH ** level)

/** How many hashes the tile at this place holds in a tree of `size` leaves; 0 when there is none. */
export const widthAt = (level: number, index: number, size: number): number =>
	Math.min(TILE_WIDTH, Math.max(0, hashesAt(level, size) - index * TILE_WIDTH))

/** All tiles of a tree, level by level; with `since` only those that a tree of that smaller size does not have yet. */
export function* tilesOf(size: number, since = 0): Generator<TileAt> {
	for (let level = 0; hashesAt(level, size) > 0; level++) {
		for (let index = Math.floor(hashesAt(level, since) / TILE_WIDTH); widthAt(level, index, size) > 0; index++) {
			const width = widthAt(level, index, size)
			if (width > widthAt(level, index, since)) yield { level, index, width }
		}
	}
}

export const tilePath = ({ level, index, width }: TileAt): string => `tile/${level}/${placePath(index, width)}`
/** Of the entries whose leaf hashes are in the tile of level 0 at the same place. */
export const entriesPath = ({ index, width }: Pick<TileAt, 'index' | 'width'>): string => `tile/entries/${placePath(index, width)}`

/** Index 1,234,067 becomes `x001/x234/067`, so that no directory grows without end and no file has the name of a directory. */
export function numberPath(index: number): string {
	const digits = String(index)
	const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
	return groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join('/')
}

const placePath = (index: number, width: number): string => `${numberPath(index)}${width === TILE_WIDTH ? '' : `.p/${width}`}`

/** What a path names; undefined unless it is exactly what `tilePath` or `entriesPath` writes. */
export function parseTilePath(path: string): ({ readonly kind: 'tile' | 'entries' } & TileAt) | undefined {
	const parts = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path)
	if (!parts) return undefined
	const kind = parts[1] === 'entries' ? 'entries' : 'tile'
	const tile = {
		level: kind === 'entries' ? 0 : Number(parts[1]),
		index: Number(parts[2]?.replaceAll(/[x/]/g, '')),
		width: parts[3] === undefined ? TILE_WIDTH : Number(parts[3]),
	}
	const isTile = Number.isSafeInteger(tile.index) && tile.level < 64 && tile.width >= 1 && tile.width <= TILE_WIDTH
	return isTile && (kind === 'tile' ? tilePath(tile) : entriesPath(tile)) === path ? { kind, ...tile } : undefined
}

/** The longest entry: its length is written in 16 bits. */
const MAX_ENTRY_BYTES = 65_535

/** Entries one behind the other, each with its length before it. */
export function bundleEntries(entries: readonly Uint8Array[]): Uint8Array {
	const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
	let at = 0
	for (const entry of entries) {
		if (entry.length > MAX_ENTRY_BYTES) throw new Fault('event-invalid', `An entry has ${entry.length} bytes; ${MAX_ENTRY_BYTES} are allowed.`)
		bundle[at] = entry.length >> 8
		bundle[at + 1] = entry.length & 0xff
		bundle.set(entry, at + 2)
		at += 2 + entry.length
	}
	return bundle
}

/** The entries of a bundle. `rest`: bytes behind the last whole entry, none in a sound bundle. */
export function readBundle(bundle: Uint8Array): { readonly entries: Uint8Array[]; readonly rest: number } {
	const entries: Uint8Array[] = []
	let at = 0
	while (at + 2 <= bundle.length) {
		const end = at + 2 + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
		if (end > bundle.length) break
		entries.push(bundle.subarray(at + 2, end))
		at = end
	}
	return { entries, rest: bundle.length - at }
}

/** A bundle as it is read where it lies, without an array for each entry. */
export interface OpenBundle {
	/** A copy of it with zeros in place of the lengths: so the input of a leaf's hash (a zero byte, then the entry) is there already. */
	readonly bytes: Uint8Array
	/** Where each entry ends; it begins behind its length, which stands behind the end of the entry before. */
	readonly ends: readonly number[]
	/** Bytes of the bundle behind its last whole entry. */
	readonly rest: number
}
const LENGTH_BYTES = 2
export const startOf = (ends: readonly number[], i: number): number => (i === 0 ? 0 : (ends[i - 1] ?? 0)) + LENGTH_BYTES

/** Opens one bundle after the other, each in the room of the one before: a new copy of every bundle makes the collector go through all that is there. */
export function bundleOpener(): (bundle: Uint8Array) => OpenBundle {
	let room = new Uint8Array()
	return (bundle) => {
		if (room.length < bundle.length) room = new Uint8Array(2 * bundle.length)
		const bytes = room.subarray(0, bundle.length)
		bytes.set(bundle)
		const ends: number[] = []
		let at = 0
		while (at + LENGTH_BYTES <= bytes.length) {
			const end = at + LENGTH_BYTES + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
			if (end > bytes.length) break
			bytes[at] = 0
			bytes[at + 1] = 0
			ends.push(end)
			at = end
		}
		return { bytes, ends, rest: bytes.length - at }
	}
}
