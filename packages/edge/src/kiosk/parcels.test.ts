import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleBundle, sampleSubject } from '@latchwork/core/access/testing'
import type { KioskScreen } from '@latchwork/core/wire'
import { type Case, type LoadedTable, loadTable, recordedSteps, replay } from '@latchwork/core/workflow'
import { nodeCrypto } from '../keys.ts'
import { caseId, lineId, type Order, ordersIn, pictureOf } from '../testing/orders.ts'
import { createStage, type Stage } from '../testing/stage.ts'

const HOUR = 3_600_000
const ORDER: Order = { name: 'Order 1042', owner: 'guest', digits: '40815162' }
const WAITING: Order = { ...ORDER, bags: [{ door: 2 }] }

type Named<N extends KioskScreen['name']> = Extract<KioskScreen, { name: N }>

async function withOrders(orders: readonly Order[], run: (stage: Stage) => Promise<void>, bank?: (stage: ReturnType<typeof sampleBundle>) => object) {
	const school = sampleBundle(nodeCrypto)
	const base = { ...school, ...bank?.(school) }
	const stage = await createStage({ bundle: { ...bank?.(school), ...ordersIn(base, orders) }, started: false })
	try {
		for (const { bags = [] } of orders)
			for (const { door, tag } of bags) if (door !== undefined) stage.cabinet.setItem(door - 1, { present: true, tag: tag ?? 'parcel' }, true)
		stage.writeBundle()
		await stage.start()
		await run(stage)
	} finally {
		stage.end()
	}
}

const lineOf = (stage: Stage, order = ORDER.name, bag = 0) =>
	stage
		.controller()
		.journal.fact<Case>('case', caseId(order))
		?.lines.find((l) => l.id === lineId(order, bag))
const stateOf = (stage: Stage, order = ORDER.name) => stage.controller().journal.fact<Case>('case', caseId(order))?.state
const doorOf = (stage: Stage): number => (stage.screen() as Named<'opening'>).door.number

/** The staff of the school that may do anything brings the first parcel of the list to its door. */
async function toDoor(stage: Stage, order = ORDER.name): Promise<number> {
	stage.badge('dia')
	stage.choose('drop-off')
	stage.choose(lineId(order))
	await stage.shows('opening')
	return doorOf(stage)
}

/** Opens, moves the thing, shuts. */
async function atDoor(stage: Stage, door: number, present: boolean): Promise<Named<'done'>> {
	await stage.until(`door ${door} springs open`, () => stage.cabinet.door(door - 1) === 'open')
	await stage.shows('open')
	stage.cabinet.setItem(door - 1, present ? { present, tag: 'parcel' } : { present })
	await stage.until('the sensor sees it', () => stage.screen().name === 'open' && (stage.screen() as Named<'open'>).contentChanged)
	stage.cabinet.setDoor(door - 1, 'closed')
	return await stage.shows('done')
}

async function shut(stage: Stage, door: number): Promise<void> {
	await stage.until(`door ${door} springs open`, () => stage.cabinet.door(door - 1) === 'open')
	await stage.shows('open')
	stage.cabinet.setDoor(door - 1, 'closed')
}

test('staff put a parcel in, its recipient types the code and takes it, and the code opens nothing twice', () =>
	withOrders([ORDER], async (stage) => {
		stage.badge('dia')
		const chosen = (stage.screen() as Named<'choose'>).choices.find((c) => c.id === 'drop-off')
		assert.deepEqual(chosen, { id: 'drop-off', kind: 'drop-off', free: 1 })
		stage.choose('drop-off')
		const item = { tag: 'Order 1042', kind: 'parcel', name: 'Order 1042' } as const
		assert.deepEqual((stage.screen() as Named<'parcels'>).parcels, [{ id: lineId(ORDER.name), item, hint: 'A… B…' }])
		stage.choose(lineId(ORDER.name))
		const door = doorOf(stage)
		const done = await atDoor(stage, door, true)
		assert.deepEqual([done.task, done.act, done.evidence, done.more], ['drop-off', 'deposit', 3, undefined])
		assert.deepEqual([stateOf(stage), lineOf(stage)?.custodian], ['ready', stage.bundle().bank.id])
		stage.act({ kind: 'finish' })

		stage.pin(ORDER.digits)
		assert.deepEqual([stage.screen().name, doorOf(stage)], ['opening', door], 'no list, no question: the door opens')
		const taken = await atDoor(stage, door, false)
		assert.deepEqual([taken.task, taken.item], ['pick-up', item])
		assert.ok(taken.againUntil, 'it may be opened once more')
		stage.act({ kind: 'finish' })
		assert.equal(stateOf(stage), undefined, 'ended')

		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-used' })
		stage.crash()
		await stage.start()
		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-used' }, 'also after a crash')
		const types = stage.types()
		for (const type of ['delivery.deposited', 'delivery.ready', 'credential.code-used', 'delivery.collected', 'custody.transferred'])
			assert.ok(types.includes(type as (typeof types)[number]), type)
		assert.ok(!JSON.stringify(stage.events()).includes(ORDER.digits))
	}))

