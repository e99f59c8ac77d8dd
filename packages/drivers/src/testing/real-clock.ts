import { randomBytes } from 'node:crypto'
import type { DriverClock } from '../transport/index.ts'

/** Real time and chance for tests on real lines. The product gets its clock from its composition root. */
export const realClock: DriverClock = {
	mono: () => performance.now(),
	after(ms, run) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
	random: (n) => randomBytes(n),
}
