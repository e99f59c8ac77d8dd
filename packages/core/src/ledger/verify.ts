import { type Crypto, canonical, fromBase64, toHex } from '../base/index.ts'
import { MAX_EVENT_BYTES, NO_PREVIOUS, type StreamEvent } from './event.ts'
import { shapeFault } from './shape.ts'
import { headBytes, type SignedHead } from './stream.ts'

/**
 * - `malformed`      not the canonical bytes of an event
 * - `other-stream`   an event of another stream
 * - `sequence`       not the next sequence number
 * - `previous-hash`  does not follow from the event before
 * - `altered`        fits its neighbours, yet is not what the signed head stands for
 * - `truncated`      the signed head stands for more events
 * - `beyond-head`    the signed head stands for fewer events
 * - `head-signature` the head itself is not signed by a known key
 */
export type StreamFault = 'malformed' | 'other-stream' | 'sequence' | 'previous-hash' | 'altered' | 'truncated' | 'beyond-head' | 'head-signature'

export type StreamVerdict =
	| { readonly ok: true; readonly count: number; readonly head: { readonly seq: number; readonly hash: string }; readonly signed: boolean }
	/** `index` counts lines from 0; the number of lines when something is missing at the end, or when the head is bad. */
	| { readonly ok: false; readonly index: number; readonly code: StreamFault; readonly text: string }

export interface VerifyTerms {
	readonly crypto: Crypto
	/** Without it the end of the stream is not fixed: missing last events go unnoticed, and a break is named only to within one line. */
	readonly head?: SignedHead
	/** Public keys of the controllers, by key id. */
	readonly keys?: ReadonlyMap<string, Uint8Array>
}

/**
 * Is this the whole stream as it was minted? If not, which line is the first that differs from the original?
 *
 * Forward, each event must be well formed and follow from the one before. A break at line f alone does not say whether f or f−1 was
 * touched. So the stream is also walked back from the signed head, whose hash authenticates the last event, whose `prev`
 * authenticates the one before, and so on up to the damage; there both views meet in one index.
 */
export function verifyStream(lines: Iterable<Uint8Array>, terms: VerifyTerms): StreamVerdict {
	const { head, keys, crypto } = terms
	const entries = Array.from(lines, (bytes) => readEntry(bytes, crypto))
	if (head && !isHeadGenuine(head, keys, crypto))
		return bad(entries.length, 'head-signature', 'The head of the stream is not signed by a known controller.')
	const broken = firstBreak(entries, head?.stream)
	if (head) return meet(entries, broken, head)
	if (broken)
		return isPredecessorTouched(entries, broken)
			? bad(broken.index - 1, 'altered', `Event ${broken.index - 1} was altered.`)
			: { ok: false, ...broken }
	return good(entries, false)
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

function readEntry(bytes: Uint8Array, crypto: Crypto): Entry {
	const hash = toHex(crypto.sha256(bytes))
	if (bytes.length > MAX_EVENT_BYTES) return { hash, fault: `it has ${bytes.length} bytes` }
	try {
		const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
		const value: unknown = JSON.parse(text)
		const fault = shapeFault(value) ?? (canonical(value) === text ? undefined : 'its bytes are not canonical')
		return fault === undefined ? { hash, event: value as StreamEvent } : { hash, fault }
	} catch {
		return { hash, fault: 'it is not canonical JSON' }
	}
}

function isHeadGenuine(head: SignedHead, keys: VerifyTerms['keys'], crypto: Crypto): boolean {
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

/** Without a head: if the line after the break builds on the line at the break, then that one is as minted and its predecessor is not. */
function isPredecessorTouched(entries: readonly Entry[], { index, code }: Break): boolean {
	const here = entries[index]
	return code === 'previous-hash' && here !== undefined && entries[index + 1]?.event?.prev === here.hash
}

function meet(entries: readonly Entry[], broken: Break | undefined, head: SignedHead): StreamVerdict {
	const { position, missing, hash } = walkBack(entries, head)
	if (missing === 0 && position === 0) return good(entries, true)
	// Events 1 … `missing` are not reached from the head. If the last of them stands where it belongs, it vouches for all before it,
	// and what lies between it and the authenticated end was put in.
	const standsWhole = missing === 0 || entries[missing - 1]?.hash === hash
	if (standsWhole) {
		const atEnd = position === entries.length
		return bad(missing, atEnd ? 'beyond-head' : 'sequence', atEnd ? `The signed head ends before line ${missing}.` : `Line ${missing} was put in.`)
	}
	if (broken && broken.index < missing) return { ok: false, ...broken }
	if (entries.length < head.seq && !broken)
		return bad(entries.length, 'truncated', `The signed head stands for ${head.seq} events; ${entries.length} are here.`)
	return bad(missing - 1, 'altered', `Event ${missing - 1} is not the one that the signed head stands for.`)
}

/**
 * Goes from the head towards the start as long as the hashes fit. `position`: lines from here on are authenticated; `missing`: how many
 * events the original has before them; `hash`: of the last of those.
 */
function walkBack(entries: readonly Entry[], head: SignedHead): { position: number; missing: number; hash: string } {
	let position = entries.length
	let missing = head.seq
	let hash = head.hash
	while (position > 0 && missing > 0) {
		const entry = entries[position - 1]
		if (!entry?.event || entry.hash !== hash) break
		hash = entry.event.prev
		position--
		missing--
	}
	return { position, missing, hash }
}
