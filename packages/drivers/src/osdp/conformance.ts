import assert from 'node:assert/strict'
import { fromHex, toHex } from '@latchwork/core/base'
import type { Reader, ReaderEvent, ReaderProfile } from '../reader.ts'
import type { Attach, DriverClock, EmulatorWire, Transport } from '../transport/index.ts'
import { decodePacket, encodePacket, type Received } from './codec.ts'
import { type OsdpReaderEmulator, osdpReaderEmulator } from './emulator.ts'
import { ANSWER, COMMAND } from './messages.ts'

/** Where a reader driver is tried: memory, TCP or a real pseudo-terminal, with time that can be made to pass. */
export interface ReaderBench {
	readonly clock: DriverClock
	/** A fresh line with emulated hardware at its far end. */
	open(attach: Attach): Promise<ReaderLine>
	/** Lets time pass until it holds; false if it did not within `limitMs` on the bench's clock. */
	until(holds: () => boolean, limitMs: number): Promise<boolean>
	/** Lets so much time pass, in no time where the bench can. */
	pass(ms: number): Promise<void>
}

export interface ReaderLine {
	readonly io: Transport
	cut(): Promise<void> | void
	restore(): Promise<void> | void
	close(): Promise<void>
}

/** One entry of the conformance list of hardware design §6; `run` rejects when the driver fails it. */
export interface ReaderCheck {
	/** Number in that list. */
	readonly item: number
	readonly name: string
	/** An hour of traffic or the like: for benches whose time costs nothing. */
	readonly long?: boolean
	run(bench: ReaderBench, make: () => Reader): Promise<void>
}

const ADDRESS = 5
const KEY = fromHex('5d1c9e07b3a84f62d0e1738c2b96fa45')
const OTHER_KEY = fromHex('a1f7036be58d42c99017ce2d64b83f5a')
const CARD = { format: 1, bitCount: 26, bits: fromHex('9c41e7c0') }
/** A reader that was lost is looked for again after 8 s. */
const SOON_MS = 12_000

interface Stage {
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
	readonly long?: boolean
}

/** A check that needs one reader and one emulated reader on one line. */
function check(item: number, name: string, play: (stage: Stage) => Promise<void>, setting: Setting = {}): ReaderCheck {
	return { item, name, ...(setting.long && { long: true }), run: (bench, make) => onStage(bench, make, setting, play) }
}

