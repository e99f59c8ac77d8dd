import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPEN_REASONS, OUT_REASONS, RECALL_REASONS, TASK_WAYS } from '@latchwork/core/wire'
import { DELIVERY_DEFAULTS, deliveryTable, LOAN_DEFAULTS, loanTable, statesOf } from '@latchwork/core/workflow'
import type { BankSpace } from '../shapes.ts'
import { opening, outOfUse } from './banks.ts'
import { caseRoom, caseState, proofWords, STEPS } from './cases.ts'
import { bareType, eventFacts, eventWords } from './events.ts'
import { completion, needing, overview, standing, taskWords, troublesOf } from './overview.ts'
import { afar } from './own.ts'
import { count, span } from './shell.ts'

test('a span names its two largest units', () => {
	const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000]
	assert.equal(span(0), '0 s')
	assert.equal(span(59 * second), '59 s')
	assert.equal(span(100 * second), '1 min 40 s')
	assert.equal(span(23 * minute + 5 * second), '23 min')
	assert.equal(span(3 * hour + 20 * minute), '3 h 20 min')
	assert.equal(span(3 * day + 5 * hour), '3 days 5 h')
	assert.equal(span(-5), '0 s')
})

test('large figures are parted in threes', () => {
	assert.equal(count(211_904), '211 904')
	assert.equal(count(904), '904')
})

test('the picture of a proof is told in words: which hashes, and on which side', () => {
	assert.equal(proofWords.tree(0, 1, []), 'Record 0 is the only one; its hash is the signed root.')
	assert.equal(
		proofWords.tree(6, 7, ['left', 'left']),
		'Record 6 and 2 hashes lead to the signed root of 7 records. From the record up, they lie left, left.',
	)
})

test('the overview’s title says the finding', () => {
	assert.deepEqual([0, 1, 3, 14].map(overview.title), [
		'Nothing needs a person',
		'One thing needs a person',
		'Three things need a person',
		'14 things need a person',
	])
})

test('a task says why a person must look: a forced door is no routine', () => {
	const said = (why?: string) => taskWords({ kind: 'check-compartment', detail: why === undefined ? {} : { why } }).title('Door 9, Lobby')
	assert.equal(said(), 'Door 9, Lobby: look inside')
	assert.equal(said('evidence-below-need'), 'Door 9, Lobby: look inside')
	assert.equal(said('forced'), 'Door 9, Lobby was forced open')
	assert.equal(said('stuck'), 'Door 9, Lobby is stuck')
})

const heard: BankSpace = {
	...{
		bank: 'bnk_1',
		name: 'Lobby',
		site: 'sit_1',
		siteName: 'HQ',
		timeZone: 'UTC',
		compartments: 24,
		free: 24,
		open: 0,
		alarms: 0,
		toCheck: 0,
		unknown: 0,
	},
	...{ silentBoards: [], silentReaders: [], noBoards: false, storage: 'good', historyLost: false, tampered: false },
	...{ online: true, seenAt: '2026-01-05T09:00:00.000Z', outage: 'none' },
}
test('a bank that is heard and whose parts are not needs a person, and says which', () => {
	const titles = (more: Partial<BankSpace>) => troublesOf({ ...heard, ...more }).map(({ title }) => title)
	assert.deepEqual(titles({}), [])
	assert.deepEqual(titles({ silentBoards: ['bus-a/1'], unknown: 15 }), ['Lobby: 1 lock board does not answer'])
	assert.deepEqual(titles({ silentBoards: ['a/0', 'a/1'], silentReaders: ['rdr_1'] }), ['Lobby: 2 lock boards and 1 reader do not answer'])
	assert.deepEqual(titles({ noBoards: true, unknown: 200, silentReaders: ['rdr_1'] }), [
		'Lobby: 200 doors cannot be seen, and 1 reader does not answer',
	])
	assert.deepEqual(titles({ tampered: true, historyLost: true, storage: 'low' }).length, 3)
	assert.deepEqual(titles({ tampered: true, outage: 'confirmed' }), [], 'of a bank that is away nobody knows')
	assert.match(troublesOf({ ...heard, silentBoards: ['bus-a/1'], unknown: 15 })[0]?.text ?? '', /15 doors cannot be seen.*board bus-a\/1/)
})

test('the overview counts tasks, doors without one, banks that are away and parts that are silent', () => {
	const counts = { tasks: 1, doors: 2, cases: 0, overdueLoans: 0, conflicts: 0, doorsToday: 0, settledAtBanks: 0 }
	assert.equal(needing({ approvals: [], counts, banks: [heard, { ...heard, outage: 'confirmed' }, { ...heard, silentBoards: ['a/1', 'a/2'] }] }), 5)
	assert.equal(standing({ door: 4, bankName: 'Lobby', alarm: 'forced', open: true }).title, 'Door 4, Lobby was forced and stands open')
	assert.equal(standing({ door: 4, bankName: 'Lobby', alarm: 'stuck', open: false }).title, 'Door 4, Lobby is stuck')
})

test('each state that a loan or a delivery can be in has words and a step', () => {
	for (const [workflow, table] of [
		['loan', loanTable(LOAN_DEFAULTS)],
		['delivery', deliveryTable(DELIVERY_DEFAULTS)],
	] as const) {
		const states = statesOf(table)
		for (const state of [...states.case, ...states.line]) assert.doesNotMatch(caseState(state)[0], /-/, state)
		const stepped = new Set(STEPS[workflow]?.flatMap(([, of]) => of))
		for (const state of states.case) assert.ok(stepped.has(state), `${workflow} ${state} has no step`)
	}
})

test('an event without words of its own says its name in plain words', () => {
	assert.equal(bareType('lockers.door-session.opened.v1'), 'door-session.opened')
	assert.equal(eventWords('lockers.door-session.opened.v1'), 'Door opened')
	assert.equal(eventWords('lockers.policy.rolled-back.v1'), 'Policy rolled back')
})

test('facts of an event are words, and an id stays whole so that a name can be found for it', () => {
	assert.deepEqual(eventFacts({ number: 'DL-00001', from: 'ordered', to: 'ready', reason: 'sender-asks', lines: 2 }), [
		['DL-00001'],
		['ordered', '→', 'ready'],
		['sender asks'],
	])
	const [from, to, compartment] = ['bnk', 'sub', 'cmp'].map((kind) => `${kind}_01a21698-80ae-7d70-8a1b-0123456789ab`)
	assert.deepEqual(eventFacts({ from, to, compartment }), [[{ id: compartment }], [{ id: from }, '→', { id: to }]])
	assert.deepEqual(eventFacts({ from: 'sender', to: from }), [['sender', '→', { id: from }]])
	assert.deepEqual(eventFacts({ kind: 'pick-up', to }), [[{ id: to }], ['pick up']])
})

test('each reason and way that the API takes can be chosen in words, and no other', () => {
	const codes = (pairs: readonly (readonly [string, string])[]) => pairs.map(([code]) => code).sort()
	assert.deepEqual(codes(opening.reasons), [...OPEN_REASONS].sort())
	assert.deepEqual(Object.keys(afar.reasons).sort(), [...OPEN_REASONS].sort())
	assert.deepEqual(codes(outOfUse.reasons), [...OUT_REASONS].sort())
	assert.deepEqual(codes(caseRoom.recallReasons), [...RECALL_REASONS].sort())
	assert.deepEqual(codes(completion.ways), [...TASK_WAYS].sort())
})
