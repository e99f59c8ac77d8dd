import type { Id } from '../../base/index.ts'
import { type BankState, DOOR_TIMERS, type DoorEffect, type DoorInput, type DoorTimer, type ReleaseRequest, type Step } from '../index.ts'
import type { Agenda } from './agenda.ts'
import type { Bus } from './bus.ts'
import type { Box, Cabinet, Fact } from './cabinet.ts'
import type { Choose } from './choice.ts'

export type Reducer = (bank: BankState, input: DoorInput) => Step
export type Input = DoorInput extends infer T ? (T extends unknown ? Omit<T, 'at' | 'mono'> : never) : never

/** Trusted time at the start of every world. */
export const START = Date.UTC(2026, 0, 5, 9)
const RETRY_MS = 500
const READ_RETRY_MS = 250
const READ_TIMEOUT_MS = 1_500

/** What a written step and a sent frame are told to; the judge of the world. */
export interface Witness {
	written(before: BankState, input: DoorInput, s: Step): void
	frame(effect: Extract<DoorEffect, { do: 'pulse' }>): void
	processed(before: BankState, input: DoorInput, s: Step): void
	died(): void
	started(bank: BankState): void
}

export interface HostParts {
	readonly reducer: Reducer
	readonly agenda: Agenda
	readonly choose: Choose
	readonly cabinet: Cabinet
	readonly bus: Bus
	readonly witness: Witness
	/** True at the effect boundary where the process is to die. */
	readonly dies: () => boolean
	/** The planted host bug: effects run before the row is durable. */
	readonly effectsFirst: boolean
}

/**
 * The host of the reducer as its contract says: one durable write a step (the touched compartments, and the commands when there
 * are events), then the effects in order. It may die at every boundary in between, and the storage may refuse a write.
 */
export class Host {
	private readonly parts: HostParts
	private durable: BankState
	bank: BankState
	up = false
	private boot = 0
	private bootAt = 0
	private refusingUntil = 0
	private waiting: Input[] = []
	private timers = new Map<string, object>()
	/** Anything that makes a run hard to count: a write was refused. */
	refusals = 0

	constructor(parts: HostParts, bank: BankState) {
		this.parts = parts
		this.durable = bank
		this.bank = bank
	}

	start(): void {
		const { cabinet, witness, agenda } = this.parts
		this.up = true
		this.boot++
		this.bootAt = agenda.now
		this.bank = this.durable
		witness.started(this.bank)
		this.offer({ kind: 'restart' })
		if (!this.up) return
		cabinet.connect({
			fact: (box, fact) => this.offer(inputOf(box, fact)),
			boardLost: () => this.offer({ kind: 'board-lost', compartments: cabinet.boxes.map((b) => b.id) }),
		})
	}

	/** A fact, an answer or a timer: waits in order while the storage refuses. */
	offer(input: Input): void {
		if (!this.up) return
		this.waiting.push(input)
		if (this.waiting.length === 1) this.drain()
	}

	/** A request is refused instead, so nothing is pulsed that cannot be recorded (R13). */
	ask(request: ReleaseRequest): Step | undefined {
		if (!this.up || this.waiting.length) return undefined
		return this.process({ kind: 'request', request })
	}

	private drain(): void {
		const { boot } = this
		for (let next = this.waiting[0]; next && this.boot === boot; next = this.waiting[0]) {
			const s = this.process(next)
			if (this.boot !== boot || !this.up) return
			if (!s) {
				this.later(RETRY_MS, () => this.drain())
				return
			}
			this.waiting.shift()
		}
	}

	private process(asked: Input): Step | undefined {
		const { agenda, reducer, witness, dies, effectsFirst } = this.parts
		const before = this.bank
		const input: DoorInput = { ...asked, at: START + agenda.now, mono: agenda.now - this.bootAt }
		const s = reducer(before, input)
		if (dies()) return this.die()
		if (effectsFirst && !this.runAll(s)) return undefined
		if (!this.write(before, input, s)) return undefined
		if (dies()) return this.die()
		this.bank = s.bank
		if (!effectsFirst && !this.runAll(s)) return undefined
		witness.processed(before, input, s)
		return s
	}

