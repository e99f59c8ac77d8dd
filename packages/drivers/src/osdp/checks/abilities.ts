import assert from 'node:assert/strict'
import { fromHex, toHex } from '@latchwork/core/base'
import type { ReaderCheck } from '../../testing/reader-bench.ts'
import { COMMAND } from '../messages.ts'
import { OSDP_PRODUCTS } from '../products.ts'
import { CARD, check, KEY, oneCard, onStage } from './stage.ts'

export const ABILITY_CHECKS: readonly ReaderCheck[] = [
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
	{
		item: 21,
		name: 'each product claims what it is, and what it lacks is neither used nor listened to',
		lines: ['memory', 'pty', 'tcp'],
		async run(bench, make) {
			for (const { name, keypad, led, buzzer } of OSDP_PRODUCTS) {
				await onStage(
					bench,
					() => make(name),
					{},
					async (stage) => {
						const { emulator, reader } = stage
						await stage.up()
						assert.deepEqual([reader.caps.keypad, reader.caps.led, reader.caps.buzzer], [keypad, led, buzzer], name)
						emulator.keys('12#')
						await reader.signal?.('granted')
						await oneCard(stage)
						const used = (code: number) => (emulator.commands().get(code) ?? 0) > 0
						assert.deepEqual([stage.count('keys') > 0, used(COMMAND.led), used(COMMAND.buzzer)], [keypad, led, buzzer], name)
					},
				)
			}
		},
	},
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
		lines: ['memory'],
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
