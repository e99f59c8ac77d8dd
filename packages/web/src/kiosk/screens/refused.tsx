import type { ReactNode } from 'react'
import { BankDrawing } from '../../ui/bank-drawing.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { type Tile, Tiles } from '../tiles.tsx'
import { type Named, needsHelpLead, unbroken, when, words } from '../words.ts'
import { Plate } from './door.tsx'

/** Gone within two seconds: the badge is known, or it is not. */
export function Asking() {
	return (
		<Stage shape="message" info={<Headline icon="badge" tone="info" title={words.asking.title} lead={words.asking.lead} />} picture={<CallCard />} />
	)
}

/** A badge that is being given to somebody: staff asked for it from their desk, and go on there. */
export function BadgeReading({ screen }: { readonly screen: Named<'badge-reading'> }) {
	const { act } = useSeat()
	const [title, lead] = words.badgeReading[screen.state]
	return (
		<Stage
			shape="message"
			info={
				<Headline
					icon={screen.state === 'unusable' ? 'slash' : 'badge'}
					tone={screen.state === 'unusable' ? 'warn' : 'info'}
					title={title}
					lead={lead}
				/>
			}
			picture={<CallCard />}
		>
			{/* While it waits, the next step is at the reader and not on the screen. */}
			<button className={screen.state === 'waiting' ? 'button wide' : 'button primary wide'} type="button" onClick={() => act({ kind: 'finish' })}>
				<Icon name={screen.state === 'read' ? 'check' : 'undo'} />
				<span>{screen.state === 'read' ? words.badgeRead : words.refused.back}</span>
			</button>
		</Stage>
	)
}

/** One clear sentence why, then what to do next; never whether another secret would work. */
export function Denied({ screen }: { readonly screen: Named<'denied'> }) {
	const { view, act } = useSeat()
	const [title, next] = words.refused.reasons[screen.reason]
	return (
		<Stage
			shape="message"
			info={
				<Headline icon="slash" tone="info" title={title} lead={next}>
					{screen.until !== undefined && <p className="lead strong">{words.refused.until(when(screen.until, view))}</p>}
				</Headline>
			}
			picture={<CallCard />}
		>
			<button className="button primary wide" type="button" onClick={() => act({ kind: 'back' })}>
				<Icon name="undo" />
				<span>{words.refused.back}</span>
			</button>
		</Stage>
	)
}

/** What happened is not clear, so nothing is guessed: the door waits for a person, and this person gets a number. */
export function NeedsHelp({ screen }: { readonly screen: Named<'needs-help'> }) {
	const { act } = useSeat()
	const text = words.needsHelp
	const title = text.title[screen.why](screen.door.number)
	const other: Tile = { id: 'other', icon: 'door', title: text.other, more: text.otherHow, onTouch: () => act({ kind: 'other-door' }) }
	const stop: Tile = { id: 'stop', icon: 'leave', title: text.stop, more: text.stopHow, onTouch: () => act({ kind: 'finish' }) }
	return (
		<Stage
			shape="message"
			info={
				<div className="headline">
					<Plate number={screen.door.number} tone="waiting" icon="unknown" />
					<div>
						<Title>{title}</Title>
						<p className="lead">{needsHelpLead(screen)}</p>
					</div>
				</div>
			}
			picture={<CallCard incident={screen.incident} />}
		>
			{screen.other ? (
				<Tiles tiles={[other, stop]} label={title} />
			) : (
				<button className="button primary wide" type="button" onClick={() => act({ kind: 'finish' })}>
					<Icon name="check" />
					<span>{text.start}</span>
				</button>
			)}
		</Stage>
	)
}

/** Asked once, as it cannot be taken back here; then what comes next. */
export function BadgeLost({ screen: { badges, reported } }: { readonly screen: Named<'badge-lost'> }) {
	const { act } = useSeat()
	const text = words.badgeLost
	if (reported)
		return (
			<Stage shape="message" info={<Headline icon="slash" tone="info" title={text.reported(badges)} lead={text.next} />} picture={<CallCard />}>
				<Tiles
					tiles={[
						{ id: 'finish', icon: 'check', title: words.done.finish, more: '', onTouch: () => act({ kind: 'finish' }) },
						{ id: 'on', icon: 'right', title: text.goOn, more: '', onTouch: () => act({ kind: 'back' }) },
					]}
					label={text.reported(badges)}
				/>
			</Stage>
		)
	return (
		<Stage
			shape="message"
			leave="start-over"
			info={<Headline icon="badge" tone="warn" title={text.title(badges)} lead={`${text.lead(badges)} ${text.once}`} />}
			picture={<CallCard />}
		>
			<Tiles
				tiles={[
					{ id: 'no', icon: 'undo', title: text.no(badges), more: text.noHow, onTouch: () => act({ kind: 'confirm', done: false }) },
					{ id: 'yes', icon: 'slash', title: text.yes(badges), more: text.yesHow, onTouch: () => act({ kind: 'confirm', done: true }) },
				]}
				label={text.title(badges)}
			/>
		</Stage>
	)
}

