import { type CSSProperties, type KeyboardEvent, memo, useMemo, useRef, useState } from 'react'
import { isArrow, nearest } from '../ui/arrows.ts'
import { type PlacedDoor, placeBank, type Rect } from '../ui/bank-geometry.ts'
import { Icon } from '../ui/icon.tsx'
import { placeWords } from '../ui/words.ts'
import { type DoorState, doing, doorState, STATE_ICONS } from './door-state.ts'
import type { BankMap, MapDoor } from './shapes.ts'
import { SIZES, stateWord, bank as words } from './words/banks.ts'

/** How large the drawing is when there is room; what its smallest door is then, so that its number and its word can be read; and to what it may shrink. */
const BOX = { width: 800, height: 600 } as const
const ROOMY = { width: 62, height: 38 } as const
const LEAST = { width: 40, height: 18 } as const

interface DrawingProps {
	readonly map: BankMap
	readonly hidden: ReadonlySet<DoorState>
	readonly chosen: number | undefined
	/** Tag of an asset by its id. */
	readonly inside: ReadonlyMap<string, string>
	choose(door: number): void
}

/**
 * The bank as it stands there, in real proportions where there is room. Metal does not mirror, so the drawing runs left to right in every language. One stop of the Tab key:
 * arrows walk from door to door by place.
 */
export function BankMapDrawing({ map: { bank, layout, doors }, hidden, chosen, inside, choose }: DrawingProps) {
	const placed = useMemo(() => placeBank(layout, { width: BOX.width * roomy(layout), height: BOX.height * roomy(layout) }), [layout])
	const [at, setAt] = useState(chosen ?? placed.doors[0]?.door.number)
	const surface = useRef<HTMLDivElement>(null)
	const places = useMemo(() => new Map(placed.doors.map(({ door }) => [door.number, placeWords(layout, door.number)])), [layout, placed])
	const byNumber = useMemo(() => new Map(doors.map((door) => [door.number, door])), [doors])
	const tabStop = placed.doors.some(({ door }) => door.number === at) ? at : placed.doors[0]?.door.number
	const least = useMemo(() => shrinks(layout), [layout])
	const size = { '--wide': placed.width, '--high': placed.body.height, ...least } as CSSProperties

	const onKey = (event: KeyboardEvent) => {
		if (!isArrow(event.key) || event.ctrlKey || event.metaKey || event.altKey) return
		event.preventDefault()
		const from = placed.doors.find(({ door }) => door.number === at)
		const next = from && nearest(event.key, from, placed.doors, (one: PlacedDoor) => one)
		if (!next) return
		setAt(next.door.number)
		surface.current?.querySelector<HTMLElement>(`[data-door="${next.door.number}"]`)?.focus()
	}
	return (
		<div className="scroll">
			{/* biome-ignore lint/a11y/useSemanticElements: a drawing with a fixed shape, which a fieldset does not keep. */}
			<div className="cabinet" dir="ltr" style={size} role="group" aria-label={words.front(bank.name)} ref={surface} onKeyDown={onKey}>
				<p className="sign" aria-hidden="true">
					{words.front(bank.name)}
				</p>
				{placed.columns.map((column) => (
					<span key={column.x} className="module" style={boxOf(column)} />
				))}
				{placed.terminals.map((terminal) => (
					<span key={`${terminal.x}/${terminal.y}`} className="terminal" style={boxOf(terminal)} aria-hidden="true">
						<svg viewBox="0 0 60 120" preserveAspectRatio="xMidYMin meet" aria-hidden="true">
							<rect className="device" x="8" y="10" width="44" height="62" rx="4" />
							<rect className="glass" x="13" y="15" width="34" height="26" rx="2" />
							<rect className="keys" x="13" y="47" width="34" height="6" rx="2" />
							<rect className="keys" x="13" y="57" width="24" height="6" rx="2" />
							<rect className="device" x="17" y="84" width="26" height="28" rx="4" />
							<circle className="ring" cx="30" cy="98" r="7" />
						</svg>
					</span>
				))}
				{placed.doors.map((one) => {
					const { number } = one.door
					const door = byNumber.get(number)
					return (
						door && (
							<Door
								key={number}
								rect={one}
								door={door}
								tag={door.live.content === 'item' ? inside.get(door.live.asset ?? '') : undefined}
								place={places.get(number) ?? ''}
								fade={hidden.has(doorState(door))}
								chosen={number === chosen}
								stop={number === tabStop}
								focus={setAt}
								choose={choose}
							/>
						)
					)
				})}
			</div>
			<div className="feet" aria-hidden="true" style={size}>
				<i />
				<i />
			</div>
		</div>
	)
}

