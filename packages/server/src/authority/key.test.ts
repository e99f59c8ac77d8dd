import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Bundle, badgeToBits, identify, siteKeyMark } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { ensureSiteKey, issueBadge, issuePin, rotatedSiteKey, siteKeyOf } from '../people/index.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { contentOf } from './compose.ts'
import { gatherBank, gatherSite } from './gather-write.ts'

/** Ours, small enough for each run; 5,000 are what trust.md §3.2 speaks of. */
/** Enough for more than one page of each list; 5,000 of them go through the whole product in tests/scenarios/site-key.test.ts. */
const BADGES = 500

describe('the key of a site', () => {
	let api: TestApi
	let org: TestTenant
	const pins = new Map<string, string>()
	before(async () => {
		api = await testApi()
		org = await api.tenant('Keys')
		const policy = { code: 'all', draft: 'permit (principal, action, resource);' }
		const made = await api.ask('POST', '/v1/policies', { token: org.owner.token, body: policy })
		await api.ask('POST', `/v1/policies/${made.body.id}/versions`, { token: org.owner.token, body: { version: 1, acceptWarnings: true } })
	})
	after(() => api.close())
	const change = () => ({ ...api.parts.terms, actor: 'server' as const, now: api.clock.now() })
	const bundleNow = (bank: Id<'bank'>, site: Id<'site'>): Promise<{ bundle: Bundle; key: Uint8Array }> =>
		api.store.write(org.id, async (tx) => {
			const rows = await gatherSite(tx, site, api.parts.terms, api.clock.now())
			const content = contentOf(await gatherBank(tx, org.id, bank, rows, api.clock.now()), nodeCrypto.sha256)
			const times = { version: 1, issuedAt: 0, staleAt: 1e15, expiresAt: 1e15 }
			return { bundle: { format: 'latchwork-bundle/1', ...content, ...times }, key: (await siteKeyOf(tx, site, api.parts.terms)) as Uint8Array }
		})
	/** Who a bank says it is that shows this, by the key that it has. */
	const known = ({ bundle, key }: { bundle: Bundle; key: Uint8Array }, shown: { badge: string } | { pin: string }) => {
		const image = 'badge' in shown ? badgeToBits(shown.badge) : undefined
		const presented = image?.ok
			? ({ kind: 'badge', normal: image.normal } as const)
			: ({ kind: 'pin', pin: 'pin' in shown ? shown.pin : '' } as const)
		const now = api.clock.now()
		const terms = { crypto: nodeCrypto, now, proven: now, uncertain: false, makerKeys: new Map(), codeUsed: () => false }
		const answer = identify(bundle, presented, { ...terms, siteKey: key })
		return answer.ok ? answer.subject : undefined
	}

	test('L1: chosen for a site it gets another key that every bundle names, PINs end, a machine that enrols gets none, and a bank cannot choose', async () => {
		const at = (place: string) => api.ask('GET', `/v1/settings${place}`, { token: acme.owner.token })
		const acme = await api.tenant('Memory')
		const choose = async (place: string, siteKeyInMemory: boolean) =>
			api.ask('PATCH', `/v1/settings${place}`, { token: acme.owner.token, version: (await at(place)).body.version, body: { siteKeyInMemory } })
		const key = (site: Id<'site'>) => api.store.read(acme.id, (db) => siteKeyOf(db, site, api.parts.terms))
		const sent = (site: Id<'site'>) => api.store.read(acme.id, (db) => rotatedSiteKey(db, site, api.parts.terms))
		const before = await api.store.write(acme.id, (tx) => ensureSiteKey(tx, acme.site, change(), api.clock.now()))
		assert.equal(await sent(acme.site), undefined, 'the control: at L0 the key of the enrolment is enough')
		const refused = await choose(`?bank=${acme.bank}`, true)
		assert.deepEqual([refused.status, refused.body.code], [409, 'request-refused'])
		assert.equal((await choose(`?site=${acme.site}`, true)).status, 200)
		const after = await key(acme.site)
		assert.notDeepEqual(after, before)
		assert.deepEqual(await sent(acme.site), after)
		assert.equal(await key(acme.otherSite), undefined, 'another site notices nothing')
		// A site that came to it by the organisation, and whose first key was made afterwards.
		assert.equal((await choose('', true)).status, 200)
		const made = await api.ask('POST', '/v1/sites', { token: acme.owner.token, body: { name: 'New', timeZone: 'Europe/Berlin' } })
		const first = await api.store.write(acme.id, (tx) => ensureSiteKey(tx, made.body.id, change(), api.clock.now()))
		assert.deepEqual(await sent(made.body.id), first)
		// Back at L0 its controllers go on: what they were enrolled with is nobody's key, so bundles name the site's own.
		assert.equal((await choose('', false)).status, 200)
		assert.deepEqual(await sent(made.body.id), first)
	})

	test(`is another after a rotation: ${BADGES} badges and a code go on without anybody enrolling again, PINs end, another site notices nothing`, async (t) => {
		const people = await Promise.all(Array.from({ length: 5 }, () => api.person(org)))
		const numbers = new Map<string, string>()
		await api.store.write(org.id, async (tx) => {
			for (let i = 0; i < BADGES; i++) {
				const subject = people[i % people.length]?.id ?? assert.fail()
				numbers.set(`${100_000 + i}`, subject)
				await issueBadge(tx, change(), { subject, number: `${100_000 + i}` })
			}
		})
		await api.store.write(org.id, async (tx) => {
			await ensureSiteKey(tx, org.site, change(), api.clock.now())
			for (const { id } of people) pins.set(id, (await issuePin(tx, change(), { subject: id, site: org.site })).pin)
		})
		const booked = await api.ask('POST', '/v1/deliveries', {
			token: org.owner.token,
			body: { bank: org.bank, label: 'Order', lines: [{ size: 'S' }], recipient: { user: people[0]?.id } },
		})
		const digits = booked.body.pickUpCode.digits
		const before = await bundleNow(org.bank, org.site)
		assert.equal(before.bundle.siteKey, undefined, 'the key of the enrolment needs no name')
		assert.equal(before.bundle.credentials.length, BADGES + people.length)
		const elsewhere = await api.store.write(org.id, (tx) => ensureSiteKey(tx, org.otherSite, change(), api.clock.now()))

		const began = performance.now()
		const answer = await api.ask('POST', `/v1/sites/${org.site}/key-rotations`, { token: org.owner.token, body: {} })
		t.diagnostic(`${BADGES} badges under another key in ${Math.round(performance.now() - began)} ms`)
		assert.deepEqual([answer.status, answer.body], [201, { pins: people.length }], answer.text)

		const after = await bundleNow(org.bank, org.site)
		assert.equal(after.bundle.siteKey, siteKeyMark(after.key, nodeCrypto))
		assert.notDeepEqual(after.key, before.key)
		assert.equal(after.bundle.credentials.length, BADGES, 'badges alone')
		for (const [badge, subject] of numbers) assert.equal(known(after, { badge }), subject)
		for (const [subject, pin] of pins) assert.deepEqual([known(before, { pin }), known(after, { pin })], [subject, undefined])
		assert.equal(known(after, { pin: digits }), people[0]?.id, 'the pick-up code')
		// The control: with the old key in hand nobody is found in the new bundle.
		assert.equal(known({ bundle: after.bundle, key: before.key }, { badge: '100000' }), undefined)
		assert.deepEqual(await api.store.read(org.id, (db) => siteKeyOf(db, org.otherSite, api.parts.terms)), elsewhere)
		assert.deepEqual(
			(
				await api.store.read(org.id, (db) =>
					db.rows<{ n: number }>(
						sql`SELECT count(*)::int AS n FROM credential WHERE tenant_id = ${org.id} AND kind = 'badge' AND revoked_at IS NULL`,
					),
				)
			)[0]?.n,
			BADGES,
		)
	})

	test('a box that is gone: its controller is out, the key and the codes of its bank are others, and recipients are told', async () => {
		const { token } = org.owner
		const controller = (await api.ask('POST', '/v1/controllers', { token, body: { bank: org.bank, name: 'Box' } })).body
		const before = await bundleNow(org.bank, org.site)
		const [code] = before.bundle.codes ?? []
		const lose = (version: number) => api.ask('POST', `/v1/controllers/${controller.id}/losses`, { token, body: { version } })
		assert.equal((await lose(controller.version + 1)).body.code, 'version-conflict')
		const lost = await lose(controller.version)
		assert.deepEqual([lost.status, lost.body], [201, { pins: 0, codes: 1 }], lost.text)
		const after = await bundleNow(org.bank, org.site)
		assert.notDeepEqual(after.key, before.key)
		assert.notEqual(after.bundle.codes?.[0]?.id, code?.id)
		assert.equal((await api.ask('GET', `/v1/controllers/${controller.id}`, { token })).body.state, 'revoked')
		assert.equal((await lose(controller.version + 1)).body.code, 'request-refused', 'once')
		await api.sign(org.id)
		const types = (await api.ask('GET', '/v1/events?order=falling&limit=50', { token })).body.items.map(
			(one: { type: string; data: { kind?: string } }) => [one.type, one.data.kind],
		)
		for (const wanted of [
			['lockers.controller.lost.v1', undefined],
			['lockers.site.key-rotated.v1', undefined],
			['lockers.notice.due.v1', 'code-changed'],
		])
			assert.ok(
				types.some((one: unknown[]) => one[0] === wanted[0] && one[1] === wanted[1]),
				JSON.stringify(wanted),
			)
	})
})
