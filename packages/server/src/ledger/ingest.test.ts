import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testKey } from '@latchwork/core/access/testing'
import { canonical, newId } from '@latchwork/core/base'
import { NO_PREVIOUS, type StreamEvent, signHead } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { type Sql, sql } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import type { Applied, Applier, Inbox, Sender, StreamBatch } from './index.ts'
import { START, testController } from './testing/controller.ts'
import { testLedger } from './testing/ledger.ts'

describe('what controllers send', () => {
	let at: TestStore
	let seed = 100
	before(async () => {
		at = await testStore()
	})
	after(() => at.close())

	const setUp = (more: Parameters<ReturnType<typeof testLedger>['inbox']>[0] = {}) => {
		const ledger = testLedger(at.store, seed++)
		const controller = testController(ledger.random)
		const life = controller.stream()
		life.grow(12)
		const facts = async () => {
			await ledger.sequence()
			return (await ledger.log(controller.sender.tenant)).entries.map((text) => JSON.parse(text)).filter((event) => event.source === 'server')
		}
		const told = async () => {
			await ledger.sequence()
			return (await ledger.log(controller.sender.tenant)).entries.filter((text) => JSON.parse(text).source !== 'server')
		}
		return { ledger, ...controller, life, inbox: ledger.inbox(more), facts, told }
	}
	const row = async <R>(sender: Sender, statement: Sql<R>) => at.store.read(sender.tenant, (db) => db.first(statement))
	const refusal = async (inbox: Inbox, sender: Sender, batch: StreamBatch) => {
		const { refused } = await inbox.ingest(sender, batch)
		return refused && [refused.seq, refused.code]
	}

	test('an old message that comes again, whole or in part, changes nothing and is acknowledged', async () => {
		const { inbox, sender, life, told } = setUp()
		await inbox.ingest(sender, life.batch(1, 6))
		assert.equal((await inbox.ingest(sender, life.batch(1, 6))).seq, 6)
		assert.equal((await inbox.ingest(sender, life.batch(2, 4))).seq, 6)
		assert.deepEqual(await told(), life.texts.slice(0, 6))
		assert.equal((await inbox.ingest(sender, life.batch(3, 3))).seq, 6)
		assert.equal((await inbox.ingest(sender, life.batch(4, 9))).seq, 9)
		assert.deepEqual(await told(), life.texts.slice(0, 9))
	})

	test('what comes before its past is held back, asked for, and an alarm after five minutes; the alarm ends with the gap', async () => {
		const { inbox, sender, life, told, facts, ledger } = setUp()
		await inbox.ingest(sender, life.batch(1, 2))
		const held = { stream: life.id, seq: 2, want: { from: 3, to: 6 } }
		assert.deepEqual(await inbox.ingest(sender, life.batch(7, 9)), held)
		await ledger.clock.advance(299_000)
		assert.deepEqual(await inbox.ingest(sender, life.batch(7, 9)), held)
		assert.deepEqual(await facts(), [])
		await ledger.clock.advance(1_000)
		await inbox.ingest(sender, life.batch(7, 9))
		await inbox.ingest(sender, life.batch(7, 9))
		assert.deepEqual(
			(await facts()).map(({ type, subject, data }) => [type, subject, data]),
			[['stream.gap', life.id, { controller: sender.controller, from: 3, to: 6 }]],
		)
		assert.deepEqual(await told(), life.texts.slice(0, 2))
		assert.equal((await inbox.ingest(sender, life.batch(3, 6))).seq, 6)
		assert.equal((await inbox.ingest(sender, life.batch(7, 9))).seq, 9)
		assert.deepEqual(await told(), life.texts.slice(0, 9))
		assert.deepEqual(
			(await facts()).map(({ type }) => type),
			['stream.gap', 'stream.gap-closed'],
		)
		assert.deepEqual(await row(sender, sql`SELECT alarm, gap_since, gap_to FROM stream`), { alarm: null, gap_since: null, gap_to: null })
	})

	test('a sequence told differently is refused and an alarm once, wherever it stands; the first history stays and goes on', async () => {
		const { inbox, sender, bank, key, life, told, facts } = setUp()
		await inbox.ingest(sender, life.batch(1, 6))
		/** The same stream with another event from `seq` on, well chained in itself. */
		const forged = (seq: number) => {
			const other = [...life.texts]
			for (let i = seq - 1; i < other.length; i++) {
				const event = JSON.parse(other[i] ?? '') as StreamEvent
				const previous = i === 0 ? NO_PREVIOUS : hashOf(other[i - 1] ?? '')
				other[i] = canonical({ ...event, prev: previous, data: { forged: true } })
			}
			return (first: number, last: number): StreamBatch => ({ stream: life.id, first, events: other.slice(first - 1, last) })
		}
		for (const [batch, seq] of [
			[forged(6)(6, 6), 6],
			[forged(3)(2, 5), 3],
			[forged(1)(1, 12), 1],
			// Only what follows is shown: the past that it builds on is another one.
			[forged(5)(7, 9), 6],
		] as const) {
			const answer = await inbox.ingest(sender, batch)
			assert.deepEqual([answer.seq, answer.refused?.code, answer.refused?.seq], [6, 'equivocation', seq])
		}
		const lie = signHead({ stream: life.id, seq: 6, hash: 'ab'.repeat(32) }, START, 'edge-1', key.sign)
		assert.deepEqual(await refusal(inbox, sender, life.batch(6, 6, { head: lie })), [6, 'equivocation'])
		assert.deepEqual(
			(await facts()).map(({ type, data, bank }) => [type, data.seq, bank]),
			[['stream.equivocation', 6, bank]],
		)
		assert.equal((await inbox.ingest(sender, life.batch(5, 12))).seq, 12)
		assert.deepEqual(await told(), life.texts)
		assert.deepEqual(await row(sender, sql`SELECT alarm FROM stream`), { alarm: 'equivocation' })
	})

	test('what is not the canonical event that belongs there is refused; what came before it in the message is kept', async () => {
		const { inbox, sender, life, told } = setUp()
		const [one = '', two = '', three = ''] = life.texts
		const event = JSON.parse(three) as StreamEvent
		const wrong: Record<string, string> = {
			'no JSON': '{',
			'not canonical': JSON.stringify(event, null, 1),
			'another order': `{"type":${JSON.stringify(event.type)},${three.slice(1).replace(/,"type":"[^"]*"/, '')}`,
			'unknown field': canonical({ ...event, name: 'x' }),
			'unknown type': canonical({ ...event, type: 'visit.began' }),
			'a later sequence': life.texts[3] ?? '',
			'another stream': canonical({ ...event, stream: newId('stream', 1, (n) => new Uint8Array(n)) }),
			'half a surrogate pair': three.replace('"n":', '"\ud800":'),
		}
		for (const [what, text] of Object.entries(wrong)) {
			const answer = await inbox.ingest(sender, { stream: life.id, first: 1, events: [one, two, text, life.texts[3] ?? ''] })
			assert.deepEqual([answer.seq, answer.refused?.code, answer.refused?.seq], [2, 'malformed', 3], what)
		}
		const chain = canonical({ ...event, prev: NO_PREVIOUS })
		assert.deepEqual(await refusal(inbox, sender, { stream: life.id, first: 2, events: [two, chain] }), [3, 'chain'])
		assert.deepEqual(await told(), [one, two])
		assert.equal((await inbox.ingest(sender, life.batch(1, 12))).seq, 12)
	})

	test('events of a foreign bank and streams of another controller are refused; the own ones of both go on', async () => {
		const { inbox, sender, life, told, ledger, stream } = setUp()
		await inbox.ingest(sender, life.batch(1, 3))
		const other = testController(ledger.random, sender.tenant)
		assert.deepEqual(await refusal(inbox, other.sender, stream().batch(1, 1)), [1, 'foreign-bank'])
		const both: Sender = { ...other.sender, banks: new Map([...other.sender.banks, ...sender.banks]) }
		assert.deepEqual(await refusal(inbox, both, life.batch(4, 6)), [4, 'foreign-stream'])
		assert.equal((await inbox.ingest(other.sender, other.stream().batch(1, 1))).seq, 1)
		assert.equal((await inbox.ingest(sender, life.batch(4, 6))).seq, 6)
		assert.equal((await told()).length, 7)
	})

	test('a text that the database cannot hold stops no stream: the bytes are kept, and the filter has a mark in its place', async () => {
		const { inbox, sender, life, told } = setUp()
		life.add({ type: 'visit.started', subject: 'vis\0', actor: 'edge', data: { text: '\0' } })
		assert.equal((await inbox.ingest(sender, life.batch(1, 13))).seq, 13)
		assert.deepEqual(await told(), life.texts)
		const found = await row(sender, sql<{ seq: number }>`SELECT seq FROM event WHERE subject = ${'vis\ufffd'}`)
		assert.deepEqual(found, { seq: 13 })
	})

	test('a stranger who copies a stream into another tenant reaches nothing of the first', async () => {
		const { inbox, sender, life, told, ledger } = setUp()
		await inbox.ingest(sender, life.batch(1, 6))
		const stranger: Sender = { ...testController(ledger.random).sender, banks: sender.banks }
		assert.equal((await inbox.ingest(stranger, life.batch(1, 12))).seq, 12)
		assert.equal((await inbox.ingest(sender, life.batch(6, 7))).seq, 7)
		assert.deepEqual(await told(), life.texts.slice(0, 7))
	})

	test('a signed head is kept when it is signed by this controller and fits; else nothing of its message is taken', async () => {
		const { inbox, sender, life, key } = setUp()
		const signed = life.signedHead()
		const forged = signHead({ stream: life.id, seq: 12, hash: signed.hash }, START, 'edge-1', testKey().sign)
		for (const head of [
			forged,
			{ ...signed, keyId: 'edge-2' },
			{ ...signed, at: 1 },
			{ ...signed, stream: newId('stream', 2, (n) => new Uint8Array(n)) },
		])
			assert.deepEqual(await refusal(inbox, sender, life.batch(1, 12, { head })), [12, 'head-signature'])
		assert.equal(await row(sender, sql`SELECT FROM stream`), undefined)
		await inbox.ingest(sender, life.batch(1, 12, { head: signed }))
		assert.deepEqual((await row(sender, sql<{ head: unknown }>`SELECT signed_head AS head FROM stream`))?.head, signed)
		assert.ok(key)
	})

	test('state changes in the same transaction; an event that cannot be applied leaves a fact, and those around it are applied', async () => {
		const applied: number[] = []
		const settled: number[] = []
		const applier: Applier = async (tx, events, { bank }) => {
			for (const { seq } of events) {
				await tx.run(sql`INSERT INTO cursor (tenant_id, name, position) VALUES (${tx.tenant}, ${`test-${bank}-${seq}`}, ${seq})`)
				if (seq === 4) await tx.run(sql`SELECT 1 / 0`)
				if (seq === 8) throw new TypeError('a mistake of ours')
				applied.push(seq)
			}
		}
		const unapplied = async (_: unknown, { seq }: StreamEvent, { bank }: Applied) => {
			assert.ok(bank)
			settled.push(seq)
			if (seq === 8) throw new TypeError('here, too')
		}
		const { inbox, sender, life, facts, told } = setUp({ appliers: [applier], unapplied })
		assert.equal((await inbox.ingest(sender, life.batch(1, 2))).seq, 2)
		assert.deepEqual(applied.splice(0), [1, 2])
		assert.equal((await inbox.ingest(sender, life.batch(1, 12))).seq, 12)
		assert.deepEqual(await told(), life.texts)
		assert.deepEqual(settled, [4, 8])
		assert.deepEqual(
			(await facts()).map(({ type, cause, data }) => [type, cause, data.code]),
			[
				['stream.event-unapplied', `${life.id}/4`, 'unexpected'],
				['stream.event-unapplied', `${life.id}/8`, 'unexpected'],
			],
		)
		const rows = await at.store.read(sender.tenant, (db) => db.rows<{ n: number }>(sql`SELECT position AS n FROM cursor ORDER BY 1`))
		assert.deepEqual(
			rows.map(({ n }) => n),
			[1, 2, 3, 5, 6, 7, 9, 10, 11, 12],
		)
	})

	test('messages that wait together are answered each for itself, in the order of each stream', async () => {
		const { inbox, sender, life, ledger, told } = setUp()
		const others = Array.from({ length: 5 }, () => testController(ledger.random, sender.tenant))
		const lives = others.map((one) => {
			const other = one.stream()
			other.grow(30)
			return { sender: one.sender, other }
		})
		const messages = [1, 11, 21].flatMap((first) => lives.map(({ sender: from, other }) => ({ from, batch: other.batch(first, first + 9) })))
		const strange = { ...life.batch(1, 3), first: 2 ** 53 - 2 }
		const [refused, ...answers] = await Promise.all([
			inbox.ingest(sender, strange),
			...messages.map(({ from, batch }) => inbox.ingest(from, batch)),
			inbox.ingest(sender, life.batch(1, 12)),
		])
		assert.equal(refused.refused?.code, 'malformed')
		assert.deepEqual(
			answers.map(({ seq }) => seq),
			[...[10, 20, 30].flatMap((seq) => lives.map(() => seq)), 12],
		)
		assert.equal((await told()).length, 162)
	})
})

const hashOf = (text: string) => Buffer.from(nodeCrypto.sha256(Buffer.from(text))).toString('hex')
