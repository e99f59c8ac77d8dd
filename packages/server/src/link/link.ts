import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Id, Random } from '@latchwork/core/base'
import { LINK_PATH, type LinkAuthority } from '@latchwork/core/wire'
import mqtt, { type MqttClient } from 'mqtt'
import { judgeOutages } from '../estate/index.ts'
import type { Rate } from '../http/index.ts'
import { follow, type Watch } from '../ledger/index.ts'
import type { Command } from '../space/index.ts'
import type { MasterKey, Store, Tx } from '../store/index.ts'
import { allTenants } from '../tenants/index.ts'
import { deviceAuthority, portAuthority, revocationLists, revokeCertificates } from './books.ts'
import { type Broker, type BrokerConfig, socketFolder, socketPaths, startBroker } from './broker.ts'
import type { BrokerCounters, BrokerIncident } from './broker-lines.ts'
import { openDeviceRoutes } from './device-routes.ts'
import { openDirectory } from './directory.ts'
import type { LinkHandlers, LinkIncident } from './handlers.ts'
import { internalClient } from './internal-client.ts'
import { type Authority, DAY_MS, issuePort } from './pki.ts'
import { openServerLink, type ServerLink } from './server-link.ts'
import { signedTime } from './signed-time.ts'
import { tally } from './tally.ts'
import { openTrust } from './trust.ts'

export interface LinkConfig extends Omit<BrokerConfig, 'mqtt'> {
	/** Host names and addresses under which controllers reach the device port; `localhost` and 127.0.0.1 are always among them. */
	readonly names: readonly string[]
	/** `https://HOST:PORT`, where it is not the first name and the port itself. */
	readonly publicUrl?: string
	/** Tries of one address to become a controller; default ten, and ten a minute. */
	readonly enrolmentRate?: Rate
	/** Instead of the broker that comes along. */
	readonly external?: ExternalBroker
}

export interface ExternalBroker {
	/** For this server, with its user and password. */
	readonly url: string
	/** For controllers; its certificate must be by one of the authorities in `ca`, or by that of the device port. */
	readonly controllersUrl: string
	/** PEM. */
	readonly ca?: string
	/** Folder where `devices.pem` (whom it must let in) and `revoked.pem` (whom no more) are kept for it. */
	readonly trust?: string
}

export interface LinkParts {
	readonly config: LinkConfig
	readonly store: Store
	readonly watch: Watch
	readonly master: MasterKey
	readonly clock: Pick<Clock, 'now'>
	/** For waiting: real time, also where the clock of events stands still. */
	readonly pace: Pick<Clock, 'after' | 'mono'>
	readonly random: Random
	readonly handlers: LinkHandlers
	readonly siteKey: (tx: Tx, site: Id<'site'>) => Promise<Uint8Array>
	readonly log: (entry: Readonly<Record<string, unknown>>) => void
}

export interface Link {
	/** False: another process of this installation has the device port. */
	owner(): boolean
	ports(): { readonly device: number; readonly mqtts: number | undefined } | undefined
	/** Process id of the broker child. */
	pid(): number | undefined
	connected(): boolean
	counters(): BrokerCounters & { readonly incidents: Readonly<Record<string, number>> }
	/** A command was requested in this process and is committed: no need to wait for the ledger's bell, nor to look it up. */
	requested(command: Command): void
	/** There is a newer bundle or lease. False: not now; the controller asks when it is back. */
	notify(controller: Id<'controller'>, message: LinkAuthority): Promise<boolean>
	close(): Promise<void>
}

/** `LWlk`: one process of an installation has the link, and so every controller's messages stay in order. */
const LOCK = 0x4c_57_6c_6b
const STANDBY_MS = 2_000
const CHECK_EVERY_MS = 5_000
const PORT_RENEW_BEFORE_MS = 30 * DAY_MS

/** Takes the link, or stands by until whoever has it is gone. Rejects when the port cannot be opened. */
export async function openLink(parts: LinkParts): Promise<Link> {
	const { store, pace, log } = parts
	const told = tally(
		pace.mono,
		(incident: LinkIncident | BrokerIncident) => ('code' in incident ? incident.code : incident.what),
		(incident) => {
			const { cause, ...about } = incident as LinkIncident
			log({ level: 'warn', part: 'link', ...about, ...(cause instanceof Error && { error: cause.message }) })
		},
	)
	const incident = told.tell
	let owned: Owned | undefined
	let lock: { close(): Promise<void> } | undefined
	let closed = false
	let cancel = () => {}

	const lost = () => {
		lock = undefined
		// Its connection is gone, not yet the link: whoever else has got the lock meanwhile is the owner.
		if (!closed) cancel = pace.after(STANDBY_MS / 4, () => void attempt().catch(failed))
	}
	const failed = (cause: unknown) => {
		incident({ code: 'failed', text: 'the link could not be taken', cause })
		if (!closed) cancel = pace.after(STANDBY_MS, () => void attempt().catch(failed))
	}
	const attempt = async (): Promise<void> => {
		lock ??= await store.hold(LOCK, lost)
		if (closed) return
		if (!lock) {
			const left = owned
			owned = undefined
			await left?.close()
			cancel = pace.after(STANDBY_MS, () => void attempt().catch(failed))
		} else owned ??= await own(parts, incident)
	}
	await attempt().catch(async (fault) => {
		await lock?.close()
		throw fault
	})

	return {
		owner: () => owned !== undefined,
		ports: () => owned?.broker.ports(),
		pid: () => owned?.broker.pid(),
		connected: () => owned?.link.connected() ?? false,
		counters: () => ({ ...(owned?.broker.counters() ?? { connected: 0 }), incidents: told.counted() }),
		requested: (command) => owned?.link.requested(command),
		notify: async (controller, message) => (await owned?.link.notify(controller, message)) ?? false,
		async close() {
			closed = true
			cancel()
			await owned?.close()
			await lock?.close()
		},
	}
}

