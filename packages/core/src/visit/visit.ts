import type { Act } from '../workflow/index.ts'

/** End states of a door session (trust.md §4.1), by name only: a visit knows what became of a door, not how. */
export type StepOutcome = 'committed' | 'denied' | 'not-opened' | 'no-change' | 'ambiguous' | 'interrupted' | 'aborted' | 'failed'

/**
 * `planned` → `active` (a door session runs) → `done`, `skipped` or `failed`. A door that did not open or changed nothing
 * (`not-opened`, `no-change`, `interrupted`) leads back to `planned`: the person may try again, which is a new act.
 */
export type StepState = 'planned' | 'active' | 'done' | 'skipped' | 'failed'

export interface Step {
	readonly id: string
	readonly act: Act
	readonly workflow: string
	readonly caseId: string
	readonly lineId: string
	readonly compartment?: string
	/** Link whose case this step belongs to (the spare of a repair). */
	readonly of?: string
	/** The person may pass over it. */
	readonly skippable?: true
	/** May be open at the same time as the step before it (R8: only because the table says so). */
	readonly together?: true
	readonly state: StepState
	/** Every door session tried for this step, oldest first; while active the last one runs. */
	readonly doorSessions: readonly string[]
	/** What became of the last door session. */
	readonly outcome?: StepOutcome
}

export type PlannedStep = Omit<Step, 'state' | 'doorSessions' | 'outcome'>

/** One identified person at one kiosk: an ordered plan of door sessions. Plain JSON; times in milliseconds since 1970. */
export interface Visit {
	readonly id: string
	readonly bank: string
	readonly subject: string
	readonly credential: string
	/** How the person was identified: `badge`, `pin`, `badge+pin`, `code` ... */
	readonly method: string
	readonly startedAt: number
	/** `interrupted`: power was lost; the same person may go on until `RESUME_MS` have passed, then it is over. */
	readonly state: 'open' | 'interrupted' | 'ended'
	readonly interruptedAt?: number
	readonly plan: readonly Step[]
}

export type VisitRefusal =
	| 'visit-not-open'
	| 'unknown-step'
	| 'step-not-planned'
	| 'step-not-active'
	| 'not-its-turn'
	| 'door-open'
	| 'not-skippable'
	| 'not-resumable'
	| 'duplicate'

export interface VisitRefused {
	readonly refused: VisitRefusal
	readonly text: string
}

/** X11: the visit can be taken up again at the kiosk for 15 minutes. */
export const RESUME_MS = 15 * 60_000

/** Ends that leave the step as it was, so that it may be tried again: nothing was moved and nothing is in doubt. */
const TRY_AGAIN: readonly StepOutcome[] = ['not-opened', 'no-change', 'interrupted']

export function startVisit(who: Pick<Visit, 'id' | 'bank' | 'subject' | 'credential' | 'method' | 'startedAt'>): Visit {
	return { ...who, state: 'open', plan: [] }
}

/** Adds a door at the end of the plan, or (`next`) in front of those still planned: another compartment after a doubtful one. */
export function addStep(visit: Visit, step: PlannedStep, at: 'end' | 'next' = 'end'): Visit | VisitRefused {
	if (visit.state !== 'open') return notOpen(visit)
	if (visit.plan.some((s) => s.id === step.id)) return refuse('duplicate', `step ${step.id} is already planned`)
	const added: Step = { ...step, state: 'planned', doorSessions: [] }
	if (at === 'end') return { ...visit, plan: [...visit.plan, added] }
	if (visit.plan.some((s) => s.state === 'active')) return refuse('door-open', 'a step goes in between only while no door is active')
	const place = visit.plan.findIndex((s) => s.state === 'planned')
	return { ...visit, plan: place < 0 ? [...visit.plan, added] : visit.plan.toSpliced(place, 0, added) }
}

/** The door whose turn it is: the first planned one, and only when no door is active or the table allows both at once. */
export function nextStep(visit: Visit): Step | undefined {
	if (visit.state !== 'open') return undefined
	const next = visit.plan.find((s) => s.state === 'planned')
	return next && barring(visit, next) === undefined ? next : undefined
}

/** A door session begins for this step. Write the visit before the door's `releasing` row: it is what a restart recovers from. */
export function activate(visit: Visit, stepId: string, doorSession: string, compartment: string): Visit | VisitRefused {
	if (visit.state !== 'open') return notOpen(visit)
	const step = visit.plan.find((s) => s.id === stepId)
	if (!step) return refuse('unknown-step', `visit ${visit.id} has no step ${stepId}`)
	if (step.state !== 'planned') return refuse('step-not-planned', `step ${stepId} is ${step.state}`)
	if (visit.plan.some((s) => s.doorSessions.includes(doorSession))) return refuse('duplicate', `door session ${doorSession} was used before`)
	const barred = barring(visit, step)
	if (barred) return barred
	const { outcome: _last, ...again } = step
	return change(visit, { ...again, state: 'active', compartment, doorSessions: [...step.doorSessions, doorSession] })
}

