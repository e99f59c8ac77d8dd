import { fakeClock, seededRandom } from '@latchwork/core/base'
import type { Board, BoardCaps, BoardEvent, BoardProfile } from '../board.ts'
import {
	type Attach,
	type DriverClock,
	type EmulatorWire,
	listenTcp,
	memoryPipe,
	openPty,
	openTransport,
	type Transport,
	type TransportAddress,
} from '../transport/index.ts'
import { createCabinet } from './cabinet.ts'
import type { BoardEmulator, BoardEmulatorMaker, Cabinet } from './emulator.ts'

export type LineKind = 'memory' | 'pty' | 'tcp'
export type Wiring = Pick<BoardProfile, 'polarity' | 'statusOrder'>

/** What a family says about the list where a check says nothing. Each a sentence that a person can judge. */
export interface Reasons {
	/** Why an item does not concern this family. */
	readonly notApplicable: Readonly<Record<number, string>>
	/** Why an item is tried in memory alone, and not over a pseudo-terminal and TCP. */
	readonly memoryOnly: Readonly<Record<number, string>>
}

/** What the suite must know of a family to test its driver on real frames. */
export interface BoardFamily {
	readonly family: string
	/** Products that the suite drives, each through the whole list; the first is the one with the most channels. */
	readonly products: readonly [string, ...string[]]
	readonly reasons: Reasons
	create(product: string): Board
	readonly emulator: BoardEmulatorMaker
	/** Every combination of polarity and order that sources report. */
	readonly wirings: readonly Wiring[]
	/** Golden vectors from the document: both directions must hold. */
	readonly vectors: readonly { readonly name: string; readonly hex: string; readonly encoded: Uint8Array; readonly means: unknown }[]
	decode(bytes: Uint8Array): unknown
	parser(): { push(bytes: Uint8Array): readonly unknown[]; held(): number; readonly longest: number }
	/** How many release commands are in these bytes of the controller. */
	releases(bytes: Uint8Array): number
	/** Wrong in one place only; where the place is not the check byte itself, the check byte fits. */
	readonly damage: Readonly<
		Record<'check byte' | 'tail' | 'address' | 'function', ((answer: Uint8Array) => Uint8Array) | { readonly notApplicable: string }>
	>
	/** Two damaged bytes that turn a status answer into a valid one about another state; undefined where the check catches all such pairs. */
	readonly forge?: (answer: Uint8Array) => Uint8Array
	/** Two damaged bytes that turn a release into a valid one for another channel; undefined where the check catches all such pairs. */
	readonly misdirect?: (release: Uint8Array) => Uint8Array
}

/** A wire tap between emulator and line: sees everything, may change, hold or add. */
export interface Tap {
	readonly attach: Attach
	readonly commands: { readonly mono: number; readonly bytes: Uint8Array }[]
	answers: number
	/** How an answer goes on its way; default: as it is. */
	answer: (bytes: Uint8Array, send: (bytes: Uint8Array) => void) => void
	command: (bytes: Uint8Array, deliver: (bytes: Uint8Array) => void) => void
	/** Puts bytes on the wire towards the driver. */
	inject(bytes: Uint8Array): void
	/** Back to passing everything on. */
	clear(): void
	releases(): number
}

export interface Bench {
	readonly kind: LineKind
	readonly family: BoardFamily
	readonly board: Board
	readonly caps: BoardCaps
	readonly bus: string
	/** Where the boards hang; not in memory. */
	readonly address: TransportAddress | undefined
	readonly emulator: BoardEmulator
	/** The cabinet of each board, by address from 0. */
	readonly cabinets: readonly Cabinet[]
	readonly tap: Tap
	readonly clock: DriverClock
	readonly events: BoardEvent[]
	/** Starts the driver; waits until every sensor of every board is known, unless `absent`. */
	start(options?: { absent?: boolean; profile?: Partial<BoardProfile> }): Promise<void>
	/** Waits for a condition that follows from events, traffic or the cabinet; in memory the clock is moved meanwhile. */
	until(what: string, condition: () => boolean, withinMs?: number): Promise<void>
	/** The result of a promise; in memory the clock is moved until it has one. */
	outcome<T>(promise: Promise<T>): Promise<T>
	/** Lets the driver ask at least `count` more times. */
	exchanges(count: number): Promise<void>
	/** Moves the fake clock; memory only. */
	advance(ms: number): Promise<void>
	/** Timers of the fake clock that have not fired; memory only. */
	pending(): number
	cut(): Promise<void>
	restore(): Promise<void>
	close(): Promise<void>
}

export interface BenchOptions {
	readonly boards?: number
	/** The family's first, if left out. */
	readonly product?: string
	/** The driver runs in another process, which opens the line. */
	readonly elsewhere?: boolean
	readonly wiring?: Wiring
	/** The line is down when the driver starts. */
	readonly unplugged?: boolean
	readonly seed?: number
}

const STEP_MS = 10
const WITHIN_MS = 20_000

interface Line {
	cut(): Promise<void>
	restore(): Promise<void>
	close(): Promise<void>
}

