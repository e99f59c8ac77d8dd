import type { Clock, Random } from '@latchwork/core/base'

/** Drivers take real or fake time and randomness; wall time is none of their business. */
export type DriverClock = Pick<Clock, 'mono' | 'after'> & { readonly random: Random }

/** A byte pipe to hardware. Drivers import this and never `serialport` or `net`. */
export interface Transport {
	/** Rejects with `Fault` transport-closed when the pipe is down; never buffers for later. */
	write(bytes: Uint8Array): Promise<void>
	/** Called with bytes as they come, in any cut. Returns the unsubscribe function. */
	onData(listener: (bytes: Uint8Array) => void): () => void
	/** Called when the pipe opens (true) and when it is lost (false), and once on subscription with the present state. */
	onState(listener: (open: boolean) => void): () => void
	/** Throws away what has arrived and not been read, then opens the pipe anew if it is down. */
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
