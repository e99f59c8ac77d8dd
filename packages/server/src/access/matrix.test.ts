import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BUILT_IN_ROLES, type Permission } from '@latchwork/core/access'
import type { Route } from '../http/index.ts'
import { startSession } from '../people/sign-in-write.ts'
import { type Answered, ROLE_NAMES, type TestApi, type TestPerson, type TestTenant, testApi } from '../testing/api.ts'
import { SAMPLES, type Sample } from '../testing/api-samples.ts'

/**
 * Every route × everybody who could ask (trust.md §5-F): nobody may do more than the roles say, and whoever may do it is answered 2xx on the very
 * same body, so that a refusal is never that of a bad request. What is expected is worked out from the lists of roles, not by the code that decides.
 */
interface Sender {
	readonly name: string
	readonly person: TestPerson
	/** What of it may be done everywhere, and what at the first site only. */
	readonly everywhere: ReadonlySet<Permission>
	readonly atSite: ReadonlySet<Permission>
	readonly elsewhere: ReadonlySet<Permission>
}

const NONE: ReadonlySet<Permission> = new Set()
const isSuccess = ({ status }: Answered, { settled }: Sample) => (status >= 200 && status < 300) || status === settled
const nameOf = ({ method, path }: Route) => `${method} ${path}`

describe('who may do what', () => {
	let api: TestApi
	let acme: TestTenant
	let rival: TestTenant
	let routes: readonly Route[]
	const senders: Sender[] = []
	before(async () => {
		api = await testApi()
		routes = api.routes
		acme = await api.tenant('Acme')
		rival = await api.tenant('Rival')
		const none = { everywhere: NONE, atSite: NONE, elsewhere: NONE }
		for (const role of ROLE_NAMES)
			senders.push({ ...none, name: role, person: await api.person(acme, { role }), everywhere: new Set<Permission>(BUILT_IN_ROLES[role]) })
		const manager = new Set<Permission>(BUILT_IN_ROLES['site-manager'])
		const at = (id: TestTenant['site']) => api.person(acme, { role: 'site-manager', scope: { kind: 'site', id } })
		senders.push({ ...none, name: 'site manager of the site', person: await at(acme.site), atSite: manager })
		senders.push({ ...none, name: 'site manager of another site', person: await at(acme.otherSite), elsewhere: manager })
		senders.push({ ...none, name: 'somebody without a role', person: await api.person(acme) })
		const token = await api.token(acme, acme.owner, ['delivery.create'])
		senders.push({ ...none, name: 'owner by a token of one permission', person: { ...acme.owner, token }, everywhere: new Set(['delivery.create']) })
	})
	after(() => api.close())

	const send = async ({ method, path }: Route, sample: Sample, who: TestPerson | undefined, of = acme): Promise<Answered> => {
		const address = path.replaceAll(/\{(\w+)\}|\*/g, (whole, name = whole) => sample.params?.[name] ?? '')
		const { body, version } = sample
		const cookie =
			sample.bySession && who
				? `latchwork=${(await api.store.write(of.id, (tx) => startSession(tx, who.id, { ...api.parts.terms, actor: 'server', now: api.clock.now() }))).secret}`
				: undefined
		return api.ask(method, address + (sample.query ? `?${sample.query}` : ''), {
			...(cookie ? { cookie } : { token: who?.token }),
			...(body !== undefined && { body }),
			version,
		})
	}
	const sampleOf = async (route: Route, sender: TestPerson, tenant = acme): Promise<Sample> => {
		const make = SAMPLES[nameOf(route)]
		assert.ok(make, `${nameOf(route)} has no sample in testing/api-samples.ts`)
		return make({ api, tenant, sender })
	}
	const mayDo = ({ permission, scope }: Route, { at }: Sample, { everywhere, atSite, elsewhere }: Sender): boolean => {
		if (permission === 'public' || permission === 'signed-in') return true
		if (everywhere.has(permission)) return true
		if (at === 'site') return atSite.has(permission)
		if (scope === 'anywhere' || at === 'anywhere') return atSite.has(permission) || elsewhere.has(permission)
		return typeof scope === 'function' && at !== 'tenant' && atSite.has(permission)
	}

	test('every route has a sample, and every sample its route', () => {
		assert.deepEqual(Object.keys(SAMPLES).sort(), routes.map(nameOf).sort())
	})

	test('each caller is let in where the lists of roles say so, and nowhere else', async (t) => {
		let allowed = 0
		let refused = 0
		const wrong: string[] = []
		for (const route of routes) {
			const isOwn = route.permission === 'signed-in' || route.permission === 'public'
			let unused: Sample | undefined
			for (const sender of senders) {
				// Who may not do it uses nothing up, so the next one gets the same.
				const sample = (isOwn ? undefined : unused) ?? (await sampleOf(route, sender.person))
				const answer = await send(route, sample, sender.person)
				const may = mayDo(route, sample, sender)
				unused = may ? undefined : sample
				if (may) allowed++
				else refused++
				if (may !== isSuccess(answer, sample) || (!may && answer.status !== 403))
					wrong.push(`${nameOf(route)} by ${sender.name}: ${answer.status} ${answer.text.slice(0, 200)}, allowed: ${may}`)
			}
		}
		t.diagnostic(`${allowed} allowed cells answered 2xx, ${refused} others 403`)
		assert.deepEqual(wrong, [])
		assert.ok(allowed / (allowed + refused) >= 0.15, `${allowed} of ${allowed + refused}`)
	})

	test('whoever shows nothing, or something that is not valid, gets 401 everywhere but at the public routes', async () => {
		for (const route of routes) {
			if (route.permission === 'public') continue
			const sample = await sampleOf(route, acme.owner)
			for (const token of [undefined, 'lw_', `${acme.owner.token}x`, acme.owner.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))]) {
				const answer = await send(route, { ...sample, bySession: undefined as never }, token === undefined ? undefined : { ...acme.owner, token })
				assert.equal(answer.status, 401, `${nameOf(route)} with ${token?.slice(0, 8)}`)
				assert.equal(answer.body.code, 'not-signed-in')
			}
		}
	})

	test('no change is made by a browser’s session from a page of another origin, at any route', async () => {
		const { secret } = await api.store.write(acme.id, (tx) =>
			startSession(tx, acme.owner.id, { ...api.parts.terms, actor: 'server', now: api.clock.now() }),
		)
		let asked = 0
		for (const route of routes) {
			if (route.method === 'GET' || route.permission === 'public') continue
			const { params, query, body, version } = await sampleOf(route, acme.owner)
			const address = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params?.[name] ?? '') + (query ? `?${query}` : '')
			const headers = { cookie: `latchwork=${secret}`, origin: 'https://elsewhere.example' }
			const answer = await api.ask(route.method, address, { headers, version, ...(body !== undefined && { body }) })
			assert.deepEqual([answer.status, answer.body.code], [403, 'not-permitted'], nameOf(route))
			asked++
		}
		assert.ok(asked > 40)
		// The control: the same session reads, and the samples do well where they are sent by who may (above).
		assert.equal((await api.ask('GET', '/v1/me', { headers: { cookie: `latchwork=${secret}` } })).status, 200)
	})

	test('the owner of another organisation finds nothing of this one, and does well with the same request about their own', async (t) => {
		let strange = 0
		let own = 0
		for (const route of routes) {
			if (route.permission === 'public') continue
			const mine = await sampleOf(route, acme.owner)
			const foreign = JSON.stringify([mine.params ?? {}, mine.query ?? '', mine.body ?? {}])
			if (/[a-z]{3}_[0-9a-f]{8}-/.test(foreign)) {
				const answer = await send(route, mine, rival.owner, rival)
				strange++
				assert.ok([400, 404].includes(answer.status), `${nameOf(route)}: ${answer.status} ${answer.text}`)
			} else if (route.method === 'GET') {
				const answer = await send(route, mine, rival.owner, rival)
				for (const id of [acme.id, acme.site, acme.bank, acme.owner.id]) assert.ok(!answer.text.includes(id), `${nameOf(route)} shows ${id}`)
			}
			const sample = await sampleOf(route, rival.owner, rival)
			const answer = await send(route, sample, rival.owner, rival)
			own++
			assert.ok(isSuccess(answer, sample), `${nameOf(route)} about their own: ${answer.status} ${answer.text}`)
		}
		t.diagnostic(`${strange} requests with ids of the other organisation found nothing, ${own} with their own did well`)
		assert.ok(strange > 40 && own > 70)
	})
})
