/**
 * Every timer of a door in one table, in milliseconds (workflows.md §3.0 "Door session" timers; hardware.md §4).
 * The names are what the reducer asks its host for.
 */
export const DOOR_TIMERS = {
	/** Pulse sent, no acknowledgement: then the sensor is read. */
	ack: 3_000,
	/** T_open: pulse to open edge; also the window in which an opening belongs to the last release (R7). */
	open: 10_000,
	/** A close edge must hold this long before anything rests on it (debounce 100–200 ms, and a content sensor polled once more). */
	settle: 300,
	prompt: 30_000,
	staff: 120_000,
	/** T_close: left-open (R9). */
	alarm: 300_000,
	/** Asked whether it was done and nobody answers; the kiosk says so earlier when its own session ends (45 s idle). */
	answer: 120_000,
	/** I11: nothing stays undecided longer than 5 s after a restart; the reading is given up a little before. */
	recovery: 4_000,
	/** A flapping sensor is trusted again after this long without an edge. */
	quiet: 60_000,
} as const
export type DoorTimer = keyof typeof DOOR_TIMERS

/**
 * Timers of the kiosk (workflows.md §3.0), in milliseconds. `warn`: how long before the end a person is asked whether they are still there; WCAG
 * 2.2.1 wants at least 20 s for the answer. `notice` and `incident`: how long a refusal and an incident number stay to be read.
 */
export const KIOSK_TIMERS = { home: 45_000, warn: 20_000, extensions: 10, notice: 45_000, incident: 90_000, done: 45_000 } as const

/** After a pick-up the same person may open the same door again (workflows.md §3.0): within this long, so many times. */
export const REOPEN = { withinMs: 120_000, times: 2 } as const

/** R10: more than 5 edges in 2 s. */
export const FLAP = { edges: 5, withinMs: 2_000 } as const

/** X1: the second `not-opened` within 24 h takes the compartment out of service. */
export const STUCK = { failures: 2, withinMs: 24 * 3_600_000 } as const
