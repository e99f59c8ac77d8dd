import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, newBank, newCompartment, type Step, step } from './index.ts'

const A = 'cmp_a' as const
const unstocked: Content = { kind: 'unknown', unstocked: true }

function stocked(before: Content, says: Content, why?: string): Step {
	const bank = newBank([newCompartment(A, { door: true, presence: true, acks: true }, before)])
	return step(bank, { kind: 'stocked', contents: [{ compartment: A, content: says, ...(why && { why }) }], at: 1, mono: 1 })
}

test('what the first bundle says lies in a compartment is taken on once, and recorded', () => {
	const item: Content = { kind: 'item', item: 'ast_laptop' }
	for (const [says, type] of [
		[item, 'compartment.occupied'],
		[{ kind: 'empty' }, 'compartment.emptied'],
	] as const) {
		const s = stocked(unstocked, says)
		assert.deepEqual(s.bank.compartments[A]?.content, says)
		assert.deepEqual(s.touched, [A])
		assert.deepEqual(
			s.events.map((e) => e.type),
			[type],
		)
	}
})

test('it never replaces what is known, nor a doubt that came up meanwhile', () => {
	for (const before of [
		{ kind: 'empty' },
		{ kind: 'item', item: 'ast_other' },
		{ kind: 'unknown' },
		{ kind: 'unknown', last: 'ast_other' },
	] as const) {
		const s = stocked(before, { kind: 'item', item: 'ast_laptop' })
		assert.deepEqual(s.bank.compartments[A]?.content, before)
		assert.deepEqual([s.touched, s.events], [[], []])
	}
})

test('a bundle that is not believed leaves the compartment to a person, with the reason', () => {
	assert.equal(stocked(unstocked, { kind: 'unknown' }, 'history-lost').bank.compartments[A]?.hold?.why, 'history-lost')
	const s = stocked(unstocked, { kind: 'unknown' })
	assert.deepEqual(s.bank.compartments[A]?.hold, { kind: 'pending-inspection', why: 'item-elsewhere' })
	assert.deepEqual(s.bank.compartments[A]?.content, { kind: 'unknown' })
	assert.deepEqual(
		s.events.map((e) => e.type),
		['compartment.pending-inspection', 'task.created'],
	)
})

test('what is known is replaced only by a recount, never while somebody is at the door', () => {
	const known = newBank([newCompartment(A, { door: true, presence: true, acks: true }, { kind: 'item', item: 'ast_laptop' })])
	const settle = (recount: boolean) =>
		step(known, { kind: 'settle', compartment: A, by: 'staff', content: { kind: 'empty' }, recount, at: 1, mono: 1 })
	assert.deepEqual([settle(false).touched, settle(false).events], [[], []])
	assert.deepEqual(settle(true).bank.compartments[A]?.content, { kind: 'empty' })
	assert.deepEqual(
		settle(true).events.map(({ type, data }) => [type, data.was]),
		[['compartment.returned-to-service', 'in-service']],
	)
})
