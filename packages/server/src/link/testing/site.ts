import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type Id, newId } from '@latchwork/core/base'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { type Broker, type BrokerConfig, startBroker } from '../broker.ts'
import type { BrokerIncident } from '../broker-lines.ts'
import type { DeviceName } from '../device-check.ts'
import { internalClient } from '../internal-client.ts'
import { type Authority, certifyAuthority, issueDevice, issuePort, newAuthorityKey, openAuthority, readRequest } from '../pki.ts'
import { deviceKeys } from './device.ts'

/** The real clock, which tests of sockets and processes need. */
export const realClock: Clock = {
	now: () => Date.now(),
	mono: () => performance.now(),
	after(ms, run) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
}
export const random = (n: number): Uint8Array => randomBytes(n)

export interface TestDevice extends DeviceName {
	readonly cert: string
	readonly key: string
	readonly fingerprint: string
}

/** Unlike `once` of Node, an error that comes first is not the end: `close` follows it. */
export const happened = (client: MqttClient, event: 'connect' | 'close'): Promise<void> =>
	new Promise((done) => void client.once(event, () => done()))
export const message = (client: MqttClient): Promise<Buffer> => new Promise((done) => void client.once('message', (_, payload) => done(payload)))

/** A broker child of its own with two tenants, and controllers with real certificates. */
export interface LinkSite {
	readonly broker: Broker
	readonly folder: string
	/** What its controllers must trust. */
	readonly portCa: string
	readonly tenants: readonly [Id<'tenant'>, Id<'tenant'>]
	readonly incidents: readonly BrokerIncident[]
	device(given?: { tenant?: Id<'tenant'>; controller?: Id<'controller'>; by?: Authority; now?: number; days?: number }): Promise<TestDevice>
	authority(tenant: Id<'tenant'>): Authority
	/** A certificate for a request; `days` may be less than none. */
	certify(csr: string, device: DeviceName, days?: number): Promise<string>
	/** Over WebSocket, or over TLS; does not try again by itself. */
	connect(device: Pick<TestDevice, 'cert' | 'key' | 'controller'> | undefined, options?: IClientOptions & { mqtts?: boolean }): MqttClient
	/** The server's own client. */
	internal(options?: IClientOptions): MqttClient
	revoke(...fingerprints: string[]): void
	/** Resolves when an incident of this kind was told; of nobody: whoever it was. */
	told(what: BrokerIncident['what'], of?: DeviceName): Promise<void>
	close(): Promise<void>
}

export async function linkSite(config: Partial<BrokerConfig> = {}, clock: Clock = realClock): Promise<LinkSite> {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-link-'))
	const now = Date.now()
	const tenants = [newId('tenant', now, random), newId('tenant', now, random)] as const
	const authorities = new Map<string, Authority>()
	for (const tenant of tenants) authorities.set(tenant, await newAuthority(tenant, now))
	const root = await newAuthority(undefined, now)
	const port = await issuePort(root, { names: ['localhost', '127.0.0.1'], now, random })
	let revoked: readonly string[] = []
	const state = () => ({ port, authorities: [...authorities.values()].map((a) => a.certificate), revoked })
	const incidents: BrokerIncident[] = []
	const waiting = new Set<() => void>()
	const broker = await startBroker(
		{
			device: { host: '127.0.0.1', port: 0 },
			mqtts: { host: '127.0.0.1', port: 0 },
			mqtt: true,
			folder,
			// The census of the tests knows our processes by it.
			environment: { TMPDIR: tmpdir() },
			...config,
		},
		state(),
		{
			clock,
			random,
			log: () => {},
			incident(incident) {
				incidents.push(incident)
				for (const look of waiting) look()
			},
		},
	).catch((fault) => {
		rmSync(folder, { recursive: true, force: true })
		throw fault
	})
	const clients: MqttClient[] = []
	const authority = (tenant: Id<'tenant'>) => authorities.get(tenant) as Authority
	const keep = (client: MqttClient) => {
		clients.push(client)
		client.on('error', () => {})
		return client
	}
	return {
		broker,
		folder,
		portCa: root.certificate,
		tenants,
		incidents,
		authority,
		certify: async (csr, name, days = 90) =>
			(await issueDevice(authority(name.tenant), { ...name, key: await readRequest(csr), now: Date.now(), days, random })).certificate,
		async device({ tenant = tenants[0], controller = newId('controller', now, random), by = authority(tenant), ...rest } = {}) {
			const keys = await deviceKeys()
			const issued = await issueDevice(by, { controller, tenant, key: await readRequest(keys.csr), now, days: 90, random, ...rest })
			return { controller, tenant, cert: issued.certificate, key: keys.key, fingerprint: issued.fingerprint }
		},
		connect(device, { mqtts = false, ...options } = {}) {
			const { device: https, mqtts: tls } = broker.ports()
			const client = mqtt.connect(mqtts ? `mqtts://localhost:${tls}` : `wss://localhost:${https}/mqtt`, {
				ca: root.certificate,
				reconnectPeriod: 0,
				...(device && { cert: device.cert, key: device.key, clientId: device.controller }),
				...options,
			})
			return keep(client)
		},
		internal: (options) => keep(internalClient(broker, options)),
		revoke(...fingerprints) {
			revoked = fingerprints
			broker.update(state())
		},
		told: (what, of) =>
			new Promise((resolve) => {
				const look = () => {
					if (!incidents.some((i) => i.what === what && (!of || (i.controller === of.controller && i.tenant === of.tenant)))) return
					waiting.delete(look)
					resolve()
				}
				waiting.add(look)
				look()
			}),
		async close() {
			for (const client of clients) await client.endAsync(true)
			await broker.stop()
			rmSync(folder, { recursive: true, force: true })
		},
	}
}

export async function newAuthority(tenant: Id<'tenant'> | undefined, now: number): Promise<Authority> {
	const pkcs8 = await newAuthorityKey()
	return openAuthority(await certifyAuthority(tenant, pkcs8, now, random), pkcs8)
}
