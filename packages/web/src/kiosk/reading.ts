import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useMedia } from '../ui/media.ts'

/** How one person wants the page; forgotten when the visit ends. `low` unset: follow the way the screen hangs. */
export interface Settings {
	readonly text: 'usual' | 'large' | 'largest'
	readonly contrast: boolean
	readonly low: boolean | undefined
	readonly listen: boolean
}

const DEFAULT_SETTINGS: Settings = { text: 'usual', contrast: false, low: undefined, listen: false }

/** Lives above the screens, so that a controller that goes away and comes back takes nobody's larger text along. */
export interface Reading {
	readonly settings: Settings
	/** Something is not as it is for the next person. */
	readonly changed: boolean
	/** Everything touched lies in the lower half. */
	readonly low: boolean
	change(part: Partial<Settings>): void
	forget(): void
}

/** Too little room for the kiosk's layout: a phone on the bench, or a browser that is zoomed in. */
const SMALL = '(max-width: 700px), (max-width: 1200px) and (orientation: landscape), (max-height: 680px)'

export function useReading(initial: Settings = DEFAULT_SETTINGS): Reading {
	const [settings, set] = useState(() => (window.matchMedia('(prefers-contrast: more)').matches ? { ...initial, contrast: true } : initial))
	const usual = useRef(settings)
	const portrait = useMedia('(orientation: portrait)')
	const small = useMedia(SMALL)
	const change = useCallback((part: Partial<Settings>) => set((now) => ({ ...now, ...part })), [])
	const forget = useCallback(() => set(usual.current), [])
	// Before the first picture, so that nothing jumps.
	useLayoutEffect(() => {
		const { dataset } = document.documentElement
		dataset.text = settings.text
		dataset.contrast = settings.contrast ? 'high' : 'usual'
		dataset.room = small || settings.text === 'largest' ? 'small' : 'kiosk'
	}, [settings, small])
	const low = settings.low ?? portrait
	return useMemo(() => ({ settings, changed: settings !== usual.current, low, change, forget }), [settings, low, change, forget])
}
