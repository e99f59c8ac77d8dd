import { defined, Fault, type Id, type Json, newId } from '@latchwork/core/base'
import type { ServerEventType } from '@latchwork/core/ledger'
import { type Change, markPeople, unchangedSince, unlessTaken } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { tenantSealing } from '../tenants/index.ts'
import {
	blindIndex,
	commitTo,
	newPersonKey,
	newSalt,
	normalEmail,
	type Personal,
	personKey,
	sealJson,
	searchable,
	type TenantSealing,
} from './personal.ts'
import { findPerson, nothing, type PeopleTerms, type Person, personContext } from './read.ts'

/** Who changes something and when, with what opens and seals. */
export type PeopleChange = Change & PeopleTerms

/** One fact about people: pseudonyms, ids and the names of fields, never what is in them. */
export async function recordOf(
	tx: Tx,
	{ actor, now, random }: Change,
	type: ServerEventType,
	subject: string,
	data: { readonly [key: string]: Json } = {},
	site?: Id<'site'>,
): Promise<void> {
	await append(tx, [{ type, subject, actor, ...(site && { site }), data }], { now, random })
}

export interface PersonFields {
	readonly personal: Personal
	readonly maxLoans?: number | undefined
	readonly offlineMinutes?: number | undefined
}

/** `id`: of somebody who is known elsewhere already, as the demo people are; else a new pseudonym. */
export async function createPerson(
	tx: Tx,
	change: PeopleChange,
	{ personal, maxLoans, offlineMinutes }: PersonFields,
	id?: Id<'subject'>,
): Promise<Person> {
	const { now, random } = change
	const subject = id ?? newId('subject', now, random)
	const tenant = await tenantSealing(tx, change)
	const { wrapped, own } = newPersonKey(tenant, subject, random)
	const salt = newSalt(random)
	await unlessTaken(
		tx.run(sql`INSERT INTO person (tenant_id, subject_id, wrapped_key, sealed, commitment, email_index, suspended, max_loans, offline_minutes, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${subject}, ${Buffer.from(wrapped)}, ${Buffer.from(sealJson(own, { ...personal, salt }, personContext(subject)))},
			${commitTo(Buffer.from(salt, 'hex'), personal.name)}, ${emailIndex(tenant, personal)}, false, ${maxLoans ?? null}, ${offlineMinutes ?? null}, 1, ${now}, ${now})`),
		ADDRESS_TAKEN,
	)
	await indexWords(tx, tenant, subject, personal)
	await recordOf(tx, change, 'user.created', subject)
	await markPeople(tx, now, [subject])
	return (await findPerson(tx, subject, change)) as Person
}

export interface PersonPatch {
	/** Null takes a field away. */
	readonly personal?: { readonly [F in keyof Personal]?: Personal[F] | null }
	readonly suspended?: boolean | undefined
	/** Null: as the settings say. */
	readonly maxLoans?: number | null | undefined
	/** Null: as the site says. */
	readonly offlineMinutes?: number | null | undefined
}

export async function changePerson(tx: Tx, change: PeopleChange, subject: Id<'subject'>, ifMatch: number, patch: PersonPatch): Promise<Person> {
	const before = await lockPerson(tx, change, subject, ifMatch)
	if (before.personal === undefined) throw new Fault('request-refused', 'This person was erased; there is nothing left that could be changed.')
	const personal = withoutNulls({ ...before.personal, ...defined(patch.personal ?? {}) })
	const suspended = patch.suspended ?? before.suspended
	const maxLoans = patch.maxLoans === undefined ? before.maxLoans : (patch.maxLoans ?? undefined)
	const offlineMinutes = patch.offlineMinutes === undefined ? before.offlineMinutes : (patch.offlineMinutes ?? undefined)
	const fields = [
		...Object.keys(patch.personal ?? {}).filter((name) => !same(before.personal?.[name as keyof Personal], personal[name as keyof Personal])),
		...(suspended === before.suspended ? [] : ['suspended']),
		...(maxLoans === before.maxLoans ? [] : ['maxLoans']),
		...(offlineMinutes === before.offlineMinutes ? [] : ['offlineMinutes']),
	]
	if (fields.length === 0) return before
	const { now, random } = change
	const tenant = await tenantSealing(tx, change)
	const row = await tx.first(
		sql<{ wrapped_key: Uint8Array }>`SELECT wrapped_key FROM person WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`,
	)
	if (!row) throw nothing('person')
	const salt = newSalt(random)
	const sealed = sealJson(personKey(tenant, subject, row.wrapped_key, random), { ...personal, salt }, personContext(subject))
	await unlessTaken(
		tx.run(sql`UPDATE person SET sealed = ${Buffer.from(sealed)}, commitment = ${commitTo(Buffer.from(salt, 'hex'), personal.name)},
		email_index = ${emailIndex(tenant, personal)}, suspended = ${suspended}, max_loans = ${maxLoans ?? null}, offline_minutes = ${offlineMinutes ?? null},
		version = version + 1, updated_at = ${now}
		WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`),
		ADDRESS_TAKEN,
	)
	await indexWords(tx, tenant, subject, personal)
	// Without an address nobody can sign in; with another one it is the new one.
	await tx.run(
		personal.email === undefined
			? sql`DELETE FROM sign_in WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`
			: sql`UPDATE sign_in SET name_index = ${blindIndex(change.installation, 'sign-in', normalEmail(personal.email))} WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`,
	)
	if (suspended && !before.suspended) {
		await endAccess(tx, subject, now)
		await tx.run(sql`INSERT INTO suspension (tenant_id, subject_id, since) VALUES (${tx.tenant}, ${subject}, ${now}) ON CONFLICT DO NOTHING`)
		await recordOf(tx, change, 'user.suspended', subject)
	}
	if (before.suspended && !suspended)
		await tx.run(sql`UPDATE suspension SET ended_at = ${now} WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND ended_at IS NULL`)
	await recordOf(tx, change, 'user.changed', subject, { fields, version: before.version + 1 })
	await markPeople(tx, now, [subject])
	return (await findPerson(tx, subject, change)) as Person
}

