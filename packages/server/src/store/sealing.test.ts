import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, seededRandom } from '@latchwork/core/base'
import { sealingKey } from './index.ts'
import { SEAL_BYTES } from './sealing.ts'

const random = seededRandom(20261127)
const key = sealingKey(random(32), random)
const secret = new TextEncoder().encode('the private key of a tenant')
const invalid = (e: unknown) => isFault(e, 'sealed-unreadable')

test('what was sealed opens with the same key and the same context', () => {
	for (const bytes of [secret, new Uint8Array(0), random(100_000)]) assert.deepEqual(key.open(key.seal(bytes, 'a'), 'a'), bytes)
})

test('sealing the same twice gives different bytes, and none of the content', () => {
	const [one, two] = [key.seal(secret, 'a'), key.seal(secret, 'a')]
	assert.notDeepEqual(one, two)
	assert.equal(one.length, secret.length + SEAL_BYTES)
	assert.ok(!Buffer.from(one).includes(Buffer.from(secret).subarray(0, 8)))
})

test('every changed bit, every cut, another context and another key are refused; the untouched value opens', () => {
	const sealed = key.seal(secret, 'a')
	for (let bit = 0; bit < sealed.length * 8; bit++) {
		const changed = Uint8Array.from(sealed)
		changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
		assert.throws(() => key.open(changed, 'a'), invalid, `bit ${bit}`)
	}
	for (let length = 0; length < sealed.length; length++) assert.throws(() => key.open(sealed.subarray(0, length), 'a'), invalid, `${length} bytes`)
	for (const context of ['b', '', 'a ', 'A']) assert.throws(() => key.open(sealed, context), invalid, context)
	assert.throws(() => sealingKey(random(32), random).open(sealed, 'a'), invalid)
	assert.deepEqual(key.open(sealed, 'a'), secret)
})

test('a key of another length is refused at the door', () => {
	for (const length of [0, 16, 31, 33])
		assert.throws(
			() => sealingKey(random(length), random),
			(e) => isFault(e, 'config-invalid'),
		)
})