/** The door session of an active step has ended; also after the visit has. */
export function settle(visit: Visit, stepId: string, outcome: StepOutcome): Visit | VisitRefused {
	const step = visit.plan.find((s) => s.id === stepId)
	if (!step) return refuse('unknown-step', `visit ${visit.id} has no step ${stepId}`)
	if (step.state !== 'active') return refuse('step-not-active', `step ${stepId} is ${step.state}`)
	return settled(visit, step, outcome)
}

function settled(visit: Visit, step: Step, outcome: StepOutcome): Visit {
	// Once the visit is over nobody stands there to try again.
	const again = TRY_AGAIN.includes(outcome) && visit.state !== 'ended'
	return change(visit, { ...step, state: outcome === 'committed' ? 'done' : again ? 'planned' : 'failed', outcome })
}

/** X14: the person passes over a door that the plan lets them pass over. */
export function skip(visit: Visit, stepId: string): Visit | VisitRefused {
	if (visit.state !== 'open') return notOpen(visit)
	const step = visit.plan.find((s) => s.id === stepId)
	if (!step) return refuse('unknown-step', `visit ${visit.id} has no step ${stepId}`)
	if (step.state !== 'planned') return refuse('step-not-planned', `step ${stepId} is ${step.state}`)
	if (!step.skippable) return refuse('not-skippable', `step ${stepId} is required`)
	return change(visit, { ...step, state: 'skipped' })
}

/** The person leaves, or nobody came back in time. Doors not yet opened are given up; an active one still settles later. */
export function endVisit(visit: Visit): Visit {
	const giveUp = (s: Step): Step => (s.skippable ? { ...s, state: 'skipped' } : { ...s, state: 'failed', outcome: s.outcome ?? 'aborted' })
	const { interruptedAt: _at, ...rest } = visit
	return { ...rest, state: 'ended', plan: visit.plan.map((s) => (s.state === 'planned' ? giveUp(s) : s)) }
}

/**
 * After a restart (X11), from the durable visit and the ids of door sessions that have a `releasing` row. An active step
 * without a row was cut off before any pulse: its door session is `interrupted` and the step is planned again. One with a
 * row stays active until the door's own recovery (R3) settles it. A visit that was open waits to be taken up again.
 */
export function interruptAtRestart(
	visit: Visit,
	released: ReadonlySet<string>,
	now: number,
): { visit: Visit; interrupted: { stepId: string; doorSession: string }[] } {
	const cut = visit.plan.flatMap((step) => {
		const doorSession = step.doorSessions.at(-1)
		return step.state === 'active' && doorSession !== undefined && !released.has(doorSession) ? [{ step, doorSession }] : []
	})
	const after = cut.reduce((v, { step }) => settled(v, step, 'interrupted'), visit)
	return {
		visit: visit.state === 'open' ? { ...after, state: 'interrupted', interruptedAt: now } : after,
		interrupted: cut.map(({ step, doorSession }) => ({ stepId: step.id, doorSession })),
	}
}

/** Is there something left to do, and is it still soon enough? A clock that stands before the interruption proves nothing. */
export function resumable(visit: Visit, now: number): boolean {
	const since = now - (visit.interruptedAt ?? Number.NEGATIVE_INFINITY)
	const left = visit.plan.some((s) => s.state === 'planned' || s.state === 'active')
	return visit.state === 'interrupted' && left && since >= 0 && since <= RESUME_MS
}

/** The same person stands there again, identified anew. */
export function resume(visit: Visit, who: Pick<Visit, 'subject' | 'credential' | 'method'>, now: number): Visit | VisitRefused {
	if (!resumable(visit, now) || who.subject !== visit.subject) return refuse('not-resumable', `visit ${visit.id} cannot be taken up again`)
	const { interruptedAt: _at, ...rest } = visit
	// Field by field: an identity carries more than a visit keeps.
	const { subject, credential, method } = who
	return { ...rest, subject, credential, method, state: 'open' }
}

const refuse = (refused: VisitRefusal, text: string): VisitRefused => ({ refused, text })
const notOpen = (visit: Visit): VisitRefused => refuse('visit-not-open', `visit ${visit.id} is ${visit.state}`)
const change = (visit: Visit, step: Step): Visit => ({ ...visit, plan: visit.plan.map((s) => (s.id === step.id ? step : s)) })

/** Why this planned step may not open now: another comes first, or a door is active that it may not stand beside (R8). */
function barring(visit: Visit, step: Step): VisitRefused | undefined {
	const { plan } = visit
	const place = plan.indexOf(step)
	if (plan.findIndex((s) => s.state === 'planned') < place) return refuse('not-its-turn', `another step comes before ${step.id}`)
	const beside = (other: number) => plan.slice(Math.min(place, other) + 1, Math.max(place, other) + 1).every((s) => s.together)
	const open = plan.find((s, i) => s.state === 'active' && !beside(i))
	return open && refuse('door-open', `the door of step ${open.id} comes first`)
}
