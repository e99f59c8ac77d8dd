import { instantAt, minutes } from '@latchwork/core/base'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { daysBetween } from '../../ui/time.ts'
import { capital } from '../../ui/words.ts'
import { send, serverNow } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { AssetTag, Dotted, EventFacts, useCaseName, useDoors, useName, Who } from '../names.tsx'
import { Card, Chip, Dialog, Empty, Field, Form, Leaf, Reasons, Room, Secret, Segments, Select, Shown, StateChip, Title } from '../parts.tsx'
import { ProofCard } from '../proof-card.tsx'
import { caseTasks, caseTimeline, oneCase } from '../queries.ts'
import type { CaseDetail, LedgerRecord, Task } from '../shapes.ts'
import { type Chapter, type DoorChapter, storyOf, wayOf } from '../story.ts'
import { clock, day, longTime, when, zoneName } from '../time.ts'
import { caseState, DOOR_ACTS, DOOR_ENDS, EVIDENCE, METHODS, NOTICES, WORKFLOWS, caseRoom as words } from '../words/cases.ts'
import { eventWords } from '../words/events.ts'
import { taskWords } from '../words/overview.ts'
import { general, span } from '../words/shell.ts'
import { CompleteTask } from './overview-needs.tsx'

/** One case from end to end: where it stands, what happened, and the proof that nothing of it was changed. */
export function CaseRoom() {
	const { case: id } = useParams({ from: '/cases/$case' })
	const asked = useQuery({ ...oneCase(id), refetchInterval: 60_000 })
	return (
		<Room of={asked} back={{ to: '/cases', what: 'case' }}>
			{(detail) => <Filled key={detail.id} detail={detail} />}
		</Room>
	)
}

type Asking = 'extend' | 'recall' | 'code' | 'show'

function Filled({ detail }: { readonly detail: CaseDetail }) {
	const { id, number, workflow, state, bank, site } = detail
	const mayManage = useMay('case.manage', { bank, site })
	const { data: tasks } = useQuery(caseTasks(id))
	const owner = useName(detail.owner)
	const knowsPeople = useMay('people.read')
	const [asking, setAsking] = useState<Asking>()
	const [doing, setDoing] = useState<Task>()
	const estate = useEstate()
	const bankName = estate.bank(bank)
	const zone = estate.zone({ bank, site })
	const siteName = estate.site(site)
	const times = siteName === undefined ? general.timesOf(zoneName(zone)) : general.timesAt(siteName)
	const isDelivery = workflow === 'delivery'
	const open = detail.endedAt === undefined
	// What was called back gets no more time and no code; before something waits to be collected there is no time to give.
	const recalled = detail.recalledAt !== undefined
	const extendable = estate.known && !recalled && detail.deadlines['collect-by'] !== undefined
	const done = () => setAsking(undefined)
	return (
		<>
			<Title
				title={useCaseName(detail)}
				above={
					<p className="row above">
						<Chip tone="brand" icon={isDelivery ? 'box' : 'laptop'}>
							{WORKFLOWS[workflow] ?? workflow}
						</Chip>
						<span className="mute">{number}</span>
						<StateChip state={caseState(state)} />
					</p>
				}
				below={
					<>
						{owner === null && knowsPeople ? words.recipientNone : <Who id={detail.owner} />} ·{' '}
						{bankName !== undefined && (
							<Link to="/banks/$bank" params={{ bank }}>
								{bankName}
							</Link>
						)}
						{open && detail.dueAt !== undefined && <> · {words.until(longTime(detail.dueAt, zone))}</>}
					</>
				}
				end={
					isDelivery &&
					open &&
					mayManage &&
					!recalled && (
						<>
							{extendable && (
								<button type="button" className="btn" onClick={() => setAsking('extend')}>
									{words.extend}
								</button>
							)}
							<button type="button" className="btn danger" onClick={() => setAsking('recall')}>
								{words.recall}
							</button>
							<button type="button" className="btn primary" onClick={() => setAsking('code')}>
								<Icon name="keypad" />
								{words.newCode}
							</button>
						</>
					)
				}
			/>
			{detail.conflict !== undefined && (
				<div className="banner bad">
					<Icon name="case" />
					<span>
						<b>{words.conflict}. </b>
						{words.conflictText}
					</span>
				</div>
			)}
			<Steps detail={detail} zone={zone} />
			<div className="cols case-cols">
				<div className="stack">
					<Timeline id={id} zone={zone} times={times} bank={bank} />
					<Lines detail={detail} />
					{detail.notices.length > 0 && <Notices notices={detail.notices} zone={zone} />}
				</div>
				<div className="stack">
					{tasks && tasks.items.length > 0 && (
						<Card title={words.tasks} flush>
							<ul className="incs">
								{tasks.items.map((task) => (
									<li key={task.id} className="inc">
										<span className="badge warn">
											<Icon name="lens" />
										</span>
										<div>
											<h3>{taskWords(task).title(number)}</h3>
											<p>{taskWords(task).text}</p>
											{mayManage && (
												<button type="button" className="btn small" onClick={() => setDoing(task)}>
													{words.taskDone}
												</button>
											)}
										</div>
									</li>
								))}
							</ul>
						</Card>
					)}
					{isDelivery && <Code detail={detail} zone={zone} show={mayManage ? () => setAsking('show') : undefined} />}
					{detail.recipient && <Recipient recipient={detail.recipient} />}
					<Proof id={id} />
				</div>
			</div>
			{asking === 'extend' && <Extend detail={detail} zone={zone} times={times} close={done} />}
			{asking === 'recall' && <Recall id={id} close={done} />}
			{asking === 'code' && <NewCode id={id} close={done} />}
			{asking === 'show' && <ShowCode id={id} close={done} />}
			{doing && <CompleteTask task={doing} about={taskWords(doing).title(number)} close={() => setDoing(undefined)} />}
		</>
	)
}

