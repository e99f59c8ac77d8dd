import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAYS, daysWords, type Part, reasonWords, replays, ruleWords, sentenceOf, wants } from './policies.ts'

const names = { group: (code: string) => code.toUpperCase(), type: (code: string) => `${code}!` }
const said = (parts: readonly Part[]) => parts.map((part) => (typeof part === 'string' ? part : `*${part.chosen}*`)).join('')

test('sentences read as people say them, with what was chosen in bold', () => {
	const times = { days: [5, 1, 2, 3, 4], from: '08:00', to: '18:00' }
	for (const [statement, words] of [
		[{ kind: 'take', groups: ['staff'], types: ['laptop'] }, 'People in *STAFF* may take a *laptop!*.'],
		[
			{ kind: 'take', groups: ['a', 'b', 'c'], types: ['x', 'y'], times },
			'People in *A, B or C* may take a *x! or y!*, *Monday to Friday*, *08:00 to 18:00* at the site.',
		],
		[
			{ kind: 'carry', groups: ['a'], acts: ['collect', 'deposit'] },
			'People in *A* may *drop parcels off and take out parcels that nobody collected*.',
		],
		[{ kind: 'serve', groups: ['a'] }, 'People in *A* may open compartments *for service*, there and from afar.'],
		[{ kind: 'hours' }, 'Outside the opening hours of the site *nothing is taken*.'],
		[{ kind: 'hours', except: ['a'] }, 'Outside the opening hours of the site *nothing is taken*, but by people in *A*.'],
		[{ kind: 'second-factor', about: { valueClass: 'high' } }, 'For *a thing of high value* a *badge and a PIN* are needed.'],
		[{ kind: 'online', about: { types: ['x'] } }, 'For *x!* the bank needs *its network*.'],
		[
			{ kind: 'storage-level', level: 2, about: { valueClass: 'high' } },
			'While the bank has no network, a PIN counts for *a thing of high value*, alone or with a badge, only where keys are kept at *level 2 or above*.',
		],
		[{ kind: 'limit', loans: 1 }, 'Everybody has at most *one thing* on loan at a time.'],
		[{ kind: 'limit', groups: ['a'], loans: 3 }, 'Somebody in *A* has at most *3 things* on loan at a time.'],
		[{ kind: 'overdue' }, 'Whoever has something *overdue* brings it back before taking more.'],
	] as const)
		assert.equal(said(sentenceOf(structuredClone(statement) as never, names)), words)
})

test('days are said as ranges where they are', () => {
	assert.deepEqual([[1, 2, 3, 4, 5], [6, 7], [1, 3, 5], [1, 2, 3, 4, 5, 6, 7], [2]].map(daysWords), [
		'Monday to Friday',
		'Saturday and Sunday',
		'Monday, Wednesday and Friday',
		'every day',
		'Tuesday',
	])
	assert.equal(DAYS.length, 7)
})

test('a reason and a rule that have no words of their own are still readable', () => {
	assert.equal(reasonWords('something-new'), 'Something new.')
	assert.equal(reasonWords('outside-hours'), 'It is outside the hours in which this is allowed.')
	assert.equal(ruleWords('loans/s1:staff'), 'loans/s1:staff')
	assert.equal(ruleWords('builtin/no-permit'), 'no rule allows it')
	assert.equal(wants('collect', 'laptop'), 'take a laptop')
	assert.equal(wants(undefined, undefined), 'be let in')
})

test('what a replay leaves out is said, and nothing where nothing is', () => {
	const none = { gone: 0, untold: 0, banksLeftOut: 0, decisionsLeftOut: 0 }
	const said = (some: Partial<typeof none>) => replays.left({ ...none, ...some } as Parameters<typeof replays.left>[0])
	assert.deepEqual(said({}), [])
	assert.deepEqual(said({ decisionsLeftOut: 12_000, banksLeftOut: 3 }), [
		'12 000 decisions more could not be looked at: of each bank the newest were.',
		'Nothing was looked at of 3 banks, which decided least.',
	])
	assert.equal(said({ gone: 1 }).length, 1)
	assert.match(said({ untold: 1 })[0] ?? '', /^1 decision did not say all that the policies ask/)
	assert.equal(replays.of(1, 1), '1 decision at 1 bank')
})
