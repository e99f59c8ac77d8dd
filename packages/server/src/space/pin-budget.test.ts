import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hitChance, mintedHit, yearChance } from '@latchwork/core/access'
import { type Id, nextMidnight, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { pinApplier } from './pin-budget-write.ts'

const random = seededRandom(5)
const BERLIN = 'Europe/Berlin'

describe('guessing PINs from kiosk to kiosk', () => {
	let api: TestApi
	let acme: TestTenant
	let token: string
	before(async () => {
		api = await testApi()
		acme = await api.tenant('Acme')
		token = acme.owner.token
	})
	after(() => api.close())
	const guessing = async () => (await api.ask('GET', '/v1/pin-guessing', { token })).body
	const choose = async (body: object, place = '') => {
		const { body: here } = await api.ask('GET', `/v1/settings${place}`, { token })
		return api.ask('PATCH', `/v1/settings${place}`, { token, version: here.version, body })
	}
	const wrong = (site: Id<'site'>, count: number, at = api.clock.now()) => {
		const events = Array.from(
			{ length: count },
			() => ({ type: 'decision.denied', at, data: { method: 'pin', reason: 'wrong-pin' } }) as unknown as StreamEvent,
		)
		const about = { site, bank: acme.bank, now: api.clock.now() } as Parameters<ReturnType<typeof pinApplier>>[2]
		return api.store.write(acme.id, (tx) => pinApplier({ random })(tx, events, about))
	}
	const restOf = async (site: string) => (await guessing()).sites.find((one: { site: string }) => one.site === site)?.restsUntil
	const lockedOut = async () =>
		(
			await api.store.read(acme.id, (db) =>
				db.rows(sql<{ subject: string }>`SELECT subject FROM event_pending WHERE type = 'credential.locked-out'
					UNION ALL SELECT subject FROM event WHERE type = 'credential.locked-out'`),
			)
		).map(({ subject }) => subject)

	test('the chance is shown for each kiosk, site and the organisation, and PINs of a length that is too short are refused with what would do', async () => {
		for (let n = 0; n < 20; n++) {
			const { body } = await api.ask('POST', '/v1/users', { token, body: { name: `P ${n}` } })
			assert.equal((await api.ask('POST', '/v1/credentials', { token, body: { kind: 'pin', user: body.id, site: acme.site } })).status, 201)
		}
		const { organisation, sites, highest } = await guessing()
		const near = (a: number, b: number) => Math.abs(a - b) < 1e-12
		const [here] = sites.filter((one: { pins: number }) => one.pins > 0)
		assert.deepEqual([highest, here.site, here.pins, here.digits, here.kiosks.length], [0.01, acme.site, 20, 8, 1])
		const expected = yearChance(hitChance([{ count: 20, digits: 8 }]) + mintedHit(21), 100)
		assert.ok(near(here.kiosks[0].chance, expected), 'by the formula of a kiosk, with the one-time codes that somebody could have')
		assert.ok(near(here.chance, expected), 'one kiosk grants a hundred tries, whatever the site would')
		assert.ok(organisation.chance >= here.chance && organisation.wrongADay <= 1_000)

		const short = await choose({ pinLength: 6 })
		assert.deepEqual([short.status, short.body.code], [409, 'request-refused'])
		assert.match(
			short.body.detail,
			/With 20 PINs of 6 digits and the codes that a kiosk takes a guesser succeeds within a year with 52 %; 1 % is allowed\. Use 8 digits\./,
		)
		const often = await choose({ wrongPinsPerDay: 1_000 }, `?bank=${acme.bank}`)
		assert.equal(often.status, 409, 'at one bank, too')
		assert.equal((await api.ask('GET', '/v1/settings', { token })).body.settings.pinLength, 8)
		assert.equal((await choose({ pinLength: 9 })).status, 200, 'the control')
	})

	test('the tries of a site are counted together; beyond them its kiosks take no PIN until its midnight, or until somebody has looked', async () => {
		await choose({ wrongPinsPerDayAtSite: 10 }, `?site=${acme.site}`)
		const midnight = nextMidnight(api.clock.now(), BERLIN)
		await wrong(acme.site, 9)
		await wrong(acme.site, 5, api.clock.now() - 86_400_000)
		await wrong(acme.otherSite, 5)
		assert.deepEqual([await restOf(acme.site), await lockedOut()], [undefined, []], 'of yesterday, and of another site')
		await wrong(acme.site, 1)
		await wrong(acme.site, 3)
		assert.equal(await restOf(acme.site), new Date(midnight).toISOString())
		assert.deepEqual([await restOf(acme.otherSite), await lockedOut()], [undefined, [acme.site]], 'told once')
		const lift = () => api.ask('DELETE', `/v1/sites/${acme.site}/pin-rest`, { token })
		assert.equal((await lift()).status, 204)
		assert.equal((await lift()).status, 409)
		assert.equal(await restOf(acme.site), undefined)
		await wrong(acme.site, 9)
		assert.equal(await restOf(acme.site), undefined, 'the tries begin anew')
	})

	test('whoever walks from site to site meets the budget of the organisation', async () => {
		await choose({ wrongPinsPerDayInAll: 20 })
		await wrong(acme.otherSite, 5)
		assert.equal(await restOf(acme.otherSite), undefined, '19 of 20')
		await wrong(acme.otherSite, 1)
		const rest = new Date(nextMidnight(api.clock.now(), BERLIN)).toISOString()
		assert.equal(await restOf(acme.site), rest)
		const known = await api.store.read(acme.id, (db) =>
			db.rows(sql<{ site: string }>`SELECT site_id AS site FROM pin_budget WHERE rest_until IS NOT NULL`),
		)
		assert.equal(known.length, 2, 'a site without a bank, too')
		assert.equal((await lockedOut()).at(-1), acme.id)
	})

	test('whoever walks keeps within what the organisation allows: budgets, PINs and codes by which they would not are refused or made longer', async () => {
		const org = await api.tenant('Walkers')
		const ask = (method: string, path: string, body?: unknown, version?: number) =>
			api.ask(method, path, { token: org.owner.token, ...(body !== undefined && { body }), ...(version !== undefined && { version }) })
		const { layout } = (await ask('GET', `/v1/banks/${org.bank}`)).body
		for (let n = 1; n < 6; n++)
			assert.equal((await ask('POST', '/v1/banks', { site: org.site, name: `Floor ${n}`, helpPhone: '110', layout })).status, 201)
		const give = async () => {
			const { id } = (await ask('POST', '/v1/users', { name: 'P' })).body
			return ask('POST', '/v1/credentials', { kind: 'pin', user: id, site: org.site })
		}
		for (let n = 0; n < 20; n++) assert.equal((await give()).status, 201)
		const set = async (body: object, place = '') => {
			const { version } = (await ask('GET', `/v1/settings${place}`)).body
			return ask('PATCH', `/v1/settings${place}`, body, version)
		}
		const at = `?site=${org.site}`
		const before = (await ask('GET', '/v1/pin-guessing')).body
		assert.deepEqual([before.highestAtSite, before.highestInAll, before.sites[0].wrongADay, before.organisation.wrongADay], [0.03, 0.1, 300, 300])

		const often = await set({ wrongPinsPerDayAtSite: 600 }, at)
		assert.deepEqual([often.status, often.body.code], [409, 'request-refused'], often.text)
		assert.match(
			often.body.detail,
			/kiosks of the site succeeds within a year with 4\.3 %; 3 % is allowed\. Use 9 digits, or allow at most 417 wrong PINs a day at the site\./,
		)
		assert.equal((await set({ wrongPinsPerDayAtSite: 418 }, at)).status, 409)
		assert.equal((await set({ wrongPinsPerDayAtSite: 417 }, at)).status, 200, 'the control')
		assert.equal((await set({ pinChanceAtSite: 50 }, at)).status, 200)
		assert.equal((await set({ wrongPinsPerDayAtSite: 600 }, at)).status, 409, 'what is allowed the organisation says, and no site')

		const less = await set({ pinChanceInAll: 2 })
		assert.match(
			less.body.detail,
			/walks through all kiosks succeeds within a year with 3\.0 %; 2 % is allowed\. Use 9 digits, or allow at most 276 wrong PINs a day in all\./,
		)
		assert.equal((await set({ pinChanceInAll: 2, wrongPinsPerDayInAll: 277 })).status, 409)
		assert.equal((await set({ pinChanceInAll: 2, wrongPinsPerDayInAll: 276 })).status, 200, 'the control')
		assert.equal((await set({ wrongPinsPerDayInAll: 1_000 })).status, 409)

		// At one kiosk 27 are few enough for eight digits; on this walk 20 are.
		const { pickUpCode } = (await ask('POST', '/v1/deliveries', { bank: org.bank, label: 'Order', lines: [{ size: 'S' }] })).body
		assert.equal(pickUpCode.digits.replaceAll(/\D/g, '').length, 11)
		const late = await give()
		assert.deepEqual([late.status, late.body.code], [409, 'request-refused'], late.text)
		assert.match(late.body.detail, /^With 21 PINs of 8 digits/)
		assert.equal((await ask('GET', '/v1/pin-guessing')).body.sites[0].pins, 20, 'it was not given')
		assert.equal((await set({ pinLength: 9 })).status, 200)
		assert.equal((await give()).status, 201, 'the control')
	})
})
