import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
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
	assert.equal((stage.controller().health() as { ok: boolean }).ok, false)

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
