import { canonical, canonicalBytes, Fault, type Id, isId, type Json, newId, type Random } from '../base/index.ts'
import { EVENT_TYPES, type EventType, MAX_EVENT_BYTES } from './event.ts'

/**
 * What the server records besides all that a controller can: the names of api.md §4.3 without `lockers.`, and those that say what happened to
 * people, rights and the log itself. A name is added by adding its line and is never given a new meaning; a reader meeting an unknown one refuses the log.
 */
export const SERVER_EVENT_TYPES = [
	'tenant.created',
	'tenant.changed',
	'site.created',
	'site.changed',
	'site.closed',
	'site.key-rotated',
	'area.created',
	'area.changed',
	'area.closed',
	'bank.created',
	'bank.changed',
	'bank.closed',
	'bank.offline',
	'bank.outage-confirmed',
	'bank.online',
	'module.created',
	'module.changed',
	'module.removed',
	'compartment.created',
	'compartment.changed',
	'controller.created',
	'controller.changed',
	'controller.claim-issued',
	'controller.claimed',
	'controller.enrolled',
	'controller.renewed',
	'controller.revoked',
	'controller.lost',
	'controller.heartbeat-missed',
	'controller.clock-drifted',
	'user.created',
	'user.changed',
	'user.suspended',
	'user.removed',
	'user.erased',
	'user.sign-in-changed',
	'group.created',
	'group.changed',
	'group.removed',
	'group.joined',
	'group.left',
	'credential.issued',
	'credential.rotated',
	'credential.revoked',
	'qualification.given',
	'qualification.ended',
	'approval.given',
	'approval.revoked',
	'role.created',
	'role.changed',
	'role.removed',
	'role.assigned',
	'role.revoked',
	'credential.lock-out-ended',
	'credential.at-two-sites',
	'session.started',
	'session.refused',
	'session.ended',
	'token.issued',
	'token.revoked',
	'policy.published',
	'policy.reviewed',
	'policy.rolled-back',
	'bundle.published',
	'delta.published',
	'break-glass.started',
	'break-glass.ended',
	'command.requested',
	'command.approved',
	'command.owner-not-verified',
	'command.sent',
	'command.accepted',
	'command.finished',
	'command.expired',
	'asset-type.created',
	'asset-type.changed',
	'asset-type.removed',
	'asset.created',
	'asset.changed',
	'asset.retired',
	'reservation.made',
	'reservation.released',
	'reservation.expired',
	'delivery.booked',
	'delivery.code-shown',
	'delivery.rejected',
	'delivery.deposited',
	'delivery.ready',
	'delivery.reminded',
	'delivery.collected',
	'delivery.expiring',
	'delivery.expired',
	'delivery.recalled',
	'delivery.redirected',
	'delivery.not-deposited',
	'delivery.misplaced',
	'delivery.collected-expired',
	'delivery.collected-after-recall',
	'door-session.after-revocation',
	'case.extended',
	'notice.due',
	'notice.sent',
	'setting.changed',
	'stream.accepted',
	'stream.equivocation',
	'stream.gap',
	'stream.gap-closed',
	'stream.event-unapplied',
	'audit.checkpoint-signed',
	'audit.exported',
	'audit.verification-failed',
] as const
export type ServerEventType = EventType | (typeof SERVER_EVENT_TYPES)[number]

/** What a domain wants recorded. `data` holds ids, numbers, codes and commitments: no name, no address, no badge number, no free text of people. */
export interface ServerDraft {
	readonly type: ServerEventType
	/** Id of what the event is about. */
	readonly subject: string
	/** Pseudonym of who acted, or what did. */
	readonly actor: Id<'subject'> | 'server' | 'staff'
	readonly site?: Id<'site'>
	readonly bank?: Id<'bank'>
	/** Event that led to this one: an event id, or stream/sequence of a controller's. */
	readonly cause?: string
	readonly data: { readonly [key: string]: Json }
}

/** One entry that the server minted; its canonical bytes are what is hashed, kept and shown, once and for ever. */
export interface ServerEvent extends ServerDraft {
	readonly v: 1
	readonly source: 'server'
	readonly id: Id<'event'>
	readonly tenant: Id<'tenant'>
	readonly at: number
}

/** Throws `event-invalid` when the draft cannot be written. */
export function mintServerEvent(draft: ServerDraft, tenant: Id<'tenant'>, now: number, random: Random): { event: ServerEvent; bytes: Uint8Array } {
	const at = Math.floor(now)
	const { type, subject, actor, site, bank, cause, data } = draft
	const event = { v: 1, source: 'server', id: newId('event', at, random), tenant, type, subject, actor, at, site, bank, cause, data } as ServerEvent
	const fault = serverEventFault(event)
	if (fault) throw new Fault('event-invalid', `${type} cannot be recorded: ${fault}`)
	const bytes = canonicalBytes(event)
	if (bytes.length > MAX_EVENT_BYTES) throw new Fault('event-invalid', `${type} has ${bytes.length} bytes; ${MAX_EVENT_BYTES} are allowed.`)
	return { event, bytes }
}

export const SERVER_TYPES: ReadonlySet<unknown> = new Set([...EVENT_TYPES, ...SERVER_EVENT_TYPES])
const REQUIRED = ['actor', 'at', 'data', 'id', 'source', 'subject', 'tenant', 'type', 'v']
const shortText = (value: unknown) => typeof value === 'string' && value.length > 0 && value.length <= 200
const orNothing = (rule: (value: unknown) => boolean) => (value: unknown) => value === undefined || rule(value)

const RULES: Readonly<Record<string, (value: unknown) => boolean>> = {
	v: (value) => value === 1,
	source: (value) => value === 'server',
	id: (value) => isId('event', value),
	tenant: (value) => isId('tenant', value),
	type: (value) => SERVER_TYPES.has(value),
	subject: shortText,
	actor: (value) => value === 'server' || value === 'staff' || isId('subject', value),
	at: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
	site: orNothing((value) => isId('site', value)),
	bank: orNothing((value) => isId('bank', value)),
	cause: orNothing(shortText),
	data: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** What keeps `value` from being a server event, in words; undefined when it is one. */
export function serverEventFault(value: unknown): string | undefined {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is not an object'
	const event = value as Record<string, unknown>
	for (const field of REQUIRED) if (event[field] === undefined) return `it has no ${field}`
	for (const field of Object.keys(event)) {
		const rule = Object.hasOwn(RULES, field) ? RULES[field] : undefined
		if (!rule) return `it has an unknown field ${canonical(field).slice(0, 60)}`
		if (!rule(event[field])) return `its ${field} is not allowed`
	}
	return undefined
}
