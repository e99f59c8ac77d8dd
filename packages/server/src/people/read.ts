import type { Permission } from '@latchwork/core/access'
import { Fault, type Id, type Random } from '@latchwork/core/base'
import { type Db, type MasterKey, type Sql, sql, type Tx } from '../store/index.ts'
import { tenantSealing } from '../tenants/index.ts'
import { blindIndex, normalEmail, openJson, type Personal, personKey, searched } from './personal.ts'

/** What reading personal data needs. */
export interface PeopleTerms {
	readonly master: MasterKey
	readonly random: Random
	/** The installation's own key (`installationKey`): under it sign-in names are found. */
	readonly installation: Uint8Array
}

export interface Person {
	readonly id: Id<'subject'>
	/** Undefined: erased. */
	readonly personal: Personal | undefined
	readonly commitment: string
	readonly suspended: boolean
	readonly maxLoans: number | undefined
	/** How long a bank that is cut off still lets them in; undefined: as long as it lets anybody in. */
	readonly offlineMinutes: number | undefined
	readonly groups: readonly Id<'group'>[]
	readonly erasedAt: number | undefined
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}

interface PersonRow {
	readonly id: Id<'subject'>
	readonly wrapped_key: Uint8Array | null
	readonly sealed: Uint8Array | null
	readonly commitment: string
	readonly suspended: boolean
	readonly max_loans: number | null
	readonly offline_minutes: number | null
	readonly groups: Id<'group'>[]
	readonly erased_at: number | null
	readonly version: number
	readonly created_at: number
	readonly updated_at: number
}

const PERSON = sql`subject_id AS id, wrapped_key, sealed, commitment, suspended, max_loans, offline_minutes, erased_at, version, created_at, updated_at,
	ARRAY(SELECT group_id FROM membership m WHERE m.tenant_id = person.tenant_id AND m.subject_id = person.subject_id ORDER BY group_id) AS groups`

export const personContext = (subject: Id<'subject'>): string => `person:${subject}`

export async function findPerson(db: Db, subject: Id<'subject'>, terms: PeopleTerms): Promise<Person | undefined> {
	const [person] = await opened(
		db,
		await db.rows(sql<PersonRow>`SELECT ${PERSON} FROM person WHERE tenant_id = ${db.tenant} AND subject_id = ${subject}`),
		terms,
	)
	return person
}

/** Somebody of this organisation, and not erased. */
export const isPerson = async (db: Db, subject: Id<'subject'>): Promise<boolean> =>
	(await db.first(sql`SELECT 1 FROM person WHERE tenant_id = ${db.tenant} AND subject_id = ${subject} AND erased_at IS NULL`)) !== undefined

export interface PersonFilter {
	readonly search?: string | undefined
	readonly group?: Id<'group'> | undefined
	readonly ids?: readonly Id<'subject'>[] | undefined
	readonly updatedSince?: number | undefined
	/** (updated_at, id) of the last row seen. */
	readonly after?: readonly [number, string] | undefined
	readonly limit: number
}

/** Oldest change first, so that a follower misses nothing. One more than `limit`, when there is one. */
export async function listPeople(db: Db, filter: PersonFilter, terms: PeopleTerms): Promise<Person[]> {
	const conditions: Sql<unknown>[] = [sql`tenant_id = ${db.tenant}`]
	if (filter.search !== undefined) {
		const { secret } = await tenantSealing(db, terms)
		const words = searched(filter.search)
		// Nothing to look for is not everybody.
		if (words.length === 0) return []
		for (const word of words)
			conditions.push(
				sql`EXISTS (SELECT FROM person_word w WHERE w.tenant_id = person.tenant_id AND w.word = ${blindIndex(secret, 'word', word)} AND w.subject_id = person.subject_id)`,
			)
	}
	if (filter.group)
		conditions.push(
			sql`EXISTS (SELECT FROM membership m WHERE m.tenant_id = person.tenant_id AND m.group_id = ${filter.group} AND m.subject_id = person.subject_id)`,
		)
	if (filter.ids) conditions.push(sql`subject_id = ANY(${[...filter.ids]}::text[])`)
	if (filter.updatedSince !== undefined) conditions.push(sql`updated_at >= ${filter.updatedSince}`)
	if (filter.after) conditions.push(sql`(updated_at, subject_id) > (${filter.after[0]}, ${filter.after[1]})`)
	const rows = await db.rows(
		sql<PersonRow>`SELECT ${PERSON} FROM person WHERE ${sql.join(conditions, sql` AND `)} ORDER BY updated_at, subject_id LIMIT ${filter.limit + 1}`,
	)
	return opened(db, rows, terms)
}

