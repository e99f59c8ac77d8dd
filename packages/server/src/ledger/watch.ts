import type { Clock, Id } from '@latchwork/core/base'
import type { Store } from '../store/index.ts'
import { bell } from './bell.ts'
import { CHANNEL } from './sequence-write.ts'

/** Undefined: nobody knows whose log has grown, look at all. */
export type Heard = (tenant: Id<'tenant'> | undefined) => void

/** Tells within this process when a log has grown, whichever process has let it grow. One connection, however many listen. */
export interface Watch {
	/** Register before the first look, or what happens in between is missed. Answers how to stop. */
	subscribe(heard: Heard): () => void
	close(): Promise<void>
}

export interface WatchTerms {
	readonly store: Store
	readonly pace: Pick<Clock, 'after'>
	readonly failed: (cause: unknown) => void
}

/** While the connection is gone, everybody looks this often. */
const POLL_MS = 1_000

export function openWatch({ store, pace, failed }: WatchTerms): Watch {
	const listeners = new Set<Heard>()
	const closing = new AbortController()
	const tell: Heard = (tenant) => {
		for (const heard of listeners) heard(tenant)
	}

	const listen = async () => {
		const broken = bell(pace)
		while (!closing.signal.aborted) {
			try {
				const connection = await store.listen(
					CHANNEL,
					(payload) => tellNamed(payload, tell),
					(cause) => {
						failed(cause)
						broken.ring()
					},
				)
				// What was told while nobody listened.
				tell(undefined)
				await broken.heard(closing.signal)
				await connection.close()
			} catch (cause) {
				failed(cause)
			}
			if (closing.signal.aborted) break
			tell(undefined)
			await broken.heard(closing.signal, POLL_MS)
		}
	}
	const done = listen()

	return {
		subscribe(heard) {
			listeners.add(heard)
			return () => void listeners.delete(heard)
		},
		async close() {
			closing.abort()
			await done
		},
	}
}

function tellNamed(payload: string, tell: Heard): void {
	const named = JSON.parse(payload) as Record<Id<'tenant'>, number>
	for (const tenant of Object.keys(named)) tell(tenant as Id<'tenant'>)
}
