/**
 * Time as an argument. Nothing in the product calls `Date.now()` or `setTimeout()` outside the composition roots:
 * a `Clock` is handed in, so tests own time and `--virtual-clock` can move it for every process at once.
 *
 * `now()` is wall time (milliseconds since 1970, may step), `mono()` never goes back (milliseconds since an arbitrary start).
 * `after()` counts in `mono`, so a stepped wall clock neither fires nor starves a timer.
 */
export interface Clock {
	now(): number
	mono(): number
	/** Runs `run` once, `ms` monotonic milliseconds from now; the returned function cancels it. */
	after(ms: number, run: () => void): () => void
}

/** Resolves after `ms`; rejects with the signal's reason when aborted. */
export function sleep(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) return reject(signal.reason)
		const onAbort = () => {
			cancel()
			reject(signal?.reason)
		}
		const cancel = clock.after(ms, () => {
			signal?.removeEventListener('abort', onAbort)
			resolve()
		})
		signal?.addEventListener('abort', onAbort, { once: true })
	})
}

export interface FakeClock extends Clock {
	/** Moves time forward, running due timers in order; each sees `now()` at its own due time. Microtasks run between timers. */
	advance(ms: number): Promise<void>
	/** Steps the wall clock only, as an operator or NTP would; no timer fires. */
	stepWall(ms: number): void
	/** Timers not yet fired: a test that leaves some behind can say so. */
	pending(): number
}

/** A clock for tests: time stands still until it is moved. */
export function fakeClock(startMs = Date.UTC(2026, 0, 5, 9, 0, 0)): FakeClock {
	let mono = 0
	let wall = startMs
	let order = 0
	const timers = new Map<number, { due: number; run: () => void }>()
	return {
		now: () => wall,
		mono: () => mono,
		after(ms, run) {
			const id = order++
			timers.set(id, { due: mono + Math.max(0, ms), run })
			return () => void timers.delete(id)
		},
		async advance(ms) {
			const end = mono + ms
			for (;;) {
				// Let promise chains started by the last timer register their own timers first.
				for (let i = 0; i < 20; i++) await Promise.resolve()
				let next: [number, { due: number; run: () => void }] | undefined
				for (const entry of timers) {
					if (entry[1].due <= end && (!next || entry[1].due < next[1].due)) next = entry
				}
				if (!next) break
				timers.delete(next[0])
				const step = Math.max(0, next[1].due - mono)
				mono += step
				wall += step
				next[1].run()
			}
			wall += end - mono
			mono = end
		},
		stepWall(ms) {
			wall += ms
		},
		pending: () => timers.size,
	}
}
