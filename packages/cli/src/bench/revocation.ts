import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { PinnedKeys } from '@latchwork/core/access'
import { type Id, newId } from '@latchwork/core/base'
import { ALL_UP, downTopic } from '@latchwork/core/wire'
import { openAuthority } from '@latchwork/edge/authority'
import { systemClock } from '@latchwork/edge/clock-file'
import { openJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { trustedTime } from '@latchwork/edge/time'
import { ALWAYS_OPEN, createBank, createController, createSite } from '@latchwork/server/estate'
import { certified } from '@latchwork/server/link/crowd'
import { happened, linkSite } from '@latchwork/server/link/testing'
import { ensureSiteKey } from '@latchwork/server/people'
import { sql } from '@latchwork/server/store'
import { publicKeysOf } from '@latchwork/server/tenants'
import { columnsOf, groupOf } from './bank.ts'
import { openCrowd } from './connections.ts'
import type { CrowdJob } from './crowd-process.ts'
import { type Estate, startEstate } from './estate.ts'
import { alone, type Bench, below, type Figure, percentile } from './figures.ts'

const CONTROLLERS = 500
const SITES = 20
const PEOPLE = 50_000
const TEAM = 100
const ROUNDS = 20
const GOAL = { p50: 1_000, p99: 5_000 }
const MOST_BYTES = { delta: 2_048, snapshot: 15_000_000 }
const random = (n: number) => new Uint8Array(randomBytes(n))
const unixMs = () => performance.timeOrigin + performance.now()

/**
 * P13: a badge is given, or taken away, by the API → every connected controller was told, with 500 of them and 50,000 people; and what it costs a
 * controller whose bank all of them may use.
 */
export const revocation: Bench = async ({ folder, effort, log }) => {
	const rounds = Math.max(3, Math.round(ROUNDS * effort))
	const people = effort < 0.5 ? PEOPLE / 10 : PEOPLE
	log(`P13: the broker alone tells ${CONTROLLERS} bare clients`)
	const floor = await bareTelling(rounds)
	log(`P13: ${people} people, ${CONTROLLERS} controllers`)
	const estate = await startEstate(folder)
	try {
		const { devices, large } = await banksOf(estate, people, log)
		const [root] = await estate.store.system((db) => db.rows<{ certificate: string }>(sql`SELECT certificate FROM port_authority`))
		const crowd = openCrowd({ url: `${estate.device.replace(/^http/, 'ws')}/mqtt`, ca: root?.certificate ?? '', devices })
		try {
			await crowd.connect(CONTROLLERS)
			// Made one after the other, and not for 500 that ask at once.
			log('P13: first bundles')
			await quiet(estate, sql`SELECT FROM bank b WHERE NOT EXISTS (SELECT FROM bundle u WHERE u.bank_id = b.bank_id AND u.version > 0)`)
			await crowd.fetch(estate.device)
			await quiet(estate, sql`SELECT FROM bundle WHERE NOT takes_people`)
			const at = await standing(join(folder, 'edge'), estate, large)
			const given: number[] = []
			const taken: number[] = []
			const inForce: number[] = []
			let longest = 0
			const users = await team(estate)
			/** All that is told of it has arrived. */
			const settled = async () => {
				await quiet(estate)
				return crowd.forget()
			}
			for (let i = 0; i < rounds; i++) {
				const user = users[i % users.length]
				const began = unixMs()
				const badge = await estate.api<{ id: string; version: number }>('POST', '/credentials', {
					kind: 'badge',
					user,
					number: String(20_000_000 + i),
				})
				given.push(...(await crowd.told()).map((when) => when - began))
				for (const text of await settled()) {
					longest = Math.max(longest, Buffer.byteLength(JSON.stringify({ v: 1, kind: 'delta', bank: large, delta: text })))
					inForce.push(at.take(text))
				}
				const ended = unixMs()
				await estate.api('DELETE', `/credentials/${badge.id}`, undefined, badge.version)
				taken.push(...(await crowd.told()).map((when) => when - ended))
				for (const text of await settled()) at.take(text)
			}
			const size = `${CONTROLLERS} controllers, ${people} people`
			return {
				id: 'P13',
				name: 'revocation',
				what: 'a badge is given or taken away by the API → each connected controller was told; what that costs at a bank that all people may use; what is sent',
				floor: `the same broker alone: a client of it publishes a message of the same length to each of ${CONTROLLERS} bare clients; each is told after …`,
				conditions: [
					`${people} people of one organisation; ${CONTROLLERS} controllers at ${SITES} sites: one bank that all may use, the others a team of ${TEAM}, of which the person is; certificates as enrolment issues them, MQTT over WebSocket and TLS`,
					'from before the request leaves until the message is there, at each controller; clients in a process of their own on the same cores; the person is of a team of everybody’s banks, so each has news',
					'in force at the large bank: the controller’s own code, from the message to the durable row, in this process',
					'the snapshot is that of the large bank: as it is signed, and packed as the device port sends it',
				],
				figures: [
					told(`badge given → told, ${size}`, given, floor),
					told(`badge taken away → told, ${size}`, taken, floor),
					below(`told → in force, at the bank of ${people} people`, 'ms', inForce, { p99: GOAL.p50 }),
					bytes('what one person more costs on the way', longest, MOST_BYTES.delta),
					bytes(`snapshot of ${people} people, as it is sent`, at.packed, MOST_BYTES.snapshot),
					alone(`snapshot of ${people} people, as it is signed`, 'MB', [at.signed / 1e6]),
				],
			}
		} finally {
			await crowd.end()
		}
	} finally {
		await estate.stop()
	}
}

function told(size: string, ours: readonly number[], floor: readonly number[]): Figure {
	const a = { p50: percentile(ours, 0.5), p99: percentile(ours, 0.99) }
	const b = { p50: percentile(floor, 0.5), p99: percentile(floor, 0.99) }
	const met = a.p50 <= GOAL.p50 && a.p99 <= GOAL.p99
	const against = { kind: 'over' as const, p50: a.p50 - b.p50 }
	return { size, unit: 'ms', ...a, floor: b, against, goal: `≤ ${GOAL.p50} ms p50, ≤ ${GOAL.p99} ms p99`, met, samples: ours.length }
}

const bytes = (size: string, length: number, most: number): Figure => {
	const [unit, by] = most > 100_000 ? (['MB', 1e6] as const) : (['KiB', 1_024] as const)
	return { size, unit, p50: length / by, goal: `≤ ${most / by} ${unit}`, met: length <= most, samples: 1 }
}

/** The least that telling so many takes. */
async function bareTelling(rounds: number): Promise<number[]> {
	const site = await linkSite()
	try {
		const server = site.internal()
		await happened(server, 'connect')
		// The broker lets nobody in before somebody listens.
		await server.subscribeAsync(ALL_UP, { qos: 1 })
		const devices: CrowdJob['devices'][number][] = []
		for (let i = 0; i < CONTROLLERS; i++) devices.push({ ...(await site.device()), bank: newId('bank', Date.now(), random) })
		const crowd = openCrowd({ url: `wss://localhost:${site.broker.ports().device}/mqtt`, ca: site.portCa, devices })
		try {
			await crowd.connect(CONTROLLERS)
			const all: number[] = []
			const delta = 'x'.repeat(1_200)
			for (let i = 0; i < rounds; i++) {
				const began = unixMs()
				for (const { controller, bank } of devices)
					server.publish(downTopic(controller, 'authority'), JSON.stringify({ v: 1, kind: 'delta', bank, delta }), { qos: 1 })
				all.push(...(await crowd.told()).map((when) => when - began))
				await crowd.forget()
			}
			return all
		} finally {
			await crowd.end()
		}
	} finally {
		await site.close()
	}
}

/** The large bank is the first of the crowd. */
async function banksOf(estate: Estate, people: number, log: (line: string) => void): Promise<{ devices: CrowdJob['devices']; large: Id<'bank'> }> {
	const { tenant, store, terms, api } = estate
	const change = { actor: 'server', now: Date.now(), random } as const
	await estate.people({ people, policies: people / TEAM })
	log('P13: banks and policies')
	const sites: Id<'site'>[] = []
	for (let i = 0; i < SITES; i++)
		sites.push(
			(await store.write(tenant, (tx) => createSite(tx, change, { name: `Site ${i}`, timeZone: 'UTC', address: '', calendar: ALWAYS_OPEN }))).id,
		)
	const [first] = sites
	if (!first) throw new Error('no site')
	const devices: CrowdJob['devices'][number][] = []
	while (devices.length < CONTROLLERS)
		await store.write(tenant, async (tx) => {
			for (let i = 0; i < 25; i++) {
				const site = devices.length === 0 ? first : (sites[1 + (devices.length % (SITES - 1))] ?? first)
				const { id: bank } = await createBank(tx, change, {
					site,
					name: `Bank ${devices.length}`,
					helpPhone: '0',
					layout: { columns: columnsOf([1, 2]) },
				})
				const { id } = await createController(tx, change, { bank, name: 'Crowd' })
				devices.push({ ...(await certified(tx, { ...terms, now: change.now }, id)), bank })
			}
		})
	const policies = [
		{ code: 'team', draft: `permit (principal in Latchwork::Group::"${groupOf(0)}", action, resource);` },
		{ code: 'everybody', draft: 'permit (principal, action, resource);', site: first },
	]
	for (const fields of policies) {
		const { id, version } = await api<{ id: string; version: number }>('POST', '/policies', fields)
		await api('POST', `/policies/${id}/versions`, { version, acceptWarnings: true })
	}
	return { devices, large: (devices[0] ?? { bank: undefined }).bank as Id<'bank'> }
}

/** All bundles are made: what is being made just now is not told of people, but made once more. */
async function quiet({ store }: Estate, also = sql`SELECT FROM bundle WHERE false`): Promise<void> {
	const busy = () => store.system((db) => db.first(sql`SELECT FROM bundle_dirty UNION ALL SELECT FROM person_dirty UNION ALL (${also}) LIMIT 1`))
	for (let still = 0; still < 4; still = (await busy()) ? 0 : still + 1) await new Promise<void>((done) => systemClock.after(250, done))
}

/** Those whose rights are at every bank. */
async function team({ tenant, store }: Estate): Promise<string[]> {
	const rows = await store.read(tenant, (db) =>
		db.rows<{
			id: string
		}>(sql`SELECT m.subject_id AS id FROM membership m JOIN person_group g ON g.tenant_id = m.tenant_id AND g.group_id = m.group_id
			WHERE g.code = ${groupOf(0)} ORDER BY 1`),
	)
	return rows.map(({ id }) => id)
}

/** The large bank's controller, as far as it decides: its journal on this disk, and the bundle that it was sent. */
async function standing(folder: string, { tenant, store, terms }: Estate, bank: Id<'bank'>) {
	mkdirSync(folder, { recursive: true, mode: 0o700 })
	const found = await store.write(tenant, async (tx) => {
		const row = await tx.first<{ text: Uint8Array; site: Id<'site'> }>(
			sql`SELECT u.text, b.site_id AS site FROM bundle u JOIN bank b ON b.tenant_id = u.tenant_id AND b.bank_id = u.bank_id WHERE u.bank_id = ${bank}`,
		)
		if (!row) throw new Error('the large bank has no bundle')
		const keys: PinnedKeys = new Map((await publicKeysOf(tx, 'maker')).map((one) => [one.keyId, one.publicKey]))
		return { text: Buffer.from(row.text).toString('utf8'), keys, siteKey: await ensureSiteKey(tx, row.site, terms, Date.now()) }
	})
	const time = trustedTime(systemClock, () => {})
	const { privateKey } = generateKeyPairSync('ed25519')
	const journal = openJournal({
		directory: folder,
		controller: newId('controller', Date.now(), random),
		random,
		now: systemClock.now,
		context: () => ({ bank, at: systemClock.now(), mono: systemClock.mono(), clock: 'good', bundle: 1, offline: false, sha256: nodeCrypto.sha256 }),
		sealer: { sign: (text) => new Uint8Array(sign(null, text, privateKey)), keyId: 'bench' },
		standing: () => [],
	})
	const authority = openAuthority({
		bank,
		keys: found.keys,
		siteKey: found.siteKey,
		crypto: nodeCrypto,
		engine: cedarEngine,
		journal,
		time,
		changed: () => {},
	})
	authority.take('bundle', found.text)
	return {
		signed: Buffer.byteLength(found.text),
		packed: gzipSync(found.text, { level: 1 }).length,
		/** Milliseconds until it is durable and in force. */
		take(text: string): number {
			const began = performance.now()
			const answer = authority.takeDelta(text)
			if (answer !== 'taken') throw new Error(`the large bank: ${answer}`)
			return performance.now() - began
		},
	}
}
