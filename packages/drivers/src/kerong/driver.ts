import { Fault, sleep } from '@latchwork/core/base'
import type { Board, BoardCaps, BoardEvent, BoardProfile, BoardReading, ChannelRef, OpenCommand, OpenResult } from '../board.ts'
import type { DriverClock, Transport } from '../transport/index.ts'
import { createBoards } from './boards.ts'
import { BOARDS_PER_BUS } from './codec.ts'
import { createExchange, type Exchange } from './exchange.ts'
import { learnWiring } from './learn.ts'
import { createOpenQueue, notSent } from './open-queue.ts'
import { KR16_PRODUCTS, type Kr16Product } from './products.ts'
import type { Words } from './sensors.ts'

/** hardware.md §1.1 (a): the answer to `31` is a `35` frame or silence. Also how long a status answer may take. */
const ANSWER_MS = 150
/** Characters of a question and its answer, which the wire itself takes time for. */
const EXCHANGE_CHARACTERS = 14
/** A solenoid draws 3 A: two at once, and never two in the same instant (hardware.md §1.9). */
const MAX_CONCURRENT = 2
const COOLDOWN_MS = 100
const LEARN_OPEN_MS = 5000

const capsOf = (product: Kr16Product): BoardCaps => ({
	channels: product.channels,
	doorSense: 'latch',
	doorRead: 'perBoard',
	push: false,
	presence: true,
	pulse: { by: 'board', minMs: product.pulseMs.min, maxMs: product.pulseMs.max, settable: false },
	ackMeaning: 'received',
	checksum: 'weak',
	openCounter: false,
	maxConcurrent: MAX_CONCURRENT,
	cooldownMs: COOLDOWN_MS,
	discover: true,
})

/** The Kerong KR-CU12 and KR-CU16 boards, ten on a bus. Throws `Fault` config-invalid for an unknown product. */
export function kr16(productName: string): Board {
	const product = KR16_PRODUCTS.find((candidate) => candidate.name === productName)
	if (!product) throw new Fault('config-invalid', `kr16 has no product "${productName}"; known: ${KR16_PRODUCTS.map((p) => p.name).join(', ')}.`)
	const caps = capsOf(product)
	let bus: Bus | undefined
	const running = (): Bus => {
		if (!bus) throw new Fault('transport-closed', 'The board driver is not started.')
		return bus
	}
	return {
		family: 'kr16',
		caps,
		async start(io, profile, clock, emit) {
			if (bus) throw new Fault('config-invalid', 'This board driver is already started.')
			checkProfile(profile, productName)
			bus = startBus({ io, profile, clock, emit, caps })
		},
		open: async (command) => (bus ? bus.open(command) : notSent(command, new Fault('transport-closed', 'The board driver is not started.'))),
		read: async (board) => running().read(board),
		probe: () => running().probe(),
		learn: async (ref) => learnWiring(ref, running()),
		stats: () => bus?.stats() ?? { tx: 0, rx: 0, timeouts: 0, badFrames: 0, resyncs: 0, lastOkMono: -1 },
		async stop() {
			bus?.stop()
			bus = undefined
		},
	}
}

function checkProfile(profile: BoardProfile, productName: string): void {
	if (profile.product !== productName)
		throw new Fault('config-invalid', `product: this driver was made for ${productName}, not for ${profile.product}.`)
	const wrong = profile.boards.find((board) => !Number.isInteger(board) || board < 0 || board >= BOARDS_PER_BUS)
	if (wrong !== undefined) throw new Fault('config-invalid', `boards: ${wrong} is not an address from 0 to ${BOARDS_PER_BUS - 1}.`)
	if (new Set(profile.boards).size !== profile.boards.length) throw new Fault('config-invalid', 'boards: an address is named twice.')
}

interface Bus {
	open(command: OpenCommand): Promise<OpenResult>
	read(board: number): Promise<BoardReading>
	/** For `learn`: the two words of a status answer, unfiltered, and an opening of its own. */
	words(board: number): Promise<Words>
	openOnce(ref: ChannelRef): Promise<OpenResult>
	pause(ms: number): Promise<void>
	probe(): AsyncIterable<{ board: number }>
	stats(): ReturnType<Exchange['stats']>
	stop(): void
}

