import { toHex } from '../base/index.ts'
import { type BadgeImage, badgeImage, badgeToBits, bitsToNumber, framed, HALVES } from './badge.ts'

/**
 * How lists and other readers write the number of a card. A reader delivers bits; the same card is `04 A1 B2 C3` here, 3283263748 in the list of the
 * building's access system, and 178-41220 on the plastic. Each form is a notation of some of the bits in some order of their bytes, and can be turned
 * back into the bits that a reader of ours delivers, as long as the list holds all of them.
 */
export interface BadgeForm {
	/** `hex`, `decimal`, `pair` (FACILITY-NUMBER), `joined` (the pair as one number, five digits for the number), `number` (the number alone, one facility for all). */
	readonly notation: 'hex' | 'decimal' | 'pair' | 'joined' | 'number'
	/** Low byte first. */
	readonly reversed: boolean
	/** The parity bits of the reader's format are part of the number. */
	readonly parity: boolean
}

/** What five cards have taught: a form, how many bits the reader delivers, and for `number` the facility that all of them have. */
export interface BadgeMapping extends BadgeForm {
	readonly bitCount: number
	readonly facility?: string
}

/** One card: what the list says and what a reader said (`hex:BITCOUNT:HEX`, or a number as typed). */
export interface BadgeSample {
	readonly listed: string
	readonly read: string
}

export type LearnRefusal = 'too-few' | 'not-readable' | 'same-card' | 'mixed-cards' | 'no-form'
export type Learned =
	/** All that fit, the plainest first. They may still tell apart other cards of the list: see `distinguish`. */
	| { readonly ok: true; readonly mappings: readonly BadgeMapping[] }
	/** `sample`: the one that stands out, from 0. */
	| { readonly ok: false; readonly code: LearnRefusal; readonly sample?: number; readonly text: string }

/** So few could agree by chance. */
export const FEWEST_SAMPLES = 5

/** Of the number beside a facility; 37 bits with a facility are H10304. */
const numberBits = (bitCount: number): bigint => (bitCount === 37 ? 19n : 16n)
const numberDigits = (bitCount: number): number => (bitCount === 37 ? 6 : 5)
const MOST_DIGITS = 40

/** Every form in which a card of so many bits may be written, the plainest first. */
export function badgeForms(bitCount: number): BadgeForm[] {
	const notations = ['decimal', 'hex', 'pair', 'joined', 'number'] as const
	return [false, true].flatMap((parity) =>
		// Without parity bits in the format there is nothing to leave out.
		parity && !HALVES.has(bitCount)
			? []
			: [false, true].flatMap((reversed) =>
					notations
						.filter((notation) => (!reversed || dataBits(bitCount, parity) % 8 === 0) && (!parity || notation === 'decimal' || notation === 'hex'))
						.map((notation) => ({ notation, reversed, parity })),
				),
	)
}

/** As that form writes it, for somebody who compares it with a list or with what is printed on the card. */
export function writeBadge(form: BadgeForm, bitCount: number, bits: Uint8Array): string {
	const width = dataBits(bitCount, form.parity)
	const value = ordered(stripped(bitsToNumber(bits, bitCount), bitCount, form.parity), width, form.reversed)
	const number = value & ((1n << numberBits(bitCount)) - 1n)
	const facility = value >> numberBits(bitCount)
	switch (form.notation) {
		case 'decimal':
			return String(value)
		case 'hex':
			return value
				.toString(16)
				.toUpperCase()
				.padStart(Math.ceil(width / 4), '0')
		case 'pair':
			return `${facility}-${number}`
		case 'joined':
			return `${facility}${String(number).padStart(numberDigits(bitCount), '0')}`
		case 'number':
			return String(number)
	}
}

/** A number of the list → the bits that a reader delivers. Undefined: it is not written so, or has more bits. */
export function readListed({ notation, reversed, parity, bitCount, facility }: BadgeMapping, listed: string): BadgeImage | undefined {
	const width = dataBits(bitCount, parity)
	const value = listedValue(notation, listed, bitCount, width, facility)
	if (value === undefined || value >> BigInt(width) !== 0n) return undefined
	const data = ordered(value, width, reversed)
	const half = HALVES.get(bitCount)
	return badgeImage(parity || half === undefined ? data : framed(data, bitCount, half), bitCount)
}

