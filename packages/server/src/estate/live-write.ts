import type { Id } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { sql, type Tx } from '../store/index.ts'
import { allocationOf, type DoorLive, doorsNamed, follow, type Picture, speaks } from './live.ts'
import { bankLive, type DoorRow, doorLive, doorOf, doorsLive, liveOf } from './live-read.ts'
import { asJson } from './read.ts'

/**
 * Takes a controller's events into the live facts of its bank; they come in the order of their stream, in the transaction that made them
 * durable. What came before changes nothing, and so does an event of a bank that is not there. Answers those that were new.
 */
export async function applyEdgeEvents(tx: Tx, events: readonly StreamEvent[]): Promise<StreamEvent[]> {
	const [first] = events
	if (!first) return []
	const fresh = await unseen(tx, events)
	const telling = fresh.filter((event) => speaks(event.type))
	if (telling.length === 0) return fresh
	const row = await bankLive(tx, first.bank, true)
	if (!row) return []
	const doors = await doorsNamedBy(tx, first.bank, telling)
	const picture: Picture = { bank: liveOf(row), doors: new Map(doors.map((d) => [d.id, doorOf(d)])), touched: new Set() }
	for (const event of telling) follow(picture, event)
	const closed = new Set(doors.flatMap((d) => (d.outOfService ? [d.id] : [])))
	await write(tx, first.bank, picture, closed)
	return fresh
}

/** One event: for those who have no batch. */
export const applyEdgeEvent = async (tx: Tx, event: StreamEvent): Promise<boolean> => (await applyEdgeEvents(tx, [event])).length > 0

/** Above what was applied of their stream. A stream is in one transaction at a time (the ledger holds its row). */
async function unseen(tx: Tx, events: readonly StreamEvent[]): Promise<StreamEvent[]> {
	const fresh: StreamEvent[] = []
	for (const stream of new Set(events.map((event) => event.stream))) {
		const of = events.filter((event) => event.stream === stream)
		const last = Math.max(...of.map((event) => event.seq))
		const before = await tx.first<{ seq: number }>(sql`WITH before AS (
				SELECT seq FROM stream_applied WHERE tenant_id = ${tx.tenant} AND stream_id = ${stream}
			), put AS (
				INSERT INTO stream_applied (tenant_id, stream_id, bank_id, seq)
				SELECT tenant_id, ${stream}, bank_id, ${last}::bigint FROM bank WHERE tenant_id = ${tx.tenant} AND bank_id = ${of[0]?.bank}
				ON CONFLICT (tenant_id, stream_id) DO UPDATE SET seq = greatest(stream_applied.seq, excluded.seq)
			) SELECT seq FROM before`)
		fresh.push(...of.filter((event) => event.seq > (before?.seq ?? 0)))
	}
	return fresh
}

function doorsNamedBy(tx: Tx, bank: Id<'bank'>, events: readonly StreamEvent[]): Promise<(DoorRow & { outOfService: boolean })[]> {
	const named = events.map(doorsNamed)
	return doorsLive(tx, bank, named.includes('all') ? undefined : named.flat(), true)
}

/** New compartments: nothing is known of them until their bank speaks. */
export async function openCompartments(tx: Tx, bank: Id<'bank'>, ids: readonly Id<'compartment'>[], now: number): Promise<void> {
	await tx.run(sql`INSERT INTO compartment_state (tenant_id, compartment_id, bank_id, door, shown, sensor_reliable, allocation, content, since)
		SELECT ${tx.tenant}, id, ${bank}, 'unknown', 'closed', true, 'pending-inspection', 'unknown', ${now}::bigint FROM unnest(${ids}::text[]) AS id`)
}

async function write(tx: Tx, bank: Id<'bank'>, picture: Picture, closed: ReadonlySet<string>): Promise<void> {
	const rows = [...picture.touched].flatMap((id) => {
		const door = picture.doors.get(id)
		return door ? [rowOf(door, closed.has(id))] : []
	})
	const live = picture.bank
	const { version, digest, expiresAt, refused } = live.bundle
	await tx.run(sql`WITH doors AS (
			UPDATE compartment_state s SET door = n.door, shown = n.shown, alarm = n.alarm, sensor_reliable = n.reliable, session_id = n.session,
				session_state = n.state, session_act = n.act, session_subject = n.subject, allocation = n.allocation, hold = n.hold, hold_why = n.why,
				content = n.content, asset_id = n.asset, since = n.since, stream_id = n.stream, seq = n.seq
			FROM jsonb_to_recordset(${asJson(rows)}) AS n (id text, door text, shown text, alarm text, reliable boolean, session text, state text,
				act text, subject text, allocation text, hold text, why text, content text, asset text, since bigint, stream text, seq bigint)
			WHERE s.tenant_id = ${tx.tenant} AND s.compartment_id = n.id
		) UPDATE bank_state SET stream_id = ${live.stream ?? null}, bundle_version = ${version}, bundle_digest = ${digest ?? null},
			bundle_expires_at = ${expiresAt ?? null}, bundle_refused = ${refused ?? null}, boards = ${asJson(live.boards)}, readers = ${asJson(live.readers)},
			storage = ${live.storage}, clock = ${live.clock}, history_lost = ${live.historyLost}, tampered = ${live.tampered}, event_at = ${live.eventAt ?? null}
			WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank}`)
}

const rowOf = (d: DoorLive, closedByStaff: boolean) => ({
	id: d.id,
	door: d.door,
	shown: d.shown,
	alarm: d.alarm ?? null,
	reliable: d.sensorReliable,
	session: d.session?.id ?? null,
	state: d.session?.state ?? null,
	act: d.session?.act ?? null,
	subject: d.session?.subject ?? null,
	allocation: allocationOf(d, closedByStaff),
	hold: d.hold?.kind ?? null,
	why: d.hold?.why ?? null,
	content: d.content,
	asset: d.asset ?? null,
	since: d.since,
	stream: d.event?.stream ?? null,
	seq: d.event?.seq ?? null,
})

/** Space promised by the server (reservation or case id), or given back with undefined. Answers false when somebody else has it. */
export async function reserveCompartment(tx: Tx, id: Id<'compartment'>, reservedFor: string | undefined, now: number): Promise<boolean> {
	const row = await locked(tx, id)
	if (!row || (reservedFor !== undefined && row.reservedFor !== null && row.reservedFor !== reservedFor)) return false
	await tx.run(sql`UPDATE compartment_state SET reserved_for = ${reservedFor ?? null} WHERE tenant_id = ${tx.tenant} AND compartment_id = ${id}`)
	await refreshAllocation(tx, id, now)
	return true
}

/** After what people say of a compartment has changed: its allocation follows from all that is known. */
export async function refreshAllocation(tx: Tx, id: Id<'compartment'>, now: number): Promise<void> {
	const row = await locked(tx, id)
	if (!row) return
	const out = await tx.first<{ out: boolean }>(
		sql`SELECT out_of_service IS NOT NULL AS out FROM compartment WHERE tenant_id = ${tx.tenant} AND compartment_id = ${id}`,
	)
	const allocation = allocationOf(doorOf(row), out?.out === true)
	if (allocation === row.allocation) return
	await tx.run(sql`UPDATE compartment_state SET allocation = ${allocation}, since = ${now} WHERE tenant_id = ${tx.tenant} AND compartment_id = ${id}`)
}

async function locked(tx: Tx, id: Id<'compartment'>): Promise<DoorRow | undefined> {
	await tx.run(sql`SELECT 1 FROM compartment_state WHERE tenant_id = ${tx.tenant} AND compartment_id = ${id} FOR UPDATE`)
	return doorLive(tx, id)
}
