import type { Clock, Id } from '@latchwork/core/base'
import type { Store } from '../store/index.ts'
import { bell } from './bell.ts'
import { type EventQuery, type LoggedEvent, readEvents, readSize } from './read.ts'
import type { Watch } from './watch.ts'

export interface FeedTerms {
	readonly store: Store
	readonly watch: Watch
	readonly pace: Pick<Clock, 'after'>
}

/** Events at a time. */
const MOST = 200

/** What is behind a position and matches, then what comes, until the signal is aborted. The same from any process: all of them read one log. */
export async function* feed(
	{ store, watch, pace }: FeedTerms,
	tenant: Id<'tenant'>,
	after: number,
	query: Omit<EventQuery, 'from' | 'order' | 'limit'>,
	signal: AbortSignal,
): AsyncGenerator<LoggedEvent> {
	const wake = bell(pace)
	const stop = watch.subscribe((grown) => {
		if (grown === undefined || grown === tenant) wake.ring()
	})
	try {
		for (let from = after; !signal.aborted; ) {
			const { events, size } = await store.read(tenant, async (db) => ({
				size: await readSize(db, tenant),
				events: await readEvents(db, tenant, { ...query, from, order: 'rising', limit: MOST }),
			}))
			yield* events
			// A page that is not full was the end of the log as it was then: what did not match need not be looked at again.
			const last = events.at(-1)?.position ?? from
			from = events.length === MOST ? last : Math.max(last, size - 1)
			if (events.length < MOST) await wake.heard(signal)
		}
	} finally {
		stop()
	}
}
