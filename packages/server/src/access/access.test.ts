import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type Caller, covers, mayDo, type Permission, type PolicyEngine, type Scope, scopesOf } from '@latchwork/core/access'
import { newId, seededRandom } from '@latchwork/core/base'
import { exampleLayout } from '@latchwork/core/wire'
import pg from 'pg'
import { type TestApi, type TestPerson, type TestTenant, testApi } from '../testing/api.ts'
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
			['PATCH', { offlineMinutes: 0 }],
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

describe('what was split off a permission', () => {
	test('more time to collect is given by who may extend; a role and a token that could do it by case.manage go on after the upgrade', async (t) => {
		const api = await testApi()
		t.after(() => api.close())
		const acme = await api.tenant('Acme')
		const { token: owner } = acme.owner
		const made = async (path: string, body: object) => (await api.ask('POST', path, { token: owner, body })).body
		const role = await made('/v1/roles', { name: 'Parcels', permissions: ['case.read', 'case.manage'] })
		const reader = await made('/v1/roles', { name: 'Readers', permissions: ['case.read'] })
		const clerk = await api.person(acme)
		await made('/v1/role-assignments', { role: role.id, user: clerk.id, scope: { kind: 'site', id: acme.site } })
		const narrow = await api.token(acme, acme.owner, ['case.manage'])
		const { delivery } = await made('/v1/deliveries', { bank: acme.bank, label: 'Parcel', lines: [{ size: 'S' }] })
		const until = new Date(api.clock.now() + 86_400_000).toISOString()
		const extend = async (token: string) => (await api.ask('POST', `/v1/deliveries/${delivery.id}/extensions`, { token, body: { until } })).status
		const recall = async (token: string) =>
			(await api.ask('POST', `/v1/deliveries/${delivery.id}/recalls`, { token, body: { reason: 'none' } })).status
		assert.deepEqual([await extend(clerk.token), await extend(narrow), await recall(clerk.token)], [403, 403, 400])
		const database = new pg.Client({ connectionString: api.database })
		await database.connect()
		const upgrade = readFileSync(new URL('../store/migrations/0093-extend-permission.sql', import.meta.url), 'utf8')
		for (const _ of ['once', 'and once more']) await database.query(`SET search_path TO latchwork; ${upgrade}`)
		await database.end()
		// Nothing waits to be collected yet, which only those hear who may extend.
		assert.deepEqual([await extend(clerk.token), await extend(narrow)], [409, 409])
		const after = async (id: string) => (await api.ask('GET', `/v1/roles/${id}`, { token: owner })).body
		assert.deepEqual([(await after(role.id)).permissions, (await after(role.id)).version], [['case.read', 'case.manage', 'case.extend'], 2])
		assert.deepEqual((await after(reader.id)).permissions, ['case.read'])
	})

	test('one person’s trail is what they did and what was done to them, their badges and their cases, at the reader’s places', async (t) => {
		const api = await testApi()
		t.after(() => api.close())
		const acme = await api.tenant('Acme')
		const { token: owner } = acme.owner
		const made = async (path: string, body: object, token = owner) => {
			const answer = await api.ask('POST', path, { token, body })
			assert.equal(answer.status, 201, answer.text)
			return answer.body
		}
		const clerk = await api.person(acme, { role: 'desk-staff', scope: { kind: 'site', id: acme.site } })
		const badge = await made('/v1/credentials', { kind: 'badge', user: clerk.id, number: '4711' })
		const own = await made('/v1/deliveries', { bank: acme.bank, label: 'For them', lines: [{ size: 'S' }], recipient: { user: clerk.id } })
		const other = await made('/v1/deliveries', { bank: acme.bank, label: 'By them', lines: [{ size: 'S' }] }, clerk.token)
		const strange = await made('/v1/deliveries', { bank: acme.bank, label: 'Of others', lines: [{ size: 'S' }] })
		await api.sign(acme.id)
		const path = `/v1/users/${clerk.id}/events`
		const trail = async (token: string, query = '') => api.ask('GET', `${path}?limit=200${query}`, { token })
		const all = (await trail(owner)).body.items as { subject: string; sequence: string; type: string; siteid?: string }[]
		const subjects = new Set(all.map(({ subject }) => subject))
		for (const id of [clerk.id, badge.id, own.delivery.id, other.delivery.id]) assert.ok(subjects.has(id), id)
		assert.ok(!subjects.has(strange.delivery.id))
		assert.deepEqual(
			all,
			all.toSorted((a, b) => Number(b.sequence) - Number(a.sequence)),
			'the newest first, none twice',
		)
		assert.equal(new Set(all.map(({ sequence }) => sequence)).size, all.length)
		// In pages it is the same, and before a position what is older.
		const first = (await api.ask('GET', `${path}?limit=2`, { token: owner })).body
		const second = (await api.ask('GET', `${path}?limit=2&cursor=${first.next}`, { token: owner })).body
		assert.deepEqual([...first.items, ...second.items], all.slice(0, 4))
		assert.deepEqual((await trail(owner, `&before=${all[1]?.sequence}`)).body.items, all.slice(2))
		// At a site: what happened there, and nothing that happened nowhere or elsewhere.
		const guard = async (site: TestTenant['site']) => (await api.person(acme, { role: 'security', scope: { kind: 'site', id: site } })).token
		const here = (await trail(await guard(acme.site))).body.items as typeof all
		assert.deepEqual(
			here,
			all.filter(({ siteid }) => siteid === acme.site),
		)
		assert.ok(here.length > 0 && here.length < all.length)
		assert.deepEqual((await trail(await guard(acme.otherSite))).body.items, [])
		// Whoever reads the log does not for that read a person.
		const role = await made('/v1/roles', { name: 'Log readers', permissions: ['audit.read', 'event.read', 'decision.read'] })
		const reader = await api.person(acme)
		await made('/v1/role-assignments', { role: role.id, user: reader.id, scope: { kind: 'tenant' } })
		assert.deepEqual([(await trail(reader.token)).status, (await trail(clerk.token)).status], [403, 403])
		const nobody = `/v1/users/${acme.owner.id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))}/events`
		assert.equal((await api.ask('GET', nobody, { token: owner })).status, 404)
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

/** Ours, in the place of Cedar: a text without a permit is refused, and everything is allowed unless a text says nobody. */
const permitsOnly: PolicyEngine = {
	load: (given) => {
		const bad = given.sets.find(({ cedar }) => !cedar.includes('permit'))
		if (bad) return { ok: false, set: bad.id, line: 1, column: 1, text: 'no policy' }
		const effect = given.sets.some(({ cedar }) => cedar.includes('nobody')) ? ('deny' as const) : ('allow' as const)
		return { ok: true, loaded: { policies: [], ask: () => ({ effect, determining: [], failed: [] }), release() {} } }
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

	describe('are those of a place', () => {
		let depot: string
		let lead: TestPerson
		let head: TestPerson
		let keeper: TestPerson
		/** Four texts: of the organisation, of the first site, of the other site, and of the bank there. */
		let codes: Readonly<Record<string, string>>
		const ask = async (method: string, path: string, { token }: TestPerson, body?: unknown, version?: number) =>
			api.ask(method, path, { token, body, version })
		const publish = async (id: string) => {
			const { version } = (await ask('GET', `/v1/policies/${id}`, acme.owner)).body
			const answer = await ask('POST', `/v1/policies/${id}/versions`, acme.owner, { version, acceptWarnings: true })
			assert.equal(answer.status, 201, answer.text)
		}
		const seen = async (who: TestPerson) => {
			const { items } = (await ask('GET', '/v1/policies?limit=200', who)).body
			return Object.fromEntries(items.map((one: { code: string; draft: string }) => [one.code, one.draft]))
		}
		before(async () => {
			const bank = { site: acme.otherSite, name: 'Depot bank', helpPhone: '110', layout: exampleLayout }
			depot = (await ask('POST', '/v1/banks', acme.owner, bank)).body.id
			const at = (kind: 'site' | 'bank', id: string) => ({ role: 'site-manager' as const, scope: { kind, id } as Scope })
			lead = await api.person(acme, at('site', acme.site))
			head = await api.person(acme, at('site', acme.otherSite))
			keeper = await api.person(acme, at('bank', depot))
			const made: Record<string, string> = {}
			for (const [code, place] of [
				['whole', {}],
				['lobby', { site: acme.site }],
				['depot', { site: acme.otherSite }],
				['cabinet', { bank: depot }],
			] as const) {
				const answer = await ask('POST', '/v1/policies', acme.owner, { code, ...place, draft: `permit ${code}` })
				assert.equal(answer.status, 201, answer.text)
				made[code] = answer.body.id
			}
			codes = made
		})
		const idOf = (code: string) => codes[code] ?? assert.fail(code)

		test('who holds the permission at a site drafts, changes and reviews its policies, and no others', async () => {
			const draft = (who: TestPerson, code: string, place: object) => ask('POST', '/v1/policies', who, { code, ...place, draft: 'permit' })
			const tried = [
				await draft(lead, 'lead-own', { site: acme.site }),
				await draft(lead, 'lead-bank', { bank: acme.bank }),
				await draft(lead, 'lead-other', { site: acme.otherSite }),
				await draft(lead, 'lead-depot', { bank: depot }),
				await draft(lead, 'lead-all', {}),
				await draft(keeper, 'keeper-bank', { bank: depot }),
				await draft(keeper, 'keeper-site', { site: acme.otherSite }),
			]
			assert.deepEqual(
				tried.map(({ status }) => status),
				[201, 201, 403, 403, 403, 201, 403],
			)
			const change = (who: TestPerson, code: string) => ask('PATCH', `/v1/policies/${idOf(code)}`, who, { name: 'Changed' }, 1)
			const review = (who: TestPerson, code: string) => ask('POST', `/v1/policies/${idOf(code)}/reviews`, who, { version: 1, verdict: 'approved' })
			for (const act of [change, review])
				for (const [who, code] of [
					[lead, 'whole'],
					[lead, 'depot'],
					[lead, 'cabinet'],
					[keeper, 'depot'],
				] as const)
					assert.equal((await act(who, code)).status, 403, code)
			// Nobody reviews what they wrote; what another wrote at the site, its manager may.
			const { id } = (await draft(head, 'head-own', { site: acme.otherSite })).body
			assert.equal((await ask('POST', `/v1/policies/${id}/reviews`, head, { version: 1, verdict: 'approved' })).body.code, 'request-refused')
			assert.equal((await review(lead, 'lobby')).status, 201)
			assert.equal((await review(keeper, 'cabinet')).status, 201)
			// A draft is all they do: what is in force is the organisation's matter.
			assert.equal((await ask('POST', `/v1/policies/${idOf('lobby')}/versions`, lead, { version: 2 })).status, 403)
			assert.equal((await ask('POST', `/v1/policies/${idOf('lobby')}/rollbacks`, lead, { version: 2, to: 1 })).status, 403)
			assert.equal((await ask('DELETE', `/v1/policies/${idOf('lobby')}`, lead, undefined, 2)).status, 403)
		})

		test('who publishes at a site puts its policies in force, brings them back and takes them away, and none of another place', async () => {
			const role = (
				await ask('POST', '/v1/roles', acme.owner, { name: 'Publishers', permissions: ['policy.read', 'policy.draft', 'policy.publish'] })
			).body
			const publisher = await api.person(acme)
			const scope = { kind: 'site', id: acme.otherSite }
			assert.equal((await ask('POST', '/v1/role-assignments', acme.owner, { role: role.id, user: publisher.id, scope })).status, 201)
			const { id } = (await ask('POST', '/v1/policies', publisher, { code: 'own', site: acme.otherSite, draft: 'permit own' })).body
			assert.equal((await ask('POST', `/v1/policies/${id}/versions`, publisher, { version: 1 })).status, 201)
			assert.equal((await ask('DELETE', `/v1/policies/${id}`, publisher, undefined, 2)).status, 204)
			assert.equal((await ask('POST', `/v1/policies/${id}/rollbacks`, publisher, { version: 3, to: 1 })).status, 201)
			for (const code of ['whole', 'lobby']) {
				assert.equal((await ask('POST', `/v1/policies/${idOf(code)}/versions`, publisher, { version: 1 })).status, 403, code)
				assert.equal((await ask('DELETE', `/v1/policies/${idOf(code)}`, publisher, undefined, 1)).status, 403, code)
			}
		})

		test('drafts are seen at their place; of what lies around it the text in force, and not what is thought of next', async () => {
			const mine = async (who: TestPerson) => {
				const all = await seen(who)
				return Object.fromEntries(Object.entries(all).filter(([code]) => Object.hasOwn(codes, code)))
			}
			assert.deepEqual(await mine(lead), { lobby: 'permit lobby' })
			assert.deepEqual(await mine(head), { depot: 'permit depot', cabinet: 'permit cabinet' })
			assert.deepEqual(await mine(keeper), { cabinet: 'permit cabinet' })
			assert.equal(Object.keys(await mine(acme.owner)).length, 4)
			for (const code of ['whole', 'depot']) await publish(idOf(code))
			for (const code of ['whole', 'depot']) {
				const { version } = (await ask('GET', `/v1/policies/${idOf(code)}`, acme.owner)).body
				assert.equal((await ask('PATCH', `/v1/policies/${idOf(code)}`, acme.owner, { draft: `permit secret ${code}` }, version)).status, 200)
			}
			assert.deepEqual(await mine(lead), { lobby: 'permit lobby', whole: 'permit whole' })
			assert.deepEqual(await mine(head), { depot: 'permit secret depot', cabinet: 'permit cabinet', whole: 'permit whole' })
			assert.deepEqual(await mine(keeper), { depot: 'permit depot', cabinet: 'permit cabinet', whole: 'permit whole' })
			const one = (await ask('GET', `/v1/policies/${idOf('whole')}`, lead)).body
			assert.deepEqual([one.changed, one.reviews, one.draftedBy], [false, [], acme.owner.id])
			assert.deepEqual(
				(await ask('GET', `/v1/policies/${idOf('whole')}/versions`, lead)).body.items.map(({ cedar }: { cedar: string }) => cedar),
				['permit whole'],
			)
			for (const path of ['', '/versions']) assert.equal((await ask('GET', `/v1/policies/${idOf('depot')}${path}`, lead)).status, 403)
			assert.equal((await ask('POST', `/v1/policies/${idOf('whole')}/replays`, lead, {})).status, 403, 'a replay is of the draft')
			assert.equal((await ask('POST', `/v1/policies/${idOf('lobby')}/replays`, lead, {})).status, 200)
		})

		test('a check and a question are answered by texts and banks of the place alone', async () => {
			const check = (who: TestPerson, body: object) => ask('POST', '/v1/policy-checks', who, { draft: 'permit', ...body })
			const statuses = async (who: TestPerson) =>
				(
					await Promise.all(
						[
							{},
							{ site: acme.site },
							{ bank: acme.bank },
							{ site: acme.otherSite },
							{ bank: depot },
							{ policy: idOf('lobby') },
							{ policy: idOf('depot') },
							{ policy: idOf('whole') },
						].map((body) => check(who, body)),
					)
				).map(({ status }) => status)
			assert.deepEqual(await statuses(lead), [200, 200, 200, 403, 403, 200, 403, 200])
			assert.deepEqual(await statuses(keeper), [200, 403, 403, 200, 200, 403, 200, 200])
			const warned = async (who: TestPerson) =>
				(await check(who, { draft: 'permit nobody' })).body.warnings.map((one: { code: string; bank?: string }) => [one.code, one.bank])
			assert.deepEqual(await warned(lead), [['denies-everybody', acme.bank]])
			assert.deepEqual(await warned(keeper), [['denies-everybody', depot]])
			assert.equal((await warned(acme.owner)).length, 2)
			const user = lead.id
			const compartment = (await ask('GET', `/v1/compartments?bank=${acme.bank}`, acme.owner)).body.items[0].id
			const whatIf = async (policy: string) => (await ask('POST', '/v1/what-if', lead, { user, bank: acme.bank, compartment, policy })).status
			assert.deepEqual([await whatIf(idOf('lobby')), await whatIf(idOf('whole')), await whatIf(idOf('depot'))], [200, 200, 403])
		})
	})
})
