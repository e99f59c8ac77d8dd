export const literal = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A word that may stand somewhere, to be compared by fours: the last four bytes overlap those before where its length wants that. */
export interface Word {
	readonly length: number
	readonly fours: Int32Array
}
export function wordOf(text: string): Word {
	const bytes = literal(text)
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
	return {
		length: bytes.length,
		fours: Int32Array.from({ length: Math.ceil(bytes.length / 4) }, (_, i) => view.getInt32(Math.min(i * 4, bytes.length - 4))),
	}
}

/** Printable ASCII that JSON writes as it is. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, code) => (code >= 0x20 && code <= 0x7e && code !== 0x22 && code !== 0x5c ? 1 : 0))

/** What two bytes, one behind the other, may be, as bits: in a UUID two digits, or what stands where a group ends, or begins with its version or variant. */
const [DIGITS, DASH_DIGIT, DIGIT_DASH, VERSION_DIGIT, DASH_VARIANT, PLAIN_PAIR] = [1, 2, 4, 8, 16, 32] as const
const PAIRS = new Uint8Array(65_536)
for (const [first, second, kind] of [
	['0123456789abcdef', '0123456789abcdef', DIGITS],
	['-', '0123456789abcdef', DASH_DIGIT],
	['0123456789abcdef', '-', DIGIT_DASH],
	['12345678', '0123456789abcdef', VERSION_DIGIT],
	['-', '89ab', DASH_VARIANT],
] as const)
	for (const a of literal(first)) for (const b of literal(second)) PAIRS[a * 256 + b] = (PAIRS[a * 256 + b] ?? 0) | kind
for (let pair = 0; pair < PAIRS.length; pair++) if (PLAIN[pair >> 8] === 1 && PLAIN[pair & 255] === 1) PAIRS[pair] = (PAIRS[pair] ?? 0) | PLAIN_PAIR
/** xxxxxxxx-xxxx-Vxxx-Nxxx-xxxxxxxxxxxx by pairs. */
const UUID = Uint8Array.of(
	...[DIGITS, DIGITS, DIGITS, DIGITS, DASH_DIGIT, DIGITS, DIGIT_DASH, VERSION_DIGIT, DIGITS],
	...[DASH_VARIANT, DIGITS, DIGIT_DASH, DIGITS, DIGITS, DIGITS, DIGITS, DIGITS, DIGITS],
)
/** The two digits of each byte, as they are read together. */
const HEX = Uint16Array.from({ length: 256 }, (_, byte) => {
	const [high = 0, low = 0] = literal(byte.toString(16).padStart(2, '0'))
	return high * 256 + low
})

const [QUOTE, OPEN, CLOSE, LIST, LIST_END, COMMA, COLON, MINUS, ZERO, NINE, SMALL_T, SMALL_F] = literal('"{}[],:-09tf')
const TRUE = wordOf('true')
const FALSE = wordOf('false')
/** Fifteen digits are below 2^53 whatever they are. */
const MOST_DIGITS = 15
const MOST_TEXT = 200
const HASH_DIGITS = 64
export const ID_LENGTH = 40
/** Deeper data is left to a parser, which knows its own limits. */
const MOST_DEPTH = 32

/**
 * A place in bytes that moves on over canonical JSON as long as that is plain ASCII. What is not there is not skipped: every method answers
 * whether it was, and only `skip` leaves the place where it was if not. Behind the end of the bytes nothing matches.
 */
export class Scan {
	readonly bytes: Uint8Array
	private readonly view: DataView
	at = 0

	constructor(bytes: Uint8Array) {
		this.bytes = bytes
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
	}

	skip({ length, fours }: Word): boolean {
		const at = this.at
		const last = at + length - 4
		if (last + 4 > this.bytes.length) return false
		const view = this.view
		const most = fours.length - 1
		for (let i = 0; i < most; i++) if (view.getInt32(at + i * 4) !== fours[i]) return false
		if (view.getInt32(last) !== fours[most]) return false
		this.at = at + length
		return true
	}

	skipByte(code: number | undefined): boolean {
		if (this.bytes[this.at] !== code) return false
		this.at++
		return true
	}

	/** An id of this prefix: a UUID of any version behind it. Does not move when it is not there. */
	skipId(prefix: Word): boolean {
		const start = this.at
		if (start + ID_LENGTH > this.bytes.length || !this.skip(prefix)) return false
		const view = this.view
		const at = this.at
		for (let i = 0; i < UUID.length; i++) {
			if (((PAIRS[view.getUint16(at + 2 * i)] ?? 0) & (UUID[i] ?? 0)) !== 0) continue
			this.at = start
			return false
		}
		this.at = at + 2 * UUID.length
		return true
	}

	skipHash(): boolean {
		const at = this.at
		if (at + HASH_DIGITS > this.bytes.length) return false
		const view = this.view
		for (let i = 0; i < HASH_DIGITS; i += 2) if (((PAIRS[view.getUint16(at + i)] ?? 0) & DIGITS) === 0) return false
		this.at = at + HASH_DIGITS
		return true
	}

