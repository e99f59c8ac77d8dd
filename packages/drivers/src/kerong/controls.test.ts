import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Board, BoardEvent } from '../board.ts'
import { type BoardEmulator, type BoardFamily, boardItemsWithout, type LineKind, runSome } from '../testing/index.ts'
import { realClock } from '../testing/real-clock.ts'
import type { Transport } from '../transport/index.ts'
import { KR16_FAMILY } from './family.ts'

/** A driver with a planted bug: the true one, changed at one place of its contract. */
const planted = (change: (board: Board) => Partial<Board>): BoardFamily => ({
	...KR16_FAMILY,
	create(product) {
		const board = KR16_FAMILY.create(product)
		return { ...board, ...change(board) }
	},
})

const plantedOnWire = (change: (io: Transport) => Partial<Transport>): BoardFamily =>
	planted((board) => ({ start: (io, profile, clock, emit) => board.start({ ...io, ...change(io) }, profile, clock, emit) }))

const plantedInEvents = (change: (event: BoardEvent, emit: (event: BoardEvent) => void) => void): BoardFamily =>
	planted((board) => ({ start: (io, profile, clock, emit) => board.start(io, profile, clock, (event) => change(event, emit)) }))

const STATUS_LENGTH = 9

/** A status answer with other bytes and a sum that fits. */
function rewritten(frame: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
	if (frame.length !== STATUS_LENGTH) return frame
	const copy = frame.slice()
	change(copy)
	copy[STATUS_LENGTH - 1] = copy.slice(0, STATUS_LENGTH - 1).reduce((sum, byte) => sum + byte, 0)
	return copy
}

/** Hears only what `pass` lets through of what comes after each write. */
const hearing = (pass: (bytes: Uint8Array, nth: number) => Uint8Array | undefined) => (io: Transport) => {
	let nth = 0
	return {
		write(bytes: Uint8Array) {
			nth = 0
			return io.write(bytes)
		},
		onData: (listener: (bytes: Uint8Array) => void) =>
			io.onData((bytes) => {
				const heard = pass(bytes, nth++)
				if (heard) listener(heard)
			}),
	}
}

/** Puts the tail right before the parser sees it. */
const withRightTail = (bytes: Uint8Array) =>
	rewritten(bytes, (copy) => {
		copy[STATUS_LENGTH - 2] = 0x03
	})

/** A frame of the right board that answers another question counts as the state that was known last. */
function acceptsAnyFunction(io: Transport): Partial<Transport> {
	let last: Uint8Array | undefined
	return {
		onData: (listener) =>
			io.onData((bytes) => {
				if (bytes.length === STATUS_LENGTH) last = bytes
				listener(bytes[2] === 0x35 || !last ? bytes : last)
			}),
	}
}

/** An output that only its driver would end. */
const neverOff = (emulator: BoardEmulator): BoardEmulator => {
	let on = false
	return {
		...emulator,
		energised() {
			on ||= emulator.energised()
			return on
		},
	}
}

function acceptsAnyAddress(io: Transport): Partial<Transport> {
	let asked = 0
	const fits = (bytes: Uint8Array) => rewritten(bytes, () => {})[STATUS_LENGTH - 1] === bytes[STATUS_LENGTH - 1]
	return {
		write(bytes) {
			asked = bytes[1] ?? 0
			return io.write(bytes)
		},
		onData: (listener) =>
			io.onData((bytes) =>
				listener(
					rewritten(bytes, (copy) => {
						if (fits(bytes)) copy[1] = asked
						else copy[0] = 0
					}),
				),
			),
	}
}

/** An answer that differs from the last is not asked for again: the question after it gets the same answer. */
function believesAtOnce(io: Transport): Partial<Transport> {
	const listeners = new Set<(bytes: Uint8Array) => void>()
	let last = ''
	let again: Uint8Array | undefined
	return {
		async write(bytes) {
			const answer = again
			again = undefined
			if (!answer || bytes[2] !== 0x30) return io.write(bytes)
			for (const listener of listeners) queueMicrotask(() => listener(answer))
		},
		onData(listener) {
			listeners.add(listener)
			return io.onData((bytes) => {
				const text = `${bytes[1]}:${bytes.slice(3, 7)}`
				const fits = bytes.length === STATUS_LENGTH && rewritten(bytes, () => {})[8] === bytes[8]
				if (fits && text !== last) again = bytes
				if (fits) last = text
				listener(bytes)
			})
		},
	}
}

function changesAfterLoss(board: Board): Partial<Board> {
	let lost = false
	return {
		start: (io, profile, clock, emit) =>
			board.start(io, profile, clock, (event) => {
				lost ||= event.fact.kind === 'board-down'
				emit(lost && 'initial' in event.fact ? { ...event, fact: { ...event.fact, initial: false } } : event)
			}),
	}
}

function opensAgain(board: Board): Partial<Board> {
	return {
		async open(command) {
			const first = await board.open(command)
			return first.sent && first.ack === 'none' ? board.open({ ...command, id: `${command.id} again` }) : first
		},
	}
}

let fresh = 0

