import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { seededRandom } from '@latchwork/core/base'
import { sql } from '../store/index.ts'
import { type Answered, TEST_PASSWORD, type TestApi, type TestPerson, type TestTenant, testApi } from '../testing/api.ts'
import { checkPassword, passwords } from './index.ts'
import { provePassword, replacePassword, signIn as signInHere } from './sign-in-write.ts'

const KEPT_SESSIONS = sql<{ text: string }>`SELECT t::text AS text FROM session t UNION ALL SELECT t::text FROM api_token t`
const OPEN_TRANSACTIONS = sql`SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()`
const cookieOf = (answer: Answered) => answer.headers.get('set-cookie')?.split(';')[0] ?? ''

describe('sign-in', () => {
	let api: TestApi
	let acme: TestTenant
	let person: TestPerson
	before(async () => {
		api = await testApi()
		acme = await api.tenant('Acme')
	})
	// The day after, nobody remembers yesterday's failures.
	beforeEach(async () => {
		await api.clock.advance(25 * 3_600_000)
		person = await api.person(acme, { role: 'auditor' })
	})
	after(() => api.close())
	const signIn = (email: string, password: string, headers: Record<string, string> = {}) =>
		api.ask('POST', '/v1/sign-ins', { body: { email, password }, headers })
	const me = (cookie: string, headers: Record<string, string> = {}) => api.ask('GET', '/v1/me', { cookie, headers })

	test('address and password give a session in a cookie that scripts cannot read; the address in any spelling', async () => {
		const answer = await signIn(` ${person.email.toUpperCase()}`, TEST_PASSWORD)
		assert.equal(answer.status, 201, answer.text)
		assert.match(answer.headers.get('set-cookie') ?? '', /^latchwork=ls_[A-Za-z0-9_-]{64}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/)
		assert.equal((await me(cookieOf(answer))).body.user, person.id)
	})

	test('over https the cookie is bound to the host and to TLS, and no other counts', async (t) => {
		const secure = await testApi({ config: { LATCHWORK_PUBLIC_URL: 'https://lockers.example' }, http: { publicUrl: 'https://lockers.example' } })
		t.after(() => secure.close())
		const tenant = await secure.tenant('Acme')
		const answer = await secure.ask('POST', '/v1/sign-ins', { body: { email: tenant.owner.email, password: TEST_PASSWORD } })
		assert.match(answer.headers.get('set-cookie') ?? '', /^__Host-latchwork=ls_.*; Secure$/)
		const cookie = cookieOf(answer)
		const whose = async (shown: string) => (await secure.ask('GET', '/v1/me', { cookie: shown })).body.user
		assert.equal(await whose(cookie), tenant.owner.id)
		// Any host of the same domain can set a plain cookie: it is never looked at, wherever it stands.
		const other = await secure.person(tenant)
		const plain = cookieOf(await secure.ask('POST', '/v1/sign-ins', { body: { email: other.email, password: TEST_PASSWORD } })).slice(
			'__Host-'.length,
		)
		assert.match(plain, /^latchwork=/)
		assert.deepEqual(
			[await whose(`${plain}; ${cookie}`), await whose(`${cookie}; ${plain}`), await whose(plain)],
			[tenant.owner.id, tenant.owner.id, undefined],
		)
	})

	test('a password that was changed while it was looked at opens no session any more', async () => {
		let between = async () => {}
		const { terms, passwords: real } = api.parts
		const slow = {
			...real,
			async verify(given: string, stored: string | undefined) {
				const right = await real.verify(given, stored)
				await between()
				return right
			},
		}
		const parts = { store: api.store, random: terms.random, installation: terms.installation, passwords: slow }
		const attempt = { email: person.email, password: TEST_PASSWORD, address: '192.0.2.1' }
		assert.ok((await signInHere(parts, attempt, api.clock.now())).id)
		between = async () => {
			const body = { password: 'another of five words 8' }
			const { status, text } = await api.ask('PUT', `/v1/users/${person.id}/password`, { token: acme.owner.token, body })
			assert.equal(status, 204, text)
		}
		await assert.rejects(signInHere(parts, attempt, api.clock.now()), { code: 'not-signed-in' })
	})

	test('unknown address, wrong password, suspended and password-less people get one and the same answer', async () => {
		const suspended = await api.person(acme)
		const { version } = (await api.ask('GET', `/v1/users/${suspended.id}`, { token: acme.owner.token })).body
		await api.ask('PATCH', `/v1/users/${suspended.id}`, { token: acme.owner.token, version, body: { suspended: true } })
		await api.ask('POST', '/v1/users', { token: acme.owner.token, body: { name: 'No Password', email: 'nopassword@example.org' } })
		const answers = await Promise.all([
			signIn('nobody@example.org', TEST_PASSWORD),
			signIn(person.email, `${TEST_PASSWORD}x`),
			signIn(suspended.email, TEST_PASSWORD),
			signIn('nopassword@example.org', TEST_PASSWORD),
		])
		for (const { status, body, headers } of answers) {
			const { instance: _, ...same } = body
			const { instance: __, ...first } = answers[0].body
			assert.deepEqual([status, same, headers.get('set-cookie')], [401, first, null])
		}
	})

	test('somebody who is not there costs the same work as somebody with another password', async () => {
		const hashed: string[] = []
		const counting = passwords(new Uint8Array(32), seededRandom(1), { memory: 64, passes: 1 })
		const stored = await counting.hash(TEST_PASSWORD)
		for (const one of [undefined, stored]) {
			// The same derivation with the same parameters runs in both cases: the answer is false, and never before it ran.
			assert.equal(await counting.verify('another password', one), false)
			hashed.push(String(one))
		}
		assert.equal(await counting.verify(TEST_PASSWORD, stored), true)
		assert.equal(await counting.verify(TEST_PASSWORD, undefined), false)
		// A copy of the database without the pepper does not know the password.
		assert.equal(await passwords(new Uint8Array(32).fill(1), seededRandom(1), { memory: 64, passes: 1 }).verify(TEST_PASSWORD, stored), false)
		assert.match(stored, /^argon2id\$64\$1\$/)
	})

	test('failures make an address wait longer and longer, whether anybody has it, and a right password clears them', async () => {
		for (const email of [person.email, 'unknown@example.org']) {
			const waits = []
			for (let i = 0; i < 9; i++) {
				const answer = await signIn(email, 'wrong')
				if (answer.status === 429) {
					const seconds = Number(answer.headers.get('retry-after'))
					waits.push(seconds)
					await api.clock.advance(seconds * 1_000)
				} else assert.equal(answer.status, 401)
			}
			assert.deepEqual(waits, [2, 4, 8], email)
		}
		// While it waits, the right password is refused as well: whoever guesses cannot tell.
		assert.equal((await signIn(person.email, 'wrong')).status, 401)
		assert.equal((await signIn(person.email, TEST_PASSWORD)).status, 429)
		await api.clock.advance(16_000)
		assert.equal((await signIn(person.email, TEST_PASSWORD)).status, 201)
		assert.equal((await signIn(person.email, 'wrong')).status, 401)
		assert.equal((await signIn(person.email, TEST_PASSWORD)).status, 201)
	})

	test('the wait never exceeds a quarter of an hour, and outlives the server', async () => {
		let longest = 0
		for (let i = 0; i < 30; i++) {
			const answer = await signIn(person.email, 'wrong')
			if (answer.status !== 429) continue
			longest = Math.max(longest, Number(answer.headers.get('retry-after')))
			await api.clock.advance(longest * 1_000)
		}
		assert.equal(longest, 900)
		const kept = await api.store.system((tx) => tx.rows(sql<{ key: Uint8Array }>`SELECT key FROM sign_in_try WHERE failures > 10`))
		assert.ok(kept.length >= 1)
	})

	test('one machine that tries many names is slowed down itself', async () => {
		const statuses = []
		for (let i = 0; i < 32; i++) statuses.push((await signIn(`name${i}@example.org`, 'wrong')).status)
		assert.ok(statuses.slice(0, 29).every((status) => status === 401))
		assert.equal(statuses.at(-1), 429)
	})

	test('an idle session ends, a used one goes on to its last hour, and signing out ends it at once', async () => {
		const idle = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const used = cookieOf(await signIn(person.email, TEST_PASSWORD))
		for (let minutes = 0; minutes < 11 * 60 + 40; minutes += 50) {
			await api.clock.advance(50 * 60_000)
			assert.equal((await me(used)).status, 200, `after ${minutes + 50} minutes`)
		}
		assert.equal((await me(idle)).status, 401)
		await api.clock.advance(50 * 60_000)
		assert.equal((await me(used)).status, 401)
		const other = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const out = await api.ask('POST', '/v1/sign-outs', { cookie: other, body: {} })
		assert.deepEqual([out.status, out.headers.get('set-cookie')], [204, 'latchwork=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0'])
		assert.equal((await me(other)).status, 401)
	})

	test('sessions are listed and ended by their owner only', async () => {
		const first = cookieOf(await signIn(person.email, TEST_PASSWORD))
		await api.clock.advance(1)
		const second = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const { items } = (await api.ask('GET', '/v1/sessions', { cookie: first })).body
		assert.deepEqual(
			items.map((one: { current: boolean }) => one.current),
			[true, false],
		)
		const stranger = await api.person(acme, { role: 'owner' })
		assert.equal((await api.ask('DELETE', `/v1/sessions/${items[1].id}`, { token: stranger.token })).status, 404)
		assert.equal((await api.ask('DELETE', `/v1/sessions/${items[1].id}`, { cookie: first })).status, 204)
		assert.deepEqual([(await me(first)).status, (await me(second)).status], [200, 401])
	})

	test('a page of another origin changes nothing with somebody’s session, nor signs anybody in; reading is the browser’s to refuse', async () => {
		const cookie = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const write = (headers: Record<string, string>) => api.ask('POST', '/v1/tokens', { body: { name: 'Stolen' }, headers: { cookie, ...headers } })
		for (const headers of [
			{},
			{ origin: 'null' },
			{ origin: 'https://elsewhere.example' },
			{ origin: `${api.url}.elsewhere.example` },
			{ 'sec-fetch-site': 'same-site' },
		] as Record<string, string>[])
			assert.equal((await write(headers)).status, 403, JSON.stringify(headers))
		assert.equal((await write({ origin: api.url })).status, 201)
		assert.equal((await write({ 'sec-fetch-site': 'same-origin' })).status, 201)
		assert.equal((await signIn(person.email, TEST_PASSWORD, { origin: 'https://elsewhere.example' })).status, 403)
	})

	test('a password is long, not complicated; a new one ends every session', async () => {
		const cookie = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const change = (current: string, password: string) => api.ask('PUT', '/v1/me/password', { cookie, body: { current, password } })
		assert.equal((await change(TEST_PASSWORD, 'short')).body.field, 'body.password')
		assert.equal((await change('not it', 'quite another passphrase')).body.field, 'body.current')
		assert.equal((await change(TEST_PASSWORD, 'quite another passphrase')).status, 204)
		assert.equal((await me(cookie)).status, 401)
		assert.equal((await signIn(person.email, TEST_PASSWORD)).status, 401)
		assert.equal((await signIn(person.email, 'quite another passphrase')).status, 201)
		for (const wrong of ['fourteen chars', 'a'.repeat(20), 'x'.repeat(129), 'my name is person77 yes'])
			assert.throws(() => checkPassword(wrong, 'person77@example.org'), { code: 'request-invalid' }, wrong)
		checkPassword('fifteen letters', 'person77@example.org')
	})

	test('guessing the current password at an open session costs tries as a sign-in does, leaves facts, and holds up no transaction', async (t) => {
		const cookie = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const change = (current: string) => api.ask('PUT', '/v1/me/password', { cookie, body: { current, password: 'quite another passphrase' } })
		const idle: number[] = []
		for (const method of ['verify', 'hash'] as const) {
			const real = api.parts.passwords[method] as (...given: never[]) => Promise<unknown>
			t.mock.method(api.parts.passwords, method, async (...given: never[]) => {
				idle.push((await api.store.system((tx) => tx.rows(OPEN_TRANSACTIONS))).length)
				return real(...given)
			})
		}
		const statuses: number[] = []
		for (let i = 0; i < 40; i++) statuses.push((await change('not it')).status)
		assert.deepEqual(statuses.slice(0, 5), [400, 400, 400, 400, 429])
		assert.ok(statuses.slice(5).every((status) => status === 429))
		assert.equal((await signIn(person.email, TEST_PASSWORD)).status, 429, 'one ladder for both')
		const refused = await api.store.read(acme.id, (db) =>
			db.rows(sql<{ text: string }>`SELECT convert_from(bytes, 'UTF8') AS text FROM event_pending`),
		)
		assert.equal(refused.filter(({ text }) => text.includes('"session.refused"') && text.includes(person.id)).length, 4)
		await api.clock.advance(3_000)
		assert.equal((await change(TEST_PASSWORD)).status, 204)
		assert.equal((await signIn(person.email, 'quite another passphrase')).status, 201, 'the right one clears what failed')
		const given = await api.ask('PUT', `/v1/users/${person.id}/password`, { token: acme.owner.token, body: { password: 'another of five words 8' } })
		assert.equal(given.status, 204)
		assert.deepEqual([idle.length, idle.filter((open) => open > 0)], [8, []])
	})

	test('of two changes of one password at the same time the second finds another current one', async () => {
		const cookie = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const parts = { store: api.store, passwords: api.parts.passwords, ...api.parts.terms }
		const proof = { tenant: acme.id, subject: person.id, password: TEST_PASSWORD, address: '192.0.2.1' }
		const proven = await provePassword(parts, proof, api.clock.now())
		const change = { ...api.parts.terms, actor: person.id, now: api.clock.now() }
		const replace = (hashed: string) => api.store.write(acme.id, (tx) => replacePassword(tx, change, person.id, proven, hashed))
		await replace(await api.parts.passwords.hash('the quicker one of both'))
		await assert.rejects(replace('argon2id$the slower one'), { code: 'request-invalid' })
		assert.equal((await me(cookie)).status, 401)
		assert.equal((await signIn(person.email, 'the quicker one of both')).status, 201)
	})

	test('the same address in two organisations signs in where it is said to', async () => {
		const rival = await api.tenant('Rival')
		const made = await api.ask('POST', '/v1/users', { token: rival.owner.token, body: { name: 'Same Person', email: person.email } })
		const set = await api.ask('PUT', `/v1/users/${made.body.id}/password`, {
			token: rival.owner.token,
			body: { password: 'the password over there' },
		})
		assert.equal(set.status, 204, set.text)
		assert.equal((await signIn(person.email, TEST_PASSWORD)).status, 401)
		const there = await api.ask('POST', '/v1/sign-ins', { body: { email: person.email, password: 'the password over there', tenant: rival.id } })
		assert.deepEqual([there.status, there.body.tenant], [201, rival.id])
		const here = await api.ask('POST', '/v1/sign-ins', { body: { email: person.email, password: TEST_PASSWORD, tenant: acme.id } })
		assert.deepEqual([here.status, here.body.tenant], [201, acme.id])
		const named = (tenant: string) => api.ask('POST', '/v1/sign-ins', { body: { email: person.email, password: 'the password over there', tenant } })
		assert.equal((await named('rival')).body.tenant, rival.id, 'people know it by its name')
		assert.equal((await named('Acme')).status, 401)
	})

	test('a token carries what it was made with and never more, ends when it says, and its use is seen', async () => {
		const { token } = person
		const narrow = (await api.ask('POST', '/v1/tokens', { token, body: { name: 'Narrow', permissions: ['estate.read'] } })).body
		assert.equal((await api.ask('GET', '/v1/sites', { token: narrow.token })).status, 200)
		assert.equal((await api.ask('GET', '/v1/users', { token: narrow.token })).status, 403)
		assert.equal((await api.ask('POST', '/v1/tokens', { token: narrow.token, body: { name: 'Wider', permissions: ['people.read'] } })).status, 403)
		const child = (await api.ask('POST', '/v1/tokens', { token: narrow.token, body: { name: 'Child' } })).body
		assert.deepEqual(child.permissions, ['estate.read'])
		const expiresAt = new Date(api.clock.now() + 60_000).toISOString()
		const brief = (await api.ask('POST', '/v1/tokens', { token, body: { name: 'Brief', expiresAt } })).body
		assert.equal((await api.ask('GET', '/v1/me', { token: brief.token })).status, 200)
		await api.clock.advance(60_000)
		assert.equal((await api.ask('GET', '/v1/me', { token: brief.token })).status, 401)
		const { items } = (await api.ask('GET', '/v1/tokens', { token })).body
		assert.ok(items.find((one: { id: string }) => one.id === narrow.id).lastUsedAt)
		assert.equal((await api.ask('DELETE', `/v1/tokens/${narrow.id}`, { token })).status, 204)
		assert.equal((await api.ask('GET', '/v1/sites', { token: narrow.token })).status, 401)
	})

	test('nothing that opens a session or is a token lies in the database', async () => {
		const cookie = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const rows = await api.store.read(acme.id, (db) => db.rows(KEPT_SESSIONS))
		const text = rows.map((row) => row.text).join('\n')
		assert.ok(rows.length > 2)
		for (const secret of [cookie.slice('latchwork='.length), person.token]) {
			assert.ok(!text.includes(secret) && !text.includes(secret.slice(-20)))
			// The control: what is looked for is what opens it.
			assert.equal(secret.length, 67)
		}
	})

	test('somebody who is suspended or erased is out at once', async () => {
		const owner = acme.owner.token
		const cookie = cookieOf(await signIn(person.email, TEST_PASSWORD))
		const { version } = (await api.ask('GET', `/v1/users/${person.id}`, { token: owner })).body
		assert.equal((await api.ask('PATCH', `/v1/users/${person.id}`, { token: owner, version, body: { suspended: true } })).status, 200)
		assert.deepEqual([(await me(cookie)).status, (await api.ask('GET', '/v1/me', { token: person.token })).status], [401, 401])
	})
})
