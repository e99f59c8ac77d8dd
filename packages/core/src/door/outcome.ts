import { type Compartment, type Content, type DoorSession, type Evidence, lastItem, unknownContent } from './state.ts'
import { STUCK } from './timers.ts'
import type { Turn } from './turn.ts'

/** The door is shut and stays shut: what happened? Custody rests on this and on nothing else (R6). `stated`: the person's answer when asked. */
export function afterClose(turn: Turn, c: Compartment, stated?: boolean): Compartment {
	const session = c.session
	if (!session) return c
	if (c.senses.door && c.door !== 'closed') return ambiguous(turn, c, 'no-reading-after-close')
	const trouble = troubleOf(session)
	if (trouble) return ambiguous(turn, c, trouble)
	if (session.act === 'inspect') return inspected(turn, c, session)
	const sensed = contentSensed(c, session)
	if (sensed === 'unchanged') return turn.end(c, 'no-change', 'content-unchanged')
	if (sensed === 'unknown' && session.needs > 2 && stated === undefined) return ask(turn, c)
	if (stated === false) return turn.end(c, 'no-change', 'stated-not-done')
	return commit(turn, c, session, sensed === 'changed')
}

/** Nothing was to be moved. Where something was, nobody knows what lies there now (I5), and a person must look. */
function inspected(turn: Turn, c: Compartment, session: DoorSession): Compartment {
	const moved = !c.hold && contentSensed(c, session) === 'changed'
	const after = turn.end(c, 'committed', 'inspected', moved ? { content: unknownContent(lastItem(c.content)) } : {}, edges(c))
	return moved ? turn.hold(after, 'pending-inspection', 'content-changed') : after
}

/** X3: only the person can say whether it was done. */
function ask(turn: Turn, c: Compartment): Compartment {
	const asked = turn.setSession(c, { asking: true })
	turn.start(asked, 'answer')
	return asked
}

/** What forbids a commit whatever the sensors say of this door. */
function troubleOf(session: DoorSession): string | undefined {
	if (session.report) return session.report // X4, X5, X6: a person looked inside
	if (session.unaccounted) return 'another-door-opened' // R6, T7
	if (session.level === 'alarm' && session.act === 'deposit') return 'left-open' // R9: anybody could have been at it
	if (session.identified !== undefined && session.item !== undefined && session.identified !== session.item) return 'wrong-item' // X6
	return undefined
}

function contentSensed(c: Compartment, session: DoorSession): 'changed' | 'unchanged' | 'unknown' {
	const before = session.pre.presence
	if (!c.senses.presence || !c.reliable || before === 'unknown' || c.presence === 'unknown') return 'unknown'
	return before === c.presence ? 'unchanged' : 'changed'
}

/** E2 needs both edges from a sensor that can be believed. */
const edges = (c: Compartment): Evidence => (c.senses.door && c.reliable ? 2 : (c.session?.evidence ?? 0))

function evidenceOf(c: Compartment, session: DoorSession, contentChanged: boolean): Evidence {
	const base = edges(c)
	if (base < 2 || !contentChanged) return base
	return session.identified !== undefined && session.identified === session.item ? 4 : 3
}

function commit(turn: Turn, c: Compartment, session: DoorSession, contentChanged: boolean): Compartment {
	const evidence = evidenceOf(c, session, contentChanged)
	// R9: what is in a compartment that stood open for minutes is known only when a sensor says so.
	const doubt = evidence < session.needs ? 'evidence-below-need' : session.level === 'alarm' && !contentChanged ? 'left-open' : undefined
	const after = turn.end(c, 'committed', 'evidence-reached', { content: contentAfter(c, session, doubt !== undefined) }, evidence)
	const data = { evidence, ...(session.item !== undefined && { item: session.item }), ...(doubt && { unverified: true }) }
	turn.event(session.act === 'collect' ? 'compartment.emptied' : 'compartment.occupied', c.id, data)
	return doubt ? turn.hold(after, 'pending-inspection', doubt) : after
}

/** I5: recorded in only when proven in; and out only when proven out. */
function contentAfter(c: Compartment, session: DoorSession, doubt: boolean): Content {
	if (doubt) return unknownContent(session.item ?? lastItem(c.content))
	if (session.act === 'collect') return { kind: 'empty' }
	return session.item === undefined ? unknownContent(undefined) : { kind: 'item', item: session.item }
}

/** T_open or T_ack ran out, or the person says it did not open, and a reading has come (or not). */
export function withoutOpening(turn: Turn, c: Compartment): Compartment {
	const session = c.session
	if (!session) return c
	if (!c.senses.door) return session.asking ? c : ask(turn, c) // a reading cannot tell; the person can (E0, E1)
	if (c.door === 'unknown') return ambiguous(turn, c, 'no-reading')
	if (session.unaccounted) return ambiguous(turn, c, 'another-door-opened') // T7: our pulse may have gone elsewhere
	return notOpened(turn, c, 'sensor-shut')
}

/** X1: the second time in a day nobody is sent there any more. `why` says whether a sensor or a person knows. */
export function notOpened(turn: Turn, c: Compartment, why: 'sensor-shut' | 'stated-shut'): Compartment {
	const recent = [...c.notOpened.filter((t) => turn.at - t < STUCK.withinMs), turn.at]
	const after = turn.end(c, 'not-opened', why, { notOpened: recent })
	if (recent.length < STUCK.failures) return after
	turn.event('door.stuck', c.id, { failures: recent.length })
	return turn.hold(after, 'out-of-service', 'stuck')
}

/** R4: owner unchanged, compartment quarantined, a person must look. */
export function ambiguous(turn: Turn, c: Compartment, why: string): Compartment {
	const last = c.session?.item ?? lastItem(c.content)
	return turn.hold(turn.end(c, 'ambiguous', why, { content: unknownContent(last) }), 'quarantined', why)
}
