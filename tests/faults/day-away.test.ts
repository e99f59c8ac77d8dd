import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { arrive, borrow, giveBack, leave, move, wholeRecord } from '../scenarios/hands.ts'
import { eventually, type Site, startSite } from '../scenarios/site.ts'

const HOUR = 3_600

interface ApiCase {
	readonly id: string
	readonly state: string
	readonly label: string
	readonly conflict?: string
	readonly recalledAt?: string
}

/** The whole product; what lies between server and controllers hangs, as a network does that swallows everything. */
describe('a day without link', () => {
	let site: Site
	let broker: number | undefined
	before(async () => {
		site = await startSite({ server: true, args: ['--virtual-clock'] })
	})
	after(async () => {
		if (broker !== undefined) process.kill(broker, 'SIGCONT')
		await site?.stop()
	})
	const cases = async (query: string) => (await site.api<{ items: ApiCase[] }>('GET', `/v1/cases?${query}`)).items
	const online = async () => (await site.api<{ live?: { online?: boolean } }>('GET', `/v1/banks/${site.bank}`)).live?.online

	const lendsForHours = () => {
		const db = new DatabaseSync(join(site.ready.dataDir, 'edge.db'), { readOnly: true, timeout: 5_000 })
		try {
			const row = db.prepare("SELECT body FROM fact WHERE kind = 'authority' AND key = 'bundle'").get()
			return /loanDue\\*":\{[^}]*hours\\*":12/.test(String(row?.body))
		} finally {
			db.close()
		}
	}

	test('people borrow, return and collect; the server goes on for itself; afterwards both know all of it, once and in order', async () => {
		const parcel = site.ready.parcels.find(({ expected }) => !expected) ?? assert.fail('no parcel waits')
		const [waiting] = await eventually(
			() => cases('workflow=delivery&state=ready'),
			(found) => found.length === 1,
			'the parcel',
		)
		// At whatever hour this runs, "due soon" and "overdue" lie within the day.
		const { version } = await site.api<{ version: number }>('GET', '/v1/settings')
		const set = await fetch(`${site.ready.api}/v1/settings`, {
			method: 'PATCH',
			headers: { authorization: `Bearer ${site.ready.token}`, 'content-type': 'application/json', 'if-match': `"${version}"` },
			body: JSON.stringify({ loanDue: { kind: 'hours', hours: 12 } }),
		})
		assert.equal(set.status, 200, await set.text())
		await eventually(async () => lendsForHours(), Boolean, 'the bank to hear for how long it lends')
		await eventually(online, (now) => now === true, 'the bank online')
		broker = site.pidOf('broker') ?? assert.fail('no broker')
		process.kill(broker, 'SIGSTOP')

		await site.advance(HOUR)
		await eventually(online, (now) => now === false, 'the bank to be missed')
		await borrow(site, 0)
		// What the bank cannot hear of any more.
		await site.api('POST', `/v1/deliveries/${waiting?.id}/recalls`, { reason: 'order-cancelled' })

		await site.advance(11 * HOUR)
		await site.keypad(parcel.code)
		const { door } = await site.screen('open')
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)

		await site.advance(11 * HOUR)
		assert.ok((await arrive(site, 0)).some((choice) => choice.kind === 'return'))
		await leave(site)
		await giveBack(site, 0)
		await borrow(site, 2)
		await site.advance(HOUR)

		process.kill(broker, 'SIGCONT')
		broker = undefined
		const events = await wholeRecord(site)
		const cut = events.filter(({ offline, bankid }) => offline === true && bankid === site.bank)
		for (const type of ['loan.started', 'loan.returned', 'delivery.collected'])
			assert.ok(
				cut.some((event) => event.type === `lockers.${type}.v1`),
				`${type} was recorded as offline`,
			)
		await eventually(online, (now) => now === true, 'the bank online again')
		const loans = await cases('workflow=loan')
		assert.deepEqual(loans.map(({ state, conflict }) => [state, conflict]).sort(), [
			['on-loan', undefined],
			['returned', undefined],
		])
		const [collected] = await cases(`workflow=delivery&find=${encodeURIComponent(parcel.order)}`)
		assert.deepEqual([collected?.state, collected?.conflict], ['collected', undefined], 'what happened at the door stands')
		assert.ok(collected?.recalledAt !== undefined, 'and that it had been called back is told')
		const times = (type: string) => events.filter((event) => event.type === `lockers.${type}.v1`).length
		for (const type of ['bank.offline', 'bank.outage-confirmed', 'bank.online']) assert.equal(times(type), 2, `${type}: once for each bank`)
		for (const type of ['loan.due-soon', 'loan.overdue', 'loan.returned', 'delivery.collected', 'credential.code-used'])
			assert.equal(times(type), 1, `${type}: once, whoever watched the clock`)
	})
})