/**
 * Destroys the person's key, and with it everything that was ever sealed under it, in backups too once the last copy of the key has aged out.
 * Pseudonym, commitments and proofs stay: the ledger is as whole as before.
 */
export async function erasePerson(tx: Tx, change: PeopleChange, subject: Id<'subject'>, ifMatch: number): Promise<void> {
	const before = await lockPerson(tx, change, subject, ifMatch)
	if (before.erasedAt !== undefined) return
	const { now } = change
	await endAccess(tx, subject, now)
	await tx.run(sql`DELETE FROM sign_in WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`)
	await tx.run(sql`DELETE FROM person_word WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`)
	await tx.run(sql`DELETE FROM membership WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`)
	// A keyed digest of a badge number is still the person's until the number is somebody else's.
	await tx.run(sql`DELETE FROM credential_verifier v USING credential c WHERE v.tenant_id = ${tx.tenant} AND c.tenant_id = v.tenant_id
		AND c.credential_id = v.credential_id AND c.subject_id = ${subject}`)
	await tx.run(sql`UPDATE credential SET sealed = NULL, number_index = NULL, revoked_at = coalesce(revoked_at, ${now}::bigint), version = version + 1, updated_at = ${now}
		WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`)
	await tx.run(sql`UPDATE person SET wrapped_key = NULL, sealed = NULL, email_index = NULL, erased_at = ${now}, version = version + 1, updated_at = ${now}
		WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`)
	await recordOf(tx, change, 'user.erased', subject)
	await markPeople(tx, now, [subject])
}

/** Sessions and tokens end at once. */
async function endAccess(tx: Tx, subject: Id<'subject'>, now: number): Promise<void> {
	await tx.run(sql`UPDATE session SET ended_at = ${now} WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND ended_at IS NULL`)
	await tx.run(sql`UPDATE api_token SET revoked_at = ${now} WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND revoked_at IS NULL`)
}

async function lockPerson(tx: Tx, change: PeopleChange, subject: Id<'subject'>, ifMatch: number): Promise<Person> {
	await tx.run(sql`SELECT 1 FROM person WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} FOR UPDATE`)
	const before = await findPerson(tx, subject, change)
	if (!before) throw nothing('person')
	unchangedSince(ifMatch, before)
	return before
}

const emailIndex = (tenant: TenantSealing, { email }: Personal) =>
	email === undefined ? null : blindIndex(tenant.secret, 'email', normalEmail(email))

/** Not whose it is. */
const ADDRESS_TAKEN = 'Somebody has this e-mail address already.'

async function indexWords(tx: Tx, tenant: TenantSealing, subject: Id<'subject'>, personal: Personal): Promise<void> {
	await tx.run(sql`DELETE FROM person_word WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`)
	const words = searchable(personal).map((word) => blindIndex(tenant.secret, 'word', word))
	if (words.length > 0)
		await tx.run(sql`INSERT INTO person_word (tenant_id, word, subject_id) SELECT ${tx.tenant}, word, ${subject} FROM unnest(${words}::bytea[]) AS word
			ON CONFLICT DO NOTHING`)
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
const withoutNulls = (given: object): Personal =>
	Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as unknown as Personal
