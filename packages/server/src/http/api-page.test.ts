import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PERMISSIONS } from '@latchwork/core/access'
import { FAULTS } from '@latchwork/core/base'
import { OPEN_REASONS, OUT_REASONS, RECALL_REASONS, TASK_WAYS } from '@latchwork/core/wire'
import { type TestApi, testApi } from '../testing/api.ts'
import { SAMPLES } from '../testing/api-samples.ts'

interface Found {
	readonly openapi: string
	readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>
	readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

describe('the description of the API', () => {
	let api: TestApi
	let found: Found
	let page: string
	before(async () => {
		api = await testApi()
		found = (await api.ask('GET', '/openapi.json')).body
		page = (await api.ask('GET', '/docs')).text
	})
	after(() => api.close())
	const calls = () =>
		Object.entries(found.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, call]) => ({ path, method, call })))

	test('it is OpenAPI 3.1 and has every route with its permission, a summary, a subject and an id of its own', () => {
		assert.equal(found.openapi, '3.1.0')
		assert.deepEqual(
			calls()
				.map(({ path, method }) => `${method.toUpperCase()} ${path}`)
				.sort(),
			api.routes.map(({ method, path }) => `${method} ${path.replace('*', '{path}')}`).sort(),
		)
		for (const { path, method, call } of calls()) {
			const permission = String(call['x-permission'])
			assert.ok(['public', 'signed-in'].includes(permission) || Object.hasOwn(PERMISSIONS, permission), `${method} ${path}`)
			assert.match(String(call.summary), /^[A-Z].*\.$/, `${method} ${path}`)
			assert.equal((call.tags as string[]).length, 1)
		}
		const ids = calls().map(({ call }) => call.operationId)
		assert.equal(new Set(ids).size, ids.length)
	})

	test('every reference leads somewhere, every shape is used, and answers have names', () => {
		const text = JSON.stringify(found)
		const wanted = [...text.matchAll(/"#\/components\/schemas\/([^"#]+)"/g)].map(([, name]) => name)
		assert.ok(wanted.length > 100)
		assert.ok(!text.includes('__shared'), 'a recursive schema (z.json()) cannot be described: take z.unknown()')
		for (const name of new Set(wanted)) assert.ok(Object.hasOwn(found.components.schemas, name ?? ''), name)
		for (const name of Object.keys(found.components.schemas)) {
			assert.ok(wanted.includes(name), `${name} is used nowhere`)
			assert.match(name, /^[A-Z][A-Za-z]+$/)
		}
	})

	test('every call may answer with a problem, and writes take an Idempotency-Key', () => {
		for (const { path, method, call } of calls()) {
			const responses = call.responses as Record<string, { content?: Record<string, unknown> }>
			assert.ok(responses.default?.content?.['application/problem+json'], `${method} ${path}`)
			const headers = ((call.parameters ?? []) as { name: string; in: string }[]).filter((one) => one.in === 'header').map((one) => one.name)
			if (method !== 'get' && call['x-permission'] !== 'public') assert.ok(headers.includes('idempotency-key'), `${method} ${path}`)
		}
	})

	test('why a door is opened, a delivery called back or a task done is one of a list that the description tells, and nothing else is taken', async () => {
		const acme = await api.tenant('Acme')
		for (const [path, field, codes] of [
			['/v1/door-sessions', 'reason', OPEN_REASONS],
			['/v1/deliveries/{case}/recalls', 'reason', RECALL_REASONS],
			['/v1/tasks/{task}/completions', 'how', TASK_WAYS],
		] as const) {
			const body = found.paths[path]?.post?.requestBody as { content: { 'application/json': { schema: { properties: Record<string, unknown> } } } }
			assert.deepEqual((body.content['application/json'].schema.properties[field] as { enum: string[] }).enum, [...codes], path)
			const sample = await SAMPLES[`POST ${path}`]?.({ api, tenant: acme, sender: acme.owner })
			const to = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => sample?.params?.[name] ?? '')
			const answer = await api.ask('POST', to, { token: acme.owner.token, body: { ...(sample?.body as object), [field]: 'because' } })
			assert.deepEqual([answer.status, answer.body.field], [400, `body.${field}`], path)
		}
	})

	test('every list comes in pages, and one record’s history says whether it is whole', () => {
		let lists = 0
		for (const { path, method, call } of calls()) {
			const { content } = (call.responses as Record<string, { content?: { 'application/json'?: { schema: { $ref?: string } } } }>)['200'] ?? {}
			const name = content?.['application/json']?.schema.$ref?.split('/').at(-1) ?? ''
			const fields = (found.components.schemas[name] as { properties?: object } | undefined)?.properties ?? {}
			if (method !== 'get' || !('items' in fields)) continue
			const asked = ((call.parameters ?? []) as { name: string }[]).map(({ name }) => name)
			if (path === '/v1/cases/{case}/timeline') {
				assert.ok('whole' in fields)
				continue
			}
			lists++
			assert.ok(asked.includes('limit') && asked.includes('cursor') && 'next' in fields, path)
		}
		assert.ok(lists > 20, `${lists} lists`)
	})

	test('so is why a compartment is out of service', async () => {
		const acme = await api.tenant('Acme')
		const [{ id, version }] = (await api.ask('GET', `/v1/compartments?bank=${acme.bank}`, { token: acme.owner.token })).body.items
		const patch = (reason: string) =>
			api.ask('PATCH', `/v1/compartments/${id}`, { token: acme.owner.token, version, body: { service: { state: 'out-of-service', reason } } })
		const refused = await patch('because')
		assert.deepEqual([refused.status, refused.body.field], [400, 'body.service.reason'])
		assert.equal((await patch(OUT_REASONS[0])).status, 200)
	})

	test('a change must say which version it is for, and the description says so', () => {
		let changes = 0
		for (const { path, method, call } of calls()) {
			const header = ((call.parameters ?? []) as { name: string; required?: boolean }[]).find(({ name }) => name === 'if-match')
			if (header) changes++
			if (header) assert.equal(header.required, true, `${method} ${path}`)
			assert.equal(header !== undefined, Object.hasOwn(call.responses as object, '428'), `${method} ${path}`)
		}
		assert.ok(changes > 10)
	})

	test('the page for people renders what a description means: code as code, and each error code by itself with what it means', () => {
		assert.ok(!page.includes('`'), 'no backtick is left')
		assert.ok(page.includes('<code>Authorization: Bearer lw_…</code>'))
		for (const [code, title] of Object.entries(FAULTS)) assert.ok(page.includes(`<li><code>${code}</code>: ${title.replaceAll("'", '&#39;')}`), code)
	})

	test('the page for people shows every call, links only to what is on it, and asks nobody else for anything', () => {
		for (const { path, method } of calls()) assert.ok(page.includes(`${method.toUpperCase()}</span> <code>${path}</code>`), `${method} ${path}`)
		const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
		for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.has(target), target)
		assert.deepEqual([...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, target]) => target).sort(), ['/docs/style.css', '/openapi.json'])
		assert.ok(!/<script|<style| style=| on[a-z]+=|https?:\/\//i.test(page))
	})
})
