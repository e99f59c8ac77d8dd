import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LineKind } from './bench.ts'
import { gaps, uncontrolled } from './list.ts'

const ALL: readonly LineKind[] = ['memory', 'pty', 'tcp']
const whole = Array.from({ length: 23 }, (_, i) => ({ item: i + 1, lines: ALL }))
const reasons = { notApplicable: { 24: 'no peer' }, memoryOnly: {} }

test('a list with a check or a reason for each item is whole', () => {
	assert.deepEqual(gaps(whole, reasons), [])
	const inMemory = whole.map((check) => (check.item === 1 ? { ...check, lines: ['memory'] as const } : check))
	assert.deepEqual(gaps(inMemory, { ...reasons, memoryOnly: { 1: 'bytes alone' } }), [])
})

test('each gap is named: no check, no reason, a line that is never tried, a reason that is not true', () => {
	assert.deepEqual(gaps(whole.slice(1), reasons), ['item 1 has neither a check nor a reason'])
	assert.deepEqual(gaps(whole, { ...reasons, notApplicable: {} }), ['item 24 has neither a check nor a reason'])
	assert.deepEqual(gaps(whole, { ...reasons, notApplicable: { 24: 'no peer', 3: 'none' } }), ['item 3 has checks and a reason to have none'])
	const noPty = whole.map((check) => (check.item === 9 ? { ...check, lines: ['memory', 'tcp'] as const } : check))
	assert.deepEqual(gaps(noPty, reasons), ['item 9 is never tried over pty'])
	assert.deepEqual(gaps(noPty, { ...reasons, memoryOnly: { 9: 'time' } }), ['item 9 is tried on real lines and says why not'])
})

test('an item without a planted bug is named, unless somebody wrote why there is none', () => {
	const controlled = whole.map(({ item }) => item).filter((item) => item !== 5)
	assert.deepEqual(uncontrolled(whole, controlled), [5])
	assert.deepEqual(uncontrolled(whole, controlled, { 5: 'nothing can be silent here' }), [])
})
