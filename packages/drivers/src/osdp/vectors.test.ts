import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '@latchwork/core/base'
import { checksum, crc16, decodePacket, encodePacket } from './codec.ts'
import {
	askCapabilities,
	askId,
	askInputs,
	askLocalStatus,
	askOutputs,
	buzzer,
	comset,
	keyset,
	led,
	type Message,
	output,
	poll,
	readCapabilities,
	readFact,
	text,
} from './messages.ts'
import { cpCryptogram, initialMac, pdCryptogram, secureChannel, sessionKeys } from './secure-channel.ts'
import { type CpSession, cpSession, handshake, type Verdict } from './session.ts'
import { annexE, recorded } from './vectors.ts'

const UNKNOWN: Message = { code: 0x5f, data: new Uint8Array(0) }
const BLINKING = led({
	temporary: { on: 5, off: 5, onColour: 'green', offColour: 'red', timer: 20 },
	permanent: { on: 0, off: 0, onColour: 'red', offColour: 'red' },
})
const ORDER: readonly Message[] = [askLocalStatus(), BLINKING, buzzer(2, 2, 3), text('HELLO'), output(0, 5, 50)]

/** What the reports of both recordings mean. Of the card's last byte two bits count. */
const FACTS = [
	{ kind: 'status', tamper: false, powerFailed: false },
	{ kind: 'card', format: 1, bitCount: 26, bits: fromHex('a1b2c3c0') },
	{ kind: 'keys', keys: '1234#' },
	{ kind: 'status', tamper: true, powerFailed: false },
]

const received = (bytes: Uint8Array) => {
	const packet = decodePacket(bytes)
	assert.ok(packet, `not a packet: ${toHex(bytes)}`)
	return packet
}

/** Sends `message` through the session, compares the bytes with the recording, and returns what the session makes of the answer. */
function step(session: CpSession, message: Message, exchange: { command: Uint8Array; answer: Uint8Array } | undefined): Verdict {
	assert.ok(exchange)
	assert.equal(toHex(session.command(message)), toHex(exchange.command))
	return session.judge(received(exchange.answer))
}

test('check bytes of Annex E', () => {
	for (const { name, bytes, gives } of annexE()) {
		if (name === 'crc') assert.equal(crc16(bytes), (gives[0] ?? 0) + 256 * (gives[1] ?? 0))
		if (name === 'sum') assert.equal(checksum(bytes), gives[0])
	}
	assert.equal(received(fromHex('5300080000610044')).check, 'sum')
})

test('commands of Annex E, and those that carry nothing', () => {
	const sent = (address: number, message: Message) => toHex(encodePacket({ address, answer: false, sequence: 0, ...message }))
	assert.equal(sent(0x7f, comset(0, 9600)), '537f0d00046e00802500006e38')
	assert.equal(sent(0, askId()), '53000900046100c066')
	assert.deepEqual(
		[askLocalStatus(), askInputs(), askOutputs()].map(({ code, data }) => [code, data.length]),
		[
			[0x64, 0],
			[0x65, 0],
			[0x66, 0],
		],
	)
})

test('keys, cryptograms and first MAC of Annex E', () => {
	const vector = new Map(annexE().map(({ name, bytes }) => [name, bytes]))
	const of = (name: string) => vector.get(name) ?? assert.fail(name)
	const [cpRandom, pdRandom] = [of('cp-random'), of('pd-random')]
	const keys = sessionKeys(of('key'), cpRandom)
	assert.deepEqual(keys, { encryption: of('enc'), mac1: of('mac1'), mac2: of('mac2') })
	assert.deepEqual(pdCryptogram(keys, cpRandom, pdRandom), of('pd-proof'))
	const proof = cpCryptogram(keys, cpRandom, pdRandom)
	assert.deepEqual(proof, of('cp-proof'))
	assert.deepEqual(initialMac(keys, proof), of('first-mac'))
})

