import { closeSync, constants, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Fault, fromHex, toHex } from '@latchwork/core/base'

/**
 * The high-water mark outside the WAL (trust.md §3.6). SQLite silently drops a WAL tail after a flipped bit and calls the
 * rest intact, so every commit also leaves (stream, seq, head hash) in this ring of fixed slots, synced on its own.
 * A database whose head is behind the mark has lost history, and says so.
 */
export interface Mark {
	readonly stream: string
	readonly seq: number
	/** sha-256 of the head event's bytes, hex. */
	readonly hash: string
}

const SLOTS = 64
/** magic 4 · seq 8 · stream 40 (ascii, zero padded) · hash 32 · crc 4 */
const SLOT = 88
const MAGIC = 0x4c574d31 // LWM1

export interface MarkFile {
	read(): Mark | undefined
	write(mark: Mark): void
	/** A new stream counts from 1 again: forgets the marks of the old one. */
	reset(): void
	close(): void
}

/** Opens or creates the ring; it is written whole once so that later writes need no new disk block. */
export function openMarkFile(path: string): MarkFile {
	const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
	const ring = new Uint8Array(SLOTS * SLOT)
	const had = readSync(fd, ring, 0, ring.length, 0)
	if (had < ring.length) {
		writeSync(fd, ring, 0, ring.length, 0)
		fdatasyncSync(fd)
	}
	return {
		read() {
			readSync(fd, ring, 0, ring.length, 0)
			let last: Mark | undefined
			let lastTurn = -1
			for (let i = 0; i < SLOTS; i++) {
				const slot = decode(ring.subarray(i * SLOT, (i + 1) * SLOT))
				if (slot && slot.seq > lastTurn) {
					last = slot
					lastTurn = slot.seq
				}
			}
			return last
		},
		write(mark) {
			const bytes = encode(mark)
			if (writeSync(fd, bytes, 0, bytes.length, (mark.seq % SLOTS) * SLOT) !== bytes.length) {
				throw new Fault('journal-full', 'The high-water mark could not be written.')
			}
			fdatasyncSync(fd)
		},
		reset() {
			writeSync(fd, new Uint8Array(SLOTS * SLOT), 0, SLOTS * SLOT, 0)
			fdatasyncSync(fd)
		},
		close: () => closeSync(fd),
	}
}

function encode(mark: Mark): Uint8Array {
	const bytes = new Uint8Array(SLOT)
	const view = new DataView(bytes.buffer)
	view.setUint32(0, MAGIC)
	view.setBigUint64(4, BigInt(mark.seq))
	bytes.set(new TextEncoder().encode(mark.stream).subarray(0, 40), 12)
	bytes.set(fromHex(mark.hash), 52)
	view.setUint32(84, crc32(bytes.subarray(0, 84)))
	return bytes
}

function decode(bytes: Uint8Array): Mark | undefined {
	const view = new DataView(bytes.buffer, bytes.byteOffset, SLOT)
	if (view.getUint32(0) !== MAGIC || view.getUint32(84) !== crc32(bytes.subarray(0, 84))) return undefined
	const stream = new TextDecoder().decode(bytes.subarray(12, 52)).replace(/\0+$/, '')
	return { stream, seq: Number(view.getBigUint64(4)), hash: toHex(bytes.subarray(52, 84)) }
}
