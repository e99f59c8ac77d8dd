import { Fault } from '@latchwork/core/base'
import type { BankLayout } from '@latchwork/core/wire'

/** A bank's drawing and its compartments say the same: each door of the one is exactly one row of the other. */
export type LayoutDoor = Extract<BankLayout['columns'][number]['cells'][number], { kind: 'door' }> & { readonly column: number }

export const doorsOf = (layout: BankLayout): LayoutDoor[] =>
	layout.columns.flatMap(({ cells }, column) => cells.flatMap((cell) => (cell.kind === 'door' ? [{ ...cell, column }] : [])))

/** Above what any supported bank has, and below what would make a screen useless. */
const MAX_DOORS = 2_000

/** What is wrong beyond the shape; throws `request-invalid`. */
export function checkLayout(layout: BankLayout): void {
	const numbers = doorsOf(layout).map((d) => d.number)
	if (numbers.length === 0) throw new Fault('request-invalid', 'layout: a bank has at least one door.')
	if (numbers.length > MAX_DOORS) throw new Fault('request-invalid', `layout: ${numbers.length} doors; ${MAX_DOORS} are allowed.`)
	const twice = numbers.find((n, i) => numbers.indexOf(n) !== i)
	if (twice !== undefined) throw new Fault('request-invalid', `layout: door ${twice} is there twice; a label is unique within its bank.`)
	const column = layout.columns.findIndex((c) => c.cells.length === 0)
	if (column >= 0) throw new Fault('request-invalid', `layout: column ${column + 1} has no cells.`)
}

/** The same doors drawn otherwise (moved, measured anew); a door more or less is a change of modules, not of the drawing. */
export function checkRedrawn(before: BankLayout, after: BankLayout): void {
	checkLayout(after)
	const is = new Set(doorsOf(after).map((d) => d.number))
	const was = new Set(doorsOf(before).map((d) => d.number))
	const missing = [...was].find((n) => !is.has(n))
	const added = [...is].find((n) => !was.has(n))
	if (missing !== undefined) throw new Fault('request-refused', `layout: door ${missing} is missing. Remove its module, or draw it.`)
	if (added !== undefined) throw new Fault('request-refused', `layout: door ${added} is new. Add it with its module (POST /v1/modules).`)
	if (before.columns.length !== after.columns.length)
		throw new Fault('request-refused', 'layout: the number of columns changes with modules (POST or DELETE /v1/modules).')
}

/** One door drawn with another label, or otherwise reachable. */
export function redrawDoor(
	layout: BankLayout,
	number: number,
	change: { number?: number; accessible?: boolean; size?: LayoutDoor['size'] },
): BankLayout {
	return {
		columns: layout.columns.map((column) => ({
			...column,
			cells: column.cells.map((cell) => (cell.kind === 'door' && cell.number === number ? { ...cell, ...change } : cell)),
		})),
	}
}
