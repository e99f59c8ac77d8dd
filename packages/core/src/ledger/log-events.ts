import { type Crypto, canonical, toHex } from '../base/index.ts'
import { MAX_EVENT_BYTES, type StreamEvent } from './event.ts'
import { readPlainEvent } from './plain-event.ts'
import { ID_LENGTH, literal, Scan, Words } from './scan.ts'
import { SERVER_TYPES, type ServerEvent, serverEventFault } from './server-event.ts'
import { EDGE_TYPES, shapeFault } from './shape.ts'
import { type OpenBundle, startOf } from './tiles.ts'

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
	/** What is wrong with the next entry, of which `readFacts` said this; undefined when nothing is. */
	take(facts: EntryFacts | undefined, entry: Uint8Array): FaultyEntry | undefined
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
	const takeServers = (bytes: Uint8Array, at: number): FaultyEntry | undefined => {
		ofServer++
		if (tenants.find(bytes, at, at + ID_LENGTH) !== undefined) return undefined
		const tenant = bytes.slice(at, at + ID_LENGTH)
		if (ofServer > 1) return { code: 'other-tenant', text: `it belongs to ${text(tenant)}` }
		tenants.add(tenant, text(tenant))
		return undefined
	}
	return {
		streams: () => new Map(streams.map(({ stream, seq, hash }) => [stream, { seq, hash: toHex(hash) }])),
		get ofServer() {
			return ofServer
		},
		take(facts = { fault: 'it is not there' }, entry) {
			if ('fault' in facts) return { code: 'malformed', text: `it is not an event: ${facts.fault}` }
			if (facts.stream === undefined) return takeServers(facts.in.bytes, facts.tenant)
			const { in: scan, stream, seq } = facts
			const before = known.find(scan.bytes, stream, stream + ID_LENGTH) ?? begin(scan.bytes.slice(stream, stream + ID_LENGTH))
			if (seq !== before.seq + 1) return { code: 'sequence', text: `it is number ${seq} of ${before.stream}; ${before.seq + 1} comes here` }
			if (!scan.isHex(facts.prev, before.hash))
				return { code: 'previous-hash', text: `it does not follow from number ${before.seq} of ${before.stream}` }
			before.seq = seq
			before.hash = sha256(entry)
			return undefined
		},
	}
}

const NOTHING = new Uint8Array(32)
/** What the chain needs to know, as places `in` bytes: of ids, and of 64 digits. */
export type EntryFacts =
	| { readonly in: Scan; readonly stream: number; readonly seq: number; readonly prev: number }
	| { readonly in: Scan; readonly stream?: never; readonly tenant: number }
	| { readonly fault: string }

const wordsOf = (types: ReadonlySet<unknown>): Words<true> => {
	const words = new Words<true>()
	for (const type of types) words.add(literal(String(type)), true)
	return words
}
const EDGE_WORDS = wordsOf(EDGE_TYPES)
const SERVER_WORDS = wordsOf(SERVER_TYPES)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Is each entry of a bundle an event, and what does it say of its place? */
export function readFacts({ bytes, ends }: OpenBundle): EntryFacts[] {
	const scan = new Scan(bytes)
	return ends.map((end, i) => factsOf(scan, startOf(ends, i), end))
}

function factsOf(scan: Scan, start: number, end: number): EntryFacts {
	const { bytes } = scan
	// The short way, for nearly all entries.
	const plain = end - start <= MAX_EVENT_BYTES ? readPlainEvent(scan, start, end) : undefined
	if (plain && (plain.stream === undefined ? SERVER_WORDS : EDGE_WORDS).find(bytes, plain.type, plain.typeEnd)) return plain
	const { event, fault } = readLogEvent(bytes.subarray(start, end))
	if (!event) return { fault }
	if ('source' in event) return { in: new Scan(literal(event.tenant)), tenant: 0 }
	return { in: new Scan(literal(event.stream + event.prev)), stream: 0, seq: event.seq, prev: ID_LENGTH }
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
