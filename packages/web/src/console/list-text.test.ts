import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guessColumns, linesOf, namesColumns, readList } from './list-text.ts'

test('a list is read with commas, semicolons or tabs, with quoted cells, and without empty lines', () => {
	assert.deepEqual(readList('a@x.org,1\r\nb@x.org,2\r\n\r\n').rows, [
		['a@x.org', '1'],
		['b@x.org', '2'],
	])
	assert.deepEqual(readList('\uFEFF"Weber, Ana";118-1603\n"say ""hi""";"2\n3"').rows, [
		['Weber, Ana', '118-1603'],
		['say "hi"', '2\n3'],
	])
	assert.deepEqual(readList('Weber, Ana\t7\tx'), { rows: [['Weber, Ana', '7', 'x']], at: [1], columns: 3 })
	assert.deepEqual(readList('one\ntwo'), { rows: [['one'], ['two']], at: [1, 2], columns: 1 })
	assert.deepEqual(readList(''), { rows: [], at: [], columns: 0 })
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

test('a line keeps its number in the text, whatever ends the lines there, whatever is empty and whatever is left out', () => {
	const list = readList('person,card\r\n\r\na@x,1\r"b\n@x",2\n,3\nd@x,\ne@x,5')
	assert.deepEqual(list.at, [1, 3, 4, 6, 7, 8])
	assert.deepEqual(linesOf(list, { header: true, person: 0, number: 1 }), {
		lines: [
			{ line: 3, person: 'a@x', listed: '1' },
			{ line: 4, person: 'b\n@x', listed: '2' },
			{ line: 8, person: 'e@x', listed: '5' },
		],
		skipped: [6, 7],
	})
	assert.deepEqual(linesOf(readList(`a@x,${'9'.repeat(61)}`), { header: false, person: 0, number: 1 }), { lines: [], skipped: [1] })
})

test('a first line without digits and addresses names the columns', () => {
	assert.ok(namesColumns(readList('E-mail;Card\na@x;1')))
	assert.ok(!namesColumns(readList('a@x;1\nb@x;2')))
	assert.ok(!namesColumns(readList('E-mail;Card')), 'names alone are no list')
})
