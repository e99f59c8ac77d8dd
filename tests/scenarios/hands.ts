import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { KioskScreen, VirtualState } from '@latchwork/core/wire'
import { readJournal } from '@latchwork/edge/journal'
import { eventually, type Site } from './site.ts'

/** What people do at a bank, in whole errands, and what the controller's own record says of it afterwards. */
type Named<N extends KioskScreen['name']> = Extract<KioskScreen, { name: N }>

export interface Recorded {
	readonly type: string
	readonly subject: string
	readonly actor?: string
	readonly at: number
	readonly data: Readonly<Record<string, unknown>>
}

/** A point in the record of a site; `since` answers what came after it. */
export function recordOf(site: Site) {
	const all = (): Recorded[] =>
		readJournal(site.ready.dataDir).flatMap(({ lines }) => lines.map((line) => JSON.parse(Buffer.from(line).toString()) as Recorded))
	const start = all().length
	return {
		since: () => all().slice(start),
		types: () =>
			all()
				.slice(start)
				.map(({ type }) => type),
		/** The one event of that type since then; complains when there is none or another. */
		one(type: string): Recorded {
			const found = all()
				.slice(start)
				.filter((e) => e.type === type)
			assert.equal(found.length, 1, `${type} once, not ${found.length} times`)
			return found[0] ?? assert.fail()
		},
	}
}

export const person = (site: Site, n: number) => site.ready.people[n] ?? assert.fail(`no demo person ${n}`)

export const stateOf = async (site: Site) => (await (await fetch(`${site.ready.virtual}/state`)).json()) as VirtualState

export interface Held {
	readonly door: number
	readonly session?: string
	readonly hold?: 'quarantined' | 'out-of-service' | 'pending-inspection'
}
/** Doors that somebody uses or that are held, as the controller's health page tells. */
const doorsInTrouble = async (site: Site): Promise<Held[]> => (await site.health()).doors as Held[]

export async function holdOf(site: Site, door: number): Promise<Held['hold']> {
	return (await doorsInTrouble(site)).find((d) => d.door === door)?.hold
}

/**
 * A reader that is making its connection anew drops what it has just read; whoever sees nothing happen holds the badge there again. Late enough that
 * no tap is still under way on a busy machine: it would come to a later screen.
 */
const TAPS = { most: 4, everyMs: 15_000 }

/** Tells a person with their badge; answers what they may do. */
export async function arrive(site: Site, n: number): Promise<Named<'choose'>['choices']> {
	const choosing = () => site.until((v) => v.screen.name === 'choose', 'screen "choose"', TAPS.everyMs)
	for (let tap = 1; ; tap++) {
		await site.badge(person(site, n).badge)
		const view = await (tap < TAPS.most ? choosing().catch(() => undefined) : choosing())
		if (view?.screen.name === 'choose') return view.screen.choices
	}
}

/** Touches the first choice of that kind that is offered, without waiting for the door. */
async function choose(site: Site, n: number, kind: 'borrow' | 'return' | 'resume'): Promise<void> {
	const choices = await arrive(site, n)
	const choice = choices.find((c) => c.kind === kind && !c.denied) ?? assert.fail(`${kind} is not offered: ${JSON.stringify(choices)}`)
	await site.act({ kind: 'choose', id: choice.id })
}

/**
 * From the badge to the pulse, where the lock does not move at once. The screen comes with the durable row and the pulse after it: with a time that stands
 * still, what is moved on before the pulse would not count for the lock.
 */
export async function pulseFor(site: Site, n: number, kind: 'borrow' | 'return' | 'resume'): Promise<Named<'opening'>> {
	const pulses = (doors: readonly { readonly pulses: number }[]) => doors.reduce((sum, door) => sum + door.pulses, 0)
	const before = pulses(await site.metal())
	await choose(site, n, kind)
	const screen = await site.screen('opening')
	await site.untilMetal((doors) => pulses(doors) > before, 'the pulse')
	return screen
}

/** From the badge to the open door. */
export async function openFor(site: Site, n: number, kind: 'borrow' | 'return' | 'resume'): Promise<Named<'open'>> {
	await choose(site, n, kind)
	return site.screen('open')
}

/** Moves an item through the open door and waits until the content sensor has told. */
export async function move(site: Site, door: number, present: boolean, tag?: string): Promise<void> {
	assert.equal(await site.item(door, present, tag), 204)
	await site.until((v) => v.screen.name === 'open' && v.screen.contentChanged, 'the changed content')
}

export async function leave(site: Site): Promise<void> {
	await site.act({ kind: 'finish' })
	await site.screen('attract')
}

/** Takes a laptop with a badge and goes. */
export async function borrow(site: Site, n: number): Promise<{ door: number; tag: string; done: Named<'done'> }> {
	const { door } = await openFor(site, n, 'borrow')
	await move(site, door.number, false)
	await site.door(door.number, 'closed')
	const done = await site.screen('done')
	await leave(site)
	return { door: door.number, tag: done.item?.tag ?? '', done }
}

/** Brings the first laptop of this person back; answers the door it went into. */
export async function giveBack(site: Site, n: number): Promise<{ door: number; done: Named<'done'> }> {
	const { door, item } = await openFor(site, n, 'return')
	await move(site, door.number, true, item?.tag)
	await site.door(door.number, 'closed')
	const done = await site.screen('done')
	await leave(site)
	return { door: door.number, done }
}

/**
 * kill -9 of the controller, and what happens while it is away. The site's time is left standing still when the
 * next one sees its boards: how long a restart takes depends on the machine, what a restart does must not.
 */
