import { type Clock, type Crypto, type Id, isFault, type Random } from '@latchwork/core/base'
import type { Store } from '../store/index.ts'
import { type Examined, examine, type Sender, type StreamAnswer, type StreamBatch } from './admission.ts'
import { type Applier, type IngestTerms, ingestGroup } from './ingest-write.ts'

/** Takes what controllers send. Answers once it is durable; what it throws (the database is away) means: nothing was taken, send it again. */
export interface Inbox {
	ingest(sender: Sender, batch: StreamBatch): Promise<StreamAnswer>
}

export interface InboxTerms {
	readonly store: Store
	readonly clock: Pick<Clock, 'now'>
	readonly random: Random
	readonly crypto: Crypto
	readonly appliers: readonly Applier[]
	readonly unapplied?: IngestTerms['unapplied']
	/** Something was recorded: the sequencer of this process need not wait for its next look. */
	readonly recorded?: () => void
}

/** So many events in one transaction: more would only make the others wait longer. */
const MOST_EVENTS = 1_024
/** Transactions of one tenant at the same time: while one waits for the disk the next is prepared, and everything that comes meanwhile joins one more. */
const LANES = 2

interface Waiting {
	readonly examined: Examined
	resolve(answer: StreamAnswer): void
	reject(cause: unknown): void
}
interface Queue {
	waiting: Waiting[]
	/** Streams that are in a transaction now. */
	readonly busy: Set<string>
	running: number
}

export function openInbox(terms: InboxTerms): Inbox {
	const queues = new Map<Id<'tenant'>, Queue>()

	const run = async (tenant: Id<'tenant'>, group: readonly Waiting[], careful = false): Promise<void> => {
		const { store, clock, random, appliers, unapplied } = terms
		try {
			const given = { now: clock.now(), random, appliers, careful, ...(unapplied && { unapplied }) }
			const answers = await store.write(tenant, (tx) =>
				ingestGroup(
					tx,
					tenant,
					group.map(({ examined }) => examined),
					given,
				),
			)
			terms.recorded?.()
			for (const [i, answer] of answers.entries()) group[i]?.resolve(answer)
		} catch (cause) {
			// One message must not spoil what came with it by chance, nor one event its message.
			if (!careful && !isFault(cause, 'database-unavailable')) for (const one of group) await run(tenant, [one], true)
			else for (const one of group) one.reject(cause)
		}
	}

	const pump = (tenant: Id<'tenant'>): void => {
		const queue = queues.get(tenant)
		while (queue && queue.running < LANES) {
			const group = takeGroup(queue)
			if (group.length === 0) break
			queue.running++
			void run(tenant, group).then(() => {
				queue.running--
				for (const { examined } of group) queue.busy.delete(examined.batch.stream)
				pump(tenant)
			})
		}
		if (queue?.running === 0) queues.delete(tenant)
	}

	return {
		ingest: (sender, batch) =>
			new Promise((resolve, reject) => {
				const examined = examine(sender, batch, terms.crypto)
				const queue = queues.get(sender.tenant) ?? { waiting: [], busy: new Set(), running: 0 }
				queues.set(sender.tenant, queue)
				queue.waiting.push({ examined, resolve, reject })
				pump(sender.tenant)
			}),
	}
}

/** What may go next, in the order of its coming. A stream is in one transaction at a time: what overtakes its own past would look like a gap. */
function takeGroup(queue: Queue): Waiting[] {
	const group: Waiting[] = []
	const held: Waiting[] = []
	const passed = new Set<string>()
	let events = 0
	for (const one of queue.waiting) {
		const { batch, events: more } = one.examined
		events += more.length
		if (queue.busy.has(batch.stream) || passed.has(batch.stream) || (group.length > 0 && events > MOST_EVENTS)) {
			held.push(one)
			passed.add(batch.stream)
		} else group.push(one)
	}
	queue.waiting = held
	for (const { examined } of group) queue.busy.add(examined.batch.stream)
	return group
}
