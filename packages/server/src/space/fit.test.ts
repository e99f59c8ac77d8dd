import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fits, type Room, SIZES } from './fit.ts'

const room = (size: Room['size'], accessible = false): Room => ({ size, accessible })

test('a thing takes a compartment of its size or a larger one, and each compartment takes one thing', () => {
	assert.equal(fits([], []), true)
	assert.equal(fits([room('M')], [room('S')]), true)
	assert.equal(fits([room('S')], [room('M')]), false)
	assert.equal(fits([room('L')], [room('S'), room('S')]), false)
	assert.equal(fits([room('L'), room('S')], [room('S'), room('L')]), true)
})

test('whoever needs an accessible door gets one, and leaves the others for those who do not', () => {
	assert.equal(fits([room('L')], [room('S', true)]), false)
	assert.equal(fits([room('L', true), room('L')], [room('L'), room('S', true)]), true)
	assert.equal(fits([room('S', true), room('M', true)], [room('M'), room('S', true)]), true)
	assert.equal(fits([room('M', true), room('S')], [room('M'), room('S', true)]), false)
})

const rooms = fc.array(fc.record({ size: fc.constantFrom(...SIZES), accessible: fc.boolean() }), { maxLength: 6 })

/** Every assignment there is. */
function possible(free: readonly Room[], [first, ...rest]: readonly Room[]): boolean {
	if (!first) return true
	return free.some(
		(one, i) => SIZES.indexOf(one.size) >= SIZES.indexOf(first.size) && (one.accessible || !first.accessible) && possible(free.toSpliced(i, 1), rest),
	)
}

test('property: it finds room exactly where trying every assignment finds room', () => {
	const seen = { yes: 0, no: 0 }
	fc.assert(
		fc.property(rooms, fc.array(fc.record({ size: fc.constantFrom(...SIZES), accessible: fc.boolean() }), { maxLength: 4 }), (free, wanted) => {
			const answer = possible(free, wanted)
			seen[answer ? 'yes' : 'no']++
			assert.equal(fits(free, wanted), answer)
		}),
		{ numRuns: 2_000 },
	)
	assert.ok(seen.yes > 200 && seen.no > 200, JSON.stringify(seen))
})
