import { sawSigned, startTime, type TimeReading, type TimeState, trustedNow } from '@latchwork/core/access'
import type { Clock } from '@latchwork/core/base'

/** The controller's one idea of what time it is (trust.md §3.5): every record, decision and screen asks here. */
export interface TrustedTime {
	/** Trusted milliseconds since 1970; never goes back while certain. */
	now(): number
	uncertain(): boolean
	/** A signed document of any age was seen. */
	saw(issuedAt: number): void
	/** Goes on from what an earlier run kept with its records; to be called before the first reading. */
	carryOn(kept: KeptTime | undefined): void
	/** To be kept with every record. */
	state(): KeptTime
}

export interface KeptTime {
	readonly floor: number
	readonly lived: number
}

/** `changed` may read the time again. */
export function trustedTime(clock: Clock, changed: (event: NonNullable<TimeReading['event']>) => void): TrustedTime {
	let state: TimeState = startTime({ floor: 0, lived: 0 })
	const read = (): TimeReading => {
		const reading = trustedNow(state, clock.now(), clock.mono())
		state = reading.state
		if (reading.event) changed(reading.event)
		return reading
	}
	return {
		now: () => read().now,
		uncertain: () => read().uncertain,
		saw(issuedAt) {
			state = sawSigned(state, issuedAt)
		},
		carryOn(kept) {
			if (kept) state = startTime(kept)
		},
		state: () => ({ floor: state.floor, lived: state.lived }),
	}
}
