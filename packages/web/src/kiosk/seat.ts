import type { KioskAct, KioskView } from '@latchwork/core/wire'
import { createContext, useContext, useEffect, useState } from 'react'

/** How one person wants the page; forgotten when the visit ends. `low` unset: follow the way the screen hangs. */
export interface Settings {
	readonly largeText: boolean
	readonly contrast: boolean
	readonly low: boolean | undefined
	readonly listen: boolean
}

export const DEFAULT_SETTINGS: Settings = { largeText: false, contrast: false, low: undefined, listen: false }

/** All that a screen may know and do. */
export interface Seat {
	readonly view: KioskView
	/** The site's time: `view.now` plus what passed here since, never this machine's wall clock. */
	clock(): number
	act(act: KioskAct): void
	readonly settings: Settings
	change(part: Partial<Settings>): void
	/** Everything touched lies in the lower half. */
	readonly low: boolean
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

/** Set while the warning stands that the screen starts over by itself. */
export function useWarned(): { readonly secondsLeft: number; readonly extensionsLeft: number } | undefined {
	const { idle } = useSeat().view
	const now = useNow()
	if (!idle || now < idle.warnAt) return undefined
	return { secondsLeft: Math.max(0, Math.ceil((idle.endsAt - now) / 1000)), extensionsLeft: idle.extensionsLeft }
}
