import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '@latchwork/core/base'
import { decodePacket, encodePacket, type Packet } from './codec.ts'
import { ANSWER, type Message, NAK, poll } from './messages.ts'
import { cpCryptogram, DEFAULT_KEY, decryptData, encryptData, initialMac, pdCryptogram, secureChannel, sessionKeys } from './secure-channel.ts'
import { cpSession, type Handshake, handshake, type Verdict } from './session.ts'

const KEY = fromHex('5d1c9e07b3a84f62d0e1738c2b96fa45')
const RANDOM = fromHex('b0b1b2b3b4b5b6b7')
const NOTHING: Uint8Array = new Uint8Array(0)
const received = (bytes: Uint8Array) => decodePacket(bytes) ?? assert.fail('not a packet')
const plain = (sequence: number, code: number, data = NOTHING, address = 1) => received(encodePacket({ address, answer: true, sequence, code, data }))

/** A session whose channel is up, and the reader's end of the same channel. */
function secured() {
	const keys = sessionKeys(KEY, RANDOM)
	const mac = initialMac(keys, cpCryptogram(keys, RANDOM, RANDOM))
	const session = cpSession(1)
	const reader = secureChannel('pd', keys, mac)
	session.command(poll())
	session.judge(plain(0, ANSWER.ack))
	session.secure(secureChannel('cp', keys, mac))
	/** One poll and the reader's sealed answer to it, not yet judged. */
	const exchange = (code: number = ANSWER.ack, data: Uint8Array = NOTHING) => {
		const asked = received(session.command(poll()))
		assert.ok(reader.open(asked))
		const packet: Packet = { address: 1, answer: true, sequence: asked.sequence, code, data }
		return received(reader.seal(packet))
	}
	return { session, exchange }
}

test('numbers: 0 for a fresh start, then 1, 2, 3, 1; a repeat keeps number and bytes', () => {
	const session = cpSession(1)
	const numbers = Array.from({ length: 6 }, () => received(session.command(poll())).sequence)
	assert.deepEqual(numbers, [0, 1, 2, 3, 1, 2])
	const once = session.command(poll())
	assert.deepEqual(session.again(), once)
	session.restart()
	assert.equal(received(session.command(poll())).sequence, 0)
})

test('what is heard in clear before a channel', () => {
	const cases: [string, Verdict['kind'], () => ReturnType<typeof plain>][] = [
		['an answer', 'answer', () => plain(0, ANSWER.ack)],
		['busy, which carries number 0', 'repeat', () => plain(0, ANSWER.busy)],
		['our packet came damaged', 'repeat', () => plain(0, ANSWER.nak, Uint8Array.of(NAK.check))],
		['our packet came short', 'repeat', () => plain(0, ANSWER.nak, Uint8Array.of(NAK.length))],
		['the reader counts otherwise', 'lost', () => plain(0, ANSWER.nak, Uint8Array.of(NAK.sequence))],
		['an unknown command', 'answer', () => plain(0, ANSWER.nak, Uint8Array.of(NAK.unknownCommand))],
		['another reader', 'ignored', () => plain(0, ANSWER.ack, NOTHING, 2)],
		['another number', 'ignored', () => plain(2, ANSWER.ack)],
		['our echo', 'ignored', () => received(encodePacket({ address: 1, answer: false, sequence: 0, code: 0x60, data: NOTHING }))],
		['the eight-bit check', 'ignored', () => ({ ...plain(0, ANSWER.ack), check: 'sum' })],
	]
	for (const [what, kind, packet] of cases) {
		const session = cpSession(1)
		session.command(poll())
		assert.equal(session.judge(packet()).kind, kind, what)
	}
})

