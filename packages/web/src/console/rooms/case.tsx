import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { capital } from '../../ui/words.ts'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Table } from '../lists.tsx'
import { AssetTag, useCaseName, useDoors, useName, Who } from '../names.tsx'
import { Card, Chip, Room, StateChip, Title } from '../parts.tsx'
import { ProofCard } from '../proof-card.tsx'
import { caseTasks, caseTimeline, oneCase } from '../queries.ts'
import type { CaseDetail, Task } from '../shapes.ts'
import { wayOf } from '../story.ts'
import { longTime, when, zoneName } from '../time.ts'
import { caseState, NOTICES, WORKFLOWS, caseRoom as words } from '../words/cases.ts'
import { taskWords } from '../words/overview.ts'
import { general } from '../words/shell.ts'
import { Delegate, Extend, NewCode, Recall, ShowCode } from './case-actions.tsx'
import { Timeline } from './case-timeline.tsx'
import { CompleteTask } from './overview-needs.tsx'

/** One case from end to end: where it stands, what happened, and the proof that nothing of it was changed. */
export function CaseRoom() {
	const { case: id } = useParams({ from: '/cases/$case' })
	const asked = useQuery({ ...oneCase(id), refetchInterval: 60_000 })
	return (
		<Room of={asked} one="case">
			{(detail) => <Filled key={detail.id} detail={detail} />}
		</Room>
	)
}

type Asking = 'extend' | 'recall' | 'code' | 'show' | 'delegate'

function Filled({ detail }: { readonly detail: CaseDetail }) {
	const { id, number, workflow, state, bank, site } = detail
	const mayManage = useMay('case.manage', { bank, site })
	const mayExtend = useMay('case.extend', { bank, site })
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
					!recalled && (
						<>
							{extendable && mayExtend && (
								<button type="button" className="btn" onClick={() => setAsking('extend')}>
									{words.extend}
								</button>
							)}
							{mayManage && (
								<>
									<button type="button" className="btn danger" onClick={() => setAsking('recall')}>
										{words.recall}
									</button>
									<button type="button" className="btn primary" onClick={() => setAsking('code')}>
										<Icon name="keypad" />
										{words.newCode}
									</button>
								</>
							)}
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
					{isDelivery && <Code detail={detail} zone={zone} may={mayManage} ask={setAsking} />}
					{detail.recipient && <Recipient recipient={detail.recipient} />}
					<Proof id={id} />
				</div>
			</div>
			{asking === 'extend' && <Extend detail={detail} zone={zone} times={times} close={done} />}
			{asking === 'recall' && <Recall id={id} close={done} />}
			{asking === 'code' && <NewCode id={id} close={done} />}
			{asking === 'show' && <ShowCode id={id} close={done} />}
			{asking === 'delegate' && <Delegate id={id} close={done} />}
			{doing && <CompleteTask task={doing} about={taskWords(doing).title(number)} close={() => setDoing(undefined)} />}
		</>
	)
}

/** Done is filled with a check, now is a ring with a halo, later is an outline with a number; an end that nobody wished for has no check. */
function Steps({ detail, zone }: { readonly detail: CaseDetail; readonly zone: string }) {
	const { data } = useQuery(caseTimeline(detail.id))
	const steps = data
		? wayOf(
				detail,
				data.items.filter(({ foreign }) => !foreign),
			)
		: []
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
			<Table heads={[words.label, 'State', words.where, words.size, words.custody]}>
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
			</Table>
		</Card>
	)
}

function Notices({ notices, zone }: { readonly notices: CaseDetail['notices']; readonly zone: string }) {
	return (
		<Card title={words.notices} flush>
			<Table heads={[words.notice, words.dueAt]}>
				{notices.map(({ id, kind, dueAt }) => (
					<tr key={id}>
						<th scope="row">{NOTICES[kind] ?? capital(kind.replaceAll('-', ' '))}</th>
						<td data-label={words.dueAt}>{when(dueAt, zone)}</td>
					</tr>
				))}
			</Table>
		</Card>
	)
}

interface CodeProps {
	readonly detail: CaseDetail
	readonly zone: string
	readonly may: boolean
	ask(what: 'show' | 'delegate'): void
}
/** The recipient's code, and those of whoever collects in their place. */
function Code({ detail: { id, codes }, zone, may, ask }: CodeProps) {
	const client = useQueryClient()
	const live = codes.filter(({ state }) => state === 'live')
	const own = live.find(({ delegate }) => delegate === undefined)
	const delegates = live.filter(({ delegate }) => delegate !== undefined)
	const takeBack = async (code: string) => {
		await send('DELETE', `/v1/deliveries/${id}/delegations/${code}`).catch(() => {})
		await client.invalidateQueries({ queryKey: ['case', id] })
	}
	return (
		<Card title={words.code}>
			<p className="soft">{own ? words.codeLive(longTime(own.notAfter, zone)) : words.codeNone}</p>
			{delegates.map(({ id: code, delegate = '' }) => (
				<p key={code} className="row wrap">
					<Icon name="person" />
					{words.delegated(delegate)}
					{may && (
						<button type="button" className="btn small danger" aria-label={words.takeBackOf(delegate)} onClick={() => void takeBack(code)}>
							{words.takeBack}
						</button>
					)}
				</p>
			))}
			{may && own && (
				<p className="row wrap">
					<button type="button" className="btn small" onClick={() => ask('show')}>
						<Icon name="keypad" />
						{words.showCode}
					</button>
					<button type="button" className="btn small" onClick={() => ask('delegate')}>
						<Icon name="people" />
						{words.delegate}
					</button>
				</p>
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
