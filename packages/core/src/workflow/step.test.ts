import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Case, type Env, type Facts, type Input, newCase, type Refused, type Stepped } from './case.ts'
import { loadTable } from './load.ts'
import { loanTable } from './loan.ts'
import { offers, step } from './step.ts'
import type { Evidence, LoadedTable, Role, Table } from './table.ts'

/** What the loan does not use: links between cases, a spare that comes back first, several bags, unknown items, full banks. */
const load = (table: Table): LoadedTable => {
	const read = loadTable(JSON.parse(JSON.stringify(table)), (b) => createHash('sha256').update(b).digest())
	return 'table' in read ? read.table : assert.fail(read.problems.join('\n'))
}

const REPAIR = load({
	name: 'repair',
	version: 1,
	line: {
		start: 'broken',
		end: ['fetched', 'swapped'],
		held: ['inside', 'staged'],
		moves: [
			{
				from: 'broken',
				on: { act: 'deposit', by: ['user'], guards: ['capacity'], evidence: 2 },
				to: 'inside',
				do: [['custody', 'bank'], 'ticket', ['open-link', 'spare']],
			},
			{ from: 'inside', on: { act: 'collect', by: ['staff'] }, to: 'in-repair', do: [['custody', 'actor'], 'free'] },
			{ from: 'in-repair', on: { act: 'deposit', by: ['staff'], guards: ['item-matches'] }, to: 'staged', do: [['custody', 'bank'], 'issue-code'] },
			{
				from: 'staged',
				on: { act: 'collect', by: ['user'], guards: ['owner', 'spare-returned'] },
				to: 'fetched',
				do: [['custody', 'owner'], 'free', 'revoke-code'],
			},
			{ from: 'in-repair', on: { link: 'spare', became: 'kept' }, to: 'swapped' },
		],
	},
	case: {
		start: 'open',
		end: ['closed'],
		moves: [
			{ from: 'open', on: { link: 'spare', became: 'overdue' }, to: 'chasing', do: ['notify'] },
			{ from: ['open', 'chasing'], on: { lines: 'all', in: ['fetched', 'swapped'] }, to: 'closed', do: [['settle-link', 'spare']] },
		],
	},
	links: { spare: { workflow: 'loan', cardinality: '0..1' } },
})

const DELIVERY = load({
	name: 'delivery',
	version: 1,
	line: {
		start: 'booked',
		end: ['collected', 'not-delivered'],
		held: ['inside'],
		moves: [
			{ from: 'booked', on: { act: 'deposit', by: ['courier'], guards: ['capacity'] }, to: 'inside', do: [['custody', 'bank']] },
			{ from: 'booked', on: { request: 'leave-out', by: ['courier'] }, to: 'not-delivered' },
			{
				from: 'inside',
				on: { act: 'collect', by: ['user'], guards: ['owner', 'not-recalled'] },
				to: 'collected',
				do: [['custody', 'owner'], 'free'],
			},
		],
	},
	case: {
		start: 'expected',
		end: ['collected'],
		moves: [
			{ from: 'expected', on: { lines: 'none-left', in: ['booked'] }, to: 'ready', do: ['issue-code', ['notify', 'ready']] },
			{ from: ['ready', 'partial'], on: { lines: 'none-left', in: ['inside'] }, to: 'collected', do: ['revoke-code'] },
			{ from: 'ready', on: { lines: 'any', in: ['collected'] }, to: 'partial', do: [['notify', 'partial']] },
		],
	},
})

const FACTS: Facts = { entitled: true, stock: 1, freeCompartments: 1, recalled: false, spareReturned: true }
const env = (facts: Partial<Facts> = {}): Env => ({ now: Date.UTC(2026, 0, 5), bank: 'bank', facts: { ...FACTS, ...facts } })
const act = (
	kind: 'deposit' | 'collect',
	by: Role,
	subject: string,
	more: { line?: string; at?: string; item?: string; evidence?: Evidence } = {},
): Input => ({
	kind: 'act',
	act: kind,
	line: more.line ?? 'line',
	by,
	subject,
	evidence: more.evidence ?? 3,
	compartment: more.at ?? 'A1',
	...(more.item === undefined ? {} : { item: more.item }),
})
const go = (answer: Stepped | Refused): Stepped => ('refused' in answer ? assert.fail(answer.text) : answer)
const refusal = (answer: Stepped | Refused) => ('refused' in answer ? answer.refused : `accepted ${answer.case.state}`)
const run = (table: LoadedTable, of: Case, ...inputs: Input[]): Case => inputs.reduce((c, input) => go(step(table, c, input, env())).case, of)
const names = (done: Stepped) => done.effects.map((e) => ('about' in e && e.about !== undefined ? `${e.effect} ${e.about}` : e.effect))

