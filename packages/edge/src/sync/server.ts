import { knowsVerifier, type PinnedKeys } from '@latchwork/core/access'
import { type Clock, type Crypto, isFault, type Random } from '@latchwork/core/base'
import type { Step } from '@latchwork/core/door'
import { ANSWER_WITHIN_MS, type Claimed, type LinkStatus } from '@latchwork/core/wire'
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
	/** Lets this machine in anew by a code that somebody typed at it; its faults are those of `claimAnew`. */
	readonly claim: (code: string) => Promise<'as-before' | 'restart'>
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
	/** The server lets this controller in no more, and a claim code can be typed. */
	needsClaim(): boolean
	claim(code: string): Promise<Claimed>
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
	const renewal = openRenewal({ identity: door.identity, http: door.http, clock, random, now: time.now, renewed: link.again, changed: parts.changed })
	/** Those who wait for a bundle. */
	const waiting = new Set<() => void>()

	const needsClaim = (): boolean => !link.online() && renewal.refused()

	const statusOf = (): LinkStatus => {
		const { stream, seq } = journal.head()
		const { lease } = authority.moment()
		const known = authority.current()
		return {
			v: 1,
			online: true,
			at: time.now(),
			clock: time.uncertain() ? 'uncertain' : 'good',
			startedAt,
			stream,
			seq,
			pending: outbox.state().pending,
			bundle: known?.bundle.version ?? 0,
			...(lease && { leaseUntil: lease.until }),
			storage: journal.storage(),
			software: door.software,
			...(known && { storageLevel: `L${known.storageLevel}` as const }),
		}
	}

	return {
		online: link.online,
		lost: () => link.state().lost,
		needsClaim,
		async claim(code) {
			try {
				const how = await door.claim(code)
				journal.note({ type: 'controller.provisioned', subject: config.controller, actor: 'edge', data: { by: 'claim-code' } })
				renewal.settled()
				if (how === 'restart') door.restart()
				else link.again()
				return 'accepted'
			} catch (fault) {
				return refusalOf(fault)
			}
		},
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
		health: () => ({ ...link.state(), ...outbox.state(), server: door.address, certificateUntil: door.identity.until(), claim: needsClaim() }),
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

/** In words of the screen. Throws what nobody at a kiosk could do anything about. */
function refusalOf(fault: unknown): Claimed {
	if (isFault(fault, 'server-unreachable')) return 'unreachable'
	if (isFault(fault, 'rate-limited')) return 'too-many'
	if (isFault(fault)) return 'refused'
	if ((fault as { syscall?: string }).syscall !== undefined) return 'not-kept'
	throw fault
}
