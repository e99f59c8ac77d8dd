import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
const EMAIL = 'ada@library.example'

interface Answer {
	readonly code: number
	readonly out: string
	readonly complaint: string
}

/** As an operator types it, with the environment of the server. */
const latchwork = (data: string, ...args: string[]): Promise<Answer> =>
	new Promise((resolve) => {
		const env = { ...process.env, LATCHWORK_DATA: data }
		execFile(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args], { env }, (error, out, complaint) =>
			resolve({ code: error ? Number(error.code) : 0, out, complaint }),
		)
	})

async function startServer(t: TestContext, data: string) {
	const env = { ...process.env, LATCHWORK_PORT: '0', LATCHWORK_DEVICE_PORT: '0' }
	const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, 'server', '--data', data], {
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	t.after(() => server.kill('SIGKILL'))
	const over = once(server, 'close')
	let complaints = ''
	server.stderr.on('data', (words: Buffer) => {
		complaints += words.toString()
	})
	for await (const line of createInterface({ input: server.stdout }))
		if (line.startsWith('SERVER '))
			return {
				...(JSON.parse(line.slice('SERVER '.length)) as { url: string; broker: number; admin: { email: string; password: string } }),
				server,
				over,
				async end() {
					server.kill('SIGTERM')
					assert.equal((await over)[0], 0)
				},
			}
	throw new Error(`The server ended: ${complaints}`)
}

async function signIn(url: string, body: object): Promise<{ status: number; cookie: string }> {
	const answer = await fetch(`${url}/v1/sign-ins`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
	return { status: answer.status, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
}

const told = ({ code, out, complaint }: Answer) => {
	assert.equal(code, 0, complaint)
	const [, tenant = '', email = '', password = ''] = /^organisation: (ten_\S+)\ne-mail: (\S+)\npassword, shown this once: (\S{20})\n$/.exec(out) ?? []
	assert.notEqual(password, '', out)
	return { tenant, email, password }
}

test('beside a running server one more organisation is made, whose owner signs in and works; a lost password is replaced, also while it stands still', async (t) => {
	const data = mkdtempSync(join(tmpdir(), 'latchwork-operate-'))
	t.after(() => rmSync(data, { recursive: true, force: true }))
	const early = await latchwork(data, 'tenant', 'list')
	assert.deepEqual([early.code, early.out], [1, ''])
	assert.match(early.complaint, /There is no master key in .*Start the server once/)
	const first = await startServer(t, data)

	const library = told(await latchwork(data, 'tenant', 'add', '--name', 'City library', '--admin', EMAIL))
	const listed = (await latchwork(data, 'tenant', 'list')).out.trimEnd().split('\n')
	assert.deepEqual(
		listed.map((line) => line.slice(line.indexOf('  ') + 2)),
		['Latchwork', 'City library'],
	)
	const twice = await latchwork(data, 'tenant', 'add', '--name', 'City library', '--admin', EMAIL)
	assert.deepEqual([twice.code, twice.out], [1, ''])
	assert.match(twice.complaint, /There is an organisation called City library already/)

	const owner = await signIn(first.url, library)
	assert.equal(owner.status, 201)
	const ask = (path: string, of = owner) => fetch(`${first.url}/v1${path}`, { headers: { cookie: of.cookie } })
	const made = await fetch(`${first.url}/v1/sites`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', cookie: owner.cookie, origin: first.url },
		body: JSON.stringify({ name: 'Main street', timeZone: 'Europe/Berlin' }),
	})
	assert.equal(made.status, 201, await made.clone().text())
	// The running server gives positions to what the new organisation records, though it began before there was one.
	const events = async () => ((await (await ask('/events?type=site.created')).json()) as { items: unknown[] }).items
	for (let tries = 0; tries < 100 && (await events()).length === 0; tries++) await new Promise((resolve) => setTimeout(resolve, 100))
	assert.equal((await events()).length, 1)
	const admin = await signIn(first.url, first.admin)
	assert.equal(admin.status, 201)
	assert.deepEqual(((await (await ask('/sites', admin)).json()) as { items: unknown[] }).items, [], 'the first organisation sees nothing of it')

	const again = told(await latchwork(data, 'admin', 'reset', EMAIL.toUpperCase()))
	assert.equal(again.tenant, library.tenant)
	assert.equal((await ask('/me')).status, 401, 'the session of before is over')
	assert.equal((await signIn(first.url, { ...again, email: EMAIL })).status, 201)
	assert.equal((await signIn(first.url, library)).status, 401)
	const nobody = await latchwork(data, 'admin', 'reset', 'nobody@library.example')
	assert.match(nobody.complaint, /^Nobody signs in as nobody@library\.example;/)

	// The same address in a second organisation: which one must be said.
	const museum = told(await latchwork(data, 'tenant', 'add', '--name', 'Museum', '--admin', EMAIL))
	const which = await latchwork(data, 'admin', 'reset', EMAIL)
	assert.equal(which.code, 1)
	assert.match(which.complaint, /say which with --tenant/)
	await first.end()

	const still = told(await latchwork(data, 'admin', 'reset', EMAIL, '--tenant', museum.tenant))
	const second = await startServer(t, data)
	assert.equal((await signIn(second.url, museum)).status, 401)
	assert.equal((await signIn(second.url, still)).status, 201)
	await second.end()
})

test('a server whose words nobody reads any more goes on, and ends in peace when it is told to', async (t) => {
	const data = mkdtempSync(join(tmpdir(), 'latchwork-operate-'))
	t.after(() => rmSync(data, { recursive: true, force: true }))
	const { server, over, url, broker, end } = await startServer(t, data)
	server.stdout.destroy()
	server.stderr.destroy()
	// It has something to say, and nobody to say it to.
	process.kill(broker, 'SIGKILL')
	const isGone = () => {
		try {
			process.kill(broker, 0)
			return false
		} catch {
			return true
		}
	}
	while (!isGone()) await new Promise((resolve) => setTimeout(resolve, 10))
	for (let looks = 0; looks < 20; looks++) {
		assert.equal((await fetch(`${url}/v1/health`)).status, 200)
		await new Promise((resolve) => setTimeout(resolve, 50))
	}
	assert.equal(server.exitCode, null)
	await end()
	assert.equal((await over)[0], 0)
})
