import type { DeltaMark } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { type Db, sql, type Tx } from '../store/index.ts'

/** The bundle of a bank as it is handed out. */
export interface Published {
	readonly bank: Id<'bank'>
	readonly version: number
	/** Hex SHA-256 of the signed bytes. */
	readonly digest: string
	readonly text: string
	readonly issuedAt: number
	readonly expiresAt: number
	/** Up to which delta of the site it knows how many loans people have; whoever does not know them up to `counted` lacks something. */
	readonly deltas: number
	readonly counted: number
	/** The newest of the bank's deltas about people, and up to which one this text holds them. */
	readonly people: number
	readonly peopleHeld: number
	/** The controller takes such deltas. */
	readonly takesPeople: boolean
}

const PEOPLE = sql`CASE WHEN u.takes_people THEN u.people ELSE 0 END`
/** Of a bank that has a bundle, the chain of its site. */
const CHAIN = sql`JOIN bank b ON b.tenant_id = u.tenant_id AND b.bank_id = u.bank_id
	JOIN site_chain c ON c.tenant_id = b.tenant_id AND c.site_id = b.site_id`

/** Undefined: nothing was composed for this bank yet. */
export async function currentBundle(db: Db, bank: Id<'bank'>): Promise<Published | undefined> {
	const row = await db.first<Omit<Published, 'text'> & { text: Uint8Array }>(sql`SELECT u.bank_id AS bank, u.version, u.digest, u.text,
		u.issued_at AS "issuedAt", u.expires_at AS "expiresAt", u.deltas, c.counted, u.people, u.people_held AS "peopleHeld", u.takes_people AS "takesPeople" FROM bundle u ${CHAIN}
		WHERE u.tenant_id = ${db.tenant} AND u.bank_id = ${bank} AND u.version > 0`)
	return row && { ...row, text: Buffer.from(row.text).toString('utf8') }
}

/** What a lease says of a bank. */
export interface InForce {
	readonly bank: Id<'bank'>
	readonly version: number
	/** The site's newest delta that counted loans. */
	readonly counted: number
	/** The bank's newest delta about people; 0 for a controller that does not take them. */
	readonly people: number
	/** Too many wrong PINs at the site: until then its kiosks take none. */
	readonly restUntil: number | null
}

/** Undefined: nothing was composed for this bank yet. */
export const inForce = (db: Db, bank: Id<'bank'>): Promise<InForce | undefined> =>
	db.first(
		sql`SELECT u.bank_id AS bank, u.version, c.counted, ${PEOPLE} AS people, (SELECT rest_until FROM pin_budget p WHERE p.tenant_id = b.tenant_id AND p.site_id = b.site_id) AS "restUntil"
			FROM bundle u ${CHAIN} WHERE u.tenant_id = ${db.tenant} AND u.bank_id = ${bank} AND u.version > 0`,
	)

/** Whether the bank's bundle has a row of this person; a search in its bytes, which costs less than composing it. */
export const namesSubject = async (db: Db, bank: Id<'bank'>, subject: string): Promise<boolean> =>
	(
		await db.first<{ named: boolean }>(
			sql`SELECT position(${Buffer.from(`"id":"${subject}"`)}::bytea IN text) > 0 AS named FROM bundle WHERE tenant_id = ${db.tenant} AND bank_id = ${bank}`,
		)
	)?.named === true

export interface Due {
	readonly tenant: Id<'tenant'>
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
}

/** Banks that were marked, longest waiting first, and those whose bundle grows old or loses something by itself. For system work. */
export const dueBanks = (db: Db, now: number, limit: number): Promise<Due[]> =>
	db.rows(sql`SELECT b.tenant_id AS tenant, b.site_id AS site, b.bank_id AS bank FROM (
			(SELECT tenant_id, bank_id, since FROM bundle_dirty ORDER BY since LIMIT ${limit})
			UNION ALL (SELECT tenant_id, bank_id, due_at AS since FROM bundle WHERE due_at <= ${now} ORDER BY due_at LIMIT ${limit})
		) d JOIN bank b ON b.tenant_id = d.tenant_id AND b.bank_id = d.bank_id
		GROUP BY b.tenant_id, b.site_id, b.bank_id ORDER BY min(d.since), b.tenant_id, b.bank_id LIMIT ${limit}`)

export interface Leased extends Due, InForce {
	readonly controller: Id<'controller'>
}

