import { type Assurance, badgeToBits, checkPinSettings, drawDigits, verifierOf } from '@latchwork/core/access'
import { Fault, type Id, newId, type Random } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { markPeople, siteOf, unchangedSince } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { settingsOf, tenantSealing } from '../tenants/index.ts'
import {
	badgeContext,
	type CredentialRecord,
	findCredential,
	livePins,
	missingVerifiers,
	siteKeyContext,
	siteKeyOf,
	unrevokedPinsOf,
} from './credential-read.ts'
import { type PeopleChange, recordOf } from './person-write.ts'
import { blindIndex, commitTo, newSalt, personKey, sealJson } from './personal.ts'
import { nothing, type PeopleTerms } from './read.ts'

export interface BadgeFields {
	readonly subject: Id<'subject'>
	/** As a person types it: digits, FACILITY-NUMBER, hex:BITCOUNT:HEX (core/access badgeToBits). */
	readonly number: string
	/** Left out: low, as most badges can be copied (trust.md T4). */
	readonly assurance?: Assurance | undefined
	readonly notAfter?: number | undefined
	/** A badge of the same person that ends with this: the lost one, or the same number with another assurance or end. */
	readonly replaces?: Id<'credential'> | undefined
}

/** The number is sealed under the person's key; banks get keyed verifiers, the ledger a salted commitment. */
export async function issueBadge(
	tx: Tx,
	change: PeopleChange,
	{ subject, number, assurance = 'low', notAfter, replaces }: BadgeFields,
): Promise<CredentialRecord> {
	const { now } = change
	const image = badgeToBits(number)
	if (!image.ok) throw new Fault('request-invalid', `body.number: ${image.text}`, { detail: { field: 'body.number', refusal: image.code } })
	inFuture(notAfter, now)
	await lockPersonKey(tx, subject)
	if (replaces !== undefined) await retireBadge(tx, change, subject, replaces)
	const [id] = await issueBadges(tx, change, [{ subject, normal: image.normal, ...(replaces && { replaces }) }], { assurance, notAfter })
	// Whose it is, is nobody's business who only typed a number.
	if (!id) throw new Fault('already-exists', 'This badge number is in use already. Revoke it there first.', { detail: { field: 'body.number' } })
	return (await findCredential(tx, id)) as CredentialRecord
}

export interface NewBadge {
	readonly subject: Id<'subject'>
	readonly normal: string
	readonly replaces?: Id<'credential'>
}

/** A list is as many statements as one badge. Answers which were made: a number that is in use, and a badge for nobody, are left out. */
export async function issueBadges(
	tx: Tx,
	change: PeopleChange,
	badges: readonly NewBadge[],
	{ assurance, notAfter }: { readonly assurance: Assurance; readonly notAfter: number | undefined },
): Promise<Id<'credential'>[]> {
	const { now, random } = change
	const keys = await lockPersonKeys(tx, [...new Set(badges.map(({ subject }) => subject))])
	const tenant = await tenantSealing(tx, change)
	const rows = badges.flatMap(({ subject, normal, replaces }) => {
		const wrapped = keys.get(subject)
		if (!wrapped) return []
		const id = newId('credential', now, random)
		const salt = newSalt(random)
		const commitment = commitTo(Buffer.from(salt, 'hex'), `badge:${normal}`)
		const sealed = Buffer.from(sealJson(personKey(tenant, subject, wrapped, random), { normal, salt }, badgeContext(id)))
		return [{ id, subject, sealed, index: blindIndex(tenant.secret, 'badge', normal), commitment, replaces }]
	})
	const made = new Set(
		(
			await tx.rows(sql<{ id: string }>`INSERT INTO credential
			(tenant_id, credential_id, subject_id, kind, sealed, number_index, commitment, assurance, not_after, version, created_at, updated_at)
		SELECT ${tx.tenant}, id, subject, 'badge', sealed, number, commitment, ${assurance}, ${notAfter ?? null}::bigint, 1, ${now}::bigint, ${now}::bigint
		FROM unnest(${rows.map((r) => r.id)}::text[], ${rows.map((r) => r.subject)}::text[], ${rows.map((r) => r.sealed)}::bytea[],
			${rows.map((r) => r.index)}::bytea[], ${rows.map((r) => r.commitment)}::text[]) AS t (id, subject, sealed, number, commitment)
		ON CONFLICT (tenant_id, number_index) WHERE revoked_at IS NULL DO NOTHING RETURNING credential_id AS id`)
		).map(({ id }) => id),
	)
	const issued = rows.filter(({ id }) => made.has(id))
	if (issued.length === 0) return []
	const only = issued.length === 1 ? issued[0]?.id : undefined
	for (const { site_id } of await tx.rows(sql<{ site_id: Id<'site'> }>`SELECT site_id FROM site_key WHERE tenant_id = ${tx.tenant} ORDER BY site_id`))
		await readyCredentials(tx, site_id, change, now, only)
	const facts = issued.map(({ id, subject, commitment, replaces }) => ({
		type: 'credential.issued' as const,
		subject: id,
		actor: change.actor,
		data: { kind: 'badge', subject, commitment, ...(notAfter !== undefined && { notAfter }), ...(replaces !== undefined && { replaces }) },
	}))
	await append(tx, facts, { now, random })
	await markPeople(
		tx,
		now,
		issued.map(({ subject }) => subject),
	)
	return issued.map(({ id }) => id)
}

