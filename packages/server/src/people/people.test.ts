import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { verifierOf } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { scanForPersonalData } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { bundleCredentials, bundleSubjects, credentialBy, readyCredentials, revokedCredentials, siteKeyOf } from './index.ts'

/** Everything that any table of the organisation holds, as text. */
const TABLES = sql<{
	name: string
}>`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'latchwork' AND table_type = 'BASE TABLE'`
const rowsOf = (name: string) => sql<{ text: string }>`SELECT t::text AS text FROM ${sql.table(name)} t`
const EVENTS = sql<{ bytes: Uint8Array }>`SELECT bytes FROM event_pending`

describe('people', () => {
	let api: TestApi
	let acme: TestTenant
	let token: string
	before(async () => {
		api = await testApi()
		acme = await api.tenant('Acme')
		token = acme.owner.token
	})
	after(() => api.close())
	const post = (path: string, body: unknown) => api.ask('POST', path, { token, body })
	const add = async (name: string, more: object = {}) => {
		const { status, body, text } = await post('/v1/users', { name, ...more })
		assert.equal(status, 201, text)
		return body as { id: Id<'subject'>; version: number; name: string }
	}
	const found = async (search: string) =>
		(await api.ask('GET', `/v1/users?search=${encodeURIComponent(search)}`, { token })).body.items.map((one: { name: string }) => one.name)

	test('a person is found by beginnings of words, whatever case and accents, and by nothing else', async () => {
		await add('Zoë Müller-Østergård', { email: 'zoe.muller@example.org', externalRefs: [{ system: 'hr', id: 'EMP-00417' }] })
		for (const search of ['zo', 'ZOE', 'mull', 'Müller', 'zoe mul', 'østerg', 'emp', '00417', 'zoe.muller@exa'])
			assert.deepEqual(await found(search), ['Zoë Müller-Østergård'], search)
		for (const search of ['uller', 'zoe karl', 'emp-0042', '%', "' OR 7=7 --"]) assert.deepEqual(await found(search), [], search)
	})

	test('a changed name is found under the new words only, and the pseudonym stays', async () => {
		const { id, version } = await add('Ines Abendroth')
		const changed = await api.ask('PATCH', `/v1/users/${id}`, { token, version, body: { name: 'Ines Morgenroth' } })
		assert.deepEqual([changed.status, changed.body.id, changed.body.version], [200, id, version + 1])
		assert.deepEqual([await found('abendroth'), await found('morgenroth')], [[], ['Ines Morgenroth']])
	})

	test('an address belongs to one person, in any spelling; the refusal does not say to whom', async () => {
		const { id, version } = await add('First Holder', { email: 'shared@example.org' })
		const second = await post('/v1/users', { name: 'Second Holder', email: 'SHARED@Example.org' })
		assert.deepEqual([second.status, second.body.code], [409, 'already-exists'])
		assert.ok(!second.text.includes(id) && !second.text.includes('First'))
		// Given up, it is free again.
		assert.equal((await api.ask('PATCH', `/v1/users/${id}`, { token, version, body: { email: null } })).status, 200)
		assert.equal((await post('/v1/users', { name: 'Second Holder', email: 'shared@example.org' })).status, 201)
	})

	test('two people with one address, added at once: one is there', async () => {
		const both = await Promise.all([1, 2].map((n) => post('/v1/users', { name: `Twin ${n}`, email: 'twin@example.org' })))
		assert.deepEqual(both.map((one) => one.status).sort(), [201, 409])
	})

	test('a badge counts once, at every site, and no number is shown or kept in the open', async () => {
		const [anna, ben] = [await add('Anna Badge'), await add('Ben Badge')]
		const badge = await post('/v1/credentials', { kind: 'badge', user: anna.id, number: '12-345' })
		assert.equal(badge.status, 201, badge.text)
		assert.deepEqual(scanForPersonalData(Buffer.from(badge.text), ['12-345', 'h10301:12:345']), [])
		const again = await post('/v1/credentials', { kind: 'badge', user: ben.id, number: '012-00345' })
		assert.deepEqual([again.status, again.body.code], [409, 'already-exists'])
		assert.ok(!again.text.includes(anna.id))
		for (const site of [acme.site, acme.otherSite]) {
			const key = await api.store.write(acme.id, (tx) => readyCredentials(tx, site, api.parts.terms, api.clock.now()))
			const verifier = verifierOf(key, nodeCrypto, 'badge', 'h10301:12:345')
			const known = await api.store.read(acme.id, (db) => credentialBy(db, site, verifier, api.clock.now()))
			assert.deepEqual(known, { id: badge.body.id, subject: anna.id })
		}
		const keys = await Promise.all([acme.site, acme.otherSite].map((site) => api.store.read(acme.id, (db) => siteKeyOf(db, site, api.parts.terms))))
		assert.notDeepEqual(keys[0], keys[1])
		// Revoked, the number is free, and banks hear that the old one counts no more.
		assert.equal((await api.ask('DELETE', `/v1/credentials/${badge.body.id}`, { token, version: 1 })).status, 200)
		assert.equal((await post('/v1/credentials', { kind: 'badge', user: ben.id, number: '12-345' })).status, 201)
		assert.ok((await api.store.read(acme.id, (db) => revokedCredentials(db, api.clock.now()))).includes(badge.body.id))
	})

	test('a re-issued badge ends the old one in the same step, and ends nothing where it is refused', async () => {
		const [anna, ben] = [await add('Anna Again'), await add('Ben Again')]
		const give = (user: string, number: string, more: object = {}) => post('/v1/credentials', { kind: 'badge', user, number, ...more })
		const endedAt = async (id: string) => (await api.ask('GET', `/v1/credentials/${id}`, { token })).body.revokedAt
		const lost = (await give(anna.id, '31-1')).body
		const other = (await give(anna.id, '31-2')).body
		await give(ben.id, '31-3')
		for (const [user, number, status, code] of [
			[ben.id, '31-4', 400, 'request-invalid'], // a badge of somebody else
			[anna.id, '31-3', 409, 'already-exists'], // a number that is in use
			[anna.id, 'twelve', 400, 'request-invalid'],
		] as const) {
			const refused = await give(user, number, { replaces: lost.id })
			assert.deepEqual([refused.status, refused.body.code], [status, code], refused.text)
			assert.equal(await endedAt(lost.id), undefined, 'the old badge still counts')
		}
		const pin = (await post('/v1/credentials', { kind: 'pin', user: anna.id, site: acme.site })).body
		assert.equal((await give(anna.id, '31-5', { replaces: pin.id })).body.code, 'request-invalid')

		const next = await give(anna.id, '31-5', { replaces: lost.id })
		assert.equal(next.status, 201, next.text)
		assert.ok((await endedAt(lost.id)) !== undefined)
		assert.deepEqual([await endedAt(other.id), await endedAt(pin.id)], [undefined, undefined], 'the others stay')
		// The same card with another assurance; and once more for one that has ended already.
		const same = await give(anna.id, '31-5', { assurance: 'high', replaces: next.body.id })
		assert.deepEqual([same.status, same.body.assurance], [201, 'high'], same.text)
		assert.equal((await give(anna.id, '31-6', { replaces: lost.id })).status, 201)
		const known = await api.store.write(acme.id, async (tx) => {
			const key = await readyCredentials(tx, acme.site, api.parts.terms, api.clock.now())
			return credentialBy(tx, acme.site, verifierOf(key, nodeCrypto, 'badge', 'h10301:31:5'), api.clock.now())
		})
		assert.equal(known?.id, same.body.id)
	})

	test('a new PIN ends the older one of that person at that site, and at no other', async () => {
		const { id } = await add('Paula Pin')
		const draw = async (site: Id<'site'>) => (await post('/v1/credentials', { kind: 'pin', user: id, site })).body
		const [here, there, again] = [await draw(acme.site), await draw(acme.otherSite), await draw(acme.site)]
		const { items } = (await api.ask('GET', `/v1/credentials?user=${id}`, { token })).body
		const ended = (items as { id: string; revokedAt?: string }[]).filter(({ revokedAt }) => revokedAt !== undefined).map((one) => one.id)
		assert.deepEqual(ended, [here.id])
		assert.ok(there.pin && again.pin && again.pin !== here.pin)
	})

	test('a number that no badge can have is refused with the reason', async () => {
		const { id } = await add('Carl Badge')
		for (const number of ['300-1', '99999999999', 'twelve', 'hex:32:08000000'])
			assert.equal((await post('/v1/credentials', { kind: 'badge', user: id, number })).body.code, 'request-invalid', number)
	})

	test('a PIN is made by the system, shown once, known to its site alone, and never given again', async () => {
		const { id } = await add('Dora Pin')
		const made = await post('/v1/credentials', { kind: 'pin', user: id, site: acme.site })
		assert.equal(made.status, 201, made.text)
		const { pin } = made.body
		assert.match(pin, /^\d{8}$/)
		const shown = await api.ask('GET', `/v1/credentials/${made.body.id}`, { token })
		assert.ok(!shown.text.includes(pin))
		const verifiers = async (site: Id<'site'>) => {
			await api.store.write(acme.id, (tx) => readyCredentials(tx, site, api.parts.terms, api.clock.now()))
			return (await api.store.read(acme.id, (db) => bundleCredentials(db, site, api.clock.now())))
				.filter((one) => one.kind === 'pin')
				.map((one) => one.id)
		}
		assert.ok((await verifiers(acme.site)).includes(made.body.id))
		assert.ok(!(await verifiers(acme.otherSite)).includes(made.body.id))
		const key = await api.store.read(acme.id, (db) => siteKeyOf(db, acme.site, api.parts.terms))
		const verifier = verifierOf(key as Uint8Array, nodeCrypto, 'pin', pin)
		assert.equal((await api.store.read(acme.id, (db) => credentialBy(db, acme.site, verifier, api.clock.now())))?.subject, id)
	})

	test('PINs that a guesser would find within a year are refused, with how many digits are needed', async () => {
		const settings = await api.ask('GET', `/v1/settings?site=${acme.otherSite}`, { token })
		const short = await api.ask('PATCH', `/v1/settings?site=${acme.otherSite}`, { token, version: settings.body.version, body: { pinLength: 4 } })
		assert.equal(short.status, 200, short.text)
		const { id } = await add('Emil Pin')
		const refused = await post('/v1/credentials', { kind: 'pin', user: id, site: acme.otherSite })
		assert.deepEqual([refused.status, refused.body.code], [409, 'request-refused'])
		assert.match(refused.body.detail, /Use \d+ digits/)
	})

	test('a temporary credential ends by itself', async () => {
		const { id } = await add('Frida Guest')
		const notAfter = new Date(api.clock.now() + 3_600_000).toISOString()
		const { body } = await post('/v1/credentials', { kind: 'badge', user: id, number: '77-1', notAfter })
		await api.store.write(acme.id, (tx) => readyCredentials(tx, acme.site, api.parts.terms, api.clock.now()))
		const has = async (now: number) =>
			(await api.store.read(acme.id, (db) => bundleCredentials(db, acme.site, now))).some((one) => one.id === body.id)
		assert.deepEqual([await has(api.clock.now()), await has(api.clock.now() + 3_600_000)], [true, false])
		const past = await post('/v1/credentials', { kind: 'badge', user: id, number: '77-2', notAfter: new Date(api.clock.now()).toISOString() })
		assert.deepEqual([past.status, past.body.field], [400, 'body.notAfter'])
	})

	test('time without the server is a whole number of minutes up to that of any site, reaches the bundle, and is everybody’s again', async () => {
		const { id, version } = await add('Konrad Offline')
		const set = (offlineMinutes: unknown, at: { user?: string; version?: number; token?: string } = {}) =>
			api.ask('PATCH', `/v1/users/${at.user ?? id}`, { token: at.token ?? token, version: at.version ?? version, body: { offlineMinutes } })
		const inBundle = async () => (await api.store.read(acme.id, (db) => bundleSubjects(db, [id])))[0]?.offlineMinutes
		for (const bad of [-1, 1.5, 20_161, '15', true]) {
			const { status, body } = await set(bad)
			assert.deepEqual([status, body.code, body.field], [400, 'request-invalid', 'body.offlineMinutes'], String(bad))
		}
		const other = await api.tenant('Rival')
		const desk = await api.person(acme, { role: 'desk-staff' })
		const answers = [
			await set(15, { user: id.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }),
			await set(15, { token: other.owner.token }),
			await set(15, { token: desk.token }),
			await set(15, { token: (await api.person(acme)).token }),
		]
		assert.deepEqual(
			answers.map(({ status }) => status),
			[404, 404, 403, 403],
		)
		assert.deepEqual([await inBundle(), (await api.ask('GET', `/v1/users/${id}`, { token })).body.version], [undefined, version], 'none changed it')
		// The controls: the most, none at all, and as it was.
		for (const [n, minutes] of [20_160, 0, null].entries()) {
			const { status, body, text } = await set(minutes, { version: version + n })
			assert.deepEqual([status, body.offlineMinutes, body.version], [200, minutes ?? undefined, version + n + 1], text)
			assert.equal(await inBundle(), minutes ?? undefined)
		}
		assert.deepEqual((await set(null, { version: version + 3 })).body.version, version + 3, 'nothing changed, nothing told')
		const made = await add('Lena Online', { offlineMinutes: 0 })
		assert.equal((await api.ask('GET', `/v1/users/${made.id}`, { token })).body.offlineMinutes, 0)
	})

	test('groups reach the bundle by their codes, and erasing somebody takes them out', async () => {
		const { id } = await add('Gerd Grouped')
		const group = await post('/v1/groups', { code: 'staff.it', name: 'IT' })
		assert.equal((await post('/v1/groups', { code: 'staff.it', name: 'Again' })).body.code, 'already-exists')
		assert.equal((await api.ask('PUT', `/v1/groups/${group.body.id}/members/${id}`, { token })).status, 204)
		const inBundle = async () => (await api.store.read(acme.id, bundleSubjects)).find((one) => one.id === id)
		assert.deepEqual((await inBundle())?.groups, ['staff.it'])
		const { version } = (await api.ask('GET', `/v1/users/${id}`, { token })).body
		assert.equal((await api.ask('DELETE', `/v1/users/${id}`, { token, version })).status, 204)
		assert.equal(await inBundle(), undefined)
	})

	test('erased, a person is a pseudonym: nothing of them can be read, found or used, and their facts stay', async () => {
		const made = await add('Hilde Vergessen', { email: 'hilde@example.org', phone: '+49 30 5550199' })
		const badge = await post('/v1/credentials', { kind: 'badge', user: made.id, number: '88-8' })
		const { version } = (await api.ask('GET', `/v1/users/${made.id}`, { token })).body
		assert.equal((await api.ask('DELETE', `/v1/users/${made.id}`, { token, version })).status, 204)
		const erased = await api.ask('GET', `/v1/users/${made.id}`, { token })
		assert.deepEqual([erased.body.name, erased.body.email, erased.body.phone], [null, undefined, undefined])
		assert.ok(erased.body.erasedAt)
		assert.deepEqual(await found('hilde'), [])
		assert.ok((await api.ask('GET', `/v1/credentials/${badge.body.id}`, { token })).body.revokedAt)
		const [row] = await api.store.read(acme.id, (db) =>
			db.rows(sql<object>`SELECT wrapped_key, sealed, email_index FROM person WHERE subject_id = ${made.id}`),
		)
		assert.deepEqual(row, { wrapped_key: null, sealed: null, email_index: null })
		assert.equal((await post('/v1/users', { name: 'Another Hilde', email: 'hilde@example.org' })).status, 201)
		const again = await api.ask('PATCH', `/v1/users/${made.id}`, { token, version: version + 1, body: { name: 'Back' } })
		assert.equal(again.body.code, 'request-refused')
	})

	test('no table and no event holds a name, an address, a number or a PIN in the open', async () => {
		const secret = await add('Quirin Unverwechselbar', { email: 'quirin@unverwechselbar.example', phone: '+49 30 5550733' })
		await post('/v1/credentials', { kind: 'badge', user: secret.id, number: '199-54321' })
		const { pin } = (await post('/v1/credentials', { kind: 'pin', user: secret.id, site: acme.site })).body
		const needles = ['Unverwechselbar', 'quirin@unverwechselbar.example', '5550733', 'h10301:199:54321', pin]
		const texts: string[] = []
		await api.store.system(async (tx) => {
			for (const { name } of await tx.rows(TABLES)) {
				// Of tables that are closed to the system role nothing is readable to anybody who serves requests.
				if (name === 'migration') continue
				texts.push(...(await tx.rows(rowsOf(name))).map((row) => row.text))
			}
			texts.push(...(await tx.rows(EVENTS)).map((row) => Buffer.from(row.bytes).toString('utf8')))
		})
		assert.ok(texts.length > 100)
		assert.deepEqual(scanForPersonalData(Buffer.from(texts.join('\n')), needles), [])
		// The control: what is not sealed is found.
		assert.deepEqual(scanForPersonalData(Buffer.from(`${texts.join('\n')}\nUnverwechselbar`), needles), ['Unverwechselbar'])
	})
})
