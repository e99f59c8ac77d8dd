import { type Id, isId } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'

/**
 * What a bank says about itself, event by event. Pure: (facts, event) → facts. The bank owns these facts; the server never decides
 * one, it only follows. Every opening that a controller sees is in its stream exactly once (I7), so a door whose board answers and of
 * which nothing was said is shut.
 */
export interface DoorLive {
	readonly id: Id<'compartment'>
	readonly door: 'open' | 'closed' | 'unknown'
	/** What it was when it was last seen. */
	readonly shown: 'open' | 'closed'
	readonly alarm?: DoorAlarm
	readonly sensorReliable: boolean
	readonly session?: { readonly id: string; readonly state: 'releasing' | 'opened' | 'closed'; readonly act: string; readonly subject: string }
	readonly hold?: { readonly kind: HoldKind; readonly why: string }
	/** Reservation or case that the server promised the space to. */
	readonly reservedFor?: string
	readonly content: 'empty' | 'item' | 'unknown'
	/** What lies inside; with `unknown` what was last known to. */
	readonly asset?: string
	readonly since: number
	readonly event?: { readonly stream: Id<'stream'>; readonly seq: number }
}
export type DoorAlarm = 'forced' | 'opened-while-down' | 'opened-late' | 'left-open' | 'stuck'
export type HoldKind = 'pending-inspection' | 'quarantined' | 'out-of-service'
export type Allocation = 'available' | 'reserved' | 'in-use' | 'occupied' | HoldKind

/** A part on a bus: a lock board or a reader. */
export interface PartLive {
	readonly up: boolean
	readonly since: number
	readonly secure?: boolean
}

export interface BankLive {
	readonly stream?: Id<'stream'>
	readonly bundle: { readonly version: number; readonly digest?: string; readonly expiresAt?: number; readonly refused?: string }
	readonly boards: { readonly [name: string]: PartLive }
	readonly readers: { readonly [id: string]: PartLive }
	readonly storage: 'good' | 'low'
	readonly clock: 'good' | 'uncertain'
	readonly historyLost: boolean
	readonly tampered: boolean
	readonly eventAt?: number
}

const NEW_BANK: BankLive = {
	bundle: { version: 0 },
	boards: {},
	readers: {},
	storage: 'good',
	clock: 'good',
	historyLost: false,
	tampered: false,
}
const newDoor = (id: Id<'compartment'>, at: number): DoorLive => ({
	id,
	door: 'unknown',
	shown: 'closed',
	sensorReliable: true,
	content: 'unknown',
	since: at,
})

/** Layer 2 from what is known; what nobody has looked into is given to nobody. `closedByStaff`: taken out of service through the API. */
export function allocationOf(door: Omit<DoorLive, 'id' | 'since'>, closedByStaff: boolean): Allocation {
	if (door.hold) return door.hold.kind
	if (closedByStaff) return 'out-of-service'
	if (door.session) return 'in-use'
	if (door.content === 'item') return 'occupied'
	if (door.content === 'unknown') return 'pending-inspection'
	return door.reservedFor === undefined ? 'available' : 'reserved'
}

/** Whether events of this type say anything about doors and machines: most of a stream speaks of people, visits and cases. */
export const speaks = (type: string): boolean => type === 'stream.started' || Object.hasOwn(RULES, type)

/** The doors that an event may change; `all` of the bank, or these. */
export function doorsNamed({ type, subject, data }: StreamEvent): 'all' | readonly string[] {
	if (type === 'stream.started' || type === 'controller.started') return 'all'
	return [subject, data.compartment, ...idsOf(data.compartments)].filter((id) => isId('compartment', id))
}

/** Doors in the making, so that a batch costs one write a door. */
export interface Picture {
	bank: BankLive
	readonly doors: Map<string, DoorLive>
	readonly touched: Set<string>
}

/** An event of another than the present stream, or of a kind that says nothing about doors and machines, changes nothing. */
export function follow(picture: Picture, event: StreamEvent): void {
	if (event.type === 'stream.started') begin(picture, event)
	if (picture.bank.stream !== event.stream) return
	picture.bank = { ...picture.bank, clock: event.clock, eventAt: event.at }
	const rule = Object.hasOwn(RULES, event.type) ? RULES[event.type] : undefined
	rule?.(picture, event)
}

