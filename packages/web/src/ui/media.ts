import { useMemo, useSyncExternalStore } from 'react'

/** Whether a media query holds now; follows the window. */
export function useMedia(query: string): boolean {
	const list = useMemo(() => window.matchMedia(query), [query])
	return useSyncExternalStore(
		(changed) => {
			list.addEventListener('change', changed)
			return () => list.removeEventListener('change', changed)
		},
		() => list.matches,
	)
}
