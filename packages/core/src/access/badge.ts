import { fromHex, toHex } from '../base/index.ts'

/**
 * Badge numbers in one normal form (hardware.md §2.2). The form keeps what tells two badges apart: the facility code, and for
 * unknown formats every bit and how many there were, because the same number under another facility code is another person.
 *
 * - `h10301:FC:NUMBER`  26 bits: even parity over the first 12 data bits, facility 8, number 16, odd parity over the last 12
 * - `h10302:NUMBER`     37 bits: even parity over the first 18 data bits, number 35, odd parity over the last 18 (they share one bit)
 * - `raw:BITCOUNT:HEX`  anything else, left-aligned bits, unused bits zero
 */
export interface BadgeBits {
	readonly bitCount: number
	/** Left-aligned, as a reader delivers them. */
	readonly bits: Uint8Array
}

export type BadgeRefusal = 'badge-length' | 'badge-parity' | 'badge-random-uid' | 'badge-number'
export type BadgeReading = { readonly ok: true; readonly normal: string } | { readonly ok: false; readonly code: BadgeRefusal; readonly text: string }
export type BadgeImage =
	| (BadgeBits & { readonly ok: true; readonly normal: string })
	| { readonly ok: false; readonly code: BadgeRefusal; readonly text: string }

const MAX_BITS = 512
const H10302_MAX = 2 ** 35 - 1

/** Bits as read → normal form. A number whose parity is wrong was misread: it is refused, never guessed. */
export function badgeFromBits({ bitCount, bits }: BadgeBits): BadgeReading {
	if (!Number.isInteger(bitCount) || bitCount < 4 || bitCount > MAX_BITS || bits.length < Math.ceil(bitCount / 8)) {
		return refuse('badge-length', `A badge of ${bitCount} bits cannot be used.`)
	}
	const number = bitsToNumber(bits, bitCount)
	// ISO 14443: a four-byte identifier that begins with 08 is drawn anew at every tap, so it names nobody.
	if (bitCount === 32 && bits[0] === 0x08)
		return refuse('badge-random-uid', 'This card shows a new random number at every tap and cannot be enrolled.')
	if (bitCount === 26) {
		if (!parityFits(number, 26, 12)) return refuse('badge-parity', 'The badge was misread (wrong parity).')
		const data = (number >> 1n) & 0xff_ffffn
		return { ok: true, normal: `h10301:${data >> 16n}:${data & 0xffffn}` }
	}
	if (bitCount === 37) {
		if (!parityFits(number, 37, 18)) return refuse('badge-parity', 'The badge was misread (wrong parity).')
		return { ok: true, normal: `h10302:${(number >> 1n) & BigInt(H10302_MAX)}` }
	}
	return { ok: true, normal: `raw:${bitCount}:${toHex(leftAligned(number, bitCount))}` }
}

/**
 * A number as a person types it → the bits that a reader would deliver: for enrolment and for emulated readers.
 * Digits alone are H10302 (up to 34359738367), `FC-NUMBER` is H10301, `hex:BITCOUNT:HEX` is raw bits, left-aligned.
 */
export function badgeToBits(text: string): BadgeImage {
	const [, facility, short] = /^(\d{1,3})-(\d{1,5})$/.exec(text) ?? []
	if (facility !== undefined && short !== undefined) {
		if (Number(facility) > 255 || Number(short) > 65_535)
			return refuse('badge-number', 'A 26-bit badge has a facility code up to 255 and a number up to 65535.')
		return badgeImage(framed(BigInt(facility) * 0x1_0000n + BigInt(short), 26, 12), 26)
	}
	if (/^\d{1,11}$/.test(text)) {
		if (Number(text) > H10302_MAX) return refuse('badge-number', `A badge number goes up to ${H10302_MAX}.`)
		return badgeImage(framed(BigInt(text), 37, 18), 37)
	}
	const [, count, digits] = /^hex:(\d{1,3}):((?:[0-9a-fA-F]{2})+)$/.exec(text) ?? []
	if (count !== undefined && digits !== undefined) {
		const bitCount = Number(count)
		if (digits.length !== 2 * Math.ceil(bitCount / 8))
			return refuse('badge-length', `${bitCount} bits need ${Math.ceil(bitCount / 8)} bytes, not ${digits.length / 2}.`)
		const reading = badgeFromBits({ bitCount, bits: fromHex(digits) })
		return reading.ok ? badgeImage(bitsToNumber(fromHex(digits), bitCount), bitCount) : reading
	}
	return refuse('badge-number', 'A badge number is digits, FACILITY-NUMBER, or hex:BITCOUNT:HEX.')
}

const refuse = (code: BadgeRefusal, text: string) => ({ ok: false, code, text }) as const

/** So many bits as one number → the badge that they are. */
export function badgeImage(number: bigint, bitCount: number): BadgeImage {
	const bits = leftAligned(number, bitCount)
	const reading = badgeFromBits({ bitCount, bits })
	return reading.ok ? { ok: true, bitCount, bits, normal: reading.normal } : reading
}

/** The first `bitCount` bits as one number. */
export function bitsToNumber(bits: Uint8Array, bitCount: number): bigint {
	const bytes = Math.ceil(bitCount / 8)
	return BigInt(`0x${toHex(bits.slice(0, bytes))}`) >> BigInt(bytes * 8 - bitCount)
}

function leftAligned(number: bigint, bitCount: number): Uint8Array {
	const bytes = Math.ceil(bitCount / 8)
	return fromHex((number << BigInt(bytes * 8 - bitCount)).toString(16).padStart(bytes * 2, '0'))
}

/** Formats with a parity bit at either end, each over half of the data: 26 bits (H10301), 34 (H10306), 37 (H10302). */
export const HALVES: ReadonlyMap<number, number> = new Map([
	[26, 12],
	[34, 16],
	[37, 18],
])

/** `half` data bits after the leading even parity bit, `half` before the trailing odd one. */
function parityFits(number: bigint, bitCount: number, half: number): boolean {
	const first = number >> BigInt(bitCount - 1 - half)
	const last = number & ((1n << BigInt(half + 1)) - 1n)
	return ones(first) % 2 === 0 && ones(last) % 2 === 1
}

/** The data between its two parity bits. */
export function framed(data: bigint, bitCount: number, half: number): bigint {
	const even = BigInt(ones(data >> BigInt(bitCount - 2 - half)) % 2)
	const odd = BigInt(1 - (ones(data & ((1n << BigInt(half)) - 1n)) % 2))
	return (even << BigInt(bitCount - 1)) | (data << 1n) | odd
}

const ones = (number: bigint): number => number.toString(2).replaceAll('0', '').length
