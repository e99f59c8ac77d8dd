import type { KioskAct } from '@latchwork/core/wire'
import type { ReactNode } from 'react'
import { Icon, type IconName, Logo } from '../ui/icon.tsx'
import { clockText } from '../ui/time.ts'
import { type Settings, useNow, useSeat, useWarned } from './seat.ts'
import { isDoorMessage, language, noticesOn, said, words } from './words.ts'

/** `wide`: acts below the title. `split`: a picture at the right. `pad`: the acts themselves at the right. `message`: little to do, much air. */
type Shape = 'wide' | 'split' | 'pad' | 'message'

export interface Trouble {
	readonly icon: IconName
	readonly label: string
	readonly act: KioskAct
}

interface Props {
	readonly shape: Shape
	readonly info: ReactNode
	readonly picture?: ReactNode
	/** What the person touches; in low layout it takes the lower half of the screen. */
	readonly children?: ReactNode
	/** Short reminder of the task beside the clock. */
	readonly context?: string | undefined
	/** On a task the bar holds the likely troubles; otherwise the reading helpers, with a way out in front. */
	readonly troubles?: readonly Trouble[]
	readonly leave?: 'start-over' | 'back'
}

/** The frame of every screen: the same things in the same place, whatever is going on (visual-language.md §9). */
export function Stage({ shape, info, picture, children, context, troubles, leave }: Props) {
	const { low } = useSeat()
	return (
		<main
			className="stage"
			data-shape={shape}
			data-low={low || undefined}
			data-acts={children ? 'yes' : 'no'}
			data-bar={troubles ? 'trouble' : 'reading'}
		>
			<div className="half">
				<Top context={context} />
				<Notices />
				<div className="told">
					<section className="info">{info}</section>
					{picture && <div className="picture">{picture}</div>}
				</div>
			</div>
			<div className="half lower">
				{children && <section className="acts">{children}</section>}
				<Caption />
				<div className="foot">
					{troubles ? <TroubleBar troubles={troubles} /> : <ReadingBar leave={leave} />}
					<Idle help={leave !== 'back'} />
				</div>
			</div>
		</main>
	)
}

/** The page's one heading takes focus when the screen changes. */
export function Title({ children }: { readonly children: ReactNode }) {
	return (
		<h1 id="title" tabIndex={-1}>
			{children}
		</h1>
	)
}

function Top({ context }: { readonly context: string | undefined }) {
	const { bank } = useSeat().view
	const now = useNow()
	return (
		<header className="top">
			<Logo />
			<span className="where">{words.top.bankAt(bank.name, bank.site)}</span>
			<span className="end">
				{context && <span className="context">{context}</span>}
				<b>{clockText(now, bank.timeZone, language)}</b>
			</span>
		</header>
	)
}

/** The two that matter most; a wall of banners is read by nobody. */
function Notices() {
	const notices = noticesOn(useSeat().view)
	if (notices.length === 0) return null
	return (
		<ul className="notices">
			{notices.slice(0, 2).map(([notice, text]) => (
				<li key={notice}>
					<Icon name={notice === 'bundle-stale' ? 'offline' : 'alarm'} />
					<span>{text}</span>
				</li>
			))}
		</ul>
	)
}

/** Status for assistive technology on every screen; to be seen whenever something is spoken. */
function Caption() {
	const { view, settings } = useSeat()
	const seen = settings.listen || isDoorMessage(view.screen)
	return (
		<div className={seen ? 'caption' : 'unseen'} role="status">
			<span className="unseen">{words.caption}: </span>
			<Icon name="speaker" />
			<span>“{said(view)}”</span>
		</div>
	)
}

function TroubleBar({ troubles }: { readonly troubles: readonly Trouble[] }) {
	const { act } = useSeat()
	return (
		<nav className="bar" aria-label={words.bar.trouble}>
			{troubles.map((trouble) => (
				<button key={trouble.act.kind} className="button" type="button" onClick={() => act(trouble.act)}>
					<Icon name={trouble.icon} />
					<span>{trouble.label}</span>
				</button>
			))}
			<HelpButton />
		</nav>
	)
}

function ReadingBar({ leave }: { readonly leave: Props['leave'] }) {
	const { act, settings, change, low } = useSeat()
	const toggle = (icon: IconName, label: string, pressed: boolean, part: Partial<Settings>) => (
		<button className="button" type="button" aria-pressed={pressed} onClick={() => change(part)}>
			<Icon name={icon} />
			<span>{label}</span>
		</button>
	)
	return (
		<nav className="bar" aria-label={words.bar.reading}>
			{toggle('text', words.bar.largerText, settings.largeText, { largeText: !settings.largeText })}
			{toggle('contrast', words.bar.contrast, settings.contrast, { contrast: !settings.contrast })}
			{toggle('low', words.bar.low, low, { low: !low })}
			{toggle('speaker', words.bar.listen, settings.listen, { listen: !settings.listen })}
			{leave && (
				<button className="button leave" type="button" onClick={() => act({ kind: leave === 'back' ? 'back' : 'finish' })}>
					<Icon name="undo" />
					<span>{leave === 'back' ? words.bar.back : words.bar.startOver}</span>
				</button>
			)}
			{leave !== 'back' && <HelpButton />}
		</nav>
	)
}

/**
 * Warned by sight and sound, extended by one touch (visual-language.md §9: home after 45 s, warned 15 s before, ten times).
 * It takes the place of the bar, so it never lies over what a person is about to touch; Help keeps its corner.
 */
function Idle({ help }: { readonly help: boolean }) {
	const { act } = useSeat()
	const ending = useWarned()
	if (!ending) return null
	return (
		<div className="idle" role="alert">
			<Icon name="clock" />
			<div>
				<b>{words.idle.title}</b>
				<p>{words.idle.left(ending.secondsLeft)}</p>
			</div>
			{ending.extensionsLeft > 0 && (
				<button className="button primary" type="button" onClick={() => act({ kind: 'more-time' })}>
					<Icon name="plus" />
					<span>{words.idle.more}</span>
				</button>
			)}
			{help && <HelpButton />}
		</div>
	)
}

function HelpButton() {
	const { act } = useSeat()
	return (
		<button className="button help" type="button" onClick={() => act({ kind: 'help' })}>
			<Icon name="help" />
			<span>{words.bar.help}</span>
		</button>
	)
}
