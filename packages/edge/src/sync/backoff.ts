import type { Random } from '@latchwork/core/base'

/** How long to wait before the next try. */
export interface Backoff {
	next(): number
	/** The last try was good. */
	reset(): void
}

/** Doubles up to a limit, and between half and all of it by chance: a thousand controllers that lost one server do not come back as one. */
export function backoff(random: Random, firstMs: number, mostMs: number): Backoff {
	let tries = 0
	return {
		next() {
			const most = Math.min(mostMs, firstMs * 2 ** tries)
			tries = Math.min(tries + 1, 30)
			const [high = 0, low = 0] = random(2)
			return Math.floor(most * (0.5 + (high * 256 + low) / 131_072))
		},
		reset() {
			tries = 0
		},
	}
}
