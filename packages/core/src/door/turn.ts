import type { Id } from '../base/index.ts'
import type { EventDraft } from '../ledger/index.ts'
import type { Act, BankState, Compartment, Content, DoorRefusal, DoorSession, EndState, Evidence, Hold, Tri } from './state.ts'
import type { DoorTimer } from './timers.ts'

export interface ReleaseRequest {
	readonly session: Id<'doorSession'>
	/** Idempotency key: a person's act or a command from the server. */
	readonly command: string
	readonly compartment: Id<'compartment'>
	readonly act: Act
	readonly subject: Id<'subject'>
	readonly item?: string
	readonly needs: Evidence
	/** Trusted time after which the request is void. */
	readonly notAfter: number
	/** What the record must name: decision, bundle version, case and line. Opaque to the reducer. */
	readonly why: { readonly [key: string]: string | number | boolean }
	/** The workflow says that this person may have two doors open at once (R8). */
	readonly parallel?: boolean
}

export type DoorInput = { readonly at: number; readonly mono: number } & (
	| { readonly kind: 'request'; readonly request: ReleaseRequest }
	/** The driver's answer. `sent: false`: no byte of the release frame left. */
	| {
			readonly kind: 'pulsed'
			readonly compartment: Id<'compartment'>
			readonly fence: number
			readonly sent: boolean
			readonly ack: 'ok' | 'refused' | 'none'
			readonly code?: string
	  }
	/** `initial`: first reading after start or reconnect: a state, not a change. */
	| { readonly kind: 'door'; readonly compartment: Id<'compartment'>; readonly value: Tri; readonly initial: boolean }
	| { readonly kind: 'presence'; readonly compartment: Id<'compartment'>; readonly value: boolean | 'unknown'; readonly initial: boolean }
	/** Answer to a `read` effect; `unknown` when the board did not answer. */
	| {
			readonly kind: 'reading'
			readonly compartment: Id<'compartment'>
			readonly fence: number
			readonly door: Tri
			readonly presence: boolean | 'unknown'
	  }
	| { readonly kind: 'timer'; readonly compartment: Id<'compartment'>; readonly timer: DoorTimer; readonly fence: number }
	| {
			readonly kind: 'said'
			readonly compartment: Id<'compartment'>
			readonly fence: number
			readonly said: 'did-not-open' | 'found-occupied' | 'found-empty' | 'wrong-item' | 'done' | 'not-done' | 'unanswered'
	  }
	/** An item's tag was read at the open door. */
	| { readonly kind: 'identified'; readonly compartment: Id<'compartment'>; readonly fence: number; readonly item: string }
	| { readonly kind: 'board-lost'; readonly compartments: readonly Id<'compartment'>[] }
	/** First input after the state was loaded from the journal. */
	| { readonly kind: 'restart' }
	/**
	 * A bundle names compartments for the first time and says what was put there before; `unknown`: that is not believed, `why` says
	 * what speaks against it, and a person must look. Ignored where anything is known already.
	 */
	| {
			readonly kind: 'stocked'
			readonly contents: readonly { readonly compartment: Id<'compartment'>; readonly content: Content; readonly why?: string }[]
	  }
	/**
	 * A person looked inside and says what is there; ends a hold, or not knowing. Ignored while a door session is live. `recount`: it also
	 * replaces what is known, because records were lost or are wrong.
	 */
	| {
			readonly kind: 'settle'
			readonly compartment: Id<'compartment'>
			readonly by: 'staff' | Id<'subject'>
			readonly content: Content
			readonly recount?: boolean
	  }
)

/** What the host does, in this order, only after `events` and the touched compartments are durable in one transaction (R1, R13). */
export type DoorEffect =
	| { readonly do: 'pulse'; readonly compartment: Id<'compartment'>; readonly fence: number; readonly session: Id<'doorSession'> }
	| { readonly do: 'read'; readonly compartment: Id<'compartment'>; readonly fence: number }
	| { readonly do: 'start'; readonly compartment: Id<'compartment'>; readonly timer: DoorTimer; readonly fence: number }
	| { readonly do: 'stop'; readonly compartment: Id<'compartment'>; readonly timers: readonly DoorTimer[] }

export type DoorEvent = EventDraft & { readonly data: { readonly [key: string]: string | number | boolean } }

/** A session that ended in this step, with all that the workflow needs to advance its line. */
export interface Ended {
	readonly session: DoorSession
	readonly compartment: Id<'compartment'>
	readonly end: EndState
	readonly evidence: Evidence
	/** Committed with less evidence than needed: needs a check by a person. */
	readonly unverified: boolean
	readonly why: string
}

