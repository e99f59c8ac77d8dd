import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openCheckpoint } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { sql } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { append } from './index.ts'
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
})
