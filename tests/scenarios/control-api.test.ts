import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { stateOf } from './hands.ts'
import { type Site, startSite } from './site.ts'

/** The control API of the virtual bank: fixed paths, and an answer for every wrong request (issue "A cabinet that works alone" §3). */
describe('the control API of the virtual bank', () => {
	let site: Site
	before(async () => {
		site = await startSite()
	})
	after(async () => void (await site?.stop()))

	const send = (method: string, path: string, body?: string, type = 'application/json') =>
		fetch(site.ready.virtual + path, { method, ...(body !== undefined && { headers: { 'content-type': type }, body }) })

	const PATHS = {
		'/banks': ['get'],
		'/banks/{id}/badge': ['post'],
		'/banks/{id}/keypad': ['post'],
		'/banks/{id}/scan': ['post'],
		'/banks/{id}/compartments/{n}/door': ['post'],
		'/banks/{id}/compartments/{n}/item': ['post'],
		'/banks/{id}/faults': ['delete', 'post'],
		'/clock': ['post'],
	}

	interface Answer {
		readonly description: string
		readonly content?: object
	}

	test('its OpenAPI 3.1 document lists every path that scripts rely on, with body and answers', async () => {
		const api = (await (await send('GET', '/openapi.json')).json()) as {
			openapi: string
			info: { title: string; version: string }
			paths: Record<string, Record<string, { requestBody?: unknown; responses: Record<string, Answer>; summary?: string }>>
			components: { schemas: object }
		}
		assert.match(api.openapi, /^3\.1\.\d+$/)
		assert.ok(api.info.title && api.info.version)
		for (const [path, methods] of Object.entries(PATHS)) {
			assert.deepEqual(Object.keys(api.paths[path] ?? {}).sort(), methods, path)
			for (const method of methods) {
				const operation = api.paths[path]?.[method]
				assert.ok(operation?.summary, `${method} ${path} has a summary`)
				assert.equal(operation.requestBody !== undefined, method === 'post', `${method} ${path} and its body`)
				assert.ok(
					Object.keys(operation.responses).some((status) => status.startsWith('2')),
					`${method} ${path} says what success is`,
				)
				for (const [status, { description, content }] of Object.entries(operation.responses)) {
					assert.match(description, /^[A-Z].*\.$/, `${method} ${path} ${status}: ${description}`)
					assert.ok(description !== 'Default Response', `${method} ${path} ${status}`)
					if (!status.startsWith('2')) assert.deepEqual(Object.keys(content ?? {}), ['application/problem+json'], `${method} ${path} ${status}`)
				}
			}
		}
		const names = ['Badge', 'Banks', 'ClockMove', 'ClockNow', 'Door', 'Fault', 'Item', 'Keypad', 'Problem', 'Scan', 'State']
		assert.deepEqual(Object.keys(api.components.schemas).sort(), names)
		const used = new Set([...JSON.stringify(api.paths).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((m) => m[1]))
		assert.deepEqual([...used].sort(), names)
	})

	/** Each act once as it should be; what follows breaks one thing at a time. */
	const acts = (): [method: string, path: string, body: object | undefined][] => [
		['POST', `/banks/${site.bank}/badge`, { number: '4711' }],
		['POST', `/banks/${site.bank}/keypad`, { keys: '12#' }],
		['POST', `/banks/${site.bank}/scan`, { text: 'LT-0418' }],
		['POST', `/banks/${site.bank}/compartments/1/door`, { state: 'closed' }],
		['POST', `/banks/${site.bank}/compartments/1/item`, { present: false }],
		['POST', `/banks/${site.bank}/faults`, { board: 0, echo: false }],
		['DELETE', `/banks/${site.bank}/faults`, undefined],
	]

	async function problem(answer: Response, status: number, what: string): Promise<string> {
		assert.equal(answer.status, status, what)
		assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, what)
		const body = (await answer.json()) as { type: string; title: string; status: number; code: string; detail: string }
		assert.equal(body.status, status, what)
		assert.match(body.type, /^urn:latchwork:problem:/, what)
		assert.ok(body.detail.length > 0 && !/\bat .*\.[jt]s:\d+/.test(body.detail), `${what}: ${body.detail}`)
		return body.detail
	}

	test('every act has its success, so that the refusals below are refusals of what is wrong', async () => {
		assert.equal((await send('POST', `/banks/${site.bank}/compartments/1/door`, '{"state":"open"}')).status, 204)
		for (const [method, path, body] of acts().filter(([, path]) => !path.endsWith('/door')))
			assert.equal((await send(method, path, body && JSON.stringify(body))).status, 204, path)
		assert.equal((await send('POST', `/banks/${site.bank}/compartments/1/door`, '{"state":"closed"}')).status, 204)
	})

	test('an unknown bank and an unknown door are not found, and the answer says which', async () => {
		for (const [method, path, body] of acts()) {
			const text = body && JSON.stringify(body)
			assert.match(await problem(await send(method, path.replace(site.bank, 'bnk_nowhere'), text), 404, path), /bnk_nowhere/)
			if (path.includes('/compartments/1/'))
				assert.match(await problem(await send(method, path.replace('/1/', '/99/'), text), 404, `door 99 of ${path}`), /99/)
		}
		await problem(await send('POST', `/banks/${site.bank}/faults`, '{"compartment":99,"stuckLock":true}'), 404, 'a fault of door 99')
		await problem(await send('POST', `/banks/${site.bank}/faults`, '{"board":9,"silent":true}'), 404, 'a fault of board 9')
	})

	test('wrong bodies and rubbish are refused with the place of the mistake, and nothing on the metal changes', async () => {
		const before = await site.metal()
		for (const [method, path, body] of acts()) {
			if (!body) continue
			const name = Object.keys(body).at(-1) ?? ''
			for (const wrong of [
				'{',
				'[]',
				'null',
				'"x"',
				'{}',
				JSON.stringify({ ...body, [name]: { $ne: 1 } }),
				JSON.stringify({ ...body, [name]: null }),
			]) {
				await problem(await send(method, path, wrong), 400, `${path} ${wrong}`)
			}
			await problem(await send(method, path), 400, `${path} without a body`)
			const unread = await send(method, path, 'number=1', 'text/plain')
			assert.ok([400, 415].includes(unread.status), `${path} as plain text: ${unread.status}`)
		}
		await problem(await send('POST', `/banks/${site.bank}/compartments/one/door`, '{"state":"closed"}'), 400, 'door "one"')
		await problem(await send('POST', `/banks/${site.bank}/badge`, '{"number":"not a badge"}'), 400, 'a badge that no reader knows')
		await problem(await send('POST', `/banks/${site.bank}/faults`, '{"compartment":1,"explodes":true}'), 400, 'a fault that does not exist')
		assert.deepEqual(await site.metal(), before)
	})

	test('the answer to a wrong fault names the field, and one that breaks nothing is refused', async () => {
		const fault = (body: string) => send('POST', `/banks/${site.bank}/faults`, body)
		assert.match(await problem(await fault('{"compartment":3,"stuckLock":"yes"}'), 400, 'stuckLock'), /^body: stuckLock: /)
		for (const empty of ['{"compartment":3}', '{"board":0}', '{"reader":{}}'])
			assert.match(await problem(await fault(empty), 400, empty), /say what breaks there/)
		assert.match(await problem(await send('POST', `/banks/${site.bank}/keypad`, '{"keys":"abc"}'), 400, 'keys'), /^body\.keys: /)
	})

	test('a client that says JSON with every request can clear faults; what is not there is a whole problem too', async () => {
		assert.equal((await send('DELETE', `/banks/${site.bank}/faults`, '')).status, 204)
		assert.match(await problem(await send('GET', '/lockers'), 404, 'nowhere'), /GET \/lockers/)
	})

	test('a reader that is unplugged takes no badge and no key and says so; a scanner reads no umlauts', async () => {
		const state = async () => (await stateOf(site)).banks[0]?.reader
		assert.equal((await state())?.offline, false)
		await site.fault({ reader: { offline: true } })
		try {
			assert.equal((await state())?.offline, true)
			for (const [path, body] of [['badge', '{"number":"4711"}'] as const, ['keypad', '{"keys":"1"}'] as const])
				assert.match(await problem(await send('POST', `/banks/${site.bank}/${path}`, body), 409, path), /offline/)
			assert.equal((await send('POST', `/banks/${site.bank}/scan`, '{"text":"LT-0418"}')).status, 204)
		} finally {
			await site.clearFaults()
		}
		assert.match(await problem(await send('POST', `/banks/${site.bank}/scan`, '{"text":"Schlüssel"}'), 400, 'scan'), /printable ASCII/)
	})

	test('addresses are joined with one slash or two', async () => {
		for (const url of [`${site.ready.kiosk}/api/view`, `${site.ready.kiosk}api/view`, `${site.ready.virtual}//banks`])
			assert.equal((await fetch(url)).status, 200, url)
	})

	test('nothing goes through a shut door, and the clock moves only under --virtual-clock', async () => {
		assert.match(await problem(await send('POST', `/banks/${site.bank}/compartments/1/item`, '{"present":true}'), 409, 'item'), /closed/)
		assert.match(await problem(await send('POST', '/clock', '{"advanceSeconds":60}'), 409, 'clock'), /--virtual-clock/)
	})

	test('what was taken out is known to be outside, the last one first, until it lies in a compartment again; something without a tag may lie there too', async () => {
		const state = async () => (await stateOf(site)).banks[0] ?? assert.fail('no bank')
		const laptops = (await state()).compartments.flatMap(({ number, tag }) => (tag ? [{ number, tag }] : []))
		const [first, second] = laptops
		assert.ok(first && second, 'two laptops to begin with')
		// Whoever brings the expected parcel holds it in their hands.
		const parcels = site.ready.parcels.filter((p) => p.expected).map((p) => p.tag)
		assert.deepEqual((await state()).outside, parcels)
		for (const { number } of laptops) await site.door(number, 'open')
		for (const { number } of [first, second]) await site.item(number, false)
		assert.deepEqual((await state()).outside, [second.tag, first.tag, ...parcels])
		await site.item(first.number, true, second.tag)
		await site.item(second.number, true)
		const now = await state()
		assert.deepEqual(now.outside, [first.tag, ...parcels])
		assert.deepEqual(
			now.compartments.filter(({ number }) => [first.number, second.number].includes(number)).map(({ item, tag }) => ({ item, tag })),
			[
				{ item: true, tag: second.tag },
				{ item: true, tag: undefined },
			],
		)
	})

	/** As a browser would ask: `fetch` sets Host by itself. */
	function asked(method: string, url: string, headers: Record<string, string>): Promise<number> {
		return new Promise((answer, failed) => {
			const sent = request(url, { method, headers: { 'content-type': 'application/json', ...headers } }, (got) => {
				got.resume()
				answer(got.statusCode ?? 0)
			})
			sent.on('error', failed)
			sent.end(method === 'POST' ? '{}' : undefined)
		})
	}

	test('a web page that rebinds its name or posts from elsewhere reaches neither the virtual bank nor the kiosk', async () => {
		const kiosk = site.ready.kiosk.replace(/\/$/, '')
		const own = { [site.ready.virtual]: ['/state', '/banks', '/events', '/'], [kiosk]: ['/api/view', '/api/screen', '/health', '/'] }
		const acts = { [site.ready.virtual]: `/banks/${site.bank}/badge`, [kiosk]: '/api/act' }
		for (const [server, paths] of Object.entries(own)) {
			const act = server + acts[server]
			for (const path of paths) assert.equal(await asked('GET', server + path, { host: 'evil.example' }), 421, server + path)
			assert.equal(await asked('POST', act, { host: 'evil.example', origin: 'http://evil.example' }), 421, act)
			for (const origin of ['http://evil.example', 'null', server === kiosk ? site.ready.virtual : kiosk])
				assert.equal(await asked('POST', act, { origin }), 403, `${act} from ${origin}`)
			// The body of these two is refused (400), so they were let in.
			assert.equal(await asked('POST', act, { origin: server }), 400, `${act} from its own page`)
			assert.equal(await asked('POST', act, {}), 400, `${act} from a program`)
		}
		const policy = (await send('GET', '/')).headers.get('content-security-policy') ?? ''
		assert.match(policy, /default-src 'none'.*frame-src http:\/\/127\.0\.0\.1:\*/)
	})
})
