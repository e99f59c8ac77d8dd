import type { KioskAct, KioskScreen, KioskView } from '@latchwork/core/wire'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { moveByArrow } from '../ui/arrows.ts'
import { Icon, Logo } from '../ui/icon.tsx'
import type { Reading, Settings } from './reading.ts'
import { Confirm, Done, NoChange, NotOpened } from './screens/aftermath.tsx'
import { Attract } from './screens/attract.tsx'
import { Choose } from './screens/choose.tsx'
import { Open, Opening } from './screens/door.tsx'
import { Parcels } from './screens/parcels.tsx'
import { Claim, Pin } from './screens/pin.tsx'
import { Asking, BadgeLost, BadgeReading, BankFull, Denied, Help, NeedsHelp, OutOfService } from './screens/refused.tsx'
import { type Seat, SeatContext } from './seat.ts'
import { attended } from './speak.ts'
import { Voice } from './voice.tsx'
import { words } from './words.ts'

interface Props {
	readonly view: KioskView
	clock(): number
	act(act: KioskAct): void
	readonly reading: Reading
	/** The last touch did not reach the controller. */
	readonly unheard?: boolean
	/** The gallery keeps quiet. */
	readonly silent?: boolean
}

/** The whole page for one view. It holds no session. */
export function Kiosk({ view, clock, act, reading, unheard = false, silent = false }: Props) {
	const { settings, change, low } = reading
	const { helping, actHere } = useHelpAtDoor(view.screen, act)
	const [touchedAt, setTouchedAt] = useState(-1)
	const { turn } = view
	const touch = useCallback(
		(part: Partial<Settings>) => {
			setTouchedAt(turn)
			change(part)
		},
		[turn, change],
	)
	const seat = useMemo<Seat>(
		() => ({ view, clock, act: actHere, settings, low, change: touch, unheard, touched: touchedAt === turn }),
		[view, clock, actHere, settings, low, touch, unheard, touchedAt, turn],
	)
	useForgetting(view.screen, reading)
	useFocusOnChange(view.screen, helping)
	useEffect(() => {
		window.addEventListener('keydown', moveByArrow)
		return () => window.removeEventListener('keydown', moveByArrow)
	}, [])
	return (
		<SeatContext value={seat}>
			{helping ? <Help atDoor /> : <Screen screen={view.screen} />}
			{!silent && <Voice />}
		</SeatContext>
	)
}

function Screen({ screen }: { readonly screen: KioskScreen }) {
	switch (screen.name) {
		case 'attract':
			return <Attract screen={screen} />
		case 'asking':
			return <Asking />
		case 'badge-reading':
			return <BadgeReading screen={screen} />
		case 'pin':
			return <Pin screen={screen} />
		case 'choose':
			return <Choose screen={screen} />
		case 'badge-lost':
			return <BadgeLost screen={screen} />
		case 'parcels':
			return <Parcels screen={screen} />
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
			return <BankFull screen={screen} />
		case 'out-of-service':
			return <OutOfService screen={screen} />
		case 'help':
			return <Help claim={screen.claim} readBack={screen.readBack} />
		case 'claim':
			return <Claim screen={screen} />
	}
}

/** No controller: nothing is offered that could fail, and nothing is lost. */
export function Lost({ view }: { readonly view: KioskView | undefined }) {
	return (
		<main className="alone">
			<Logo />
			<Icon name="offline" />
			<div role="alert">
				<h1>{words.lost.title}</h1>
				<p className="lead">{words.lost.lead}</p>
			</div>
			{view && (
				<p className="lead strong">
					{words.lost.call(view.bank.helpPhone)} {words.help.say(view.bank.name, view.bank.site)}
				</p>
			)}
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

/** A touch at the start screen may come from somebody who is still deciding; after this long without one it is another person. */
const FORGET_MS = 45_000
/** From these a person who has not been recognised yet goes back to the start, and stays who they are. */
const STILL_HERE: readonly KioskScreen['name'][] = ['attract', 'asking', 'badge-reading', 'pin', 'denied', 'help', 'claim', 'out-of-service']

/** The next person starts with the usual look. */
function useForgetting(screen: KioskScreen, { changed, forget }: Reading) {
	const before = useRef(screen.name)
	useEffect(() => {
		if (screen.name === 'attract' && !STILL_HERE.includes(before.current)) forget()
		before.current = screen.name
	})
	useEffect(() => {
		if (screen.name !== 'attract' || !changed) return
		let timer: number
		const wait = () => {
			window.clearTimeout(timer)
			timer = window.setTimeout(forget, FORGET_MS)
		}
		wait()
		for (const kind of ['pointerdown', 'keydown']) window.addEventListener(kind, wait)
		return () => {
			window.clearTimeout(timer)
			for (const kind of ['pointerdown', 'keydown']) window.removeEventListener(kind, wait)
		}
	}, [screen.name, changed, forget])
}

/** A new screen is announced by its heading; a change within one by the status line. */
function useFocusOnChange(screen: KioskScreen, helping: boolean) {
	const place = 'door' in screen ? `${screen.name} ${screen.door.number}` : screen.name
	const key = `${place} ${helping}`
	// biome-ignore lint/correctness/useExhaustiveDependencies: the key is the reason to move
	useEffect(() => {
		// Where the page scrolls, a new screen begins at its top, not where the touch on the one before was.
		window.scrollTo(0, 0)
		if (attended()) document.getElementById('title')?.focus({ preventScroll: true })
	}, [key])
}