	/** One transaction, or nothing. */
	private write(before: BankState, input: DoorInput, s: Step): boolean {
		const { agenda, choose, witness } = this.parts
		if (s.events.length || s.touched.length) {
			if (this.refusingUntil <= agenda.now && choose(150) === 149) this.refusingUntil = agenda.now + 3 * RETRY_MS
			if (this.refusingUntil > agenda.now) {
				this.refusals++
				return false
			}
			const compartments = { ...this.durable.compartments }
			for (const id of s.touched) {
				const c = s.bank.compartments[id]
				if (c) compartments[id] = c
			}
			this.durable = { ...this.durable, compartments, commands: s.events.length ? s.bank.commands : this.durable.commands }
		}
		witness.written(before, input, s)
		return true
	}

	private runAll(s: Step): boolean {
		for (const effect of s.effects) {
			this.run(effect)
			if (this.parts.dies()) {
				this.die()
				return false
			}
		}
		return true
	}

	private run(effect: DoorEffect): void {
		const { compartment } = effect
		if (effect.do === 'start') this.startTimer(compartment, effect.timer, effect.fence)
		else if (effect.do === 'stop') for (const timer of effect.timers) this.timers.delete(`${compartment} ${timer}`)
		else if (effect.do === 'read') this.read(compartment, effect.fence)
		else this.pulse(effect)
	}

	private startTimer(compartment: Id<'compartment'>, timer: DoorTimer, fence: number): void {
		const name = `${compartment} ${timer}`
		const token = {}
		this.timers.set(name, token)
		this.later(DOOR_TIMERS[timer], () => {
			if (this.timers.get(name) !== token) return
			this.timers.delete(name)
			this.offer({ kind: 'timer', compartment, timer, fence })
		})
	}

	private pulse(effect: Extract<DoorEffect, { do: 'pulse' }>): void {
		const { bus, witness } = this.parts
		const box = this.boxOf(effect.compartment)
		if (!box) return
		const { sent, ack, afterMs, twice } = bus.release(box, effect.session)
		if (sent) witness.frame(effect)
		const answer: Input = { kind: 'pulsed', compartment: box.id, fence: effect.fence, sent, ack: box.senses.acks ? ack : 'none' }
		this.later(afterMs, () => this.offer(answer))
		if (twice) this.later(afterMs + 5_000, () => this.offer(answer))
	}

	/** Reads may be repeated; every read is answered, at last with `unknown`. */
	private read(compartment: Id<'compartment'>, fence: number): void {
		const { cabinet, choose } = this.parts
		const box = this.boxOf(compartment)
		if (!box) return
		const luck = choose(12)
		const answerMs = luck === 11 ? READ_TIMEOUT_MS + choose(4_000) : READ_RETRY_MS / 5 + choose(100)
		const taken = { door: cabinet.doorOf(box), presence: cabinet.presenceOf(box) }
		const lost = luck === 10 || !cabinet.boardUp
		this.later(lost ? READ_TIMEOUT_MS : answerMs, () => {
			const session = this.bank.compartments[compartment]?.session
			if (lost && session?.recovering && session.fence === fence) {
				this.read(compartment, fence)
				return
			}
			const reading = lost ? { door: 'unknown' as const, presence: 'unknown' as const } : taken
			this.offer({ kind: 'reading', compartment, fence, ...reading })
		})
	}

	private boxOf = (id: string): Box | undefined => this.parts.cabinet.boxes.find((b) => b.id === id)

	/** Runs in this life of the process or not at all. */
	private later(ms: number, run: () => void): void {
		const { boot } = this
		this.parts.agenda.after(ms, () => {
			if (this.up && this.boot === boot) run()
		})
	}

	private die(): undefined {
		this.up = false
		this.waiting = []
		this.timers = new Map()
		this.parts.cabinet.connect(undefined)
		this.parts.witness.died()
		return undefined
	}
}

function inputOf(box: Box, fact: Fact): Input {
	return { ...fact, compartment: box.id }
}
