import type { Clock } from './clock.ts'

/**
 * Contents of the clock file (`--virtual-clock`, dev and tests only). Virtual time is real time plus the offset, and from `sinceMs` (real
 * time) on it runs `rate` times as fast; 0 is a clock that stands still between moves. `turn` rises with each change.
 */
export interface ClockFile {
	turn: number
	offsetMs: number
	rate?: number
	sinceMs?: number
}

/** Virtual time at a moment of real time, both in milliseconds since 1970. */
export const virtualTime = ({ offsetMs, rate = 1, sinceMs = 0 }: ClockFile, real: number): number => offsetMs + sinceMs + rate * (real - sinceMs)

/**
 * A clock that every process of one `latchwork dev` shares through a file. `read` is called at most every `pollMs` real
 * milliseconds and whenever a timer is pending; `seen(turn)` is called after all timers that a move made due have run,
 * so that whoever moved the clock knows when the due work is done.
 */
export function virtualClock(real: Clock, read: () => ClockFile, seen: (turn: number) => void, pollMs = 20): Clock & { stop(): void } {
	let file = read()
	let order = 0
	const timers = new Map<number, { due: number; run: () => void }>()
	/** Monotonic time counts from another moment in each process: it takes the moves and the pace of the file, not its moments. */
	let base = real.mono() + file.offsetMs
	let baseAt = real.mono()
	const mono = () => base + (file.rate ?? 1) * (real.mono() - baseAt)
	const take = (next: ClockFile) => {
		const wall = real.now()
		base = mono() + virtualTime(next, wall) - virtualTime(file, wall)
		baseAt = real.mono()
		file = next
	}
	let cancel = () => {}
	const tick = () => {
		const next = read()
		const moved = next.turn !== file.turn
		if (moved) take(next)
		for (;;) {
			let due: [number, { due: number; run: () => void }] | undefined
			for (const entry of timers) if (entry[1].due <= mono() && (!due || entry[1].due < due[1].due)) due = entry
			if (!due) break
			timers.delete(due[0])
			due[1].run()
		}
		if (moved) real.after(0, () => seen(file.turn))
		cancel = real.after(pollMs, tick)
	}
	seen(file.turn)
	cancel = real.after(pollMs, tick)
	return {
		now: () => virtualTime(file, real.now()),
		mono,
		after(ms, run) {
			const id = order++
			timers.set(id, { due: mono() + Math.max(0, ms), run })
			return () => void timers.delete(id)
		},
		stop: () => cancel(),
	}
}
