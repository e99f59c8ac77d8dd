import type { Id, Random } from '@latchwork/core/base'
import type { ShownBadge } from '@latchwork/core/wire'
import { type Db, type MasterKey, sql, type Tx } from '../store/index.ts'
import { tenantSealing } from '../tenants/index.ts'

export interface ReadingTerms {
	readonly master: MasterKey
	readonly random: Random
	readonly now: number
}

/** So long whoever asked may look at it. A badge that is given afterwards lies sealed under its person's key. */
const KEPT_MS = 15 * 60_000

export async function keepReading(tx: Tx, command: Id<'command'>, reading: ShownBadge, terms: ReadingTerms): Promise<void> {
	const sealed = (await tenantSealing(tx, terms)).seal(Buffer.from(JSON.stringify(reading)), contextOf(command))
	await tx.run(sql`INSERT INTO badge_reading (tenant_id, command_id, sealed, at) VALUES (${tx.tenant}, ${command}, ${Buffer.from(sealed)}, ${terms.now})
		ON CONFLICT DO NOTHING`)
}

/** Undefined: none has come, or it is too long ago. */
export async function readingOf(db: Db, command: Id<'command'>, terms: ReadingTerms): Promise<ShownBadge | undefined> {
	const row = await db.first(sql<{ sealed: Uint8Array }>`SELECT sealed FROM badge_reading
		WHERE tenant_id = ${db.tenant} AND command_id = ${command} AND at > ${terms.now - KEPT_MS}`)
	if (!row) return undefined
	return JSON.parse(Buffer.from((await tenantSealing(db, terms)).open(row.sealed, contextOf(command))).toString('utf8')) as ShownBadge
}

/** System work. */
export const forgetReadings = (tx: Tx, now: number): Promise<number> => tx.run(sql`DELETE FROM badge_reading WHERE at <= ${now - KEPT_MS}`)

const contextOf = (command: Id<'command'>) => `badge-reading:${command}`
