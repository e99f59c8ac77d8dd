import type { Id } from '../base/index.ts'
import { climb } from './left-open.ts'
import { afterClose, ambiguous, notOpened } from './outcome.ts'
import { doorFact, reading, recover } from './recovery.ts'
import { release } from './release.ts'
import { doorLost, presenceSensed } from './sensed.ts'
import { type BankState, type Compartment, type Content, unknownContent } from './state.ts'
import { DOOR_TIMERS, type DoorTimer } from './timers.ts'
import { type DoorInput, type Step, Turn } from './turn.ts'

/**
 * The door reducer (trust.md §4): (state, input) → state, facts to record, effects to run. Pure and total.
 *
 * The host's duty, in this order: write `events`, the `touched` compartments and (with events) `bank.commands` in ONE durable
 * transaction; if that fails, keep the old state and run no effect (R13), and offer a fact again later, in order; else run the
 * effects in order. That order is R1: no pulse without a durable `releasing` row. There is one `pulse` effect a session, in the
 * step that made it `releasing`, and no other (R2). Facts of one board come in the order in which the board said them.
 */
export function step(bank: BankState, input: DoorInput): Step {
	const turn = new Turn(bank, input.at, input.mono)
	switch (input.kind) {
		case 'request':
			release(turn, input.request)
			break
		case 'pulsed':
			withLease(turn, input, (c) => pulsed(turn, c, input))
			break
		case 'door':
			withCompartment(turn, input.compartment, (c) => doorFact(turn, c, input.value, input.initial))
			break
		case 'presence':
			withCompartment(turn, input.compartment, (c) => presenceSensed(turn, c, input.value, input.initial))
			break
		case 'reading':
			withLease(turn, input, (c) => reading(turn, c, input))
			break
		case 'timer':
			withCompartment(turn, input.compartment, (c) => timer(turn, c, input.timer, input.fence))
			break
		case 'said':
			withLease(turn, input, (c) => said(turn, c, input.said))
			break
		case 'identified':
			withLease(turn, input, (c) => {
				if (c.session?.state === 'opened' || c.session?.state === 'closed') turn.setSession(c, { identified: input.item })
			})
			break
		case 'board-lost':
			for (const id of input.compartments) withCompartment(turn, id, (c) => doorLost(turn, c, 'unknown'))
			break
		case 'restart':
			for (const c of turn.all()) recover(turn, c)
			break
		case 'stocked':
			for (const { compartment, content, why } of input.contents) withCompartment(turn, compartment, (c) => stocked(turn, c, content, why))
			break
		case 'settle':
			withCompartment(turn, input.compartment, (c) => settle(turn, c, input))
			break
	}
	return turn.done()
}

function withCompartment(turn: Turn, id: Id<'compartment'>, run: (c: Compartment) => unknown): void {
	const c = turn.compartment(id)
	if (c) run(c)
}

/** Late answers that carry an old lease number change nothing (R5). */
function withLease(turn: Turn, input: { compartment: Id<'compartment'>; fence: number }, run: (c: Compartment) => unknown): void {
	withCompartment(turn, input.compartment, (c) => {
		if (c.session && c.session.fence === input.fence) run(c)
	})
}

function pulsed(turn: Turn, c: Compartment, input: Extract<DoorInput, { kind: 'pulsed' }>): void {
	if (c.session?.state !== 'releasing') return
	if (!input.sent) {
		turn.end(c, 'failed', input.code ?? 'not-sent')
		return
	}
	if (input.ack === 'ok') turn.setSession(c, { evidence: 1 })
	// A refusal or a silence is not proof either way: the sensor is asked, at once or when T_ack runs out.
	if (input.ack === 'refused') turn.read(c)
	if (input.ack === 'ok' || !c.senses.acks) turn.stop(c, 'ack')
}

function timer(turn: Turn, c: Compartment, name: DoorTimer, fence: number): void {
	const session = c.session
	if (name === 'quiet') quiet(turn, c)
	if (!session || session.fence !== fence) return
	if (name === 'recovery' && session.recovering) ambiguous(turn, turn.setSession(c, { recovering: false }), 'no-reading-after-restart')
	if ((name === 'ack' || name === 'open') && session.state === 'releasing') turn.read(c)
	if (name === 'settle' && session.state === 'closed' && !session.asking && !session.recovering) afterClose(turn, c)
	if (name === 'answer' && session.asking) ambiguous(turn, c, 'unanswered')
	if ((name === 'prompt' || name === 'staff' || name === 'alarm') && session.state === 'opened') climb(turn, c, name)
}

function quiet(turn: Turn, c: Compartment): void {
	if (c.reliable) return
	turn.event('door.sensor-reliable', c.id, {})
	turn.set(c, { reliable: true, edges: [] })
}

function said(turn: Turn, c: Compartment, what: Extract<DoorInput, { kind: 'said' }>['said']): void {
	const session = c.session
	if (!session || session.recovering) return // the awaited reading first; a kiosk asks again after a restart
	if (what === 'did-not-open') {
		if (session.asking && !c.senses.door) notOpened(turn, c, 'stated-shut')
		else if (session.state === 'releasing' && acknowledged(turn, c)) turn.read(c)
	} else if (what === 'unanswered') {
		if (session.asking) ambiguous(turn, c, 'unanswered')
	} else if (what === 'done' || what === 'not-done') {
		if (session.asking) afterClose(turn, c, what === 'done')
	} else if (session.state !== 'releasing' || session.asking) {
		const reported = turn.setSession(c, { report: what })
		if (session.state !== 'opened') afterClose(turn, reported)
	}
}

/** A lock may take until T_ack to move; a sensor that is asked before would end the session under a door that is about to open. */
const acknowledged = (turn: Turn, c: Compartment) => turn.mono - (c.lastRelease?.mono ?? turn.mono) >= DOOR_TIMERS.ack

/** Once, and never over what is known or has become doubtful since. */
function stocked(turn: Turn, c: Compartment, content: Content, why = 'item-elsewhere'): void {
	if (c.session || c.content.kind !== 'unknown' || !c.content.unstocked) return
	if (content.kind === 'unknown') {
		turn.hold(turn.set(c, { content: unknownContent(undefined) }), 'pending-inspection', why)
		return
	}
	const item = content.kind === 'item' && { item: content.item }
	turn.event(item ? 'compartment.occupied' : 'compartment.emptied', c.id, { why: 'initial-contents', ...item }, 'edge')
	turn.set(c, { content })
}

/** A person has looked inside: the only way out of a hold, and out of not knowing what is inside. */
function settle(turn: Turn, c: Compartment, input: Extract<DoorInput, { kind: 'settle' }>): void {
	if (c.session || !(c.hold || c.content.kind === 'unknown' || input.recount)) return
	const { by, content } = input
	const data = {
		was: c.hold?.kind ?? (c.content.kind === 'unknown' ? 'unknown' : 'in-service'),
		content: content.kind,
		...(content.kind === 'item' && { item: content.item }),
	}
	turn.event('compartment.returned-to-service', c.id, data, by)
	turn.set(c, { hold: undefined, content, notOpened: [], reliable: true, edges: [] })
}
