import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { Icon, type IconName } from '../ui/icon.tsx'
import { AWAY, Refusal } from './api.ts'
import { useSeat } from './context.ts'
import { type DoorState, STATE_ICONS } from './door-state.ts'
import { useLiveState } from './live.ts'
import type { Outage } from './shapes.ts'
import { general, shell } from './words/shell.ts'

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'brand' | 'plain'

export function Chip({ tone = 'plain', icon, children }: { readonly tone?: Tone; readonly icon?: IconName; readonly children: ReactNode }) {
	return (
		<span className={`chip ${tone}`}>
			{icon && <Icon name={icon} />}
			{children}
		</span>
	)
}

const TONE_ICONS = { ok: 'check', warn: 'clock', bad: 'alarm', info: 'pulse', brand: 'pulse', plain: 'slash' } as const satisfies Record<
	Tone,
	IconName
>
/** State of a case: its tone has an icon of its own, so that colour is never alone. */
export const StateChip = ({ state: [word, tone] }: { readonly state: readonly [string, Tone] }) => (
	<Chip tone={tone} icon={TONE_ICONS[tone]}>
		{word}
	</Chip>
)

export function OnlineChip({ online, outage, heard }: { readonly online: boolean; readonly outage: Outage; readonly heard: boolean }) {
	// An old picture must not look like a present one.
	if (useLiveState(useSeat().live) === 'waiting') return <Chip icon="unknown">{shell.notKnown}</Chip>
	if (!heard) return <Chip icon="unknown">Never heard</Chip>
	if (outage === 'confirmed')
		return (
			<Chip tone="bad" icon="offline">
				Offline
			</Chip>
		)
	if (outage === 'raw' || !online)
		return (
			<Chip tone="warn" icon="offline">
				Silent
			</Chip>
		)
	return (
		<Chip tone="ok" icon="check">
			Online
		</Chip>
	)
}

/** Colour, pattern and icon of a door state; the word stands beside it. */
export function Swatch({ state }: { readonly state: DoorState }) {
	return (
		<span className={`st st-${state} swatch`}>
			<Icon name={STATE_ICONS[state]} />
		</span>
	)
}

interface CardProps {
	readonly title?: ReactNode
	readonly end?: ReactNode
	readonly label?: string
	readonly className?: string
	readonly children: ReactNode
	/** Rows reach from edge to edge. */
	readonly flush?: boolean
}
export function Card({ title, end, label, className = '', children, flush }: CardProps) {
	const id = useId()
	return (
		<section className={`card ${className}`} {...(label ? { 'aria-label': label } : title !== undefined && { 'aria-labelledby': id })}>
			{title !== undefined && (
				<div className="head">
					<h2 id={id}>{title}</h2>
					{end !== undefined && <div className="end">{end}</div>}
				</div>
			)}
			<div className={flush ? 'flush' : 'body'}>{children}</div>
		</section>
	)
}

interface TitleProps {
	readonly title: string
	readonly above?: ReactNode
	readonly below?: ReactNode
	readonly end?: ReactNode
}
/** The heading of a room; it names the window, too, and takes the focus when the room is entered. */
export function Title({ title, above, below, end }: TitleProps) {
	const heading = useRef<HTMLHeadingElement>(null)
	useEffect(() => {
		document.title = shell.title(title)
	}, [title])
	useEffect(() => {
		// Whoever came by a link hears where they are; on the very first page the beginning of the document is the better place.
		if (document.body.dataset.entered !== undefined) heading.current?.focus({ preventScroll: true })
		document.body.dataset.entered = ''
	}, [])
	return (
		<div className="title">
			<div>
				{above}
				<h1 ref={heading} tabIndex={-1}>
					{title}
				</h1>
				{below !== undefined && <div className="lead">{below}</div>}
			</div>
			{end !== undefined && <div className="end">{end}</div>}
		</div>
	)
}