export interface PinFields {
	readonly subject: Id<'subject'>
	readonly site: Id<'site'>
	readonly notAfter?: number | undefined
}

/**
 * A PIN that the system makes, for one site: it is in the answer alone; what is kept is its verifier (trust.md §0.4). Nobody has two at one site, as
 * each is one more that a guesser may hit: the older ends.
 */
export async function issuePin(tx: Tx, change: PeopleChange, { subject, site, notAfter }: PinFields): Promise<CredentialRecord & { pin: string }> {
	const { now, random } = change
	await siteOf(tx, site)
	inFuture(notAfter, now)
	const wrapped = await lockPersonKey(tx, subject)
	const siteKey = await ensureSiteKey(tx, site, change, now)
	for (const older of await unrevokedPinsOf(tx, subject, site)) await endCredential(tx, change, older)
	const { pinLength, wrongPinsPerDay } = await settingsOf(tx, { site })
	const safe = checkPinSettings((await livePins(tx, site, now)) + 1, pinLength, wrongPinsPerDay)
	if (!safe.ok) throw new Fault('request-refused', safe.text, { detail: { setting: 'pinLength' } })
	const id = newId('credential', now, random)
	const salt = newSalt(random)
	const { pin, verifier } = await freePin(tx, site, siteKey, pinLength, random)
	const commitment = commitTo(Buffer.from(salt, 'hex'), `pin:${pin}`)
	const sealed = sealJson(personKey(await tenantSealing(tx, change), subject, wrapped, random), { salt }, badgeContext(id))
	await tx.run(sql`INSERT INTO credential (tenant_id, credential_id, subject_id, kind, site_id, sealed, commitment, assurance, not_after, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${id}, ${subject}, 'pin', ${site}, ${Buffer.from(sealed)}, ${commitment}, 'medium', ${notAfter ?? null}, 1, ${now}, ${now})`)
	await tx.run(sql`INSERT INTO credential_verifier (tenant_id, site_id, verifier, credential_id) VALUES (${tx.tenant}, ${site}, ${verifier}, ${id})`)
	await recordOf(tx, change, 'credential.issued', id, { kind: 'pin', subject, commitment, ...(notAfter !== undefined && { notAfter }) }, site)
	await markPeople(tx, now, [subject], site)
	return { ...((await findCredential(tx, id)) as CredentialRecord), pin }
}

export async function revokeCredential(tx: Tx, change: PeopleChange, id: Id<'credential'>, ifMatch: number): Promise<CredentialRecord> {
	const before = await findCredential(tx, id, true)
	if (!before) throw nothing('credential')
	unchangedSince(ifMatch, before)
	if (before.revokedAt !== undefined) return before
	await endCredential(tx, change, before)
	return (await findCredential(tx, id)) as CredentialRecord
}

/**
 * Its holder has lost it, or knows that somebody else knows it: it ends, and from `at` on it is somebody else who shows it. Once; finding it again is a new
 * badge. `at`: when it was said, at a bank that may tell late.
 */
export async function reportLost(tx: Tx, change: PeopleChange, lost: CredentialRecord, at = change.now): Promise<CredentialRecord> {
	if (lost.lostAt !== undefined) return lost
	const since = Math.max(lost.createdAt, Math.min(at, change.now))
	await tx.run(
		sql`UPDATE credential SET lost_at = ${since}, version = version + 1, updated_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND credential_id = ${lost.id}`,
	)
	if (lost.revokedAt === undefined) await endCredential(tx, change, lost)
	return (await findCredential(tx, lost.id)) as CredentialRecord
}

async function endCredential(tx: Tx, change: PeopleChange, { id, subject, site }: CredentialRecord): Promise<void> {
	const { now } = change
	await tx.run(
		sql`UPDATE credential SET revoked_at = ${now}, version = version + 1, updated_at = ${now} WHERE tenant_id = ${tx.tenant} AND credential_id = ${id}`,
	)
	await recordOf(tx, change, 'credential.revoked', id, { subject }, site)
	await markPeople(tx, now, [subject], site)
}

