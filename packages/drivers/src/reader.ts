import type { DriverClock, DriverStats, Transport } from './transport/index.ts'

/** Badge readers, keypads and code scanners: whatever turns a person's act into bytes. */
export interface ReaderCaps {
	readonly card: boolean
	readonly keypad: boolean
	readonly scan: boolean
	readonly led: boolean
	readonly buzzer: boolean
	/** `secure-channel`: authenticated and encrypted up to the controller; `plain`: can be tapped and replayed on the wire. */
	readonly assurance: 'plain' | 'secure-channel'
}

export type ReaderEvent =
	/** `bits`: left-aligned bits as read, `bitCount` of them count. Format 0 = unspecified, 1 = Wiegand. */
	| { readonly kind: 'card'; readonly format: number; readonly bitCount: number; readonly bits: Uint8Array; readonly secure: boolean }
	/** ASCII digits, `#` to finish, `*` to clear, whatever the reader sends for them on the wire. */
	| { readonly kind: 'keys'; readonly keys: string; readonly secure: boolean }
	/** A code as printed, without the terminator. */
	| { readonly kind: 'scan'; readonly text: string }
	| { readonly kind: 'reader-up'; readonly secure: boolean }
	| { readonly kind: 'reader-down' }
	| { readonly kind: 'tamper'; readonly active: boolean }
	| { readonly kind: 'power'; readonly failed: boolean }
	/** Never ignored: these become security events in the controller's stream. */
	| {
			readonly kind: 'security'
			readonly code:
				| 'wrong-key'
				| 'default-key-refused'
				| 'plain-refused'
				| 'no-secure-channel'
				| 'replay'
				| 'mac-mismatch'
				| 'channel-lost'
				| 'overflow'
	  }

export interface ReaderProfile {
	/** Bus address (OSDP 0–126). */
	readonly address?: number
	/** 16-byte key of the secure channel; with it, plain and the default key are refused. */
	readonly key?: Uint8Array
	/** Deliberately plain readers only; an `osdp` reader without key and without this flag does not come up. */
	readonly allowPlain?: boolean
	/** Until this monotonic time the published default key is accepted, to install `key` by KEYSET; started by an administrator, logged. */
	readonly installUntil?: number
	/** Scanners: text before the code that is cut off. */
	readonly prefix?: string
	readonly pollMs?: number
}

export interface Reader {
	readonly family: string
	readonly caps: ReaderCaps
	/** Resolves with the reader absent; it comes up later by itself. */
	start(io: Transport, profile: ReaderProfile, clock: DriverClock, emit: (event: ReaderEvent) => void): Promise<void>
	/** Short answer to the person at the reader. */
	signal?(what: 'granted' | 'denied' | 'idle'): Promise<void>
	/** Replaces the secure channel's key by KEYSET inside the channel; resolves when the reader is online again under the new key. */
	rotateKey?(key: Uint8Array): Promise<void>
	stats(): DriverStats
	stop(): Promise<void>
}
