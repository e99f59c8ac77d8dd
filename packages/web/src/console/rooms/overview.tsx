import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Card, Dialog, Empty, Form, Reasons, Room, Segments, Title } from '../parts.tsx'
import { overviewNow } from '../queries.ts'
import type { BankSpace, Overview, Task } from '../shapes.ts'
import { clock, longTime, useNow, when, zoneName } from '../time.ts'
import { completion, hour, needing, silentParts, standing, taskWords, troublesOf, overview as words } from '../words/overview.ts'
import { count, general } from '../words/shell.ts'

/** A bank with less than this share free is nearly full, whatever keeps the rest from being given. */
const NEARLY_FULL = 0.1
export const isNearlyFull = ({ free, compartments, seenAt }: BankSpace): boolean =>
	seenAt !== undefined && compartments > 0 && free / compartments < NEARLY_FULL

/** What needs a person comes first, then the calm. */
export function OverviewRoom() {
	const asked = useQuery({ ...overviewNow, refetchInterval: 60_000 })
	return <Room of={asked}>{(overview) => <Filled overview={overview} />}</Room>
}

function Filled({ overview }: { readonly overview: Overview }) {
	const { banks } = overview
	const estate = useEstate()
	const n = needing(overview)
	const sites = new Set(banks.map(({ site }) => site)).size
	const all = banks.reduce((sum, { compartments }) => sum + compartments, 0)
	return (
		<>
			<Title
				title={words.title(n)}
				below={
					<>
						{words.lead(n, banks.filter(({ outage }) => outage === 'raw').length)} {longTime(overview.at, estate.home)} (
						{general.timesOf(zoneName(estate.home))}) · {words.size(sites, banks.length, all)}
					</>
				}
			/>
			<Figures overview={overview} all={all} />
			<div className="cols overview-cols">
				<Card title={words.needs} flush>
					<Needs overview={overview} />
				</Card>
				<Card title={words.sites} flush>
					<Sites banks={banks} />
				</Card>
			</div>
			<div className="cols overview-below">
				<PerHour hours={overview.doorsPerHour} />
				<Card
					title={words.space}
					end={
						<Link to="/banks" className="small-link">
							{words.allBanks}
						</Link>
					}
				>
					<Space banks={banks} />
				</Card>
				<Lanes overview={overview} />
			</div>
		</>
	)
}

function Figures({ overview: { banks, counts }, all }: { readonly overview: Overview; readonly all: number }) {
	const free = banks.reduce((sum, one) => sum + one.free, 0)
	const toCheck = banks.reduce((sum, one) => sum + one.toCheck, 0)
	const unknown = banks.reduce((sum, one) => sum + (one.seenAt === undefined ? 0 : one.unknown), 0)
	const full = banks.filter(isNearlyFull)
	const heard = banks.filter(({ seenAt, outage }) => seenAt !== undefined && outage !== 'confirmed')
	const parts = silentParts(
		heard.reduce((sum, one) => sum + one.silentBoards.length, 0),
		heard.reduce((sum, one) => sum + one.silentReaders.length, 0),
	)
	const raw = banks.filter(({ outage }) => outage === 'raw').length
	const confirmed = banks.filter(({ outage }) => outage === 'confirmed').length
	return (
		<Card label={words.numbers} flush>
			<dl className="kpis">
				<Figure name={words.free} value={count(free)} unit={words.freeOf(all)} note={words.freeNote(toCheck, unknown)} />
				<Figure name={words.doors} value={count(counts.doorsToday)} note={words.doorsNote} />
				<Figure name={words.overdue} value={count(counts.overdueLoans)} note={words.overdueNote(counts.cases)} />
				<Figure name={words.full} value={count(full.length)} note={words.fullNote(full.map(({ name }) => name))} />
				<Figure
					name={words.outages}
					value={count(raw + confirmed)}
					note={raw + confirmed === 0 && parts !== undefined ? words.partsNote(parts) : words.outagesNote(raw, confirmed)}
				/>
			</dl>
		</Card>
	)
}

