import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { applyEdgeEvents } from '../estate/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'

describe('assets over HTTP', () => {
	let api: TestApi
	let mine: TestTenant
	let theirs: TestTenant
	before(async () => {
		api = await testApi()
		mine = await api.tenant('Mine')
		theirs = await api.tenant('Theirs')
	})
	after(() => api.close())

	const ok = async (status: number, method: string, path: string, body?: unknown, version?: number, of = mine) => {
		const answer = await api.ask(method, path, { token: of.owner.token, body, version })
		assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
		return answer.body
	}
	const door = async (of: TestTenant, nth = 0): Promise<Id<'compartment'>> =>
		(await ok(200, 'GET', `/v1/compartments?bank=${of.bank}`, undefined, undefined, of)).items[nth].id

	it('are added, found by tag, changed, shown where their bank says they lie, and retired', async () => {
		const type = await ok(201, 'POST', '/v1/asset-types', { code: 'laptop-14', name: 'Laptop', kind: 'laptop' })
		assert.equal(
			(await api.ask('POST', '/v1/asset-types', { token: mine.owner.token, body: { code: 'laptop-14', name: 'L' } })).body.code,
			'already-exists',
		)
		const compartment = await door(mine)
		const made = await ok(201, 'POST', '/v1/assets', { type: type.id, tag: 'LT-1', bank: mine.bank, compartment })
		assert.deepEqual([made.custodian, made.compartment], [mine.bank, undefined])
		const random = seededRandom(3)
		const event = (seq: number, type: StreamEvent['type'], data: StreamEvent['data']) =>
			({
				v: 1,
				stream,
				seq,
				prev: '',
				type,
				subject: compartment,
				actor: 'edge',
				bank: mine.bank,
				at: 1,
				mono: 1,
				clock: 'good',
				bundle: 1,
				offline: false,
				data,
			}) as const
		const stream = newId('stream', 1, random)
		const told = [event(1, 'stream.started', {}), event(2, 'compartment.occupied', { why: 'initial-contents', item: made.id })]
		await api.store.write(mine.id, (tx) => applyEdgeEvents(tx, told))
		assert.equal((await ok(200, 'GET', `/v1/assets/${made.id}`)).compartment, compartment)
		assert.deepEqual(
			(await ok(200, 'GET', '/v1/assets?tag=LT-1')).items.map((a: { compartment: string }) => a.compartment),
			[compartment],
		)
		const second = { type: type.id, tag: 'LT-2', bank: mine.bank, compartment }
		assert.match((await api.ask('POST', '/v1/assets', { token: mine.owner.token, body: second })).body.detail, /is occupied/)
		const changed = await ok(200, 'PATCH', `/v1/assets/${made.id}`, { name: 'Blue one', condition: 'damaged' }, 1)
		assert.deepEqual([changed.name, changed.condition, changed.version], ['Blue one', 'damaged', 2])
		assert.match((await api.ask('DELETE', `/v1/asset-types/${type.id}`, { token: mine.owner.token, version: 1 })).body.detail, /1 asset/)
		assert.ok((await ok(200, 'DELETE', `/v1/assets/${made.id}`, undefined, 2)).retiredAt)
		assert.deepEqual((await ok(200, 'GET', '/v1/assets')).items, [])
		assert.equal((await ok(200, 'GET', '/v1/assets?retired=true')).items.length, 1)
	})

	it('of another organisation are not there, whatever their tag; its own are', async () => {
		const made: Record<string, { id: string }> = {}
		for (const [name, of] of Object.entries({ mine, theirs })) {
			const type = await ok(201, 'POST', '/v1/asset-types', { code: 'camera', name: 'Camera' }, undefined, of)
			made[name] = await ok(201, 'POST', '/v1/assets', { type: type.id, tag: 'SAME', bank: of.bank, compartment: await door(of, 1) }, undefined, of)
		}
		const path = `/v1/assets/${made.mine?.id}`
		await ok(404, 'GET', path, undefined, undefined, theirs)
		await ok(404, 'PATCH', path, { name: 'X' }, 1, theirs)
		await ok(404, 'DELETE', path, undefined, 1, theirs)
		await ok(404, 'POST', '/v1/assets', { type: (await ok(200, 'GET', path)).type, tag: 'NEW' }, undefined, theirs)
		assert.deepEqual(
			(await ok(200, 'GET', '/v1/assets?tag=SAME', undefined, undefined, theirs)).items.map((a: { id: string }) => a.id),
			[made.theirs?.id],
		)
	})

	it('go to another bank only with the right to manage assets there, too', async () => {
		const type = await ok(201, 'POST', '/v1/asset-types', { code: 'tablet', name: 'Tablet' })
		const { id } = await ok(201, 'POST', '/v1/assets', { type: type.id, tag: 'TB-1', bank: mine.bank })
		const layout = (await ok(200, 'GET', `/v1/banks/${mine.bank}`)).layout
		const far = await ok(201, 'POST', '/v1/banks', { site: mine.otherSite, name: 'Far', helpPhone: '1', layout })
		const desk = await api.person(mine, { role: 'desk-staff', scope: { kind: 'site', id: mine.site } })
		const move = (token: string) => api.ask('PATCH', `/v1/assets/${id}`, { token, body: { bank: far.id }, version: 1 })
		assert.equal((await move(desk.token)).status, 403)
		assert.equal((await move(mine.owner.token)).body.bank, far.id)
		assert.deepEqual((await api.ask('GET', '/v1/assets?tag=TB-1', { token: desk.token })).body.items, [])
	})
})
