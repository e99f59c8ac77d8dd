import type { DeviceCheck } from './device-check.ts'
import type { Tally } from './tally.ts'

/**
 * What the server and its broker child say to each other: one JSON a line, down the child's standard input and up its standard output. Both ends are
 * one version of one program, so nothing is checked.
 */
export interface BrokerStart {
	readonly kind: 'start'
	/** HTTPS and MQTT over WebSocket, for controllers. Port 0: any. */
	readonly device: Address
	/** MQTT over TLS; absent: not offered. */
	readonly mqtts?: Address
	/** False: an external broker has the messages, and this one only the HTTPS. */
	readonly mqtt: boolean
	/** Unix socket (a named pipe on Windows) where the server's own client connects with `secret`. */
	readonly internal: string
	readonly secret: string
	/** Unix socket of the server to which `/device/…` goes. */
	readonly upstream: string
	readonly state: BrokerState
}
export interface Address {
	readonly host: string
	readonly port: number
}

/** Whom to let in; sent whole whenever it changes. */
export interface BrokerState {
	/** The server's time: certificates are judged by it, not by the machine's. */
	readonly now: number
	readonly port: { readonly certificate: string; readonly key: string }
	/** PEM of each tenant's device authority. */
	readonly authorities: readonly string[]
	/** Fingerprints that are revoked and not expired. */
	readonly revoked: readonly string[]
}
export type ToBroker = BrokerStart | { readonly kind: 'state'; readonly state: BrokerState } | { readonly kind: 'now'; readonly now: number }

export type FromBroker =
	| { readonly kind: 'ready'; readonly device: number; readonly mqtts?: number }
	| { readonly kind: 'failed'; readonly code: 'port-in-use' | 'config-invalid'; readonly text: string }
	| { readonly kind: 'counters'; readonly counters: BrokerCounters }
	| { readonly kind: 'incident'; readonly incident: BrokerIncident }
	/** The answer to `now`: it hears, and its loop turns. */
	| { readonly kind: 'heard' }

type Refused = Extract<DeviceCheck, { ok: false }>['why']
/** Refused: a connection. Dropped: a message, and its controller stays. */
export type BrokerCount =
	| `refused-${Refused | 'revoked' | 'client-id' | 'secret' | 'path' | 'early' | 'many'}`
	| `dropped-${'topic' | 'retained' | 'size' | 'will' | 'subscription'}`
	| 'accepted'
	| 'taken-over'
	| 'ended-expired'
	| 'ended-revoked'
	| 'malformed'
	| 'too-long'
	| 'silent'
	| 'requests'
	| 'requests-refused'
export type BrokerCounters = { readonly [C in BrokerCount]?: number } & { readonly connected: number }

export type BrokerTally = Tally<BrokerCount, BrokerIncident>

/** Something that whoever runs the estate may want to know; so many a second are told, all are counted. */
export interface BrokerIncident {
	readonly what: BrokerCount
	/** As its certificate says, where there is one of ours. */
	readonly controller?: string
	readonly tenant?: string
	readonly address?: string
	readonly text?: string
}
