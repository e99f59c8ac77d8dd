import type { Clock, Id } from '@latchwork/core/base'
import type { Store } from '../store/index.ts'
import { bell } from './bell.ts'
import { behind, type Consumer, installCursor, stepCursor } from './cursor-write.ts'
import type { Watch } from './watch.ts'

export interface FollowTerms {
	readonly store: Store
	readonly watch: Watch
	readonly pace: Pick<Clock, 'after' | 'mono'>
	readonly failed: (cause: unknown) => void
}

/** After a failure a tenant waits this long, twice as long each time. */
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 60_000
/** A process that died with a tenant in its hands leaves nobody who would tell: all are looked at this often. */
const LOOK_ALL_MS = 30_000

/**
 * Keeps a consumer up with the ledger: wakes when a log grows, and looks by itself while the database cannot be heard. Several processes may
 * follow under one name; each tenant is worked on by one of them at a time. A tenant whose events cannot be handled waits alone.
 */
export function follow(terms: FollowTerms, consumer: Consumer): { close(): Promise<void> } {
	const { store, watch, pace, failed } = terms
	const closing = new AbortController()
	const wake = bell(pace)
	const grown = new Set<Id<'tenant'>>()
	let unsure = true
	let lookedAt = pace.mono()
	const stop = watch.subscribe((tenant) => {
		if (tenant) grown.add(tenant)
		else unsure = true
		wake.ring()
	})
	const waits = new Map<Id<'tenant'>, { ms: number; until: number }>()

	const catchUp = async (tenant: Id<'tenant'>): Promise<void> => {
		if ((waits.get(tenant)?.until ?? 0) > pace.mono()) return
		try {
			while (!closing.signal.aborted && (await store.write(tenant, (tx) => stepCursor(tx, tenant, consumer))));
			waits.delete(tenant)
		} catch (cause) {
			failed(cause)
			const ms = Math.min(LONGEST_WAIT_MS, (waits.get(tenant)?.ms ?? FIRST_WAIT_MS / 2) * 2)
			waits.set(tenant, { ms, until: pace.mono() + ms })
		}
	}
	const round = async (): Promise<void> => {
		if (unsure) {
			unsure = false
			lookedAt = pace.mono()
			for (const tenant of await store.system((db) => behind(db, consumer.name))) grown.add(tenant)
		}
		const now = [...grown, ...waits.keys()]
		grown.clear()
		for (const tenant of new Set(now)) await catchUp(tenant)
	}
	const run = async () => {
		let installed = false
		while (!closing.signal.aborted) {
			try {
				if (!installed) await store.system((tx) => installCursor(tx, consumer))
				installed = true
				await round()
			} catch (cause) {
				unsure = true
				failed(cause)
				await bell(pace).heard(closing.signal, FIRST_WAIT_MS)
			}
			if (grown.size === 0 && !unsure) await wake.heard(closing.signal, waits.size > 0 ? FIRST_WAIT_MS : LOOK_ALL_MS)
			if (pace.mono() - lookedAt >= LOOK_ALL_MS) unsure = true
		}
	}
	const done = run()
	return {
		async close() {
			stop()
			closing.abort()
			await done
		},
	}
}
