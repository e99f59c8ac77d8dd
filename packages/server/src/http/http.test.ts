import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Fault, isFault, newId, seededRandom } from '@latchwork/core/base'
import { z } from 'zod'
import { sql } from '../store/index.ts'
import { type Answered, type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { answer, type Feed, httpServer, type Route, raw, route, sse } from './index.ts'

const WAITING = sql`SELECT 1 FROM pg_locks WHERE NOT granted`
const KEPT = sql<{ answer: Uint8Array; row: object }>`SELECT answer, to_jsonb(idempotency) AS row FROM idempotency`
let handled = 0
let release: (() => void) | undefined
let feed: Feed = async function* () {}

/** Routes that do what a test needs to see, beside the real ones. */
const extra = (): Route[] => [
	route({
		method: 'POST',
		path: '/v1/test/counted',
		tag: 'Test',
		summary: 'Counts.',
		permission: 'signed-in',
		body: z.strictObject({ fail: z.boolean().optional(), wait: z.boolean().optional() }),
		answers: { 201: z.object({ id: z.string(), version: z.int(), secret: z.string() }) },
		handle: async ({ body, write }) => {
			handled++
			if (body.wait) await new Promise<void>((resolve) => (release = resolve))
			return write(async () => {
				if (body.fail) throw new Fault('request-refused', 'Not now.')
				return { id: `made-${handled}`, version: 1, secret: 'A PIN that is shown once' }
			})
		},
	}),
	route({
		method: 'GET',
		path: '/v1/test/defect',
		tag: 'Test',
		summary: 'Throws.',
		permission: 'public',
		answers: { 200: z.object({}) },
		handle: async () => {
			throw new TypeError('SELECT secret FROM inner_matters')
		},
	}),
	route({
		method: 'GET',
		path: '/v1/test/wrong-answer',
		tag: 'Test',
		summary: 'Answers what it does not promise.',
		permission: 'public',
		answers: { 200: z.object({ number: z.int() }) },
		handle: async () => ({ number: 'seven' }) as never,
	}),
	route({
		method: 'GET',
		path: '/v1/test/stream',
		tag: 'Test',
		summary: 'Streams.',
		permission: 'event.read',
		scope: 'anywhere',
		answers: { 200: z.string() },
		produces: 'text/event-stream',
		handle: async () => sse((signal) => feed(signal)),
	}),
	route({
		method: 'GET',
		path: '/v1/test/bytes',
		tag: 'Test',
		summary: 'Bytes.',
		permission: 'public',
		answers: { 200: z.string() },
		produces: 'application/octet-stream',
		handle: async () => raw(Uint8Array.of(1, 2, 3)),
	}),
	route({
		method: 'POST',
		path: '/v1/test/accepted',
		tag: 'Test',
		summary: 'Takes its time.',
		permission: 'public',
		answers: { 202: z.object({ id: z.string() }) },
		handle: async () => answer(202, { id: 'cmd', secret: 'not in the description' }, { location: '/v1/commands/cmd' }),
	}),
]

describe('the door of the API', () => {
	let api: TestApi
	let acme: TestTenant
	before(async () => {
		api = await testApi({ extra, pool: 3 })
		acme = await api.tenant('Acme')
	})
	after(() => api.close())
	const counted = (body: object, key?: string, token = acme.owner.token) =>
		api.ask('POST', '/v1/test/counted', { token, body, ...(key && { headers: { 'idempotency-key': key } }) })

	test('what is not there is not found in the same words for every method, and with no inner matters', async () => {
		for (const [method, path] of [
			['GET', '/v1/nothing'],
			['DELETE', '/v1/healthy'],
			['GET', '/../../etc/passwd'],
			['GET', `/v1/sites/${acme.site}/nothing`],
		] as const) {
			const { status, body, headers } = await api.ask(method, path, { token: acme.owner.token })
			assert.equal(status, 404, path)
			assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8')
			assert.deepEqual(Object.keys(body).sort(), ['code', 'detail', 'instance', 'status', 'title', 'type'])
			assert.equal(body.code, 'not-found')
		}
	})

	test('another method than those of an address is told which they are', async () => {
		for (const [method, path, allow] of [
			['DELETE', '/v1/health', 'GET'],
			['PUT', '/v1/sites', 'GET, POST'],
			['POST', `/v1/sites/${acme.site}?x=1`, 'GET, PATCH, DELETE'],
		] as const) {
			const { status, body, headers } = await api.ask(method, path, { token: acme.owner.token })
			assert.deepEqual([status, body.code, headers.get('allow')], [405, 'request-invalid', allow], path)
			assert.match(body.detail, new RegExp(`takes ${allow}, and no ${method}`))
		}
	})

	test('what is wrong with a value is said in words about the value', async () => {
		const { token } = acme.owner
		const said = async (path: string, body: unknown) => {
			const answer = await api.ask('POST', path, { token, body: typeof body === 'string' ? body : JSON.stringify(body) })
			return [answer.status, answer.body.detail]
		}
		const site = { name: 'Main street', timeZone: 'Europe/Berlin' }
		assert.deepEqual(await said('/v1/sites', { timeZone: 'Europe/Berlin' }), [400, 'body.name: is missing'])
		assert.deepEqual(await said('/v1/sites', { ...site, name: 7 }), [400, 'body.name: must be a text'])
		assert.deepEqual(await said('/v1/sites', { ...site, name: ' ' }), [400, 'body.name: must not be empty'])
		assert.deepEqual(await said('/v1/sites', { ...site, name: 'x'.repeat(201) }), [400, 'body.name: must be at most 200 characters long'])
		assert.deepEqual(await said('/v1/sites', { ...site, colour: 'red' }), [400, 'body: has no field called colour'])
		assert.deepEqual(await said('/v1/users', { name: 'Ada', maxLoans: 1.5 }), [400, 'body.maxLoans: must be a whole number'])
		assert.deepEqual(await said('/v1/users', { name: 'Ada', offlineMinutes: -1 }), [400, 'body.offlineMinutes: must be at least 0'])
		assert.deepEqual(await said('/v1/users', { name: 'Ada', offlineMinutes: 20_161 }), [400, 'body.offlineMinutes: must be at most 20160'])
		assert.deepEqual(await said('/v1/door-sessions', { compartment: 'cmp_1', reason: 'person-at-the-door' }), [
			400,
			'body.compartment: must be an id like cmp_…',
		])
		assert.match(String((await said('/v1/door-sessions', { reason: 'because' }))[1]), /^body\./)
		assert.match(String((await said('/v1/sites', '{"__proto__":{}}'))[1]), /a field called __proto__/)
		assert.match(String((await said('/v1/sites', '{"a":'))[1]), /^The body is not JSON: /)
		assert.match(String((await said('/v1/sites', `{"a":"${'x'.repeat(70_000)}"}`))[1]), /larger than 65,536 bytes/)
		// A script names the type of every request: that alone is no body.
		const named = { token, headers: { 'content-type': 'application/json', 'if-match': '"1"' } }
		assert.equal((await api.ask('DELETE', `/v1/sites/${newId('site', 0, seededRandom(3))}`, named)).status, 404)
		assert.deepEqual((await api.ask('POST', '/v1/sites', named)).body.detail, 'body: must be an object')
		const wrongLimit = await api.ask('GET', '/v1/sites?limit=x', { token })
		assert.equal(wrongLimit.body.detail, 'query.limit: must be a number')
	})

	test('a defect is told as a defect, with the id under which the log says more, and nothing else', async () => {
		const { status, body, headers } = await api.ask('GET', '/v1/test/defect')
		assert.deepEqual([status, body.code, body.instance], [500, 'internal', headers.get('x-request-id')])
		assert.ok(!JSON.stringify(body).includes('inner_matters'))
		assert.match(String(api.logged.find((entry) => entry.request === body.instance)?.error), /inner_matters/)
	})

	test('an answer that the API does not describe never leaves, and what it does not describe is left out', async () => {
		assert.equal((await api.ask('GET', '/v1/test/wrong-answer')).status, 500)
		const accepted = await api.ask('POST', '/v1/test/accepted')
		assert.equal(accepted.headers.get('date'), new Date(api.clock.now()).toUTCString(), 'the site’s time, wherever it was moved')
		assert.deepEqual([accepted.status, accepted.body, accepted.headers.get('location')], [202, { id: 'cmd' }, '/v1/commands/cmd'])
	})

	test('bytes are given as they are', async () => {
		const answer = await fetch(`${api.url}/v1/test/bytes`)
		assert.equal(answer.headers.get('content-type'), 'application/octet-stream')
		assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), Uint8Array.of(1, 2, 3))
	})

	test('bad bodies are refused before anything is done: form, type, size, depth, prototype', async () => {
		const before = handled
		const post = async (body: string, type = 'application/json') => {
			const { status, body: problem } = await api.ask('POST', '/v1/test/counted', {
				token: acme.owner.token,
				body,
				headers: { 'content-type': type },
			})
			assert.doesNotMatch(problem.detail, /Invalid|expected|received|Unsupported|Unexpected|too large$/, 'words of a library')
			return [status, problem.code, problem.field]
		}
		assert.deepEqual(await post('{'), [400, 'request-invalid', undefined])
		assert.deepEqual(await post(''), [400, 'request-invalid', 'body'])
		assert.deepEqual(await post('{"fail":"yes"}'), [400, 'request-invalid', 'body.fail'])
		assert.deepEqual(await post('{"other":1}'), [400, 'request-invalid', 'body'])
		assert.deepEqual(await post('[]'), [400, 'request-invalid', 'body'])
		assert.deepEqual(await post('{"__proto__":{"fail":true}}'), [400, 'request-invalid', undefined])
		assert.deepEqual(await post('['.repeat(40_000)), [400, 'request-invalid', undefined])
		assert.deepEqual(await post(`{"a":"${'x'.repeat(70_000)}"}`), [413, 'request-invalid', undefined])
		assert.deepEqual(await post('fail=true', 'application/x-www-form-urlencoded'), [415, 'request-invalid', undefined])
		assert.deepEqual(await post('{}', 'text/plain'), [415, 'request-invalid', undefined])
		assert.equal(handled, before)
		assert.equal((await counted({})).status, 201)
	})

	test('bad addresses, queries and headers are refused in the same shape', async () => {
		const { token } = acme.owner
		for (const [path, headers, status] of [
			['/v1/%zz', {}, 400],
			['/v1/health?more=1', {}, 400],
			['/v1/sites?limit=0', {}, 400],
			['/v1/sites?limit=1&limit=2', {}, 400],
			['/v1/sites?cursor=%00', {}, 400],
			['/v1/sites?cursor=WyJhIl0', {}, 400],
			['/v1/sites/sit_1', {}, 400],
			[`/v1/sites/${acme.site}%00`, {}, 400],
			[`/v1/sites/${'x'.repeat(300)}`, {}, 414],
			['/v1/sites', { 'x-long': 'x'.repeat(20_000) }, 431],
		] as const) {
			const answer = await api.ask('GET', path, { token, headers })
			assert.equal(answer.status, status, path)
			if (status !== 431) assert.match(answer.headers.get('content-type') ?? '', /problem\+json/, path)
		}
		assert.equal((await api.ask('GET', '/v1/sites', { token })).status, 200)
	})

	test('every answer carries the headers that keep pages and browsers in their place; no other origin is let in', async () => {
		for (const path of ['/v1/health', '/v1/nothing', '/openapi.json', '/docs', '/v1/%zz']) {
			const { headers } = await api.ask('GET', path, { headers: { origin: 'https://elsewhere.example' } })
			assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/, path)
			assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
			assert.equal(headers.get('access-control-allow-origin'), null, path)
			assert.equal(headers.get('server'), null, path)
		}
		assert.equal((await api.ask('OPTIONS', '/v1/sites', { headers: { origin: 'https://elsewhere.example' } })).status, 405)
	})

	test('the same key with the same request gets the same answer for a day, and does the work once', async () => {
		const before = handled
		const first = await counted({}, 'key-0001')
		const again = await counted({}, 'key-0001')
		assert.deepEqual(
			[again.status, again.text, again.headers.get('etag'), again.headers.get('location')],
			[201, first.text, first.headers.get('etag'), first.headers.get('location')],
		)
		assert.deepEqual([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')], [null, 'true'])
		assert.equal(handled, before + 1)
		assert.equal((await counted({ fail: false }, 'key-0001')).body.code, 'idempotency-mismatch')
		// Another caller's key is another key, and so is that of another token of the same person, which may see less.
		const narrow = await api.token(acme, acme.owner, ['estate.read'])
		assert.equal((await counted({}, 'key-0001', narrow)).headers.get('idempotency-replayed'), null)
		const other = await api.person(acme, { role: 'owner' })
		assert.equal((await counted({}, 'key-0001', other.token)).headers.get('idempotency-replayed'), null)
		await api.clock.advance(24 * 3_600_000)
		assert.equal((await counted({}, 'key-0001')).headers.get('idempotency-replayed'), null)
		assert.equal(handled, before + 4)
	})

	test('what failed is not kept: the same key may be sent again', async () => {
		const before = handled
		assert.equal((await counted({ fail: true }, 'key-0002')).status, 409)
		assert.equal((await counted({ fail: true }, 'key-0002')).status, 409)
		assert.equal(handled, before + 2)
	})

	test('a duplicate that comes while the first is at work waits for it, and gets its answer', async () => {
		const before = handled
		const first = counted({ wait: true }, 'key-0003')
		while (handled === before) await new Promise((resolve) => setImmediate(resolve))
		const second = counted({ wait: true }, 'key-0003')
		while ((await api.store.system((tx) => tx.rows(WAITING))).length === 0);
		release?.()
		const [one, two] = await Promise.all([first, second])
		assert.deepEqual([one.status, two.status, one.text], [201, 201, two.text])
		assert.equal(handled, before + 1)
	})

	test('kept answers lie sealed, because some hold what is shown once', async () => {
		await counted({}, 'key-0004')
		const rows = await api.store.read(acme.id, (db) => db.rows(KEPT))
		assert.ok(rows.length > 0)
		for (const { answer, row } of rows) {
			assert.ok(!Buffer.from(answer).toString('latin1').includes('PIN'))
			// Nor a digest of what was asked: a password or a badge number could be guessed from it.
			assert.deepEqual(Object.keys(row).sort(), ['answer', 'at', 'caller', 'key', 'tenant_id'])
		}
	})

	test('a change says which version it was made for: missing 428, other 412, right 200 with the next', async () => {
		const { token } = acme.owner
		const path = `/v1/sites/${acme.site}`
		const site = await api.ask('GET', path, { token })
		assert.equal(site.headers.get('etag'), `"${site.body.version}"`)
		const patch = (headers: Record<string, string>) => api.ask('PATCH', path, { token, body: { name: `HQ ${headers['if-match']}` }, headers })
		assert.deepEqual([(await patch({})).status, (await patch({})).body.code], [428, 'version-missing'])
		assert.equal((await patch({ 'if-match': '*' })).status, 400)
		assert.equal((await patch({ 'if-match': '"9"' })).body.code, 'version-conflict')
		const changed = await patch({ 'if-match': `"${site.body.version}"` })
		assert.deepEqual([changed.status, changed.headers.get('etag')], [200, `"${site.body.version + 1}"`])
		const unchanged = await api.ask('GET', path, { token, headers: { 'if-none-match': `"${site.body.version + 1}"` } })
		assert.deepEqual([unchanged.status, unchanged.text], [304, ''])
	})

	test('lists come in pages whose cursors lead to everything once', async () => {
		const { token } = acme.owner
		for (let i = 0; i < 7; i++) assert.equal((await api.ask('POST', '/v1/users', { token, body: { name: `Listed ${i}` } })).status, 201)
		const seen: string[] = []
		let next: string | undefined
		do {
			const { body } = await api.ask('GET', `/v1/users?limit=3${next ? `&cursor=${next}` : ''}`, { token })
			assert.ok(body.items.length <= 3)
			seen.push(...body.items.map((one: { id: string }) => one.id))
			next = body.next
		} while (next)
		const all = await api.ask('GET', '/v1/users?limit=200', { token })
		assert.deepEqual(
			seen,
			all.body.items.map((one: { id: string }) => one.id),
		)
		assert.equal(new Set(seen).size, seen.length)
	})

	test('a cursor leads on in the list that gave it, in its order, and in no other', async () => {
		const { token } = acme.owner
		for (const code of ['one', 'two']) assert.equal((await api.ask('POST', '/v1/groups', { token, body: { code, name: code } })).status, 201)
		await api.sign(acme.id)
		const lists = api.routes
			.filter(
				({ method, path, query }) => method === 'GET' && !path.includes('{') && 'cursor' in ((query as { shape?: object } | undefined)?.shape ?? {}),
			)
			.map(({ path }) => `${path}?limit=1`)
		lists.push('/v1/events?limit=1&order=falling')
		const gave = new Map<string, string>()
		for (const list of lists) {
			const { body } = await api.ask('GET', list, { token })
			if (body.next !== undefined) gave.set(list, body.next)
		}
		assert.ok(gave.size >= 7, `only ${[...gave.keys()]} have two pages`)
		for (const list of lists)
			for (const [of, cursor] of gave) {
				const { status, body } = await api.ask('GET', `${list}&cursor=${cursor}`, { token })
				if (of === list) assert.equal(status, 200, list)
				else assert.deepEqual([status, body.code, body.field], [400, 'request-invalid', 'cursor'], `${list} takes a cursor of ${of}`)
			}
	})
})

