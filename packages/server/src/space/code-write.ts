import { codeNormal, drawDigits, verifierOf } from '@latchwork/core/access'
import { type Crypto, Fault, type Id, newId, type Random, toHex } from '@latchwork/core/base'
import { append } from '../ledger/index.ts'
import { type Db, type MasterKey, type Sql, sql, type Tx } from '../store/index.ts'

export interface CodeTerms {
	/** Of the site where the bank stands: banks know codes by a hash under it only. */
	readonly siteKey: Uint8Array
	readonly sealing: Pick<MasterKey, 'seal' | 'open'>
	readonly crypto: Crypto
	readonly now: number
	readonly random: Random
	readonly actor: Id<'subject'> | 'server'
}

export interface NewCode {
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	readonly case: Id<'case'>
	readonly notAfter: number
	/** How many digits are typed. */
	readonly digits: number
	/** For whoever collects in the recipient's place, masked; the recipient's own code goes on beside it. */
	readonly delegate?: string
}

/** The same digits are not drawn again at a bank for so long. */
const NOT_AGAIN_MS = 90 * 86_400_000
const DRAWS = 8
const SALT_BYTES = 32
const contextOf = (id: string) => `pick-up-code:${id}`

/** Draws a code that opens one case at one bank once, in place of any that the case had. The digits are answered here and sealed in the table. */
export async function issueCode(
	tx: Tx,
	{ bank, site, case: of, notAfter, digits, delegate }: NewCode,
	{ siteKey, sealing, crypto, now, random, actor }: CodeTerms,
): Promise<{ id: Id<'credential'>; code: string }> {
	if (delegate === undefined) await revokeCodes(tx, of, { now, random, actor }, sql`delegate IS NULL`)
	await tx.run(sql`DELETE FROM pick_up_code WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank} AND not_after < ${now - NOT_AGAIN_MS}`)
	for (let left = DRAWS; left > 0; left--) {
		const code = drawDigits(digits, random)
		const id = newId('credential', now, random)
		// What the commitment in the clear is the digest of: without the salt eight digits are found in seconds, so it is sealed with them.
		const salted = new Uint8Array([...random(SALT_BYTES), ...new TextEncoder().encode(code)])
		const commitment = toHex(crypto.sha256(salted))
		const inserted =
			await tx.run(sql`INSERT INTO pick_up_code (tenant_id, code_id, bank_id, case_id, digits, verifier, commitment, sealed, not_after, created_at, delegate, shown_to)
			VALUES (${tx.tenant}, ${id}, ${bank}, ${of}, ${digits}, ${verifierOf(siteKey, crypto, 'code', codeNormal(bank, code))}, ${commitment},
				${Buffer.from(sealing.seal(salted, contextOf(id)))}, ${notAfter}, ${now}, ${delegate ?? null}, ${[actor]}::text[]) ON CONFLICT (tenant_id, bank_id, verifier) DO NOTHING`)
		if (inserted === 0) continue
		await append(
			tx,
			[
				{
					type: 'credential.issued',
					subject: id,
					actor,
					site,
					bank,
					data: { kind: 'code', case: of, commitment, notAfter, ...(delegate !== undefined && { delegated: true }) },
				},
			],
			{
				now,
				random,
			},
		)
		return { id, code }
	}
	throw new Fault('database-busy', 'No unused code was found. Try again.')
}

/** Banks know codes by a hash under the site's key: with another key, by another hash. The digits stay what they are. */
export async function rekeyCodes(
	tx: Tx,
	banks: readonly Id<'bank'>[],
	{ siteKey, sealing, crypto }: Pick<CodeTerms, 'siteKey' | 'sealing' | 'crypto'>,
): Promise<void> {
	const live = await tx.rows<{
		id: Id<'credential'>
		bank: Id<'bank'>
		digits: number
		sealed: Uint8Array
	}>(sql`SELECT code_id AS id, bank_id AS bank, digits, sealed
		FROM pick_up_code WHERE tenant_id = ${tx.tenant} AND bank_id = ANY(${[...banks]}::text[]) AND used_at IS NULL AND revoked_at IS NULL`)
	for (const { id, bank, digits, sealed } of live) {
		const code = new TextDecoder().decode(sealing.open(sealed, contextOf(id)).subarray(-digits))
		await tx.run(
			sql`UPDATE pick_up_code SET verifier = ${verifierOf(siteKey, crypto, 'code', codeNormal(bank, code))} WHERE tenant_id = ${tx.tenant} AND code_id = ${id}`,
		)
	}
}

/** Stops every live code of the case, or those; the bank hears of it with its next bundle. Answers how many. */
export async function revokeCodes(
	tx: Tx,
	of: Id<'case'>,
	{ now, random, actor }: Pick<CodeTerms, 'now' | 'random' | 'actor'>,
	which: Sql<unknown> = sql`true`,
): Promise<number> {
	const gone = await tx.rows<{ id: string; bank: Id<'bank'> }>(sql`UPDATE pick_up_code SET revoked_at = ${now}
		WHERE tenant_id = ${tx.tenant} AND case_id = ${of} AND used_at IS NULL AND revoked_at IS NULL AND ${which} RETURNING code_id AS id, bank_id AS bank`)
	await append(
		tx,
		gone.map(({ id, bank }) => ({ type: 'credential.revoked' as const, subject: id, actor, bank, data: { kind: 'code', case: of } })),
		{ now, random },
	)
	return gone.length
}

