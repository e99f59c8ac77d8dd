import { type Assurance, verifierOf } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { tenantSealing } from '../tenants/index.ts'
import { openJson, personKey } from './personal.ts'
import type { PeopleTerms } from './read.ts'

export interface CredentialRecord {
	readonly id: Id<'credential'>
	readonly subject: Id<'subject'>
	readonly kind: 'badge' | 'pin'
	readonly site: Id<'site'> | undefined
	readonly assurance: Assurance
	readonly commitment: string
	readonly notAfter: number | undefined
	readonly revokedAt: number | undefined
	/** When its holder reported it lost. */
	readonly lostAt: number | undefined
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}

type Row = { readonly [K in keyof CredentialRecord]: Exclude<CredentialRecord[K], undefined> | null }

const CREDENTIAL = sql`credential_id AS id, subject_id AS subject, kind, site_id AS site, assurance, commitment, not_after AS "notAfter", revoked_at AS "revokedAt", lost_at AS "lostAt",
	version, created_at AS "createdAt", updated_at AS "updatedAt"`
const toRecord = (row: Row): CredentialRecord =>
	({
		...row,
		site: row.site ?? undefined,
		notAfter: row.notAfter ?? undefined,
		revokedAt: row.revokedAt ?? undefined,
		lostAt: row.lostAt ?? undefined,
	}) as CredentialRecord

export async function findCredential(db: Db, id: Id<'credential'>, lock = false): Promise<CredentialRecord | undefined> {
	const row = await db.first(
		sql<Row>`SELECT ${CREDENTIAL} FROM credential WHERE tenant_id = ${db.tenant} AND credential_id = ${id} ${lock ? sql`FOR UPDATE` : sql``}`,
	)
	return row && toRecord(row)
}

/** Somebody and all badges, PINs and one-time codes that they ever had. Undefined: there never was such a person. */
export async function tracesOf(db: Db, subject: Id<'subject'>): Promise<string[] | undefined> {
	const known = await db.first(sql`SELECT 1 FROM person WHERE tenant_id = ${db.tenant} AND subject_id = ${subject}`)
	if (!known) return undefined
	const had = await db.rows<{ id: string }>(
		sql`SELECT credential_id AS id FROM credential WHERE tenant_id = ${db.tenant} AND subject_id = ${subject}
			UNION ALL SELECT code_id FROM one_time_code WHERE tenant_id = ${db.tenant} AND subject_id = ${subject}`,
	)
	return [subject, ...had.map(({ id }) => id)]
}

/** Not revoked, for writing: one that has ended by itself is among them. */
export const unrevokedPinsOf = async (tx: Tx, subject: Id<'subject'>, site: Id<'site'>): Promise<CredentialRecord[]> =>
	(
		await tx.rows(sql<Row>`SELECT ${CREDENTIAL} FROM credential
			WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND kind = 'pin' AND site_id = ${site} AND revoked_at IS NULL
			ORDER BY credential_id FOR UPDATE`)
	).map(toRecord)

export async function listCredentials(
	db: Db,
	{ subject, after, updatedSince = 0, limit }: { subject?: Id<'subject'>; after?: readonly [number, string]; updatedSince?: number; limit: number },
): Promise<CredentialRecord[]> {
	const rows = await db.rows(sql<Row>`SELECT ${CREDENTIAL} FROM credential WHERE tenant_id = ${db.tenant} AND updated_at >= ${updatedSince}
		${subject ? sql`AND subject_id = ${subject}` : sql``} AND (updated_at, credential_id) > (${after?.[0] ?? 0}, ${after?.[1] ?? ''})
		ORDER BY updated_at, credential_id LIMIT ${limit + 1}`)
	return rows.map(toRecord)
}

