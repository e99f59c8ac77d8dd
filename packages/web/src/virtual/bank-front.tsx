import type { VirtualState } from '@latchwork/core/wire'
import { type KeyboardEvent, useRef } from 'react'
import { isArrow, nearest } from '../ui/arrows.ts'
import { BankBody } from '../ui/bank-drawing.tsx'
import { type PlacedDoor, placeBank, type Rect } from '../ui/bank-geometry.ts'
import { type IconName, IconShape } from '../ui/icon.tsx'
import type { Hands } from './control.ts'
import { boardFault, type Compartment, hasFault, readerFault, words } from './words.ts'

type Bank = VirtualState['banks'][number]

interface Props {
	readonly bank: Bank
	readonly selected: number | undefined
	onSelect(number: number): void
	readonly hands: Hands
}

const BOX = { width: 760, height: 720 }

/** The whole physical truth at a glance: doors that swing, things inside, pulses, faults. One tab stop, arrows walk by place. */
export function BankFront({ bank, selected, onSelect, hands }: Props) {
	const placed = placeBank(bank.layout, BOX)
	const byNumber = new Map(bank.compartments.map((compartment) => [compartment.number, compartment]))
	const drawing = useRef<SVGSVGElement>(null)
	const focused = selected ?? placed.doors[0]?.door.number

	function onKey(event: KeyboardEvent, from: PlacedDoor) {
		const next = isArrow(event.key) ? nearest(event.key, from, placed.doors, (door) => door) : undefined
		if (next) {
			onSelect(next.door.number)
			drawing.current?.querySelector<SVGRectElement>(`[data-door="${next.door.number}"]`)?.focus()
		} else if (event.key === 'Enter' || event.key === ' ') onSelect(from.door.number)
		else if (!/^[tf]$/i.test(event.key) || event.altKey || event.ctrlKey || event.metaKey) return
		event.preventDefault()
		const compartment = byNumber.get(from.door.number)
		// A key that is held down is one act: the second one would find the door as the first one left it.
		if (compartment && !event.repeat) act(event.key.toLowerCase(), compartment)
	}

	/** The hands of the keyboard; what a door does not allow is not tried. */
	function act(key: string, { number, door, item }: Compartment) {
		if (key === 'f' && door === 'closed') hands.door(number, 'open')
		if (door === 'closed') return
		const [last] = bank.outside
		if (key === 'enter') hands.door(number, 'closed')
		else if (key === 't') hands.item(number, item ? { present: false } : { present: true, ...(last !== undefined && { tag: last }) })
	}

	// Open doors hang over their neighbours, so they are drawn last.
	const order = placed.doors.toSorted((a, b) => depth(byNumber.get(a.door.number)) - depth(byNumber.get(b.door.number)))
	return (
		// biome-ignore lint/a11y/useSemanticElements: an SVG drawing has no fieldset
		<svg
			ref={drawing}
			className="bank front"
			viewBox={`-34 -4 ${placed.width + 42} ${placed.height + 4}`}
			role="group"
			aria-label={words.front(bank.name)}
		>
			<BankBody bank={placed} sign={words.front(bank.name)}>
				{placed.terminals.map((terminal) => (
					<ReaderMark key={terminal.x} place={terminal} fault={readerFault(bank.reader)} />
				))}
			</BankBody>
			{order.map((door) => {
				const compartment = byNumber.get(door.door.number)
				if (!compartment) return null
				const number = compartment.number
				return (
					<g key={number} className={compartment.door === 'open' ? 'cell open' : compartment.item ? 'cell taken' : 'cell'}>
						{/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in a group of shapes takes focus */}
						<g aria-hidden="true">
							{compartment.door === 'open' ? (
								<OpenDoor placed={door} compartment={compartment} />
							) : (
								<ShutDoor placed={door} compartment={compartment} />
							)}
							<Marks placed={door} compartment={compartment} board={boardFault(bank, compartment.board)} />
						</g>
						{/* biome-ignore lint/a11y/useSemanticElements: an SVG drawing has no button element */}
						<rect
							className="cell-touch"
							x={door.x - 3}
							y={door.y - 3}
							width={door.width + 6}
							height={door.height + 6}
							rx={6}
							data-door={number}
							role="button"
							tabIndex={number === focused ? 0 : -1}
							aria-pressed={number === selected}
							aria-label={words.doorLabel(bank, compartment)}
							onClick={() => onSelect(number)}
							onKeyDown={(event) => onKey(event, door)}
						/>
					</g>
				)
			})}
		</svg>
	)
}

const depth = (compartment: Compartment | undefined) => (compartment?.door === 'open' ? 1 : 0)

