/** What the chain of a log needs to know of an event; `stream` for a controller's, `tenant` for the server's. */
export type ChainFacts =
	| { readonly stream: string; readonly seq: number; readonly prev: string; readonly type: string; readonly tenant?: never }
	| { readonly tenant: string; readonly type: string; readonly stream?: never }

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
/** Fifteen digits are below 2^53 whatever they are. */
const COUNT = '(?:0|[1-9]\\d{0,14})'
/** Printable ASCII that JSON writes as it is. */
const TEXT = '[ !#-\\[\\]-~]{1,200}'
const sticky = (pattern: string) => new RegExp(pattern, 'y')
const EDGE_HEAD = sticky(
	`\\{(?:"actor":"(?:edge|staff|server|sub_${UUID})",)?"at":${COUNT},"bank":"bnk_${UUID}","bundle":${COUNT},"clock":"(?:good|uncertain)","data":`,
)
const EDGE_TAIL = sticky(
	`,"mono":${COUNT},"offline":(?:true|false),"prev":"([0-9a-f]{64})","seq":([1-9]\\d{0,14}),"stream":"(str_${UUID})","subject":"${TEXT}","type":"([a-z.-]+)","v":1\\}`,
)
const SERVER_HEAD = sticky(`\\{"actor":"(?:server|staff|sub_${UUID})","at":${COUNT},(?:"bank":"bnk_${UUID}",)?(?:"cause":"${TEXT}",)?"data":`)
const SERVER_TAIL = sticky(
	`,"id":"evt_${UUID}",(?:"site":"sit_${UUID}",)?"source":"server","subject":"${TEXT}","tenant":"(ten_${UUID})","type":"([a-z.-]+)","v":1\\}`,
)

/**
 * Reads the event that stands in `text` from `start` to `end`, if it is as plain as nearly all are: ASCII without escapes, numbers of at most
 * fifteen digits. Such a text is canonical and has the shape of an event when this answers, all but its type. Undefined says nothing: then
 * whoever asks must parse. A verifier reads millions of these, and parsing and writing each anew costs five times its hash.
 */
export function readPlainEvent(text: string, start: number, end: number): ChainFacts | undefined {
	const edge = matchAround(EDGE_HEAD, EDGE_TAIL, text, start, end)
	if (edge) return { prev: edge[1] ?? '', seq: Number(edge[2]), stream: edge[3] ?? '', type: edge[4] ?? '' }
	const server = matchAround(SERVER_HEAD, SERVER_TAIL, text, start, end)
	return server && { tenant: server[1] ?? '', type: server[2] ?? '' }
}

/** `data` stands between the two, and is an object. */
function matchAround(head: RegExp, tail: RegExp, text: string, start: number, end: number): RegExpExecArray | undefined {
	head.lastIndex = start
	if (!head.test(text) || text.charCodeAt(head.lastIndex) !== OPEN) return undefined
	const behind = skipPlain(text, head.lastIndex)
	if (behind < 0) return undefined
	tail.lastIndex = behind
	const found = tail.exec(text)
	return found !== null && tail.lastIndex === end ? found : undefined
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, LIST_END, COMMA, COLON, MINUS] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x2d]
const [ZERO, NINE] = [0x30, 0x39]
const MOST_DIGITS = 15

/** Where the canonical JSON value that begins at `at` ends; -1 when it is not plain. */
function skipPlain(text: string, at: number): number {
	switch (text.charCodeAt(at)) {
		case QUOTE:
			return skipText(text, at)
		case OPEN:
			return skipObject(text, at)
		case LIST:
			return skipList(text, at)
		default:
			if (text.startsWith('true', at)) return at + 4
			if (text.startsWith('false', at)) return at + 5
			return skipNumber(text, at)
	}
}

function skipText(text: string, at: number): number {
	for (let i = at + 1; ; i++) {
		const code = text.charCodeAt(i)
		if (code === QUOTE) return i + 1
		// Behind the end of the text the code is not a number, and no comparison holds.
		if (!(code >= 0x20 && code <= 0x7e) || code === BACKSLASH) return -1
	}
}

function skipObject(text: string, at: number): number {
	if (text.charCodeAt(at + 1) === CLOSE) return at + 2
	let before: string | undefined
	for (let i = at + 1; ; i++) {
		if (text.charCodeAt(i) !== QUOTE) return -1
		const colon = skipText(text, i)
		if (colon < 0 || text.charCodeAt(colon) !== COLON) return -1
		const name = text.slice(i + 1, colon - 1)
		if (before !== undefined && before >= name) return -1
		before = name
		i = skipPlain(text, colon + 1)
		const code = i < 0 ? 0 : text.charCodeAt(i)
		if (code === CLOSE) return i + 1
		if (code !== COMMA) return -1
	}
}

function skipList(text: string, at: number): number {
	if (text.charCodeAt(at + 1) === LIST_END) return at + 2
	for (let i = at + 1; ; i++) {
		i = skipPlain(text, i)
		const code = i < 0 ? 0 : text.charCodeAt(i)
		if (code === LIST_END) return i + 1
		if (code !== COMMA) return -1
	}
}

function skipNumber(text: string, at: number): number {
	const first = text.charCodeAt(at) === MINUS ? at + 1 : at
	let i = first
	while (text.charCodeAt(i) >= ZERO && text.charCodeAt(i) <= NINE) i++
	const digits = i - first
	// No leading zero, and no minus before a zero.
	if (digits === 0 || digits > MOST_DIGITS || (text.charCodeAt(first) === ZERO && (digits > 1 || first > at))) return -1
	return i
}
