import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, fromHex, seededRandom } from '@latchwork/core/base'
import type { ReaderEvent, ReaderProfile } from '../reader.ts'
import { memoryPipe } from '../transport/index.ts'
import { decodePacket, encodePacket } from './codec.ts'
import { osdpReader } from './driver.ts'
import { type OsdpReaderEmulator, osdpReaderEmulator } from './emulator.ts'
import { ANSWER, COMMAND } from './messages.ts'

/** What holds for every reader driver is in `conformance.ts`; here is what only this one promises. */

const KEY = fromHex('000102030405060708090a0b0c0d0e0f')
const NEW_KEY = fromHex('00112233445566778899aabbccddeeff')
const CARD = { format: 1, bitCount: 26, bits: fromHex('a1b2c3c0') }

interface Started {
	holds?: Uint8Array
	profile?: ReaderProfile
	product?: string
	prepare?: (emulator: OsdpReaderEmulator) => void
}

async function started({ holds = KEY, profile, product, prepare }: Started = {}) {
	const time = fakeClock()
	const clock = { ...time, random: seededRandom(1) }
	const pipe = memoryPipe()
	const emulator = osdpReaderEmulator({ address: 1, key: holds, random: seededRandom(2), clock })
	prepare?.(emulator)
	emulator.attach(pipe.wire)
	const events: ReaderEvent[] = []
	const reader = osdpReader(product)
	await reader.start(pipe.transport, { address: 1, key: KEY, ...profile }, clock, (event) => events.push(event))
	const kinds = () => events.map((event) => (event.kind === 'security' ? event.code : event.kind))
	return { time, pipe, emulator, reader, events, kinds, asked: (code: number) => emulator.commands().get(code) ?? 0 }
}
const answering = (answer: Uint8Array, code: number, data = new Uint8Array(0)): Uint8Array =>
	encodePacket({ address: 1, answer: true, sequence: decodePacket(answer)?.sequence ?? 0, code, data })

test('it polls every 50 ms, and a read is told within one poll', async () => {
	const { time, emulator, reader, kinds, asked } = await started()
	await time.advance(1000)
	const before = asked(COMMAND.poll)
	await time.advance(1000)
	assert.equal(asked(COMMAND.poll) - before, 20)
	emulator.card(CARD)
	await time.advance(50)
	assert.deepEqual(kinds(), ['reader-up', 'card'])
	await reader.stop()
	assert.equal(time.pending(), 0)
})

test('a reader that is away is looked for after 1, 8, 16 and then every 30 seconds', async () => {
	const { time, pipe, reader, kinds, emulator } = await started({ prepare: (reader) => reader.setOffline(true) })
	const asked: number[] = []
	pipe.wire.onData(() => asked.push(time.mono()))
	await time.advance(120_000)
	const first = asked.filter((at, i) => i === 0 || at - (asked[i - 1] ?? 0) > 300)
	const gaps = first.slice(1).map((at, i) => Math.round((at - (first[i] ?? 0)) / 1000))
	// Each attempt itself lasts eight tries of 200 ms; the very first try was sent before we listened.
	assert.deepEqual(gaps, [2, 10, 18, 32, 32])
	assert.deepEqual(kinds(), [])
	emulator.setOffline(false)
	await time.advance(32_000)
	assert.deepEqual(kinds(), ['reader-up'])
	await reader.stop()
})

test('the same alarm is told at once and then every ten seconds at most', async () => {
	const { time, emulator, reader, events } = await started()
	await time.advance(1000)
	emulator.tap((answer) => [answering(answer, ANSWER.ack), answer])
	await time.advance(60_000)
	const alarms = events.filter((event) => event.kind === 'security')
	assert.equal(alarms.length, 6)
	assert.ok(alarms.every((event) => event.code === 'plain-refused'))
	await reader.stop()
})

test('a busy reader is asked again and not given up', async () => {
	const { time, emulator, reader, kinds } = await started()
	await time.advance(1000)
	emulator.card(CARD)
	emulator.tap((answer) => [answering(answer, ANSWER.busy)])
	await time.advance(1000)
	assert.deepEqual(kinds(), ['reader-up'])
	emulator.tap()
	await time.advance(1000)
	assert.deepEqual(kinds(), ['reader-up', 'card'])
	emulator.tap((answer) => [answering(answer, ANSWER.busy)])
	await time.advance(5000)
	assert.deepEqual(kinds().slice(2), ['reader-down', 'channel-lost'], 'but not for ever')
	await reader.stop()
})

test('tamper and power are told when they change, also over a lost connection', async () => {
	const { time, pipe, emulator, reader, events, kinds } = await started({ prepare: (reader) => reader.tamper(true) })
	await time.advance(1000)
	assert.deepEqual(events.slice(1), [{ kind: 'tamper', active: true }], 'a contact that is open at the start is told')
	pipe.cut()
	await time.advance(1000)
	emulator.tamper(false)
	pipe.restore()
	await time.advance(9000)
	assert.deepEqual(kinds().slice(2), ['reader-down', 'channel-lost', 'reader-up', 'tamper'])
	emulator.tamper(false)
	emulator.powerFailed(true)
	emulator.powerFailed(true)
	await time.advance(1000)
	assert.deepEqual(events.slice(6), [{ kind: 'power', failed: true }])
	await reader.stop()
})

