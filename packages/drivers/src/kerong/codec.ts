/**
 * Frames of the KR-CU12 and KR-CU16 lock boards (hardware.md §1.1): `02 ADDR CMD [data] 03 SUM`, SUM = low byte of the sum
 * of everything before it, ADDR = board << 4 | lock. Pure: bytes to messages and back, no time and no I/O.
 * Left out: the answer `36` to `32` (no published layout), `40`, which sets the speed (nothing of ours changes a board's
 * speed, and no answer to it is known), and the version envelope F5 … 5F (one unfinished source). All three are rubbish here.
 */
export type Message =
	/** 30: status of one board. */
	| { readonly kind: 'status-query'; readonly board: number }
	/** 32 to F0: status of all boards. */
	| { readonly kind: 'status-all-query' }
	/** 31 */
	| { readonly kind: 'unlock'; readonly board: number; readonly lock: number }
	/** 33: every lock of the board. */
	| { readonly kind: 'unlock-all'; readonly board: number }
	/** 37 without data. */
	| { readonly kind: 'unlock-time-query'; readonly board: number }
	/** 37 with data, high byte first, unit 10 ms. */
	| { readonly kind: 'unlock-time-set'; readonly board: number; readonly ms: number }
	/** 39, 0–250 s. */
	| { readonly kind: 'delayed-unlock'; readonly board: number; readonly lock: number; readonly seconds: number }
	/** 35: bit n−1 of each word is lock n. A latch bit of 1 means closed on a board that is wired as the manual says; an object bit of 1 means something is inside. */
	| { readonly kind: 'status'; readonly board: number; readonly lock: number; readonly latches: number; readonly objects: number }
	/** 38: answer to 37. */
	| { readonly kind: 'unlock-time'; readonly board: number; readonly ms: number }

const STX = 0x02
const ETX = 0x03
const ALL_BOARDS = 0xf0
export const LOCKS_PER_ADDRESS = 16
/** DIP or rotary switch: ten boards a chain. */
export const BOARDS_PER_BUS = 10
/** Longest unlock time that we write. Above 7.6 s the high byte would be ETX and the frame could be read in two ways. */
export const MAX_UNLOCK_MS = 5000

type Words = readonly [board: number, lock: number, data: readonly number[]]

interface Layout {
	readonly command: number
	readonly dataBytes: number
	/** Undefined where the bytes cannot be meant like that. */
	read(...words: Words): Message | undefined
}

const LAYOUTS: readonly Layout[] = [
	{ command: 0x30, dataBytes: 0, read: (board) => ({ kind: 'status-query', board }) },
	{ command: 0x31, dataBytes: 0, read: (board, lock) => ({ kind: 'unlock', board, lock }) },
	{ command: 0x32, dataBytes: 0, read: () => ({ kind: 'status-all-query' }) },
	{ command: 0x33, dataBytes: 0, read: (board) => ({ kind: 'unlock-all', board }) },
	{ command: 0x37, dataBytes: 0, read: (board) => ({ kind: 'unlock-time-query', board }) },
	{ command: 0x37, dataBytes: 2, read: (board, _lock, [high = 0, low = 0]) => ({ kind: 'unlock-time-set', board, ms: (high * 256 + low) * 10 }) },
	{
		command: 0x39,
		dataBytes: 1,
		read: (board, lock, [seconds = 0]) => (seconds <= 250 ? { kind: 'delayed-unlock', board, lock, seconds } : undefined),
	},
	{
		command: 0x35,
		dataBytes: 4,
		read: (board, lock, [l1 = 0, l2 = 0, i1 = 0, i2 = 0]) => ({ kind: 'status', board, lock, latches: l2 * 256 + l1, objects: i2 * 256 + i1 }),
	},
	{ command: 0x38, dataBytes: 2, read: (board, _lock, [high = 0, low = 0]) => ({ kind: 'unlock-time', board, ms: (high * 256 + low) * 10 }) },
]

const OVERHEAD = 5
export const LONGEST_FRAME = OVERHEAD + Math.max(...LAYOUTS.map((layout) => layout.dataBytes))

const sum = (bytes: readonly number[]): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0)

function frame(address: number, command: number, data: readonly number[] = []): Uint8Array {
	const body = [STX, address, command, ...data, ETX]
	return Uint8Array.from([...body, sum(body)])
}

