import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Fault, type Id, isFault, newId, seededRandom } from '@latchwork/core/base'
import pg from 'pg'
import { type TestStore, testStore } from '../testing/index.ts'
import { type Sql, sql, type Tx } from './index.ts'

const random = seededRandom(20261125)
const tenant = (): Id<'tenant'> => newId('tenant', Date.UTC(2026, 0, 5, 9), random)

describe('the store', () => {
	const a = tenant()
	let at: TestStore
	before(async () => {
		at = await testStore({ pool: 2 })
		await asOwner(at.url, 'CREATE TABLE latchwork.thing (tenant_id text NOT NULL, id text, n bigint, PRIMARY KEY (tenant_id, id))')
		await asOwner(at.url, "SELECT latchwork.guard('latchwork.thing')")
	})
	after(() => at.close())

	test('two connections serve fifty transactions at once, and none is lost', async () => {
		await at.store.write(a, (tx) => tx.run(sql`INSERT INTO thing VALUES (${a}, 'counter', 0)`))
		const add = () =>
			at.store.write(a, async (tx) => {
				const row = await tx.first<{ n: number }>(sql`SELECT n FROM thing WHERE id = 'counter' FOR UPDATE`)
				return tx.run(sql`UPDATE thing SET n = ${(row?.n ?? 0) + 1} WHERE id = 'counter'`)
			})
		assert.deepEqual(
			await Promise.all(Array.from({ length: 50 }, add)),
			Array.from({ length: 50 }, () => 1),
		)
		const row = await at.store.read(a, (db) => db.first<{ n: number }>(sql`SELECT n FROM thing WHERE id = 'counter'`))
		assert.equal(row?.n, 50)
	})

	test('what work throws rolls back all of it and stays what it is', async () => {
		const missingFile = Object.assign(new Error('no such file'), { code: 'ENOENT' })
		for (const thrown of [new Fault('request-refused', 'No.'), missingFile])
			await assert.rejects(
				at.store.write(a, async (tx) => {
					await tx.run(sql`INSERT INTO thing VALUES (${a}, 'never', 1)`)
					throw thrown
				}),
				(e) => e === thrown,
			)
		assert.equal(await at.store.read(a, (db) => db.first(sql`SELECT 1 FROM thing WHERE id = 'never'`)), undefined)
	})

	test('a failed statement whose error was caught saves nothing, and says so', async () => {
		await assert.rejects(
			at.store.write(a, async (tx) => {
				await tx.run(sql`INSERT INTO thing VALUES (${a}, 'never', 1)`)
				await tx.run(sql`SELECT 1 / 0`).catch(() => {})
			}),
			/nothing was saved/,
		)
		assert.equal(await at.store.read(a, (db) => db.first(sql`SELECT 1 FROM thing WHERE id = 'never'`)), undefined)
	})

	test('reading cannot write', async () => {
		await assert.rejects(
			at.store.read(a, (db) => db.rows(sql`INSERT INTO thing VALUES (${a}, 'never', 1)`)),
			(e) => (e as { code?: string }).code === '25006',
		)
	})

	test('two transactions that wait for each other: one is told to try again', async () => {
		await at.store.write(a, (tx) => tx.run(sql`INSERT INTO thing VALUES (${a}, 'left', 0), (${a}, 'right', 0)`))
		const met = Promise.withResolvers<void>()
		let waiting = 0
		const cross = (one: string, other: string) =>
			at.store.write(a, async (tx) => {
				await tx.run(sql`UPDATE thing SET n = n + 1 WHERE id = ${one}`)
				if (++waiting === 2) met.resolve()
				await met.promise
				await tx.run(sql`UPDATE thing SET n = n + 1 WHERE id = ${other}`)
			})
		const ends = await Promise.allSettled([cross('left', 'right'), cross('right', 'left')])
		const refused = ends.filter((e) => e.status === 'rejected')
		assert.equal(refused.length, 1)
		assert.ok(isFault(refused[0]?.reason, 'database-busy'))
	})

	test('a statement that takes for ever, a lock that nobody gives back and a transaction that nobody goes on with come to an end', async () => {
		const set = (tx: Tx) =>
			tx.rows<{ name: string; setting: string }>(sql`SELECT name, setting FROM pg_settings
				WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`)
		const settings = (rows: { setting: string }[]) => rows.map(({ setting }) => Number(setting))
		assert.deepEqual(settings(await at.store.write(a, set)), [60_000, 10_000, 30_000])
		assert.deepEqual(settings(await at.store.system(set)), [60_000, 30_000, 300_000])
		const within = (limit: Sql<unknown>, statement: Sql<unknown>) =>
			at.store.system(async (tx) => {
				await tx.run(limit)
				await tx.run(statement)
			})
		await assert.rejects(within(sql`SET LOCAL statement_timeout = 20`, sql`SELECT pg_sleep(30)`), {
			code: 'database-unavailable',
			message: /took too long/,
		})
		await at.store.write(a, (tx) => tx.run(sql`INSERT INTO thing VALUES (${a}, 'locked', 0)`))
		await at.store.write(a, async (tx) => {
			await tx.run(sql`UPDATE thing SET n = 1 WHERE id = 'locked'`)
			await assert.rejects(within(sql`SET LOCAL lock_timeout = 20`, sql`UPDATE thing SET n = 2 WHERE id = 'locked'`), { code: 'database-busy' })
		})
		const forgotten = at.store.system(async (tx) => {
			await tx.run(sql`SET LOCAL idle_in_transaction_session_timeout = 20`)
			const mine = await tx.first<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)
			while ((await asOwner(at.url, `SELECT 1 FROM pg_stat_activity WHERE pid = ${mine?.pid}`)) > 0);
			await tx.run(sql`SELECT 1`)
		})
		await assert.rejects(forgotten, { code: 'database-unavailable' })
	})

	test('a notice reaches who listens, and a lock has one holder until it is closed', async () => {
		const heard = Promise.withResolvers<string>()
		const listening = await at.store.listen('ledger', heard.resolve, heard.reject)
		await at.store.system((tx) => tx.run(sql`SELECT pg_notify('ledger', 'seven')`))
		assert.equal(await heard.promise, 'seven')
		await listening.close()
		const lost = (cause: unknown) => assert.fail(`lost: ${cause}`)
		const held = await at.store.hold(7, lost)
		assert.ok(held)
		assert.equal(await at.store.hold(7, lost), undefined)
		await held.close()
		const next = await at.store.hold(7, lost)
		assert.ok(next)
		await next.close()
	})

	test('who listens is told once when the connection breaks', async () => {
		const lost = Promise.withResolvers<unknown>()
		let times = 0
		const listening = await at.store.listen(
			'ledger',
			() => {},
			(cause) => {
				times++
				lost.resolve(cause)
			},
		)
		await asOwner(at.url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`)
		await lost.promise
		await listening.close()
		assert.equal(times, 1)
	})

	test('a connection that breaks under work is told as a database that is away, and the next use has a fresh one', async () => {
		await assert.rejects(
			at.store.system(async (tx) => {
				const row = await tx.first<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)
				await asOwner(at.url, `SELECT pg_terminate_backend(${row?.pid})`)
				await tx.run(sql`SELECT 1`)
			}),
			(e) => isFault(e, 'database-unavailable'),
		)
		assert.equal(await at.store.system((tx) => tx.run(sql`SELECT 1`)), 1)
	})

	test('an id that is not a tenant never reaches the database', async () => {
		const bad = `ten_'; RESET ROLE; --` as Id<'tenant'>
		await assert.rejects(
			async () => at.store.read(bad, (db) => db.rows(sql`SELECT 1`)),
			(e) => isFault(e, 'not-found'),
		)
	})
})

async function asOwner(url: string, statement: string): Promise<number> {
	const client = new pg.Client({ connectionString: url })
	await client.connect()
	try {
		return (await client.query(statement)).rowCount ?? 0
	} finally {
		await client.end()
	}
}