function Figure({ name, value, unit, note }: { readonly name: string; readonly value: string; readonly unit?: string; readonly note: string }) {
	return (
		<div className="kpi">
			<dt>{name}</dt>
			<dd className="v">
				{value} {unit !== undefined && <small>{unit}</small>}
			</dd>
			<dd className="n">{note}</dd>
		</div>
	)
}

const TASK_ICONS: Readonly<Record<string, readonly [icon: IconName, tone: string]>> = {
	'close-door': ['door-open', 'open'],
	conflict: ['case', 'warn'],
	pull: ['take', 'info'],
	'after-revocation': ['alarm', 'bad'],
	'over-limit': ['case', 'warn'],
	'wrong-item': ['stop', 'quar'],
	'missing-item': ['alarm', 'bad'],
	ambiguous: ['lens', 'warn'],
	'check-compartment': ['lens', 'warn'],
}

function Needs({ overview: { tasks, doors, banks, counts } }: { readonly overview: Overview }) {
	const now = useNow()
	const [doing, setDoing] = useState<Overview['tasks'][number]>()
	const away = banks.filter(({ outage }) => outage === 'confirmed')
	const silent = banks.filter(({ outage }) => outage === 'raw')
	const troubles = banks.flatMap((one) => troublesOf(one).map((trouble) => ({ ...trouble, bank: one.bank })))
	if (tasks.length + doors.length + away.length + silent.length + troubles.length === 0)
		return (
			<>
				<Empty title={words.calm} note={words.calmNote} />
				<Settled n={counts.settledAtBanks} />
			</>
		)
	const rest = counts.tasks - tasks.length + counts.doors - doors.length
	return (
		<>
			<ul className="incs">
				{[...away, ...silent].map(({ bank, name, outage, outageSince }) => (
					<li key={bank} className="inc">
						<span className={`badge ${outage === 'confirmed' ? 'bad' : 'plain'}`}>
							<Icon name="offline" />
						</span>
						<div>
							<h3>{words.bankAway(name)}</h3>
							<p>{words.bankAwayNote(outage === 'confirmed', now - Date.parse(outageSince ?? ''))}</p>
						</div>
						<Link className="btn small" to="/banks/$bank" params={{ bank }}>
							{words.seeBank}
						</Link>
					</li>
				))}
				{troubles.map(({ kind, bank, title, text }) => (
					<li key={`${bank}/${kind}`} className="inc">
						<span className="badge bad">
							<Icon name={kind === 'parts' ? 'offline' : 'alarm'} />
						</span>
						<div>
							<h3>{title}</h3>
							<p>{text}</p>
						</div>
						<Link className="btn small" to="/banks/$bank" params={{ bank }}>
							{words.seeBank}
						</Link>
					</li>
				))}
				{doors.map((one) => (
					<li key={one.compartment} className="inc">
						<span className={one.alarm === 'left-open' ? 'badge open' : 'badge bad'}>
							<Icon name={one.alarm === 'left-open' ? 'door-open' : 'alarm'} />
						</span>
						<div>
							<h3>{standing(one).title}</h3>
							<p>
								{standing(one).text} {words.waiting(now - Date.parse(one.since))}
							</p>
						</div>
						<Link className="btn small" to="/banks/$bank" params={{ bank: one.bank }} search={{ door: one.door }}>
							{words.seeDoor}
						</Link>
					</li>
				))}
				{tasks.map((task) => (
					<TaskRow key={task.id} task={task} now={now} done={() => setDoing(task)} />
				))}
			</ul>
			{rest > 0 && <p className="foot mute">{words.more(rest)}</p>}
			<Settled n={counts.settledAtBanks} />
			{doing && <CompleteTask task={doing} about={taskWords(doing).title(placeOf(doing))} close={() => setDoing(undefined)} />}
		</>
	)
}

/** The calm below: what nobody had to do. */
function Settled({ n }: { readonly n: number }) {
	if (n === 0) return null
	return (
		<div className="inc settled">
			<span className="badge ok">
				<Icon name="check" />
			</span>
			<div>
				<h3>{words.settled(n)}</h3>
				<p>{words.settledNote}</p>
			</div>
		</div>
	)
}

