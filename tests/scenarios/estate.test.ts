import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { scanForPersonalData } from '@latchwork/core/ledger'
import { arrive, borrow, giveBack, leave, move, openFor, wholeRecord } from './hands.ts'
import { type Place, type Site, startSite } from './site.ts'

/** The whole as `npm start` gives it: two sites, a server, its database and its broker, driven by readers, doors and the API. */
interface ApiCase {
	readonly id: string
	readonly number: string
	readonly workflow: string
	readonly state: string
	readonly label: string
	readonly conflict?: string
	readonly lines: readonly { readonly compartment?: string }[]
}
interface ApiEvent {
	readonly sequence: number
	readonly type: string
	readonly subject: string
	readonly actor?: string
	readonly data: Readonly<Record<string, unknown>>
}

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
const PATIENCE_MS = 30_000

describe('an estate with a server', () => {
	let site: Site
	before(async () => {
		site = await startSite({ server: true, args: ['--virtual-clock'] })
	})
	after(async () => void (await site?.stop()))

	async function until<T>(look: () => Promise<T>, wanted: (seen: T) => boolean, what: string): Promise<T> {
		for (const end = Date.now() + PATIENCE_MS; ; ) {
			const seen = await look()
			if (wanted(seen)) return seen
			assert.ok(Date.now() < end, `waited for ${what} in vain: ${JSON.stringify(seen)?.slice(0, 800)}`)
			await new Promise((later) => setTimeout(later, 50))
		}
	}
	const cases = async (query: string) => (await site.api<{ items: ApiCase[] }>('GET', `/v1/cases?${query}`)).items
	const events = async (query: string) => (await site.api<{ items: ApiEvent[] }>('GET', `/v1/events?limit=200&${query}`)).items
	const doorOf = async (place: Place, number: number) => {
		const { items } = await site.api<{ items: { id: string; number: number }[] }>('GET', `/v1/compartments?bank=${place.bank}&limit=200`)
		return items.find((one) => one.number === number)?.id ?? assert.fail(`door ${number}`)
	}
	const parcel = (expected: boolean) => site.ready.parcels.find((one) => one.expected === expected) ?? assert.fail('no such parcel')

	test('it begins with two sites, each with a bank that is online, and one parcel that waits', async () => {
		assert.equal((await site.api<{ items: unknown[] }>('GET', '/v1/sites')).items.length, 2)
		assert.equal(site.ready.banks?.length, 2)
		for (const { id } of site.ready.banks ?? [])
			await until(
				() => site.api<{ live?: { online?: boolean } }>('GET', `/v1/banks/${id}`),
				(bank) => JSON.stringify(bank).includes('"online":true'),
				'the bank to be heard',
			)
		const waiting = await until(
			() => cases('workflow=delivery&state=ready'),
			(found) => found.length === 1,
			'the parcel',
		)
		assert.equal(waiting[0]?.label, parcel(false).order)
	})

	test('a tap becomes a loan that the API knows, and the return ends it', async () => {
		const { tag } = await borrow(site, 0)
		const [loan] = await until(
			() => cases('workflow=loan&open=true'),
			(found) => found[0]?.state === 'on-loan',
			'the loan',
		)
		assert.match(loan?.number ?? '', /^LN-\d{5}$/)
		const assets = (await site.api<{ items: { tag: string; custodian?: string }[] }>('GET', '/v1/assets')).items
		assert.match(assets.find((one) => one.tag === tag)?.custodian ?? '', /^sub_/)
		await giveBack(site, 0)
		const [done] = await until(
			() => cases('workflow=loan&open=false'),
			(found) => found.length === 1,
			'the end of the loan',
		)
		assert.deepEqual([done?.state, done?.conflict], ['returned', undefined])
	})

	test('what waits goes out by its code, at its bank alone and once; what is expected comes in and is ready', async () => {
		const { code, order } = parcel(false)
		await site.elsewhere.keypad(code)
		const pin = await site.elsewhere.screen('pin')
		assert.equal(pin.wrong, true, 'another bank knows nothing of it')
		await site.keypad(code)
		const open = await site.screen('open')
		await move(site, open.door.number, false)
		await site.door(open.door.number, 'closed')
		await site.screen('done')
		await leave(site)
		await site.keypad(code)
		assert.equal((await site.screen('denied')).reason, 'code-used')
		await site.act({ kind: 'back' })
		await site.screen('attract')
		const [collected] = await until(
			() => cases('workflow=delivery&state=collected'),
			(found) => found.length === 1,
			'the parcel collected',
		)
		assert.equal(collected?.label, order)

		await arrive(site, 1)
		await site.act({ kind: 'choose', id: 'drop-off' })
		await site.screen('parcels')
		await site.scan(parcel(true).tag)
		const { door } = await site.screen('open')
		await move(site, door.number, true, parcel(true).tag)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		const [ready] = await until(
			() => cases('workflow=delivery&state=ready'),
			(found) => found.length === 1,
			'the second parcel',
		)
		const detail = await site.api<{ notices: { kind: string }[]; codes: { state: string }[] }>('GET', `/v1/cases/${ready?.id}`)
		assert.deepEqual([detail.notices.map((one) => one.kind), detail.codes.map((one) => one.state)], [['ready'], ['live']])
	})

	test('somebody else collects: two codes beside the recipient’s, one is taken back and opens nothing, the other does, and then none does', async () => {
		const { delivery, pickUpCode } = await site.api<{ delivery: ApiCase; pickUpCode: { digits: string } }>('POST', '/v1/deliveries', {
			bank: site.bank,
			label: 'Order 2000',
			lines: [{ size: 'S', tag: 'PX-2000' }],
			recipient: { hint: 'C… D…' },
		})
		const delegate = (hint: string) =>
			site.api<{ id: string; pickUpCode: { digits: string } }>('POST', `/v1/deliveries/${delivery.id}/delegations`, { hint })
		const [back, comes] = [await delegate('E… F…'), await delegate('G… H…')]
		await until(
			async () => {
				const choices = await arrive(site, 1)
				const offered = choices.find((one) => one.kind === 'drop-off')
				if (!offered) await leave(site)
				return offered
			},
			(offered) => offered !== undefined,
			'the parcel to be expected',
		)
		await site.act({ kind: 'choose', id: 'drop-off' })
		await site.screen('parcels')
		await site.scan('PX-2000')
		const { door } = await site.screen('open')
		await move(site, door.number, true, 'PX-2000')
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		await until(
			() => cases('workflow=delivery&find=Order+2000'),
			([one]) => one?.state === 'ready',
			'the parcel in',
		)
		await site.api('DELETE', `/v1/deliveries/${delivery.id}/delegations/${back.id}`)
		/** What the kiosk says of digits that may not count any more. */
		const typed = async (digits: string) => {
			await site.keypad(digits)
			const { screen } = await site.until(
				(v) => ['denied', 'open', 'opening'].includes(v.screen.name) || (v.screen.name === 'pin' && v.screen.wrong),
				'an answer',
			)
			if (screen.name === 'denied') await site.act({ kind: 'back' })
			else if (screen.name === 'pin') await site.act({ kind: 'finish' })
			return screen.name === 'denied' ? screen.reason : screen.name
		}
		// The first bundle that was made after it, and not one that was on its way.
		const [revoked] = await until(
			async () => (await events(`subject=${back.id}`)).filter(({ type }) => type.includes('credential.revoked')),
			(found) => found.length > 0,
			'the record of it',
		)
		const published = await until(
			() => events(`type=bundle.published&subject=${site.bank}`),
			(all) => all.some(({ sequence }) => Number(sequence) > Number(revoked?.sequence)),
			'a bundle without it',
		)
		const first = published
			.filter(({ sequence }) => Number(sequence) > Number(revoked?.sequence))
			.toSorted((a, b) => Number(a.sequence) - Number(b.sequence))[0]
		await until(
			async () => Number((await site.health()).bundle),
			(version) => version >= Number(first?.data.version),
			'the bank to have it',
		)
		assert.ok(['pin', 'credential-revoked'].includes(await typed(back.pickUpCode.digits)), 'taken back')
		await site.screen('attract')
		await site.advance(5)
		await site.keypad(comes.pickUpCode.digits)
		const open = await site.screen('open')
		assert.equal(open.door.number, door.number)
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		// Its bundle may have come already that names this code no more: then it is nobody's.
		assert.ok(['pin', 'code-used'].includes(await typed(pickUpCode.digits)), 'the recipient’s own')
		await site.screen('attract')
		const detail = await until(
			() =>
				site.api<{ state: string; notices: { kind: string }[]; codes: { delegate?: string; state: string }[] }>('GET', `/v1/cases/${delivery.id}`),
			({ state }) => state === 'collected',
			'the parcel collected',
		)
		assert.deepEqual(
			detail.codes.map(({ delegate: who, state }) => [who, state]),
			[
				[undefined, 'used'],
				['E… F…', 'revoked'],
				['G… H…', 'used'],
			],
		)
		for (const kind of ['delegated', 'delegation-ended'])
			assert.ok(
				detail.notices.some((one) => one.kind === kind),
				kind,
			)
	})

	test('a recall stops the code at the bank, and staff are sent to take the parcel out', async () => {
		const booked = await site.api<{ delivery: ApiCase; pickUpCode: { digits: string } }>('POST', '/v1/deliveries', {
			bank: site.bank,
			label: 'Order 2001',
			lines: [{ size: 'S', tag: 'PX-2001' }],
			recipient: { hint: 'A… B…' },
		})
		await until(
			async () => {
				const choices = await arrive(site, 1)
				const offered = choices.find((one) => one.kind === 'drop-off')
				if (!offered) await leave(site)
				return offered
			},
			(offered) => offered !== undefined,
			'the parcel to be expected',
		)
		await site.act({ kind: 'choose', id: 'drop-off' })
		await site.screen('parcels')
		await site.scan('PX-2001')
		const { door } = await site.screen('open')
		await move(site, door.number, true, 'PX-2001')
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		await until(
			() => cases('workflow=delivery&find=Order+2001'),
			([one]) => one?.state === 'ready',
			'the parcel in',
		)
		await site.api('POST', `/v1/deliveries/${booked.delivery.id}/recalls`, { reason: 'order-cancelled' })
		const [recalled] = await until(
			() => cases('workflow=delivery&find=Order+2001'),
			([one]) => one?.state === 'recalled',
			'the bank’s word that it is called back',
		)
		assert.equal(recalled?.conflict, undefined)
		await site.keypad(booked.pickUpCode.digits)
		const refused = await site.until((v) => v.screen.name === 'denied' || (v.screen.name === 'pin' && v.screen.wrong), 'the refusal')
		if (refused.screen.name === 'denied') await site.act({ kind: 'back' })
		else await site.act({ kind: 'finish' })
		const tasks = await until(
			() => site.api<{ items: { kind: string }[] }>('GET', `/v1/tasks?open=true&case=${booked.delivery.id}`),
			({ items }) => items.length > 0,
			'the task',
		)
		assert.ok(tasks.items.some((one) => one.kind === 'pull'))
	})

	test('a remote open moves exactly one lock, and shows who asked and why; the same request again moves none', async () => {
		const before = await site.metal()
		const compartment = await doorOf(site, 20)
		const key = { 'idempotency-key': 'remote-open-of-this-test' }
		const ask = () =>
			fetch(`${site.ready.api}/v1/door-sessions`, {
				method: 'POST',
				headers: { authorization: `Bearer ${site.ready.token}`, 'content-type': 'application/json', ...key },
				body: JSON.stringify({ compartment, reason: 'person-at-the-door' }),
			})
		const first = await ask()
		assert.equal(first.status, 202)
		const command = (await first.json()) as { id: string; requestedBy: string }
		assert.equal(((await (await ask()).json()) as { id: string }).id, command.id)
		await site.untilMetal((doors) => doors.find((one) => one.number === 20)?.door === 'open', 'door 20 open')
		// Whoever pushes it shut before its sensor was read has not opened it, for all that the bank can know.
		await until(
			() => site.api<{ live: { door: string } }>('GET', `/v1/compartments/${compartment}`),
			({ live }) => live.door === 'open',
			'the open door, seen from afar',
		)
		await site.door(20, 'closed')
		const done = await until(
			() => site.api<{ state: string; code?: string; end?: string }>('GET', `/v1/commands/${command.id}`),
			({ state }) => ['done', 'failed', 'refused', 'expired'].includes(state),
			'the end of the command',
		)
		assert.equal(done.state, 'done', JSON.stringify(done))
		const after = await site.metal()
		assert.deepEqual(
			after.filter((one) => one.pulses !== before.find((b) => b.number === one.number)?.pulses).map((one) => [one.number, one.pulses]),
			[[20, 1 + (before.find((b) => b.number === 20)?.pulses ?? 0)]],
		)
		const releasing = await until(
			() => events(`type=door-session.releasing&bank=${site.bank}`),
			(found) => found.some((one) => JSON.stringify(one).includes(command.id)),
			'the release on record',
		)
		const record = releasing.find((one) => JSON.stringify(one).includes(command.id))
		assert.ok(JSON.stringify(record).includes(command.requestedBy) && JSON.stringify(record).includes('person-at-the-door'), JSON.stringify(record))
	})

	test('a person entitled from afar is known at the first tap, and unknown again once the badge is revoked', async () => {
		const groups = (await site.api<{ items: { id: string; code: string }[] }>('GET', '/v1/groups')).items
		const user = await site.api<{ id: string }>('POST', '/v1/users', { name: 'Eve Marlow' })
		await site.api('PUT', `/v1/groups/${groups.find((one) => one.code === 'staff')?.id}/members/${user.id}`)
		const badge = await site.api<{ id: string; version: number }>('POST', '/v1/credentials', { kind: 'badge', user: user.id, number: '60606060' })
		// The bank asks the server; on a machine too busy to answer within two seconds the person holds the badge there again.
		for (let taps = 1; ; taps++) {
			await site.badge('60606060')
			const { screen } = await site.until((v) => v.screen.name === 'choose' || v.screen.name === 'denied', 'an answer to the badge')
			if (screen.name === 'choose') break
			assert.ok(taps < 5, 'nobody knows the badge')
			await site.act({ kind: 'back' })
			await site.screen('attract')
		}
		await leave(site)
		const gone = await fetch(`${site.ready.api}/v1/credentials/${badge.id}`, {
			method: 'DELETE',
			headers: { authorization: `Bearer ${site.ready.token}`, 'if-match': `"${badge.version ?? 1}"` },
		})
		assert.ok(gone.ok, await gone.text())
		await until(
			async () => {
				await site.badge('60606060')
				const view = await site.until((v) => v.screen.name === 'choose' || v.screen.name === 'denied', 'an answer to the badge')
				await site.act(view.screen.name === 'denied' ? { kind: 'back' } : { kind: 'finish' })
				await site.screen('attract')
				return view.screen.name
			},
			(name) => name === 'denied',
			'the revocation at the door',
		)
	})

	test('who has as many loans as allowed gets no more at another bank, with and without the server, until one is returned', async () => {
		const depot: Site = { ...site, ...site.elsewhere }
		const [type] = (await site.api<{ items: { id: string; code: string }[] }>('GET', '/v1/asset-types')).items
		await site.api('POST', '/v1/assets', { type: type?.id, tag: 'LT-0500', bank: depot.bank })
		// Staff put a laptop in there, opened from afar, and say what it is.
		const door = 5
		const doorId = await doorOf(depot, door)
		await site.api('POST', '/v1/door-sessions', { compartment: doorId, reason: 'person-at-the-door' })
		await depot.untilMetal((doors) => doors.find((one) => one.number === door)?.door === 'open', 'the door open')
		await until(
			() => site.api<{ live: { door: string } }>('GET', `/v1/compartments/${doorId}`),
			({ live }) => live.door === 'open',
			'the open door, seen from afar',
		)
		assert.equal(await depot.item(door, true, 'LT-0500'), 204)
		await depot.door(door, 'closed')
		const token = readFileSync(join(site.ready.dataDir, 'bank-2', 'operator.token'), 'utf8').trim()
		const settle = () =>
			fetch(`${depot.kiosk}api/operator/settle`, {
				method: 'POST',
				headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
				body: JSON.stringify({ door, found: { tag: 'LT-0500' } }),
			})
		await until(
			async () => (await settle()).status,
			(status) => status === 200,
			'the word of staff to be taken',
		)
		const offered = async (place: Site) => {
			const choice = (await arrive(place, 2)).find((one) => one.kind === 'borrow')
			await leave(place)
			return choice?.denied ?? 'offered'
		}
		const says = (place: Site, wanted: string) =>
			until(
				() => offered(place),
				(said) => said === wanted,
				wanted,
			)
		await says(depot, 'offered')
		const { version } = await site.api<{ version: number }>('GET', '/v1/settings')
		const one = await fetch(`${site.ready.api}/v1/settings`, {
			method: 'PATCH',
			headers: { authorization: `Bearer ${site.ready.token}`, 'content-type': 'application/json', 'if-match': `"${version}"` },
			body: JSON.stringify({ maxLoans: 1 }),
		})
		assert.ok(one.ok, await one.text())
		await borrow(site, 2)
		await says(site, 'quota-exceeded')
		await says(depot, 'quota-exceeded')
		const server = site.serverPid()
		const next = site.nextServer()
		process.kill(server, 'SIGKILL')
		assert.equal(await offered(depot), 'quota-exceeded')
		await next
		await giveBack(site, 2)
		await says(depot, 'offered')
		await borrow(depot, 2)
		await says(site, 'quota-exceeded')
		await giveBack(depot, 2)
		await says(site, 'offered')
	})

	test('a server that is killed while somebody borrows changes nothing for them; all is on record once and in order, and the export is whole', async () => {
		const server = site.serverPid()
		const next = site.nextServer()
		process.kill(server, 'SIGKILL')
		const { door } = await openFor(site, 2, 'borrow')
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		await next
		await until(
			() => cases('workflow=loan&open=true'),
			(found) => found.some((one) => one.state === 'on-loan'),
			'the loan that was made without the server',
		)
		await giveBack(site, 2)
		await wholeRecord(site)
		const folder = mkdtempSync(join(tmpdir(), 'latchwork-export-'))
		try {
			const options = { env: { ...process.env, LATCHWORK_TOKEN: site.ready.token }, timeout: 60_000 }
			const latchwork = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, ...args], options)
			await latchwork('ledger', 'export', '--server', site.ready.api ?? '', '--token', site.ready.token ?? '', '--out', join(folder, 'log'))
			const { stdout } = await latchwork('ledger', 'verify', join(folder, 'log'))
			// A checkpoint is at most a minute old: the last events may not be in it yet.
			assert.ok(Number(/(\d+) (?:entries|records|events)/.exec(stdout)?.[1]) > 100, stdout)
		} finally {
			rmSync(folder, { recursive: true, force: true })
		}
	})

	test('another key for a site: badges and codes go on, a PIN ends; T8: the disk of a stolen box names nobody, its certificate is refused once it is reported, and its bank can be enrolled anew', async () => {
		const person = site.ready.people[0] ?? assert.fail('nobody')
		const booking = { bank: site.bank, label: 'Order 9', lines: [{ size: 'S', tag: 'PX-9' }], recipient: { hint: 'A…' } }
		await site.api('POST', '/v1/deliveries', booking)
		const bank = await site.api<{ site: string }>('GET', `/v1/banks/${site.bank}`)
		const { pins } = await site.api<{ pins: number }>('POST', `/v1/sites/${bank.site}/key-rotations`, {})
		assert.equal(pins, site.ready.people.length)
		// Until the bank has the bundle, it goes by the old key; then the PIN is nobody's, and the badge still is.
		await until(
			async () => {
				await site.keypad(person.pin)
				const view = await site.until((v) => v.screen.name === 'choose' || (v.screen.name === 'pin' && v.screen.wrong), 'an answer to the PIN')
				await site.act({ kind: 'finish' })
				await site.screen('attract')
				return view.screen.name
			},
			(name) => name === 'pin',
			'the PIN to be nobody’s',
		)
		await borrow(site, 0)
		await giveBack(site, 0)

		const depot = site.ready.banks?.[1] ?? assert.fail('no second bank')
		const before = await site.api<{ version: number; live: { online: boolean } }>('GET', `/v1/controllers/${depot.controller}`)
		assert.equal(before.live.online, true)
		// T8: a thief has the whole disk. It names nobody; and what proves who this box is proves it until the loss is reported, and no longer.
		const stolen = mkdtempSync(join(tmpdir(), 'latchwork-stolen-'))
		try {
			cpSync(diskOf(site.ready.dataDir, depot.controller), stolen, { recursive: true })
			const { people, admin, token } = site.ready
			const named = [...people.flatMap((p) => [p.name, ...p.name.split(' '), p.badge, p.pin]), admin?.email ?? '', admin?.password ?? '', token ?? '']
			const needles = [...new Set(named)].filter((text) => text.length >= 4)
			const files = readdirSync(stolen, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
			assert.ok(files.some(({ name }) => name === 'edge.db') && files.some(({ name }) => name === 'link.pem'))
			for (const { parentPath, name } of files) assert.deepEqual(scanForPersonalData(readFileSync(join(parentPath, name)), needles), [], name)
			// The control: where they are, the same look finds them.
			assert.deepEqual(scanForPersonalData(Buffer.from(JSON.stringify(site.ready)), needles), needles)
			assert.equal(await leaseWith(stolen, depot.id), 200, 'the control: before the loss it is that box')
			await site.api('POST', `/v1/controllers/${depot.controller}/losses`, { version: before.version })
			await until(
				() => leaseWith(stolen, depot.id),
				(status) => status !== 200,
				'the stolen certificate to be refused',
			)
		} finally {
			rmSync(stolen, { recursive: true, force: true })
		}
		// It is heard no more, and the other one is.
		const online = async (id: string) => (await site.api<{ live: { online: boolean } }>('GET', `/v1/banks/${id}`)).live.online
		await until(
			async () => {
				await site.advance(60)
				return [await online(depot.id), await online(site.bank)]
			},
			([lost, other]) => lost === false && other === true,
			'the lost box to be out',
		)
		const other = await site.api<{ id: string }>('POST', '/v1/controllers', { bank: depot.id, name: 'Its successor' })
		assert.match((await site.api<{ token: string }>('POST', `/v1/controllers/${other.id}/claims`, {})).token, /\./)
	})
})

/** The folder of one controller, as it lies on its disk. */
function diskOf(dataDir: string, controller: string): string {
	const found = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter(
		({ name, parentPath }) =>
			name === 'edge.json' && (JSON.parse(readFileSync(join(parentPath, name), 'utf8')) as { controller?: string }).controller === controller,
	)
	return found[0]?.parentPath ?? assert.fail(`no disk of ${controller}`)
}

/** What the device port answers to whoever has that disk; 0: it does not let them in. */
function leaseWith(disk: string, bank: string): Promise<number> {
	const read = (name: string) => readFileSync(join(disk, name), 'utf8')
	const { server } = JSON.parse(read('edge.json')) as { server: { https: string } }
	return new Promise((resolve) => {
		const asking = request(new URL(`/device/v1/banks/${bank}/lease`, server.https), {
			agent: false,
			key: read('link.pem'),
			cert: read('link.crt'),
			ca: read('server-ca.crt'),
		})
		asking.on('response', (answer) => resolve(answer.resume().statusCode ?? 0))
		asking.on('error', () => resolve(0))
		asking.end()
	})
}
