import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { readBackOf } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { exampleLayout } from '@latchwork/core/wire'
import { nodeCrypto } from '../crypto.ts'
import { compartmentsOf, createController, setCertificate } from '../estate/index.ts'
import { mintKeysOf } from '../people/index.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestPerson, type TestTenant, testApi } from '../testing/api.ts'
import { testEdge } from '../testing/edge.ts'
import { expireCommands } from './index.ts'

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

	test('where something lies, somebody else agrees before the bank is asked, and its owner is told', async () => {
		const org = await api.tenant('Two keys')
		const edge = await testEdge(api, org)
		const change = { actor: 'server' as const, now: api.clock.now(), random: api.parts.random }
		await api.store.write(org.id, (tx) => setCertificate(tx, change, edge.controller, { fingerprint: 'f2', until: change.now + 86_400_000 }))
		const [empty, full] = [edge.doors.get(1), edge.doors.get(2)]
		await edge.tell(
			{ type: 'compartment.returned-to-service', subject: empty ?? '', data: { content: 'empty' } },
			{ type: 'compartment.occupied', subject: full ?? '', data: {} },
		)
		const ask = (who: TestPerson, path: string, body?: unknown) => api.ask(body === undefined ? 'GET' : 'POST', path, { token: who.token, body })
		const open = async (compartment: string | undefined) => (await ask(org.owner, '/v1/door-sessions', { compartment, reason: 'check-content' })).body
		assert.equal((await open(empty)).state, 'requested', 'the control: an empty one needs nobody else')
		const first = await open(full)
		assert.equal(first.state, 'awaiting-approval')
		const waiting = async () => (await ask(org.owner, '/v1/overview')).body.approvals
		assert.deepEqual(
			(await waiting()).map(({ command, door, by }: { command: string; door: number; by: string }) => [command, door, by]),
			[[first.id, 2, org.owner.id]],
		)
		const say = (who: TestPerson, verdict: string, id = first.id) => ask(who, `/v1/commands/${id}/approvals`, { verdict })
		assert.equal((await say(org.owner, 'approved')).body.code, 'request-refused', 'not their own')
		const elsewhere = await api.person(org, { role: 'desk-staff', scope: { kind: 'site', id: org.otherSite } })
		assert.equal((await say(elsewhere, 'approved')).status, 403)
		const desk = await api.person(org, { role: 'desk-staff' })
		const agreed = await say(desk, 'approved')
		assert.deepEqual([agreed.status, agreed.body.state, agreed.body.approvedBy], [202, 'requested', desk.id], agreed.text)
		assert.deepEqual(await waiting(), [])
		assert.equal((await say(desk, 'approved')).body.code, 'request-refused', 'once')

		const refused = await open(full)
		assert.deepEqual((await say(desk, 'refused', refused.id)).body.code, 'not-approved')
		const late = await open(full)
		await api.clock.advance(10 * 60_000)
		assert.match((await say(desk, 'approved', late.id)).body.detail, /run out/)
		await api.store.system((tx) => expireCommands(tx, { now: api.clock.now(), random: api.parts.random }))
		assert.equal((await ask(desk, `/v1/commands/${late.id}`)).body.state, 'expired')

		// A parcel that the sensor does not see lies there by its case; and its recipient hears of it.
		const person = await api.person(org)
		const booked = (
			await ask(org.owner, '/v1/deliveries', { bank: org.bank, label: 'Order', lines: [{ size: 'S' }], recipient: { user: person.id } })
		).body.delivery
		await api.store.write(org.id, (tx) =>
			tx.run(
				sql`UPDATE workflow_case SET body = jsonb_set(body, '{lines,0,compartment}', to_jsonb(${empty}::text)) WHERE tenant_id = ${org.id} AND case_id = ${booked.id}`,
			),
		)
		const second = await open(empty)
		assert.equal(second.state, 'awaiting-approval')
		assert.equal((await say(desk, 'approved', second.id)).status, 202)
		await api.sign(org.id)
		const told = (await ask(org.owner, '/v1/events?type=lockers.notice.due.v1&order=falling')).body.items[0]
		assert.deepEqual([told.data.kind, told.data.to, told.data.case], ['opened-from-afar', person.id, booked.id])
		const openings = async (who: TestPerson) => (await ask(who, '/v1/me/openings')).body.items
		const [seen, ...more] = await openings(person)
		assert.deepEqual(
			[seen.command, seen.roles, seen.agreed, seen.secondRoles, seen.state, seen.door, seen.place.bank, seen.case.label, more.length],
			[second.id, ['owner'], 'second-person', ['desk-staff'], 'requested', 1, 'Lobby', 'Order', 0],
		)
		assert.ok(!JSON.stringify(seen).includes(org.owner.id) && !JSON.stringify(seen).includes(desk.id), 'by their roles, and not who they are')
		assert.deepEqual(await openings(desk), [], 'nobody else’s')

		const settings = (await ask(org.owner, '/v1/settings')).body
		const off = await api.ask('PATCH', '/v1/settings', {
			token: org.owner.token,
			version: settings.version,
			body: { secondPersonForOccupied: false },
		})
		assert.equal(off.status, 200, off.text)
		assert.equal((await open(full)).state, 'requested', 'an organisation may do without')
		await api.clock.advance(1_000)
		const alone = await open(empty)
		assert.deepEqual(
			(await openings(person)).map(({ command, agreed }: { command: string; agreed: string }) => [command, agreed]),
			[
				[alone.id, 'nobody'],
				[second.id, 'second-person'],
			],
			'and the owner sees it all the same, the newest first',
		)
		const first20 = (await ask(person, '/v1/me/openings?limit=1')).body
		assert.deepEqual(
			(await ask(person, `/v1/me/openings?limit=1&cursor=${first20.next}`)).body.items.map(({ command }: { command: string }) => command),
			[second.id],
		)
	})

	test('X22: the owner on the phone is the second person by the number from the kiosk, or by two facts that those who listen could not look up; three wrong answers are enough, and what was right is told to nobody', async () => {
		const org = await api.tenant('On the phone')
		const edge = await testEdge(api, org)
		const { token } = org.owner
		const change = { actor: 'server' as const, now: api.clock.now(), random: api.parts.random }
		await api.store.write(org.id, (tx) => setCertificate(tx, change, edge.controller, { fingerprint: 'f3', until: change.now + 86_400_000 }))
		const full = edge.doors.get(2) ?? assert.fail()
		await edge.tell(
			{ type: 'compartment.returned-to-service', subject: edge.doors.get(1) ?? '', data: { content: 'empty' } },
			{ type: 'compartment.occupied', subject: full, data: {} },
		)
		const user = (await api.ask('POST', '/v1/users', { token, body: { name: 'Lea', email: 'lea@example.org', phone: '+49 30 555 0187' } })).body.id
		const booked = await api.ask('POST', '/v1/deliveries', {
			token,
			body: { bank: org.bank, label: 'Order 1042', lines: [{ size: 'S', tag: 'PX-1042' }], recipient: { user } },
		})
		assert.equal(booked.status, 201, booked.text)
		// Opens doors and reads nothing about people; the desk reads all.
		const technician = await api.person(org, { role: 'technician' })
		const desk = await api.person(org, { role: 'desk-staff' })
		const open = async (who: TestPerson) =>
			(await api.ask('POST', '/v1/door-sessions', { token: who.token, body: { compartment: full, reason: 'person-at-the-door' } })).body.id
		const tell = (who: TestPerson, command: string, ...facts: [string, string][]) =>
			api.ask('POST', `/v1/commands/${command}/owner-verifications`, {
				token: who.token,
				body: { facts: facts.map(([kind, value]) => ({ kind, value })) },
			})
		const code = booked.body.pickUpCode.digits
		const told: [string, string][] = [
			['phone', '5550187'],
			['email', 'LEA@example.org'],
			['code', code],
		]
		const unknown = await tell(technician, await open(technician), ...told)
		assert.deepEqual([unknown.status, unknown.body.code], [409, 'request-refused'], 'nobody knows what lies there')
		await api.store.write(org.id, (tx) =>
			tx.run(
				sql`UPDATE workflow_case SET body = jsonb_set(body, '{lines,0,compartment}', ${JSON.stringify(full)}::jsonb) WHERE case_id = ${booked.body.delivery.id}`,
			),
		)

		const first = await open(technician)
		const one = await tell(technician, first, ['code', code], ['phone', '0188'])
		assert.deepEqual([one.status, one.body.verified, one.body.triesLeft, one.body.command.state], [202, false, 2, 'awaiting-approval'], one.text)
		assert.ok(!one.text.includes('code"'), 'not which of them was right')
		assert.equal((await tell(technician, first, ['phone', '0187'], ['phone', '5550187'])).body.verified, false, 'two of one kind are one')
		const short = await tell(technician, first, ['code', code], ['phone', '187'])
		assert.deepEqual([short.body.verified, short.body.triesLeft], [false, 0], 'three digits are too few')
		const after = await tell(technician, first, ...told)
		assert.deepEqual([after.status, after.body.code], [409, 'request-refused'], 'no more, though it is right')

		const proves = async (who: TestPerson, command: string, ...facts: [string, string][]) => {
			const proven = await tell(who, command, ...facts)
			assert.deepEqual([proven.status, proven.body.verified, proven.body.command.state], [202, true, 'requested'], proven.text)
			assert.deepEqual(proven.body.command.ownerOnPhone.toSorted(), facts.map(([kind]) => kind).toSorted())
			assert.equal((await tell(who, command, ...facts)).status, 409, 'once')
		}
		const failsFor = async (who: TestPerson, command: string, ...facts: [string, string][]) =>
			assert.deepEqual((await tell(who, command, ...facts)).body.verified, false, JSON.stringify([who.email, facts]))
		const pairs = [told.slice(0, 2), told.slice(1)] as [string, string][][]
		for (const pair of pairs) await proves(technician, await open(technician), ...pair)
		// Whoever may read what is on file proves nothing by it, as the one who listens or the one who asked for the door.
		for (const pair of pairs) await failsFor(desk, await open(desk), ...pair)
		await failsFor(technician, await open(desk), ...told)
		await failsFor(desk, await open(technician), ...told)
		// A code that one of them was shown is worth no more than that.
		assert.equal((await api.ask('POST', `/v1/deliveries/${booked.body.delivery.id}/code-readings`, { token: desk.token, body: {} })).status, 201)
		await failsFor(desk, await open(desk), ...told)

		const number = async (subject: string, ago = 0) => {
			const keys = await api.store.read(org.id, (db) =>
				mintKeysOf(db, { bank: org.bank, controller: edge.controller }, api.parts.terms, api.clock.now()),
			)
			return readBackOf(keys, subject as Id<'subject'>, api.clock.now() - ago, nodeCrypto) ?? assert.fail()
		}
		const atKiosk = await number(user)
		await failsFor(desk, await open(desk), ['read-back', await number(org.owner.id)])
		await failsFor(desk, await open(desk), ['read-back', await number(user, 3_600_000)])
		await proves(desk, await open(desk), ['read-back', `${atKiosk.slice(0, 3)} ${atKiosk.slice(3)}`])

		// The organisation chooses.
		const choose = async (ownerOnPhone: string) => {
			const settings = (await api.ask('GET', '/v1/settings', { token })).body
			const set = await api.ask('PATCH', '/v1/settings', { token, version: settings.version, body: { ownerOnPhone } })
			assert.equal(set.status, 200, set.text)
		}
		await choose('read-back')
		await failsFor(technician, await open(technician), ...told.slice(0, 2))
		await proves(technician, await open(technician), ['read-back', atKiosk])
		await choose('never')
		const never = await tell(technician, await open(technician), ['read-back', atKiosk])
		assert.deepEqual([never.status, never.body.code], [409, 'request-refused'])

		const events = await api.store.read(org.id, (db) =>
			db.rows(sql<{ type: string; data: string }>`SELECT type, convert_from(bytes, 'UTF8') AS data FROM event_pending
			WHERE type LIKE 'command.%' OR type = 'notice.due' UNION ALL SELECT type, convert_from(bytes, 'UTF8') FROM event WHERE type LIKE 'command.%' OR type = 'notice.due'`),
		)
		assert.equal(events.filter(({ data }) => data.includes('"ownerOnPhone":true')).length, 4)
		// Four digits are found in some random id.
		const plain = events.map(({ data }) => data.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ''))
		for (const secret of ['0187', '1042', 'lea@', atKiosk, code])
			assert.deepEqual(
				plain.filter((data) => data.includes(secret)),
				[],
				'what was told is in no record',
			)
		assert.ok(
			events.some(({ data }) => data.includes('opened-from-afar')),
			'the owner sees it',
		)
	})

	test('break-glass: for minutes one person opens what is occupied alone, on record before the first door, and somebody else reviews it', async () => {
		const org = await api.tenant('In an emergency')
		const edge = await testEdge(api, org)
		const change = { actor: 'server' as const, now: api.clock.now(), random: api.parts.random }
		await api.store.write(org.id, (tx) => setCertificate(tx, change, edge.controller, { fingerprint: 'f4', until: change.now + 86_400_000 }))
		const full = edge.doors.get(2) ?? assert.fail()
		await edge.tell({ type: 'compartment.occupied', subject: full, data: {} })
		const desk = await api.person(org, { role: 'desk-staff' })
		const manager = await api.person(org, { role: 'site-manager', scope: { kind: 'site', id: org.site } })
		const colleague = await api.person(org, { role: 'site-manager' })
		const ask = (who: TestPerson, method: string, path: string, body?: unknown) =>
			api.ask(method, path, { token: who.token, ...(body !== undefined && { body }) })
		const smash = (who: TestPerson, more: object = {}) =>
			ask(who, 'POST', '/v1/break-glass', { bank: org.bank, reason: 'somebody-locked-in', minutes: 10, ...more })
		const open = async (who: TestPerson) =>
			(await ask(who, 'POST', '/v1/door-sessions', { compartment: full, reason: 'person-at-the-door' })).body.state
		assert.equal((await smash(desk)).status, 403, 'not everybody')
		assert.equal((await smash(manager, { reason: 'curious' })).status, 400)
		assert.equal((await smash(manager, { minutes: 600 })).status, 400)
		assert.equal(await open(manager), 'awaiting-approval', 'the control')
		const made = await smash(manager)
		assert.equal(made.status, 201, made.text)
		assert.equal((await smash(manager)).status, 409, 'once at a time')
		assert.equal(await open(manager), 'requested')
		assert.equal(await open(colleague), 'awaiting-approval', 'theirs alone')
		const [task] = (await ask(manager, 'GET', '/v1/tasks?kind=break-glass')).body.items
		assert.deepEqual([task.detail.user, task.detail.reason], [manager.id, 'somebody-locked-in'])
		const review = (who: TestPerson) => ask(who, 'POST', `/v1/tasks/${task.id}/completions`, { how: 'checked-and-in-order' })
		const own = await review(manager)
		assert.deepEqual([own.status, own.body.code], [409, 'request-refused'], own.text)
		assert.equal((await review(colleague)).status, 201, 'somebody else')
		api.clock.stepWall(11 * 60_000)
		assert.equal(await open(manager), 'awaiting-approval', 'after its time')
		const again = (await smash(manager)).body
		assert.equal(await open(manager), 'requested')
		assert.equal((await ask(colleague, 'DELETE', `/v1/break-glass/${again.id}`)).status, 204)
		assert.equal(await open(manager), 'awaiting-approval', 'ended by somebody else')
		const events = await api.store.read(org.id, (db) =>
			db.rows(sql<{
				type: string
				text: string
			}>`SELECT type, convert_from(bytes, 'UTF8') AS text FROM event_pending WHERE type LIKE 'break-glass%' OR type = 'command.requested'
				UNION ALL SELECT type, convert_from(bytes, 'UTF8') FROM event WHERE type LIKE 'break-glass%' OR type = 'command.requested'`),
		)
		assert.deepEqual(
			[
				events.filter(({ type }) => type === 'break-glass.started').length,
				events.filter(({ type }) => type === 'break-glass.ended').length,
				events.filter(({ text }) => text.includes('"breakGlass":"bgl_')).length,
			],
			[2, 1, 2],
		)
	})
})
