import { join } from 'node:path'
import { type Clock, isFault } from '@latchwork/core/base'
import { custodyApplier, openAuthority } from './authority/index.ts'
import { badgeLossApplier, badgeUseApplier, caseApplier, caseDeadlines, codeUseApplier, openTask, ownOf, runDeadlines } from './cases/index.ts'
import { nodeCrypto } from './crypto.ts'
import { applyEdgeEvents } from './estate/index.ts'
import { openInbox, openSequencer, openWatch, type Watch } from './ledger/index.ts'
import { type Link, openLink } from './link/index.ts'
import { logSigner } from './log-signer.ts'
import type { Parts } from './parts.ts'
import { credentialBy, ensureSiteKey, mintKeysOf, rotatedSiteKey } from './people/index.ts'
import { commandApplier, pinApplier } from './space/index.ts'
import { settingsOf } from './tenants/index.ts'

/** A process and a socket are waited for in real time, also where the site's time is moved or stands still. */
export const pace: Pick<Clock, 'after' | 'mono'> = {
	mono: () => performance.now(),
	after(ms, run) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
}

/** What the server does besides answering requests. */
export interface Works {
	readonly watch: Watch
	readonly link: Link
	/** `https://…` of the device port. */
	device(): string | undefined
	close(): Promise<void>
}

/** Each part that is open ends in the opposite order, also when a later one does not open. */
export async function openWorks(parts: Parts): Promise<Works> {
	const { store, clock, random, master, config, terms, log } = parts
	const opened: (() => Promise<void> | void)[] = []
	const close = async () => {
		for (const end of opened.splice(0).reverse()) await end()
	}
	const failed = (part: string) => (cause: unknown) =>
		log({ level: isFault(cause, 'database-unavailable') ? 'warn' : 'error', part, text: cause instanceof Error ? cause.message : String(cause) })
	try {
		const watch = openWatch({ store, pace, failed: failed('watch') })
		opened.push(watch.close)
		const sequencer = openSequencer({
			store,
			clock,
			pace,
			random,
			failed: failed('sequencer'),
			signerOf: logSigner(parts),
		})
		opened.push(sequencer.close)
		const inbox = openInbox({
			store,
			clock,
			random,
			crypto: nodeCrypto,
			appliers: [
				applyEdgeEvents,
				custodyApplier({ random }),
				caseApplier({ random, master }),
				commandApplier({ random }),
				pinApplier({ random }),
				badgeUseApplier({ random }),
				badgeLossApplier(terms),
				codeUseApplier({ random }),
			],
			unapplied: async (tx, { stream, seq, type, subject }, { bank, site, now }, cause) => {
				failed('inbox')(cause)
				const about = await ownOf(tx, bank, subject)
				await openTask(tx, { kind: 'event-unapplied', site, bank, ...about, detail: { stream, seq, type, subject } }, { now, random })
			},
			recorded: sequencer.nudge,
		})

		let link: Link | undefined
		const authority = openAuthority({
			store,
			clock,
			pace,
			people: terms,
			crypto: nodeCrypto,
			log,
			publish({ tenant: _, controller, ...news }) {
				const message = { v: 1 as const, ...news }
				void link?.notify(controller, message).catch(failed('link'))
			},
			reaches: () => link?.owner() ?? false,
		})
		opened.push(authority.stop)

		const { device } = config
		link = await openLink({
			store,
			watch,
			master,
			clock,
			pace,
			random,
			log,
			config: {
				device: { host: device.host, port: device.port },
				...(device.mqttsPort !== undefined && { mqtts: { host: device.host, port: device.mqttsPort } }),
				folder: join(config.data, 'link'),
				names: device.names,
				environment: {},
				...(device.publicUrl && { publicUrl: device.publicUrl }),
				...(device.external && { external: device.external }),
			},
			async siteKey(tx, site) {
				const key = await ensureSiteKey(tx, site, terms, clock.now())
				// What a machine writes to its disk when it enrols is then nobody's key; the site's own comes with each bundle.
				return (await settingsOf(tx, { site })).siteKeyInMemory ? random(32) : key
			},
			handlers: {
				ingest: (sender, batch) => inbox.ingest(sender, batch),
				async credential({ tenant, site, bank }, verifier) {
					const known = await store.read(tenant, (db) => credentialBy(db, site, verifier, clock.now()))
					return known && authority.renew(tenant, site, bank)
				},
				async bundle({ tenant, site, bank, controller }, held) {
					const found = await authority.current(tenant, bank, held)
					if (!found) return undefined
					return store.read(tenant, async (db) => ({
						...found,
						siteKey: await rotatedSiteKey(db, site, terms),
						mintKeys: await mintKeysOf(db, { bank, controller }, terms, clock.now()),
					}))
				},
				async lease({ tenant, bank }) {
					const text = await authority.lease(tenant, bank)
					return text === undefined ? undefined : { text, digest: Buffer.from(nodeCrypto.sha256(Buffer.from(text))).toString('hex') }
				},
			},
		})
		opened.push(link.close)
		opened.push(keepDeadlines(parts, failed('deadlines')))
		const opening = link
		const deviceUrl = () => {
			const ports = opening.ports()
			return ports && (device.publicUrl ?? `https://${device.names[0] ?? 'localhost'}:${ports.device}`)
		}
		return { watch, link, device: deviceUrl, close }
	} catch (fault) {
		await close()
		throw fault
	}
}

const LOOK_MS = 1_000

/** Does what has become due, by the site's clock. */
function keepDeadlines({ store, clock, random }: Parts, failed: (cause: unknown) => void): () => Promise<void> {
	const handlers = caseDeadlines(random)
	let stopped = false
	let cancel = () => {}
	let working: Promise<unknown> = Promise.resolve()
	const look = async () => {
		try {
			while (!stopped && (await runDeadlines(store, handlers, clock.now(), (_, cause) => failed(cause))) > 0);
		} catch (cause) {
			failed(cause)
		}
		if (!stopped) plan()
	}
	const plan = () => {
		cancel = clock.after(LOOK_MS, () => {
			working = look()
		})
	}
	plan()
	return async () => {
		stopped = true
		cancel()
		await working
	}
}
