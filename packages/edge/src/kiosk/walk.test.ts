import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { SamplePerson } from '@latchwork/core/access/testing'
import { seededRandom } from '@latchwork/core/base'
import type { Visit } from '@latchwork/core/visit'
import type { KioskAct } from '@latchwork/core/wire'
import type { Case } from '@latchwork/core/workflow'
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
		{ kind: 'confirm', done: below(2) === 0 },
	]
	const choices = screen.name === 'choose' ? screen.choices.map(({ id }): KioskAct => ({ kind: 'choose', id })) : []
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
			stage.scan(below(2) ? 'TAG-0' : 'TAG-1')
			return 'tag'
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
			const elsewhere = DOORS.some((n) => stage.cabinet.presenceSensor(n))
			const present = !elsewhere && below(3) > 0
			stage.cabinet.setItem(door, present ? { present, tag: 'TAG-0' } : { present })
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
]

/** Staff look into what is held and say what is there. */
function staffLook(stage: Stage): string {
	for (const n of DOORS) {
		const c = Object.values(stage.controller().bank.state().compartments)[n]
		if (!c?.hold || stage.cabinet.door(n) === 'open') continue
		const found = stage.cabinet.presenceSensor(n) ? { tag: 'TAG-0' } : 'nothing'
		try {
			stage.controller().settle({ door: n + 1, found, ...(found !== 'nothing' && { returned: true }) })
		} catch (fault) {
			assert.equal((fault as { code?: string }).code, 'request-refused')
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
	const idle = [...journal.facts<Visit>('visit').values()].filter((v) => v.state === 'open')
	return [
		...DOORS.flatMap((n) => (stage.cabinet.pulses(n) > (rows.get(all[n]?.id ?? '') ?? 0) ? [`door ${n + 1} was pulsed without a row`] : [])),
		...(new Set(inside).size === inside.length ? [] : ['one item in two places']),
		...(new Set(lines.map((l) => l.asset)).size === lines.length ? [] : ['two open cases for one item']),
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
	const stage = await createStage({ tune, failed: (fault) => assert.fail(String(fault)) })
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
			const screen = `screen ${stage.screen().name}`
			seen.set(screen, (seen.get(screen) ?? 0) + 1)
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
})