test('what was left inside is fetched within two minutes by the same person, twice', () =>
	withOrders([WAITING], async (stage) => {
		stage.pin(ORDER.digits)
		await atDoor(stage, 2, false)
		for (const left of [1, 0]) {
			stage.act({ kind: 'open-again' })
			await shut(stage, 2)
			const done = await stage.shows('done')
			assert.equal(done.againUntil !== undefined, left > 0)
		}
	}))

test('a signed picture and the digits are one code', () =>
	withOrders([WAITING], async (stage) => {
		stage.scan(pictureOf(stage.bundle(), ORDER.name, 'guest', stage.clock.now()))
		assert.equal(doorOf(stage), 2)
		await atDoor(stage, 2, false)
		stage.act({ kind: 'finish' })
		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-used' })
		stage.scan(pictureOf(stage.bundle(), ORDER.name, 'guest', stage.clock.now()))
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-used' })
	}))

test('a door that does not open leaves the code good; a wrong code is a wrong PIN and costs a try', () =>
	withOrders([WAITING], async (stage) => {
		stage.cabinet.setFaults(1, { stuckLock: true })
		stage.pin(ORDER.digits)
		await stage.shows('not-opened')
		stage.act({ kind: 'finish' })
		assert.equal(lineOf(stage)?.state, 'deposited')
		stage.cabinet.setFaults(1, {})
		stage.pin('11111111')
		assert.deepEqual(
			{ ...stage.screen(), waitUntil: 0 },
			{ name: 'pin', entered: 0, length: 8, code: { digits: 8, hint: 0 }, wrong: true, waitUntil: 0 },
		)
		assert.equal(stage.controller().journal.fact<{ spent: number }>('budget', 'pin')?.spent, 1)
		await stage.clock.advance(1_100)
		stage.pin(ORDER.digits)
		await atDoor(stage, 2, false)
		assert.equal(stage.controller().journal.fact<{ spent: number }>('budget', 'pin')?.spent, 1, 'a right one costs nothing')
	}))

test('a right code whose order is not here yet says so, costs no try, and works once it is', () =>
	withOrders([ORDER], async (stage) => {
		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'not-ready' })
		assert.equal(stage.controller().journal.fact<{ spent: number }>('budget', 'pin')?.spent, 0)
		const door = await toDoor(stage)
		await atDoor(stage, door, true)
		stage.act({ kind: 'finish' })
		stage.pin(ORDER.digits)
		assert.equal(doorOf(stage), door)
	}))

test('nothing put in is not put in: the order stays expected, and the sender is told', () =>
	withOrders([ORDER], async (stage) => {
		const door = await toDoor(stage)
		await shut(stage, door)
		const after = await stage.shows('no-change')
		assert.deepEqual([after.task, after.retry], ['drop-off', true])
		stage.act({ kind: 'finish' })
		assert.deepEqual([lineOf(stage)?.state, stateOf(stage)], ['not-deposited', 'ordered'])
		assert.ok(stage.types().includes('delivery.not-deposited'))
		await atDoor(stage, await toDoor(stage), true)
		assert.equal(stateOf(stage), 'ready')
	}))

