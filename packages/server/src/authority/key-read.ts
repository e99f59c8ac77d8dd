import { siteKeyMark } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { livePins, type PeopleTerms, rotatedSiteKey, siteKeySince } from '../people/index.ts'
import { type Db, sql } from '../store/index.ts'

/** A bank of the site, and whether it goes by the present key. */
export interface KeyAtBank {
	readonly bank: Id<'bank'>
	readonly name: string
	/** The controller that is enrolled there; null: none is, and nobody there needs the key. */
	readonly controller: Id<'controller'> | null
	readonly has: boolean
	readonly online: boolean
	readonly seenAt: number | null
	readonly storageLevel: 'L0' | 'L1' | null
}

export interface SiteKey {
	/** Since when it is the present one; undefined: the site needed none yet. */
	readonly since: number | undefined
	/** That would end with it. */
	readonly pins: number
	readonly banks: readonly KeyAtBank[]
}

/** A bank has the key once it has accepted a bundle that was made under it: both come together, or neither (decision 0013). */
export async function siteKeyAt(db: Db, site: Id<'site'>, terms: PeopleTerms, now: number): Promise<SiteKey> {
	const key = await rotatedSiteKey(db, site, terms)
	const mark = key ? siteKeyMark(key, nodeCrypto) : ''
	const banks = await db.rows<KeyAtBank>(sql`SELECT b.bank_id AS bank, b.name, c.controller_id AS controller, coalesce(s.online, false) AS online,
			s.seen_at AS "seenAt", l.storage_level AS "storageLevel",
			coalesce(u.site_key = ${mark} AND s.bundle_version >= greatest(u.site_key_since, 1), false) AS has
		FROM bank b LEFT JOIN bank_state s ON s.tenant_id = b.tenant_id AND s.bank_id = b.bank_id
		LEFT JOIN bundle u ON u.tenant_id = b.tenant_id AND u.bank_id = b.bank_id
		LEFT JOIN controller c ON c.tenant_id = b.tenant_id AND c.bank_id = b.bank_id AND c.revoked_at IS NULL AND c.certificate IS NOT NULL
		LEFT JOIN controller_state l ON l.tenant_id = c.tenant_id AND l.controller_id = c.controller_id
		WHERE b.tenant_id = ${db.tenant} AND b.site_id = ${site} ORDER BY b.name, b.bank_id`)
	return { since: await siteKeySince(db, site), pins: await livePins(db, site, now), banks }
}
