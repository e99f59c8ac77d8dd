import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '@latchwork/core/base'
import { findPerson } from '../people/index.ts'
import { erasePerson } from '../people/person-write.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { openTask } from './index.ts'

describe('deliveries over HTTP', () => {
	let api: TestApi
	let fernholt: TestTenant
	before(async () => {
		api = await testApi()
		fernholt = await api.tenant('Fernholt')
	})
	after(() => api.close())

	const announce = (recipient: unknown) =>
		api.ask('POST', '/v1/deliveries', {
			token: fernholt.owner.token,
			body: { bank: fernholt.bank, label: 'Order 1042', lines: [{ size: 'S' }], recipient },
		})

	test('go to people of the organisation, and to nobody who does not exist', async () => {
		const { id: user } = await api.person(fernholt)
		const made = await announce({ user })
		assert.deepEqual([made.status, made.body.delivery?.owner], [201, user], made.text)
		const erased = await api.person(fernholt)
		await api.store.write(fernholt.id, async (tx) => {
			const { version } = (await findPerson(tx, erased.id, api.parts.terms)) ?? assert.fail()
			await erasePerson(tx, { ...api.parts.terms, actor: 'server', now: api.clock.now() }, erased.id, version)
		})
		const strangers = [newId('subject', api.clock.now(), api.parts.random), (await api.tenant('Riverside')).owner.id, erased.id]
		for (const stranger of strangers) {
			const answer = await announce({ user: stranger })
			assert.deepEqual([answer.status, answer.body.code], [404, 'not-found'], answer.text)
			assert.match(answer.text, /recipient/)
		}
	})

	test('show the contact of their recipient to those who manage cases, and to nobody else who may see them', async () => {
		const made = await announce({ name: 'Mia Kern', phone: '+4930555018', hint: 'M… K…' })
		assert.equal(made.status, 201, made.text)
		const path = `/v1/cases/${made.body.delivery.id}`
		const seen = async (token: string) => {
			const answer = await api.ask('GET', path, { token })
			assert.equal(answer.status, 200, answer.text)
			return answer.body.recipient
		}
		const contact = { name: 'Mia Kern', phone: '+4930555018' }
		assert.deepEqual(await seen((await api.person(fernholt, { role: 'desk-staff' })).token), contact)
		for (const role of ['auditor', 'integrator'] as const) assert.equal(await seen((await api.person(fernholt, { role })).token), undefined, role)
		assert.equal(await seen(await api.token(fernholt, fernholt.owner, ['case.read'])), undefined, 'a token that was narrowed')
	})

	test('what changes while somebody pages is on a later page where the order is rising, and a cursor is good for its order alone', async () => {
		const org = await api.tenant('Paging')
		const { token } = org.owner
		const body = { bank: org.bank, label: 'Order', lines: [{ size: 'S' }], recipient: { name: 'Mia Kern' } }
		const made: string[] = []
		for (let i = 0; i < 3; i++) {
			await api.clock.advance(1_000)
			made.push((await api.ask('POST', '/v1/deliveries', { token, body })).body.delivery.id)
		}
		const [first, second, third] = made
		const ask = (query: string) => api.ask('GET', `/v1/cases?limit=1&${query}`, { token })
		/** Reads one page, has a case changed that is still to come in both orders, and reads on. */
		const pages = async (order: string) => {
			const read: string[] = []
			let next = ''
			do {
				const { body } = await ask(`order=${order}${next && `&cursor=${next}`}`)
				read.push(...body.items.map(({ id }: { id: string }) => id))
				next = body.next ?? ''
				if (read.length === 1) {
					await api.clock.advance(1_000)
					assert.equal((await api.ask('POST', `/v1/deliveries/${second}/codes`, { token, body: {} })).status, 201)
				}
			} while (next)
			return read
		}
		assert.deepEqual(await pages('rising'), [first, third, second])
		assert.deepEqual(await pages('falling'), [second, third, first])
		assert.equal((await ask(`order=rising&cursor=${(await ask('order=falling')).body.next}`)).status, 400)
	})

	test('the end of a case settles what was to be done for it at the bank, and no dispute', async () => {
		const org = await api.tenant('Done')
		const { token } = org.owner
		const booked = await api.ask('POST', '/v1/deliveries', { token, body: { bank: org.bank, label: 'Order', lines: [{ size: 'S' }] } })
		const about = { site: org.site, bank: org.bank, case: booked.body.delivery.id }
		const terms = { now: api.clock.now(), random: api.parts.random }
		await api.store.write(org.id, async (tx) => {
			for (const kind of ['pull', 'deemed-lost', 'conflict']) await openTask(tx, { kind, ...about }, terms)
			await openTask(tx, { kind: 'pull', site: org.site, bank: org.bank }, terms)
		})
		const open = async () =>
			(await api.ask('GET', '/v1/tasks?open=true', { token })).body.items.map((task: { kind: string; case?: string }) => [
				task.kind,
				task.case !== undefined,
			])
		assert.equal((await open()).length, 4, 'the control')
		assert.equal(
			(await api.ask('POST', `/v1/deliveries/${about.case}/recalls`, { token, body: { reason: 'order-cancelled' } })).body.state,
			'cancelled',
		)
		assert.deepEqual(await open(), [
			['conflict', true],
			['pull', false],
		])
	})

	test('what comes from two truths is an inbox of its own, with the rule that was applied, and is settled like any task', async () => {
		const org = await api.tenant('Two truths')
		const { token } = org.owner
		const about = { site: org.site, bank: org.bank }
		const terms = { now: api.clock.now(), random: api.parts.random }
		await api.store.write(org.id, async (tx) => {
			await openTask(tx, { kind: 'over-limit', ...about, detail: { limit: 1 } }, terms)
			await openTask(tx, { kind: 'conflict', ...about, detail: { why: 'other-moves', state: 'ready', version: 3, stream: 'str_1', seq: 7 } }, terms)
			await openTask(tx, { kind: 'pull', ...about }, terms)
		})
		const list = async (query = '') => (await api.ask('GET', `/v1/conflicts${query}`, { token })).body.items
		// Both are opened in one instant, so their order is their ids' and means nothing.
		const found = (await list()).sort((a: { kind: string }, b: { kind: string }) => b.kind.localeCompare(a.kind))
		assert.deepEqual(
			found.map(({ kind, rule, here, record }: Record<string, unknown>) => [kind, rule, here, record]),
			[
				['over-limit', 'loan-stands', undefined, undefined],
				['conflict', 'case-follows-bank', { state: 'ready', version: 3 }, { stream: 'str_1', seq: 7 }],
			],
			'a parcel to be taken out is no conflict',
		)
		const settled = await api.ask('POST', `/v1/tasks/${found[0].id}/completions`, { token, body: { how: 'checked-and-in-order' } })
		assert.equal(settled.status, 201, settled.text)
		assert.deepEqual([(await list()).length, (await list('?open=false')).length], [1, 1])
		const elsewhere = await api.person(org, { role: 'desk-staff', scope: { kind: 'site', id: org.otherSite } })
		assert.deepEqual((await api.ask('GET', '/v1/conflicts', { token: elsewhere.token })).body.items, [])
	})
})