/** A door that something was done to, and not only one that a person has to look into. */
const ALARMING: ReadonlySet<string> = new Set(['forced', 'opened-while-down', 'stuck'])

const placeOf = ({ bankName, door, caseNumber }: Overview['tasks'][number]): string =>
	door !== undefined ? `Door ${door}, ${bankName}` : caseNumber !== undefined ? `${caseNumber}, ${bankName}` : bankName

function TaskRow({ task, now, done }: { readonly task: Overview['tasks'][number]; readonly now: number; done(): void }) {
	const { kind, bank, door, openedAt } = task
	const { title, text } = taskWords(task)
	const [icon, tone] = ALARMING.has(String(task.detail.why)) ? (['alarm', 'bad'] as const) : (TASK_ICONS[kind] ?? ['alarm', 'warn'])
	const mayDo = useMay('case.manage', { bank, site: task.site })
	return (
		<li className="inc">
			<span className={`badge ${tone}`}>
				<Icon name={icon} />
			</span>
			<div>
				<h3>{title(placeOf(task))}</h3>
				<p>
					{text} {words.waiting(now - Date.parse(openedAt))}
				</p>
			</div>
			<div className="row">
				{mayDo && (
					<button type="button" className="btn small quiet" onClick={done}>
						{words.done}
					</button>
				)}
				{kind === 'conflict' && task.case !== undefined ? (
					<Link className="btn small" to="/cases/$case" params={{ case: task.case }}>
						{words.seeCase}
					</Link>
				) : (
					<Link className="btn small" to="/banks/$bank" params={{ bank }} search={door === undefined ? {} : { door }}>
						{door === undefined ? words.seeBank : words.seeDoor}
					</Link>
				)}
			</div>
		</li>
	)
}

export function CompleteTask({ task, about, close }: { readonly task: Pick<Task, 'id'>; readonly about: string; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={completion.title} lead={completion.lead(about)} close={close}>
			<Form
				submit={completion.submit}
				cancel={close}
				send={async (form) => {
					await send('POST', `/v1/tasks/${task.id}/completions`, { how: form.get('how') })
					await Promise.all([client.invalidateQueries({ queryKey: ['overview'] }), client.invalidateQueries({ queryKey: ['tasks'] })])
					close()
				}}
			>
				<Reasons legend={completion.how} name="how" reasons={completion.ways} />
			</Form>
		</Dialog>
	)
}

type SiteState = keyof typeof words.siteState
/** The worst that is known of its banks. */
const siteState = (banks: readonly BankSpace[]): SiteState =>
	banks.some(({ outage }) => outage === 'confirmed')
		? 'offline'
		: banks.some((one) => troublesOf(one).length > 0)
			? 'trouble'
			: banks.some(isNearlyFull)
				? 'full'
				: banks.every(({ seenAt }) => seenAt === undefined)
					? 'unheard'
					: 'running'
const SITE_LOOKS: Readonly<Record<SiteState, readonly [icon: IconName, tone: string]>> = {
	running: ['check', 'ok'],
	full: ['alarm', 'warn'],
	trouble: ['alarm', 'bad'],
	offline: ['offline', 'bad'],
	unheard: ['unknown', 'plain'],
}

/** The places first that need a look. */
function Sites({ banks }: { readonly banks: readonly BankSpace[] }) {
	if (banks.length === 0) return <Empty title={words.noBanks} note={words.noBanksNote} />
	const order = Object.keys(words.siteState).reverse()
	const sites = [...Map.groupBy(banks, ({ site }) => site)]
		.map(([site, own]) => ({ site, own, name: own[0]?.siteName ?? '', state: siteState(own) }))
		.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.name.localeCompare(b.name))
	return (
		<ul className="sites">
			{sites.map(({ site, own, name, state }) => {
				const [icon, tone] = SITE_LOOKS[state]
				const sum = (of: (one: BankSpace) => number) => own.reduce((all, one) => all + of(one), 0)
				return (
					<li key={site} className="inc">
						<span className={`badge ${tone}`}>
							<Icon name={icon} />
						</span>
						<div>
							<h3>{name}</h3>
							<p>
								{words.siteBanks(own.length)} · {words.siteState[state]}
							</p>
						</div>
						<span className="soft">
							{words.freeWord(
								sum(({ free }) => free),
								sum(({ compartments }) => compartments),
							)}
						</span>
					</li>
				)
			})}
		</ul>
	)
}

