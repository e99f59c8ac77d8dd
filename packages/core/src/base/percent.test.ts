import assert from 'node:assert/strict'
import { test } from 'node:test'
import { percentOf } from './index.ts'

test('a chance is said with two digits and never as a power of ten', () => {
	assert.deepEqual([0, 0.00001, 0.0102, 0.03, 0.0123, 0.0994, 0.0996, 0.52, 0.9994, 1].map(percentOf), [
		'0 %',
		'below 0.01 %',
		'1.0 %',
		'3 %',
		'1.2 %',
		'9.9 %',
		'10 %',
		'52 %',
		'100 %',
		'100 %',
	])
})
