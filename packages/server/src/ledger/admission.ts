import { type Crypto, type Id, toHex } from '@latchwork/core/base'
import { isHeadGenuine, NO_PREVIOUS, readEvent, type SignedHead, type StreamEvent } from '@latchwork/core/ledger'

/** The controller behind a connection: who it is was settled by its certificate. */
export interface Sender {
	readonly tenant: Id<'tenant'>
	readonly controller: Id<'controller'>
	/** The banks whose authority it is, and where they stand. */
	readonly banks: ReadonlyMap<Id<'bank'>, Id<'site'>>
	/** Public keys under which it signs heads, by key id. */
	readonly headKeys: ReadonlyMap<string, Uint8Array>
}

/** Consecutive events from sequence `first`, as minted. */
export interface StreamBatch {
	readonly stream: Id<'stream'>
	readonly first: number
	readonly events: readonly string[]
	readonly head?: SignedHead | undefined
}

/**
 * - `malformed`      not the canonical bytes of an event of this stream at this sequence
 * - `chain`          does not follow from the event before it in the same message
 * - `foreign-bank`   the controller has no authority over the bank
 * - `foreign-stream` another controller writes this stream
 * - `head-signature` the head is not signed by a key of this controller
 * - `equivocation`   the same sequence was told differently before
 */
export type RefusalCode = 'malformed' | 'chain' | 'foreign-bank' | 'foreign-stream' | 'head-signature' | 'equivocation'
export interface Refusal {
	readonly seq: number
	readonly code: RefusalCode
	readonly text: string
}

/** What the controller is told. `seq`: everything up to it is durable, once; it may forget that. */
export interface StreamAnswer {
	readonly stream: Id<'stream'>
	readonly seq: number
	/** Held back: these come first. */
	readonly want?: { readonly from: number; readonly to: number }
	readonly refused?: Refusal
}

export interface CheckedEvent {
	readonly event: StreamEvent
	readonly bytes: Uint8Array
	/** Hex SHA-256 of the bytes. */
	readonly hash: string
}

/** A message after everything that can be judged without knowing where the stream stands. */
export interface Examined {
	readonly sender: Sender
	readonly batch: StreamBatch
	/** Up to the first one that is refused. */
	readonly events: readonly CheckedEvent[]
	readonly refused?: Refusal
}

const utf8 = new TextEncoder()

export function examine(sender: Sender, batch: StreamBatch, crypto: Crypto): Examined {
	const { stream, first, head } = batch
	if (head && (head.stream !== stream || !isHeadGenuine(head, sender.headKeys, crypto)))
		return { sender, batch, events: [], refused: { seq: head.seq, code: 'head-signature', text: 'The head is not signed by this controller.' } }
	const events: CheckedEvent[] = []
	for (const [index, text] of batch.events.entries()) {
		const seq = first + index
		const bytes = utf8.encode(text)
		const { event, fault } = text.isWellFormed() ? readEvent(bytes) : { fault: 'it holds half a surrogate pair' }
		const code = event ? misfit(event, sender, stream, seq, events.at(-1)?.hash) : 'malformed'
		if (!event || code)
			return {
				sender,
				batch,
				events,
				refused: { seq, code: code ?? 'malformed', text: fault ? `Event ${seq}: ${fault}.` : WORDS[code ?? 'malformed'] },
			}
		events.push({ event, bytes, hash: toHex(crypto.sha256(bytes)) })
	}
	return { sender, batch, events }
}

const WORDS: Readonly<Record<RefusalCode, string>> = {
	malformed: 'The event is of another stream or has another sequence than its place in the message.',
	chain: 'The event does not follow from the one before it.',
	'foreign-bank': 'This controller has no authority over the bank of the event.',
	'foreign-stream': 'Another controller writes this stream.',
	'head-signature': 'The head is not signed by this controller.',
	equivocation: 'This sequence was told differently before.',
}

function misfit(event: StreamEvent, sender: Sender, stream: string, seq: number, previous: string | undefined): RefusalCode | undefined {
	if (event.stream !== stream || event.seq !== seq) return 'malformed'
	if ((previous ?? (seq === 1 ? NO_PREVIOUS : event.prev)) !== event.prev) return 'chain'
	return sender.banks.has(event.bank) ? undefined : 'foreign-bank'
}