test('the last signal counts, and one without a reader does no harm', async () => {
	const { time, emulator, reader, asked } = await started({ prepare: (reader) => reader.setOffline(true) })
	await reader.signal?.('granted')
	emulator.setOffline(false)
	await time.advance(15_000)
	assert.equal(emulator.indicator().led, 'amber', 'what was said to nobody is not said later')
	assert.equal(asked(COMMAND.buzzer), 0)
	void reader.signal?.('granted')
	void reader.signal?.('denied')
	await time.advance(100)
	assert.equal(emulator.indicator().led, 'red')
	await time.advance(3000)
	assert.equal(emulator.indicator().led, 'amber', 'by itself after two seconds')
	assert.equal(asked(COMMAND.buzzer), 1)
	await reader.stop()
	await reader.signal?.('granted')
})

test('a product without keypad and buzzer claims none and uses none', async () => {
	const { time, emulator, reader, kinds, asked } = await started({ product: 'reader-bare' })
	assert.deepEqual([reader.caps.keypad, reader.caps.led, reader.caps.buzzer], [false, false, false])
	await time.advance(1000)
	emulator.keys('1234#')
	await reader.signal?.('granted')
	await time.advance(1000)
	assert.deepEqual(kinds(), ['reader-up'])
	assert.deepEqual([asked(COMMAND.led), asked(COMMAND.buzzer)], [0, 0])
	await reader.stop()
})

test('install mode does not help against a reader that holds another key', async () => {
	const { time, reader, kinds } = await started({ holds: NEW_KEY, profile: { installUntil: 60_000 } })
	await time.advance(5000)
	assert.deepEqual(kinds(), ['wrong-key'])
	await reader.stop()
})

test('a new key whose answer is lost: the handshake finds out which one the reader holds', async () => {
	const { time, emulator, reader, kinds, asked } = await started()
	await time.advance(1000)
	emulator.tap((answer) => (asked(COMMAND.keyset) === 1 ? [] : [answer]))
	const rotation = reader.rotateKey?.(NEW_KEY)
	await time.advance(1700)
	emulator.tap()
	await time.advance(9000)
	await rotation
	assert.deepEqual(kinds(), ['reader-up', 'reader-down', 'channel-lost', 'reader-up'])
	await reader.stop()
})

test('a new key that never arrived: refused, and the old one still opens', async () => {
	const { time, emulator, reader, kinds } = await started()
	await time.advance(1000)
	emulator.setOffline(true)
	const rotation = assert.rejects(reader.rotateKey?.(NEW_KEY) ?? Promise.resolve(), { code: 'reader-insecure' })
	await time.advance(4000)
	await rotation
	emulator.setOffline(false)
	await time.advance(20_000)
	assert.deepEqual(kinds(), ['reader-up', 'reader-down', 'channel-lost', 'reader-up'], 'and trying two keys is no alarm')
	await reader.stop()
})

test('a new key outside the channel, two at once, or none at all is refused', async () => {
	const { time, reader } = await started()
	await assert.rejects(reader.rotateKey?.(NEW_KEY) ?? Promise.resolve(), { code: 'reader-insecure' }, 'not yet online')
	await time.advance(1000)
	await assert.rejects(reader.rotateKey?.(new Uint8Array(0)) ?? Promise.resolve(), { code: 'config-invalid' })
	const first = reader.rotateKey?.(NEW_KEY)
	await assert.rejects(reader.rotateKey?.(NEW_KEY) ?? Promise.resolve(), { code: 'reader-insecure' })
	await time.advance(1000)
	await first
	await reader.stop()
	await assert.rejects(reader.rotateKey?.(KEY) ?? Promise.resolve(), { code: 'reader-insecure' }, 'stopped')
})

test('stopped at any moment it leaves no timer, says no more, and a waiting change of keys is refused', async () => {
	for (let ms = 0; ms < 400; ms += 7) {
		const { time, reader, events } = await started({ profile: { pollMs: 20 } })
		await time.advance(ms)
		const rotation = reader.rotateKey?.(NEW_KEY).catch((fault: { code: string }) => fault.code)
		await time.advance(ms % 3)
		await reader.stop()
		const told = events.length
		assert.equal(time.pending(), 0, `${ms} ms`)
		await time.advance(60_000)
		assert.equal(events.length, told)
		assert.ok([undefined, 'reader-insecure'].includes((await rotation) ?? undefined))
	}
})

test('started again after stop it comes up again', async () => {
	const { time, pipe, reader, emulator } = await started()
	await time.advance(1000)
	await reader.stop()
	const events: ReaderEvent[] = []
	await reader.start(pipe.transport, { address: 1, key: KEY }, { ...time, random: seededRandom(5) }, (event) => events.push(event))
	await time.advance(1000)
	emulator.card(CARD)
	await time.advance(100)
	assert.deepEqual(
		events.map(({ kind }) => kind),
		['reader-up', 'card'],
	)
	await reader.stop()
})
