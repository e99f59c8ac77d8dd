import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import { seededRandom } from '@latchwork/core/base'
import { createStage, type Stage } from '../testing/stage.ts'

const ROUNDS = 1_000
const BORROW = 'borrow:loan-laptop'

const pulses = (stage: Stage) => Array.from({ length: 16 }, (_, i) => stage.cabinet.pulses(i)).reduce((a, b) => a + b, 0)
const atReader = (stage: Stage, reader: 'one' | 'two', text: string) =>
	stage.controller().readers.event({ kind: 'scan', text }, sampleId('reader', reader))

/** The choice of whoever is at the screen, if there is one. */
function take(stage: Stage): void {
	const screen = stage.screen()
	if (screen.name === 'choose' && screen.choices.some(({ id, denied }) => id === BORROW && !denied)) stage.choose(BORROW)
}

test('T3: one code at two readers within 10 ms, 1,000 times, some with the plug pulled at once: one opening each, and none afterwards', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	const random = seededRandom(3)
	const draw = (below: number) => (random(1)[0] ?? 0) % below
	for (let round = 0; round < ROUNDS; round++) {
		const text = stage.code('ana', `code-round-${round}`)
		const before = pulses(stage)
		atReader(stage, 'one', text)
		// The door is chosen before, between or after, by whoever is quicker.
		if (draw(2) === 0) take(stage)
		await stage.clock.advance(draw(11))
		atReader(stage, 'two', text)
		take(stage)
		if (round % 100 === 99) {
			stage.crash()
			await stage.start()
			atReader(stage, 'two', text)
			take(stage)
		}
		await stage.until('the door is open', () => stage.cabinet.door(0) === 'open')
		atReader(stage, 'one', text)
		take(stage)
		stage.cabinet.setDoor(0, 'closed')
		await stage.until('the visit ends', () => stage.screen().name !== 'open' && stage.screen().name !== 'opening')
		if (stage.screen().name === 'no-change') stage.act({ kind: 'back' })
		for (const reader of ['two', 'one'] as const) {
			atReader(stage, reader, text)
			const screen = stage.screen()
			assert.equal(screen.name === 'denied' && screen.reason, 'code-used', JSON.stringify(screen))
		}
		await stage.clock.advance(2_000)
		assert.equal(pulses(stage) - before, 1, `round ${round}`)
		stage.act({ kind: 'finish' })
	}
	assert.equal(stage.types().filter((type) => type === 'credential.code-used').length, ROUNDS)
})