/** One that was revoked already has ended: who replaces a badge that was reported lost says so all the same. */
async function retireBadge(tx: Tx, change: PeopleChange, subject: Id<'subject'>, id: Id<'credential'>): Promise<void> {
	const old = await findCredential(tx, id, true)
	if (old?.kind !== 'badge' || old.subject !== subject)
		throw new Fault('request-invalid', 'body.replaces: this person has no such badge.', { detail: { field: 'body.replaces' } })
	if (old.revokedAt === undefined) await endCredential(tx, change, old)
}

/** The site's key, made when first needed: handed to its controllers at enrolment. */
export async function ensureSiteKey(tx: Tx, site: Id<'site'>, terms: PeopleTerms, now: number): Promise<Uint8Array> {
	const known = await siteKeyOf(tx, site, terms)
	if (known) return known
	await siteOf(tx, site)
	const sealed = (await tenantSealing(tx, terms)).seal(terms.random(32), siteKeyContext(site))
	// Where it is to be on no disk, a machine that enrols gets another one: then bundles name it from the first on.
	const rotatedAt = (await settingsOf(tx, { site })).siteKeyInMemory ? now : null
	// Two that need it at once get the one that was first.
	await tx.run(sql`INSERT INTO site_key (tenant_id, site_id, sealed, created_at, rotated_at)
		VALUES (${tx.tenant}, ${site}, ${Buffer.from(sealed)}, ${now}, ${rotatedAt}) ON CONFLICT DO NOTHING`)
	return (await siteKeyOf(tx, site, terms)) as Uint8Array
}

/** Makes the verifiers that the site lacks, or that one; call it before composing a bundle. Answers the site's key. */
export async function readyCredentials(tx: Tx, site: Id<'site'>, terms: PeopleTerms, now: number, only?: Id<'credential'>): Promise<Uint8Array> {
	const siteKey = await ensureSiteKey(tx, site, terms, now)
	const missing = await missingVerifiers(tx, site, siteKey, terms, only)
	if (missing.length > 0)
		await tx.run(sql`INSERT INTO credential_verifier (tenant_id, site_id, verifier, credential_id)
			SELECT ${tx.tenant}, ${site}, verifier, id FROM unnest(${missing.map((one) => one.verifier)}::text[], ${missing.map((one) => one.id)}::text[]) AS t (verifier, id)
			ON CONFLICT (tenant_id, site_id, verifier) DO UPDATE SET credential_id = excluded.credential_id`)
	return siteKey
}

const TRIES = 20

/** Not one that lives or ever lived at this site: the verifier of a revoked PIN stays, so nobody gets it again. */
async function freePin(tx: Tx, site: Id<'site'>, siteKey: Uint8Array, length: number, random: Random): Promise<{ pin: string; verifier: string }> {
	for (let left = TRIES; left > 0; left--) {
		const pin = drawDigits(length, random)
		const verifier = verifierOf(siteKey, nodeCrypto, 'pin', pin)
		const taken = await tx.first(
			sql`SELECT 1 FROM credential_verifier WHERE tenant_id = ${tx.tenant} AND site_id = ${site} AND verifier = ${verifier}`,
		)
		if (!taken) return { pin, verifier }
	}
	throw new Fault('request-refused', 'No free PIN was found: this site has too many for their length. Raise the setting pinLength.')
}

async function lockPersonKey(tx: Tx, subject: Id<'subject'>): Promise<Uint8Array> {
	const key = (await lockPersonKeys(tx, [subject])).get(subject)
	if (!key) throw nothing('person')
	return key
}

async function lockPersonKeys(tx: Tx, subjects: readonly Id<'subject'>[]): Promise<Map<Id<'subject'>, Uint8Array>> {
	const rows = await tx.rows(sql<{ id: Id<'subject'>; wrapped_key: Uint8Array }>`SELECT subject_id AS id, wrapped_key FROM person
		WHERE tenant_id = ${tx.tenant} AND subject_id = ANY(${[...subjects]}::text[]) AND wrapped_key IS NOT NULL ORDER BY subject_id FOR SHARE`)
	return new Map(rows.map((row) => [row.id, row.wrapped_key]))
}

export function inFuture(notAfter: number | undefined, now: number): void {
	if (notAfter !== undefined && notAfter <= now)
		throw new Fault('request-invalid', 'body.notAfter: lies in the past.', { detail: { field: 'body.notAfter' } })
}
