import assert from 'node:assert/strict'
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { createStage } from '../testing/stage.ts'

test('refusals on a full disk spend nothing of what is held back for returns, however many there are', async () => {
	let db: DatabaseSync | undefined
	const stage = await createStage({
		tune: (of) => {
			db = of
		},
	})
	const pages = () => Number(Object.values(db?.prepare('PRAGMA page_count').get() ?? {})[0])
	const refusals = () => stage.types().filter((t) => t === 'decision.denied').length
	const rubbish = () => {
		stage.scan('rubbish')
		assert.equal(stage.screen().name, 'denied')
	}
	try {
		await stage.borrow()
		db?.exec(`PRAGMA max_page_count=${pages()}`)
		let recorded = -1
		for (let i = 0; i < 400 && recorded !== refusals(); i++) {
			recorded = refusals()
			rubbish()
		}
		assert.equal(recorded, refusals(), 'the disk is full')
		assert.equal(stage.controller().journal.storage(), 'good', 'and the reserve is not touched')
		// A record that matters gives it up; the room that this makes is not for refusals either.
		const large = { kind: 'test', key: 'large', body: 'x'.repeat(100_000) }
		assert.throws(
			() => stage.controller().journal.commit({ events: [], put: [large], essential: true }),
			(fault) => isFault(fault, 'journal-full'),
		)
		assert.equal(stage.controller().journal.storage(), 'low')
		db?.exec('PRAGMA max_page_count=1000000')
		rubbish()
		const kept = refusals()
		rubbish()
		assert.equal(refusals(), kept)
		await stage.clock.advance(31_000)
		assert.equal(stage.controller().journal.storage(), 'good')
		rubbish()
		assert.equal(refusals(), kept + 1)
	} finally {
		stage.end()
	}
})

test('a disk that cannot be asked how full it is ends nothing: loans wait until it answers again', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	const here = stage.directory()
	assert.equal(stage.controller().journal.storage(), 'good')
	renameSync(here, `${here}-away`)
	await stage.clock.advance(31_000)
	assert.equal(stage.controller().journal.storage(), 'low')
	renameSync(`${here}-away`, here)
	await stage.clock.advance(31_000)
	assert.equal(stage.controller().journal.storage(), 'good')
	assert.ok(existsSync(join(here, 'reserve.bin')))
	assert.deepEqual(
		stage.types().filter((type) => type.startsWith('controller.storage')),
		['controller.storage-low', 'controller.storage-good'],
	)
})
