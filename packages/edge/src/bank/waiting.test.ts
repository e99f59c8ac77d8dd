import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { createStage, type Stage } from '../testing/stage.ts'

const health = (stage: Stage) => stage.controller().health()

/** Ana stands at the open door and has taken the laptop. */
async function atTheOpenDoor(stage: Stage): Promise<void> {
	stage.badge('ana')
	stage.choose('borrow:loan-laptop')
	await stage.shows('open')
	stage.cabinet.setItem(0, { present: false })
	await stage.until('the sensor sees it', () => {
		const screen = stage.screen()
		return screen.name === 'open' && screen.contentChanged
	})
}

test('another program holds the journal: what is said meanwhile waits, health says so, and all of it is recorded afterwards', async () => {
	const stage = await createStage()
	try {
		await atTheOpenDoor(stage)
		assert.deepEqual(health(stage).waiting, { count: 0, oldestMs: 0 })
		const other = new DatabaseSync(join(stage.directory(), 'edge.db'))
		try {
			other.exec('BEGIN IMMEDIATE')
			stage.act({ kind: 'wrong-item' })
			await stage.clock.advance(400)
			assert.deepEqual(health(stage).waiting, { count: 1, oldestMs: 400 })
			assert.deepEqual([health(stage).ok, health(stage).problems], [false, ['records-wait']])
			stage.badge('cem')
		} finally {
			other.close()
		}
		assert.equal(health(stage).storage, 'good', 'the space held back is not spent on it')
		stage.cabinet.setDoor(0, 'closed')
		await stage.until('the door session ends', () => stage.types().some((t) => t === 'door-session.ambiguous'))
		assert.deepEqual(health(stage).waiting, { count: 0, oldestMs: 0 })
		assert.deepEqual(health(stage).problems, ['door-held'])
	} finally {
		stage.end()
	}
})

test('a journal that is broken ends the controller, and the next start settles what was said', async () => {
	let db: DatabaseSync | undefined
	const failed: unknown[] = []
	const stage = await createStage({ failed: (fault) => failed.push(fault), tune: (of) => (db = of) })
	try {
		await atTheOpenDoor(stage)
		db?.exec("CREATE TRIGGER damage BEFORE INSERT ON fact BEGIN SELECT RAISE(FAIL, 'damaged'); END")
		assert.throws(
			() => stage.act({ kind: 'wrong-item' }),
			(fault) => isFault(fault, 'journal-damaged'),
		)
		assert.ok(isFault(failed[0], 'journal-damaged'))
		assert.equal(health(stage).ok, false)
		db?.exec('DROP TRIGGER damage')
		stage.crash()
		await stage.start()
		stage.cabinet.setDoor(0, 'closed')
		await stage.until('the door session ends', () => stage.types().some((t) => t === 'door-session.committed'))
	} finally {
		stage.end()
	}
})
