import type { ReactNode } from 'react'
import { BankDrawing, type LitTone } from '../../ui/bank-drawing.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { useNow, useSeat } from '../seat.ts'
import { Stage, Title, type Trouble } from '../stage.tsx'
import { lasting, type Named, toDo, words } from '../words.ts'

type Open = Named<'open'>

/** The lock has been told to let go; nothing is open yet. */
export function Opening({ screen }: { readonly screen: Named<'opening'> }) {
	const { number } = screen.door
	// Only now is a "no" believed; a lock may take its time before.
	const asking = useNow() >= screen.askAt
	return (
		<DoorStage
			screen={screen}
			title={words.door.opening(number)}
			tone="waiting"
			icon="lock"
			troubles={asking ? [DID_NOT_OPEN] : []}
			steps={[
				{ state: 'now', body: asking ? <Still /> : <b>{words.door.unlocking}</b> },
				{ state: 'later', body: laterOf(screen) },
				{ state: 'later', body: receiptOf(screen) },
			]}
		/>
	)
}

function laterOf({ again, act, item }: Named<'opening'>): string {
	if (again) return words.door.leftInside
	return act === 'collect' ? words.door.take(item) : words.door.put(item)
}

const receiptOf = ({ again, act, task }: Named<'opening'> | Open): string =>
	again ? words.door.sameReceipt : task ? words.door.parcelReceipt[task] : words.door.receipt[act]

function Still() {
	return (
		<>
			<b>{words.door.stillShut}</b> {words.door.stillShutThen}
		</>
	)
}

/** Which door, what now, what if not: all at once, for as long as it takes. */
export function Open({ screen }: { readonly screen: Open }) {
	const { number } = screen.door
	const calm = screen.level === 'calm'
	return (
		<DoorStage
			screen={screen}
			title={calm ? words.door.open(number) : words.door.stillOpen(number)}
			tone={screen.level === 'alarm' ? 'alarm' : 'open'}
			icon={screen.level === 'alarm' ? 'alarm' : 'door-open'}
			troubles={[...troublesOf(screen).map((one) => ({ ...one, said: SAYS[one.act.kind] === screen.said })), ...(calm ? [] : [NEXT_PERSON])]}
			steps={[
				{ state: 'done', body: words.door.unlocked },
				{ state: 'now', body: <Now screen={screen} /> },
				...(calm && screen.said !== 'did-not-open'
					? [{ state: 'later', body: screen.said && screen.said !== 'too-small' ? words.door.number : receiptOf(screen) } as const]
					: []),
			]}
		/>
	)
}

const DID_NOT_OPEN: Trouble = { icon: 'door', label: words.bar.didNotOpen, act: { kind: 'did-not-open' } }
const COLLECT_TROUBLES: readonly Trouble[] = [
	DID_NOT_OPEN,
	{ icon: 'empty', label: words.bar.empty, act: { kind: 'it-is-empty' } },
	{ icon: 'laptop', label: words.bar.wrongItem, act: { kind: 'wrong-item' } },
]
const PARCEL_TROUBLES: readonly Trouble[] = COLLECT_TROUBLES.map((one) => (one.icon === 'laptop' ? { ...one, icon: 'box' } : one))
const DEPOSIT_TROUBLES: readonly Trouble[] = [DID_NOT_OPEN, { icon: 'box', label: words.bar.somethingInside, act: { kind: 'something-inside' } }]
const TOO_SMALL: Trouble = { icon: 'put', label: words.bar.tooSmall, act: { kind: 'larger-door' } }

function troublesOf({ again, act, task, larger }: Open): readonly Trouble[] {
	// Nothing is expected in there any more, so nothing about it can be wrong.
	if (again) return [DID_NOT_OPEN]
	if (act === 'collect') return task ? PARCEL_TROUBLES : COLLECT_TROUBLES
	return larger ? [...DEPOSIT_TROUBLES, TOO_SMALL] : DEPOSIT_TROUBLES
}
/** Somebody else waits; the door stays with its person. */
const NEXT_PERSON: Trouble = { icon: 'person', label: words.bar.nextPerson, act: { kind: 'next-person' } }

