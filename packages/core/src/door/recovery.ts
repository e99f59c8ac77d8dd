import { resumeLadder } from './left-open.ts'
import { ambiguous, withoutOpening } from './outcome.ts'
import { closedInSession, doorSensed, openedInSession, presenceSensed } from './sensed.ts'
import type { Compartment, DoorSession, Tri } from './state.ts'
import { DOOR_TIMERS } from './timers.ts'
import type { DoorInput, Turn } from './turn.ts'

/**
 * R3, first half: what a restart finds undecided is settled by a reading, within 5 s (I11). What the sensors said before
 * the restart is no pre-state for anybody (R2): every door is unknown until it is seen again, and compared then.
 */
export function recover(turn: Turn, before: Compartment): Compartment {
	const c = turn.set(before, { door: 'unknown', presence: 'unknown', edges: [], lastRelease: sinceRestart(turn, before.lastRelease) })
	if (!c.reliable) turn.start(c, 'quiet') // the timer died with the process; without it the sensor would never be trusted again
	if (!c.session) return c
	const marked = turn.setSession(c, { recovering: true })
	turn.start(marked, 'recovery')
	turn.read(marked)
	return marked
}

/** A pulse sent just before the crash may still open the door late: its age in trusted time, as monotonic time began anew. */
function sinceRestart(turn: Turn, release: Compartment['lastRelease']): Compartment['lastRelease'] {
	const age = release ? turn.at - release.at : -1
	return release && age >= 0 && age <= DOOR_TIMERS.open ? { ...release, mono: turn.mono - age } : undefined
}

/** A door fact; while a restart is being settled an open door needs no second opinion, a shut one waits for the reading that also tells the content. */
export function doorFact(turn: Turn, c: Compartment, value: Tri, initial: boolean): Compartment {
	if (!c.session?.recovering) return doorSensed(turn, c, value, initial)
	return value === 'open' ? recovered(turn, c, value) : see(turn, c, value)
}

/** The answer to a `read` effect: settles a restart, or tells whether a pulse without an edge opened the door. */
export function reading(turn: Turn, before: Compartment, input: Extract<DoorInput, { kind: 'reading' }>): Compartment {
	const session = before.session
	if (!session) return before
	if (!session.recovering && session.state !== 'releasing') return before // asked while releasing, answered after the edge came
	const c = presenceSensed(turn, before, input.presence, true)
	if (session.recovering) return recovered(turn, c, input.door)
	// The driver's own facts may come later or never; a reading that shows it open is as good as the edge.
	return input.door === 'open' ? doorSensed(turn, c, 'open', false) : withoutOpening(turn, see(turn, c, input.door))
}

/** What the door is, without what follows from a change. */
const see = (turn: Turn, c: Compartment, door: Tri) => turn.set(c, { door, ...(door !== 'unknown' && { lastDoor: door }) })

/** R3, second half. No supported board counts its openings, so a shut door after `releasing` proves nothing. */
function recovered(turn: Turn, found: Compartment, door: Tri): Compartment {
	const session = found.session
	if (!session) return found
	const c = turn.setSession(see(turn, found, door), { recovering: false })
	turn.stop(c, 'recovery')
	if (door === 'unknown') return ambiguous(turn, c, 'no-reading-after-restart')
	if (door === 'closed') return foundShut(turn, c, session)
	if (session.state !== 'opened') return openedInSession(turn, c, true)
	// Seen shut in between: then this is another opening, and each is logged (I7).
	return found.lastDoor === 'closed' ? openedInSession(turn, turn.setSession(c, { state: 'closed' }), true) : resumeLadder(turn, c)
}

function foundShut(turn: Turn, c: Compartment, session: DoorSession): Compartment {
	if (session.state === 'releasing') return ambiguous(turn, c, 'restart-while-releasing')
	if (session.state === 'opened') return closedInSession(turn, c, true)
	turn.start(c, session.asking ? 'answer' : 'settle')
	return c
}
