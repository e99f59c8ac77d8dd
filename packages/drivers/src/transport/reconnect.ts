import { Fault, isFault } from '@latchwork/core/base'
import type { DriverClock, Transport } from './contract.ts'

/** One opened port or socket. `written` is called once the bytes are handed over, or can no longer be. */
interface Pipe {
	write(bytes: Uint8Array, written: () => void): void
	destroy(): void
}

/** Opens one pipe, or rejects. `lost` may be called more than once. */
export type Dial = (events: { readonly data: (bytes: Uint8Array) => void; readonly lost: () => void }) => Promise<Pipe>

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000

/**
 * A transport that comes back by itself. Whatever is missing (ENOENT, EIO, ENXIO, ECONNREFUSED) is waited for with backoff
 * and jitter; only what a person must repair, `transport-denied` at the first attempt, is thrown. Later denials are waited
 * for as well: after a replug the device node exists a moment before udev gives it to our group.
 */
export async function reconnecting(dial: Dial, clock: DriverClock, charTimeMs: number): Promise<Transport> {
	const dataListeners = new Set<(bytes: Uint8Array) => void>()
	const stateListeners = new Set<(open: boolean) => void>()
	const unwritten = new Set<() => void>()
	let pipe: Pipe | undefined
	let dialing: Promise<void> | undefined
	let attempts = 0
	let closed = false
	let cancelRetry = () => {}

	const announce = (open: boolean) => {
		for (const listener of [...stateListeners]) listener(open)
	}

	const lose = () => {
		pipe?.destroy()
		pipe = undefined
		for (const written of [...unwritten]) written()
		announce(false)
		retryLater()
	}

	const retryLater = () => {
		if (closed) return
		const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts++)
		const jitter = (clock.random(1)[0] ?? 0) / 255
		cancelRetry()
		cancelRetry = clock.after(ceiling * (0.5 + jitter / 2), () => void connect().catch(() => {}))
	}

	const connectOnce = async () => {
		const mine = { current: true }
		const opened = await dial({
			data(bytes) {
				if (!mine.current) return
				// Only hardware that speaks ends the backoff: a gateway that accepts and hangs up is not hammered.
				attempts = 0
				for (const listener of [...dataListeners]) listener(bytes)
			},
			lost() {
				if (!mine.current) return
				mine.current = false
				if (pipe) lose()
			},
		})
		if (closed || !mine.current) {
			mine.current = false
			opened.destroy()
			throw new Fault('transport-closed', 'The connection was lost while it was being opened.')
		}
		pipe = opened
		announce(true)
	}

	const connect = (): Promise<void> => {
		if (closed) return Promise.reject(new Fault('transport-closed', 'This transport was closed.'))
		if (pipe) return Promise.resolve()
		cancelRetry()
		dialing ??= connectOnce()
			.catch((error: unknown) => {
				retryLater()
				throw isFault(error) ? error : new Fault('transport-closed', 'The hardware cannot be reached.', { cause: error })
			})
			.finally(() => {
				dialing = undefined
			})
		return dialing
	}

	const transport: Transport = {
		charTimeMs,
		write(bytes) {
			const open = pipe
			if (!open) return Promise.reject(new Fault('transport-closed', 'The serial port or socket is closed.'))
			return new Promise((resolve) => {
				const written = () => {
					unwritten.delete(written)
					resolve()
				}
				unwritten.add(written)
				open.write(bytes, written)
			})
		},
		onData(listener) {
			dataListeners.add(listener)
			return () => void dataListeners.delete(listener)
		},
		onState(listener) {
			stateListeners.add(listener)
			listener(pipe !== undefined)
			return () => void stateListeners.delete(listener)
		},
		reopen() {
			attempts = 0
			return connect()
		},
		async close() {
			if (closed) return
			closed = true
			cancelRetry()
			await dialing?.catch(() => {})
			if (pipe) lose()
		},
	}

	await connect().catch(async (error: unknown) => {
		if (!isFault(error, 'transport-denied')) return
		await transport.close()
		throw error
	})
	return transport
}
