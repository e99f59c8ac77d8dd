import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import { createBank } from '../estate/index.ts'
import { bundleCredentials, readyCredentials, takenAwayBy } from '../people/index.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { badgeLossApplier } from './badge-loss-write.ts'
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

	const recorded = (event: object, where: 'hq' | 'depot' = 'hq') => {
		const [site, bank] = where === 'hq' ? [acme.site, acme.bank] : [acme.otherSite, depot]
		const about = { site, bank, now: api.clock.now() } as Parameters<ReturnType<typeof badgeUseApplier>>[2]
		const whole = { stream: newId('stream', 1, random), seq: 7, bank, ...event } as unknown as StreamEvent
		return api.store.write(acme.id, (tx) => badgeLossApplier(api.parts.terms)(tx, [whole], about))
	}
	const reportedAtBank = ({ id }: Pick<Badge, 'id'>, by: string, at: number) =>
		recorded({ type: 'credential.reported-lost', subject: id, actor: by, at, data: { method: 'pin' } })
	const refused = ({ id }: Badge, at: number, where: 'hq' | 'depot') =>
		recorded({ type: 'decision.denied', at, data: { method: 'badge', reason: 'credential-revoked', credential: id } }, where)
	const credentialOf = async ({ id }: Badge) => (await api.ask('GET', `/v1/credentials/${id}`, { token: acme.owner.token })).body
	const shownTasks = async ({ id }: Badge) =>
		(await api.ask('GET', '/v1/tasks?kind=lost-badge-shown&open=true', { token: acme.owner.token })).body.items.filter(
			(task: { detail: { credential: string } }) => task.detail.credential === id,
		) as { bank: string; detail: { user: string } }[]
	const inBundle = async ({ id }: Badge) =>
		api.store.write(acme.id, async (tx) => {
			await readyCredentials(tx, acme.site, api.parts.terms, api.clock.now())
			return (await bundleCredentials(tx, acme.site, api.clock.now())).find((one) => one.id === id)?.lost
		})

	test('reported lost at a bank it ends everywhere and stays known as lost; whoever shows it afterwards is a task for staff, once a bank', async () => {
		const lost = await badge()
		await api.clock.advance(100)
		const now = api.clock.now()
		assert.equal(await inBundle(lost), false)
		await refused(lost, now - 10, 'hq')
		await shown(lost, 'depot', now - 20)
		await shown(lost, 'hq', now - 60)
		await reportedAtBank(lost, lost.user, now - 40)
		const after = await credentialOf(lost)
		assert.deepEqual([Date.parse(after.lostAt), Date.parse(after.revokedAt)], [Math.floor(now - 40), Math.floor(now)])
		assert.equal(await inBundle(lost), true, 'a bank is to know which one somebody shows')
		const taken = (at: number) =>
			api.store.read(acme.id, (db) => takenAwayBy(db, { subject: lost.user, credential: lost.id, at })) as Promise<{ since: number } | undefined>
		assert.deepEqual(
			[await taken(now - 50), (await taken(now - 30))?.since],
			[undefined, Math.floor(now - 40)],
			'what opened between report and news is told from what opened before',
		)
		assert.deepEqual(
			(await shownTasks(lost)).map(({ bank, detail }) => [bank, detail.user]),
			[[depot, lost.user]],
			'used elsewhere while the bank of the report was cut off; not what was used before',
		)
		await refused(lost, now, 'hq')
		await refused(lost, now, 'hq')
		assert.deepEqual((await shownTasks(lost)).map(({ bank }) => bank).toSorted(), [acme.bank, depot].toSorted())
		// The control: a badge that staff revoked is refused like that, and nobody is called.
		const revoked = await badge()
		await api.ask('DELETE', `/v1/credentials/${revoked.id}`, { token: acme.owner.token, version: 1 })
		await refused(revoked, now, 'hq')
		assert.deepEqual(await shownTasks(revoked), [])
		// Found again: staff give the same number once more, and that is another badge.
		const row = { kind: 'badge', user: lost.user, number: `55-${given - 1}` }
		const again = await api.ask('POST', '/v1/credentials', { token: acme.owner.token, body: row })
		assert.equal(again.status, 201, again.text)
		assert.deepEqual([await inBundle({ ...lost, id: again.body.id }), await inBundle(lost)], [false, undefined])
		await reportedAtBank(lost, lost.user, now)
		assert.equal((await credentialOf({ ...lost, id: again.body.id })).revokedAt, undefined, 'told twice, it does not end the new one')
	})

	test('a bank that reports the badge of somebody who did not stand there, or none at all, changes nothing: people look at it', async () => {
		const [anas, other] = [await badge(), await badge()]
		await reportedAtBank(anas, other.user, api.clock.now())
		await reportedAtBank({ id: newId('credential', 1, random) }, other.user, api.clock.now())
		assert.equal((await credentialOf(anas)).revokedAt, undefined)
		const { items } = (await api.ask('GET', `/v1/tasks?kind=foreign-record&open=true&bank=${acme.bank}`, { token: acme.owner.token })).body
		assert.deepEqual(
			items.map((task: { detail: { subject: string } }) => task.detail.subject),
			[anas.id],
		)
	})

	test('whoever can sign in sees and reports their own badges, without any role; nobody else’s', async () => {
		const me = await api.person(acme)
		const mine = (await api.ask('POST', '/v1/credentials', { token: acme.owner.token, body: { kind: 'badge', user: me.id, number: '77-1' } })).body
		const others = await badge()
		const list = () => api.ask('GET', '/v1/me/credentials', { token: me.token })
		assert.deepEqual(
			(await list()).body.items.map(({ id }: { id: string }) => id),
			[mine.id],
		)
		const strange = await api.ask('POST', '/v1/me/losses', { token: me.token, body: { credential: others.id } })
		assert.deepEqual([strange.status, (await credentialOf(others)).revokedAt], [404, undefined])
		const { status, body } = await api.ask('POST', '/v1/me/losses', { token: me.token, body: { credential: mine.id } })
		assert.deepEqual([status, body.revokedAt === undefined, body.lostAt === body.revokedAt], [201, false, true])
		const twice = await api.ask('POST', '/v1/me/losses', { token: me.token, body: { credential: mine.id } })
		assert.deepEqual([twice.status, twice.body], [201, body])
		const told = await api.store.read(acme.id, (db) =>
			db.rows(
				sql<{ type: string }>`SELECT type FROM event_pending WHERE subject = ${mine.id} UNION ALL SELECT type FROM event WHERE subject = ${mine.id}`,
			),
		)
		assert.deepEqual(told.map(({ type }) => type).toSorted(), ['credential.issued', 'credential.reported-lost', 'credential.revoked'])
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
