import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { type Id, isFault, newId, type Random } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { sealingKey } from '../store/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { changeSettings, createTenant, deviceCaOf, inheritedAt, publicKeysOf, type settingsOf, signerOf, tenantOf, tenantSealing } from './index.ts'

const random: Random = (n) => new Uint8Array(randomBytes(n))
const now = Date.UTC(2026, 0, 5, 9)
const master = sealingKey(random(32), random)
const terms = { now, random, master }
const bytes = new TextEncoder().encode('a checkpoint')

describe('organisations', () => {
	let db: TestStore
	const tenant = newId('tenant', now, random)
	const other = newId('tenant', now, random)
	before(async () => {
		db = await testStore()
		for (const id of [tenant, other]) await db.store.write(id, (tx) => createTenant(tx, { name: 'Acme', host: 'log.example' }, terms))
	})
	after(() => db.close())

	test('an organisation has its keys from its first moment, and signs with them', async () => {
		const [log, maker, published, self] = await db.store.read(tenant, async (db) => [
			await signerOf(db, 'log', { master }),
			await signerOf(db, 'maker', { master }),
			await publicKeysOf(db, 'log'),
			await tenantOf(db),
		])
		assert.equal(nodeCrypto.verify(log.publicKey, bytes, log.sign(bytes)), true)
		assert.equal(nodeCrypto.verify(maker.publicKey, bytes, log.sign(bytes)), false)
		assert.deepEqual(published, [{ keyId: log.keyId, publicKey: log.publicKey }])
		assert.deepEqual(self, { id: tenant, name: 'Acme', origin: `log.example/log/${tenant}`, createdAt: now })
	})

	test('two organisations have different keys, and one cannot open those of the other', async () => {
		const [mine, theirs] = await Promise.all([tenant, other].map((id) => db.store.read(id, (db) => signerOf(db, 'log', { master }))))
		assert.notDeepEqual(mine?.publicKey, theirs?.publicKey)
		await assert.rejects(
			db.store.read(tenant, (db) => signerOf(db, 'log', { master, tenant: other })),
			(fault) => isFault(fault, 'not-found'),
		)
		const across = await db.store.system((tx) => signerOf(tx, 'log', { master, tenant: other }))
		assert.deepEqual(across.publicKey, theirs?.publicKey)
	})

	test('the device authority has a P-256 key whose halves belong together', async () => {
		const ca = await db.store.read(tenant, (db) => deviceCaOf(db, { master }))
		const key = createPublicKey({ key: Buffer.from(ca.publicKey), format: 'der', type: 'spki' })
		assert.equal(verify('sha256', bytes, key, sign('sha256', bytes, ca.privateKey)), true)
	})

	test('with another master key nothing is opened, and the fault says which key is meant', async () => {
		const stranger = sealingKey(random(32), random)
		await assert.rejects(
			db.store.read(tenant, (db) => signerOf(db, 'log', { master: stranger })),
			(fault) => isFault(fault, 'sealed-unreadable'),
		)
	})

	test('what the tenant seals opens again, and not under another context', async () => {
		const sealing = await db.store.read(tenant, (db) => tenantSealing(db, { master, random }))
		const sealed = sealing.seal(bytes, 'one')
		assert.deepEqual(sealing.open(sealed, 'one'), bytes)
		assert.throws(
			() => sealing.open(sealed, 'two'),
			(fault) => isFault(fault, 'sealed-unreadable'),
		)
	})
})

describe('settings', () => {
	let db: TestStore
	const tenant = newId('tenant', now, random)
	const site = newId('site', now, random)
	const bank = newId('bank', now, random)
	before(async () => {
		db = await testStore()
		await db.store.write(tenant, (tx) => createTenant(tx, { name: 'Acme', host: 'log.example' }, terms))
	})
	after(() => db.close())
	const set = (place: Parameters<typeof settingsOf>[1], patch: object, version: number, of: Id<'tenant'> = tenant) =>
		db.store.write(of, (tx) => changeSettings(tx, place, patch, version, now))

	test('nearer levels win, the answer says which level set what, and null gives a setting back', async () => {
		await set({}, { pinLength: 10, singleOpen: false }, 0)
		await set({ site }, { pinLength: 9 }, 0)
		await set({ site, bank }, { pinLength: 6 }, 0)
		const at = (place: Parameters<typeof settingsOf>[1]) => db.store.read(tenant, (db) => inheritedAt(db, place))
		const seen = []
		for (const place of [{}, { site }, { site, bank }]) {
			const { settings, setBy } = await at(place)
			seen.push([settings.pinLength, setBy.pinLength, settings.singleOpen, setBy.singleOpen, setBy.loanDue])
		}
		assert.deepEqual(seen, [
			[10, 'tenant', false, 'tenant', 'default'],
			[9, 'site', false, 'tenant', 'default'],
			[6, 'bank', false, 'tenant', 'default'],
		])
		assert.deepEqual(await set({ site, bank }, { pinLength: null }, 1), ['pinLength'])
		assert.equal((await at({ site, bank })).setBy.pinLength, 'site')
	})

	test('a change for another version changes nothing; one that changes nothing keeps the version', async () => {
		await assert.rejects(set({ site }, { pinLength: 5 }, 7), (fault) => isFault(fault, 'version-conflict'))
		assert.deepEqual(await set({ site }, { pinLength: 9 }, 1), [])
		assert.deepEqual(await set({ site }, { pinLength: 8 }, 1), ['pinLength'])
	})

	test('two first choices at one place, made at once: one wins, the other hears of it', async () => {
		const place = { site: newId('site', now, random) }
		const answers = await Promise.allSettled([set(place, { pinLength: 5 }, 0), set(place, { pinLength: 6 }, 0)])
		assert.deepEqual(answers.map((one) => one.status).sort(), ['fulfilled', 'rejected'])
	})
})
