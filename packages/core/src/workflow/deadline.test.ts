import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Case, type Env, newCase } from './case.ts'
import { clearDeadline, nextDeadline, parseAfter, setDeadline } from './deadline.ts'
import { loanTable } from './loan.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 0, 5, 9)
const LOAN = { ...loanTable(), hash: 'h' }
const env = (due?: Env['due']): Env => ({
	now: NOW,
	bank: 'bank',
	facts: { entitled: true, stock: 1, freeCompartments: 1, recalled: false, spareReturned: true },
	...(due === undefined ? {} : { due }),
})
/** Hours from now, by name. */
const hours = (deadlines: Case['deadlines']) => Object.fromEntries(Object.entries(deadlines).map(([name, ms]) => [name, (ms - NOW) / HOUR]))

test('times are ISO 8601 durations from now or from another deadline', () => {
	const rows: [string, { base: string | undefined; ms: number } | undefined][] = [
		['PT5M', { base: undefined, ms: 300_000 }],
		['P1D', { base: undefined, ms: 24 * HOUR }],
		['P1DT2H3M4S', { base: undefined, ms: 26 * HOUR + 184_000 }],
		['due-PT1H', { base: 'due', ms: -HOUR }],
		['due-soon+PT15M', { base: 'due-soon', ms: 900_000 }],
		['P', undefined],
		['PT', undefined],
		['due+', undefined],
		['1H', undefined],
		['P1M', undefined],
		['-PT1H', undefined],
		['PT1H ', undefined],
		['PT99999999H', undefined],
	]
	for (const [text, means] of rows) assert.deepEqual(parseAfter(text), means, text)
})

test('setting a deadline sets those that count from it', () => {
	assert.deepEqual(hours(setDeadline(LOAN, {}, 'due', env())), { due: 8, 'due-soon': 7, grace: 8.25, escalate: 32, lost: 176 })
	assert.deepEqual(hours(setDeadline(LOAN, {}, 'hold', env())), { hold: 300 / 3600 })
})

test('a time from a rule or a calendar wins over the table', () => {
	const closed = env({ due: NOW + 60 * HOUR, lost: NOW + 999 * HOUR })
	assert.deepEqual(hours(setDeadline(LOAN, {}, 'due', closed)), { due: 60, 'due-soon': 59, grace: 60.25, escalate: 84, lost: 999 })
})

test('a reminder that would come too late is left out, what follows lateness never is', () => {
	const short = setDeadline(LOAN, { 'due-soon': NOW + HOUR }, 'due', env({ due: NOW + HOUR / 2 }))
	assert.deepEqual(hours(short), { due: 0.5, grace: 0.75, escalate: 24.5, lost: 168.5 })
	const past = setDeadline(LOAN, {}, 'due', env({ due: NOW - HOUR }))
	assert.deepEqual(hours(past), { due: -1, grace: -0.75, escalate: 23, lost: 167 })
})

test('clearing a deadline clears those that count from it', () => {
	const all = setDeadline(LOAN, setDeadline(LOAN, {}, 'hold', env()), 'due', env())
	assert.deepEqual(Object.keys(clearDeadline(LOAN, all, 'due')), ['hold'])
	assert.deepEqual(Object.keys(clearDeadline(LOAN, all, 'grace')).sort(), ['due', 'due-soon', 'escalate', 'hold', 'lost'])
	assert.deepEqual(clearDeadline(LOAN, all, undefined), {})
})

test('a timer waits for the next deadline that would move something', () => {
	const fresh = newCase(LOAN, { id: 'case', lines: [{ id: 'line', custodian: 'bank' }] })
	const lent = { ...fresh, state: 'on-loan', lines: [{ id: 'line', custodian: 'ann', state: 'on-loan' }] }
	const deadlines = setDeadline(LOAN, setDeadline(LOAN, {}, 'hold', env()), 'due', env())
	assert.equal(nextDeadline(LOAN, fresh), undefined)
	// `hold` comes first but moves only what is allotted, `due` only carries the others.
	assert.deepEqual(nextDeadline(LOAN, { ...lent, deadlines }), { name: 'due-soon', dueMs: NOW + 7 * HOUR })
	assert.equal(nextDeadline(LOAN, { ...lent, state: 'overdue', deadlines })?.name, 'escalate')
	assert.equal(
		nextDeadline(LOAN, { ...lent, state: 'returned', lines: [{ id: 'line', custodian: 'bank', state: 'inspecting' }], deadlines }),
		undefined,
	)
})
