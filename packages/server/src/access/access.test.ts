import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Caller, covers, mayDo, type Permission, type PolicyEngine, scopesOf } from '@latchwork/core/access'
import { newId, seededRandom } from '@latchwork/core/base'
import { type TestApi, type TestTenant, takesAll, testApi } from '../testing/api.ts'
import { nextRoleEnd, openersOf, policySetsOf } from './index.ts'

describe('who may do what where', () => {
	const random = seededRandom(3)
	const id = <K extends 'site' | 'area' | 'bank'>(kind: K) => newId(kind, 0, random)
	const [site, other, area, bank] = [id('site'), id('site'), id('area'), id('bank')]
	const holding = (scope: Parameters<typeof covers>[0], ...permissions: Permission[]) => ({ scope, permissions: new Set(permissions) })
	const caller = (holdings: Caller['holdings'], limits?: Permission[]): Caller => ({
		kind: 'token',
		tenant: newId('tenant', 0, random),
		subject: newId('subject', 0, random),
		via: newId('token', 0, random),
		holdings,
		...(limits && { limits: new Set(limits) }),
	})

	test('a scope covers what lies in it, and nothing beside or above it', () => {
		const places = [{}, { site }, { site: other }, { site, area }, { site, bank }, { site, area, bank }]
		const seen = [
			{ kind: 'tenant' } as const,
			{ kind: 'site', id: site } as const,
			{ kind: 'area', id: area } as const,
			{ kind: 'bank', id: bank } as const,
		].map((scope) => places.map((place) => (covers(scope, place) ? 1 : 0)))
		assert.deepEqual(seen, [
			[1, 1, 1, 1, 1, 1],
			[0, 1, 0, 1, 1, 1],
			[0, 0, 0, 1, 0, 1],
			[0, 0, 0, 0, 1, 1],
		])
	})

	test('permissions of several roles add up, each at its own scope; a token’s limits take away', () => {
		const holdings = [holding({ kind: 'site', id: site }, 'estate.read', 'case.read'), holding({ kind: 'bank', id: bank }, 'door.open.remote')]
		const free = caller(holdings)
		assert.deepEqual(
			[
				mayDo(free, 'estate.read', { site }),
				mayDo(free, 'door.open.remote', { site }),
				mayDo(free, 'door.open.remote', { site: other, bank }),
				mayDo(free, 'estate.read', {}),
			],
			[true, false, true, false],
		)
		const limited = caller(holdings, ['case.read', 'people.read'])
		assert.deepEqual(
			[scopesOf(limited, 'case.read').length, scopesOf(limited, 'estate.read').length, scopesOf(limited, 'people.read').length],
			[1, 0, 0],
		)
	})
})