test('what is heard in clear inside a channel is "again", "lost" or an alarm, never an answer', () => {
	const cases: [string, Verdict, number, Uint8Array][] = [
		['our packet came damaged', { kind: 'repeat' }, ANSWER.nak, Uint8Array.of(NAK.check)],
		['the session is gone', { kind: 'lost' }, ANSWER.nak, Uint8Array.of(NAK.notSecure)],
		['the reader counts otherwise', { kind: 'lost' }, ANSWER.nak, Uint8Array.of(NAK.sequence)],
		['nothing to report', { kind: 'alarm', code: 'plain-refused' }, ANSWER.ack, NOTHING],
		['a card', { kind: 'alarm', code: 'plain-refused' }, ANSWER.card, fromHex('00011a00a1b2c3c0')],
		['keys', { kind: 'alarm', code: 'plain-refused' }, ANSWER.keys, fromHex('00013123')],
		['a status', { kind: 'alarm', code: 'plain-refused' }, ANSWER.localStatus, fromHex('0100')],
		['a refusal without a reason', { kind: 'alarm', code: 'plain-refused' }, ANSWER.nak, NOTHING],
	]
	for (const [what, verdict, code, data] of cases) {
		const { session, exchange } = secured()
		const { sequence } = exchange()
		assert.deepEqual(session.judge(plain(sequence, code, data)), verdict, what)
	}
})

test('the true answer is still taken after any number of false ones', () => {
	const { session, exchange } = secured()
	const truth = exchange(ANSWER.card, fromHex('00011a00a1b2c3c0'))
	for (let i = 0; i < 100; i++) {
		const mac = Uint8Array.of(i, 1, 2, 3)
		assert.deepEqual(session.judge({ ...truth, mac }), { kind: 'alarm', code: 'mac-mismatch' })
		assert.deepEqual(session.judge({ ...truth, covered: truth.covered.map((byte) => byte ^ (i + 1)) }), { kind: 'alarm', code: 'mac-mismatch' })
	}
	assert.deepEqual(session.judge(truth), { kind: 'answer', code: ANSWER.card, data: fromHex('00011a00a1b2c3c0') })
})

test('an answer counts once: again, three exchanges later, and in another session it is an alarm', () => {
	const { session, exchange } = secured()
	const old = exchange(ANSWER.card, fromHex('00011a00a1b2c3c0'))
	assert.equal(session.judge(old).kind, 'answer')
	assert.deepEqual(session.judge(old), { kind: 'alarm', code: 'replay' }, 'at once')
	for (let i = 0; i < 3; i++) assert.equal(session.judge(exchange()).kind, 'answer')
	exchange()
	assert.deepEqual(session.judge(old), { kind: 'alarm', code: 'replay' }, 'with a number that is in turn or not')
	const another = secured()
	for (let i = 0; i < 2; i++) another.session.judge(another.exchange())
	another.exchange()
	assert.equal(another.session.judge(old).kind, 'alarm')
})

test('a copy that a repeat explains is no alarm, one more is', () => {
	const { session, exchange } = secured()
	const first = exchange()
	session.again()
	session.again()
	assert.equal(session.judge(first).kind, 'answer')
	const second = exchange()
	assert.deepEqual(
		[first, first, first].map((copy) => session.judge(copy).kind),
		['ignored', 'ignored', 'alarm'],
	)
	assert.equal(session.judge(second).kind, 'answer')
})

test('a packet of our own side, played back as an answer, is refused', () => {
	const { session, exchange } = secured()
	const truth = exchange(ANSWER.card, fromHex('00011a00a1b2c3c0'))
	for (const type of [0x15, 0x17]) {
		assert.deepEqual(session.judge({ ...truth, security: { type, data: NOTHING } }), { kind: 'alarm', code: 'mac-mismatch' })
	}
	assert.equal(session.judge(truth).kind, 'answer')
})

test('data of every length survive sealing; damaged padding is refused', () => {
	const keys = sessionKeys(KEY, RANDOM)
	const previous = new Uint8Array(16)
	for (let length = 0; length < 40; length++) {
		const data = Uint8Array.from({ length }, (_, i) => (i % 3 === 0 ? 0 : 0x80))
		const sealed = encryptData(keys, previous, data)
		assert.equal(sealed.length, 16 * Math.ceil((length + 1) / 16))
		assert.deepEqual(decryptData(keys, previous, sealed), data)
	}
	assert.equal(decryptData(keys, previous, NOTHING), undefined)
	assert.equal(decryptData(keys, previous, new Uint8Array(15)), undefined)
	assert.equal(decryptData(keys, previous, new Uint8Array(16)), undefined)
})

