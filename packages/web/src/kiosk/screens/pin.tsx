import { useEffect } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { useNow, useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { type Named, pinWords, words } from '../words.ts'
import { PinPicture } from './pictures.tsx'

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
				</>
			}
			picture={<PinPicture />}
		>
			<Dots entered={screen.entered} length={screen.length} waiting={waiting} />
			<fieldset className="keypad" aria-label={words.pin.keypad}>
				{['1', '2', '3', '4', '5', '6', '7', '8', '9'].map((digit) => (
					<Key key={digit} label={digit} off={waiting || full} onPress={() => press(digit)} />
				))}
				{/* Where all that can be typed has one length, the last digit sends it by itself and there is no key to go on. */}
				<Key label="0" off={waiting || full} onPress={() => press('0')} />
				<button className="key word" type="button" aria-disabled={waiting || screen.entered === 0} onClick={() => press('*')}>
					<Icon name="back" />
					<span>{words.pin.remove}</span>
				</button>
				{screen.confirms && (
					<button className="key word go" type="button" aria-disabled={waiting || screen.entered === 0} onClick={() => press('#')}>
						<Icon name="check" />
						<span>{words.pin.go}</span>
					</button>
				)}
			</fieldset>
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

function Dots({ entered, length, waiting }: { readonly entered: number; readonly length: number; readonly waiting: boolean }) {
	const slots = Array.from({ length }, (_, index) => (index < entered ? 'full' : index === entered && !waiting ? 'at' : 'free'))
	return (
		<div className="dots" role="img" aria-label={words.pin.dots(entered, length)}>
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
