import type { KioskAct, KioskView } from '@latchwork/core/wire'
import { createContext, useContext, useEffect, useState } from 'react'
import type { Reading } from './reading.ts'

/** All that a screen may know and do. */
export interface Seat extends Pick<Reading, 'settings' | 'change' | 'low'> {
	readonly view: KioskView
	/** The site's time: `view.now` plus what passed here since, never this machine's wall clock. */
	clock(): number
	act(act: KioskAct): void
	/** The last touch did not reach the controller. */
	readonly unheard: boolean
	/** Larger text, Contrast and the like were touched since this view came: nothing the controller hears of, but somebody is there. */
	readonly touched: boolean
}

export const SeatContext = createContext<Seat | undefined>(undefined)

export function useSeat(): Seat {
	const seat = useContext(SeatContext)
	if (!seat) throw new TypeError('a screen stands outside the kiosk')
	return seat
}

/** The site's time, ticking four times a second. */
export function useNow(): number {
	const { clock } = useSeat()
	const [, tick] = useState(0)
	useEffect(() => {
		const timer = window.setInterval(() => tick((n) => n + 1), 250)
		return () => window.clearInterval(timer)
	}, [])
	return clock()
}

/** The screen is about to start over by itself. What is done ends quietly: nothing is lost with it. */
function useEnding() {
	const { view, touched, unheard } = useSeat()
	const { idle, screen } = view
	const now = useNow()
	if (!idle || now < idle.warnAt || screen.name === 'done') return undefined
	const { extensionsLeft } = idle
	return {
		secondsLeft: Math.max(0, Math.ceil((idle.endsAt - now) / 1000)),
		extensionsLeft,
		/** Who has just touched a reading helper is there: the time is renewed, and nobody is asked. */
		renew: touched && !unheard && extensionsLeft > 0,
	}
}

/** Set while the warning stands. */
export function useWarned(): { readonly secondsLeft: number; readonly extensionsLeft: number } | undefined {
	const ending = useEnding()
	return ending?.renew ? undefined : ending
}

export function useRenewal(): void {
	const { act } = useSeat()
	const renew = useEnding()?.renew ?? false
	useEffect(() => {
		if (renew) act({ kind: 'more-time' })
	}, [renew, act])
}
