import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testKey } from '@latchwork/core/access/testing'
import { type Id, newId } from '@latchwork/core/base'
import { type EnrolmentAnswer, enrolmentAnswer } from '@latchwork/core/wire'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { nodeCrypto } from '../../crypto.ts'
import { type LogSigner, openInbox, openSequencer, openWatch } from '../../ledger/index.ts'
import { type Command, findCommand, type NewCommand, requestCommand } from '../../space/index.ts'
import { sealingKey, sql } from '../../store/index.ts'
import { createTenant, signerOf as tenantSigner } from '../../tenants/index.ts'
import { testBank } from '../../testing/bank.ts'
import { type TestStore, testStore } from '../../testing/index.ts'
import { type ExternalBroker, type Link, type LinkHandlers, makeClaim, makeClaimCode, openLink } from '../index.ts'
import { deviceKeys } from './device.ts'
import { happened, random, realClock } from './site.ts'

/** A controller that has enrolled: what a real one would keep. */
export interface Enrolled {
	readonly answer: EnrolmentAnswer
	readonly key: string
	readonly head: ReturnType<typeof testKey>
}
export interface Reply {
	readonly status: number
	readonly headers: Readonly<Record<string, string | string[] | undefined>>
	readonly text: string
}

/** A server's link over a real database and a real broker child, with two organisations. */
export async function linkWorld({
	handlers = {},
	external,
	around = (ingest) => ingest,
	ahead = () => 0,
}: {
	handlers?: Partial<LinkHandlers>
	external?: ExternalBroker
	around?: (ingest: LinkHandlers['ingest']) => LinkHandlers['ingest']
	ahead?: () => number
} = {}) {
	const db: TestStore = await testStore({ pool: 2 })
	const { store } = db
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-link-'))
	const clock = { now: () => Date.now() + ahead() }
	const master = sealingKey(random(32), random)
	const terms = { now: clock.now(), random, master }
	const tenants = [newId('tenant', terms.now, random), newId('tenant', terms.now, random)] as const
	for (const tenant of tenants) await store.write(tenant, (tx) => createTenant(tx, { name: 'Acme', host: 'log.example' }, terms))
	const failed = () => {}
	const watch = openWatch({ store, pace: realClock, failed })
	const keys = new Map<string, LogSigner>()
	/** How often each controller was claimed: a machine has a head key of its own. */
	const turns = new Map<string, number>()
	const signerOf = async (_: unknown, tenant: string): Promise<LogSigner> => {
		const known = keys.get(tenant) ?? { origin: `log.example/${tenant}`, ...testKey() }
		keys.set(tenant, known)
		return known
	}
	const sequencer = openSequencer({ store, clock, pace: realClock, random, signerOf, failed })
	const inbox = openInbox({ store, clock, random, crypto: nodeCrypto, appliers: [], recorded: sequencer.nudge })
	const log: Readonly<Record<string, unknown>>[] = []
	const listeners = new Set<() => void>()
	/** As a second process of this installation would open it, too. */
	const open = (folder: string): Promise<Link> =>
		openLink({
			store,
			watch,
			master,
			clock,
			pace: realClock,
			random,
			siteKey: async () => new Uint8Array(32).fill(7),
			handlers: {
				ingest: around(inbox.ingest),
				credential: async () => undefined,
				bundle: async () => undefined,
				lease: async () => undefined,
				...handlers,
			},
			log(entry) {
				log.push(entry)
				for (const look of listeners) look()
			},
			config: {
				device: { host: '127.0.0.1', port: 0 },
				mqtts: { host: '127.0.0.1', port: 0 },
				names: ['localhost'],
				enrolmentRate: { burst: 70, perSecond: 0.1 },
				folder,
				environment: { TMPDIR: tmpdir() },
				...(external && { external }),
			},
		})
	const link = await open(folder)
	const clients: MqttClient[] = []

	const call = (
		path: string,
		{
			as,
			body,
			headers = {},
			ca,
			from,
			method = body === undefined ? 'GET' : 'POST',
		}: { as?: Enrolled | undefined; body?: unknown; headers?: Record<string, string>; ca?: string; from?: string; method?: string } = {},
	): Promise<Reply> =>
		new Promise((resolve, reject) => {
			const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
			const outgoing = request(
				{
					port: link.ports()?.device,
					host: 'localhost',
					path,
					method,
					agent: false,
					...(from && { localAddress: from }),
					// A machine trusts the port by the certificate that its installer compared; here the first answer tells.
					...(as || ca ? { ca: as ? [...as.answer.ca] : ca } : { rejectUnauthorized: false }),
					...(as && { cert: as.answer.certificate, key: as.key }),
					headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
				},
				(answer) => {
					const parts: Buffer[] = []
					answer.on('data', (part: Buffer) => parts.push(part))
					answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString('utf8') }))
				},
			)
			outgoing.on('error', reject)
			outgoing.end(text)
		})

	const world = {
		db,
		store,
		openAnother: () => open(join(folder, 'a-folder-with-a-long-name'.repeat(5))),
		link,
		watch,
		sequencer,
		tenants,
		clock,
		master,
		log,
		call,
		/** Signs as the tenant's makers do: bundles, leases. */
		maker: (tenant: Id<'tenant'> = tenants[0]) => store.read(tenant, (db) => tenantSigner(db, 'maker', { master })),
		/** Asks a controller for something, as the API does. */
		async order(wanted: NewCommand, tenant: Id<'tenant'> = tenants[0]): Promise<Command> {
			const command = await store.write(tenant, (tx) => requestCommand(tx, wanted, { now: clock.now(), random }))
			link.requested(command)
			return command
		},
		commandOf: (id: Id<'command'>, tenant: Id<'tenant'> = tenants[0]) => store.read(tenant, (db) => findCommand(db, id)),
		/** Texts of a stream's events, as they are kept. */
		async textsOf(stream: string, tenant: Id<'tenant'> = tenants[0]): Promise<string[]> {
			const rows = await store.read(tenant, (db) =>
				db.rows<{ bytes: Uint8Array }>(sql`SELECT bytes FROM (SELECT seq, bytes FROM event_pending WHERE stream = ${stream}
					UNION ALL SELECT seq, bytes FROM event WHERE stream = ${stream}) AS all_of_it ORDER BY seq`),
			)
			return rows.map(({ bytes }) => new TextDecoder().decode(bytes))
		},
		/** A bank of the tenant with a controller that nobody has claimed. */
		bank: (tenant: Id<'tenant'> = tenants[0]) => testBank(store, tenant, { now: clock.now(), random, enrolled: false }),
		claim: (controller: Id<'controller'>, tenant: Id<'tenant'> = tenants[0]) =>
			store.write(tenant, (tx) => makeClaim(tx, { actor: 'server', now: clock.now(), random }, controller)),
		claimCode: (controller: Id<'controller'>, tenant: Id<'tenant'> = tenants[0]) =>
			store.write(tenant, (tx) => makeClaimCode(tx, { actor: 'server', now: clock.now(), random }, controller)),
		async enrol(controller: Id<'controller'>, tenant: Id<'tenant'> = tenants[0]): Promise<Enrolled> {
			const { token } = await world.claim(controller, tenant)
			const { csr, key } = await deviceKeys()
			const head = testKey()
			const turn = (turns.get(controller) ?? 0) + 1
			turns.set(controller, turn)
			const body = {
				claim: token.split('.')[0] ?? '',
				csr,
				head: { keyId: `edge-${turn}`, publicKey: Buffer.from(head.publicKey).toString('base64') },
			}
			const { status, text } = await call('/device/v1/enrolments', { body })
			if (status !== 201) throw new Error(`${status} ${text}`)
			return { answer: enrolmentAnswer.parse(JSON.parse(text)), key, head }
		},
		dial({ answer, key }: Pick<Enrolled, 'answer' | 'key'>, options: IClientOptions = {}): MqttClient {
			const client = mqtt.connect(answer.mqtt.url, {
				ca: answer.ca,
				cert: answer.certificate,
				key,
				clientId: answer.controller,
				reconnectPeriod: 0,
				...options,
			})
			clients.push(client)
			client.on('error', () => {})
			return client
		},
		async connect(device: Pick<Enrolled, 'answer' | 'key'>, options: IClientOptions = {}): Promise<MqttClient> {
			const client = world.dial(device, options)
			await happened(client, 'connect')
			return client
		},
		/** Resolves when the link has told this. */
		told: (about: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> =>
			new Promise((resolve) => {
				const look = () => {
					const found = log.find((entry) => Object.entries(about).every(([name, value]) => entry[name] === value))
					if (!found) return
					listeners.delete(look)
					resolve(found)
				}
				listeners.add(look)
				look()
			}),
		async close() {
			for (const client of clients) await client.endAsync(true)
			await link.close()
			await sequencer.close()
			await watch.close()
			await db.close()
			rmSync(folder, { recursive: true, force: true })
		},
	}
	return world
}
export type LinkWorld = Awaited<ReturnType<typeof linkWorld>>
