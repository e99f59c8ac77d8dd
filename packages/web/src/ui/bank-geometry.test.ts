import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleLayout } from '@latchwork/core/wire'
import { arrowTo, placeBank, placeOf } from './bank-geometry.ts'
import { placeWords } from './words.ts'

test('a door is named from the nearer side, left and bottom first', () => {
	assert.equal(placeWords(exampleLayout, 12), 'second column from the left, second door from the bottom')
	assert.equal(placeWords(exampleLayout, 9), 'second column from the left, third door from the top')
	assert.equal(placeWords(exampleLayout, 10), 'second column from the left, fourth door from the bottom')
	assert.equal(placeWords(exampleLayout, 13), 'second column from the left, the bottom door')
	assert.equal(placeWords(exampleLayout, 22), 'first column from the right, the top door')
	assert.equal(placeWords(exampleLayout, 23), 'first column from the right, second door from the bottom')
})

test('the terminal is no door: counting passes over it', () => {
	assert.deepEqual(placeOf(exampleLayout, 14)?.row, { nth: 1, from: 'top', of: 3 })
	assert.deepEqual(placeOf(exampleLayout, 15)?.row, { nth: 2, from: 'bottom', of: 3 })
})

test('one column, one door, and a door that is not there', () => {
	const one = { columns: [{ widthMm: 400, cells: [{ kind: 'door', number: 1, heightMm: 300, size: 'M', accessible: true }] }] } as const
	const layout = structuredClone(one) as unknown as typeof exampleLayout
	assert.equal(placeWords(layout, 1), 'the only door')
	assert.equal(placeWords(layout, 2), '')
})

test('the drawing keeps the proportions of the metal and stays in its box', () => {
	for (const box of [
		{ width: 740, height: 700 },
		{ width: 300, height: 900 },
		{ width: 900, height: 200 },
	]) {
		const bank = placeBank(exampleLayout, box)
		assert.ok(bank.width <= box.width + 0.01 && bank.height <= box.height + 0.01, `${bank.width} × ${bank.height}`)
		const [column] = bank.columns
		assert.ok(column)
		assert.ok(Math.abs(column.width / column.height - 400 / 1800) < 1e-9)
		assert.equal(bank.doors.length, 24)
		assert.equal(bank.terminals.length, 1)
	}
})

test('the arrow to any door stays in the drawing and covers neither that door nor the terminal with "You"', () => {
	const bank = placeBank(exampleLayout, { width: 740, height: 700 })
	const seen = new Set<string>()
	const apart = (a: { x: number; y: number; width: number; height: number }, b: typeof a) =>
		a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
	for (const placed of bank.doors) {
		const arrow = arrowTo(placed, bank)
		assert.ok(arrow, `door ${placed.door.number}`)
		seen.add(arrow.towards)
		for (const other of [...bank.terminals, placed]) assert.ok(apart(arrow.box, other), `door ${placed.door.number}`)
		assert.ok(arrow.box.x >= 0 && arrow.box.y >= 0 && arrow.box.x + arrow.box.width <= bank.width && arrow.box.y + arrow.box.height <= bank.height)
	}
	assert.ok(seen.has('down') && seen.has('up'), [...seen].join())
})

test('doors of a column do not overlap and stand inside it', () => {
	const bank = placeBank(exampleLayout, { width: 740, height: 700 })
	for (const column of bank.columns) {
		const faces = [...bank.doors, ...bank.terminals]
			.filter((face) => face.x > column.x && face.x < column.x + column.width)
			.toSorted((a, b) => a.y - b.y)
		for (const [index, face] of faces.entries()) {
			assert.ok(face.x + face.width < column.x + column.width)
			assert.ok(face.y >= column.y && face.y + face.height <= column.y + column.height + 0.01)
			const next = faces[index + 1]
			if (next) assert.ok(face.y + face.height < next.y)
		}
	}
})
