import { Fault, sleep } from '@latchwork/core/base'
import type { Board, BoardCaps, BoardEvent, BoardProfile, BoardReading, ChannelRef, OpenCommand, OpenResult } from '../board.ts'
import type { DriverClock, Transport } from '../transport/index.ts'
import { BOARDS_PER_BUS } from './codec.ts'
import { createExchange, type Exchange } from './exchange.ts'
import { learnWiring } from './learn.ts'
import { createOpenQueue, notSent } from './open-queue.ts'
import { KR16_PRODUCTS, type Kr16Product } from './products.ts'
import { createSensors, type Sensors, type Words } from './sensors.ts'

/** hardware.md §1.1 (a): the answer to `31` is a `35` frame or silence. Also how long a status answer may take. */
const ANSWER_MS = 150
/** Characters of a question and its answer, which the wire itself takes time for. */
const EXCHANGE_CHARACTERS = 14
/** How long an answer that timed out may still come. */
const LATE_MS = 1000
/** As many questions without a good answer in a row, and a board counts as lost: under 2 s, and not by 2 % of damaged bytes. */
const MISSES = 10
const DEAD_POLL_MS = 2000
/** hardware.md §1.9: 200–500 ms when idle, 50–100 ms for 10 s after an opening. */
const POLL_IDLE_MS = 250
const POLL_BUSY_MS = 75
const BUSY_AFTER_OPEN_MS = 10_000
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

interface BoardState {
	readonly address: number
	readonly sensors: Sensors
	link: 'untried' | 'up' | 'down'
	misses: number
	dueAt: number
	busyUntil: number
	/** Until then an answer may belong to an earlier question. */
	suspectUntil: number
	/** The last poll found a change and was followed by another at once. */
	rereading: boolean
	/** Has answered an open command before: then silence after one is a loss and not a habit. */
	answersOpens: boolean
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
	const exchange = createExchange(io, clock, (code, discarded) =>
		emit({ mono: clock.mono(), source: 'poll', fact: { kind: 'protocol', code, discarded } }),
	)
	const windowMs = ANSWER_MS + EXCHANGE_CHARACTERS * io.charTimeMs
	const boards = new Map(profile.boards.map((address) => [address, newBoard(address)]))
	const reads: (() => Promise<void>)[] = []
	let connected = false
	let stopped = false
	let inFlight = false
	let lessons = 0
	let cancelWake = () => {}

	function newBoard(address: number): BoardState {
		const sensors = createSensors({ bus: profile.bus, board: address }, caps.channels, profile, (fact) =>
			emit({ mono: clock.mono(), source: 'poll', fact }),
		)
		const state: Omit<BoardState, 'address' | 'sensors'> = {
			link: 'untried',
			misses: 0,
			dueAt: 0,
			busyUntil: 0,
			suspectUntil: 0,
			rereading: false,
			answersOpens: false,
		}
		return { address, sensors, ...state }
	}

	const pump = () => {
		if (inFlight || stopped) return
		opens.dropExpired()
		const work = (connected ? opens.due() : undefined) ?? reads.shift() ?? (connected ? duePoll() : undefined)
		if (!work) return wakeWhenDue()
		inFlight = true
		void work().finally(() => {
			inFlight = false
			pump()
		})
	}

	const wakeWhenDue = () => {
		const times = opens.wakeTimes(connected)
		if (connected) for (const board of boards.values()) times.push(board.dueAt)
		cancelWake()
		cancelWake = times.length === 0 ? () => {} : clock.after(Math.max(0, Math.min(...times) - clock.mono()), pump)
	}

	/** Writes the release frame once. There is no second try here, whatever the answer is (trust.md R2). */
	const release = async (command: OpenCommand): Promise<OpenResult> => {
		const { board: address, channel } = command.ref
		const board = known(address)
		const suspect = clock.mono() < board.suspectUntil
		const reply = await exchange.ask({ kind: 'unlock', board: address, lock: channel }, { windowMs, wholeWindow: false })
		if (reply.kind === 'unsent') return notSent(command, reply.fault)
		const now = clock.mono()
		board.busyUntil = now + BUSY_AFTER_OPEN_MS
		board.dueAt = now
		if (reply.kind === 'silence' && board.answersOpens) board.suspectUntil = now + LATE_MS
		// While an older answer may be under way, nothing shows that this one is the board's word on this command.
		const acknowledged = reply.kind === 'answer' && !suspect
		if (acknowledged) board.answersOpens = true
		return { id: command.id, sent: true, ack: acknowledged ? 'ok' : 'none' }
	}
	const opens = createOpenQueue(caps, clock, release)

	/** The live board that waits longest; a lost one only when no live one is due, so that it costs them nothing. */
	const duePoll = () => {
		const now = clock.mono()
		const due = [...boards.values()].filter((board) => board.dueAt <= now)
		const next = due.sort((a, b) => Number(a.link === 'down') - Number(b.link === 'down') || a.dueAt - b.dueAt)[0]
		return next && (async () => void (await query(next)))
	}

