import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { compartmentsOf, judgeOutages } from '../estate/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { testEdge } from '../testing/edge.ts'
import { openTask } from './index.ts'
import { dayStart } from './overview-read.ts'

describe('the overview', () => {
	let api: TestApi
	let fernholt: TestTenant
	before(async () => {
		api = await testApi()
		fernholt = await api.tenant('Fernholt')
	})
	after(() => api.close())
	const overview = (token: string) => api.ask('GET', '/v1/overview', { token })

	test('says what is known of each bank, and that nothing needs a person', async () => {
		const { status, body } = await overview(fernholt.owner.token)
		assert.equal(status, 200)
		const [bank] = body.banks
		assert.equal(bank.name, 'Lobby')
		assert.equal(bank.siteName, 'HQ')
		// Nobody has heard of this bank yet: what lies in it is not known.
		assert.deepEqual([bank.free, bank.toCheck, bank.compartments > 0], [0, bank.compartments, true])
		assert.deepEqual(body.counts, { tasks: 0, doors: 0, cases: 0, overdueLoans: 0, conflicts: 0, doorsToday: 0, settledAtBanks: 0 })
	})

	test('names the door and the bank of a task, to those who may see them and to nobody else', async () => {
		const { id, bank, site } = fernholt
		await api.store.write(id, async (tx) => {
			const [first] = await compartmentsOf(tx, bank)
			await openTask(tx, { kind: 'check-compartment', site, bank, compartment: first?.id }, { now: api.clock.now(), random: api.parts.random })
		})
		const [task] = (await overview(fernholt.owner.token)).body.tasks
		assert.equal(task.kind, 'check-compartment')
		assert.equal(task.bankName, 'Lobby')
		assert.equal(typeof task.door, 'number')
		const elsewhere = await api.person(fernholt, { role: 'desk-staff', scope: { kind: 'site', id: fernholt.otherSite } })
		const seen = (await overview(elsewhere.token)).body
		assert.deepEqual([seen.tasks, seen.banks, seen.counts.tasks], [[], [], 0])
		const here = await api.person(fernholt, { role: 'desk-staff', scope: { kind: 'site', id: site } })
		assert.equal((await overview(here.token)).body.counts.tasks, 1)
		const stranger = await api.tenant('Riverside')
		assert.equal((await overview(stranger.owner.token)).body.counts.tasks, 0)
	})

	test('what stands open, is stuck or cannot be seen is told, whatever tasks say and whoever has done them', async () => {
		const depot = await api.tenant('Depot')
		const { token } = depot.owner
		const edge = await testEdge(api, depot)
		const id = (number: number) => edge.doors.get(number) ?? assert.fail()
		const bank = async () => (await overview(token)).body.banks[0]
		await edge.heard(true)
		const all = edge.doors.size
		assert.deepEqual([(await bank()).unknown, (await bank()).noBoards, (await bank()).free], [all, true, 0], 'its controller has told of no board')
		await edge.tell(
			{ type: 'board.returned', subject: 'bus-a/0', data: { compartments: [...edge.doors.values()] } },
			...[...edge.doors.values()].map((subject) => ({ type: 'compartment.returned-to-service' as const, subject, data: { content: 'empty' } })),
		)
		assert.deepEqual([(await bank()).unknown, (await bank()).noBoards, (await bank()).free], [0, false, all])
		await edge.tell(
			{ type: 'board.lost', subject: 'bus-a/1', data: { compartments: [id(1), id(2), id(3)] } },
			{ type: 'reader.lost', subject: 'rdr_1', data: {} },
		)
		const silent = await bank()
		assert.deepEqual([silent.silentBoards, silent.silentReaders, silent.unknown, silent.free], [['bus-a/1'], ['rdr_1'], 3, all - 3])
		await edge.tell(
			{ type: 'board.returned', subject: 'bus-a/1', data: { compartments: [id(1), id(2), id(3)] } },
			{ type: 'door.forced', subject: id(4), data: {} },
			{ type: 'task.created', subject: id(4), data: { kind: 'check-compartment', why: 'forced' } },
		)
		const before = (await overview(token)).body
		assert.deepEqual([before.tasks.length, before.doors, before.counts.doors], [1, [], 0], 'a task says it already')
		const done = await api.ask('POST', `/v1/tasks/${before.tasks[0].id}/completions`, { token, body: { how: 'nothing-to-do' } })
		assert.equal(done.status, 201, done.text)
		const after = (await overview(token)).body
		assert.deepEqual(
			after.doors.map(({ door, bankName, alarm, open }: Record<string, unknown>) => ({ door, bankName, alarm, open })),
			[{ door: 4, bankName: 'Lobby', alarm: 'forced', open: true }],
		)
		assert.deepEqual([after.counts.tasks, after.counts.doors], [0, 1])
		const elsewhere = await api.person(depot, { role: 'desk-staff', scope: { kind: 'site', id: depot.otherSite } })
		assert.deepEqual((await overview(elsewhere.token)).body.doors, [])
		await edge.tell({ type: 'compartment.returned-to-service', subject: id(4), data: { content: 'empty' } })
		assert.deepEqual((await overview(token)).body.doors, [])
	})

	test('a case shows what is recorded of it; whoever may not see it gets nothing', async () => {
		const { token } = fernholt.owner
		const booked = await api.ask('POST', '/v1/deliveries', {
			token,
			body: { bank: fernholt.bank, label: 'Monitor', lines: [{ size: 'S' }] },
		})
		assert.equal(booked.status, 201, booked.text)
		const of = `/v1/cases/${booked.body.delivery.id}/timeline`
		const types = async () => (await api.ask('GET', of, { token })).body.items.map(({ type }: { type: string }) => type)
		assert.deepEqual(await types(), [], 'nothing has its position in the ledger yet')
		await api.sign(fernholt.id)
		assert.ok((await types()).includes('delivery.booked'), `${await types()}`)
		assert.equal((await api.ask('GET', of, { token: (await api.person(fernholt, { role: 'courier' })).token })).status, 403)
		assert.equal((await api.ask('GET', of, { token: (await api.tenant('Harbour')).owner.token })).status, 404)
	})

	test('who is shown a pick-up code again stands in the ledger of its case, without the code', async () => {
		const { token } = fernholt.owner
		const desk = await api.person(fernholt, { role: 'desk-staff' })
		const body = { bank: fernholt.bank, label: 'Keyboard', lines: [{ size: 'S' }] }
		const { delivery, pickUpCode } = (await api.ask('POST', '/v1/deliveries', { token, body })).body
		const read = (by: string) => api.ask('POST', `/v1/deliveries/${delivery.id}/code-readings`, { token: by })
		const shown = await read(desk.token)
		assert.deepEqual([shown.status, shown.body.pickUpCode.digits], [201, pickUpCode.digits])
		assert.equal((await read((await api.person(fernholt, { role: 'auditor' })).token)).status, 403)
		await api.sign(fernholt.id)
		const looks = (await api.ask('GET', `/v1/cases/${delivery.id}/timeline`, { token })).body.items.filter(
			({ type }: { type: string }) => type === 'delivery.code-shown',
		)
		assert.deepEqual(
			looks.map(({ actor, data }: { actor: string; data: object }) => [actor, Object.keys(data)]),
			[[desk.id, ['credential']]],
		)
		assert.ok(!JSON.stringify(looks).includes(pickUpCode.digits))
		await api.ask('POST', `/v1/deliveries/${delivery.id}/recalls`, { token, body: { reason: 'sender-asks' } })
		assert.deepEqual((await read(desk.token)).body, {}, 'a code that was stopped is not shown')
	})

	test('people are looked up by many ids at once', async () => {
		const [one, two] = [await api.person(fernholt), await api.person(fernholt)]
		const { body } = await api.ask('GET', `/v1/users?ids=${one.id},${two.id}`, { token: fernholt.owner.token })
		assert.deepEqual(body.items.map(({ id }: { id: string }) => id).sort(), [one.id, two.id].sort())
		assert.equal((await api.ask('GET', '/v1/users?ids=me', { token: fernholt.owner.token })).status, 400)
	})

	test('a day begins at the site’s midnight', () => {
		const now = Date.parse('2026-07-01T00:30:15.250Z')
		assert.equal(new Date(dayStart(now, 'Europe/Berlin')).toISOString(), '2026-06-30T22:00:00.000Z')
		assert.equal(new Date(dayStart(now, 'America/New_York')).toISOString(), '2026-06-30T04:00:00.000Z')
		assert.equal(new Date(dayStart(now, 'Asia/Kolkata')).toISOString(), '2026-06-30T18:30:00.000Z')
	})

	test('when a bank was not heard in the last day is told, raw or confirmed, ended or not, and what banks settled themselves', async () => {
		const depot = await api.tenant('Silent depot')
		const { token } = depot.owner
		const edge = await testEdge(api, depot)
		const [minute, hour] = [60_000, 3_600_000]
		const judge = () => api.store.system((tx) => judgeOutages(tx, api.clock.now(), 0, api.parts.random))
		/** Away for so long, looked at as the server does, and back. */
		const away = async (ms: number) => {
			const from = api.clock.now()
			await edge.heard(true)
			for (let gone = 0; gone < ms; gone += minute) {
				await api.clock.advance(minute)
				await judge()
			}
			await edge.heard(true)
			await api.sign(depot.id)
			return { bank: depot.bank, from: new Date(from).toISOString(), to: new Date(api.clock.now()).toISOString() }
		}
		await away(20 * minute)
		await api.clock.advance(25 * hour)
		const raw = await away(5 * minute)
		await api.clock.advance(hour)
		const confirmed = await away(30 * minute)
		const outages = async (by: string) => (await overview(by)).body.outages
		assert.deepEqual(await outages(token), [
			{ ...raw, confirmed: false },
			{ ...confirmed, confirmed: true },
		])
		const since = new Date(api.clock.now()).toISOString()
		await api.clock.advance(3 * minute)
		await judge()
		assert.deepEqual((await outages(token)).at(-1), { bank: depot.bank, from: since, confirmed: false })
		const elsewhere = await api.person(depot, { role: 'desk-staff', scope: { kind: 'site', id: depot.otherSite } })
		assert.deepEqual(await outages(elsewhere.token), [])

		const [door = assert.fail()] = edge.doors.values()
		await edge.tell({ type: 'task.created', subject: door, data: { kind: 'check-compartment', why: 'forced' } })
		assert.deepEqual((await overview(token)).body.counts.settledAtBanks, 0)
		await edge.tell({ type: 'compartment.returned-to-service', subject: door, data: { content: 'empty' } })
		assert.deepEqual((await overview(token)).body.counts.settledAtBanks, 1)
		assert.deepEqual((await overview(elsewhere.token)).body.counts.settledAtBanks, 0)
		await api.clock.advance(25 * hour)
		assert.deepEqual((await overview(token)).body.counts.settledAtBanks, 0)
	})
})