const broken = (owner: string | undefined = 'ann') =>
	newCase(REPAIR, {
		id: 'repair',
		...(owner === '' ? {} : { owner }),
		lines: [{ id: 'line', custodian: 'ann' }],
		links: [{ name: 'spare', caseId: 'loan', state: 'on-loan' }],
	})

test('an unknown device is known by what was put in, and goes through the hands of whoever acts', () => {
	const inside = go(step(REPAIR, broken(), act('deposit', 'user', 'ann', { item: 'laptop' }), env()))
	assert.deepEqual(inside.case.lines[0], { id: 'line', state: 'inside', custodian: 'bank', evidence: 3, asset: 'laptop', compartment: 'A1' })
	assert.deepEqual(names(inside), ['custody', 'ticket', 'open-link spare'])
	const away = run(REPAIR, inside.case, act('collect', 'staff', 'tom'))
	assert.deepEqual([away.lines[0]?.custodian, away.lines[0]?.compartment], ['tom', undefined])
	assert.equal(refusal(step(REPAIR, away, act('deposit', 'staff', 'tom', { item: 'other' }), env())), 'item-mismatch')
})

test('the own device comes out after the spare went in', () => {
	const staged = run(REPAIR, broken(), act('deposit', 'user', 'ann'), act('collect', 'staff', 'tom'), act('deposit', 'staff', 'tom', { at: 'B2' }))
	const fetch = act('collect', 'user', 'ann', { at: 'B2' })
	assert.equal(refusal(step(REPAIR, staged, fetch, env({ spareReturned: false }))), 'spare-not-returned')
	const done = go(step(REPAIR, staged, fetch, env()))
	assert.equal(done.case.state, 'closed')
	assert.deepEqual(names(done), ['custody', 'free', 'revoke-code', 'settle-link spare'])
})

test('a full bank refuses a deposit before the door opens', () => {
	assert.equal(refusal(step(REPAIR, broken(), act('deposit', 'user', 'ann'), env({ freeCompartments: 0 }))), 'bank-full')
	const offered = offers(REPAIR, broken(), { by: 'user', subject: 'ann' }, env({ freeCompartments: 0 }))
	assert.deepEqual(offered, [{ line: 'line', act: 'deposit', evidence: 0, refused: 'bank-full' }])
})

test('a link follows the other case and may move line, case, or nothing', () => {
	const link = (became: string, caseId = 'loan'): Input => ({ kind: 'link', name: 'spare', caseId, became })
	const chased = go(step(REPAIR, broken(), link('overdue'), env()))
	assert.deepEqual([chased.case.state, chased.case.links[0]?.state], ['chasing', 'overdue'])
	const quiet = go(step(REPAIR, broken(), link('due-soon'), env()))
	assert.deepEqual([quiet.case.state, quiet.case.version, quiet.moves], ['open', 2, []])
	assert.equal(quiet.case.links[0]?.state, 'due-soon')
	const away = run(REPAIR, broken(), act('deposit', 'user', 'ann'), act('collect', 'staff', 'tom'))
	const swapped = go(step(REPAIR, away, link('kept'), env()))
	assert.deepEqual(
		swapped.moves.map((m) => [m.line, m.from, m.to]),
		[
			['line', 'in-repair', 'swapped'],
			[undefined, 'open', 'closed'],
		],
	)
	assert.equal(refusal(step(REPAIR, broken(), link('overdue', 'other'), env())), 'unknown-link')
})

