import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextMidnight, seededRandom } from '../base/index.ts'
import { drawDigits, giveBack, lengthFormula, NEW_PIN_BUDGET, type PinBudget, spendTry } from './index.ts'
import { SAMPLE_START } from './testing/index.ts'

const DIGITS = 6
const PEOPLE = 500
const DAY = 86_400_000
const terms = { wrongPinsPerDay: 100, timeZone: 'Europe/Berlin' }
const random = seededRandom(1)

const pins = new Set<string>()
while (pins.size < PEOPLE) pins.add(drawDigits(DIGITS, random))

/** Somebody who stands at the kiosk and types a PIN whenever it takes one. `keep`: what of the budget is there again for the next try. */
function stand(ends: { readonly tries?: number; readonly days?: number }, keep: (budget: PinBudget) => PinBudget) {
	const { tries: most = Number.POSITIVE_INFINITY, days = Number.POSITIVE_INFINITY } = ends
	const begin = nextMidnight(SAMPLE_START, terms.timeZone)
	let [budget, now, tries, hits] = [NEW_PIN_BUDGET, begin, 0, 0]
	while (tries < most && now < begin + days * DAY) {
		const answer = spendTry(budget, terms, { now, uncertain: false })
		if (!answer.ok) {
			now = answer.until
			continue
		}
		tries++
		budget = keep(answer.budget)
		if (pins.has(drawDigits(DIGITS, random))) {
			hits++
			budget = keep(giveBack(budget))
		}
		now += 1_000
	}
	const years = (now - begin) / (365 * DAY)
	// The formula says how likely one PIN or more is hit in a year; of hits that are rare and independent, so many are to be expected.
	const expected = -Math.log1p(-lengthFormula(PEOPLE, DIGITS, terms.wrongPinsPerDay)) * years
	return { tries, hits, expected }
}

test('T1: of 1,000,000 tries no more than the formula says hit a PIN, with the plug pulled after each; a budget that is forgotten is found out', () => {
	// As after a power cut between spending a try and looking at the PIN: what was stored is read back.
	const { tries, hits, expected } = stand({ tries: 1_000_000 }, (budget) => JSON.parse(JSON.stringify(budget)))
	assert.equal(tries, 1_000_000)
	assert.ok(hits > expected / 1.2, `only ${hits} hits where ${expected} were expected: nothing was guessed`)
	assert.ok(hits <= expected * 1.2, `${hits} hits where ${expected} were expected`)

	const forgotten = stand({ days: 1 }, () => NEW_PIN_BUDGET)
	assert.ok(forgotten.hits > forgotten.expected * 1.2, `${forgotten.hits} hits where ${forgotten.expected} were expected`)
})
