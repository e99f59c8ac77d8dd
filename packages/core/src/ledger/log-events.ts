import { type Crypto, canonical, toHex } from '../base/index.ts'
import { MAX_EVENT_BYTES, type StreamEvent } from './event.ts'
import { type ChainFacts, readPlainEvent } from './plain-event.ts'
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
	/** What is wrong with the next entry; undefined when nothing is. `text`: one character a byte; the entry stands in it at `at`. */
	take(entry: Uint8Array, text?: string, at?: number): FaultyEntry | undefined
	streams(): ReadonlyMap<string, StreamEnd>
	/** How many entries the server minted itself. */
	readonly ofServer: number
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const oneCharacterAByte = new TextDecoder('latin1')
export const asText = (bytes: Uint8Array): string => oneCharacterAByte.decode(bytes)

export function readEvents(sha256: Crypto['sha256']): EventReader {
	const streams = new Map<string, { seq: number; hash: Uint8Array }>()
	let tenant: string | undefined
	let ofServer = 0
	return {
		streams: () => new Map([...streams].map(([stream, { seq, hash }]) => [stream, { seq, hash: toHex(hash) }])),
		get ofServer() {
			return ofServer
		},
		take(entry, text = asText(entry), at = 0) {
			const facts = factsOf(entry, text, at)
			if (typeof facts === 'string') return { code: 'malformed', text: `it is not an event: ${facts}` }
			if (facts.tenant !== undefined) {
				tenant ??= facts.tenant
				ofServer++
				return facts.tenant === tenant ? undefined : { code: 'other-tenant', text: `it belongs to ${facts.tenant}` }
			}
			const { stream, seq, prev } = facts
			const before = streams.get(stream) ?? { seq: 0, hash: NOTHING }
			if (seq !== before.seq + 1) return { code: 'sequence', text: `it is number ${seq} of ${stream}; ${before.seq + 1} comes here` }
			if (!isHexOf(prev, before.hash)) return { code: 'previous-hash', text: `it does not follow from number ${before.seq} of ${stream}` }
			streams.set(stream, { seq, hash: sha256(entry) })
			return undefined
		},
	}
}

const NOTHING = new Uint8Array(32)
const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

function isHexOf(text: string, bytes: Uint8Array): boolean {
	for (let i = 0; i < bytes.length; i++) {
		const byte = bytes[i] ?? 0
		if (text.charCodeAt(2 * i) !== DIGITS[byte >> 4] || text.charCodeAt(2 * i + 1) !== DIGITS[byte & 15]) return false
	}
	return text.length === 2 * bytes.length
}

/** The short way for nearly all entries, the long way for the rest; words when it is no event. */
function factsOf(entry: Uint8Array, text: string, at: number): ChainFacts | string {
	const plain = entry.length <= MAX_EVENT_BYTES ? readPlainEvent(text, at, at + entry.length) : undefined
	if (plain && (plain.tenant === undefined ? EDGE_TYPES : SERVER_TYPES).has(plain.type)) return plain
	const { event, fault } = readLogEvent(entry)
	if (!event) return fault
	return 'source' in event ? { tenant: event.tenant, type: event.type } : event
}

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
