import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId, seededRandom } from '@latchwork/core/base'
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

test('a command is sent as soon as it is committed, and once, though it is looked for while it is on its way', async () => {
	const { store } = db
	const tenant = newId('tenant', now, random)
	const { compartments } = await testBank(store, tenant, { now, random, enrolled: true })
	// No look comes by itself.
	const clock = { now: () => now, mono: () => 0, after: () => () => {} }
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
		failed: (cause) => assert.fail(String(cause)),
	})
	await looks[0]?.promise
	const command: Command = await store.write(tenant, (tx) =>
		requestCommand(
			tx,
			{ kind: 'open-remote', compartment: compartments[0] ?? assert.fail(), by: newId('subject', now, random), reason: 'test' },
			{ now, random },
		),
	)
	pump.requested(command)
	const sentAtOnce = [...sent]
	pump.wake()
	await looks[1]?.promise
	way.resolve(true)
	await pump.close()
	assert.deepEqual([sentAtOnce, sent], [[command.id], [command.id]])
	assert.equal((await store.read(tenant, (tx) => findCommand(tx, command.id)))?.state, 'sent')
})
