import type { BoardFamily } from '../testing/index.ts'
import { createParser, decode, encode, LONGEST_FRAME } from './codec.ts'
import { kr16 } from './driver.ts'
import { kr16Emulator } from './emulator.ts'
import { VECTORS } from './vectors.ts'

/** Changes bytes of a frame by place, counted from the front or (negative) from the end. */
const changed = (frame: Uint8Array, change: (frame: Uint8Array) => void): Uint8Array => {
	const copy = frame.slice()
	change(copy)
	return copy
}
const add = (frame: Uint8Array, at: number, by: number) => {
	const index = at < 0 ? frame.length + at : at
	frame[index] = (frame[index] ?? 0) + by
}

/** What the conformance suite must know to try `kr16` on real frames. */
export const KR16_FAMILY: BoardFamily = {
	family: 'kr16',
	products: ['CU16', 'CU12'],
	reasons: { notApplicable: { 23: 'for OSDP', 24: 'for families with a peer in Debian' }, memoryOnly: {} },
	create: kr16,
	emulator: kr16Emulator,
	wirings: [
		{ polarity: 'bit1Closed', statusOrder: 'lowFirst' },
		{ polarity: 'bit1Closed', statusOrder: 'highFirst' },
		{ polarity: 'bit1Open', statusOrder: 'lowFirst' },
		{ polarity: 'bit1Open', statusOrder: 'highFirst' },
	],
	vectors: VECTORS.map((vector) => ({ ...vector, encoded: encode(vector.means) })),
	decode,
	parser: () => ({ ...createParser(), longest: LONGEST_FRAME }),
	releases: (bytes) =>
		createParser()
			.push(bytes)
			.filter((parsed) => parsed.kind === 'message' && ['unlock', 'unlock-all', 'delayed-unlock'].includes(parsed.message.kind)).length,
	// The sum fits again wherever it is not itself what is wrong.
	damage: {
		'check byte': (answer) => changed(answer, (f) => add(f, -1, 1)),
		tail: (answer) =>
			changed(answer, (f) => {
				add(f, -2, 1)
				add(f, -1, 1)
			}),
		address: (answer) =>
			changed(answer, (f) => {
				add(f, 1, 0x10)
				add(f, -1, 0x10)
			}),
		// A frame of the board that answers another question.
		function: (answer) => encode({ kind: 'unlock-time', board: (answer[1] ?? 0) >> 4, ms: 550 }),
	},
	// Lock 1 the other way round.
	forge: (answer) =>
		changed(answer, (f) => {
			const by = (f[3] ?? 0) & 1 ? -1 : 1
			add(f, 3, by)
			add(f, -1, by)
		}),
	misdirect: (release) =>
		changed(release, (f) => {
			add(f, 1, 1)
			add(f, -1, 1)
		}),
}
