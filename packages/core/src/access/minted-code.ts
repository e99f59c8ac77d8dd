import { type Crypto, fromBase64Url, type Id, toBase64Url } from '../base/index.ts'

/**
 * A one-time code that somebody types (trust.md §3.2, the code-mint key): the server can make one for a bank that is cut off and has never heard of it,
 * and the bank can tell that it is genuine, because both hold the bank's key. It names a person whom the bank knows, and a window of whole hours; what
 * the person may do is then the policies' to say. Sixteen digits, so that they fit on a keypad:
 *
 *   `WW HH S N MMMMMMMMMM`: the end of the person's id, the hour at which it begins (of a cycle of a hundred), how long it lives, which of several, and
 *   ten digits of HMAC-SHA256 over all of it under the bank's key, which nobody else can find.
 */
export interface MintedCode {
	readonly subject: Id<'subject'>
	/** Milliseconds; a whole hour. */
	readonly notBefore: number
	/** One of `MINTED_HOURS`. */
	readonly hours: number
	/** Tells codes of one person for one window apart: 0 … 9. */
	readonly n: number
}

/** Keys of one bank by their week. */
export type MintKeys = ReadonlyMap<number, Uint8Array>

/** So long a code may live (trust.md §3.2: a day at most). */
export const MINTED_HOURS = [1, 2, 3, 4, 6, 8, 10, 12, 18, 24] as const satisfies readonly number[]
/** As their place in a code's digits counts. */
const HOURS: readonly number[] = MINTED_HOURS
export const MINTED_DIGITS = 16
export const MINTED_AT_ONCE = 10
/** So long before it begins a code may be made: the hour's two digits must mean one hour only. */
export const MINTED_AHEAD_MS = 48 * 3_600_000

const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
const CYCLE = 100
const WHO = 100
const MAC_DIGITS = 10

/** Which week's key a code that begins then is made with. */
export const mintWeek = (notBefore: number): number => Math.floor(notBefore / WEEK_MS)

/** A week's key tells nothing of the next one's, and a bank's nothing of another's. `root` stays at the server. */
export const mintKeyOf = (root: Uint8Array, bank: Id<'bank'>, week: number, crypto: Pick<Crypto, 'hmacSha256'>): Uint8Array =>
	crypto.hmacSha256(root, text(`latchwork-mint/1:${bank}:${week}`))

/** What a bank is given: the keys of this week, of the one before, and of two more, as a bank may be cut off for a fortnight. */
export const mintKeysAt = (root: Uint8Array, bank: Id<'bank'>, now: number, crypto: Pick<Crypto, 'hmacSha256'>): MintKeys =>
	new Map([-1, 0, 1, 2].map((off) => mintWeek(now) + off).map((week) => [week, mintKeyOf(root, bank, week, crypto)]))

/** As they go beside a bundle, and as a bank keeps them: `2986:KEY,2987:KEY`, base64url. */
export const writeMintKeys = (keys: MintKeys): string => [...keys].map(([week, key]) => `${week}:${toBase64Url(key)}`).join(',')

/** Undefined: it is no such list. */
export function readMintKeys(list: string): MintKeys | undefined {
	const keys = new Map<number, Uint8Array>()
	for (const one of list.split(',')) {
		const [, week, encoded = ''] = /^(\d{1,6}):([A-Za-z0-9_-]{43})$/.exec(one) ?? []
		const key = fromBase64Url(encoded)
		if (week === undefined || key?.length !== 32) return undefined
		keys.set(Number(week), key)
	}
	return keys
}

/** What is typed. The code must be one that `isMintable`. */
export function mintDigits(key: Uint8Array, code: MintedCode, crypto: Pick<Crypto, 'hmacSha256'>): string {
	const span = HOURS.indexOf(code.hours)
	return `${whoOf(code.subject)}${pad((code.notBefore / HOUR_MS) % CYCLE, 2)}${span}${code.n}${macOf(key, code, crypto)}`
}

/** Names the code on the books of the server and of the bank, which both reckon it; it tells nothing of the digits. */
export const mintedId = (key: Uint8Array, code: MintedCode, crypto: Pick<Crypto, 'hmacSha256'>): string =>
	`mint_${toBase64Url(crypto.hmacSha256(key, text(`id:${statement(code)}`)).slice(0, 16))}`

export const isMintedId = (id: string): boolean => id.startsWith('mint_')

