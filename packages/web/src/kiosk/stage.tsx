import type { KioskAct } from '@latchwork/core/wire'
import { type ReactNode, useLayoutEffect, useRef } from 'react'
import { Icon, type IconName, Logo } from '../ui/icon.tsx'
import { clockText } from '../ui/time.ts'
import type { Settings } from './reading.ts'
import { useNow, useRenewal, useSeat, useWarned } from './seat.ts'
import { attended } from './speak.ts'
import { isSpoken, language, noticesOn, said, words } from './words.ts'

/** `wide`: acts below the title. `split`: a picture at the right. `pad`: the acts themselves at the right. `message`: little to do, much air. */
type Shape = 'wide' | 'split' | 'pad' | 'message'

export interface Trouble {
	readonly icon: IconName
	readonly label: string
	readonly act: KioskAct
	/** The person has said this already. Absent: it is nothing to be said, but something to do. */
	readonly said?: boolean
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
	const { view, unheard } = useSeat()
	const notices = noticesOn(view).slice(0, unheard ? 1 : 2)
	return (
		<div className="notices">
			<div role="alert">
				{unheard && (
					<p className="notice">
						<Icon name="offline" />
						<span>{words.unheard}</span>
					</p>
				)}
			</div>
			{notices.length > 0 && (
				<ul>
					{notices.map(([notice, text]) => (
						<li key={notice} className="notice">
							<Icon name={notice === 'bundle-stale' || notice === 'offline' ? 'offline' : 'alarm'} />
							<span>{text}</span>
						</li>
					))}
				</ul>
			)}
		</div>
	)
}

/** Status for assistive technology on every screen; to be seen whenever something is spoken. */
function Caption() {
	const { view, settings } = useSeat()
	const text = said(view, useNow())
	const seen = settings.listen || isSpoken(view.screen)
	return (
		<div className={seen ? 'caption' : 'unseen'} role="status">
			<span className="unseen">{words.caption}: </span>
			<Icon name="speaker" />
			<span>“{text}”</span>
		</div>
	)
}

function TroubleBar({ troubles }: { readonly troubles: readonly Trouble[] }) {
	const { act } = useSeat()
	return (
		<nav className="bar" aria-label={words.bar.trouble}>
			{troubles.map((trouble) => (
				<button key={trouble.act.kind} className="button" type="button" aria-pressed={trouble.said} onClick={() => act(trouble.act)}>
					<Icon name={trouble.said ? 'check' : trouble.icon} />
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
			<button className="button" type="button" data-on={settings.text !== 'usual'} onClick={() => change({ text: NEXT_TEXT[settings.text] })}>
				<Icon name="text" />
				<span>{words.bar.text[settings.text]}</span>
			</button>
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

/** The button says what a touch makes of it, so it is no switch that is on or off. */
const NEXT_TEXT = { usual: 'large', large: 'largest', largest: 'usual' } as const satisfies Record<Settings['text'], Settings['text']>

/**
 * Warned by sight and sound, extended by one touch (visual-language.md §9: home after 45 s, warned 20 s before, ten times).
 * It takes the place of the bar, so it never lies over what a person is about to touch; Help keeps its corner.
 */
function Idle({ help }: { readonly help: boolean }) {
	const { act } = useSeat()
	const ending = useWarned()
	const more = useRef<HTMLButtonElement>(null)
	useRenewal()
	useBorrowedFocus(more, ending !== undefined)
	if (!ending) return null
	return (
		<div className="idle">
			<Icon name="clock" />
			<div>
				<b role="alert">
					{words.idle.title}
					<span className="unseen"> {words.idle.soon}</span>
				</b>
				{/* Outside of what is announced: a number that ticks would be read out all the time. */}
				<p>{words.idle.left(ending.secondsLeft)}</p>
			</div>
			{ending.extensionsLeft > 0 && (
				<button ref={more} className="button primary" type="button" onClick={() => act({ kind: 'more-time' })}>
					<Icon name="plus" />
					<span>{words.idle.more}</span>
				</button>
			)}
			{help && <HelpButton />}
		</div>
	)
}

/** The bar that may have had the focus is hidden meanwhile, so the focus goes to what matters now, and back where it was. */
function useBorrowedFocus(to: { readonly current: HTMLElement | null }, borrowed: boolean) {
	useLayoutEffect(() => {
		if (!borrowed || !attended()) return
		const from = document.activeElement
		to.current?.focus({ preventScroll: true })
		return () => {
			// Another screen gives the focus to its heading itself.
			if (from instanceof HTMLElement) requestAnimationFrame(() => document.activeElement === document.body && from.focus({ preventScroll: true }))
		}
	}, [to, borrowed])
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
