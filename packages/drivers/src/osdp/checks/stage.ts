import assert from 'node:assert/strict'
import { fromHex, toHex } from '@latchwork/core/base'
import type { Reader, ReaderEvent, ReaderProfile } from '../../reader.ts'
import type { LineKind } from '../../testing/bench.ts'
import type { ReaderBench, ReaderCheck, ReaderLine } from '../../testing/reader-bench.ts'
import type { EmulatorWire } from '../../transport/index.ts'
import { decodePacket, encodePacket, type Received } from '../codec.ts'
import { type OsdpReaderEmulator, osdpReaderEmulator } from '../emulator.ts'
import { ANSWER } from '../messages.ts'

export const ADDRESS = 5
export const KEY = fromHex('5d1c9e07b3a84f62d0e1738c2b96fa45')
export const OTHER_KEY = fromHex('a1f7036be58d42c99017ce2d64b83f5a')
export const CARD = { format: 1, bitCount: 26, bits: fromHex('9c41e7c0') }
/** A reader that was lost is looked for again after 8 s. */
const SOON_MS = 12_000

export interface Stage {
	readonly bench: ReaderBench
	readonly emulator: OsdpReaderEmulator
	readonly line: ReaderLine
	readonly reader: Reader
	readonly events: ReaderEvent[]
	readonly wires: readonly EmulatorWire[]
	soon(what: string, holds: () => boolean, limitMs?: number): Promise<void>
	/** Online in the way its profile demands. */
	up(): Promise<void>
	cards(): string[]
	alarms(): string[]
	count(kind: ReaderEvent['kind']): number
}

interface Setting {
	/** What the emulated reader holds instead of the right key; `none`: fresh from the factory. */
	readonly holds?: Uint8Array | 'none'
	readonly enforceSecure?: boolean
	/** Instead of the right key. */
	readonly profile?: (now: number) => ReaderProfile
	readonly prepare?: (emulator: OsdpReaderEmulator) => void
	/** Where it is run; an hour of traffic only where time costs nothing. Default: everywhere. */
	readonly lines?: readonly LineKind[]
}

/** A check that needs one reader and one emulated reader on one line. */
export function check(item: number, name: string, play: (stage: Stage) => Promise<void>, setting: Setting = {}): ReaderCheck {
	return { item, name, lines: setting.lines ?? ['memory', 'pty', 'tcp'], run: (bench, make) => onStage(bench, () => make(), setting, play) }
}

export async function onStage(bench: ReaderBench, make: () => Reader, setting: Setting, play: (stage: Stage) => Promise<void>): Promise<void> {
	const { clock } = bench
	const { holds = KEY, enforceSecure = false, profile = () => ({ key: KEY }), prepare } = setting
	const emulator = osdpReaderEmulator({ address: ADDRESS, random: clock.random, clock, enforceSecure, ...(holds !== 'none' && { key: holds }) })
	prepare?.(emulator)
	const wires: EmulatorWire[] = []
	const line = await bench.open((wire) => {
		wires.push(wire)
		return emulator.attach(wire)
	})
	const reader = make()
	const events: ReaderEvent[] = []
	const count = (kind: ReaderEvent['kind']) => events.filter((event) => event.kind === kind).length
	const soon = async (what: string, holds: () => boolean, limitMs = SOON_MS) =>
		assert.ok(await bench.until(holds, limitMs), `${what}; instead: ${events.map(({ kind }) => kind).join(' ')}`)
	try {
		await reader.start(line.io, { address: ADDRESS, ...profile(clock.mono()) }, clock, (event) => events.push(event))
		await play({
			bench,
			emulator,
			line,
			reader,
			events,
			wires,
			soon,
			up: () => soon('the reader comes up', () => count('reader-up') > count('reader-down')),
			cards: () => events.flatMap((event) => (event.kind === 'card' ? [toHex(event.bits)] : [])),
			alarms: () => events.flatMap((event) => (event.kind === 'security' ? [event.code] : [])),
			count,
		})
	} finally {
		await reader.stop()
		await line.close()
	}
}

export const decoded = (answer: Uint8Array): Received => decodePacket(answer) ?? assert.fail('the emulator sent no packet')
/** As somebody on the cable can do it: any field, with check bytes that fit; the MAC stays what it was, as he has no key. */
export const forged = (answer: Uint8Array, change: Partial<Received>): Uint8Array => {
	const packet = { ...decoded(answer), ...change }
	return encodePacket(packet, () => packet.mac ?? assert.fail('no MAC to keep'))
}
export const flipped = (bytes: Uint8Array | undefined): Uint8Array => Uint8Array.from(bytes ?? [], (byte, i) => (i === 0 ? byte ^ 1 : byte))
/** In the channel a report is the only answer that carries data. */
export const isReport = (answer: Uint8Array): boolean => decoded(answer).code === ANSWER.card
export const oneCard = async ({ emulator, soon, cards, bench }: Stage) => {
	emulator.card(CARD)
	await soon('the card arrives', () => cards().length > 0)
	await bench.pass(500)
	assert.deepEqual(cards(), [toHex(CARD.bits)], 'once and unchanged')
}

/** Waits for a promise while time passes. */
export async function settled(stage: Stage, promise: Promise<void> | undefined): Promise<void> {
	let done = false
	const watched = promise?.finally(() => {
		done = true
	})
	watched?.catch(() => {})
	await stage.soon('it settles', () => done)
	await watched
}