	/** Are the digits that stand at `place` those of the hash? */
	isHex(place: number, hash: Uint8Array): boolean {
		if (place + 2 * hash.length > this.bytes.length) return false
		const view = this.view
		for (let i = 0; i < hash.length; i++) if (view.getUint16(place + 2 * i) !== HEX[hash[i] ?? 0]) return false
		return true
	}

	/** The number from 0 up that stands here; -1 when none does. */
	count(): number {
		const bytes = this.bytes
		const start = this.at
		let value = 0
		let at = start
		for (let code = bytes[at]; code !== undefined && code >= (ZERO ?? 0) && code <= (NINE ?? 0); code = bytes[++at])
			value = value * 10 + code - (ZERO ?? 0)
		const digits = at - start
		if (digits === 0 || digits > MOST_DIGITS || (digits > 1 && bytes[start] === ZERO)) return -1
		this.at = at
		return value
	}

	/** A quoted text. */
	skipText(): boolean {
		const bytes = this.bytes
		if (bytes[this.at] !== QUOTE) return false
		const view = this.view
		const last = bytes.length - 2
		let at = this.at + 1
		while (at <= last && ((PAIRS[view.getUint16(at)] ?? 0) & PLAIN_PAIR) !== 0) at += 2
		if (PLAIN[bytes[at] ?? 0] === 1) at++
		this.at = at + 1
		return bytes[at] === QUOTE
	}

	/** A quoted text of 1 to 200 characters. */
	skipShortText(): boolean {
		const start = this.at
		return this.skipText() && this.at - start > 2 && this.at - start <= MOST_TEXT + 2
	}

	skipObject(depth = 0): boolean {
		const bytes = this.bytes
		if (bytes[this.at] !== OPEN || depth > MOST_DEPTH) return false
		this.at++
		if (bytes[this.at] === CLOSE) {
			this.at++
			return true
		}
		let [before, beforeEnd] = [0, 0]
		for (;;) {
			const name = this.at
			if (!this.skipText()) return false
			const end = this.at
			// Sorted by code units, each name once: of ASCII that is the order of its bytes.
			if (before > 0 && !this.isBehind(before, beforeEnd, name, end)) return false
			before = name
			beforeEnd = end
			if (bytes[this.at++] !== COLON || !this.skipValue(depth)) return false
			const code = bytes[this.at++]
			if (code === CLOSE) return true
			if (code !== COMMA) return false
		}
	}

	/** Both places are those of the opening quotes, both ends behind the closing ones. */
	private isBehind(before: number, beforeEnd: number, name: number, end: number): boolean {
		const bytes = this.bytes
		const least = Math.min(beforeEnd - before, end - name) - 2
		for (let i = 1; i <= least; i++) {
			const difference = (bytes[name + i] ?? 0) - (bytes[before + i] ?? 0)
			if (difference !== 0) return difference > 0
		}
		return end - name > beforeEnd - before
	}

	private skipValue(depth: number): boolean {
		const code = this.bytes[this.at]
		if (code === QUOTE) return this.skipText()
		if (code === OPEN) return this.skipObject(depth + 1)
		if (code === LIST) return this.skipList(depth + 1)
		if (code === SMALL_T) return this.skip(TRUE)
		if (code === SMALL_F) return this.skip(FALSE)
		if (code !== MINUS) return this.count() >= 0
		this.at++
		// There is no minus before a zero.
		return this.count() > 0
	}

	private skipList(depth: number): boolean {
		const bytes = this.bytes
		if (depth > MOST_DEPTH) return false
		this.at++
		if (bytes[this.at] === LIST_END) {
			this.at++
			return true
		}
		for (;;) {
			if (!this.skipValue(depth)) return false
			const code = bytes[this.at++]
			if (code === LIST_END) return true
			if (code !== COMMA) return false
		}
	}
}

/** Words that come again and again, found by their bytes without making a text of them. */
export class Words<T> {
	private readonly found: { readonly word: Uint8Array; readonly value: T }[][] = Array.from({ length: SLOTS }, () => [])

	add(word: Uint8Array, value: T): T {
		this.found[slotOf(word, 0, word.length)]?.push({ word, value })
		return value
	}

	find(bytes: Uint8Array, start: number, end: number): T | undefined {
		const candidates = this.found[slotOf(bytes, start, end)]
		if (candidates === undefined) return undefined
		for (let i = 0; i < candidates.length; i++) {
			const one = candidates[i]
			if (one !== undefined && one.word.length === end - start && isAt(bytes, start, one.word)) return one.value
		}
		return undefined
	}
}

const SLOTS = 1024

/** Of the length and the end of a word: the ends of ids are random, and few names share theirs. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
	if (end - start < 4) return end - start
	const last = (bytes[end - 1] ?? 0) + (bytes[end - 2] ?? 0) * 31 + (bytes[end - 3] ?? 0) * 961 + (bytes[end - 4] ?? 0) * 29791
	return (last + end - start) & (SLOTS - 1)
}

function isAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
	for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
	return true
}
