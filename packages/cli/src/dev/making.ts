import type { Clock } from '@latchwork/core/base'
import type { Maker } from './demo.ts'

/** The maker renews the lease each minute and the bundle twice a day, as a server would. */
const LEASE_EVERY_MS = 60_000
const BUNDLE_EVERY_MS = 12 * 3_600_000

interface Making {
	readonly made: Pick<Maker, 'bundle' | 'lease'>
	readonly clock: Clock
	readonly put: { readonly bundle: (text: string) => void; readonly lease: (text: string) => void }
	readonly log: (line: string) => void
}

/** Makes both at once, and then in time until the answer is called. Throws what the first writing throws. */
export function keepMaking({ made, clock, put, log }: Making): () => void {
	const now = () => Math.floor(clock.now())
	let last = { mono: clock.mono(), at: now() }
	const bundle = () => {
		last = { mono: clock.mono(), at: now() }
		put.bundle(made.bundle(last.at))
	}
	// The monotonic clock stands still while the machine sleeps, and the bundle grows old all the same; the site's time may be set.
	const due = () => clock.mono() - last.mono >= BUNDLE_EVERY_MS || Math.abs(now() - last.at) >= BUNDLE_EVERY_MS
	bundle()
	put.lease(made.lease(now()))
	let refused = false
	let cancel = () => {}
	const turn = () => {
		try {
			if (due()) bundle()
			put.lease(made.lease(now()))
			refused = false
		} catch (cause) {
			// A full disk ends nothing: the controller goes on with what it has, and a minute later there may be room.
			if (!refused) log(`The lease cannot be renewed: ${cause instanceof Error ? cause.message : cause}. It is tried again each minute.`)
			refused = true
		}
		cancel = clock.after(LEASE_EVERY_MS, turn)
	}
	cancel = clock.after(LEASE_EVERY_MS, turn)
	return () => cancel()
}