describe('roles', () => {
	let api: TestApi
	let acme: TestTenant
	let owner: string
	before(async () => {
		api = await testApi()
		acme = await api.tenant('Acme')
		owner = acme.owner.token
	})
	after(() => api.close())
	const give = (token: string, body: object) => api.ask('POST', '/v1/role-assignments', { token, body })
	const status = async (token: string, path: string) => (await api.ask('GET', path, { token })).status

	test('a role given to a person or a group counts from the next request on, and no longer than it is held', async () => {
		const person = await api.person(acme)
		const { token } = person
		assert.equal(await status(token, '/v1/users'), 403)
		const given = await give(owner, { role: 'auditor', user: person.id, scope: { kind: 'tenant' } })
		assert.equal(given.status, 201, given.text)
		assert.equal(await status(token, '/v1/users'), 200)
		assert.equal((await give(owner, { role: 'auditor', user: person.id, scope: { kind: 'tenant' } })).body.code, 'already-exists')
		assert.equal((await api.ask('DELETE', `/v1/role-assignments/${given.body.id}`, { token: owner })).status, 204)
		assert.equal(await status(token, '/v1/users'), 403)
		const group = (await api.ask('POST', '/v1/groups', { token: owner, body: { code: 'readers', name: 'Readers' } })).body
		assert.equal((await give(owner, { role: 'auditor', group: group.id, scope: { kind: 'tenant' } })).status, 201)
		const member = `/v1/groups/${group.id}/members/${person.id}`
		assert.equal((await api.ask('PUT', member, { token: owner })).status, 204)
		assert.equal(await status(token, '/v1/users'), 200)
		assert.equal((await api.ask('DELETE', member, { token: owner })).status, 204)
		assert.equal(await status(token, '/v1/users'), 403)
	})

	test('at a site, a list shows what is there and nothing else', async () => {
		const manager = await api.person(acme, { role: 'site-manager', scope: { kind: 'site', id: acme.site } })
		const sites = async (token: string) => (await api.ask('GET', '/v1/sites', { token })).body.items.map((one: { id: string }) => one.id)
		assert.deepEqual(await sites(manager.token), [acme.site])
		assert.equal((await sites(owner)).length, 2)
		assert.equal(await status(manager.token, `/v1/sites/${acme.otherSite}`), 403)
	})

	test('nobody gives what they do not hold, by a role of their own, an assignment, a group or a password', async () => {
		const admin = await api.person(acme, { role: 'tenant-administrator' })
		const { token } = admin
		const ask = (method: string, path: string, body?: unknown) => api.ask(method, path, { token, body })
		const made = await ask('POST', '/v1/roles', { name: 'Exporters', permissions: ['audit.export'] })
		assert.deepEqual([made.status, made.body.code], [403, 'not-permitted'])
		assert.equal((await give(token, { role: 'owner', user: admin.id, scope: { kind: 'tenant' } })).status, 403)
		assert.equal((await give(token, { role: 'auditor', user: admin.id, scope: { kind: 'tenant' } })).status, 403)
		// The control: what they hold they may give.
		assert.equal((await give(token, { role: 'desk-staff', user: admin.id, scope: { kind: 'tenant' } })).status, 201)
		const group = (await ask('POST', '/v1/groups', { code: 'owners', name: 'Owners' })).body
		assert.equal((await give(owner, { role: 'owner', group: group.id, scope: { kind: 'tenant' } })).status, 201)
		assert.equal((await ask('PUT', `/v1/groups/${group.id}/members/${admin.id}`)).status, 403)
		assert.equal((await ask('PUT', `/v1/users/${acme.owner.id}/password`, { password: 'I am the owner now' })).status, 403)
		const { version } = (await ask('GET', `/v1/users/${acme.owner.id}`)).body
		for (const [method, body] of [
			['PATCH', { suspended: true }],
			['PATCH', { email: 'mine@example.org' }],
			['DELETE', undefined],
		] as const)
			assert.equal((await api.ask(method, `/v1/users/${acme.owner.id}`, { token, version, body })).status, 403, method)
		const auditor = await api.person(acme)
		const held = (await give(owner, { role: 'auditor', user: auditor.id, scope: { kind: 'tenant' } })).body.id
		assert.deepEqual((await ask('DELETE', `/v1/role-assignments/${held}`)).status, 403, 'nor takes it away')
		assert.equal(await status(auditor.token, '/v1/events'), 200)
		const staff = await api.person(acme, { role: 'desk-staff' })
		const [desk] = (await api.ask('GET', `/v1/role-assignments?user=${staff.id}`, { token: owner })).body.items
		assert.equal((await ask('DELETE', `/v1/role-assignments/${desk.id}`)).status, 204)
		assert.equal((await ask('PUT', `/v1/users/${staff.id}/password`, { password: 'a new one for the desk' })).status, 204)
	})

	test('a badge or PIN of somebody who may do more is given and taken by who does so in the whole organisation, and not by the desk of a site', async () => {
		const desk = await api.person(acme, { role: 'desk-staff', scope: { kind: 'site', id: acme.otherSite } })
		const central = await api.person(acme, { role: 'desk-staff' })
		const [plain, peer] = [await api.person(acme), await api.person(acme, { role: 'desk-staff', scope: { kind: 'site', id: acme.otherSite } })]
		const elsewhere = await api.person(acme, { role: 'desk-staff', scope: { kind: 'site', id: acme.site } })
		let number = 4_000
		const badge = (token: string, user: string) => api.ask('POST', '/v1/credentials', { token, body: { kind: 'badge', user, number: `${++number}` } })
		const pin = (token: string, user: string) => api.ask('POST', '/v1/credentials', { token, body: { kind: 'pin', user, site: acme.otherSite } })
		for (const give of [badge, pin])
			for (const [giver, user, expected] of [
				[desk, acme.owner, 403],
				[desk, elsewhere, 403],
				[desk, plain, 201],
				[desk, peer, 201],
				[central, acme.owner, 201],
			] as const) {
				const given = await give(giver.token, user.id)
				assert.equal(given.status, expected, given.text)
				if (expected === 403) assert.equal(given.body.code, 'not-permitted')
			}
		const of = (user: string) => api.ask('GET', `/v1/credentials?user=${user}`, { token: owner })
		const revoke = async (token: string, user: string) => {
			const { id, version } = (await of(user)).body.items[0]
			return (await api.ask('DELETE', `/v1/credentials/${id}`, { token, version })).status
		}
		assert.deepEqual(
			[await revoke(desk.token, acme.owner.id), await revoke(central.token, acme.owner.id), await revoke(desk.token, plain.id)],
			[403, 200, 200],
		)
	})

	test('whoever may give roles at a site gives them there only', async () => {
		const role = (
			await api.ask('POST', '/v1/roles', { token: owner, body: { name: 'Site lead', permissions: ['role.assign', 'estate.read', 'case.read'] } })
		).body
		const lead = await api.person(acme)
		assert.equal((await give(owner, { role: role.id, user: lead.id, scope: { kind: 'site', id: acme.site } })).status, 201)
		const somebody = await api.person(acme)
		const kiosk = (scope: object) => give(lead.token, { role: 'kiosk', user: somebody.id, scope })
		assert.deepEqual(
			[
				(await kiosk({ kind: 'site', id: acme.site })).status,
				(await kiosk({ kind: 'bank', id: acme.bank })).status,
				(await kiosk({ kind: 'site', id: acme.otherSite })).status,
				(await kiosk({ kind: 'tenant' })).status,
			],
			[201, 201, 403, 403],
		)
	})

	test('a role of one’s own changes for everybody who holds it at once; one that came with the product never', async () => {
		const role = (await api.ask('POST', '/v1/roles', { token: owner, body: { name: 'Lookers', permissions: ['estate.read'] } })).body
		const person = await api.person(acme)
		await give(owner, { role: role.id, user: person.id, scope: { kind: 'tenant' } })
		assert.equal(await status(person.token, '/v1/users'), 403)
		const patch = (path: string, version: number) =>
			api.ask('PATCH', path, { token: owner, version, body: { permissions: ['estate.read', 'people.read'] } })
		assert.equal((await patch(`/v1/roles/${role.id}`, 1)).status, 200)
		assert.equal(await status(person.token, '/v1/users'), 200)
		assert.equal((await patch(`/v1/roles/${role.id}`, 1)).status, 412)
		assert.equal((await patch('/v1/roles/auditor', 1)).body.code, 'request-refused')
		assert.equal((await api.ask('DELETE', `/v1/roles/${role.id}`, { token: owner, version: 2 })).body.code, 'request-refused')
	})

	test('what is held, given and published comes in pages that leave nothing out and show nothing twice', async () => {
		const tenant = await api.tenant('Pages')
		const { token } = tenant.owner
		const made = async (path: string, body: unknown) => {
			const answer = await api.ask('POST', path, { token, body })
			assert.equal(answer.status, 201, answer.text)
			return answer.body
		}
		for (const n of [1, 2, 3]) {
			await made('/v1/roles', { name: `Role ${n}`, permissions: ['estate.read'] })
			await made('/v1/tokens', { name: `Token ${n}` })
			await made('/v1/role-assignments', { role: 'auditor', user: (await api.person(tenant)).id, scope: { kind: 'tenant' } })
			const { id, version } = await made('/v1/policies', { code: `policy${n}`, draft: 'permit (principal, action, resource);' })
			await made(`/v1/policies/${id}/versions`, { version })
		}
		const [{ id: policy }] = (await api.ask('GET', '/v1/policies', { token })).body.items
		for (const n of [2, 3, 4]) {
			const { version } = (await api.ask('GET', `/v1/policies/${policy}`, { token })).body
			const draft = `forbid (principal, action, resource) when { context.offline || ${n} == 1 };`
			const changed = await api.ask('PATCH', `/v1/policies/${policy}`, { token, version, body: { draft } })
			assert.equal(changed.status, 200, changed.text)
			await made(`/v1/policies/${policy}/versions`, { version: changed.body.version })
		}
		for (const [path, least] of [
			['/v1/roles', 10],
			['/v1/role-assignments', 4],
			['/v1/tokens', 4],
			['/v1/policies', 3],
			[`/v1/policies/${policy}/versions`, 4],
		] as const) {
			const whole = (await api.ask('GET', `${path}?limit=200`, { token })).body
			assert.equal(whole.next, undefined)
			assert.ok(whole.items.length >= least, `${path}: ${whole.items.length}`)
			const seen: unknown[] = []
			for (let cursor = ''; ; ) {
				const { items, next } = (await api.ask('GET', `${path}?limit=2${cursor}`, { token })).body
				assert.ok(items.length <= 2)
				seen.push(...items)
				if (next === undefined) break
				cursor = `&cursor=${next}`
			}
			assert.deepEqual(seen, whole.items, path)
		}
		const numbers = (await api.ask('GET', `/v1/policies/${policy}/versions`, { token })).body.items.map((one: { number: number }) => one.number)
		assert.deepEqual(numbers, [4, 3, 2, 1], 'the newest first')
	})

	test('the last owner stays, also when two owners leave each other at once', async () => {
		const rival = await api.tenant('Rival')
		const second = await api.person(rival, { role: 'owner' })
		const { items } = (await api.ask('GET', '/v1/role-assignments?role=owner', { token: rival.owner.token })).body
		assert.equal(items.length, 2)
		const of = (user: string) => items.find((one: { user: string }) => one.user === user).id
		const both = await Promise.all([
			api.ask('DELETE', `/v1/role-assignments/${of(second.id)}`, { token: rival.owner.token }),
			api.ask('DELETE', `/v1/role-assignments/${of(rival.owner.id)}`, { token: second.token }),
		])
		assert.deepEqual(both.map((one) => one.status).filter((status) => status === 204).length, 1)
		const left = both[0]?.status === 204 ? rival.owner : second
		const last = (await api.ask('GET', '/v1/role-assignments?role=owner', { token: left.token })).body.items
		assert.equal(last.length, 1)
		assert.equal((await api.ask('DELETE', `/v1/role-assignments/${last[0].id}`, { token: left.token })).body.code, 'request-refused')
		const { version } = (await api.ask('GET', `/v1/users/${left.id}`, { token: left.token })).body
		for (const [method, body] of [
			['PATCH', { suspended: true }],
			['DELETE', undefined],
		] as const)
			assert.equal((await api.ask(method, `/v1/users/${left.id}`, { token: left.token, version, body })).body.code, 'request-refused', method)
	})
})

