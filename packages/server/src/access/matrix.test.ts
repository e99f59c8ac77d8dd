import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BUILT_IN_ROLES, type BuiltInRole, type Caller, type Permission, type Scope } from '@latchwork/core/access'
import { Fault, newId } from '@latchwork/core/base'
import { exampleLayout } from '@latchwork/core/wire'
import pg from 'pg'
import { openTask } from '../cases/index.ts'
import type { Route } from '../http/index.ts'
import { startSession } from '../people/sign-in-write.ts'
import { type Answered, ROLE_NAMES, type TestApi, type TestPerson, type TestTenant, testApi } from '../testing/api.ts'
import { NEEDS, type Needed, type Where } from '../testing/api-needs.ts'
import { made, SAMPLES, type Sample } from '../testing/api-samples.ts'
import { testEdge } from '../testing/edge.ts'

/**
 * Every route × everybody who could ask × where they hold their role (trust.md §5-F): nobody may do more than the roles say, and whoever may do it is let
 * do it with the very same request, so that a refusal is never that of a bad request; what a list answers lies where its reader may look. What is
 * expected is worked out from the lists of roles and of needs, not by the code that decides. Each finding has its control: the same routes without what
 * guards them, in which the same eyes must find the hole.
 */
type At = 'tenant' | 'site' | 'other site' | 'banks' | 'other bank' | 'areas'
interface Sender {
	readonly name: string
	readonly person: TestPerson
	readonly may: ReadonlySet<Permission>
	/** Where they hold it: `banks` and `areas` are all those of the first site, `other bank` is one there that no request is about. */
	readonly at: At
}
/** Who reaches a request that must be allowed there. */
const REACHED_BY: Readonly<Record<Where, readonly At[]>> = {
	tenant: ['tenant'],
	site: ['tenant', 'site'],
	area: ['tenant', 'site', 'areas'],
	bank: ['tenant', 'site', 'banks'],
	anywhere: ['tenant', 'site', 'other site', 'banks', 'other bank', 'areas'],
	narrowed: ['tenant', 'site', 'other site', 'banks', 'other bank', 'areas'],
}

/** So many are served at once. */
const POOL = 4
const nameOf = ({ method, path }: Route) => `${method} ${path}`
const isOwn = ({ permission }: Pick<Needed, 'permission'>) => permission === 'public' || permission === 'signed-in'
const isSuccess = ({ status, body }: Answered, { settled }: Sample) =>
	(status >= 200 && status < 300) || status === settled || (status === 409 && body?.detail === DONE)

const DONE = 'It was done, and taken back.'
/** Does all of it and then takes the transaction back, so that the next one asks for the same of the same. */
const takenBack = (route: Route): Route =>
	route.method === 'GET' || route.permission === 'public'
		? route
		: {
				...route,
				handle: async (asked: never) => {
					await route.handle(asked)
					throw new Fault('request-refused', DONE)
				},
			}
/** Planted: a route that asks for no place, and that narrows nothing by it. */
const everywhere = (route: Route): Route =>
	isOwn(route)
		? route
		: ({
				...route,
				scope: 'anywhere',
				handle: (asked: { readonly caller: Caller }) => {
					const holdings = asked.caller.holdings.map((one) => ({ ...one, scope: { kind: 'tenant' } as const }))
					return route.handle({ ...asked, caller: { ...asked.caller, holdings } } as never)
				},
			} as Route)
/** Planted: a route that asks for a lesser permission. */
const lax = (route: Route): Route => (isOwn(route) ? route : { ...route, permission: 'estate.read' })

const ID = /\b[a-z]{3}_[0-9a-f]{8}-[0-9a-f-]{27}\b/g
interface Lies {
	readonly site: string | null
	readonly bank: string | null
}

