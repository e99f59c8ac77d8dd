import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import type { Content } from '@latchwork/core/door'
import { createStage, type Stage } from '../testing/stage.ts'

const LAPTOP = sampleId('asset', 'laptop')
const door = (number: number) => sampleId('compartment', `${number}`)
const content = (stage: Stage, number: number): Content | undefined => stage.controller().bank.state().compartments[door(number)]?.content
const started = async () => {
	const stage = await createStage({ started: false })
	await stage.start()
	return stage
}

test('a controller that starts before its bundle knows of no content; the bundle says it once, whatever a restart and later bundles say', async () => {
	const stage = await started()
	try {
		assert.equal(content(stage, 1)?.kind, 'unknown')
		stage.stop()
		await stage.start()
		assert.equal(content(stage, 1)?.kind, 'unknown')
		const bundle = stage.writeBundle()
		await stage.until('the bundle is in force', () => stage.controller().authority.current() !== undefined)
		assert.deepEqual(content(stage, 1), { kind: 'item', item: LAPTOP })
		assert.deepEqual(content(stage, 2), { kind: 'empty' })
		assert.equal(stage.types().filter((t) => t === 'compartment.occupied').length, 1)
		assert.equal(await stage.borrow(), 1)
		stage.writeBundle({ version: bundle.version + 1 })
		await stage.until('the next bundle is in force', () => stage.controller().authority.current()?.bundle.version === bundle.version + 1)
		assert.deepEqual(content(stage, 1), { kind: 'empty' }, 'it is out on loan, not back behind its first door')
		stage.crash()
		await stage.start()
		assert.deepEqual(content(stage, 1), { kind: 'empty' })
		await stage.bringBack()
	} finally {
		stage.end()
	}
})

test('a compartment that a later bundle adds gets its first content then, and a thing that is elsewhere is for a person to look for', async () => {
	const stage = await started()
	try {
		const { bank, initialContents, version, ...rest } = stage.bundle()
		const three = bank.compartments.filter((c) => c.number < 4)
		const columns = bank.layout.columns.map((c) => ({ ...c, cells: c.cells.filter((cell) => !('number' in cell) || cell.number < 4) }))
		stage.writeBundle({ ...rest, bank: { ...bank, compartments: three, layout: { columns } }, version })
		await stage.until('the bundle is in force', () => stage.controller().authority.current() !== undefined)
		assert.equal(content(stage, 4)?.kind, 'unknown')
		assert.equal(await stage.borrow(), 1)
		stage.writeBundle({ bank, version: version + 1, initialContents: [{ compartment: door(4), asset: LAPTOP }] })
		await stage.until('the next bundle is in force', () => stage.controller().authority.current()?.bundle.version === version + 1)
		assert.equal(content(stage, 4)?.kind, 'unknown')
		assert.equal(stage.controller().bank.state().compartments[door(4)]?.hold?.why, 'item-elsewhere')
		assert.deepEqual(content(stage, 1), { kind: 'empty' })
		assert.ok(initialContents.length)
	} finally {
		stage.end()
	}
})

for (const first of ['the bundle', 'the sensors'] as const) {
	test(`a first content that the sensor contradicts is believed by nobody, a person looks; ${first} came first`, async () => {
		const stage = await createStage({ started: false })
		try {
			stage.cabinet.setItem(0, { present: false }, true)
			stage.cabinet.setItem(2, { present: true }, true)
			if (first === 'the bundle') stage.writeBundle()
			await stage.start()
			if (first === 'the sensors') stage.writeBundle()
			await stage.until('the bundle is in force', () => stage.controller().authority.current() !== undefined)
			const hold = (number: number) => stage.controller().bank.state().compartments[door(number)]?.hold?.why
			assert.deepEqual([1, 2, 3, 4].map(hold), ['sensor-disagrees', undefined, 'sensor-disagrees', undefined])
			assert.deepEqual([content(stage, 1), content(stage, 2)], [{ kind: 'unknown' }, { kind: 'empty' }])
			stage.controller().settle({ door: 1, found: 'nothing' })
			assert.deepEqual(content(stage, 1), { kind: 'empty' })
		} finally {
			stage.end()
		}
	})
}
