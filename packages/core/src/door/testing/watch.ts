import type { Id } from '../../base/index.ts'
import {
	type Act,
	type BankState,
	type Compartment,
	type Content,
	DOOR_TIMERS,
	type DoorEffect,
	type DoorEvent,
	type DoorInput,
	type Step,
} from '../index.ts'
import { lastItem } from '../state.ts'
import type { Box, Cabinet } from './cabinet.ts'

/** Names of trust.md §4.3 and, where the harm is a broken rule, of §4.2. */
export type Invariant =
	| 'I1'
	| 'I2'
	| 'I3'
	| 'I4'
	| 'I5'
	| 'I6'
	| 'I7'
	| 'I10'
	| 'I11'
	| 'I12'
	| 'R4'
	| 'R5'
	| 'R6'
	| 'R7'
	| 'R8'
	| 'R9'
	| 'R10'
	| 'R11'
	| 'R12'

export interface Violation {
	readonly invariant: Invariant
	readonly text: string
}

interface SeenSession {
	readonly compartment: Id<'compartment'>
	readonly act: Act
	readonly item: string | undefined
	readonly command: string
	readonly fence: number
	readonly presence: boolean | 'unknown'
	readonly person: string | undefined
	frames: number
	state: 'releasing' | 'opened' | 'closed'
	opened: boolean
	closed: boolean
	sawOpen: boolean
	/** A door opened somewhere else that no intent accounts for, while this one was live. */
	foreign: boolean
	leftOpen: boolean
	/** What the person said to have found. */
	reported: string | undefined
	ended: string | undefined
}

/** What the written events and the facts that came in say of a compartment, worked out without the reducer. */
interface SeenBox {
	live: string | undefined
	hold: string | undefined
	content: Content['kind']
	item: string | undefined
	door: 'open' | 'closed' | 'unknown'
	lastDoor: 'open' | 'closed' | undefined
	presence: boolean | 'unknown'
	/** Trusted time of the last release. */
	releasedAt: number | undefined
	openingsSeen: number
	openingsLogged: number
}

const OPENINGS = new Set(['door-session.opened', 'door.forced', 'door.opened-late', 'door.opened-while-down'])
const FOUND: ReadonlySet<string> = new Set(['found-occupied', 'found-empty', 'wrong-item'])
const HOLDS: ReadonlyMap<string, string> = new Map([
	['compartment.quarantined', 'quarantined'],
	['compartment.taken-out-of-service', 'out-of-service'],
	['compartment.pending-inspection', 'pending-inspection'],
])

/** Judges a run: knows the written events, the facts, the frames on the bus and the physical truth; never asks the reducer what is right. */
export class Watch {
	readonly violations: Violation[] = []
	private readonly sessions = new Map<string, SeenSession>()
	private readonly boxes = new Map<string, SeenBox>()
	private readonly commands = new Map<string, number>()
	private readonly denied = new Set<string>()
	private readonly cabinet: Cabinet
	private readonly singleOpen: boolean
	private at = 0

	constructor(cabinet: Cabinet, bank: BankState) {
		this.cabinet = cabinet
		this.singleOpen = bank.singleOpen
		for (const c of Object.values(bank.compartments)) {
			this.boxes.set(c.id, {
				live: undefined,
				hold: undefined,
				content: c.content.kind,
				item: lastItem(c.content),
				door: 'unknown',
				lastDoor: undefined,
				presence: 'unknown',
				releasedAt: undefined,
				openingsSeen: 0,
				openingsLogged: 0,
			})
		}
	}

	/** A process starts with what is durable: what it has heard is gone. */
	started(): void {
		for (const box of this.boxes.values()) {
			box.door = 'unknown'
			box.presence = 'unknown'
		}
	}

	frame(effect: Extract<DoorEffect, { do: 'pulse' }>): void {
		const session = this.sessions.get(effect.session)
		if (!session || session.compartment !== effect.compartment || session.fence !== effect.fence) {
			this.fail('I2', `a frame for ${effect.session} at ${effect.compartment} without its row`)
			return
		}
		if (++session.frames > 1) this.fail('I1', `${effect.session} was pulsed ${session.frames} times`)
		const sameCommand = (this.commands.get(session.command) ?? 0) + 1
		this.commands.set(session.command, sameCommand)
		if (sameCommand > 1) this.fail('I1', `${session.command} was pulsed ${sameCommand} times`)
		if (this.denied.has(session.command)) this.fail('I10', `${session.command} was denied and pulsed`)
		this.letIn(session)
	}

