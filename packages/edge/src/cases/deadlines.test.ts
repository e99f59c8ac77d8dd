import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, virtualClock } from '@latchwork/core/base'
import type { Case } from '@latchwork/core/workflow'
import { createStage, type Stage } from '../testing/stage.ts'
import { trustedTime } from '../time.ts'

const DAY = 86_400_000
const states = (stage: Stage) => [...stage.controller().journal.facts<Case>('case').values()].map((c) => c.state)

test('a wall clock a year ahead moves no case and brings no new PIN day; set right, all goes on as if nothing had been', async () => {
	const stage = await createStage()
	try {
		await stage.borrow()
		stage.clock.stepWall(365 * DAY)
		await stage.clock.advance(61_000)
		assert.ok(stage.types().includes('controller.clock-jumped'))
		assert.deepEqual(states(stage), ['on-loan'])
		stage.pin('99999999')
		await stage.shows('pin')
		stage.clock.stepWall(-365 * DAY)
		await stage.clock.advance(61_000)
		assert.deepEqual(states(stage), ['on-loan'])
		assert.deepEqual(stage.controller().journal.fact<{ spent: number }>('budget', 'pin')?.spent, 1)
		await stage.serves(DAY)
		await stage.start()
		assert.deepEqual(states(stage), ['overdue'], 'time that really passes counts')
		stage.pin('99999999')
		const { day, spent } = stage.controller().journal.fact<{ day: string; spent: number }>('budget', 'pin') ?? {}
		assert.deepEqual([day, spent], ['2026-01-06', 1])
	} finally {
		stage.end()
	}
})

test('a virtual clock that is moved by days is certain: the monotonic time moves with it, so deadlines run', async () => {
	const real = fakeClock()
	let file = { turn: 0, offsetMs: 0 }
	const clock = virtualClock(
		real,
		() => file,
		() => {},
	)
	const events: string[] = []
	const time = trustedTime(clock, (e) => events.push(e.kind))
	const before = time.now()
	file = { turn: 1, offsetMs: 365 * DAY }
	await real.advance(20)
	assert.equal(time.now(), before + 365 * DAY + 20)
	assert.equal(time.uncertain(), false)
	assert.deepEqual(events, [])
	clock.stop()
})
