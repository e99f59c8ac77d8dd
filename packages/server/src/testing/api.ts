import { BUILT_IN_ROLES, type BuiltInRole, type Permission, type PolicyEngine, type Scope } from '@latchwork/core/access'
import { type FakeClock, fakeClock, type Id, newId, seededRandom } from '@latchwork/core/base'
import type { GrowingTree } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { assignRole, gate } from '../access/index.ts'
import { serverConfig } from '../config.ts'
import { ALWAYS_OPEN, createBank, createSite } from '../estate/index.ts'
import { type HttpConfig, httpServer, type Route } from '../http/index.ts'
import { writeCheckpoint } from '../ledger/checkpoint-write.ts'
import { openWatch, type Watch } from '../ledger/index.ts'
import { sequence } from '../ledger/sequence-write.ts'
import { logSigner } from '../log-signer.ts'
import type { Parts } from '../parts.ts'
import { createPerson, installationKey, issueToken, passwords, setPassword } from '../people/index.ts'
import { routesOf } from '../routes.ts'
import { type Store, sealingKey } from '../store/index.ts'
import { createTenant } from '../tenants/index.ts'
import { realClock, testStore } from './test-store.ts'

/** The whole API on a real PostgreSQL, spoken to over HTTP; time stands still until a test moves it. */
export interface TestApi {
	readonly url: string
	/** Of the database's owner, who is under no row-level security. */
	readonly database: string
	readonly store: Store
	readonly clock: FakeClock
	readonly parts: Parts
	/** Those of the product; what a test added is not among them. */
	readonly routes: readonly Route[]
	readonly watch: Watch
	readonly logged: readonly Readonly<Record<string, unknown>>[]
	ask(method: string, path: string, asking?: Asking): Promise<Answered>
	tenant(name: string): Promise<TestTenant>
	/** A person with a role there; undefined: with none. */
	person(tenant: TestTenant, held?: { role: BuiltInRole; scope?: Scope }): Promise<TestPerson>
	/** A token of the person, of everything or of less. */
	token(tenant: TestTenant, person: TestPerson, permissions?: readonly Permission[]): Promise<string>
	/** The same database under other routes: what a test planted, or what leaves no trace. Answers where it listens; it ends with the API. */
	serve(routes: readonly Route[]): Promise<string>
	/** Gives positions to all that was recorded of the tenant, and signs its log. */
	sign(tenant: Id<'tenant'>): Promise<void>
	close(): Promise<void>
}

export interface Asking {
	/** Of another server than the API's own. */
	readonly url?: string
	readonly token?: string | undefined
	readonly cookie?: string | undefined
	readonly body?: unknown
	readonly headers?: Readonly<Record<string, string>>
	/** The version that was seen. */
	readonly version?: number | undefined
}

export interface Answered {
	readonly status: number
	readonly headers: Headers
	readonly text: string
	// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
	readonly body: any
}

export interface TestPerson {
	readonly id: Id<'subject'>
	readonly token: string
	readonly email: string
}

export interface TestTenant {
	readonly id: Id<'tenant'>
	readonly site: Id<'site'>
	readonly otherSite: Id<'site'>
	readonly bank: Id<'bank'>
	readonly owner: TestPerson
}

export const TEST_PASSWORD = 'four words and a number 7'
/** Nothing waits for argon2id here, and nothing is counted unless a test asks for it. */
const QUICK = { memory: 64, passes: 1 }
const PLENTY = { burst: 1_000_000, perSecond: 1_000 }

export interface TestApiOptions {
	readonly http?: Partial<HttpConfig>
	readonly extra?: (parts: Parts) => readonly Route[]
	readonly engine?: PolicyEngine
	readonly passwords?: typeof QUICK
	readonly pool?: number
	/** As the environment says. */
	readonly config?: Readonly<Record<string, string>>
}

