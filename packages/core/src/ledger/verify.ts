import { type Crypto, fromBase64, toHex } from '../base/index.ts'
import { NO_PREVIOUS, type StreamEvent } from './event.ts'
import { readEvent } from './read-event.ts'
import { headBytes, type SignedHead, type StreamHead } from './stream.ts'

/**
 * - `malformed`      not the canonical bytes of an event
 * - `other-stream`   an event of another stream
 * - `sequence`       not the next sequence number
 * - `previous-hash`  does not follow from the event before
 * - `altered`        fits its neighbours, yet is not what the head stands for
 * - `truncated`      the head stands for more events
 * - `beyond-head`    the head stands for fewer events
 * - `head-signature` the head itself is not signed by a known key
 */
export type StreamFault = 'malformed' | 'other-stream' | 'sequence' | 'previous-hash' | 'altered' | 'truncated' | 'beyond-head' | 'head-signature'

export type StreamVerdict =
	| { readonly ok: true; readonly count: number; readonly head: { readonly seq: number; readonly hash: string }; readonly signed: boolean }
	/** `index` counts lines from 0; the number of lines when something is missing at the end, or when the head is bad. */
	| { readonly ok: false; readonly index: number; readonly code: StreamFault; readonly text: string }

export interface VerifyTerms {
	readonly crypto: Crypto
	/** Without head and anchor the end of the stream is not fixed: missing last events go unnoticed, and a break is named only to within one line. */
	readonly head?: SignedHead
	/** Instead of a signed head: where the stream ends, known from somewhere the stream's editor could not reach (the mark file, a ledger). */
	readonly anchor?: StreamHead
	/** Public keys of the controllers, by key id. */
	readonly keys?: ReadonlyMap<string, Uint8Array>
}

/**
 * Is this the whole stream as it was minted? If not, which line is the first that differs from the original?
 *
 * Forward, each event must be well formed and follow from the one before. A break at line f alone does not say whether f or f−1 was
 * touched. So the hashes are also followed back from the head, which authenticates the last event, whose `prev` authenticates
 * the one before, and so on; every line reached that way has a place where it belongs. For any single damage, and for any shuffling,
 * the index is exact; of several alterations the first is named, at most one line late.
 */
export function verifyStream(lines: Iterable<Uint8Array>, terms: VerifyTerms): StreamVerdict {
	const { head, keys, crypto, anchor } = terms
	const entries = Array.from(lines, (bytes) => readEntry(bytes, crypto))
	if (head && !isHeadGenuine(head, keys, crypto))
		return bad(entries.length, 'head-signature', 'The head of the stream is not signed by a known controller.')
	const end = head ?? anchor
	const broken = firstBreak(entries, end?.stream)
	if (end) return meet(entries, broken, end, head !== undefined)
	return broken ? forward(entries, broken) : good(entries, false)
}

interface Entry {
	readonly hash: string
	readonly event?: StreamEvent
	readonly fault?: string
}
interface Break {
	readonly index: number
	readonly code: StreamFault
	readonly text: string
}

const bad = (index: number, code: StreamFault, text: string): StreamVerdict => ({ ok: false, index, code, text })

function good(entries: readonly Entry[], signed: boolean): StreamVerdict {
	return { ok: true, count: entries.length, head: { seq: entries.length, hash: entries.at(-1)?.hash ?? NO_PREVIOUS }, signed }
}

const readEntry = (bytes: Uint8Array, crypto: Crypto): Entry => ({ hash: toHex(crypto.sha256(bytes)), ...readEvent(bytes) })

/** Is the head signed by one of these keys, as it stands? */
export function isHeadGenuine(head: SignedHead, keys: VerifyTerms['keys'], crypto: Crypto): boolean {
	const key = keys?.get(head.keyId)
	const signature = fromBase64(head.signature)
	return key !== undefined && signature !== undefined && crypto.verify(key, headBytes(head), signature)
}

/** The first line that does not fit what came before it. */
function firstBreak(entries: readonly Entry[], expected: string | undefined): Break | undefined {
	const stream = expected ?? entries[0]?.event?.stream
	let previous = NO_PREVIOUS
	for (const [index, { event, fault, hash }] of entries.entries()) {
		if (!event) return { index, code: 'malformed', text: `Line ${index} is not an event: ${fault}.` }
		if (event.stream !== stream) return { index, code: 'other-stream', text: `Line ${index} belongs to ${event.stream}.` }
		if (event.seq !== index + 1) return { index, code: 'sequence', text: `Line ${index} has sequence ${event.seq}; ${index + 1} comes here.` }
		if (event.prev !== previous) return { index, code: 'previous-hash', text: `Line ${index} does not follow from the event before it.` }
		previous = hash
	}
	return undefined
}

/** A break alone: if the line behind it builds on the line at the break, then that one is as minted and its predecessor is not. */
function forward(entries: readonly Entry[], broken: Break): StreamVerdict {
	const here = entries[broken.index]
	const isSound = broken.code === 'previous-hash' && here !== undefined && entries[broken.index + 1]?.event?.prev === here.hash
	return isSound ? bad(broken.index - 1, 'altered', `Line ${broken.index - 1} was altered.`) : { ok: false, ...broken }
}

/** Both views together. Every line whose original hash is known from the head is judged by that hash alone. */
function meet(entries: readonly Entry[], broken: Break | undefined, head: StreamHead, signed: boolean): StreamVerdict {
	const { known, lost } = walkBack(entries, head)
	// Before the line that should hold event `lost` only the forward check can speak.
	if (broken && broken.index < lost - 1) return forward(entries, broken)
	let index = Math.min(entries.length, Math.max(0, lost - 1))
	while (index < Math.min(head.seq, entries.length) && entries[index]?.hash === known[index]) index++
	// A signature makes nobody's mistake right: what is no event, or does not follow, is refused even where the head stands for it.
	if (broken && broken.index <= index) return { ok: false, ...broken }
	if (index === entries.length && index === head.seq) return good(entries, signed)
	if (index === entries.length) return bad(index, 'truncated', `The head stands for ${head.seq} events; line ${index} is missing.`)
	if (index === head.seq) return bad(index, 'beyond-head', `The head ends before line ${index}.`)
	return bad(index, 'altered', `Line ${index} is not the event that the head stands for.`)
}

/**
 * Follows the hashes from the head towards the start, wherever in the file their lines are. `known`: the original hash of each line, by
 * index; `lost`: sequence of the last event whose bytes are nowhere in the file, 0 when all are there.
 */
function walkBack(entries: readonly Entry[], head: StreamHead): { known: readonly string[]; lost: number } {
	const byHash = new Map(entries.map((entry) => [entry.hash, entry.event]))
	const known: string[] = []
	let lost = head.seq
	for (let hash = head.hash; lost > 0; lost--) {
		known[lost - 1] = hash
		const event = byHash.get(hash)
		if (!event) break
		hash = event.prev
	}
	return { known, lost }
}
