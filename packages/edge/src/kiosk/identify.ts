import {
	badgeFromBits,
	giveBack,
	type Identity,
	identify,
	isSuspended,
	knowsVerifier,
	NEW_PIN_BUDGET,
	type PickUp,
	type PinBudget,
	type PinnedKeys,
	spendTry,
	verifierOf,
	verifyCode,
} from '@latchwork/core/access'
import { type Crypto, type Id, isFault } from '@latchwork/core/base'
import type { EventDraft } from '@latchwork/core/ledger'
import type { DenyReason } from '@latchwork/core/wire'
import type { Entry, Journal } from '../journal/index.ts'
import type { Authority } from '../sync/authority.ts'
import type { TrustedTime } from '../time.ts'

/** What a person held to the reader, typed, or showed to the scanner. */
export type Shown =
	| { readonly kind: 'badge'; readonly bitCount: number; readonly bits: Uint8Array; readonly secure: boolean }
	| { readonly kind: 'pin'; readonly pin: string }
	| { readonly kind: 'code'; readonly text: string }

export type Known =
	/** `with`: to be written in the transaction that starts the visit. */
	| { readonly ok: true; readonly who: Identity; readonly with: Pick<Entry, 'put'> }
	/** `until`: trusted time of the next allowed try. */
	| { readonly ok: false; readonly reason: DenyReason; readonly until?: number }

export interface IdentifyParts {
	readonly journal: Journal
	readonly time: TrustedTime
	readonly authority: () => Authority | undefined
	readonly makerKeys: PinnedKeys
	readonly crypto: Crypto
	readonly bank: Id<'bank'>
	/** Until when the server lets no kiosk of the site take a PIN. */
	readonly pinsRestUntil: () => number | undefined
	/** Why a pick-up code that is right opens nothing now; a code is used up when what it is for is taken. */
	readonly pickUpRefusal: (of: PickUp) => DenyReason | undefined
}

/** The verifier of a badge that the bundle does not know; undefined for everything that it can answer for. */
export function unknownBadge({ authority, crypto }: Pick<IdentifyParts, 'authority' | 'crypto'>, shown: Shown): string | undefined {
	const known = authority()
	const reading = shown.kind === 'badge' ? badgeFromBits(shown) : undefined
	if (!known || !reading?.ok) return undefined
	const verifier = verifierOf(known.siteKey, crypto, 'badge', reading.normal)
	return knowsVerifier(known.bundle, verifier) ? undefined : verifier
}

const BUDGET = { kind: 'budget', key: 'pin' } as const

/** Who is this? Every refusal is recorded while there is room, without the number that was shown; wrong PINs are paid from a budget that a restart does not refill; wrong pick-up codes are wrong PINs (trust.md §3.4). */
export function identifier(parts: IdentifyParts): (shown: Shown) => Known {
	const { journal, time } = parts
	const moment = () => ({ now: time.now(), uncertain: time.uncertain() })
	const codeUsed = (jti: string) => journal.fact('code-used', jti) !== undefined

	/** Anybody can be refused any number of times, so it may not spend the space held back; on a full disk it is refused unrecorded. */
	const deny = (method: Shown['kind'], reason: DenyReason, more: readonly EventDraft[] = [], about: EventDraft['data'] = {}): Known => {
		try {
			journal.commit({ events: [{ type: 'decision.denied', subject: parts.bank, actor: 'edge', data: { method, reason, ...about } }, ...more] })
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
		}
		return { ok: false, reason }
	}

	const look = (authority: Authority, shown: Parameters<typeof identify>[1]) =>
		identify(authority.bundle, shown, {
			siteKey: authority.siteKey,
			crypto: parts.crypto,
			now: time.now(),
			proven: time.proven(),
			uncertain: time.uncertain(),
			makerKeys: parts.makerKeys,
			mintKeys: authority.mintKeys,
			codeUsed,
		})

	/** A code that is right and opens nothing is answered plainly, and costs nobody a try. */
	const known = (who: Identity, also: Pick<Entry, 'put'>): Known => {
		const reason = who.pickUp && parts.pickUpRefusal(who.pickUp)
		return reason ? stale(reason, also) : { ok: true, who, with: also }
	}

	const stale = (reason: DenyReason, also: Pick<Entry, 'put'>): Known => {
		if (also.put?.length) journal.commit({ events: [], put: also.put, essential: true })
		return deny('code', reason)
	}

	const byPin = (authority: Authority, pin: string): Known => {
		const { bundle } = authority
		const terms = { wrongPinsPerDay: bundle.settings.wrongPinsPerDay, timeZone: bundle.site.timeZone, restUntil: parts.pinsRestUntil() }
		const answer = spendTry(journal.fact<PinBudget>(BUDGET.kind, BUDGET.key) ?? NEW_PIN_BUDGET, terms, moment())
		if (!answer.ok) return { ok: false, reason: answer.why === 'suspended' ? 'pin-suspended' : 'wrong-pin', until: answer.until }
		// Spent and durable before it is looked at: pulling the plug buys no free try (T1).
		journal.commit({ events: [], put: [{ ...BUDGET, body: answer.budget }], essential: true })
		const found = look(authority, { kind: 'pin', pin })
		const back = { put: [{ ...BUDGET, body: giveBack(answer.budget) }] }
		if (found.ok) return known(found, back)
		// A code that was one: whoever has it guessed nothing and gains nothing by it.
		if (found.reason !== 'wrong-pin') return stale(found.reason, back)
		// When may the next one be tried: in some seconds, or, with the day's budget gone, at midnight.
		const next = spendTry(answer.budget, terms, moment())
		const suspended = isSuspended(answer.budget, terms, moment())
		const lockedOut: EventDraft = { type: 'credential.locked-out', subject: parts.bank, actor: 'edge', data: { method: 'pin' } }
		deny('pin', found.reason, suspended ? [lockedOut] : [])
		return { ok: false, reason: suspended ? 'pin-suspended' : found.reason, ...(!next.ok && { until: next.until }) }
	}

	return (shown) => {
		const authority = parts.authority()
		if (!authority) return deny(shown.kind, 'bundle-expired')
		if (shown.kind === 'pin') return byPin(authority, shown.pin)
		if (shown.kind === 'badge') {
			const reading = badgeFromBits(shown)
			if (!reading.ok) return deny('badge', 'unknown-credential')
			const found = look(authority, { kind: 'badge', normal: reading.normal, secure: shown.secure })
			if (found.ok) return { ok: true, who: found, with: {} }
			// Which one it was: somebody may have found it, or stolen it.
			return deny('badge', found.reason, [], found.credential === undefined ? {} : { credential: found.credential })
		}
		const found = look(authority, { kind: 'code', text: shown.text })
		if (!found.ok) return deny('code', found.reason)
		// A signed code lifts the floor of the clock: each phone brings some time along (trust.md §3.5).
		const code = verifyCode(shown.text, {
			makerKeys: parts.makerKeys,
			crypto: parts.crypto,
			bank: parts.bank,
			now: time.now(),
			proven: time.proven(),
			uncertain: time.uncertain(),
			codeUsed,
		})
		if (code.ok) time.saw(code.code.notBefore)
		return known(found, {})
	}
}
