import { localTime, nextMidnight, percentOf } from '../base/index.ts'

/**
 * The budget of wrong PINs of one kiosk (trust.md §3.4, T1, T2). A kiosk that takes a bare PIN has no account to lock, so the
 * kiosk itself has G tries a local day; when they are gone the PIN method rests until midnight and every other method goes on.
 *
 * A try is *spent before it is checked* and given back when it was right. Whoever stores the state between `spendTry` and the
 * check therefore grants no free try to somebody who cuts the power in between.
 */
export interface PinBudget {
	/** Local day of the site, `2026-01-05`. */
	readonly day: string
	/** Tries spent this day. */
	readonly spent: number
	/** Wrong tries in a row, which set the waiting time. */
	readonly inRow: number
	/** Trusted time before which the next try is refused; further away than any wait it was said by a clock that was wrong, and counts no more. */
	readonly waitUntil: number
}
export const NEW_PIN_BUDGET: PinBudget = { day: '', spent: 0, inRow: 0, waitUntil: 0 }

export interface PinTerms {
	readonly wrongPinsPerDay: number
	readonly timeZone: string
	/** The server says that PINs rest until then, as too many wrong ones were typed at the site or in the whole organisation. */
	readonly restUntil?: number | undefined
}
export type TryAnswer =
	| { readonly ok: true; readonly budget: PinBudget }
	/** `wait`: too soon after a wrong one; `suspended`: the day's budget is gone. `until` in trusted time. */
	| { readonly ok: false; readonly why: 'wait' | 'suspended'; readonly until: number }

const LONGEST_WAIT_MS = 30_000
/** With an hour that is put back. */
const LONGEST_DAY_MS = 25 * 3_600_000

/** When it is, as far as it can be trusted (trusted-time.ts). */
export interface TryMoment {
	readonly now: number
	readonly uncertain: boolean
}

/** May a PIN be tried now? If so, the answer holds the budget to store before the PIN is looked at. */
export function spendTry(before: PinBudget, terms: PinTerms, moment: TryMoment): TryAnswer {
	const { now } = moment
	const { restUntil = 0 } = terms
	// No rest is longer than a day: what says otherwise was said by a clock that was wrong.
	if (now < restUntil && restUntil <= now + LONGEST_DAY_MS) return { ok: false, why: 'suspended', until: restUntil }
	const budget = ofToday(before, terms, moment)
	if (budget.spent >= terms.wrongPinsPerDay) return { ok: false, why: 'suspended', until: nextMidnight(now, terms.timeZone) }
	if (now < budget.waitUntil && budget.waitUntil <= now + LONGEST_WAIT_MS) return { ok: false, why: 'wait', until: budget.waitUntil }
	const inRow = budget.inRow + 1
	const wait = Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** Math.min(inRow - 1, 10))
	return { ok: true, budget: { day: budget.day, spent: budget.spent + 1, inRow, waitUntil: now + wait } }
}

/** The PIN was right: the try comes back and the next person does not wait. Tries that were wrong stay spent. */
export const giveBack = (budget: PinBudget): PinBudget => ({ ...budget, spent: Math.max(0, budget.spent - 1), inRow: 0, waitUntil: 0 })

/** True when the last try of the day is gone: the moment for the event `credential.locked-out`. */
export const isSuspended = (before: PinBudget, terms: PinTerms, moment: TryMoment): boolean =>
	ofToday(before, terms, moment).spent >= terms.wrongPinsPerDay

/**
 * A new local day brings a new budget; a clock that went back brings none, nor does one that cannot be trusted: whoever moves it would
 * buy tries, and the day of a clock that ran ahead would take the budgets of all the days until then.
 */
function ofToday(budget: PinBudget, { timeZone }: PinTerms, { now, uncertain }: TryMoment): PinBudget {
	if (uncertain) return budget
	const today = localDay(now, timeZone)
	return today > budget.day ? { ...NEW_PIN_BUDGET, day: today } : budget
}

