import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStage } from './testing/stage.ts'

test('a loan and its return, one pulse each, and no timer is left when it stops', async () => {
	const stage = await createStage()
	try {
		assert.equal(await stage.borrow(), 1)
		const door = await stage.bringBack()
		assert.ok(door >= 1)
		assert.equal(stage.cabinet.pulses(0) + stage.cabinet.pulses(door - 1), door === 1 ? 4 : 2)
	} finally {
		stage.end()
	}
	assert.equal(stage.clock.pending(), 0)
})
