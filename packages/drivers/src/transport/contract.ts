import type { Clock, Random } from '@latchwork/core/base'

/** Drivers take real or fake time and randomness; wall time is none of their business. */
export type DriverClock = Pick<Clock, 'mono' | 'after'> & { readonly random: Random }

/** A byte pipe to hardware. Drivers import this and never `serialport` or `net`. */
export interface Transport {
	/**
	 * Resolves when the bytes were handed to the operating system (the wire may still lose them). Rejects with `Fault`
	 * transport-closed when the pipe is down, and only if no byte left; never buffers for later.
	 */
	write(bytes: Uint8Array): Promise<void>
	/** Called with bytes as they come, in any cut. Returns the unsubscribe function. */
	onData(listener: (bytes: Uint8Array) => void): () => void
	/** Called when the pipe opens (true) and when it is lost (false), and once on subscription with the present state. */
	onState(listener: (open: boolean) => void): () => void
	/** Throws away what has arrived and not been read, then opens the pipe anew if it is down. Rejects with the `Fault` of that attempt. */
	reopen(): Promise<void>
	/** Milliseconds one character takes on the wire (serial: from baud and framing; TCP: 0). */
	readonly charTimeMs: number
	close(): Promise<void>
}

export interface DriverStats {
	readonly tx: number
	readonly rx: number
	readonly timeouts: number
	readonly badFrames: number
	readonly resyncs: number
	/** Monotonic time of the last good answer, -1 if there was none. */
	readonly lastOkMono: number
}

/** Where hardware hangs; in configuration files. */
export type TransportAddress =
	| { readonly kind: 'serial'; readonly path: string; readonly baud: number }
	| { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** The hardware's end of a byte pipe: a pty, a socket or memory. */
export interface EmulatorWire {
	write(bytes: Uint8Array): void
	onData(listener: (bytes: Uint8Array) => void): () => void
}

/** Connects emulated hardware to a wire; the returned function takes it off again. */
export type Attach = (wire: EmulatorWire) => () => void

/** A place where emulated hardware can be reached, and that can go away and come back as cables and gateways do. */
export interface EmulatedLine {
	readonly address: TransportAddress
	/** The port vanishes (pty closed, socket reset). */
	cut(): Promise<void>
	/** The same address is there again. */
	restore(): Promise<void>
	/** Gone for good: no process, file or port stays behind. */
	close(): Promise<void>
}