const SIZED = (school: ReturnType<typeof sampleBundle>) => ({
	bank: { ...school.bank, compartments: school.bank.compartments.map((c, i) => ({ ...c, size: (['S', 'M', 'L', 'L'] as const)[i] ?? 'M' })) },
	initialContents: [],
	assets: [],
})

test('the smallest door that fits, then a larger one when it does not, and a plain word when there is none', () =>
	withOrders(
		[{ ...ORDER, bags: [{ size: 'M' }] }],
		async (stage) => {
			stage.cabinet.setItem(0, { present: false }, true)
			assert.equal(await toDoor(stage), 2, 'M')
			await stage.shows('open')
			stage.act({ kind: 'larger-door' })
			assert.equal((stage.screen() as Named<'open'>).said, 'too-small')
			stage.cabinet.setDoor(1, 'closed')
			await stage.until('door 3 opens', () => stage.screen().name === 'open' && doorOf(stage) === 3)
			stage.act({ kind: 'did-not-open' })
			assert.equal((stage.screen() as Named<'open'>).larger, undefined, 'none is larger than this')
			stage.cabinet.setDoor(2, 'closed')
			const after = await stage.shows('no-change')
			assert.equal(after.larger, undefined)
			stage.act({ kind: 'retry' })
			await atDoor(stage, 3, true)
		},
		SIZED,
	))

test('a bank without a free door that fits says so', () =>
	withOrders(
		[{ ...ORDER, bags: [{ size: 'XL' }] }],
		async (stage) => {
			stage.badge('dia')
			stage.choose('drop-off')
			stage.choose(lineId(ORDER.name))
			assert.equal(stage.screen().name, 'bank-full')
			assert.equal(stage.cabinet.pulses(1), 0)
		},
		SIZED,
	))

test('a door that is kept for an order is taken for it, and by nobody else', () =>
	withOrders(
		[
			{ ...ORDER, bags: [{ reserved: 4 }] },
			{ name: 'Order 7', owner: 'ana', digits: '70707070' },
		],
		async (stage) => {
			assert.equal(await toDoor(stage), 4)
			await atDoor(stage, 4, true)
			stage.act({ kind: 'next' })
			stage.choose(lineId('Order 7'))
			assert.equal(doorOf(stage), 3, 'door 2 is for those who need it')
			await atDoor(stage, 3, true)
		},
	))

test('a scanned label chooses the parcel, and proves at the door that it is the right one', () =>
	withOrders(
		[
			{ ...ORDER, bags: [{ tag: 'PX-1' }] },
			{ name: 'Order 7', owner: 'ana', digits: '70707070', bags: [{ tag: 'PX-7' }] },
		],
		async (stage) => {
			stage.badge('dia')
			stage.choose('drop-off')
			stage.scan('PX-7')
			await stage.shows('open')
			stage.scan('PX-7')
			const done = await atDoor(stage, doorOf(stage), true)
			assert.deepEqual([done.evidence, done.item?.name, done.more], [4, 'Order 7', 1])
			stage.act({ kind: 'next' })
			stage.scan('PX-1')
			await stage.shows('open')
			stage.scan('PX-7')
			const door = doorOf(stage)
			stage.cabinet.setItem(door - 1, { present: true, tag: 'PX-7' })
			stage.cabinet.setDoor(door - 1, 'closed')
			assert.equal((await stage.shows('needs-help')).why, 'wrong-item')
			assert.deepEqual([lineOf(stage)?.state, stateOf(stage)], ['misplaced', 'blocked'])
		},
	))

test('a wrong label refuses nobody: the list stays, says so, and takes the right one; a code that is held there is still a code', () =>
	withOrders([{ ...ORDER, bags: [{ tag: 'PX-1' }] }], async (stage) => {
		const strange = () => (stage.screen() as Named<'parcels'>).strange
		stage.badge('dia')
		for (let times = 0; times < 2; times++) {
			stage.scan('PX-9')
			assert.deepEqual([stage.screen().name, strange()], ['parcels', true], 'also where the list was not chosen yet')
		}
		stage.act({ kind: 'more' })
		assert.equal(strange(), undefined, 'a touch answers it')
		assert.ok(!stage.types().includes('decision.denied'))
		stage.scan(stage.code('cem', 'code-of-another', stage.otherBank))
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-other-bank' })
		stage.scan('PX-1')
		assert.equal(stage.screen().name, 'opening')
		await stage.shows('open')
	}))

