import type { Clock } from './clock.ts'

/** Contents of the clock file (`--virtual-clock`, dev and tests only): virtual time = real time + offset. `turn` rises with each move. */
export interface ClockFile {
	turn: number
	offsetMs: number
}

/**
 * A clock that every process of one `latchwork dev` shares through a file. `read` is called at most every `pollMs` real
 * milliseconds and whenever a timer is pending; `seen(turn)` is called after all timers that a move made due have run,
 * so that whoever moved the clock knows when the due work is done.
 */
export function virtualClock(real: Clock, read: () => ClockFile, seen: (turn: number) => void, pollMs = 20): Clock & { stop(): void } {
	let file = read()
	let order = 0
	const timers = new Map<number, { due: number; run: () => void }>()
	const mono = () => real.mono() + file.offsetMs
	let cancel = () => {}
	const tick = () => {
		const next = read()
		const moved = next.turn !== file.turn
		file = next
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
		now: () => real.now() + file.offsetMs,
		mono,
		after(ms, run) {
			const id = order++
			timers.set(id, { due: mono() + Math.max(0, ms), run })
			return () => void timers.delete(id)
		},
		stop: () => cancel(),
	}
}
