import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFind, searchBanks, searchDoors } from './find.ts'
import type { Bank } from './shapes.ts'

const bank = (id: string, name: string, numbers: readonly number[]) =>
	({
		id,
		name,
		site: 'sit_1',
		layout: { columns: [{ widthMm: 400, cells: numbers.map((number) => ({ kind: 'door', number, heightMm: 300, size: 'M', accessible: true })) }] },
	}) as unknown as Bank
const BANKS = [bank('bnk_1', 'HQ Lobby A', [1, 14]), bank('bnk_2', 'Riverside 2', [14, 15]), bank('bnk_3', 'Depot North', [1])]
const doorsOf = (typed: string) => {
	const { text, door } = parseFind(typed)
	return searchDoors(BANKS, text, door).map(({ bank, number }) => `${bank}/${number}`)
}

test('a number is a door, with and without the word', () => {
	assert.deepEqual(doorsOf('14'), ['bnk_1/14', 'bnk_2/14'])
	assert.deepEqual(doorsOf('Door 14'), ['bnk_1/14', 'bnk_2/14'])
	assert.deepEqual(doorsOf('99'), [])
	assert.deepEqual(doorsOf('DL-14'), [])
})

test('a word behind the number narrows to the bank', () => {
	assert.deepEqual(doorsOf('door 14, river'), ['bnk_2/14'])
	assert.deepEqual(doorsOf('14 lobby'), ['bnk_1/14'])
})

test('a sign before it narrows to actions or people, and is no part of what is looked for', () => {
	assert.deepEqual(parseFind('> sign'), { kind: 'actions', text: 'sign', door: undefined })
	assert.deepEqual(parseFind('@ada'), { kind: 'people', text: 'ada', door: undefined })
	assert.deepEqual(parseFind('@14'), { kind: 'people', text: '14', door: undefined })
})

test('banks are found by all words of their name, in any order', () => {
	assert.deepEqual(
		searchBanks(BANKS, 'lobby hq').map(({ id }) => id),
		['bnk_1'],
	)
	assert.equal(searchBanks(BANKS, '').length, 3)
})
