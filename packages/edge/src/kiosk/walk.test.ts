import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { type SamplePerson, sampleBundle } from '@latchwork/core/access/testing'
import { seededRandom } from '@latchwork/core/base'
import type { Visit } from '@latchwork/core/visit'
import type { KioskAct } from '@latchwork/core/wire'
import type { Case } from '@latchwork/core/workflow'
import { nodeCrypto } from '../keys.ts'
import { type Order, ordersIn, pictureOf } from '../testing/orders.ts'
import { createStage, type Stage } from '../testing/stage.ts'

/**
 * People, doors and pulled plugs in any order at a whole controller: whatever comes, no pulse without its row, nothing in two places, and
 * nothing hangs. Another seed walks elsewhere; a fixed one keeps a red build red.
 */
const SEED = Number(process.env.LATCHWORK_SEED ?? 20_261_125)
const WALKS = Number(process.env.LATCHWORK_WALKS ?? 24)
const STEPS = 60
const DOORS = [0, 1, 2, 3]
const PEOPLE: readonly SamplePerson[] = ['ana', 'cem', 'dia']
/** Two expected, one of them for somebody who is known by a code alone, and one that waits behind the third door. */
const ORDERS: readonly Order[] = [
	{ name: 'Order 1', owner: 'guest', digits: '40815162', bags: [{ tag: 'PX-1' }] },
	{ name: 'Order 2', owner: 'ana', digits: '23424815', bags: [{ tag: 'PX-2' }] },
	{ name: 'Order 3', owner: 'guest', digits: '16234240', bags: [{ tag: 'PX-3', door: 3 }] },
]
/** Everything that can lie behind a door, one of each. */
const THINGS = ['TAG-0', 'PX-1', 'PX-2', 'PX-3']
/** Mostly a person's pace; now and then long enough for a timer. */
const PAUSES = [10, 60, 150, 250, 400, 400, 600, 600, 800, 800, 1_000, 1_000, 1_500, 1_500, 3_200, 11_000, 50_000]

interface Walk {
	readonly stage: Stage
	readonly below: (n: number) => number
	readonly seed: number
}

/** What a person could touch on the screen, sensible or not. */
function touches({ stage, below }: Walk): KioskAct {
	const screen = stage.screen()
	const any: KioskAct[] = [
		{ kind: 'retry' },
		{ kind: 'other-door' },
		{ kind: 'back' },
		{ kind: 'finish' },
		{ kind: 'more-time' },
		{ kind: 'help' },
		{ kind: 'did-not-open' },
		{ kind: 'it-is-empty' },
		{ kind: 'something-inside' },
		{ kind: 'wrong-item' },
		{ kind: 'next-person' },
		{ kind: 'open-again' },
		{ kind: 'larger-door' },
		{ kind: 'next' },
		{ kind: 'more' },
		{ kind: 'confirm', done: below(2) === 0 },
	]
	const listed = screen.name === 'choose' ? screen.choices : screen.name === 'parcels' ? screen.parcels : []
	const choices = listed.map(({ id }): KioskAct => ({ kind: 'choose', id }))
	const offered = below(8) > 0 && choices.length > 0 ? choices : any
	return offered[below(offered.length)] ?? { kind: 'finish' }
}

