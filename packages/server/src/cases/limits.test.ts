import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { ALWAYS_OPEN, createBank, createSite } from '../estate/index.ts'
import { createPerson } from '../people/index.ts'
import { type Store, sealingKey } from '../store/index.ts'
import { createTenant } from '../tenants/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { testLoan } from '../testing/loan.ts'
import { caseApplier } from './index.ts'
import { finishTask, listTasks, type Task } from './task-write.ts'

const START = Date.UTC(2026, 0, 5, 9)
const random = seededRandom(53)
const master = sealingKey(random(32), random)
const change = { actor: 'server', now: START, random, master, installation: random(32) } as const

/** What is found out only when a bank's records come: what happened at the door stands, and people are told. */
describe('what stands though it was not allowed', () => {
	let db: TestStore
	let store: Store
	let tenant: Id<'tenant'>
	const banks: { bank: Id<'bank'>; site: Id<'site'> }[] = []
	before(async () => {
		db = await testStore()
		store = db.store
		tenant = newId('tenant', START, random)
		await store.write(tenant, async (tx) => {
			await createTenant(tx, { name: 'Fernholt', host: 'test' }, { now: START, random, master })
			for (const name of ['HQ', 'Depot']) {
				const site = (await createSite(tx, change, { name, timeZone: 'Europe/Berlin', address: '', calendar: ALWAYS_OPEN })).id
				banks.push({ site, bank: (await createBank(tx, change, { site, name, helpPhone: '110', layout: exampleLayout })).id })
			}
		})
	})
	after(() => db.close())

	const personOf = async (maxLoans?: number) =>
		(
			await store.write(tenant, (tx) =>
				createPerson(tx, change, { personal: { name: 'Ada', labels: {}, externalRefs: [], clientData: {} }, maxLoans }),
			)
		).id
	const take = (at: number, events: readonly StreamEvent[]) =>
		store.write(tenant, (tx) => {
			const { bank, site } = banks[at] ?? assert.fail()
			return caseApplier({ random, master })(tx, events, { sender: undefined as never, bank, site, now: START })
		})
	const loanAt = (at: number, owner: Id<'subject'>) => {
		const loan = testLoan({ bank: banks[at]?.bank ?? assert.fail(), owner }, START, random)
		const [opened, taken] = [loan.take(START), [] as StreamEvent[]]
		taken.push(...opened.splice(-2))
		const opens = () => take(at, opened)
		const goes = () => take(at, taken)
		return { id: loan.id, opens, goes, begins: () => opens().then(goes), ends: () => take(at, loan.giveBack(START)) }
	}
	const tasks = (of: Id<'case'>, open?: boolean): Promise<Task[]> =>
		store.read(tenant, (tx) => listTasks(tx, { case: of, open }, { limit: 20, scopes: [{ kind: 'tenant' }] }))
	const said = async (of: Id<'case'>) => (await tasks(of)).map(({ kind, doneHow, detail }) => [kind, doneHow, detail.loans, detail.limit])

	describe('more on loan than allowed', () => {
		it('a loan that two banks could not know to be one too many stands, and staff are told until the thing is back', async () => {
			const owner = await personOf()
			const [a, b, c] = [loanAt(0, owner), loanAt(1, owner), loanAt(1, owner)]
			for (const one of [a, b]) await one.begins()
			assert.deepEqual([await said(a.id), await said(b.id)], [[], []], 'two are allowed')
			await c.begins()
			assert.deepEqual([await said(a.id), await said(b.id), await said(c.id)], [[], [], [['over-limit', null, 3, 2]]])
			await c.ends()
			assert.deepEqual(await said(c.id), [['over-limit', 'returned', 3, 2]])
		})

		it('another thing that comes back settles it, too, and a limit of one’s own goes before the setting', async () => {
			const owner = await personOf(1)
			const [a, b, c] = [loanAt(0, owner), loanAt(1, owner), loanAt(0, owner)]
			for (const one of [a, b, c]) await one.begins()
			assert.deepEqual([await said(b.id), await said(c.id)], [[['over-limit', null, 2, 1]], [['over-limit', null, 3, 1]]])
			await b.ends()
			assert.deepEqual(
				[await said(b.id), await said(c.id)],
				[[['over-limit', 'returned', 2, 1]], [['over-limit', null, 3, 1]]],
				'two are still too many',
			)
			await a.ends()
			assert.deepEqual(await said(c.id), [['over-limit', 'returned', 3, 1]])
		})

		it('what a person has settled stays as they said', async () => {
			const owner = await personOf(0)
			const one = loanAt(0, owner)
			await one.begins()
			const [task] = await tasks(one.id, true)
			const by = { actor: owner, now: START, random }
			await store.write(tenant, (tx) => finishTask(tx, task?.id ?? assert.fail(), 'settled-with-the-person', undefined, by))
			await one.ends()
			assert.deepEqual(await said(one.id), [['over-limit', 'settled-with-the-person', 1, 0]])
		})

		it('of two that come at the same moment one is told as too many, whichever is counted last', async () => {
			for (let round = 0; round < 8; round++) {
				const owner = await personOf(1)
				const loans = [loanAt(0, owner), loanAt(1, owner)]
				for (const one of loans) await one.opens()
				await Promise.all(loans.map((one) => one.goes()))
				const open = await Promise.all(loans.map(async (one) => (await tasks(one.id, true)).length))
				assert.equal(open[0] === 1, open[1] === 0, `${open}`)
				assert.equal((open[0] ?? 0) + (open[1] ?? 0), 1)
			}
		})
	})
})
