import { type Clock, Fault } from '@latchwork/core/base'
import type { Child } from './child.ts'

/** A controller that ends sooner than this did not work. */
const QUICK_MS = 10_000
/** This often in a row, it has a fault that a restart does not mend. */
const QUICK_ENDS = 8
/** The first restart comes at once; each further one of a row waits twice as long as the one before. */
const PAUSE = { first: 250, longest: 10_000 }

export interface SupervisedParts {
	/** What it is called when it is spoken of. */
	readonly what: string
	readonly start: () => Child
	readonly clock: Pick<Clock, 'mono' | 'after'>
	readonly log: (line: string) => void
	/** A new one is ready. */
	readonly restarted: (pid: number, ready: unknown) => void
}

/**
 * A child is started again when it ends, as an init system would; what it was doing is settled by its own recovery.
 * Rejects when the first one does not come up; `failed` when restarting does not help.
 */
export async function supervise<Ready>({ what, start, clock, log, restarted }: SupervisedParts) {
	let child = start()
	let began = clock.mono()
	let stopping = false
	let give: (fault: Fault) => void = () => {}
	let skipPause = () => {}
	const failed = new Promise<never>((_, reject) => {
		give = reject
	})
	failed.catch(() => {})
	const ready = (await child.ready) as Ready
	const pause = (ms: number) =>
		new Promise<void>((done) => {
			const cancel = clock.after(ms, done)
			skipPause = () => {
				cancel()
				done()
			}
		})

	const watch = async (): Promise<void> => {
		for (let quick = 0; ; ) {
			const { words, killed } = await child.ended
			if (stopping) return
			// Somebody who kills it wants to see it come back; a fault of its own comes back with it.
			quick = killed || clock.mono() - began >= QUICK_MS ? 0 : quick + 1
			if (quick >= QUICK_ENDS)
				return give(new Fault('transport-closed', `The ${what} ended ${quick} times in a row, each time within ${QUICK_MS / 1000} s. ${words}`))
			const wait = quick > 1 ? Math.min(PAUSE.first * 2 ** (quick - 2), PAUSE.longest) : 0
			log(`${words}\nThe ${what} ended; starting it again${wait > 0 ? ` in ${wait / 1000} s` : ''}.`)
			if (wait > 0) await pause(wait)
			if (stopping) return
			child = start()
			began = clock.mono()
			const { pid } = child
			child.ready.then(
				(ready) => restarted(pid, ready),
				() => {}, // its end says why
			)
		}
	}
	void watch()
	return {
		ready,
		failed,
		pid: () => child.pid,
		async stop() {
			stopping = true
			skipPause()
			await child.stop()
		},
	}
}