/** A stream is one life of the controller's database; with a new one it has forgotten what it knew, and so have we. */
function begin(picture: Picture, event: StreamEvent): void {
	picture.bank = { ...NEW_BANK, stream: event.stream }
	for (const { id, asset, reservedFor } of [...picture.doors.values()]) {
		const kept = { ...(asset !== undefined && { asset }), ...(reservedFor !== undefined && { reservedFor }) }
		set(picture, id, { ...newDoor(id, event.at), ...kept }, event)
	}
}

type Rule = (picture: Picture, event: StreamEvent) => void
const RULES: { readonly [type: string]: Rule } = {
	'stream.history-lost': (p) => bank(p, { historyLost: true }),
	'task.done': (p, e) => {
		if (e.data.kind === 'check-history') bank(p, { historyLost: false })
	},
	'controller.started': (p, e) => {
		for (const id of [...p.doors.keys()]) door(p, e, id, { door: 'unknown' })
		bank(p, { boards: asDown(p.bank.boards, e.at), readers: asDown(p.bank.readers, e.at) })
	},
	'controller.storage-low': (p) => bank(p, { storage: 'low' }),
	'controller.storage-good': (p) => bank(p, { storage: 'good' }),
	'controller.tampered': (p, e) => bank(p, { tampered: e.data.active !== false }),
	'bundle.accepted': (p, { data: { version, digest, expiresAt } }) => {
		if (typeof version !== 'number') return
		bank(p, { bundle: { version, ...(typeof digest === 'string' && { digest }), ...(typeof expiresAt === 'number' && { expiresAt }) } })
	},
	'bundle.refused': (p, { data: { what, code } }) => {
		if (what === 'bundle') bank(p, { bundle: { ...p.bank.bundle, refused: String(code) } })
	},
	'board.returned': (p, e) => {
		bank(p, { boards: { ...p.bank.boards, [e.subject]: { up: true, since: e.at } } })
		for (const id of idsOf(e.data.compartments)) door(p, e, id, { door: p.doors.get(id)?.shown ?? 'closed' })
	},
	'board.lost': (p, e) => {
		bank(p, { boards: { ...p.bank.boards, [e.subject]: { up: false, since: e.at } } })
		for (const id of idsOf(e.data.compartments)) door(p, e, id, { door: 'unknown' })
	},
	'reader.online': (p, e) =>
		bank(p, { readers: { ...p.bank.readers, [e.subject]: { up: true, since: e.at, ...(e.data.secure === true && { secure: true }) } } }),
	'reader.lost': (p, e) => bank(p, { readers: { ...p.bank.readers, [e.subject]: { up: false, since: e.at } } }),

	'door-session.releasing': (p, e) => {
		const session = { id: e.subject, state: 'releasing', act: String(e.data.act ?? 'inspect'), subject: String(e.actor ?? 'edge') } as const
		door(p, e, e.data.compartment, { session, alarm: undefined })
	},
	'door-session.opened': (p, e) => {
		seen(p, e, e.data.compartment, 'open')
		inSession(p, e, 'opened')
	},
	'door-session.closed': (p, e) => {
		seen(p, e, e.data.compartment, 'closed')
		inSession(p, e, 'closed')
	},
	'door-session.left-open': (p, e) => door(p, e, e.data.compartment, { alarm: 'left-open' }),
	'door-session.committed': (p, e) => ended(p, e),
	'door-session.no-change': (p, e) => ended(p, e),
	'door-session.aborted': (p, e) => ended(p, e),
	'door-session.failed': (p, e) => ended(p, e),
	'door-session.not-opened': (p, e) => ended(p, e),
	'door-session.interrupted': (p, e) => ended(p, e),
	// A doubt never erases whose thing it is (R4).
	'door-session.ambiguous': (p, e) => {
		const { item } = e.data
		door(p, e, e.data.compartment, { session: undefined, content: 'unknown', ...(typeof item === 'string' && { asset: item }) })
	},
	'door.forced': (p, e) => surprise(p, e, 'forced'),
	'door.opened-late': (p, e) => surprise(p, e, 'opened-late'),
	'door.opened-while-down': (p, e) => surprise(p, e, 'opened-while-down'),
	'door.closed': (p, e) => seen(p, e, e.subject, 'closed'),
	'door.stuck': (p, e) => door(p, e, e.subject, { alarm: 'stuck' }),
	'door.sensor-unreliable': (p, e) => door(p, e, e.subject, { sensorReliable: false }),
	'door.sensor-reliable': (p, e) => door(p, e, e.subject, { sensorReliable: true }),

	'compartment.occupied': (p, e) => filled(p, e, 'item'),
	'compartment.emptied': (p, e) => filled(p, e, 'empty'),
	'compartment.content-changed-while-closed': (p, e) => door(p, e, e.subject, { content: 'unknown' }),
	'compartment.pending-inspection': (p, e) => {
		held(p, e, 'pending-inspection')
		if (e.data.why === 'content-changed') door(p, e, e.subject, { content: 'unknown' })
	},
	'compartment.quarantined': (p, e) => held(p, e, 'quarantined'),
	'compartment.taken-out-of-service': (p, e) => held(p, e, 'out-of-service'),
	'compartment.returned-to-service': (p, e) => {
		const { content, item } = e.data
		const found = content === 'item' || content === 'empty' ? content : 'unknown'
		const asset = found === 'item' && typeof item === 'string' ? item : undefined
		door(p, e, e.subject, { hold: undefined, alarm: undefined, sensorReliable: true, content: found, asset })
	},
}