describe('streams', () => {
	let api: TestApi
	let acme: TestTenant
	before(async () => {
		api = await testApi({ extra })
		acme = await api.tenant('Acme')
	})
	after(() => api.close())
	/** Reads until the text is there, or to the end. */
	const open = async (token: string) => {
		const gone = new AbortController()
		const answer = await fetch(`${api.url}/v1/test/stream`, { headers: { authorization: `Bearer ${token}` }, signal: gone.signal })
		const reader = answer.body?.getReader()
		let text = ''
		return {
			status: answer.status,
			headers: answer.headers,
			async until(wanted: string | undefined) {
				while (wanted === undefined || !text.includes(wanted)) {
					const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
					if (done) return `${text}END`
					text += new TextDecoder().decode(value)
				}
				return text
			},
			leave: () => gone.abort(),
		}
	}
	/** Says one thing, then waits for its end. */
	const waiting = (ended: () => void): Feed =>
		async function* (signal) {
			yield { id: '41', event: 'fact', data: 'one\ntwo' }
			await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
			ended()
		}

	test('messages come with their ids, beats come between them, and a revoked token takes its stream along', async () => {
		const ended = Promise.withResolvers<void>()
		feed = waiting(ended.resolve)
		const token = await api.token(acme, acme.owner)
		const stream = await open(token)
		assert.deepEqual([stream.status, stream.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8'])
		assert.match(await stream.until('two'), /retry: 2000\n\nid: 41\nevent: fact\ndata: one\ndata: two\n/)
		await api.clock.advance(5_000)
		await stream.until('event: beat\ndata:\n\n')
		const { body } = await api.ask('GET', '/v1/tokens', { token: acme.owner.token })
		const [, revoked] = [body.items[0], body.items.at(-1)]
		assert.equal((await api.ask('DELETE', `/v1/tokens/${revoked.id}`, { token: acme.owner.token })).status, 204)
		// The beat before was still being asked for when it was heard, so one more may pass.
		const over = stream.until(undefined)
		await beatsUntil(api, ended.promise)
		assert.match(await over, /END$/)
	})

	test('a client that leaves ends its feed', async () => {
		const ended = Promise.withResolvers<void>()
		feed = waiting(ended.resolve)
		const stream = await open(acme.owner.token)
		await stream.until('two')
		stream.leave()
		await ended.promise
	})

	test('a client that does not read is waited for: the feed is not asked for more than the socket takes', async () => {
		let given = 0
		const ended = Promise.withResolvers<void>()
		const chunk = 'x'.repeat(1_000_000)
		feed = async function* (signal) {
			try {
				while (!signal.aborted && given < 500) {
					given++
					yield { data: chunk }
				}
			} finally {
				ended.resolve()
			}
		}
		const stream = await open(acme.owner.token)
		// Other requests are answered meanwhile, and the feed stands still.
		let before = -1
		while (before !== given) {
			before = given
			for (let i = 0; i < 20; i++) assert.equal((await api.ask('GET', '/v1/health')).status, 200)
		}
		assert.ok(given < 100, `${given} MB were taken from the feed`)
		stream.leave()
		await ended.promise
	})

	test('who may not follow gets a problem, not a stream', async () => {
		const courier = await api.person(acme, { role: 'courier' })
		const answer = await api.ask('GET', '/v1/test/stream', { token: courier.token })
		assert.deepEqual([answer.status, answer.body.code], [403, 'not-permitted'])
	})

	test('a server that stops ends its streams', async () => {
		const other = await testApi({ extra })
		const tenant = await other.tenant('Other')
		feed = waiting(() => {})
		const answer = await fetch(`${other.url}/v1/test/stream`, { headers: { authorization: `Bearer ${tenant.owner.token}` } })
		const text = answer.text()
		await other.close()
		assert.match(await text, /data: two/)
	})
})

/** Time goes on beat by beat until the promise is kept. */
async function beatsUntil(api: TestApi, kept: Promise<void>): Promise<void> {
	let done = false
	void kept.then(() => {
		done = true
	})
	while (!done) {
		await api.clock.advance(5_000)
		await new Promise((resolve) => setImmediate(resolve))
	}
}

describe('limits', () => {
	let api: TestApi
	let acme: TestTenant
	before(async () => {
		api = await testApi({ http: { callerRate: { burst: 5, perSecond: 1 }, addressRate: { burst: 4, perSecond: 1 } } })
		acme = await api.tenant('Acme')
	})
	after(() => api.close())

	test('each caller has a bucket of requests that fills again; others go on', async () => {
		const statuses = []
		let last: Answered | undefined
		for (let i = 0; i < 6; i++) {
			last = await api.ask('GET', '/v1/me', { token: acme.owner.token })
			statuses.push(last.status)
		}
		assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429])
		assert.deepEqual([last?.body.code, last?.headers.get('retry-after')], ['rate-limited', '1'])
		const other = await api.person(acme, { role: 'auditor' })
		const answer = await api.ask('GET', '/v1/me', { token: other.token })
		assert.deepEqual(
			['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].map((name) => answer.headers.get(name)),
			['5', '4', '1'],
		)
		await api.clock.advance(2_000)
		assert.equal((await api.ask('GET', '/v1/me', { token: acme.owner.token })).status, 200)
	})

	test('whoever guesses tokens uses up the address, though each guess is a new caller', async () => {
		await api.clock.advance(60_000)
		const guess = (i: number) => api.ask('GET', '/v1/me', { token: `${acme.owner.token.slice(0, -4)}${String(i).padStart(4, '0')}` })
		const statuses = []
		for (let i = 0; i < 6; i++) statuses.push((await guess(i)).status)
		assert.deepEqual(statuses, [401, 401, 401, 401, 429, 429])
	})
})

describe('what the server does not start with', () => {
	test('a route without a permission does not compile, nor one with a permission that there is not', () => {
		const spec = { method: 'GET', path: '/v1/open', tag: 'Test', summary: 'Open.', answers: { 204: undefined }, handle: async () => {} } as const
		// @ts-expect-error: it does not say who may use it
		assert.ok(route(spec))
		// @ts-expect-error: there is no such permission
		assert.ok(route({ ...spec, permission: 'estate.reed' }))
		assert.ok(route({ ...spec, permission: 'estate.read' }))
	})

	for (const [what, planted] of [
		['no permission', { permission: undefined }],
		['an unknown permission', { permission: 'estate.reed' }],
		['an inherited name as permission', { permission: 'constructor' }],
		['parameters without a schema', { permission: 'estate.read', path: '/v1/open/{thing}' }],
	] as const)
		test(`a route with ${what} keeps the server from starting, and the fault names it`, async () => {
			const wrong = {
				method: 'GET',
				path: '/v1/open',
				tag: 'Test',
				summary: 'Open.',
				answers: {},
				handle: async () => {},
				...planted,
			} as unknown as Route
			const config = { host: '127.0.0.1', port: 0, version: 'test' }
			await assert.rejects(
				httpServer({ routes: [wrong], config } as unknown as Parameters<typeof httpServer>[0]),
				(fault: unknown) => isFault(fault, 'config-invalid') && fault.message.includes('/v1/open'),
			)
		})
})
