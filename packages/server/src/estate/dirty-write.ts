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

/** More than so many at once are an import: making new bundles costs less. */
const MOST_AT_ONCE = 100

/**
 * What banks may have to know of these people has changed, at one site or everywhere; nothing else has. Banks are told of them alone, as a bundle of
 * 50,000 people is not made anew for one (decision 0017).
 */
export async function markPeople(tx: Tx, now: number, subjects: readonly Id<'subject'>[], site?: Id<'site'>): Promise<void> {
	if (subjects.length > MOST_AT_ONCE) return markBundles(tx, now, site ? { site } : {})
	await tx.run(sql`INSERT INTO person_dirty (tenant_id, subject_id, site_id, since, mark)
		SELECT ${tx.tenant}, id, ${site ?? ''}, ${now}::bigint, 1 FROM unnest(${[...new Set(subjects)].sort()}::text[]) AS id
		ON CONFLICT (tenant_id, subject_id, site_id) DO UPDATE SET mark = person_dirty.mark + 1`)
}

export interface DirtyPerson {
	readonly subject: Id<'subject'>
	/** Absent: at all sites. */
	readonly site: Id<'site'> | undefined
	readonly mark: number
}

/** Those that are being marked just now are left for the next look. */
export const dirtyPeople = async (tx: Tx, limit: number): Promise<DirtyPerson[]> =>
	(
		await tx.rows<{ subject: Id<'subject'>; site: string; mark: number }>(sql`SELECT subject_id AS subject, site_id AS site, mark FROM person_dirty
			WHERE tenant_id = ${tx.tenant} ORDER BY subject_id, site_id LIMIT ${limit} FOR UPDATE SKIP LOCKED`)
	).map(({ site, ...one }) => ({ ...one, site: site === '' ? undefined : (site as Id<'site'>) }))

/** Whose people were marked. For system work. */
export const tenantsWithDirtyPeople = async (db: Db): Promise<Id<'tenant'>[]> =>
	(await db.rows<{ tenant: Id<'tenant'> }>(sql`SELECT DISTINCT tenant_id AS tenant FROM person_dirty ORDER BY 1`)).map(({ tenant }) => tenant)

/** Told as they were marked up to then; a later mark stays. */
export const settlePeople = (tx: Tx, people: readonly DirtyPerson[]): Promise<number> =>
	tx.run(sql`DELETE FROM person_dirty p USING unnest(${people.map((one) => one.subject)}::text[], ${people.map((one) => one.site ?? '')}::text[],
			${people.map((one) => one.mark)}::bigint[]) AS t (subject, site, mark)
		WHERE p.tenant_id = ${tx.tenant} AND p.subject_id = t.subject AND p.site_id = t.site AND p.mark = t.mark`)

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
