import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { createBank } from '../estate/index.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { badgeUseApplier, forgetBadgeUses } from './badge-use-write.ts'

const random = seededRandom(9)
const MINUTE = 60_000

describe('a badge at two sites', () => {
	let api: TestApi
	let acme: TestTenant
	let depot: Id<'bank'>
	before(async () => {
		api = await testApi()
		acme = await api.tenant('Acme')
		depot = (
			await api.store.write(acme.id, (tx) =>
				createBank(
					tx,
					{ actor: 'server', now: api.clock.now(), random },
					{ site: acme.otherSite, name: 'Depot', helpPhone: '110', layout: exampleLayout },
				),
			)
		).id
	})
	after(() => api.close())
	let given = 0
	const badge = async () => {
		const { body: user } = await api.ask('POST', '/v1/users', { token: acme.owner.token, body: { name: 'Ana' } })
		const { body } = await api.ask('POST', '/v1/credentials', {
			token: acme.owner.token,
			body: { kind: 'badge', user: user.id, number: `55-${++given}` },
		})
		const row = await api.store.read(acme.id, (db) =>
			db.first(sql<{ commitment: string }>`SELECT commitment FROM credential WHERE credential_id = ${body.id}`),
		)
		return { id: body.id as string, user: user.id as Id<'subject'>, commitment: row?.commitment ?? assert.fail() }
	}
	type Badge = Awaited<ReturnType<typeof badge>>
	const shown = ({ user, commitment }: Badge, where: 'hq' | 'depot', at: number, method = 'badge') => {
		const [site, bank] = where === 'hq' ? [acme.site, acme.bank] : [acme.otherSite, depot]
		const event = {
			type: 'visit.started',
			subject: newId('visit', at, random),
			actor: user,
			at,
			data: { method, commitment },
		} as unknown as StreamEvent
		const about = { site, bank, now: api.clock.now() } as Parameters<ReturnType<typeof badgeUseApplier>>[2]
		return api.store.write(acme.id, (tx) => badgeUseApplier({ random })(tx, [event], about))
	}
	const tasksOf = async ({ id }: Badge) =>
		(await api.ask('GET', '/v1/tasks?kind=badge-at-two-sites&open=true', { token: acme.owner.token })).body.items
			.filter((task: { detail: { credential: string } }) => task.detail.credential === id)
			.map(({ bank, detail }: { bank: string; detail: { otherBank: string; secondsApart: number } }) => [bank, detail.otherBank, detail.secondsApart])

	test('T4: in less time than the way takes it is a copy: somebody looks, once; in more time, at one site, or by a PIN it is not', async () => {
		const now = api.clock.now()
		const [copied, slow, still, late] = [await badge(), await badge(), await badge(), await badge()]
		await shown(copied, 'hq', now - 9 * MINUTE)
		await shown(copied, 'depot', now)
		await shown(copied, 'depot', now + MINUTE)
		assert.deepEqual(await tasksOf(copied), [[depot, acme.bank, 540]])
		await shown(slow, 'hq', now - 11 * MINUTE)
		await shown(slow, 'depot', now)
		await shown(still, 'hq', now)
		await shown(still, 'hq', now)
		await shown(still, 'depot', now, 'pin')
		assert.deepEqual([await tasksOf(slow), await tasksOf(still)], [[], []])
		// A bank that was cut off tells of it after the fact.
		await shown(late, 'depot', now)
		await shown(late, 'hq', now - 2 * MINUTE)
		assert.deepEqual(await tasksOf(late), [[acme.bank, depot, 120]])
		const told = await api.store.read(acme.id, (db) =>
			db.rows(
				sql<{
					subject: string
				}>`SELECT subject FROM event_pending WHERE type = 'credential.at-two-sites' UNION SELECT subject FROM event WHERE type = 'credential.at-two-sites'`,
			),
		)
		assert.deepEqual(told.map(({ subject }) => subject).toSorted(), [copied.id, late.id].toSorted())
	})

	test('the setting says how long the way is, and 0 that nobody looks; where badges were is forgotten after a day', async () => {
		const now = api.clock.now()
		const one = await badge()
		const { body: here } = await api.ask('GET', '/v1/settings', { token: acme.owner.token })
		await api.ask('PATCH', '/v1/settings', { token: acme.owner.token, version: here.version, body: { travelMinutes: 0 } })
		await shown(one, 'hq', now)
		await shown(one, 'depot', now + 1)
		assert.deepEqual(await tasksOf(one), [])
		const rows = () => api.store.read(acme.id, (db) => db.rows(sql`SELECT 1 FROM badge_use`))
		assert.ok((await rows()).length > 0)
		await api.store.system((tx) => forgetBadgeUses(tx, now + 25 * 60 * MINUTE))
		assert.equal((await rows()).length, 0)
	})
})
