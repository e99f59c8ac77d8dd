import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Case, type Input, newCase } from './case.ts'
import { check } from './check.ts'
import { GIVEN, ROWS } from './delivery.table.ts'
import { DELIVERY_DEFAULTS, type DeliverySettings, deliveryTable } from './delivery.ts'
import { step } from './step.ts'
import type { Role } from './table.ts'
import { behaviourOf, FACTS, MORNING } from './testing/behaviour.ts'

const { load, walk, untaken } = behaviourOf<DeliverySettings>({
	given: GIVEN,
	rows: ROWS,
	draft: (settings) => deliveryTable({ ...DELIVERY_DEFAULTS, ...settings }),
	start: (table) => newCase(table, { id: 'case', owner: 'ann', lines: [{ id: 'line', custodian: 'cor' }] }),
})

test('each row of the delivery table does what it says', async (t) => {
	assert.ok(ROWS.length >= 60)
	await walk(t)
	console.log(`delivery rows: ${ROWS.length}, of them ${ROWS.filter((row) => row.refused !== undefined).length} refusals`)
})

test('the rows take every line move of the table from every state it starts in', () => {
	assert.deepEqual(untaken(), [])
})

test('each setting gives a table that passes its check and has its own hash; reminders go out at half and at nine tenths of the window', () => {
	const day = deliveryTable({ ...DELIVERY_DEFAULTS, collectWithin: 'P1D' })
	assert.deepEqual(check(day), [])
	assert.deepEqual([day.deadlines?.reminder?.after, day.deadlines?.expiring?.after], ['collect-by-PT720M', 'collect-by-PT144M'])
	const hashes = [load(), load({ collectWithin: 'P1D' }), load({ evidence: { deposit: 2, collect: 2 } }), load({ hold: 'P1D' })].map((t) => t.hash)
	assert.equal(new Set(hashes).size, 4)
})

test('three bags of one order: ready when the last is in, one code for all, and what was left behind goes back', () => {
	const table = load()
	const bags = ['a', 'b', 'c']
	const on = (of: Case, input: Input, now = MORNING) => {
		const done = step(table, of, input, { now, bank: 'bank', facts: FACTS })
		assert.ok('case' in done, JSON.stringify(done))
		return done.case
	}
	const put = (of: Case, line: string) =>
		on(of, { kind: 'act', act: 'deposit', line, by: 'courier', subject: 'cor', evidence: 3, compartment: `A${line}` })
	const take = (of: Case, line: string, by: Role, subject: string) =>
		on(of, { kind: 'act', act: 'collect', line, by, subject, evidence: 3, compartment: `A${line}` })
	let of = newCase(table, { id: 'case', owner: 'ann', lines: bags.map((id) => ({ id, custodian: 'cor' })) })
	const states: string[] = []
	for (const bag of bags) {
		of = put(of, bag)
		states.push(of.state)
	}
	assert.deepEqual(states, ['arriving', 'arriving', 'ready'])
	of = take(of, 'a', 'user', 'ann')
	assert.equal(of.state, 'ready')
	of = on(of, { kind: 'deadline', name: 'collect-by' }, MORNING + 49 * 3_600_000)
	assert.deepEqual([of.state, of.lines.map((l) => l.state)], ['expired', ['collected', 'expired', 'expired']])
	of = take(take(of, 'b', 'staff', 'sam'), 'c', 'staff', 'sam')
	assert.deepEqual([of.state, of.lines.map((l) => l.custodian)], ['removed', ['ann', 'sam', 'sam']])
})