/** One bus with its driver at one end and emulated boards with a cabinet each at the other. */
export async function createBench(family: BoardFamily, kind: LineKind, realClock: DriverClock, options: BenchOptions = {}): Promise<Bench> {
	const fake = fakeClock()
	const random = seededRandom(options.seed ?? 1)
	const clock: DriverClock = kind === 'memory' ? { mono: fake.mono, after: fake.after, random } : { ...realClock, random }
	const product = options.product ?? family.products[0]
	const board = family.create(product)
	const addresses = Array.from({ length: options.boards ?? 1 }, (_, address) => address)
	const cabinets = addresses.map(() => createCabinet({ compartments: board.caps.channels, clock, random }))
	const emulator = family.emulator({
		boards: cabinets.map((cabinet, address) => ({ board: address, cabinet })),
		clock,
		...(options.wiring ? { wiring: options.wiring } : {}),
	})
	const watchers = new Set<() => void>()
	const changed = () => {
		for (const watcher of [...watchers]) watcher()
	}
	for (const cabinet of cabinets) cabinet.onChange(changed)
	const tap = createTap(emulator.attach, family, clock, changed)
	const { line, io, address } = await openLine(kind, tap.attach, clock, options)
	const events: BoardEvent[] = []

	const until: Bench['until'] = async (what, condition, withinMs = WITHIN_MS) => {
		if (kind === 'memory') {
			for (let passed = 0; passed <= withinMs; passed += STEP_MS) {
				await fake.advance(passed === 0 ? 0 : STEP_MS)
				if (condition()) return
			}
			throw new Error(`not seen within ${withinMs} ms: ${what}`)
		}
		await eventually(what, condition, { watchers, clock, withinMs })
	}

	const bench: Bench = {
		kind,
		family,
		board,
		caps: board.caps,
		bus: 'bus-a',
		address,
		emulator,
		cabinets,
		tap,
		clock,
		events,
		async start({ absent = false, profile = {} } = {}) {
			// On a real line every wait costs real time; how fast the driver polls is tried in memory.
			const polls = kind === 'memory' ? {} : { pollIdleMs: 20, pollBusyMs: 10 }
			const full: BoardProfile = { bus: bench.bus, boards: addresses, product, ...options.wiring, ...polls, ...profile }
			if (!io) throw new Error('this bench has its driver in another process')
			await board.start(io, full, clock, (event) => {
				events.push(event)
				changed()
			})
			const sensors = addresses.length * board.caps.channels * ((board.caps.doorSense === 'none' ? 0 : 1) + (board.caps.presence ? 1 : 0))
			const known = () => events.filter(({ fact }) => 'initial' in fact && fact.initial).length
			if (!absent) await until('the first state of every sensor', () => known() >= sensors)
		},
		until,
		async outcome(promise) {
			let settled = false
			const done = () => {
				settled = true
				changed()
			}
			promise.then(done, done)
			await until('the outcome of a call', () => settled, 60_000)
			return promise
		},
		async exchanges(count) {
			const target = tap.commands.length + count
			await until(`${count} more questions on the bus`, () => tap.commands.length >= target)
		},
		advance: (ms) => fake.advance(ms),
		pending: () => fake.pending(),
		cut: () => line.cut(),
		restore: () => line.restore(),
		async close() {
			await board.stop()
			await io?.close()
			await line.close()
		},
	}
	return bench
}

async function openLine(
	kind: LineKind,
	attach: Attach,
	clock: DriverClock,
	{ unplugged = false, elsewhere = false }: BenchOptions,
): Promise<{ line: Line; io?: Transport; address?: TransportAddress }> {
	if (kind === 'memory') {
		const pipe = memoryPipe()
		const detach = attach(pipe.wire)
		if (unplugged) pipe.cut()
		const line = { cut: async () => pipe.cut(), restore: async () => pipe.restore(), close: async () => detach() }
		return { line, io: pipe.transport }
	}
	const line = await (kind === 'pty' ? openPty(attach) : listenTcp(attach))
	if (unplugged) await line.cut()
	return { line, address: line.address, ...(!elsewhere && { io: await openTransport(line.address, clock) }) }
}

/** Looks again whenever something happened; the deadline only ends a test that would fail anyway. */
function eventually(
	what: string,
	condition: () => boolean,
	{ watchers, clock, withinMs }: { watchers: Set<() => void>; clock: DriverClock; withinMs: number },
): Promise<void> {
	if (condition()) return Promise.resolve()
	return new Promise((resolve, reject) => {
		const end = () => {
			watchers.delete(look)
			cancel()
		}
		const look = () => {
			if (!condition()) return
			end()
			resolve()
		}
		const cancel = clock.after(withinMs, () => {
			end()
			reject(new Error(`not seen within ${withinMs} ms: ${what}`))
		})
		watchers.add(look)
	})
}

function createTap(attach: Attach, family: BoardFamily, clock: DriverClock, changed: () => void): Tap {
	const wires = new Set<EmulatorWire>()
	const straight = (bytes: Uint8Array, pass: (bytes: Uint8Array) => void) => pass(bytes)
	let releases = 0
	const tap: Tap = {
		commands: [],
		answers: 0,
		answer: straight,
		command: straight,
		attach(wire) {
			wires.add(wire)
			const detach = attach({
				write(bytes) {
					tap.answers++
					tap.answer(bytes, (changedBytes) => wire.write(changedBytes))
					changed()
				},
				onData: (listener) =>
					wire.onData((bytes) => {
						releases += family.releases(bytes)
						tap.commands.push({ mono: clock.mono(), bytes: bytes.slice() })
						tap.command(bytes, listener)
						changed()
					}),
			})
			return () => {
				wires.delete(wire)
				detach()
			}
		},
		inject(bytes) {
			for (const wire of wires) wire.write(bytes)
		},
		clear() {
			tap.answer = straight
			tap.command = straight
		},
		releases: () => releases,
	}
	return tap
}
