import { useInfiniteQuery } from '@tanstack/react-query'
import { More, Table } from '../lists.tsx'
import { Card, Chip, Empty, Shown } from '../parts.tsx'
import { ownDecisions, ownOpenings } from '../queries.ts'
import type { OwnDecision, OwnOpening } from '../shapes.ts'
import { longTime, when } from '../time.ts'
import { afar, said } from '../words/own.ts'

/** What banks said to whoever reads this, with what would help: "why can't I open this?". */
export function OwnDecisions() {
	const asked = useInfiniteQuery(ownDecisions)
	return (
		<Card title={said.title} flush>
			<p className="mute small-print inset">{said.lead}</p>
			<Shown of={asked}>
				{({ pages }) => {
					const items = pages.flatMap((page) => page.items)
					if (items.length === 0) return <Empty title={said.none} note={said.noneNote} />
					return (
						<>
							<Table heads={[said.what, said.when, said.where, said.answer]}>
								{items.map((one) => (
									<tr key={`${one.id} ${one.position}`}>
										<th scope="row">{said.wanted(one)}</th>
										<At of={one} label={said.when} />
										<td data-label={said.where}>{said.place(one.place)}</td>
										<td data-label={said.answer}>
											<Answer of={one} />
										</td>
									</tr>
								))}
							</Table>
							<More of={asked} />
						</>
					)
				}}
			</Shown>
		</Card>
	)
}

function Answer({ of }: { readonly of: OwnDecision }) {
	if (of.effect === 'allow')
		return (
			<Chip tone="ok" icon="check">
				{said.allowed}
			</Chip>
		)
	const [why, help] = said.why(of, (at) => longTime(at, of.place?.timeZone ?? 'UTC'))
	return (
		<span className="own-answer">
			<Chip tone="bad" icon="x">
				{said.refused}
			</Chip>
			<span>{why}</span>
			<span className="soft">{help}</span>
		</span>
	)
}

/** Doors with something of theirs behind them that somebody opened from afar: nobody does that unseen (trust.md T18). */
export function OwnOpenings() {
	const asked = useInfiniteQuery(ownOpenings)
	return (
		<Card title={afar.title} flush>
			<p className="mute small-print inset">{afar.lead}</p>
			<Shown of={asked}>
				{({ pages }) => {
					const items = pages.flatMap((page) => page.items)
					if (items.length === 0) return <Empty title={afar.none} />
					return (
						<>
							<Table heads={[afar.what, afar.when, afar.where, afar.why, afar.who, afar.became]}>
								{items.map((one) => (
									<tr key={one.command}>
										<th scope="row">{one.case.label || one.case.number}</th>
										<At of={one} label={afar.when} />
										<td data-label={afar.where}>{afar.place(one)}</td>
										<td data-label={afar.why}>{afar.reason(one.reason)}</td>
										<td data-label={afar.who}>{afar.by(one)}</td>
										<td data-label={afar.became}>
											<Became of={one} />
										</td>
									</tr>
								))}
							</Table>
							<More of={asked} />
						</>
					)
				}}
			</Shown>
		</Card>
	)
}

function Became({ of: { state } }: { readonly of: OwnOpening }) {
	const [tone, icon] =
		state === 'done' ? (['info', 'door-open'] as const) : state === 'failed' ? (['warn', 'unknown'] as const) : (['plain', 'clock'] as const)
	return (
		<Chip tone={tone} icon={icon}>
			{afar.states[state]}
		</Chip>
	)
}

/** The time of the place: whoever reads may see no sites. */
const At = ({ of: { at, place }, label }: { readonly of: { readonly at: string; readonly place?: OwnOpening['place'] }; readonly label: string }) => (
	<td className="nowrap" data-label={label}>
		<time dateTime={at}>{when(at, place?.timeZone ?? 'UTC')}</time>
	</td>
)
