import type { Clock, Id } from '@latchwork/core/base'
import type { Store } from '../store/index.ts'
import { bell } from './bell.ts'
import { type EventQuery, type LoggedEvent, readEvents, readSize } from './read.ts'
import type { Watch } from './watch.ts'

export type FeedQuery = Omit<EventQuery, 'from' | 'order' | 'limit' | 'stream'>
interface Page {
	readonly events: readonly LoggedEvent[]
	readonly size: number
}

/** Events at a time. */
const MOST = 200

/**
 * Live events of this process. Whoever is behind reads for himself what he asked for; those who have caught up all wait for the same events, so one
 * look at the database serves them all, however many screens are open.
 */
export function feeds({ store, watch, pace }: { readonly store: Store; readonly watch: Watch; readonly pace: Pick<Clock, 'after'> }) {
	const looks = new Map<string, Promise<Page>>()
	const read = (tenant: Id<'tenant'>, from: number, query: FeedQuery): Promise<Page> =>
		store.read(tenant, async (db) => ({
			size: await readSize(db, tenant),
			events: await readEvents(db, tenant, { ...query, from, order: 'rising', limit: MOST }),
		}))
	/** Joined before it begins and not later: one that has begun may have missed what its joiner was woken for. */
	const readTogether = (tenant: Id<'tenant'>, from: number): Promise<Page> => {
		const key = `${tenant} ${from}`
		const look =
			looks.get(key) ??
			new Promise<Page>((resolve) => {
				pace.after(0, () => {
					looks.delete(key)
					resolve(read(tenant, from, {}))
				})
			})
		looks.set(key, look)
		return look
	}

	/** What is behind a position and matches, then what comes, until the signal is aborted. The same from any process: all of them read one log. */
	return async function* feed(tenant: Id<'tenant'>, after: number, query: FeedQuery, signal: AbortSignal): AsyncGenerator<LoggedEvent, void> {
		const wake = bell(pace)
		const stop = watch.subscribe((grown) => {
			if (grown === undefined || grown === tenant) wake.ring()
		})
		let behind = true
		try {
			let from: number = after
			while (!signal.aborted) {
				const page: Page = await (behind ? read(tenant, from, query) : readTogether(tenant, from))
				const { events, size } = page
				yield* behind ? events : events.filter((event) => matches(event, query))
				// A page that is not full was the end of the log as it was then: what did not match need not be looked at again.
				const last = events.at(-1)?.position ?? from
				behind = events.length === MOST
				from = behind ? last : Math.max(last, size - 1)
				if (!behind) await wake.heard(signal)
			}
		} finally {
			stop()
		}
	}
}

/** What the query says in SQL, of an event that is here. */
function matches({ body, site }: LoggedEvent, { type, subject, bank, site: at, within }: FeedQuery): boolean {
	const is = (wanted: string | undefined, has: string | undefined) => wanted === undefined || wanted === has
	if (!is(type, body.type) || !is(subject, body.subject) || !is(bank, body.bank) || !is(at, site)) return false
	return within === undefined || within.sites.includes(site ?? '') || within.banks.includes(body.bank ?? '')
}
