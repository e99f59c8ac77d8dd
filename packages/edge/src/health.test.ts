import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import type { Problem } from './health.ts'
import { createStage, type Stage } from './testing/stage.ts'

const problems = (stage: Stage) => stage.controller().health().problems
const DAY = 86_400_000

/** What happens to a bank where all is well, and what its health then says. */
const TROUBLES: Readonly<Record<string, { befall: (stage: Stage) => unknown; says: readonly Problem[] }>> = {
	'a door is forced': { befall: (stage) => stage.cabinet.setDoor(2, 'open'), says: ['door-forced', 'door-open', 'door-held'] },
	'a forced door was pushed shut': {
		befall: async (stage) => {
			stage.cabinet.setDoor(2, 'open')
			await stage.until('the alarm', () => stage.types().includes('door.forced'))
			stage.cabinet.setDoor(2, 'closed')
		},
		says: ['door-forced', 'door-held'],
	},
	'a door is left open': {
		befall: async (stage) => {
			stage.badge('ana')
			stage.choose('borrow:loan-laptop')
			await stage.shows('open')
			await stage.clock.advance(400_000)
		},
		says: ['door-left-open'],
	},
	'a board goes down': {
		befall: (stage) =>
			stage.controller().bank.sensed('bus-a', { mono: stage.clock.mono(), source: 'poll', fact: { kind: 'board-down', bus: 'bus-a', board: 0 } }),
		says: ['board-lost'],
	},
	'a reader is lost': {
		befall: (stage) => stage.controller().readers.event({ kind: 'reader-down' }, sampleId('reader', 'one')),
		says: ['reader-lost'],
	},
	'the clock is set back': { befall: (stage) => stage.clock.stepWall(-2 * DAY), says: ['clock-uncertain'] },
	'the bundle expires': { befall: (stage) => stage.writeBundle({ version: 8, expiresAt: stage.clock.now() }), says: ['bundle-expired'] },
	'the lease expires': {
		befall: (stage) => stage.writeBundle({ version: 8, settings: { ...stage.bundle().settings, leaseRequired: true } }),
		says: ['lease-expired'],
	},
	'an older bundle is put in place': { befall: (stage) => stage.writeBundle({ version: 6 }), says: ['bundle-refused'] },
	'rubbish is put in place of the lease': {
		befall: (stage) => writeFileSync(join(stage.directory(), '../lease.json'), 'rubbish'),
		says: ['lease-refused'],
	},
}

async function staged(t: TestContext): Promise<Stage> {
	const stage = await createStage()
	t.after(stage.end)
	return stage
}

for (const [what, { befall, says }] of Object.entries(TROUBLES)) {
	test(`${what}: health is not ok and says ${says.join(', ')}`, async (t) => {
		const stage = await staged(t)
		assert.deepEqual([stage.controller().health().ok, problems(stage)], [true, []])
		await befall(stage)
		await stage.until(says.join(', '), () => JSON.stringify(problems(stage)) === JSON.stringify(says))
		assert.equal(stage.controller().health().ok, false)
	})
}

test('health counts the compartments whose sensors have not told', async (t) => {
	const stage = await staged(t)
	assert.equal(stage.controller().health().unseen, 0)
	stage.emulator.setFaults(0, { silent: true })
	await stage.until('the board is lost', () => problems(stage).includes('board-lost'))
	assert.equal(stage.controller().health().unseen, stage.bundle().bank.compartments.length)
})

test('a refused document is told with its fault code and the exact reason, until a good one lies there or none', async (t) => {
	const stage = await staged(t)
	const good = stage.bundle()
	stage.writeBundle({ version: 6 })
	await stage.clock.advance(2_000)
	assert.deepEqual(stage.controller().health().refused, {
		what: 'bundle',
		code: 'bundle-rollback',
		why: 'bundle-rollback',
		text: 'Bundle 6 is older than 7, which was accepted before.',
	})
	stage.writeBundle({ version: 5 })
	await stage.clock.advance(2_000)
	assert.match(stage.controller().health().refused?.text ?? '', /Bundle 5/)
	assert.equal(stage.types().filter((type) => type === 'bundle.refused').length, 1, 'on record once')
	writeFileSync(join(stage.directory(), '../bundle.json'), 'rubbish')
	await stage.clock.advance(2_000)
	const { code, why } = stage.controller().health().refused ?? {}
	assert.deepEqual([code, why], ['bundle-invalid', 'bundle-malformed'])
	rmSync(join(stage.directory(), '../bundle.json'))
	await stage.clock.advance(2_000)
	assert.equal(stage.controller().health().refused, null)
	stage.writeBundle({ version: 6 })
	await stage.clock.advance(2_000)
	stage.writeBundle(good)
	await stage.clock.advance(2_000)
	assert.deepEqual([stage.controller().health().refused, problems(stage)], [null, []])
})
