import type { Id, Sign } from '@latchwork/core/base'
import { growTree, proveConsistency, signCheckpoint, type TreeHead, verifyConsistency } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { DamagedLog, type Shard, shardOf } from './sequence-write.ts'
import { newestCheckpoint, readEdge, tileReader } from './tree-read.ts'

const { sha256 } = nodeCrypto

/** Who signs for a tenant's log. */
export interface LogSigner {
	/** Of the log: first line of its checkpoints, and name of its key. */
	readonly origin: string
	readonly publicKey: Uint8Array
	readonly sign: Sign
}
export type SignerOf = (db: Db, tenant: Id<'tenant'>) => Promise<LogSigner>

/** So many events make a checkpoint due at once (trust.md §1.4). */
const CHECKPOINT_EVENTS = 256

/** Logs that have grown by so much, or have waited since `before`. */
export async function dueCheckpoints(db: Db, shard: Shard, before: number, except: readonly Id<'tenant'>[]): Promise<Id<'tenant'>[]> {
	const rows = await db.rows<{ tenant: Id<'tenant'> }>(sql`
		SELECT tenant_id AS tenant FROM ledger_head
		WHERE unsigned_since IS NOT NULL AND (unsigned_since <= ${Math.floor(before)} OR size - checkpoint_size >= ${CHECKPOINT_EVENTS})
			AND ${shardOf(shard)} AND tenant_id <> ALL (${except}::text[])`)
	return rows.map(({ tenant }) => tenant)
}

/**
 * Signs what the log is now, once it is shown that it grew out of what was signed before: whatever was done to the tables, no signature of
 * ours stands under two histories. There is no event about it: a log that noted its own checkpoints would never come to rest.
 */
export async function writeCheckpoint(tx: Tx, tenant: Id<'tenant'>, now: number, signerOf: SignerOf): Promise<number> {
	const head = await tx.first<TreeHead>(sql`SELECT size, root FROM ledger_head WHERE tenant_id = ${tenant} FOR UPDATE`)
	const last = await newestCheckpoint(tx, tenant)
	if (!head || head.size === (last?.size ?? 0)) return last?.size ?? 0
	if (!(await hasGrown(tx, tenant, last, head))) throw new DamagedLog(tenant)
	const { origin, publicKey, sign } = await signerOf(tx, tenant)
	const note = signCheckpoint({ origin, ...head }, { publicKey, sign, sha256 })
	await tx.run(sql`
		INSERT INTO checkpoint (tenant_id, size, number, root, note, signed_at)
		VALUES (${tenant}, ${head.size}, ${last ? last.number + 1 : 0}, ${head.root}, ${new TextDecoder().decode(note)}, ${Math.floor(now)})`)
	await tx.run(sql`UPDATE ledger_head SET checkpoint_size = ${head.size}, unsigned_since = NULL WHERE tenant_id = ${tenant}`)
	return head.size
}

async function hasGrown(db: Db, tenant: Id<'tenant'>, last: TreeHead | undefined, head: TreeHead): Promise<boolean> {
	if (!last) return Buffer.compare(growTree(await readEdge(db, tenant, head.size), sha256).root(), head.root) === 0
	const proof = await proveConsistency(last.size, head.size, tileReader(db, tenant), sha256)
	return verifyConsistency(proof, last, head, sha256)
}
