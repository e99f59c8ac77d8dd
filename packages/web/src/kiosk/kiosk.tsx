import type { KioskAct, KioskScreen, KioskView } from '@latchwork/core/wire'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { moveByArrow } from '../ui/arrows.ts'
import { Icon, Logo } from '../ui/icon.tsx'
import { useMedia } from '../ui/media.ts'
import { Confirm, Done, NoChange, NotOpened } from './screens/aftermath.tsx'
import { Attract } from './screens/attract.tsx'
import { Choose } from './screens/choose.tsx'
import { Open, Opening } from './screens/door.tsx'
import { Pin } from './screens/pin.tsx'
import { BankFull, Denied, Help, NeedsHelp, OutOfService } from './screens/refused.tsx'
import { DEFAULT_SETTINGS, type Seat, SeatContext, type Settings, useWarned } from './seat.ts'
import { attended, chime, hush, speak } from './speak.ts'
import { isDoorMessage, language, said, words } from './words.ts'

interface Props {
	readonly view: KioskView
	clock(): number
	act(act: KioskAct): void
	/** Where a visit starts from; the gallery starts from others. */
	readonly initial?: Settings
	/** The gallery keeps quiet. */
	readonly silent?: boolean
}

/** The whole page for one view. It holds no session: only how this person wants to read it, until the visit ends. */
export function Kiosk({ view, clock, act, initial = DEFAULT_SETTINGS, silent = false }: Props) {
	const [settings, setSettings] = useState(initial)
	const portrait = useMedia('(orientation: portrait)')
	const low = settings.low ?? portrait
	const { helping, actHere } = useHelpAtDoor(view.screen, act)
	const seat = useMemo<Seat>(
		() => ({ view, clock, act: actHere, settings, low, change: (part) => setSettings((now) => ({ ...now, ...part })) }),
		[view, clock, actHere, settings, low],
	)
	useForgetting(view.screen, () => setSettings(initial))
	useFocusOnChange(view.screen, helping)
	useLook(settings)
	useVoice(view, settings, silent)
	useEffect(() => {
		window.addEventListener('keydown', moveByArrow)
		return () => window.removeEventListener('keydown', moveByArrow)
	}, [])
	return (
		<SeatContext value={seat}>
			{helping ? <Help /> : <Screen screen={view.screen} />}
			{!silent && <WarningSound />}
		</SeatContext>
	)
}

function Screen({ screen }: { readonly screen: KioskScreen }) {
	switch (screen.name) {
		case 'attract':
			return <Attract />
		case 'pin':
			return <Pin screen={screen} />
		case 'choose':
			return <Choose screen={screen} />
		case 'opening':
			return <Opening screen={screen} />
		case 'open':
			return <Open screen={screen} />
		case 'not-opened':
			return <NotOpened screen={screen} />
		case 'no-change':
			return <NoChange screen={screen} />
		case 'confirm':
			return <Confirm screen={screen} />
		case 'done':
			return <Done key={`${screen.act} ${screen.receipt}`} screen={screen} />
		case 'denied':
			return <Denied screen={screen} />
		case 'needs-help':
			return <NeedsHelp screen={screen} />
		case 'bank-full':
			return <BankFull />
		case 'out-of-service':
			return <OutOfService screen={screen} />
		case 'help':
			return <Help />
	}
}

/** Two tones when the warning comes; to be seen it stands in the frame. */
function WarningSound() {
	const warned = useWarned() !== undefined
	useEffect(() => {
		if (warned && attended()) chime()
	}, [warned])
	return null
}

/** No controller: nothing is offered that could fail, and nothing is lost. */
export function Lost({ view }: { readonly view: KioskView | undefined }) {
	useLook(DEFAULT_SETTINGS)
	return (
		<main className="alone">
			<Logo />
			<Icon name="offline" />
			<div role="alert">
				<h1>{words.lost.title}</h1>
				<p className="lead">{words.lost.lead}</p>
			</div>
			{view && <p className="lead strong">{words.lost.call(view.bank.helpPhone)}</p>}
		</main>
	)
}

export function Starting() {
	return (
		<main className="alone">
			<Logo />
			<h1>{words.loading}</h1>
		</main>
	)
}

/**
 * While a door is open the controller stays with that door, so help is a leaf laid over the screen: it goes away by itself
 * as soon as the door has something new to say.
 */
function useHelpAtDoor(screen: KioskScreen, act: (act: KioskAct) => void) {
	const moment = screen.name === 'open' ? `open ${screen.level}` : screen.name
	const atDoor = screen.name === 'open' || screen.name === 'opening'
	const [helpedAt, setHelpedAt] = useState<string>()
	const helping = atDoor && helpedAt === moment
	const actHere = useCallback(
		(next: KioskAct) => {
			if (atDoor && next.kind === 'help') setHelpedAt(moment)
			else if (helping && next.kind === 'back') setHelpedAt(undefined)
			else act(next)
		},
		[act, atDoor, helping, moment],
	)
	return { helping, actHere }
}

/** The next person starts with the usual look. */
function useForgetting(screen: KioskScreen, forget: () => void) {
	const before = useRef(screen.name)
	useEffect(() => {
		if (screen.name === 'attract' && before.current !== 'attract') forget()
		before.current = screen.name
	})
}

/** A new screen is announced by its heading; a change within one by the status line. */
function useFocusOnChange(screen: KioskScreen, helping: boolean) {
	const place = 'door' in screen ? `${screen.name} ${screen.door.number}` : screen.name
	const key = `${place} ${helping}`
	// biome-ignore lint/correctness/useExhaustiveDependencies: the key is the reason to move
	useEffect(() => {
		if (attended()) document.getElementById('title')?.focus({ preventScroll: true })
	}, [key])
}

function useLook(settings: Settings) {
	useEffect(() => {
		const { dataset } = document.documentElement
		if (settings.largeText) dataset.text = 'large'
		else delete dataset.text
		if (settings.contrast) dataset.contrast = 'high'
		else delete dataset.contrast
	}, [settings])
}

/** Every door message is spoken; the rest when asked to (visual-language.md §9). */
function useVoice(view: KioskView, settings: Settings, silent: boolean) {
	const text = said(view)
	const aloud = !silent && (settings.listen || isDoorMessage(view.screen))
	useEffect(() => {
		if (!aloud || !attended()) return
		speak(text, language)
		return hush
	}, [text, aloud])
}
