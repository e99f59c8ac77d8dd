import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { canonical } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import fc from 'fast-check'
import { nodeCrypto } from '../crypto.ts'
import { type Store, sql } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import type { Inbox, Sender, StreamAnswer, StreamBatch } from './index.ts'
import { testController } from './testing/controller.ts'
import { testLedger } from './testing/ledger.ts'

const LENGTH = 20
const RUNS = 25

/** What a network, a restart or a liar may do to a message of one of three streams: where it begins, seen from what is known, and its damage at `where`. */
const DAMAGES = ['bit', 'forged', 'swapped', 'unlinked', 'foreign'] as const
const message = fc.record({
	stream: fc.nat({ max: 2 }),
	ahead: fc.integer({ min: -8, max: 2 }),
	length: fc.integer({ min: 1, max: 8 }),
	damage: fc.oneof({ weight: 1, arbitrary: fc.constant('none' as const) }, fc.constantFrom(...DAMAGES)),
	where: fc.nat({ max: 7 }),
})
type Message = typeof message extends fc.Arbitrary<infer M> ? M : never

const hash = (text: string) => Buffer.from(nodeCrypto.sha256(Buffer.from(text))).toString('hex')

/** The message as sent, and the first sequence in it that is not what the controller minted. */
function send(
	{ ahead, length, damage, where }: Message,
	known: number,
	id: StreamBatch['stream'],
	texts: readonly string[],
): { batch: StreamBatch; wrong: number } {
	const first = Math.min(LENGTH, Math.max(1, known + 1 + ahead))
	const events = texts.slice(first - 1, first - 1 + length)
	const at = where % events.length
	if (damage === 'bit') events[at] = (events[at] ?? '').replace('"mono":', '"mono": ')
	if (damage === 'swapped' && events.length > 1) events.push(...events.splice(at, 1))
	if (damage === 'unlinked' && at > 0) events[at] = canonical({ ...(JSON.parse(events[at] ?? '') as StreamEvent), prev: hash('') })
	if (damage === 'forged') {
		for (let i = at; i < events.length; i++) {
			const event = JSON.parse(events[i] ?? '') as StreamEvent
			events[i] = canonical({ ...event, ...(i > at && { prev: hash(events[i - 1] ?? '') }), data: { forged: true } })
		}
	}
	const wrong = events.findIndex((text, i) => text !== texts[first - 1 + i])
	return { batch: { stream: id, first, events }, wrong: wrong < 0 ? Number.POSITIVE_INFINITY : first + wrong }
}

