import { Fault } from '@latchwork/core/base'
import { readBudget, throttledAlarm } from '../read-budget.ts'
import type { Reader } from '../reader.ts'
import type { DriverStats } from '../transport/index.ts'
import { type ScanParser, scanParser } from './codec.ts'
import { SCANNER_PRODUCTS } from './products.ts'

/**
 * Serial code scanner. It only ever speaks, so up and down are those of its port, and nothing on this line can be trusted more
 * than the code itself proves. Throws `Fault` config-invalid for an unknown product.
 */
export function serialScanner(product: string = SCANNER_PRODUCTS[0].name): Reader {
	if (!SCANNER_PRODUCTS.some(({ name }) => name === product))
		throw new Fault('config-invalid', `scanner has no product "${product}"; known: ${SCANNER_PRODUCTS.map(({ name }) => name).join(', ')}.`)
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