/** One thing that happens; answers what it was. */
const EVENTS: readonly (readonly [weight: number, happens: (walk: Walk) => string | Promise<string>])[] = [
	[
		5,
		({ stage, below }) => {
			const person = PEOPLE[below(PEOPLE.length)] ?? 'ana'
			stage.badge(person)
			return `badge ${person}`
		},
	],
	[
		1,
		({ stage, below, seed }) => {
			stage.scan(stage.code('ana', `code-${seed}-${below(3)}-of-ana`))
			return 'code'
		},
	],
	[
		1,
		({ stage, below }) => {
			const tag = [...THINGS, 'TAG-1'][below(5)] ?? ''
			stage.scan(tag)
			return `tag ${tag}`
		},
	],
	[
		2,
		({ stage, below }) => {
			const order = ORDERS[below(ORDERS.length)]
			if (!order) return ''
			if (below(3)) stage.pin(order.digits)
			else stage.scan(pictureOf(stage.bundle(), order.name, order.owner, stage.clock.now()))
			return `code of ${order.name}`
		},
	],
	[
		1,
		({ stage, below }) => {
			if (below(4)) return ''
			// What the server knows of it is older than what happens here.
			const cases = (stage.bundle().cases ?? []).map((row, i) => (i === below(3) ? { ...row, recalled: true as const } : row))
			stage.writeBundle({ version: stage.bundle().version + 1, cases })
			return 'a bundle calls one back'
		},
	],
	[
		8,
		(walk) => {
			const before = walk.stage.screen().name
			const act = touches(walk)
			walk.stage.act(act)
			return `${before}: ${act.kind}`
		},
	],
	[
		4,
		({ stage, below }) => {
			const open = DOORS.filter((n) => stage.cabinet.door(n) === 'open')
			const door = open[below(open.length || 1)]
			if (door === undefined) return ''
			stage.cabinet.setDoor(door, 'closed')
			return `shut ${door + 1}`
		},
	],
	[
		6,
		({ stage, below }) => {
			const open = DOORS.filter((n) => stage.cabinet.door(n) === 'open')
			const door = open[below(open.length || 1)]
			if (door === undefined) return ''
			const inside = DOORS.map((n) => stage.cabinet.item(n)).flatMap((item) => (item.present ? [item.tag] : []))
			const shown = stage.screen()
			// Mostly what the screen asks for, sometimes something else that is at hand.
			const wanted = 'item' in shown && shown.item ? (ORDERS.find((o) => o.name === shown.item?.name)?.bags?.[0]?.tag ?? shown.item.tag) : 'TAG-0'
			const tag = below(6) ? wanted : (THINGS[below(THINGS.length)] ?? wanted)
			const present = !stage.cabinet.item(door).present && !inside.includes(tag) && below(3) > 0
			stage.cabinet.setItem(door, present ? { present, tag } : { present })
			return `${present ? 'put into' : 'take from'} ${door + 1}`
		},
	],
	[
		1,
		({ stage, below }) => {
			const door = below(DOORS.length)
			if (below(3)) return ''
			stage.cabinet.setDoor(door, 'open')
			return `force ${door + 1}`
		},
	],
	[
		1,
		({ stage, below }) => {
			const fault = [{ stuckLock: true }, { lateOpenMs: 4_000 }, { lateOpenMs: 12_000 }, {}, {}][below(5)] ?? {}
			for (const n of DOORS) stage.cabinet.setFaults(n, fault)
			return `locks ${JSON.stringify(fault)}`
		},
	],
	[
		1,
		async ({ stage, below }) => {
			if (below(2)) return ''
			stage.crash()
			await stage.start()
			return 'crash'
		},
	],
	[2, ({ stage }) => staffLook(stage)],
	[
		2,
		({ stage, below }) => {
			stage.badge('dia')
			for (const id of [below(4) ? 'drop-off' : 'pull', '']) {
				const shown = stage.screen()
				if (shown.name === 'choose' || shown.name === 'parcels') stage.choose(id || (shown.name === 'parcels' && shown.parcels[0]?.id) || 'none')
			}
			return 'staff at work'
		},
	],
	[
		4,
		async ({ stage }) => {
			const shown = stage.screen()
			if (shown.name !== 'open') return ''
			const door = shown.door.number - 1
			if (!shown.contentChanged && !shown.again) {
				const tag = ORDERS.find((o) => o.name === shown.item?.name)?.bags?.[0]?.tag ?? shown.item?.tag ?? ''
				const elsewhere = DOORS.some((n) => stage.cabinet.item(n).present && stage.cabinet.item(n).tag === tag)
				stage.cabinet.setItem(door, shown.act === 'deposit' && !elsewhere ? { present: true, tag } : { present: false })
				await stage.clock.advance(400)
			}
			stage.cabinet.setDoor(door, 'closed')
			return `as asked at ${door + 1}`
		},
	],
]

/** Staff look into what is held and say what is there. */
function staffLook(stage: Stage): string {
	for (const n of DOORS) {
		const c = Object.values(stage.controller().bank.state().compartments)[n]
		if (!c?.hold || stage.cabinet.door(n) === 'open') continue
		const { present, tag = 'TAG-0' } = stage.cabinet.item(n)
		const found = present ? { tag } : 'nothing'
		try {
			stage.controller().settle({ door: n + 1, found, ...(found !== 'nothing' && { returned: true }) })
		} catch (fault) {
			// An order that has ended is not known any more.
			assert.ok(['request-refused', 'not-found'].includes((fault as { code?: string }).code ?? ''), String(fault))
		}
	}
	return 'staff look'
}

