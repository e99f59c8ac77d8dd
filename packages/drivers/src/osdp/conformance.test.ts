import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fakeClock, seededRandom, virtualClock } from '@latchwork/core/base'
import { type Attach, type EmulatedLine, listenTcp, memoryPipe, openPty, openTransport } from '../transport/index.ts'
import { type ReaderBench, readerChecks } from './conformance.ts'
import { osdpReader } from './driver.ts'

/** Everything in memory, time stands still until it is moved. */
function memoryBench(): ReaderBench & { pending(): number } {
	const time = fakeClock()
	return {
		clock: { ...time, random: seededRandom(11) },
		async open(attach) {
			const pipe = memoryPipe()
			const detach = attach(pipe.wire)
			return { io: pipe.transport, cut: pipe.cut, restore: pipe.restore, close: async () => detach() }
		},
		async until(holds, limitMs) {
			for (let passed = 0; passed < limitMs && !holds(); passed += 10) await time.advance(10)
			return holds()
		},
		pass: (ms) => time.advance(ms),
		pending: time.pending,
	}
}

/**
 * Real bytes through the system. Time is moved in steps, and only while no byte is under way, so that a busy machine makes
 * these checks slower and not red.
 */
function systemBench(listen: (attach: Attach) => Promise<EmulatedLine>): ReaderBench & { stop(): void } {
	let file = { turn: 0, offsetMs: 0 }
	const real = { now: () => Date.now(), mono: () => performance.now(), after: timer }
	const read = () => file
	const time = virtualClock(real, read, () => {}, 1)
	const clock = { mono: time.mono, after: time.after, random: seededRandom(12) }
	const underway = { toHardware: 0, toDriver: 0 }
	const lost = () => Object.assign(underway, { toHardware: 0, toDriver: 0 })

	const step = async (skipMs: number) => {
		file = { turn: file.turn + 1, offsetMs: file.offsetMs + skipMs }
		await breath()
		// Bounded: what a cut took along never arrives.
		for (let i = 0; i < 200 && (underway.toDriver > 0 || underway.toHardware > 0); i++) await breath()
	}
	const counted =
		(attach: Attach): Attach =>
		(wire) => {
			lost()
			return attach({
				write(bytes) {
					underway.toDriver += bytes.length
					wire.write(bytes)
				},
				onData: (listener) =>
					wire.onData((bytes) => {
						underway.toHardware -= bytes.length
						listener(bytes)
					}),
			})
		}
	return {
		clock,
		async open(attach) {
			const line = await listen(counted(attach))
			const io = await openTransport(line.address, clock)
			io.onState(lost)
			io.onData((bytes) => {
				underway.toDriver -= bytes.length
			})
			const write = (bytes: Uint8Array) => {
				underway.toHardware += bytes.length
				return io.write(bytes).catch((fault: unknown) => {
					underway.toHardware -= bytes.length
					throw fault
				})
			}
			const close = async () => {
				await io.close()
				await line.close()
			}
			return { io: { ...io, write }, cut: () => line.cut().finally(lost), restore: line.restore, close }
		},
		async until(holds, limitMs) {
			for (const end = time.mono() + limitMs; time.mono() < end && !holds(); ) await step(10)
			return holds()
		},
		async pass(ms) {
			for (const end = time.mono() + ms; time.mono() < end; ) await step(Math.min(50, Math.max(0, end - time.mono())))
		},
		stop: time.stop,
	}
}
const breath = () => new Promise((resolve) => setTimeout(resolve, 1))
function timer(ms: number, run: () => void): () => void {
	const id = setTimeout(run, ms)
	return () => clearTimeout(id)
}

for (const check of readerChecks) {
	test(`memory · ${check.item} · ${check.name}`, async () => {
		const bench = memoryBench()
		await check.run(bench, osdpReader)
		assert.equal(bench.pending(), 0, 'no timer is left')
	})
}

for (const [name, listen] of [
	['tcp', listenTcp],
	['pty', openPty],
] as const) {
	const bench = systemBench((attach) => listen(attach))
	after(bench.stop)
	for (const check of readerChecks.filter(({ long }) => !long)) test(`${name} · ${check.item} · ${check.name}`, () => check.run(bench, osdpReader))
}
