import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, seededRandom, toHex } from './index.ts'

test('hex goes both ways, whatever spaces stand between the bytes', () => {
	const bytes = Uint8Array.of(0x00, 0x0f, 0xf0, 0xff)
	assert.equal(toHex(bytes), '000ff0ff')
	assert.deepEqual(fromHex('00 0f\nF0_ff'), bytes)
	assert.deepEqual(fromHex(''), new Uint8Array(0))
})

test('seeded bytes repeat for a seed, differ for another, and cover all values', () => {
	const first = seededRandom(42)(4096)
	assert.deepEqual(seededRandom(42)(4096), first)
	assert.notDeepEqual(seededRandom(43)(4096), first)
	assert.equal(new Set(first).size, 256)
})
