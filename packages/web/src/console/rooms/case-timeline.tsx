import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { capital } from '../../ui/words.ts'
import { useEstate } from '../estate.ts'
import { Dotted, EventFacts, useDoors, Who } from '../names.tsx'
import { Card, Empty, Leaf, Segments, Shown } from '../parts.tsx'
import { caseTimeline } from '../queries.ts'
import type { LedgerRecord } from '../shapes.ts'
import { type Chapter, type DoorChapter, storyOf } from '../story.ts'
import { clock, day, longTime } from '../time.ts'
import { caseState, DOOR_ACTS, DOOR_ENDS, EVIDENCE, METHODS, caseRoom as words } from '../words/cases.ts'
import { eventWords } from '../words/events.ts'
import { general, span } from '../words/shell.ts'

const ICONS: readonly (readonly [RegExp, IconName, string])[] = [
	[/conflict|forced|stuck|missing|refused|denied|ambiguous/, 'alarm', 'bad'],
	[/^delivery\.(?:booked)/, 'ticket', 'brand'],
	[/deposited|occupied/, 'put', 'brand'],
	[/collected|emptied|started/, 'take', 'brand'],
	[/ready|closed$|committed|returned/, 'check', 'ok'],
	[/credential|code/, 'keypad', 'plain'],
	[/recalled|expired|overdue|extended|notice|due/, 'clock', 'warn'],
	[/custody/, 'person', 'plain'],
	[/door|compartment/, 'door-open', 'info'],
	[/case/, 'case', 'info'],
]
const iconOf = (type: string): readonly [IconName, string] => {
	const found = ICONS.find(([of]) => of.test(type))
	return found ? [found[1], found[2]] : ['pulse', 'plain']
}

interface TimelineProps {
	readonly id: string
	readonly bank: string
	readonly zone: string
	readonly times: string
}
/** What happened, as a story or record by record, the newest first; each with its position in the ledger. */
export function Timeline({ id, bank, zone, times }: TimelineProps) {
	const asked = useQuery(caseTimeline(id))
	const [view, setView] = useState<'story' | 'all'>('story')
	return (
		<Card
			title={words.timeline}
			end={
				<>
					<span className="mute times">{times}</span>
					<Segments<'story' | 'all'>
						label={words.view}
						value={view}
						options={[
							['story', words.story],
							['all', words.all(asked.data?.items.length ?? 0)],
						]}
						choose={setView}
					/>
				</>
			}
		>
			<Shown of={asked}>
				{({ items, whole }) => {
					const shown = (view === 'story' ? storyOf(items) : items.map((record): Chapter => ({ record }))).toReversed()
					if (shown.length === 0) return <Empty title={words.empty} />
					return (
						<>
							{!whole && <p className="mute">{words.cut}</p>}
							{[...Map.groupBy(shown, ({ record }) => day(record.at, zone))].map(([date, chapters]) => (
								<section key={date}>
									<h3 className="day">{date}</h3>
									<ol className="tl">
										{chapters.map(({ record, door }) =>
											door ? (
												<DoorLine key={record.position} record={record} door={door} bank={bank} zone={zone} />
											) : (
												<RecordLine key={record.position} record={record} bank={bank} zone={zone} bare={view === 'story'} />
											),
										)}
									</ol>
								</section>
							))}
						</>
					)
				}}
			</Shown>
		</Card>
	)
}

interface LineProps {
	readonly record: LedgerRecord
	readonly zone: string
	readonly title: string
	readonly children: ReactNode
	/** What the icon is chosen by. */
	readonly as?: string
}
function Line({ record: { type, at, position }, zone, title, children, as = type }: LineProps) {
	const [icon, tone] = iconOf(as)
	return (
		<li>
			<time dateTime={at}>{clock(at, zone)}</time>
			<span className={`badge ${tone}`}>
				<Icon name={icon} />
			</span>
			<div>
				<h4>{title}</h4>
				<p>{children}</p>
			</div>
			<Leaf position={position} />
		</li>
	)
}

/** Who did it, and whether the bank was alone then. */
const by = ({ actor, offline }: LedgerRecord): readonly ReactNode[] => [actor !== undefined && <Who id={actor} />, offline && words.offline]

interface RecordLineProps {
	readonly record: LedgerRecord
	readonly bank: string
	readonly zone: string
	/** Without what the title says already. */
	readonly bare: boolean
}
function RecordLine({ record, bank, zone, bare }: RecordLineProps) {
	const { type, data } = record
	const otherBank = useEstate().bank(record.bank)
	// It says something of this case, and puts words into people's mouths: neither is told as what happened.
	if (record.foreign)
		return (
			<Line record={record} zone={zone} title={words.foreign} as="conflict">
				{words.foreignSays(otherBank, eventWords(type))}
			</Line>
		)
	const outage = type === 'case.moved' ? outageIn(data.step) : undefined
	if (outage)
		return (
			<Line record={record} zone={zone} title={words.outage} as="extended">
				{words.outageLasted(longTime(outage.from, zone), longTime(outage.to, zone))}
			</Line>
		)
	const to = typeof data.to === 'string' && type === 'case.moved' ? caseState(data.to)[0] : undefined
	const { state: _, ...rest } = data
	const due = typeof data.due === 'number' ? words.due(longTime(data.due, zone)) : undefined
	return (
		<Line record={record} zone={zone} title={to ?? eventWords(type)}>
			{bare && to !== undefined ? (
				<Dotted>{by(record)}</Dotted>
			) : (
				<EventFacts data={bare ? rest : data} bank={bank}>
					{[due, ...by(record)]}
				</EventFacts>
			)}
		</Line>
	)
}

/** A step that was made because the bank could not serve (X19). */
const outageIn = (step: unknown): { readonly from: number; readonly to: number } | undefined => {
	const { kind, from, to } = (step ?? {}) as Readonly<Record<string, unknown>>
	return kind === 'outage' && typeof from === 'number' && typeof to === 'number' ? { from, to } : undefined
}

/** A door session from the pulse to its proof in one line. */
function DoorLine({
	record,
	door,
	bank,
	zone,
}: {
	readonly record: LedgerRecord
	readonly door: DoorChapter
	readonly bank: string
	readonly zone: string
}) {
	const number = useDoors(bank)?.get(door.compartment ?? '')
	const where = words.door(number === undefined ? words.aDoor : general.door(number), useEstate().bank(bank))
	const proof = door.end === 'committed' ? EVIDENCE[door.evidence ?? -1] : DOOR_ENDS[door.end ?? '']
	const acted = [METHODS[door.method ?? ''], DOOR_ACTS[door.act ?? '']].filter(Boolean).join(' ')
	return (
		<Line
			record={record}
			zone={zone}
			title={record.type === 'door-session.not-opened' ? words.notOpened(where) : words.opened(where)}
			as={`door-session.${door.end}`}
		>
			<Dotted>{[capital(acted), door.openMs !== undefined && words.openFor(span(door.openMs)), proof, ...by(record)]}</Dotted>
		</Line>
	)
}