test('a label in the hand of somebody who has no list is an unknown code', () =>
	withOrders([{ ...ORDER, bags: [{ tag: 'PX-1' }] }], async (stage) => {
		for (const signIn of [() => {}, () => stage.badge('ana')]) {
			signIn()
			stage.scan('PX-1')
			assert.deepEqual(stage.screen(), { name: 'denied', reason: 'unknown-credential' })
			stage.act({ kind: 'finish' })
		}
	}))

test('three bags of one order: one code, door by door, and what is left can be fetched later with it', () =>
	withOrders([{ ...ORDER, bags: [{ door: 2 }, { door: 3 }, { door: 4 }] }], async (stage) => {
		stage.pin(ORDER.digits)
		const first = await atDoor(stage, 2, false)
		assert.deepEqual([first.item?.tag, first.more], ['1 of 3', 2])
		stage.act({ kind: 'next' })
		const second = await atDoor(stage, 3, false)
		assert.equal(second.more, 1)
		stage.act({ kind: 'finish' })
		assert.equal(stateOf(stage), 'ready')
		stage.pin(ORDER.digits)
		assert.equal(doorOf(stage), 4)
		const last = await atDoor(stage, 4, false)
		assert.equal(last.more, undefined)
		stage.act({ kind: 'finish' })
		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-used' })
	}))

test('whoever has a badge sees what waits for them beside everything else, and nobody else sees it', () =>
	withOrders([{ ...WAITING, owner: 'ana' }], async (stage) => {
		const choices = (person: 'ana' | 'cem') => {
			stage.badge(person)
			const ids = (stage.screen() as Named<'choose'>).choices.map((c) => c.id)
			stage.act({ kind: 'finish' })
			return ids
		}
		assert.deepEqual(choices('ana'), [`pick-up:${lineId(ORDER.name)}`, 'borrow:loan-camera', 'borrow:loan-laptop'])
		assert.deepEqual(choices('cem'), ['borrow:loan-camera', 'borrow:loan-laptop'])
		stage.badge('ana')
		stage.choose(`pick-up:${lineId(ORDER.name)}`)
		await atDoor(stage, 2, false)
		assert.ok(stage.events().some((e) => e.type === 'custody.transferred' && e.data.to === sampleSubject('ana')))
	}))

test('a recall that comes with a bundle stops the code at once, and staff can empty the door', () =>
	withOrders([WAITING], async (stage) => {
		const rows = stage.bundle().cases ?? []
		stage.writeBundle({ version: stage.bundle().version + 1, cases: rows.map((row) => ({ ...row, recalled: true as const })) })
		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'credential-revoked' })
		assert.deepEqual([stateOf(stage), lineOf(stage)?.state], ['recalled', 'recalled'])
		stage.badge('dia')
		stage.choose('pull')
		assert.deepEqual(
			(stage.screen() as Named<'parcels'>).parcels.map(({ door, why }) => [door?.number, why]),
			[[2, 'recalled']],
		)
		stage.choose(lineId(ORDER.name))
		const done = await atDoor(stage, 2, false)
		assert.equal(done.task, 'pull')
		assert.ok(stage.types().includes('delivery.collected-expired'))
		stage.act({ kind: 'finish' })
		// The old row says that it still waits here; what happened here stands.
		stage.writeBundle({ version: stage.bundle().version + 1 })
		await stage.clock.advance(2_000)
		assert.equal(stateOf(stage), undefined)
	}))

test('a recall waits for the hand that is at the door: what is handed out is handed out', () =>
	withOrders([WAITING], async (stage) => {
		stage.pin(ORDER.digits)
		await stage.shows('open')
		const rows = stage.bundle().cases ?? []
		stage.writeBundle({ version: stage.bundle().version + 1, cases: rows.map((row) => ({ ...row, recalled: true as const })) })
		await stage.clock.advance(2_000)
		assert.equal(lineOf(stage)?.state, 'collecting')
		await atDoor(stage, 2, false)
		assert.ok(stage.types().includes('delivery.collected'))
		assert.ok(!stage.types().includes('case.conflict'))
	}))

