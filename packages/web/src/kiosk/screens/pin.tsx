import { useEffect } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { useNow, useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { type Named, pinWords, words } from '../words.ts'
import { PinPicture } from './pictures.tsx'
import { CallCard, Headline } from './refused.tsx'

/** Phone order, never shuffled; what was typed stays at the controller, the page sees only how much (visual-language.md §9). */
export function Pin({ screen }: { readonly screen: Named<'pin'> }) {
	const { act } = useSeat()
	const now = useNow()
	const waitMs = Math.max(0, (screen.waitUntil ?? 0) - now)
	const waiting = waitMs > 0
	const full = screen.entered >= screen.length
	const text = pinWords(screen)
	const press = (keys: string) => {
		if (!waiting) act({ kind: 'keys', keys })
	}
	useKeyboard(press)
	return (
		<Stage
			shape="pad"
			leave="start-over"
			info={
				<>
					<Title>{text.title}</Title>
					<p className="lead">{text.lead}</p>
					{screen.wrong && <Wrong text={text.wrong} seconds={waiting ? Math.ceil(waitMs / 1000) : 0} />}
					{screen.oneTime === 'offered' && (
						<button className="button one-time" type="button" onClick={() => act({ kind: 'start-one-time' })}>
							<Icon name="key" />
							<span>{words.pin.oneTime}</span>
						</button>
					)}
				</>
			}
			picture={<PinPicture />}
		>
			<Dots label={words.pin.dots(screen.entered, screen.length)} entered={screen.entered} length={screen.length} waiting={waiting} />
			<Keypad press={press} off={waiting || full} empty={waiting || screen.entered === 0} confirms={screen.confirms} />
		</Stage>
	)
}

function Key({ label, off, onPress }: { readonly label: string; readonly off: boolean; readonly onPress: () => void }) {
	return (
		<button className="key" type="button" aria-disabled={off} onClick={onPress}>
			{label}
		</button>
	)
}

/** The code that lets this bank in anew: by staff, on a screen that is found from Help alone. */
export function Claim({ screen: { entered, length, state } }: { readonly screen: Named<'claim'> }) {
	const { act } = useSeat()
	const text = words.claim
	const busy = state === 'asking'
	const press = (keys: string) => {
		if (!busy && state !== 'accepted') act({ kind: 'keys', keys })
	}
	useKeyboard(press)
	if (state === 'accepted')
		return (
			<Stage shape="message" info={<Headline icon="check" tone="info" title={text.accepted[0]} lead={text.accepted[1]} />} picture={<CallCard />}>
				<button className="button primary wide" type="button" onClick={() => act({ kind: 'finish' })}>
					<Icon name="check" />
					<span>{words.done.finish}</span>
				</button>
			</Stage>
		)
	return (
		<Stage
			shape="pad"
			leave="start-over"
			info={
				<>
					<Title>{busy ? text.asking[0] : text.title}</Title>
					<p className="lead">{busy ? text.asking[1] : text.lead(length)}</p>
					{state !== 'typing' && state !== 'asking' && <Wrong text={text[state]} seconds={0} />}
				</>
			}
			picture={<PinPicture />}
		>
			<Dots label={text.dots(entered, length)} entered={entered} length={length} waiting={busy} />
			<Keypad press={press} off={busy} empty={busy || entered === 0} />
		</Stage>
	)
}

interface KeypadProps {
	readonly press: (keys: string) => void
	readonly off: boolean
	/** There is nothing to take back or to send. */
	readonly empty: boolean
	/** What can be typed differs in length, so a touch says when it is whole; else the last digit sends it by itself. */
	readonly confirms?: boolean | undefined
}

function Keypad({ press, off, empty, confirms }: KeypadProps) {
	return (
		<fieldset className="keypad" aria-label={words.pin.keypad}>
			{['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'].map((digit) => (
				<Key key={digit} label={digit} off={off} onPress={() => press(digit)} />
			))}
			<button className="key word" type="button" aria-disabled={empty} onClick={() => press('*')}>
				<Icon name="back" />
				<span>{words.pin.remove}</span>
			</button>
			{confirms && (
				<button className="key word go" type="button" aria-disabled={empty} onClick={() => press('#')}>
					<Icon name="check" />
					<span>{words.pin.go}</span>
				</button>
			)}
		</fieldset>
	)
}

interface DotsProps {
	readonly label: string
	readonly entered: number
	readonly length: number
	readonly waiting: boolean
}

function Dots({ label, entered, length, waiting }: DotsProps) {
	const slots = Array.from({ length }, (_, index) => (index < entered ? 'full' : index === entered && !waiting ? 'at' : 'free'))
	return (
		<div className="dots" role="img" aria-label={label}>
			{slots.map((slot, index) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: a slot is its position
				<span key={index} className={slot} />
			))}
		</div>
	)
}

function Wrong({ text, seconds }: { readonly text: string; readonly seconds: number }) {
	return (
		<p className="remark bad">
			<Icon name={seconds > 0 ? 'clock' : 'alarm'} />
			<span>
				<b role="alert">{text}</b>
				{seconds > 0 && <span>{words.pin.wait(seconds)}</span>}
			</span>
		</p>
	)
}

/** A tactile keypad is a keyboard: digits, Enter, and Backspace work wherever the focus is. */
function useKeyboard(press: (keys: string) => void) {
	useEffect(() => {
		const onKey = (event: KeyboardEvent) => {
			if (event.ctrlKey || event.altKey || event.metaKey) return
			const onButton = event.target instanceof HTMLButtonElement
			if (/^[0-9]$/.test(event.key)) press(event.key)
			else if (event.key === 'Enter' && !onButton) press('#')
			else if (event.key === 'Backspace' || event.key === 'Delete') press('*')
			else return
			event.preventDefault()
		}
		window.addEventListener('keydown', onKey)
		return () => window.removeEventListener('keydown', onKey)
	})
}
