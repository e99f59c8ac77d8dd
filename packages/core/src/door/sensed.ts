import type { Compartment, Tri } from './state.ts'
import { DOOR_TIMERS, FLAP } from './timers.ts'
import type { Turn } from './turn.ts'

/** A door contact or latch has spoken. Every physical opening ends up in the log exactly once: as an intent's or as an alarm (I7). */
export function doorSensed(turn: Turn, before: Compartment, value: Tri, initial: boolean, recovered = false): void {
	if (before.door === value) return
	const change = !initial && before.door !== 'unknown' && value !== 'unknown'
	let c = turn.set(before, { door: value, edges: change ? [...before.edges, turn.mono].slice(-8) : before.edges })
	if (value === 'unknown') return
	if (change) c = flapping(turn, c)
	if (c.session?.recovering) return // the awaited reading decides, not a stray fact before it
	if (c.session) return value === 'open' ? openedInSession(turn, c, recovered) : closedInSession(turn, c, recovered)
	if (value === 'open') openedWithoutSession(turn, c, before.door, initial)
	else if (before.door === 'open') turn.event('door.closed', c.id, {})
}

/** R10: more than 5 edges in 2 s is a sensor fault, not five alarms; it caps the evidence until a quiet minute has passed. */
function flapping(turn: Turn, c: Compartment): Compartment {
	const recent = c.edges.filter((t) => turn.mono - t <= FLAP.withinMs).length
	if (!c.reliable) {
		turn.start(c, 'quiet')
		return c
	}
	if (recent <= FLAP.edges) return c
	turn.event('door.sensor-unreliable', c.id, { edges: recent })
	turn.start(c, 'quiet')
	return turn.set(c, { reliable: false })
}

function openedInSession(turn: Turn, c: Compartment, recovered: boolean): void {
	const session = c.session
	if (!session || session.state === 'opened') return
	const again = session.state === 'closed'
	turn.event('door-session.opened', session.id, { compartment: c.id, fence: session.fence, ...(again && { again }), ...(recovered && { recovered }) }, session.subject)
	const open = turn.setSession(c, { state: 'opened', asking: false, ...(session.openedAt === undefined && { openedAt: turn.at }) })
	turn.stop(open, 'ack', 'open', 'settle')
	for (const name of ['prompt', 'staff', 'alarm'] as const) turn.start(open, name)
}

function closedInSession(turn: Turn, c: Compartment, recovered: boolean): void {
	const session = c.session
	if (session?.state !== 'opened') return
	turn.event('door-session.closed', session.id, { compartment: c.id, fence: session.fence, ...(recovered && { recovered }) }, session.subject)
	const shut = turn.setSession(c, { state: 'closed' })
	turn.stop(shut, 'prompt', 'staff', 'alarm')
	turn.start(shut, 'settle')
}

function openedWithoutSession(turn: Turn, c: Compartment, was: Tri, initial: boolean): void {
	if (!c.reliable && c.hold) return // already known to flap and held: not one alarm an edge
	const release = c.lastRelease
	const late = !initial && release !== undefined && turn.mono - release.mono <= DOOR_TIMERS.open
	if (late) turn.event('door.opened-late', c.id, { session: release.session })
	else if (initial || was === 'unknown') turn.event('door.opened-while-down', c.id, { severity: 'high' })
	else turn.event('door.forced', c.id, { severity: 'high' })
	const content = c.content.kind === 'item' ? { kind: 'unknown' as const, last: c.content.item } : { kind: 'unknown' as const }
	turn.hold(turn.set(c, { content }), 'quarantined', late ? 'opened-late' : initial || was === 'unknown' ? 'opened-while-down' : 'forced')
	unaccounted(turn, c)
}

/** R6, T7: a door that opened without an intent may be the one that another's pulse reached; no live session may then commit. */
function unaccounted(turn: Turn, opened: Compartment): void {
	for (const other of turn.all()) {
		if (other.id !== opened.id && other.session && !other.session.unaccounted) turn.setSession(other, { unaccounted: true })
	}
}

export function presenceSensed(turn: Turn, c: Compartment, value: boolean | 'unknown', initial: boolean): void {
	if (c.presence === value) return
	const before = c.presence
	const now = turn.set(c, { presence: value })
	if (initial || before === 'unknown' || value === 'unknown' || now.session || now.door !== 'closed') return
	// Content changed behind a closed door: cut from behind, or a sensor fault (hardware.md §4).
	turn.event('compartment.content-changed-while-closed', c.id, { sensed: value ? 'something' : 'nothing' })
	const content = now.content.kind === 'item' ? { kind: 'unknown' as const, last: now.content.item } : { kind: 'unknown' as const }
	turn.hold(turn.set(now, { content }), 'quarantined', 'content-changed-while-closed')
}
