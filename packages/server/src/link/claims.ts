import { hash } from 'node:crypto'
import { Fault, type Id, newId, type Random, toBase64Url } from '@latchwork/core/base'
import { findController, present } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'

export const CLAIM_LIFE_MS = 15 * 60_000
const PREFIX = 'lwc_'
const TOKEN_BYTES = 24

export interface NewClaim {
	/** Shown once; only its hash is kept. */
	readonly token: string
	readonly expiresAt: number
}

/** Lets one machine in as this controller, once, within a quarter of an hour (trust.md T33). A claim that was given out before works no more. */
export async function makeClaim(
	tx: Tx,
	{ actor, now: at, random }: { readonly actor: Id<'subject'> | 'server'; readonly now: number; readonly random: Random },
	id: Id<'controller'>,
): Promise<NewClaim> {
	const controller = present(await findController(tx, id, true), 'controller')
	if (controller.revokedAt !== null) throw new Fault('request-refused', 'This controller is revoked. Give its bank a new one, and claim that.')
	const now = Math.floor(at)
	const token = `${PREFIX}${toBase64Url(random(TOKEN_BYTES))}`
	const claim = newId('claim', now, random)
	const expiresAt = now + CLAIM_LIFE_MS
	await tx.run(
		sql`UPDATE claim_token SET withdrawn_at = ${now} WHERE tenant_id = ${tx.tenant} AND controller_id = ${id} AND used_at IS NULL AND withdrawn_at IS NULL`,
	)
	await tx.run(sql`INSERT INTO claim_token (tenant_id, claim_id, controller_id, hash, created_at, expires_at)
		VALUES (${tx.tenant}, ${claim}, ${id}, ${hashOf(token)}, ${now}, ${expiresAt})`)
	await append(tx, [{ type: 'controller.claim-issued', subject: id, actor, bank: controller.bank, data: { claim, expiresAt } }], { now, random })
	return { token, expiresAt }
}

/** Whose claim it may be, in system work: the machine does not know its tenant yet. Says nothing of whether it still works. */
export const claimedTenant = async (db: Db, token: string): Promise<Id<'tenant'> | undefined> =>
	(await db.first<{ tenant: Id<'tenant'> }>(sql`SELECT tenant_id AS tenant FROM claim_token WHERE hash = ${hashOf(token)}`))?.tenant

/** Uses it up. Undefined: used, withdrawn or too old. Two who come at once: one of them. */
export const takeClaim = (tx: Tx, token: string, now: number): Promise<{ claim: Id<'claim'>; controller: Id<'controller'> } | undefined> =>
	tx.first(sql`UPDATE claim_token SET used_at = ${Math.floor(now)}
		WHERE tenant_id = ${tx.tenant} AND hash = ${hashOf(token)} AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > ${Math.floor(now)}
		RETURNING claim_id AS claim, controller_id AS controller`)

/** 192 bits of chance need no salt and no slow hash. */
const hashOf = (token: string): Buffer => hash('sha256', token, 'buffer')
