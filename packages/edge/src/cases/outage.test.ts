import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Case } from '@latchwork/core/workflow'
import { createStage, type Stage } from '../testing/stage.ts'

const HOUR = 3_600_000

async function borrowed(t: TestContext): Promise<{ stage: Stage; due: number }> {
	const stage = await createStage()
	t.after(stage.end)
	await stage.borrow()
	return { stage, due: loan(stage).deadlines.due ?? assert.fail('no due time') }
}
const loan = (stage: Stage) => [...stage.controller().journal.facts<Case>('case').values()][0] ?? assert.fail('no case')
const outages = (stage: Stage) => stage.events().filter(({ type }) => type === 'controller.power-restored')

test('a loan that came due while the bank was down is due later by as long, once, and is not overdue; another start moves nothing', async (t) => {
	const { stage, due } = await borrowed(t)
	const down = due - stage.clock.now() + HOUR
	stage.crash()
	await stage.clock.advance(down)
	await stage.start()
	const [outage] = outages(stage)
	const { from, to } = (outage?.data ?? {}) as { from: number; to: number }
	assert.ok(to - from >= down && to - from <= down + 60_000, 'as long as it was down, to the minute')
	assert.equal(loan(stage).deadlines.due, due + (to - from))
	assert.equal(loan(stage).state, 'on-loan')
	stage.crash()
	await stage.start()
	assert.equal(loan(stage).deadlines.due, due + (to - from))
	assert.equal(outages(stage).length, 1)
})

test('a stop too short to be an outage moves nothing, and no more does time in which the bank ran', async (t) => {
	const { stage, due } = await borrowed(t)
	await stage.clock.advance(30 * 60_000)
	stage.crash()
	await stage.clock.advance(8 * 60_000)
	await stage.start()
	assert.deepEqual([outages(stage).length, loan(stage).deadlines.due], [0, due])
})

test('a bank that does not know the time waits until it does, and counts only until it served again', async (t) => {
	const { stage, due } = await borrowed(t)
	stage.crash()
	await stage.clock.advance(2 * HOUR)
	stage.clock.stepWall(-100 * HOUR)
	await stage.start()
	await stage.clock.advance(HOUR)
	assert.deepEqual([outages(stage).length, loan(stage).deadlines.due], [0, due])
	stage.clock.stepWall(100 * HOUR)
	stage.writeLease({ issuedAt: stage.clock.now(), until: stage.clock.now() + HOUR })
	await stage.clock.advance(61_000)
	const { from, to } = (outages(stage)[0]?.data ?? {}) as { from: number; to: number }
	assert.ok(to - from >= 2 * HOUR && to - from <= 2 * HOUR + 60_000, `${to - from}`)
	assert.equal(loan(stage).deadlines.due, due + (to - from))
})
