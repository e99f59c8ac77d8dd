import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Bundle, isMintedId, withPeople } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import type { Route } from '../http/index.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { made, SAMPLES, type Sample, type SampleWorld } from '../testing/api-samples.ts'
import { type BundleContent, contentDigest, contentOf } from './compose.ts'
import { gatherBank, gatherSite } from './gather-write.ts'

/** Where the usual sample changes nothing that a bank decides by: one that does. */
const TELLING: Readonly<Record<string, (world: SampleWorld) => Promise<Sample>>> = {
	'DELETE /v1/groups/{group}/members/{user}': async (w) => {
		const { group, user } = await member(w)
		return { params: { group, user } }
	},
	'DELETE /v1/groups/{group}': async (w) => {
		const { group } = await member(w)
		const { version } = (await w.api.ask('GET', `/v1/groups/${group}`, { token: w.tenant.owner.token })).body
		return { params: { group }, version }
	},
	'POST /v1/role-assignments': async (w) => ({ body: { role: 'owner', user: (await person(w)).id, scope: { kind: 'site', id: w.tenant.site } } }),
	'DELETE /v1/role-assignments/{assignment}': async (w) => ({ params: { assignment: (await opener(w, 'owner')).id } }),
	'PATCH /v1/roles/{role}': async (w) => {
		const { id, version } = await made(w, '/v1/roles', { name: `Opens ${w.sender.id}`, permissions: ['estate.read', 'door.open.remote'] })
		await opener(w, id)
		return { params: { role: id }, body: { permissions: ['estate.read'] }, version }
	},
	'PATCH /v1/compartments/{compartment}': async (w) => {
		const { items } = (await w.api.ask('GET', `/v1/compartments?bank=${w.tenant.bank}`, { token: w.tenant.owner.token })).body
		const [{ id, version }] = items
		return { params: { compartment: id }, body: { service: { state: 'out-of-service', reason: 'dirty' } }, version }
	},
	'PATCH /v1/users/{user}': async (w) => {
		const { id, version } = await person(w)
		return { params: { user: id }, body: { offlineMinutes: 15 }, version }
	},
	'PATCH /v1/asset-types/{type}': async (w) => {
		const { id, version } = await made(w, '/v1/asset-types', { code: 'camera', name: 'Camera' })
		await made(w, '/v1/assets', { type: id, tag: 'CAM-1', bank: w.tenant.bank })
		return { params: { type: id }, body: { name: 'Camera with tripod', valueClass: 'high' }, version }
	},
	'POST /v1/credentials': async (w) => ({ body: { kind: 'pin', user: (await person(w)).id, site: w.tenant.site } }),
	'DELETE /v1/policies/{policy}': async (w) => {
		const { id, version } = await made(w, '/v1/policies', { code: 'short-lived', draft: 'forbid (principal, action, resource);' })
		await made(w, `/v1/policies/${id}/versions`, { version })
		const read = await w.api.ask('GET', `/v1/policies/${id}`, { token: w.tenant.owner.token })
		return { params: { policy: id }, version: read.body.version }
	},
}
let drawn = 0
const person = (w: SampleWorld) => made(w, '/v1/users', { name: `Person ${++drawn}` })
const opener = async (w: SampleWorld, role: string) =>
	made(w, '/v1/role-assignments', { role, user: (await person(w)).id, scope: { kind: 'tenant' } })
const member = async (w: SampleWorld) => {
	const group = (await made(w, '/v1/groups', { code: `members${++drawn}`, name: 'Members' })).id
	const user = (await person(w)).id
	await w.api.ask('PUT', `/v1/groups/${group}/members/${user}`, { token: w.tenant.owner.token })
	return { group, user }
}

/** Whose first bundle has to be made. */
const FRESH: Readonly<Record<string, (made: { id: Id<'bank'>; bank: Id<'bank'> }) => Id<'bank'>>> = {
	'POST /v1/banks': ({ id }) => id,
	'POST /v1/controllers': ({ bank }) => bank,
}