const DAY_MS = 86_400_000
/** Shorter than that is drawn as a dot, or nobody would see it. */
const DOT_MS = DAY_MS / 60

/** One line a bank that was silent, over the last day. */
function Lanes({ overview: { banks, outages, at } }: { readonly overview: Overview }) {
	const estate = useEstate()
	const end = Date.parse(at)
	const silent = banks.filter(({ bank }) => outages.some((one) => one.bank === bank))
	const legend = (
		<>
			<span className="key raw">{words.lanesRaw}</span> <span className="key confirmed">{words.lanesConfirmed}</span>
		</>
	)
	if (silent.length === 0)
		return (
			<Card title={words.lanes}>
				<Empty title={words.lanesNone} note={words.lanesNoneNote} />
			</Card>
		)
	return (
		<Card title={words.lanes} end={legend}>
			<ul className="lanes">
				{silent.slice(0, 8).map(({ bank, name, timeZone }) => (
					<li key={bank}>
						<Link to="/banks/$bank" params={{ bank }}>
							{name}
						</Link>
						<span className="lane">
							{outages
								.filter((one) => one.bank === bank)
								.map(({ from, to, confirmed }) => {
									const [left, right] = [Math.max(Date.parse(from), end - DAY_MS), to === undefined ? end : Date.parse(to)]
									const dot = right - left < DOT_MS
									const place = (ms: number) => `${((ms - (end - DAY_MS)) / DAY_MS) * 100}%`
									return (
										<span
											key={from}
											className={`outage ${confirmed ? 'confirmed' : 'raw'}${dot ? ' dot' : ''}`}
											style={{ left: place(dot ? (left + right) / 2 : left), ...(!dot && { width: `${((right - left) / DAY_MS) * 100}%` }) }}
										>
											<span className="unseen">{words.laneSaid(confirmed, when(from, timeZone), to && when(to, timeZone))}</span>
										</span>
									)
								})}
						</span>
					</li>
				))}
			</ul>
			<p className="lane-axis" aria-hidden="true">
				<span>{clock(end - DAY_MS, estate.home)}</span>
				<span>{clock(end - DAY_MS / 2, estate.home)}</span>
				<span>{words.lanesNow}</span>
			</p>
			{banks.length > silent.length && <p className="mute">{words.lanesMore(banks.length - silent.length)}</p>}
		</Card>
	)
}

/** A bar, and beside it the same in words; for assistive technology a table. */
function Space({ banks }: { readonly banks: readonly BankSpace[] }) {
	if (banks.length === 0) return <Empty title={words.noBanks} note={words.noBanksNote} />
	const fullestFirst = [...banks].sort((a, b) => a.free / a.compartments - b.free / b.compartments).slice(0, 8)
	return (
		<table className="space">
			<caption className="unseen">{words.space}</caption>
			<thead className="unseen">
				<tr>
					<th scope="col">{words.bank}</th>
					<th scope="col">{words.space}</th>
				</tr>
			</thead>
			<tbody>
				{fullestFirst.map((one) => {
					const full = isNearlyFull(one)
					return (
						<tr key={one.bank}>
							<th scope="row">
								<Link to="/banks/$bank" params={{ bank: one.bank }}>
									{one.name}
								</Link>
							</th>
							<td className={full ? 'strong' : 'soft'}>
								{one.seenAt === undefined ? (
									words.unheard
								) : (
									<>
										{full && (
											<>
												<Icon name="alarm" />
												<span className="unseen">{words.nearlyFull}: </span>
											</>
										)}
										{words.freeWord(one.free, one.compartments)}
									</>
								)}
								<Bar share={one.seenAt === undefined ? 0 : 1 - one.free / one.compartments} full={full} />
							</td>
						</tr>
					)
				})}
			</tbody>
		</table>
	)
}

