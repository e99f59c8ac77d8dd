/**
 * Time that a person with access to the box cannot turn back (trust.md §3.5, T22). Wall time is only believed between two limits: it
 * may not fall behind what was signed or lived through, nor run far ahead of what was known unannounced.
 *
 * `floor` is the largest time in anything signed that was ever seen; `lived` is that floor carried on by the monotonic clock of each
 * run: nobody can shorten it, and no wall clock lengthens it. `reached` is the largest certain time ever handed out: where the wall
 * clock is proven wrong, nothing that had expired by then comes back. The caller persists all three with every event. A clock that ran
 * ahead, at a start or later, is in `reached` alone, so it poisons nothing: set right again, all is well.
 */
export interface TimeState {
	readonly floor: number
	readonly lived: number
	readonly reached: number
	/** What was handed out when the monotonic clock showed `mono`; absent until the first reading after a start. */
	readonly line?: { readonly at: number; readonly mono: number }
	/** Added to the wall clock of this run, since a signed time showed that it is wrong by so much. */
	readonly correction: number
	readonly condition: 'good' | 'behind' | 'ahead'
}
export interface TimeReading {
	readonly state: TimeState
	/** Trusted milliseconds since 1970: never less than what was signed or lived through, and back only where a clock that ran ahead is set right. */
	readonly now: number
	readonly uncertain: boolean
	/** Raised once when the condition changes or the time goes back; `byMs` is how far the wall clock was off. */
	readonly event?: { readonly kind: 'clock-went-back' | 'clock-jumped' | 'clock-good'; readonly byMs: number }
}

/** Beyond this the clock counts as uncertain: time-limited first uses are refused. */
export const TOLERANCE_MS = 5 * 60_000
/** A box may sleep this long and still believe its clock at start; after a longer sleep a signed time must confirm it. */
export const LONGEST_SLEEP_MS = 14 * 86_400_000

export const startTime = (persisted: Pick<TimeState, 'floor' | 'lived' | 'reached'>): TimeState => ({
	...persisted,
	correction: 0,
	condition: 'good',
})

/** Reads both clocks: `uncorrected` and `mono` as `Clock.now()` and `Clock.mono()`. */
export function trustedNow(state: TimeState, uncorrected: number, mono: number): TimeReading {
	const wall = uncorrected + state.correction
	const passed = state.line ? Math.max(0, mono - state.line.mono) : 0
	const lived = Math.max(state.floor, state.lived + passed)
	const line = Math.max(lived, state.line ? state.line.at + passed : state.reached)
	const farthest = state.line ? line + TOLERANCE_MS : state.floor === 0 ? Number.POSITIVE_INFINITY : lived + LONGEST_SLEEP_MS
	const condition = wall < lived - TOLERANCE_MS ? 'behind' : wall > farthest ? 'ahead' : 'good'
	// What the wall clock alone had said is taken back when it says something else that can be true: nothing signed speaks for either.
	const known = condition === 'good' && wall < line - TOLERANCE_MS ? lived : line
	const now = Math.floor(Math.max(wall, known))
	const uncertain = condition !== 'good'
	const next = { ...state, lived, reached: uncertain ? state.reached : now, line: { at: uncertain ? known : now, mono }, condition } as const
	const backBy = uncertain ? 0 : state.reached - now
	const event = backBy > TOLERANCE_MS ? { kind: 'clock-went-back' as const, byMs: Math.round(backBy) } : undefined
	return { state: next, now, uncertain, ...(event ? { event } : changed(state.condition, condition, Math.abs(Math.round(wall - line)))) }
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
 * clock is read with the correction that it shows, and what ran ahead by mistake comes back. The rule for the answer of a server. A
 * controller that works alone hears none: its bundles and leases are files, and a file from last week that says when it was signed must
 * not make it last week. They only call `sawSigned`.
 */
export function heardSigned(state: TimeState, at: number, wall: number, mono: number): TimeState {
	const seen = sawSigned(state, at)
	return { ...seen, lived: seen.floor, reached: seen.floor, line: { at: seen.floor, mono }, correction: seen.floor - wall }
}
