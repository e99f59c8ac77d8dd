import { z } from 'zod'
import { type Crypto, type Id, isId, type Sign } from '../base/index.ts'
import type { Bundle } from './bundle-schema.ts'
import { type Envelope, isSignedBy, type PinnedKeys, readEnvelope, seal } from './signed.ts'

/** A lease is the server's minute-by-minute word that a bundle is still the newest one for its bank (architecture.md §5). */
const leaseSchema = z.strictObject({
	format: z.literal('latchwork-lease/1'),
	bank: z.custom<Id<'bank'>>((value) => isId('bank', value)),
	bundleVersion: z.int().positive(),
	/** The site's newest delta that counted loans: a bank that does not know them all up to here fetches its bundle. */
	deltas: z.int().nonnegative().optional(),
	/** The bank's newest delta about people: who does not know them all up to here fetches the bundle. */
	people: z.int().positive().optional(),
	/** Too many wrong PINs at the site, or in the organisation: until then every kiosk takes none (trust.md §3.4). Other methods go on. */
	pinsRestUntil: z.int().nonnegative().optional(),
	issuedAt: z.int().nonnegative(),
	until: z.int().nonnegative(),
})
export type Lease = z.infer<typeof leaseSchema>

export const sealLease = (lease: Lease, keyId: string, sign: Sign): Envelope<Lease> => seal(leaseSchema.parse(lease), keyId, sign)

export type LeaseRefusal = 'lease-malformed' | 'lease-signature' | 'lease-other-bank' | 'lease-rollback'
export type LeaseAnswer = { readonly ok: true; readonly lease: Lease } | { readonly ok: false; readonly code: LeaseRefusal; readonly text: string }

/** `last`: the lease accepted before; one that was issued earlier is refused. An expired one is accepted: expiry is judged when deciding. */
export function acceptLease(input: unknown, given: { keys: PinnedKeys; crypto: Crypto; bank: Id<'bank'>; last?: Lease }): LeaseAnswer {
	const envelope = readEnvelope(input)
	if (!envelope) return { ok: false, code: 'lease-malformed', text: 'The lease is not a signed document.' }
	if (!isSignedBy(given.keys, envelope.bytes, envelope.signatures, given.crypto)) {
		return { ok: false, code: 'lease-signature', text: 'No signature on the lease is by a key that this bank trusts.' }
	}
	const parsed = leaseSchema.safeParse(envelope.signed)
	if (!parsed.success) return { ok: false, code: 'lease-malformed', text: 'The lease does not have the documented fields.' }
	const lease = parsed.data
	if (lease.bank !== given.bank) return { ok: false, code: 'lease-other-bank', text: `The lease is for ${lease.bank}, not for this bank.` }
	if (given.last && lease.issuedAt < given.last.issuedAt)
		return { ok: false, code: 'lease-rollback', text: 'The lease is older than the one in use.' }
	return { ok: true, lease }
}

export type AuthorityState = 'fresh' | 'stale' | 'bundle-expired' | 'lease-expired'

/**
 * May this bundle be used at trusted time `now`? Stale is a banner, the expired ones are reasons to deny (trust.md §3.2). A lease that ran out is
 * one only where the organisation wants live leases: elsewhere a bank without network goes on until its bundle expires.
 * A lease for an older bundle says nothing about a newer one; a lease for a newer bundle says that ours is superseded.
 */
export function authorityState(bundle: Bundle, lease: Lease | undefined, now: number): AuthorityState {
	if (now >= bundle.expiresAt) return 'bundle-expired'
	const speaks = lease !== undefined && lease.bundleVersion >= bundle.version
	if (bundle.settings.leaseRequired && !(speaks && now < lease.until)) return 'lease-expired'
	if (speaks && lease.bundleVersion > bundle.version) return 'stale'
	const softLife = bundle.staleAt - bundle.issuedAt
	const freshUntil = Math.max(bundle.staleAt, speaks ? lease.issuedAt + softLife : 0)
	return now >= freshUntil ? 'stale' : 'fresh'
}