/** What the controller makes of each. */
const SAYS: Partial<Record<Trouble['act']['kind'], NonNullable<Open['said']>>> = {
	'did-not-open': 'did-not-open',
	'it-is-empty': 'found-empty',
	'wrong-item': 'wrong-item',
	'something-inside': 'found-occupied',
	'larger-door': 'too-small',
}

interface Step {
	readonly state: 'done' | 'now' | 'later'
	readonly body: ReactNode
}

interface Props {
	readonly screen: Named<'opening'> | Open
	readonly title: string
	readonly tone: LitTone
	readonly icon: IconName
	readonly steps: readonly Step[]
	readonly troubles?: readonly Trouble[]
}

function DoorStage({ screen, title, tone, icon, steps, troubles }: Props) {
	const { view } = useSeat()
	const { number } = screen.door
	return (
		<Stage
			shape="split"
			context={screen.item && (screen.task ? words.door.task[screen.task] : words.door.context[screen.act])(screen.item)}
			troubles={troubles ?? []}
			info={
				<>
					<div className={tone === 'open' && title.length < 20 ? 'headline hero' : 'headline'}>
						<Plate number={number} tone={tone} icon={icon} />
						<div>
							<Title>{title}</Title>
							<p className="lead">{words.door.place(view.layout, number)}</p>
						</div>
					</div>
					<ol className="steps">
						{steps.map((step, index) => (
							// biome-ignore lint/suspicious/noArrayIndexKey: a step is its position
							<li key={index} className={step.state} aria-current={step.state === 'now' ? 'step' : undefined}>
								<span className="point">{step.state === 'done' ? <Icon name="check" /> : index + 1}</span>
								<div>{step.body}</div>
							</li>
						))}
					</ol>
				</>
			}
			picture={<BankDrawing layout={view.layout} sign={view.bank.name} lit={number} tone={tone} standing={view.standing} />}
		/>
	)
}

/** The sign of a door, as large as a hand. */
export function Plate({ number, tone, icon }: { readonly number: number; readonly tone: LitTone; readonly icon: IconName }) {
	return (
		<div className={`plate plate-${tone}`} aria-hidden="true">
			<Icon name={icon} />
			{number}
		</div>
	)
}

/** The one thing to do, and the time in a bar and a sentence, never a countdown alone. */
function Now({ screen }: { readonly screen: Open }) {
	const { bank } = useSeat().view
	const now = useNow()
	const { note, act, after } = toDo(screen, bank.helpPhone)
	const open = Math.max(0, now - screen.openedAt)
	const next = screen.remindAt > now ? screen.remindAt - screen.openedAt : undefined
	const until = screen.remindAt - screen.openedAt
	return (
		<>
			{note} <b>{act}</b> {after}
			<div
				className={screen.level === 'calm' ? 'timer' : 'timer late'}
				role="progressbar"
				aria-label={words.door.timer}
				aria-valuemin={0}
				aria-valuemax={Math.round(until / 1000)}
				aria-valuenow={Math.round(Math.min(open, until) / 1000)}
			>
				<i style={{ width: `${Math.min(100, (100 * open) / Math.max(1, until))}%` }} />
			</div>
			<small>{timeSentence(screen, lasting(open), next === undefined ? undefined : lasting(next))}</small>
		</>
	)
}

function timeSentence(screen: Open, open: string, next: string | undefined): string {
	if (screen.level === 'calm') return words.door.calm(open, lasting(screen.remindAt - screen.openedAt))
	if (screen.level === 'prompt') return words.door.prompt(open, next)
	return screen.level === 'staff' ? words.door.staff(open, next) : words.door.alarm(open)
}
