import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type AccessDecision, acceptBundle, badgeToBits, compile, decide, identify } from '@latchwork/core/access'
import { newId, seededRandom } from '@latchwork/core/base'
import { nodeCrypto } from '@latchwork/edge/keys'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { openAuthority } from '@latchwork/server/authority'
import { siteKeyOf } from '@latchwork/server/people'
import { publicKeysOf } from '@latchwork/server/tenants'
import { type TestApi, type TestTenant, testApi } from '@latchwork/server/testing/api'
import { drawBadges, type Seeded, seedDemo } from './seed.ts'

describe('the demo estate', () => {
	let api: TestApi
	let tenant: TestTenant
	before(async () => {
		api = await testApi()
		tenant = await api.tenant('Demo')
	})
	after(() => api.close())

	const badges = drawBadges()
	const terms = () => ({ demo: true, api: api.url, token: tenant.owner.token, key: 'only-for-this-test', badges })

	test('a seeding that was cut short goes on where it was, with the same answers', async () => {
		let calls = 0
		const broken: typeof fetch = (...asked) => (++calls > 15 ? Promise.reject(new Error('cut')) : fetch(...asked))
		await assert.rejects(seedDemo({ ...terms(), fetch: broken }), /cut/)
		const first = await seedDemo(terms())
		assert.deepEqual(await seedDemo(terms()), first)
		const sites = await api.ask('GET', '/v1/sites', { token: tenant.owner.token })
		assert.equal(sites.body.items.filter((s: { name: string }) => s.name.startsWith('Fernholt')).length, 2)
	})

	test('says in the API’s own words what keeps it from being made', async () => {
		await assert.rejects(seedDemo({ ...terms(), key: 'another-key-than-before' }), /answered with 409: .*already/s)
		await assert.rejects(seedDemo({ ...terms(), token: 'lw_no' }), /answered with 401/)
	})

	test('its first bank lets staff take a laptop by badge, tells a visitor why not, and its parcel’s code is known there alone', async () => {
		const seeded: Seeded = await seedDemo(terms())
		const [hq, depot] = seeded.sites
		assert.ok(hq && depot)
		const authority = openAuthority({
			store: api.store,
			clock: api.clock,
			pace: { mono: api.clock.mono, after: () => () => {} },
			people: api.parts.terms,
			crypto: nodeCrypto,
			publish: () => {},
			reaches: () => true,
			log: (line) => assert.fail(JSON.stringify(line)),
		})
		await authority.turn()
		const bundleOf = async (bank: typeof hq.bank) => {
			const current = await authority.current(tenant.id, bank)
			const keys = new Map((await api.store.read(tenant.id, (db) => publicKeysOf(db, 'maker'))).map((k) => [k.keyId, k.publicKey]))
			const answer = acceptBundle(current?.text, { keys, crypto: nodeCrypto, bank, now: api.clock.now() })
			assert.ok(answer.ok, answer.ok ? '' : answer.text)
			return answer.bundle
		}
		const [here, there] = [await bundleOf(hq.bank), await bundleOf(depot.bank)]
		assert.equal(here.initialContents.length, 3)
		assert.deepEqual([here.codes?.length, there.codes?.length ?? 0], [2, 0])
		assert.deepEqual([here.credentials.length, there.credentials.length], [8, 4], 'badges count at both sites, PINs at one')

		const compiled = compile(here, { engine: cedarEngine, sha256: nodeCrypto.sha256 })
		assert.ok(compiled.ok, compiled.ok ? '' : compiled.text)
		const siteKey = (await api.store.read(tenant.id, (db) => siteKeyOf(db, hq.id, api.parts.terms))) ?? assert.fail()
		const now = Date.UTC(2026, 0, 5, 9)
		const moment = {
			now,
			uncertain: false,
			lease: { format: 'latchwork-lease/1' as const, bank: hq.bank, bundleVersion: here.version, issuedAt: now, until: now + 1 },
		}
		const taking = (person: Seeded['people'][number]): AccessDecision => {
			const image = badgeToBits(person.badge)
			assert.ok(image.ok)
			const who = identify(
				here,
				{ kind: 'badge', normal: image.normal },
				{ siteKey, crypto: nodeCrypto, now, proven: now, uncertain: false, makerKeys: new Map(), codeUsed: () => false },
			)
			assert.ok(who.ok && who.subject === person.id)
			const request = {
				decision: newId('decision', now, seededRandom(1)),
				subject: who.subject,
				credential: who.credential,
				method: who.method,
				assurance: who.assurance,
				action: 'collect',
				resource: { kind: 'asset', id: here.assets[0]?.id ?? assert.fail() },
				workflow: 'loan',
				offline: true,
				storageLevel: 0,
				openLoans: 0,
				overdue: false,
				intoEmptyCompartment: false,
			} as const
			return decide(compiled.compiled, request, moment)
		}
		const effects = seeded.people.map((person) => {
			const { effect, ...rest } = taking(person)
			return `${person.name}: ${effect}${'reason' in rest ? ` ${rest.reason}` : ''}`
		})
		assert.deepEqual(effects, ['Ada Berg: allow', 'Ben Okoro: allow', 'Chen Li: allow', 'Dana Weiss: deny not-authorised'])
		compiled.compiled.release()
		await authority.stop()
	})
})
