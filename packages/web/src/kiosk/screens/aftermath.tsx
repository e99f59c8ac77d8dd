import { useState } from 'react'
import { BankDrawing } from '../../ui/bank-drawing.tsx'
import type { IconName } from '../../ui/icon.tsx'
import { Icon } from '../../ui/icon.tsx'
import { capital } from '../../ui/words.ts'
import { useNow, useSeat } from '../seat.ts'
import { Stage, Title, type Trouble } from '../stage.tsx'
import { type Tile, Tiles } from '../tiles.tsx'
import { doneTitle, type Named, unbroken, when, words } from '../words.ts'
import { Plate } from './door.tsx'

/** The lock did not let go. A new try is a new act of the person, never an automatic second pulse (trust.md §4). */
export function NotOpened({ screen }: { readonly screen: Named<'not-opened'> }) {
	const { act } = useSeat()
	const text = words.notOpened
	const { number } = screen.door
	const retry: Tile = { id: 'retry', icon: 'refresh', title: text.retry, more: text.retryHow(number), onTouch: () => act({ kind: 'retry' }) }
	const other: Tile = { id: 'other', icon: 'door', title: text.other, more: text.otherHow, onTouch: () => act({ kind: 'other-door' }) }
	const stop: Tile = { id: 'stop', icon: 'leave', title: text.stop, more: text.stopHow, onTouch: () => act({ kind: 'finish' }) }
	return (
		<Question
			number={number}
			icon="lock"
			title={text.title(number)}
			lead={screen.retry || screen.other ? text.lead : text.leadOver}
			tiles={[...(screen.retry ? [retry] : []), ...(screen.other ? [other] : []), stop]}
		/>
	)
}

/** Opened and shut, and the sensor saw no difference: cancel or try again (workflows.md X3). */
export function NoChange({ screen }: { readonly screen: Named<'no-change'> }) {
	const { act } = useSeat()
	const text = words.noChange
	const { number } = screen.door
	const again = { id: 'retry', icon: 'door-open', title: text.retry(number), more: text.retryHow[screen.act](screen.item) } as const
	const [stopping, how] = screen.task ? [text.stopParcel, text.stopParcelHow] : [text.stop, text.stopHow]
	const stop: Tile = { id: 'stop', icon: 'leave', title: stopping[screen.act], more: how[screen.act], onTouch: () => act({ kind: 'finish' }) }
	const larger: Tile = { id: 'larger', icon: 'put', title: text.larger, more: text.largerHow, onTouch: () => act({ kind: 'larger-door' }) }
	return (
		<Question
			number={number}
			icon="door"
			title={text.title[screen.act]}
			lead={screen.retry ? text.lead[screen.act](number) : `${text.lead[screen.act](number)} ${text.leadOver}`}
			tiles={[...(screen.retry ? [{ ...again, onTouch: () => act({ kind: 'retry' }) }] : []), ...(screen.larger ? [larger] : []), stop]}
		/>
	)
}

/** No sensor inside: the person's word, recorded as stated (evidence E0). */
export function Confirm({ screen }: { readonly screen: Named<'confirm'> }) {
	const { act } = useSeat()
	const text = words.confirm
	return (
		<Question
			number={screen.door.number}
			icon="door"
			title={text.title[screen.act](screen.item)}
			lead={text.lead}
			tiles={[
				{ id: 'yes', icon: 'check', title: text.yes[screen.act], more: '', onTouch: () => act({ kind: 'confirm', done: true }) },
				{ id: 'no', icon: 'x', title: text.no[screen.act], more: '', onTouch: () => act({ kind: 'confirm', done: false }) },
			]}
		/>
	)
}

interface QuestionProps {
	readonly number: number
	readonly icon: IconName
	readonly title: string
	readonly lead: string
	readonly tiles: readonly Tile[]
}

function Question({ number, icon, title, lead, tiles }: QuestionProps) {
	const { view } = useSeat()
	return (
		<Stage
			shape="split"
			info={
				<div className="headline">
					<Plate number={number} tone="waiting" icon={icon} />
					<div>
						<Title>{title}</Title>
						<p className="lead">{lead}</p>
					</div>
				</div>
			}
			picture={<BankDrawing layout={view.layout} sign={view.bank.name} lit={number} tone="waiting" standing={view.standing} />}
		>
			<Tiles tiles={tiles} label={title} />
		</Stage>
	)
}

/** What was done, until when, and how we know. */
export function Done({ screen }: { readonly screen: Named<'done'> }) {
	const { view, act } = useSeat()
	const text = words.done
	const due = screen.due === undefined ? undefined : when(screen.due, view)
	// The screen comes with the return; what comes later is the same screen again.
	const [cameAt] = useState(view.now)
	const returned = screen.act === 'deposit' ? when(cameAt, view) : undefined
	const { number } = screen.door
	const again: Trouble = { icon: 'door-open', label: words.bar.openAgain(number), act: { kind: 'open-again' } }
	const now = useNow()
	const more = screen.againUntil !== undefined && now < screen.againUntil
	const { task, more: left } = screen
	const next = task
		? left
			? text.moreLeft[task](left)
			: text.task[task].next
		: due
			? text.anyDoor
			: screen.act === 'deposit'
				? text.thanks
				: text.collected
	return (
		<Stage
			shape="message"
			troubles={more ? [again] : []}
			info={
				<div className="headline">
					<div className="plate plate-ok" aria-hidden="true">
						<Icon name="check" />
					</div>
					<div>
						<Title>{doneTitle(screen)}</Title>
						{due && <p className="lead due">{text.bringBack(due)}</p>}
						{returned && !task && <p className="lead due">{text.returnedAt(returned)}</p>}
						<p className={due ? 'lead extra' : 'lead'}>{next}</p>
					</div>
				</div>
			}
			picture={<Receipt screen={screen} due={due} returned={returned} />}
		>
			{task && left ? (
				<Tiles
					tiles={[
						{ id: 'next', icon: 'right', title: text.more[task], more: '', onTouch: () => act({ kind: 'next' }) },
						{ id: 'finish', icon: 'check', title: text.finish, more: '', onTouch: () => act({ kind: 'finish' }) },
					]}
					label={text.more[task]}
				/>
			) : (
				<button className="button primary wide" type="button" onClick={() => act({ kind: 'finish' })}>
					<Icon name="check" />
					<span>{text.finish}</span>
				</button>
			)}
		</Stage>
	)
}

interface ReceiptProps {
	readonly screen: Named<'done'>
	readonly due: string | undefined
	readonly returned: string | undefined
}

function Receipt({ screen, due, returned }: ReceiptProps) {
	const text = words.done
	const lines: readonly (readonly [string, string])[] = [
		...(screen.item ? ([[text.item, text.whole(screen.item)]] as const) : []),
		...(due ? ([[text.due, capital(due)]] as const) : []),
		...(returned ? ([[screen.task ? text.putIn : text.returned, capital(returned)]] as const) : []),
		[text.door, String(screen.door.number)],
		[text.receipt, unbroken(screen.receipt)],
	]
	return (
		<dl className="ticket">
			{lines.map(([name, value]) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{value}</dd>
				</div>
			))}
			<div className="proof">
				<dt>{text.proof}</dt>
				<dd>{text.evidence[screen.evidence]}</dd>
			</div>
		</dl>
	)
}
