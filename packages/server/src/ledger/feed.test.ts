import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Id, newId } from '@latchwork/core/base'
import { realClock, type TestStore, testStore } from '../testing/index.ts'
import { type FeedQuery, feeds } from './feed.ts'
import { append } from './index.ts'
import { readEvents } from './read.ts'
import { START } from './testing/controller.ts'
import { testLedger } from './testing/ledger.ts'
import { openWatch, type Watch } from './watch.ts'

describe('live events', () => {
	let at: TestStore
	let ledger: ReturnType<typeof testLedger>
	let watch: Watch
	before(async () => {
		at = await testStore({ pool: 4 })
		ledger = testLedger(at.store, 71)
		watch = openWatch({ store: at.store, pace: realClock, failed: () => {} })
	})
	after(async () => {
		await watch.close()
		await at.close()
	})

	const TYPES = ['site.created', 'site.changed', 'bank.created'] as const
	/** A tenant with events of three types at two sites and two banks, and how to add as many again. */
	const world = () => {
		const tenant = newId('tenant', START, ledger.random)
		const sites = [newId('site', START, ledger.random), newId('site', START, ledger.random)] as const
		const banks = [newId('bank', START, ledger.random), newId('bank', START, ledger.random)] as const
		const grow = async (count: number) => {
			const drafts = Array.from({ length: count }, (_, i) => {
				const type = TYPES[i % 3] ?? TYPES[0]
				return {
					type,
					subject: `s${i % 4}`,
					actor: 'server',
					...(i % 5 && { site: sites[i % 2] }),
					...(i % 7 && { bank: banks[i % 2] }),
					data: {},
				} as const
			})
			await at.store.write(tenant, (tx) => append(tx, drafts, { now: START, random: ledger.random }))
			await ledger.sequence()
		}
		const queries: FeedQuery[] = [
			{},
			{ type: 'site.changed' },
			{ subject: 's3' },
			{ bank: banks[0] },
			{ site: sites[1], type: 'site.created' },
			{ within: { sites: [sites[0]], banks: [] } },
			{ within: { sites: [], banks: [banks[1]] } },
			{ within: { sites: [], banks: [] } },
		]
		const recorded = (query: FeedQuery) =>
			at.store.read(tenant, async (db) => (await readEvents(db, tenant, { ...query, order: 'rising', limit: 1_000 })).map(({ position }) => position))
		return { tenant, grow, queries, recorded }
	}

	/** Follows until the event `last` of the log is there, or would have been. */
	function listener(feed: ReturnType<typeof feeds>, tenant: Id<'tenant'>, query: FeedQuery) {
		const seen: number[] = []
		const end = new AbortController()
		const wanting = new Set<() => void>()
		const done = (async () => {
			for await (const { position } of feed(tenant, -1, query, end.signal)) {
				seen.push(position)
				for (const look of wanting) look()
			}
		})()
		return {
			seen,
			until: (wanted: readonly number[]) =>
				new Promise<void>((resolve) => {
					const look = () => wanted.every((position) => seen.includes(position)) && resolve()
					wanting.add(look)
					look()
				}),
			async close() {
				end.abort()
				await done
			},
		}
	}

	test('what a filter says in SQL of old events it says of live ones, and the look at the log is one, however many listen', async () => {
		const { tenant, grow, queries, recorded } = world()
		await grow(450)
		let looks = 0
		const read: typeof at.store.read = (of, work) => {
			looks += 1
			return at.store.read(of, work)
		}
		const store = { ...at.store, read }
		const feed = feeds({ store, watch, pace: realClock })
		const listeners = [...queries, ...Array.from({ length: 50 }, () => ({}))].map((query) => ({ query, ...listener(feed, tenant, query) }))
		const all = async () => {
			for (const { query, until } of listeners) await until(await recorded(query))
			// Behind the last event of those who hear all, the others have passed it, too.
			for (const { query, seen } of listeners) assert.deepEqual(seen, await recorded(query), JSON.stringify(query))
		}
		await all()
		for (let round = 0; round < 3; round++) {
			looks = 0
			await grow(60)
			await all()
			// One for all who were told at once; who was told again while it ran looks once more.
			assert.ok(looks > 0 && looks <= 10, `${looks} looks for ${listeners.length} listeners`)
		}
		for (const { close } of listeners) await close()
	})

	test('whoever is woken while a look is under way does not take that one’s word for what came after it', async () => {
		const { tenant, grow } = world()
		await grow(1)
		const held = Promise.withResolvers<void>()
		let hold = false
		const begun = Promise.withResolvers<void>()
		const read: typeof at.store.read = async (of, work) => {
			const answer = await at.store.read(of, work)
			if (!hold) return answer
			hold = false
			begun.resolve()
			await held.promise
			return answer
		}
		const feed = feeds({ store: { ...at.store, read }, watch, pace: realClock })
		const end = new AbortController()
		const [quick, slow] = [feed(tenant, -1, {}, end.signal), feed(tenant, -1, {}, end.signal)]
		for (const one of [quick, slow]) assert.equal((await one.next()).value?.position, 0)
		// Both stand behind position 0; the slow one is not asked for more yet.
		hold = true
		const next = quick.next()
		await grow(1)
		await begun.promise
		const told = Promise.withResolvers<void>()
		const stop = watch.subscribe(() => told.resolve())
		await grow(1)
		await told.promise
		stop()
		const late = slow.next()
		// So that it asks before the look of the quick one ends.
		await new Promise((turn) => setImmediate(turn))
		held.resolve()
		assert.equal((await next).value?.position, 1)
		assert.equal((await late).value?.position, 1)
		assert.equal((await slow.next()).value?.position, 2)
		assert.equal((await quick.next()).value?.position, 2)
		end.abort()
		for (const one of [quick, slow]) await one.return()
	})
})
