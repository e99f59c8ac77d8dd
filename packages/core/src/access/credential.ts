import { type Crypto, type Id, toHex } from '../base/index.ts'
import type { DenyReason } from '../wire/index.ts'
import type { Assurance, Bundle, Credential, PickUpCode } from './bundle-schema.ts'
import type { Method } from './decision.ts'
import { entriesOf } from './directory.ts'
import { MINTED_DIGITS, type MintKeys, mintedUntil, readMinted } from './minted-code.ts'
import { verifyCode } from './one-time-code.ts'
import { codeNormal, codeRefusal, type PickUp } from './pick-up-code.ts'
import type { PinnedKeys } from './signed.ts'

/** What a person showed. `pin`: what was typed, a PIN, a pick-up code, or a one-time code of sixteen digits. `secure`: the badge number came through an authenticated channel; without it the reading is worth 'low'. */
export type Presented =
	| { readonly kind: 'badge'; readonly normal: string; readonly secure?: boolean }
	| { readonly kind: 'pin'; readonly pin: string }
	| { readonly kind: 'code'; readonly text: string }

export interface Identity {
	readonly ok: true
	readonly subject: Id<'subject'>
	/** Credential id, or the one-time code's `jti`. */
	readonly credential: string
	readonly method: Method
	readonly assurance: Assurance
	/** The salted commitment that may be written to the ledger for this credential. */
	readonly commitment: string
	/** Present for a one-time code: the caller makes it durable as used in the transaction that starts the door session. */
	readonly jti?: string
	/** Present for a pick-up code: this person may collect that, and nothing else. */
	readonly pickUp?: PickUp
}
/** `credential`: a badge that was revoked, by its id: whose it was is worth knowing when somebody else has it. */
export type IdentifyAnswer = Identity | { readonly ok: false; readonly reason: DenyReason; readonly credential?: Id<'credential'> }

export interface IdentifyTerms {
	readonly siteKey: Uint8Array
	readonly crypto: Crypto
	/** Trusted time. */
	readonly now: number
	/** The part of it that no clock can lengthen. */
	readonly proven: number
	readonly uncertain: boolean
	/** Public keys of those who may mint one-time codes for this bank. */
	readonly makerKeys: PinnedKeys
	/** With which the server makes one-time codes that are typed; absent: none came yet. */
	readonly mintKeys?: MintKeys | undefined
	readonly codeUsed: (jti: string) => boolean
}

/** Names a site key without telling it: the beginning of its digest. */
export const siteKeyMark = (siteKey: Uint8Array, crypto: Pick<Crypto, 'sha256'>): string => toHex(crypto.sha256(siteKey)).slice(0, 16)

/** The keyed form under which a credential is looked up: hex HMAC-SHA256 under the site key of `kind:normal` (trust.md §3.2). */
export function verifierOf(siteKey: Uint8Array, crypto: Crypto, kind: Credential['kind'] | 'code', normal: string): string {
	return toHex(crypto.hmacSha256(siteKey, new TextEncoder().encode(`${kind}:${normal}`)))
}

/** Does the bundle name whoever this is the verifier of? */
export const knowsVerifier = (bundle: Bundle, verifier: string): boolean => entriesOf(bundle).credentials.has(verifier)

/** Who is this? Says nothing about what the person may do. */
export function identify(bundle: Bundle, presented: Presented, terms: IdentifyTerms): IdentifyAnswer {
	switch (presented.kind) {
		case 'badge': {
			const credential = look(bundle, terms, 'badge', presented.normal)
			if (!credential) return { ok: false, reason: 'unknown-credential' }
			// Somebody who lost every right is still known by an honest badge: they may bring back what they hold (X13), `decide` denies the rest.
			if (entriesOf(bundle).revoked.has(credential.id)) return { ok: false, reason: 'credential-revoked', credential: credential.id }
			return identity(credential, presented.secure === false ? 'low' : credential.assurance)
		}
		case 'pin': {
			const credential = look(bundle, terms, 'pin', presented.pin)
			const code = entriesOf(bundle).codes.get(verifierOf(terms.siteKey, terms.crypto, 'code', codeNormal(bundle.bank.id, presented.pin)))
			if (credential && !isRevoked(bundle, credential)) return identity(credential, credential.assurance)
			if (code) return byPickUpCode(bundle, code, 'low', terms)
			const minted = presented.pin.length === MINTED_DIGITS ? identifyByMinted(bundle, presented.pin, terms) : undefined
			if (minted) return minted
			// Unknown, revoked and badly formed PINs get one answer: whoever guesses learns nothing from which it was (T29).
			return { ok: false, reason: 'wrong-pin' }
		}
		case 'code':
			return identifyByCode(bundle, presented.text, terms)
	}
}

