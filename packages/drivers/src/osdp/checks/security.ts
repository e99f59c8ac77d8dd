import assert from 'node:assert/strict'
import { fromHex, toHex } from '@latchwork/core/base'
import type { ReaderCheck } from '../../testing/reader-bench.ts'
import { encodePacket } from '../codec.ts'
import { ANSWER } from '../messages.ts'
import { ADDRESS, CARD, check, decoded, flipped, forged, isReport, KEY, OTHER_KEY, oneCard, type Stage, settled } from './stage.ts'

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

export const SECURITY_CHECKS: readonly ReaderCheck[] = [
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