/** What is wrong at this moment; each by a word that names it. */
function wrongs(stage: Stage, db: DatabaseSync): string[] {
	const { bank, journal, session } = stage.controller()
	const all = Object.values(bank.state().compartments)
	const rows = new Map(
		db
			.prepare('SELECT compartment, count(*) AS n FROM intent GROUP BY compartment')
			.all()
			.map((r) => [String(r.compartment), Number(r.n)]),
	)
	const live = all.filter((c) => c.session)
	const screen = session.screen().name
	const inside = all.flatMap((c) => (c.content.kind === 'item' ? [c.content.item] : []))
	const lines = [...journal.facts<Case>('case').values()].flatMap((c) => c.lines)
	const things = lines.map((l) => l.asset ?? l.id)
	const handed = stage
		.events()
		.flatMap((e) => (e.type === 'custody.transferred' && String(e.data.to).startsWith('sub_') && e.subject.startsWith('lin_') ? [e.subject] : []))
	/** What waits for somebody lies where the record of doors says, or a person has to look there. */
	const lost = lines.filter((l) => {
		const at = all.find((c) => c.id === l.compartment)
		return (
			['deposited', 'collecting', 'expired', 'recalled'].includes(l.state) &&
			!at?.hold &&
			!at?.session &&
			!(at?.content.kind === 'item' && at.content.item === l.id)
		)
	})
	const idle = [...journal.facts<Visit>('visit').values()].filter((v) => v.state === 'open')
	return [
		...DOORS.flatMap((n) => (stage.cabinet.pulses(n) > (rows.get(all[n]?.id ?? '') ?? 0) ? [`door ${n + 1} was pulsed without a row`] : [])),
		...(new Set(inside).size === inside.length ? [] : ['one item in two places']),
		...(new Set(things).size === lines.length ? [] : ['two open cases for one item']),
		...(new Set(handed).size === handed.length ? [] : ['one parcel handed out twice']),
		...lost.map((l) => `${l.state} and not there`),
		...lines.flatMap((l) => (l.custodian?.startsWith('sub') && !l.unverified && inside.includes(l.asset ?? '') ? ['on loan and inside'] : [])),
		...(screen === 'attract' && live.length === 0 && idle.length > 0 ? ['a visit hangs'] : []),
		...(stage.types().includes('case.conflict') ? ['a case in conflict'] : []),
	]
}

function drawn(ticket: number): (typeof EVENTS)[number] {
	let at = ticket
	for (const event of EVENTS) {
		at -= event[0]
		if (at < 0) return event
	}
	return assert.fail()
}

async function walk(seed: number, seen: Map<string, number>): Promise<void> {
	let db: DatabaseSync | undefined
	const random = seededRandom(seed)
	const below = (n: number) => random(2).reduce((sum, b) => sum * 256 + b, 0) % n
	const tune = (opened: DatabaseSync) => {
		db = opened
	}
	const bundle = ordersIn(sampleBundle(nodeCrypto), ORDERS)
	const stage = await createStage({ tune, failed: (fault) => assert.fail(String(fault)), bundle, started: false })
	stage.cabinet.setItem(2, { present: true, tag: 'PX-3' }, true)
	stage.writeBundle()
	await stage.start()
	const story: string[] = []
	const total = EVENTS.reduce((sum, [weight]) => sum + weight, 0)
	try {
		for (let i = 0; i < STEPS; i++) {
			const [, happens] = drawn(below(total))
			const what = await happens({ stage, below, seed })
			await stage.clock.advance(PAUSES[below(PAUSES.length)] ?? 0)
			stage.writeLease()
			if (!what) continue
			story.push(what)
			const shown = stage.screen()
			const screen = `screen ${shown.name}`
			seen.set(screen, (seen.get(screen) ?? 0) + 1)
			if (shown.name === 'done' && shown.task) seen.set(`done ${shown.task}`, (seen.get(`done ${shown.task}`) ?? 0) + 1)
			assert.ok(db)
			assert.deepEqual(wrongs(stage, db), [], `seed ${seed}: ${story.slice(-16).join(' | ')}`)
		}
	} finally {
		stage.end()
	}
}

test(`a kiosk where anything happens in any order, over ${WALKS} walks of ${STEPS} steps: every pulse has its row, nothing is in two places, no visit hangs`, async (t) => {
	const seen = new Map<string, number>()
	for (let n = 0; n < WALKS; n++) await walk(SEED + n, seen)
	t.diagnostic([...seen].map(([what, count]) => `${what} ${count}`).join(', '))
	for (const name of ['attract', 'choose', 'opening', 'open', 'done', 'not-opened', 'no-change', 'needs-help', 'denied'])
		assert.ok(seen.has(`screen ${name}`), `never reached: ${name}`)
	for (const task of ['drop-off', 'pick-up']) assert.ok(seen.has(`done ${task}`), `never done: ${task}`)
})