/** Done is filled with a check, now is a ring with a halo, later is an outline with a number; an end that nobody wished for has no check. */
function Steps({ detail, zone }: { readonly detail: CaseDetail; readonly zone: string }) {
	const { data } = useQuery(caseTimeline(detail.id))
	const steps = data ? wayOf(detail, data.items) : []
	if (steps.length === 0) return null
	const [word, tone] = caseState(detail.state)
	return (
		<Card label={words.steps}>
			<ol className="steps">
				{steps.map((step, i) => {
					const here = step.kind === 'now' || step.kind === 'ended'
					return (
						<li key={step.word} className={step.kind === 'ended' ? 'done' : step.kind} {...(here && { 'aria-current': 'step' as const })}>
							<span className="pt" aria-hidden="true">
								{step.kind === 'done' || (step.kind === 'ended' && tone === 'ok') ? (
									<Icon name="check" />
								) : step.kind === 'ended' ? (
									<Icon name="slash" />
								) : (
									i + 1
								)}
							</span>
							{here ? word : step.word}
							<small>{step.kind === 'now' ? words.now : step.at === undefined ? ' ' : when(step.at, zone)}</small>
						</li>
					)
				})}
			</ol>
		</Card>
	)
}

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
function Timeline({ id, bank, zone, times }: TimelineProps) {
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

function Lines({ detail: { lines, workflow, bank } }: { readonly detail: CaseDetail }) {
	const doors = useDoors(bank)
	const where = (compartment: string | undefined): ReactNode => {
		const door = doors?.get(compartment ?? '')
		if (door === undefined) return words.notThere
		return (
			<Link to="/banks/$bank" params={{ bank }} search={{ door }}>
				{general.door(door)}
			</Link>
		)
	}
	return (
		<Card title={workflow === 'delivery' ? words.parcels : words.items} flush>
			<div className="scroll">
				<table className="data cards">
					<thead>
						<tr>
							<th scope="col">{words.label}</th>
							<th scope="col">State</th>
							<th scope="col">{words.where}</th>
							<th scope="col">{words.size}</th>
							<th scope="col">{words.custody}</th>
						</tr>
					</thead>
					<tbody>
						{lines.map((line, i) => (
							<tr key={line.id}>
								<th scope="row">{line.tag ?? line.label ?? <AssetTag id={line.asset} other={String(i + 1)} />}</th>
								<td data-label="State">
									<StateChip state={caseState(line.state)} />
									{line.unverified && <small className="mute"> {words.unverified}</small>}
								</td>
								<td data-label={words.where}>{where(line.compartment)}</td>
								<td data-label={words.size}>{line.size ?? '–'}</td>
								<td data-label={words.custody}>
									{line.custodian === 'sender' ? words.withSender : line.custodian.startsWith('bnk_') ? words.inBank : <Who id={line.custodian} />}
								</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</Card>
	)
}

function Notices({ notices, zone }: { readonly notices: CaseDetail['notices']; readonly zone: string }) {
	return (
		<Card title={words.notices} flush>
			<div className="scroll">
				<table className="data cards">
					<thead>
						<tr>
							<th scope="col">{words.notice}</th>
							<th scope="col">{words.dueAt}</th>
						</tr>
					</thead>
					<tbody>
						{notices.map(({ id, kind, dueAt }) => (
							<tr key={id}>
								<th scope="row">{NOTICES[kind] ?? capital(kind.replaceAll('-', ' '))}</th>
								<td data-label={words.dueAt}>{when(dueAt, zone)}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</Card>
	)
}

interface CodeProps {
	readonly detail: CaseDetail
	readonly zone: string
	readonly show: (() => void) | undefined
}
function Code({ detail: { codes }, zone, show }: CodeProps) {
	const live = codes.find(({ state }) => state === 'live')
	return (
		<Card title={words.code}>
			<p className="soft">{live ? words.codeLive(longTime(live.notAfter, zone)) : words.codeNone}</p>
			{live && show && (
				<button type="button" className="btn small" onClick={show}>
					<Icon name="keypad" />
					{words.showCode}
				</button>
			)}
		</Card>
	)
}

/** Contact of somebody without an account: not shown until it is asked for, since the screen may stand at a desk. */
function Recipient({ recipient }: { readonly recipient: NonNullable<CaseDetail['recipient']> }) {
	const [shown, setShown] = useState(false)
	const parts = [recipient.name, recipient.email, recipient.phone].filter(Boolean)
	if (parts.length === 0) return null
	return (
		<Card title={words.recipient}>
			{shown ? (
				parts.map((part) => <p key={part}>{part}</p>)
			) : (
				<button type="button" className="btn small" onClick={() => setShown(true)}>
					{words.recipientShow}
				</button>
			)}
		</Card>
	)
}

function Proof({ id }: { readonly id: string }) {
	const { data } = useQuery(caseTimeline(id))
	return <ProofCard records={data?.items ?? []} />
}

/** So many days can be chosen from. */
const DAYS_AHEAD = 60

interface ExtendProps {
	readonly detail: CaseDetail
	readonly zone: string
	readonly times: string
	close(): void
}
/** Day and time of the site, whatever the browser takes for its own; a day later is proposed. */
function Extend({ detail: { id, deadlines }, zone, times, close }: ExtendProps) {
	const client = useQueryClient()
	const [now] = useState(serverNow)
	const end = Date.parse(deadlines['collect-by'] ?? '')
	const noon = (days: number) => instantAt(now, zone, days, 720)
	const later = Math.max(1, daysBetween(now, end, zone) + 1)
	const days = Array.from({ length: DAYS_AHEAD + later }, (_, i) => [String(i), day(noon(i), zone)] as const)
	return (
		<Dialog title={words.extendTitle} lead={words.extendLead(longTime(end, zone), times)} close={close}>
			<Form
				submit={words.extendSubmit}
				cancel={close}
				send={async (form) => {
					const until = instantAt(now, zone, Number(form.get('day')), minutes(String(form.get('time'))))
					await send('POST', `/v1/deliveries/${id}/extensions`, { until: new Date(until).toISOString() })
					await client.invalidateQueries({ queryKey: ['case', id] })
					close()
				}}
			>
				<Select label={words.extendDay} name="day" options={days} defaultValue={String(later)} />
				<Field
					label={words.extendTime}
					hint={words.extendTimeHint}
					name="time"
					required
					pattern="([01]?[0-9]|2[0-3]):[0-5][0-9]"
					inputMode="numeric"
					autoComplete="off"
					defaultValue={clock(end, zone)}
				/>
			</Form>
		</Dialog>
	)
}

function Recall({ id, close }: { readonly id: string; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.recallTitle} lead={words.recallLead} close={close}>
			<Form
				submit={words.recallSubmit}
				danger
				cancel={close}
				send={async (form) => {
					await send('POST', `/v1/deliveries/${id}/recalls`, { reason: form.get('reason') })
					await client.invalidateQueries({ queryKey: ['case', id] })
					close()
				}}
			>
				<Reasons legend={words.recallReason} name="reason" reasons={words.recallReasons} />
			</Form>
		</Dialog>
	)
}

function NewCode({ id, close }: { readonly id: string; close(): void }) {
	const client = useQueryClient()
	const [code, setCode] = useState<string>()
	return (
		<Dialog title={words.newCode.replace('…', '')} lead={code === undefined ? words.newCodeLead : undefined} close={close}>
			{code === undefined ? (
				<Form
					submit={words.newCodeSubmit}
					cancel={close}
					send={async () => {
						const { pickUpCode } = await send<{ pickUpCode: string | { digits: string } }>('POST', `/v1/deliveries/${id}/codes`, {})
						setCode(digitsOf(pickUpCode))
						await client.invalidateQueries({ queryKey: ['case', id] })
					}}
				>
					{null}
				</Form>
			) : (
				<Secret label={words.codeIs} text={code} note={words.codeOnce} />
			)}
		</Dialog>
	)
}

function ShowCode({ id, close }: { readonly id: string; close(): void }) {
	const client = useQueryClient()
	const [code, setCode] = useState<string>()
	return (
		<Dialog title={words.showCodeTitle} lead={code === undefined ? words.showCodeLead : undefined} close={close}>
			{code === undefined ? (
				<Form
					submit={words.showCodeSubmit}
					cancel={close}
					send={async () => {
						const { pickUpCode } = await send<{ pickUpCode?: { digits: string } }>('POST', `/v1/deliveries/${id}/code-readings`, {})
						setCode(pickUpCode ? digitsOf(pickUpCode) : '')
						await client.invalidateQueries({ queryKey: ['case', id] })
					}}
				>
					{null}
				</Form>
			) : code === '' ? (
				<p>{words.codeGone}</p>
			) : (
				<Secret label={words.codeNow} text={code} note={words.codeOnce} />
			)}
		</Dialog>
	)
}

/** Two groups of four. */
export const digitsOf = (code: string | { readonly digits: string }): string =>
	(typeof code === 'string' ? code : code.digits).replaceAll(/(\d{4})(?=\d)/g, '$1 ')
