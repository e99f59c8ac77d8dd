import { type Clock, Fault, type Id, isFault, type Random } from '@latchwork/core/base'
import {
	ALL_UP,
	ANSWER_WITHIN_MS,
	type DownChannel,
	type DownMessage,
	downTopic,
	type LinkAnswer,
	type LinkAsk,
	type LinkAuthority,
	type LinkEvents,
	type LinkResult,
	type LinkStatus,
	readTopic,
	readUp,
	type UpChannel,
	type UpMessage,
} from '@latchwork/core/wire'
import type { MqttClient } from 'mqtt'
import { heardController } from '../estate/index.ts'
import { type Command, keepReading, settleCommand } from '../space/index.ts'
import type { MasterKey, Store } from '../store/index.ts'
import { type CommandPump, openCommandPump } from './command-pump.ts'
import type { Directory, LinkSender } from './directory.ts'
import type { LinkHandlers, LinkIncident } from './handlers.ts'
import type { SignedTime } from './signed-time.ts'

export interface ServerLinkParts {
	/** Connects again by itself. */
	readonly client: MqttClient
	readonly store: Store
	readonly clock: Clock
	readonly random: Random
	/** Seals what a reader said of a badge. */
	readonly master: MasterKey
	readonly directory: Directory
	readonly handlers: LinkHandlers
	readonly time: SignedTime
	readonly incident: (incident: LinkIncident) => void
}

export interface ServerLink {
	/** A log has grown: there may be a command. */
	wake(): void
	/** Sends this command, which is committed and was not sent yet. */
	requested(command: Command): void
	/** Tells a controller that there is something newer. False: the broker is away, and it will ask by itself when it is back. */
	notify(controller: Id<'controller'>, message: LinkAuthority): Promise<boolean>
	connected(): boolean
	/** Since when controllers could be heard without a break; undefined: they cannot. */
	listeningSince(): number | undefined
	close(): Promise<void>
}

/** Messages of one controller that are not done; what comes above is dropped, and is sent again by its owner. */
const MOST_OF_ONE = 64
/** Of all: above it no more is read from the broker, which then reads no more from controllers. */
const MOST_OF_ALL = 1_024

interface Lane {
	/** Messages of one controller are begun in the order of their coming. */
	chain: Promise<void>
	waiting: number
}

/**
 * The server's end of the link. Whoever sends is who the broker says, by the topic; what it may say is judged here once more. A message that is none is
 * dropped, counted and told. An acknowledgement leaves after the commit and not before.
 */
