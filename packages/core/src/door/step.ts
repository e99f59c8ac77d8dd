import type { Id } from '../base/index.ts'
import { afterClose, ambiguous, withoutOpening } from './outcome.ts'
import { release } from './release.ts'
import type { BankState, Compartment } from './state.ts'
import { doorSensed, presenceSensed } from './sensed.ts'
import type { DoorTimer } from './timers.ts'
import { type DoorInput, type Step, Turn } from './turn.ts'

/**
 * The door reducer (trust.md §4): (state, input) → state, facts to record, effects to run. Pure and total.
 *
 * The host's duty, in this order: write `events` and the `touched` compartments in ONE durable transaction; if that fails,
 * keep the old state and run no effect (R13); else run the effects in order. That order is R1: no pulse without a durable
 * `releasing` row. There is one `pulse` effect a session, in the step that made it `releasing`, and no other (R2).
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
			withCompartment(turn, input.compartment, (c) => doorSensed(turn, c, input.value, input.initial))
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
			for (const id of input.compartments) withCompartment(turn, id, (c) => turn.set(c, { door: 'unknown', presence: 'unknown' }))
			break
		case 'restart':
			for (const c of turn.all()) recover(turn, c)
			break
		case 'settle':
			withCompartment(turn, input.compartment, (c) => {
				if (c.session || !c.hold) return
				turn.event('compartment.returned-to-service', c.id, { was: c.hold.kind, content: input.content.kind, ...(input.content.kind === 'item' && { item: input.content.item }) }, input.by)
				turn.set(c, { hold: undefined, content: input.content, notOpened: [], reliable: true, edges: [] })
			})
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
	if (!input.sent) return void turn.end(c, 'failed', input.code ?? 'not-sent')
	if (input.ack === 'ok') turn.setSession(c, { evidence: 1 })
	// A refusal or a silence is not proof either way: the sensor is asked, at once or when T_ack runs out.
	if (input.ack === 'refused') turn.read(c)
	if (input.ack === 'ok' || !c.senses.acks) turn.stop(c, 'ack')
}

function reading(turn: Turn, c: Compartment, input: Extract<DoorInput, { kind: 'reading' }>): void {
	if (!c.session?.recovering && c.session?.state !== 'releasing') return // asked while releasing, answered after the edge came
	const known = turn.set(c, { door: input.door, presence: input.presence })
	if (c.session.recovering) return recovered(turn, turn.setSession(known, { recovering: false }))
	// The driver's own facts may come later or never; a reading that shows it open is as good as the edge.
	if (input.door === 'open') return doorSensed(turn, { ...known, door: 'closed' }, 'open', false)
	withoutOpening(turn, known)
}

function timer(turn: Turn, c: Compartment, name: DoorTimer, fence: number): void {
	if (name === 'quiet') {
		if (c.reliable) return
		turn.event('door.sensor-reliable', c.id, {})
		turn.set(c, { reliable: true, edges: [] })
		return
	}
	const session = c.session
	if (!session || session.fence !== fence) return
	if (name === 'recovery' && session.recovering) return void ambiguous(turn, turn.setSession(c, { recovering: false }), 'no-reading-after-restart')
	if ((name === 'ack' || name === 'open') && session.state === 'releasing') turn.read(c)
	if (name === 'settle' && session.state === 'closed' && !session.asking) afterClose(turn, c)
	if (session.state === 'opened' && (name === 'prompt' || name === 'staff' || name === 'alarm')) leftOpen(turn, c, name)
}

/** 30 s prompt, 2 min staff, 5 min alarm: an alarm, not an end (R9). */
function leftOpen(turn: Turn, c: Compartment, level: 'prompt' | 'staff' | 'alarm'): void {
	const session = c.session
	if (!session) return
	turn.setSession(c, { level })
	if (level === 'staff') turn.event('task.created', c.id, { kind: 'close-door', session: session.id })
	if (level !== 'alarm') return
	turn.event('door-session.left-open', session.id, { compartment: c.id, sensed: c.door }, session.subject)
	// With the board lost nobody can say whether it is still open: a person must look.
	if (c.door === 'unknown') ambiguous(turn, c, 'board-lost-while-open')
}

function said(turn: Turn, c: Compartment, what: Extract<DoorInput, { kind: 'said' }>['said']): void {
	const session = c.session
	if (!session) return
	if (what === 'did-not-open') {
		if (session.state === 'releasing') turn.read(c)
		return
	}
	if (what === 'done' || what === 'not-done' || what === 'unanswered') {
		if (session.state !== 'closed' || !session.asking) return
		if (what === 'unanswered') return ambiguous(turn, c, 'unanswered')
		return afterClose(turn, c, what === 'done')
	}
	if (session.state === 'releasing') return
	const reported = turn.setSession(c, { report: what })
	if (reported.session?.state === 'closed') afterClose(turn, reported)
}

/** R3, first half: what a restart finds is settled by a reading, within 5 s (I11). */
function recover(turn: Turn, c: Compartment): void {
	if (!c.session) {
		turn.set(c, { edges: [], lastRelease: undefined })
		return
	}
	const marked = turn.setSession(turn.set(c, { edges: [], lastRelease: undefined }), { recovering: true })
	turn.start(marked, 'recovery')
	turn.read(marked)
}

/** R3, second half. No supported board counts its openings, so a shut door after `releasing` proves nothing. */
function recovered(turn: Turn, c: Compartment): void {
	const session = c.session
	if (!session) return
	turn.stop(c, 'recovery')
	if (c.door === 'unknown') return void ambiguous(turn, c, 'no-reading-after-restart')
	if (session.state === 'releasing') {
		if (c.door === 'closed') return void ambiguous(turn, c, 'restart-while-releasing')
		return doorSensed(turn, { ...c, door: 'closed' }, 'open', false, true)
	}
	if (c.door === 'open') {
		turn.setSession(c, { state: 'opened', asking: false })
		for (const name of ['prompt', 'staff', 'alarm'] as const) turn.start(c, name)
		return
	}
	if (session.state === 'opened') return doorSensed(turn, { ...c, door: 'open' }, 'closed', false, true)
	if (!session.asking) turn.start(c, 'settle')
}
