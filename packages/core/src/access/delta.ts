import { z } from 'zod'
import { type Crypto, type Id, isId, type Sign, toHex } from '../base/index.ts'
import type { Bundle } from './bundle-schema.ts'
import { entriesOf } from './directory.ts'
import { type Envelope, isSignedBy, type PinnedKeys, readEnvelope, seal } from './signed.ts'

const subject = z.custom<Id<'subject'>>((value) => isId('subject', value), { error: 'an id of kind subject' })

/**
 * How many things somebody has on loan anywhere in the organisation, and of them at which banks of this site (absent: none): each bank leaves its
 * own out, which it knows better. Banks of other sites are not named; theirs are in the sum.
 */
const loansChange = z.strictObject({
	subject,
	loans: z.int().nonnegative(),
	at: z
		.record(
			z.string().refine((value) => isId('bank', value), { error: 'an id of kind bank' }),
			z.int().positive(),
		)
		.optional(),
})
export type LoansChange = z.infer<typeof loansChange>

/**
 * What has changed at a site since the bundles of its banks were made and cannot wait for new ones: what was taken away, and how many loans
 * somebody has. Signed once, the same for every bank, and small enough for a message. Each counts whether or not the ones before it came, and
 * of two counts the later; the chain (`n`, `prev`) tells that one is missing. What is granted comes with the next bundle, which says up to
 * which delta it holds them all.
 */
const deltaSchema = z.strictObject({
	format: z.literal('latchwork-delta/1'),
	site: z.custom<Id<'site'>>((value) => isId('site', value), { error: 'an id of kind site' }),
	/** 1, 2, 3 … for the site. */
	n: z.int().positive(),
	/** Hex SHA-256 of the signed bytes of the one before; 64 zeros for the first. */
	prev: z.string().regex(/^[0-9a-f]{64}$/),
	changes: z
		.array(z.union([z.strictObject({ revoke: z.string().min(1).max(200) }), loansChange]))
		.min(1)
		.max(400),
	issuedAt: z.int().nonnegative(),
	/** By then every bundle without it has expired. */
	until: z.int().nonnegative(),
})
export type Delta = z.infer<typeof deltaSchema>

/** Where a bank stands in the chain of its site. */
export interface DeltaMark {
	readonly n: number
	readonly hash: string
}
export const NO_DELTA: DeltaMark = { n: 0, hash: '0'.repeat(64) }

export const sealDelta = (delta: Delta, keyId: string, sign: Sign): Envelope<Delta> => seal(deltaSchema.parse(delta), keyId, sign)

export type DeltaRefusal = 'delta-malformed' | 'delta-signature' | 'delta-other-site' | 'delta-expired'
export type DeltaAnswer =
	/** `known`: it was taken before. `gap`: one or more between the mark and this one never came. */
	| { readonly ok: true; readonly delta: Delta; readonly mark: DeltaMark; readonly known: boolean; readonly gap: boolean }
	| { readonly ok: false; readonly code: DeltaRefusal; readonly text: string }

export function acceptDelta(
	input: unknown,
	given: { readonly keys: PinnedKeys; readonly crypto: Crypto; readonly site: Id<'site'>; readonly now: number; readonly mark: DeltaMark },
): DeltaAnswer {
	const envelope = readEnvelope(input)
	if (!envelope) return { ok: false, code: 'delta-malformed', text: 'The delta is not a signed document.' }
	if (!isSignedBy(given.keys, envelope.bytes, envelope.signatures, given.crypto))
		return { ok: false, code: 'delta-signature', text: 'No signature on the delta is by a key that this bank trusts.' }
	const parsed = deltaSchema.safeParse(envelope.signed)
	if (!parsed.success) return { ok: false, code: 'delta-malformed', text: 'The delta does not have the documented fields.' }
	const delta = parsed.data
	if (delta.site !== given.site) return { ok: false, code: 'delta-other-site', text: `The delta is for ${delta.site}, not for this site.` }
	if (given.now >= delta.until) return { ok: false, code: 'delta-expired', text: 'The delta is so old that a newer bundle must hold it.' }
	const { mark } = given
	const known = delta.n <= mark.n
	const gap = !known && (delta.n !== mark.n + 1 || delta.prev !== mark.hash)
	return { ok: true, delta, mark: known ? mark : { n: delta.n, hash: toHex(given.crypto.sha256(envelope.bytes)) }, known, gap }
}

/** The bundle as it counts with what was taken away since. */
export const without = (bundle: Bundle, revoked: readonly string[]): Bundle =>
	revoked.length === 0 ? bundle : { ...bundle, revoked: { ...bundle.revoked, ids: [...new Set([...bundle.revoked.ids, ...revoked])] } }

/** Loans elsewhere as a delta told them. */
export interface LoansTold {
	/** The delta that said so. */
	readonly n: number
	readonly elsewhere: number
}

/** What the delta means for one bank of its site. */
export function readChanges(
	{ n, changes }: Delta,
	bank: Id<'bank'>,
): { readonly revoked: string[]; readonly loans: (LoansTold & { subject: string })[] } {
	return {
		revoked: changes.flatMap((one) => ('revoke' in one ? [one.revoke] : [])),
		loans: changes.flatMap((one) => ('loans' in one ? [{ subject: one.subject, n, elsewhere: loansElsewhere(one, bank) }] : [])),
	}
}

/** What a bundle of this bank says of the same counts. */
export const loansElsewhere = ({ loans, at = {} }: Pick<LoansChange, 'loans' | 'at'>, bank: Id<'bank'>): number => loans - (at[bank] ?? 0)

/** The newer word of the two: a bundle holds all that the deltas up to its own said. */
export const knownElsewhere = (bundle: Bundle, told: LoansTold | undefined, of: string): number =>
	isNews(bundle, told) ? told.elsewhere : (entriesOf(bundle).subjects.get(of)?.loansElsewhere ?? 0)

export const isNews = ({ deltas = NO_DELTA }: Bundle, told: LoansTold | undefined): told is LoansTold => told !== undefined && told.n > deltas.n

/** Up to which delta a bank knows them all. `from`: of those that came by themselves none is missing from this one on to the newest. */
export const heldUpTo = ({ deltas = NO_DELTA }: Bundle, newest: DeltaMark, from: number): number =>
	deltas.n >= from - 1 ? Math.max(newest.n, deltas.n) : deltas.n
