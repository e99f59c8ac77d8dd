import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { openCheckpoint } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { openStore, sql } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { append, type Inbox } from './index.ts'
import { testController } from './testing/controller.ts'
import { testLedger } from './testing/ledger.ts'

describe('the ledger', () => {
	let at: TestStore
	before(async () => {
		at = await testStore()
	})
	after(() => at.close())

	test('facts and events get gap-free positions in the order of their arrival, and the tree is that of their bytes', async () => {
		const ledger = testLedger(at.store, 1)
		const { sender, stream } = testController(ledger.random)
		const life = stream()
		life.grow(600)
		const inbox = ledger.inbox()
		await at.store.write(sender.tenant, (tx) =>
			append(tx, [{ type: 'site.created', subject: 'sit', actor: 'server', data: {} }], { now: 1, random: ledger.random }),
		)
		for (let first = 1; first <= 600; first += 64) {
			const answer = await inbox.ingest(sender, life.batch(first, first + 63))
			assert.deepEqual(answer, { stream: life.id, seq: Math.min(600, first + 63) })
			await ledger.sequence()
		}
		const log = await ledger.log(sender.tenant)
		assert.deepEqual(log.entries.slice(1), life.texts)
		assert.deepEqual(log.storedRoot, log.root)
		assert.equal(await ledger.checkpoint(sender.tenant), 601)
		const note = await at.store.read(sender.tenant, (db) => db.first<{ note: string }>(sql`SELECT note FROM checkpoint`))
		const { origin, publicKey } = await ledger.signerOf(undefined, sender.tenant)
		const opened = openCheckpoint(Buffer.from(note?.note ?? ''), [{ name: origin, publicKey }], nodeCrypto)
		assert.ok(opened.ok)
		assert.deepEqual(Buffer.from(opened.checkpoint.root), Buffer.from(log.root))
	})

	test('one stream that reaches two server processes at once, doubled and out of order, is recorded once and in order', async () => {
		const ledger = testLedger(at.store, 2)
		const other = openStore({ url: at.url, pool: 2 })
		const { sender, stream } = testController(ledger.random)
		const lives = [stream(), stream(), stream()]
		for (const life of lives) life.grow(120)
		/** Two who believe to be the sequencer: the later one starts over. */
		const race = () => ledger.sequence().catch((fault) => assert.ok(isFault(fault, 'database-busy'), fault))
		const inboxes = [ledger.inbox(), ledger.inbox({ store: other })]
		const chance = (below: number) => (ledger.random(1)[0] ?? 0) % below
		/** Sends pieces wherever they may belong, from both sides, until everything is acknowledged. */
		const push = async (life: (typeof lives)[number]) => {
			for (let done = 0; done < 120; ) {
				const answers = await Promise.all(
					Array.from({ length: 4 }, () => {
						const first = Math.max(1, Math.min(120, done - 10 + chance(24)))
						return (inboxes[chance(2)] as Inbox).ingest(sender, life.batch(first, first + chance(12)))
					}),
				)
				for (const { seq, refused } of answers) {
					assert.equal(refused, undefined)
					done = Math.max(done, seq)
				}
			}
		}
		try {
			await Promise.all([...lives.map(push), race(), race()])
		} finally {
			await other.close()
		}
		await ledger.sequence()
		const { entries, root, storedRoot } = await ledger.log(sender.tenant)
		for (const life of lives)
			assert.deepEqual(
				entries.filter((text) => text.includes(life.id)),
				life.texts,
			)
		assert.equal(entries.length, 360)
		assert.deepEqual(Buffer.from(storedRoot), Buffer.from(root))
	})

	test('no table of the ledger shows another tenant anything, the own rows are there; recorded events cannot be changed, not even the own', async () => {
		const ledger = testLedger(at.store, 3)
		const { sender, stream, bank, site } = testController(ledger.random)
		const { tenant } = sender
		const life = stream()
		life.grow(300)
		await ledger.inbox().ingest(sender, life.batch(1, 300))
		await ledger.sequence()
		await ledger.checkpoint(tenant)
		await at.store.write(tenant, (tx) => tx.run(sql`INSERT INTO cursor (tenant_id, name, position) VALUES (${tenant}, 'mine', 1)`))
		await at.store.write(tenant, (tx) =>
			append(tx, [{ type: 'bank.changed', subject: bank, actor: 'server', site, bank, data: {} }], { now: 1, random: ledger.random }),
		)
		const tables = ['stream', 'event_pending', 'event', 'ledger_head', 'ledger_month', 'ledger_tile', 'checkpoint', 'cursor']
		const stranger = testController(ledger.random).sender.tenant
		for (const table of tables) {
			const rows = (who: typeof tenant) => at.store.read(who, (db) => db.rows(sql`SELECT 1 FROM ${sql.ref(table)} WHERE tenant_id = ${tenant}`))
			assert.notEqual((await rows(tenant)).length, 0, table)
			assert.equal((await rows(stranger)).length, 0, table)
		}
		const refused = [
			'UPDATE event SET bytes = bytes',
			'DELETE FROM event',
			'DELETE FROM event_pending',
			'UPDATE ledger_head SET size = 0',
			'DELETE FROM checkpoint',
			'UPDATE ledger_tile SET hashes = hashes',
			`INSERT INTO checkpoint (tenant_id, size, number, root, note, signed_at) VALUES ('${tenant}', 1, 9, '', '', 1)`,
			'SELECT 1 FROM event_202601',
			'SELECT latchwork.event_month(209901)',
		]
		for (const statement of refused)
			await assert.rejects(
				at.store.write(tenant, (tx) => tx.run(sql.raw(statement))),
				/permission denied/,
				statement,
			)
		await assert.rejects(
			at.store.write(stranger, (tx) =>
				append(tx, [{ type: 'bank.changed', subject: bank, actor: 'server', data: {} }], { now: 1, random: ledger.random, tenant }),
			),
			/row-level security/,
		)
	})
})
