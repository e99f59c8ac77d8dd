import { sql, type Tx } from '../store/index.ts'

export interface KeptAnswer {
	/** What was asked, digested: a key stands for one request. Sealed with the answer, because a password can be guessed from a digest of it. */
	readonly request: string
	readonly status: number
	readonly headers: Readonly<Record<string, string>>
	readonly body: string
}

export interface Keyed {
	/** The session or token that sent it: keys of different callers are different keys, and a token may see less than another of the same person. */
	readonly caller: string
	readonly key: string
}

const KEPT_MS = 24 * 60 * 60_000

/**
 * Whether this request was answered before. The row is taken in the transaction of the request itself: a duplicate that comes meanwhile waits at
 * the key until the first one has committed, then gets its answer; if the first one fails, its row is gone and the duplicate goes ahead.
 */
export async function claimKey(tx: Tx, { caller, key }: Keyed, now: number): Promise<{ kept: Uint8Array } | undefined> {
	const taken = await tx.run(sql`
		INSERT INTO idempotency (tenant_id, caller, key, at) VALUES (${tx.tenant}, ${caller}, ${key}, ${now})
		ON CONFLICT (tenant_id, caller, key) DO UPDATE SET at = excluded.at, answer = NULL
		WHERE idempotency.at <= ${now - KEPT_MS}`)
	if (taken === 1) return undefined
	const row = await tx.first(
		sql<{ answer: Uint8Array | null }>`SELECT answer FROM idempotency WHERE tenant_id = ${tx.tenant} AND caller = ${caller} AND key = ${key}`,
	)
	// Only a row without an answer has none: its writer is this very transaction, which answers once.
	return { kept: row?.answer ?? new Uint8Array() }
}

export async function keepAnswer(tx: Tx, { caller, key }: Keyed, sealed: Uint8Array): Promise<void> {
	await tx.run(sql`UPDATE idempotency SET answer = ${Buffer.from(sealed)} WHERE tenant_id = ${tx.tenant} AND caller = ${caller} AND key = ${key}`)
}

/** Forgets what is older than a day, in all tenants. */
export const forgetKeys = (tx: Tx, now: number): Promise<number> => tx.run(sql`DELETE FROM idempotency WHERE at <= ${now - KEPT_MS}`)
