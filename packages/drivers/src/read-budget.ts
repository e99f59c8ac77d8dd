import type { DriverClock } from './transport/index.ts'

/** More than hands can do: 32 reads at once, then 10 a second. What a device sends beyond it is dropped, so that no flood reaches the journal. */
const BURST = 32
const PER_SECOND = 10

export interface ReadBudget {
	/** False: over the budget, drop this read. */
	take(): boolean
}

export function readBudget(clock: Pick<DriverClock, 'mono'>): ReadBudget {
	let left = BURST
	let since = clock.mono()
	return {
		take() {
			const now = clock.mono()
			left = Math.min(BURST, left + ((now - since) / 1000) * PER_SECOND)
			since = now
			if (left < 1) return false
			left--
			return true
		},
	}
}

/** Says a security code at once and the same one again only after this long: an attacker must not be able to fill the journal with it. */
const ALARM_AGAIN_MS = 10_000

export function throttledAlarm<Code extends string>(clock: Pick<DriverClock, 'mono'>, raise: (code: Code) => void): (code: Code) => void {
	const raisedAt = new Map<Code, number>()
	return (code) => {
		const now = clock.mono()
		if (now - (raisedAt.get(code) ?? Number.NEGATIVE_INFINITY) < ALARM_AGAIN_MS) return
		raisedAt.set(code, now)
		raise(code)
	}
}
