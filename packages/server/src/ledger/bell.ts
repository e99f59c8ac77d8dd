import type { Clock } from '@latchwork/core/base'

/** Wakes one who waits. A ring that nobody waits for is kept, so that nothing which happens between a look and the wait is missed. */
export interface Bell {
	ring(): void
	/** Resolves at the next ring, after `ms` at the latest if given, or when the signal is aborted. */
	heard(signal: AbortSignal, ms?: number): Promise<void>
}

export function bell(pace: Pick<Clock, 'after'>): Bell {
	let rung = false
	let wake: (() => void) | undefined
	return {
		ring() {
			rung = true
			wake?.()
		},
		heard: (signal, ms) =>
			new Promise((resolve) => {
				const done = () => {
					cancel?.()
					signal.removeEventListener('abort', done)
					wake = undefined
					rung = false
					resolve()
				}
				const cancel = ms === undefined ? undefined : pace.after(ms, done)
				if (rung || signal.aborted) return done()
				wake = done
				signal.addEventListener('abort', done, { once: true })
			}),
	}
}
