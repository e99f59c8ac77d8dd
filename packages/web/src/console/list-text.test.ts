import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guessColumns, readList } from './list-text.ts'

test('a list is read with commas, semicolons or tabs, with quoted cells, and without empty lines', () => {
	assert.deepEqual(readList('a@x.org,1\r\nb@x.org,2\r\n\r\n').rows, [
		['a@x.org', '1'],
		['b@x.org', '2'],
	])
	assert.deepEqual(readList('\uFEFF"Weber, Ana";118-1603\n"say ""hi""";"2\n3"').rows, [
		['Weber, Ana', '118-1603'],
		['say "hi"', '2\n3'],
	])
	assert.deepEqual(readList('Weber, Ana\t7\tx'), { rows: [['Weber, Ana', '7', 'x']], columns: 3 })
	assert.deepEqual(readList('one\ntwo'), { rows: [['one'], ['two']], columns: 1 })
	assert.deepEqual(readList(''), { rows: [], columns: 0 })
	assert.deepEqual(readList('a;"never closed\nb;2').rows, [['a', 'never closed\nb;2']])
})

test('who and which number is guessed by what the columns hold', () => {
	assert.deepEqual(guessColumns(readList('Ana;3283263748;ana@x.org\nBen;568350108;ben@x.org')), { person: 2, number: 1 })
	assert.deepEqual(guessColumns(readList('person,card\nana@x.org,04:A1:B2:C3')), { person: 0, number: 1 })
})

test('ten thousand lines take one pass', () => {
	const text = Array.from({ length: 10_000 }, (_, n) => `p${n}@example.org;${3_000_000_000 + n}`).join('\n')
	assert.equal(readList(text).rows.length, 10_000)
})
