import { literal, Scan } from './scan.ts'

/** Where things stand in an event's bytes that the chain of a log needs: a controller's has a `stream`, the server's a `tenant`. */
export type PlainEvent = PlainEdgeEvent | PlainServerEvent
interface Typed {
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

const word = {
	open: literal('{'),
	actor: literal('"actor":"'),
	edge: literal('edge"'),
	staff: literal('staff"'),
	server: literal('server"'),
	quote: literal('"'),
	comma: literal(','),
	at: literal('"at":'),
	bank: literal(',"bank":"'),
	bundle: literal('","bundle":'),
	clock: literal(',"clock":"'),
	good: literal('good'),
	uncertain: literal('uncertain'),
	edgeData: literal('","data":'),
	mono: literal(',"mono":'),
	offline: literal(',"offline":'),
	true: literal('true'),
	false: literal('false'),
	prev: literal(',"prev":"'),
	seq: literal('","seq":'),
	stream: literal(',"stream":"'),
	subject: literal('","subject":'),
	edgeType: literal(',"type":"'),
	cause: literal(',"cause":'),
	data: literal(',"data":'),
	id: literal(',"id":"'),
	site: literal('","site":"'),
	source: literal('","source":"server","subject":'),
	tenant: literal(',"tenant":"'),
	type: literal('","type":"'),
	end: literal('","v":1}'),
}
const prefix = {
	subject: literal('sub_'),
	bank: literal('bnk_'),
	stream: literal('str_'),
	event: literal('evt_'),
	site: literal('sit_'),
	tenant: literal('ten_'),
}

/**
 * Reads the event that lies in `bytes` from `start` to `end`, if it is as plain as nearly all are: ASCII without escapes, numbers of at most
 * fifteen digits. Such bytes are canonical and have the shape of an event when this answers, all but its type. Undefined says nothing: then
 * whoever asks must parse. A verifier reads millions of these, and parsing and writing each anew costs many times its hash.
 */
export function readPlainEvent(bytes: Uint8Array, start: number, end: number): PlainEvent | undefined {
	const scan = new Scan(bytes, start)
	if (!scan.skip(word.open)) return undefined
	let actor: 'none' | 'edge' | 'other' = 'none'
	if (scan.skip(word.actor)) {
		actor = scan.skip(word.edge) ? 'edge' : 'other'
		const isOther = scan.skip(word.staff) || scan.skip(word.server) || (scan.skipId(prefix.subject) && scan.skip(word.quote))
		if ((actor === 'other' && !isOther) || !scan.skip(word.comma)) return undefined
	}
	if (!scan.skip(word.at) || scan.count() < 0) return undefined
	if (scan.skip(word.bank)) {
		if (!scan.skipId(prefix.bank)) return undefined
		if (scan.skip(word.bundle)) return edgeEvent(scan, end)
		if (!scan.skip(word.quote)) return undefined
	}
	return actor === 'other' ? serverEvent(scan, end) : undefined
}

function edgeEvent(scan: Scan, end: number): PlainEdgeEvent | undefined {
	if (scan.count() < 0 || !scan.skip(word.clock) || !(scan.skip(word.good) || scan.skip(word.uncertain))) return undefined
	if (!scan.skip(word.edgeData) || !scan.skipObject() || !scan.skip(word.mono) || scan.count() < 0) return undefined
	if (!scan.skip(word.offline) || !(scan.skip(word.false) || scan.skip(word.true)) || !scan.skip(word.prev)) return undefined
	const prev = scan.at
	if (!scan.skipHash() || !scan.skip(word.seq)) return undefined
	const seq = scan.count()
	if (seq < 1 || !scan.skip(word.stream)) return undefined
	const stream = scan.at
	if (!scan.skipId(prefix.stream) || !scan.skip(word.subject) || !scan.skipShortText() || !scan.skip(word.edgeType)) return undefined
	const type = scan.at
	return endsAt(scan, end) ? { prev, seq, stream, type, typeEnd: end - word.end.length } : undefined
}

function serverEvent(scan: Scan, end: number): PlainServerEvent | undefined {
	if (scan.skip(word.cause) && !scan.skipShortText()) return undefined
	if (!scan.skip(word.data) || !scan.skipObject() || !scan.skip(word.id) || !scan.skipId(prefix.event)) return undefined
	if (scan.skip(word.site) && !scan.skipId(prefix.site)) return undefined
	if (!scan.skip(word.source) || !scan.skipShortText() || !scan.skip(word.tenant)) return undefined
	const tenant = scan.at
	if (!scan.skipId(prefix.tenant) || !scan.skip(word.type)) return undefined
	const type = scan.at
	return endsAt(scan, end) ? { tenant, type, typeEnd: end - word.end.length } : undefined
}

/** The type is looked up in a list by whoever asks: it is enough that the event ends behind it. */
function endsAt(scan: Scan, end: number): boolean {
	scan.at = Math.max(scan.at, end - word.end.length)
	return scan.skip(word.end) && scan.at === end
}
