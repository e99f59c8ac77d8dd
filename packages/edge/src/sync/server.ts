import { knowsVerifier, type PinnedKeys } from '@latchwork/core/access'
import type { Clock, Crypto, Random } from '@latchwork/core/base'
import type { Step } from '@latchwork/core/door'
import { ANSWER_WITHIN_MS, type LinkStatus } from '@latchwork/core/wire'
import type { Bank } from '../bank/index.ts'
import type { EdgeConfig } from '../config.ts'
import type { LinkHealth } from '../health.ts'
import type { Identity } from '../identity.ts'
import type { Entry, Journal } from '../journal/index.ts'
import type { KioskSession } from '../kiosk/index.ts'
import type { TrustedTime } from '../time.ts'
import type { AuthoritySource } from './authority.ts'
import { openCommands } from './commands.ts'
import type { DeviceHttp } from './device-http.ts'
import { type Connect, openLink } from './link.ts'
import { openOutbox } from './outbox.ts'
import { openRenewal } from './renewal.ts'

/** The sockets to a server, built by the composition root. */
export interface ServerDoor {
	/** As a person would name it. */
	readonly address: string
	readonly connect: Connect
	readonly http: DeviceHttp
	readonly identity: Identity
	/** Version of this program. */
	readonly software: string
	/** Ends this process in peace, to be started anew. */
	readonly restart: () => void
}

export interface ServerParts {
	readonly door: ServerDoor
	readonly config: Pick<EdgeConfig, 'controller' | 'bank'>
	readonly journal: Journal
	readonly time: TrustedTime
	readonly clock: Clock
	readonly random: Random
	readonly keys: PinnedKeys
	readonly crypto: Crypto
	readonly authority: AuthoritySource
	readonly bank: () => Bank
	/** Somebody is identified at the kiosk. */
	readonly busy: () => boolean
	readonly readBadge: KioskSession['readBadge']
	readonly changed: () => void
}

/** Everything between this controller and the server that it is enrolled to. Without one there is none of it, and nothing here is needed to lend. */
export interface Server {
	online(): boolean
	lost(): boolean
	/** A badge that the bundle does not know: settles when the bundle knows it, when the server does not either, or when the time is over. */
	inquire(verifier: string): Promise<void> | undefined
	/** Results of commands whose door session ends: same transaction as the step. */
	follow(step: Step): NonNullable<Entry['put']>
	/** That step is durable. */
	stepped(step: Step): void
	/** Another bundle or lease is in force. */
	authorityChanged(): void
	health(): LinkHealth
	start(): void
	stop(): Promise<void>
}

export function openServer(parts: ServerParts): Server {
	const { door, config, journal, time, clock, random, authority } = parts
	const startedAt = time.now()
	const outbox = openOutbox({ journal, clock, random })
	const commands = openCommands({
		journal,
		bank: parts.bank,
		bankId: config.bank,
		authority,
		time,
		random,
		busy: parts.busy,
		readBadge: parts.readBadge,
		offline: () => !link.online(),
		send: (result) => link.result(result),
		restart: door.restart,
	})
	const link = openLink({
		controller: config.controller,
		bank: config.bank,
		clock,
		random,
		journal,
		outbox,
		authority,
		time,
		keys: parts.keys,
		crypto: parts.crypto,
		connect: door.connect,
		http: door.http,
		status: () => statusOf(),
		command: commands.take,
		results: commands.results,
		doubted: () => renewal.doubted(),
		changed: parts.changed,
	})
	const renewal = openRenewal({ identity: door.identity, http: door.http, clock, random, now: time.now, renewed: link.again })
	/** Those who wait for a bundle. */
	const waiting = new Set<() => void>()

	const statusOf = (): LinkStatus => {
		const { stream, seq } = journal.head()
		const { lease } = authority.moment()
		return {
			v: 1,
			online: true,
			at: time.now(),
			clock: time.uncertain() ? 'uncertain' : 'good',
			startedAt,
			stream,
			seq,
			pending: outbox.state().pending,
			bundle: authority.current()?.bundle.version ?? 0,
			...(lease && { leaseUntil: lease.until }),
			storage: journal.storage(),
			software: door.software,
			storageLevel: authority.current()?.bundle.settings.siteKeyInMemory ? 'L1' : 'L0',
		}
	}

	return {
		online: link.online,
		lost: () => link.state().lost,
		inquire(verifier) {
			if (!link.online() || link.state().way !== 'mqtt') return undefined
			return new Promise((resolve) => {
				const settle = () => {
					cancel()
					waiting.delete(look)
					resolve()
				}
				const look = () => {
					const bundle = authority.current()?.bundle
					if (bundle && knowsVerifier(bundle, verifier)) settle()
				}
				const cancel = clock.after(ANSWER_WITHIN_MS, settle)
				waiting.add(look)
				void link.ask({ kind: 'credential', bank: config.bank, verifier }).then((answer) => {
					if (answer?.kind !== 'credential' || !answer.known) return settle()
					// The notice of it may still be on its way.
					if ((authority.current()?.bundle.version ?? 0) < answer.bundle || authority.held().people < (answer.people ?? 0)) link.refresh()
					else settle()
				})
			})
		},
		follow: commands.follow,
		stepped: commands.stepped,
		authorityChanged() {
			for (const look of [...waiting]) look()
		},
		health: () => ({ ...link.state(), ...outbox.state(), server: door.address, certificateUntil: door.identity.until() }),
		start() {
			commands.begin()
			link.start()
			renewal.start()
		},
		async stop() {
			renewal.stop()
			outbox.stop()
			await link.stop()
		},
	}
}
