export const literal = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Classes of bytes, as a table. */
const table = (members: string): Uint8Array => Uint8Array.from({ length: 256 }, (_, code) => (members.includes(String.fromCharCode(code)) ? 1 : 0))
const HEX = table('0123456789abcdef')
/** What may stand at each place of a UUID, as bits: a digit, a dash, a version, a variant. */
const [DIGIT, DASH, VERSION, VARIANT] = [1, 2, 4, 8] as const
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
	const has = (members: string, kind: number) => (members.includes(String.fromCharCode(code)) ? kind : 0)
	return has('0123456789abcdef', DIGIT) | has('-', DASH) | has('12345678', VERSION) | has('89ab', VARIANT)
})
const UUID = Uint8Array.from('xxxxxxxx-xxxx-Vxxx-Nxxx-xxxxxxxxxxxx', (mark) => ({ '-': DASH, V: VERSION, N: VARIANT })[mark] ?? DIGIT)
/** Printable ASCII that JSON writes as it is. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, code) => (code >= 0x20 && code <= 0x7e && code !== 0x22 && code !== 0x5c ? 1 : 0))

const [QUOTE, OPEN, CLOSE, LIST, LIST_END, COMMA, COLON, MINUS, ZERO, NINE, SMALL_T, SMALL_F] = literal('"{}[],:-09tf')
const TRUE = literal('true')
const FALSE = literal('false')
/** Fifteen digits are below 2^53 whatever they are. */
const MOST_DIGITS = 15
const MOST_TEXT = 200
export const HASH_DIGITS = 64
export const ID_LENGTH = 40
/** Deeper data is left to a parser, which knows its own limits. */
const MOST_DEPTH = 32

/**
 * A place in bytes that moves on over canonical JSON as long as that is plain ASCII. What is not there is not skipped: every method answers
 * whether it was, and only `skip` leaves the place where it was if not. Behind the end of the bytes nothing matches.
 */
export class Scan {
	private readonly bytes: Uint8Array
	at: number

	constructor(bytes: Uint8Array, at: number) {
		this.bytes = bytes
		this.at = at
	}

	skip(wanted: Uint8Array): boolean {
		const bytes = this.bytes
		const at = this.at
		for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
		this.at = at + wanted.length
		return true
	}

	/** An id of this prefix: a UUID of any version behind it. Does not move when it is not there. */
	skipId(prefix: Uint8Array): boolean {
		const bytes = this.bytes
		const start = this.at
		if (!this.skip(prefix)) return false
		const at = this.at
		for (let i = 0; i < UUID.length; i++) {
			if (((KINDS[bytes[at + i] ?? 0] ?? 0) & (UUID[i] ?? 0)) !== 0) continue
			this.at = start
			return false
		}
		this.at = at + UUID.length
		return true
	}

	skipHash(): boolean {
		const bytes = this.bytes
		const at = this.at
		for (let i = 0; i < HASH_DIGITS; i++) if (HEX[bytes[at + i] ?? 0] !== 1) return false
		this.at = at + HASH_DIGITS
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
		let at = this.at + 1
		while (PLAIN[bytes[at] ?? 0] === 1) at++
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
	private readonly found = new Map<number, { readonly word: Uint8Array; readonly value: T }[]>()

	add(word: Uint8Array, value: T): T {
		const key = keyOf(word, 0, word.length)
		this.found.set(key, [...(this.found.get(key) ?? []), { word, value }])
		return value
	}

	find(bytes: Uint8Array, start: number, end: number): T | undefined {
		const candidates = this.found.get(keyOf(bytes, start, end))
		if (candidates === undefined) return undefined
		for (const { word, value } of candidates) if (word.length === end - start && isAt(bytes, start, word)) return value
		return undefined
	}
}

/** Of the length and the end of a word: the ends of ids are random, and few names share theirs. */
function keyOf(bytes: Uint8Array, start: number, end: number): number {
	let key = end - start
	for (let at = Math.max(start, end - 8); at < end; at++) key = (Math.imul(key, 31) + (bytes[at] ?? 0)) & 0x3fffffff
	return key
}

function isAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
	for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
	return true
}
