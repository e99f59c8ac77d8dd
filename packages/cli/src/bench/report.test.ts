import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alone, type Findings, growth, timesFloor } from './figures.ts'
import { svgOf, tableOf } from './report.ts'

const found = (figures: Findings['figures']): Findings => ({ id: 'P1', name: 'x', what: 'a thing', floor: 'none', conditions: ['here'], figures })
const rowOf = (table: string, name: string) => table.split('\n').find((line) => line.includes(name)) ?? ''

test('the smallest size is compared with nothing, so it meets no goal', () => {
	const table = tableOf(
		[
			found([
				alone('100 people', 'ms', [1, 2, 3]),
				growth('5,000 people', [2, 2, 2], [1, 2, 3], 1.2),
				growth('50,000 people', [9, 9, 9], [1, 2, 3], 1.2),
			]),
		],
		1,
	)
	assert.doesNotMatch(rowOf(table, ' 100 people'), /yes|NO|×/)
	assert.match(rowOf(table, '5,000 people'), /1\.00×.*yes$/)
	assert.match(rowOf(table, '50,000 people'), /4\.50×.*NO$/)
})

test('a result that was taken with few samples says so, in the table and in the picture', () => {
	const findings = found([timesFloor('taps', [4, 5], [1, 2], { p50: 4, p99: 6 })])
	assert.match(tableOf([findings], 0.2), /Taken with 0\.2 of a whole measurement/)
	assert.match(svgOf(findings, 0.2), /Taken with 0\.2/)
	assert.doesNotMatch(tableOf([findings], 1) + svgOf(findings, 1), /Taken with/)
})

test('a picture of two units has a scale for each', () => {
	const svg = svgOf(found([alone('time', 's', [5]), alone('room', 'MB', [462])]), 1)
	const widths = [...svg.matchAll(/width="([\d.]+)" height="16"/g)].map(([, width]) => width)
	assert.equal(widths.length, 2)
	assert.equal(widths[0], widths[1])
})