async function onStage(bench: ReaderBench, make: () => Reader, setting: Setting, play: (stage: Stage) => Promise<void>): Promise<void> {
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

const decoded = (answer: Uint8Array): Received => decodePacket(answer) ?? assert.fail('the emulator sent no packet')
/** As somebody on the cable can do it: any field, with check bytes that fit; the MAC stays what it was, as he has no key. */
const forged = (answer: Uint8Array, change: Partial<Received>): Uint8Array => {
	const packet = { ...decoded(answer), ...change }
	return encodePacket(packet, () => packet.mac ?? assert.fail('no MAC to keep'))
}
const flipped = (bytes: Uint8Array | undefined): Uint8Array => Uint8Array.from(bytes ?? [], (byte, i) => (i === 0 ? byte ^ 1 : byte))
/** In the channel a report is the only answer that carries data. */
const isReport = (answer: Uint8Array): boolean => decoded(answer).code === ANSWER.card
const oneCard = async ({ emulator, soon, cards, bench }: Stage) => {
	emulator.card(CARD)
	await soon('the card arrives', () => cards().length > 0)
	await bench.pass(500)
	assert.deepEqual(cards(), [toHex(CARD.bits)], 'once and unchanged')
}

const CODING: readonly ReaderCheck[] = [
	check(2, 'answers cut into single bytes are put together', async (stage) => {
		stage.emulator.tap((answer) => Array.from(answer, (byte) => Uint8Array.of(byte)))
		await stage.up()
		await oneCard(stage)
	}),
	check(2, 'two answers in one chunk are told apart', async (stage) => {
		stage.emulator.tap((answer) => {
			const foreign = encodePacket({ address: ADDRESS + 1, answer: true, sequence: 1, code: ANSWER.card, data: fromHex('0001 0800 ff') })
			return [Uint8Array.of(...foreign, ...answer)]
		})
		await stage.up()
		await oneCard(stage)
	}),
	check(3, 'rubbish, the own echo and half a packet before the answer are survived', async (stage) => {
		stage.emulator.setFaults({ echo: true })
		stage.emulator.tap((answer) => [Uint8Array.of(0, 0x53, 0xff, 0xff), answer.slice(0, answer.length / 2), answer])
		await stage.up()
		await oneCard(stage)
		assert.ok(stage.reader.stats().resyncs + stage.reader.stats().badFrames > 0, 'and counted')
	}),
	check(4, 'wrong check bytes and a wrong address are refused, counted, and change nothing', async (stage) => {
		await stage.up()
		const before = stage.reader.stats().badFrames
		let bad = 4
		stage.emulator.tap((answer) => {
			if (!isReport(answer) || bad === 0) return [answer]
			bad--
			return [bad % 2 === 0 ? forged(answer, { address: ADDRESS + 1 }) : Uint8Array.of(...answer.slice(0, -1), (answer.at(-1) ?? 0) ^ 1)]
		})
		await oneCard(stage)
		assert.ok(stage.reader.stats().badFrames >= before + 2)
	}),
	check(19, '10,000 random strings: no throw, no read, and online again afterwards', async (stage) => {
		await stage.up()
		const { random } = stage.bench.clock
		for (let i = 0; i < 10_000; i++) {
			stage.wires[0]?.write(random(1 + ((random(1)[0] ?? 0) % 40)))
			if (i % 100 === 0) await stage.bench.pass(10)
		}
		await stage.soon('it answers again', () => stage.count('reader-up') > stage.count('reader-down'), 60_000)
		assert.deepEqual(stage.cards(), [])
		assert.equal(stage.count('keys') + stage.count('tamper') + stage.count('power'), 0)
		await oneCard(stage)
	}),
]

const COMING_AND_GOING: readonly ReaderCheck[] = [
	check(5, 'silence: down within its limit, an alarm for the lost channel, up again by itself', async (stage) => {
		await stage.up()
		stage.emulator.setOffline(true)
		await stage.soon('down', () => stage.count('reader-down') === 1)
		assert.deepEqual(stage.alarms(), ['channel-lost'])
		stage.emulator.setOffline(false)
		await stage.bench.pass(9_000)
		await stage.up()
		await oneCard(stage)
	}),
	check(6, 'a late answer is neither lost nor taken for the next one', async (stage) => {
		await stage.up()
		let late: Uint8Array | undefined
		stage.emulator.tap((answer) => {
			if (isReport(answer) && !late) {
				late = answer
				return []
			}
			const before = late
			late = undefined
			// The answer to the first try and that to the second, both after the second.
			return before ? [before, answer] : [answer]
		})
		await oneCard(stage)
		assert.deepEqual(stage.alarms(), [], 'a copy that was asked for is no attack')
	}),
	check(
		15,
		'absent at the start, plugged in later',
		async (stage) => {
			await stage.bench.pass(3_000)
			assert.equal(stage.count('reader-up'), 0)
			stage.emulator.setOffline(false)
			await stage.bench.pass(17_000)
			await stage.up()
			await oneCard(stage)
		},
		{ prepare: (emulator) => emulator.setOffline(true) },
	),
	check(16, 'the port vanishes and returns, shortly and for longer than the reader keeps its session', async (stage) => {
		for (const away of [0, 9_000]) {
			await stage.up()
			const downs = stage.count('reader-down')
			await stage.line.cut()
			await stage.soon('down', () => stage.count('reader-down') === downs + 1)
			await stage.bench.pass(away)
			await stage.line.restore()
			await stage.bench.pass(6_000)
		}
		await stage.up()
		await oneCard(stage)
		assert.equal(stage.count('tamper') + stage.count('power') + stage.count('keys'), 0)
	}),
	check(
		20,
		'an hour at 2 % byte errors: no false read, none twice, and all recover',
		async (stage) => {
			stage.emulator.setFaults({ corrupt: { rate: 0.02, direction: 'both' } })
			const sent: string[] = []
			for (let i = 0; i < 360; i++) {
				const bits = Uint8Array.of(i >> 8, i & 0xff, 0x5a, 0xc0)
				stage.emulator.card({ ...CARD, bits })
				sent.push(toHex(bits))
				await stage.bench.pass(10_000)
			}
			stage.emulator.setFaults({})
			await stage.bench.pass(60_000)
			await stage.up()
			assert.deepEqual(
				stage.cards(),
				sent.filter((card) => stage.cards().includes(card)),
				'each at most once, in order',
			)
			assert.ok(stage.cards().every((card) => sent.includes(card)))
			assert.ok(stage.cards().length >= 0.9 * sent.length, `${stage.cards().length} of ${sent.length} arrived`)
			assert.deepEqual(
				stage.alarms().filter((code) => code !== 'channel-lost'),
				[],
				'noise is not an attack',
			)
		},
		{ long: true, profile: () => ({ key: KEY, pollMs: 200 }) },
	),
]

const ABILITIES: readonly ReaderCheck[] = [
	check(21, 'what its caps claim, it does: card, keys, lamp, buzzer, tamper, power', async (stage) => {
		const { emulator, reader, events, soon } = stage
		await stage.up()
		assert.deepEqual(reader.caps, { card: true, keypad: true, scan: false, led: true, buzzer: true, assurance: 'secure-channel' })
		await oneCard(stage)
		emulator.keys('0123456789*#')
		await soon('keys', () => events.some((event) => event.kind === 'keys' && event.keys === '0123456789*#' && event.secure))
		emulator.tamper(true)
		emulator.powerFailed(true)
		await soon('tamper and power', () => stage.count('tamper') === 1 && stage.count('power') === 1)
		for (const [what, colour] of [
			['granted', 'green'],
			['denied', 'red'],
			['idle', 'amber'],
		] as const) {
			const beeps = emulator.commands().get(COMMAND.buzzer) ?? 0
			await reader.signal?.(what)
			await soon(`${what} shows ${colour}`, () => emulator.indicator().led === colour)
			if (what !== 'idle') await soon(`${what} sounds`, () => (emulator.commands().get(COMMAND.buzzer) ?? 0) > beeps)
		}
	}),
	check(
		21,
		'a plain reader by decision says so with every read',
		async (stage) => {
			await stage.up()
			assert.equal(stage.reader.caps.assurance, 'plain')
			await oneCard(stage)
			assert.ok(stage.events.every((event) => !('secure' in event) || !event.secure))
		},
		{ profile: () => ({ allowPlain: true }) },
	),
	{
		item: 8,
		name: 'no key, a short key, the published key, an impossible address: refused before any byte',
		async run(bench, make) {
			const published = fromHex('303132333435363738393a3b3c3d3e3f')
			for (const profile of [{ address: 1 }, { address: 1, key: KEY.slice(1) }, { address: 1, key: published }, { address: 127, key: KEY }]) {
				const line = await bench.open(() => () => {})
				const reader = make()
				await assert.rejects(
					reader.start(line.io, profile, bench.clock, () => {}),
					{ code: 'config-invalid' },
				)
				assert.equal(reader.stats().tx, 0)
				await reader.stop()
				await line.close()
			}
		},
	},
	check(
		21,
		'a flood of reads is bounded and raises one overflow',
		async (stage) => {
			await stage.up()
			const begin = stage.bench.clock.mono()
			for (let i = 0; i < 1_000; i++) {
				stage.emulator.card({ ...CARD, bits: Uint8Array.of(i >> 8, i & 0xff, 0, 0) })
				if (i % 5 === 0) await stage.bench.pass(5)
			}
			const seconds = (stage.bench.clock.mono() - begin) / 1000
			assert.ok(stage.cards().length <= 33 + 10 * seconds, `${stage.cards().length} reads in ${seconds} s`)
			assert.deepEqual([...new Set(stage.alarms())], ['overflow'])
			assert.ok(stage.alarms().length <= 1 + seconds / 10)
			// What the reader still held back comes first, and then a person again.
			for (let i = 0; i < 100 && stage.cards().at(-1) !== toHex(CARD.bits); i++) {
				await stage.bench.pass(200)
				stage.emulator.card(CARD)
			}
			assert.equal(stage.cards().at(-1), toHex(CARD.bits))
		},
		{ profile: () => ({ key: KEY, pollMs: 1 }) },
	),
	check(22, 'no key and no card number in any text', async (stage) => {
		await stage.up()
		await oneCard(stage)
		const texts: unknown[] = [stage.reader.stats(), stage.events.filter((event) => event.kind !== 'card')]
		for (const key of [KEY.slice(2), fromHex('303132333435363738393a3b3c3d3e3f')]) {
			await stage.reader.rotateKey?.(key).catch((fault: Error) => texts.push(fault.message, fault.stack, { ...fault }))
		}
		assert.equal(texts.length, 8)
		const all = JSON.stringify(texts).toLowerCase()
		for (const secret of [KEY, KEY.slice(2), CARD.bits]) {
			for (const form of [toHex(secret), [...secret].join()]) assert.ok(!all.includes(form), 'a secret in a text')
		}
	}),
]

/** Nobody came up, and nothing that was said was believed. */
const refusedWith = (code: string, after?: (stage: Stage) => void) => async (stage: Stage) => {
	stage.emulator.card(CARD)
	await stage.soon(`the alarm ${code}`, () => stage.alarms().includes(code))
	// Past the next try.
	await stage.bench.pass(9_000)
	assert.equal(stage.count('reader-up') + stage.count('keys'), 0)
	assert.deepEqual(stage.cards(), [])
	after?.(stage)
}

type Attack = (answer: Uint8Array, report: boolean) => readonly Uint8Array[]

/** The line is attacked while a card is read: the alarm comes, the card once. */
const attacked = (code: string, prepare: () => Attack) => async (stage: Stage) => {
	await stage.up()
	const attack = prepare()
	stage.emulator.tap((answer) => attack(answer, isReport(answer)))
	stage.emulator.card(CARD)
	await stage.soon(`the alarm ${code}`, () => stage.alarms().includes(code))
	await stage.bench.pass(500)
	stage.emulator.tap()
	await stage.soon('the true card arrives', () => stage.cards().length > 0, 60_000)
	await stage.bench.pass(500)
	assert.deepEqual(stage.cards(), [toHex(CARD.bits)], 'once and unchanged')
	assert.equal(stage.count('keys'), 0)
}

/** The report is spoilt in two tries and comes through in the third. */
const spoiltTwice = (spoil: (answer: Uint8Array) => Uint8Array) => (): Attack => {
	let left = 2
	return (answer, report) => (report && left-- > 0 ? [spoil(answer)] : [answer])
}
const keysInClear = (answer: Uint8Array): Uint8Array =>
	encodePacket({ address: ADDRESS, answer: true, sequence: decoded(answer).sequence, code: ANSWER.keys, data: fromHex('00 05 3132333423') })
const playBack = (): Attack => {
	let record: Uint8Array | undefined
	return (answer, report) => {
		if (report) record = answer
		return report || !record ? [answer] : [record, answer]
	}
}
const withoutSecurity = (answer: Uint8Array): Uint8Array => {
	const { code, data } = decoded(answer)
	return code === ANSWER.cap ? forged(answer, { data: data.slice(0, -3) }) : answer
}

const SECURITY: readonly ReaderCheck[] = [
	check(23, 'another key: alarm, and never up', refusedWith('wrong-key'), { holds: OTHER_KEY }),
	check(
		23,
		'the published key outside install mode: alarm, never up, and no key given away',
		refusedWith('default-key-refused', ({ emulator }) => assert.ok(emulator.factoryFresh())),
		{ holds: 'none' },
	),
	check(
		23,
		'install mode that is over: as if it had never been',
		refusedWith('default-key-refused', ({ emulator }) => assert.ok(emulator.factoryFresh())),
		{
			holds: 'none',
			profile: (now) => ({ key: KEY, installUntil: now }),
		},
	),
	check(23, 'capabilities without security: alarm, no fall-back', refusedWith('no-secure-channel'), {
		prepare: (emulator) => emulator.tap((answer) => [withoutSecurity(answer)]),
	}),
	check(
		23,
		'answers in clear inside the channel: alarm, not believed',
		attacked('plain-refused', () => (answer) => [keysInClear(answer), answer]),
	),
	check(
		23,
		'a flipped MAC: alarm, not believed',
		attacked(
			'mac-mismatch',
			spoiltTwice((answer) => forged(answer, { mac: flipped(decoded(answer).mac) })),
		),
	),
	check(
		23,
		'changed data under a right check: alarm, not believed',
		attacked(
			'mac-mismatch',
			spoiltTwice((answer) => forged(answer, { data: flipped(decoded(answer).data) })),
		),
	),
	check(23, 'a played-back card: alarm, not believed', attacked('replay', playBack)),
	check(
		23,
		'an answer with a number out of order: alarm, not believed',
		attacked('replay', () => (answer) => [forged(answer, { sequence: (decoded(answer).sequence % 3) + 1 }), answer]),
	),
	check(23, 'a forged "session lost": a new handshake, and nothing believed in between', async (stage) => {
		await stage.up()
		let forge = true
		stage.emulator.tap((answer) => {
			if (!forge) return [answer]
			forge = false
			const { sequence } = decoded(answer)
			return [encodePacket({ address: ADDRESS, answer: true, sequence, code: ANSWER.nak, data: Uint8Array.of(6) })]
		})
		await stage.soon('the alarm', () => stage.alarms().includes('channel-lost'))
		await stage.bench.pass(9_000)
		await stage.up()
		await oneCard(stage)
	}),
	check(
		23,
		'a reader that enforces security comes up',
		async (stage) => {
			await stage.up()
			await oneCard(stage)
		},
		{ enforceSecure: true },
	),
	check(
		23,
		'install mode: the own key is brought in, and only that is used from then on',
		async (stage) => {
			await stage.up()
			assert.ok(!stage.emulator.factoryFresh())
			assert.deepEqual(stage.alarms(), [])
			assert.ok(stage.emulator.indicator().secure)
			await oneCard(stage)
		},
		{ holds: 'none', profile: (now) => ({ key: KEY, installUntil: now + 60_000 }) },
	),
	check(23, 'a new key by KEYSET: the channel is built again under it, and the old one is out', async (stage) => {
		await stage.up()
		await settled(stage, stage.reader.rotateKey?.(OTHER_KEY))
		assert.equal(stage.count('reader-up'), 2)
		assert.deepEqual(stage.alarms(), [])
		await oneCard(stage)
		// The driver keeps the new one over a loss.
		stage.emulator.setOffline(true)
		await stage.soon('down', () => stage.count('reader-down') === 2)
		stage.emulator.setOffline(false)
		await stage.bench.pass(9_000)
		await stage.soon('up under the new key', () => stage.count('reader-up') === 3)
	}),
]

/** Waits for a promise while time passes. */
async function settled(stage: Stage, promise: Promise<void> | undefined): Promise<void> {
	let done = false
	const watched = promise?.finally(() => {
		done = true
	})
	watched?.catch(() => {})
	await stage.soon('it settles', () => done)
	await watched
}

/** What every OSDP reader driver must hold, against the emulated reader, over any line. */
export const readerChecks: readonly ReaderCheck[] = [...CODING, ...COMING_AND_GOING, ...ABILITIES, ...SECURITY]
