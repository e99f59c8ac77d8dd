import type { BankLayout } from '@latchwork/core/wire'
import { placeOf } from './bank-geometry.ts'

/** Words of the drawing that every page shares. Whole sentences, so that a translation can turn them around. */
const NTH = ['', 'first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth', 'eleventh', 'twelfth']

export const you = 'You'

function nth(n: number): string {
	return NTH[n] ?? `${n}th`
}

/** "second column from the left, third door from the bottom" */
export function placeWords(layout: BankLayout, number: number): string {
	const place = placeOf(layout, number)
	if (!place) return ''
	const { column, row } = place
	const doors = row.of === 1 ? 'the only door' : row.nth === 1 ? `the ${row.from} door` : `${nth(row.nth)} door from the ${row.from}`
	if (column.of === 1) return doors
	return `${nth(column.nth)} column from the ${column.from}, ${doors}`
}

/** `standing`: doors that stand open besides the marked one. */
export function drawingWords(layout: BankLayout, number: number | undefined, standing: readonly number[] = []): string {
	const open = standing.map((other) => `Door ${other} stands open: ${placeWords(layout, other)}.`)
	const first =
		number === undefined
			? 'Picture of the bank, seen from where you stand.'
			: `Picture of the bank. Door ${number} is marked: ${placeWords(layout, number)}.`
	return [first, ...open].join(' ')
}

/** First letter large, for a sentence that starts with place words. */
export function capital(text: string): string {
	return text.slice(0, 1).toUpperCase() + text.slice(1)
}
