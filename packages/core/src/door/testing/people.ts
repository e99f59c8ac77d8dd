import type { Id } from '../../base/index.ts'
import type { Act, Compartment, Evidence, ReleaseRequest, Step } from '../index.ts'
import type { Agenda } from './agenda.ts'
import type { Box, Cabinet } from './cabinet.ts'
import type { Choose } from './choice.ts'
import { type Host, START } from './host.ts'

type Subject = Id<'subject'>
const PERSONS = ['sub_ann', 'sub_bob'] as const
const STAFF: Subject = 'sub_staff'
const GAPS = [1_000, 4_000, 15_000, 70_000, 320_000]
const STAYS = [1_500, 1_500, 1_500, 2_500, 40_000, 150_000, 320_000, 700_000]
const REPORTS = ['found-occupied', 'found-empty', 'wrong-item'] as const

interface Errand {
	readonly person: Subject
	readonly act: Act
	readonly item: string | undefined
}

/** Two persons with a thing each, somebody who forces doors, and staff: what they want, do, leave undone and say. */
export class People {
	private readonly agenda: Agenda
	private readonly choose: Choose
	private readonly cabinet: Cabinet
	private readonly host: Host
	private readonly errands = new Map<string, Errand>()
	private readonly pockets = new Map<string, Subject>()
	private asked = 0

	constructor(agenda: Agenda, choose: Choose, cabinet: Cabinet, host: Host) {
		this.agenda = agenda
		this.choose = choose
		this.cabinet = cabinet
		this.host = host
		this.pockets.set('charger', PERSONS[1])
		if (cabinet.boxes[0]?.thing === undefined) this.pockets.set('laptop', PERSONS[0])
	}

	/** Plans a few acts one after the other. */
	plan(): void {
		const count = 1 + this.choose(6)
		let at = 1_000
		for (let i = 0; i < count; i++) {
			this.agenda.after(at, () => this.act())
			at += GAPS[this.choose(GAPS.length)] ?? 0
		}
	}

	private act(): void {
		const kind = this.choose(14)
		if (kind < 5) this.collect()
		else if (kind < 10) this.deposit()
		else if (kind < 12) this.staff()
		else if (kind === 12) this.force()
		else this.cutBoard()
	}

	private person = (): Subject => PERSONS[this.choose(2)] ?? PERSONS[0]
	private box = (): Box => this.cabinet.boxes[this.choose(this.cabinet.boxes.length)] as Box
	private record = (box: Box): Compartment => this.host.bank.compartments[box.id] as Compartment

	private collect(): void {
		const full = this.cabinet.boxes.filter((b) => this.record(b).content.kind === 'item')
		const box = this.choose(10) === 9 ? this.box() : full[this.choose(Math.max(1, full.length))]
		if (!box) return
		const { content } = this.record(box)
		this.ask(box, { person: this.person(), act: 'collect', item: content.kind === 'item' ? content.item : 'laptop' })
	}

	/** A person deposits what the record says is theirs to deposit: nobody else's, and in no other compartment (the workflow's duty). */
	private deposit(): void {
		const states = Object.values(this.host.bank.compartments)
		const free = [...this.pockets].filter(
			([item]) => !states.some((c) => (c.content.kind === 'item' && c.content.item === item) || c.session?.item === item),
		)
		const chosen = free[this.choose(Math.max(1, free.length))]
		const empty = this.cabinet.boxes.filter((b) => this.record(b).content.kind === 'empty')
		const box = this.choose(10) === 9 ? this.box() : empty[this.choose(Math.max(1, empty.length))]
		if (chosen && box) this.ask(box, { person: chosen[1], act: 'deposit', item: chosen[0] })
	}

	/** Looks at a held compartment: through a door session, or with the key and a word to the desk. */
	private staff(): void {
		const held = this.cabinet.boxes.filter((b) => this.record(b).hold)
		const box = held[this.choose(Math.max(1, held.length))]
		if (!box) return
		if (this.choose(2) === 1) this.ask(box, { person: STAFF, act: 'inspect', item: undefined })
		else if (!box.open) {
			const content = box.thing === undefined ? ({ kind: 'empty' } as const) : ({ kind: 'item', item: box.thing } as const)
			this.host.offer({ kind: 'settle', compartment: box.id, by: 'staff', content })
		}
	}

	private force(): void {
		const box = this.box()
		if (box.open) return
		this.cabinet.openDoor(box)
		if (this.choose(2) === 1) this.agenda.after(1_000, () => box.open && box.thing !== undefined && this.cabinet.put(box, undefined))
		this.shutAfter(box, STAYS[this.choose(STAYS.length)] ?? 0)
	}

	private cutBoard(): void {
		this.cabinet.setBoard(false)
		const back = [1_500, 6_000, 20_000, 400_000][this.choose(5)] // or it never comes back
		if (back) this.agenda.after(back, () => this.cabinet.setBoard(true))
	}