	/** I4, physically: behind the door lies nothing, or what this person came for. */
	private letIn(session: SeenSession): void {
		const box = this.truth(session.compartment)
		if (!box || session.act === 'inspect' || box.tainted || box.presenceSensor !== 'honest' || !box.senses.presence) return
		if (box.thing !== undefined && (session.act === 'deposit' || box.thing !== session.item))
			this.fail('I4', `${session.act} of ${session.item} is let into ${box.id}, where ${box.thing} lies`)
	}

	written(before: BankState, input: DoorInput, s: Step): void {
		this.at = input.at
		if (input.kind === 'request' && !s.repeated && !s.events.some((e) => e.type === `door-session.${s.refused ? 'denied' : 'releasing'}`))
			this.fail('R12', `${input.request.session} was answered and nothing is recorded`)
		if (input.kind === 'request' && input.at > input.request.notAfter && s.effects.some((e) => e.do === 'pulse'))
			this.fail('R11', `${input.request.command} is expired and opens a door`)
		this.hear(before, input)
		this.isWritten(before, s)
		for (const event of s.events) this.read(event)
		for (const ended of s.ended) if (ended.end === 'committed') this.committed(ended.session.id, s)
		for (const id of s.touched) this.compare(s.bank.compartments[id])
	}

	/** What changes in memory must be in the transaction, or a crash brings back what never was. */
	private isWritten(before: BankState, s: Step): void {
		for (const [id, c] of Object.entries(s.bank.compartments))
			if (c !== before.compartments[id] && !s.touched.includes(c.id)) this.fail('I6', `${id} changed and is not written`)
		if (s.bank.commands !== before.commands && !s.events.length) this.fail('I6', 'a command is remembered and not written')
	}

	/** What the sensors were heard to say. A reading counts when it was asked for and the intent still rests on it. */
	private hear(before: BankState, input: DoorInput): void {
		if (input.kind === 'board-lost') for (const id of input.compartments) this.hearDoor(id, 'unknown')
		if (input.kind === 'door') this.hearDoor(input.compartment, input.value)
		if (input.kind === 'presence') this.hearPresence(input.compartment, input.value)
		if (input.kind === 'said') this.hearPerson(before, input)
		if (input.kind !== 'reading') return
		const session = before.compartments[input.compartment]?.session
		if (session?.fence !== input.fence || !(session.recovering || session.state === 'releasing')) return
		this.hearPresence(input.compartment, input.presence)
		this.hearDoor(input.compartment, input.door)
	}

	private hearDoor(id: string, value: 'open' | 'closed' | 'unknown'): void {
		const box = this.boxes.get(id)
		if (!box) return
		box.door = value
		if (value === 'unknown') return
		if (value === 'open' && box.lastDoor !== 'open') box.openingsSeen++
		const session = box.live === undefined ? undefined : this.sessions.get(box.live)
		if (session && value === 'open') session.sawOpen = true
		box.lastDoor = value
		const truth = this.truth(id)
		if (truth && value === 'open') truth.unseen = false
	}

	private hearPerson(before: BankState, { compartment, fence, said }: Extract<DoorInput, { kind: 'said' }>): void {
		const session = before.compartments[compartment]?.session
		const seen = session && !session.recovering && session.fence === fence ? this.sessions.get(session.id) : undefined
		if (seen && seen.state !== 'releasing' && FOUND.has(said)) seen.reported = said
	}

	private hearPresence(id: string, value: boolean | 'unknown'): void {
		const box = this.boxes.get(id)
		if (box) box.presence = value
	}

	private read(event: DoorEvent): void {
		if (OPENINGS.has(event.type)) this.readOpening(event)
		if (event.type.startsWith('door-session.')) this.readSession(event)
		const box = this.boxes.get(event.subject)
		if (!box) return
		const { item, content, unverified } = event.data
		const hold = HOLDS.get(event.type)
		if (hold) box.hold = hold
		if (event.type.startsWith('door.opened') || event.type === 'door.forced' || event.type.endsWith('changed-while-closed')) box.content = 'unknown'
		if (event.type === 'compartment.emptied') setContent(box, unverified ? 'unknown' : 'empty', unverified ? box.item : undefined)
		if (event.type === 'compartment.occupied') setContent(box, unverified || item === undefined ? 'unknown' : 'item', text(item))
		if (event.type !== 'compartment.returned-to-service') return
		box.hold = undefined
		setContent(box, content as Content['kind'], text(item))
		const truth = this.truth(event.subject)
		if (truth && !truth.unseen) truth.tainted = false
	}

