import { type Clock, type Id, isFault, type Random } from '@latchwork/core/base'
import type { GrowingTree } from '@latchwork/core/ledger'
import type { Held, Store } from '../store/index.ts'
import { type Bell, bell } from './bell.ts'
import { dueCheckpoints, type SignerOf, writeCheckpoint } from './checkpoint-write.ts'
import { alarmGaps } from './gap-write.ts'
import { DamagedLog, isWaiting, type Shard, sequence } from './sequence-write.ts'

export interface SequencerTerms {
	readonly store: Store
	readonly clock: Pick<Clock, 'now'>
	/** For waiting between looks: real time, also where the clock of events stands still. */
	readonly pace: Pick<Clock, 'after' | 'mono'>
	readonly random: Random
	readonly signerOf: SignerOf
	/** Something went wrong and is tried again, or stands still until somebody looks (`log-invalid`). */
	readonly failed: (cause: unknown) => void
	/** The installation's sequencers: every process tries to be each of them. Default one. */
	readonly shards?: number
	/** How long an event waits for a checkpoint; 60 s is the promise. */
	readonly checkpointAfterMs?: number
}

/** Gives every event its position, and signs what the log has become. One process in the installation does it; the others stand by. */
export interface Sequencer {
	/** Something was recorded in this process: look now. */
	nudge(): void
	close(): Promise<void>
}

/** "ledger" on the keys of a telephone; the lock of a shard is this plus its number. */
const LOCK = 533_437_000
/** How long an event waits at most that was recorded by another process. */
const LOOK_MS = 25
const STAND_BY_MS = 500
const AFTER_FAULT_MS = 250
/** Checkpoints and gaps are looked for this often; signing more often than this helps nobody. */
const TEND_MS = 1_000
const MOST = 1_024

export function openSequencer(terms: SequencerTerms): Sequencer {
	const count = terms.shards ?? 1
	const closing = new AbortController()
	const shards = Array.from({ length: count }, (_, index) => {
		const wake = bell(terms.pace)
		return { wake, done: standBy({ index, count }, terms, wake, closing.signal) }
	})
	return {
		nudge() {
			for (const { wake } of shards) wake.ring()
		},
		async close() {
			closing.abort()
			await Promise.all(shards.map(({ done }) => done))
		},
	}
}

/** Waits until the shard is free, works for it until the connection breaks that holds it, and waits again. */
async function standBy(shard: Shard, terms: SequencerTerms, wake: Bell, closing: AbortSignal): Promise<void> {
	const pause = bell(terms.pace)
	while (!closing.aborted) {
		const lost = new AbortController()
		try {
			const held = await terms.store.hold(LOCK + shard.index, (cause) => {
				terms.failed(cause)
				lost.abort()
			})
			if (held) {
				await work(shard, terms, held, wake, AbortSignal.any([closing, lost.signal]))
				await held.close()
				continue
			}
		} catch (cause) {
			terms.failed(cause)
		}
		// Not by the bell: it rings whenever this process records something.
		await pause.heard(closing, STAND_BY_MS)
	}
}

async function work(shard: Shard, terms: SequencerTerms, held: Held, wake: Bell, ended: AbortSignal): Promise<void> {
	const trees = new Map<Id<'tenant'>, GrowingTree>()
	const months = new Set<number>()
	const damaged: Id<'tenant'>[] = []
	let tended = terms.pace.mono() - TEND_MS

	const batch = async (): Promise<boolean> => {
		const done = await terms.store.system((tx) => sequence(tx, { now: terms.clock.now(), shard, most: MOST, except: damaged, trees, months }))
		for (const month of done.months) months.add(month)
		if (trees.size > MOST_TREES) trees.clear()
		return done.sizes.size > 0
	}

	while (!ended.aborted) {
		try {
			const grew = (await isWaiting(held)) && (await batch())
			if (terms.pace.mono() - tended >= TEND_MS) {
				tended = terms.pace.mono()
				await tend(shard, terms, damaged)
			}
			if (!grew) await wake.heard(ended, LOOK_MS)
		} catch (cause) {
			// A tree in memory may have grown by what was not committed.
			trees.clear()
			if (cause instanceof DamagedLog) damaged.push(cause.tenant)
			if (!isFault(cause, 'database-busy')) terms.failed(cause)
			if (!(cause instanceof DamagedLog)) await wake.heard(ended, AFTER_FAULT_MS)
		}
	}
}

/** A tree in memory has 56 KiB. */
const MOST_TREES = 256
const CHECKPOINT_AFTER_MS = 30_000

/** What is due by time: checkpoints, and alarms about gaps. */
export async function tend(shard: Shard, terms: Omit<SequencerTerms, 'pace' | 'shards'>, damaged: readonly Id<'tenant'>[]): Promise<void> {
	const { store, clock, random, signerOf, checkpointAfterMs = CHECKPOINT_AFTER_MS } = terms
	if (shard.index === 0) await store.system((tx) => alarmGaps(tx, { now: clock.now(), random }))
	const due = await store.system((db) => dueCheckpoints(db, shard, clock.now() - checkpointAfterMs, damaged))
	for (const tenant of due) {
		try {
			await store.system((tx) => writeCheckpoint(tx, tenant, clock.now(), signerOf))
		} catch (cause) {
			// One tenant without a key must not leave the others without a checkpoint.
			if (cause instanceof DamagedLog) throw cause
			terms.failed(cause)
		}
	}
}
