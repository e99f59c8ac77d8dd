import { Fault } from '@latchwork/core/base'
import type { BoardEvent, BoardProfile, BoardReading, OpenCommand, OpenResult } from '../board.ts'
import type { DriverClock } from '../transport/index.ts'
import type { Exchange } from './exchange.ts'
import { notSent } from './open-queue.ts'
import { createSensors, type Sensors, type Words } from './sensors.ts'

/** How long an answer that timed out may still come. */
const LATE_MS = 1000
/** As many questions without a good answer in a row, and a board counts as lost: under 2 s, and not by 2 % of damaged bytes. */
const MISSES = 10
/** A slow board is asked less often, so for it time counts: lost after this long without an answer, but not by a few damaged ones. */
const SILENT_MS = 1500
const FEWEST_MISSES = 3
/** A board whose answer came late is waited for longer from then on. */
const SLOW_FOR_MS = 60_000
/** A read of a board that is lost anyway: once more, because its answer is a first state and needs a second that agrees. */
const TRIES_WHEN_LOST = 2
const DEAD_POLL_MS = 2000
/** hardware.md §1.9: 200–500 ms when idle, 50–100 ms for 10 s after an opening. */
const POLL_IDLE_MS = 250
const POLL_BUSY_MS = 75
const BUSY_AFTER_OPEN_MS = 10_000

interface BoardState {
	readonly address: number
	readonly sensors: Sensors
	link: 'untried' | 'up' | 'down'
	misses: number
	/** When the first question was asked that got no answer. */
	silentSince: number
	dueAt: number
	busyUntil: number
	/** Until then an answer may belong to an earlier question. */
	suspectUntil: number
	/** Until then it is given more time to answer. */
	slowUntil: number
	/** The last poll found a change and was followed by another at once. */
	rereading: boolean
	/** Has answered an open command before: then silence after one is a loss and not a habit. */
	answersOpens: boolean
}

export interface Boards {
	/** Asks one board once for its state, and draws the conclusions; undefined when no good answer came. Throws `Fault` out-of-range. */
	query(address: number): Promise<{ readonly words: Words; readonly settled: boolean } | undefined>
	/** Writes the release frame of a command once. */
	release(command: OpenCommand): Promise<OpenResult>
	/** An answer of this board took longer than one should: from now on it gets more time. */
	late(address: number): void
	/** How often a read asks before it gives up. */
	patience(address: number): number
	reading(address: number): BoardReading
	/** The poll that should be next, if one is due. */
	duePoll(): (() => Promise<void>) | undefined
	nextPollAt(): number
	/** The line came or went: every board is lost with it and asked at once when it is back. */
	lineIs(open: boolean): void
}

export interface BoardsOptions {
	readonly profile: BoardProfile
	readonly channels: number
	readonly clock: DriverClock
	readonly exchange: Exchange
	readonly tell: (fact: BoardEvent['fact']) => void
}

/** What is known of each board of a bus, and when it is asked next. */
export function createBoards({ profile, channels, clock, exchange, tell }: BoardsOptions): Boards {
	const boards = new Map(profile.boards.map((address) => [address, untried(address)]))

	function untried(address: number): BoardState {
		const sensors = createSensors({ bus: profile.bus, board: address }, channels, profile, tell)
		const never = { misses: 0, silentSince: 0, dueAt: 0, busyUntil: 0, suspectUntil: 0, slowUntil: 0 }
		return { address, sensors, link: 'untried', ...never, rereading: false, answersOpens: false }
	}

	const known = (address: number): BoardState => {
		const board = boards.get(address)
		if (!board) throw new Fault('out-of-range', `There is no board ${address} on bus ${profile.bus}.`)
		return board
	}

	const answered = (board: BoardState, words: Words, wasDue: number): boolean => {
		const now = clock.mono()
		const pollMs = now < board.busyUntil ? (profile.pollBusyMs ?? POLL_BUSY_MS) : (profile.pollIdleMs ?? POLL_IDLE_MS)
		board.misses = 0
		if (board.link !== 'up') {
			board.link = 'up'
			tell({ kind: 'board-up', bus: profile.bus, board: board.address })
		}
		const settled = board.sensors.take(words)
		board.rereading = !settled && !board.rereading
		board.dueAt = board.rereading ? now : Math.max(now, wasDue + pollMs)
		return settled
	}

	const missed = (board: BoardState, askedAt: number) => {
		const now = clock.mono()
		if (board.misses++ === 0) board.silentSince = askedAt
		board.suspectUntil = now + LATE_MS
		if (board.misses >= MISSES || (board.misses >= FEWEST_MISSES && now - board.silentSince >= SILENT_MS)) lose(board)
		// A lost board is asked seldom, except after an opening: its door may be open by now.
		board.dueAt = askedAt + (board.link === 'down' && now >= board.busyUntil ? DEAD_POLL_MS : POLL_BUSY_MS)
	}

	const lose = (board: BoardState) => {
		board.sensors.forget()
		if (board.link === 'down') return
		board.link = 'down'
		tell({ kind: 'board-down', bus: profile.bus, board: board.address })
	}

	const isSlow = (board: BoardState) => board.link !== 'down' && clock.mono() < board.slowUntil

	const query: Boards['query'] = async (address) => {
		const board = known(address)
		const askedAt = clock.mono()
		// From when it was due, so that waiting for others on the bus does not lower the rate.
		const wasDue = Math.min(board.dueAt, askedAt)
		const reply = await exchange.ask({ kind: 'status-query', board: address }, askedAt < board.suspectUntil ? 'last' : 'first', isSlow(board))
		if (reply.kind === 'answer') return { words: reply.status, settled: answered(board, reply.status, wasDue) }
		missed(board, askedAt)
		return undefined
	}

	return {
		query,
		/** There is no second try here, whatever the answer is (trust.md R2). */
		async release(command) {
			const { board: address, channel } = command.ref
			const board = known(address)
			const suspect = clock.mono() < board.suspectUntil
			const reply = await exchange.ask({ kind: 'unlock', board: address, lock: channel }, 'first', isSlow(board))
			if (reply.kind === 'unsent') return notSent(command, reply.fault)
			const now = clock.mono()
			board.busyUntil = now + BUSY_AFTER_OPEN_MS
			board.dueAt = now
			if (reply.kind === 'silence' && board.answersOpens) board.suspectUntil = now + LATE_MS
			// While an older answer may be under way, nothing shows that this one is the board's word on this command.
			const acknowledged = reply.kind === 'answer' && !suspect
			board.answersOpens ||= acknowledged
			return { id: command.id, sent: true, ack: acknowledged ? 'ok' : 'none' }
		},
		late(address) {
			const board = boards.get(address)
			if (board) board.slowUntil = clock.mono() + SLOW_FOR_MS
		},
		patience: (address) => (known(address).link === 'down' ? TRIES_WHEN_LOST : MISSES),
		reading: (address) => known(address).sensors.reading(),
		/** The live board that waits longest; a lost one only when no live one is due, so that it costs them nothing. */
		duePoll() {
			const due = [...boards.values()].filter((board) => board.dueAt <= clock.mono())
			const next = due.sort((a, b) => Number(a.link === 'down') - Number(b.link === 'down') || a.dueAt - b.dueAt)[0]
			return next && (async () => void (await query(next.address)))
		},
		nextPollAt: () => Math.min(...[...boards.values()].map((board) => board.dueAt)),
		lineIs(open) {
			for (const board of boards.values()) {
				if (open) board.dueAt = clock.mono()
				else lose(board)
			}
		},
	}
}
