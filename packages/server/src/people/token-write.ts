import type { Permission } from '@latchwork/core/access'
import { Fault, type Id, newId } from '@latchwork/core/base'
import type { Change } from '../estate/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { recordOf } from './person-write.ts'
import { nothing } from './read.ts'
import { mintSecret } from './secret.ts'

export interface TokenFields {
	readonly subject: Id<'subject'>
	readonly name: string
	/** Left out: everything that its owner may, now and later. */
	readonly permissions?: readonly Permission[] | undefined
	readonly expiresAt?: number | undefined
}

export interface TokenRecord {
	readonly id: Id<'token'>
	readonly subject: Id<'subject'>
	readonly name: string
	readonly permissions: readonly Permission[] | null
	readonly expiresAt: number | null
	readonly lastUsedAt: number | null
	readonly createdAt: number
}

/** The text is in the answer alone. */
export async function issueToken(
	tx: Tx,
	change: Change,
	{ subject, name, permissions, expiresAt }: TokenFields,
): Promise<TokenRecord & { token: string }> {
	const { now, random } = change
	if (expiresAt !== undefined && expiresAt <= now)
		throw new Fault('request-invalid', 'body.expiresAt: lies in the past.', { detail: { field: 'body.expiresAt' } })
	const id = newId('token', now, random)
	const { text, digest } = mintSecret('token', tx.tenant as Id<'tenant'>, random)
	await tx.run(sql`INSERT INTO api_token (tenant_id, token_id, subject_id, digest, name, permissions, expires_at, created_at)
		VALUES (${tx.tenant}, ${id}, ${subject}, ${digest}, ${name}, ${permissions === undefined ? null : JSON.stringify(permissions)}::jsonb, ${expiresAt ?? null}, ${now})`)
	await recordOf(tx, change, 'token.issued', id, { subject, ...(permissions && { permissions: [...permissions] }) })
	return { ...((await tokensOf(tx, { id }))[0] as TokenRecord), token: text }
}

/** At once: the next request with it is refused. `of`: only if it is this person's. */
export async function revokeToken(tx: Tx, change: Change, id: Id<'token'>, of?: Id<'subject'>): Promise<void> {
	const [found] = await tokensOf(tx, { id })
	if (!found || (of !== undefined && found.subject !== of)) throw nothing('token')
	await tx.run(sql`UPDATE api_token SET revoked_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND token_id = ${id}`)
	await recordOf(tx, change, 'token.revoked', id, { subject: found.subject })
}

/** Live ones. */
export const tokensOf = (db: Db, { id, subject }: { id?: Id<'token'>; subject?: Id<'subject'> }): Promise<TokenRecord[]> =>
	db.rows(sql<TokenRecord>`SELECT token_id AS id, subject_id AS subject, name, permissions, expires_at AS "expiresAt", last_used_at AS "lastUsedAt", created_at AS "createdAt"
		FROM api_token WHERE tenant_id = ${db.tenant} AND revoked_at IS NULL ${id ? sql`AND token_id = ${id}` : sql``} ${subject ? sql`AND subject_id = ${subject}` : sql``}
		ORDER BY created_at, token_id`)
