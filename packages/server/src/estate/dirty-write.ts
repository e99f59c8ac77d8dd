import type { Place } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { type Db, sql, type Tx } from '../store/index.ts'

/**
 * What a bank may decide by has changed at `where` (a bank, an area, a site; `{}` is the whole tenant). Every domain calls this in the
 * transaction of its change; whether the bundle really differs is found out by composing it.
 */
export async function markBundles(tx: Tx, now: number, where: Place = {}): Promise<void> {
	const at = where.bank
		? sql`bank_id = ${where.bank}`
		: where.area
			? sql`area_id = ${where.area}`
			: where.site
				? sql`site_id = ${where.site}`
				: sql`true`
	// In the order of the key, so that two transactions that mark many banks do not wait for each other in a circle.
	await tx.run(sql`INSERT INTO bundle_dirty (tenant_id, bank_id, since, mark)
		SELECT tenant_id, bank_id, ${now}::bigint, 1 FROM bank WHERE tenant_id = ${tx.tenant} AND ${at} ORDER BY bank_id
		ON CONFLICT (tenant_id, bank_id) DO UPDATE SET mark = bundle_dirty.mark + 1`)
}

export interface Dirty {
	readonly bank: Id<'bank'>
	readonly since: number
	readonly mark: number
}

/** The mark of one bank, if it has one. */
export const dirtyOf = (db: Db, bank: Id<'bank'>): Promise<Dirty | undefined> =>
	db.first(sql`SELECT bank_id AS bank, since, mark FROM bundle_dirty WHERE tenant_id = ${db.tenant} AND bank_id = ${bank}`)

/** Composed with what was marked up to then; a later mark stays. */
export const settleDirty = (tx: Tx, { bank, mark }: Pick<Dirty, 'bank' | 'mark'>): Promise<number> =>
	tx.run(sql`DELETE FROM bundle_dirty WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank} AND mark = ${mark}`)
