import type { BankLayout, KioskView } from '@latchwork/core/wire'
import type { ReactNode } from 'react'
import { arrowTo, type PlacedBank, type PlacedDoor, placeBank, type Rect } from './bank-geometry.ts'
import { IconShape } from './icon.tsx'
import { drawingWords, you } from './words.ts'

export type LitTone = 'open' | 'waiting' | 'alarm'

interface Props {
	readonly layout: BankLayout
	/** Sign on the metal. */
	readonly sign: string
	/** The one door that matters; everything else is orientation. */
	readonly lit?: number
	readonly tone?: LitTone
	/** Doors that stand open besides. */
	readonly standing?: KioskView['standing']
	readonly box?: { readonly width: number; readonly height: number }
}

const BOX = { width: 740, height: 700 }

/** The bank seen from where the person stands, with one lit door, an arrow to it and "You" at the screen (visual-language.md §9). */
export function BankDrawing({ layout, sign, lit, tone = 'open', standing = [], box = BOX }: Props) {
	const bank = placeBank(layout, box)
	const marked = bank.doors.find((placed) => placed.door.number === lit)
	const others = standing.filter(({ number }) => number !== lit)
	const words = drawingWords(
		layout,
		marked?.door.number,
		others.map(({ number }) => number),
	)
	return (
		<svg className="bank" viewBox={`0 0 ${bank.width} ${bank.height}`} role="img" aria-label={words}>
			<BankBody bank={bank} sign={sign} />
			{bank.doors.map((placed) => (
				<ClosedDoor key={placed.door.number} placed={placed} />
			))}
			{others.map(({ number, why }) => {
				const placed = bank.doors.find(({ door }) => door.number === number)
				return placed && <StandingDoor key={number} placed={placed} alarm={why === 'forced'} />
			})}
			{marked && <LitDoor placed={marked} bank={bank} tone={tone} />}
		</svg>
	)
}

/** Metal, feet, columns and terminal: everything that is not a door. */
export function BankBody({ bank, sign, children }: { readonly bank: PlacedBank; readonly sign: string; readonly children?: ReactNode }) {
	const { body } = bank
	const foot = Math.min(80, body.width / 6)
	return (
		<g>
			<rect className="bank-foot" x={body.width * 0.1} y={body.height - 1} width={foot} height={13} rx={3} />
			<rect className="bank-foot" x={body.width * 0.9 - foot} y={body.height - 1} width={foot} height={13} rx={3} />
			<path className="bank-floor" d={`M0 ${bank.height - 2}H${bank.width}`} />
			<rect className="bank-metal" x={1} y={1} width={body.width - 2} height={body.height - 2} rx={12} />
			<text className="bank-sign" x={20} y={30}>
				{sign}
			</text>
			{bank.columns.map((column) => (
				<rect key={column.x} className="bank-column" {...column} rx={4} />
			))}
			{bank.terminals.map((terminal) => (
				<Terminal key={terminal.x} {...terminal} />
			))}
			{children}
		</g>
	)
}

function Terminal({ x, y, width, height }: Rect) {
	const middle = x + width / 2
	const screen = Math.min(width - 16, height * 0.34)
	const left = middle - screen / 2
	const top = y + Math.min(18, height * 0.06)
	const bottom = y + height
	return (
		<g>
			<rect className="bank-panel" x={x} y={y} width={width} height={height} rx={4} />
			<rect className="bank-device" x={left} y={top} width={screen} height={screen * 1.36} rx={5} />
			<rect className="bank-glass" x={left + screen * 0.1} y={top + screen * 0.12} width={screen * 0.8} height={screen * 0.56} rx={3} />
			<rect className="bank-keys" x={left + screen * 0.1} y={top + screen * 0.84} width={screen * 0.8} height={screen * 0.12} rx={2} />
			<rect className="bank-keys" x={left + screen * 0.1} y={top + screen * 1.08} width={screen * 0.8} height={screen * 0.12} rx={2} />
			{height > 200 && <Reader x={middle} y={top + screen * 1.36 + (height - screen * 1.36 - 18 - 76) / 2} size={34} />}
			<circle className="bank-you" cx={middle} cy={bottom - 55} r={9} />
			<path className="bank-you" d={`M${middle - 16} ${bottom - 28}a16 15 0 0 1 32 0z`} />
			<text className="bank-you" x={middle} y={bottom - 6}>
				{you}
			</text>
		</g>
	)
}

function Reader({ x, y, size }: { readonly x: number; readonly y: number; readonly size: number }) {
	return (
		<g>
			<rect className="bank-device" x={x - size / 2} y={y - size * 0.62} width={size} height={size * 1.24} rx={6} />
			<circle className="bank-ring" cx={x} cy={y} r={size * 0.24} />
		</g>
	)
}

function ClosedDoor({ placed }: { readonly placed: PlacedDoor }) {
	const { x, y, width, height, door } = placed
	const middle = y + height / 2
	const size = Math.min(20, height * 0.62, width * 0.3)
	return (
		<g>
			<rect className="bank-door" x={x} y={y} width={width} height={height} rx={3} />
			<rect className="bank-handle" x={x + width - 10} y={middle - 7} width={4} height={14} rx={2} />
			<text className="bank-number" x={x + 9} y={middle + size * 0.35} fontSize={size}>
				{door.number}
			</text>
		</g>
	)
}

/** Degrees from pointing down. */
const TURNS = { down: 0, left: 90, up: 180, right: 270 } as const

/** Open too, but not what the screen is about: its colour, its number in bold and an open leaf, without arrow or light. */
function StandingDoor({ placed, alarm }: { readonly placed: PlacedDoor; readonly alarm: boolean }) {
	const { x, y, width, height, door } = placed
	const size = Math.min(26, height * 0.7, width * 0.3)
	const icon = size * 1.1
	return (
		<g className={alarm ? 'bank-lit bank-lit-alarm' : 'bank-lit'}>
			<rect className="bank-face" x={x} y={y} width={width} height={height} rx={4} />
			<text className="bank-lit-number" x={x + width * 0.36} y={y + height / 2 + size * 0.36} fontSize={size}>
				{door.number}
			</text>
			<g className="bank-mark" transform={`translate(${x + width * 0.72 - icon / 2} ${y + height / 2 - icon / 2}) scale(${icon / 24})`}>
				<IconShape name={alarm ? 'alarm' : 'door-open'} />
			</g>
		</g>
	)
}

/** Drawn over its neighbours and larger than life, so that it is found from two metres away. */
function LitDoor({ placed, bank, tone }: { readonly placed: PlacedDoor; readonly bank: PlacedBank; readonly tone: LitTone }) {
	const { x, y, width, height, door } = placed
	const size = Math.min(height * 0.8, width * 0.42, 56)
	const middle = x + width / 2
	const arrow = arrowTo(placed, bank)
	return (
		<g className={`bank-lit bank-lit-${tone}`}>
			<rect className="bank-halo" x={x - 5} y={y - 5} width={width + 10} height={height + 10} rx={9} />
			<rect className="bank-face" x={x - 1} y={y - 1} width={width + 2} height={height + 2} rx={6} />
			<text className="bank-lit-number" x={middle} y={y + height / 2 + size * 0.36} fontSize={size}>
				{door.number}
			</text>
			{arrow && bank.height > 150 && (
				<path
					className="bank-arrow"
					d="M0 0l-20-27h13v-44h14v44h13z"
					transform={`translate(${arrow.x} ${arrow.y}) rotate(${TURNS[arrow.towards]})`}
				/>
			)}
		</g>
	)
}
