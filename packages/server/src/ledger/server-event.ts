import { canonicalBytes, Fault, type Id, type Json, newId, type Random } from '@latchwork/core/base'
import { MAX_EVENT_BYTES } from '@latchwork/core/ledger'

/** What a domain wants recorded. `data` holds ids, numbers, codes and commitments: no name, no address, no badge number, no free text of people. */
export interface ServerDraft {
	/** A noun and a past fact: `reservation.cancelled`. */
	readonly type: string
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

export interface ServerEvent extends ServerDraft {
	readonly v: 1
	readonly source: 'server'
	readonly id: Id<'event'>
	readonly tenant: Id<'tenant'>
	readonly at: number
}

/** The bytes are what is hashed, kept and shown, once and for ever. Throws `event-invalid`. */
export function mintServerEvent(draft: ServerDraft, tenant: Id<'tenant'>, now: number, random: Random): { event: ServerEvent; bytes: Uint8Array } {
	const at = Math.floor(now)
	const { type, subject, actor, site, bank, cause, data } = draft
	const event = { v: 1, source: 'server', id: newId('event', at, random), tenant, type, subject, actor, at, site, bank, cause, data } as ServerEvent
	const bytes = canonicalBytes(event)
	if (bytes.length > MAX_EVENT_BYTES) throw new Fault('event-invalid', `${type} has ${bytes.length} bytes; ${MAX_EVENT_BYTES} are allowed.`)
	return { event, bytes }
}
