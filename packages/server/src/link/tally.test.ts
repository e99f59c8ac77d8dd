import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tally } from './tally.ts'

test('a flood of one kind is counted whole, told in part, and hides no other', () => {
	let now = 0
	const told: { what: string }[] = []
	const counts = tally(
		() => now,
		(incident: { what: string }) => incident.what,
		(incident) => told.push(incident),
	)
	for (let i = 0; i < 500; i++) counts.tell({ what: 'dropped-topic' })
	counts.tell({ what: 'taken-over' })
	assert.deepEqual(counts.counted(), { 'dropped-topic': 500, 'taken-over': 1 })
	assert.equal(told.length, 21)
	now = 1_000
	counts.tell({ what: 'dropped-topic' })
	assert.equal(told.length, 22)
})