	private readOpening(event: DoorEvent): void {
		const id = event.type === 'door-session.opened' ? String(event.data.compartment) : event.subject
		const box = this.boxes.get(id)
		if (box) box.openingsLogged++
		if (!box || event.type === 'door-session.opened') return
		const justReleased = box.releasedAt !== undefined && this.at - box.releasedAt <= DOOR_TIMERS.open
		if (event.type === (justReleased ? 'door.forced' : 'door.opened-late')) this.fail('R7', `${event.type} at ${id}, released at ${box.releasedAt}`)
		for (const { session } of this.live()) if (session.compartment !== id) session.foreign = true
	}

	private live = () =>
		[...this.boxes.values()].flatMap((box) => {
			const session = box.live === undefined ? undefined : this.sessions.get(box.live)
			return session ? [{ box, session }] : []
		})

	private readSession(event: DoorEvent): void {
		const { type, subject } = event
		if (type === 'door-session.releasing') this.released(event)
		else if (type === 'door-session.denied') this.denied.add(String(event.data.command))
		const session = this.sessions.get(subject)
		if (!session) return
		if (type === 'door-session.opened') this.opened(session)
		else if (type === 'door-session.closed') {
			session.closed = true
			session.state = 'closed'
		} else if (type === 'door-session.left-open') session.leftOpen = true
		else if (type !== 'door-session.releasing') this.ended(subject, session, type.slice('door-session.'.length))
	}

	/** T7: shut, its own pulse spent, and open again while a pulse for another door is under way: whose opening is it? */
	private opened(session: SeenSession): void {
		const underWay = session.state === 'closed' ? this.live().filter((l) => l.session !== session && l.session.state === 'releasing') : []
		for (const l of underWay) l.session.foreign = session.foreign = true
		session.opened = true
		session.state = 'opened'
	}

	private released(event: DoorEvent): void {
		const { compartment, act, item, command, fence } = event.data
		const box = this.boxes.get(String(compartment))
		if (!box) return
		if (box.live !== undefined) this.fail('I3', `${event.subject} gets ${compartment} while ${box.live} has it`)
		if (box.hold !== undefined && act !== 'inspect') this.fail('I12', `${event.subject} gets ${compartment}, which is ${box.hold}`)
		if (act === 'deposit' && box.content !== 'empty') this.fail('I4', `deposit into ${compartment}, which holds ${box.content} ${box.item}`)
		if (act === 'collect' && (box.content !== 'item' || box.item !== item))
			this.fail('I4', `collect of ${item}, but ${compartment} holds ${box.item}`)
		for (const other of this.live()) {
			if (other.session.state === 'closed' || other.box === box) continue
			if (this.singleOpen || other.session.person === event.actor) this.fail('R8', `${event.subject} is released while ${other.box.live} is not shut`)
		}
		if (this.singleOpen && [...this.boxes.values()].some((other) => other !== box && other.door === 'open'))
			this.fail('R8', `${event.subject} is released while another door stands open`)
		box.releasedAt = this.at
		box.live = event.subject
		this.sessions.set(event.subject, {
			compartment: compartment as Id<'compartment'>,
			act: act as Act,
			item: text(item),
			command: String(command),
			fence: Number(fence),
			presence: box.presence,
			person: event.actor,
			frames: 0,
			state: 'releasing',
			opened: false,
			closed: false,
			sawOpen: false,
			foreign: false,
			leftOpen: false,
			reported: undefined,
			ended: undefined,
		})
	}

	private ended(id: string, session: SeenSession, end: string): void {
		const box = this.boxes.get(session.compartment)
		if (!box) return
		if (session.ended) this.fail('I6', `${id} ends ${end} after it ended ${session.ended}`)
		session.ended = end
		if (box.live === id) box.live = undefined
		if (end === 'ambiguous') setContent(box, 'unknown', session.item ?? box.item)
		if (end === 'failed' && session.frames) this.fail('R5', `${id} ends failed after a frame was sent: an answer of another lease was believed`)
	}

