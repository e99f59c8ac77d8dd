import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import { isFault } from '@latchwork/core/base'
import { createStage } from '../testing/stage.ts'

test('lost history: loans wait with a reason, returns go on, restarts change nothing, and a person ends it', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	await stage.borrow()
	// Long enough ago to survive the loss: the loan itself. Then a second, who only looks.
	const before = stage.controller().journal.head().seq
	stage.badge('cem')
	stage.act({ kind: 'finish' })
	const mark = stage.controller().journal.head()
	stage.crash()
	const wal = join(stage.directory(), 'edge.db-wal')
	const bytes = readFileSync(wal)
	// The last commits vanish: cut until something is missing, not the loan.
	writeFileSync(wal, bytes.subarray(0, bytes.length - 4_000))
	await stage.start()
	const { journal } = stage.controller()
	assert.deepEqual(journal.lost(), { stream: mark.stream, fromSeq: mark.seq, toSeq: mark.seq })
	assert.ok(before < mark.seq)
	assert.deepEqual(stage.types().slice(0, 3), ['stream.started', 'stream.history-lost', 'task.created'])
	assert.ok(stage.controller().view().notices.includes('history-lost'))
	assert.ok(stage.controller().health().problems.includes('history-lost'))

	stage.stop()
	await stage.start()
	stage.badge('cem')
	stage.act({ kind: 'finish' })
	await stage.bringBack()
	stage.badge('ana')
	const shown = stage.screen()
	assert.equal(shown.name === 'choose' && shown.choices.find((c) => c.item?.name === 'laptop')?.denied, 'history-lost')
	stage.choose('borrow:loan-laptop')
	assert.deepEqual(stage.screen(), { name: 'denied', reason: 'history-lost' })
	assert.equal(stage.events().findLast((e) => e.type === 'decision.denied')?.data.reason, 'history-lost')
	stage.act({ kind: 'finish' })

	assert.throws(
		() => stage.controller().settle({ history: 'forget it' }),
		(e) => isFault(e, 'request-refused'),
	)
	assert.deepEqual(stage.controller().settle({ history: 'checked' }), {
		history: 'checked',
		was: { stream: mark.stream, fromSeq: mark.seq, toSeq: mark.seq },
	})
	assert.equal(stage.types().at(-1), 'task.done')
	assert.throws(
		() => stage.controller().settle({ history: 'checked' }),
		(e) => isFault(e, 'request-refused'),
	)
	assert.ok(!stage.controller().view().notices.includes('history-lost'))
	assert.ok((await stage.borrow()) > 0)
})

test('all records are lost: the bundle is not believed again, each door waits for a look, and loans go on when each was looked behind', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	await stage.borrow()
	stage.crash()
	for (const name of ['edge.db', 'edge.db-wal']) rmSync(join(stage.directory(), name))
	await stage.start()
	const of = (number: number) => stage.controller().bank.state().compartments[sampleId('compartment', `${number}`)]
	const settle = (body: object) => stage.controller().settle(body)
	const refused = (words: RegExp) =>
		assert.throws(
			() => settle({ history: 'checked' }),
			(fault) => isFault(fault, 'request-refused') && words.test(fault.message),
		)
	const check = () => {
		for (const number of [1, 2, 3, 4]) {
			assert.deepEqual(of(number)?.content, { kind: 'unknown' }, `door ${number}: the laptop is out on loan, whatever the bundle said at first`)
			assert.deepEqual(of(number)?.hold, { kind: 'pending-inspection', why: 'history-lost' })
		}
		refused(/behind door 1, 2, 3, 4\..*edge settle 1 nothing/)
	}
	check()
	stage.crash()
	await stage.start()
	check()
	settle({ door: 1, found: 'nothing' })
	refused(/behind door 2, 3, 4\./)
	for (const door of [2, 3, 4]) settle({ door, found: 'nothing' })
	settle({ history: 'checked' })
	stage.badge('ana')
	const screen = stage.screen()
	assert.equal(screen.name === 'choose' && screen.choices.find((c) => c.item?.name === 'laptop')?.denied, 'nothing-available')
})

test('the last records are lost: a door whose record is an old one can be counted anew', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	stage.crash()
	await stage.start()
	const wal = readFileSync(join(stage.directory(), 'edge.db-wal'))
	const database = readFileSync(join(stage.directory(), 'edge.db'))
	await stage.borrow()
	stage.crash()
	writeFileSync(join(stage.directory(), 'edge.db'), database)
	writeFileSync(join(stage.directory(), 'edge.db-wal'), wal)
	await stage.start()
	const one = () => stage.controller().bank.state().compartments[sampleId('compartment', '1')]
	assert.equal(one()?.content.kind, 'item', 'as it was before the loan')
	stage.controller().settle({ door: 1, found: 'nothing' })
	assert.deepEqual(one()?.content, { kind: 'empty' })
	stage.controller().settle({ history: 'checked' })
	assert.throws(
		() => stage.controller().settle({ door: 2, found: 'nothing' }),
		(fault) => isFault(fault, 'request-refused') && /nothing waits/.test(fault.message),
	)
})
