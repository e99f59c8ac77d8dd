import assert from 'node:assert/strict'
import { fromHex, isFault, seededRandom, toHex } from '@latchwork/core/base'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { forceOpen, protocolCodes, refAt } from './see.ts'

const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))

/** The driver still hears the boards: a door that is forced now is reported. */
async function stillHears(bench: Bench): Promise<void> {
	await forceOpen(bench, 0, 0)
	bench.cabinets[0]?.setDoor(0, 'closed')
	await bench.until('the door is reported shut', () =>
		bench.events.some(({ fact }) => fact.kind === 'door' && !fact.initial && fact.value === 'closed'),
	)
}

export const FRAME_CHECKS: readonly Check[] = [
	{
		item: 1,
		name: 'golden vectors encode and decode byte for byte',
		lines: ['memory'],
		async run({ family }) {
			assert.ok(family.vectors.length > 0)
			for (const { name, hex, encoded, means } of family.vectors) {
				assert.equal(toHex(encoded), toHex(fromHex(hex)), `encoding: ${name}`)
				assert.deepEqual(family.decode(fromHex(hex)), means, `decoding: ${name}`)
			}
			return undefined
		},
	},
	{
		item: 2,
		name: 'an answer cut into single bytes is one answer',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			bench.tap.answer = (bytes, send) => {
				for (const byte of bytes) send(Uint8Array.of(byte))
			}
			await bench.start()
			await stillHears(bench)
			assert.deepEqual(protocolCodes(bench), [])
			return undefined
		},
	},
	{
		item: 2,
		name: 'two answers in one chunk: the first counts, the second is counted as surplus',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			bench.tap.answer = (bytes, send) => send(join(bytes, bytes))
			await bench.start()
			await stillHears(bench)
			assert.ok(protocolCodes(bench).includes('late'), 'the surplus answer must be reported')
			return undefined
		},
	},
	{
		item: 3,
		name: 'rubbish before an answer, and half an answer before a whole one',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			bench.tap.answer = (bytes, send) => send(join(Uint8Array.of(0xff, 0x00, bytes[0] ?? 0), bytes))
			await bench.start()
			await stillHears(bench)
			bench.tap.answer = (bytes, send) => {
				send(bytes.slice(0, bytes.length >> 1))
				send(bytes)
			}
			const resyncs = bench.board.stats().resyncs
			await bench.exchanges(3)
			await forceOpen(bench, 0, 1)
			assert.ok(bench.board.stats().resyncs > resyncs, 'what was thrown away must be counted')
			assert.ok(protocolCodes(bench).includes('framing'))
			return undefined
		},
	},
	{
		item: 3,
		name: 'a bus that echoes the controller changes nothing',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			bench.emulator.setFaults(0, { echo: true })
			await bench.start()
			await stillHears(bench)
			const result = await bench.outcome(bench.board.open({ id: 'echo', ref: refAt(bench, 0, 0), notAfter: bench.clock.mono() + 60_000 }))
			assert.equal(result.sent, true)
			await bench.exchanges(2)
			assert.equal(bench.cabinets[0]?.pulses(0), 1)
			if (bench.kind === 'memory')
				assert.deepEqual([protocolCodes(bench), bench.board.stats().badFrames], [['echo'], 0], 'told once, and no bad frame')
			return undefined
		},
	},
	...(['check byte', 'tail', 'address', 'function'] as const).map(
		(place): Check => ({
			item: 4,
			name: `a wrong ${place} is rejected and counted, and changes no state`,
			lines: ['memory', 'pty', 'tcp'],
			async run(lab) {
				const damage = lab.family.damage[place]
				if (typeof damage !== 'function') return damage.notApplicable
				const bench = await lab.bench()
				await bench.start()
				const before = bench.events.length
				const bad = () => bench.board.stats().badFrames + bench.board.stats().resyncs
				const badBefore = bad()
				bench.tap.answer = (bytes, send) => send(damage(bytes))
				bench.cabinets[0]?.setDoor(0, 'open')
				await bench.exchanges(2)
				const facts = bench.events.slice(before).map(({ fact }) => fact)
				assert.deepEqual(
					facts.filter(({ kind }) => kind !== 'protocol'),
					[],
				)
				assert.ok(bad() > badBefore, 'the bad frame must be counted')
				assert.ok(facts.length > 0, 'the bad frame must be reported')
				bench.tap.clear()
				await bench.until('the door is reported open by the first good answers', () =>
					bench.events.some(({ fact }) => fact.kind === 'door' && fact.value === 'open' && fact.ref.channel === 0 && !fact.initial),
				)
				return undefined
			},
		}),
	),
	{
		item: 5,
		name: 'a silent board times out within a limit, and the next command works',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			bench.emulator.setFaults(0, { silent: true })
			const asked = bench.clock.mono()
			await assert.rejects(bench.outcome(bench.board.read(0)), (error) => isFault(error, 'board-timeout'))
			if (bench.kind === 'memory') assert.ok(bench.clock.mono() - asked <= 3000, 'a read may take 3 s at most')
			assert.ok(bench.board.stats().timeouts > 0)
			bench.emulator.setFaults(0, {})
			const result = await bench.outcome(bench.board.open({ id: 'after', ref: refAt(bench, 0, 2), notAfter: bench.clock.mono() + 60_000 }))
			assert.equal(result.sent, true)
			await bench.until('the door opens', () => bench.cabinets[0]?.door(2) === 'open')
			assert.equal((await bench.outcome(bench.board.read(0))).door[2], 'open')
			return undefined
		},
	},
	{
		item: 6,
		name: 'the late answer of a timed-out question does not answer the next',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const held: Uint8Array[] = []
			bench.tap.answer = (bytes) => void held.push(bytes)
			await bench.until('an answer is held back', () => held.length === 1)
			const timeouts = bench.board.stats().timeouts
			await bench.until('its question times out', () => bench.board.stats().timeouts > timeouts)
			// The truth changes, and the old answer arrives just before the true one.
			bench.cabinets[0]?.setDoor(0, 'open')
			let replayed = false
			bench.tap.answer = (bytes, send) => {
				if (!replayed && held[0]) send(held[0])
				bench.clock.after(replayed ? 0 : 30, () => send(bytes))
				replayed = true
			}
			const reading = await bench.outcome(bench.board.read(0))
			assert.ok(replayed)
			assert.equal(reading.door[0], 'open', 'the read must not report the state before it was asked')
			return undefined
		},
	},
	{
		item: 6,
		name: 'the late answer of a timed-out question does not acknowledge an open command',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			bench.emulator.setFaults(0, { noOpenAnswer: true })
			const held: Uint8Array[] = []
			bench.tap.answer = (bytes) => void held.push(bytes)
			const timeouts = bench.board.stats().timeouts
			await bench.until('a question times out', () => held.length > 0 && bench.board.stats().timeouts > timeouts)
			bench.tap.command = (bytes, deliver) => {
				if (lab.family.releases(bytes) > 0 && held[0]) bench.tap.inject(held[0])
				deliver(bytes)
			}
			const result = await bench.outcome(bench.board.open({ id: 'late', ref: refAt(bench, 0, 0), notAfter: bench.clock.mono() + 5000 }))
			assert.deepEqual({ sent: result.sent, ack: result.ack }, { sent: true, ack: 'none' })
			return undefined
		},
	},
	{
		item: 7,
		name: 'a frame that nobody asked for, between question and answer, disturbs neither',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const stranger = lab.family.damage.address
			if (typeof stranger !== 'function') return stranger.notApplicable
			const bench = await lab.bench()
			bench.tap.answer = (bytes, send) => {
				send(stranger(bytes))
				send(bytes)
			}
			await bench.start()
			await stillHears(bench)
			assert.ok(protocolCodes(bench).includes('address'))
			assert.equal(bench.caps.push, false, 'a family that pushes needs its own check here')
			return undefined
		},
	},
	{
		item: 19,
		name: '10,000 random byte strings into the parser: no throw, bounded buffer, and it still finds the next frame',
		lines: ['memory'],
		async run({ family }) {
			const random = seededRandom(19)
			const parser = family.parser()
			const vectors = family.vectors.map(({ hex }) => fromHex(hex))
			for (let i = 0; i < 10_000; i++) {
				const [length = 0, which = 0, where = 0, flip = 0] = random(4)
				// One in two is a real frame with one changed byte: pure noise seldom gets past the first byte.
				const vector = vectors[which % vectors.length]?.map((byte, at) => (at === where % 9 ? byte ^ flip : byte))
				parser.push(length % 2 === 0 && vector ? vector : random(length))
				assert.ok(parser.held() < parser.longest, `holds ${parser.held()} bytes`)
			}
			for (const { name, means } of family.vectors) {
				const fresh = family.parser()
				fresh.push(random(200))
				const found = [...vectors, ...vectors, ...vectors].flatMap((vector) => fresh.push(vector))
				assert.ok(found.length >= vectors.length, `frames after noise: ${name} ${JSON.stringify(means)}`)
			}
			return undefined
		},
	},
]
