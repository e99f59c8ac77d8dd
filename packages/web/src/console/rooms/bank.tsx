import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { placeWords } from '../../ui/words.ts'
import { serverNow } from '../api.ts'
import { useMay } from '../context.ts'
import { countStates, DOOR_STATES, type DoorState, doorState } from '../door-state.ts'
import { Table } from '../lists.tsx'
import { BankMapDrawing } from '../map-drawing.tsx'
import { Card, Empty, OnlineChip, Room, Segments, Swatch, Title } from '../parts.tsx'
import { bankAssets, bankCases, bankMap } from '../queries.ts'
import type { BankMap, Case, MapDoor } from '../shapes.ts'
import { useNow, when } from '../time.ts'
import { SIZES, STATES, stateWord, bank as words } from '../words/banks.ts'
import { span } from '../words/shell.ts'
import { Controllers } from './controllers.tsx'
import { DoorPanel } from './door-panel.tsx'
import { OpenDoor } from './open-door.tsx'

/** The live picture of one bank: drawing or list, and beside it the door that is looked at. */
export function BankRoom() {
	const { bank } = useParams({ from: '/banks/$bank' })
	const asked = useQuery({ ...bankMap(bank), refetchInterval: 30_000, placeholderData: keepPreviousData })
	return (
		<Room of={asked} one="bank">
			{(map) => <Filled key={map.bank.id} map={map} />}
		</Room>
	)
}

function Filled({ map }: { readonly map: BankMap }) {
	const { bank, layout, live, doors } = map
	const search = useSearch({ from: '/banks/$bank' })
	const go = useNavigate({ from: '/banks/$bank' })
	const { data: cases } = useQuery({ ...bankCases(bank.id), enabled: useMay('case.read', { bank: bank.id, site: bank.site }) })
	const { data: assets } = useQuery({ ...bankAssets(bank.id), enabled: useMay('asset.read', { bank: bank.id, site: bank.site }) })
	const mayOpen = useMay('door.open.remote', { bank: bank.id, site: bank.site })
	const [hidden, setHidden] = useState<ReadonlySet<DoorState>>(new Set())
	const counts = useMemo(() => countStates(doors), [doors])
	const chosen = doors.find(({ number }) => number === search.door)
	const inside = useMemo(() => new Map(assets?.items.map(({ id, tag }) => [id, tag])), [assets])
	const casesAt = useMemo(() => byCompartment(cases?.items ?? [], doors), [cases, doors])
	const lastHeard = live.seenAt === undefined ? undefined : Date.parse(live.seenAt)

	const choose = useCallback(
		(door: number | undefined) => void go({ search: (old) => ({ ...old, door, open: undefined }), replace: true, resetScroll: false }),
		[go],
	)
	const show = useCallback(
		(view: 'drawing' | 'list') =>
			void go({ search: (old) => ({ ...old, view: view === 'list' ? ('list' as const) : undefined }), replace: true, resetScroll: false }),
		[go],
	)
	const open = useCallback(
		(isOpen: boolean) => void go({ search: (old) => ({ ...old, open: isOpen ? (true as const) : undefined }), replace: true, resetScroll: false }),
		[go],
	)
	const view = search.view ?? 'drawing'
	useEffect(() => {
		// A letter alone works only here, and not while somebody types or a dialog is open.
		const onKey = (event: KeyboardEvent) => {
			const at = event.target
			if (event.ctrlKey || event.metaKey || event.altKey || !(at instanceof HTMLElement)) return
			if (at.closest('dialog, input, select, textarea')) return
			const key = event.key.toLowerCase()
			if (key === 'l') show(view === 'list' ? 'drawing' : 'list')
			else if (key === 'o' && mayOpen && search.door !== undefined) open(true)
			else return
			event.preventDefault()
		}
		addEventListener('keydown', onKey)
		return () => removeEventListener('keydown', onKey)
	}, [mayOpen, open, search.door, show, view])

	const shown = doors.filter((door) => !hidden.has(doorState(door)))
	return (
		<>
			<Title
				title={bank.name}
				below={
					<span className="row wrap">
						<OnlineChip online={live.online} outage={live.outage} heard={lastHeard !== undefined} />
						<span>
							{words.compartments(doors.length, layout.columns.length)} · <Heard at={lastHeard} />
							{findings(doors)}
						</span>
					</span>
				}
				end={
					<Segments
						label={words.view}
						value={view}
						options={[
							['drawing', words.drawing],
							['list', words.list],
						]}
						choose={show}
					/>
				}
			/>
			{words.hardware(live).map((text) => (
				<p key={text} className="banner warn">
					<Icon name="alarm" />
					{text}
				</p>
			))}
			<div className="cols bank-cols">
				<Card label={view === 'list' ? words.list : words.drawingOf}>
					<Legend counts={counts} hidden={hidden} change={setHidden} />
					{view === 'list' ? (
						<List map={map} doors={shown} chosen={search.door} inside={inside} choose={choose} />
					) : (
						<BankMapDrawing map={map} hidden={hidden} chosen={search.door} inside={inside} choose={choose} />
					)}
					<p className="keys mute">
						{view === 'drawing' && <>{words.keys} </>}
						{mayOpen && (
							<>
								<kbd>O</kbd> {words.keyOpen},{' '}
							</>
						)}
						<kbd>L</kbd> {view === 'list' ? words.keyDrawing : words.keyList}.
					</p>
				</Card>
				{chosen ? (
					<DoorPanel
						map={map}
						door={chosen}
						of={casesAt.get(chosen.compartment)}
						open={() => open(true)}
						close={() => {
							document.querySelector<HTMLElement>(`[data-door="${chosen.number}"]`)?.focus()
							choose(undefined)
						}}
					/>
				) : (
					<aside className="card panel-none">
						<Icon name="door" />
						<p>{words.chooseDoor}</p>
					</aside>
				)}
			</div>
			<Controllers bank={bank} />
			{search.open === true && chosen && mayOpen && <OpenDoor map={map} door={chosen} close={() => open(false)} />}
		</>
	)
}

