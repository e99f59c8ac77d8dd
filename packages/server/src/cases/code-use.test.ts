import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mintedId, mintWeek } from '@latchwork/core/access'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { mintKeysOf } from '../people/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { testEdge } from '../testing/edge.ts'
import { codeUseApplier } from './code-use-write.ts'

const random = seededRandom(11)
const HOUR = 3_600_000

describe('a one-time code that opened a door', () => {
	let api: TestApi
	let acme: TestTenant
	let controller: Id<'controller'>
	before(async () => {
		api = await testApi()
		acme = await api.tenant('Acme')
		controller = (await testEdge(api, acme)).controller
		const policy = { code: 'all', draft: 'permit (principal, action, resource);' }
		const made = await api.ask('POST', '/v1/policies', { token: acme.owner.token, body: policy })
		await api.ask('POST', `/v1/policies/${made.body.id}/versions`, { token: acme.owner.token, body: { version: 1, acceptWarnings: true } })
	})
	after(() => api.close())
	const used = (jti: string) => {
		const at = api.clock.now()
		const event = { type: 'credential.code-used', subject: newId('visit', at, random), actor: acme.owner.id, at, bank: acme.bank, data: { jti } }
		const about = { site: acme.site, bank: acme.bank, now: at } as Parameters<ReturnType<typeof codeUseApplier>>[2]
		return api.store.write(acme.id, (tx) => codeUseApplier({ random })(tx, [event as unknown as StreamEvent], about))
	}
	const tasks = async () => (await api.ask('GET', '/v1/tasks?kind=unknown-code-used&open=true', { token: acme.owner.token })).body.items

	test('is used on the books; one that was given to nobody is looked into, as somebody has the keys of that bank', async () => {
		const given = await api.ask('POST', '/v1/one-time-codes', { token: acme.owner.token, body: { user: acme.owner.id, bank: acme.bank } })
		assert.equal(given.status, 201, given.text)
		await used(given.body.id)
		await used('one-time-0001')
		const [row] = (await api.ask('GET', `/v1/one-time-codes?bank=${acme.bank}`, { token: acme.owner.token })).body.items
		assert.deepEqual([row.state, await tasks()], ['used', []], 'the control: ours, and a code of another kind')

		const now = api.clock.now()
		const keys = await api.store.read(acme.id, (db) => mintKeysOf(db, { bank: acme.bank, controller }, api.parts.terms, now))
		const forged = { subject: acme.owner.id, notBefore: Math.floor(now / HOUR) * HOUR, hours: 24, n: 9 }
		const id = mintedId(keys.get(mintWeek(forged.notBefore)) ?? assert.fail(), forged, nodeCrypto)
		await used(id)
		const [task, ...more] = await tasks()
		assert.deepEqual([task.detail.code, task.detail.user, more], [id, acme.owner.id, []])
	})

	test('ten for one person and the same hours, and not one more; each is another', async () => {
		const give = () => api.ask('POST', '/v1/one-time-codes', { token: acme.owner.token, body: { user: acme.owner.id, bank: acme.bank, hours: 2 } })
		const made = []
		for (let n = 0; n < 10; n++) made.push((await give()).body)
		assert.equal(new Set(made.map(({ digits }) => digits)).size, 10)
		const eleventh = await give()
		assert.deepEqual([eleventh.status, eleventh.body.code], [409, 'request-refused'])
	})
})