test('the recorded plain session, byte for byte', () => {
	const tape = recorded('plain')
	const commands = [poll(), askId(), askCapabilities(), poll(), ...ORDER, poll(), poll(), poll(), UNKNOWN]
	assert.equal(tape.length, commands.length)
	const session = cpSession(1)
	const answers = commands.map((message, i) => {
		const verdict = step(session, message, tape[i])
		assert.ok(verdict.kind === 'answer')
		return verdict
	})
	assert.deepEqual(
		answers.map(({ code }) => code),
		[0x40, 0x45, 0x46, 0x40, 0x48, 0x40, 0x40, 0x40, 0x40, 0x50, 0x53, 0x48, 0x41],
	)
	assert.deepEqual(answers.map(({ code, data }) => readFact(code, data)).filter(Boolean), FACTS)
	assert.deepEqual(readCapabilities(answers[2]?.data ?? new Uint8Array(0)).get(9), { compliance: 1, count: 0 })
	assert.deepEqual(answers.at(-1)?.data, Uint8Array.of(3))
})

test('the recorded secure session, byte for byte', () => {
	const tape = recorded('secure')
	const key = Uint8Array.from({ length: 16 }, (_, i) => i)
	const session = cpSession(1)
	// POLL, ID and CAP went before, in clear, as in the plain recording.
	for (const [i, message] of [poll(), askId(), askCapabilities()].entries()) step(session, message, recorded('plain')[i])

	const dialogue = handshake(key, fromHex('b0b1b2b3b4b5b6b7'))
	let now = dialogue.next()
	let at = 0
	while (!now.done) now = dialogue.next(step(session, now.value, tape[at++]))
	assert.ok(now.value.kind === 'secure')
	session.secure(now.value.channel)

	const newKey = Uint8Array.from({ length: 16 }, (_, i) => 0x11 * i)
	const verdicts = [poll(), ...ORDER, poll(), poll(), poll(), keyset(newKey)].map((message) => step(session, message, tape[at++]))
	const answers = verdicts.map((verdict) => (verdict.kind === 'answer' ? verdict : assert.fail(verdict.kind)))
	assert.deepEqual(
		answers.map(({ code }) => code),
		[0x40, 0x48, 0x40, 0x40, 0x40, 0x40, 0x50, 0x53, 0x48, 0x40],
	)
	assert.deepEqual(answers.map(({ code, data }) => readFact(code, data)).filter(Boolean), FACTS)
	// After KEYSET the reader has dropped the channel and says so in clear.
	assert.deepEqual(step(session, UNKNOWN, tape[at++]), { kind: 'lost' })
	assert.equal(at, tape.length)
})

test('the reader side makes the recorded answers from the same MACs', () => {
	const tape = recorded('secure')
	const key = Uint8Array.from({ length: 16 }, (_, i) => i)
	const cpRandom = fromHex('b0b1b2b3b4b5b6b7')
	const pdRandom = received(tape[0]?.answer ?? new Uint8Array(0)).data.slice(8, 16)
	const keys = sessionKeys(key, cpRandom)
	const reader = secureChannel('pd', keys, initialMac(keys, cpCryptogram(keys, cpRandom, pdRandom)))
	const controller = secureChannel('cp', keys, initialMac(keys, cpCryptogram(keys, cpRandom, pdRandom)))
	for (const { command, answer } of tape.slice(2, -1)) {
		const asked = received(command)
		const data = reader.open(asked)
		assert.ok(data, 'the command opens at the reader')
		const { address, sequence, code } = asked
		assert.equal(toHex(controller.seal({ address, answer: false, sequence, code, data })), toHex(command))
		const said = received(answer)
		const clear = controller.open(said)
		assert.ok(clear, 'the answer opens at the controller')
		assert.equal(toHex(reader.seal({ address, answer: true, sequence: said.sequence, code: said.code, data: clear })), toHex(answer))
	}
})

test('every recorded packet encodes to itself', () => {
	for (const { command, answer } of [...recorded('plain'), ...recorded('secure')]) {
		for (const bytes of [command, answer]) {
			const packet = received(bytes)
			assert.equal(toHex(encodePacket(packet, () => packet.mac ?? assert.fail('signed without a MAC'))), toHex(bytes))
		}
	}
})