function Heard({ at }: { readonly at: number | undefined }) {
	const now = useNow()
	return <>{at === undefined ? words.neverHeard : words.heard(now - at)}</>
}

const UNUSUAL: ReadonlySet<DoorState> = new Set(['alarm', 'open', 'quarantined', 'to-check', 'unknown'])
/** "1 forced, 2 to check": what is not as usual. */
function findings(doors: readonly MapDoor[]): string {
	const found = Map.groupBy(
		doors.filter((door) => UNUSUAL.has(doorState(door))),
		stateWord,
	)
	return [...found].map(([word, { length }]) => ` · ${length} ${word.toLowerCase()}`).join('')
}

interface LegendProps {
	readonly counts: ReadonlyMap<DoorState, number>
	readonly hidden: ReadonlySet<DoorState>
	change(hidden: ReadonlySet<DoorState>): void
}
/** The legend is the filter: what is switched off fades. */
function Legend({ counts, hidden, change }: LegendProps) {
	return (
		<fieldset className="legend" aria-label={words.legend}>
			{DOOR_STATES.filter((state) => state !== 'unknown' || counts.has(state)).map((state) => (
				<button
					key={state}
					type="button"
					aria-pressed={!hidden.has(state)}
					onClick={() => change(hidden.has(state) ? new Set([...hidden].filter((one) => one !== state)) : new Set([...hidden, state]))}
				>
					<Swatch state={state} />
					{STATES[state]} <b>{counts.get(state) ?? 0}</b>
				</button>
			))}
		</fieldset>
	)
}

interface ListProps {
	readonly map: BankMap
	readonly doors: readonly MapDoor[]
	readonly chosen: number | undefined
	readonly inside: ReadonlyMap<string, string>
	choose(door: number): void
}
/** The twin of the drawing: the same doors, states and choice. */
function List({ map: { layout, bank }, doors, chosen, inside, choose }: ListProps) {
	if (doors.length === 0) return <Empty title={words.noneShown} />
	return (
		<Table heads={[words.number, 'State', words.content, words.size, words.place, words.since]}>
			{doors.map((door) => {
				const state = doorState(door)
				return (
					<tr key={door.compartment} className={door.number === chosen ? 'chosen' : ''}>
						<th scope="row">
							<button type="button" className="link" aria-pressed={door.number === chosen} onClick={() => choose(door.number)}>
								{door.number}
							</button>
						</th>
						<td data-label="State">
							<span className="row">
								<Swatch state={state} />
								{stateWord(door)}
							</span>
						</td>
						<td className="nowrap" data-label={words.content}>
							{door.live.content === 'item' ? (inside.get(door.live.asset ?? '') ?? 'Item') : door.live.content === 'empty' ? 'Empty' : '–'}
						</td>
						<td className="nowrap" data-label={words.size}>
							{SIZES[door.size]}
						</td>
						<td data-label={words.place}>{placeWords(layout, door.number)}</td>
						<td className="nowrap" data-label={words.since} title={span(serverNow() - Date.parse(door.live.since))}>
							{when(door.live.since, bank.timeZone)}
						</td>
					</tr>
				)
			})}
		</Table>
	)
}

/** Which open case a compartment belongs to: by a line that lies there, or because space is kept for it. */
function byCompartment(cases: readonly Case[], doors: readonly MapDoor[]): ReadonlyMap<string, Case> {
	const found = new Map<string, Case>()
	const byId = new Map(cases.map((one) => [one.id, one]))
	for (const { compartment, live } of doors) {
		const kept = byId.get(live.reservedFor ?? '')
		if (kept) found.set(compartment, kept)
	}
	for (const one of cases) for (const line of one.lines) if (line.compartment !== undefined) found.set(line.compartment, one)
	return found
}