	private ask(box: Box, errand: Errand, tries = 0): void {
		const n = ++this.asked
		const needs = (box.senses.door ? [3, 2, 3, 4, 1] : [1, 0, 2, 3, 1])[this.choose(5)] as Evidence
		const notAfter = START + this.agenda.now + (this.choose(25) === 24 ? -1 : 30_000)
		const { person, act, item } = errand
		const request: ReleaseRequest = {
			session: `dos_${n}`,
			command: `cmd_${n}`,
			compartment: box.id,
			act,
			subject: person,
			needs: act === 'inspect' ? 0 : needs,
			notAfter,
			why: {},
			...(item !== undefined && { item }),
		}
		this.errands.set(request.session, errand)
		const s = this.host.ask(request)
		const again = [0, 0, 0, 300, 4_000, 20_000][this.choose(6)] ?? 0
		if (again) this.agenda.after(again, () => this.repeat(request, errand, n))
		if (s && !s.refused && tries === 0) this.waitAndSee(box, request.session, errand)
	}

	/** The network delivers the same command again, under a session number of its own. */
	private repeat(request: ReleaseRequest, errand: Errand, n: number): void {
		const session: Id<'doorSession'> = `dos_${n}r`
		this.errands.set(session, errand)
		this.host.ask({ ...request, session })
	}

	private waitAndSee(box: Box, session: string, errand: Errand): void {
		const complains = [0, 500, 2_900, 3_100, 5_000, 0, 0, 0, 0, 0, 0, 0][this.choose(12)] ?? 0
		if (complains) this.agenda.after(complains, () => this.say(box, session, 'did-not-open'))
		// Nothing came of it: the person tries once more, which is a new act with a new command.
		const patience = [2_000, 4_000, 12_000, 0][this.choose(4)] ?? 0
		if (patience) this.agenda.after(patience, () => !box.open && !this.record(box).session && this.isUndone(box, errand) && this.ask(box, errand, 1))
	}

	private isUndone(box: Box, { act, item }: Errand): boolean {
		return act === 'deposit' ? item !== undefined && this.pockets.has(item) : act === 'collect' && box.thing === item
	}

	private say(box: Box, session: string, said: 'did-not-open' | 'done' | 'not-done' | 'unanswered' | (typeof REPORTS)[number]): void {
		const live = this.record(box).session
		if (live?.id === session) this.host.offer({ kind: 'said', compartment: box.id, fence: live.fence, said })
	}

	/** The latch is free and the door has swung open in front of the person who waits for it. */
	use(box: Box, session: string): void {
		const errand = this.errands.get(session)
		if (box.open || !errand) return
		this.cabinet.openDoor(box)
		this.agenda.after(1_000, () => {
			if (box.open && this.choose(5) < 4) this.handle(box, errand)
			if (this.choose(4) === 3 && errand.item !== undefined) this.scan(box, session, this.choose(4) === 3 ? 'stranger' : errand.item)
			const report = REPORTS[this.choose(40)]
			if (report && this.choose(2) === 1) this.say(box, session, report)
		})
		const stay = STAYS[this.choose(STAYS.length)] ?? 0
		this.shutAfter(box, stay)
		if (this.choose(30) === 29) this.agenda.after(stay + 100, () => this.cutBoard())
		// A latch that does not hold: open again, shut again.
		const bounce = [0, 0, 0, 0, 0, 0, 100, 1_000][this.choose(8)] ?? 0
		if (bounce) this.agenda.after(stay + bounce, () => this.cabinet.openDoor(box))
		if (bounce) this.shutAfter(box, stay + bounce + 150)
	}

	private shutAfter(box: Box, ms: number): void {
		this.agenda.after(ms, () => this.cabinet.shutDoor(box))
	}

	private handle(box: Box, errand: Errand): void {
		const { item, person, act } = errand
		if (act === 'collect' && box.thing !== undefined) {
			this.pockets.set(box.thing, person)
			this.cabinet.put(box, undefined)
		} else if (act === 'deposit' && item !== undefined && box.thing === undefined && this.pockets.delete(item)) this.cabinet.put(box, item)
	}

	private scan(box: Box, session: string, item: string): void {
		const live = this.record(box).session
		if (live?.id === session) this.host.offer({ kind: 'identified', compartment: box.id, fence: live.fence, item })
	}

	/** The kiosk asks; the person tells the truth, lies, walks away, or the kiosk gives up. */
	answer(s: Step): void {
		for (const id of s.touched) {
			const session = s.bank.compartments[id]?.session
			const box = this.cabinet.boxes.find((b) => b.id === id)
			if (!session?.asking || session.recovering || !box) continue
			const done = (session.act === 'deposit') === (box.thing !== undefined)
			const truth = done ? 'done' : box.senses.door ? 'not-done' : 'did-not-open'
			const said = [truth, truth, done ? 'not-done' : 'done', 'unanswered', undefined][this.choose(5)]
			if (said) this.agenda.after(3_000, () => this.say(box, session.id, said as 'done'))
		}
	}
}
