import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { SAMPLES } from '../testing/api-samples.ts'
import { markCursor, markOf } from './cursor.ts'
import { schemaOf } from './describe.ts'

/** What strangers and broken programs send in the place of a value. */
const RUBBISH: readonly unknown[] = ['\0', '\ud800', 'x'.repeat(5_000), "'; DROP TABLE site; --", 1e308, null, { a: '\0' }, ['\ud800']]
const RUBBISH_QUERY = [
	'%00',
	'-1',
	'x'.repeat(3_000),
	'0000-01-01T00:00:00Z',
	...['[1,"\\u0000"]', '[9007199254740991,"x"]', '[1e300,"x"]', '["x"]', '{'].map((cursor) => Buffer.from(cursor).toString('base64url')),
]
/** What is inside a cursor is read only where it bears the mark of its list. */
const marked = (mark: string) => RUBBISH_QUERY.map((rubbish) => `?cursor=${markCursor(mark, rubbish)}`)
type Path = readonly (string | number)[]

/** Every place in a body, the body itself first. */
const placesIn = (value: unknown, at: Path = []): Path[] => [
	at,
	...(value !== null && typeof value === 'object' ? Object.entries(value).flatMap(([name, one]) => placesIn(one, [...at, name])) : []),
]
function withRubbish(value: unknown, [first, ...rest]: Path, rubbish: unknown): unknown {
	if (first === undefined) return rubbish
	const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>
	copy[first] = withRubbish(copy[first], rest, rubbish)
	return copy
}

describe('rubbish', () => {
	let api: TestApi
	let acme: TestTenant
	before(async () => {
		api = await testApi({ pool: 4 })
		acme = await api.tenant('Acme')
	})
	after(() => api.close())

	test('whatever stands in the place of a value, at any route, the owner gets an answer about the request and never a failure', async (t) => {
		const { token } = acme.owner
		const seen = new Map<number, number>()
		const failed: string[] = []
		for (const route of api.routes) {
			const name = `${route.method} ${route.path}`
			const make = SAMPLES[name]
			if (make === undefined || route.produces === 'text/event-stream') continue
			const described = schemaOf(route).response as object
			const { params, body, version } = await make({ api, tenant: acme, sender: acme.owner })
			const address = route.path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => params?.[parameter] ?? '')
			const bodies =
				body === undefined
					? []
					: placesIn(body)
							.slice(0, 12)
							.flatMap((at) => RUBBISH.map((one) => withRubbish(body, at, one)))
			const names = Object.keys((route.query as { shape?: object } | undefined)?.shape ?? {})
			const queries = names.flatMap((one) => RUBBISH_QUERY.map((rubbish) => `?${one}=${rubbish}`))
			if (names.includes('cursor')) queries.push(...marked(markOf(route.path, params ?? {}, names.includes('order') ? { order: 'rising' } : {})))
			for (const [query, sent] of [...bodies.map((one) => ['', one] as const), ...queries.map((one) => [one, body] as const)]) {
				const answer = await api.ask(route.method, address + query, { token, version, ...(sent !== undefined && { body: JSON.stringify(sent) }) })
				seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
				if (!Object.hasOwn(described, answer.status)) failed.push(`${name} does not describe ${answer.status}: ${answer.text}`)
				if (answer.status >= 500) failed.push(`${name}${query} ${JSON.stringify(sent)}: ${answer.text}`)
			}
		}
		t.diagnostic(
			[...seen]
				.sort(([a], [b]) => a - b)
				.map(([status, count]) => `${count} × ${status}`)
				.join(', '),
		)
		assert.deepEqual(failed, [])
		// The control: much of it goes through, so that what is looked at is behind the door and not the door alone.
		assert.ok((seen.get(200) ?? 0) + (seen.get(201) ?? 0) > 50)
	})
})