/** A longer life, for a delivery whose window was extended. */
export async function extendCodes(tx: Tx, of: Id<'case'>, notAfter: number): Promise<void> {
	await tx.run(
		sql`UPDATE pick_up_code SET not_after = ${notAfter} WHERE tenant_id = ${tx.tenant} AND case_id = ${of} AND used_at IS NULL AND revoked_at IS NULL`,
	)
}

/** What it opened has been collected. */
export async function markCodesUsed(tx: Tx, of: Id<'case'>, at: number): Promise<void> {
	await tx.run(
		sql`UPDATE pick_up_code SET used_at = ${at} WHERE tenant_id = ${tx.tenant} AND case_id = ${of} AND used_at IS NULL AND revoked_at IS NULL`,
	)
}

export interface LiveCode {
	readonly id: Id<'credential'>
	readonly case: Id<'case'>
	readonly verifier: string
	readonly commitment: string
	readonly notAfter: number
	/** How many are typed. */
	readonly digits: number
}
/** How many codes can be typed at each bank, by their length. */
export const typedCodes = (db: Db, now: number): Promise<{ bank: Id<'bank'>; digits: number; count: number }[]> =>
	db.rows(sql`SELECT bank_id AS bank, digits, count(*) AS count FROM pick_up_code
		WHERE tenant_id = ${db.tenant} AND used_at IS NULL AND revoked_at IS NULL AND not_after > ${now} GROUP BY bank_id, digits`)

/** What a bank may let in by code. `delegate`: for whom, masked; null: the recipient's own. */
export const liveCodes = (db: Db, bank: Id<'bank'>, now: number): Promise<(LiveCode & { readonly delegate: string | null })[]> =>
	db.rows(sql`SELECT code_id AS id, case_id AS "case", verifier, commitment, not_after AS "notAfter", digits, delegate FROM pick_up_code
		WHERE tenant_id = ${db.tenant} AND bank_id = ${bank} AND used_at IS NULL AND revoked_at IS NULL AND not_after > ${now} ORDER BY code_id`)

/** Live ones, the recipient's own and those of delegates, and the last one of each case that is over: a bank that knows it can say why it opens nothing. */
export const codesToldTo = (
	db: Db,
	bank: Id<'bank'>,
	now: number,
	over: readonly Id<'case'>[],
): Promise<(LiveCode & { readonly revoked: boolean })[]> =>
	db.rows(sql`SELECT DISTINCT ON (case_id, CASE WHEN used_at IS NULL AND revoked_at IS NULL THEN code_id ELSE '' END) code_id AS id, case_id AS "case", verifier, commitment, not_after AS "notAfter", digits, revoked_at IS NOT NULL AS revoked
		FROM pick_up_code WHERE tenant_id = ${db.tenant} AND bank_id = ${bank} AND not_after > ${now} AND ((used_at IS NULL AND revoked_at IS NULL) OR case_id = ANY(${over}::text[]))
		ORDER BY case_id, CASE WHEN used_at IS NULL AND revoked_at IS NULL THEN code_id ELSE '' END, created_at DESC, code_id DESC`)

export interface CodeState {
	readonly id: Id<'credential'>
	readonly notAfter: number
	readonly usedAt: number | null
	readonly revokedAt: number | null
	/** For whom, masked; null: the recipient's own. */
	readonly delegate: string | null
}
export const codesOfCase = (db: Db, of: Id<'case'>): Promise<CodeState[]> =>
	db.rows(sql`SELECT code_id AS id, not_after AS "notAfter", used_at AS "usedAt", revoked_at AS "revokedAt", delegate FROM pick_up_code
		WHERE tenant_id = ${db.tenant} AND case_id = ${of} ORDER BY created_at, code_id`)

/** The code in use, for those who hand it out. */
export async function codeInUse(
	db: Db,
	of: Id<'case'>,
	now: number,
	sealing: Pick<MasterKey, 'open'>,
): Promise<{ id: Id<'credential'>; code: string; notAfter: number; shownTo: readonly string[] } | undefined> {
	const row = await db.first<{ id: Id<'credential'>; digits: number; sealed: Uint8Array; notAfter: number; shownTo: string[] }>(sql`
		SELECT code_id AS id, digits, sealed, not_after AS "notAfter", shown_to AS "shownTo" FROM pick_up_code
		WHERE tenant_id = ${db.tenant} AND case_id = ${of} AND delegate IS NULL AND used_at IS NULL AND revoked_at IS NULL AND not_after > ${now}`)
	if (!row) return undefined
	const { id, notAfter, digits, shownTo } = row
	// Those of before migration 0062 were sealed without their salt.
	return { id, notAfter, shownTo, code: new TextDecoder().decode(sealing.open(row.sealed, contextOf(id)).subarray(-digits)) }
}

/** Whoever was shown it can say it in its owner's place. */
export const markShown = (tx: Tx, code: Id<'credential'>, to: string): Promise<number> =>
	tx.run(sql`UPDATE pick_up_code SET shown_to = array_append(shown_to, ${to}) WHERE tenant_id = ${tx.tenant} AND code_id = ${code}
		AND NOT ${to} = ANY(shown_to)`)

/** Takes a delegate's code back. False: it is none of this case that lives. */
export const revokeDelegate = async (
	tx: Tx,
	of: Id<'case'>,
	code: Id<'credential'>,
	by: Pick<CodeTerms, 'now' | 'random' | 'actor'>,
): Promise<boolean> => (await revokeCodes(tx, of, by, sql`code_id = ${code} AND delegate IS NOT NULL`)) > 0