export function Loading() {
	return (
		<p className="state" role="status">
			{general.loading}
		</p>
	)
}

/** There is no such thing (404), what stands in the address is not even the id of one (400), or is longer than any (405). */
const isNothing = (error: unknown): boolean => error instanceof Refusal && [400, 404, 405].includes(error.status)

/** What is said of something that was read and did not come; never in the words of the API, which are for programs. */
export function Failed({ error, again }: { readonly error: unknown; readonly again?: () => unknown }) {
	const refusal = error instanceof Refusal ? error : undefined
	const text =
		refusal?.status === 403
			? general.notPermitted
			: isNothing(error)
				? general.notFound
				: refusal?.code === AWAY
					? shell.away
					: (refusal?.message ?? general.failed)
	return (
		<div className="state" role="alert">
			<p>{text}</p>
			{again && refusal?.status !== 403 && !isNothing(error) && (
				<button type="button" className="btn small" onClick={() => void again()}>
					{general.again}
				</button>
			)}
		</div>
	)
}

export function Empty({ title, note, children }: { readonly title: string; readonly note?: string; readonly children?: ReactNode }) {
	return (
		<div className="state">
			<p className="strong">{title}</p>
			{note !== undefined && <p className="mute">{note}</p>}
			{children}
		</div>
	)
}

interface Asked<T> {
	readonly data: T | undefined
	readonly error: unknown
	refetch(): unknown
}
/** What was asked for, or why there is nothing to show. What is known stays while newer facts cannot be had. */
export function Shown<T>({ of, children }: { readonly of: Asked<T>; readonly children: (data: T) => ReactNode }) {
	if (of.data !== undefined) return children(of.data)
	return of.error ? <Failed error={of.error} again={of.refetch} /> : <Loading />
}

type Thing = keyof typeof general.noSuch
const LISTS = { bank: '/banks', site: '/banks', case: '/cases', person: '/people', role: '/roles', policy: '/policies' } as const satisfies Record<
	Thing,
	string
>

/** The address names one thing that there is not. */
export function NoSuch({ one }: { readonly one: Thing }) {
	return (
		<>
			<Title title={general.noSuch[one]} />
			<Card label={general.noSuch[one]}>
				<Empty title={general.noSuchNote}>
					<Link className="btn small" to={LISTS[one]}>
						{general.toList[one]}
					</Link>
				</Empty>
			</Card>
		</>
	)
}

interface RoomProps<T> {
	readonly of: Asked<T>
	/** It is the room of one thing, and of which. */
	readonly one?: Thing
	readonly children: (data: T) => ReactNode
}
/** A whole room of what was asked for; one that cannot be shown has a heading, too. */
export function Room<T>({ of, one, children }: RoomProps<T>) {
	if (of.data !== undefined || !of.error) return <Shown of={of}>{children}</Shown>
	if (one && isNothing(of.error)) return <NoSuch one={one} />
	return (
		<>
			<Title title={general.notShown} />
			<Card label={general.notShown}>
				<Failed error={of.error} again={of.refetch} />
			</Card>
		</>
	)
}

interface SegmentsProps<T extends string> {
	readonly label: string
	readonly value: T
	readonly options: readonly (readonly [value: T, words: string])[]
	choose(value: NoInfer<T>): void
}
export function Segments<T extends string>({ label, value, options, choose }: SegmentsProps<T>) {
	return (
		<fieldset className="seg" aria-label={label}>
			{options.map(([one, words]) => (
				<button key={one} type="button" aria-pressed={one === value} onClick={() => choose(one)}>
					{words}
				</button>
			))}
		</fieldset>
	)
}

/** A record of the ledger, with the way to it. */
export function Leaf({ position }: { readonly position: number }) {
	return (
		<Link className="leaf" to="/events" search={{ at: position }} aria-label={general.record(position)}>
			<Icon name="chain" />
			{general.record(position).replace(/^\D+/, '')}
		</Link>
	)
}