interface Owned {
	readonly broker: Broker
	readonly link: ServerLink
	close(): Promise<void>
}

async function own(parts: LinkParts, incident: (told: LinkIncident | BrokerIncident) => void): Promise<Owned> {
	const { config, store, watch, master, pace, random, handlers, siteKey, log } = parts
	const clock: Clock = { now: parts.clock.now, mono: pace.mono, after: pace.after }
	const { external } = config
	const failed = (cause: unknown) => incident({ code: 'failed', text: cause instanceof Error ? cause.message : String(cause), cause })
	const opened: (() => unknown)[] = []
	const close = async () => {
		for (const end of opened.splice(0).reverse()) await end()
	}
	try {
		const { folder, remove } = socketFolder(config.folder)
		opened.push(remove)
		const root = await store.system((tx) => portAuthority(tx, { master, now: clock.now(), random }))
		let port = await portFrom(root, parts)
		// An external broker starts with files that hold something.
		if (external)
			for (const { id } of await store.system(allTenants)) await store.write(id, (tx) => deviceAuthority(tx, { master, now: clock.now(), random }))
		const trust = await openTrust(store, clock, async (state) => {
			broker.update({ port, ...state })
			await tellExternal()
		})
		const tellExternal = async () => {
			if (external?.trust === undefined) return
			const lists = await store.system((tx) => revocationLists(tx, { master, now: clock.now(), random }))
			mkdirSync(external.trust, { recursive: true })
			// Certificates and numbers of revoked ones are no secrets, and the broker is another user.
			chmodSync(external.trust, 0o755)
			replace(join(external.trust, 'devices.pem'), trust.state().authorities.join(''))
			replace(join(external.trust, 'revoked.pem'), lists.join(''))
		}
		await tellExternal()
		const directory = openDirectory(store, clock)
		const changed = async () => {
			directory.forget()
			await trust.refresh()
		}
		const { external: _, names, publicUrl, enrolmentRate, ...own } = config
		const broker = await startBroker(
			{ ...own, folder, mqtt: external === undefined },
			{ port, ...trust.state() },
			{ clock, random, incident, log: (text) => log({ level: 'warn', part: 'broker', text }) },
		)
		opened.push(broker.stop)
		const time = signedTime({ store, master, clock })
		const reached = () => {
			const https = publicUrl ?? `https://${names[0] ?? 'localhost'}:${broker.ports().device}`
			return { ca: root.certificate, https, mqtt: external?.controllersUrl ?? `${https.replace(/^http/, 'ws')}${LINK_PATH}` }
		}
		const routes = await openDeviceRoutes({
			path: socketPaths(folder).upstream,
			store,
			clock,
			random,
			trust: trust.device,
			directory,
			handlers,
			enrolment: { store, master, clock, random, siteKey, port: reached, changed, ...(external?.ca && { brokerCa: external.ca }) },
			time,
			...(enrolmentRate && { enrolmentRate }),
			incident,
		})
		opened.push(routes.close)
		const client = external ? externalClient(external) : internalClient(broker)
		const link = openServerLink({ client, store, clock, random, master, directory, handlers, time, incident })
		opened.push(link.close)
		opened.push(watch.subscribe(() => link.wake()))

		let untellChanged = () => {}
		const revocations = follow(
			{ store, watch, pace, failed },
			{
				name: 'link-revocations',
				from: 'start',
				async handle(tx, events) {
					const revoked = events.filter(({ body }) => body.type === 'controller.revoked')
					for (const { body } of revoked) await revokeCertificates(tx, body.subject as Id<'controller'>, clock.now())
					// Seen by others once it is committed.
					if (revoked.length > 0) untellChanged = clock.after(20, () => void changed().catch(failed))
				},
			},
		)
		opened.push(revocations.close, () => untellChanged())

		let cancel = () => {}
		const check = async () => {
			const since = link.listeningSince()
			if (since !== undefined) await store.system((tx) => judgeOutages(tx, clock.now(), since, random))
			await trust.refresh()
			if (clock.now() > port.expiresAt - PORT_RENEW_BEFORE_MS) {
				port = await portFrom(root, parts)
				broker.update({ port, ...trust.state() })
			}
		}
		const checkAgain = () => {
			cancel = clock.after(CHECK_EVERY_MS, () => void check().catch(failed).finally(checkAgain))
		}
		checkAgain()
		opened.push(() => cancel())
		return { broker, link, close }
	} catch (fault) {
		await close()
		throw fault
	}
}

/** Whoever reads it never sees half a file. */
function replace(path: string, text: string): void {
	writeFileSync(`${path}.new`, text)
	chmodSync(`${path}.new`, 0o644)
	renameSync(`${path}.new`, path)
}

const portFrom = (root: Authority, { config, clock, random }: LinkParts) =>
	issuePort(root, { names: [...new Set([...config.names, 'localhost', '127.0.0.1', '::1'])], now: clock.now(), random })

function externalClient({ url, ca }: ExternalBroker): MqttClient {
	const client = mqtt.connect(url, {
		clientId: 'latchwork-server',
		clean: true,
		protocolVersion: 4,
		keepalive: 30,
		reconnectPeriod: 1_000,
		resubscribe: false,
		...(ca && { ca }),
	})
	// A command and its acknowledgement take 0.1 ms with it and 88 ms without (docs/guides/operator.md).
	client.on('connect', () => (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true))
	return client
}
