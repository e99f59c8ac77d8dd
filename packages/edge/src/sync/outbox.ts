import { type Clock, type Id, isFault, type Random } from '@latchwork/core/base'
import type { EventDraft } from '@latchwork/core/ledger'
import { type LinkAck, type LinkEvents, MAX_LINK_BYTES } from '@latchwork/core/wire'
import type { Journal } from '../journal/index.ts'
import { type Backoff, backoff } from './backoff.ts'

/** Consecutive events of one stream as they are sent. */
export interface Batch {
	readonly stream: Id<'stream'>
	readonly first: number
	readonly last: number
	/** `LinkEvents` as JSON. Longer than `MAX_LINK_BYTES` only where it holds a single event that is. */
	readonly text: string
}

export interface Outbox {
	/** The link is there: sends what is not acknowledged, in order. */
	resume(send: (batch: Batch) => void): void
	/** The link is gone, and with it all that was under way. */
	pause(): void
	/** What the server says of a stream. */
	heard(ack: LinkAck): void
	state(): OutboxState
	stop(): void
}

export interface OutboxState {
	/** Events that the server has not acknowledged, of all streams. */
	readonly pending: number
	/** Streams that the server does not take, and the first event that it did not. */
	readonly refused: readonly RefusedStream[]
}

interface RefusedStream {
	readonly stream: Id<'stream'>
	readonly seq: number
	readonly code: string
}

export interface OutboxParts {
	readonly journal: Pick<Journal, 'streams' | 'minted' | 'signedHead' | 'head' | 'fact' | 'commit' | 'grown'>
	readonly clock: Pick<Clock, 'mono' | 'after'>
	readonly random: Random
}

/** What is kept of a stream: the highest sequence that is durable at the server. */
interface Kept {
	readonly acked: number
	readonly refused?: { readonly seq: number; readonly code: string }
	/** Nothing more of it is sent, until the server asks. */
	readonly stopped?: true
}

/** One stream on its way. */
interface Lane {
	readonly stream: Id<'stream'>
	kept: Kept
	/** The next sequence to send. */
	next: number
	/** Last sequences of the batches under way, oldest first. */
	flights: { readonly first: number; readonly last: number }[]
	/** Where the server last asked to begin again, and when: what is under way may make it ask once more. */
	asked?: { readonly from: number; readonly at: number }
	/** Sequence of the last signed head that was sent along. */
	head: number
	readonly patience: Backoff
	cancel: () => void
}

const KIND = 'outbox'
/** Batches of a stream that are sent and not acknowledged. */
const MOST_FLIGHTS = 4
const MOST_EVENTS = 200
/** Room in a message for all that is not an event: names, numbers, a signed head. */
const ENVELOPE_BYTES = 1_024
/** So long events are gathered before they are sent. */
const GATHER_MS = 20
/** So long nothing of what is under way is acknowledged before it is sent again. */
const RESEND_MS = 5_000
const MOST_RESEND_MS = 120_000
/** A repeated wish within this long is the echo of what was under way. */
const ECHO_MS = 1_000
/** An acknowledgement that a crash forgets is only sent again, so it need not be durable at once. */
const KEEP_MS = 2_000

/**
 * Sends every event of this disk, at least once and in order, stream by stream, until the server's own word says that it is durable there; also
 * those of a stream that was left behind when history was lost. The bytes are the journal's, never written anew. What the broker or a socket
 * confirms counts for nothing. Streams do not wait for each other.
 */
