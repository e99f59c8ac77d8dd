import { localDay } from '@latchwork/core/access'
import { type Id, nextMidnight, type Random } from '@latchwork/core/base'
import { type Applier, append } from '../ledger/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { settingsOf } from '../tenants/index.ts'

interface Counted {
	readonly site: Id<'site'>
	readonly timeZone: string
	readonly day: string
	readonly wrong: number
	readonly restUntil: number | null
}

const budgets = (db: Db) =>
	db.rows<Counted>(sql`SELECT p.site_id AS site, s.time_zone AS "timeZone", p.day, p.wrong, p.rest_until AS "restUntil"
		FROM pin_budget p JOIN site s ON s.tenant_id = p.tenant_id AND s.site_id = p.site_id WHERE p.tenant_id = ${db.tenant}`)

/**
 * An applier of the ledger: counts wrong PINs where they meet, as somebody who walks from kiosk to kiosk is too slow for each of them. When the day's
 * tries of a site or of the organisation are gone, its kiosks take no PIN until their midnight. What comes late, of a day that is over, counts for nothing.
 */
export function pinApplier({ random }: { readonly random: Random }): Applier {
	return async (tx, events, { site, now }) => {
		const wrong = events.filter(({ type, data }) => type === 'decision.denied' && data.reason === 'wrong-pin')
		if (wrong.length === 0) return
		const place = await tx.first(
			sql<{ timeZone: string }>`SELECT time_zone AS "timeZone" FROM site WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`,
		)
		if (!place) return
		const today = localDay(now, place.timeZone)
		const fresh = wrong.filter(({ at }) => localDay(at, place.timeZone) === today).length
		if (fresh === 0) return
		const row = await tx.first(sql<{
			wrong: number
			restUntil: number | null
		}>`INSERT INTO pin_budget (tenant_id, site_id, day, wrong) VALUES (${tx.tenant}, ${site}, ${today}, ${fresh})
			ON CONFLICT (tenant_id, site_id) DO UPDATE SET day = excluded.day, wrong = excluded.wrong + CASE WHEN pin_budget.day = excluded.day THEN pin_budget.wrong ELSE 0 END
			RETURNING wrong, rest_until AS "restUntil"`)
		const { wrongPinsPerDayAtSite } = await settingsOf(tx, { site })
		if (row && row.wrong >= wrongPinsPerDayAtSite && (row.restUntil ?? 0) <= now) {
			await restAt(tx, [{ site, timeZone: place.timeZone }], now)
			await append(tx, [{ type: 'credential.locked-out', subject: site, actor: 'server', site, data: { method: 'pin', wrong: row.wrong } }], {
				now,
				random,
			})
		}
		const { wrongPinsPerDayInAll } = await settingsOf(tx, {})
		const all = (await budgets(tx)).filter((one) => one.day === localDay(now, one.timeZone)).reduce((sum, one) => sum + one.wrong, 0)
		if (all < wrongPinsPerDayInAll || all - fresh >= wrongPinsPerDayInAll) return
		const sites = await tx.rows(
			sql<{ site: Id<'site'>; timeZone: string }>`SELECT site_id AS site, time_zone AS "timeZone" FROM site WHERE tenant_id = ${tx.tenant}`,
		)
		await restAt(tx, sites, now)
		const tenant = tx.tenant as Id<'tenant'>
		await append(tx, [{ type: 'credential.locked-out', subject: tenant, actor: 'server', data: { method: 'pin', wrong: all } }], { now, random })
	}
}

async function restAt(tx: Tx, sites: readonly { readonly site: Id<'site'>; readonly timeZone: string }[], now: number): Promise<void> {
	for (const { site, timeZone } of sites)
		await tx.run(sql`INSERT INTO pin_budget (tenant_id, site_id, day, wrong, rest_until, told)
			VALUES (${tx.tenant}, ${site}, ${localDay(now, timeZone)}, 0, ${nextMidnight(now, timeZone)}, false)
			ON CONFLICT (tenant_id, site_id) DO UPDATE SET rest_until = excluded.rest_until, told = false`)
}

/** Somebody has looked into it: kiosks of the site take PINs again, and the day's tries begin anew. False: they were taking them. */
export async function endPinRest(
	tx: Tx,
	site: Id<'site'>,
	by: { readonly actor: Id<'subject'>; readonly now: number; readonly random: Random },
): Promise<boolean> {
	const ended = await tx.run(sql`UPDATE pin_budget SET rest_until = NULL, wrong = 0, told = false
		WHERE tenant_id = ${tx.tenant} AND site_id = ${site} AND rest_until > ${by.now}`)
	if (ended === 0) return false
	await append(tx, [{ type: 'credential.lock-out-ended', subject: site, actor: by.actor, site, data: { method: 'pin' } }], by)
	return true
}

/** System work: are there kiosks that have not heard that they take no PINs, or that they do again? From now on they are being told. */
export const takePinNews = async (tx: Tx): Promise<boolean> => (await tx.run(sql`UPDATE pin_budget SET told = true WHERE NOT told`)) > 0

/** Until when a site's kiosks take no PIN, by its id. */
export const pinRests = async (db: Db, now: number): Promise<Map<Id<'site'>, number>> =>
	new Map((await budgets(db)).flatMap(({ site, restUntil }) => (restUntil !== null && restUntil > now ? [[site, restUntil] as const] : [])))