/** The other badges of whoever has shown this: what they may have lost. Nothing for a code, which others may hold in somebody's place. */
export const otherBadges = (bundle: Bundle, { subject, credential, method }: Identity): Id<'credential'>[] =>
	method === 'code'
		? []
		: bundle.credentials
				.filter((one) => one.kind === 'badge' && one.subject === subject && one.id !== credential && !isRevoked(bundle, one))
				.map(({ id }) => id)

/** A badge and a PIN of the same person, shown in one visit, are worth more than either; of two people they are worth nothing. */
export function strengthen(first: Identity, second: Identity): IdentifyAnswer {
	const badge = [first, second].find((one) => one.method === 'badge')
	const pin = [first, second].find((one) => one.method === 'pin')
	if (!badge || !pin || badge.subject !== pin.subject) return { ok: false, reason: 'wrong-pin' }
	return { ...badge, method: 'badge-and-pin', assurance: badge.assurance === 'low' ? 'medium' : 'high' }
}

function look(bundle: Bundle, terms: IdentifyTerms, kind: Credential['kind'] | 'code', normal: string): Credential | undefined {
	// A lookup by keyed hash leaks nothing by its timing: whoever does not hold the key cannot steer the hash.
	return entriesOf(bundle).credentials.get(verifierOf(terms.siteKey, terms.crypto, kind, normal))
}

function isRevoked(bundle: Bundle, credential: Credential): boolean {
	const { revoked } = entriesOf(bundle)
	return revoked.has(credential.id) || revoked.has(credential.subject)
}

const identity = ({ id, subject, kind, commitment }: Credential, assurance: Assurance): Identity => ({
	ok: true,
	subject,
	credential: id,
	method: kind,
	assurance,
	commitment,
})

function identifyByCode(bundle: Bundle, text: string, terms: IdentifyTerms): IdentifyAnswer {
	const answer = verifyCode(text, { ...terms, bank: bundle.bank.id })
	if (!answer.ok) return answer
	const { subjects, revoked, codes } = entriesOf(bundle)
	const { jti, subject, case: of } = answer.code
	if (of !== undefined) {
		const code = codes.get(jti)
		return code?.case === of ? byPickUpCode(bundle, code, 'medium', terms) : { ok: false, reason: 'unknown-credential' }
	}
	const person = subjects.get(subject)
	if (!person) return { ok: false, reason: 'unknown-credential' }
	if (revoked.has(jti) || revoked.has(subject)) return { ok: false, reason: 'credential-revoked' }
	return { ok: true, subject, credential: jti, method: 'code', assurance: 'medium', commitment: person.commitment, jti }
}

/** A code that is genuine and does not count now is answered plainly: whoever has it guessed nothing. */
function identifyByMinted(bundle: Bundle, digits: string, { mintKeys, crypto, now, uncertain, codeUsed }: IdentifyTerms): IdentifyAnswer | undefined {
	const { subjects, revoked } = entriesOf(bundle)
	const code = mintKeys && readMinted(digits, { keys: mintKeys, people: subjects.keys() as Iterable<Id<'subject'>>, now, crypto })
	const person = code && subjects.get(code.subject)
	if (!person) return undefined
	if (codeUsed(code.id)) return { ok: false, reason: 'code-used' }
	if (revoked.has(code.id) || revoked.has(code.subject)) return { ok: false, reason: 'credential-revoked' }
	// With an uncertain clock neither "not yet" nor "no more" can be told (trust.md §3.7: no first use of what depends on time).
	if (uncertain) return { ok: false, reason: 'time-uncertain' }
	if (now >= mintedUntil(code)) return { ok: false, reason: 'code-expired' }
	if (now < code.notBefore) return { ok: false, reason: 'outside-hours' }
	return { ok: true, subject: code.subject, credential: code.id, method: 'code', assurance: 'low', commitment: person.commitment, jti: code.id }
}

function byPickUpCode(bundle: Bundle, code: PickUpCode, assurance: Assurance, { now, codeUsed }: IdentifyTerms): IdentifyAnswer {
	const { id, commitment, lines } = code
	const owner = entriesOf(bundle).cases.get(code.case)?.owner
	const refusal = codeUsed(id) ? 'code-used' : codeRefusal(bundle, code, now)
	if (refusal || !owner) return { ok: false, reason: refusal ?? 'unknown-credential' }
	return { ok: true, subject: owner, credential: id, method: 'code', assurance, commitment, pickUp: { case: code.case, ...(lines && { lines }) } }
}
