import { type BankState, type Compartment, type DoorInput, newBank, newCompartment, type Step, step } from '../index.ts'
import { Agenda } from './agenda.ts'
import { Bus } from './bus.ts'
import { Cabinet } from './cabinet.ts'
import { type Choose, seededChoices } from './choice.ts'
import { Host, type Reducer, type Witness } from './host.ts'
import { People } from './people.ts'
import { type Violation, Watch } from './watch.ts'

/** How often each thing was reached: `state releasing/closed`, `end committed`, `hold quarantined`, `timer ack`, `refused …`, `event …`. */
export type Distribution = Map<string, number>

export interface Plan {
	readonly choose: Choose
	/** Dies at the effect boundary with this number, counted from 0; and later at random. */
	readonly crashAt?: number
	readonly reducer?: Reducer
	readonly effectsFirst?: boolean
	readonly distribution?: Distribution
}

export interface Outcome {
	readonly violations: readonly Violation[]
	/** Effect boundaries that the run passed: before the row, after it, after each effect. */
	readonly boundaries: number
	readonly crashes: number
}

/** More things than any honest run ever needs: a run that reaches it never comes to rest. */
const MANY = 20_000
const RECOVERY_MS = 5_000
/** After the first crash a process may die again at any boundary, so often in all. */
const MOST_CRASHES = 6
const DOWN = [300, 900, 3_000, 20_000]

/** One cabinet, its controller and its people, until nothing is left to happen. */
export function simulate(plan: Plan): Outcome {
	const world = new World(plan)
	world.run()
	return { violations: world.watch.violations, boundaries: world.boundaries, crashes: world.crashes }
}

class World {
	boundaries = 0
	crashes = 0
	readonly watch: Watch
	private readonly plan: Plan
	private readonly choose: Choose
	private readonly agenda = new Agenda()
	private readonly cabinet: Cabinet
	private readonly host: Host
	private readonly people: People
	private lives = 0

	constructor(plan: Plan) {
		this.plan = plan
		this.choose = plan.choose
		const { choose, agenda } = this
		this.cabinet = new Cabinet(agenda, choose)
		const bank = this.stock()
		this.watch = new Watch(this.cabinet, bank)
		this.host = new Host(
			{
				reducer: plan.reducer ?? step,
				agenda,
				choose,
				cabinet: this.cabinet,
				bus: new Bus(agenda, choose, this.cabinet, (box, session) => this.people.use(box, session)),
				witness: this.witness(),
				dies: () => this.dies(),
				effectsFirst: plan.effectsFirst ?? false,
			},
			bank,
		)
		this.people = new People(agenda, choose, this.cabinet, this.host)
	}

	run(): void {
		this.people.plan()
		this.host.start()
		for (let i = 0; i < MANY && this.agenda.next(); i++) if (this.watch.violations.length) return
		this.watch.finished(this.host.bank, this.crashes + this.host.refusals + this.cabinet.cuts === 0)
	}

	/** The first compartment may hold the laptop, as the record says. */
	private stock(): BankState {
		const [first] = this.cabinet.boxes
		const stocked = this.choose(2) === 0
		if (first && stocked) first.thing = 'laptop'
		const compartments = this.cabinet.boxes.map((b) =>
			newCompartment(b.id, b.senses, b === first && stocked ? { kind: 'item', item: 'laptop' } : { kind: 'empty' }),
		)
		return newBank(compartments, this.choose(4) === 3)
	}

	private dies(): boolean {
		const at = this.boundaries++
		const first = at === this.plan.crashAt
		const again = this.crashes > 0 && this.crashes < MOST_CRASHES && this.choose(15) === 14
		return first || again
	}

	private witness(): Witness {
		const { watch } = this
		return {
			written: (before, input, s) => watch.written(before, input, s),
			frame: (effect) => watch.frame(effect),
			processed: (before, input, s) => {
				if (this.plan.distribution) count(this.plan.distribution, before, input, s)
				this.people.answer(s)
			},
			died: () => {
				this.crashes++
				this.agenda.after(DOWN[this.choose(DOWN.length)] ?? 0, () => this.host.start())
			},
			started: (bank) => {
				watch.started()
				this.expectRecovery(bank)
			},
		}
	}

	private expectRecovery(found: BankState): void {
		const life = ++this.lives
		const { refusals } = this.host
		this.agenda.after(RECOVERY_MS, () => {
			if (this.host.up && life === this.lives && refusals === this.host.refusals) this.watch.recovered(found, this.host.bank)
		})
	}
}

/** Adds what another run reached. */
export function merge(into: Distribution, from: Distribution): void {
	for (const [what, n] of from) into.set(what, (into.get(what) ?? 0) + n)
}

function count(distribution: Distribution, before: BankState, input: DoorInput, s: Step): void {
	const one = (what: string) => distribution.set(what, (distribution.get(what) ?? 0) + 1)
	for (const id of s.touched) {
		const c = s.bank.compartments[id]
		const was = before.compartments[id]
		if (!c) continue
		one(`state ${stateOf(c)} × ${c.door}`)
		if (c.hold && c.hold.kind !== was?.hold?.kind) one(`hold ${c.hold.kind}`)
		if (c.session && c.session.level !== was?.session?.level) one(`level ${c.session.level}`)
	}
	for (const e of s.ended) one(`end ${e.end}${e.end === 'committed' ? ` E${e.evidence}` : ''} × ${before.compartments[e.compartment]?.door}`)
	for (const e of s.ended) one(`why ${e.why}`)
	for (const e of s.events) one(`event ${e.type}`)
	if (input.kind === 'timer') one(`timer ${input.timer}`)
	if (s.refused) one(`refused ${s.refused}`)
	if (s.repeated) one(`repeated ${s.repeated.end ?? 'live'}`)
}

function stateOf({ session }: Compartment): string {
	if (!session) return 'idle'
	return `${session.state}${session.asking ? '+asking' : ''}${session.recovering ? '+recovering' : ''}`
}

export interface Campaign {
	/** The first seed; run n has seed + n, and each replays alone. */
	readonly seed: number
	/** Scenarios; each is run once whole and then once for every effect boundary, dying there. */
	readonly runs: number
	readonly reducer?: Reducer
	readonly effectsFirst?: boolean
	/** Stops after so many violations. */
	readonly stopAfter?: number
}

export interface Found extends Violation {
	/** `simulate({ choose: seededChoices(seed), crashAt })` shows it again. */
	readonly seed: number
	readonly crashAt: number | undefined
	/** Worlds that were run until then. */
	readonly world: number
}

/** Many worlds, each crashed at every one of its effect boundaries (trust.md §5-A). */
export function runWorld(campaign: Campaign): { crashPoints: number; violations: readonly Found[]; distribution: Distribution } {
	const { seed: firstSeed, runs, stopAfter = 1, ...rest } = campaign
	const distribution: Distribution = new Map()
	const violations: Found[] = []
	let crashPoints = 0
	let world = 0
	const one = (seed: number, crashAt?: number): number => {
		world++
		const outcome = simulate({ ...rest, choose: seededChoices(seed), distribution, ...(crashAt !== undefined && { crashAt }) })
		crashPoints += outcome.crashes
		const [first] = outcome.violations
		if (first) violations.push({ ...first, seed, crashAt, world })
		return outcome.boundaries
	}
	for (let seed = firstSeed; seed < firstSeed + runs && violations.length < stopAfter; seed++) {
		const boundaries = one(seed)
		for (let at = 0; at < boundaries && violations.length < stopAfter; at++) one(seed, at)
	}
	return { crashPoints, violations, distribution }
}