export interface Step {
	readonly bank: BankState
	/** Compartments to write; empty with no events: nothing durable happened. */
	readonly touched: readonly Id<'compartment'>[]
	readonly events: readonly DoorEvent[]
	readonly effects: readonly DoorEffect[]
	readonly ended: readonly Ended[]
	/** A request that was refused; nothing was pulsed, a `denied` event says why (R12). */
	readonly refused?: DoorRefusal
	/** The same command came before: its session, and how it ended if it has. Its refusal, if it was one, is in `refused` again. */
	readonly repeated?: { readonly session: Id<'doorSession'>; readonly end?: EndState }
}

/** One step in the making: copy-on-write compartments and what is to be recorded and done. */
export class Turn {
	bank: BankState
	readonly at: number
	readonly mono: number
	readonly events: DoorEvent[] = []
	readonly effects: DoorEffect[] = []
	readonly ended: Ended[] = []
	readonly touched = new Set<Id<'compartment'>>()
	refused?: DoorRefusal
	repeated?: NonNullable<Step['repeated']>

	constructor(bank: BankState, at: number, mono: number) {
		this.bank = bank
		this.at = at
		this.mono = mono
	}

	compartment(id: Id<'compartment'>): Compartment | undefined {
		return this.bank.compartments[id]
	}

	all(): Compartment[] {
		return Object.values(this.bank.compartments)
	}

	/** `undefined` removes an optional field. */
	set(c: Compartment, change: { [K in keyof Compartment]?: Compartment[K] | undefined }): Compartment {
		const next = { ...c, ...change } as Compartment
		this.bank = { ...this.bank, compartments: { ...this.bank.compartments, [c.id]: next } }
		this.touched.add(c.id)
		return next
	}

	setSession(c: Compartment, change: Partial<DoorSession>): Compartment {
		return c.session ? this.set(c, { session: { ...c.session, ...change } }) : c
	}

	event(type: DoorEvent['type'], subject: string, data: DoorEvent['data'], actor?: DoorEvent['actor']): void {
		this.events.push(actor === undefined ? { type, subject, data } : { type, subject, actor, data })
	}

	start(c: Compartment, timer: DoorTimer): void {
		this.effects.push({ do: 'start', compartment: c.id, timer, fence: c.fence })
	}

	stop(c: Compartment, ...timers: DoorTimer[]): void {
		this.effects.push({ do: 'stop', compartment: c.id, timers })
	}

	/** The host answers every read with a `reading`, `unknown` when the board is silent: an intent rests on it. */
	read(c: Compartment): void {
		this.effects.push({ do: 'read', compartment: c.id, fence: c.fence })
	}

	/** Nobody is given this compartment until a person has looked (I12); the first reason stays. */
	hold(c: Compartment, kind: Hold, why: string): Compartment {
		if (c.hold?.kind === 'quarantined' || c.hold?.kind === kind) return c
		this.event(
			kind === 'quarantined'
				? 'compartment.quarantined'
				: kind === 'out-of-service'
					? 'compartment.taken-out-of-service'
					: 'compartment.pending-inspection',
			c.id,
			{ why },
		)
		this.event('task.created', c.id, { kind: 'check-compartment', why })
		return this.set(c, { hold: { kind, why } })
	}

	/** Ends the live session: lease given back, command remembered with its result. */
	end(
		c: Compartment,
		end: EndState,
		why: string,
		change: Partial<Pick<Compartment, 'content' | 'notOpened'>> = {},
		evidence: Evidence = 0,
	): Compartment {
		const session = c.session
		if (!session) return c
		const unverified = end === 'committed' && evidence < session.needs
		this.event(
			`door-session.${end}`,
			session.id,
			{ compartment: c.id, why, evidence, fence: session.fence, ...(session.item && { item: session.item }), ...(unverified && { unverified }) },
			session.subject,
		)
		this.stop(c, 'ack', 'open', 'settle', 'prompt', 'staff', 'alarm', 'answer', 'recovery')
		this.ended.push({ session, compartment: c.id, end, evidence, unverified, why })
		this.bank = { ...this.bank, commands: this.bank.commands.map((k) => (k.session === session.id ? { ...k, end } : k)) }
		return this.set(c, { ...change, session: undefined })
	}

	done(): Step {
		const { bank, events, effects, ended } = this
		return {
			bank,
			events,
			effects,
			ended,
			touched: [...this.touched],
			...(this.refused && { refused: this.refused }),
			...(this.repeated && { repeated: this.repeated }),
		}
	}
}