	/** R6, R9, I5: what a commit must rest on. */
	private committed(id: string, s: Step): void {
		const session = this.sessions.get(id)
		const ended = s.ended.find((e) => e.session.id === id)
		const box = session && this.boxes.get(session.compartment)
		const truth = session && this.truth(session.compartment)
		if (!session || !ended || !box || !truth) return
		if (truth.senses.door && !(session.opened && session.closed && session.sawOpen && box.door === 'closed'))
			this.fail('R6', `${id} commits without an open and a close edge at ${session.compartment}`)
		if (session.foreign) this.fail('R6', `${id} commits although another door opened without an intent`)
		if (session.reported) this.fail('R6', `${id} commits although the person said ${session.reported}`)
		if (session.leftOpen && session.act === 'deposit') this.fail('R9', `${id} commits a deposit that was left open`)
		if (ended.evidence < 3) return
		if (session.presence === 'unknown' || box.presence === 'unknown' || session.presence === box.presence)
			this.fail('I5', `${id} claims E${ended.evidence}, but the content sensor said ${session.presence} and ${box.presence}`)
		if (truth.tainted || truth.presenceSensor !== 'honest' || truth.doorSensor !== 'honest') return
		const inside = session.act === 'deposit' ? session.item : undefined
		if (session.act !== 'inspect' && truth.thing !== inside) this.fail('I5', `${id} records ${inside} in ${truth.id}, where ${truth.thing} lies`)
	}

	/** The events alone must tell what the state says: I6 for custody, I7 for openings, I12 for holds. */
	private compare(c: Compartment | undefined): void {
		const box = c && this.boxes.get(c.id)
		if (!c || !box) return
		if (c.content.kind !== box.content || lastItem(c.content) !== box.item)
			this.fail(c.content.kind === 'unknown' ? 'R4' : 'I6', `${c.id}: events say ${box.content} ${box.item}, state ${JSON.stringify(c.content)}`)
		if (c.hold?.kind !== box.hold) this.fail('I12', `${c.id}: events say hold ${box.hold}, state ${c.hold?.kind}`)
		if (c.session?.id !== box.live) this.fail('I6', `${c.id}: events say session ${box.live}, state ${c.session?.id}`)
		const flaps = this.truth(c.id)?.doorSensor === 'flapping'
		if (!flaps && box.openingsSeen !== box.openingsLogged)
			this.fail('I7', `${c.id}: ${box.openingsSeen} openings were seen, ${box.openingsLogged} logged`)
		if (c.content.kind !== 'item') return
		for (const [id, other] of this.boxes)
			if (id !== c.id && other.content === 'item' && other.item === box.item) this.fail('I6', `${box.item} is recorded in ${c.id} and in ${id}`)
	}

	/** I11: what a restart found undecided is decided 5 s later, or waits for a person. */
	recovered(found: BankState, now: BankState): void {
		for (const c of Object.values(found.compartments)) {
			const session = now.compartments[c.id]?.session
			if (!session || session.id !== c.session?.id) continue
			const waitsForPerson = session.state === 'opened' || session.asking
			if (session.recovering || (!waitsForPerson && session.state === c.session.state))
				this.fail('I11', `${session.id} is still ${session.state} 5 s after the restart`)
		}
	}

	/** Nothing is left to happen: nothing may be left hanging, and what the record claims must be so. `calm`: nobody was ever blind. */
	finished(bank: BankState, calm: boolean): void {
		for (const c of Object.values(bank.compartments)) {
			const truth = this.truth(c.id)
			if (!truth) continue
			if (!c.reliable) this.fail('R10', `the sensor of ${c.id} is never trusted again`)
			if (c.session && !truth.open) this.fail('I11', `${c.session.id} is left ${c.session.state} for ever`)
			if (truth.tainted || truth.doorSensor !== 'honest' || !truth.senses.door) continue
			const logged = this.boxes.get(c.id)?.openingsLogged
			if (calm && logged !== truth.openings) this.fail('I7', `${c.id} opened ${truth.openings} times, logged ${logged}`)
			if (c.hold || c.session || !truth.senses.presence || truth.presenceSensor !== 'honest') continue
			if (c.content.kind === 'item' && truth.thing !== c.content.item) this.fail('I5', `${c.id} records ${c.content.item}, inside is ${truth.thing}`)
			if (c.content.kind === 'empty' && truth.thing !== undefined) this.fail('I5', `${c.id} is recorded empty, inside is ${truth.thing}`)
		}
	}

	private truth = (id: string): Box | undefined => this.cabinet.boxes.find((b) => b.id === id)

	private fail(invariant: Invariant, what: string): void {
		this.violations.push({ invariant, text: what })
	}
}

const text = (value: unknown): string | undefined => (value === undefined ? undefined : String(value))

function setContent(box: SeenBox, content: Content['kind'], item: string | undefined): void {
	box.content = content
	box.item = content === 'empty' ? undefined : item
}
