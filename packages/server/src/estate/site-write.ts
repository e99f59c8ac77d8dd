import { type Id, newId } from '@latchwork/core/base'
import { sql, type Tx } from '../store/index.ts'
import type { Calendar } from './calendar.ts'
import {
	type Change,
	changedFields,
	type Given,
	merged,
	NOTE_COLUMNS,
	type Notes,
	noteValues,
	record,
	touched,
	unchangedSince,
	unlessReferred,
} from './change-write.ts'
import { markBundles } from './dirty-write.ts'
import { type Area, asJson, findArea, findSite, present, type Site } from './read.ts'

export interface SiteFields {
	readonly name: string
	readonly timeZone: string
	readonly address: string
	readonly calendar: Calendar
}

export async function createSite(tx: Tx, change: Change, { name, timeZone, address, calendar, ...notes }: SiteFields & Notes): Promise<Site> {
	const id = newId('site', change.now, change.random)
	await tx.run(sql`INSERT INTO site (tenant_id, site_id, name, time_zone, address, calendar, ${NOTE_COLUMNS})
		VALUES (${tx.tenant}, ${id}, ${name}, ${timeZone}, ${address}, ${asJson(calendar)}, ${noteValues(notes, change.now)})`)
	await record(tx, change, 'site.created', id, { site: id }, { timeZone })
	return present(await findSite(tx, id), 'site')
}

/** Time zone and hours decide at the doors, so every bank of the site gets a new bundle. */
export async function changeSite(tx: Tx, change: Change, id: Id<'site'>, ifMatch: number, patch: Given<SiteFields> & Notes): Promise<Site> {
	const before = present(await findSite(tx, id, true), 'site')
	unchangedSince(ifMatch, before)
	const fields = changedFields(before, patch)
	if (fields.length === 0) return before
	const { name, timeZone, address, calendar } = merged<SiteFields>(before, patch)
	await tx.run(sql`UPDATE site SET name = ${name}, time_zone = ${timeZone}, address = ${address}, calendar = ${asJson(calendar)},
		${touched(patch, change.now)} WHERE tenant_id = ${tx.tenant} AND site_id = ${id}`)
	await record(tx, change, 'site.changed', id, { site: id }, { fields, version: before.version + 1 })
	await markBundles(tx, change.now, { site: id })
	return present(await findSite(tx, id), 'site')
}

export async function removeSite(tx: Tx, change: Change, id: Id<'site'>, ifMatch: number): Promise<void> {
	unchangedSince(ifMatch, present(await findSite(tx, id, true), 'site'))
	await unlessReferred(tx, 'site', [
		['bank', sql`SELECT count(*) AS n FROM bank WHERE tenant_id = ${tx.tenant} AND site_id = ${id}`],
		['area', sql`SELECT count(*) AS n FROM area WHERE tenant_id = ${tx.tenant} AND site_id = ${id}`],
	])
	await tx.run(sql`DELETE FROM site WHERE tenant_id = ${tx.tenant} AND site_id = ${id}`)
	await record(tx, change, 'site.closed', id, { site: id })
}

export async function createArea(tx: Tx, change: Change, { site, name, ...notes }: { site: Id<'site'>; name: string } & Notes): Promise<Area> {
	present(await findSite(tx, site), 'site')
	const id = newId('area', change.now, change.random)
	await tx.run(sql`INSERT INTO area (tenant_id, area_id, site_id, name, ${NOTE_COLUMNS})
		VALUES (${tx.tenant}, ${id}, ${site}, ${name}, ${noteValues(notes, change.now)})`)
	await record(tx, change, 'area.created', id, { site })
	return present(await findArea(tx, id), 'area')
}

export async function changeArea(
	tx: Tx,
	change: Change,
	id: Id<'area'>,
	ifMatch: number,
	patch: { name?: string | undefined } & Notes,
): Promise<Area> {
	const before = present(await findArea(tx, id, true), 'area')
	unchangedSince(ifMatch, before)
	const fields = changedFields(before, patch)
	if (fields.length === 0) return before
	await tx.run(
		sql`UPDATE area SET name = ${patch.name ?? before.name}, ${touched(patch, change.now)} WHERE tenant_id = ${tx.tenant} AND area_id = ${id}`,
	)
	await record(tx, change, 'area.changed', id, { site: before.site }, { fields, version: before.version + 1 })
	return present(await findArea(tx, id), 'area')
}

export async function removeArea(tx: Tx, change: Change, id: Id<'area'>, ifMatch: number): Promise<void> {
	const before = present(await findArea(tx, id, true), 'area')
	unchangedSince(ifMatch, before)
	await unlessReferred(tx, 'area', [['bank', sql`SELECT count(*) AS n FROM bank WHERE tenant_id = ${tx.tenant} AND area_id = ${id}`]])
	await tx.run(sql`DELETE FROM area WHERE tenant_id = ${tx.tenant} AND area_id = ${id}`)
	await record(tx, change, 'area.closed', id, { site: before.site })
}
