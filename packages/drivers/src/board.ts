import type { Fault } from '@latchwork/core/base'
import type { DriverClock, DriverStats, Transport } from './transport/index.ts'

/** What a contact or latch says. `unknown`: no sensor, no answer yet, or the board is lost. Never guessed. */
export type Tri = 'open' | 'closed' | 'unknown'

/** A lock output on a bus, 0-based inside the product whatever the vendor prints on the board. */
export interface ChannelRef {
	readonly bus: string
	readonly board: number
	readonly channel: number
}

/** What this hardware can do; static for a profile. The core refuses what is not there, and the suite proves each claim. */
export interface BoardCaps {
	readonly channels: number
	readonly doorSense: 'none' | 'latch' | 'contact'
	readonly doorRead: 'perChannel' | 'perBoard'
	readonly push: boolean
	readonly presence: boolean
	readonly pulse: { readonly by: 'board' | 'software'; readonly minMs: number; readonly maxMs: number; readonly settable: boolean }
	/** What an answer to an open command means; it is never proof that a door opened. */
	readonly ackMeaning: 'none' | 'received' | 'actuated' | 'latchAfter'
	readonly checksum: 'none' | 'weak' | 'crc'
	readonly openCounter: boolean
	readonly maxConcurrent: number
	readonly cooldownMs: number
	readonly discover: boolean
}

/** Per-board facts that families do not agree on; found by the learn step at commissioning, kept in the controller's configuration. */
export interface BoardProfile {
	readonly bus: string
	/** Board addresses on this bus, as set by DIP or rotary switch. */
	readonly boards: readonly number[]
	/** Name of an entry in the family's `products` (channels, pulse). */
	readonly product: string
	readonly polarity?: 'bit1Closed' | 'bit1Open'
	readonly statusOrder?: 'lowFirst' | 'highFirst'
	readonly pollIdleMs?: number
	readonly pollBusyMs?: number
}

export interface BoardEvent {
	/** Monotonic milliseconds of the clock given to the driver. */
	readonly mono: number
	readonly source: 'poll' | 'push' | 'ack'
	readonly fact: /** `initial`: first reading after start or reconnect, a state and not a change. */
		| { readonly kind: 'door'; readonly ref: ChannelRef; readonly value: Tri; readonly initial: boolean }
		| { readonly kind: 'presence'; readonly ref: ChannelRef; readonly value: boolean | 'unknown'; readonly initial: boolean }
		| { readonly kind: 'board-up' | 'board-down'; readonly bus: string; readonly board: number }
		| { readonly kind: 'protocol'; readonly code: 'checksum' | 'framing' | 'address' | 'function' | 'late' | 'echo'; readonly discarded: number }
}

export interface OpenCommand {
	/** The door session's attempt. The same id twice is one pulse: the second call answers with the first result. */
	readonly id: string
	readonly ref: ChannelRef
	/** Monotonic deadline: a command that could not be sent by then is dropped, not queued. */
	readonly notAfter: number
}

export interface OpenResult {
	readonly id: string
	/** False only if no byte of the release frame left this process. */
	readonly sent: boolean
	readonly ack: 'ok' | 'refused' | 'none'
	readonly fault?: Fault
}

export interface BoardReading {
	readonly door: readonly Tri[]
	readonly presence: readonly (boolean | 'unknown')[]
}

/**
 * A family of lock boards on one bus. Tiny mandatory part, optional abilities behind `?`: ask, never stub.
 * The driver polls by itself and emits facts; it never decides, and it never sends a release frame twice.
 */
export interface Board {
	readonly family: string
	readonly caps: BoardCaps
	/** Resolves with boards absent; they come up later by themselves. */
	start(io: Transport, profile: BoardProfile, clock: DriverClock, emit: (event: BoardEvent) => void): Promise<void>
	/**
	 * Never rejects. Refused before any byte is sent (`sent: false`) with fault out-of-range, or command-expired when it could
	 * not be sent by its deadline; it waits for its turn and for the line until then.
	 */
	open(command: OpenCommand): Promise<OpenResult>
	/** One fresh reading; may be retried by the driver. Throws `Fault` board-timeout or out-of-range. */
	read(board: number): Promise<BoardReading>
	/** Addresses that answer on this bus. */
	probe?(): AsyncIterable<{ board: number }>
	/** Opens one channel and reports which bit moved and how: polarity and order for the profile. Throws `Fault` not-found when none moved. */
	learn?(ref: ChannelRef): Promise<Partial<BoardProfile>>
	stats(): DriverStats
	/** Leaves every output off. */
	stop(): Promise<void>
}
