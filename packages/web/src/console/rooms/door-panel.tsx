import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { capital, placeWords } from '../../ui/words.ts'
import { get, send } from '../api.ts'
import { useMay } from '../context.ts'
import { doorState, spaceState } from '../door-state.ts'
import { Dialog, Form, Reasons, wordsOf } from '../forms.tsx'
import { EventFacts, Who } from '../names.tsx'
import { Leaf, Swatch } from '../parts.tsx'
import { bankEvents, oneAsset } from '../queries.ts'
import type { BankMap, Case, LedgerEvent, MapDoor } from '../shapes.ts'
import { stamp, useNow } from '../time.ts'
import { doorWords, outOfUse, panel, SIZES, STATES, stateWord, whyWords } from '../words/banks.ts'
import { caseState, WORKFLOWS } from '../words/cases.ts'
import { eventWords } from '../words/events.ts'
import { openers } from '../words/policies.ts'
import { Openers } from './openers.tsx'

interface PanelProps {
	readonly map: BankMap
	readonly door: MapDoor
	readonly of: Case | undefined
	open(): void
	close(): void
}

/** One door in its three layers, which never mix: the door itself, what its space is used for, and whose case it is. */
export function DoorPanel({ map, door, of, open, close }: PanelProps) {
	const { bank, layout, live } = map
	const at = { bank: bank.id, site: bank.site }
	const mayOpen = useMay('door.open.remote', at)
	const mayManage = useMay('estate.manage', at)
	const mayAsk = useMay('policy.read', at)
	const now = useNow()
	const itself = useRef<HTMLElement>(null)
	// Below the drawing, on a phone, a chosen door would change nothing that can be seen.
	// biome-ignore lint/correctness/useExhaustiveDependencies: another door is another panel.
	useEffect(() => {
		const { top = 0 } = itself.current?.getBoundingClientRect() ?? {}
		if (top > innerHeight * 0.7) itself.current?.scrollIntoView({ block: 'start' })
	}, [door.number])
	const place = capital(placeWords(layout, door.number))
	const heightMm = layout.columns.flatMap(({ cells }) => cells).find((cell) => cell.kind === 'door' && cell.number === door.number)?.heightMm
	return (
		<aside className="card panel" ref={itself} aria-label={panel.door(door.number)}>
			<section className="panel-top">
				<div>
					<h2>{panel.door(door.number)}</h2>
					<p className="mute">
						{[SIZES[door.size], place, heightMm && `${Math.round(heightMm / 10)} cm high`, door.accessible && panel.reachable]
							.filter(Boolean)
							.join(' · ')}
					</p>
				</div>
				<Swatch state={doorState(door)} />
				<button type="button" className="iconbtn" aria-label={panel.close} onClick={close}>
					<Icon name="x" />
				</button>
			</section>
			{/* What changed is said once; how long a door stands open is read, not said each second. */}
			<p className="unseen" role="status">
				{panel.door(door.number)}: {stateWord(door)}
			</p>
			<section>
				<dl className="layers">
					<dt>{panel.layers.door}</dt>
					<dd>
						<Swatch state={doorState(door) === spaceState(door) ? 'available' : doorState(door)} />
						{doorWords(door, now)}
					</dd>
					<dt>{panel.layers.compartment}</dt>
					<dd>
						<Swatch state={spaceState(door)} />
						{STATES[spaceState(door)]}
					</dd>
					<dt>{panel.layers.case}</dt>
					<dd>
						{of ? (
							<>
								<Link to="/cases/$case" params={{ case: of.id }}>
									{WORKFLOWS[of.workflow] ?? of.workflow} {of.number}
								</Link>
								<span className="mute">{caseState(of.state)[0].toLowerCase()}</span>
							</>
						) : (
							<span className="mute">{panel.noCase}</span>
						)}
					</dd>
				</dl>
				{door.service.state === 'out-of-service' && <p className="note">{outOfUse.is(door.service.reason)}</p>}
				{door.live.sensor === 'unreliable' && <p className="note">{panel.sensorUnreliable}</p>}
			</section>
			{door.live.why && <Held number={door.number} why={door.live.why} />}
			<Content door={door} />
			{(mayOpen || mayManage) && (
				<section>
					<h3>{panel.actions}</h3>
					<Actions map={map} door={door} mayOpen={mayOpen} mayManage={mayManage} open={open} />
					<p className="note">{live.online ? panel.openNote : panel.offlineNote}</p>
				</section>
			)}
			{mayAsk && <AskWho door={door} bank={bank.id} />}
			<History map={map} door={door} />
			{mayManage && (
				<section>
					<h3>{panel.id}</h3>
					<p className="mono mute id">{door.compartment}</p>
				</section>
			)}
		</aside>
	)
}

/** A hold ends where somebody can look: what to do, and where. */
function Held({ number, why }: { readonly number: number; readonly why: string }) {
	return (
		<section>
			<h3>{panel.held}</h3>
			<p>{whyWords(why)}</p>
			<ol className="hold-steps">
				<li>{panel.heldLook}</li>
				<li>
					{panel.heldSay} <code>{panel.heldCommand(number)}</code>
				</li>
				<li>{panel.heldThen}</li>
			</ol>
		</section>
	)
}