/** What changes the bundle of a bank. Whoever adds a route that does is told so by the test. */
const TOLD: readonly string[] = [
	'DELETE /v1/approvals/{approval}',
	'DELETE /v1/assets/{asset}',
	'DELETE /v1/credentials/{credential}',
	'DELETE /v1/deliveries/{case}/delegations/{credential}',
	'DELETE /v1/groups/{group}',
	'DELETE /v1/groups/{group}/members/{user}',
	'DELETE /v1/modules/{module}',
	'DELETE /v1/one-time-codes/{code}',
	'DELETE /v1/policies/{policy}',
	'DELETE /v1/role-assignments/{assignment}',
	'DELETE /v1/users/{user}',
	'DELETE /v1/users/{user}/qualifications/{code}',
	'PATCH /v1/asset-types/{type}',
	'PATCH /v1/banks/{bank}',
	'PATCH /v1/compartments/{compartment}',
	'PATCH /v1/roles/{role}',
	'PATCH /v1/settings',
	'PATCH /v1/sites/{site}',
	'PATCH /v1/users/{user}',
	'POST /v1/approvals',
	'POST /v1/assets',
	'POST /v1/badge-imports',
	'POST /v1/controllers/{controller}/losses',
	'POST /v1/credentials',
	'POST /v1/deliveries',
	'POST /v1/deliveries/{case}/codes',
	'POST /v1/deliveries/{case}/delegations',
	'POST /v1/deliveries/{case}/recalls',
	'POST /v1/me/losses',
	'POST /v1/modules',
	'POST /v1/policies/{policy}/rollbacks',
	'POST /v1/policies/{policy}/versions',
	'POST /v1/role-assignments',
	'POST /v1/sites/{site}/key-rotations',
	'POST /v1/users',
	'PUT /v1/groups/{group}/members/{user}',
	'PUT /v1/users/{user}/qualifications/{code}',
]

/** Of them: what is told of people alone, without a new bundle. */
const TOLD_ALONE: readonly string[] = [
	'DELETE /v1/approvals/{approval}',
	'DELETE /v1/credentials/{credential}',
	'DELETE /v1/groups/{group}/members/{user}',
	'DELETE /v1/one-time-codes/{code}',
	'DELETE /v1/users/{user}',
	'DELETE /v1/users/{user}/qualifications/{code}',
	'PATCH /v1/users/{user}',
	'POST /v1/approvals',
	'POST /v1/badge-imports',
	'POST /v1/credentials',
	'POST /v1/me/losses',
	'POST /v1/users',
	'PUT /v1/groups/{group}/members/{user}',
	'PUT /v1/users/{user}/qualifications/{code}',
]

