import assert from 'node:assert/strict'
import { fromHex, toHex } from '@latchwork/core/base'
import type { ReaderCheck } from '../../testing/reader-bench.ts'
import { encodePacket } from '../codec.ts'
import { ANSWER } from '../messages.ts'
import { ADDRESS, CARD, check, decoded, forged, isReport, KEY, oneCard } from './stage.ts'

/** Bytes: cut, glued, damaged, made up. */
export const BYTE_CHECKS: readonly ReaderCheck[] = [
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
	check(
		7,
		'a report that nobody asked for, between question and answer, is not believed and disturbs neither',
		async (stage) => {
			await stage.up()
			stage.emulator.tap((answer) => {
				const sequence = (decoded(answer).sequence % 3) + 1
				return [encodePacket({ address: ADDRESS, answer: true, sequence, code: ANSWER.keys, data: fromHex('00 02 3123') }), answer]
			})
			await oneCard(stage)
			assert.equal(stage.count('keys'), 0)
			assert.deepEqual(stage.alarms(), [])
			assert.equal(stage.count('reader-down'), 0)
		},
		// In the secure channel such a packet is an attack (item 23).
		{ profile: () => ({ allowPlain: true }) },
	),
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

/** Readers and ports that come, go, and are hard to hear. */
export const LINK_CHECKS: readonly ReaderCheck[] = [
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
		17,
		'what is found at the start or after a loss is told once, and again only when it has changed meanwhile',
		async (stage) => {
			const tampers = () => stage.events.flatMap((event) => (event.kind === 'tamper' ? [event.active] : []))
			await stage.up()
			await stage.soon('the open contact is told', () => tampers().length === 1)
			const comeAndGo = async (meanwhile: () => void) => {
				await stage.line.cut()
				await stage.soon('down', () => stage.count('reader-down') === stage.count('reader-up'))
				meanwhile()
				await stage.line.restore()
				await stage.bench.pass(6_000)
				await stage.up()
				await stage.bench.pass(500)
			}
			await comeAndGo(() => {})
			assert.deepEqual(tampers(), [true], 'it is still open, which is no news')
			await comeAndGo(() => stage.emulator.tamper(false))
			assert.deepEqual(tampers(), [true, false])
			assert.equal(stage.count('power') + stage.cards().length, 0)
		},
		{ prepare: (emulator) => emulator.tamper(true) },
	),
	check(
		18,
		'stopped while it says "come in": no further packet, which is also what a killed process sends, and the lamp goes back by itself',
		async (stage) => {
			await stage.up()
			await stage.reader.signal?.('granted')
			await stage.soon('the lamp is green', () => stage.emulator.indicator().led === 'green')
			await stage.reader.stop()
			const asked = () => [...stage.emulator.commands().values()].reduce((a, b) => a + b, 0)
			await stage.bench.pass(200)
			const before = asked()
			// Longer than the lamp's two seconds, shorter than the eight after which the reader itself goes dark.
			await stage.bench.pass(4_000)
			assert.equal(asked(), before)
			assert.notEqual(stage.emulator.indicator().led, 'green')
		},
	),
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
			assert.ok(stage.cards().length >= 0.99 * sent.length, `${stage.cards().length} of ${sent.length} arrived`)
			assert.deepEqual(
				stage.alarms().filter((code) => code !== 'channel-lost'),
				[],
				'noise is not an attack',
			)
		},
		{ lines: ['memory'], profile: () => ({ key: KEY, pollMs: 500 }) },
	),
]
