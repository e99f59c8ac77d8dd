import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault, fromHex, type Id, newId, type Random } from '@latchwork/core/base'
import { systemClock } from '@latchwork/edge/clock-file'
import { ALWAYS_OPEN, compartmentsOf, createBank, createController, createSite } from '@latchwork/server/estate'
import { createGroup, createPerson, installationKey, issueBadge, joinGroup, type PeopleTerms } from '@latchwork/server/people'
import { openStore, type Store, sealingKey, sql, startEmbedded } from '@latchwork/server/store'
import { allTenants } from '@latchwork/server/tenants'
import { type BankSize, badge, columnsOf, groupOf, placeOf, policies, TYPES } from './bank.ts'
import type { EnrolledPlan } from './enrolled-bank.ts'
import { startMeasured } from './process.ts'

/** A server as `latchwork server` runs it, in a process of its own on a database of this process, with an owner who may do everything. */
export interface Estate {
	readonly tenant: Id<'tenant'>
	/** The same database, to make much in little time and to see what is kept. */
	readonly store: Store
	readonly terms: PeopleTerms
	/** Of the database. */
	readonly url: string
	readonly device: string
	/** Resident memory of the server's process, and process ids beside it. */
	memory(): number
	readonly broker: number
	/** `version`: what a change goes by. */
	api<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object, version?: number): Promise<T>
	/** People in teams of equal size, with a badge each. */
	people(size: Pick<BankSize, 'people' | 'policies'>): Promise<void>
	/** A bank with its people, policies and things, and a controller that may claim it. */
	bank(size: BankSize): Promise<EnrolledPlan>
	stop(): Promise<void>
}

interface ServerReady {
	readonly api: string
	readonly device: string
	readonly broker: number
}

const random: Random = (n) => new Uint8Array(randomBytes(n))
const ADMIN = { email: 'bench@fernholt.example', password: randomBytes(12).toString('base64url') }
const IN_ONE_TRANSACTION = 100

export async function startEstate(folder: string): Promise<Estate> {
	const data = join(folder, 'server')
	const database = await startEmbedded({ directory: join(folder, 'postgres'), clock: systemClock, random, log: () => {} })
	const cli = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
	const server = await startMeasured([cli, 'server', '--data', data, '--child'], 'SERVER ', {
		DATABASE_URL: named(database.url),
		DATABASE_APP_URL: named(database.appUrl),
		LATCHWORK_PORT: '0',
		LATCHWORK_DEVICE_PORT: '0',
		LATCHWORK_ADMIN_EMAIL: ADMIN.email,
		LATCHWORK_ADMIN_PASSWORD: ADMIN.password,
	}).catch(async (fault) => {
		await database.stop()
		throw fault
	})
	const store = openStore({ url: database.url, appUrl: database.appUrl, pool: 2 })
	const stop = async () => {
		await store.close()
		await server.stop()
		await database.stop()
	}
	try {
		const { api, device, broker } = server.said as ServerReady
		const master = sealingKey(fromHex(readFileSync(join(data, 'master.key'), 'utf8').trim()), random)
		const terms = { master, random, installation: await store.system((tx) => installationKey(tx, master, random, Date.now())) }
		const [tenant] = await store.system(allTenants)
		if (!tenant) throw new Fault('not-found', 'The server made no organisation.')
		const ask = await apiOf(api)
		const made = { tenant: tenant.id, store, terms, device, api: ask }
		return {
			...made,
			url: database.url,
			memory: server.memory,
			broker,
			bank: (size) => bankOf(made, size),
			people: (size) => bringIn(made, size),
			stop,
		}
	} catch (fault) {
		await stop()
		throw fault
	}
}

/** A socket's URL has no host, and an installation's must have one; the folder of the socket is what counts. */
const named = (url: string): string => url.replace('@/', '@localhost/')