/** Each bug, the item of the list that must see it, and part of the check's name where an item has several. */
const PLANTED: readonly {
	readonly bug: string
	readonly item: number
	readonly check?: string
	readonly family: BoardFamily
	readonly lines?: readonly LineKind[]
}[] = [
	{
		bug: 'encodes another sum',
		item: 1,
		family: { ...KR16_FAMILY, vectors: KR16_FAMILY.vectors.map((vector) => ({ ...vector, encoded: vector.encoded.map((byte) => byte ^ 1) })) },
	},
	{ bug: 'takes a chunk for a frame', item: 2, family: plantedOnWire(hearing((bytes) => (bytes.length === STATUS_LENGTH ? bytes : undefined))) },
	{ bug: 'looks for the start only at the front', item: 3, family: plantedOnWire(hearing((bytes) => (bytes[0] === 0x02 ? bytes : undefined))) },
	{ bug: 'does not check the sum', item: 4, check: 'wrong check byte', family: plantedOnWire(hearing((bytes) => rewritten(bytes, () => {}))) },
	{ bug: 'accepts a wrong address', item: 4, check: 'wrong address', family: plantedOnWire(acceptsAnyAddress) },
	{ bug: 'accepts a wrong tail', item: 4, check: 'wrong tail', family: plantedOnWire(hearing(withRightTail)) },
	{ bug: 'takes the answer to another question for this one', item: 4, check: 'wrong function', family: plantedOnWire(acceptsAnyFunction) },
	{ bug: 'waits for ever', item: 5, family: planted(() => ({ read: () => new Promise(() => {}) })) },
	{ bug: 'treats a late answer as current', item: 6, family: plantedOnWire(hearing((bytes, nth) => (nth === 0 ? bytes : undefined))) },
	{ bug: 'takes any frame for the answer', item: 7, family: plantedOnWire(hearing((bytes, nth) => (nth === 0 ? bytes : undefined))) },
	{
		bug: 'wraps a channel that does not exist',
		item: 8,
		family: planted((board) => ({
			open: (command) => board.open({ ...command, ref: { ...command.ref, channel: Math.abs(Math.trunc(command.ref.channel)) % 16 } }),
		})),
	},
	{
		bug: 'ignores the wiring of the profile',
		item: 9,
		family: planted((board) => ({
			start: (io, { polarity: _polarity, statusOrder: _order, ...profile }, clock, emit) => board.start(io, profile, clock, emit),
		})),
	},
	{
		bug: 'sends the release frame a second time',
		item: 10,
		check: 'answer is lost',
		family: plantedOnWire((io) => ({
			async write(bytes) {
				await io.write(bytes)
				if (KR16_FAMILY.releases(bytes) > 0) await io.write(bytes)
			},
		})),
	},
	{
		bug: 'forgets which commands it has seen',
		item: 10,
		check: 'twice',
		family: planted((board) => ({ open: (command) => board.open({ ...command, id: `fresh-${fresh++}` }) })),
	},
	{
		bug: 'ignores the deadline',
		item: 11,
		family: planted((board) => ({ open: (command) => board.open({ ...command, notAfter: Number.MAX_SAFE_INTEGER }) })),
	},
	{ bug: 'fires more solenoids than it claims', item: 12, family: planted((board) => ({ caps: { ...board.caps, maxConcurrent: 1 } })) },
	{
		bug: 'acknowledges by itself',
		item: 13,
		family: planted((board) => ({ open: async (command) => ({ ...(await board.open(command)), ack: 'ok' }) })),
	},
	{
		bug: 'says everything twice',
		item: 14,
		family: plantedInEvents((event, emit) => {
			emit(event)
			emit(event)
		}),
	},
	{
		bug: 'refuses to start without the line',
		item: 15,
		family: planted((board) => ({
			async start(io, profile, clock, emit) {
				await io.reopen()
				await board.start(io, profile, clock, emit)
			},
		})),
	},
	{ bug: 'invents door movement when the line returns', item: 16, family: planted(changesAfterLoss) },
	{
		bug: 'reports the first reading as a change',
		item: 17,
		family: plantedInEvents((event, emit) => emit('initial' in event.fact ? { ...event, fact: { ...event.fact, initial: false } } : event)),
	},
	{ bug: 'goes on after stop', item: 18, family: planted(() => ({ stop: async () => {} })) },
	{
		bug: 'relies on itself to switch the output off',
		item: 18,
		check: 'killed',
		lines: ['tcp'],
		family: { ...KR16_FAMILY, emulator: (options) => neverOff(KR16_FAMILY.emulator(options)) },
	},
	{
		bug: 'keeps all rubbish',
		item: 19,
		family: {
			...KR16_FAMILY,
			parser() {
				const parser = KR16_FAMILY.parser()
				let kept = 0
				return {
					...parser,
					push(bytes) {
						kept += bytes.length
						return parser.push(bytes)
					},
					held: () => kept,
				}
			},
		},
	},
	{ bug: 'believes an answer at once', item: 20, check: 'check byte fits', family: plantedOnWire(believesAtOnce) },
	{ bug: 'opens again when the answer is damaged', item: 20, check: 'an hour', family: planted(opensAgain) },
	{ bug: 'claims a wrong pulse', item: 21, family: planted((board) => ({ caps: { ...board.caps, pulse: { ...board.caps.pulse, maxMs: 100 } } })) },
	{
		bug: 'puts raw frames into its events',
		item: 22,
		family: plantedInEvents((event, emit) => emit(Object.assign({ raw: Uint8Array.of(2, 0, 0x35) }, event))),
	},
]

test('each item of the list has a planted bug that it must see', () => {
	assert.deepEqual(boardItemsWithout(PLANTED.map(({ item }) => item)), [])
})

for (const { bug, item, check = '', family, lines } of PLANTED) {
	test(`a driver that ${bug} fails item ${item}`, async () => {
		const results = await runSome(family, realClock, (one) => one.item === item && one.name.includes(check), lines ?? ['memory'])
		assert.ok(results.length > 0)
		assert.ok(
			results.some(({ ok }) => !ok),
			'the suite did not see the planted bug',
		)
	})
}