export function Bar({ share, full }: { readonly share: number; readonly full: boolean }) {
	return (
		<svg className={full ? 'bar full' : 'bar'} viewBox="0 0 100 9" preserveAspectRatio="none" aria-hidden="true">
			<rect className="bar-all" width="100" height="9" />
			<rect className="bar-used" width={Math.round(share * 100)} height="9" />
		</svg>
	)
}

/** Margins grow with the letters that stand in them. */
const chartSize = (letter: number) => ({ height: 152 + 38 * letter, left: 34 * letter, bottom: 22 * letter, top: 16 * letter })
/** Below this width every other label of an hour is left out. */
const NARROW_CHART = 400

/** Its table twin has the same numbers; the text alternative says the finding. */
function PerHour({ hours }: { readonly hours: readonly number[] }) {
	const [view, setView] = useState<'chart' | 'table'>('chart')
	const most = Math.max(0, ...hours)
	const end = (
		<Segments<'chart' | 'table'>
			label={words.perHour}
			value={view}
			options={[
				['chart', words.asChart],
				['table', words.asTable],
			]}
			choose={setView}
		/>
	)
	if (most === 0)
		return (
			<Card title={words.perHour}>
				<Empty title={words.perHourEmpty} />
			</Card>
		)
	return (
		<Card title={words.perHour} end={end}>
			{view === 'chart' ? (
				<Chart hours={hours} most={most} />
			) : (
				<div className="scroll">
					<table className="data">
						<thead>
							<tr>
								<th scope="col">{words.hour}</th>
								<th scope="col">{words.doorsColumn}</th>
							</tr>
						</thead>
						<tbody>
							{hours.map((n, i) => (
								// biome-ignore lint/suspicious/noArrayIndexKey: the hour is the place in the list.
								<tr key={i}>
									<th scope="row">
										{hour(i)}–{hour(i + 1)}
									</th>
									<td>{count(n)}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</Card>
	)
}

function Chart({ hours, most }: { readonly hours: readonly number[]; readonly most: number }) {
	const drawn = useRef<SVGSVGElement>(null)
	const [{ width, letter }, setSize] = useState({ width: 720, letter: 1 })
	const { height, left, bottom, top } = chartSize(letter)
	// Drawn as wide as its card: a picture that is scaled has letters that are scaled.
	useEffect(() => {
		if (!drawn.current) return
		const observer = new ResizeObserver(([entry]) => {
			const letter = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16
			setSize({ width: Math.round(entry?.contentRect.width ?? 720), letter })
		})
		observer.observe(drawn.current)
		return () => observer.disconnect()
	}, [])
	const step = (width - left) / 24
	const tall = (n: number) => ((height - bottom - top) * n) / most
	const floor = height - bottom
	return (
		<svg className="chart" ref={drawn} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words.perHourSaid(hours)}>
			{[0, most].map((n) => (
				<g key={n}>
					<line className="grid" x1={left} x2={width} y1={floor - tall(n)} y2={floor - tall(n)} />
					<text x={left - 8} y={floor - tall(n) + 4 * letter} textAnchor="end">
						{count(n)}
					</text>
				</g>
			))}
			{hours.slice(0, 24).map((n, i) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: the hour is the place in the list.
				<g key={i}>
					<rect
						className="chart-bar"
						x={left + i * step + 3}
						y={floor - tall(n)}
						width={Math.max(1, step - (width < NARROW_CHART * letter ? 3 : 6))}
						height={tall(n)}
						rx={2}
					/>
					{n === most && (
						<text className="peak" x={left + (i + 0.5) * step} y={floor - tall(n) - 5} textAnchor="middle">
							{count(n)}
						</text>
					)}
				</g>
			))}
			{(width < NARROW_CHART * letter ? [0, 8, 16] : [0, 4, 8, 12, 16, 20]).map((i) => (
				<text key={i} x={left + (i + 0.5) * step} y={height - 5} textAnchor="middle">
					{hour(i)}
				</text>
			))}
		</svg>
	)
}