export function openServerLink(parts: ServerLinkParts): ServerLink {
	const { client, store, clock, random, directory, handlers, incident } = parts
	const lanes = new Map<Id<'controller'>, Lane>()
	const underWay = new Set<(sent: boolean) => void>()
	const working = new Set<Promise<void>>()
	let waiting = 0
	let resume: (() => void) | undefined
	let since: number | undefined
	let closing = false

	/** True: the broker has it. What was under way when the connection broke counts as not sent; its owner sends it again. */
	const send = <C extends DownChannel>(controller: Id<'controller'>, channel: C, message: DownMessage<C>): Promise<boolean> =>
		new Promise((resolve) => {
			if (!client.connected) return resolve(false)
			const settle = (sent: boolean) => {
				underWay.delete(settle)
				resolve(sent)
			}
			underWay.add(settle)
			client.publish(downTopic(controller, channel), JSON.stringify(message), { qos: 1 }, (cause) => settle(!cause))
		})

	const events = async (sender: LinkSender, batch: LinkEvents) => {
		const { stream, seq, want, refused } = await handlers.ingest(sender, batch)
		const about = { v: 1, stream } as const
		await send(sender.controller, 'acks', { ...about, seq })
		if (want) await send(sender.controller, 'acks', { ...about, want })
		if (refused) await send(sender.controller, 'acks', { ...about, refused })
	}

	const asks = async (sender: LinkSender, ask: LinkAsk) => {
		const began = clock.mono()
		const answer = await answerTo(sender, ask).catch((cause): LinkAnswer => {
			tell(sender.controller, cause)
			return { v: 1, id: ask.id, kind: 'refused', code: isFault(cause) ? cause.code : 'internal' }
		})
		// Nobody waits for it any more.
		if (clock.mono() - began < ANSWER_WITHIN_MS) await send(sender.controller, 'answers', answer)
	}

	const answerTo = async (sender: LinkSender, ask: LinkAsk): Promise<LinkAnswer> => {
		const { v, id, kind } = ask
		if (kind === 'time') return { v, id, kind, signed: await parts.time(sender.tenant, id) }
		if (ask.bank !== sender.bank) throw new Fault('not-found', 'This controller has no authority over the bank that it asks about.')
		const known = await handlers.credential(sender, ask.verifier)
		if (!known) return { v, id, kind, known: false }
		return { v, id, kind, known: true, bundle: known.bundle, ...(known.people > 0 && { people: known.people }) }
	}

	const results = async ({ tenant, controller }: LinkSender, result: LinkResult) => {
		const terms = { now: clock.now(), random, master: parts.master }
		const how = await store.write(tenant, async (tx) => {
			const settled = await settleCommand(tx, controller, result, terms)
			if (settled === 'settled' && result.reading) await keepReading(tx, result.id, result.reading, terms)
			return settled
		})
		if (how === 'foreign') incident({ code: 'message-invalid', controller, text: `result of ${result.id}, which it was not asked for` })
		if (how === 'contradicts') incident({ code: 'command-contradicted', controller, text: `${result.id}: ${result.state}` })
	}

	const status = async (sender: LinkSender, said: LinkStatus) => {
		const { tenant, controller, bank } = sender
		const level = said.online && said.storageLevel ? { storageLevel: said.storageLevel } : {}
		const about = said.online ? { software: said.software, stream: said.stream, seq: said.seq, ...level } : {}
		await store.write(tenant, (tx) => heardController(tx, { controller, bank, now: clock.now(), online: said.online, ...about }, random))
		// What was sent while it was not there is sent again: it does each command once.
		if (said.online) commands.again(controller)
		await handlers.heard?.(sender, said)
	}

	/** Events and questions are begun in order and done side by side; what becomes of commands and of the link itself is done in order. */
	const take = {
		events: { done: events, apart: true },
		asks: { done: asks, apart: true },
		results: { done: results, apart: false },
		status: { done: status, apart: false },
	} as const

	const tell = (controller: Id<'controller'> | undefined, cause: unknown) =>
		incident({ code: 'failed', ...(controller && { controller }), text: cause instanceof Error ? cause.message : String(cause), cause })

	const arrived = (topic: string, payload: Uint8Array): void => {
		const to = readTopic(topic)
		if (to?.way !== 'up') return incident({ code: 'message-invalid', text: `topic ${topic.slice(0, 120)}` })
		const { controller, channel } = to
		const lane = lanes.get(controller) ?? { chain: Promise.resolve(), waiting: 0 }
		if (lane.waiting >= MOST_OF_ONE) return incident({ code: 'overloaded', controller, text: `${lane.waiting} messages wait; this one is dropped` })
		lanes.set(controller, lane)
		lane.waiting += 1
		waiting += 1
		let finish = () => {}
		const message = new Promise<void>((resolve) => {
			finish = resolve
		})
		working.add(message)
		const done = () => {
			finish()
			working.delete(message)
			lane.waiting -= 1
			waiting -= 1
			if (lane.waiting === 0) lanes.delete(controller)
			if (waiting < MOST_OF_ALL) resume?.()
		}
		lane.chain = lane.chain.then(() => begin(controller, channel, payload, done)).catch((cause) => tell(controller, cause))
	}

	/** Resolves when the next message of this controller may begin. */
	const begin = async <C extends UpChannel>(controller: Id<'controller'>, channel: C, payload: Uint8Array, done: () => void): Promise<void> => {
		let apart = false
		try {
			const read = readUp(channel, payload)
			if (!read.ok) return incident({ code: 'message-invalid', controller, text: `${channel}: ${read.text}` })
			const sender = await directory.find(controller)
			if (!sender) return incident({ code: 'certificate-invalid', controller, text: `${channel} of a controller that is not enrolled` })
			const { done: work, apart: sideBySide } = take[channel] as {
				done: (sender: LinkSender, message: UpMessage<C>) => Promise<void>
				apart: boolean
			}
			const doing = work(sender, read.message)
			if (!sideBySide) return await doing
			apart = true
			void doing.catch((cause) => tell(controller, cause)).finally(done)
		} finally {
			if (!apart) done()
		}
	}

	client.handleMessage = (packet, next) => {
		arrived(packet.topic, packet.payload as Uint8Array)
		if (waiting < MOST_OF_ALL) return next()
		// Unread bytes stay in the socket, and the broker waits.
		resume = () => {
			resume = undefined
			next()
		}
	}
	const subscribe = () => {
		client.subscribeAsync(ALL_UP, { qos: 1 }).then(
			() => {
				since ??= clock.now()
				commands.wake()
			},
			(cause) => tell(undefined, cause),
		)
	}
	const lost = () => {
		since = undefined
		for (const settle of underWay) settle(false)
	}
	let away = false
	client.on('connect', subscribe).on('close', lost)
	client.on('connect', () => {
		away = false
	})
	// It is tried each second: that it is away is said once.
	client.on('error', (cause) => {
		if (!away) tell(undefined, cause)
		away = true
	})

	const commands: CommandPump = openCommandPump({
		store,
		clock,
		random,
		send: (controller, message) => send(controller, 'commands', message),
		failed: (cause) => tell(undefined, cause),
	})
	if (client.connected) subscribe()

	return {
		wake: commands.wake,
		requested: commands.requested,
		notify: (controller, message) => send(controller, 'authority', message),
		connected: () => client.connected,
		listeningSince: () => since,
		async close() {
			if (closing) return
			closing = true
			client.off('connect', subscribe)
			// What has begun is finished, so that it is acknowledged; nothing new is begun.
			// It is passed over, not held: behind a message that is held no acknowledgement is read, and what has begun would wait for it.
			client.handleMessage = (_, next) => next()
			await commands.close()
			await Promise.all(working)
			await client.endAsync(true)
			lost()
		},
	}
}
