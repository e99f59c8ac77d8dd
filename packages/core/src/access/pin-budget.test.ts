import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
	asAtOneKiosk,
	checkGuessing,
	checkPinSettings,
	type GuessingBound,
	giveBack,
	isSuspended,
	lengthFormula,
	NEW_PIN_BUDGET,
	type PinBudget,
	type PinTerms,
	spendTry,
} from './index.ts'

const terms: PinTerms = { wrongPinsPerDay: 20, timeZone: 'Europe/Berlin' }
const certain = (now: number) => ({ now, uncertain: false })
const MORNING = Date.UTC(2026, 0, 5, 9)
const MIDNIGHT = Date.UTC(2026, 0, 5, 23)

/** Tries as fast as the budget lets: answers how many were granted until `end`, and the budget. */
function hammer(start: number, end: number, stepMs: number, budget: PinBudget = NEW_PIN_BUDGET): { granted: number; budget: PinBudget } {
	let granted = 0
	let kept = budget
	for (let now = start; now < end; now += stepMs) {
		const answer = spendTry(kept, terms, certain(now))
		if (!answer.ok) continue
		granted++
		// Stored and read back at once, as after a power cut between spending and checking.
		kept = JSON.parse(JSON.stringify(answer.budget))
	}
	return { granted, budget: kept }
}

test('the table of trust.md §3.4 is what the formula gives', () => {
	const table: [secrets: number, digits: number, chances: [string, string, string]][] = [
		[50, 6, ['1.00', '0.84', '0.31']],
		[500, 6, ['1.00', '1.00', '0.97']],
		[500, 8, ['0.58', '0.17', '0.036']],
		[500, 10, ['0.0087', '0.0018', '0.00037']],
		[500, 9, ['0.084', '0.018', '0.0036']],
		[500, 11, ['0.00088', '0.00018', '0.000037']],
	]
	for (const [secrets, digits, chances] of table) {
		for (const [column, wrongADay] of [480, 100, 20].entries()) {
			const printed = chances[column] ?? ''
			// Half a unit of the last printed place, and a little: the page printed 0.000365 as 0.00037.
			const place = 10 ** -(printed.length - 2)
			const off = Math.abs(lengthFormula(secrets, digits, wrongADay) - Number(printed))
			assert.ok(off <= 0.51 * place, `${secrets} secrets, ${digits} digits, ${wrongADay} a day: off by ${off}`)
		}
	}
})

test('settings above one per cent a year are refused with the length that would do: 27 people fit, 28 do not', () => {
	assert.equal(checkPinSettings(27, 8, 100).ok, true)
	const refused = checkPinSettings(28, 8, 100)
	assert.ok(!refused.ok)
	assert.match(refused.text, /28 PINs of 8 digits .* 1\.0 %.* Use 9 digits\./)
	assert.equal(checkPinSettings(28, 9, 100).ok, true)
	assert.equal(checkPinSettings(0, 4, 100).ok, true)
	const sure = checkPinSettings(20_000, 4, 1)
	assert.match(sure.ok ? '' : sure.text, /succeeds within a year with 100 %; 1 % is allowed/)
})

test('each wrong try makes the next one wait longer, up to half a minute', () => {
	let budget = NEW_PIN_BUDGET
	let now = MORNING
	const waits: number[] = []
	for (let i = 0; i < 8; i++) {
		const answer = spendTry(budget, terms, certain(now))
		assert.ok(answer.ok)
		budget = answer.budget
		assert.deepEqual(spendTry(budget, terms, certain(budget.waitUntil - 1)), { ok: false, why: 'wait', until: budget.waitUntil })
		waits.push(budget.waitUntil - now)
		now = budget.waitUntil
	}
	assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
})

test('a right PIN gives its try back and ends the waiting; wrong ones stay spent', () => {
	const wrong = spendTry(NEW_PIN_BUDGET, terms, certain(MORNING))
	assert.ok(wrong.ok)
	const right = spendTry(wrong.budget, terms, certain(MORNING + 1_000))
	assert.ok(right.ok)
	assert.deepEqual(giveBack(right.budget), { day: '2026-01-05', spent: 1, inRow: 0, waitUntil: 0 })
})

