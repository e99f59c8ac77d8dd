import { z } from 'zod'
import { type Crypto, type Id, isId, type Sign } from '../base/index.ts'
import { type Bundle, credential, subject } from './bundle-schema.ts'
import type { DeltaRefusal } from './delta.ts'
import { type Envelope, isSignedBy, type PinnedKeys, readEnvelope, seal } from './signed.ts'

const person = z.strictObject({
	id: z.custom<Id<'subject'>>((value) => isId('subject', value), { error: 'an id of kind subject' }),
	/** Absent: this bank has no row of them any more, or never had one. */
	row: subject.optional(),
	credentials: z.array(credential).optional(),
	/** Of these credentials: they are known, and count no more, as they were reported lost. */
	revoked: z.array(z.string().min(1).max(200)).optional(),
})
export type PersonRows = z.infer<typeof person>

/** So many in one document, which has to fit into a message of the link. */
export const MOST_PEOPLE = 20

/**
 * What a bank is to know of a few people from now on: it takes the place of all that its bundle says of them (decision 0017). Signed for one bank, as
 * what is granted is no other bank's business, and small enough for a message: a bundle of 50,000 people is not made anew for one of them. Of
 * two rows of a person the later counts, so each counts whether or not the ones before it came; `n` tells that one is missing.
 */
const peopleDeltaSchema = z.strictObject({
	format: z.literal('latchwork-people/1'),
	bank: z.custom<Id<'bank'>>((value) => isId('bank', value), { error: 'an id of kind bank' }),
	/** 1, 2, 3 … for the bank. A bundle says up to which one it holds them (`people`). */
	n: z.int().positive(),
	/** These rows know what the site's deltas up to this one took away. */
	deltas: z.int().nonnegative(),
	people: z.array(person).min(1).max(MOST_PEOPLE),
	issuedAt: z.int().nonnegative(),
	/** By then every bundle without it has expired. */
	until: z.int().nonnegative(),
})
export type PeopleDelta = z.infer<typeof peopleDeltaSchema>

export const sealPeopleDelta = (delta: PeopleDelta, keyId: string, sign: Sign): Envelope<PeopleDelta> =>
	seal(peopleDeltaSchema.parse(delta), keyId, sign)

export type PeopleDeltaAnswer =
	| { readonly ok: true; readonly delta: PeopleDelta }
	| { readonly ok: false; readonly code: DeltaRefusal | 'delta-other-bank'; readonly text: string }

/** Of which kind a signed delta says that it is; nothing inside is believed by that. */
export const isPeopleDelta = (input: unknown): boolean => {
	const signed = readEnvelope(input)?.signed
	return typeof signed === 'object' && signed !== null && 'format' in signed && signed.format === 'latchwork-people/1'
}

export function acceptPeopleDelta(
	input: unknown,
	given: { readonly keys: PinnedKeys; readonly crypto: Crypto; readonly bank: Id<'bank'>; readonly now: number },
): PeopleDeltaAnswer {
	const envelope = readEnvelope(input)
	if (!envelope) return { ok: false, code: 'delta-malformed', text: 'The delta is not a signed document.' }
	if (!isSignedBy(given.keys, envelope.bytes, envelope.signatures, given.crypto))
		return { ok: false, code: 'delta-signature', text: 'No signature on the delta is by a key that this bank trusts.' }
	const parsed = peopleDeltaSchema.safeParse(envelope.signed)
	if (!parsed.success) return { ok: false, code: 'delta-malformed', text: 'The delta does not have the documented fields.' }
	const delta = parsed.data
	const stray = delta.people.find(({ id, row, credentials = [] }) => (row && row.id !== id) || credentials.some((one) => !row || one.subject !== id))
	if (stray) return { ok: false, code: 'delta-malformed', text: `What the delta says of ${stray.id} is about somebody else.` }
	if (delta.bank !== given.bank) return { ok: false, code: 'delta-other-bank', text: `The delta is for ${delta.bank}, not for this bank.` }
	if (given.now >= delta.until) return { ok: false, code: 'delta-expired', text: 'The delta is so old that a newer bundle must hold it.' }
	return { ok: true, delta }
}

/** The rows of one person as a delta told them. */
export interface PersonTold extends PersonRows {
	/** The delta that said so, and which of the site's deltas it knew. */
	readonly n: number
	readonly deltas: number
}

/** Ids that count as these rows stand, whatever was taken away before them. */
export const grantedIn = ({ row, credentials = [], revoked = [] }: PersonRows): string[] =>
	row ? [row.id, ...credentials.map(({ id }) => id).filter((id) => !revoked.includes(id))] : []

/** The bundle as it counts with these people as they were told; a bundle is never changed in place. */
export function withPeople(bundle: Bundle, told: readonly PersonRows[]): Bundle {
	if (told.length === 0) return bundle
	const ids = new Set<string>(told.map(({ id }) => id))
	const granted = new Set(told.flatMap(grantedIn))
	const lost = told.flatMap(({ revoked = [] }) => revoked)
	const groups = new Set([...bundle.groups.map(({ id }) => id), ...told.flatMap(({ row }) => row?.groups ?? [])])
	return {
		...bundle,
		groups: [...groups].map((id) => ({ id })),
		subjects: [...bundle.subjects.filter(({ id }) => !ids.has(id)), ...told.flatMap(({ row }) => row ?? [])],
		revoked: { ...bundle.revoked, ids: [...new Set([...bundle.revoked.ids.filter((id) => !granted.has(id)), ...lost])] },
		// A badge that passed from one to the other is the later one's: of two of one verifier the last counts.
		credentials: [...bundle.credentials.filter(({ subject: of }) => !ids.has(of)), ...told.flatMap(({ credentials = [] }) => credentials)],
	}
}

/**
 * Do these rows name something that policies may speak of and that was not at this bank before? Policies about nobody here are left out when a
 * bundle is made ready.
 */
export function namesNew({ groups, subjects, policies }: Bundle, told: readonly PersonRows[]): boolean {
	const known = new Set(groups.map(({ id }) => id))
	if (told.some(({ row }) => row?.groups.some((group) => !known.has(group)))) return true
	const here = new Set<string>(subjects.map(({ id }) => id))
	return told.some(({ id, row }) => row && !here.has(id) && policies.sets.some(({ cedar }) => cedar.includes(id)))
}
