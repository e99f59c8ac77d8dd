import { sawSigned, startTime, type TimeReading, type TimeState, trustedNow } from '@latchwork/core/access'
import type { Clock } from '@latchwork/core/base'

/** The controller's one idea of what time it is (trust.md §3.5): every record, decision and screen asks here. */
export interface TrustedTime {
	/** Trusted milliseconds since 1970; never goes back while certain. */
	now(): number
	uncertain(): boolean
	/** A signed document of any age was seen. */
	saw(issuedAt: number): void
	/** To be kept with every record. */
	readonly state: () => { readonly floor: number; readonly lived: number }
}

/** `kept` answers once the journal is open; until then the wall clock is all there is. */
export function trustedTime(
	clock: Clock,
	kept: () => { floor: number; lived: number } | undefined,
	changed: (event: NonNullable<TimeReading['event']>) => void,
): TrustedTime {
	let state: TimeState = startTime({ floor: 0, lived: 0 })
	let loaded = false
	let telling = false
	const read = (): TimeReading => {
		const before = loaded ? undefined : kept()
		if (before) {
			loaded = true
			state = startTime(before)
		}
		const reading = trustedNow(state, clock.now(), clock.mono())
		state = reading.state
		if (reading.event && !telling) {
			// The listener records the change, and recording reads the time.
			telling = true
			changed(reading.event)
			telling = false
		}
		return reading
	}
	return {
		now: () => read().now,
		uncertain: () => read().uncertain,
		saw(issuedAt) {
			state = sawSigned(state, issuedAt)
		},
		state: () => ({ floor: state.floor, lived: state.lived }),
	}
}
