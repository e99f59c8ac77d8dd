import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { alone, type Cable, cableAt, online } from './cable.ts'
import { arrive, leave, move, person } from './hands.ts'
import { eventually, type Site, startSite } from './site.ts'

interface Code {
	readonly id: string
	readonly state: string
	readonly digits: string
	readonly picture: string
	readonly bankTold?: string
}
interface Command {
	readonly id: string
	readonly state: string
	readonly end?: string
	readonly ownerOnPhone?: readonly string[]
}

/** The whole product with one cable that can be pulled: what the server makes afterwards the bank has never heard of. */
describe('codes by which a bank that is cut off lets somebody in', () => {
	let site: Site
	let cable: Cable
	let user: string
	before(async () => {
		site = await startSite({ server: true, args: ['--virtual-clock'] })
		cable = await cableAt(site, site)
		const { items } = await site.api<{ items: { id: string; name: string }[] }>('GET', `/v1/users?search=${encodeURIComponent(person(site, 0).name)}`)
		user = items[0]?.id ?? assert.fail('nobody of that name')
	})
	after(async () => {
		await cable?.close()
		await site?.stop()
	})

	const give = (more: object = {}) => site.api<Code>('POST', '/v1/one-time-codes', { user, bank: site.bank, hours: 12, ...more })
	const listed = async () => (await site.api<{ items: Code[] }>('GET', `/v1/one-time-codes?user=${user}`)).items
	const stateOfCode = async ({ id }: Code) => (await listed()).find((one) => one.id === id)?.state
	const type = async (digits: string) => {
		await site.act({ kind: 'start-pin' })
		await site.screen('pin')
		await site.act({ kind: 'start-one-time' })
		await site.until((v) => v.screen.name === 'pin' && v.screen.oneTime === 'typing', 'room for sixteen digits')
		await site.act({ kind: 'keys', keys: digits })
	}
	/** Why, or undefined where somebody was let in; only who opens a door has used it. */
	const refused = async (digits: string) => {
		await type(digits)
		const { screen } = await site.until(({ screen: { name } }) => name === 'denied' || name === 'choose', 'an answer')
		await site.act({ kind: screen.name === 'denied' ? 'back' : 'finish' })
		await site.screen('attract')
		return screen.name === 'denied' ? screen.reason : undefined
	}
	/** Takes a laptop as whoever was let in. */
	const take = async () => {
		const { choices } = await site.screen('choose')
		const choice = choices.find(({ kind, denied }) => kind === 'borrow' && !denied) ?? assert.fail(JSON.stringify(choices))
		await site.act({ kind: 'choose', id: choice.id })
		const { door } = await site.screen('open')
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
	}

	test('made after the cut it is typed once and shown once no more; one that was taken back meanwhile says so when the bank is back', async () => {
		cable.cut()
		await alone(site)
		const typed = await give()
		assert.match(typed.digits, /^\d{16}$/)
		assert.equal(typed.state, 'live')
		assert.ok(!JSON.stringify(await listed()).includes(typed.digits), 'shown once')
		const other = `${typed.digits.slice(0, 15)}${(Number(typed.digits[15]) + 1) % 10}`
		await type(other)
		await site.until((v) => v.screen.name === 'pin' && v.screen.wrong, 'the control: one digit otherwise is nobody’s')
		await site.act({ kind: 'finish' })
		await site.screen('attract')
		await site.advance(5)
		await type(typed.digits)
		await take()
		assert.equal(await refused(typed.digits), 'code-used')
		await site.scan(typed.picture)
		assert.equal((await site.screen('denied')).reason, 'code-used', 'the picture is the same code')
		await site.act({ kind: 'back' })
		await site.screen('attract')
		assert.equal(await stateOfCode(typed), 'live', 'the server has not heard of it yet')

		const shown = await give()
		assert.notEqual(shown.digits, typed.digits)
		const gone = await give()
		const { bankTold, state } = await site.api<Code>('DELETE', `/v1/one-time-codes/${gone.id}`)
		assert.deepEqual([bankTold, state], ['when-it-is-back', 'withdrawn'])
		const ahead = await give({ notBefore: new Date(Math.ceil(Date.parse(await siteTime()) / 3_600_000 + 20) * 3_600_000).toISOString() })
		assert.equal(await refused(ahead.digits), 'outside-hours')

		cable.mend()
		await online(site, site)
		await eventually(
			() => stateOfCode(typed),
			(now) => now === 'used',
			'the server to hear of the use',
		)
		await eventually(
			() => refused(gone.digits),
			(reason) => reason === 'credential-revoked',
			'the bank to hear what was taken back',
		)
		await site.scan(shown.picture)
		await site.screen('choose')
		await site.act({ kind: 'finish' })
		await site.screen('attract')
		const now = await site.api<Code>('DELETE', `/v1/one-time-codes/${shown.id}`)
		assert.deepEqual([now.bankTold, now.state], ['now', 'withdrawn'])
		const again = await site.api<Code>('DELETE', `/v1/one-time-codes/${typed.id}`)
		assert.equal(again.state, 'used', 'what was used stays so')
		const tasks = await site.api<{ items: { kind: string }[] }>('GET', '/v1/tasks?open=true&limit=200')
		assert.ok(!tasks.items.some(({ kind }) => kind === 'unknown-code-used'), 'all of them were on the books')
	})

	test('bad input: an hour that is none, too far ahead, too long, a bank or a person that is not there, and somebody whom the bank does not know', async () => {
		const hour = Math.floor(Date.parse(await siteTime()) / 3_600_000)
		const at = (hours: number, ms = 0) => new Date((hour + hours) * 3_600_000 + ms).toISOString()
		const nobody = await site.api<{ id: string }>('POST', '/v1/users', { name: 'Without Rights' })
		for (const [what, body, status] of [
			['no whole hour', { notBefore: at(1, 60_000) }, 400],
			['three days ahead', { notBefore: at(72) }, 400],
			['too long', { hours: 48 }, 400],
			['no such bank', { bank: site.bank.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }, 404],
			['no such person', { user: user.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }, 404],
			['nothing to do there', { user: nobody.id }, 409],
		] as const) {
			const answer = await fetch(`${site.ready.api}/v1/one-time-codes`, {
				method: 'POST',
				headers: { authorization: `Bearer ${site.ready.token}`, 'content-type': 'application/json' },
				body: JSON.stringify({ user, bank: site.bank, hours: 4, ...body }),
			})
			assert.equal(answer.status, status, `${what}: ${await answer.text()}`)
		}
	})

	test('X22: what waits for somebody is opened from afar by the number that the kiosk shows them, and by no other', async () => {
		const booked = await site.api<{ delivery: { id: string } }>('POST', '/v1/deliveries', {
			bank: site.bank,
			label: 'Order 22',
			lines: [{ size: 'S', tag: 'PX-22' }],
			recipient: { user },
		})
		await eventually(
			async () => {
				await arrive(site, 1)
				await site.act({ kind: 'choose', id: 'drop-off' })
				const { parcels } = await site.screen('parcels')
				const found = parcels.some(({ item }) => item.kind === 'parcel' && item.name === 'Order 22')
				if (!found) await leave(site)
				return found
			},
			(found) => found,
			'the bank to expect it',
		)
		await site.scan('PX-22')
		const { door } = await site.screen('open')
		await move(site, door.number, true, 'PX-22')
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		await eventually(
			async () => (await site.api<{ state: string }>('GET', `/v1/cases/${booked.delivery.id}`)).state,
			(state) => state === 'ready',
			'the parcel to be ready',
		)
		const numberFor = async (n: number) => {
			await arrive(site, n)
			await site.act({ kind: 'help' })
			const { readBack } = await site.screen('help')
			await site.act({ kind: 'back' })
			await leave(site)
			return readBack ?? assert.fail('no number under Help')
		}
		const { items } = await site.api<{ items: { id: string; number: number }[] }>('GET', `/v1/compartments?bank=${site.bank}&limit=200`)
		const compartment = items.find(({ number }) => number === door.number)?.id
		const pulses = async () => (await site.metal()).find(({ number }) => number === door.number)?.pulses ?? assert.fail('no such door')
		const before = await pulses()
		const command = await site.api<Command>('POST', '/v1/door-sessions', { compartment, reason: 'person-at-the-door' })
		assert.equal(command.state, 'awaiting-approval')
		const tell = (value: string) =>
			site.api<{ verified: boolean; command: Command }>('POST', `/v1/commands/${command.id}/owner-verifications`, {
				facts: [{ kind: 'read-back', value }],
			})
		assert.equal((await tell(await numberFor(2))).verified, false, 'somebody else’s')
		const { verified, command: asked } = await tell(await numberFor(0))
		assert.deepEqual([verified, asked.ownerOnPhone], [true, ['read-back']])
		await eventually(pulses, (now) => now === before + 1, 'the one pulse')
	})

	const siteTime = async () => new Date((await site.until(() => true, 'the time of the site')).now).toISOString()
})