test('time runs out at the bank alone: reminders, then no code opens it, then staff empty the door', () =>
	withOrders([ORDER], async (stage) => {
		await atDoor(stage, await toDoor(stage), true)
		stage.act({ kind: 'finish' })
		await stage.serves(47 * HOUR)
		stage.writeLease()
		await stage.start()
		assert.equal(stateOf(stage), 'expiring')
		await stage.serves(2 * HOUR)
		stage.writeLease()
		await stage.start()
		assert.equal(stateOf(stage), 'expired')
		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-expired' })
		stage.badge('dia')
		stage.choose('pull')
		const [late] = (stage.screen() as Named<'parcels'>).parcels
		assert.equal(late?.why, 'expired')
		stage.choose(lineId(ORDER.name))
		await atDoor(stage, doorOf(stage), false)
		stage.act({ kind: 'finish' })
		stage.pin(ORDER.digits)
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'code-expired' })
	}))

test('more time that the server gives is taken, also by what has run out; another state in its row is not', () =>
	withOrders([ORDER], async (stage) => {
		await atDoor(stage, await toDoor(stage), true)
		stage.act({ kind: 'finish' })
		const rows = stage.bundle().cases ?? []
		const later = stage.clock.now() + 100 * HOUR
		stage.writeBundle({
			version: stage.bundle().version + 1,
			cases: rows.map((row) => ({ ...row, version: 9, state: 'cancelled', due: { 'collect-by': later } })),
		})
		await stage.clock.advance(2_000)
		assert.equal(stateOf(stage), 'ready', 'what lies here is ours to say')
		const { deadlines } = stage.controller().journal.fact<Case>('case', caseId(ORDER.name)) as Case
		assert.deepEqual([deadlines['collect-by'], deadlines.reminder], [later, later - 24 * HOUR])
		const { version } = stage.controller().journal.fact<Case>('case', caseId(ORDER.name)) as Case
		await stage.clock.advance(180_000)
		assert.equal(stage.controller().journal.fact<Case>('case', caseId(ORDER.name))?.version, version, 'once')
		await stage.serves(101 * HOUR)
		await stage.start()
		await stage.clock.advance(180_000)
		assert.equal(stateOf(stage), 'expired', 'a time that has gone by is not given again')
	}))

test('what has not come yet is the server’s: a newer row replaces it, and one that is gone takes it away', () =>
	withOrders([ORDER], async (stage) => {
		const rows = stage.bundle().cases ?? []
		const write = (cases: typeof rows, codes = stage.bundle().codes ?? []) => stage.writeBundle({ version: stage.bundle().version + 1, cases, codes })
		write(rows.map((row) => ({ ...row, version: 2, state: 'reserved', deadlines: { hold: stage.clock.now() + 1_000 } })))
		await stage.clock.advance(90_000)
		assert.equal(stateOf(stage), 'reserved', 'its time is the server’s as well')
		write(rows)
		await stage.clock.advance(2_000)
		assert.equal(stateOf(stage), 'reserved', 'an older row is old')
		write([], [])
		await stage.clock.advance(2_000)
		assert.equal(stateOf(stage), undefined)
		stage.badge('dia')
		assert.ok(!(stage.screen() as Named<'choose'>).choices.some((c) => c.kind === 'drop-off'))
		stage.act({ kind: 'finish' })
		write(
			rows.map((row) => ({ ...row, version: 3 })),
			[],
		)
		await stage.clock.advance(2_000)
		await shut(stage, await toDoor(stage))
		await stage.shows('no-change')
		stage.act({ kind: 'finish' })
		assert.equal(lineOf(stage)?.state, 'not-deposited')
		write([], [])
		await stage.clock.advance(2_000)
		assert.equal(stateOf(stage), undefined, 'a door was opened for it, and nothing is here')
	}))