export function BankFull({ screen }: { readonly screen: Named<'bank-full'> }) {
	const { view, act } = useSeat()
	return (
		<Stage
			shape="split"
			info={
				<>
					<Headline icon="box" tone="info" title={screen.larger ? words.bankFull.larger : words.bankFull.title} lead={words.bankFull.lead} />
					<CallLine />
				</>
			}
			picture={<BankDrawing layout={view.layout} sign={view.bank.name} standing={view.standing} />}
		>
			<button className="button primary wide" type="button" onClick={() => act({ kind: 'back' })}>
				<Icon name="undo" />
				<span>{words.refused.back}</span>
			</button>
		</Stage>
	)
}

export function OutOfService({ screen }: { readonly screen: Named<'out-of-service'> }) {
	return (
		<Stage
			shape="message"
			info={<Headline icon="wrench" tone="warn" title={words.out.title} lead={words.out.why[screen.why]} />}
			picture={<CallCard />}
		/>
	)
}

interface HelpProps {
	readonly atDoor?: boolean
	readonly claim?: boolean | undefined
	readonly readBack?: string | undefined
}
export function Help({ atDoor = false, claim = false, readBack }: HelpProps) {
	const { act } = useSeat()
	// Beside what staff are to touch there is room for what works now: to start, and to bring back.
	const starting = words.help.answers.filter(([icon]) => icon === 'badge' || icon === 'return')
	// Whoever is known here has started, and needs the room for the number.
	const usual = claim ? starting : words.help.answers.filter((one) => readBack === undefined || !starting.includes(one))
	const answers = atDoor ? words.help.atDoor : usual
	return (
		<Stage
			shape="split"
			leave="back"
			info={
				<>
					<Title>{words.help.title}</Title>
					<dl className="answers">
						{answers.map(([icon, question, answer]) => (
							<div key={question}>
								<dt>
									<Icon name={icon} />
									{question}
								</dt>
								<dd>{answer}</dd>
							</div>
						))}
					</dl>
				</>
			}
			picture={<CallCard readBack={readBack} />}
		>
			{claim && (
				<button className="button wide" type="button" onClick={() => act({ kind: 'start-claim' })}>
					<Icon name="wrench" />
					<span>{words.claim.start}</span>
				</button>
			)}
		</Stage>
	)
}

interface HeadlineProps {
	readonly icon: IconName
	readonly tone: 'info' | 'warn'
	readonly title: string
	readonly lead: string
	readonly children?: ReactNode
}

export function Headline({ icon, tone, title, lead, children }: HeadlineProps) {
	return (
		<div className="headline">
			<div className={`plate plate-${tone}`} aria-hidden="true">
				<Icon name={icon} />
			</div>
			<div>
				<Title>{title}</Title>
				<p className="lead">{lead}</p>
				{children}
			</div>
		</div>
	)
}

/** Who to call and what to say, the same on every screen that ends with a person. */
export function CallCard({ incident, readBack }: { readonly incident?: string; readonly readBack?: string | undefined }) {
	const { bank } = useSeat().view
	return (
		<div className="call">
			{incident !== undefined && (
				<>
					<p className="small">{words.needsHelp.incident}</p>
					<p className="figure">{unbroken(incident)}</p>
				</>
			)}
			<p className="small">
				<Icon name="phone" />
				{words.refused.call}
			</p>
			<p className="figure">{unbroken(bank.helpPhone)}</p>
			<p>{words.help.say(bank.name, bank.site)}</p>
			{readBack !== undefined && (
				<div className="read-back">
					<p className="small">{words.help.readBack}</p>
					<p className="figure">{`${readBack.slice(0, 3)}\u00a0${readBack.slice(3)}`}</p>
					<p>{words.help.readBackFor}</p>
				</div>
			)}
		</div>
	)
}

function CallLine() {
	const { bank } = useSeat().view
	return (
		<p className="remark">
			<Icon name="phone" />
			<span>
				<b>{unbroken(bank.helpPhone)}</b>
				<span>{words.help.say(bank.name, bank.site)}</span>
			</span>
		</p>
	)
}
