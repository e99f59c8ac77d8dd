import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Id, isFault, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { ALWAYS_OPEN, applyEdgeEvents, compartmentsOf, createBank, createSite } from '../estate/index.ts'
import { sql } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { applyCustody, assetByTag, assetsAt, changeAsset, createAsset, createAssetType, custodiansAt, findAsset, retireAsset } from './index.ts'

const START = Date.UTC(2026, 0, 5, 9)
const random = seededRandom(31)
const change = { actor: 'server', now: START, random } as const

const custody = (
	subject: string,
	bank: Id<'bank'>,
	{ stream, seq, from, to }: { stream: Id<'stream'>; seq: number; from: string; to: string },
): StreamEvent => {
	const place = { stream, seq, prev: '', bank, at: START + seq, mono: 0, clock: 'good', bundle: 1, offline: false } as const
	return { v: 1, ...place, type: 'custody.transferred', subject, actor: 'edge', data: { case: 'cas_1', line: 'lin_1', from, to } }
}

describe('assets', () => {
	let db: TestStore
	const tenant = newId('tenant', START, random)
	const other = newId('tenant', START, random)
	before(async () => {
		db = await testStore()
	})
	after(() => db.close())

	const estate = (of = tenant) =>
		db.store.write(of, async (tx) => {
			const site = await createSite(tx, change, { name: 'S', timeZone: 'Europe/Berlin', address: '', calendar: ALWAYS_OPEN })
			const bank = await createBank(tx, change, { site: site.id, name: 'B', helpPhone: '1', layout: exampleLayout })
			const code = `laptop-${Math.round(random(1)[0] ?? 0)}-${bank.id.slice(-6)}`
			const type = await createAssetType(tx, change, { code, name: 'Laptop', kind: 'laptop', valueClass: 'normal' })
			const [compartment] = await compartmentsOf(tx, bank.id)
			return { bank: bank.id, type: type.id, compartment: compartment?.id ?? assert.fail() }
		})

	it('belong to a bank, have a tag of their own, and a commitment instead of it in the ledger', async () => {
		const { bank, type, compartment } = await estate()
		const made = await db.store.write(tenant, (tx) => createAsset(tx, change, { type, tag: 'LT-0001', compartment }))
		assert.deepEqual([made.bank, made.custodian, made.name, made.kind], [bank, bank, 'Laptop', 'laptop'])
		await assert.rejects(
			db.store.write(tenant, (tx) => createAsset(tx, change, { type, tag: 'LT-0001' })),
			(fault) => isFault(fault, 'already-exists'),
		)
		assert.deepEqual(
			(await db.store.read(tenant, (tx) => assetsAt(tx, bank))).map((a) => a.id),
			[made.id],
		)
		const facts = await db.store.system((tx) =>
			tx.rows<{ text: string }>(sql`SELECT convert_from(bytes, 'UTF8') AS text FROM event_pending WHERE subject = ${made.id}`),
		)
		assert.equal(facts.length, 1)
		assert.ok(facts[0]?.text.includes(made.commitment))
		assert.doesNotMatch(facts[0]?.text ?? '', /LT-0001/)
	})

	it('are with another tenant under the same tag, and neither sees the other', async () => {
		const [mine, theirs] = [await estate(), await estate(other)]
		const a = await db.store.write(tenant, (tx) => createAsset(tx, change, { type: mine.type, tag: 'SAME' }))
		const b = await db.store.write(other, (tx) => createAsset(tx, change, { type: theirs.type, tag: 'SAME' }))
		assert.equal((await db.store.read(tenant, (tx) => assetByTag(tx, 'SAME')))?.id, a.id)
		assert.equal((await db.store.read(other, (tx) => assetByTag(tx, 'SAME')))?.id, b.id)
		assert.equal(await db.store.read(tenant, (tx) => findAsset(tx, b.id)), undefined)
	})

	it('change hands as their bank recorded it, once', async () => {
		const { bank, type, compartment } = await estate()
		const { id } = await db.store.write(tenant, (tx) => createAsset(tx, change, { type, tag: 'LT-0002', compartment }))
		const person = newId('subject', START, random)
		const stream = newId('stream', START, random)
		const event = (seq: number, from: string, to: string) => custody(id, bank, { stream, seq, from, to })
		const apply = async (one: StreamEvent, of = tenant) => (await db.store.write(of, (tx) => applyCustody(tx, one)))?.moved
		assert.equal(await apply(event(5, bank, person), other), undefined)
		assert.equal(await apply(event(5, bank, person)), true)
		assert.equal(await apply(event(5, bank, person)), undefined)
		assert.deepEqual(await db.store.read(tenant, (tx) => custodiansAt(tx, bank)), [person])
		await assert.rejects(
			db.store.write(tenant, (tx) => retireAsset(tx, change, id, 2)),
			(fault) => isFault(fault, 'request-refused'),
		)
		await assert.rejects(
			db.store.write(tenant, (tx) => changeAsset(tx, change, id, 2, { bank: null })),
			(fault) => isFault(fault, 'request-refused'),
		)
		assert.equal(await apply(event(9, person, bank)), true)
		const back = await db.store.read(tenant, (tx) => findAsset(tx, id))
		assert.deepEqual([back?.custodian, back?.custodySince], [bank, START + 9])
		assert.notEqual((await db.store.write(tenant, (tx) => retireAsset(tx, change, id, 3))).retiredAt, null)
		assert.deepEqual(await db.store.read(tenant, (tx) => assetsAt(tx, bank)), [])
	})

	it('go to a person or to their own bank, from whoever had them; after lost records their bank’s present word goes on, and is told as a gap', async () => {
		const [mine, theirs] = [await estate(), await estate()]
		const { bank, type } = mine
		const { id } = await db.store.write(tenant, (tx) => createAsset(tx, change, { type, tag: 'LT-0003', bank }))
		const [one, two] = [newId('subject', START, random), newId('subject', START, random)]
		const [stream, next] = [newId('stream', START, random), newId('stream', START, random)]
		const took = async (seq: number, from: string, to: string, at: { stream?: Id<'stream'>; bank?: Id<'bank'> } = {}) => {
			const event = custody(id, at.bank ?? bank, { stream: at.stream ?? stream, seq, from, to })
			const answer = await db.store.write(tenant, (tx) => applyCustody(tx, event))
			const now = await db.store.read(tenant, (tx) => findAsset(tx, id))
			return [answer?.moved, answer?.inOrder, now?.custodian, now?.bank]
		}
		// Staff had it, and put it in: its bank may lend it.
		assert.deepEqual(await took(1, bank, one), [true, true, one, bank])
		for (const nobody of ['anything at all <script>', 'staff', theirs.bank, ''])
			assert.deepEqual(await took(2, one, nobody), [false, false, one, bank], nobody)
		assert.deepEqual(await took(3, bank, two), [false, false, one, bank], 'from whoever had it')
		assert.deepEqual(await took(4, one, theirs.bank, { bank: theirs.bank }), [false, true, one, bank], 'at its own bank alone')
		const begun = { ...custody(id, bank, { stream: next, seq: 1, from: bank, to: two }), type: 'stream.started' as const, subject: next, data: {} }
		await db.store.write(tenant, (tx) => applyEdgeEvents(tx, [begun]))
		assert.deepEqual(await took(2, bank, two, { stream: next }), [true, false, two, bank], 'nobody knows better')
		assert.deepEqual(await took(5, bank, one), [false, false, two, bank], 'what an earlier stream says late is history')
	})
})
