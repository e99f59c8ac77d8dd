import { Link } from '@tanstack/react-router'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { useEstate } from '../estate.ts'
import { Card, Empty } from '../parts.tsx'
import type { BankSpace, Overview } from '../shapes.ts'
import { clock, when } from '../time.ts'
import { troublesOf, overview as words } from '../words/overview.ts'

/** A bank with less than this share free is nearly full, whatever keeps the rest from being given. */
const NEARLY_FULL = 0.1
export const isNearlyFull = ({ free, compartments, seenAt }: BankSpace): boolean =>
	seenAt !== undefined && compartments > 0 && free / compartments < NEARLY_FULL

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
export function Sites({ banks }: { readonly banks: readonly BankSpace[] }) {
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
export function Lanes({ overview: { banks, outages, at } }: { readonly overview: Overview }) {
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
export function Space({ banks }: { readonly banks: readonly BankSpace[] }) {
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