describe('a change that banks decide by', () => {
	let api: TestApi
	let tenant: TestTenant
	before(async () => {
		api = await testApi()
		tenant = await api.tenant('Acme')
		// Somebody whom no policy names is not in any bundle.
		const w = { api, tenant, sender: tenant.owner }
		const { id, version } = await made(w, '/v1/policies', { code: 'everybody', draft: 'permit (principal, action, resource);' })
		await made(w, `/v1/policies/${id}/versions`, { version })
	})
	after(() => api.close())

	/** Of the first bank and the one that was made last: what its bundle says. */
	const bundles = () =>
		api.store.write(tenant.id, async (tx) => {
			const banks = await tx.rows<{ bank: Id<'bank'>; site: Id<'site'> }>(sql`SELECT bank_id AS bank, site_id AS site FROM bank
				WHERE bank_id = ${tenant.bank} OR bank_id = (SELECT max(bank_id) FROM bank) ORDER BY bank_id`)
			const said = new Map<Id<'bank'>, { content: BundleContent; digest: (content: BundleContent) => string }>()
			for (const { bank, site } of banks) {
				const shared = await gatherSite(tx, site, api.parts.terms, api.clock.now())
				const rows = await gatherBank(tx, tenant.id, bank, shared, api.clock.now())
				said.set(bank, { content: contentOf(rows, nodeCrypto.sha256), digest: (content) => contentDigest(content, rows, nodeCrypto.sha256) })
			}
			return said
		})
	type Said = Awaited<ReturnType<typeof bundles>> extends Map<unknown, infer S> ? S : never
	/** Does a bank that is told of these people alone, as they are now, know all that has changed? */
	const suffices = (was: Said, now: Said, people: readonly Id<'subject'>[]): boolean => {
		const told = people.map((id) => {
			const row = now.content.subjects.find((one) => one.id === id)
			const credentials = now.content.credentials.filter(({ subject }) => subject === id)
			const revoked = now.content.revoked.ids.filter((gone) => isMintedId(gone) || credentials.some((one) => one.id === gone))
			return { id, ...(row && { row, credentials, revoked }) }
		})
		const patched = withPeople(was.content as Bundle, told)
		const ids = <T extends { readonly id: string }>(list: readonly T[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1))
		const groups = ids([...new Set(patched.subjects.flatMap((one) => one.groups))].map((id) => ({ id })))
		const revoked = { ...patched.revoked, ids: patched.revoked.ids.toSorted() }
		const said = { ...now.content, revoked: { ...now.content.revoked, ids: now.content.revoked.ids.toSorted() } }
		return now.digest({ ...patched, revoked, groups, subjects: ids(patched.subjects), credentials: ids(patched.credentials) }) === now.digest(said)
	}
	const marked = async () =>
		new Set(
			(await api.store.read(tenant.id, (db) => db.rows<{ bank: Id<'bank'> }>(sql`SELECT bank_id AS bank FROM bundle_dirty`))).map(({ bank }) => bank),
		)
	/** At which bank. */
	const markedPeople = (bank: Id<'bank'>) =>
		api.store.read(tenant.id, async (db) =>
			(
				await db.rows<{ id: Id<'subject'> }>(sql`SELECT subject_id AS id FROM person_dirty
					WHERE site_id = '' OR site_id = (SELECT site_id FROM bank WHERE bank_id = ${bank})`)
			).map(({ id }) => id),
		)

	test('marks every bank whose bundle it changes, or the people that are all of it, whichever route it came by', async (t) => {
		const changed = new Set<string>()
		const alone = new Set<string>()
		const forgotten: string[] = []
		for (const route of api.routes) {
			const name = `${route.method} ${route.path}`
			if (route.method === 'GET' || route.permission === 'public') continue
			for (const make of [SAMPLES[name] ?? assert.fail(name), ...(TELLING[name] ? [TELLING[name]] : [])]) {
				// So that the bank that is made last has the highest id.
				await api.clock.advance(1_000)
				const sample = await make({ api, tenant, sender: tenant.owner })
				if (sample.bySession) continue
				const was = await bundles()
				await api.store.write(tenant.id, (tx) => tx.run(sql`WITH p AS (DELETE FROM person_dirty WHERE true) DELETE FROM bundle_dirty WHERE true`))
				const answer = await send(route, sample)
				assert.ok(answer.status < 300 || answer.status === sample.settled, `${name}: ${answer.status} ${answer.text}`)
				const marks = await marked()
				const differs = [...(await bundles())].filter(([bank, now]) => {
					const before = was.get(bank)
					return before && before.digest(before.content) !== now.digest(now.content)
				})
				if (differs.length > 0) changed.add(name)
				// One that was not there before has everything to learn.
				const fresh = FRESH[name]?.(answer.body)
				if (fresh !== undefined && !marks.has(fresh)) forgotten.push(`${name} at the bank of it`)
				for (const [bank, now] of differs) {
					if (marks.has(bank)) continue
					if (suffices(was.get(bank) ?? assert.fail(), now, await markedPeople(bank))) alone.add(name)
					else forgotten.push(`${name} at the ${bank === tenant.bank ? 'first' : 'last'} bank`)
				}
			}
		}
		t.diagnostic(`${changed.size} routes change bundles`)
		assert.deepEqual(forgotten, [])
		assert.deepEqual([...changed].sort(), TOLD)
		assert.deepEqual([...alone].sort(), TOLD_ALONE)
	})

	const send = ({ method, path }: Route, { params, query, body, version }: Sample) =>
		api.ask(method, path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params?.[name] ?? '') + (query ? `?${query}` : ''), {
			token: tenant.owner.token,
			version,
			...(body !== undefined && { body }),
		})
})
