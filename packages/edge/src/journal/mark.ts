import { closeSync, constants, existsSync, fdatasyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Fault, fromHex, type Id, toHex } from '@latchwork/core/base'
import type { StreamHead } from '@latchwork/core/ledger'

/**
 * The high-water mark outside the WAL (trust.md §3.6). SQLite silently drops a WAL tail after a flipped bit and calls the
 * rest intact, so every commit also leaves (stream, seq, head hash) in this ring of fixed slots, synced on its own.
 * A database that does not hold what the newest mark names has lost history, and says so.
 */
export interface MarkFile {
	/** The newest mark that is whole; a torn or flipped slot counts as never written. */
	read(): StreamHead | undefined
	write(mark: StreamHead): void
	close(): void
}

const SLOTS = 64
/** magic 4 · turn 8 · seq 8 · stream 40 (ascii, zero padded) · hash 32 · crc 4 */
const SLOT = 96
const MAGIC = 0x4c574d32 // LWM2

/** Opens or creates the ring; it is written whole once so that later writes need no new disk block. */
export function openMarkFile(path: string): MarkFile {
	const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
	const ring = new Uint8Array(SLOTS * SLOT)
	if (readSync(fd, ring, 0, ring.length, 0) < ring.length) {
		writeSync(fd, ring, 0, ring.length, 0)
		fdatasyncSync(fd)
	}
	/** Counts writes, not events: a new stream begins at 1 again, and its marks are newer all the same. */
	let turn = newest(ring)?.turn ?? 0
	return {
		read() {
			readSync(fd, ring, 0, ring.length, 0)
			return newest(ring)?.mark
		},
		write(mark) {
			const bytes = encode({ turn: turn + 1, mark })
			if (writeSync(fd, bytes, 0, bytes.length, ((turn + 1) % SLOTS) * SLOT) !== bytes.length) {
				throw new Fault('journal-full', 'The high-water mark could not be written.')
			}
			fdatasyncSync(fd)
			turn += 1
		},
		close: () => closeSync(fd),
	}
}

/** The newest whole mark of a ring that nobody is to touch. */
export const readMark = (path: string): StreamHead | undefined => (existsSync(path) ? newest(readFileSync(path))?.mark : undefined)

interface Slot {
	readonly turn: number
	readonly mark: StreamHead
}

function newest(ring: Uint8Array): Slot | undefined {
	let found: Slot | undefined
	for (let at = 0; at + SLOT <= ring.length; at += SLOT) {
		const slot = decode(ring.subarray(at, at + SLOT))
		if (slot && slot.turn > (found?.turn ?? 0)) found = slot
	}
	return found
}

function encode({ turn, mark }: Slot): Uint8Array {
	const bytes = new Uint8Array(SLOT)
	const view = new DataView(bytes.buffer)
	view.setUint32(0, MAGIC)
	view.setBigUint64(4, BigInt(turn))
	view.setBigUint64(12, BigInt(mark.seq))
	bytes.set(new TextEncoder().encode(mark.stream).subarray(0, 40), 20)
	bytes.set(fromHex(mark.hash), 60)
	view.setUint32(92, crc32(bytes.subarray(0, 92)))
	return bytes
}

function decode(bytes: Uint8Array): Slot | undefined {
	const view = new DataView(bytes.buffer, bytes.byteOffset, SLOT)
	if (view.getUint32(0) !== MAGIC || view.getUint32(92) !== crc32(bytes.subarray(0, 92))) return undefined
	const stream = new TextDecoder().decode(bytes.subarray(20, 60)).replace(/\0+$/, '') as Id<'stream'>
	return { turn: Number(view.getBigUint64(4)), mark: { stream, seq: Number(view.getBigUint64(12)), hash: toHex(bytes.subarray(60, 92)) } }
}
