import { ambiguous } from './outcome.ts'
import type { Compartment } from './state.ts'
import { DOOR_TIMERS } from './timers.ts'
import type { Turn } from './turn.ts'

const LADDER = ['prompt', 'staff', 'alarm'] as const
export type LadderStep = (typeof LADDER)[number]

export function startLadder(turn: Turn, c: Compartment): Compartment {
	for (const level of LADDER) turn.start(c, level)
	return c
}

/** After a restart the time before it counts: a controller that restarts every minute still raises the alarm. */
export function resumeLadder(turn: Turn, c: Compartment): Compartment {
	const openFor = turn.at - (c.session?.openedAt ?? turn.at)
	const due = LADDER.findLast((level) => openFor >= DOOR_TIMERS[level])
	return startLadder(turn, due ? climb(turn, c, due) : c)
}

/** 30 s prompt, 2 min staff, 5 min alarm: an alarm, not an end (R9). What was said once stays said: the level never goes down. */
export function climb(turn: Turn, c: Compartment, level: LadderStep): Compartment {
	const session = c.session
	if (!session) return c
	const higher = session.level === 'calm' || LADDER.indexOf(level) > LADDER.indexOf(session.level)
	const now = higher ? turn.setSession(c, { level }) : c
	if (higher && level === 'staff') turn.event('task.created', c.id, { kind: 'close-door', session: session.id })
	if (higher && level === 'alarm') turn.event('door-session.left-open', session.id, { compartment: c.id, sensed: c.door }, session.subject)
	// With the board lost nobody can say whether it is still open: a person must look.
	return level === 'alarm' && c.door === 'unknown' ? ambiguous(turn, now, 'board-lost-while-open') : now
}
