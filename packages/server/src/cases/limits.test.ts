import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { ALWAYS_OPEN, createBank, createSite } from '../estate/index.ts'
import { changePerson, createPerson, erasePerson, findPerson, issueBadge, revokeCredential } from '../people/index.ts'
import { type Store, sealingKey, sql } from '../store/index.ts'
import { createTenant } from '../tenants/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { testLoan } from '../testing/loan.ts'
import { caseOf } from './case-read.ts'
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
	let serial = 0
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

	describe('rights that were taken away before', () => {
		const MINUTE = 60_000
		type Taken = 'suspended' | 'badge' | 'erased' | 'badge-ended'
		interface Row {
			readonly name: string
			/** What was taken away, and when; `until`: given back then. */
			readonly taken?: Taken
			readonly at?: number
			readonly until?: number
			/** When the door opened; the server hears of it much later. */
			readonly opened: number
			readonly act?: 'collect' | 'deposit' | 'inspect'
			readonly noCase?: true
			readonly otherBadge?: true
			readonly offline?: true
			readonly flagged?: 'user' | 'credential'
		}
		const rows: readonly Row[] = [
			{ name: 'nothing was taken away', opened: 10 },
			{ name: 'suspended before, at a bank that was cut off', taken: 'suspended', at: 5, opened: 10, offline: true, flagged: 'user' },
			{ name: 'suspended before, at a bank that heard of it too late', taken: 'suspended', at: 5, opened: 10, flagged: 'user' },
			{ name: 'suspended afterwards, and taken in after that', taken: 'suspended', at: 15, opened: 10, offline: true },
			{ name: 'suspended and let in again before', taken: 'suspended', at: 5, until: 8, opened: 10 },
			{ name: 'suspended then, and let in again before it is taken in', taken: 'suspended', at: 5, until: 20, opened: 10, flagged: 'user' },
			{ name: 'a badge that was revoked before', taken: 'badge', at: 5, opened: 10, offline: true, flagged: 'credential' },
			{ name: 'a badge that is revoked afterwards', taken: 'badge', at: 15, opened: 10 },
			{ name: 'a badge that had ended by itself', taken: 'badge-ended', at: 5, opened: 10, flagged: 'credential' },
			{ name: 'by another badge than the revoked one', taken: 'badge', at: 5, opened: 10, otherBadge: true },
			{ name: 'erased before', taken: 'erased', at: 5, opened: 10, flagged: 'user' },
			{ name: 'somebody who is suspended brings something back', taken: 'suspended', at: 5, opened: 10, act: 'deposit' },
			{ name: 'a door without a case', taken: 'suspended', at: 5, opened: 10, act: 'inspect', noCase: true, flagged: 'user' },
		]
		for (const row of rows)
			it(`${row.name}: ${row.flagged ? 'told' : 'not told'}`, async () => {
				const subject = await personOf()
				const when = (minutes: number) => ({ ...change, now: START + minutes * MINUTE })
				const ends = row.taken === 'badge-ended' ? { notAfter: START + (row.at ?? 0) * MINUTE } : {}
				const badges = await store.write(tenant, async (tx) => [
					await issueBadge(tx, change, { subject, number: String(70_000_000 + serial++), ...ends }),
					await issueBadge(tx, change, { subject, number: String(70_000_000 + serial++) }),
				])
				const suspend = (suspended: boolean, at: number) =>
					store.write(tenant, async (tx) => {
						const { version } = (await findPerson(tx, subject, change)) ?? assert.fail()
						await changePerson(tx, when(at), subject, version, { suspended })
					})
				if (row.taken === 'suspended') await suspend(true, row.at ?? 0)
				if (row.until !== undefined) await suspend(false, row.until)
				if (row.taken === 'erased') await store.write(tenant, (tx) => erasePerson(tx, when(row.at ?? 0), subject, 1))
				if (row.taken === 'badge') await store.write(tenant, (tx) => revokeCredential(tx, when(row.at ?? 0), badges[0]?.id ?? assert.fail(), 1))

				const at = START + row.opened * MINUTE
				const loan = testLoan({ bank: banks[0]?.bank ?? assert.fail(), owner: subject }, at, random)
				const [opened, ...moved] = loan.take(at)
				assert.ok(opened)
				const session = newId('doorSession', at, random)
				const compartment = newId('compartment', at, random)
				const credential = badges[row.otherBadge ? 1 : 0]?.id ?? assert.fail()
				const release: StreamEvent = {
					...opened,
					stream: newId('stream', at, random),
					type: 'door-session.releasing',
					subject: session,
					offline: row.offline ?? false,
					data: { act: row.act ?? 'collect', credential, compartment, ...(!row.noCase && { case: loan.id }) },
				}
				await take(0, [opened, ...moved, release])
				const { state, conflict } = await store.read(tenant, (tx) => caseOf(tx, loan.id))
				assert.deepEqual([state, conflict], ['on-loan', null], 'it stands')
				const facts = await store.write(tenant, (tx) =>
					tx.rows<{ text: string }>(
						sql`SELECT convert_from(bytes, 'UTF8') AS text FROM event_pending WHERE tenant_id = ${tenant} AND type = 'door-session.after-revocation' AND subject = ${session}`,
					),
				)
				const said = facts.map(({ text }) => JSON.parse(text) as { cause: string; data: Record<string, unknown> })
				const open = (
					await store.read(tenant, (tx) => listTasks(tx, { kind: 'after-revocation' }, { limit: 50, scopes: [{ kind: 'tenant' }] }))
				).filter((task) => task.detail.session === session)
				if (!row.flagged) return assert.deepEqual([said, open], [[], []])
				const [fact] = said
				assert.deepEqual([said.length, fact?.cause], [1, `${release.stream}/${release.seq}`])
				assert.deepEqual(
					[fact?.data.what, fact?.data.since, fact?.data.at, fact?.data.person],
					[row.flagged, START + (row.at ?? 0) * MINUTE, at, subject],
				)
				assert.equal(fact?.data.credential, row.flagged === 'credential' ? credential : undefined)
				const where = row.noCase ? { case: null, compartment } : { case: loan.id, compartment: null }
				assert.deepEqual(
					open.map((task) => ({ case: task.case, compartment: task.compartment })),
					[where],
				)
			})
	})
})
