import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SamplePerson, sampleBundle } from '@latchwork/core/access/testing'
import { nodeCrypto } from '../keys.ts'
import { createStage, type Stage } from '../testing/stage.ts'

const HOUR = 3_600_000
const BORROW = 'borrow:loan-laptop'

/** The bank sleeps, as a night is no time for a test to wait. */
async function later(stage: Stage, hours: number): Promise<void> {
	stage.stop()
	stage.clock.stepWall(hours * HOUR)
	await stage.start()
}

const pulses = (stage: Stage) => [0, 1, 2, 3].reduce((sum, index) => sum + stage.cabinet.pulses(index), 0)

const borrowingBy = (stage: Stage, person: SamplePerson) => {
	stage.badge(person)
	const screen = stage.screen()
	return screen.name === 'choose' ? screen.choices.find((c) => c.id === BORROW)?.denied : screen.name
}

test('the library closes at 18:00: nothing is lent then, the screen says from when on it is, a return works, and in the morning all is open', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	await stage.borrow() // Monday 10:00 in Berlin
	await later(stage, 9)
	await stage.bringBack()

	const before = pulses(stage)
	assert.equal(borrowingBy(stage, 'ana'), 'outside-hours')
	stage.choose(BORROW)
	assert.deepEqual(stage.screen(), { name: 'denied', reason: 'outside-hours', until: Date.UTC(2026, 0, 6, 7) }, 'Tuesday 8:00 in Berlin')
	const record = stage.events().findLast((e) => e.type === 'decision.denied')
	assert.deepEqual([record?.data.reason, record?.data.rules], ['outside-hours', ['school/opening-hours']])
	await stage.clock.advance(2_000)
	assert.equal(pulses(stage), before, 'no door')
	stage.act({ kind: 'finish' })

	assert.equal(borrowingBy(stage, 'dia'), undefined, 'technicians may at any hour')
	stage.act({ kind: 'finish' })

	await later(stage, 13)
	assert.equal(borrowingBy(stage, 'ana'), undefined)
	stage.act({ kind: 'finish' })
	assert.ok((await stage.borrow()) > 0)
})

test('a rule that closes over lunch says no time: the opening hours run, so nobody knows when it ends', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	await later(stage, 4 * 24 + 1.5) // Friday 11:30
	await stage.clock.advance(1_000)
	assert.equal(borrowingBy(stage, 'ana'), undefined)
	stage.act({ kind: 'finish' })
	await later(stage, 0.6) // 12:06
	assert.equal(borrowingBy(stage, 'ana'), 'outside-hours')
	stage.choose(BORROW)
	assert.deepEqual(stage.screen(), { name: 'denied', reason: 'outside-hours' })
})

test('on a holiday nothing is lent, a return works, and the screen says when the bank opens after it', async (t) => {
	const { policies } = sampleBundle(nodeCrypto)
	const schedules = policies.schedules.map((s) => (s.id === 'opening' ? { ...s, closed: [{ from: '2026-01-06', to: '2026-01-07' }] } : s))
	const stage = await createStage({ bundle: { policies: { ...policies, schedules } } })
	t.after(stage.end)
	await stage.borrow()
	await later(stage, 24)
	await stage.bringBack()
	assert.equal(borrowingBy(stage, 'ana'), 'outside-hours')
	stage.choose(BORROW)
	assert.deepEqual(stage.screen(), { name: 'denied', reason: 'outside-hours', until: Date.UTC(2026, 0, 8, 7) }, 'Thursday 8:00 in Berlin')
})

test('a door that people took out of service gives nothing and takes nothing; what lies there is found again when it is back', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	const compartments = stage.bundle().bank.compartments
	const without = (...numbers: number[]) =>
		stage.writeBundle({
			version: stage.bundle().version + 1,
			bank: { ...stage.bundle().bank, compartments: compartments.map((c) => (numbers.includes(c.number) ? { ...c, outOfService: true } : c)) },
		})
	without(1)
	await stage.clock.advance(2_000)
	assert.equal(borrowingBy(stage, 'ana'), 'nothing-available')
	stage.act({ kind: 'back' })
	without()
	await stage.clock.advance(2_000)
	assert.equal(await stage.borrow(), 1)
	without(1, 2, 3)
	await stage.clock.advance(2_000)
	assert.equal(await stage.bringBack(), 4)
})
