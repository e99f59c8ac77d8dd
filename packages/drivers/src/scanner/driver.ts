import { readBudget, throttledAlarm } from '../read-budget.ts'
import type { Reader } from '../reader.ts'
import type { DriverStats } from '../transport/index.ts'
import { type ScanParser, scanParser } from './codec.ts'

/**
 * Serial code scanner. It only ever speaks, so up and down are those of its port, and nothing on this line can be trusted more
 * than the code itself proves.
 */
export function serialScanner(): Reader {
	const stats = { tx: 0, rx: 0, timeouts: 0, badFrames: 0, resyncs: 0, lastOkMono: -1 }
	let stop = () => {}
	return {
		family: 'scanner',
		caps: { card: false, keypad: false, scan: true, led: false, buzzer: false, assurance: 'plain' },
		async start(io, { prefix }, clock, emit) {
			const budget = readBudget(clock)
			const alarm = throttledAlarm(clock, (code: 'overflow') => emit({ kind: 'security', code }))
			const parser: ScanParser = scanParser({
				mono: clock.mono,
				...(prefix !== undefined && { prefix }),
				onCode(text) {
					stats.lastOkMono = clock.mono()
					if (budget.take()) emit({ kind: 'scan', text })
					else alarm('overflow')
				},
				onDiscard: () => void stats.badFrames++,
			})
			let up = false
			const offState = io.onState((open) => {
				if (open === up) return
				up = open
				parser.clear()
				emit(open ? { kind: 'reader-up', secure: false } : { kind: 'reader-down' })
			})
			const offData = io.onData((bytes) => {
				stats.rx += bytes.length
				parser.push(bytes)
			})
			stop = () => {
				offData()
				offState()
			}
		},
		stats: (): DriverStats => ({ ...stats }),
		async stop() {
			stop()
		},
	}
}