async function apiOf(base: string): Promise<Estate['api']> {
	const json = { 'content-type': 'application/json' }
	const signedIn = await fetch(`${base}/sign-ins`, { method: 'POST', headers: json, body: JSON.stringify(ADMIN) })
	const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
	const origin = new URL(base).origin
	const issued = await fetch(`${base}/tokens`, { method: 'POST', headers: { ...json, cookie, origin }, body: JSON.stringify({ name: 'bench' }) })
	const { token } = (await issued.json()) as { token: string }
	return async <T>(method: string, path: string, body?: object, version?: number) => {
		const headers = { authorization: `Bearer ${token}`, ...(body && json), ...(version !== undefined && { 'if-match': `"${version}"` }) }
		const answer = await fetch(`${base}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
		if (!answer.ok) throw new Fault('request-refused', `${method} ${path}: ${answer.status} ${await answer.text()}`)
		return (answer.status === 204 ? undefined : await answer.json()) as T
	}
}

/** People first: while there is no bank, nobody composes bundles of half of them. */
async function bankOf(estate: Pick<Estate, 'tenant' | 'store' | 'terms' | 'device' | 'api'>, size: BankSize): Promise<EnrolledPlan> {
	const { tenant, store, api, device } = estate
	await bringIn(estate, size)
	const { id: policy, version } = await api<{ id: string; version: number }>('POST', '/policies', { code: 'teams', draft: policies(size.policies) })
	await api('POST', `/policies/${policy}/versions`, { version })
	const change = { actor: 'server', now: Date.now(), random } as const
	const layout = { columns: columnsOf(Array.from({ length: size.doors }, (_, i) => i + 1)) }
	const { bank, compartments } = await store.write(tenant, async (tx) => {
		const { id: site } = await createSite(tx, change, { name: 'Bench', timeZone: 'Europe/Berlin', address: '', calendar: ALWAYS_OPEN })
		const { id } = await createBank(tx, change, { site, name: 'Bench', helpPhone: '0', layout })
		return { bank: id, compartments: await compartmentsOf(tx, id) }
	})
	const doors = compartments.map(({ id, number }) => ({ id, number, ...placeOf(number - 1) }))
	const tags = new Map(Array.from({ length: size.items }, (_, i) => [i + 1, `LT-${String(i + 1).padStart(4, '0')}`]))
	const types: string[] = []
	for (const code of TYPES) types.push((await api<{ id: string }>('POST', '/asset-types', { code, name: 'Laptop', kind: 'laptop' })).id)
	for (const [number, tag] of tags)
		await api('POST', '/assets', { type: types[number % TYPES.length], tag, bank, compartment: doors.find((d) => d.number === number)?.id })
	const controller = await store.write(tenant, (tx) => createController(tx, change, { bank, name: 'Bench' }))
	const { token } = await api<{ token: string }>('POST', `/controllers/${controller.id}/claims`)
	const buses = [...new Set(doors.map((d) => d.bus))]
	return {
		hardware: {
			busKind: 'pty',
			buses: buses.map((id) => ({ id, boards: [...new Set(doors.filter((d) => d.bus === id).map((d) => d.board))] })),
			readerKey: randomBytes(16).toString('hex'),
			doors: doors.map(({ number, bus, board, channel }) => ({ number, bus, board, channel, ...(tags.has(number) && { tag: tags.get(number) }) })),
		},
		reader: newId('reader', Date.now(), random),
		compartments: doors,
		device,
		claim: token,
	}
}

/** By the server's own functions, since one request a step takes minutes; the badges are those of a bank without a server. */
async function bringIn(
	{ tenant, store, terms }: Pick<Estate, 'tenant' | 'store' | 'terms'>,
	size: Pick<BankSize, 'people' | 'policies'>,
): Promise<void> {
	const change = { ...terms, actor: 'server', now: Date.now() } as const
	const teams = Math.min(size.policies, size.people)
	const groups = await store.write(tenant, async (tx) => {
		const made: Id<'group'>[] = []
		for (let i = 0; i < teams; i++) made.push((await createGroup(tx, change, { code: groupOf(i), name: groupOf(i) })).id as Id<'group'>)
		return made
	})
	for (let from = 0; from < size.people; from += IN_ONE_TRANSACTION)
		await store.write(tenant, async (tx) => {
			for (let i = from; i < Math.min(from + IN_ONE_TRANSACTION, size.people); i++) {
				const { id } = await createPerson(tx, change, { personal: { name: `Person ${i}`, labels: {}, externalRefs: [], clientData: {} } })
				const group = groups[i % teams]
				if (group) await joinGroup(tx, change, group, id)
				await issueBadge(tx, change, { subject: id, number: badge(i) })
			}
		})
	// What was recorded has its position before anything is measured.
	while (await store.read(tenant, (db) => db.first(sql`SELECT FROM event_pending LIMIT 1`)))
		await new Promise<void>((done) => systemClock.after(50, done))
}
