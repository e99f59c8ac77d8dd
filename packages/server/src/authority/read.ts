import type { Id } from '@latchwork/core/base'
import { type Db, sql } from '../store/index.ts'

/** The bundle of a bank as it is handed out. */
export interface Published {
	readonly bank: Id<'bank'>
	readonly version: number
	/** Hex SHA-256 of the signed bytes. */
	readonly digest: string
	readonly text: string
	readonly issuedAt: number
	readonly expiresAt: number
}

/** Undefined: nothing was composed for this bank yet. */
export async function currentBundle(db: Db, bank: Id<'bank'>): Promise<Published | undefined> {
	const row = await db.first<Omit<Published, 'text'> & { text: Uint8Array }>(sql`SELECT bank_id AS bank, version, digest, text,
		issued_at AS "issuedAt", expires_at AS "expiresAt" FROM bundle WHERE tenant_id = ${db.tenant} AND bank_id = ${bank} AND version > 0`)
	return row && { ...row, text: Buffer.from(row.text).toString('utf8') }
}

export const currentVersion = async (db: Db, bank: Id<'bank'>): Promise<number> =>
	(await db.first<{ version: number }>(sql`SELECT version FROM bundle WHERE tenant_id = ${db.tenant} AND bank_id = ${bank}`))?.version ?? 0

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

export interface Leased extends Due {
	readonly controller: Id<'controller'>
	readonly version: number
}

/** Banks that are connected and have a bundle. For system work. */
export const leasedBanks = (db: Db): Promise<Leased[]> =>
	db.rows(sql`SELECT b.tenant_id AS tenant, b.site_id AS site, b.bank_id AS bank, c.controller_id AS controller, u.version FROM bank_state s
		JOIN bank b ON b.tenant_id = s.tenant_id AND b.bank_id = s.bank_id
		JOIN controller c ON c.tenant_id = s.tenant_id AND c.bank_id = s.bank_id AND c.revoked_at IS NULL
		JOIN bundle u ON u.tenant_id = s.tenant_id AND u.bank_id = s.bank_id AND u.version > 0
		WHERE s.online ORDER BY b.tenant_id, b.bank_id`)

/** Banks of a site that are connected, and who speaks for them. */
export const onlineAt = (db: Db, site: Id<'site'>): Promise<{ bank: Id<'bank'>; controller: Id<'controller'> }[]> =>
	db.rows(sql`SELECT b.bank_id AS bank, c.controller_id AS controller FROM bank b
		JOIN bank_state s ON s.tenant_id = b.tenant_id AND s.bank_id = b.bank_id AND s.online
		JOIN controller c ON c.tenant_id = b.tenant_id AND c.bank_id = b.bank_id AND c.revoked_at IS NULL
		WHERE b.tenant_id = ${db.tenant} AND b.site_id = ${site} ORDER BY b.bank_id`)

/** Sites where something was marked. For system work. */
export const markedSites = (db: Db): Promise<{ tenant: Id<'tenant'>; site: Id<'site'> }[]> =>
	db.rows(sql`SELECT DISTINCT b.tenant_id AS tenant, b.site_id AS site FROM bundle_dirty d
		JOIN bank b ON b.tenant_id = d.tenant_id AND b.bank_id = d.bank_id ORDER BY 1, 2`)
