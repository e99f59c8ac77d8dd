import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Form, Reasons, wordsOf } from '../forms.tsx'
import { Who } from '../names.tsx'
import { Empty } from '../parts.tsx'
import type { Overview, Task } from '../shapes.ts'
import { clock, useNow } from '../time.ts'
import { opening } from '../words/banks.ts'
import { completion, standing, taskWords, troublesOf, overview as words } from '../words/overview.ts'

const TASK_ICONS: Readonly<Record<string, readonly [icon: IconName, tone: string]>> = {
	'close-door': ['door-open', 'open'],
	conflict: ['case', 'warn'],
	pull: ['take', 'info'],
	'after-revocation': ['alarm', 'bad'],
	'badge-at-two-sites': ['badge', 'bad'],
	'lost-badge-shown': ['badge', 'bad'],
	'unknown-code-used': ['key', 'bad'],
	'break-glass': ['alarm', 'bad'],
	'collected-after-recall': ['case', 'warn'],
	'over-limit': ['case', 'warn'],
	'wrong-item': ['stop', 'quar'],
	'missing-item': ['alarm', 'bad'],
	ambiguous: ['lens', 'warn'],
	'check-compartment': ['lens', 'warn'],
}

export function Needs({ overview: { approvals, tasks, doors, banks, counts } }: { readonly overview: Overview }) {
	const now = useNow()
	const [doing, setDoing] = useState<Overview['tasks'][number]>()
	const away = banks.filter(({ outage }) => outage === 'confirmed')
	const silent = banks.filter(({ outage }) => outage === 'raw')
	const troubles = banks.flatMap((one) => troublesOf(one).map((trouble) => ({ ...trouble, bank: one.bank })))
	if (approvals.length + tasks.length + doors.length + away.length + silent.length + troubles.length === 0)
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
				{approvals.map((one) => (
					<Approval key={one.command} approval={one} />
				))}
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

/** Somebody wants to open an occupied compartment from afar, and waits for a second person. */
function Approval({ approval: { command, bank, bankName, door, reason, by, expiresAt } }: { readonly approval: Overview['approvals'][number] }) {
	const client = useQueryClient()
	const estate = useEstate()
	const { me } = useSeat()
	const [problem, setProblem] = useState<string>()
	const say = async (verdict: 'approved' | 'refused') => {
		setProblem(undefined)
		await send('POST', `/v1/commands/${command}/approvals`, { verdict }).catch((error: unknown) => setProblem(wordsOf(error)))
		await client.invalidateQueries({ queryKey: ['overview'] })
	}
	const said = opening.reasons.find(([code]) => code === reason)?.[1] ?? reason
	return (
		<li className="inc">
			<span className="badge warn">
				<Icon name="key" />
			</span>
			<div>
				<h3>{words.approval(door, bankName)}</h3>
				<p>
					<Who id={by} /> {words.approvalNote} {said} {words.until(clock(expiresAt, estate.zone({ bank })))} {by === me.user && words.approvalOwn}
				</p>
				{problem !== undefined && (
					<p className="problem" role="alert">
						{problem}
					</p>
				)}
			</div>
			<div className="row">
				{by !== me.user && (
					<>
						<button type="button" className="btn small" onClick={() => void say('refused')}>
							{words.disagree}
						</button>
						<button type="button" className="btn small primary" onClick={() => void say('approved')}>
							{words.agree}
						</button>
					</>
				)}
				<Link className="btn small quiet" to="/banks/$bank" params={{ bank }} search={{ door }}>
					{words.seeDoor}
				</Link>
			</div>
		</li>
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
					{text} {typeof task.detail.user === 'string' && <Who id={task.detail.user} />} {words.waiting(now - Date.parse(openedAt))}
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