/** Where a stream stands on the server. */
export interface StreamState {
	readonly controller: string
	readonly nextSeq: number
	/** Hex hash of event nextSeq − 1. */
	readonly headHash: string
}
export const freshStream = (controller: string): StreamState => ({ controller, nextSeq: 1, headHash: NO_PREVIOUS })

export interface Equivocation {
	readonly seq: number
	readonly known: string
	readonly claimed: string
}

export interface Admission {
	readonly state: StreamState
	/** To be recorded, in order; never one that is there already. */
	readonly fresh: readonly CheckedEvent[]
	readonly answer: StreamAnswer
	readonly equivocation?: Equivocation
	/** The last sequence that is missing before something that was sent. */
	readonly gapTo?: number
	/** A signed head that fits what is recorded. */
	readonly head?: SignedHead
}

/** Sequences below the head whose recorded hashes must be looked up, because the head alone does not vouch for them. Rare: an old message came again. */
export function unvouched(state: StreamState, { events }: Examined): { from: number; to: number } | undefined {
	const from = events[0]?.event.seq
	const last = events.at(-1)?.event.seq
	const head = state.nextSeq - 1
	if (from === undefined || last === undefined || from > head) return undefined
	// The chain inside the message was followed: one hash at the head speaks for all before it.
	if (last >= head && events[head - from]?.hash === state.headHash) return undefined
	return { from, to: Math.min(last, head) }
}

/** What becomes of a message. `recorded`: hashes by sequence, for the range that `unvouched` asked for. */
export function admit(state: StreamState, examined: Examined, recorded: ReadonlyMap<number, string>): Admission {
	const { sender, events } = examined
	const { stream, first, head } = examined.batch
	const durable = { stream, seq: state.nextSeq - 1 }
	const refuse = (refused: Refusal, equivocation?: Equivocation): Admission => ({
		state,
		fresh: [],
		answer: { ...durable, refused },
		...(equivocation && { equivocation }),
	})
	if (state.controller !== sender.controller) return refuse({ seq: first, code: 'foreign-stream', text: WORDS['foreign-stream'] })
	const other = contradiction(state, examined, recorded)
	if (other) return refuse({ seq: other.seq, code: 'equivocation', text: WORDS.equivocation }, other)
	if (events.length > 0 && first > state.nextSeq)
		return { state, fresh: [], answer: { ...durable, want: { from: state.nextSeq, to: first - 1 } }, gapTo: first - 1 }
	const fresh = events.filter(({ event }) => event.seq >= state.nextSeq)
	const last = fresh.at(-1)
	const next = last ? { ...state, nextSeq: last.event.seq + 1, headHash: last.hash } : state
	const isHeadHere = head !== undefined && (events[head.seq - first]?.hash ?? (head.seq === next.nextSeq - 1 ? next.headHash : '')) === head.hash
	return {
		state: next,
		fresh,
		answer: { stream, seq: next.nextSeq - 1, ...(examined.refused && { refused: examined.refused }) },
		...(isHeadHere && { head }),
	}
}

/** The first sequence for which the message and the record disagree. */
function contradiction(
	state: StreamState,
	{ events, batch: { first, head } }: Examined,
	recorded: ReadonlyMap<number, string>,
): Equivocation | undefined {
	for (const { event, hash } of events) {
		const known = event.seq === state.nextSeq - 1 ? state.headHash : recorded.get(event.seq)
		if (known !== undefined && known !== hash) return { seq: event.seq, known, claimed: hash }
		if (event.seq === state.nextSeq && event.prev !== state.headHash) return { seq: event.seq - 1, known: state.headHash, claimed: event.prev }
	}
	if (!head) return undefined
	const known = head.seq === state.nextSeq - 1 ? state.headHash : events[head.seq - first]?.hash
	return known !== undefined && known !== head.hash ? { seq: head.seq, known, claimed: head.hash } : undefined
}
