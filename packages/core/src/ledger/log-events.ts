import { type Crypto, canonical, toHex } from '../base/index.ts'
import { MAX_EVENT_BYTES, type StreamEvent } from './event.ts'
import { type PlainEvent, readPlainEvent } from './plain-event.ts'
import { HASH_DIGITS, ID_LENGTH, literal, Words } from './scan.ts'
import { SERVER_TYPES, type ServerEvent, serverEventFault } from './server-event.ts'
import { EDGE_TYPES, shapeFault } from './shape.ts'

/**
 * - `malformed`     not the canonical bytes of an event
 * - `other-tenant`  minted for another tenant than the entries before
 * - `sequence`      not the next of its stream
 * - `previous-hash` does not follow from the event before it in its stream
 */
export type EntryFault = 'malformed' | 'other-tenant' | 'sequence' | 'previous-hash'
export interface FaultyEntry {
	readonly code: EntryFault
	readonly text: string
}

/** Where a controller's stream ends inside the log: to be held against what the controller itself has signed. */
export interface StreamEnd {
	readonly seq: number
	/** Hex SHA-256 of its last event. */
	readonly hash: string
}

/** Reads a log's entries one after the other: are they events, and does each stream follow from its beginning without a gap? */
export interface EventReader {
	/** What is wrong with the next entry, which lies in `bytes`; undefined when nothing is. */
	take(bytes: Uint8Array, start?: number, end?: number): FaultyEntry | undefined
	streams(): ReadonlyMap<string, StreamEnd>
	/** How many entries the server minted itself. */
	readonly ofServer: number
}

interface Standing {
	readonly stream: string
	seq: number
	hash: Uint8Array
}

export function readEvents(sha256: Crypto['sha256']): EventReader {
	const streams: Standing[] = []
	const known = new Words<Standing>()
	const tenants = new Words<string>()
	let ofServer = 0
	const begin = (id: Uint8Array): Standing => {
		const standing = { stream: text(id), seq: 0, hash: NOTHING }
		streams.push(standing)
		return known.add(id, standing)
	}
	const takeServers = (tenant: Uint8Array): FaultyEntry | undefined => {
		ofServer++
		if (tenants.find(tenant, 0, tenant.length) !== undefined) return undefined
		if (ofServer > 1) return { code: 'other-tenant', text: `it belongs to ${text(tenant)}` }
		tenants.add(tenant.slice(), text(tenant))
		return undefined
	}
	return {
		streams: () => new Map(streams.map(({ stream, seq, hash }) => [stream, { seq, hash: toHex(hash) }])),
		get ofServer() {
			return ofServer
		},
		take(bytes, start = 0, end = bytes.length) {
			const plain = end - start <= MAX_EVENT_BYTES ? readPlainEvent(bytes, start, end) : undefined
			const isKnown = plain && (plain.stream === undefined ? SERVER_WORDS : EDGE_WORDS).find(bytes, plain.type, plain.typeEnd)
			const facts = plain && isKnown ? plainFacts(bytes, plain) : parsedFacts(bytes.subarray(start, end))
			if ('fault' in facts) return { code: 'malformed', text: `it is not an event: ${facts.fault}` }
			if (facts.stream === undefined) return takeServers(facts.tenant)
			const { stream, seq } = facts
			const before = known.find(stream, 0, stream.length) ?? begin(stream.slice())
			if (seq !== before.seq + 1) return { code: 'sequence', text: `it is number ${seq} of ${before.stream}; ${before.seq + 1} comes here` }
			if (!isHexOf(facts.prev, before.hash))
				return { code: 'previous-hash', text: `it does not follow from number ${before.seq} of ${before.stream}` }
			before.seq = seq
			before.hash = sha256(bytes.subarray(start, end))
			return undefined
		},
	}
}

const NOTHING = new Uint8Array(32)
const [HIGH, LOW] = [4, 0].map((shift) => Uint8Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.charCodeAt((byte >> shift) & 15)))

function isHexOf(digits: Uint8Array, hash: Uint8Array): boolean {
	for (let i = 0, place = 0; i < hash.length; i++) {
		const byte = hash[i] ?? 0
		if (digits[place++] !== HIGH?.[byte] || digits[place++] !== LOW?.[byte]) return false
	}
	return true
}

/** What the chain needs to know, as the bytes of its text. */
type ChainFacts =
	| { readonly stream: Uint8Array; readonly seq: number; readonly prev: Uint8Array }
	| { readonly stream?: never; readonly tenant: Uint8Array }
	| { readonly fault: string }

const wordsOf = (types: ReadonlySet<unknown>): Words<true> => {
	const words = new Words<true>()
	for (const type of types) words.add(literal(String(type)), true)
	return words
}
const EDGE_WORDS = wordsOf(EDGE_TYPES)
const SERVER_WORDS = wordsOf(SERVER_TYPES)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** The short way, for nearly all entries. */
function plainFacts(bytes: Uint8Array, plain: PlainEvent): ChainFacts {
	if (plain.stream === undefined) return { tenant: bytes.subarray(plain.tenant, plain.tenant + ID_LENGTH) }
	return {
		stream: bytes.subarray(plain.stream, plain.stream + ID_LENGTH),
		seq: plain.seq,
		prev: bytes.subarray(plain.prev, plain.prev + HASH_DIGITS),
	}
}

/** The long way, for the rest. */
function parsedFacts(entry: Uint8Array): ChainFacts {
	const { event, fault } = readLogEvent(entry)
	if (!event) return { fault }
	if ('source' in event) return { tenant: literal(event.tenant) }
	return { stream: literal(event.stream), seq: event.seq, prev: literal(event.prev) }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type ReadLogEvent = { readonly event: StreamEvent | ServerEvent; readonly fault?: never } | { readonly event?: never; readonly fault: string }

/** Are these the canonical bytes of an event, a controller's or the server's? */
export function readLogEvent(bytes: Uint8Array): ReadLogEvent {
	if (bytes.length > MAX_EVENT_BYTES) return { fault: `it has ${bytes.length} bytes` }
	try {
		const text = utf8.decode(bytes)
		const value: unknown = JSON.parse(text)
		const isServers = typeof value === 'object' && value !== null && 'source' in value
		const fault = (isServers ? serverEventFault(value) : shapeFault(value)) ?? (canonical(value) === text ? undefined : 'its bytes are not canonical')
		return fault === undefined ? { event: value as StreamEvent | ServerEvent } : { fault }
	} catch {
		return { fault: 'it is not canonical JSON' }
	}
}