export const isMintable = ({ notBefore, hours, n }: MintedCode, now: number): boolean =>
	notBefore % HOUR_MS === 0 &&
	notBefore <= now + MINTED_AHEAD_MS &&
	notBefore + hours * HOUR_MS > now &&
	HOURS.includes(hours) &&
	Number.isInteger(n) &&
	n >= 0 &&
	n < MINTED_AT_ONCE

/** Whose it is, and when it counts; undefined: it is nobody's. Says nothing about whether it was used or taken back. */
export function readMinted(
	digits: string,
	{ keys, people, now, crypto }: { keys: MintKeys; people: Iterable<Id<'subject'>>; now: number; crypto: Pick<Crypto, 'hmacSha256'> },
): (MintedCode & { readonly id: string }) | undefined {
	if (!/^\d{16}$/.test(digits)) return undefined
	const hours = HOURS[Number(digits[4])]
	if (hours === undefined) return undefined
	const notBefore = hourOf(Number(digits.slice(2, 4)), now) * HOUR_MS
	const key = keys.get(mintWeek(notBefore))
	if (!key) return undefined
	for (const subject of people) {
		if (whoOf(subject) !== digits.slice(0, 2)) continue
		const code = { subject, notBefore, hours, n: Number(digits[5]) }
		if (macOf(key, code, crypto) === digits.slice(6)) return { ...code, id: mintedId(key, code, crypto) }
	}
	return undefined
}

export const mintedUntil = ({ notBefore, hours }: Pick<MintedCode, 'notBefore' | 'hours'>): number => notBefore + hours * HOUR_MS

/** To find one with one try: every person whose id ends alike has one that would count, whether or not it was ever made. */
export const mintedHit = (people: number): number => (people === 0 ? 0 : Math.max(1, people / WHO) / 10 ** MAC_DIGITS)

/** The hour of the cycle that lies nearest to now: half a cycle is longer than the life of a code and the time ahead. */
function hourOf(digits: number, now: number): number {
	const hour = Math.floor(now / HOUR_MS)
	const ahead = (((digits - hour) % CYCLE) + CYCLE) % CYCLE
	return hour + (ahead > CYCLE / 2 ? ahead - CYCLE : ahead)
}

/** The end of the id is random (RFC 9562 version 7); it is no secret. */
const whoOf = (subject: Id<'subject'>): string => pad(Number.parseInt(subject.slice(-8), 16) % WHO, 2)

/** Each value with nearly the same chance: the bias of 48 bits over ten digits is below one in ten thousand. */
function macOf(key: Uint8Array, code: MintedCode, crypto: Pick<Crypto, 'hmacSha256'>): string {
	const mac = crypto.hmacSha256(key, text(`digits:${statement(code)}`))
	return pad(mac.slice(0, 6).reduce((sum, byte) => sum * 256 + byte, 0) % 10 ** MAC_DIGITS, MAC_DIGITS)
}

const statement = ({ subject, notBefore, hours, n }: MintedCode): string => `${subject}:${notBefore}:${hours}:${n}`
const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** For how long the number that a kiosk shows for the help desk counts. */
const READ_BACK_MS = 5 * 60_000
const READ_BACK_DIGITS = 6

/**
 * What a kiosk shows to somebody whom it knows, to be read to the help desk on the phone (workflows.md X22): it proves that this person stands there now.
 * Six digits that only the bank and the server can reckon, with or without a network between them; the desk has three tries.
 */
export function readBackOf(keys: MintKeys, subject: Id<'subject'>, now: number, crypto: Pick<Crypto, 'hmacSha256'>): string | undefined {
	const slot = Math.floor(now / READ_BACK_MS)
	const key = keys.get(mintWeek(slot * READ_BACK_MS))
	if (!key) return undefined
	const mac = crypto.hmacSha256(key, text(`read-back:${subject}:${slot}`))
	return pad(mac.slice(0, 6).reduce((sum, byte) => sum * 256 + byte, 0) % 10 ** READ_BACK_DIGITS, READ_BACK_DIGITS)
}

/** The number of this slot, of the one before, and of the one after: clocks differ, and a call takes minutes. */
export const isReadBack = (digits: string, keys: MintKeys, subject: Id<'subject'>, now: number, crypto: Pick<Crypto, 'hmacSha256'>): boolean =>
	[-1, 0, 1].some((off) => readBackOf(keys, subject, now + off * READ_BACK_MS, crypto) === digits)