describe('who may do what', () => {
	let api: TestApi
	let database: pg.Client
	let acme: TestTenant
	/** The same organisation, seen from its other site. */
	let depot: TestTenant
	let shelf: string
	let rival: TestTenant
	let routes: readonly Route[]
	let url: string
	const senders: Sender[] = []
	/** Of people who hold every permission at the first site, and at the other one. */
	let lead: Sender
	let stranger: Sender
	const samples = new Map<string, { readonly here: Sample; readonly there: Sample }>()

	before(async () => {
		api = await testApi({ pool: POOL })
		routes = api.routes
		url = await api.serve(routes.map(takenBack))
		database = new pg.Client({ connectionString: api.database })
		await database.connect()
		await database.query('SET search_path TO latchwork')
		acme = await api.tenant('Acme')
		rival = await api.tenant('Rival')
		const world = { api, tenant: acme, sender: acme.owner }
		const bankAt = async (site: string, name: string) => (await made(world, '/v1/banks', { site, name, helpPhone: '110', layout: exampleLayout })).id
		shelf = await bankAt(acme.site, 'Shelf')
		depot = { ...acme, site: acme.otherSite, otherSite: acme.site, bank: await bankAt(acme.otherSite, 'Depot bank') }
		for (const tenant of [acme, depot]) {
			const edge = await testEdge(api, tenant)
			const { site, bank } = tenant
			await api.store.write(acme.id, (tx) => openTask(tx, { kind: 'conflict', site, bank }, { now: api.clock.now(), random: api.parts.random }))
			await edge.tell({ type: 'decision.denied', subject: DECISION, actor: acme.owner.id, data: DENIED })
		}
		await api.sign(acme.id)

		const sender = async (role: BuiltInRole, at: At, scope?: Scope): Promise<Sender> => {
			const person = await api.person(acme, scope ? { role, scope } : undefined)
			if (at === 'banks' || at === 'areas') ofAll.push({ role, at, person })
			return { name: `${role} at ${at}`, person, may: new Set<Permission>(BUILT_IN_ROLES[role]), at }
		}
		for (const role of ROLE_NAMES) {
			senders.push(await sender(role, 'tenant', { kind: 'tenant' }))
			senders.push(await sender(role, 'site', { kind: 'site', id: acme.site }))
			senders.push(await sender(role, 'other site', { kind: 'site', id: depot.site }))
			senders.push(await sender(role, 'banks'))
		}
		for (const role of ['owner', 'site-manager'] as const) {
			senders.push(await sender(role, 'areas'))
			senders.push(await sender(role, 'other bank', { kind: 'bank', id: shelf as TestTenant['bank'] }))
		}
		const named = (name: string) => senders.find((one) => one.name === name) ?? assert.fail(name)
		lead = named('owner at site')
		stranger = named('owner at other site')
		senders.push({ name: 'somebody without a role', person: await api.person(acme), may: new Set(), at: 'tenant' })
		const token = await api.token(acme, acme.owner, ['delivery.create'])
		senders.push({ name: 'owner by a token of one permission', person: { ...acme.owner, token }, may: new Set(['delivery.create']), at: 'tenant' })
		for (const route of routes)
			samples.set(nameOf(route), { here: await sampleOf(route, acme.owner, acme), there: await sampleOf(route, acme.owner, depot) })
		await api.sign(acme.id)
		await giveAtAll()
	})
	after(async () => {
		await database?.end()
		await api?.close()
	})

	const ofAll: { readonly role: BuiltInRole; readonly at: 'banks' | 'areas'; readonly person: TestPerson }[] = []
	/** Samples make banks and areas of their own: whoever holds a role at all of the site holds it there, too. */
	async function giveAtAll(): Promise<void> {
		for (const kind of ['bank', 'area'] as const) {
			const { rows } = await database.query<{ id: string }>(`SELECT ${kind}_id AS id FROM ${kind} WHERE tenant_id = $1 AND site_id = $2`, [
				acme.id,
				acme.site,
			])
			for (const { role, person } of ofAll.filter(({ at }) => at === `${kind}s`))
				await database.query(
					`INSERT INTO role_assignment (tenant_id, assignment_id, role, subject_id, scope_kind, scope_id, created_at, created_by)
					SELECT $1, t.assignment, $2, $3, $4, t.place, 0, 'server' FROM unnest($5::text[], $6::text[]) t (assignment, place)`,
					[acme.id, role, person.id, kind, rows.map(() => newId('roleAssignment', api.clock.now(), api.parts.random)), rows.map(({ id }) => id)],
				)
		}
	}

	const addressOf = ({ path }: Route, { params, query }: Sample) =>
		path.replaceAll(/\{(\w+)\}|\*/g, (whole, name = whole) => params?.[name] ?? '') + (query ? `?${query}` : '')
	const send = async (route: Route, sample: Sample, who: TestPerson | undefined, { of = acme, at = api.url } = {}): Promise<Answered> => {
		const { body, version } = sample
		const cookie =
			sample.bySession && who
				? `latchwork=${(await api.store.write(of.id, (tx) => startSession(tx, who.id, { ...api.parts.terms, actor: 'server', now: api.clock.now() }))).secret}`
				: undefined
		return api.ask(route.method, addressOf(route, sample), {
			url: at,
			...(cookie ? { cookie } : { token: who?.token }),
			...(body !== undefined && { body }),
			version,
		})
	}
	async function sampleOf(route: Route, sender: TestPerson, tenant = acme): Promise<Sample> {
		const make = SAMPLES[nameOf(route)]
		assert.ok(make, `${nameOf(route)} has no sample in testing/api-samples.ts`)
		return make({ api, tenant, sender })
	}
	const neededFor = (route: Route): Needed => NEEDS.get(nameOf(route)) ?? assert.fail(`${nameOf(route)} is not in testing/api-needs.ts`)
	const sampleHere = (route: Route): Sample => samples.get(nameOf(route))?.here ?? assert.fail(nameOf(route))
	const sampleThere = (route: Route): Sample => samples.get(nameOf(route))?.there ?? assert.fail(nameOf(route))

	interface Tried {
		readonly wrong: string[]
		allowed: number
		refused: number
	}
	/** One request of each sender by each route, judged by the lists. */
	async function tried(at: string, some: readonly Route[], by: readonly Sender[]): Promise<Tried> {
		const found: Tried = { wrong: [], allowed: 0, refused: 0 }
		for (const route of some) {
			const { permission, where } = neededFor(route)
			const own = isOwn({ permission })
			const isExpected = ({ may, at: held }: Sender) => own || (may.has(permission as Permission) && REACHED_BY[where].includes(held))
			const judge = async (sender: Sender) => {
				const { name, person } = sender
				const sample = own ? await sampleOf(route, person) : sampleHere(route)
				const expected = isExpected(sender)
				const answer = await send(route, sample, person, { at })
				if (expected) found.allowed++
				else found.refused++
				if (expected !== isSuccess(answer, sample) || (!expected && answer.status !== 403))
					found.wrong.push(`${nameOf(route)} by ${name}: ${answer.status} ${answer.text.slice(0, 300)}, allowed: ${expected}`)
			}
			// What a role lets nobody do is refused before anybody looks where: it is asked for at two places, and not at all of them.
			// Nor is everything done by everybody who may: by each role once, and at each place by the two that hold roles at all of them.
			const asking = by
				.filter(({ may, at }) => at === 'tenant' || (!own && (at === 'site' || may.has(permission as Permission))))
				.filter((one) => one.at === 'tenant' || !isExpected(one) || /^(owner|site-manager) /.test(one.name))
			// Who reads, or is refused, stands in nobody’s way; who changes something waits for the one before.
			const [alone, together] = [asking.filter((one) => route.method !== 'GET' && isExpected(one)), new Set(asking)]
			for (const one of alone) {
				together.delete(one)
				await judge(one)
			}
			const left = [...together]
			await Promise.all(
				Array.from({ length: POOL }, async () => {
					for (let one = left.pop(); one; one = left.pop()) await judge(one)
				}),
			)
		}
		return found
	}

	test('every route has a sample and its line of who may use it, and asks for what the line says', () => {
		assert.deepEqual(Object.keys(SAMPLES).sort(), routes.map(nameOf).sort())
		assert.deepEqual([...NEEDS.keys()].sort(), routes.map(nameOf).sort())
		assert.deepEqual(
			routes.flatMap((route) => (route.permission === neededFor(route).permission ? [] : [`${nameOf(route)} asks for ${route.permission}`])),
			[],
		)
	})

	test('each caller is let in where the lists say so, and nowhere else', async (t) => {
		const { wrong, allowed, refused } = await tried(url, routes, senders)
		t.diagnostic(`${allowed} allowed cells were done, ${refused} others answered 403`)
		assert.deepEqual(wrong, [])
		assert.ok(allowed / (allowed + refused) >= 0.15, `${allowed} of ${allowed + refused}`)
	})

	test('control: a route that asks for a lesser permission, or for no place, is found, whichever it is', async (t) => {
		const judged = routes.filter((route) => !isOwn(route))
		const elsewhere = await api.serve(judged.map(everywhere).map(takenBack))
		const bound = judged.filter((route) => !REACHED_BY[neededFor(route).where].includes('other site'))
		const lost = await tried(elsewhere, bound, [stranger])
		assert.deepEqual(
			bound.map(nameOf).filter((name) => !lost.wrong.some((one) => one.startsWith(`${name} by`))),
			[],
			'without its place, these are refused all the same: the cell proves nothing',
		)
		const lesser = await api.serve(judged.map(lax).map(takenBack))
		const strict = judged.filter((route) => route.permission !== 'estate.read')
		const kiosk = senders.filter(({ name }) => name === 'kiosk at tenant')
		const opened = await tried(lesser, strict, kiosk)
		// These look at what else the caller holds, whatever the route asks for.
		const further = strict.map(nameOf).filter((name) => !opened.wrong.some((one) => one.startsWith(`${name} by`)))
		t.diagnostic(`${bound.length} routes without their place and ${strict.length - further.length} with a lesser permission were found`)
		assert.deepEqual(further, FURTHER)
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

	/** Ids of what lies at some site or bank, by the tables themselves: each with a column for it and an id of its own. */
	async function placed(): Promise<Map<string, Lies>> {
		const { rows: tables } = await database.query<{ name: string; id: string; columns: string[] }>(`
			SELECT c.relname AS name, k.id, (SELECT array_agg(a.attname::text) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
			FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
			CROSS JOIN LATERAL (SELECT min(a.attname::text) AS id, count(*) AS n FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND a.attname <> 'tenant_id') k
			WHERE c.relnamespace = 'latchwork'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition AND k.n = 1 AND k.id LIKE '%\\_id'`)
		const found = new Map<string, Lies>()
		for (const { name, id, columns } of tables) {
			const [bank, site] = [columns.includes('bank_id'), columns.includes('site_id')]
			if ((!bank && !site) || id === 'subject_id') continue
			const { rows } = await database.query<Lies & { id: string }>(
				`SELECT t.${id} AS id, ${site ? 't.site_id' : 'NULL'} AS site, ${bank ? 't.bank_id' : 'NULL'} AS bank FROM ${name} t WHERE t.tenant_id = $1`,
				[acme.id],
			)
			for (const { id, site, bank } of rows) if ((site !== null || bank !== null) && !found.get(id)?.site) found.set(id, { site, bank })
		}
		for (const [id, { site, bank }] of found) if (site === null) found.set(id, { bank, site: found.get(bank ?? '')?.site ?? assert.fail(id) })
		return found
	}
	/** Whether somebody may be shown it who reads there: at a bank also the site that it stands at, and that site's policies. */
	const mayShow = (at: At, id: string, { site, bank }: Lies): boolean => {
		if (at === 'site') return site === acme.site
		if (at === 'other site') return site === depot.site
		if (site !== acme.site) return at === 'tenant'
		if (bank === null) return id === acme.site || id.startsWith('pol_') || at === 'areas'
		return at === 'other bank' ? bank === shelf : at === 'banks'
	}
	const idsIn = (text: string): string[] => [...new Set(text.match(ID))]

	/** What a list answers, so many pages of it; of a feed what comes until the newest that the reader may see. */
	async function read(route: Route, sample: Sample, person: TestPerson, { at = url, pages = Number.POSITIVE_INFINITY } = {}): Promise<string> {
		const address = addressOf(route, sample)
		if (route.produces === 'text/event-stream') {
			const last = await api.ask('GET', '/v1/events?order=falling&limit=1', { token: person.token })
			const until = last.body.items[0]?.sequence
			return until === undefined ? '' : await feed(at + address, person, until)
		}
		const takes = 'shape' in (route.query ?? {}) ? Object.keys((route.query as unknown as { shape: object }).shape) : []
		if (route.method !== 'GET' || !takes.includes('cursor')) return (await send(route, sample, person, { at })).text
		let text = ''
		for (let [cursor, left] = ['', pages]; ; left--) {
			const answer = await api.ask('GET', `${address}${address.includes('?') ? '&' : '?'}limit=200${cursor}`, { url: at, token: person.token })
			assert.equal(answer.status, 200, `${nameOf(route)}: ${answer.text}`)
			text += answer.text
			if (answer.body.next === undefined || left <= 1) return text
			cursor = `&cursor=${encodeURIComponent(answer.body.next)}`
		}
	}
	async function feed(address: string, { token }: TestPerson, until: string): Promise<string> {
		const stop = new AbortController()
		const headers = { authorization: `Bearer ${token}`, 'last-event-id': '0' }
		const answer = await fetch(address, { headers, signal: stop.signal })
		let text = ''
		for await (const part of answer.body ?? []) {
			text += Buffer.from(part as Uint8Array).toString()
			if (text.includes(`id: ${until}\n`)) break
		}
		stop.abort()
		return text
	}

	test('what a list answers lies where its reader may look, by every role and at every place; without its narrowing that is seen', async (t) => {
		const lies = await placed()
		const foreign = (at: At, text: string) => idsIn(text).filter((id) => lies.has(id) && !mayShow(at, id, lies.get(id) as Lies))
		const narrowed = routes.filter((route) => neededFor(route).where === 'narrowed')
		const planted = await api.serve(routes.map(everywhere).map(takenBack))
		const wrong: string[] = []
		const unseen: string[] = []
		let lists = 0
		for (const route of narrowed) {
			const { permission } = neededFor(route)
			for (const { name, person, may, at } of senders) {
				if (at === 'tenant' || !may.has(permission as Permission)) continue
				// A check is of a text for some place: each asks for their own.
				const sample = at === 'other site' ? sampleThere(route) : sampleHere(route)
				// What a role lets do decides whether it is answered, and not what: one of them reads to the end.
				const text = await read(route, sample, person, name.startsWith('owner') ? {} : { pages: 1 })
				lists++
				const found = foreign(at, text)
				if (found.length > 0) wrong.push(`${nameOf(route)} by ${name} shows ${found.slice(0, 3)}`)
				const own = idsIn(text).filter((id) => lies.has(id))
				if ((at === 'site' || at === 'other site') && own.length === 0 && !SILENT.includes(nameOf(route)))
					wrong.push(`${nameOf(route)} by ${name} shows nothing`)
			}
			if (foreign('site', await read(route, sampleHere(route), lead.person, { at: planted })).length === 0) unseen.push(nameOf(route))
		}
		t.diagnostic(`${lists} lists read, ${narrowed.length - unseen.length} of ${narrowed.length} seen to show too much without their narrowing`)
		assert.deepEqual(wrong, [])
		assert.deepEqual(unseen, SILENT)
	})

	/** The request with one of its ids put in the place of another: by where it stood. */
	function crossings(here: Sample, there: Sample, lies: ReadonlyMap<string, Lies>): { readonly what: string; readonly sample: Sample }[] {
		const isPlaced = (value: unknown, site: string) => typeof value === 'string' && lies.get(value)?.site === site
		const found: { what: string; sample: Sample }[] = []
		const swap = (mine: unknown, theirs: unknown, path: string, put: (value: unknown) => Sample) => {
			if (isPlaced(mine, acme.site) && isPlaced(theirs, depot.site)) found.push({ what: path, sample: put(theirs) })
			else if (mine && theirs && typeof mine === 'object' && typeof theirs === 'object')
				for (const [name, value] of Object.entries(mine))
					swap(value, (theirs as Record<string, unknown>)[name], `${path}.${name}`, (other) =>
						put(Array.isArray(mine) ? mine.map((one, i) => (String(i) === name ? other : one)) : { ...mine, [name]: other }),
					)
		}
		swap(here.params, there.params, 'path', (params) => ({ ...here, params: params as Record<string, string> }))
		swap(here.body, there.body, 'body', (body) => ({ ...here, body }))
		const queries = [here.query, there.query].map((text) => Object.fromEntries(new URLSearchParams(text)))
		swap(queries[0], queries[1], 'query', (query) => ({ ...here, query: `${new URLSearchParams(query as Record<string, string>)}` }))
		return found
	}

	test('an id of another site leads nowhere, whether it stands in the path, the query, a filter or the body', async (t) => {
		const lies = await placed()
		const planted = await api.serve(routes.map(everywhere).map(takenBack))
		const wrong: string[] = []
		const tally = { path: 0, query: 0, body: 0, filter: 0, seen: 0 }
		const area = [...lies].find(([id, { site }]) => id.startsWith('are_') && site === depot.site)?.[0] ?? assert.fail('no area')
		const theirs = (prefix: string) => [...lies].find(([id, one]) => id.startsWith(prefix) && one.site === depot.site)?.[0] ?? assert.fail(prefix)
		const filters: Readonly<Record<string, string>> = { site: depot.site, area, bank: depot.bank, case: theirs('cas_'), subject: depot.bank }
		/** Done, or answered with what is theirs; what was put into the request itself says nothing. */
		const reaches = async (route: Route, sample: Sample, at: string): Promise<boolean> => {
			const answer = await send(route, sample, lead.person, { at })
			if (!isSuccess(answer, sample)) return false
			if (route.method !== 'GET' && answer.status === 409) return true
			if (route.produces !== undefined) return false
			return idsIn(answer.text).some((id) => lies.get(id)?.site === depot.site)
		}
		const judge = async (kind: 'path' | 'query' | 'body' | 'filter', route: Route, what: string, sample: Sample) => {
			tally[kind]++
			if (await reaches(route, sample, url)) wrong.push(`${nameOf(route)}: ${what}`)
			if (await reaches(route, sample, planted)) tally.seen++
		}
		for (const route of routes) {
			if (isOwn(route)) continue
			const { here, there } = samples.get(nameOf(route)) ?? assert.fail(nameOf(route))
			for (const { what, sample } of crossings(here, there, lies)) await judge(what.split('.')[0] as 'path', route, what, sample)
			if (neededFor(route).where !== 'narrowed' || route.method !== 'GET') continue
			const takes = Object.keys((route.query as unknown as { shape: object } | undefined)?.shape ?? {})
			for (const name of takes) {
				const value = filters[name]
				if (value !== undefined) await judge('filter', route, name, { ...here, query: `${name}=${value}` })
			}
		}
		t.diagnostic(JSON.stringify(tally))
		assert.deepEqual(wrong, [])
		const { path, body, filter, seen } = tally
		assert.ok(path > 40 && body > 10 && filter > 15, JSON.stringify(tally))
		assert.ok(seen > 0.8 * (path + body + filter), `without what guards them ${seen} of ${path + body + filter} lead there`)
	})

	test('nobody of another organisation, whatever their role, finds anything of this one; its owner does well with the same request about their own', async (t) => {
		const theirs: { role: BuiltInRole; person: TestPerson }[] = []
		for (const role of ROLE_NAMES) theirs.push({ role, person: await api.person(rival, { role }) })
		let strange = 0
		let own = 0
		for (const route of routes) {
			const { permission } = neededFor(route)
			if (permission === 'public') continue
			const mine = sampleHere(route)
			const isForeign = JSON.stringify([mine.params ?? {}, mine.query ?? '', mine.body ?? {}]).match(ID) !== null
			for (const { role, person } of theirs) {
				const may = permission === 'signed-in' || (BUILT_IN_ROLES[role] as readonly Permission[]).includes(permission)
				// What their role does not let them do is refused before anybody looks; by every role it was asked above.
				if (!may || (!isForeign && route.method !== 'GET')) continue
				const answer = await send(route, mine, person, { of: rival, at: url })
				strange++
				const told = `${nameOf(route)} by ${role}: ${answer.status} ${answer.text}`
				if (isForeign) assert.ok([400, 404].includes(answer.status), told)
				for (const id of [acme.id, acme.site, acme.bank, acme.owner.id]) assert.ok(!answer.text.includes(id), `${told} shows ${id}`)
			}
			const sample = await sampleOf(route, rival.owner, rival)
			const answer = await send(route, sample, rival.owner, { of: rival })
			own++
			assert.ok(isSuccess(answer, sample), `${nameOf(route)} about their own: ${answer.status} ${answer.text}`)
		}
		t.diagnostic(`${strange} requests of the other organisation found nothing, ${own} with their own did well`)
		assert.ok(strange > 400 && own > 70)
	})
})

const DECISION = 'dec_019b8d62-7a80-7fd9-b653-59d58b87641e'
const DENIED = {
	rules: ['builtin/no-permit'],
	reason: 'not-authorised',
	policyVersion: 1,
	bundleVersion: 1,
	inputsDigest: '0'.repeat(64),
	method: 'badge',
	assurance: 'low',
	offline: false,
	stale: false,
	action: 'collect',
	workflow: 'loan',
	openLoans: 0,
	overdue: false,
} as const
/** What may be seen of a policy depends on where its reader may read policies: these look at that themselves, whatever the route asks for. */
const FURTHER: readonly string[] = [
	'GET /v1/policies/{policy}',
	'GET /v1/policies/{policy}/versions',
	'POST /v1/policy-checks',
	'POST /v1/policies/{policy}/replays',
]
/** With a policy engine that denies all, a check has nothing to say of any bank; access.test.ts asks one that allows. */
const SILENT: readonly string[] = ['POST /v1/policy-checks']
