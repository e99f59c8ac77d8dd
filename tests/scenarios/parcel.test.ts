import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { arrive, killController, leave, move, recordOf, stateOf } from './hands.ts'
import { type Site, startSite } from './site.ts'

const ADA = 0
const CHEN = 2

/** A parcel is brought, waits and is collected, through the public doors only, at a bank that no server helps. */
describe('a parcel', () => {
	let site: Site
	before(async () => {
		site = await startSite({ args: ['--virtual-clock'] })
	})
	after(async () => void (await site?.stop()))

	const parcel = (expected: boolean) => site.ready.parcels.find((p) => p.expected === expected) ?? assert.fail('no such demo parcel')
	const pictureOf = async (order: string) => (await stateOf(site)).parcels.find((p) => p.order === order)?.qr ?? assert.fail(order)

	async function refusedBy(reason: string): Promise<void> {
		const denied = await site.screen('denied')
		assert.equal(denied.reason, reason)
		await site.act({ kind: 'back' })
		await site.screen('attract')
	}

	/** Staff at the list of what is expected; the parcel's label chooses it. */
	async function bring(): Promise<number> {
		const choices = await arrive(site, ADA)
		assert.ok(choices.some((c) => c.kind === 'drop-off' && c.free === 1))
		await site.act({ kind: 'choose', id: 'drop-off' })
		const { parcels } = await site.screen('parcels')
		assert.deepEqual(
			parcels.map((p) => p.item.name),
			[parcel(true).order],
		)
		await site.scan(parcel(true).tag)
		return (await site.screen('open')).door.number
	}

	test('what waits is collected with its code, the code opens nothing twice, and its picture neither', async () => {
		const { code, order } = parcel(false)
		const record = recordOf(site)
		await site.keypad(code)
		const open = await site.screen('open')
		assert.equal(open.task, 'pick-up')
		await move(site, open.door.number, false)
		await site.door(open.door.number, 'closed')
		const done = await site.screen('done')
		assert.deepEqual([done.task, done.evidence], ['pick-up', 3])
		await leave(site)
		await site.keypad(code)
		await refusedBy('code-used')
		await site.scan(await pictureOf(order))
		await refusedBy('code-used')
		const metal = await site.metal()
		assert.equal(metal.find((d) => d.number === open.door.number)?.pulses, 1)
		assert.equal(record.one('credential.code-used').data.line, record.one('delivery.collected') && record.one('custody.transferred').subject)
		assert.ok(
			(await arrive(site, CHEN)).every((c) => c.kind !== 'pick-up'),
			'nothing waits for its owner any more',
		)
		await leave(site)
	})

	test('a code whose order has not come yet says so; nothing put in is nothing delivered', async () => {
		await site.keypad(parcel(true).code)
		await refusedBy('not-ready')
		const record = recordOf(site)
		const door = await bring()
		await site.door(door, 'closed')
		const after = await site.screen('no-change')
		assert.equal(after.task, 'drop-off')
		await leave(site)
		assert.deepEqual(
			record.types().filter((t) => t.startsWith('delivery.') || t === 'custody.transferred'),
			['delivery.not-deposited'],
			'no custody without a parcel (T19)',
		)
	})

	test('a controller that is killed between the parcel and the shut door knows afterwards that it is in', async () => {
		const record = recordOf(site)
		const door = await bring()
		assert.equal(await site.item(door, true, parcel(true).tag), 204)
		await killController(site, () => site.door(door, 'closed'))
		await site.run()
		const view = await site.until((v) => ['confirm', 'done', 'attract'].includes(v.screen.name), 'the end of the door')
		if (view.screen.name === 'confirm') await site.act({ kind: 'confirm', done: true })
		await site.until((v) => ['done', 'attract'].includes(v.screen.name), 'the parcel settled')
		if ((await site.view()).screen.name === 'done') await leave(site)
		const settled = record.types()
		assert.equal(settled.filter((t) => t === 'door-session.releasing').length, 1, 'no second pulse')
		assert.ok(settled.includes('delivery.deposited'), settled.join(', '))
		assert.equal((await site.metal()).find((d) => d.number === door)?.item, true)
	})

	test('a day without a server: it still waits, wrong codes are counted, the right one opens', async () => {
		await site.advance(20 * 3_600)
		await site.keypad('00000000')
		const pin = await site.screen('pin')
		assert.equal(pin.wrong, true)
		await site.advance(5)
		await site.act({ kind: 'finish' })
		await site.scan(await pictureOf(parcel(true).order))
		const open = await site.screen('open')
		await move(site, open.door.number, false)
		await site.door(open.door.number, 'closed')
		assert.equal((await site.screen('done')).task, 'pick-up')
		await leave(site)
		await site.keypad(parcel(true).code)
		await refusedBy('code-used')
	})
})