export async function killController(site: Site, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
	await site.freeze()
	const next = site.nextEdge()
	process.kill(site.edgePid(), 'SIGKILL')
	await meanwhile()
	await next
	await site.until((v) => !v.notices.includes('doors-lost') && v.screen.name !== 'out-of-service', 'the controller again, with its boards')
}

/**
 * Puts the bank in order as staff would: faults cleared, doors pushed shut, visits ended, held compartments looked into and
 * settled with what lies there, loans brought back by those who have them.
 */
export async function tidy(site: Site): Promise<void> {
	await site.clearFaults()
	for (const { number, door } of await site.metal()) if (door === 'open') await site.door(number, 'closed')
	await site.until((v) => !['opening', 'open', 'confirm'].includes(v.screen.name), 'the end of every door session')
	if ((await site.view()).screen.name !== 'attract') await leave(site)
	await settleAll(site)
	for (const n of site.ready.people.keys()) {
		for (let left = (await arrive(site, n)).filter((c) => c.kind === 'return').length; left > 0; left--) {
			await leave(site)
			await giveBack(site, n)
			await arrive(site, n)
		}
		await leave(site)
	}
}

const LOOKS = 25

/** Staff look into every held compartment and say what is inside, with the doors seen shut; what lies where is the metal's own truth. */
export async function settleAll(site: Site): Promise<void> {
	await site.until((v) => v.standing.length === 0, 'every door seen shut')
	const inside = new Map((await stateOf(site)).banks[0]?.compartments.map((c) => [c.number, c.tag]))
	const held = (await doorsInTrouble(site)).filter(({ hold }) => hold)
	// Empty ones first: a thing that the record still has elsewhere is not believed to lie in two places.
	const order = held.toSorted((a, b) => Number(inside.get(a.door) !== undefined) - Number(inside.get(b.door) !== undefined))
	for (const { door } of order) {
		const tag = inside.get(door)
		const found = tag === undefined ? 'nothing' : { tag }
		let answer = await site.settle(door, found)
		// It may be on loan by the record: who holds it in their hands says so a second time, and the loan ends.
		const returned = answer.status === 409 && tag !== undefined
		if (returned) answer = await site.settle(door, found, { returned })
		// Staff who find a thing that the record has elsewhere look there first: one thing lies in one place.
		const elsewhere = answer.status === 409 && Number(/behind door (\d+)\. One thing/.exec(await answer.clone().text())?.[1])
		if (elsewhere) {
			const there = inside.get(elsewhere)
			assert.equal((await site.settle(elsewhere, there === undefined ? 'nothing' : { tag: there }, { sure: true })).status, 200)
			answer = await site.settle(door, found, { returned })
		}
		// On a bad line the sensor is heard late: staff look again, and in the end know better.
		for (let look = 1; answer.status === 409 && look <= LOOKS; look++) {
			await new Promise((later) => setTimeout(later, 200))
			answer = await site.settle(door, found, { returned, sure: look === LOOKS })
		}
		assert.equal(answer.status, 200, await answer.text())
	}
}

/** Every page of a list of the API; `path` ends with `?` or `&`. */
export async function allOf<T>(site: Site, path: string): Promise<T[]> {
	const found: T[] = []
	for (let cursor: string | undefined; ; ) {
		const page = await site.api<{ items: T[]; next?: string }>('GET', `${path}limit=200${cursor === undefined ? '' : `&cursor=${cursor}`}`)
		found.push(...page.items)
		if (page.next === undefined) return found
		cursor = page.next
	}
}

export interface Logged {
	/** `stream/sequence` of what a controller recorded. */
	readonly id: string
	readonly sequence: string
	readonly type: string
	readonly subject: string
	readonly bankid?: string
	readonly offline?: boolean
	readonly data: Readonly<Record<string, unknown>>
}

/**
 * Waits until the ledger of a site with a server holds all that its controllers have recorded, and complains unless every event is there once, in the
 * order of its controller, at positions without a gap.
 */
export async function wholeRecord(site: Site): Promise<Logged[]> {
	const streams = [site.ready.dataDir, join(site.ready.dataDir, 'bank-2')].map((folder) => {
		const [stream, ...others] = readJournal(folder)
		assert.ok(stream && others.length === 0, folder)
		return stream
	})
	const own = (logged: readonly Logged[], stream: string) =>
		logged.flatMap(({ id }) => (id.startsWith(`${stream}/`) ? [Number(id.slice(stream.length + 1))] : []))
	const events = await eventually(
		() => allOf<Logged>(site, '/v1/events?'),
		(logged) => streams.every(({ stream, lines }) => own(logged, stream).length >= lines.length),
		'every event of both controllers',
	)
	const first = Number(events[0]?.sequence)
	assert.ok(first <= 1)
	assert.deepEqual(
		events.map(({ sequence }) => Number(sequence)),
		events.map((_, i) => first + i),
		'positions without a gap',
	)
	assert.equal(new Set(events.map(({ id }) => id)).size, events.length, 'every event once')
	for (const { stream } of streams) {
		const numbers = own(events, stream)
		assert.deepEqual(
			numbers,
			numbers.map((_, i) => i + 1),
			'in the order of its controller',
		)
	}
	for (const { gap, equivocation } of await allOf<{ gap?: object; equivocation?: object }>(site, '/v1/audit/streams?'))
		assert.deepEqual([gap, equivocation], [undefined, undefined])
	return events
}