export function encode(message: Message): Uint8Array {
	if (message.kind === 'status-all-query') return frame(ALL_BOARDS, 0x32)
	const board = message.board << 4
	switch (message.kind) {
		case 'status-query':
			return frame(board, 0x30)
		case 'unlock':
			return frame(board | message.lock, 0x31)
		case 'unlock-all':
			return frame(board, 0x33)
		case 'unlock-time-query':
			return frame(board, 0x37)
		case 'unlock-time-set':
			return frame(board, 0x37, hundredths(Math.min(message.ms, MAX_UNLOCK_MS)))
		case 'delayed-unlock':
			return frame(board | message.lock, 0x39, [message.seconds])
		case 'status':
			return frame(board | message.lock, 0x35, [...lowFirst(message.latches), ...lowFirst(message.objects)])
		case 'unlock-time':
			return frame(board, 0x38, hundredths(message.ms))
	}
}

const lowFirst = (word: number) => [word & 0xff, (word >> 8) & 0xff]
const hundredths = (ms: number) => [(ms / 10) >> 8, (ms / 10) & 0xff]

export interface Discarded {
	/** `checksum`: among the bytes was a frame that was right except for its sum. */
	readonly code: 'checksum' | 'framing'
	readonly bytes: number
}

export type Parsed =
	| { readonly kind: 'message'; readonly message: Message; readonly bytes: Uint8Array }
	| { readonly kind: 'discarded'; readonly discarded: Discarded }

export interface Parser {
	/** Messages and runs of rubbish in the order in which they ended. */
	push(bytes: Uint8Array): Parsed[]
	/** Forgets a half frame; says what was thrown away since the last message. */
	reset(): Discarded | undefined
	/** Bytes kept for a frame that is not complete; never as many as the longest frame. */
	held(): number
}

/**
 * Finds frames in a stream that may start anywhere and may be damaged. There is no length field: the command byte names the
 * length. A wrong frame costs one byte, then the search goes on behind it, so a good frame inside rubbish is found.
 */
export function createParser(): Parser {
	let buffer: number[] = []
	let rubbish = 0
	let sawBadSum = false

	const flush = (): Discarded | undefined => {
		if (rubbish === 0) return undefined
		const discarded: Discarded = { code: sawBadSum ? 'checksum' : 'framing', bytes: rubbish }
		rubbish = 0
		sawBadSum = false
		return discarded
	}

	/** Takes what can be decided from the front of the buffer. */
	const settle = (out: Parsed[]) => {
		while (buffer.length > 0) {
			const verdict = examine(buffer)
			if (verdict === 'incomplete') return
			if (typeof verdict === 'string') {
				sawBadSum ||= verdict === 'checksum'
				buffer.shift()
				rubbish++
				continue
			}
			const discarded = flush()
			if (discarded) out.push({ kind: 'discarded', discarded })
			out.push({ kind: 'message', message: verdict.message, bytes: Uint8Array.from(buffer.splice(0, verdict.length)) })
		}
	}

	return {
		push(bytes) {
			const out: Parsed[] = []
			for (const byte of bytes) {
				buffer.push(byte)
				settle(out)
			}
			return out
		},
		reset() {
			rubbish += buffer.length
			buffer = []
			return flush()
		},
		held: () => buffer.length,
	}
}

function examine(buffer: readonly number[]): 'incomplete' | 'framing' | 'checksum' | { message: Message; length: number } {
	const [start, address = 0, command] = buffer
	if (start !== STX) return 'framing'
	if (command === undefined) return 'incomplete'
	let best: 'framing' | 'checksum' | 'incomplete' = 'framing'
	for (const layout of LAYOUTS) {
		if (layout.command !== command) continue
		const length = OVERHEAD + layout.dataBytes
		if (buffer.length < length) {
			best = 'incomplete'
			continue
		}
		if (buffer[length - 2] !== ETX) continue
		const message = layout.read(address >> 4, address & 0x0f, buffer.slice(3, length - 2))
		if (!message) continue
		if (buffer[length - 1] === sum(buffer.slice(0, length - 1))) return { message, length }
		if (best === 'framing') best = 'checksum'
	}
	return best
}

/** Throws nothing and keeps nothing: the first message in these bytes, for tests and tools. */
export function decode(bytes: Uint8Array): Message | undefined {
	for (const parsed of createParser().push(bytes)) if (parsed.kind === 'message') return parsed.message
	return undefined
}
