import type { Compartment, Content, DoorSession, Evidence } from './state.ts'
import { STUCK } from './timers.ts'
import type { Turn } from './turn.ts'

/** The door is shut and stays shut: what happened? Custody rests on this and on nothing else (R6). `stated`: the person's answer when asked. */
export function afterClose(turn: Turn, c: Compartment, stated?: boolean): void {
	const session = c.session
	if (!session) return
	if (c.door !== 'closed') return ambiguous(turn, c, 'no-reading-after-close')
	const trouble = troubleOf(session)
	if (trouble) return ambiguous(turn, c, trouble)
	if (session.act === 'inspect') return void turn.end(c, 'committed', 'inspected', {}, edges(c))
	const sensed = contentSensed(c, session)
	if (sensed === 'unchanged') return void turn.end(c, 'no-change', 'content-unchanged')
	if (sensed === 'unknown' && session.needs > 2 && stated === undefined) return void turn.setSession(c, { asking: true })
	if (stated === false) return void turn.end(c, 'no-change', 'stated-not-done')
	commit(turn, c, session, sensed === 'changed')
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

function commit(turn: Turn, c: Compartment, session: DoorSession, contentChanged: boolean): void {
	const identified = session.identified !== undefined && session.identified === session.item
	const evidence: Evidence = contentChanged ? (identified ? 4 : 3) : edges(c)
	const unverified = evidence < session.needs
	const content: Content =
		session.act === 'collect'
			? unverified
				? { kind: 'unknown', ...(session.item !== undefined && { last: session.item }) }
				: { kind: 'empty' }
			: unverified || session.item === undefined
				? { kind: 'unknown', ...(session.item !== undefined && { last: session.item }) }
				: { kind: 'item', item: session.item } // I5: recorded in only when proven in
	const after = turn.end(c, 'committed', 'evidence-reached', { content }, evidence)
	turn.event(content.kind === 'empty' ? 'compartment.emptied' : 'compartment.occupied', c.id, { evidence, ...(session.item !== undefined && { item: session.item }), ...(unverified && { unverified }) })
	if (unverified) turn.hold(after, 'pending-inspection', 'evidence-below-need')
}

/** T_open or T_ack ran out, or the person says it did not open, and a reading has come (or not). */
export function withoutOpening(turn: Turn, c: Compartment): void {
	const session = c.session
	if (!session) return
	if (c.door === 'unknown') return ambiguous(turn, c, 'no-reading')
	if (session.unaccounted) return ambiguous(turn, c, 'another-door-opened') // T7: our pulse may have gone elsewhere
	const recent = [...c.notOpened.filter((t) => turn.at - t < STUCK.withinMs), turn.at]
	const after = turn.end(c, 'not-opened', 'sensor-shut', { notOpened: recent })
	if (recent.length < STUCK.failures) return
	turn.event('door.stuck', c.id, { failures: recent.length })
	turn.hold(after, 'out-of-service', 'stuck')
}

/** R4: owner unchanged, compartment quarantined, a person must look. */
export function ambiguous(turn: Turn, c: Compartment, why: string): void {
	const session = c.session
	const last = session?.item ?? (c.content.kind === 'item' ? c.content.item : undefined)
	turn.hold(turn.end(c, 'ambiguous', why, { content: { kind: 'unknown', ...(last !== undefined && { last }) } }), 'quarantined', why)
}
