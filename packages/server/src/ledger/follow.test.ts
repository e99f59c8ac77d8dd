import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Id, newId } from '@latchwork/core/base'
import pg from 'pg'
import { openStore, type Store, sql } from '../store/index.ts'
import { realClock, type TestStore, testStore } from '../testing/index.ts'
import { behind, installCursor, stepCursor } from './cursor-write.ts'
import { append, type Consumer, follow, openWatch, type Watch } from './index.ts'
import { START } from './testing/controller.ts'
import { testLedger } from './testing/ledger.ts'

describe('those who follow the ledger', () => {
	let at: TestStore
	let ledger: ReturnType<typeof testLedger>
	const open: (() => Promise<void>)[] = []
	before(async () => {
		at = await testStore()
		ledger = testLedger(at.store, 70)
	})
	after(async () => {
		for (const close of open.splice(0).reverse()) await close()
		await at.close()
	})

	const tenantWith = async (count: number, tenant = newId('tenant', START, ledger.random)) => {
		const drafts = Array.from({ length: count }, (_, i) => ({ type: 'site.changed', subject: `s${i}`, actor: 'server', data: {} }) as const)
		await at.store.write(tenant, (tx) => append(tx, drafts, { now: START, random: ledger.random }))
		await ledger.sequence()
		return tenant
	}
	/** A consumer that remembers what it was given, in its own process as it were: with a store and a watch of its own. */
	const start = (name: string, more: Partial<Consumer> = {}, failed: (cause: unknown) => void = () => {}) => {
		const store: Store = openStore({ url: at.url, pool: 2 })
		const watch: Watch = openWatch({ store, pace: realClock, failed })
		const seen: string[] = []
		const bells = new Map<string, () => void>()
		const consumer: Consumer = {
			name,
			from: 'start',
			most: 3,
			handle: async (_, events, tenant) => {
				seen.push(...events.map(({ position }) => `${tenant}/${position}`))
				for (const { position } of events) bells.get(`${tenant}/${position}`)?.()
			},
			...more,
		}
		const following = follow({ store, watch, pace: realClock, failed }, consumer)
		let closed = false
		const close = async () => {
			if (closed) return
			closed = true
			await following.close()
			await watch.close()
			await store.close()
		}
		open.push(close)
		return {
			seen,
			close,
			/** Resolves when the event was handed over. */
			until: (tenant: Id<'tenant'>, position: number) =>
				new Promise<void>((resolve) => {
					if (seen.includes(`${tenant}/${position}`)) resolve()
					else bells.set(`${tenant}/${position}`, resolve)
				}),
			of: (tenant: Id<'tenant'>) => seen.filter((one) => one.startsWith(tenant)).map((one) => Number(one.split('/')[1])),
		}
	}
	const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
	const cursor = async (tenant: Id<'tenant'>, name: string) =>
		(await at.store.read(tenant, (db) => db.first<{ position: number }>(sql`SELECT position FROM cursor WHERE name = ${name}`)))?.position

	test('see every event of every tenant in order, the old ones and what comes, and go on where they stood after a restart', async () => {
		const one = await tenantWith(8)
		const first = start('all')
		await first.until(one, 7)
		const two = await tenantWith(4)
		await tenantWith(3, one)
		await Promise.all([first.until(one, 10), first.until(two, 3)])
		await first.close()
		assert.deepEqual([first.of(one), first.of(two)], [upTo(11), upTo(4)])
		await tenantWith(2, one)
		const second = start('all')
		await second.until(one, 12)
		await second.close()
		assert.deepEqual(second.seen, [`${one}/11`, `${one}/12`])
		assert.equal(await cursor(one, 'all'), 12)
	})

	test('begin now if they want to: what was there is passed over, new tenants are followed from their first event', async () => {
		const old = await tenantWith(5)
		// What `follow` does first; here before it, so that the test knows when.
		await at.store.system((tx) => installCursor(tx, { name: 'from-now', from: 'now' }))
		const one = start('from-now', { from: 'now' })
		const fresh = await tenantWith(2)
		await one.until(fresh, 1)
		await tenantWith(1, old)
		await one.until(old, 5)
		await one.close()
		assert.deepEqual([one.of(fresh), one.of(old)], [[0, 1], [5]])
	})

	test('write and move on together: what fails is undone and comes again, and holds up nobody else', async () => {
		let failures = 2
		const told: unknown[] = []
		const [bad, good] = [await tenantWith(2), await tenantWith(0).then((tenant) => tenantWith(2, tenant))]
		const one = start(
			'writes',
			{
				handle: async (tx, events, tenant) => {
					if (tenant !== bad && tenant !== good) return
					await tx.run(sql`INSERT INTO cursor (tenant_id, name, position) VALUES (${tenant}, ${'written'}, ${events.length})`)
					if (tenant === bad && failures-- > 0) throw new TypeError('not now')
					handed.get(tenant)?.()
				},
			},
			(cause) => told.push(cause),
		)
		const handed = new Map<string, () => void>()
		const both = [bad, good].map((tenant) => new Promise<void>((resolve) => handed.set(tenant, resolve)))
		await both[1]
		assert.equal(await cursor(bad, 'written'), undefined)
		await both[0]
		await one.close()
		assert.deepEqual([await cursor(bad, 'written'), await cursor(bad, 'writes'), told.length], [2, 1, 2])
	})

	test('are behind in the tenants whose log has grown beyond their own cursor there, whoever else follows', async () => {
		const [one, two, three] = [await tenantWith(3), await tenantWith(4), await tenantWith(5)]
		const ours = async (name: string) => (await at.store.system((db) => behind(db, name))).filter((tenant) => [one, two, three].includes(tenant))
		const consumer = (name: string): Consumer => ({ name, from: 'start', handle: async () => {} })
		const step = (tenant: Id<'tenant'>, name: string) => at.store.write(tenant, (tx) => stepCursor(tx, tenant, consumer(name)))
		assert.deepEqual(await ours('first'), [one, two, three].sort())
		for (const tenant of [one, three]) assert.ok(await step(tenant, 'first'))
		await step(two, 'second')
		assert.deepEqual(await ours('first'), [two])
		assert.deepEqual(await ours('second'), [one, three].sort())
		await tenantWith(1, one)
		assert.deepEqual(await ours('first'), [one, two].sort())
	})

	test('share the work under one name without doing it twice', async () => {
		const tenants = await Promise.all(Array.from({ length: 6 }, () => newId('tenant', START, ledger.random)))
		const [one, two] = [start('shared'), start('shared')]
		for (let round = 0; round < 5; round++) for (const tenant of tenants) await tenantWith(2, tenant)
		await Promise.all(tenants.map((tenant) => Promise.race([one.until(tenant, 9), two.until(tenant, 9)])))
		await Promise.all([one.close(), two.close()])
		for (const tenant of tenants) {
			assert.deepEqual(
				[...one.of(tenant), ...two.of(tenant)].sort((a, b) => a - b),
				upTo(10),
			)
			assert.deepEqual(
				one.of(tenant),
				one.of(tenant).toSorted((a, b) => a - b),
			)
		}
	})

	test('hear again after their connection was cut, and miss nothing of what came meanwhile', async () => {
		const told: unknown[] = []
		const one = start('cut', {}, (cause) => told.push(cause))
		const tenant = await tenantWith(1)
		await one.until(tenant, 0)
		const owner = new pg.Client({ connectionString: at.url })
		await owner.connect()
		const { rows } = await owner.query(
			`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
		)
		await owner.end()
		assert.ok(rows.length >= 1)
		await tenantWith(1, tenant)
		await one.until(tenant, 1)
		await tenantWith(1, tenant)
		await one.until(tenant, 2)
		await one.close()
		assert.deepEqual(one.of(tenant), [0, 1, 2])
		assert.ok(told.length >= 1)
	})
})
