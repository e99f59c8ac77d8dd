import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createStage } from '../testing/stage.ts'
import { readJournal } from './read.ts'

/** Every file of a folder with its bytes and the moment of its last change. */
const picture = (directory: string) =>
	readdirSync(directory)
		.sort()
		.map((name) => {
			const path = join(directory, name)
			return [name, statSync(path).mtimeMs, createHash('sha256').update(readFileSync(path)).digest('hex')]
		})

test('a journal is read without a trace: after a crash with a full WAL, without its mark, and while its controller runs', async () => {
	const stage = await createStage()
	try {
		await stage.borrow()
		const live = readJournal(stage.directory())
		const events = stage.types().length
		assert.equal(live[0]?.lines.length, events)
		assert.equal(live[0]?.mark?.seq, events)

		stage.crash()
		const before = picture(stage.directory())
		assert.ok(before.some(([name]) => name === 'edge.db-wal'))
		assert.deepEqual(readJournal(stage.directory()), live)
		assert.deepEqual(picture(stage.directory()), before)

		rmSync(join(stage.directory(), 'edge.mark'))
		assert.equal(readJournal(stage.directory())[0]?.mark, undefined)
		assert.deepEqual(
			picture(stage.directory()).map(([name]) => name),
			['edge.db', 'edge.db-wal'],
			'no mark is made where none was',
		)
	} finally {
		stage.end()
	}
})