/** Under which people's credentials are looked up at a site; undefined before the first of its banks or PINs needed it. */
export async function siteKeyOf(db: Db, site: Id<'site'>, terms: PeopleTerms): Promise<Uint8Array | undefined> {
	const row = await db.first(sql<{ sealed: Uint8Array }>`SELECT sealed FROM site_key WHERE tenant_id = ${db.tenant} AND site_id = ${site}`)
	return row && (await tenantSealing(db, terms)).open(row.sealed, siteKeyContext(site))
}

const keyTimes = (db: Db, site: Id<'site'>) =>
	db.first(sql<{ created: number; rotated: number | null }>`SELECT created_at AS created, rotated_at AS rotated FROM site_key
		WHERE tenant_id = ${db.tenant} AND site_id = ${site}`)

/** The key, where it is another than that of the enrolments: what bundles name, and what is sent beside them. */
export async function rotatedSiteKey(db: Db, site: Id<'site'>, terms: PeopleTerms): Promise<Uint8Array | undefined> {
	const times = await keyTimes(db, site)
	return times && times.rotated !== null ? siteKeyOf(db, site, terms) : undefined
}

/** Since when the site has its present key; undefined: it needed none yet. */
export async function siteKeySince(db: Db, site: Id<'site'>): Promise<number | undefined> {
	const times = await keyTimes(db, site)
	return times && (times.rotated ?? times.created)
}

export const siteKeyContext = (site: Id<'site'>): string => `site-key:${site}`
export const badgeContext = (id: Id<'credential'>): string => `credential:${id}`

/** A row of the bundle. */
export interface BundleCredential {
	readonly id: Id<'credential'>
	readonly kind: 'badge' | 'pin'
	readonly subject: Id<'subject'>
	readonly verifier: string
	readonly commitment: string
	readonly assurance: Assurance
	/** Reported lost: kept, so that a bank knows which one somebody shows. */
	readonly lost: boolean
}

/** So long a badge that is found or stolen may turn up. */
const LOST_KEPT_MS = 365 * 86_400_000

/**
 * What a bank of the site knows: live credentials, and badges that were reported lost not too long ago, of live people whose verifiers were made
 * (`readyCredentials` makes them). `only`: of these people.
 */
export async function bundleCredentials(db: Db, site: Id<'site'>, now: number, only?: readonly Id<'subject'>[]): Promise<BundleCredential[]> {
	const live = await db.rows(sql<
		Omit<BundleCredential, 'verifier'>
	>`SELECT credential_id AS id, kind, subject_id AS subject, commitment, assurance, lost_at IS NOT NULL AS lost
		FROM credential WHERE tenant_id = ${db.tenant} AND ((revoked_at IS NULL AND (not_after IS NULL OR not_after > ${now}))
			OR (kind = 'badge' AND lost_at > ${now - LOST_KEPT_MS}))
			${only ? sql`AND subject_id = ANY(${[...only]}::text[])` : sql``} ORDER BY credential_id`)
	// Joined here and not by the database: after a large import, before it has counted its rows, it takes a plan that looks at each pair.
	const verifiers = new Map(
		(
			await db.rows(sql<{ id: string; verifier: string }>`SELECT credential_id AS id, verifier FROM credential_verifier
				WHERE tenant_id = ${db.tenant} AND site_id = ${site}
					${only ? sql`AND credential_id = ANY(${live.map(({ id }) => id)}::text[])` : sql``}`)
		).map((row) => [row.id, row.verifier]),
	)
	return live.flatMap((row) => {
		const verifier = verifiers.get(row.id)
		return verifier === undefined ? [] : [{ ...row, verifier }]
	})
}

/** Something by which a bank would know somebody. */
export interface Proof {
	readonly subject: Id<'subject'>
	/** `code`: a one-time code of the person, typed or shown. */
	readonly kind: 'badge' | 'pin' | 'code'
	readonly assurance: Assurance
	/** It counts from then, and until then; null: there is no such time. */
	readonly from: number | null
	readonly until: number | null
}