/** Names for screens that show ids of people: console, cases. Erased and unknown people are left out. */
export async function namesOf(db: Db, subjects: readonly Id<'subject'>[], terms: PeopleTerms): Promise<Map<Id<'subject'>, string>> {
	if (subjects.length === 0) return new Map()
	const rows = await db.rows(
		sql<PersonRow>`SELECT ${PERSON} FROM person WHERE tenant_id = ${db.tenant} AND subject_id = ANY(${[...new Set(subjects)]}::text[]) AND erased_at IS NULL`,
	)
	return new Map((await opened(db, rows, terms)).flatMap(({ id, personal }) => (personal ? [[id, personal.name] as const] : [])))
}

export async function personByEmail(db: Db, email: string, terms: PeopleTerms): Promise<Id<'subject'> | undefined> {
	const { secret } = await tenantSealing(db, terms)
	const row = await db.first(
		sql<{
			id: Id<'subject'>
		}>`SELECT subject_id AS id FROM person WHERE tenant_id = ${db.tenant} AND email_index = ${blindIndex(secret, 'email', normalEmail(email))}`,
	)
	return row?.id
}

async function opened(db: Db, rows: readonly PersonRow[], terms: PeopleTerms): Promise<Person[]> {
	if (rows.length === 0) return []
	const tenant = await tenantSealing(db, terms)
	return rows.map((row) => ({
		id: row.id,
		personal:
			row.wrapped_key && row.sealed
				? openJson<Personal>(personKey(tenant, row.id, row.wrapped_key, terms.random), row.sealed, personContext(row.id))
				: undefined,
		commitment: row.commitment,
		suspended: row.suspended,
		maxLoans: row.max_loans ?? undefined,
		offlineMinutes: row.offline_minutes ?? undefined,
		groups: row.groups,
		erasedAt: row.erased_at ?? undefined,
		version: row.version,
		createdAt: row.created_at,
		updatedAt: row.updated_at,
	}))
}

export interface Group {
	readonly id: Id<'group'>
	readonly code: string
	readonly name: string
	readonly members: number
	readonly labels: Readonly<Record<string, string>>
	readonly externalRefs: readonly { readonly system: string; readonly id: string }[]
	readonly clientData: Readonly<Record<string, unknown>>
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}

const GROUP = sql`group_id AS id, code, name, labels, external_refs AS "externalRefs", client_data AS "clientData", version, created_at AS "createdAt", updated_at AS "updatedAt",
	(SELECT count(*) FROM membership m WHERE m.tenant_id = person_group.tenant_id AND m.group_id = person_group.group_id) AS members`

export const findGroup = (db: Db, group: Id<'group'>): Promise<Group | undefined> =>
	db.first(sql<Group>`SELECT ${GROUP} FROM person_group WHERE tenant_id = ${db.tenant} AND group_id = ${group}`)

export const listGroups = (db: Db, limit: number, after?: readonly [number, string], updatedSince = 0): Promise<Group[]> =>
	db.rows(sql<Group>`SELECT ${GROUP} FROM person_group WHERE tenant_id = ${db.tenant} AND updated_at >= ${updatedSince}
		AND (updated_at, group_id) > (${after?.[0] ?? 0}, ${after?.[1] ?? ''}) ORDER BY updated_at, group_id LIMIT ${limit + 1}`)

export const groupsOf = async (db: Db, subject: Id<'subject'>): Promise<Id<'group'>[]> =>
	(
		await db.rows(
			sql<{ id: Id<'group'> }>`SELECT group_id AS id FROM membership WHERE tenant_id = ${db.tenant} AND subject_id = ${subject} ORDER BY group_id`,
		)
	).map((row) => row.id)

