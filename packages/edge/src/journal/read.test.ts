import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { isFault, seededRandom } from '@latchwork/core/base'
import { createStage } from '../testing/stage.ts'
import { checkStored } from './check.ts'
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

/** A journal at rest, and a second folder with its mark to damage it in. */
async function atRest(t: TestContext): Promise<{ whole: string; work: string }> {
	const stage = await createStage()
	t.after(stage.end)
	await stage.borrow()
	stage.crash()
	const work = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'latchwork-read-test-'))
	t.after(() => rmSync(work, { recursive: true, force: true }))
	const db = new DatabaseSync(join(stage.directory(), 'edge.db'))
	db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
	db.close()
	copyFileSync(join(stage.directory(), 'edge.mark'), join(work, 'edge.mark'))
	return { whole: stage.directory(), work }
}

const verdicts = (directory: string) => readJournal(directory).map((stream) => checkStored(stream, undefined))

test('a bit that flips anywhere in the database is named, or it changes no event: an index that lies makes no stream whole', async (t) => {
	const { whole, work } = await atRest(t)
	const bytes = readFileSync(join(whole, 'edge.db'))
	const [stream] = readJournal(whole)
	assert.deepEqual(
		verdicts(whole).map(({ ok }) => ok),
		[true],
	)
	const chance = seededRandom(11)
	const below = (n: number) => Array.from(chance(4)).reduce((sum, byte) => sum * 256 + byte, 0) % n
	const met = { damaged: 0, named: 0, elsewhere: 0 }
	for (let i = 0; i < 600; i++) {
		const flipped = new Uint8Array(bytes)
		const at = below(bytes.length)
		flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8))
		writeFileSync(join(work, 'edge.db'), flipped)
		try {
			const found = readJournal(work)
			if (found.some((one) => !checkStored(one, undefined).ok)) met.named++
			else {
				assert.deepEqual(
					found.map(({ lines }) => lines),
					[stream?.lines],
					`byte ${at}`,
				)
				met.elsewhere++
			}
		} catch (fault) {
			assert.ok(isFault(fault, 'journal-damaged'), `byte ${at}: ${(fault as Error).stack}`)
			met.damaged++
		}
	}
	t.diagnostic(JSON.stringify(met))
	assert.ok(met.damaged > 10 && met.named > 30 && met.elsewhere > 100, JSON.stringify(met))
})

test('a file that is no database, or is cut, or lacks its tables, is a damaged journal in words; one that is gone is named by its mark', async (t) => {
	const { whole, work } = await atRest(t)
	const bytes = readFileSync(join(whole, 'edge.db'))
	const damaged = (what: string) =>
		assert.throws(
			() => readJournal(work),
			(fault) => isFault(fault, 'journal-damaged'),
			what,
		)
	for (const [what, content] of [
		['rubbish', Buffer.from('this is no database, '.repeat(500))],
		['cut', bytes.subarray(0, bytes.length >> 1)],
		['a page of zeros', Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(4096), bytes.subarray(8192)])],
	] as const) {
		writeFileSync(join(work, 'edge.db'), content)
		damaged(what)
	}
	writeFileSync(join(work, 'edge.db'), bytes)
	const db = new DatabaseSync(join(work, 'edge.db'))
	db.exec('DROP TABLE event')
	db.close()
	damaged('no table')
	rmSync(join(work, 'edge.db'))
	assert.deepEqual(
		verdicts(work).map((v) => !v.ok && [v.index, v.code]),
		[[0, 'truncated']],
	)
})