/** All that people could show at a bank now or later, without what it is. `only`: of these people. */
export const proofsAt = (
	db: Db,
	{ site, bank }: { readonly site: Id<'site'>; readonly bank: Id<'bank'> },
	now: number,
	only?: readonly Id<'subject'>[],
): Promise<Proof[]> => {
	const them = only ? sql`AND subject_id = ANY(${[...only]}::text[])` : sql``
	return db.rows(sql<Proof>`SELECT subject_id AS subject, kind, assurance, NULL::bigint AS "from", not_after AS until FROM credential
			WHERE tenant_id = ${db.tenant} AND revoked_at IS NULL AND (not_after IS NULL OR not_after > ${now}) AND (kind = 'badge' OR site_id = ${site}) ${them}
		UNION ALL SELECT subject_id, 'code', 'medium', not_before, not_after FROM one_time_code o
			WHERE tenant_id = ${db.tenant} AND bank_id = ${bank} AND used_at IS NULL AND withdrawn_at IS NULL AND not_after > ${now} ${them}
				AND EXISTS (SELECT FROM controller c WHERE c.tenant_id = o.tenant_id AND c.controller_id = o.controller_id AND c.revoked_at IS NULL)
		ORDER BY 1, 2`)
}

/** Revoked and expired ids that a bank may still have in an older bundle: cumulative, as bundles ask. */
export const revokedCredentials = async (db: Db, now: number): Promise<Id<'credential'>[]> =>
	(
		await db.rows(sql<{ id: Id<'credential'> }>`SELECT credential_id AS id FROM credential
			WHERE tenant_id = ${db.tenant} AND (revoked_at IS NOT NULL OR not_after <= ${now}) ORDER BY credential_id`)
	).map((row) => row.id)

/** What no longer counts at a site since then: credentials that were revoked or have ended, one-time codes that were taken back, people who were suspended. */
export const takenAwaySince = (db: Db, site: Id<'site'>, since: number, now: number): Promise<{ id: string; at: number }[]> =>
	db.rows(sql`SELECT credential_id AS id, coalesce(revoked_at, not_after) AS at FROM credential
			WHERE tenant_id = ${db.tenant} AND (site_id IS NULL OR site_id = ${site})
				AND (revoked_at > ${since} OR (not_after > ${since} AND not_after <= ${now}))
		UNION ALL SELECT code_id, withdrawn_at FROM one_time_code WHERE tenant_id = ${db.tenant} AND site_id = ${site} AND withdrawn_at > ${since} AND not_after > ${now}
		UNION ALL SELECT subject_id, updated_at FROM person WHERE tenant_id = ${db.tenant} AND suspended AND updated_at > ${since} ORDER BY at, id`)

export interface TakenAway {
	readonly what: 'user' | 'credential'
	readonly since: number
}

/** What of this person's rights, and of the credential that they showed, was taken away by then; the earliest of it. */
export const takenAwayBy = (
	db: Db,
	{ subject, credential, at }: { subject: string; credential?: string; at: number },
): Promise<TakenAway | undefined> =>
	db.first(sql`SELECT what, since FROM (
			SELECT 'user' AS what, since FROM suspension WHERE tenant_id = ${db.tenant} AND subject_id = ${subject} AND coalesce(ended_at > ${at}::bigint, true)
			UNION ALL SELECT 'user', erased_at FROM person WHERE tenant_id = ${db.tenant} AND subject_id = ${subject} AND erased_at IS NOT NULL
			UNION ALL SELECT 'credential', least(revoked_at, lost_at, not_after) FROM credential WHERE tenant_id = ${db.tenant} AND credential_id = ${credential ?? ''}
		) taken WHERE since <= ${at} ORDER BY since LIMIT 1`)

