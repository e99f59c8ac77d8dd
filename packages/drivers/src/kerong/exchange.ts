import { Fault, isFault } from '@latchwork/core/base'
import type { BoardEvent } from '../board.ts'
import type { DriverClock, DriverStats, Transport } from '../transport/index.ts'
import { createParser, type Discarded, encode, type Message } from './codec.ts'

export type Status = Extract<Message, { kind: 'status' }>
export type Question = Extract<Message, { kind: 'status-query' | 'unlock' }>

export type Reply =
	| { readonly kind: 'answer'; readonly status: Status }
	| { readonly kind: 'silence' }
	/** Not one byte left. */
	| { readonly kind: 'unsent'; readonly fault: Fault }

export interface Exchange {
	/**
	 * Sends one frame once and waits for its answer. The protocol has no sequence number, so after a timeout the answer to an
	 * earlier question may still come: `last` hears all answers until the window ends, and the last of them counts.
	 * `slow`: this board was late before, so its window is longer.
	 */
	ask(question: Question, which: 'first' | 'last', slow?: boolean): Promise<Reply>
	stats(): DriverStats
	/** Ends a question in flight as silence. */
	abandon(): void
	close(): void
}

interface Waiting {
	readonly question: Question
	readonly askedAt: number
	readonly which: 'first' | 'last'
	answer: Status | undefined
	finish(): void
}

/** Gateways between network and bus add a quarter of a second and more; `SLOW` windows long, such a board still answers. */
const SLOW = 3

type ProtocolCode = Extract<BoardEvent['fact'], { kind: 'protocol' }>['code']

/** One question and its answer on a half-duplex bus; the caller asks one at a time. */
export function createExchange(
	io: Transport,
	clock: DriverClock,
	windowMs: number,
	report: (code: ProtocolCode, discarded: number) => void,
	/** A good answer of this board took longer than a window. */
	late: (board: number) => void,
): Exchange {
	const parser = createParser()
	const stats = { tx: 0, rx: 0, timeouts: 0, badFrames: 0, resyncs: 0, lastOkMono: -1 }
	let waiting: Waiting | undefined
	let closed = false
	let echoReported = false

	const thrownAway = (discarded: Discarded | undefined) => {
		if (!discarded) return
		if (discarded.code === 'checksum') stats.badFrames++
		else stats.resyncs++
		report(discarded.code, discarded.bytes)
	}
	const reject = (code: ProtocolCode, bytes: Uint8Array) => {
		stats.badFrames++
		report(code, bytes.length)
	}

	/** Its question is over, or has a long window and needs it. */
	const cameLate = ({ board }: Status) => waiting?.question.board !== board || clock.mono() - waiting.askedAt >= windowMs

	const hear = (message: Message, bytes: Uint8Array) => {
		if (message.kind === 'status' && cameLate(message)) late(message.board)
		if (!waiting) return reject('late', bytes)
		if (message.kind === waiting.question.kind && sameAddress(message, waiting.question)) return hearEcho(bytes)
		if (message.kind !== 'status') return reject('function', bytes)
		if (!answers(message, waiting.question)) return reject('address', bytes)
		stats.rx++
		stats.lastOkMono = clock.mono()
		waiting.answer = message
		if (waiting.which === 'first') waiting.finish()
	}
	/** A property of the adapter and not an accident: told once. */
	const hearEcho = (bytes: Uint8Array) => {
		if (!echoReported) report('echo', bytes.length)
		echoReported = true
	}

	const unsubscribe = io.onData((bytes) => {
		for (const parsed of parser.push(bytes)) {
			if (parsed.kind === 'message') hear(parsed.message, parsed.bytes)
			else thrownAway(parsed.discarded)
		}
	})

	return {
		ask(question, which, slow = false) {
			if (closed) return Promise.resolve({ kind: 'unsent', fault: new Fault('transport-closed', 'The board driver was stopped.') })
			thrownAway(parser.reset())
			return new Promise((resolve) => {
				const end = (reply: Reply) => {
					if (waiting !== mine) return
					waiting = undefined
					cancel()
					resolve(reply)
				}
				const mine: Waiting = {
					question,
					askedAt: clock.mono(),
					which,
					answer: undefined,
					finish: () => end(mine.answer ? { kind: 'answer', status: mine.answer } : { kind: 'silence' }),
				}
				const cancel = afterWindow(clock, slow ? windowMs * SLOW : windowMs, () => {
					if (!mine.answer) stats.timeouts++
					mine.finish()
				})
				waiting = mine
				stats.tx++
				// The window runs from now on: a line that takes the bytes and does not let go of them is a silent one.
				io.write(encode(question)).catch((cause: unknown) => {
					stats.tx--
					end({ kind: 'unsent', fault: isFault(cause) ? cause : new Fault('transport-closed', 'The line did not take the bytes.', { cause }) })
				})
			})
		},
		stats: () => ({ ...stats }),
		abandon: () => waiting?.finish(),
		close() {
			closed = true
			waiting?.finish()
			unsubscribe()
		},
	}
}

const sameAddress = (a: Message, b: Question) => 'board' in a && a.board === b.board && ('lock' in a ? a.lock : 0) === lockOf(b)

const lockOf = (question: Question) => (question.kind === 'unlock' ? question.lock : 0)

/** Sources do not say whether the answer to `31` carries the lock or only the board, so both are taken. */
const answers = (status: Status, question: Question) => status.board === question.board && (status.lock === 0 || status.lock === lockOf(question))

/** A timer this much behind its time says that our own process was held up. */
const HELD_UP_MS = 20

/** Bytes that came while this process was busy are delivered after its timers: then the window is held open a little longer. */
function afterWindow(clock: DriverClock, windowMs: number, end: () => void): () => void {
	let due = clock.mono() + windowMs
	const ring = () => {
		if (clock.mono() - due < HELD_UP_MS) return end()
		due = clock.mono() + HELD_UP_MS
		cancel = clock.after(HELD_UP_MS, ring)
	}
	let cancel = clock.after(windowMs, ring)
	return () => cancel()
}
