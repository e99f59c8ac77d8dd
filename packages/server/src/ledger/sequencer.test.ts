import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFault, newId, seededRandom } from '@latchwork/core/base'
import { openCheckpoint, proveConsistency, verifyConsistency } from '@latchwork/core/ledger'
import pg from 'pg'
import { nodeCrypto } from '../crypto.ts'
import { openStore, sql } from '../store/index.ts'
import { realClock, type TestStore, testStore } from '../testing/index.ts'
import { alarmGaps } from './gap-write.ts'
import { append, openSequencer } from './index.ts'
import { monthOf, sequence } from './sequence-write.ts'
import { START, testController } from './testing/controller.ts'
import { testLedger } from './testing/ledger.ts'
import { tileReader } from './tree-read.ts'

const PROCESS = fileURLToPath(new URL('testing/sequencer-process.ts', import.meta.url))

describe('the sequencer', () => {
	let at: TestStore
	before(async () => {
		at = await testStore()
	})
	after(() => at.close())

	test('positions have no gap and each event has one, while eight write and whoever sequences is killed in the middle', async (t) => {
		const random = seededRandom(31)
		const tenant = newId('tenant', START, random)
		const children: ChildProcess[] = []
		let kills = 0
		const start = () => {
			const child = spawn(process.execPath, [PROCESS, at.url], { stdio: ['pipe', 'inherit', 'inherit'] })
			children.push(child)
		}
		const reached = Promise.withResolvers<void>()
		const TOTAL = 1_680
		/** Writers stay this far ahead at most, so that there is always something to do and never all of it. */
		const AHEAD = 90
		let next = 0
		let written = 0
		let placed = 0
		const waiting: (() => void)[] = []
		const heard = (payload: string) => {
			placed = (JSON.parse(payload)[tenant] as number) + 1
			if (placed === TOTAL) reached.resolve()
			for (const go of waiting.splice(0)) go()
			if (placed < next || placed > TOTAL - 200) return
			next = placed + 180
			// One of the two is at work, the other stands by: all but the youngest are killed, some milliseconds later, wherever that finds them.
			realClock.after((random(1)[0] ?? 0) % 20, () => {
				for (const child of children.splice(0, children.length - 1)) {
					child.kill('SIGKILL')
					kills++
				}
				start()
			})
		}
		const listening = await at.store.listen('latchwork_ledger', heard, () => {})
		start()
		start()
		const ids: string[] = []
		const write = async () => {
			for (let i = 0; i < TOTAL / 8 / 3; i++) {
				while (written - placed > AHEAD) await new Promise<void>((go) => waiting.push(go))
				written += 3
				const draft = () => ({ type: 'site.changed', subject: newId('site', START, random), actor: 'server', data: { i } }) as const
				const events = await at.store.write(tenant, (tx) => append(tx, [draft(), draft(), draft()], { now: START + i, random }))
				ids.push(...events.map(({ id }) => id))
			}
		}
		try {
			await Promise.all(Array.from({ length: 8 }, write))
			await reached.promise
		} finally {
			await listening.close()
			for (const child of children) {
				child.kill('SIGKILL')
				if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
			}
		}
		const rows = await at.store.read(tenant, (db) => db.rows<{ position: number }>(sql`SELECT position FROM event ORDER BY month, position`))
		assert.deepEqual(
			rows.map(({ position }) => position),
			Array.from({ length: TOTAL }, (_, i) => i),
		)
		const log = await testLedger(at.store).log(tenant)
		assert.deepEqual(log.entries.map((text) => JSON.parse(text).id).sort(), ids.sort())
		assert.deepEqual(Buffer.from(log.root), Buffer.from(log.storedRoot))
		const notes = await at.store.read(tenant, (db) =>
			db.rows<{ size: number; root: Uint8Array }>(sql`SELECT size, root FROM checkpoint ORDER BY size`),
		)
		for (const [i, to] of notes.entries()) {
			const from = notes[i - 1] ?? { size: 0, root: nodeCrypto.sha256(new Uint8Array()) }
			const proof = await at.store.read(tenant, (db) =>
				Promise.resolve(proveConsistency(from.size, to.size, tileReader(db, tenant), nodeCrypto.sha256)),
			)
			assert.ok(verifyConsistency(proof, from, to, nodeCrypto.sha256), `${from.size} to ${to.size}`)
		}
		t.diagnostic(`killed ${kills} times, ${notes.length} checkpoints`)
		assert.ok(kills >= 5)
	})

	test('one works, the other stands by until the first ends; a nudge brings positions at once, other processes’ events come with the next look', async () => {
		const ledger = testLedger(at.store, 32)
		const tenant = testController(ledger.random).sender.tenant
		const other = openStore({ url: at.url, pool: 2 })
		const faults: unknown[] = []
		const terms = {
			clock: ledger.clock,
			pace: realClock,
			random: ledger.random,
			signerOf: ledger.signerOf,
			failed: (cause: unknown) => faults.push(cause),
		}
		const grown = new Map<number, () => void>()
		const listening = await other.listen(
			'latchwork_ledger',
			(payload) => grown.get(JSON.parse(payload)[tenant])?.(),
			() => {},
		)
		const grownTo = (position: number) => new Promise<void>((resolve) => grown.set(position, resolve))
		const add = () =>
			at.store.write(tenant, (tx) =>
				append(tx, [{ type: 'site.created', subject: 's', actor: 'server', data: {} }], { now: START, random: ledger.random }),
			)
		const first = openSequencer({ store: at.store, ...terms })
		const second = openSequencer({ store: other, ...terms })
		try {
			const one = grownTo(0)
			await add()
			first.nudge()
			second.nudge()
			await one
			await first.close()
			const two = grownTo(1)
			await add()
			await two
			assert.deepEqual(faults, [])
		} finally {
			await first.close()
			await second.close()
			await listening.close()
			await other.close()
		}
	})

	test('a log whose bytes were changed gets no further position and no checkpoint; the other tenants go on', async () => {
		const mine = await testStore()
		const ledger = testLedger(mine.store, 33)
		const [bad, good] = [testController(ledger.random), testController(ledger.random)]
		const inbox = ledger.inbox()
		for (const { sender, stream } of [bad, good]) {
			const life = stream()
			life.grow(40)
			await inbox.ingest(sender, life.batch(1, 40))
		}
		await ledger.sequence()
		assert.equal(await ledger.checkpoint(bad.sender.tenant), 40)
		const owner = new pg.Client({ connectionString: mine.url })
		await owner.connect()
		await owner.query(`UPDATE latchwork.event SET bytes = bytes || '\\x20' WHERE tenant_id = $1 AND position = 35`, [bad.sender.tenant])
		await owner.end()
		const told = Promise.withResolvers<unknown>()
		const add = (tenant: typeof bad.sender.tenant) =>
			mine.store.write(tenant, (tx) =>
				append(tx, [{ type: 'site.created', subject: 's', actor: 'server', data: {} }], { now: START, random: ledger.random }),
			)
		const grown = Promise.withResolvers<void>()
		const listening = await mine.store.listen(
			'latchwork_ledger',
			(payload) => JSON.parse(payload)[good.sender.tenant] === 40 && grown.resolve(),
			() => {},
		)
		await add(bad.sender.tenant)
		await add(good.sender.tenant)
		const { store, clock, random, signerOf } = ledger
		const sequencer = openSequencer({ store, clock, pace: realClock, random, signerOf, failed: told.resolve })
		try {
			assert.match(String(await told.promise), new RegExp(`The log of ${bad.sender.tenant}`))
			await grown.promise
		} finally {
			await sequencer.close()
			await listening.close()
		}
		assert.equal((await ledger.log(bad.sender.tenant)).entries.length, 40)
		await assert.rejects(testLedger(mine.store, 37).sequence(), /does not fit its own tree/)
		await mine.close()
	})

	test('no signature stands under two histories, also where somebody with the database’s password made everything else fit', async () => {
		const mine = await testStore()
		const ledger = testLedger(mine.store, 38)
		const [bad, good, unsigned] = [testController(ledger.random), testController(ledger.random), testController(ledger.random)]
		const inbox = ledger.inbox()
		const add = async ({ sender, stream }: typeof bad) => {
			const life = stream()
			life.grow(40)
			await inbox.ingest(sender, life.batch(1, 40))
		}
		for (const one of [bad, good, unsigned]) await add(one)
		await ledger.sequence()
		for (const { sender } of [bad, good]) assert.equal(await ledger.checkpoint(sender.tenant), 40)
		const owner = new pg.Client({ connectionString: mine.url })
		await owner.connect()
		const setRoot = (tenant: string, root: Uint8Array) =>
			owner.query('UPDATE latchwork.ledger_head SET root = $2 WHERE tenant_id = $1', [tenant, Buffer.from(root)])
		await owner.query(`UPDATE latchwork.event SET bytes = bytes || '\\x20' WHERE tenant_id = $1 AND position = 5`, [bad.sender.tenant])
		await setRoot(bad.sender.tenant, (await ledger.log(bad.sender.tenant)).root)
		await setRoot(unsigned.sender.tenant, new Uint8Array(32))
		await owner.end()
		for (const one of [bad, good]) await add(one)
		const terms = {
			now: START,
			shard: { index: 0, count: 1 },
			most: 100,
			except: [unsigned.sender.tenant],
			trees: new Map(),
			months: new Set<number>(),
		}
		await mine.store.system((tx) => sequence(tx, terms))
		assert.equal(await ledger.checkpoint(good.sender.tenant), 80)
		await assert.rejects(ledger.checkpoint(bad.sender.tenant), /does not fit its own tree/)
		await assert.rejects(ledger.checkpoint(unsigned.sender.tenant), /does not fit its own tree/)
		await mine.close()
	})

	test('of two that give positions to the same events one does, and the other starts over', async () => {
		const ledger = testLedger(at.store, 39)
		const { sender, stream } = testController(ledger.random)
		const other = openStore({ url: at.url, pool: 2 })
		const [life, next] = [stream(), stream()]
		for (const one of [life, next]) one.grow(20)
		await ledger.inbox().ingest(sender, life.batch(1, 20))
		await ledger.sequence()
		await ledger.inbox().ingest(sender, next.batch(1, 20))
		const owner = new pg.Client({ connectionString: at.url })
		await owner.connect()
		try {
			// Both have seen what waits, and stand before the head of the log.
			await owner.query('BEGIN')
			await owner.query('SELECT 1 FROM latchwork.ledger_head WHERE tenant_id = $1 FOR UPDATE', [sender.tenant])
			const both = [at.store, other].map((store) =>
				store.system((tx) => sequence(tx, { now: START, shard: { index: 0, count: 1 }, most: 100, except: [], trees: new Map(), months: new Set() })),
			)
			const settled = Promise.allSettled(both)
			for (let waiting = 0; waiting < 2; ) {
				await owner.query('SELECT pg_stat_clear_snapshot()')
				const { rows } = await owner.query(
					`SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
				)
				waiting = rows[0].n
			}
			await owner.query('COMMIT')
			const ends = await settled
			assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
			const lost = ends.find((end) => end.status === 'rejected')
			assert.ok(isFault(lost?.reason, 'database-busy'), String(lost?.reason))
		} finally {
			await owner.end()
			await other.close()
		}
		const { entries, root, storedRoot } = await ledger.log(sender.tenant)
		assert.deepEqual(entries, [...life.texts, ...next.texts])
		assert.deepEqual(storedRoot, root)
	})

	test('a checkpoint is due after 256 events or when its time has come, and not before', async () => {
		const ledger = testLedger(at.store, 34)
		const { sender, stream } = testController(ledger.random)
		const life = stream()
		life.grow(300)
		const inbox = ledger.inbox()
		const size = async () =>
			(await at.store.read(sender.tenant, (db) => db.first<{ size: number }>(sql`SELECT max(size) AS size FROM checkpoint`)))?.size ?? null
		await inbox.ingest(sender, life.batch(1, 10))
		await ledger.sequence()
		await ledger.tend()
		assert.equal(await size(), null)
		await ledger.clock.advance(30_000)
		await ledger.tend()
		assert.equal(await size(), 10)
		await ledger.clock.advance(60_000)
		await ledger.tend()
		await inbox.ingest(sender, life.batch(11, 265))
		await ledger.sequence()
		await ledger.tend()
		assert.equal(await size(), 10)
		await inbox.ingest(sender, life.batch(266, 266))
		await ledger.sequence()
		await ledger.tend()
		assert.equal(await size(), 266)
		const { origin, publicKey } = await ledger.signerOf(undefined, sender.tenant)
		const note = await at.store.read(sender.tenant, (db) => db.first<{ note: string }>(sql`SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1`))
		assert.ok(openCheckpoint(Buffer.from(note?.note ?? ''), [{ name: origin, publicKey }], nodeCrypto).ok)
	})

	test('a gap of a controller that has gone silent becomes an alarm all the same, once', async () => {
		const ledger = testLedger(at.store, 35)
		const { sender, stream } = testController(ledger.random)
		const life = stream()
		life.grow(9)
		await ledger.inbox().ingest(sender, life.batch(5, 9))
		for (const ms of [0, 299_999, 1, 1]) {
			await ledger.clock.advance(ms)
			await at.store.system((tx) => alarmGaps(tx, { now: ledger.clock.now(), random: ledger.random }))
		}
		await ledger.sequence()
		const facts = (await ledger.log(sender.tenant)).entries.map((text) => JSON.parse(text))
		assert.deepEqual(
			facts.map(({ type, at: when, data }) => [type, when - START, data.from, data.to]),
			[['stream.gap', 300_000, 1, 4]],
		)
	})

	test('events of another month lie in its partition, which is made before it begins; a clock that steps back does not reorder the log', async () => {
		const ledger = testLedger(at.store, 36)
		const { sender } = testController(ledger.random)
		const add = async () => {
			await at.store.write(sender.tenant, (tx) =>
				append(tx, [{ type: 'site.created', subject: 's', actor: 'server', data: {} }], { now: ledger.clock.now(), random: ledger.random }),
			)
			await ledger.sequence()
		}
		await add()
		for (const ms of [31, 365, 31].map((days) => days * 86_400_000)) {
			await ledger.clock.advance(ms)
			await add()
		}
		ledger.clock.stepWall(-400 * 86_400_000)
		await add()
		const rows = await at.store.read(sender.tenant, (db) =>
			db.rows<{ month: number; position: number; part: string }>(
				sql`SELECT month, position, tableoid::regclass::text AS part FROM event ORDER BY position`,
			),
		)
		assert.deepEqual(
			rows,
			[
				[202601, 0],
				[202602, 1],
				[202702, 2],
				[202703, 3],
				[202703, 4],
			].map(([month, position]) => ({ month, position, part: `event_${month}` })),
		)
		assert.equal((await ledger.log(sender.tenant)).entries.length, 5)
		assert.deepEqual([monthOf(Date.UTC(2026, 11, 31, 23, 59, 59, 999)), monthOf(Date.UTC(2027, 0, 1))], [202612, 202701])
	})
})