/** When the next credential expires by itself, so that whoever composes bundles looks again then. `only`: of these people. */
export const nextExpiry = async (db: Db, now: number, only?: readonly Id<'subject'>[]): Promise<number | undefined> =>
	(
		await db.first(
			sql<{
				at: number | null
			}>`SELECT min(not_after) AS at FROM credential WHERE tenant_id = ${db.tenant} AND revoked_at IS NULL AND not_after > ${now}
				${only ? sql`AND subject_id = ANY(${[...only]}::text[])` : sql``}`,
		)
	)?.at ?? undefined

/** A kiosk asks for a credential that its bundle does not know: is there such a one by now? */
export const credentialBy = (
	db: Db,
	site: Id<'site'>,
	verifier: string,
	now: number,
): Promise<{ id: Id<'credential'>; subject: Id<'subject'> } | undefined> =>
	db.first(sql<{ id: Id<'credential'>; subject: Id<'subject'> }>`SELECT c.credential_id AS id, c.subject_id AS subject
		FROM credential_verifier v JOIN credential c ON c.tenant_id = v.tenant_id AND c.credential_id = v.credential_id
		WHERE v.tenant_id = ${db.tenant} AND v.site_id = ${site} AND v.verifier = ${verifier} AND c.revoked_at IS NULL AND (c.not_after IS NULL OR c.not_after > ${now})`)

interface Missing {
	readonly id: Id<'credential'>
	readonly subject: Id<'subject'>
	readonly sealed: Uint8Array
	readonly wrapped_key: Uint8Array
}

/** Badges whose verifier at this site was not made yet; `only`: this one is looked at alone, as a look at all grows with their number. */
export async function missingVerifiers(
	tx: Tx,
	site: Id<'site'>,
	siteKey: Uint8Array,
	terms: PeopleTerms,
	only?: Id<'credential'>,
): Promise<{ id: Id<'credential'>; verifier: string }[]> {
	const rows = await tx.rows(sql<Missing>`SELECT c.credential_id AS id, c.subject_id AS subject, c.sealed, p.wrapped_key
		FROM credential c JOIN person p ON p.tenant_id = c.tenant_id AND p.subject_id = c.subject_id
		WHERE c.tenant_id = ${tx.tenant} AND c.kind = 'badge' AND c.revoked_at IS NULL AND p.wrapped_key IS NOT NULL
			${only ? sql`AND c.credential_id = ${only}` : sql``}
			AND NOT EXISTS (SELECT FROM credential_verifier v WHERE v.tenant_id = c.tenant_id AND v.site_id = ${site} AND v.credential_id = c.credential_id)
		ORDER BY c.credential_id`)
	if (rows.length === 0) return []
	const tenant = await tenantSealing(tx, terms)
	return rows.map((row) => {
		const { normal } = openJson<{ normal: string }>(personKey(tenant, row.subject, row.wrapped_key, terms.random), row.sealed, badgeContext(row.id))
		return { id: row.id, verifier: verifierOf(siteKey, nodeCrypto, 'badge', normal) }
	})
}

/** How many PINs live at each site. */
export const pinsBySite = async (db: Db, now: number): Promise<Map<Id<'site'>, number>> =>
	new Map(
		(
			await db.rows(sql<{
				site: Id<'site'>
				n: number
			}>`SELECT site_id AS site, count(*) AS n FROM credential WHERE tenant_id = ${db.tenant} AND kind = 'pin'
				AND revoked_at IS NULL AND (not_after IS NULL OR not_after > ${now}) GROUP BY site_id`)
		).map(({ site, n }) => [site, n]),
	)

/** How many PINs live at a site: what the formula of their length counts (trust.md §3.4). */
export const livePins = async (db: Db, site: Id<'site'>, now: number): Promise<number> =>
	(
		await db.first(sql<{ n: number }>`SELECT count(*) AS n FROM credential WHERE tenant_id = ${db.tenant} AND site_id = ${site} AND kind = 'pin'
			AND revoked_at IS NULL AND (not_after IS NULL OR not_after > ${now})`)
	)?.n ?? 0
