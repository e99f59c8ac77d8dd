import { hash } from 'node:crypto'
import { drawDigits } from '@latchwork/core/access'
import { Fault, type Id, newId, type Random, toBase64Url } from '@latchwork/core/base'
import { CLAIM_CODE_DIGITS } from '@latchwork/core/wire'
import { type Controller, findController, present } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { portPin } from './books.ts'

export const CLAIM_LIFE_MS = 15 * 60_000
const PREFIX = 'lwc_'
const TOKEN_BYTES = 24

export interface NewClaim {
	/** Shown once: the secret, of which only the hash is kept, and behind a dot what the machine knows the device port by. */
	readonly token: string
	readonly expiresAt: number
}

/** Lets one machine in as this controller, once, within a quarter of an hour (trust.md T33). A claim that was given out before works no more. */
export async function makeClaim(tx: Tx, terms: ClaimTerms, id: Id<'controller'>): Promise<NewClaim> {
	const secret = `${PREFIX}${toBase64Url(terms.random(TOKEN_BYTES))}`
	const token = `${secret}.${await portPin(tx)}`
	const controller = present(await findController(tx, id, true), 'controller')
	return { token, expiresAt: await keepClaim(tx, terms, controller, secret) }
}

/**
 * A claim short enough to be typed at the kiosk of a machine that was let in before and slept too long to renew (trust.md §3.8). That machine knows the
 * server already, and proves its old key: the code alone lets nobody in, so few digits are enough.
 */
export async function makeClaimCode(tx: Tx, terms: ClaimTerms, id: Id<'controller'>): Promise<{ readonly code: string; readonly expiresAt: number }> {
	const controller = present(await findController(tx, id, true), 'controller')
	if (controller.certificate === null && controller.revokedAt === null)
		throw new Fault('request-refused', 'No machine was let in as this controller yet, so none could prove itself with a code. Make a claim token.')
	const code = drawDigits(CLAIM_CODE_DIGITS, terms.random)
	return { code, expiresAt: await keepClaim(tx, terms, controller, secretOf(id, code)) }
}

/** A code is of one controller: another machine that types the same digits has a secret that nobody made. */
const secretOf = (controller: Id<'controller'>, code: string): string => `code:${controller}:${code}`

/** What the machine says, as the secret that is looked for; undefined: a code from a machine that does not prove who it was. */
export const claimSecret = (said: string, machine: Id<'controller'> | undefined): string | undefined =>
	CODE.test(said) ? machine && secretOf(machine, said) : said

const CODE = new RegExp(`^[0-9]{${CLAIM_CODE_DIGITS}}$`)

interface ClaimTerms {
	readonly actor: Id<'subject'> | 'server'
	readonly now: number
	readonly random: Random
}

/** Answers until when it works. */
async function keepClaim(tx: Tx, { actor, now: at, random }: ClaimTerms, controller: Controller, secret: string): Promise<number> {
	const { id } = controller
	if (controller.revokedAt !== null) throw new Fault('request-refused', 'This controller is revoked. Give its bank a new one, and claim that.')
	const now = Math.floor(at)
	const claim = newId('claim', now, random)
	const expiresAt = now + CLAIM_LIFE_MS
	// Used ones, too: the machine that used one could ask again, and put out the one that the new claim is for.
	await tx.run(sql`UPDATE claim_token SET withdrawn_at = ${now} WHERE tenant_id = ${tx.tenant} AND controller_id = ${id} AND withdrawn_at IS NULL`)
	await tx.run(sql`INSERT INTO claim_token (tenant_id, claim_id, controller_id, hash, created_at, expires_at)
		VALUES (${tx.tenant}, ${claim}, ${id}, ${hashOf(secret)}, ${now}, ${expiresAt})`)
	await append(tx, [{ type: 'controller.claim-issued', subject: id, actor, bank: controller.bank, data: { claim, expiresAt } }], { now, random })
	return expiresAt
}

/** Whose claim it may be, in system work: the machine does not know its tenant yet. Says nothing of whether it still works. */
export const claimedTenant = async (db: Db, secret: string): Promise<Id<'tenant'> | undefined> =>
	(await db.first<{ tenant: Id<'tenant'> }>(sql`SELECT tenant_id AS tenant FROM claim_token WHERE hash = ${hashOf(secret)}`))?.tenant

export interface TakenClaim {
	readonly claim: Id<'claim'>
	readonly controller: Id<'controller'>
	/** The machine asks again: it did not hear the answer. */
	readonly again: boolean
}

/**
 * Uses it up for the machine with this key, given as a digest. Undefined: used by another, withdrawn or too old. Two who come at once: one of them.
 * The same machine may come again as long as the claim would have lived: what it was answered may never have arrived.
 */
export async function takeClaim(tx: Tx, secret: string, by: Uint8Array, at: number): Promise<TakenClaim | undefined> {
	const now = Math.floor(at)
	const row = await tx.first<{ claim: Id<'claim'>; controller: Id<'controller'>; usedAt: number | null }>(sql`
		SELECT claim_id AS claim, controller_id AS controller, used_at AS "usedAt" FROM claim_token
		WHERE tenant_id = ${tx.tenant} AND hash = ${hashOf(secret)} AND withdrawn_at IS NULL AND expires_at > ${now}
			AND (used_at IS NULL OR used_by = ${Buffer.from(by)}) FOR UPDATE`)
	if (!row) return undefined
	const { usedAt, ...taken } = row
	if (usedAt === null)
		await tx.run(
			sql`UPDATE claim_token SET used_at = ${now}, used_by = ${Buffer.from(by)} WHERE tenant_id = ${tx.tenant} AND claim_id = ${taken.claim}`,
		)
	return { ...taken, again: usedAt !== null }
}

/** 192 bits of chance need no salt and no slow hash; the digits of a code are worth nothing without the key of their machine. */
const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')
