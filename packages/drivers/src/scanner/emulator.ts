import type { EmulatorWire } from '../transport/index.ts'
import { encodeScan } from './codec.ts'

export interface ScannerEmulator {
	attach(wire: EmulatorWire): () => void
	/** Somebody holds this code before the scanner. */
	scan(text: string): void
	/** Bytes that no scanner should send. */
	noise(bytes: Uint8Array): void
	setOffline(offline: boolean): void
}

/** A serial scanner as set up in the field: text in front of each code, terminator behind it. */
export function scannerEmulator({ prefix = '', terminator = '\r' }: { prefix?: string; terminator?: '\r' | '\r\n' } = {}): ScannerEmulator {
	const wires = new Set<EmulatorWire>()
	let offline = false
	const send = (bytes: Uint8Array) => {
		if (!offline) for (const wire of wires) wire.write(bytes)
	}
	return {
		attach(wire) {
			wires.add(wire)
			return () => void wires.delete(wire)
		},
		scan: (text) => send(encodeScan(text, prefix, terminator)),
		noise: send,
		setOffline(next) {
			offline = next
		},
	}
}
