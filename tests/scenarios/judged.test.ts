import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { type TestApi, type TestTenant, testApi } from '@latchwork/server/testing/api'
import { type TestEdge, testEdge } from '@latchwork/server/testing/edge'

/** What is said of a policy before it counts, on the real API with the engine that banks decide with. */
describe('a policy is looked at', () => {
	let api: TestApi
	let tenant: TestTenant
	let edge: TestEdge
	before(async () => {
		api = await testApi({ engine: cedarEngine })
		tenant = await api.tenant('Fernholt Group')
		edge = await testEdge(api, tenant)
		const staff = await made('/v1/groups', { code: 'staff', name: 'Staff' })
		const ada = await made('/v1/users', { name: 'Ada Berg' })
		assert.equal((await ask('PUT', `/v1/groups/${staff.id}/members/${ada.id}`)).status, 204)
		const type = await made('/v1/asset-types', { code: 'laptop-14', name: 'Laptop' })
		await made('/v1/assets', { type: type.id, tag: 'LT-1', bank: tenant.bank, compartment: edge.doors.get(5) })
	})
	after(() => api?.close())

	const ask = (method: string, path: string, body?: unknown, version?: number) =>
		api.ask(method, path, { token: tenant.owner.token, ...(body !== undefined && { body }), ...(version !== undefined && { version }) })
	const made = async (path: string, body: unknown) => {
		const answer = await ask('POST', path, body)
		assert.equal(answer.status, 201, `${path}: ${answer.text}`)
		return answer.body
	}
	const take = (group: string, type = 'laptop-14') =>
		`permit (principal in Latchwork::Group::"${group}", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"${type}");`
	/** A policy whose texts were in force one after the other, the last of them now. */
	const published = async (code: string, ...texts: string[]): Promise<string> => {
		const [first, ...others] = texts
		let { id, version } = await made('/v1/policies', { code, draft: first })
		const publish = async () => ({ version } = await made(`/v1/policies/${id}/versions`, { version, acceptWarnings: true }))
		await publish()
		for (const draft of others) {
			;({ version } = (await ask('PATCH', `/v1/policies/${id}`, { draft }, version)).body)
			await publish()
		}
		return id
	}
	const versionOf = async (id: string) => (await ask('GET', `/v1/policies/${id}`)).body.version
	const check = async (body: object) => (await ask('POST', '/v1/policy-checks', body)).body.warnings.map(({ code }: { code: string }) => code)
	const back = async (id: string, to: number, more: object = {}) =>
		ask('POST', `/v1/policies/${id}/rollbacks`, { version: await versionOf(id), to, ...more })
	const retire = async (id: string, more = '') => ask('DELETE', `/v1/policies/${id}${more}`, undefined, await versionOf(id))

	test('when an earlier version of it comes back, among the people and things of today', async () => {
		const id = await published('loans', take('nobody-any-more'), take('staff'))
		const refused = await back(id, 1)
		assert.deepEqual([refused.status, refused.body.code], [409, 'policy-warned'], refused.text)
		assert.match(refused.body.detail, /^Lobby: nobody could take anything any more/)
		assert.equal((await ask('GET', `/v1/policies/${id}`)).body.published, 2, 'and nothing of it happened')
		assert.ok((await check({ policy: id, draft: take('nobody-any-more') })).includes('denies-everybody'), 'as is said beforehand')
		assert.equal((await back(id, 1, { acceptWarnings: true })).body.published, 3)
		// The control: what harms nobody comes back without a question.
		assert.equal((await back(id, 2)).status, 201)
	})

	test('when it is taken out of force: what nobody could take then, and what would stand open then', async () => {
		const [{ id: loans }] = (await ask('GET', '/v1/policies')).body.items
		const beside = await published('beside', take('staff', 'no-such-type'))
		assert.deepEqual(await check({ policy: loans, without: true }), ['denies-everybody'])
		const refused = await retire(loans)
		assert.deepEqual([refused.status, refused.body.code], [409, 'policy-warned'], refused.text)
		assert.match(refused.body.detail, /nobody could take anything any more/)
		assert.equal((await ask('GET', `/v1/policies/${loans}`)).body.retiredAt, undefined)
		// The control: without this one everything is as before.
		assert.deepEqual(await check({ policy: beside, without: true }), [])
		assert.equal((await retire(beside)).status, 204)
		assert.equal((await retire(loans, '?acceptWarnings=true')).status, 204)
		assert.deepEqual(await check({ policy: loans, without: true }), [], 'nothing of it is left that could be taken away')

		const open = await published('open', 'permit (principal, action, resource);')
		const gate = await published('gate', 'forbid (principal, action, resource) unless { principal in Latchwork::Group::"staff" };')
		assert.deepEqual(await check({ policy: gate, without: true }), ['opens-everything'])
		assert.equal((await retire(gate)).body.code, 'policy-warned')
		assert.equal((await retire(gate, '?acceptWarnings=true')).status, 204)
		const idle = await published('idle', 'forbid (principal, action, resource) when { context.offline };')
		assert.deepEqual(await check({ policy: idle, without: true }), [], 'it stood open before')
		for (const one of [idle, open]) assert.equal((await retire(one, '?acceptWarnings=true')).status, 204)
	})

	test('by what eight banks decided: each is looked at, and nothing is left out in silence', async () => {
		const BANKS = 8
		const layout = (await ask('GET', `/v1/banks/${tenant.bank}`)).body.layout
		const edges = [edge]
		while (edges.length < BANKS) {
			const { id: bank } = await made('/v1/banks', { site: tenant.site, name: `Floor ${edges.length}`, helpPhone: '110', layout })
			edges.push(await testEdge(api, { ...tenant, bank }))
		}
		const elsewhere = (await made('/v1/banks', { site: tenant.otherSite, name: 'Depot', helpPhone: '110', layout })).id
		const far = await testEdge(api, { ...tenant, site: tenant.otherSite, bank: elsewhere })
		const [{ id: ada }] = (await ask('GET', '/v1/users?search=ada')).body.items
		let n = 0
		const decision = () => ({
			type: 'decision.allowed' as const,
			subject: `dec_019b8d62-7a80-7fd9-b653-${String(++n).padStart(12, '0')}`,
			actor: ada,
			data: {
				...{ rules: ['open/1'], policyVersion: 1, bundleVersion: 1, inputsDigest: '0'.repeat(64), method: 'badge', assurance: 'low' },
				...{ offline: false, stale: false, action: 'collect', workflow: 'delivery', openLoans: 0, overdue: false },
			},
		})
		for (const [i, one] of edges.entries()) await one.tell(...Array.from({ length: i + 1 }, decision))
		await far.tell(...Array.from({ length: 5 }, decision))
		await published('everybody', 'permit (principal, action, resource);')
		const drafted = async (place: object) =>
			(await made('/v1/policies', { code: `no-parcels-${++n}`, draft: 'forbid (principal, action, resource);', ...place })).id
		const replay = async (id: string) => (await ask('POST', `/v1/policies/${id}/replays`, {})).body
		const figures = ({ decisions, banks, banksLeftOut, decisionsLeftOut, gone, untold, nowDenied }: Record<string, unknown>) => ({
			decisions,
			banks,
			banksLeftOut,
			decisionsLeftOut,
			gone,
			untold,
			nowDenied,
		})
		const all = { banksLeftOut: 0, decisionsLeftOut: 0, gone: 0, untold: 0 }
		assert.deepEqual(figures(await replay(await drafted({}))), { ...all, decisions: 41, banks: 9, nowDenied: { times: 41, people: 1 } })
		// The control: what was decided elsewhere is no part of it.
		const here = await drafted({ site: tenant.site })
		assert.deepEqual(figures(await replay(here)), { ...all, decisions: 36, banks: 8, nowDenied: { times: 36, people: 1 } })
	})

	test('by how well controllers keep keys: what-if takes the word of the one there and says so, and a replay leaves out what old records do not say', async () => {
		const [{ id: ada }] = (await ask('GET', '/v1/users?search=ada')).body.items
		const everybody = (await ask('GET', '/v1/policies')).body.items.find(({ code }: { code: string }) => code === 'everybody')
		const statements = [{ kind: 'storage-level', level: 1, about: { anything: true } }]
		const { id: policy } = await made('/v1/policies', { code: 'keys', statements })
		const asked = { user: ada, bank: tenant.bank, type: 'laptop-14', policy }
		const said = async (more: object) => {
			const { inForce, draft, storageLevel } = (await ask('POST', '/v1/what-if', { ...asked, method: 'badge-and-pin', offline: true, ...more })).body
			return [inForce.effect, draft.reason ?? draft.effect, storageLevel]
		}
		assert.deepEqual(await said({}), ['allow', 'policy-denied', undefined], 'a controller that says nothing is taken for the least')
		await edge.heard(true, 'L0')
		assert.deepEqual(await said({}), ['allow', 'policy-denied', 0])
		await edge.heard(true, 'L1')
		assert.deepEqual(await said({}), ['allow', 'allow', 1])
		await edge.heard(true, 'L0')
		for (const other of [{ method: 'badge' }, { offline: false }]) assert.deepEqual(await said(other), ['allow', 'allow', 0])

		const decided = (n: number, more: object) => ({
			type: 'decision.allowed' as const,
			subject: `dec_019b8d62-7a80-7fd9-b653-${String(700_000 + n).padStart(12, '0')}`,
			actor: ada,
			data: {
				...{ rules: ['open/1'], policyVersion: 1, bundleVersion: 1, inputsDigest: '0'.repeat(64), method: 'pin', assurance: 'medium' },
				...{ offline: true, stale: false, action: 'collect', workflow: 'loan', openLoans: 0, overdue: false },
				...more,
			},
		})
		const replayed = async (id: string) => {
			const { decisions, untold, nowDenied } = (await ask('POST', `/v1/policies/${id}/replays`, {})).body
			return { decisions, untold, denied: nowDenied.times }
		}
		const before = await replayed(policy)
		await edge.tell(
			decided(1, { storageLevel: 0 }),
			decided(2, { storageLevel: 1 }),
			decided(3, {}),
			decided(4, { offline: false }),
			decided(5, { method: 'badge' }),
		)
		// Of what does not say its level, that is left out for which it matters.
		assert.deepEqual(await replayed(policy), { decisions: before.decisions + 4, untold: before.untold + 1, denied: before.denied + 1 })
		// The control: to a policy that does not ask for the level nothing is missing.
		assert.equal((await replayed(everybody.id)).untold, before.untold)
		const { items } = (await ask('GET', `/v1/decisions?bank=${tenant.bank}&limit=5`)).body
		assert.deepEqual(
			items.map(({ storageLevel }: { storageLevel?: number }) => storageLevel),
			[undefined, undefined, undefined, 1, 0],
		)
	})

	test('by whom it refused: they see it with the names of places and things, and what would help now', async () => {
		const me = await api.person(tenant)
		const other = await api.person(tenant)
		const [{ id: staff }] = (await ask('GET', '/v1/groups')).body.items
		assert.equal((await ask('PUT', `/v1/groups/${staff}/members/${me.id}`)).status, 204)
		const own = async (who = me) => (await api.ask('GET', '/v1/me/decisions', { token: who.token })).body.items
		const [{ id: asset }] = (await ask('GET', '/v1/assets')).body.items
		const refused = (n: number, more: object = {}) => ({
			type: 'decision.denied' as const,
			subject: `dec_019b8d62-7a80-7fd9-b653-${String(900_000 + n).padStart(12, '0')}`,
			actor: me.id,
			data: {
				...{ reason: 'not-authorised', rules: ['builtin/no-permit'], policyVersion: 1, bundleVersion: 1, inputsDigest: '0'.repeat(64) },
				...{
					method: 'badge',
					assurance: 'low',
					offline: false,
					stale: false,
					action: 'collect',
					asset,
					workflow: 'loan',
					openLoans: 0,
					overdue: false,
				},
				...more,
			},
		})
		// Of everybody's permit that the test before left nothing remains.
		for (const { id, published, retiredAt } of (await ask('GET', '/v1/policies')).body.items)
			if (published !== undefined && retiredAt === undefined) assert.equal((await retire(id, '?acceptWarnings=true')).status, 204)
		await published('staff-are-known', take('staff', 'no-such-type'))
		await edge.tell(refused(1), refused(2), refused(3, { asset: undefined, action: 'service', compartment: edge.doors.get(5), workflow: 'none' }))
		assert.deepEqual(await own(other), [], 'nobody else’s')
		const [service, ...takes] = await own()
		assert.deepEqual([service.door, service.now.effect, service.now.instead], [5, 'deny', []])
		for (const { thing, place, now } of takes)
			assert.deepEqual([thing, place, now.reason], ['Laptop LT-1', { bank: 'Lobby', site: 'HQ', timeZone: 'Europe/Berlin' }, 'not-authorised'])

		const paired = `permit (principal, action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"laptop-14") when { context.method == "badge-and-pin" };`
		const pairs = await published('pairs', paired)
		assert.deepEqual((await own())[1].now.instead, [{ change: 'second-factor' }])
		await published('badges', paired.replace(/when.*/, ';'))
		const [still, ...allowed] = await own()
		assert.deepEqual([still.now.effect, ...allowed.map((one: { now: { effect: string } }) => one.now.effect)], ['deny', 'allow', 'allow'])
		// Five different ones are asked again, however many there are of each.
		const doors = [...edge.doors].flatMap(([number, id]) => (number > 5 && number < 13 ? [id] : []))
		await edge.tell(...doors.map((compartment, i) => refused(10 + i, { asset: undefined, action: 'service', compartment, workflow: 'none' })))
		assert.equal((await own()).filter(({ now }: { now?: object }) => now !== undefined).length, 5)
		assert.equal((await retire(pairs, '?acceptWarnings=true')).status, 204)
	})

	test('for words that there are not, and what was meant is said only where it can be told', async () => {
		const problem = async (when: string) =>
			(await ask('POST', '/v1/policy-checks', { draft: `permit (principal, action, resource)\nwhen { ${when} };` })).body.problem
		const { line, text } = await problem('context.hour > 8')
		assert.equal(line, 2)
		assert.match(text, /cannot ask for context\.hour\. Is context\.minuteOfDay .*context\.weekday .*context\.withinHours .* meant\?/)
		assert.match((await problem('context.time == 3')).text, /context\.minuteOfDay/)
		assert.match((await problem('context.methd == "badge"')).text, /Is context\.method meant\?/)
		assert.match((await problem('context.zzzzzz')).text, /There are method, assurance, .*openLoans.*workflow\.$/)
		assert.match((await problem('resource.colour == 1')).text, /colour/)
		// The control: each word that is offered can be asked for.
		for (const one of ['context.minuteOfDay > 480', 'context.weekday == 1', 'context.withinHours']) assert.equal(await problem(one), undefined, one)
	})

	test('of the check of a policy that would go a text is no part, and it must be there', async () => {
		const [{ id }] = (await ask('GET', '/v1/policies')).body.items
		for (const body of [{ without: true }, { policy: id, without: true, draft: take('staff') }])
			assert.equal((await ask('POST', '/v1/policy-checks', body)).body.code, 'request-invalid')
	})
})
