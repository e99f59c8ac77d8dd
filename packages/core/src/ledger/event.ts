import type { Id, Json } from '../base/index.ts'

/**
 * The closed list of what a controller can record: the names of api.md §4.3 without `lockers.`, plus what the edge itself needs.
 * A name is never given a new meaning; a reader meeting an unknown one refuses the stream.
 */
export const EVENT_TYPES = [
	'stream.started',
	'stream.history-lost',
	'stream.refused',
	'controller.provisioned',
	'controller.started',
	'controller.stopping',
	'controller.clock-went-back',
	'controller.clock-jumped',
	'controller.clock-good',
	'controller.link-lost',
	'controller.link-restored',
	'controller.storage-low',
	'controller.storage-good',
	'controller.tampered',
	'controller.power-lost',
	'controller.power-restored',
	'controller.config-applied',
	'controller.config-rejected',
	'bundle.accepted',
	'bundle.refused',
	'bundle.expired',
	'reader.online',
	'reader.lost',
	'reader.security',
	'reader.key-changed',
	'board.lost',
	'board.returned',
	'bank.full',
	'bank.nearly-full',
	'visit.started',
	'visit.ended',
	'credential.locked-out',
	'credential.code-used',
	'credential.reported-lost',
	'decision.allowed',
	'decision.denied',
	'command.refused',
	'door-session.requested',
	'door-session.denied',
	'door-session.releasing',
	'door-session.opened',
	'door-session.closed',
	'door-session.committed',
	'door-session.left-open',
	'door-session.not-opened',
	'door-session.no-change',
	'door-session.ambiguous',
	'door-session.interrupted',
	'door-session.aborted',
	'door-session.failed',
	'door.forced',
	'door.stuck',
	'door.opened-while-down',
	'door.sensor-unreliable',
	'door.opened-late',
	'door.closed',
	'door.sensor-reliable',
	'compartment.reserved',
	'compartment.released',
	'compartment.occupied',
	'compartment.emptied',
	'compartment.content-changed-while-closed',
	'compartment.pending-inspection',
	'compartment.quarantined',
	'compartment.taken-out-of-service',
	'compartment.returned-to-service',
	'case.opened',
	'case.moved',
	'case.conflict',
	'case.closed',
	'loan.allotted',
	'loan.started',
	'loan.due-soon',
	'loan.overdue',
	'loan.escalated',
	'loan.extended',
	'loan.returned',
	'loan.returned-not-charging',
	'loan.disputed',
	'loan.lost',
	'delivery.deposited',
	'delivery.not-deposited',
	'delivery.misplaced',
	'delivery.ready',
	'delivery.expiring',
	'delivery.expired',
	'delivery.recalled',
	'delivery.collected',
	'delivery.collected-expired',
	'custody.transferred',
	'incident.opened',
	'incident.closed',
	'task.created',
	'task.done',
	'override.used',
	'reconciliation.mismatch',
	'emergency-open.started',
	'emergency-open.ended',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** What a part of the edge wants recorded. `data` holds ids, numbers, codes and commitments: no name, no free text of people. */
export interface EventDraft {
	readonly type: EventType
	/** Id of what the event is about. */
	readonly subject: string
	/** Pseudonym of who acted, or which machine part or role did. */
	readonly actor?: Id<'subject'> | 'edge' | 'staff' | 'server'
	readonly data: { readonly [key: string]: Json }
}

/** One entry of a controller's stream, as minted; its canonical bytes are what is hashed, kept and sent, once and for ever. */
export interface StreamEvent extends EventDraft {
	readonly v: 1
	readonly stream: Id<'stream'>
	/** 1, 2, 3 …: never restarts, never skips. */
	readonly seq: number
	/** Hex SHA-256 of the bytes of the event before; 64 zeros for the first. */
	readonly prev: string
	readonly bank: Id<'bank'>
	/** Trusted milliseconds since 1970, and monotonic milliseconds of the controller's present run. */
	readonly at: number
	readonly mono: number
	readonly clock: 'good' | 'uncertain'
	/** Version of the bundle in force; 0 before the first. */
	readonly bundle: number
	readonly offline: boolean
}

/** The longest event, in bytes (C2SP tlog-tiles entries carry a 16-bit length). */
export const MAX_EVENT_BYTES = 65_535
export const NO_PREVIOUS = '0'.repeat(64)