/** Plays the reader's part of a handshake; `spoil` changes its answers. */
function shake(
	readerKey: Uint8Array,
	spoil: (step: number, verdict: Verdict) => Verdict | undefined = (_, verdict) => verdict,
): [Handshake, Message[]] {
	const sent: Message[] = []
	const dialogue = handshake(KEY, RANDOM)
	const pdRandom = fromHex('a0a1a2a3a4a5a6a7')
	const keys = sessionKeys(readerKey, RANDOM)
	const proof = cpCryptogram(keys, RANDOM, pdRandom)
	const identity = new Uint8Array(8)
	const answers: Verdict[] = [
		{
			kind: 'answer',
			code: ANSWER.clientCryptogram,
			data: Uint8Array.of(...identity, ...pdRandom, ...pdCryptogram(keys, RANDOM, pdRandom)),
			security: { type: 0x12, data: Uint8Array.of(1) },
		},
		{ kind: 'answer', code: ANSWER.initialMac, data: initialMac(keys, proof), security: { type: 0x14, data: Uint8Array.of(1) } },
	]
	let now = dialogue.next()
	while (!now.done) {
		sent.push(now.value)
		now = dialogue.next(spoil(sent.length - 1, answers[sent.length - 1] ?? assert.fail('one command too many')))
	}
	return [now.value, sent]
}
const changed = (verdict: Verdict, change: Partial<Extract<Verdict, { kind: 'answer' }>>): Verdict => {
	assert.ok(verdict.kind === 'answer')
	return { ...verdict, ...change }
}

test('handshake: a reader that does not prove itself gets no proof of ours', () => {
	assert.equal(shake(KEY)[0].kind, 'secure')
	for (const [key, code] of [
		[fromHex('00'.repeat(16)), 'wrong-key'],
		[DEFAULT_KEY, 'default-key-refused'],
	] as const) {
		const [result, sent] = shake(key)
		assert.deepEqual(result, { kind: 'refused', code })
		assert.equal(sent.length, 1)
	}
})

test('handshake: whatever else comes in between ends without a channel', () => {
	const cases: [string, number, (verdict: Verdict) => Verdict | undefined, Handshake][] = [
		['no answer', 0, () => undefined, { kind: 'lost' }],
		['an alarm', 0, () => ({ kind: 'alarm', code: 'replay' }), { kind: 'lost' }],
		['refused', 0, (v) => changed(v, { code: ANSWER.nak, data: Uint8Array.of(5) }), { kind: 'refused', code: 'no-secure-channel' }],
		['another answer', 0, (v) => changed(v, { code: ANSWER.ack }), { kind: 'lost' }],
		['a short proof', 0, (v) => changed(v, { data: new Uint8Array(31) }), { kind: 'lost' }],
		['a block of another step', 0, (v) => changed(v, { security: { type: 0x14, data: Uint8Array.of(1) } }), { kind: 'lost' }],
		['no answer to our proof', 1, () => undefined, { kind: 'lost' }],
		['our proof refused', 1, (v) => changed(v, { security: { type: 0x14, data: Uint8Array.of(0xff) } }), { kind: 'refused', code: 'wrong-key' }],
		['another first MAC', 1, (v) => changed(v, { data: new Uint8Array(16) }), { kind: 'refused', code: 'wrong-key' }],
		['a refusal instead', 1, (v) => changed(v, { code: ANSWER.nak }), { kind: 'refused', code: 'wrong-key' }],
	]
	for (const [what, at, spoil, expected] of cases) {
		assert.deepEqual(shake(KEY, (step, verdict) => (step === at ? spoil(verdict) : verdict))[0], expected, what)
	}
})