interface BusOptions {
	readonly io: Transport
	readonly profile: BoardProfile
	readonly clock: DriverClock
	readonly emit: (event: BoardEvent) => void
	readonly caps: BoardCaps
}

/** One bus: an exchange at a time, opens before reads before polls (hardware.md §1.9). */
function startBus({ io, profile, clock, emit, caps }: BusOptions): Bus {
	const tell = (fact: BoardEvent['fact']) => {
		if (!stopped) emit({ mono: clock.mono(), source: 'poll', fact })
	}
	const exchange = createExchange(
		io,
		clock,
		ANSWER_MS + EXCHANGE_CHARACTERS * io.charTimeMs,
		(code, discarded) => tell({ kind: 'protocol', code, discarded }),
		(board) => boards.late(board),
	)
	const boards = createBoards({ profile, channels: caps.channels, clock, exchange, tell })
	const opens = createOpenQueue(caps, clock, boards.release)
	const reads: (() => Promise<void>)[] = []
	let connected = false
	let stopped = false
	let inFlight = false
	let lessons = 0
	let cancelWake = () => {}

	const pump = () => {
		if (inFlight || stopped) return
		opens.dropExpired()
		const work = (connected ? opens.due() : undefined) ?? reads.shift() ?? (connected ? boards.duePoll() : undefined)
		if (!work) return wakeWhenDue()
		inFlight = true
		void work().finally(() => {
			inFlight = false
			pump()
		})
	}

	const wakeWhenDue = () => {
		const next = Math.min(...opens.wakeTimes(connected), connected ? boards.nextPollAt() : Number.POSITIVE_INFINITY)
		cancelWake()
		cancelWake = Number.isFinite(next) ? clock.after(Math.max(0, next - clock.mono()), pump) : () => {}
	}

	/** Queued behind opens and before polls; reads may be retried, and an open can go in between. */
	const inTurn = <T>(job: () => Promise<T>): Promise<T> =>
		new Promise((resolve, reject) => {
			if (stopped) return reject(stoppedFault())
			reads.push(() => job().then(resolve, reject))
			pump()
		})

	/** Asks until two answers agree where the first differs from what was known. */
	const readSettled = async (address: number): Promise<Words> => {
		let words: Words | undefined
		for (let attempt = 0, most = boards.patience(address); attempt < most; attempt++) {
			const answer = await inTurn(() => boards.query(address))
			if (answer?.settled) return answer.words
			words = answer?.words ?? words
		}
		if (words) return words
		throw new Fault('board-timeout', `Board ${address} on bus ${profile.bus} did not answer.`)
	}

	const unsubscribe = io.onState((open) => {
		connected = open
		if (!open) exchange.abandon()
		boards.lineIs(open)
		pump()
	})

	const bus: Bus = {
		open(command) {
			const result = opens.add(command, exists(command.ref, profile, caps) ? undefined : outOfRange(command.ref))
			pump()
			return result
		},
		async read(address) {
			await readSettled(address)
			return boards.reading(address)
		},
		words: readSettled,
		openOnce: (ref) => bus.open({ id: `learn:${++lessons}`, ref, notAfter: clock.mono() + LEARN_OPEN_MS }),
		pause: (ms) => sleep(clock, ms),
		async *probe() {
			for (let address = 0; address < BOARDS_PER_BUS; address++) {
				const ask = () => exchange.ask({ kind: 'status-query', board: address }, 'last')
				const reply = await inTurn(ask)
				if (reply.kind === 'answer' || (await inTurn(ask)).kind === 'answer') yield { board: address }
			}
		},
		stats: () => exchange.stats(),
		stop() {
			stopped = true
			cancelWake()
			unsubscribe()
			exchange.close()
			opens.refuseAll(stoppedFault())
			// A queued read asks a closed exchange and ends there.
			for (const read of reads.splice(0)) void read()
		},
	}
	return bus
}

const stoppedFault = () => new Fault('transport-closed', 'The board driver was stopped.')

const exists = (ref: ChannelRef, profile: BoardProfile, caps: BoardCaps) =>
	ref.bus === profile.bus && profile.boards.includes(ref.board) && Number.isInteger(ref.channel) && ref.channel >= 0 && ref.channel < caps.channels

const outOfRange = (ref: ChannelRef) =>
	new Fault('out-of-range', `There is no channel ${ref.channel} on board ${ref.board} of bus ${ref.bus}.`, { detail: { ...ref } })
