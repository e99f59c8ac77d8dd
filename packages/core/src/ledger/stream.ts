import { type Crypto, canonicalBytes, Fault, type Id, type Sign, toBase64, toHex } from '../base/index.ts'
import { type EventDraft, MAX_EVENT_BYTES, NO_PREVIOUS, type StreamEvent } from './event.ts'
import { shapeFault } from './shape.ts'

/** Where a stream stands: what the journal and the mark file keep. A stream is one life of an edge database; a reboot does not start one. */
export interface StreamHead {
	readonly stream: Id<'stream'>
	/** Sequence of the last event; 0 for an empty stream. */
	readonly seq: number
	/** Hex SHA-256 of the last event's bytes; 64 zeros for an empty stream. */
	readonly hash: string
}

/** What the controller knows at the moment of minting. */
export interface MintContext {
	readonly bank: Id<'bank'>
	/** Milliseconds; fractions are cut off. */
	readonly at: number
	readonly mono: number
	readonly clock: StreamEvent['clock']
	readonly bundle: number
	readonly offline: boolean
	readonly sha256: Crypto['sha256']
}
export interface Minted {
	readonly event: StreamEvent
	readonly bytes: Uint8Array
	readonly head: StreamHead
}

/** A new stream; its first event must be `streamStarted()`. */
export const openStream = (stream: Id<'stream'>): StreamHead => ({ stream, seq: 0, hash: NO_PREVIOUS })

/** The first event of a stream. `after`: the mark of the stream whose history was lost, so that the gap has a name (trust.md §3.6). */
export function streamStarted(controller: string, after?: StreamHead): EventDraft {
	const lost = after && { stream: after.stream, seq: after.seq, hash: after.hash }
	return { type: 'stream.started', subject: controller, actor: 'edge', data: lost ? { after: lost } : {} }
}

/** Makes the next event. Throws `event-invalid` when the draft cannot be written; the head is then unchanged. */
export function mint(head: StreamHead, draft: EventDraft, context: MintContext): Minted {
	const event: StreamEvent = {
		v: 1,
		stream: head.stream,
		seq: head.seq + 1,
		prev: head.hash,
		type: draft.type,
		subject: draft.subject,
		...(draft.actor === undefined ? {} : { actor: draft.actor }),
		bank: context.bank,
		at: Math.floor(context.at),
		mono: Math.floor(context.mono),
		clock: context.clock,
		bundle: context.bundle,
		offline: context.offline,
		data: draft.data,
	}
	const fault = shapeFault(event)
	if (fault) throw new Fault('event-invalid', `${draft.type} cannot be recorded: ${fault}`)
	const bytes = canonicalBytes(event)
	if (bytes.length > MAX_EVENT_BYTES) throw new Fault('event-invalid', `${draft.type} has ${bytes.length} bytes; ${MAX_EVENT_BYTES} are allowed.`)
	return { event, bytes, head: { stream: event.stream, seq: event.seq, hash: toHex(context.sha256(bytes)) } }
}

/** A head that the controller has signed: it fixes the whole stream up to `seq`, and that there are so many events. */
export interface SignedHead extends StreamHead {
	readonly format: 'latchwork-head/1'
	readonly at: number
	readonly keyId: string
	/** Base64 Ed25519 over the canonical bytes of all other fields. */
	readonly signature: string
}

export function signHead(head: StreamHead, at: number, keyId: string, sign: Sign): SignedHead {
	const statement = { format: 'latchwork-head/1', stream: head.stream, seq: head.seq, hash: head.hash, at, keyId } as const
	return { ...statement, signature: toBase64(sign(canonicalBytes(statement))) }
}

/** The bytes under a head's signature. */
export function headBytes({ signature: _, ...statement }: SignedHead): Uint8Array {
	return canonicalBytes(statement)
}
