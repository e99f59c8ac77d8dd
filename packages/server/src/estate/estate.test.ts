import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Id, isFault, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { type Store, sql } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import {
	ALWAYS_OPEN,
	applyEdgeEvents,
	bankLive,
	type Change,
	changeBank,
	changeCompartment,
	compartmentsOf,
	createArea,
	createBank,
	createController,
	createModule,
	createSite,
	dirtyOf,
	doorLive,
	doorsLive,
	findBank,
	heardController,
	judgeOutages,
	modulesOf,
	removeBank,
	removeModule,
	reserveCompartment,
	revokeController,
	settleDirty,
} from './index.ts'
import { doorsOf } from './layout.ts'
import { removeArea, removeSite } from './site-write.ts'

const START = Date.UTC(2026, 0, 5, 9)
const random = seededRandom(12)
const change: Change = { actor: 'server', now: START, random }
const refusedAs = (code: string, text: RegExp) => (fault: unknown) => {
	assert.ok(isFault(fault) && fault.code === code, String(fault))
	assert.match(fault.message, text)
	return true
}

describe('estate', () => {
	let db: TestStore
	let store: Store
	const tenant = newId('tenant', START, random)
	const other = newId('tenant', START, random)
	before(async () => {
		db = await testStore()
		store = db.store
	})
	after(() => db.close())

	const site = (of = tenant) =>
		store.write(of, (tx) => createSite(tx, change, { name: 'HQ', timeZone: 'Europe/Berlin', address: '', calendar: ALWAYS_OPEN }))
	const bank = async (of = tenant) => {
		const { id } = await site(of)
		return store.write(of, (tx) => createBank(tx, change, { site: id, name: 'Lobby', helpPhone: '110', layout: exampleLayout }))
	}
	const doors = doorsOf(exampleLayout)

	it('makes a module of each column and a compartment of each door', async () => {
		const { id } = await bank()
		const [modules, compartments, live] = await store.read(tenant, async (tx) => [
			await modulesOf(tx, id),
			await compartmentsOf(tx, id),
			await doorsLive(tx, id),
		])
		assert.equal(modules.length, exampleLayout.columns.length)
		assert.deepEqual(
			compartments.map((c) => [c.number, c.size, c.accessible, c.module]),
			doors.map((d) => [d.number, d.size, d.accessible, modules[d.column]?.id]).sort((a, b) => Number(a[0]) - Number(b[0])),
		)
		assert.deepEqual([...new Set(live.map((d) => `${d.door} ${d.content} ${d.allocation}`))], ['unknown unknown pending-inspection'])
	})

	it('refuses a drawing that contradicts itself, and two doors with one label', async () => {
		const { id } = await site()
		const make = (layout: typeof exampleLayout) =>
			store.write(tenant, (tx) => createBank(tx, change, { site: id, name: 'B', helpPhone: '1', layout }))
		const cell = { kind: 'door', number: 3, heightMm: 100, size: 'S', accessible: false } as const
		await assert.rejects(make({ columns: [{ widthMm: 400, cells: [cell, cell] }] }), refusedAs('request-invalid', /door 3 is there twice/))
		await assert.rejects(
			make({ columns: [{ widthMm: 400, cells: [{ kind: 'terminal', heightMm: 9 }] }] }),
			refusedAs('request-invalid', /at least one door/),
		)
		const made = await make({ columns: [{ widthMm: 400, cells: [cell, { ...cell, number: 4 }] }] })
		const [three] = await store.read(tenant, (tx) => compartmentsOf(tx, made.id))
		assert.ok(three)
		await assert.rejects(
			store.write(tenant, (tx) => changeCompartment(tx, change, three.id, 1, { number: 4 })),
			refusedAs('already-exists', /door 4 already/),
		)
	})

	it('keeps what a compartment is when its label changes, and draws the new label', async () => {
		const made = await bank()
		const [first] = await store.read(tenant, (tx) => compartmentsOf(tx, made.id))
		assert.ok(first)
		const after = await store.write(tenant, (tx) => changeCompartment(tx, change, first.id, 1, { number: 901, accessible: !first.accessible }))
		assert.deepEqual([after.id, after.number, after.version], [first.id, 901, 2])
		const drawn = await store.read(tenant, (tx) => findBank(tx, made.id))
		assert.deepEqual(doorsOf(drawn?.layout ?? { columns: [] }).find((d) => d.number === 901)?.accessible, !first.accessible)
	})

	it('refuses a change made for an older version', async () => {
		const made = await bank()
		await assert.rejects(
			store.write(tenant, (tx) => changeBank(tx, change, made.id, made.version + 1, { name: 'X' })),
			refusedAs('version-conflict', /version 1 by now/),
		)
	})

	it('grows and shrinks by modules', async () => {
		const made = await bank()
		const cell = { kind: 'door', number: 777, heightMm: 300, size: 'L', accessible: true } as const
		const module = await store.write(tenant, (tx) => createModule(tx, change, { bank: made.id, column: { widthMm: 400, cells: [cell] } }))
		assert.equal(module.position, exampleLayout.columns.length)
		const count = async () => (await store.read(tenant, (tx) => compartmentsOf(tx, made.id))).length
		assert.equal(await count(), doors.length + 1)
		const [first] = await store.read(tenant, (tx) => modulesOf(tx, made.id))
		assert.ok(first)
		await store.write(tenant, (tx) => removeModule(tx, change, first.id, 1))
		assert.equal(await count(), doors.length + 1 - doors.filter((d) => d.column === 0).length)
		const positions = (await store.read(tenant, (tx) => modulesOf(tx, made.id))).map((m) => m.position)
		assert.deepEqual(
			positions,
			positions.map((_, i) => i),
		)
	})

	it('says what still refers to a thing that is to be removed', async () => {
		const made = await bank()
		const area = await store.write(tenant, (tx) => createArea(tx, change, { site: made.site, name: 'Floor 2' }))
		const controller = await store.write(tenant, (tx) => createController(tx, change, { bank: made.id, name: 'Box' }))
		await assert.rejects(
			store.write(tenant, (tx) => removeSite(tx, change, made.site, 1)),
			refusedAs('request-refused', /1 bank\./),
		)
		await assert.rejects(
			store.write(tenant, (tx) => removeBank(tx, change, made.id, 1)),
			refusedAs('request-refused', /1 controller\./),
		)
		await store.write(tenant, (tx) => revokeController(tx, change, controller.id, 1))
		const [first] = await store.read(tenant, (tx) => compartmentsOf(tx, made.id))
		assert.ok(first)
		await store.write(tenant, (tx) => reserveCompartment(tx, first.id, 'rsv_1', START))
		await assert.rejects(
			store.write(tenant, (tx) => removeBank(tx, change, made.id, 1)),
			refusedAs('request-refused', /1 compartment with something in it/),
		)
		await store.write(tenant, (tx) => reserveCompartment(tx, first.id, undefined, START))
		await store.write(tenant, (tx) => removeBank(tx, change, made.id, 1))
		await store.write(tenant, (tx) => removeArea(tx, change, area.id, 1))
		await store.write(tenant, (tx) => removeSite(tx, change, made.site, 1))
	})

	it('lets a bank have one authority at a time', async () => {
		const made = await bank()
		const make = () => store.write(tenant, (tx) => createController(tx, change, { bank: made.id, name: 'Box' }))
		const first = await make()
		await assert.rejects(make(), refusedAs('already-exists', /has a controller already/))
		await store.write(tenant, (tx) => revokeController(tx, change, first.id, 1))
		assert.notEqual((await make()).id, first.id)
	})

	it('shows one tenant nothing of another, and lets each have the same labels', async () => {
		const [mine, theirs] = [await bank(), await bank(other)]
		assert.equal(await store.read(tenant, (tx) => findBank(tx, theirs.id)), undefined)
		assert.equal((await store.read(other, (tx) => findBank(tx, theirs.id)))?.name, mine.name)
		assert.equal((await store.read(other, (tx) => compartmentsOf(tx, theirs.id))).length, doors.length)
		assert.equal((await store.read(other, (tx) => compartmentsOf(tx, mine.id))).length, 0)
		// Not even without the filter: row-level security holds by itself.
		const all = await store.read(other, (tx) => tx.rows<{ id: string }>(sql`SELECT DISTINCT tenant_id AS id FROM compartment`))
		assert.deepEqual(all, [{ id: other }])
		await assert.rejects(
			store.write(other, (tx) => createController(tx, change, { bank: mine.id, name: 'B' })),
			refusedAs('not-found', /no such bank/),
		)
	})

	it('takes the events of a stream in once, and in any batches', async () => {
		const made = await bank()
		const [first] = await store.read(tenant, (tx) => compartmentsOf(tx, made.id))
		assert.ok(first)
		const stream = newId('stream', START, random)
		const event = (seq: number, type: StreamEvent['type'], subject: string, data: StreamEvent['data'] = {}): StreamEvent => ({
			v: 1,
			stream,
			seq,
			prev: '',
			type,
			subject,
			actor: 'edge',
			bank: made.id,
			at: START + seq,
			mono: seq,
			clock: 'good',
			bundle: 1,
			offline: true,
			data,
		})
		const events = [
			event(1, 'stream.started', 'ctl'),
			event(2, 'board.returned', 'bus-a/0', { compartments: [first.id] }),
			event(3, 'compartment.occupied', first.id, { why: 'initial-contents', item: 'ast_1' }),
			event(4, 'door-session.releasing', 'dos_1', { compartment: first.id, act: 'collect' }),
			event(5, 'door-session.opened', 'dos_1', { compartment: first.id }),
		]
		const apply = (some: StreamEvent[]) => store.write(tenant, (tx) => applyEdgeEvents(tx, some))
		assert.equal((await apply(events.slice(0, 3))).length, 3)
		assert.equal((await apply(events.slice(1, 5))).length, 2)
		assert.equal((await apply(events)).length, 0)
		const row = await store.read(tenant, (tx) => doorLive(tx, first.id))
		assert.deepEqual(
			[row?.door, row?.content, row?.asset, row?.allocation, row?.sessionState, row?.seq, row?.since],
			['open', 'item', 'ast_1', 'in-use', 'opened', 5, START + 5],
		)
		// A new life of its database has forgotten all; what comes late of the one before is history.
		const next = newId('stream', START, random)
		await apply([{ ...event(1, 'stream.started', 'ctl'), stream: next }])
		const begun = await store.read(tenant, (tx) => doorLive(tx, first.id))
		const late = [
			event(6, 'door-session.closed', 'dos_1', { compartment: first.id }),
			event(7, 'compartment.emptied', first.id),
			event(8, 'controller.storage-low', 'ctl'),
		]
		assert.equal((await apply(late)).length, 3)
		assert.deepEqual(await store.read(tenant, (tx) => doorLive(tx, first.id)), begun)
		assert.deepEqual([begun?.door, begun?.content, begun?.seq], ['unknown', 'unknown', 1])
		const live = await store.read(tenant, (tx) => bankLive(tx, made.id))
		assert.deepEqual([live?.stream, live?.storage], [next, 'good'])
		// Another tenant's bank is not there.
		assert.deepEqual(await store.write(other, (tx) => applyEdgeEvents(tx, events)), [])
	})

	it('tells an outage once raw and once confirmed, and its end', async () => {
		const made = await bank()
		const { id: controller } = await store.write(tenant, (tx) => createController(tx, change, { bank: made.id, name: 'Box' }))
		const heard = (now: number) =>
			store.write(tenant, (tx) => heardController(tx, { controller, bank: made.id, now, online: true, software: '1.0.0' }, random))
		const judge = (now: number, since = START - 1_000_000) => store.system((tx) => judgeOutages(tx, now, since, random))
		const types = async () =>
			(
				await store.system((tx) =>
					tx.rows<{ type: string }>(sql`SELECT type FROM event_pending WHERE bank = ${made.id} AND type LIKE 'bank.o%' ORDER BY arrival`),
				)
			).map((r) => r.type)
		await heard(START)
		await judge(START + 60_000)
		assert.deepEqual(await types(), [])
		await judge(START + 95_000)
		await judge(START + 100_000)
		assert.deepEqual(await types(), ['bank.offline'])
		await judge(START + 700_000)
		await judge(START + 800_000)
		assert.deepEqual(await types(), ['bank.offline', 'bank.outage-confirmed'])
		assert.equal((await store.read(tenant, (tx) => bankLive(tx, made.id)))?.online, false)
		await heard(START + 900_000)
		assert.deepEqual(await types(), ['bank.offline', 'bank.outage-confirmed', 'bank.online'])
		// The server itself was away: its silence is nobody's outage.
		await judge(START + 9_000_000, START + 8_999_000)
		assert.deepEqual((await types()).length, 3)
	})

	it('marks a bank for a new bundle, and keeps a mark that comes meanwhile', async () => {
		const made = await bank()
		const mine = () => store.read(tenant, (tx) => dirtyOf(tx, made.id))
		const mark = await mine()
		assert.ok(mark)
		await store.write(tenant, (tx) => changeBank(tx, change, made.id, 1, { name: 'Elsewhere' }))
		assert.equal(await store.write(tenant, (tx) => settleDirty(tx, mark)), 0)
		const again = await mine()
		assert.ok(again)
		assert.equal(await store.write(tenant, (tx) => settleDirty(tx, again)), 1)
		assert.equal(await mine(), undefined)
	})

	it('records every change as a fact without names', async () => {
		const made = await bank()
		const id: Id<'bank'> = made.id
		await store.write(tenant, (tx) => changeBank(tx, change, id, 1, { name: 'Secret name', helpPhone: '12345678' }))
		const facts = await store.system((tx) =>
			tx.rows<{ type: string; text: string }>(
				sql`SELECT type, convert_from(bytes, 'UTF8') AS text FROM event_pending WHERE bank = ${id} ORDER BY arrival`,
			),
		)
		assert.deepEqual(
			facts.map((f) => f.type),
			['bank.created', 'bank.changed'],
		)
		assert.doesNotMatch(facts.map((f) => f.text).join(), /Secret|12345678|Lobby/)
	})
})
