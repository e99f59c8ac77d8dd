import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fakeClock, seededRandom } from '@latchwork/core/base'
import type { Store } from '../store/index.ts'
import type { Gate, HttpServer } from './index.ts'
import { httpServer } from './server.ts'

/** No request of these gets as far as the database. */
const store = {} as Store
const gate: Gate = { claimOf: () => undefined, identify: async () => undefined }
const host = { clock: fakeClock(), random: seededRandom(1), log: () => {} }
const sealing = { seal: (bytes: Uint8Array) => bytes, open: (bytes: Uint8Array) => bytes }
const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8'

describe('pages', () => {
	let http: HttpServer
	let folder: string
	const serve = (web: string) =>
		httpServer({ routes: [], store, gate, sealing, host, config: { host: '127.0.0.1', port: 0, version: 'test', web: join(folder, web) } })
	/** The path goes out as it stands: `fetch` would tidy it up. */
	const ask = (path: string, { accept = HTML, method = 'GET', of = http } = {}) =>
		new Promise<{ status: number; type: string; cache: string; text: string }>((resolve, reject) => {
			const { hostname, port } = new URL(of.url)
			const outgoing = request({ hostname, port, path, method, headers: { accept } }, (answer) => {
				let text = ''
				answer.setEncoding('utf8').on('data', (part: string) => {
					text += part
				})
				answer.on('end', () => {
					const { 'content-type': type = '', 'cache-control': cache = '' } = answer.headers
					resolve({ status: answer.statusCode ?? 0, type, cache, text })
				})
			})
			outgoing.on('error', reject).end()
		})

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'latchwork-pages-'))
		mkdirSync(join(folder, 'console/assets'), { recursive: true })
		writeFileSync(join(folder, 'console/index.html'), 'the console')
		writeFileSync(join(folder, 'console/assets/index-abc.js'), 'script')
		writeFileSync(join(folder, 'secret'), 'secret')
		http = await serve('console')
	})
	after(async () => {
		await http.close()
		rmSync(folder, { recursive: true })
	})

	test('the console lies at the root and at every address inside it; it is asked for each time, what it loads is kept', async () => {
		for (const path of ['/', '/banks', '/banks/bnk_1?door=14', '/v1x']) {
			const { status, type, cache, text } = await ask(path)
			assert.deepEqual([status, type, cache, text], [200, 'text/html; charset=utf-8', 'no-cache', 'the console'], path)
		}
		const script = await ask('/assets/index-abc.js', { accept: '*/*' })
		assert.deepEqual([script.status, script.cache, script.text], [200, 'public, max-age=31536000, immutable', 'script'])
		assert.match(script.type, /javascript/)
	})

	test('what is no page gets a problem document: for programs, for what is missing, for other methods', async () => {
		for (const [path, options] of [
			['/banks', { accept: 'application/json' }],
			['/v1/nothing', {}],
			['/device/v1/nothing', {}],
			['/assets/index-old.js', {}],
			['/banks', { method: 'POST' }],
		] as const) {
			const { status, type } = await ask(path, options)
			assert.equal(status, 404, path)
			assert.match(type, /^application\/problem\+json/, path)
		}
	})

	test('nothing above the folder is served', async () => {
		for (const path of ['/../secret', '/%2e%2e/secret', '/assets/..%2f..%2f..%2fsecret', '/assets/../../secret', '/..\\secret']) {
			const { text } = await ask(path, { accept: '*/*' })
			assert.ok(!text.includes('secret') || text.includes('"code"'), `${path}: ${text}`)
		}
	})

	test('without a built console there is the API alone', async () => {
		const bare = await serve('nowhere')
		assert.equal((await ask('/', { of: bare })).status, 404)
		assert.equal((await ask('/openapi.json', { of: bare })).status, 200)
		await bare.close()
	})
})
