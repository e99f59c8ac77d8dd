import { checkPinSettings, hitChance, type Place } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { pinsBySite } from '../people/index.ts'
import { type Db, sql } from '../store/index.ts'
import { settingsAt } from '../tenants/index.ts'
import { typedCodes } from './code-write.ts'

export interface Kiosk {
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	readonly area: Id<'area'> | null
	/** Digits of new PINs, PINs of the site, codes of the bank. */
	readonly digits: number
	readonly pins: number
	readonly codes: number
	readonly wrongADay: number
	/** To hit something with one try. */
	readonly hit: number
	readonly codeHit: number
}

/** What can be typed at each kiosk, and how often somebody who guesses may try. */
export async function kiosksOf(db: Db, now: number): Promise<Kiosk[]> {
	const banks = await db.rows(sql<{
		bank: Id<'bank'>
		site: Id<'site'>
		area: Id<'area'> | null
	}>`SELECT bank_id AS bank, site_id AS site, area_id AS area
		FROM bank WHERE tenant_id = ${db.tenant} ORDER BY site_id, bank_id`)
	const at = await settingsAt(db)
	const pinsAt = await pinsBySite(db, now)
	const codes = Map.groupBy(await typedCodes(db, now), ({ bank }) => bank)
	return banks.map(({ bank, site, area }) => {
		const { wrongPinsPerDay } = at({ site, bank, ...(area && { area }) })
		const digits = at({ site }).pinLength
		const pins = pinsAt.get(site) ?? 0
		const typed = codes.get(bank) ?? []
		const codeHit = hitChance(typed)
		return {
			bank,
			site,
			area,
			digits,
			pins,
			codes: typed.reduce((sum, { count }) => sum + count, 0),
			wrongADay: wrongPinsPerDay,
			hit: hitChance([{ count: pins, digits }]) + codeHit,
			codeHit,
		}
	})
}

/** Settings by which a guesser would succeed too easily at a kiosk are refused (trust.md §3.4). Throws `request-refused` that says what would do. */
export async function checkPins(db: Db, place: Place, now: number): Promise<void> {
	for (const kiosk of await kiosksOf(db, now)) {
		const isThere =
			(!place.bank || place.bank === kiosk.bank) && (!place.area || place.area === kiosk.area) && (!place.site || place.site === kiosk.site)
		const judged = isThere ? checkPinSettings(kiosk.pins, kiosk.digits, kiosk.wrongADay, kiosk.codeHit) : undefined
		if (judged?.ok === false) throw new Fault('request-refused', judged.text, { detail: { setting: 'pinLength', bank: kiosk.bank } })
	}
}

/** Of a site: to hit a pick-up code with one try, at the kiosk that has most of them. */
export async function codeHitAt(db: Db, site: Id<'site'>, now: number): Promise<number> {
	const banks = await db.rows(sql<{ bank: Id<'bank'> }>`SELECT bank_id AS bank FROM bank WHERE tenant_id = ${db.tenant} AND site_id = ${site}`)
	const codes = Map.groupBy(await typedCodes(db, now), ({ bank }) => bank)
	return Math.max(0, ...banks.map(({ bank }) => hitChance(codes.get(bank) ?? [])))
}
