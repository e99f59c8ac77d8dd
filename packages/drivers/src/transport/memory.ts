import { Fault } from '@latchwork/core/base'
import type { EmulatorWire, Transport } from './contract.ts'

export interface MemoryPipe {
	readonly transport: Transport
	readonly wire: EmulatorWire
	/** The cable is pulled: what is under way is lost. */
	cut(): void
	restore(): void
}

/** Both ends of a cable in memory; bytes arrive in the next microtask, as no real pipe delivers inside the call that wrote. */
export function memoryPipe(charTimeMs = 0): MemoryPipe {
	const toDriver = new Set<(bytes: Uint8Array) => void>()
	const toHardware = new Set<(bytes: Uint8Array) => void>()
	const stateListeners = new Set<(open: boolean) => void>()
	let open = true
	let closed = false
	/** Rises with each cut, so that bytes of the old connection never arrive in the new one. */
	let connection = 0

	const deliver = (listeners: Set<(bytes: Uint8Array) => void>, bytes: Uint8Array) => {
		const sentIn = connection
		const copy = bytes.slice()
		queueMicrotask(() => {
			if (sentIn === connection && open) for (const listener of [...listeners]) listener(copy)
		})
	}
	const setOpen = (next: boolean) => {
		if (open === next || closed) return
		open = next
		connection++
		for (const listener of [...stateListeners]) listener(open)
	}
	return {
		transport: {
			charTimeMs,
			async write(bytes) {
				if (!open) throw new Fault('transport-closed', 'The memory pipe is cut.')
				deliver(toHardware, bytes)
			},
			onData: (listener) => subscribe(toDriver, listener),
			onState(listener) {
				listener(open)
				return subscribe(stateListeners, listener)
			},
			async reopen() {
				if (!open) throw new Fault('transport-closed', 'The memory pipe is cut.')
			},
			async close() {
				setOpen(false)
				closed = true
			},
		},
		wire: {
			write: (bytes) => deliver(toDriver, bytes),
			onData: (listener) => subscribe(toHardware, listener),
		},
		cut: () => setOpen(false),
		restore: () => setOpen(true),
	}
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
	listeners.add(listener)
	return () => void listeners.delete(listener)
}
