import { startLadder } from './left-open.ts'
import { type Compartment, lastItem, type Tri, unknownContent } from './state.ts'
import { DOOR_TIMERS, FLAP } from './timers.ts'
import type { Turn } from './turn.ts'

/**
 * A door contact or latch has spoken. Every opening that was seen ends up in the log exactly once: as an intent's or as an
 * alarm (I7). Like all functions that advance a compartment it returns what the compartment now is.
 */
export function doorSensed(turn: Turn, before: Compartment, value: Tri, initial: boolean): Compartment {
	if (before.door === value) return before
	if (value === 'unknown') return doorLost(turn, before, before.presence)
	const change = !initial && before.door !== 'unknown'
	const edges = change ? [...before.edges, turn.mono].slice(-8) : before.edges
	const seen = turn.set(before, { door: value, lastDoor: value, edges })
	const c = change ? flapping(turn, seen) : seen
	if (c.session) return value === 'open' ? openedInSession(turn, c) : closedInSession(turn, c)
	if (value === before.lastDoor) return c // seen again after a gap, as it was
	if (value === 'open') return openedWithoutSession(turn, c, initial || before.door === 'unknown')
	if (before.lastDoor === 'open') turn.event('door.closed', c.id, {})
	return c
}

/** Nobody can say how the door is. `presence`: what is still known of the content. */
export function doorLost(turn: Turn, before: Compartment, presence: Compartment['presence']): Compartment {
	if (before.door === 'unknown' && before.presence === presence) return before
	const c = turn.set(before, { door: 'unknown', presence })
	// The ladder has run out, so nothing else would ever end this session if the board stays away.
	if (c.session?.state === 'opened' && c.session.level === 'alarm') turn.start(c, 'alarm')
	return c
}

/** R10: more than 5 edges in 2 s is a sensor fault, not five alarms; it caps the evidence until a quiet minute has passed. */
function flapping(turn: Turn, c: Compartment): Compartment {
	const recent = c.edges.filter((t) => turn.mono - t <= FLAP.withinMs).length
	if (c.reliable && recent <= FLAP.edges) return c
	if (c.reliable) turn.event('door.sensor-unreliable', c.id, { edges: recent })
	turn.start(c, 'quiet')
	return c.reliable ? turn.set(c, { reliable: false }) : c
}

export function openedInSession(turn: Turn, c: Compartment, recovered = false): Compartment {
	const session = c.session
	if (!session || session.state === 'opened') return c
	const again = session.state === 'closed'
	const data = { compartment: c.id, fence: session.fence, ...(again && { again }), ...(recovered && { recovered }) }
	turn.event('door-session.opened', session.id, data, session.subject)
	const open = turn.setSession(c, { state: 'opened', asking: false, ...(session.openedAt === undefined && { openedAt: turn.at }) })
	turn.stop(open, 'ack', 'open', 'settle', 'answer')
	startLadder(turn, open)
	return again ? reopened(turn, open) : open
}

/** T7: it was shut and its one pulse was spent, so a pulse that is under way for another door may have come here. */
function reopened(turn: Turn, c: Compartment): Compartment {
	const others = turn.all().filter((other) => other.id !== c.id && other.session?.state === 'releasing')
	for (const other of others) turn.setSession(other, { unaccounted: true })
	return others.length ? turn.setSession(c, { unaccounted: true }) : c
}

export function closedInSession(turn: Turn, c: Compartment, recovered = false): Compartment {
	const session = c.session
	if (session?.state !== 'opened') return c
	const data = { compartment: c.id, fence: session.fence, ...(recovered && { recovered }) }
	turn.event('door-session.closed', session.id, data, session.subject)
	const shut = turn.setSession(c, { state: 'closed' })
	turn.stop(shut, 'prompt', 'staff', 'alarm')
	turn.start(shut, 'settle')
	return shut
}

function openedWithoutSession(turn: Turn, c: Compartment, unseen: boolean): Compartment {
	if (!c.reliable && c.hold) return c // already known to flap and held: not one alarm an edge
	const release = c.lastRelease
	const late = !unseen && release !== undefined && turn.mono - release.mono <= DOOR_TIMERS.open
	const why = late ? 'opened-late' : unseen ? 'opened-while-down' : 'forced'
	turn.event(`door.${why}`, c.id, late ? { session: release.session } : { severity: 'high' })
	unaccounted(turn, c)
	return turn.hold(turn.set(c, { content: unknownContent(lastItem(c.content)) }), 'quarantined', why)
}

/** R6, T7: a door that opened without an intent may be the one that another's pulse reached; no live session may then commit. */
function unaccounted(turn: Turn, opened: Compartment): void {
	for (const other of turn.all()) {
		if (other.id !== opened.id && other.session && !other.session.unaccounted) turn.setSession(other, { unaccounted: true })
	}
}

export function presenceSensed(turn: Turn, c: Compartment, value: boolean | 'unknown', initial: boolean): Compartment {
	if (c.presence === value) return c
	const before = c.presence
	const now = turn.set(c, { presence: value })
	if (initial || before === 'unknown' || value === 'unknown' || now.session || now.door !== 'closed') return now
	// Content changed behind a closed door: cut from behind, or a sensor fault (hardware.md §4).
	turn.event('compartment.content-changed-while-closed', c.id, { sensed: value ? 'something' : 'nothing' })
	return turn.hold(turn.set(now, { content: unknownContent(lastItem(now.content)) }), 'quarantined', 'content-changed-while-closed')
}
