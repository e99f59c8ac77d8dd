import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { CATALOG } from './catalog.ts'
import { BOARD_EMULATORS, BOARD_FAMILIES, READER_FAMILIES } from './emulators.ts'

test('every product of every family can be made, and none that is not listed', () => {
	assert.ok(CATALOG.length > 0)
	for (const { family, products, create } of CATALOG) {
		assert.ok(products.length > 0, family)
		for (const product of products) assert.equal(create(product).family, family)
		for (const unlisted of ['no such product', ''])
			assert.throws(
				() => create(unlisted),
				(error: unknown) => isFault(error, 'config-invalid') && products.every((product) => error.message.includes(product)),
			)
	}
})

test('every family of boards has an emulator and runs the conformance suite with its largest product', () => {
	for (const entry of CATALOG) {
		if (entry.kind !== 'board') continue
		assert.ok(BOARD_EMULATORS[entry.family], entry.family)
		const tested = BOARD_FAMILIES.find(({ family }) => family === entry.family)
		assert.ok(tested, entry.family)
		const most = Math.max(...entry.products.map((product) => entry.create(product).caps.channels))
		assert.equal(entry.create(tested.products[0]).caps.channels, most)
		assert.deepEqual([...tested.products].sort(), [...entry.products].sort(), 'and with every other')
	}
})

test('every family of readers and scanners runs its conformance suite', () => {
	const readers = CATALOG.filter(({ kind }) => kind !== 'board')
	assert.deepEqual(
		readers.map(({ family, products }) => [family, products]),
		READER_FAMILIES.map(({ family, products }) => [family, products]),
	)
})
