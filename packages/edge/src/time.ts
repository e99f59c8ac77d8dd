import { heardSigned, sawSigned, startTime, type TimeReading, type TimeState, TOLERANCE_MS, trustedNow } from '@latchwork/core/access'
import type { Clock } from '@latchwork/core/base'
import { ANSWER_WITHIN_MS } from '@latchwork/core/wire'

/** The controller's one idea of what time it is (trust.md §3.5): every record, decision and screen asks here. */
export interface TrustedTime {
	/** Trusted milliseconds since 1970; goes back only where a clock that ran ahead is set right. */
	now(): number
	uncertain(): boolean
	/** The part of it that rests on signatures and on what was lived through since; the rest is the machine's clock alone. */
	proven(): number
	/** A signed document of any age was seen. */
	saw(issuedAt: number): void
	/** The server's signed answer to a question that was asked just now: sets right what the machine's clock shows, backwards too. */
	heard(at: number): void
	/** Goes on from what an earlier run kept with its records; to be called before the first reading. */
	carryOn(kept: KeptTime | undefined): void
	/** To be kept with every record. */
	state(): KeptTime
}

export type KeptTime = Pick<TimeState, 'floor' | 'lived' | 'reached'>

/** `changed` may read the time again. */
export function trustedTime(clock: Clock, changed: (event: NonNullable<TimeReading['event']>) => void): TrustedTime {
	let state: TimeState = startTime({ floor: 0, lived: 0, reached: 0 })
	const read = (): TimeReading => {
		const reading = trustedNow(state, clock.now(), clock.mono())
		state = reading.state
		if (reading.event) changed(reading.event)
		return reading
	}
	return {
		now: () => read().now,
		uncertain: () => read().uncertain,
		proven: () => Math.floor(read().state.lived),
		saw(issuedAt) {
			state = sawSigned(state, issuedAt)
		},
		heard(at) {
			const { now, uncertain } = read()
			const aheadBy = now - at
			// The answer was on its way as long as that, so a clock that is no farther off may well be the better one.
			if (!uncertain && Math.abs(aheadBy) <= ANSWER_WITHIN_MS) {
				state = sawSigned(state, at)
				return
			}
			state = heardSigned(state, at, clock.now(), clock.mono())
			read()
			if (!uncertain && Math.abs(aheadBy) > TOLERANCE_MS) changed({ kind: aheadBy > 0 ? 'clock-went-back' : 'clock-jumped', byMs: Math.abs(aheadBy) })
		},
		carryOn(kept) {
			if (kept) state = startTime(kept)
		},
		state: () => ({ floor: state.floor, lived: state.lived, reached: state.reached }),
	}
}