/** `2026-01-05`. */
export function localDay(now: number, timeZone: string): string {
	const { year, month, day } = localTime(now, timeZone)
	return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** Chance that one try of somebody who knows nothing is one of these secrets. */
export const hitChance = (secrets: readonly { readonly count: number; readonly digits: number }[]): number =>
	Math.min(
		1,
		secrets.reduce((sum, { count, digits }) => sum + count / 10 ** digits, 0),
	)

/** Chance that a guesser who uses up `wrongADay` tries every day hits within a year. */
export const yearChance = (hit: number, wrongADay: number): number => -Math.expm1(365 * wrongADay * Math.log1p(-hit))

/** Chance that a guesser who uses up `wrongADay` tries every day for a year hits one of `secrets` PINs of `digits` digits (trust.md §3.4). */
export const lengthFormula = (secrets: number, digits: number, wrongADay: number): number =>
	yearChance(hitChance([{ count: secrets, digits }]), wrongADay)

/** No kiosk may have a higher one a year. */
export const HIGHEST_CHANCE = 0.01

/** Where somebody who guesses stands or walks about: what all kiosks there grant in a day, and the chance a year that is too high there. */
export interface GuessingBound {
	readonly where: 'kiosk' | 'site' | 'organisation'
	readonly wrongADay: number
	readonly highest: number
}

/** So many wrong tries a day at one kiosk would allow no more than these bounds together: one number for every rule of length. */
export const asAtOneKiosk = (bounds: readonly GuessingBound[]): number =>
	Math.max(...bounds.map(({ wrongADay, highest }) => (wrongADay * Math.log1p(-HIGHEST_CHANCE)) / Math.log1p(-highest)))

/** What can be typed at a kiosk: PINs of a length, and, as the chance to hit one with one try, codes. */
export interface Typed {
	readonly secrets: number
	readonly digits: number
	readonly beside?: number
}
export type GuessingAnswer =
	| { readonly ok: true; readonly chance: number }
	| { readonly ok: false; readonly where: GuessingBound['where']; readonly chance: number; readonly text: string }

/** The product's rule at one kiosk: no setting with more than 1 % a year. */
export const checkPinSettings = (secrets: number, digits: number, wrongADay: number): GuessingAnswer =>
	checkGuessing({ secrets, digits }, [{ where: 'kiosk', wrongADay, highest: HIGHEST_CHANCE }])

/** Whether what can be typed keeps within each of the bounds; the first that it does not is said, with what would do. `chance` is that of the first bound. */
export function checkGuessing(typed: Typed, bounds: readonly GuessingBound[]): GuessingAnswer {
	const hit = hitOf(typed)
	const broken = bounds.find(({ wrongADay, highest }) => yearChance(hit, wrongADay) > highest)
	if (!broken) return { ok: true, chance: yearChance(hit, bounds[0]?.wrongADay ?? 0) }
	const { where, wrongADay, highest } = broken
	const chance = yearChance(hit, wrongADay)
	const what = `${typed.secrets} PINs of ${typed.digits} digits${typed.beside ? ' and the codes that a kiosk takes' : ''}`
	const who = {
		kiosk: 'a guesser',
		site: 'a guesser who walks through the kiosks of the site',
		organisation: 'a guesser who walks through all kiosks',
	}[where]
	return {
		ok: false,
		where,
		chance,
		text: `With ${what} ${who} succeeds within a year with ${percentOf(chance)}; ${percentOf(highest)} is allowed. ${wayOut(typed, bounds, broken)}`,
	}
}

function wayOut(typed: Typed, bounds: readonly GuessingBound[], { where, wrongADay, highest }: GuessingBound): string {
	const enough = digitsNeeded(typed, bounds)
	const fewer = Math.floor(Math.log1p(-highest) / (365 * Math.log1p(-hitOf(typed))))
	if (where === 'kiosk') return enough === undefined ? `Allow fewer wrong PINs a day than ${wrongADay}.` : `Use ${enough} digits.`
	const allow = `at most ${fewer} wrong PINs a day ${where === 'site' ? 'at the site' : 'in all'}`
	return enough === undefined ? `Allow ${allow}.` : `Use ${enough} digits, or allow ${allow}.`
}

const hitOf = ({ secrets, digits, beside = 0 }: Typed): number => hitChance([{ count: secrets, digits }]) + beside

/** Undefined: no length helps, the codes alone are too many for so many tries. */
function digitsNeeded(typed: Typed, bounds: readonly GuessingBound[]): number | undefined {
	for (let digits = 4; digits <= LONGEST_PIN; digits++)
		if (bounds.every(({ wrongADay, highest }) => yearChance(hitOf({ ...typed, digits }), wrongADay) <= highest)) return digits
	return undefined
}
const LONGEST_PIN = 12
