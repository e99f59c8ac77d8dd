import { type Scan, wordOf } from './scan.ts'

/** Where things stand in an event's bytes that the chain of a log needs: a controller's has a `stream`, the server's a `tenant`. */
export type PlainEvent = PlainEdgeEvent | PlainServerEvent
interface Typed {
	/** In whose bytes everything stands at its place. */
	readonly in: Scan
	readonly type: number
	readonly typeEnd: number
}
/** `prev` and `stream` are places: 64 digits, an id. */
export interface PlainEdgeEvent extends Typed {
	readonly prev: number
	readonly seq: number
	readonly stream: number
}
export interface PlainServerEvent extends Typed {
	readonly tenant: number
	readonly stream?: never
}

const [OPEN, QUOTE, COMMA] = [0x7b, 0x22, 0x2c]
const word = {
	actor: wordOf('"actor":"'),
	edge: wordOf('edge"'),
	staff: wordOf('staff"'),
	server: wordOf('server"'),
	at: wordOf('"at":'),
	bank: wordOf(',"bank":"'),
	bundle: wordOf('","bundle":'),
	clock: wordOf(',"clock":"'),
	good: wordOf('good","data":'),
	uncertain: wordOf('uncertain","data":'),
	mono: wordOf(',"mono":'),
	offline: wordOf(',"offline":'),
	true: wordOf('true,"prev":"'),
	false: wordOf('false,"prev":"'),
	seq: wordOf('","seq":'),
	stream: wordOf(',"stream":"'),
	subject: wordOf('","subject":'),
	edgeType: wordOf(',"type":"'),
	cause: wordOf(',"cause":'),
	data: wordOf(',"data":'),
	id: wordOf(',"id":"'),
	site: wordOf('","site":"'),
	source: wordOf('","source":"server","subject":'),
	tenant: wordOf(',"tenant":"'),
	type: wordOf('","type":"'),
	end: wordOf('","v":1}'),
}
const prefix = {
	subject: wordOf('sub_'),
	bank: wordOf('bnk_'),
	stream: wordOf('str_'),
	event: wordOf('evt_'),
	site: wordOf('sit_'),
	tenant: wordOf('ten_'),
}

/**
 * Reads the event that lies in `bytes` from `start` to `end`, if it is as plain as nearly all are: ASCII without escapes, numbers of at most
 * fifteen digits. Such bytes are canonical and have the shape of an event when this answers, all but its type. Undefined says nothing: then
 * whoever asks must parse. A verifier reads millions of these, and parsing and writing each anew costs many times its hash.
 */
export function readPlainEvent(scan: Scan, start: number, end: number): PlainEvent | undefined {
	scan.at = start
	if (!scan.skipByte(OPEN)) return undefined
	let actor: 'none' | 'edge' | 'other' = 'none'
	if (scan.skip(word.actor)) {
		actor = scan.skip(word.edge) ? 'edge' : 'other'
		const isOther = scan.skip(word.staff) || scan.skip(word.server) || (scan.skipId(prefix.subject) && scan.skipByte(QUOTE))
		if ((actor === 'other' && !isOther) || !scan.skipByte(COMMA)) return undefined
	}
	if (!scan.skip(word.at) || scan.count() < 0) return undefined
	if (scan.skip(word.bank)) {
		if (!scan.skipId(prefix.bank)) return undefined
		if (scan.skip(word.bundle)) return edgeEvent(scan, end)
		if (!scan.skipByte(QUOTE)) return undefined
	}
	return actor === 'other' ? serverEvent(scan, end) : undefined
}

function edgeEvent(scan: Scan, end: number): PlainEdgeEvent | undefined {
	if (scan.count() < 0 || !scan.skip(word.clock) || !(scan.skip(word.good) || scan.skip(word.uncertain))) return undefined
	if (!scan.skipObject() || !scan.skip(word.mono) || scan.count() < 0) return undefined
	if (!scan.skip(word.offline) || !(scan.skip(word.false) || scan.skip(word.true))) return undefined
	const prev = scan.at
	if (!scan.skipHash() || !scan.skip(word.seq)) return undefined
	const seq = scan.count()
	if (seq < 1 || !scan.skip(word.stream)) return undefined
	const stream = scan.at
	if (!scan.skipId(prefix.stream) || !scan.skip(word.subject) || !scan.skipShortText() || !scan.skip(word.edgeType)) return undefined
	const type = scan.at
	return endsAt(scan, end) ? { in: scan, prev, seq, stream, type, typeEnd: end - word.end.length } : undefined
}

function serverEvent(scan: Scan, end: number): PlainServerEvent | undefined {
	if (scan.skip(word.cause) && !scan.skipShortText()) return undefined
	if (!scan.skip(word.data) || !scan.skipObject() || !scan.skip(word.id) || !scan.skipId(prefix.event)) return undefined
	if (scan.skip(word.site) && !scan.skipId(prefix.site)) return undefined
	if (!scan.skip(word.source) || !scan.skipShortText() || !scan.skip(word.tenant)) return undefined
	const tenant = scan.at
	if (!scan.skipId(prefix.tenant) || !scan.skip(word.type)) return undefined
	const type = scan.at
	return endsAt(scan, end) ? { in: scan, tenant, type, typeEnd: end - word.end.length } : undefined
}

/** The type is looked up in a list by whoever asks: it is enough that the event ends behind it. */
function endsAt(scan: Scan, end: number): boolean {
	scan.at = Math.max(scan.at, end - word.end.length)
	return scan.skip(word.end) && scan.at === end
}