test('three bags, one left out, collected one after the other', () => {
	const lines = ['a', 'b', 'c'].map((id) => ({ id, custodian: 'van' }))
	const bags = newCase(DELIVERY, { id: 'delivery', owner: 'ann', lines })
	const two = run(
		DELIVERY,
		bags,
		act('deposit', 'courier', 'van', { line: 'a', at: 'A1' }),
		act('deposit', 'courier', 'van', { line: 'b', at: 'A2' }),
	)
	assert.equal(two.state, 'expected')
	const ready = go(step(DELIVERY, two, { kind: 'request', name: 'leave-out', by: 'courier', subject: 'van', line: 'c' }, env()))
	assert.deepEqual([ready.case.state, names(ready)], ['ready', ['issue-code', 'notify ready']])
	const first = go(step(DELIVERY, ready.case, act('collect', 'user', 'ann', { line: 'b', at: 'A2' }), env()))
	assert.equal(first.case.state, 'partial')
	assert.equal(refusal(step(DELIVERY, first.case, act('collect', 'user', 'ann', { line: 'a' }), env({ recalled: true }))), 'recalled')
	const last = go(step(DELIVERY, first.case, act('collect', 'user', 'ann', { line: 'a' }), env()))
	assert.deepEqual([last.case.state, last.case.lines.map((l) => l.custodian)], ['collected', ['ann', 'ann', 'van']])
})

test('a request for every line moves those that hear it; for one line only that one', () => {
	const bags = newCase(DELIVERY, { id: 'delivery', owner: 'ann', lines: ['a', 'b'].map((id) => ({ id, custodian: 'van' })) })
	const none = go(step(DELIVERY, bags, { kind: 'request', name: 'leave-out', by: 'courier' }, env()))
	assert.deepEqual([none.case.state, none.case.requests], ['collected', { 'leave-out': 1 }])
	assert.deepEqual(
		none.moves.map((m) => `${m.line ?? 'case'} ${m.to}`),
		['a not-delivered', 'b not-delivered', 'case ready', 'case collected'],
	)
	assert.equal(refusal(step(DELIVERY, bags, { kind: 'request', name: 'leave-out', by: 'courier', line: 'z' }, env())), 'unknown-line')
	// The case hears only what is asked of the case.
	const loan = load(loanTable())
	const asked = newCase(loan, { id: 'loan', owner: 'ann', lines: [{ id: 'line', custodian: 'bank' }] })
	const approve: Input = { kind: 'request', name: 'approve', by: 'staff', subject: 'sam' }
	assert.equal(go(step(loan, asked, approve, env())).case.state, 'eligible')
	assert.equal(refusal(step(loan, asked, { ...approve, line: 'line' }, env())), 'not-possible')
})

test('a case is stepped only with the table it began with', () => {
	assert.equal(refusal(step(DELIVERY, broken(), act('deposit', 'courier', 'van'), env())), 'wrong-table')
	const older = { ...broken(), tableHash: 'f'.repeat(64) }
	assert.equal(refusal(step(REPAIR, older, act('deposit', 'user', 'ann'), env())), 'wrong-table')
	assert.deepEqual(offers(REPAIR, older, { by: 'user', subject: 'ann' }, env()), [])
})

test('custody passes to nobody: a case without an owner is refused, not broken', () => {
	const loan = load(loanTable())
	const of = newCase(loan, { id: 'loan', lines: [{ id: 'line', compartment: 'A1', custodian: 'bank' }] })
	const doubtful = [
		{ kind: 'request', name: 'allot', by: 'system' } as const,
		{ kind: 'outcome', outcome: 'ambiguous', line: 'line', compartment: 'A1' } as const,
	]
	const settle: Input = { kind: 'request', name: 'confirm-taken', by: 'staff', subject: 'sam' }
	assert.equal(refusal(step(loan, run(loan, of, ...doubtful), settle, env())), 'nobody-to-hold')
})

test('what a person is offered: the acts of the present state, with the evidence asked or the reason against', () => {
	const staged = run(REPAIR, broken(), act('deposit', 'user', 'ann'), act('collect', 'staff', 'tom'), act('deposit', 'staff', 'tom', { at: 'B2' }))
	const offer = (by: Role, subject: string, facts: Partial<Facts> = {}) => offers(REPAIR, staged, { by, subject }, env(facts))
	assert.deepEqual(offer('user', 'ann'), [{ line: 'line', act: 'collect', evidence: 0 }])
	assert.deepEqual(offer('user', 'bob'), [{ line: 'line', act: 'collect', evidence: 0, refused: 'not-authorised' }])
	assert.deepEqual(offer('staff', 'tom'), [{ line: 'line', act: 'collect', evidence: 0, refused: 'not-authorised' }])
	assert.deepEqual(offer('user', 'ann', { spareReturned: false }), [{ line: 'line', act: 'collect', evidence: 0, refused: 'spare-not-returned' }])
	assert.deepEqual(offers(REPAIR, broken(), { by: 'user', subject: 'ann' }, env()), [{ line: 'line', act: 'deposit', evidence: 2 }])
})
