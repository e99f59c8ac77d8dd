import type { BankLayout } from '@latchwork/core/wire'

/**
 * From millimetres of metal to the drawing: real proportions, fitted into a box. Metal does not mirror, so nothing here knows
 * about writing direction. Lengths are units of the drawing (1 unit = 1 px at kiosk size, where 1 mm of screen is 4.03 px).
 */
export interface Rect {
	readonly x: number
	readonly y: number
	readonly width: number
	readonly height: number
}

export type DoorCell = Extract<BankLayout['columns'][number]['cells'][number], { kind: 'door' }>

export interface PlacedDoor extends Rect {
	readonly door: DoorCell
}

export interface PlacedBank {
	readonly width: number
	readonly height: number
	/** The dark gaps of the columns, behind the doors. */
	readonly columns: readonly Rect[]
	readonly doors: readonly PlacedDoor[]
	readonly terminals: readonly Rect[]
	/** The metal body, without feet. */
	readonly body: Rect
}

/** Frame around the doors: sign on top, plinth below. */
const FRAME = { side: 12, top: 44, bottom: 20, feet: 16, columnGap: 2, gap: 4, inset: 3 } as const

export function placeBank(layout: BankLayout, box: { readonly width: number; readonly height: number }): PlacedBank {
	const wideMm = layout.columns.reduce((sum, column) => sum + column.widthMm, 0)
	const highMm = Math.max(1, ...layout.columns.map((column) => column.cells.reduce((sum, cell) => sum + cell.heightMm, 0)))
	const gaps = FRAME.columnGap * (layout.columns.length - 1)
	const scale = Math.min((box.width - 2 * FRAME.side - gaps) / wideMm, (box.height - FRAME.top - FRAME.bottom - FRAME.feet) / highMm)

	const columns: Rect[] = []
	const doors: PlacedDoor[] = []
	const terminals: Rect[] = []
	let x: number = FRAME.side
	for (const column of layout.columns) {
		const width = column.widthMm * scale
		columns.push({ x, y: FRAME.top, width, height: highMm * scale })
		let y: number = FRAME.top
		for (const cell of column.cells) {
			const height = cell.heightMm * scale
			const face = { x: x + FRAME.inset, y: y + FRAME.gap / 2, width: width - 2 * FRAME.inset, height: height - FRAME.gap }
			if (cell.kind === 'door') doors.push({ ...face, door: cell })
			else terminals.push(face)
			y += height
		}
		x += width + FRAME.columnGap
	}
	const body = { x: 0, y: 0, width: x - FRAME.columnGap + FRAME.side, height: FRAME.top + highMm * scale + FRAME.bottom }
	return { width: body.width, height: body.height + FRAME.feet, columns, doors, terminals, body }
}

/** The arrow to a door: where its tip touches, and the way it points. */
export interface Arrow {
	readonly x: number
	readonly y: number
	readonly towards: 'down' | 'up' | 'right' | 'left'
	readonly box: Rect
}

/** Length and width of the arrow, and its distance from the door. */
const ARROW = { long: 71, wide: 40, off: 9 } as const

/** From above if there is room, else from below or from a side: never over the terminal with "You", never out of the drawing. */
export function arrowTo({ x, y, width, height }: Rect, bank: PlacedBank): Arrow | undefined {
	const { long, wide, off } = ARROW
	const middle = x + width / 2
	const centre = y + height / 2
	const left = middle - wide / 2
	const top = centre - wide / 2
	const ways: readonly Arrow[] = [
		{ x: middle, y: y - off, towards: 'down', box: { x: left, y: y - off - long, width: wide, height: long } },
		{ x: middle, y: y + height + off, towards: 'up', box: { x: left, y: y + height + off, width: wide, height: long } },
		{ x: x - off, y: centre, towards: 'right', box: { x: x - off - long, y: top, width: long, height: wide } },
		{ x: x + width + off, y: centre, towards: 'left', box: { x: x + width + off, y: top, width: long, height: wide } },
	]
	const free = (box: Rect) => box.x >= 0 && box.y >= FRAME.top / 2 && box.x + box.width <= bank.width && box.y + box.height <= bank.height
	return ways.find(({ box }) => free(box) && !bank.terminals.some((terminal) => overlap(box, terminal)))
}

const overlap = (a: Rect, b: Rect) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

/** Where a door is, counted from the nearer side; left and bottom win a tie because people look for them first. */
export interface Place {
	readonly column: { readonly nth: number; readonly from: 'left' | 'right'; readonly of: number }
	readonly row: { readonly nth: number; readonly from: 'top' | 'bottom'; readonly of: number }
}

/** `undefined` when the layout has no such door. */
export function placeOf(layout: BankLayout, number: number): Place | undefined {
	const columnOf = layout.columns.length
	for (const [index, column] of layout.columns.entries()) {
		const doors = column.cells.filter((cell) => cell.kind === 'door')
		const row = doors.findIndex((cell) => cell.number === number)
		if (row < 0) continue
		const fromRight = columnOf - index
		const fromBottom = doors.length - row
		return {
			column: index + 1 <= fromRight ? { nth: index + 1, from: 'left', of: columnOf } : { nth: fromRight, from: 'right', of: columnOf },
			row: fromBottom <= row + 1 ? { nth: fromBottom, from: 'bottom', of: doors.length } : { nth: row + 1, from: 'top', of: doors.length },
		}
	}
	return undefined
}
