import type { Id } from '../../base/index.ts'
import type { Senses, Tri } from '../index.ts'
import type { Agenda } from './agenda.ts'
import type { Choose } from './choice.ts'

/** One compartment as it physically is, and the sensors that speak of it. */
export interface Box {
	readonly id: Id<'compartment'>
	readonly senses: Senses
	readonly doorSensor: 'honest' | 'flapping' | 'dead' | 'says-shut'
	readonly presenceSensor: 'honest' | 'stuck'
	readonly stuckLock: boolean
	open: boolean
	thing: string | undefined
	openings: number
	/** An opening is on its way to the controller and not there yet. */
	unseen: boolean
	/** Somebody could have been at it where no sensor saw it: what the record says of the content proves nothing. */
	tainted: boolean
}

export type Fact = { kind: 'door'; value: Tri; initial: boolean } | { kind: 'presence'; value: boolean | 'unknown'; initial: boolean }

export interface Listener {
	fact(box: Box, fact: Fact): void
	boardLost(): void
}

const WIRE_MS = 20
/** Longest way of a fact from the contact to the controller: one poll of the bus. */
const POLL_MS = 200

/** Spring doors behind one board: physical truth, and a driver that reports it in order, unless it cannot. */
export class Cabinet {
	readonly boxes: readonly Box[]
	boardUp = true
	/** How often the board went away. */
	cuts = 0
	private readonly agenda: Agenda
	private readonly choose: Choose
	private listener: Listener | undefined
	private lineFreeAt = 0

	constructor(agenda: Agenda, choose: Choose) {
		this.agenda = agenda
		this.choose = choose
		const count = 2 + choose(2)
		this.boxes = Array.from({ length: count }, (_, i) => newBox(i, choose))
	}

	/** The process that hears the driver; undefined while it is dead. Facts under way are lost with it. */
	connect(listener: Listener | undefined): void {
		this.listener = listener
		this.lineFreeAt = 0
		if (listener) this.sayAll()
		else for (const box of this.boxes) box.tainted ||= box.unseen
	}

	setBoard(up: boolean): void {
		if (this.boardUp === up) return
		this.boardUp = up
		if (!up) this.cuts++
		const { listener } = this
		for (const box of this.boxes) box.tainted ||= box.unseen
		if (up) this.sayAll()
		else if (listener) this.send(listener, () => listener.boardLost())
	}

	openDoor(box: Box): void {
		if (box.open) return
		box.open = true
		box.openings++
		box.unseen = true
		if (!this.listener || !this.boardUp || box.doorSensor !== 'honest' || !box.senses.door) box.tainted = true
		this.sayDoor(box)
	}

	shutDoor(box: Box): void {
		if (!box.open) return
		box.open = false
		this.sayDoor(box)
	}

	put(box: Box, thing: string | undefined): void {
		box.thing = thing
		if (box.senses.presence) this.say(box, { kind: 'presence', value: this.presenceOf(box), initial: false })
	}

	doorOf(box: Box): Tri {
		if (!box.senses.door || box.doorSensor === 'dead' || !this.boardUp) return 'unknown'
		return box.open && box.doorSensor !== 'says-shut' ? 'open' : 'closed'
	}

	presenceOf(box: Box): boolean | 'unknown' {
		if (!box.senses.presence || !this.boardUp) return 'unknown'
		return box.presenceSensor === 'stuck' ? false : box.thing !== undefined
	}

	/** First readings after a start or a reconnect. */
	private sayAll(): void {
		for (const box of this.boxes) {
			this.say(box, { kind: 'presence', value: this.presenceOf(box), initial: true })
			this.say(box, { kind: 'door', value: this.doorOf(box), initial: true })
		}
	}

	private sayDoor(box: Box): void {
		const value = this.doorOf(box)
		if (!box.senses.door || box.doorSensor === 'dead' || box.doorSensor === 'says-shut') return
		if (box.doorSensor === 'flapping') {
			for (let i = 0; i < 4; i++)
				for (const v of [value, value === 'open' ? 'closed' : 'open'] as const) this.say(box, { kind: 'door', value: v, initial: false })
		}
		this.say(box, { kind: 'door', value, initial: false })
	}

	private say(box: Box, fact: Fact): void {
		const { listener } = this
		if (listener && this.boardUp) this.send(listener, () => listener.fact(box, fact))
	}

	private send(listener: Listener, deliver: () => void): void {
		const due = Math.max(this.lineFreeAt, this.agenda.now + WIRE_MS + this.choose(POLL_MS))
		this.lineFreeAt = due
		this.agenda.after(due - this.agenda.now, () => {
			if (this.listener === listener) deliver()
		})
	}
}

function newBox(i: number, choose: Choose): Box {
	const kind = choose(12)
	const doorSensor = kind === 11 ? 'flapping' : kind === 10 ? 'says-shut' : kind === 9 && choose(3) === 2 ? 'dead' : 'honest'
	return {
		id: `cmp_${i}`,
		senses: { door: kind !== 8, presence: choose(3) !== 2, acks: choose(6) !== 5 },
		doorSensor,
		presenceSensor: choose(15) === 14 ? 'stuck' : 'honest',
		stuckLock: choose(8) === 7,
		open: false,
		thing: undefined,
		openings: 0,
		unseen: false,
		tainted: false,
	}
}