function set(picture: Picture, id: string, next: DoorLive, { stream, seq }: StreamEvent): void {
	picture.doors.set(id, { ...next, event: { stream, seq } })
	picture.touched.add(id)
}

/** A compartment that this bank does not have is somebody else's, or was taken away since. `undefined` removes an optional field. */
function door(picture: Picture, event: StreamEvent, id: unknown, change: { [K in keyof DoorLive]?: DoorLive[K] | undefined }): void {
	const before = isId('compartment', id) ? picture.doors.get(id) : undefined
	if (!before) return
	const next = { ...before, ...change } as DoorLive
	const moved = next.door !== before.door || next.content !== before.content || allocationOf(next, false) !== allocationOf(before, false)
	set(picture, before.id, moved ? { ...next, since: event.at } : next, event)
}

const bank = (picture: Picture, change: Partial<BankLive>): void => {
	picture.bank = { ...picture.bank, ...change }
}

const seen = (picture: Picture, event: StreamEvent, id: unknown, shown: 'open' | 'closed'): void =>
	// Shut again: what stood open does so no longer. That it was forced stays until a person has looked.
	door(picture, event, id, { door: shown, shown, ...(shown === 'closed' && alarmOf(picture, id) === 'left-open' && { alarm: undefined }) })
const alarmOf = (picture: Picture, id: unknown) => picture.doors.get(String(id))?.alarm

function inSession(picture: Picture, event: StreamEvent, state: 'opened' | 'closed'): void {
	const session = picture.doors.get(String(event.data.compartment))?.session
	if (session?.id === event.subject) door(picture, event, event.data.compartment, { session: { ...session, state } })
}

function ended(picture: Picture, event: StreamEvent): void {
	const session = picture.doors.get(String(event.data.compartment))?.session
	if (session?.id === event.subject) door(picture, event, event.data.compartment, { session: undefined })
}

function surprise(picture: Picture, event: StreamEvent, alarm: DoorAlarm): void {
	door(picture, event, event.subject, { door: 'open', shown: 'open', alarm, content: 'unknown' })
}

function filled(picture: Picture, event: StreamEvent, content: 'item' | 'empty'): void {
	const { item, unverified } = event.data
	const asset = typeof item === 'string' ? item : undefined
	// Recorded in only when proven in, and out only when proven out (I5).
	if (unverified === true) door(picture, event, event.subject, { content: 'unknown', ...(asset !== undefined && { asset }) })
	else if (content === 'empty') door(picture, event, event.subject, { content, asset: undefined })
	else door(picture, event, event.subject, { content: asset === undefined ? 'unknown' : content, asset })
}

function held(picture: Picture, event: StreamEvent, kind: HoldKind): void {
	door(picture, event, event.subject, { hold: { kind, why: String(event.data.why ?? '') } })
}

const asDown = (parts: BankLive['boards'], at: number): BankLive['boards'] =>
	Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, { ...part, up: false, since: at }]))
const idsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((id) => isId('compartment', id)) : [])
