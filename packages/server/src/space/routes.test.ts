import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { exampleLayout } from '@latchwork/core/wire'
import { compartmentsOf, createController, setCertificate } from '../estate/index.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'

describe('a door from afar over HTTP', () => {
	let api: TestApi
	let fernholt: TestTenant
	before(async () => {
		api = await testApi()
		fernholt = await api.tenant('Fernholt')
	})
	after(() => api.close())

	test('opens for a case of its own bank, and for none of another', async () => {
		const { id: tenant, bank, site } = fernholt
		const { token } = fernholt.owner
		const made = async (path: string, body: unknown) => {
			const answer = await api.ask('POST', path, { token, body })
			assert.ok([201, 202].includes(answer.status), answer.text)
			return answer.body
		}
		const second = await made('/v1/banks', { site, name: 'Second', helpPhone: '110', layout: exampleLayout })
		const change = { actor: 'server' as const, now: api.clock.now(), random: api.parts.random }
		const compartment = await api.store.write(tenant, async (tx) => {
			const { id } = await createController(tx, change, { bank, name: 'Box' })
			await setCertificate(tx, change, id, { fingerprint: 'f1', until: change.now + 86_400_000 })
			return (await compartmentsOf(tx, bank))[0]?.id ?? assert.fail()
		})
		const caseAt = async (at: string) => (await made('/v1/deliveries', { bank: at, label: 'Order', lines: [{ size: 'S' }] })).delivery.id
		const [own, other] = [await caseAt(bank), await caseAt(second.id)]
		const open = { compartment, reason: 'person-at-the-door' }
		const refused = await api.ask('POST', '/v1/door-sessions', { token, body: { ...open, case: other } })
		assert.deepEqual([refused.status, refused.body.code], [404, 'not-found'], refused.text)
		const asked = await api.store.read(tenant, (tx) => tx.rows(sql`SELECT 1 FROM command WHERE tenant_id = ${tenant}`))
		assert.deepEqual(asked, [], 'nobody is asked')
		assert.equal((await made('/v1/door-sessions', { ...open, case: own })).case, own)
	})
})
