import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import { isFault } from '@latchwork/core/base'
import { createStage, type Stage } from './testing/stage.ts'

test('what an operator says is recorded when it is answered, or refused with what to do: nothing is settled behind their back', async () => {
	const stage = await createStage()
	const hold = () => stage.controller().bank.state().compartments[sampleId('compartment', '3')]?.hold?.why
	const settle = () => stage.controller().settle({ door: 3, found: 'nothing' })
	try {
		stage.cabinet.setDoor(2, 'open')
		await stage.until('the alarm', () => hold() === 'forced')
		stage.cabinet.setDoor(2, 'closed')
		await stage.until('it is shut', () => stage.types().at(-1) === 'door.closed')
		const before = stage.types().length
		const other = new DatabaseSync(join(stage.directory(), 'edge.db'))
		other.exec('BEGIN IMMEDIATE')
		assert.throws(settle, (fault) => isFault(fault, 'journal-full'))
		other.close()
		await stage.clock.advance(2_000)
		assert.equal(hold(), 'forced', 'it is not settled later either: the person was told that it is not')
		assert.deepEqual(settle(), { door: 3, was: { kind: 'quarantined', why: 'forced' } })
		assert.equal(hold(), undefined)
		assert.equal(
			stage
				.types()
				.slice(before)
				.filter((t) => t === 'compartment.returned-to-service').length,
			1,
		)
	} finally {
		stage.end()
	}
})

const refusedWith = (stage: Stage, body: object, words: RegExp) =>
	assert.throws(
		() => stage.controller().settle(body),
		(fault) => isFault(fault, 'request-refused') && words.test(fault.message),
	)

test('an open door is not settled, and what the sensor contradicts is asked back once', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	const three = () => stage.controller().bank.state().compartments[sampleId('compartment', '3')]
	stage.cabinet.setDoor(2, 'open')
	await stage.until('the alarm', () => three()?.hold?.why === 'forced')
	refusedWith(stage, { door: 3, found: 'nothing' }, /stands open.*Push it shut first/)
	stage.cabinet.setItem(2, { present: true })
	await stage.until('the sensor sees it', () => three()?.presence === true)
	stage.cabinet.setDoor(2, 'closed')
	await stage.until('it is shut', () => three()?.door === 'closed')
	refusedWith(stage, { door: 3, found: 'nothing' }, /sees something.*--sure/)
	assert.equal(three()?.hold?.why, 'forced')
	stage.controller().settle({ door: 3, found: 'nothing', sure: true })
	assert.deepEqual([three()?.hold, three()?.content], [undefined, { kind: 'empty' }])

	stage.cabinet.setDoor(2, 'open')
	await stage.until('the next alarm', () => three()?.hold?.why === 'forced')
	stage.cabinet.setItem(2, { present: false })
	await stage.until('the sensor sees it', () => three()?.presence === false)
	stage.cabinet.setDoor(2, 'closed')
	await stage.until('it is shut', () => three()?.door === 'closed')
	refusedWith(stage, { door: 3, found: { tag: 'TAG-1' } }, /sees nothing.*--sure/)
	stage.controller().settle({ door: 3, found: 'nothing' })
})

test('records that are wrong about a door in service are put right by whoever has looked, and says it twice', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	const [one, three] = ['1', '3'].map((n) => () => stage.controller().bank.state().compartments[sampleId('compartment', n)])
	const lies = one?.()?.content
	assert.equal(lies?.kind, 'item')
	stage.cabinet.setDoor(2, 'open')
	await stage.until('the alarm', () => three?.()?.hold?.why === 'forced')
	stage.cabinet.setItem(2, { present: true })
	await stage.until('the sensor sees it', () => three?.()?.presence === true)
	stage.cabinet.setDoor(2, 'closed')
	await stage.until('it is shut', () => three?.()?.door === 'closed')
	const found = { door: 3, found: { tag: 'TAG-0' } }
	refusedWith(stage, found, /behind door 1\. .*settle that door/)
	refusedWith(stage, { door: 1, found: 'nothing' }, /in service.*--sure/)
	assert.deepEqual(one?.()?.content, lies)
	assert.deepEqual(stage.controller().settle({ door: 1, found: 'nothing', sure: true }), {
		door: 1,
		was: { kind: 'in-service', why: 'counted-anew' },
	})
	stage.controller().settle(found)
	assert.deepEqual([one?.()?.content, three?.()?.content], [{ kind: 'empty' }, lies])
})
