import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEstate } from '../estate.ts'
import { Card, Room, Title } from '../parts.tsx'
import { overviewNow } from '../queries.ts'
import type { Overview } from '../shapes.ts'
import { longTime, zoneName } from '../time.ts'
import { needing, silentParts, overview as words } from '../words/overview.ts'
import { count, general } from '../words/shell.ts'
import { isNearlyFull, Lanes, Sites, Space } from './overview-banks.tsx'
import { PerHour } from './overview-chart.tsx'
import { Needs } from './overview-needs.tsx'

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
				<PerHour hours={overview.doorsPerHour} clocks={estate.several} />
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