export function openOutbox({ journal, clock, random }: OutboxParts): Outbox {
	const lanes = new Map(journal.streams().map(({ stream }) => [stream, laneOf(stream)]))
	let send: ((batch: Batch) => void) | undefined
	let planned: (() => void) | undefined
	let keeping: (() => void) | undefined
	const unkept = new Set<Lane>()

	function laneOf(stream: Id<'stream'>): Lane {
		const kept = journal.fact<Kept>(KIND, stream) ?? { acked: 0 }
		return { stream, kept, next: kept.acked + 1, flights: [], head: 0, patience: backoff(random, RESEND_MS, MOST_RESEND_MS), cancel: () => {} }
	}

	/** Only the present stream grows. */
	const ends = new Map(journal.streams().map(({ stream, last }) => [stream, last]))
	const lastOf = (lane: Lane): number => {
		const head = journal.head()
		return head.stream === lane.stream ? head.seq : (ends.get(lane.stream) ?? 0)
	}

	const pump = (): void => {
		planned = undefined
		for (const lane of lanes.values()) pumpLane(lane)
	}

	const pumpLane = (lane: Lane): void => {
		while (send && !lane.kept.stopped && lane.flights.length < MOST_FLIGHTS && lane.next <= lastOf(lane)) {
			const batch = batchFrom(lane)
			// A hole in the table of events: nothing can be made of it here, and `latchwork ledger verify` names it.
			if (!batch) return
			lane.flights.push(batch)
			lane.next = batch.last + 1
			if (lane.flights.length === 1) watch(lane)
			send(batch)
		}
	}

	/** Nobody answers for what is under way: all of it again, after a longer wait each time. */
	const watch = (lane: Lane): void => {
		lane.cancel()
		if (lane.flights.length === 0) return
		lane.cancel = clock.after(lane.patience.next(), () => {
			rewind(lane, lane.flights[0]?.first ?? lane.next)
			pumpLane(lane)
		})
	}

	const rewind = (lane: Lane, to: number): void => {
		lane.cancel()
		lane.flights = []
		lane.next = to
		lane.head = 0
	}

	const batchFrom = (lane: Lane): Batch | undefined => {
		const texts: string[] = []
		let bytes = ENVELOPE_BYTES
		let seq = lane.next
		for (const row of journal.minted(lane.stream, lane.next - 1, MOST_EVENTS)) {
			const text = JSON.stringify(new TextDecoder().decode(row.bytes))
			bytes += Buffer.byteLength(text) + 1
			if (row.seq !== seq || (texts.length > 0 && bytes > MAX_LINK_BYTES)) break
			texts.push(text)
			seq += 1
		}
		if (texts.length === 0) return undefined
		const last = seq - 1
		const signed = journal.signedHead(lane.stream)
		const head = signed && signed.seq <= last && signed.seq > lane.head ? signed : undefined
		if (head) lane.head = head.seq
		const about = { v: 1, stream: lane.stream, first: lane.next, ...(head && { head }) } satisfies Omit<LinkEvents, 'events'>
		// Put together by hand: each text is written as JSON once, when its length is measured.
		const text = `${JSON.stringify(about).slice(0, -1)},"events":[${texts.join()}]}`
		return { stream: lane.stream, first: lane.next, last, text }
	}

	const acknowledged = (lane: Lane, said: number): void => {
		// More than there is: by an earlier life of this disk. Nothing here is proven by it.
		const seq = Math.min(said, lastOf(lane))
		const before = lane.flights.length
		lane.flights = lane.flights.filter(({ last }) => last > seq)
		if (lane.next <= seq) lane.next = seq + 1
		if (seq > lane.kept.acked) {
			lane.kept = { ...lane.kept, acked: seq }
			unkept.add(lane)
			keeping ??= clock.after(KEEP_MS, keep)
		}
		if (lane.flights.length === before) return
		lane.patience.reset()
		watch(lane)
		pumpLane(lane)
	}

	const keep = (): void => {
		keeping?.()
		keeping = undefined
		if (unkept.size === 0) return
		try {
			journal.commit({ events: [], put: [...unkept].map(({ stream, kept }) => ({ kind: KIND, key: stream, body: kept })) })
			unkept.clear()
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			keeping = clock.after(KEEP_MS, keep)
		}
	}

	/** The server has others, or these are not its own: raised once, and nothing more of it until the server asks or a connection begins anew. */
	const refuse = (lane: Lane, { seq, code }: NonNullable<Kept['refused']>): void => {
		const known = lane.kept.refused?.seq === seq && lane.kept.refused.code === code
		if (known && lane.kept.stopped) return
		rewind(lane, lane.kept.acked + 1)
		lane.kept = { ...lane.kept, refused: { seq, code }, stopped: true }
		const data = { seq, code }
		const events: EventDraft[] = [
			{ type: 'stream.refused', subject: lane.stream, actor: 'edge', data },
			{ type: 'task.created', subject: lane.stream, actor: 'edge', data: { kind: 'check-stream' } },
		]
		try {
			journal.commit({ events: known ? [] : events, put: [{ kind: KIND, key: lane.stream, body: lane.kept }], essential: true })
			unkept.delete(lane)
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			unkept.add(lane)
		}
	}

	const unstop = (lane: Lane): boolean => {
		if (!lane.kept.stopped) return false
		const { stopped: _, ...on } = lane.kept
		lane.kept = on
		unkept.add(lane)
		keep()
		return true
	}

	const wanted = (lane: Lane, from: number): void => {
		const at = clock.mono()
		if (!unstop(lane) && lane.asked?.from === from && at - lane.asked.at < ECHO_MS) return
		lane.asked = { from, at }
		rewind(lane, Math.min(from, lane.next))
		pumpLane(lane)
	}

	const unfollow = journal.grown(() => {
		planned ??= clock.after(GATHER_MS, pump)
	})

	return {
		resume(by) {
			send = by
			for (const lane of lanes.values()) {
				lane.patience.reset()
				rewind(lane, lane.kept.acked + 1)
				// Tried once more at each connection: it may be a newer server now, which knows this kind of event.
				unstop(lane)
			}
			pump()
		},
		pause() {
			send = undefined
			for (const lane of lanes.values()) rewind(lane, lane.kept.acked + 1)
		},
		heard(ack) {
			const lane = lanes.get(ack.stream)
			if (!lane) return
			if ('seq' in ack) acknowledged(lane, ack.seq)
			else if ('want' in ack) wanted(lane, ack.want.from)
			else refuse(lane, ack.refused)
		},
		state: () => ({
			pending: [...lanes.values()].reduce((sum, lane) => sum + lastOf(lane) - lane.kept.acked, 0),
			refused: [...lanes.values()].flatMap(({ stream, kept }) => (kept.stopped && kept.refused ? [{ stream, ...kept.refused }] : [])),
		}),
		stop() {
			send = undefined
			unfollow()
			planned?.()
			keep()
			keeping?.()
			for (const lane of lanes.values()) lane.cancel()
		},
	}
}
