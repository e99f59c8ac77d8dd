import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createStage, type Stage } from './testing/stage.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

async function staged(t: TestContext): Promise<Stage> {
	const stage = await createStage()
	t.after(stage.end)
	return stage
}

const clockEvents = (stage: Stage) => stage.types().filter((type) => type.startsWith('controller.clock'))
const now = (stage: Stage) => stage.controller().view().now
const uncertain = (stage: Stage) => stage.controller().view().notices.includes('clock-uncertain')

test('set back at run time: what was reached stays reached, it is said once, and set right it is said once more', async (t) => {
	const stage = await staged(t)
	const before = now(stage)
	stage.clock.stepWall(-2 * DAY)
	await stage.clock.advance(2_000)
	assert.ok(now(stage) >= before + 2_000)
	assert.ok(uncertain(stage))
	await stage.clock.advance(60_000)
	assert.deepEqual(clockEvents(stage), ['controller.clock-went-back'])
	stage.clock.stepWall(2 * DAY)
	await stage.clock.advance(2_000)
	assert.ok(!uncertain(stage))
	assert.deepEqual(clockEvents(stage), ['controller.clock-went-back', 'controller.clock-good'])
	const times = stage.events().map((e) => e.at)
	assert.deepEqual(
		times,
		times.toSorted((a, b) => a - b),
		'no record is older than the one before it',
	)
})

test('set back over a restart: an expired bundle stays expired, and the first record of the new run is not older than the last', async (t) => {
	const stage = await staged(t)
	await stage.clock.advance(1_000)
	const { expiresAt } = stage.bundle()
	stage.clock.stepWall(expiresAt - stage.clock.now() + 1_000)
	// Seen as certain only after a restart within the longest sleep that a clock is believed after.
	stage.crash()
	await stage.start()
	assert.equal(stage.controller().authority.state(), 'bundle-expired')
	const last = stage.events().at(-1)?.at ?? 0
	stage.crash()
	stage.clock.stepWall(-11 * DAY)
	await stage.start()
	assert.equal(stage.controller().authority.state(), 'bundle-expired')
	assert.ok(now(stage) >= last)
	assert.ok(uncertain(stage))
	assert.deepEqual(clockEvents(stage), ['controller.clock-went-back'])
	assert.equal(stage.events().findLast((e) => e.type === 'controller.started')?.clock, 'uncertain')
	stage.badge('ana')
	const screen = stage.screen()
	assert.equal(screen.name === 'choose' && screen.choices.find((c) => c.item?.name === 'laptop')?.denied, 'bundle-expired')
})

test('set far ahead at run time: uncertain, said once, and the jump is not kept when it is set right', async (t) => {
	const stage = await staged(t)
	const before = now(stage)
	stage.clock.stepWall(400 * DAY)
	await stage.clock.advance(2_000)
	assert.ok(uncertain(stage))
	assert.deepEqual(clockEvents(stage), ['controller.clock-jumped'])
	stage.clock.stepWall(-400 * DAY)
	await stage.clock.advance(2_000)
	assert.ok(!uncertain(stage))
	assert.ok(now(stage) < before + DAY, 'a wrong clock has not poisoned the time')
	assert.deepEqual(clockEvents(stage), ['controller.clock-jumped', 'controller.clock-good'])
})

/** The laptop is offered; else the reason. */
const offered = (stage: Stage) => {
	stage.badge('ana')
	const screen = stage.screen()
	const choice = screen.name === 'choose' ? screen.choices.find((c) => c.kind === 'borrow' && c.item?.name === 'laptop') : undefined
	stage.act({ kind: 'finish' })
	return choice && (choice.denied ?? 'offered')
}

for (const how of ['at the next start', 'while it runs'] as const) {
	test(`ten days fast at one start, used, and set right ${how}: the bank lends again, and it was said`, async (t) => {
		const stage = await staged(t)
		assert.equal(offered(stage), 'offered')
		stage.crash()
		stage.clock.stepWall(10 * DAY)
		await stage.start()
		assert.equal(offered(stage), 'bundle-expired')
		await stage.clock.advance(300_000)
		if (how === 'at the next start') stage.crash()
		stage.clock.stepWall(-10 * DAY)
		if (how === 'at the next start') await stage.start()
		await stage.clock.advance(1_000)
		assert.ok(!uncertain(stage))
		assert.equal(offered(stage), 'offered')
		assert.deepEqual(clockEvents(stage), ['controller.clock-went-back'])
		assert.equal(await stage.borrow(), 1)
	})
}

test('what was signed on the wrong day cannot be undone: a lease from then keeps an expired bundle expired, however the clock is set', async (t) => {
	const stage = await staged(t)
	stage.crash()
	stage.clock.stepWall(10 * DAY)
	await stage.start()
	stage.writeLease()
	await stage.clock.advance(2_000)
	for (const back of [5 * DAY, 4 * DAY, 400 * DAY]) {
		stage.crash()
		stage.clock.stepWall(-back)
		await stage.start()
		assert.equal(offered(stage), 'bundle-expired')
		assert.ok(uncertain(stage))
	}
})

test('a clock that moves during an open door ends it once: one pulse, one return, no deadline twice', async (t) => {
	const stage = await staged(t)
	stage.badge('ana')
	stage.choose('borrow:loan-laptop')
	await stage.until('it is open', () => stage.cabinet.door(0) === 'open')
	await stage.shows('open')
	stage.clock.stepWall(-3 * DAY)
	await stage.clock.advance(1_000)
	stage.cabinet.setItem(0, { present: false })
	await stage.clock.advance(1_000)
	stage.clock.stepWall(3 * DAY)
	stage.cabinet.setDoor(0, 'closed')
	await stage.shows('done')
	assert.equal(stage.cabinet.pulses(0), 1)
	const times = (type: string) => stage.types().filter((one) => one === type).length
	assert.equal(times('loan.started'), 1)
	stage.act({ kind: 'finish' })
	// It comes due while the bank serves: what it sleeps through is given back (X19).
	await stage.serves(14 * HOUR)
	await stage.start()
	assert.equal(times('loan.overdue'), 1)
	for (const sleep of [10 * HOUR, -DAY, DAY]) {
		stage.crash()
		stage.clock.stepWall(sleep)
		await stage.start()
		await stage.clock.advance(120_000)
		assert.equal(times('loan.overdue'), 1, `after ${sleep / HOUR} h`)
	}
})