interface DoorProps {
	readonly rect: Rect
	readonly door: MapDoor
	readonly tag: string | undefined
	readonly place: string
	readonly fade: boolean
	readonly chosen: boolean
	readonly stop: boolean
	focus(number: number): void
	choose(number: number): void
}
/** Drawn anew only when its own facts have changed: a busy bank has 200 of them. */
const Door = memo(function Door({ rect, door, tag, place, fade, chosen, stop, focus, choose }: DoorProps) {
	const state = doorState(door)
	const busy = doing(door)
	const word = busy === 'opening' ? 'Opening…' : busy === 'checking' ? 'Checking…' : stateWord(door)
	const ajar = door.live.door === 'open'
	const classes = ['door', 'st', `st-${state}`, ajar && 'ajar', fade && 'fade', busy && 'busy'].filter(Boolean).join(' ')
	return (
		<button
			type="button"
			className={classes}
			style={boxOf(rect)}
			aria-pressed={chosen}
			tabIndex={stop ? 0 : -1}
			data-door={door.number}
			onFocus={() => focus(door.number)}
			onClick={() => choose(door.number)}
		>
			<span className="hd">
				<span className="n">
					<span className="unseen">Door </span>
					{door.number}
				</span>
				<Icon name={STATE_ICONS[state]} />
			</span>
			<span className="w">
				{tag !== undefined && rect.height > 52 && <span className="tag">{tag}</span>}
				{word}
			</span>
			<span className="unseen">
				, {SIZES[door.size]?.toLowerCase()}, {place}
			</span>
			{ajar && (
				<svg className="swing" viewBox="0 0 20 100" preserveAspectRatio="none" aria-hidden="true">
					<path d="M20 8 1 0v100l19-8z" />
				</svg>
			)}
		</button>
	)
}, sameDoor)

/** Facts come anew with each look; the same facts draw the same door. */
function sameDoor(a: DoorProps, b: DoorProps): boolean {
	return (
		a.rect === b.rect &&
		a.tag === b.tag &&
		a.fade === b.fade &&
		a.chosen === b.chosen &&
		a.stop === b.stop &&
		a.choose === b.choose &&
		a.place === b.place &&
		a.door.size === b.door.size &&
		doorState(a.door) === doorState(b.door) &&
		stateWord(a.door) === stateWord(b.door) &&
		a.door.live.door === b.door.live.door &&
		doing(a.door) === doing(b.door)
	)
}

const boxOf = ({ x, y, width, height }: Rect): CSSProperties => ({ '--x': x, '--y': y, '--w': width, '--h': height }) as CSSProperties

/** How much larger than its box a drawing must be so that its smallest door is as large as this, in width and in height. */
function growth(layout: BankMap['layout'], smallest: { readonly width: number; readonly height: number }): { width: number; height: number } {
	const { doors } = placeBank(layout, BOX)
	return {
		width: Math.max(...doors.map(({ width }) => smallest.width / width)),
		height: Math.max(...doors.map(({ height }) => smallest.height / height)),
	}
}

/** Large enough that its smallest door can be read with ease. */
function roomy(layout: BankMap['layout']): number {
	const { width, height } = growth(layout, ROOMY)
	return Math.max(1, width, height)
}

/**
 * What width and height shrink to where there is less room, as shares of that; what is still wider scrolls inside its card. Doors that would become
 * too low stay as high as they must be: a whole bank that is drawn a little narrow says more than half of one in its proportions.
 */
function shrinks(layout: BankMap['layout']): { '--least-wide': number; '--least-high': number } {
	const whole = roomy(layout)
	const { width, height } = growth(layout, LEAST)
	return { '--least-wide': Math.min(1, width / whole), '--least-high': Math.min(1, height / whole) }
}