	/** One status question, and what follows from its answer or its absence. */
	const query = async (board: BoardState): Promise<{ words: Words; settled: boolean } | undefined> => {
		const askedAt = clock.mono()
		// From when it was due, so that waiting for others on the bus does not lower the rate.
		const wasDue = Math.min(board.dueAt, askedAt)
		const reply = await exchange.ask({ kind: 'status-query', board: board.address }, { windowMs, wholeWindow: askedAt < board.suspectUntil })
		if (stopped) return undefined
		if (reply.kind !== 'answer') {
			missed(board, askedAt)
			return undefined
		}
		const now = clock.mono()
		const pollMs = now < board.busyUntil ? (profile.pollBusyMs ?? POLL_BUSY_MS) : (profile.pollIdleMs ?? POLL_IDLE_MS)
		board.misses = 0
		if (board.link !== 'up') {
			board.link = 'up'
			emit({ mono: now, source: 'poll', fact: { kind: 'board-up', bus: profile.bus, board: board.address } })
		}
		const settled = board.sensors.take(reply.status)
		board.rereading = !settled && !board.rereading
		board.dueAt = board.rereading ? now : Math.max(now, wasDue + pollMs)
		return { words: reply.status, settled }
	}

	const missed = (board: BoardState, askedAt: number) => {
		const now = clock.mono()
		board.misses++
		board.suspectUntil = now + LATE_MS
		if (board.misses >= MISSES) lost(board)
		// A lost board is asked seldom, except after an opening: its door may be open by now.
		board.dueAt = askedAt + (board.link === 'down' && now >= board.busyUntil ? DEAD_POLL_MS : POLL_BUSY_MS)
	}

	const lost = (board: BoardState) => {
		board.sensors.forget()
		if (board.link === 'down') return
		board.link = 'down'
		emit({ mono: clock.mono(), source: 'poll', fact: { kind: 'board-down', bus: profile.bus, board: board.address } })
	}

	/** Queued behind opens and before polls; reads may be retried, and an open can go in between. */
	const inTurn = <T>(job: () => Promise<T>): Promise<T> =>
		new Promise((resolve, reject) => {
			if (stopped) return reject(new Fault('transport-closed', 'The board driver was stopped.'))
			reads.push(() => job().then(resolve, reject))
			pump()
		})

	const known = (address: number): BoardState => {
		const board = boards.get(address)
		if (!board) throw new Fault('out-of-range', `There is no board ${address} on bus ${profile.bus}.`)
		return board
	}

	/** Asks until two answers agree where the first differs from what was known. */
	const readSettled = async (board: BoardState): Promise<Words> => {
		let words: Words | undefined
		for (let attempt = 0, most = board.link === 'down' ? 2 : MISSES; attempt < most; attempt++) {
			const answer = await inTurn(() => query(board))
			if (answer?.settled) return answer.words
			words = answer?.words ?? words
		}
		if (words) return words
		throw new Fault('board-timeout', `Board ${board.address} on bus ${profile.bus} did not answer.`)
	}

	const unsubscribe = io.onState((open) => {
		connected = open
		if (!open) {
			exchange.abandon()
			for (const board of boards.values()) lost(board)
		} else for (const board of boards.values()) board.dueAt = clock.mono()
		pump()
	})

	const bus: Bus = {
		open(command) {
			const result = opens.add(command, exists(command.ref, profile, caps) ? undefined : outOfRange(command.ref))
			pump()
			return result
		},
		async read(address) {
			const board = known(address)
			await readSettled(board)
			return board.sensors.reading()
		},
		words: (address) => readSettled(known(address)),
		openOnce: (ref) => bus.open({ id: `learn:${++lessons}`, ref, notAfter: clock.mono() + LEARN_OPEN_MS }),
		pause: (ms) => sleep(clock, ms),
		async *probe() {
			for (let address = 0; address < BOARDS_PER_BUS; address++) {
				const ask = () => exchange.ask({ kind: 'status-query', board: address }, { windowMs, wholeWindow: true })
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
			opens.refuseAll(new Fault('transport-closed', 'The board driver was stopped.'))
			// A queued read asks a closed exchange and ends there.
			for (const read of reads.splice(0)) void read()
		},
	}
	return bus
}

const exists = (ref: ChannelRef, profile: BoardProfile, caps: BoardCaps) =>
	ref.bus === profile.bus && profile.boards.includes(ref.board) && Number.isInteger(ref.channel) && ref.channel >= 0 && ref.channel < caps.channels

const outOfRange = (ref: ChannelRef) =>
	new Fault('out-of-range', `There is no channel ${ref.channel} on board ${ref.board} of bus ${ref.bus}.`, { detail: { ...ref } })
