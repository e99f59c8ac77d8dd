import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Icon } from '../../ui/icon.tsx'
import { serverNow } from '../api.ts'
import { useMay } from '../context.ts'
import { Table } from '../lists.tsx'
import { Card, Empty, OnlineChip, Shown, Title } from '../parts.tsx'
import { overviewNow } from '../queries.ts'
import type { BankSpace } from '../shapes.ts'
import { banks as words } from '../words/banks.ts'
import { overview, troublesOf } from '../words/overview.ts'
import { site as ofSite } from '../words/site.ts'
import { Bar, isNearlyFull } from './overview-banks.tsx'

/** Every bank, by site. */
export function Banks() {
	const asked = useQuery({ ...overviewNow, refetchInterval: 60_000 })
	return (
		<>
			<Title title={words.title} below={asked.data && words.lead(asked.data.banks.length)} />
			<Shown of={asked}>
				{({ banks }) =>
					banks.length === 0 ? (
						<Card label={words.title}>
							<Empty title={words.empty} note={words.emptyNote} />
						</Card>
					) : (
						[...Map.groupBy(banks, ({ site }) => site)].map(([site, some]) => <SiteCard key={site} site={site} banks={some} />)
					)
				}
			</Shown>
		</>
	)
}

function SiteCard({ site, banks }: { readonly site: string; readonly banks: readonly BankSpace[] }) {
	const name = banks[0]?.siteName ?? ''
	const maySee = useMay('estate.read', { site })
	return (
		<Card
			title={name}
			flush
			end={
				maySee && (
					<Link to="/sites/$site" params={{ site }} className="btn small">
						<Icon name="key" />
						{ofSite.keyOf(name)}
					</Link>
				)
			}
		>
			<Table heads={[words.bank, words.state, { text: words.space, as: 'wide' }, words.open, words.heard]}>
				{banks.map((one) => (
					<tr key={one.bank}>
						<th scope="row">
							<Link to="/banks/$bank" params={{ bank: one.bank }}>
								{one.name}
							</Link>
						</th>
						<td data-label={words.state}>
							<OnlineChip online={one.online} outage={one.outage} heard={one.seenAt !== undefined} />
							{troublesOf(one).map(({ kind, title }) => (
								<p key={kind} className="bank-trouble">
									<Icon name="alarm" />
									{title.replace(`${one.name}: `, '')}
								</p>
							))}
						</td>
						<td data-label={words.space}>
							<span className="nowrap">{one.seenAt === undefined ? overview.unheard : overview.freeWord(one.free, one.compartments)}</span>
							<Bar share={one.seenAt === undefined ? 0 : 1 - one.free / one.compartments} full={isNearlyFull(one)} />
						</td>
						<td data-label={words.open}>{one.open + one.alarms === 0 ? '0' : <b>{one.open + one.alarms}</b>}</td>
						<td className="nowrap" data-label={words.heard}>
							{one.seenAt === undefined ? words.never : words.ago(serverNow() - Date.parse(one.seenAt))}
						</td>
					</tr>
				))}
			</Table>
		</Card>
	)
}
