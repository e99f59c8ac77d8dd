import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { addOrganisation, organisations, resetPassword } from './organisation.ts'
import { sql } from './store/index.ts'
import { type TestApi, type TestTenant, testApi } from './testing/api.ts'

describe('what whoever operates the server does to its organisations', () => {
	let api: TestApi
	let acme: TestTenant
	before(async () => {
		api = await testApi({ pool: 4 })
		acme = await api.tenant('Acme')
	})
	after(() => api.close())
	const signIn = async (body: { email: string; password: string; tenant?: string }) =>
		(await api.ask('POST', '/v1/sign-ins', { body: { email: body.email, password: body.password, ...(body.tenant && { tenant: body.tenant }) } }))
			.status

	test('one more organisation has an owner who may do everything in it and nothing elsewhere, and a device authority', async () => {
		const made = await addOrganisation(api.parts, { name: 'City library', email: 'ada@library.example' })
		const session = await api.ask('POST', '/v1/sign-ins', { body: { email: made.email, password: made.password } })
		assert.equal(session.status, 201)
		const cookie = (session.headers.get('set-cookie') ?? '').split(';')[0]
		const me = (await api.ask('GET', '/v1/me', { cookie })).body
		assert.deepEqual([me.tenant.name, me.tenant.id], ['City library', made.tenant])
		assert.deepEqual((await api.ask('GET', '/v1/sites', { cookie })).body.items, [])
		assert.equal((await api.ask('GET', `/v1/sites/${acme.site}`, { cookie })).status, 404)
		const authority = await api.store.system((tx) => tx.first(sql`SELECT 1 FROM device_authority WHERE tenant_id = ${made.tenant}`))
		assert.ok(authority, 'a broker of the operator’s own knows it before its first controller comes')
	})

	test('a name that is there already, or is none, makes nothing', async () => {
		const before = await organisations(api.parts)
		for (const [name, code] of [
			['Acme', 'already-exists'],
			['', 'config-invalid'],
			[' Acme', 'config-invalid'],
			['two\nlines', 'config-invalid'],
		] as const)
			await assert.rejects(addOrganisation(api.parts, { name, email: 'ada@acme.example' }), (fault) => isFault(fault, code), name)
		assert.deepEqual(await organisations(api.parts), before)
	})

	test('a lost password is replaced: old one and sessions end, what failed before makes nobody wait, and the log has it without the address', async () => {
		const person = await api.person(acme, { role: 'owner' })
		const first = await resetPassword(api.parts, { email: person.email })
		assert.equal(await signIn(first), 201)
		while ((await signIn({ ...first, password: 'guessed by somebody' })) === 401);
		assert.equal(await signIn(first), 429)
		const second = await resetPassword(api.parts, { email: person.email.toUpperCase() })
		assert.deepEqual([second.tenant, second.user], [acme.id, person.id])
		assert.equal(await signIn(second), 201)
		assert.equal(await signIn(first), 401)
		await api.sign(acme.id)
		const { items } = (await api.ask('GET', `/v1/events?type=user.sign-in-changed&subject=${person.id}`, { token: acme.owner.token })).body
		assert.deepEqual(
			items.slice(-2).map(({ actor, data }: { actor: string; data: object }) => [actor, data]),
			[
				['server', {}],
				['server', {}],
			],
		)
	})

	test('whose address stands in several organisations must be said with which; nobody and the suspended get none', async () => {
		const email = 'both@acme.example'
		const one = await addOrganisation(api.parts, { name: 'One', email })
		const two = await addOrganisation(api.parts, { name: 'Two', email })
		await assert.rejects(resetPassword(api.parts, { email }), (fault) => isFault(fault, 'request-refused') && fault.message.includes(one.tenant))
		const again = await resetPassword(api.parts, { email, tenant: two.tenant })
		assert.deepEqual([await signIn(again), await signIn(one), await signIn(two)], [201, 201, 401])
		await assert.rejects(resetPassword(api.parts, { email: 'nobody@acme.example' }), (fault) => isFault(fault, 'not-found'))
		const person = await api.person(acme)
		const { version } = (await api.ask('GET', `/v1/users/${person.id}`, { token: acme.owner.token })).body
		await api.ask('PATCH', `/v1/users/${person.id}`, { token: acme.owner.token, version, body: { suspended: true } })
		await assert.rejects(resetPassword(api.parts, { email: person.email }), (fault) => isFault(fault, 'not-found'))
	})
})
