import { asAtOneKiosk, checkGuessing, type GuessingBound, HIGHEST_CHANCE, hitChance, mintedHit, type Place } from '@latchwork/core/access'
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
	/** To hit something with one try, and to hit a code. */
	readonly hit: number
	readonly codeHit: number
	/** What it grants to somebody who stands there; what the kiosks of its site and all kiosks together grant to somebody who walks. */
	readonly bounds: Readonly<Record<GuessingBound['where'], GuessingBound>>
}

type Bounded = Pick<Kiosk, 'bank' | 'site' | 'area' | 'digits' | 'bounds'>

/** How often somebody who guesses may try where, by the settings: no place grants more than its kiosks do. */
async function boundsOf(db: Db): Promise<Bounded[]> {
	const banks = await db.rows(sql<{
		bank: Id<'bank'>
		site: Id<'site'>
		area: Id<'area'> | null
	}>`SELECT bank_id AS bank, site_id AS site, area_id AS area
		FROM bank WHERE tenant_id = ${db.tenant} ORDER BY site_id, bank_id`)
	const at = await settingsAt(db)
	const tries = new Map(banks.map(({ bank, site, area }) => [bank, at({ site, bank, ...(area && { area }) }).wrongPinsPerDay]))
	const granted = (some: readonly { readonly bank: Id<'bank'> }[]) => some.reduce((sum, { bank }) => sum + (tries.get(bank) ?? 0), 0)
	const sites = new Map(
		[...Map.groupBy(banks, ({ site }) => site)].map(([site, some]) => [site, Math.min(at({ site }).wrongPinsPerDayAtSite, granted(some))]),
	)
	const here = at({})
	const inAll = Math.min(
		here.wrongPinsPerDayInAll,
		[...sites.values()].reduce((sum, one) => sum + one, 0),
	)
	return banks.map(({ bank, site, area }) => ({
		bank,
		site,
		area,
		digits: at({ site }).pinLength,
		bounds: {
			kiosk: { where: 'kiosk', wrongADay: tries.get(bank) ?? 0, highest: HIGHEST_CHANCE },
			// What is too much for a walk is the organisation's to say, and no site's.
			site: { where: 'site', wrongADay: sites.get(site) ?? 0, highest: here.pinChanceAtSite / 100 },
			organisation: { where: 'organisation', wrongADay: inAll, highest: here.pinChanceInAll / 100 },
		},
	}))
}

/** What can be typed at each kiosk, and how often somebody who guesses may try. */
export async function kiosksOf(db: Db, now: number): Promise<Kiosk[]> {
	const pinsAt = await pinsBySite(db, now)
	const codes = Map.groupBy(await typedCodes(db, now), ({ bank }) => bank)
	const minted = mintedHit(await peopleCount(db))
	return (await boundsOf(db)).map((one) => {
		const pins = pinsAt.get(one.site) ?? 0
		const typed = codes.get(one.bank) ?? []
		const codeHit = hitChance(typed) + minted
		return {
			...one,
			pins,
			codes: typed.reduce((sum, { count }) => sum + count, 0),
			hit: hitChance([{ count: pins, digits: one.digits }]) + codeHit,
			codeHit,
		}
	})
}

const SETTING = { kiosk: 'pinLength', site: 'wrongPinsPerDayAtSite', organisation: 'wrongPinsPerDayInAll' } as const satisfies Record<
	GuessingBound['where'],
	string
>

/**
 * Refuses what would let a guesser succeed too easily at a kiosk of this place (trust.md §3.4), or by walking from there through the site or the whole
 * organisation. Throws `request-refused` that says what would do.
 */
export async function checkPins(db: Db, place: Place, now: number): Promise<void> {
	for (const { bank, site, area, pins, digits, codeHit, bounds } of await kiosksOf(db, now)) {
		if ((place.bank && place.bank !== bank) || (place.area && place.area !== area) || (place.site && place.site !== site)) continue
		const judged = checkGuessing({ secrets: pins, digits, beside: codeHit }, [bounds.kiosk, bounds.site, bounds.organisation])
		if (!judged.ok) throw new Fault('request-refused', judged.text, { detail: { setting: SETTING[judged.where], bank } })
	}
}

/** At most so many are known at a bank. */
const peopleCount = async (db: Db): Promise<number> =>
	(await db.first(sql<{ n: number }>`SELECT count(*)::int AS n FROM person WHERE tenant_id = ${db.tenant} AND erased_at IS NULL`))?.n ?? 0

/** So many wrong tries a day the rule for the length of codes goes by at this bank: its own, or fewer or more where the walk is what must be kept short. */
export async function triesAt(db: Db, bank: Id<'bank'>): Promise<number> {
	const found = (await boundsOf(db)).find((one) => one.bank === bank)
	return found ? asAtOneKiosk(Object.values(found.bounds)) : 0
}