describe('streams under everything that may happen to messages', () => {
	let at: TestStore
	before(async () => {
		at = await testStore()
	})
	after(() => at.close())

	let seed = 1_000
	/** Lives of three streams, held against the model. `spoilt` may break what is under test; `count` is told what happened. */
	function property(spoilt: (inbox: Inbox, store: Store) => Inbox, count: (what: string) => void) {
		return fc.asyncProperty(fc.array(message, { minLength: 10, maxLength: 40 }), async (messages) => {
			const ledger = testLedger(at.store, seed++)
			const one = testController(ledger.random)
			const lives = Array.from({ length: 3 }, () => one.stream())
			for (const life of lives) life.grow(LENGTH)
			const foreign: Sender = { ...testController(ledger.random, one.sender.tenant).sender, banks: one.sender.banks }
			const inbox = spoilt(ledger.inbox(), at.store)
			/** The model: how much of each stream is there. */
			const known = [1, 1, 1]
			for (const life of lives) await inbox.ingest(one.sender, life.batch(1, 1))
			for (const each of messages) {
				const life = lives[each.stream]
				const durable = known[each.stream] ?? 0
				assert.ok(life)
				const { batch, wrong } = send(each, durable, life.id, life.texts)
				// What is told first is the history, nobody can know better: such a lie is not told here.
				if (each.damage === 'forged' && wrong > durable && batch.first <= durable + 1) continue
				const answer = await inbox.ingest(each.damage === 'foreign' ? foreign : one.sender, batch)
				const said = describeAnswer(answer)
				count(said)
				const last = batch.first + batch.events.length - 1
				if (each.damage === 'foreign') assert.equal(said, 'foreign-stream')
				else if (wrong === Number.POSITIVE_INFINITY && batch.first > durable + 1)
					assert.deepEqual(answer, { stream: life.id, seq: durable, want: { from: durable + 1, to: batch.first - 1 } })
				else if (wrong === Number.POSITIVE_INFINITY) {
					assert.deepEqual(answer, { stream: life.id, seq: Math.max(durable, last) })
					known[each.stream] = Math.max(durable, last)
				} else if (each.damage === 'forged' && wrong <= durable) assert.equal(said, 'equivocation')
				else {
					assert.ok(answer.refused || answer.want, said)
					const good = batch.first > durable + 1 ? durable : Math.max(durable, wrong - 1)
					assert.equal(answer.seq, good)
					known[each.stream] = good
				}
			}
			await ledger.sequence()
			for (const life of lives) await inbox.ingest(one.sender, life.batch(1, LENGTH))
			await ledger.sequence()
			const log = await ledger.log(one.sender.tenant)
			const told = log.entries.filter((text) => !text.includes('"source":"server"'))
			for (const life of lives)
				assert.deepEqual(
					told.filter((text) => text.includes(life.id)),
					life.texts,
				)
			assert.equal(told.length, 3 * LENGTH)
			assert.deepEqual(Buffer.from(log.root), Buffer.from(log.storedRoot))
			count('whole logs')
		})
	}

	test('each answer is that of the model, and at the end every event is in the log once, in order', async (t) => {
		const seen = new Map<string, number>()
		const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
		await fc.assert(
			property((inbox) => inbox, count),
			{ numRuns: RUNS, seed: 20261126 },
		)
		t.diagnostic([...seen].map(([what, times]) => `${what} ${times}`).join(', '))
		for (const what of ['taken', 'want', 'malformed', 'chain', 'equivocation', 'foreign-stream', 'whole logs'])
			assert.ok((seen.get(what) ?? 0) >= 10, `${what} was hardly ever reached`)
	})

	/** An inbox with one mistake. */
	const MISTAKES: Record<string, (inbox: Inbox, store: Store) => Inbox> = {
		'acknowledges one event too many': (inbox) => ({
			ingest: async (sender, batch) => inbox.ingest(sender, batch).then((answer) => ({ ...answer, seq: answer.seq + 1 })),
		}),
		'passes over a gap': (inbox) => ({
			ingest: async (sender, batch) => inbox.ingest(sender, batch).then(({ want: _, ...answer }) => answer),
		}),
		'takes a lie for a repetition': (inbox) => ({
			ingest: async (sender, batch) =>
				inbox.ingest(sender, batch).then(({ refused, ...answer }) => (refused && refused.code !== 'equivocation' ? { ...answer, refused } : answer)),
		}),
		'believes whoever knows the name of a stream': (inbox) => {
			let first: Sender | undefined
			return {
				ingest(sender, batch) {
					first ??= sender
					return inbox.ingest(first, batch)
				},
			}
		},
		'records a repetition twice': (inbox, store) => ({
			async ingest(sender, batch) {
				const answer = await inbox.ingest(sender, batch)
				if (batch.first === 1 && batch.events.length === LENGTH) await store.system((tx) => tx.run(TWICE))
				return answer
			},
		}),
	}

	for (const [mistake, spoilt] of Object.entries(MISTAKES)) {
		test(`the model finds an inbox that ${mistake}`, async () => {
			const found = await fc.check(
				property(spoilt, () => {}),
				{ numRuns: 10, seed: 7, endOnFailure: true },
			)
			assert.ok(found.failed && found.errorInstance instanceof assert.AssertionError, String(found.errorInstance))
		})
	}
})

const TWICE = sql`INSERT INTO event_pending (tenant_id, leaf, bytes, type, subject, bank, stream, seq, at, received)
	SELECT tenant_id, leaf, bytes, type, subject, bank, stream, seq, at, received FROM event_pending ORDER BY arrival DESC LIMIT 1`

const describeAnswer = ({ want, refused }: StreamAnswer): string => refused?.code ?? (want ? 'want' : 'taken')