function ShutDoor({ placed, compartment }: { readonly placed: PlacedDoor; readonly compartment: Compartment }) {
	const { x, y, width, height } = placed
	return (
		<>
			<rect className="cell-face" x={x} y={y} width={width} height={height} rx={3} />
			<rect className="bank-handle" x={x + width - 9} y={y + height / 2 - 7} width={4} height={14} rx={2} />
			<text className="cell-number" x={x + 9} y={y + 21}>
				{compartment.number}
			</text>
			<ContentWord placed={placed} compartment={compartment} />
		</>
	)
}

/** The leaf hangs on its left hinge, swung towards the person; behind it the inside and what lies there. */
function OpenDoor({ placed, compartment }: { readonly placed: PlacedDoor; readonly compartment: Compartment }) {
	const { x, y, width, height } = placed
	const item = Math.min(height * 0.6, width * 0.5, 72)
	const leaf = `M${x} ${y}l-30 -9v${height + 18}l30 -9z`
	return (
		<>
			<rect className="cell-inside" x={x} y={y} width={width} height={height} rx={3} />
			<path className="cell-floor" d={`M${x + 3} ${y + height - 3}l10 -9h${width - 26}l10 9z`} />
			{compartment.item && <IconAt className="cell-item" x={x + (width - item) / 2} y={y + height - item - 12} size={item} name="laptop" />}
			<path className="cell-leaf" d={leaf} />
			<rect className="cell-leaf-handle" x={x - 26} y={y + height / 2 - 8} width={4} height={16} rx={2} />
			<text className="cell-number" x={x + 9} y={y + 21}>
				{compartment.number}
			</text>
			<text className="cell-word" x={x + 15 + 10 * String(compartment.number).length} y={y + 21}>
				{compartment.item ? words.inside(compartment) : words.empty}
			</text>
		</>
	)
}

function ContentWord({ placed, compartment }: { readonly placed: PlacedDoor; readonly compartment: Compartment }) {
	const { x, y, width, height } = placed
	const tall = height > 46
	const wordX = tall ? x + 9 : x + 36
	return (
		<>
			<IconAt className="cell-icon" x={x + width - 34} y={y + 6} size={18} name={compartment.item ? 'box' : 'empty'} />
			<text className="cell-word" x={wordX} y={tall ? y + height - 9 : y + 21}>
				{compartment.item ? words.inside(compartment) : words.empty}
			</text>
		</>
	)
}

/** A reader that is gone or open is marked where it hangs, with a word. */
function ReaderMark({ place, fault }: { readonly place: Rect; readonly fault: string | undefined }) {
	if (fault === undefined) return null
	const { x, y, width, height } = place
	return (
		<g>
			<rect className="cell-fault" x={x + 1.5} y={y + 1.5} width={width - 3} height={height - 3} rx={3} />
			<IconAt className="cell-icon cell-alarm" x={x + 9} y={y + height - 33} size={18} name="alarm" />
			<text className="cell-word cell-said" x={x + 31} y={y + height - 19}>
				{fault}
			</text>
		</g>
	)
}

/** Pulses and faults, with icon and figure; a fault of the board is drawn at each of its doors, thinner than one of the door itself. */
function Marks({
	placed,
	compartment,
	board,
}: {
	readonly placed: PlacedDoor
	readonly compartment: Compartment
	readonly board: string | undefined
}) {
	const { x, y, width, height } = placed
	const right = x + width - 16
	return (
		<>
			{compartment.pulses > 0 && (
				<>
					<IconAt className="cell-icon cell-pulse" x={right - 22} y={y + height - 22} size={16} name="bolt" />
					<text className="cell-word cell-pulse" x={right - 4} y={y + height - 9}>
						{compartment.pulses}
					</text>
				</>
			)}
			{board && !hasFault(compartment) && <IconAt className="cell-icon cell-alarm" x={x + width - 56} y={y + 6} size={18} name="offline" />}
			{board && <rect className="cell-fault cell-board" x={x + 1.5} y={y + 1.5} width={width - 3} height={height - 3} rx={3} />}
			{hasFault(compartment) && (
				<>
					<rect className="cell-fault" x={x + 1.5} y={y + 1.5} width={width - 3} height={height - 3} rx={3} />
					<IconAt className="cell-icon cell-alarm" x={x + width - 56} y={y + 6} size={18} name="alarm" />
				</>
			)}
		</>
	)
}

interface IconAtProps {
	readonly name: IconName
	readonly className: string
	readonly x: number
	readonly y: number
	readonly size: number
}

function IconAt({ name, className, x, y, size }: IconAtProps) {
	return (
		<g className={className} transform={`translate(${x} ${y}) scale(${size / 24})`}>
			<IconShape name={name} />
		</g>
	)
}
