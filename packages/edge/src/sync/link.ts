import { acceptTime, type PinnedKeys } from '@latchwork/core/access'
import { type Clock, type Crypto, type Id, isFault, type Random } from '@latchwork/core/base'
import {
	DEVICE_PATHS,
	type DownChannel,
	type LinkAck,
	type LinkAnswer,
	type LinkAuthority,
	type LinkCommand,
	type LinkResult,
	type LinkStatus,
	linkAck,
	MAX_LINK_BYTES,
	readDown,
	readTopic,
	STATUS_EVERY_MS,
	timeAnswer,
	type UpChannel,
} from '@latchwork/core/wire'
import type { Journal } from '../journal/index.ts'
import type { TrustedTime } from '../time.ts'
import { newAsk, openAsks, type Question } from './asks.ts'
import type { AuthoritySource } from './authority.ts'
import { backoff } from './backoff.ts'
import type { DeviceHttp } from './device-http.ts'
import type { Batch, Outbox } from './outbox.ts'
import { openPull } from './pull.ts'

/** Opens a session with the broker; `up` when it is ready both ways, `down` once, whether or not it ever was. */
export type Connect = (on: { up(): void; message(topic: string, payload: Uint8Array): void; down(why: string): void }) => LinkSession

export interface LinkSession {
	/** At most once: what becomes of it is not told. */
	publish(channel: UpChannel, text: string): void
	/** Sends what is on its way, and goes without its will being told. */
	close(): Promise<void>
}

/** A server that can be spoken with: events up, authority and commands down. */
export interface Link {
	start(): void
	/** The server itself has answered just now, by whichever way. */
	online(): boolean
	state(): LinkState
	/** Undefined: no answer in time; take the offline path. */
	ask(question: Question): Promise<LinkAnswer | undefined>
	result(result: LinkResult): void
	/** There is a newer bundle, as somebody has heard. */
	refresh(): void
	/** Leaves and comes again, by a new certificate. */
	again(): void
	stop(): Promise<void>
}

export interface LinkState {
	readonly online: boolean
	/** `mqtt`: all of it; `https`: the network cuts the other way, so no commands and no questions. */
	readonly way: 'mqtt' | 'https' | 'none'
	/** Gone for so long that it is on record and on the screen; a short gap is nobody's concern. */
	readonly lost: boolean
	/** Why the last session ended. */
	readonly why: string | undefined
	/** Messages that were none, or on no topic of ours. */
	readonly dropped: number
}

export interface LinkParts {
	readonly controller: Id<'controller'>
	readonly bank: Id<'bank'>
	readonly clock: Pick<Clock, 'mono' | 'after'>
	readonly random: Random
	readonly journal: Pick<Journal, 'fact' | 'commit'>
	readonly outbox: Outbox
	readonly authority: AuthoritySource
	readonly time: TrustedTime
	readonly keys: PinnedKeys
	readonly crypto: Crypto
	readonly connect: Connect
	readonly http: DeviceHttp
	readonly status: () => LinkStatus
	readonly command: (command: LinkCommand) => void
	/** Results that the server may not have heard. */
	readonly results: () => readonly LinkResult[]
	/** The server refuses our certificate. */
	readonly doubted: () => void
	/** `online` or `lost` may have changed. */
	readonly changed: () => void
}

const FIRST_RETRY_MS = 1_000
const MOST_RETRY_MS = 60_000
/** After so many sessions in a row that did not come to be, HTTPS is tried as well. */
const FAILURES_BEFORE_HTTPS = 3
const POLL_EVERY_MS = 30_000
/** Without a word of the server for so long it is asked; for so long, and it is not there, whatever the broker says. */
const QUIET_MS = 45_000
const SILENT_MS = 90_000
/** workflows.md §3.0, outage: raw. */
const LOST_AFTER_MS = 60_000
/** A clock without a network of its own drifts by a second or so in this time. */
const TIME_EVERY_MS = 3_600_000
/** A lease is refreshed each minute; one that is older has been missed. */
const LEASE_OLD_MS = 180_000
const COUNTS_EVERY_MS = 600_000
const LOST = { kind: 'link', key: 'lost' } as const

