import { fakeClock, seededRandom, virtualClock } from '@latchwork/core/base'
import type { Reader } from '../reader.ts'
import {
	type Attach,
	type DriverClock,
	type EmulatedLine,
	listenTcp,
	memoryPipe,
	openPty,
	openTransport,
	type Transport,
} from '../transport/index.ts'
import type { LineKind } from './bench.ts'

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
	readonly lines: readonly LineKind[]
	run(bench: ReaderBench, make: MakeReader): Promise<void>
}

/** A fresh driver; without a product, of the family's first. */
export type MakeReader = (product?: string) => Reader

interface RunningBench extends ReaderBench {
	/** Timers that have not fired; memory only. */
	pending(): number
	stop(): void
}

export function createReaderBench(kind: LineKind, realClock: DriverClock): RunningBench {
	if (kind === 'memory') return memoryBench()
	return systemBench(kind === 'pty' ? openPty : (attach) => listenTcp(attach), realClock)
}

/** Everything in memory, time stands still until it is moved. */
function memoryBench(): RunningBench {
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
		stop() {},
	}
}

/**
 * Real bytes through the system. Time is moved in steps, and only while no byte is under way, so that a busy machine makes
 * these checks slower and not red.
 */
function systemBench(listen: (attach: Attach) => Promise<EmulatedLine>, realClock: DriverClock): RunningBench {
	let file = { turn: 0, offsetMs: 0 }
	const read = () => file
	const time = virtualClock({ ...realClock, now: realClock.mono }, read, () => {}, 1)
	const clock = { mono: time.mono, after: time.after, random: seededRandom(12) }
	const underway = { toHardware: 0, toDriver: 0 }
	const lost = () => Object.assign(underway, { toHardware: 0, toDriver: 0 })

	const breath = () => new Promise<void>((resolve) => void realClock.after(1, resolve))
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
		pending: () => 0,
		stop: time.stop,
	}
}
