import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type TestCluster, throwawayCluster } from '@latchwork/server/testing'

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
const PASSWORD = 'four words and a number 7'

/** `latchwork server` over a PostgreSQL that is not its own, as an operator starts it. */
describe('a server with DATABASE_URL', () => {
	let cluster: TestCluster
	let folder: string
	const running: ChildProcess[] = []
	before(async () => {
		cluster = await throwawayCluster()
		folder = mkdtempSync(join(tmpdir(), 'latchwork-own-database-'))
	})
	after(async () => {
		for (const child of running) child.kill('SIGKILL')
		await cluster?.close()
		rmSync(folder, { recursive: true, force: true })
	})

	/** A URL needs a host to be one; the folder of the socket is what counts. */
	const asUrl = (url: string) => url.replace('@/', '@localhost/')
	const login = (url: string, name: string) => asUrl(url).replace(/\/\/[^@]*@/, `//${name}:p@`)

	function start(env: Readonly<Record<string, string>>) {
		const child = spawn(process.execPath, [CLI, 'server', '--data', join(folder, 'data'), '--child'], {
			stdio: ['pipe', 'pipe', 'pipe'],
			env: { ...process.env, LATCHWORK_PORT: '0', LATCHWORK_DEVICE_PORT: '0', LATCHWORK_ADMIN_PASSWORD: PASSWORD, ...env },
		})
		running.push(child)
		let said = ''
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			said += text
		})
		const ended = new Promise<{ code: number | null; said: string }>((resolve) => child.once('close', (code) => resolve({ code, said })))
		const ready = new Promise<{ url: string }>((resolve, reject) => {
			createInterface({ input: child.stdout ?? assert.fail() }).on('line', (line) => {
				if (line.startsWith('SERVER ')) resolve(JSON.parse(line.slice(7)))
			})
			void ended.then((end) => reject(new Error(end.said)))
		})
		ready.catch(() => {})
		return {
			ready,
			ended,
			async stop() {
				child.stdin?.end()
				return ended
			},
		}
	}

	test('a login without rights, a wrong password, a database and a server that are not there: one start, one sentence that says which', async () => {
		const { url } = await cluster.database('empty')
		await cluster.asked(`CREATE ROLE poor LOGIN PASSWORD 'p'`)
		await cluster.asked(`CREATE ROLE poor_requests LOGIN PASSWORD 'p'`)
		const cases: [env: Record<string, string>, words: RegExp][] = [
			[{ DATABASE_URL: login(url, 'poor'), DATABASE_APP_URL: login(url, 'poor_requests') }, /GRANT|ALTER DATABASE/],
			[{ DATABASE_URL: asUrl(url).replace(/:[^:@/]*@/, ':wrong@') }, /password authentication failed/],
			[{ DATABASE_URL: asUrl(url).replace(/\/test_\d+/, '/nowhere') }, /"nowhere" does not exist/],
			[{ DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/latchwork' }, /does not answer/],
			[{ DATABASE_URL: 'mysql://u:secret@localhost/latchwork' }, /DATABASE_URL must be/],
			[{ DATABASE_URL: '', DATABASE_APP_URL: login(url, 'poor') }, /DATABASE_APP_URL goes together with DATABASE_URL/],
		]
		for (const [env, words] of cases) {
			const { code, said } = await start(env).ended
			assert.equal(code, 1, said)
			assert.match(said, words)
			assert.doesNotMatch(said, /^\s+at |node:internal|secret/m)
		}
	})

	test('with two connections fifty requests at once are all answered, and each that was answered is there after a restart', async (t) => {
		const { url, appUrl } = await cluster.database('empty')
		const env = { DATABASE_URL: asUrl(url), DATABASE_APP_URL: asUrl(appUrl), LATCHWORK_POOL: '2' }
		const first = start(env)
		const at = (await first.ready).url
		const json = { 'content-type': 'application/json' }
		const signIn = await fetch(`${at}/v1/sign-ins`, {
			method: 'POST',
			headers: json,
			body: JSON.stringify({ email: 'admin@localhost', password: PASSWORD }),
		})
		assert.ok(signIn.ok, await signIn.clone().text())
		const cookie = (signIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
		const ask = (of: string, path: string, init: RequestInit = {}) =>
			fetch(of + path, { ...init, headers: { ...json, cookie, origin: of, ...init.headers } })
		const answers = await Promise.all(
			Array.from({ length: 50 }, async (_, i) => {
				const headers = { 'idempotency-key': `user-number-${i}` }
				const answer = await ask(at, '/v1/users', { method: 'POST', headers, body: JSON.stringify({ name: `Load ${i}` }) })
				return { status: answer.status, text: await answer.text() }
			}),
		)
		assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201], answers.find(({ status }) => status !== 201)?.text)
		const { code, said } = await first.stop()
		assert.equal(code, 0, said)
		const second = start(env)
		const again = (await second.ready).url
		const list = (await (await ask(again, '/v1/users?limit=200')).json()) as { items: { id: string; name: string }[] }
		const loaded = list.items.filter(({ name }) => name.startsWith('Load '))
		assert.deepEqual(loaded.map(({ id }) => id).sort(), answers.map(({ text }) => (JSON.parse(text) as { id: string }).id).sort())
		assert.equal(new Set(loaded.map(({ name }) => name)).size, 50)
		assert.equal((await second.stop()).code, 0)
		t.diagnostic(`${answers.length} requests at once over 2 connections, ${loaded.length} users on record`)
	})
})