export async function testApi(options: TestApiOptions = {}): Promise<TestApi> {
	const db = await testStore({ pool: options.pool ?? 2 })
	const { store } = db
	const clock = fakeClock()
	const random = seededRandom(7)
	const master = sealingKey(random(32), random)
	const installation = await store.system((tx) => installationKey(tx, master, random, clock.now()))
	const watch = openWatch({ store, pace: realClock, failed: () => {} })
	const logged: Readonly<Record<string, unknown>>[] = []
	const parts: Parts = {
		clock,
		random,
		log: (entry) => logged.push(entry),
		failed: () => {},
		engine: options.engine ?? takesAll,
		store,
		master,
		config: serverConfig(options.config ?? {}),
		terms: { master, random, installation },
		passwords: passwords(installation, random, options.passwords ?? QUICK),
	}
	const routes = routesOf(parts, { requested: () => {}, watch, pace: realClock, device: () => undefined })
	const listen = (routes: readonly Route[]) =>
		httpServer({
			routes: [...routes],
			store,
			gate,
			sealing: master,
			host: parts,
			config: { host: '127.0.0.1', port: 0, version: 'test', callerRate: PLENTY, addressRate: PLENTY, ...options.http },
		})
	const http = await listen([...routes, ...(options.extra?.(parts) ?? [])])
	const others: Awaited<ReturnType<typeof listen>>[] = []
	const changeNow = () => ({ ...parts.terms, actor: 'server' as const, now: clock.now() })
	let people = 0
	const trees = new Map<Id<'tenant'>, GrowingTree>()
	const months = new Set<number>()

	const person: TestApi['person'] = async ({ id: tenant }, held) => {
		const email = `person${++people}@example.org`
		const hashed = await parts.passwords.hash(TEST_PASSWORD)
		return store.write(tenant, async (tx) => {
			const change = changeNow()
			const personal = { name: `Person ${people}`, email, labels: {}, externalRefs: [], clientData: {} }
			const { id } = await createPerson(tx, change, { personal })
			await setPassword(tx, change, id, hashed)
			if (held) await assignRole(tx, change, { role: held.role, user: id, scope: held.scope ?? { kind: 'tenant' } })
			const { token } = await issueToken(tx, change, { subject: id, name: 'test' })
			return { id, token, email }
		})
	}

	return {
		url: http.url,
		database: db.url,
		store,
		clock,
		parts,
		routes,
		watch,
		logged,
		person,
		ask: (method, path, asking) => asked(asking?.url ?? http.url, method, path, asking),
		async serve(routes) {
			const other = await listen(routes)
			others.push(other)
			return other.url
		},
		async tenant(name) {
			const id = newId('tenant', clock.now(), random)
			const made = await store.write(id, async (tx) => {
				const change = changeNow()
				await createTenant(tx, { name, host: 'test' }, { now: clock.now(), random, master })
				const fields = { name: 'HQ', timeZone: 'Europe/Berlin', address: 'Test Street 1', calendar: ALWAYS_OPEN }
				const site = await createSite(tx, change, fields)
				const otherSite = await createSite(tx, change, { ...fields, name: 'Depot' })
				const bank = await createBank(tx, change, { site: site.id, name: 'Lobby', helpPhone: '110', layout: exampleLayout })
				return { id, site: site.id, otherSite: otherSite.id, bank: bank.id }
			})
			const owner = await person(made as TestTenant, { role: 'owner' })
			return { ...made, owner }
		},
		token: ({ id: tenant }, { id: subject }, permissions) =>
			store.write(tenant, async (tx) => (await issueToken(tx, changeNow(), { subject, name: 'test', permissions })).token),
		async sign(id) {
			const terms = { now: clock.now(), shard: { index: 0, count: 1 }, most: 10_000, except: [], trees, months }
			while ((await store.system((tx) => sequence(tx, terms))).sizes.size > 0);
			await store.system((tx) => writeCheckpoint(tx, id, clock.now(), logSigner(parts)))
		},
		async close() {
			for (const server of [http, ...others]) await server.close()
			await watch.close()
			await db.close()
		},
	}
}

async function asked(url: string, method: string, path: string, { token, cookie, body, headers = {}, version }: Asking = {}): Promise<Answered> {
	const answer = await fetch(url + path, {
		method,
		redirect: 'manual',
		headers: {
			...(body !== undefined && { 'content-type': 'application/json' }),
			...(token !== undefined && { authorization: `Bearer ${token}` }),
			...(cookie !== undefined && { cookie, origin: url }),
			...(version !== undefined && { 'if-match': `"${version}"` }),
			...headers,
		},
		...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
	})
	const type = answer.headers.get('content-type') ?? ''
	// A feed has no end: that it began is the answer.
	const text = type.startsWith('text/event-stream') ? String((await answer.body?.cancel()) ?? '') : await answer.text()
	const isJson = /json/.test(type)
	return { status: answer.status, headers: answer.headers, text, body: isJson && text !== '' ? JSON.parse(text) : undefined }
}

/** Ours, in the place of Cedar, which the server is given from outside: takes every text, and permits nobody anything. */
export const takesAll: PolicyEngine = {
	load: () => ({ ok: true, loaded: { policies: [], ask: () => ({ effect: 'deny', determining: [], failed: [] }), release() {} } }),
}

export const ROLE_NAMES = Object.keys(BUILT_IN_ROLES) as BuiltInRole[]
