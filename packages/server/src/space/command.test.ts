import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Json, newId, seededRandom } from '@latchwork/core/base'
import type { EventType, StreamEvent } from '@latchwork/core/ledger'
import { type LinkResult, MAX_COMMAND_MS, readDown } from '@latchwork/core/wire'
import { type Store, sql } from '../store/index.ts'
import { testBank } from '../testing/bank.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import {
	commandApplier,
	expireCommands,
	findCommand,
	messageOf,
	type NewCommand,
	requestCommand,
	sentCommand,
	settleCommand,
	waitingCommands,
} from './index.ts'

const random = seededRandom(51)
const now = Date.UTC(2026, 0, 7, 11, 41)
const terms = { now, random }

describe('commands', () => {
	let db: TestStore
	let store: Store
	const tenant = newId('tenant', now, random)
	const by = newId('subject', now, random)
	let at: Awaited<ReturnType<typeof testBank>>
	before(async () => {
		db = await testStore()
		store = db.store
		at = await testBank(store, tenant, { now, random, enrolled: true })
	})
	after(() => db.close())

	const door = () => at.compartments[0] ?? assert.fail()
	const open = (): NewCommand => ({ kind: 'open-remote', compartment: door(), by, reason: 'forgotten-badge' })
	const ask = (wanted: NewCommand = open()) => store.write(tenant, (tx) => requestCommand(tx, wanted, terms))
	const said = (id: LinkResult['id'], more: Pick<LinkResult, 'state'> & Partial<LinkResult>, controller = at.controller) =>
		store.write(tenant, (tx) => settleCommand(tx, controller, { v: 1, id, ...more }, { now: now + 5, random }))
	const stateOf = async (id: string) => (await store.read(tenant, (tx) => findCommand(tx, id)))?.state
	const facts = (id: string) =>
		store.read(tenant, async (tx) =>
			(
				await tx.rows<{ type: string; actor: string; bytes: Buffer }>(
					sql`SELECT type, actor, bytes FROM event_pending WHERE tenant_id = ${tenant} AND subject = ${id} ORDER BY arrival`,
				)
			).map(({ type, actor, bytes }) => [type, actor, JSON.parse(bytes.toString()).data]),
		)

	/** As the ledger applies what the bank has recorded. */
	const recorded = (...events: readonly { type: EventType; subject: string; data: { [key: string]: Json } }[]) => {
		const about = { sender: { tenant, controller: at.controller, banks: new Map(), headKeys: new Map() }, bank: at.bank, site: at.site, now: now + 9 }
		return store.write(tenant, (tx) => commandApplier({ random })(tx, events as unknown as StreamEvent[], about))
	}

	test('a result that got lost is made good by the record of the bank, also where nobody believed in it any more', async () => {
		const [told, lost, late, refused] = [await ask(), await ask(), await ask(), await ask()]
		const [one, other, third] = [newId('doorSession', now, random), newId('doorSession', now, random), newId('doorSession', now, random)]
		await said(told.id, { state: 'accepted', session: one })
		assert.ok((await store.system((tx) => expireCommands(tx, { now: now + MAX_COMMAND_MS + 1, random }))) > 0)
		const data = { compartment: door() }
		await recorded(
			{ type: 'door-session.releasing', subject: one, data: { ...data, command: told.id } },
			{ type: 'door-session.releasing', subject: other, data: { ...data, command: lost.id } },
			{ type: 'door-session.no-change', subject: one, data },
			{ type: 'door-session.failed', subject: other, data },
			{ type: 'door-session.releasing', subject: third, data: { ...data, command: late.id } },
			{ type: 'door-session.no-change', subject: newId('doorSession', now, random), data },
			{ type: 'command.refused', subject: refused.id, data: { ...data, code: 'kiosk-in-use' } },
		)
		assert.deepEqual(await Promise.all([told, lost, late, refused].map(({ id }) => stateOf(id))), ['done', 'failed', 'accepted', 'refused'])
		await recorded({ type: 'door-session.committed', subject: third, data })
		assert.equal(await stateOf(late.id), 'done')
		assert.equal(await said(late.id, { state: 'done', session: third, end: 'committed' }), 'repeated')
		assert.deepEqual(
			(await facts(lost.id)).map(([type]) => type),
			['command.requested', 'command.expired', 'command.accepted', 'command.finished'],
		)
	})

	test('what many banks leave unanswered keeps nobody else’s order waiting', async () => {
		const other = newId('tenant', now, random)
		const there = await testBank(store, other, { now, random, enrolled: true })
		for (let i = 0; i < 3; i++) await ask()
		const late = await store.write(other, (tx) =>
			requestCommand(tx, { kind: 'restart', bank: there.bank, by: 'server' }, { now: now + 9_000, random }),
		)
		const [first, ...more] = (await store.system((tx) => waitingCommands(tx, 2))).filter(({ tenant: of }) => [tenant, other].includes(of))
		assert.deepEqual([[first, ...more].filter((one) => one?.id === late.id).length, more.length], [1, 2])
		const fresh = await ask()
		for (const { id } of (await store.system((tx) => waitingCommands(tx))).filter((c) => c.tenant === tenant && c.id !== fresh.id))
			await store.write(tenant, (tx) => sentCommand(tx, id, terms))
		assert.ok(
			(await store.system((tx) => waitingCommands(tx, 1))).some(({ id }) => id === fresh.id),
			'what was not sent yet comes first',
		)
		for (const { id, tenant: of } of await store.system((tx) => waitingCommands(tx)))
			await store.write(of, (tx) => tx.run(sql`UPDATE command SET state = 'expired' WHERE command_id = ${id}`))
	})

	test('one goes its way to the end, and each step is a fact', async () => {
		const command = await ask()
		const { id } = command
		assert.deepEqual(await store.system(waitingCommands), [command])
		assert.ok(readDown('commands', new TextEncoder().encode(JSON.stringify(messageOf(command)))).ok)
		assert.ok(await store.write(tenant, (tx) => sentCommand(tx, id, terms)))
		assert.equal(await store.write(tenant, (tx) => sentCommand(tx, id, terms)), false)
		const session = newId('doorSession', now, random)
		assert.equal(await said(id, { state: 'accepted', session }), 'settled')
		assert.deepEqual(await store.system(waitingCommands), [])
		assert.equal(await said(id, { state: 'done', session, end: 'no-change' }), 'settled')
		assert.deepEqual(await facts(id), [
			['command.requested', by, { kind: 'open-remote', expiresAt: now + MAX_COMMAND_MS, compartment: door(), reason: 'forgotten-badge' }],
			['command.sent', 'server', {}],
			['command.accepted', 'server', { session }],
			['command.finished', 'server', { state: 'done', session, end: 'no-change' }],
		])
	})

	test('a result that comes again changes nothing, and one that contradicts the first does not count', async () => {
		const { id } = await ask()
		assert.equal(await said(id, { state: 'refused', code: 'held-for-another' }), 'settled')
		assert.equal(await said(id, { state: 'refused', code: 'held-for-another' }), 'repeated')
		assert.equal(await said(id, { state: 'accepted' }), 'repeated')
		assert.equal(await said(id, { state: 'done' }), 'contradicts')
		assert.equal(await stateOf(id), 'refused')
		assert.equal((await facts(id)).length, 2)
	})

	test('only the controller that was asked has a word in it', async () => {
		const { id } = await ask()
		const other = await testBank(store, tenant, { now, random, enrolled: true })
		assert.equal(await said(id, { state: 'done' }, other.controller), 'foreign')
		assert.equal(await said(newId('command', now, random), { state: 'done' }), 'foreign')
		assert.equal(await stateOf(id), 'requested')
		await said(id, { state: 'done' })
	})

	test('what nobody answers is given up after half a minute; what is heard later of it still counts', async () => {
		const { id } = await ask({ kind: 'restart', bank: at.bank, by })
		const expire = (ms: number) => store.system((tx) => expireCommands(tx, { now: now + ms, random }))
		assert.equal(await expire(MAX_COMMAND_MS - 1), 0)
		assert.equal(await expire(MAX_COMMAND_MS), 1)
		assert.equal(await expire(MAX_COMMAND_MS), 0)
		assert.equal(await stateOf(id), 'expired')
		assert.equal(await said(id, { state: 'done' }), 'settled')
		assert.deepEqual(
			(await facts(id)).map(([type]) => type),
			['command.requested', 'command.expired', 'command.finished'],
		)
	})

	test('nothing is asked of a bank without an enrolled controller, nor of one or a door that is not there', async () => {
		const bare = await testBank(store, tenant, { now, random, enrolled: false })
		await assert.rejects(ask({ kind: 'restart', bank: bare.bank, by }), { code: 'request-refused' })
		await assert.rejects(ask({ ...open(), compartment: bare.compartments[0] } as NewCommand), { code: 'request-refused' })
		await assert.rejects(ask({ ...open(), compartment: newId('compartment', now, random) } as NewCommand), { code: 'not-found' })
		await assert.rejects(ask({ kind: 'restart', bank: newId('bank', now, random), by }), { code: 'not-found' })
	})
})