describe('a role for some hours', () => {
	test('counts until then and not a moment longer, makes no owner, opens no door afterwards, and can be given again', async (t) => {
		const api = await testApi()
		t.after(() => api.close())
		const acme = await api.tenant('Acme')
		const { token } = acme.owner
		const helper = await api.person(acme)
		const until = new Date(api.clock.now() + 2 * 3_600_000).toISOString()
		const give = (role: string, more: object = {}) =>
			api.ask('POST', '/v1/role-assignments', { token, body: { role, user: helper.id, scope: { kind: 'tenant' }, ...more } })
		const given = await give('desk-staff', { until })
		assert.deepEqual([given.status, given.body.until], [201, until], given.text)
		assert.equal((await give('desk-staff', { until })).body.code, 'already-exists')
		assert.equal((await give('owner', { until: new Date(0).toISOString() })).body.field, 'body.until')
		const sees = async () => (await api.ask('GET', '/v1/cases', { token: helper.token })).status
		const opens = () => api.store.read(acme.id, async (db) => (await openersOf(db, api.clock.now())).some(({ subject }) => subject === helper.id))
		const ends = () => api.store.read(acme.id, (db) => nextRoleEnd(db, api.clock.now()))
		assert.deepEqual([await sees(), await opens(), await ends()], [200, true, Date.parse(until)])
		await api.clock.advance(2 * 3_600_000 - 1)
		assert.deepEqual([await sees(), await opens()], [200, true])
		await api.clock.advance(1)
		assert.deepEqual([await sees(), await opens(), await ends()], [403, false, undefined])
		assert.equal((await give('desk-staff')).status, 201, 'one that has run out stands in nobody’s way')
		assert.equal(await sees(), 200)

		// Somebody who is owner for an hour is not the owner that must stay.
		await give('owner', { until: new Date(api.clock.now() + 3_600_000).toISOString() })
		const [own] = (await api.ask('GET', `/v1/role-assignments?user=${acme.owner.id}`, { token })).body.items
		assert.equal((await api.ask('DELETE', `/v1/role-assignments/${own.id}`, { token })).body.code, 'request-refused')
	})
})

