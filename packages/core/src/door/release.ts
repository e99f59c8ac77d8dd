import type { Id } from '../base/index.ts'
import { COMMANDS_KEPT, type Compartment } from './state.ts'
import type { DoorRefusal, ReleaseRequest, Turn } from './turn.ts'

/** A request becomes `releasing` with its lease and pre-state, or is refused with a reason; never anything in between. */
export function release(turn: Turn, request: ReleaseRequest): void {
	const before = turn.bank.commands.find((k) => k.command === request.command)
	if (before) {
		turn.repeated = { session: before.session, ...(before.end && { end: before.end }) }
		return
	}
	const c = turn.compartment(request.compartment)
	const refusal = c ? refusalOf(turn, c, request) : 'compartment-unavailable'
	if (!c || refusal) return refuse(turn, request, refusal ?? 'compartment-unavailable', c)
	grant(turn, c, request)
}

function refusalOf(turn: Turn, c: Compartment, r: ReleaseRequest): DoorRefusal | undefined {
	if (turn.at > r.notAfter) return 'command-expired'
	if (c.session) return 'compartment-unavailable' // R5, one live lease
	if (c.hold && r.act !== 'inspect') return 'compartment-unavailable' // I12
	if (c.senses.door && c.door === 'open') return 'door-open'
	if (c.senses.door && (c.door === 'unknown' || !c.reliable)) return 'compartment-unavailable' // pre-state must be known, R2
	if (anotherOpen(turn, r)) return 'door-open'
	if (r.act === 'collect' && !(c.content.kind === 'item' && c.content.item === r.item)) return 'compartment-unavailable' // I4
	if (r.act === 'deposit' && c.content.kind !== 'empty') return 'compartment-unavailable' // I3, I4
	if (r.act !== 'inspect' && c.senses.presence && c.presence !== 'unknown' && c.presence !== (r.act === 'collect')) return 'content-mismatch'
	return undefined
}

/** R8: never two doors at once for one person unless the workflow says so; with `singleOpen` none while another's is open. */
function anotherOpen(turn: Turn, r: ReleaseRequest): boolean {
	return turn.all().some((other) => {
		const live = other.session
		if (other.id === r.compartment || !live) return false
		if (live.subject === r.subject && !r.parallel && live.state !== 'closed') return true
		return turn.bank.singleOpen && live.state !== 'closed'
	})
}

function refuse(turn: Turn, r: ReleaseRequest, reason: DoorRefusal, c: Compartment | undefined): void {
	turn.refused = reason
	turn.event('door-session.denied', r.session, { ...r.why, compartment: r.compartment, act: r.act, reason }, r.subject)
	if (reason !== 'content-mismatch' || !c) return
	// Sensor and record disagree (X4, X5): nobody else is sent there until a person has looked.
	const sensed = c.presence
	turn.event('reconciliation.mismatch', c.id, { recorded: c.content.kind, sensed: sensed === 'unknown' ? 'unknown' : sensed ? 'something' : 'nothing' })
	turn.hold(c, 'quarantined', r.act === 'collect' ? 'found-empty' : 'found-occupied')
}

function grant(turn: Turn, c: Compartment, r: ReleaseRequest): void {
	const fence = c.fence + 1
	const pre = { door: c.door, presence: c.presence }
	turn.bank = { ...turn.bank, commands: [...turn.bank.commands, { command: r.command, session: r.session }].slice(-COMMANDS_KEPT) }
	const held = turn.set(c, {
		fence,
		lastRelease: { session: r.session, mono: turn.mono },
		session: {
			id: r.session as Id<'doorSession'>,
			fence,
			command: r.command,
			state: 'releasing',
			act: r.act,
			subject: r.subject,
			...(r.item !== undefined && { item: r.item }),
			needs: r.needs,
			pre,
			evidence: 0,
			level: 'calm',
			unaccounted: false,
			asking: false,
			recovering: false,
		},
	})
	turn.event(
		'door-session.releasing',
		r.session,
		{ ...r.why, compartment: c.id, act: r.act, fence, needs: r.needs, preDoor: pre.door, prePresence: String(pre.presence), command: r.command, ...(r.item !== undefined && { item: r.item }) },
		r.subject,
	)
	turn.effects.push({ do: 'pulse', compartment: c.id, fence, session: r.session })
	turn.start(held, 'ack')
	turn.start(held, 'open')
}
