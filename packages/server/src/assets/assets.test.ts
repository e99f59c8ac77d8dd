import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isFault, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { ALWAYS_OPEN, compartmentsOf, createBank, createSite } from '../estate/index.ts'
import { sql } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { applyCustody, assetByTag, assetsAt, changeAsset, createAsset, createAssetType, custodiansAt, findAsset, retireAsset } from './index.ts'

const START = Date.UTC(2026, 0, 5, 9)
const random = seededRandom(31)
const change = { actor: 'server', now: START, random } as const

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
		const event = (seq: number, to: string): StreamEvent => ({
			v: 1,
			stream,
			seq,
			prev: '',
			type: 'custody.transferred',
			subject: id,
			actor: person,
			bank,
			at: START + seq,
			mono: 0,
			clock: 'good',
			bundle: 1,
			offline: false,
			data: { case: 'cas_1', line: 'lin_1', from: bank, to },
		})
		const apply = (one: StreamEvent, of = tenant) => db.store.write(of, (tx) => applyCustody(tx, one))
		assert.equal(await apply(event(5, person), other), false)
		assert.equal(await apply(event(5, person)), true)
		assert.equal(await apply(event(5, person)), false)
		assert.deepEqual(await db.store.read(tenant, (tx) => custodiansAt(tx, bank)), [person])
		await assert.rejects(
			db.store.write(tenant, (tx) => retireAsset(tx, change, id, 2)),
			(fault) => isFault(fault, 'request-refused'),
		)
		await assert.rejects(
			db.store.write(tenant, (tx) => changeAsset(tx, change, id, 2, { bank: null })),
			(fault) => isFault(fault, 'request-refused'),
		)
		assert.equal(await apply(event(9, bank)), true)
		const back = await db.store.read(tenant, (tx) => findAsset(tx, id))
		assert.deepEqual([back?.custodian, back?.custodySince], [bank, START + 9])
		assert.notEqual((await db.store.write(tenant, (tx) => retireAsset(tx, change, id, 3))).retiredAt, null)
		assert.deepEqual(await db.store.read(tenant, (tx) => assetsAt(tx, bank)), [])
	})
})
