/**
 * Time that a person with access to the box cannot turn back (trust.md §3.5, T22). Wall time is only believed between two limits:
 * it may not fall behind the *line* (what was known, carried on by the monotonic clock) nor run far ahead of it unannounced.
 *
 * `floor` is the largest time in anything signed that was ever seen, `lived` the largest certain time ever handed out; the caller
 * persists both with every event. A clock far ahead raises neither, so it cannot poison them: set right again, all is well.
 */
export interface TimeState {
	readonly floor: number
	readonly lived: number
	/** Known to be at least `at` when the monotonic clock showed `mono`; absent until the first reading after a start. */
	readonly line?: { readonly at: number; readonly mono: number }
	/** Added to the wall clock of this run, since a signed time showed that it is wrong by so much. */
	readonly correction: number
	readonly condition: 'good' | 'behind' | 'ahead'
}
export interface TimeReading {
	readonly state: TimeState
	/** Trusted milliseconds since 1970: never less than at an earlier reading while the clock is certain. */
	readonly now: number
	readonly uncertain: boolean
	/** Raised once when the condition changes; `byMs` is how far the wall clock was off. */
	readonly event?: { readonly kind: 'clock-went-back' | 'clock-jumped' | 'clock-good'; readonly byMs: number }
}

/** Beyond this the clock counts as uncertain: time-limited first uses are refused. */
export const TOLERANCE_MS = 5 * 60_000
/** A box may sleep this long and still believe its clock at start; after a longer sleep a signed time must confirm it. */
export const LONGEST_SLEEP_MS = 14 * 86_400_000

export const startTime = (persisted: { readonly floor: number; readonly lived: number }): TimeState => ({
	...persisted,
	correction: 0,
	condition: 'good',
})

/** Reads both clocks: `uncorrected` and `mono` as `Clock.now()` and `Clock.mono()`. */
export function trustedNow(state: TimeState, uncorrected: number, mono: number): TimeReading {
	const wall = uncorrected + state.correction
	const known = Math.max(state.floor, state.lived)
	const line = state.line ? Math.max(known, state.line.at + Math.max(0, mono - state.line.mono)) : known
	const ahead = state.line ? TOLERANCE_MS : known === 0 ? Number.POSITIVE_INFINITY : LONGEST_SLEEP_MS
	const condition = wall < line - TOLERANCE_MS ? 'behind' : wall > line + ahead ? 'ahead' : 'good'
	const now = Math.floor(Math.max(wall, line))
	const uncertain = condition !== 'good'
	const next = {
		...state,
		lived: uncertain ? state.lived : Math.max(state.lived, now),
		line: { at: uncertain ? line : now, mono },
		condition,
	} as const
	return { state: next, now, uncertain, ...changed(state.condition, condition, Math.abs(Math.round(wall - line))) }
}

function changed(before: TimeState['condition'], after: TimeState['condition'], byMs: number): Pick<TimeReading, 'event'> {
	if (before === after) return {}
	const kind = after === 'behind' ? 'clock-went-back' : after === 'ahead' ? 'clock-jumped' : 'clock-good'
	return { event: { kind, byMs } }
}

/** A signed document of any age was seen: time is not before its issue. */
export const sawSigned = (state: TimeState, issuedAt: number): TimeState => ({ ...state, floor: Math.max(state.floor, issuedAt) })

/**
 * A signed time that was made for us just now (the answer to a fresh question, never a stored document): from here on the wall
 * clock is read with the correction that it shows, and a `lived` that ran ahead by mistake comes back. The rule for the answer of a
 * server; a controller that works alone hears none and only ever calls `sawSigned`.
 */
export function heardSigned(state: TimeState, at: number, wall: number, mono: number): TimeState {
	const seen = sawSigned(state, at)
	return { ...seen, lived: Math.min(state.lived, seen.floor), line: { at: seen.floor, mono }, correction: seen.floor - wall }
}
