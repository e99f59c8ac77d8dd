import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { siteKeyMark } from '@latchwork/core/access'
import { fromHex, seededRandom } from '@latchwork/core/base'
import { type KioskView, kioskView } from '@latchwork/core/wire'
import { readJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import { alone, type Cable, cableAt, online } from './cable.ts'
import { atWork, type ControllerProcess, type Hardware, openHardware, runController, untilHealth, untilSo } from './controller.ts'
import { allOf, type Recorded } from './hands.ts'
import { type Moment, plug } from './plug.ts'
import { type Site, startSite } from './site.ts'

const BADGES = 5_000
const PEOPLE = 50

/** A four-byte card as a reader of ours reports it, and as the building's access system lists it: decimal, low byte first. */
const uid = (n: number) => Buffer.from([0x20 + (n % 0xd0), (n * 7) % 256, (n >> 8) % 256, n % 256])
const card = (n: number) => `hex:32:${uid(n).toString('hex')}`
const listed = (n: number) => String(uid(n).readUInt32LE())

/** A kiosk with its reader, whoever started it. */
interface Door {
	readonly kiosk: string
	/** Where its controller keeps what it knows. */
	readonly folder: string
	badge(number: string): Promise<void>
}

/** The whole as `npm start` gives it, a site that is added to it with a real controller of its own, and thousands of badges (trust.md §3.2, T8). */
describe('the key of a site, at its doors', () => {
	const power = plug()
	let site: Site
	let cable: Cable
	let hq: Door
	let folder: string
	let hardware: Hardware | undefined
	let added: ControllerProcess | undefined
	const people: string[] = []
	before(async () => {
		site = await startSite({ server: true, args: ['--virtual-clock'], env: power.env })
		folder = mkdtempSync(join(tmpdir(), 'latchwork-site-key-'))
		cable = await cableAt(site, site)
		hq = { kiosk: site.kiosk, folder: cable.folder, badge: site.badge }
	})
	after(async () => {
		added?.child.kill('SIGKILL')
		await added?.ended
		await hardware?.close()
		await cable?.close()
		power.putBack()
		await site?.stop()
		power.close()
		rmSync(folder, { recursive: true, force: true })
	})

	const view = async ({ kiosk }: Door): Promise<KioskView> => kioskView.parse(await (await fetch(`${kiosk}api/view`)).json())
	const recorded = ({ folder }: Door): Recorded[] =>
		readJournal(folder).flatMap(({ lines }) => lines.map((line) => JSON.parse(Buffer.from(line).toString()) as Recorded))
	/** Goes from a screen that needs nobody any more. */
	async function leaves(door: Door, kind: 'back' | 'finish'): Promise<void> {
		await fetch(`${door.kiosk}api/act`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ turn: (await view(door)).turn, act: { kind } }),
		})
		await untilSo(
			() => view(door),
			({ screen }) => screen.name === 'attract',
			'the kiosk to be free',
		)
	}
	/** Who the bank says it is; undefined: nobody. */
	async function taps(door: Door, number: string): Promise<string | undefined> {
		await door.badge(number)
		const { screen } = await untilSo(
			() => view(door),
			(v) => v.screen.name === 'choose' || v.screen.name === 'denied',
			'an answer to the badge',
		)
		await leaves(door, screen.name === 'choose' ? 'finish' : 'back')
		return screen.name === 'choose' ? recorded(door).findLast(({ type }) => type === 'visit.started')?.actor : undefined
	}
	async function types(pin: string): Promise<'known' | 'unknown'> {
		await site.keypad(pin)
		const { screen } = await site.until((v) => v.screen.name === 'choose' || (v.screen.name === 'pin' && v.screen.wrong), 'an answer to the PIN')
		await leaves(hq, 'finish')
		// After a wrong one the next waits.
		if (screen.name === 'pin') await site.advance(30)
		return screen.name === 'choose' ? 'known' : 'unknown'
	}
	const chance = seededRandom(41)
	const some = () => ((chance(1)[0] ?? 0) * 256 + (chance(1)[0] ?? 0)) % BADGES
	const holder = (n: number) => people[n % PEOPLE] ?? assert.fail()
	/** The first, the last and one by chance are who they were. */
	async function allKnown(door: Door, when: string): Promise<void> {
		for (const n of [0, BADGES - 1, some()]) assert.equal(await taps(door, card(n)), holder(n), `badge ${n} ${when}`)
	}
	interface Told {
		readonly sequence: string
		readonly subject: string
		readonly data: Readonly<Record<string, unknown>>
	}
	const told = (type: string, query = '') => allOf<Told>(site, `/v1/events?type=${type}&${query}`)
	/** Gives the site another key; answers with the version of its bank's first bundle that needs it. */
	async function rotates(of: string, bank: string): Promise<number> {
		await site.api('POST', `/v1/sites/${of}/key-rotations`, {})
		const rotations = await untilSo(
			() => told('site.key-rotated', `subject=${of}&`),
			(found) => found.length > (rotated.get(of) ?? 0),
			'the rotation on record',
		)
		rotated.set(of, rotations.length)
		const at = Number(rotations.at(-1)?.sequence)
		const made = await untilSo(
			() => told('bundle.published', `subject=${bank}&`),
			(all) => all.some(({ sequence }) => Number(sequence) > at),
			'the bundle that needs it',
		)
		return Number(made.find(({ sequence }) => Number(sequence) > at)?.data.version)
	}
	const rotated = new Map<string, number>()
	/** Which banks have the present key, as the console says it. */
	const arrivals = async (of: string) =>
		(await site.api<{ banks: { bank: string; state: string }[] }>('GET', `/v1/sites/${of}/key`)).banks.map(({ bank, state }) => [bank, state])
	const has = (door: Door, version: number) => untilHealth(door.kiosk, (h) => h.bundle >= version, `bundle ${version}`)

	test('5,000 badges of a list, then a site more, then another key for each: nobody enrols again, and badges are whose they were at the readers of both', async (t) => {
		const { items: groups } = await site.api<{ items: { id: string; code: string }[] }>('GET', '/v1/groups')
		const staff = groups.find(({ code }) => code === 'staff')?.id
		people.push(
			...(await Promise.all(
				Array.from({ length: PEOPLE }, async (_, n) => {
					const { id } = await site.api<{ id: string }>('POST', '/v1/users', { name: `Person ${n}` })
					await site.api('PUT', `/v1/groups/${staff}/members/${id}`)
					return id
				}),
			)),
		)
		const samples = Array.from({ length: 5 }, (_, n) => ({ listed: listed(BADGES + n), read: card(BADGES + n) }))
		const lines = Array.from({ length: BADGES }, (_, n) => ({ person: holder(n), listed: listed(n) }))
		const { matched } = await site.api<{ matched: number }>('POST', '/v1/badge-imports', { samples, lines })
		assert.equal(matched, BADGES)

		const of = await site.api<{ id: string }>('POST', '/v1/sites', { name: 'Annex', timeZone: 'Europe/Berlin' })
		const cells = [1, 2].map((number) => ({ kind: 'door', number, heightMm: 300, size: 'M', accessible: true }))
		const layout = { columns: [{ widthMm: 400, cells }] }
		const bank = await site.api<{ id: string }>('POST', '/v1/banks', { site: of.id, name: 'Annex', helpPhone: '110', layout })
		const { items: compartments } = await site.api<{ items: { id: string; number: number }[] }>('GET', `/v1/compartments?bank=${bank.id}`)
		const box = await site.api<{ id: string }>('POST', '/v1/controllers', { bank: bank.id, name: 'Annex' })
		const { token } = await site.api<{ token: string }>('POST', `/v1/controllers/${box.id}/claims`, {})
		const machine = await openHardware(folder, compartments, { clock: join(site.ready.dataDir, 'clock'), reader: true })
		hardware = machine
		const data = join(folder, 'data')
		const server = (JSON.parse(readFileSync(join(cable.folder, 'edge.json'), 'utf8')) as { server: { https: string } }).server.https
		added = runController('--server', server, '--claim', token, '--config', machine.wiring, '--data', data)
		const annex: Door = { kiosk: await added.ready, folder: data, badge: async (number) => machine.badge(number) }
		await untilHealth(annex.kiosk, atWork, 'the added bank at work')

		const lastIssued = async () =>
			(await site.api<{ items: Told[] }>('GET', '/v1/events?type=credential.issued&order=falling&limit=1')).items[0]?.sequence
		const enrolled = await lastIssued()
		assert.ok(Number(enrolled) >= BADGES)
		for (const door of [hq, annex]) {
			await allKnown(door, 'of the list')
			assert.equal(await taps(door, card(BADGES + 9)), undefined, 'the control: a card of no list')
		}
		const { site: home } = await site.api<{ site: string }>('GET', `/v1/banks/${site.bank}`)
		const began = performance.now()
		const versions = [await rotates(home, site.bank), await rotates(of.id, bank.id)]
		t.diagnostic(`two sites have another key for ${BADGES} badges, and bundles with them, after ${Math.round(performance.now() - began)} ms`)
		for (const [i, door] of [hq, annex].entries()) {
			await has(door, versions[i] ?? assert.fail())
			await allKnown(door, 'under the other key')
		}
		assert.equal(await lastIssued(), enrolled, 'nobody was given anything anew')
		const ended = (await told('credential.revoked')).map(({ data }) => data.why)
		assert.deepEqual([...new Set(ended)], ['site-key'], 'PINs, and nothing else, have ended')
		assert.equal(ended.length, site.ready.people.length)
	})

	test('another key while the bank is away: it goes on by its own; back, it has key and bundle or neither, wherever the power goes; badges are known all along, PINs end and the record says why', async () => {
		const [person] = site.ready.people
		const { items: users } = await site.api<{ items: { id: string; name: string }[] }>('GET', '/v1/users?limit=200')
		const user = users.find(({ name }) => name === person?.name)?.id
		const { site: home } = await site.api<{ site: string }>('GET', `/v1/banks/${site.bank}`)
		const newPin = async () => (await site.api<{ pin: string }>('POST', '/v1/credentials', { kind: 'pin', user, site: home })).pin
		const away = async () => {
			cable.cut()
			await alone(site)
		}
		const refused = () => recorded(hq).filter(({ type }) => type === 'bundle.refused')
		const pin = await newPin()
		await untilSo(
			() => types(pin),
			(answer) => answer === 'known',
			'the PIN at the bank',
		)

		await away()
		const before = onDisk(cable.folder)
		const version = await rotates(home, site.bank)
		const ended = (await told('credential.revoked', `subject=${(await pinOf(user ?? '')) ?? ''}&`)).map(({ data }) => data.why)
		assert.deepEqual(ended, ['site-key'], 'whoever looks for the PIN is told why it is none any more')
		await allKnown(hq, 'by the old key')
		assert.equal(await types(pin), 'known', 'the bank has not heard of it')
		assert.deepEqual(onDisk(cable.folder), before)
		assert.deepEqual(await arrivals(home), [[site.bank, 'waits']], 'and whoever looks sees that')
		cable.mend()
		await online(site, site)
		await has(hq, version)
		await allKnown(hq, 'by the new key')
		assert.equal(await types(pin), 'unknown')
		const after = onDisk(cable.folder)
		assert.equal(after.fits, true)
		assert.notEqual(after.named, before.named)
		await untilSo(
			() => arrivals(home),
			([first]) => first?.[1] === 'has',
			'the word that it has arrived',
		)

		const moments: readonly (Pick<Moment, 'key' | 'when'> & { readonly has: 'the old' | 'the new' })[] = [
			{ key: 'bundle', when: 'written', has: 'the old' },
			{ key: 'site-key', when: 'written', has: 'the old' },
			{ key: 'bundle', when: 'kept', has: 'the new' },
		]
		for (const { key, when, has: found } of moments) {
			const words = `the ${key} is ${when}`
			await away()
			const held = onDisk(cable.folder)
			const wanted = await rotates(home, site.bank)
			const next = site.nextEdge()
			next.catch(() => {})
			const out = power.pullAt({ folder: cable.folder, kind: 'authority', key, when })
			cable.mend()
			await site.advance(60)
			await out
			cable.cut()
			const left = onDisk(cable.folder)
			assert.equal(left.fits, true, `${words}: both or neither`)
			assert.equal(left.named === held.named ? 'the old' : 'the new', found, words)
			power.putBack()
			await next
			await untilHealth(hq.kiosk, (h) => h.bundle > 0 && h.readers.every((reader) => reader.online), 'the bank again, alone')
			await allKnown(hq, `when ${words}, alone`)
			cable.mend()
			await online(site, site)
			await has(hq, wanted)
			const whole = onDisk(cable.folder)
			assert.deepEqual([whole.fits, whole.named === held.named], [true, false], words)
			await allKnown(hq, `when ${words}, with the server again`)
		}
		assert.deepEqual(refused(), [], 'no bundle ever came without the key that it needs')

		// The control: a disk with the one and without the other is told from a whole one.
		const torn = join(folder, 'torn')
		cpSync(cable.folder, torn, { recursive: true, filter: (path) => path === cable.folder || basename(path).startsWith('edge.') })
		const db = new DatabaseSync(join(torn, 'edge.db'))
		db.exec("DELETE FROM fact WHERE kind = 'authority' AND key = 'site-key'")
		db.close()
		assert.equal(onDisk(torn).fits, false)
	})

	/** The PIN that somebody had last. */
	async function pinOf(user: string): Promise<string | undefined> {
		const { items } = await site.api<{ items: { id: string; kind: string }[] }>('GET', `/v1/credentials?user=${user}&limit=200`)
		return items.filter(({ kind }) => kind === 'pin').at(-1)?.id
	}
})

/** Which key the bundle on this disk was made under, and whether the key that lies beside it is that one. */
function onDisk(folder: string): { readonly named: string | undefined; readonly fits: boolean } {
	const db = new DatabaseSync(join(folder, 'edge.db'), { readOnly: true, timeout: 5_000 })
	try {
		const fact = (key: string) => {
			const row = db.prepare("SELECT body FROM fact WHERE kind = 'authority' AND key = ?").get(key)
			return row && (JSON.parse(String(row.body)) as string)
		}
		const { siteKey: named } = (JSON.parse(fact('bundle') ?? assert.fail('no bundle')) as { signed: { siteKey?: string } }).signed
		const key = fact('site-key')
		return { named, fits: key !== undefined && siteKeyMark(fromHex(key) ?? assert.fail(), nodeCrypto) === named }
	} finally {
		db.close()
	}
}
