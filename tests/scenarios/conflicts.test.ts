import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { alone, type Cable, cableAt, online } from './cable.ts'
import { allOf, arrive, borrow, leave, move, person, wholeRecord } from './hands.ts'
import { eventually, type Place, type Site, startSite } from './site.ts'

interface Conflict {
	readonly id: string
	readonly kind: string
	readonly rule: string
	readonly bank: string
	readonly case?: string
	readonly detail: Readonly<Record<string, unknown>>
	readonly here?: { readonly state: string }
	readonly record?: { readonly stream: string; readonly seq: number }
}
interface Versioned {
	readonly id: string
	readonly version: number
}

/** What a bank that is cut off does, and what is decided meanwhile without it (trust.md §3.6): two real banks, each at the end of a cable that is cut. */
describe('two truths', () => {
	let site: Site
	let depot: Site
	const cables: Cable[] = []
	before(async () => {
		site = await startSite({ server: true, args: ['--virtual-clock'] })
		depot = { ...site, ...site.elsewhere }
		for (const place of [site, depot]) cables.push(await cableAt(site, place))
	})
	after(async () => {
		for (const cable of cables) await cable.close()
		await site?.stop()
	})

	const conflicts = (query = '') => allOf<Conflict>(site, `/v1/conflicts?${query}`)
	const caseOf = (id: string) => site.api<{ state: string; conflict?: string; recalledAt?: string; version: number }>('GET', `/v1/cases/${id}`)
	const change = async (path: string, body: object) => {
		const { version } = await site.api<Versioned>('GET', path)
		const answer = await fetch(`${site.ready.api}${path}`, {
			method: 'PATCH',
			headers: { authorization: `Bearer ${site.ready.token}`, 'content-type': 'application/json', 'if-match': `"${version}"` },
			body: JSON.stringify(body),
		})
		assert.ok(answer.ok, await answer.text())
	}
	/** Staff put a laptop in from afar, and say what it is. */
	async function stock(place: Place, number: number, tag: string): Promise<void> {
		const { items: types } = await site.api<{ items: Versioned[] }>('GET', '/v1/asset-types')
		await site.api('POST', '/v1/assets', { type: types[0]?.id, tag, bank: place.bank })
		const doors = await allOf<{ id: string; number: number }>(site, `/v1/compartments?bank=${place.bank}&`)
		const compartment = doors.find((one) => one.number === number)?.id
		await site.api('POST', '/v1/door-sessions', { compartment, reason: 'person-at-the-door' })
		await place.untilMetal((metal) => metal.find((one) => one.number === number)?.door === 'open', 'the door open')
		await eventually(
			() => site.api<{ live: { door: string } }>('GET', `/v1/compartments/${compartment}`),
			({ live }) => live.door === 'open',
			'the open door, seen from afar',
		)
		assert.equal(await place.item(number, true, tag), 204)
		await place.door(number, 'closed')
		const token = readFileSync(join(site.ready.dataDir, 'bank-2', 'operator.token'), 'utf8').trim()
		await eventually(
			() =>
				fetch(`${place.kiosk}api/operator/settle`, {
					method: 'POST',
					headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
					body: JSON.stringify({ door: number, found: { tag } }),
				}),
			({ status }) => status === 200,
			'the word of staff to be taken',
		)
	}
	async function lends(place: Site, who: number): Promise<boolean> {
		const offered = (await arrive(place, who)).some((choice) => choice.kind === 'borrow' && !choice.denied)
		await leave(place)
		return offered
	}
	/** Another parcel is expected from the start. */
	async function expects(place: Site, who: number, parcel: string): Promise<boolean> {
		await arrive(place, who)
		await place.act({ kind: 'choose', id: 'drop-off' })
		const { parcels } = await place.screen('parcels')
		await leave(place)
		return parcels.some(({ item }) => item.kind === 'parcel' && item.name === parcel)
	}
	const collect = async (digits: string) => {
		await site.keypad(digits)
		const { door } = await site.screen('open')
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
	}

	test('revoked and let in, called back and handed out, more on loan than allowed: what happened at a door stands, each is in the inbox with its rule, and a person settles it', async () => {
		await stock(depot, 5, 'LT-0500')
		await change('/v1/settings', { maxLoans: 1 })
		const booked = await site.api<{ delivery: { id: string }; pickUpCode: { digits: string } }>('POST', '/v1/deliveries', {
			bank: site.bank,
			label: 'Order 4000',
			lines: [{ size: 'S', tag: 'PX-4000' }],
			recipient: { hint: 'K… L…' },
		})
		const waiting = (await allOf<Versioned>(site, '/v1/cases?workflow=delivery&state=ready&'))[0] ?? assert.fail('no parcel waits')
		await eventually(() => expects(site, 0, 'Order 4000'), Boolean, 'the parcel to be expected at the bank')
		await eventually(() => lends(depot, 2), Boolean, 'the laptop at the other bank')
		const users = await allOf<Versioned & { name: string }>(site, '/v1/users?')
		const revoked = users.find(({ name }) => name === person(site, 1).name) ?? assert.fail()
		const greedy = users.find(({ name }) => name === person(site, 2).name) ?? assert.fail()
		assert.deepEqual(await conflicts(), [])

		for (const cable of cables) cable.cut()
		for (const place of [site, depot]) await alone(place)
		await change(`/v1/users/${revoked.id}`, { suspended: true })
		for (const id of [booked.delivery.id, waiting.id]) await site.api('POST', `/v1/deliveries/${id}/recalls`, { reason: 'order-cancelled' })
		assert.deepEqual([(await caseOf(booked.delivery.id)).state, (await caseOf(waiting.id)).state], ['cancelled', 'ready'])

		// At the doors nobody has heard of it. The parcel that the server has cancelled is brought and collected; the one that waits is collected.
		await arrive(site, 0)
		await site.act({ kind: 'choose', id: 'drop-off' })
		await site.screen('parcels')
		await site.scan('PX-4000')
		const { door } = await site.screen('open')
		await move(site, door.number, true, 'PX-4000')
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		await collect(booked.pickUpCode.digits)
		await collect(site.ready.parcels.find(({ expected }) => !expected)?.code ?? assert.fail())
		// Whose rights were taken away borrows within the lease; the next one borrows as allowed at both banks, which is one too many; a third as allowed.
		await borrow(site, 1)
		await borrow(site, 2)
		await borrow(depot, 2)
		await borrow(site, 0)

		for (const cable of cables) cable.mend()
		for (const place of [site, depot]) await online(site, place)
		const events = await wholeRecord(site)
		const found = await eventually(conflicts, (all) => all.length >= 4, 'the conflicts')
		assert.deepEqual(found.map(({ kind, rule }) => [kind, rule]).sort(), [
			['after-revocation', 'opening-stands'],
			['collected-after-recall', 'pick-up-stands'],
			['conflict', 'case-follows-bank'],
			['over-limit', 'loan-stands'],
		])
		const of = (kind: string) => found.find((one) => one.kind === kind) ?? assert.fail(kind)
		assert.equal(of('after-revocation').detail.person, revoked.id)
		const parcel = of('conflict')
		assert.deepEqual([parcel.case, parcel.here?.state, parcel.bank], [booked.delivery.id, 'cancelled', site.bank])
		assert.ok(
			events.some(({ id }) => id === `${parcel.record?.stream}/${parcel.record?.seq}`),
			'what the bank recorded is in the ledger',
		)
		assert.equal(of('collected-after-recall').case, waiting.id)
		const over = of('over-limit')
		assert.deepEqual([over.detail.loans, over.detail.limit], [2, 1])

		// What happened at a door stands.
		const loans = await allOf<{ owner?: string; state: string; conflict?: string }>(site, '/v1/cases?workflow=loan&')
		assert.deepEqual([...new Set(loans.map(({ state, conflict }) => `${state} ${conflict}`))], ['on-loan undefined'])
		assert.deepEqual(
			[revoked, greedy].map(({ id }) => loans.filter(({ owner }) => owner === id).length),
			[1, 2],
		)
		const disputed = await caseOf(booked.delivery.id)
		assert.deepEqual([disputed.state, disputed.conflict !== undefined], ['collected', true])
		const late = await caseOf(waiting.id)
		assert.deepEqual([late.state, late.conflict, late.recalledAt !== undefined], ['collected', undefined, true])
		const told = await eventually(
			() => allOf<{ subject: string }>(site, '/v1/events?type=delivery.collected-after-recall&'),
			(all) => all.length >= 2,
			'word for whoever called them back',
		)
		assert.deepEqual(told.map(({ subject }) => subject).sort(), [booked.delivery.id, waiting.id].sort())

		await site.api('POST', `/v1/tasks/${parcel.id}/completions`, { how: 'checked-and-in-order' })
		assert.deepEqual((await conflicts()).map(({ kind }) => kind).sort(), ['after-revocation', 'collected-after-recall', 'over-limit'])
		assert.deepEqual(
			(await conflicts('open=false&')).map(({ id }) => id),
			[parcel.id],
		)
		const settled = await caseOf(booked.delivery.id)
		assert.deepEqual([settled.state, settled.conflict], ['collected', undefined])
	})
})
