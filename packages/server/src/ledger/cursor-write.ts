import type { Id } from '@latchwork/core/base'
import { type Db, sql, type Tx } from '../store/index.ts'
import { type LoggedEvent, readEvents } from './read.ts'

/** One that follows the ledger: all tenants, each event at least once and in order. */
export interface Consumer {
	/** For ever: where it stands is kept under this name. */
	readonly name: string
	/** Where it begins when nobody of this name was there before. Tenants who come later are followed from their first event. */
	readonly from: 'start' | 'now'
	/** Events at a time; default 200. */
	readonly most?: number
	/** What it writes and where it stands are committed together. Throws: nothing of it happened, the same events come again. */
	handle(tx: Tx, events: readonly LoggedEvent[], tenant: Id<'tenant'>): Promise<void>
}

/** For a new name that begins now: everything so far counts as seen. */
export async function installCursor(tx: Tx, { name, from }: Pick<Consumer, 'name' | 'from'>): Promise<void> {
	if (from === 'start') return
	await tx.run(sql`
		INSERT INTO cursor (tenant_id, name, position) SELECT tenant_id, ${name}, size - 1 FROM ledger_head
		WHERE NOT EXISTS (SELECT FROM cursor WHERE name = ${name}) ON CONFLICT DO NOTHING`)
}

export async function behind(db: Db, name: string): Promise<Id<'tenant'>[]> {
	const rows = await db.rows<{ tenant: Id<'tenant'> }>(sql`
		SELECT h.tenant_id AS tenant FROM ledger_head h LEFT JOIN cursor c ON c.tenant_id = h.tenant_id AND c.name = ${name}
		WHERE h.size - 1 > coalesce(c.position, -1) ORDER BY h.tenant_id`)
	return rows.map(({ tenant }) => tenant)
}

/** One step of one consumer in one tenant. False: nothing to do, or another process is at it. */
export async function stepCursor(tx: Tx, tenant: Id<'tenant'>, { name, most = 200, handle }: Consumer): Promise<boolean> {
	const lock = () =>
		tx.first<{ position: number }>(sql`SELECT position FROM cursor WHERE tenant_id = ${tenant} AND name = ${name} FOR UPDATE SKIP LOCKED`)
	let cursor = await lock()
	if (!cursor) {
		const made = await tx.run(sql`INSERT INTO cursor (tenant_id, name, position) VALUES (${tenant}, ${name}, -1) ON CONFLICT DO NOTHING`)
		cursor = made > 0 ? { position: -1 } : undefined
	}
	if (!cursor) return false
	const events = await readEvents(tx, tenant, { order: 'rising', from: cursor.position, limit: most })
	const last = events.at(-1)
	if (!last) return false
	await handle(tx, events, tenant)
	await tx.run(sql`UPDATE cursor SET position = ${last.position} WHERE tenant_id = ${tenant} AND name = ${name}`)
	return true
}
