import { createHash } from 'node:crypto'
import { Fault } from '@latchwork/core/base'
import { sql, type Tx } from '../store/index.ts'

export interface KeptAnswer {
	readonly status: number
	readonly headers: Readonly<Record<string, string>>
	readonly body: string
}

export interface Keyed {
	/** Who sent it: keys of different callers are different keys. */
	readonly caller: string
	readonly key: string
	readonly request: { readonly method: string; readonly url: string; readonly body: unknown; readonly ifMatch: string | undefined }
}

const KEPT_MS = 24 * 60 * 60_000

/**
 * Whether this request was answered before. The row is taken in the transaction of the request itself: a duplicate that comes meanwhile waits at
 * the key until the first one has committed, then gets its answer; if the first one fails, its row is gone and the duplicate goes ahead.
 */
export async function claimKey(tx: Tx, { caller, key, request }: Keyed, now: number): Promise<{ kept: Uint8Array } | undefined> {
	const digest = digestOf(request)
	const taken = await tx.run(sql`
		INSERT INTO idempotency (tenant_id, caller, key, digest, at) VALUES (${tx.tenant}, ${caller}, ${key}, ${digest}, ${now})
		ON CONFLICT (tenant_id, caller, key) DO UPDATE SET digest = excluded.digest, at = excluded.at, answer = NULL
		WHERE idempotency.at <= ${now - KEPT_MS}`)
	if (taken === 1) return undefined
	const row = await tx.first(
		sql<{
			digest: string
			answer: Uint8Array | null
		}>`SELECT digest, answer FROM idempotency WHERE tenant_id = ${tx.tenant} AND caller = ${caller} AND key = ${key}`,
	)
	if (row?.digest !== digest)
		throw new Fault('idempotency-mismatch', 'This Idempotency-Key was used within a day for another request. Use a new key for each request.', {
			detail: { field: 'Idempotency-Key' },
		})
	// Only a row without an answer has none: its writer is this very transaction, which answers once.
	return { kept: row.answer ?? new Uint8Array() }
}

export async function keepAnswer(tx: Tx, { caller, key }: Keyed, sealed: Uint8Array): Promise<void> {
	await tx.run(sql`UPDATE idempotency SET answer = ${Buffer.from(sealed)} WHERE tenant_id = ${tx.tenant} AND caller = ${caller} AND key = ${key}`)
}

/** Forgets what is older than a day, in all tenants. */
export const forgetKeys = (tx: Tx, now: number): Promise<number> => tx.run(sql`DELETE FROM idempotency WHERE at <= ${now - KEPT_MS}`)

function digestOf(request: Keyed['request']): string {
	return createHash('sha256')
		.update(JSON.stringify([request.method, request.url, request.body ?? null, request.ifMatch ?? null]))
		.digest('hex')
}
