import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type ReactNode, useMemo, useState } from 'react'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { capital } from '../../ui/words.ts'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { AssetTag, useCaseName, useName, Who } from '../names.tsx'
import { Card, Chip, Dialog, Empty, Field, Form, Leaf, Reasons, Room, Secret, Segments, Shown, StateChip, Title } from '../parts.tsx'
import { ProofCard } from '../proof-card.tsx'
import { allBanks, allSites, bankMap, caseTasks, caseTimeline, oneCase } from '../queries.ts'
import type { CaseDetail, LedgerRecord, Task } from '../shapes.ts'
import { clock, day, longTime, when } from '../time.ts'
import { caseState, NOTICES, STEPS, WORKFLOWS, caseRoom as words } from '../words/cases.ts'
import { eventDetail, eventWords } from '../words/events.ts'
import { taskWords } from '../words/overview.ts'
import { CompleteTask } from './overview.tsx'

/** One case from end to end: where it stands, what happened, and the proof that nothing of it was changed. */
export function CaseRoom() {
	const { case: id } = useParams({ from: '/cases/$case' })
	const asked = useQuery({ ...oneCase(id), refetchInterval: 60_000 })
	return <Room of={asked}>{(detail) => <Filled key={detail.id} detail={detail} />}</Room>
}

type Asking = 'extend' | 'recall' | 'code'

function Filled({ detail }: { readonly detail: CaseDetail }) {
	const { id, number, workflow, state, bank, site } = detail
	const seesEstate = useMay('estate.read', { bank, site })
	const mayManage = useMay('case.manage', { bank, site })
	const { data: banks } = useQuery({ ...allBanks, enabled: seesEstate })
	const { data: sites } = useQuery({ ...allSites, enabled: seesEstate })
	const { data: tasks } = useQuery(caseTasks(id))
	const owner = useName(detail.owner)
	const knowsPeople = useMay('people.read')
	const [asking, setAsking] = useState<Asking>()
	const [doing, setDoing] = useState<Task>()
	const at = banks?.find((one) => one.id === bank)
	const place = sites?.find((one) => one.id === site)
	const zone = place?.timeZone
	const isDelivery = workflow === 'delivery'
	const open = detail.endedAt === undefined
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
						{at ? (
							<Link to="/banks/$bank" params={{ bank }}>
								{at.name}
							</Link>
						) : null}
						{open && detail.dueAt !== undefined && <> · {words.until(longTime(detail.dueAt, zone))}</>}
					</>
				}
				end={
					isDelivery &&
					open &&
					mayManage && (
						<>
							<button type="button" className="btn" onClick={() => setAsking('extend')}>
								{words.extend}
							</button>
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
			<Steps workflow={workflow} state={state} opened={detail.openedAt} ended={detail.endedAt} zone={zone} />
			<div className="cols case-cols">
				<div className="stack">
					<Timeline id={id} zone={zone} site={place?.name} />
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
					{isDelivery && <Code detail={detail} zone={zone} />}
					{detail.recipient && <Recipient recipient={detail.recipient} />}
					<Proof id={id} />
				</div>
			</div>
			{asking === 'extend' && <Extend detail={detail} close={done} />}
			{asking === 'recall' && <Recall id={id} close={done} />}
			{asking === 'code' && <NewCode id={id} close={done} />}
			{doing && <CompleteTask task={doing} about={taskWords(doing).title(number)} close={() => setDoing(undefined)} />}
		</>
	)
}