function Content({ door: { live } }: { readonly door: MapDoor }) {
	const { data: asset } = useQuery(oneAsset(live.asset))
	const named = asset && `${asset.name} ${asset.tag}`
	return (
		<section>
			<h3>{panel.content}</h3>
			<div className="row">
				<span className={`badge ${live.content === 'item' ? 'info' : 'plain'}`}>
					<Icon name={live.content === 'item' ? (asset?.kind === 'laptop' ? 'laptop' : 'box') : live.content === 'empty' ? 'empty' : 'unknown'} />
				</span>
				<p className="strong">
					{live.content === 'empty'
						? panel.empty
						: live.content === 'item'
							? (named ?? panel.item)
							: asset
								? panel.lastKnown(named ?? '')
								: panel.unknown}
				</p>
			</div>
		</section>
	)
}

function AskWho({ door, bank }: { readonly door: MapDoor; readonly bank: string }) {
	const [asking, setAsking] = useState(false)
	return (
		<section>
			<button type="button" className="btn wide" onClick={() => setAsking(true)}>
				<Icon name="people" />
				{openers.ask}
			</button>
			{asking && <Openers door={door} bank={bank} close={() => setAsking(false)} />}
		</section>
	)
}

interface ActionsProps {
	readonly map: BankMap
	readonly door: MapDoor
	readonly mayOpen: boolean
	readonly mayManage: boolean
	open(): void
}
function Actions({ map, door, mayOpen, mayManage, open }: ActionsProps) {
	const [asking, setAsking] = useState(false)
	const [problem, setProblem] = useState<string>()
	const client = useQueryClient()
	const isOut = door.service.state === 'out-of-service'
	const change = async (service: MapDoor['service']) => {
		// The version that is changed is the one that lies there now: the picture of a bank has none.
		const { version } = await get<{ version: number }>(`/v1/compartments/${door.compartment}`)
		await send('PATCH', `/v1/compartments/${door.compartment}`, { service }, version)
		await client.invalidateQueries({ queryKey: ['bank', map.bank.id] })
	}
	return (
		<>
			<div className="acts">
				{mayOpen && (
					<button type="button" className="btn primary wide" onClick={open} aria-disabled={!map.live.online} disabled={!map.live.online}>
						<Icon name="key" />
						{panel.open}
					</button>
				)}
				{mayManage &&
					(isOut ? (
						<button
							type="button"
							className="btn wide"
							onClick={() => {
								setProblem(undefined)
								change({ state: 'in-service' }).catch((error: unknown) => setProblem(wordsOf(error)))
							}}
						>
							<Icon name="check" />
							{panel.backInUse}
						</button>
					) : (
						<button type="button" className="btn wide" onClick={() => setAsking(true)}>
							<Icon name="slash" />
							{panel.outOfUse}
						</button>
					))}
			</div>
			{problem !== undefined && (
				<p className="problem" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
			{asking && (
				<Dialog title={outOfUse.title(door.number)} lead={outOfUse.lead} close={() => setAsking(false)}>
					<Form
						submit={outOfUse.submit}
						danger
						cancel={() => setAsking(false)}
						send={async (form) => {
							await change({ state: 'out-of-service', reason: String(form.get('reason')) })
							setAsking(false)
						}}
					>
						<Reasons legend={outOfUse.reason} name="reason" reasons={outOfUse.reasons} />
					</Form>
				</Dialog>
			)}
		</>
	)
}

const SHOWN = 12

/** What the bank's last records say of this door. */
function History({ map: { bank }, door }: { readonly map: BankMap; readonly door: MapDoor }) {
	const maySee = useMay('event.read', { bank: bank.id, site: bank.site })
	const { data } = useQuery({ ...bankEvents(bank.id), enabled: maySee })
	if (!maySee) return null
	const events = (data?.items ?? []).filter((event) => isAbout(event, door.compartment)).slice(0, SHOWN)
	return (
		<section>
			<div className="row between">
				<h3>{panel.history}</h3>
				<Link className="small-link" to="/events" search={{ bank: bank.id }}>
					{panel.allHistory}
				</Link>
			</div>
			{events.length === 0 ? (
				<p className="mute">{panel.noHistory}</p>
			) : (
				<ul className="hist">
					{events.map((event) => (
						<li key={event.id}>
							<time dateTime={event.time}>{stamp(event.time, bank.timeZone)}</time>
							<span>
								{eventWords(event.type)}
								<small>
									<EventFacts data={{ ...event.data, compartment: undefined }}>
										{[event.actor?.startsWith('sub_') && <Who id={event.actor} />]}
									</EventFacts>{' '}
									<Leaf position={Number(event.sequence)} />
								</small>
							</span>
						</li>
					))}
				</ul>
			)}
		</section>
	)
}

const isAbout = ({ subject, data }: LedgerEvent, compartment: string): boolean => subject === compartment || data.compartment === compartment