/** Banks that are connected and have a bundle. For system work. */
export const leasedBanks = (db: Db): Promise<Leased[]> =>
	db.rows(sql`SELECT b.tenant_id AS tenant, b.site_id AS site, b.bank_id AS bank, c.controller_id AS controller, u.version, h.counted, ${PEOPLE} AS people,
			p.rest_until AS "restUntil" FROM bank_state s
		JOIN bank b ON b.tenant_id = s.tenant_id AND b.bank_id = s.bank_id
		JOIN controller c ON c.tenant_id = s.tenant_id AND c.bank_id = s.bank_id AND c.revoked_at IS NULL
		JOIN bundle u ON u.tenant_id = s.tenant_id AND u.bank_id = s.bank_id AND u.version > 0
		JOIN site_chain h ON h.tenant_id = b.tenant_id AND h.site_id = b.site_id
		LEFT JOIN pin_budget p ON p.tenant_id = b.tenant_id AND p.site_id = b.site_id
		WHERE s.online ORDER BY b.tenant_id, b.bank_id`)

/** Banks of a site that are connected, and who speaks for them. */
export const onlineAt = (db: Db, site: Id<'site'>): Promise<{ bank: Id<'bank'>; controller: Id<'controller'> }[]> =>
	db.rows(sql`SELECT b.bank_id AS bank, c.controller_id AS controller FROM bank b
		JOIN bank_state s ON s.tenant_id = b.tenant_id AND s.bank_id = b.bank_id AND s.online
		JOIN controller c ON c.tenant_id = b.tenant_id AND c.bank_id = b.bank_id AND c.revoked_at IS NULL
		WHERE b.tenant_id = ${db.tenant} AND b.site_id = ${site} ORDER BY b.bank_id`)

/** Sites that have bundles, where their chains stand, and their banks. Nobody else goes on with any of them until the transaction ends. */
export async function chainedSites(tx: Tx): Promise<(DeltaMark & { readonly site: Id<'site'>; readonly banks: readonly Id<'bank'>[] })[]> {
	const chains = await tx.rows<DeltaMark & { site: Id<'site'> }>(
		sql`SELECT site_id AS site, n, hash FROM site_chain WHERE tenant_id = ${tx.tenant} ORDER BY site_id FOR UPDATE`,
	)
	const banks = await tx.rows<{ site: Id<'site'>; bank: Id<'bank'> }>(
		sql`SELECT site_id AS site, bank_id AS bank FROM bank WHERE tenant_id = ${tx.tenant}`,
	)
	const bySite = Map.groupBy(banks, ({ site }) => site)
	return chains.map((chain) => ({ ...chain, banks: (bySite.get(chain.site) ?? []).map(({ bank }) => bank) }))
}

/** Sites where a bank was marked, or somebody. For system work. */
export const markedSites = (db: Db): Promise<{ tenant: Id<'tenant'>; site: Id<'site'> }[]> =>
	db.rows(sql`SELECT b.tenant_id AS tenant, b.site_id AS site FROM bundle_dirty d JOIN bank b ON b.tenant_id = d.tenant_id AND b.bank_id = d.bank_id
		UNION SELECT c.tenant_id, c.site_id FROM person_dirty p JOIN site_chain c ON c.tenant_id = p.tenant_id AND (p.site_id = '' OR p.site_id = c.site_id)
		ORDER BY 1, 2`)

/** A bank that somebody speaks for and that has a bundle, where a few people are told of. */
export interface Told {
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	readonly area: Id<'area'> | null
	readonly controller: Id<'controller'>
	readonly online: boolean
	readonly takesPeople: boolean
	/** The newest such delta before, and how many people they told of since the bundle was made. */
	readonly people: number
	readonly since: number
	readonly dueAt: number
}

/** Held until the transaction ends; one that is being composed just now is left out. */
export const toldBanks = (tx: Tx): Promise<Told[]> =>
	tx.rows(sql`SELECT b.bank_id AS bank, b.site_id AS site, b.area_id AS area, c.controller_id AS controller, coalesce(s.online, false) AS online,
			u.takes_people AS "takesPeople", u.people, u.people_since AS since, u.due_at AS "dueAt"
		FROM bundle u JOIN bank b ON b.tenant_id = u.tenant_id AND b.bank_id = u.bank_id
		JOIN controller c ON c.tenant_id = b.tenant_id AND c.bank_id = b.bank_id AND c.revoked_at IS NULL
		LEFT JOIN bank_state s ON s.tenant_id = b.tenant_id AND s.bank_id = b.bank_id
		WHERE u.tenant_id = ${tx.tenant} AND u.version > 0 ORDER BY b.bank_id FOR UPDATE OF u SKIP LOCKED`)