test('when the day’s tries are gone PINs rest until the site’s own midnight', () => {
	const { granted, budget } = hammer(MORNING, MIDNIGHT, 60_000)
	assert.equal(granted, 20)
	assert.equal(isSuspended(budget, terms, certain(MIDNIGHT - 1)), true)
	assert.deepEqual(spendTry(budget, terms, certain(MIDNIGHT - 1)), { ok: false, why: 'suspended', until: MIDNIGHT })
	assert.equal(isSuspended(budget, terms, certain(MIDNIGHT)), false)
	assert.equal(spendTry(budget, terms, certain(MIDNIGHT)).ok, true)
})

test('a guesser who never rests and cuts the power after every try gets G tries a day, no more', () => {
	const days = 4
	const { granted } = hammer(MIDNIGHT, MIDNIGHT + days * 86_400_000, 45_000)
	assert.equal(granted, days * terms.wrongPinsPerDay)
})

test('a clock that went back brings no new tries', () => {
	const { budget } = hammer(MORNING, MIDNIGHT, 60_000)
	assert.equal(spendTry(budget, terms, certain(MORNING - 86_400_000)).ok, false)
	assert.equal(spendTry(budget, terms, certain(Date.UTC(1970, 0, 1))).ok, false)
})

test('a clock that cannot be trusted brings no new day, and what it said does not outlast it', () => {
	const YEAR = 365 * 86_400_000
	const { budget } = hammer(MORNING, MIDNIGHT, 60_000)
	const ahead = spendTry(budget, terms, { now: MORNING + YEAR, uncertain: true })
	assert.equal(ahead.ok, false, 'the day’s tries are gone, whatever day it says')
	const first = spendTry({ ...budget, spent: 0 }, terms, { now: MORNING + YEAR, uncertain: true })
	assert.ok(first.ok)
	assert.equal(first.budget.day, '2026-01-05')
	assert.equal(spendTry(first.budget, terms, certain(MIDNIGHT - 60_000)).ok, true, 'nobody waits for a year')
	const next = spendTry(first.budget, terms, certain(MIDNIGHT))
	assert.deepEqual(next.ok && [next.budget.day, next.budget.spent], ['2026-01-06', 1])
})

test('what the default budgets give on a walk is what is allowed there, as long as each kiosk keeps its one per cent', () => {
	const bounds: GuessingBound[] = [
		{ where: 'kiosk', wrongADay: 100, highest: 0.01 },
		{ where: 'site', wrongADay: 300, highest: 0.03 },
		{ where: 'organisation', wrongADay: 1_000, highest: 0.1 },
	]
	assert.equal(checkGuessing({ secrets: 27, digits: 8 }, bounds).ok, true)
	const broken = [27, 28].map((secrets) => checkGuessing({ secrets, digits: 8 }, bounds)).map((one) => !one.ok && one.where)
	assert.deepEqual(broken, [false, 'kiosk'])
	assert.equal(asAtOneKiosk(bounds), 100)
	const [kiosk, site] = bounds as [GuessingBound, GuessingBound]
	const strict = checkGuessing({ secrets: 27, digits: 8 }, [kiosk, { ...site, highest: 0.01 }])
	assert.ok(!strict.ok && strict.where === 'site')
	assert.match(strict.text, /2\.9 %; 1 % is allowed\. Use 9 digits, or allow at most 101 wrong PINs a day at the site\./)
	assert.equal(checkGuessing({ secrets: 27, digits: 8 }, [{ ...site, wrongADay: 101, highest: 0.01 }]).ok, true, 'the control')
	const codes = checkGuessing({ secrets: 1, digits: 8, beside: 1e-6 }, [site])
	assert.match(
		codes.ok ? '' : codes.text,
		/and the codes that a kiosk takes .* Allow at most \d+ wrong PINs/,
		'no length of PINs helps against codes',
	)
})

test('by one number for all bounds a length is enough for each of them', () => {
	for (const wrongADay of [50, 300, 5_000])
		for (const highest of [0.01, 0.03, 0.1]) {
			const most = asAtOneKiosk([{ where: 'site', wrongADay, highest }])
			for (const digits of [8, 9, 10, 11])
				for (const secrets of [1, 27, 300])
					assert.equal(checkPinSettings(secrets, digits, most).ok, checkGuessing({ secrets, digits }, [{ where: 'site', wrongADay, highest }]).ok)
		}
})