/** What the list means, from cards of which both are known. */
export function learnMapping(samples: readonly BadgeSample[]): Learned {
	if (samples.length < FEWEST_SAMPLES)
		return refuse('too-few', `Five cards are needed, of which the list's number and a reader's are known; there are ${samples.length}.`)
	const read = samples.map((sample) => badgeToBits(sample.read))
	for (const [i, image] of read.entries()) if (!image.ok) return refuse('not-readable', `Card ${i + 1}: ${image.text}`, i)
	const images = read.filter((image) => image.ok)
	for (const [i, one] of images.entries()) {
		const first = images.findIndex(({ normal }) => normal === one.normal)
		if (first !== i) return refuse('same-card', `Card ${i + 1} is card ${first + 1} once more. Take another one.`, i)
	}
	const [{ bitCount } = { bitCount: 0 }] = images
	const other = images.findIndex((image) => image.bitCount !== bitCount)
	if (other >= 0)
		return refuse(
			'mixed-cards',
			`Card ${other + 1} has ${images[other]?.bitCount} bits, card 1 has ${bitCount}. Learn each kind of card by itself.`,
			other,
		)
	const fits = (mapping: BadgeMapping, i: number) => {
		const image = readListed(mapping, samples[i]?.listed ?? '')
		return image?.ok === true && image.normal === images[i]?.normal
	}
	const tried = badgeForms(bitCount).flatMap((form) => {
		const mappings =
			form.notation === 'number' ? facilities(form, images).map((facility) => ({ ...form, bitCount, facility })) : [{ ...form, bitCount }]
		return mappings.map((mapping) => ({ mapping, misses: samples.flatMap((_, i) => (fits(mapping, i) ? [] : [i])) }))
	})
	const right = tried.filter(({ misses }) => misses.length === 0).map(({ mapping }) => mapping)
	if (right.length > 0) return { ok: true, mappings: right }
	// All but one of five do not agree by chance: then it is the one that is wrong.
	const [nearly] = tried.filter(({ misses }) => misses.length === 1)
	const [odd] = nearly?.misses ?? []
	return odd === undefined
		? refuse(
				'no-form',
				'None of the known ways of writing a number leads from this list to what the reader reports. The list may hold fewer bits than the reader reports, or numbers of other cards.',
			)
		: refuse('no-form', `All cards but card ${odd + 1} are written in one way. That one may be another card than the list means, or mistyped.`, odd)
}

/** Do all of them mean the same card? If not, this number of the list, read at a reader, would tell which is right. */
export const distinguishes = (mappings: readonly BadgeMapping[], listed: string): boolean =>
	new Set(
		mappings.map((mapping) => {
			const image = readListed(mapping, listed)
			return image?.ok ? image.normal : undefined
		}),
	).size > 1

const refuse = (code: LearnRefusal, text: string, sample?: number): Learned => ({ ok: false, code, text, ...(sample !== undefined && { sample }) })

/** The facilities of the cards, in that order of bytes: one, if it is one for all. */
function facilities(form: BadgeForm, images: readonly { readonly bitCount: number; readonly bits: Uint8Array }[]): string[] {
	const found = new Set(
		images.map(({ bitCount, bits }) => {
			const data = stripped(bitsToNumber(bits, bitCount), bitCount, form.parity)
			return String(ordered(data, dataBits(bitCount, form.parity), form.reversed) >> numberBits(bitCount))
		}),
	)
	return found.size === 1 ? [...found] : []
}

function listedValue(
	notation: BadgeForm['notation'],
	listed: string,
	bitCount: number,
	width: number,
	facility: string | undefined,
): bigint | undefined {
	const paired = (high: string, low: string): bigint | undefined =>
		BigInt(low) >> numberBits(bitCount) === 0n ? (BigInt(high) << numberBits(bitCount)) | BigInt(low) : undefined
	const digits = numberDigits(bitCount)
	const text = listed.trim()
	if (text.length === 0 || text.length > MOST_DIGITS) return undefined
	switch (notation) {
		case 'decimal':
			return /^\d+$/.test(text) ? BigInt(text) : undefined
		case 'hex': {
			const plain = text.replace(/^0x/i, '').replaceAll(/[ :-]/g, '')
			// A spreadsheet takes leading zeros away; more than the card has are no such number.
			return /^[0-9a-f]+$/i.test(plain) && plain.length <= Math.ceil(width / 4) ? BigInt(`0x${plain}`) : undefined
		}
		case 'pair': {
			const [, high, low] = /^(\d+)\s*[-/:,; ]\s*(\d{1,6})$/.exec(text) ?? []
			return high === undefined || low === undefined ? undefined : paired(high, low)
		}
		case 'joined':
			return /^\d+$/.test(text) && text.length > digits ? paired(text.slice(0, -digits), text.slice(-digits)) : undefined
		case 'number':
			return /^\d{1,6}$/.test(text) && facility !== undefined ? paired(facility, text) : undefined
	}
}

const dataBits = (bitCount: number, parity: boolean): number => (parity || !HALVES.has(bitCount) ? bitCount : bitCount - 2)

const stripped = (number: bigint, bitCount: number, parity: boolean): bigint =>
	parity || !HALVES.has(bitCount) ? number : (number >> 1n) & ((1n << BigInt(bitCount - 2)) - 1n)

/** Bytes the other way round; as it is where it has no whole bytes. */
function ordered(value: bigint, width: number, reversed: boolean): bigint {
	if (!reversed) return value
	const hex = value.toString(16).padStart(width / 4, '0')
	return BigInt(`0x${(hex.match(/../g) ?? []).reverse().join('')}`)
}

/** The bits as enrolment takes them. */
export const badgeText = ({ bitCount, bits }: { readonly bitCount: number; readonly bits: Uint8Array }): string => `hex:${bitCount}:${toHex(bits)}`