/** Ours, in the place of Cedar: a text without a permit is refused. */
const permitsOnly: PolicyEngine = {
	load: (given) => {
		const bad = given.sets.find(({ cedar }) => !cedar.includes('permit'))
		return bad ? { ok: false, set: bad.id, line: 1, column: 1, text: 'no policy' } : takesAll.load(given)
	},
}

describe('site policies', () => {
	let api: TestApi
	let acme: TestTenant
	before(async () => {
		api = await testApi({ engine: permitsOnly })
		acme = await api.tenant('Acme')
	})
	after(() => api.close())

	test('a draft decides nothing; published it is in force where it belongs, and every text that ever was stays', async () => {
		const { token } = acme.owner
		const inForce = () => api.store.read(acme.id, policySetsOf)
		const before = await inForce()
		const made = await api.ask('POST', '/v1/policies', { token, body: { code: 'loans', site: acme.site, draft: 'permit one' } })
		assert.equal(made.status, 201, made.text)
		const { id } = made.body
		assert.deepEqual(await inForce(), before)
		const publish = (version: number) => api.ask('POST', `/v1/policies/${id}/versions`, { token, body: { version } })
		assert.equal((await publish(1)).body.published, 1)
		assert.deepEqual(await inForce(), { version: before.version + 1, sets: [{ id: 'loans', cedar: 'permit one', scope: { site: acme.site } }] })
		const draft = (version: number, text: string) => api.ask('PATCH', `/v1/policies/${id}`, { token, version, body: { draft: text } })
		assert.equal((await draft(2, 'nonsense')).status, 200)
		const refused = await publish(3)
		assert.deepEqual([refused.status, refused.body.code], [400, 'request-invalid'])
		assert.match(refused.body.detail, /line 1, column 1/)
		assert.equal((await draft(3, 'permit two')).status, 200)
		assert.equal((await publish(3)).body.code, 'version-conflict')
		assert.equal((await publish(4)).status, 201)
		assert.deepEqual((await inForce()).sets[0]?.cedar, 'permit two')
		const versions = (await api.ask('GET', `/v1/policies/${id}/versions`, { token })).body.items
		assert.deepEqual(
			versions.map((one: { number: number; cedar: string; publishedBy: string }) => [one.number, one.cedar, one.publishedBy]),
			[
				[2, 'permit two', acme.owner.id],
				[1, 'permit one', acme.owner.id],
			],
		)
		assert.equal((await api.ask('DELETE', `/v1/policies/${id}`, { token, version: 5 })).status, 204)
		assert.deepEqual(await inForce(), { version: before.version + 3, sets: [] })
	})
})
