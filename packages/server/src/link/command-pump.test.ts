import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import { type Command, findCommand, requestCommand } from '../space/index.ts'
import { testBank } from '../testing/bank.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { openCommandPump } from './command-pump.ts'

const random = seededRandom(77)
const now = Date.UTC(2026, 0, 7, 11, 41)

let db: TestStore
before(async () => {
	db = await testStore()
})
after(() => db.close())

// No look comes by itself.
const clock = { now: () => now, mono: () => 0, after: () => () => {} }
const failed = (cause: unknown) => assert.fail(String(cause))
const anyOpening = (compartment: Id<'compartment'> | undefined) => ({
	kind: 'open-remote' as const,
	compartment: compartment ?? assert.fail(),
	by: newId('subject', now, random),
	reason: 'test',
})

test('a command is sent as soon as it is committed, and once, though it is looked for while it is on its way', async () => {
	const { store } = db
	const tenant = newId('tenant', now, random)
	const { compartments } = await testBank(store, tenant, { now, random, enrolled: true })
	const sent: string[] = []
	const way = Promise.withResolvers<boolean>()
	const looks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
	let looked = 0
	const pump = openCommandPump({
		store: {
			...store,
			async system(work) {
				const found = await store.system(work)
				looks[looked++]?.resolve()
				return found
			},
		},
		clock,
		random,
		send: (_, { id }) => {
			sent.push(id)
			return way.promise
		},
		failed,
	})
	await looks[0]?.promise
	const command: Command = await store.write(tenant, (tx) => requestCommand(tx, anyOpening(compartments[0]), { now, random }))
	pump.requested(command)
	const sentAtOnce = [...sent]
	pump.wake()
	await looks[1]?.promise
	way.resolve(true)
	await pump.close()
	assert.deepEqual([sentAtOnce, sent], [[command.id], [command.id]])
	assert.equal((await store.read(tenant, (tx) => findCommand(tx, command.id)))?.state, 'sent')
})

test('a command that is on its way when its controller comes anew is sent once more', async () => {
	const { store } = db
	const tenant = newId('tenant', now, random)
	const { compartments, controller } = await testBank(store, tenant, { now, random, enrolled: true })
	const command: Command = await store.write(tenant, (tx) => requestCommand(tx, anyOpening(compartments[0]), { now, random }))
	const sent: string[] = []
	const first = Promise.withResolvers<boolean>()
	const looked = Promise.withResolvers<void>()
	const pump = openCommandPump({
		store: {
			...store,
			async system(work) {
				const found = await store.system(work)
				// After what follows from it.
				setImmediate(looked.resolve)
				return found
			},
		},
		clock,
		random,
		send(_, { id }) {
			if (id !== command.id) return Promise.resolve(true)
			return sent.push(id) === 1 ? first.promise : Promise.resolve(true)
		},
		failed,
	})
	pump.requested(command)
	pump.again(controller)
	await looked.promise
	const before = [...sent]
	first.resolve(true)
	// Ends after the round that runs.
	await pump.close()
	assert.deepEqual([before, sent], [[command.id], [command.id, command.id]])
})