export function openLink(parts: LinkParts): Link {
	const { clock, random, outbox, journal, http, authority } = parts
	const patience = backoff(random, FIRST_RETRY_MS, MOST_RETRY_MS)
	let session: LinkSession | undefined
	let way: LinkState['way'] = 'none'
	let heardAt = Number.NEGATIVE_INFINITY
	let online = false
	let failures = 0
	let why: string | undefined
	let dropped = 0
	let stopped = false
	let cancelRetry = () => {}
	let cancelPoll: (() => void) | undefined
	let cancelTick = () => {}
	let cancelLost = () => {}

	const publish = (channel: UpChannel, message: object): void => session?.publish(channel, JSON.stringify(message))
	const asks = openAsks({ clock, random, send: (ask) => publish('asks', ask) })

	// ── is the server there? ──

	const heard = (): void => {
		heardAt = clock.mono()
		look()
	}

	const look = (): void => {
		const now = way !== 'none' && clock.mono() - heardAt < SILENT_MS
		if (now === online) return
		online = now
		cancelLost()
		if (online) note(false)
		else cancelLost = clock.after(LOST_AFTER_MS, () => note(true))
		parts.changed()
	}

	const isLost = (): boolean => journal.fact(LOST.kind, LOST.key) !== undefined

	/** Recorded once it has lasted, so that a link that flaps all night is one line and not a thousand. */
	const note = (lost: boolean): void => {
		if (lost === isLost()) return
		const event = { type: lost ? 'controller.link-lost' : 'controller.link-restored', subject: parts.controller, actor: 'edge', data: {} } as const
		try {
			journal.commit({ events: [event], ...(lost ? { put: [{ ...LOST, body: parts.time.now() }] } : { drop: [LOST] }), essential: true })
			parts.changed()
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			cancelLost = clock.after(LOST_AFTER_MS, () => online === lost || note(lost))
		}
	}

	const hearTime = (signed: string, ask: string): void => {
		const at = acceptTime(signed, { keys: parts.keys, crypto: parts.crypto, ask })
		if (at !== undefined) parts.time.heard(at)
	}

	let timeAskedAt = Number.NEGATIVE_INFINITY
	const askTime = async (): Promise<void> => {
		timeAskedAt = clock.mono()
		const id = newAsk(random)
		const answer = await asks.ask({ kind: 'time' }, id)
		if (answer?.kind === 'time') hearTime(answer.signed, id)
	}

	let countedAt = Number.NEGATIVE_INFINITY
	const held = (): { deltas?: number; people: number } => {
		const { deltas, people } = authority.held()
		// By HTTPS no delta comes: each loan elsewhere would be a whole bundle.
		if (way !== 'mqtt' && clock.mono() - countedAt < COUNTS_EVERY_MS) return { people }
		countedAt = clock.mono()
		return { deltas, people }
	}
	const pull = openPull({ bank: parts.bank, http, authority, held, clock, random, reached: () => heard() })

	// ── by MQTT ──

	const attempt = (): void => {
		cancelRetry()
		if (stopped || session) return
		session = parts.connect({ up, message, down })
	}

	const up = (): void => {
		failures = 0
		patience.reset()
		cancelPoll?.()
		cancelPoll = undefined
		way = 'mqtt'
		publish('status', parts.status())
		void askTime()
		for (const result of parts.results()) publish('results', result)
		outbox.resume((batch) => (Buffer.byteLength(batch.text) > MAX_LINK_BYTES ? void post(batch) : session?.publish('events', batch.text)))
		pull.resume()
		pull.want('bundle')
		pull.want('lease')
	}

	const down = (because: string): void => {
		session = undefined
		why = because
		failures += 1
		if (way === 'mqtt') leave()
		if (stopped) return
		cancelRetry = clock.after(patience.next(), attempt)
		if (failures >= FAILURES_BEFORE_HTTPS && cancelPoll === undefined) void poll()
	}

	const leave = (): void => {
		way = 'none'
		outbox.pause()
		pull.pause()
		asks.giveUp()
		look()
	}

	const message = (topic: string, payload: Uint8Array): void => {
		const at = readTopic(topic)
		const read = at?.way === 'down' && at.controller === parts.controller ? readDown(at.channel, payload) : undefined
		if (at?.way !== 'down' || !read?.ok) {
			dropped += 1
			return
		}
		heard()
		take(at.channel, read.message)
	}

	const take = (channel: DownChannel, told: unknown): void => {
		if (channel === 'acks') outbox.heard(told as LinkAck)
		else if (channel === 'answers') asks.heard(told as LinkAnswer)
		else if (channel === 'commands') parts.command(told as LinkCommand)
		else renewed(told as LinkAuthority)
	}

	const renewed = (told: LinkAuthority): void => {
		if (told.bank !== parts.bank) return
		if (told.kind === 'bundle') {
			if (told.version > (authority.current()?.bundle.version ?? 0)) pull.want('bundle')
			return
		}
		if (told.kind === 'delta') {
			// Every other answer than this one is made good by the newest bundle.
			if (authority.takeDelta(told.delta) !== 'taken') pull.want('bundle')
			return
		}
		if (!authority.take('lease', told.lease)) return pull.want('lease')
		// A notice may have been missed: the lease names the newest bundle, and the newest deltas that counted loans and told of people.
		const { bundleVersion = 0, deltas = 0, people = 0 } = authority.moment().lease ?? {}
		const known = authority.held()
		if (bundleVersion > (authority.current()?.bundle.version ?? 0) || deltas > known.deltas || people > known.people) pull.want('bundle')
	}

	const tick = (): void => {
		cancelTick = clock.after(STATUS_EVERY_MS, tick)
		if (way === 'mqtt') {
			publish('status', parts.status())
			// A clock that was moved is set right now, not in an hour.
			if (clock.mono() - heardAt > QUIET_MS || clock.mono() - timeAskedAt > TIME_EVERY_MS || parts.time.uncertain()) void askTime()
			if (parts.time.now() - (authority.moment().lease?.issuedAt ?? 0) > LEASE_OLD_MS) pull.want('lease')
		}
		look()
	}

	// ── by HTTPS, where the other way is cut ──

	const poll = async (): Promise<void> => {
		cancelPoll = clock.after(POLL_EVERY_MS, () => void poll())
		const ask = newAsk(random)
		const answer = await http.ask('GET', DEVICE_PATHS.time(ask)).catch(unreachable)
		if (stopped || way === 'mqtt') return
		if (answer?.status === 401 || answer?.status === 403) parts.doubted()
		const told = answer?.status === 200 ? timeAnswer.safeParse(parsed(answer.text)) : undefined
		if (!told?.success) {
			if (way === 'https') leave()
			return
		}
		if (way !== 'https') {
			way = 'https'
			outbox.resume((batch) => void post(batch))
			pull.resume()
		}
		hearTime(told.data.signed, ask)
		heard()
		pull.want('lease')
		pull.want('bundle')
	}

	/** One after the other: the server takes a stream in order. */
	let posting: Promise<unknown> = Promise.resolve()
	const post = (batch: Batch): Promise<void> => {
		const turn = posting.then(async () => {
			if (way === 'none') return
			const answer = await http.ask('POST', DEVICE_PATHS.events, { body: batch.text }).catch(unreachable)
			const ack = answer?.status === 200 ? linkAck.safeParse(parsed(answer.text)) : undefined
			// Nothing that counts: the outbox sends it again after a while.
			if (!ack?.success) return
			heard()
			outbox.heard(ack.data)
		})
		// One that fails is told below; the next does not wait for it for ever.
		posting = turn.catch(() => {})
		return turn
	}

	return {
		start() {
			cancelLost = clock.after(LOST_AFTER_MS, () => note(true))
			cancelTick = clock.after(STATUS_EVERY_MS, tick)
			attempt()
		},
		online: () => online,
		state: () => ({ online, way, lost: isLost() && !online, why: online ? undefined : why, dropped }),
		ask: (question) => (way === 'mqtt' && online ? asks.ask(question) : Promise.resolve(undefined)),
		result: (result) => publish('results', result),
		refresh: () => pull.want('bundle'),
		again() {
			const last = session
			session = undefined
			if (way !== 'none') leave()
			void last?.close()
			cancelRetry()
			cancelRetry = clock.after(FIRST_RETRY_MS, attempt)
		},
		async stop() {
			stopped = true
			cancelRetry()
			cancelPoll?.()
			cancelTick()
			cancelLost()
			publish('status', { v: 1, online: false, reason: 'stopping' } satisfies LinkStatus)
			const last = session
			if (way !== 'none') leave()
			cancelLost()
			await last?.close()
			http.close()
		},
	}
}

function unreachable(fault: unknown): undefined {
	if (!isFault(fault, 'server-unreachable')) throw fault
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}
