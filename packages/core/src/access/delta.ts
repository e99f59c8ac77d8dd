import { z } from 'zod'
import { type Crypto, type Id, isId, type Sign, toHex } from '../base/index.ts'
import type { Bundle } from './bundle-schema.ts'
import { type Envelope, isSignedBy, type PinnedKeys, readEnvelope, seal } from './signed.ts'

/**
 * What has been taken away at a site since the bundles of its banks were made: signed once, the same for every bank, and small enough for a
 * message. It only ever takes away, so each counts whether or not the ones before it came; the chain (`n`, `prev`) tells that one is missing.
 * What is granted comes with the next bundle, which says up to which delta it holds them all.
 */
const deltaSchema = z.strictObject({
	format: z.literal('latchwork-delta/1'),
	site: z.custom<Id<'site'>>((value) => isId('site', value), { error: 'an id of kind site' }),
	/** 1, 2, 3 … for the site. */
	n: z.int().positive(),
	/** Hex SHA-256 of the signed bytes of the one before; 64 zeros for the first. */
	prev: z.string().regex(/^[0-9a-f]{64}$/),
	changes: z
		.array(z.strictObject({ revoke: z.string().min(1).max(200) }))
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