interface StepsProps {
	readonly workflow: string
	readonly state: string
	readonly opened: string
	readonly ended: string | undefined
	readonly zone: string | undefined
}
/** Done is filled with a check, now is a ring with a halo, later is an outline with a number. */
function Steps({ workflow, state, opened, ended, zone }: StepsProps) {
	const steps = STEPS[workflow]
	const at = steps?.findIndex(([, states]) => states.includes(state)) ?? -1
	if (!steps || at < 0) return null
	return (
		<Card label={words.steps}>
			<ol className="steps">
				{steps.map(([word], i) => {
					const kind = i < at || (i === at && ended !== undefined) ? 'done' : i === at ? 'now' : 'later'
					return (
						<li key={word} className={kind} {...(i === at && { 'aria-current': 'step' as const })}>
							<span className="pt" aria-hidden="true">
								{kind === 'done' ? <Icon name="check" /> : i + 1}
							</span>
							{i === at ? caseState(state)[0] : word}
							<small>{i === 0 ? when(opened, zone) : i === at && ended !== undefined ? when(ended, zone) : i === at ? words.now : ' '}</small>
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

/** Steps of the machinery: they are in "All records". */
const isMachinery = ({ type, data }: LedgerRecord): boolean =>
	type === 'door-session.requested' || type === 'door-session.releasing' || (type === 'case.moved' && typeof data.line === 'string')

function Timeline({ id, zone, site }: { readonly id: string; readonly zone: string | undefined; readonly site: string | undefined }) {
	const asked = useQuery(caseTimeline(id))
	const [view, setView] = useState<'story' | 'all'>('story')
	return (
		<Card
			title={words.timeline}
			end={
				<>
					{site !== undefined && <span className="mute times">{words.timesAt(site)}</span>}
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
					const shown = (view === 'story' ? items.filter((one) => !isMachinery(one)) : items).toReversed()
					if (shown.length === 0) return <Empty title={words.empty} />
					return (
						<>
							{!whole && <p className="mute">{words.cut}</p>}
							{[...Map.groupBy(shown, ({ at }) => day(at, zone))].map(([date, records]) => (
								<section key={date}>
									<h3 className="day">{date}</h3>
									<ol className="tl">
										{records.map((record) => (
											<RecordLine key={record.position} record={record} zone={zone} />
										))}
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

function RecordLine({ record, zone }: { readonly record: LedgerRecord; readonly zone: string | undefined }) {
	const { type, at, actor, position, offline, data } = record
	const [icon, tone] = iconOf(type)
	const to = typeof data.to === 'string' && type === 'case.moved' ? caseState(data.to)[0] : undefined
	return (
		<li>
			<time dateTime={at}>{clock(at, zone)}</time>
			<span className={`badge ${tone}`}>
				<Icon name={icon} />
			</span>
			<div>
				<h4>{to === undefined ? eventWords(type) : to}</h4>
				<p>
					{to === undefined ? eventDetail(data) : ''} {actor !== undefined && <Who id={actor} />}
					{offline && <> · {words.offline}</>}
				</p>
			</div>
			<Leaf position={position} />
		</li>
	)
}

function Lines({ detail: { lines, workflow, bank, site } }: { readonly detail: CaseDetail }) {
	const { data: map } = useQuery({ ...bankMap(bank), enabled: useMay('estate.read', { bank, site }) })
	const doors = useMemo(() => new Map(map?.doors.map(({ compartment, number }) => [compartment, number])), [map])
	const where = (compartment: string | undefined): ReactNode => {
		const door = doors.get(compartment ?? '')
		if (door === undefined) return words.notThere
		return (
			<Link to="/banks/$bank" params={{ bank }} search={{ door }}>
				Door {door}
			</Link>
		)
	}
	return (
		<Card title={workflow === 'delivery' ? words.parcels : words.items} flush>
			<div className="scroll">
				<table className="data">
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
								<td>
									<StateChip state={caseState(line.state)} />
									{line.unverified && <small className="mute"> {words.unverified}</small>}
								</td>
								<td>{where(line.compartment)}</td>
								<td>{line.size ?? '–'}</td>
								<td>
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

function Notices({ notices, zone }: { readonly notices: CaseDetail['notices']; readonly zone: string | undefined }) {
	return (
		<Card title={words.notices} flush>
			<div className="scroll">
				<table className="data">
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
								<td>{when(dueAt, zone)}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</Card>
	)
}

function Code({ detail: { codes }, zone }: { readonly detail: CaseDetail; readonly zone: string | undefined }) {
	const live = codes.find(({ state }) => state === 'live')
	return (
		<Card title={words.code}>
			<p className="soft">{live ? words.codeLive(longTime(live.notAfter, zone)) : words.codeNone}</p>
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

function Extend({ detail: { id, dueAt }, close }: { readonly detail: CaseDetail; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.extendTitle} close={close}>
			<Form
				submit={words.extendSubmit}
				cancel={close}
				send={async (form) => {
					await send('POST', `/v1/deliveries/${id}/extensions`, { until: new Date(String(form.get('until'))).toISOString() })
					await client.invalidateQueries({ queryKey: ['case', id] })
					close()
				}}
			>
				<Field
					label={words.extendUntil}
					name="until"
					type="datetime-local"
					required
					defaultValue={dueAt && localInput(Date.parse(dueAt) + 86_400_000)}
				/>
			</Form>
		</Dialog>
	)
}

/** As a field of date and time wants it, where the reader is. */
function localInput(at: number): string {
	return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
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

/** Two groups of four. */
export const digitsOf = (code: string | { readonly digits: string }): string =>
	(typeof code === 'string' ? code : code.digits).replaceAll(/(\d{4})(?=\d)/g, '$1 ')
