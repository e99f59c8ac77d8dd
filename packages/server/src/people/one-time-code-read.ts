import { type MintKeys, mintKeysAt } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { type Db, type Sql, sql } from '../store/index.ts'
import { tenantSealing } from '../tenants/index.ts'
import type { PeopleTerms } from './read.ts'

/** A code that somebody was given for one bank: its digits and its picture are kept nowhere. */
export interface OneTimeCodeRecord {
	readonly id: string
	readonly subject: Id<'subject'>
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	/** Whose key it was made with: with another controller it is worth nothing. */
	readonly controller: Id<'controller'>
	readonly notBefore: number
	readonly notAfter: number
	readonly issuedBy: Id<'subject'>
	readonly createdAt: number
	readonly updatedAt: number
	readonly usedAt: number | null
	readonly withdrawnAt: number | null
}

const ONE_TIME_CODE = sql`code_id AS id, subject_id AS subject, site_id AS site, bank_id AS bank, controller_id AS controller, not_before AS "notBefore",
	not_after AS "notAfter", issued_by AS "issuedBy", created_at AS "createdAt", updated_at AS "updatedAt", used_at AS "usedAt", withdrawn_at AS "withdrawnAt"`

export const findOneTimeCode = (db: Db, id: string, lock = false): Promise<OneTimeCodeRecord | undefined> =>
	db.first(sql`SELECT ${ONE_TIME_CODE} FROM one_time_code WHERE tenant_id = ${db.tenant} AND code_id = ${id} ${lock ? sql`FOR UPDATE` : sql``}`)

export const listOneTimeCodes = (
	db: Db,
	where: { subject?: Id<'subject'> | undefined; bank?: Id<'bank'> | undefined; places: Sql<unknown> },
	{ after, limit }: { after?: readonly [number, string] | undefined; limit: number },
): Promise<OneTimeCodeRecord[]> =>
	db.rows(sql`SELECT ${ONE_TIME_CODE} FROM one_time_code WHERE tenant_id = ${db.tenant} AND ${where.places}
		${where.subject ? sql`AND subject_id = ${where.subject}` : sql``} ${where.bank ? sql`AND bank_id = ${where.bank}` : sql``}
		AND (updated_at, code_id) > (${after?.[0] ?? 0}, ${after?.[1] ?? ''}) ORDER BY updated_at, code_id LIMIT ${limit + 1}`)

/** Those that were taken back and would count otherwise: bundles name them until they have run out. `only`: of these people. */
export const withdrawnCodes = (
	db: Db,
	now: number,
	only?: readonly Id<'subject'>[],
): Promise<{ id: string; subject: Id<'subject'>; bank: Id<'bank'> }[]> =>
	db.rows(sql`SELECT code_id AS id, subject_id AS subject, bank_id AS bank FROM one_time_code
		WHERE tenant_id = ${db.tenant} AND withdrawn_at IS NOT NULL AND not_after > ${now}
			${only ? sql`AND subject_id = ANY(${[...only]}::text[])` : sql``} ORDER BY code_id`)

/**
 * What a bank's codes are made with (core/access minted-code.ts). Reckoned from a secret of the organisation and the controller: with the box ends all that it
 * could have made, and what another box of the site knows is of no use here.
 */
export async function mintKeysOf(
	db: Db,
	{ bank, controller }: { readonly bank: Id<'bank'>; readonly controller: Id<'controller'> },
	terms: PeopleTerms,
	now: number,
): Promise<MintKeys> {
	const { secret } = await tenantSealing(db, terms)
	return mintKeysAt(nodeCrypto.hmacSha256(secret, new TextEncoder().encode(`code-mint:${controller}`)), bank, now, nodeCrypto)
}

/** Whether the bank is connected, as far as is known. */
export const bankHears = async (db: Db, bank: Id<'bank'>): Promise<boolean> =>
	(await db.first(sql`SELECT 1 FROM bank_state WHERE tenant_id = ${db.tenant} AND bank_id = ${bank} AND online`)) !== undefined
