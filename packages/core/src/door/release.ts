import { type BankState, COMMANDS_KEPT, type Compartment, type DoorRefusal, type KnownCommand } from './state.ts'
import type { ReleaseRequest, Turn } from './turn.ts'

/** A request becomes `releasing` with its lease and pre-state, or is refused with a reason; never anything in between. */
export function release(turn: Turn, request: ReleaseRequest): void {
	const before = turn.bank.commands.find((k) => k.command === request.command)
	const c = turn.compartment(request.compartment)
	const refusal = c ? refusalOf(turn, c, request) : 'compartment-unavailable'
	if (before) repeat(turn, before)
	else if (!c || refusal) refuse(turn, request, refusal ?? 'compartment-unavailable', c)
	else grant(turn, c, request)
}

/** R11: changes nothing and returns the first result. */
function repeat(turn: Turn, first: KnownCommand): void {
	turn.repeated = { session: first.session, ...(first.end && { end: first.end }) }
	if (first.refused) turn.refused = first.refused
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

/** R8: never two doors at once for one person unless the workflow says so; with `singleOpen` none while another is open, whoever opened it. */
function anotherOpen(turn: Turn, r: ReleaseRequest): boolean {
	return turn.all().some((other) => {
		if (other.id === r.compartment) return false
		const releasedOrOpen = other.session !== undefined && other.session.state !== 'closed'
		if (releasedOrOpen && other.session?.subject === r.subject && !r.parallel) return true
		return turn.bank.singleOpen && (releasedOrOpen || other.door === 'open')
	})
}

function refuse(turn: Turn, r: ReleaseRequest, reason: DoorRefusal, c: Compartment | undefined): void {
	turn.refused = reason
	remember(turn, r, reason)
	turn.event('door-session.denied', r.session, { ...r.why, compartment: r.compartment, act: r.act, reason, command: r.command }, r.subject)
	if (reason !== 'content-mismatch' || !c) return
	// Sensor and record disagree (X4, X5): nobody else is sent there until a person has looked.
	const sensed = c.presence
	turn.event('reconciliation.mismatch', c.id, {
		recorded: c.content.kind,
		sensed: sensed === 'unknown' ? 'unknown' : sensed ? 'something' : 'nothing',
	})
	turn.hold(c, 'quarantined', r.act === 'collect' ? 'found-empty' : 'found-occupied')
}

function grant(turn: Turn, c: Compartment, r: ReleaseRequest): void {
	const fence = c.fence + 1
	const pre = { door: c.door, presence: c.presence }
	const item = r.item !== undefined && { item: r.item }
	remember(turn, r)
	const held = turn.set(c, {
		fence,
		lastRelease: { session: r.session, mono: turn.mono, at: turn.at },
		session: {
			id: r.session,
			fence,
			command: r.command,
			state: 'releasing',
			act: r.act,
			subject: r.subject,
			...item,
			needs: r.needs,
			pre,
			evidence: 0,
			level: 'calm',
			unaccounted: false,
			asking: false,
			recovering: false,
		},
	})
	const sensed = { preDoor: pre.door, prePresence: String(pre.presence) }
	const data = { ...r.why, compartment: c.id, act: r.act, fence, needs: r.needs, ...sensed, command: r.command, ...item }
	turn.event('door-session.releasing', r.session, data, r.subject)
	turn.effects.push({ do: 'pulse', compartment: c.id, fence, session: r.session })
	turn.start(held, 'ack')
	turn.start(held, 'open')
}

/** Forgets only what is answered, expired and old: any other could come again and be taken for a new intent. */
function remember(turn: Turn, r: ReleaseRequest, refused?: DoorRefusal): void {
	const { command, session, compartment, notAfter } = r
	const all = [...turn.bank.commands, { command, session, compartment, notAfter, ...(refused && { refused }) }]
	const surplus = all.length - COMMANDS_KEPT
	const commands = surplus > 0 ? all.filter((k, i) => i >= surplus || k.notAfter >= turn.at || isLive(turn.bank, k)) : all
	turn.bank = { ...turn.bank, commands }
}

const isLive = (bank: BankState, k: KnownCommand) => bank.compartments[k.compartment]?.session?.id === k.session
