import type { Id, Random } from '../base/index.ts'
import type { DenyReason } from '../wire/index.ts'
import type { Bundle, PickUpCode } from './bundle-schema.ts'
import { entriesOf } from './directory.ts'
import { HIGHEST_CHANCE, lengthFormula } from './pin-budget.ts'

/**
 * A pick-up code opens the compartments of one case at one bank, for whoever brings it. It is typed as digits, which the bundle knows
 * by a keyed hash only, or shown as a signed picture whose `jti` is the code's id: two forms of one code, which is used up once (I9).
 */
export interface PickUp {
	readonly case: Id<'case'>
	/** What the code is good for; absent: every line of the case. */
	readonly lines?: readonly Id<'line'>[]
}

/** The form of the digits that is hashed: with the bank in it, the same digits mean nothing at another bank of the site. */
export const codeNormal = (bank: Id<'bank'>, digits: string): string => `${bank}:${digits}`

/** What stands against this code now, as far as the bundle can tell; what became of its parcels is the edge's to say. */
export function codeRefusal(bundle: Bundle, code: PickUpCode, now: number): DenyReason | undefined {
	const { revoked, cases } = entriesOf(bundle)
	const of = cases.get(code.case)
	if (!of?.owner) return 'unknown-credential'
	if (revoked.has(code.id) || revoked.has(of.owner) || of.recalled) return 'credential-revoked'
	return now >= code.notAfter ? 'code-expired' : undefined
}

/** What the recipient types: digits drawn for the case, then `hint` digits that only the recipient knows (the end of a phone number). */
export interface CodeRule {
	readonly digits: number
	readonly hint: number
}

/** Eight digits as long as the kiosk has few live secrets, three more from what the recipient knows above that (trust.md §3.4). `secrets` counts PINs and codes. */
export const codeRule = (secrets: number, wrongADay: number): CodeRule => ({
	digits: 8,
	hint: lengthFormula(secrets, 8, wrongADay) <= HIGHEST_CHANCE ? 0 : 3,
})

/** Each with the same chance; a byte that would favour the low digits is drawn again. No check digit: it would shrink the space tenfold. */
export function drawDigits(count: number, random: Random): string {
	let digits = ''
	while (digits.length < count) for (const byte of random(count)) if (byte < 250 && digits.length < count) digits += byte % 10
	return digits
}