/** For the bundle: everybody who may be known at a bank, without a name. */
export interface BundleSubject {
	readonly id: Id<'subject'>
	readonly groups: readonly string[]
	readonly suspended: boolean
	readonly maxLoans: number | undefined
	readonly offlineMinutes: number | undefined
	readonly commitment: string
	readonly qualifications: readonly { readonly code: string; readonly until?: number }[]
}

/** `only`: of these people. */
export async function bundleSubjects(db: Db, only?: readonly Id<'subject'>[]): Promise<BundleSubject[]> {
	const rows = await db.rows(sql<Omit<BundleSubject, 'maxLoans' | 'offlineMinutes'> & { maxLoans: number | null; offlineMinutes: number | null }>`
		SELECT subject_id AS id, suspended, max_loans AS "maxLoans", offline_minutes AS "offlineMinutes", commitment,
			ARRAY(SELECT g.code FROM membership m JOIN person_group g ON g.tenant_id = m.tenant_id AND g.group_id = m.group_id
				WHERE m.tenant_id = person.tenant_id AND m.subject_id = person.subject_id ORDER BY g.code) AS groups,
			coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('code', q.code, 'until', q.until)) ORDER BY q.code) FROM qualification q
				WHERE q.tenant_id = person.tenant_id AND q.subject_id = person.subject_id), '[]') AS qualifications
		FROM person WHERE tenant_id = ${db.tenant} AND erased_at IS NULL ${only ? sql`AND subject_id = ANY(${[...only]}::text[])` : sql``}
		ORDER BY subject_id`)
	return rows.map((row) => ({ ...row, maxLoans: row.maxLoans ?? undefined, offlineMinutes: row.offlineMinutes ?? undefined }))
}

/** This person's own loan limit, if there is one. Held, so that two loans of one person are counted one after the other. */
export const lockLoanLimit = async (tx: Tx, subject: Id<'subject'>): Promise<number | undefined> =>
	(
		await tx.first<{ limit: number | null }>(
			sql`SELECT max_loans AS limit FROM person WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} FOR NO KEY UPDATE`,
		)
	)?.limit ?? undefined

export const groupCodes = async (db: Db): Promise<string[]> =>
	(await db.rows(sql<{ code: string }>`SELECT code FROM person_group WHERE tenant_id = ${db.tenant} ORDER BY code`)).map((row) => row.code)

/** Whose request this is, by the digest of what was shown. */
export interface Shown {
	readonly subject: Id<'subject'>
	readonly via: Id<'session'> | Id<'token'>
	readonly limits: readonly Permission[] | undefined
	/** When its use was last recorded. */
	readonly seenAt: number
}

export async function shownSession(db: Db, digest: string, now: number): Promise<Shown | undefined> {
	const row = await db.first(sql<{ subject: Id<'subject'>; via: Id<'session'>; seen_at: number }>`
		SELECT s.subject_id AS subject, s.session_id AS via, s.seen_at FROM session s JOIN person p ON p.tenant_id = s.tenant_id AND p.subject_id = s.subject_id
		WHERE s.tenant_id = ${db.tenant} AND s.digest = ${digest} AND s.ended_at IS NULL AND s.expires_at > ${now} AND s.seen_at + s.idle_ms > ${now}
			AND p.erased_at IS NULL AND NOT p.suspended`)
	return row && { subject: row.subject, via: row.via, limits: undefined, seenAt: row.seen_at }
}

export async function shownToken(db: Db, digest: string, now: number): Promise<Shown | undefined> {
	const row = await db.first(sql<{ subject: Id<'subject'>; via: Id<'token'>; permissions: Permission[] | null; last_used_at: number | null }>`
		SELECT t.subject_id AS subject, t.token_id AS via, t.permissions, t.last_used_at FROM api_token t JOIN person p ON p.tenant_id = t.tenant_id AND p.subject_id = t.subject_id
		WHERE t.tenant_id = ${db.tenant} AND t.digest = ${digest} AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ${now})
			AND p.erased_at IS NULL AND NOT p.suspended`)
	return row && { subject: row.subject, via: row.via, limits: row.permissions ?? undefined, seenAt: row.last_used_at ?? 0 }
}

export const nothing = (what: string) => new Fault('not-found', `There is no such ${what}.`)