test('an expired lease keeps nobody from what waits for them, and lets nobody put anything in where one is required', () =>
	withOrders(
		[WAITING, { name: 'Order 7', owner: 'ana', digits: '70707070' }],
		async (stage) => {
			stage.writeLease({ until: stage.clock.now() + 1_000 })
			await stage.clock.advance(3_000)
			stage.badge('dia')
			assert.ok(!(stage.screen() as Named<'choose'>).choices.some((c) => c.kind === 'drop-off'))
			stage.act({ kind: 'finish' })
			stage.pin(ORDER.digits)
			await atDoor(stage, 2, false)
		},
		(school) => ({ settings: { ...school.settings, leaseRequired: true } }),
	))

test('a plug pulled at any moment of a drop-off or a pick-up loses nothing and opens nothing twice', async () => {
	for (let after = 0; after < 14; after++) {
		await withOrders([ORDER], async (stage) => {
			let moments = 0
			let cut = false
			const moment = async () => {
				if (moments++ !== after) return
				cut = true
				stage.crash()
				await stage.start()
				await stage.clock.advance(2_000)
			}
			const walk = async (present: boolean) => {
				await moment()
				const opened = () => [0, 1, 2, 3].find((n) => stage.cabinet.door(n) === 'open')
				await stage.clock.advance(1_000)
				await moment()
				const door = opened()
				if (door === undefined) return
				stage.cabinet.setItem(door, present ? { present, tag: 'parcel' } : { present })
				await stage.clock.advance(500)
				await moment()
				stage.cabinet.setDoor(door, 'closed')
				await stage.clock.advance(2_000)
				await moment()
				if (stage.screen().name === 'confirm') stage.act({ kind: 'confirm', done: true })
				await stage.clock.advance(60_000)
			}
			await toDoor(stage)
			await walk(true)
			await moment()
			stage.pin(ORDER.digits)
			await moment()
			await walk(false)
			const pulses = [0, 1, 2, 3].reduce((sum, n) => sum + stage.cabinet.pulses(n), 0)
			const rows = stage.types().filter((t) => t === 'door-session.releasing').length
			assert.ok(pulses <= rows, `after ${after}: ${pulses} pulses, ${rows} intents`)
			assert.ok(cut || after >= moments, `never cut at ${after}`)
			assert.ok(!stage.types().includes('case.conflict'))
			const line = lineOf(stage)
			const inside = Object.values(stage.controller().bank.state().compartments).some((c) => c.content.kind === 'item' && c.content.item === line?.id)
			assert.equal(inside, line !== undefined && ['deposited', 'collecting', 'expired'].includes(line.state), `after ${after}: ${line?.state}`)
		})
	}
})

test('the server makes the same case from what the bank recorded', () =>
	withOrders([{ ...ORDER, bags: [{}, {}] }], async (stage) => {
		const [row] = stage.bundle().cases ?? []
		const named = stage.bundle().workflows.find((w) => w.name === 'delivery')
		const read = loadTable(named?.table, nodeCrypto.sha256)
		assert.ok('table' in read && row)
		const table: LoadedTable = read.table
		const before = stage.controller().journal.fact<Case>('case', caseId(ORDER.name)) as Case
		await shut(stage, await toDoor(stage))
		await stage.shows('no-change')
		stage.act({ kind: 'retry' })
		await atDoor(stage, doorOf(stage), true)
		stage.act({ kind: 'next' })
		stage.choose(lineId(ORDER.name, 1))
		await atDoor(stage, doorOf(stage), true)
		stage.act({ kind: 'finish' })
		await stage.clock.advance(5_000) // so many edges at once would be a sensor that flaps
		stage.pin(ORDER.digits)
		await atDoor(stage, doorOf(stage), false)
		const mine = stage.controller().journal.fact<Case>('case', caseId(ORDER.name)) as Case
		const moved = stage.events().filter((e) => e.type === 'case.moved')
		const { steps, unreadable } = recordedSteps(moved)
		assert.equal(unreadable, undefined)
		const theirs = steps.reduce((of, next) => {
			const done = replay(table, of, next)
			assert.ok('applied' in done, JSON.stringify(done))
			return done.applied.case
		}, before)
		assert.deepEqual(theirs, mine)
		assert.deepEqual(theirs.lines.map((l) => l.state).sort(), ['collected', 'deposited'])
	}))
