import type { Act } from '../workflow/index.ts'

/** End states of a door session (trust.md §4.1), by name only: a visit knows what became of a door, not how. */
export type StepOutcome = 'committed' | 'denied' | 'not-opened' | 'no-change' | 'ambiguous' | 'interrupted' | 'aborted' | 'failed'

export interface Step {
	readonly id: string
	readonly act: Act
	readonly workflow: string
	readonly caseId: string
	readonly lineId: string
	readonly compartment?: string
	/** Link whose case this step belongs to (the spare of a repair). */
	readonly of?: string
	/** `skippable`: the person may pass over it. */
	readonly then: 'required' | 'skippable'
	/** May be open at the same time as the step before it (R8: only because the table says so). */
	readonly together?: true
	readonly state: 'planned' | 'active' | 'done' | 'skipped' | 'failed'
	/** Every door session tried for this step, oldest first. */
	readonly doorSessions: readonly string[]
	readonly outcome?: StepOutcome
}

/** One identified person at one kiosk: an ordered plan of door sessions. Plain JSON; times in milliseconds since 1970. */
export interface Visit {
	readonly id: string
	readonly bank: string
	readonly subject: string
	readonly credential: string
	/** How the person was identified: `badge`, `pin`, `badge+pin`, `code` ... */
	readonly method: string
	readonly startedAt: number
	readonly state: 'open' | 'ended' | 'interrupted'
	readonly interruptedAt?: number
	readonly plan: readonly Step[]
}
