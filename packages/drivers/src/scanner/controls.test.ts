import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reader, ReaderEvent } from '../reader.ts'
import { uncontrolled } from '../testing/list.ts'
import type { MakeReader } from '../testing/reader-bench.ts'
import { runReaderCheck } from '../testing/reader-suite.ts'
import { realClock } from '../testing/real-clock.ts'
import type { Transport } from '../transport/index.ts'
import { scannerVectors } from './checks.ts'
import { scanParser } from './codec.ts'
import { SCANNER_FAMILY } from './conformance.ts'
import { serialScanner } from './driver.ts'

/** Scanner drivers with a planted weakness. Each must fail a check of its item in memory. */

const around = (change: (scanner: Reader) => Partial<Reader>) => (): Reader => {
	const scanner = serialScanner()
	return { ...scanner, ...change(scanner) }
}
const saying = (change: (event: ReaderEvent, emit: (event: ReaderEvent) => void) => void) =>
	around((scanner) => ({ start: (io, profile, clock, emit) => scanner.start(io, profile, clock, (event) => change(event, emit)) }))
const hearing = (change: (io: Transport) => Partial<Transport>) =>
	around((scanner) => ({ start: (io, profile, clock, emit) => scanner.start({ ...io, ...change(io) }, profile, clock, emit) }))
const pass = (heard: (bytes: Uint8Array) => Uint8Array | undefined) =>
	hearing((io) => ({
		onData: (listener) =>
			io.onData((bytes) => {
				const left = heard(bytes)
				if (left) listener(left)
			}),
	}))

/** Lets half a code from before a loss stand: the port seems never to go. */
const neverLost = hearing((io) => ({ onState: (listener) => io.onState((open) => void (open && listener(true))) }))
/** Time stands still for it, so an unfinished line is never old. */
const joins = around((scanner) => ({ start: (io, profile, clock, emit) => scanner.start(io, profile, { ...clock, mono: () => 0 }, emit) }))
const leaks = around((scanner) => {
	let last = ''
	return {
		start: (io, profile, clock, emit) =>
			scanner.start(io, profile, clock, (event) => {
				if (event.kind === 'scan') last = event.text
				emit(event)
			}),
		stats: () => Object.assign(scanner.stats(), { last }),
	}
})

const CONTROLS: readonly (readonly [item: number, bug: string, make: MakeReader])[] = [
	[2, 'takes a chunk for a code', pass((bytes) => (bytes.length > 1 ? bytes : undefined))],
	[3, 'joins half a code with the next', joins],
	[4, 'drops the byte that it does not like, and goes on', pass((bytes) => bytes.filter((byte) => byte !== 7))],
	[4, 'does not look for the prefix', around((scanner) => ({ start: (io, _profile, clock, emit) => scanner.start(io, {}, clock, emit) }))],
	[
		7,
		'forgets every second code',
		(() => {
			let nth = 0
			return saying((event, emit) => void ((event.kind !== 'scan' || nth++ % 2 === 0) && emit(event)))
		})(),
	],
	[
		15,
		'refuses to start without the line',
		around((scanner) => ({
			async start(io, profile, clock, emit) {
				await io.reopen()
				await scanner.start(io, profile, clock, emit)
			},
		})),
	],
	[16, 'does not see that the port was gone', neverLost],
	[
		17,
		'takes its coming up for a reading',
		saying((event, emit) => {
			emit(event)
			if (event.kind === 'reader-up') emit({ kind: 'scan', text: '' })
		}),
	],
	[18, 'goes on after its end', around(() => ({ stop: async () => {} }))],
	[19, 'reads what cannot be printed', saying((event, emit) => emit(event.kind === 'scan' ? { ...event, text: `${event.text}\x07` } : event))],
	[20, 'joins what the wire cut apart', joins],
	[21, 'claims a keypad', around((scanner) => ({ caps: { ...scanner.caps, keypad: true } }))],
	[21, 'says no word about overflow', saying((event, emit) => void (event.kind !== 'security' && emit(event)))],
	[22, 'keeps the last code in its counters', leaks],
]

for (const [item, bug, make] of CONTROLS) {
	test(`a scanner driver that ${bug} fails item ${item}`, async () => {
		const results = []
		for (const check of SCANNER_FAMILY.checks.filter((one) => one.item === item)) results.push(await runReaderCheck(check, 'memory', make, realClock))
		assert.ok(
			results.some(({ ok }) => !ok),
			'the list did not see it',
		)
	})
}

test('a parser that lets every byte through is found out by the recorded lines', async () => {
	const naive: typeof scanParser = (parts) => {
		const parser = scanParser(parts)
		return { ...parser, push: (bytes) => parser.push(bytes.map((byte) => (byte === 0 ? 0x41 : byte))) }
	}
	assert.equal((await runReaderCheck(scannerVectors(naive), 'memory', () => serialScanner(), realClock)).ok, false)
	assert.equal((await runReaderCheck(scannerVectors(), 'memory', () => serialScanner(), realClock)).ok, true)
})

test('each item of the list has a planted weakness', () => {
	assert.deepEqual(uncontrolled(SCANNER_FAMILY.checks, [1, ...CONTROLS.map(([item]) => item)]), [])
})
