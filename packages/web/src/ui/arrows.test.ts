import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './arrows.ts'

const box = (x: number, y: number, width = 10, height = 10) => ({ x, y, width, height })
/** One tall tile at the left, four small ones at the right, a bar of buttons below. */
const things = {
	tall: box(0, 0, 40, 40),
	a: box(50, 0),
	b: box(70, 0),
	c: box(50, 30),
	d: box(70, 30),
	left: box(0, 60),
	middle: box(30, 60),
}
const go = (key: string, from: keyof typeof things) => {
	const others = (Object.keys(things) as (keyof typeof things)[]).filter((name) => name !== from)
	return nearest(key, things[from], others, (name) => things[name])
}

test('straight ahead comes before near but sideways', () => {
	assert.equal(go('ArrowRight', 'tall'), 'a')
	assert.equal(go('ArrowRight', 'a'), 'b')
	assert.equal(go('ArrowDown', 'a'), 'c')
	assert.equal(go('ArrowLeft', 'c'), 'tall')
	assert.equal(go('ArrowDown', 'tall'), 'left')
	assert.equal(go('ArrowUp', 'middle'), 'tall')
	assert.equal(go('ArrowRight', 'left'), 'middle')
})

test('a near thing that stands aside yields to a far one that faces', () => {
	const facing = box(0, 40)
	const aside = box(22, 12)
	assert.equal(
		nearest('ArrowDown', box(0, 0), [aside, facing], (candidate) => candidate),
		facing,
	)
})

test('where nothing lies, nothing is found', () => {
	assert.equal(go('ArrowRight', 'b'), undefined)
	assert.equal(go('ArrowUp', 'tall'), undefined)
	assert.equal(go('Enter', 'a'), undefined)
})
