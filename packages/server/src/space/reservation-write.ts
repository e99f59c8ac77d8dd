import { Fault, type Id, newId } from '@latchwork/core/base'
import { bankLive, type Change, compartmentsOf, doorsLive } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { fits, type Room } from './fit.ts'

/** A thing that is to come, and the compartment it needs. */
export interface Wanted extends Room {
	readonly line: Id<'line'>
}

export interface Claiming {
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	readonly case: Id<'case'>
	readonly until: number
}

/**
 * Keeps a compartment free for each thing, or for none of them. One bank is claimed by one transaction at a time, so the last compartment has
 * one winner. Throws `no-suitable-compartment` when the bank could never hold them, `bank-full` when it cannot now.
 */
export async function reserve(
	tx: Tx,
	{ bank, site, case: of, until }: Claiming,
	wanted: readonly Wanted[],
	{ actor, now, random }: Change,
): Promise<void> {
	await tx.run(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`reserve/${bank}`}, 0))`)
	const { all, free } = await roomsOf(tx, bank)
	if (!fits(all, wanted))
		throw new Fault('no-suitable-compartment', 'This bank has no compartments that could hold all of it. Choose another bank, or split it.')
	const claimed = await tx.rows<Room>(
		sql`SELECT size, accessible FROM reservation WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank} AND ended_at IS NULL`,
	)
	if (!fits(free, [...claimed, ...wanted]))
		throw new Fault('bank-full', 'No fitting compartment of this bank is free and unclaimed. Choose another bank, or try later.', {
			detail: { free: free.length, claimed: claimed.length },
		})
	for (const { line, size, accessible } of wanted) {
		const id = newId('reservation', now, random)
		await tx.run(sql`INSERT INTO reservation (tenant_id, reservation_id, bank_id, case_id, line_id, size, accessible, until, created_at)
			VALUES (${tx.tenant}, ${id}, ${bank}, ${of}, ${line}, ${size}, ${accessible}, ${until}, ${now})`)
		await append(tx, [{ type: 'reservation.made', subject: id, actor, site, bank, data: { case: of, line, size, accessible, until } }], {
			now,
			random,
		})
	}
}

/** What lies in it, or will not come, needs no claim any more. */
export async function endReservations(
	tx: Tx,
	of: Id<'case'>,
	line: string | undefined,
	why: 'filled' | 'released' | 'expired',
	{ actor, now, random }: Change,
): Promise<void> {
	const ended = await tx.rows<{ id: string; bank: Id<'bank'>; line: string }>(sql`UPDATE reservation SET ended_at = ${now}, ended_why = ${why}
		WHERE tenant_id = ${tx.tenant} AND case_id = ${of} AND ended_at IS NULL AND ${line === undefined ? sql`true` : sql`line_id = ${line}`}
		RETURNING reservation_id AS id, bank_id AS bank, line_id AS line`)
	const type = why === 'expired' ? ('reservation.expired' as const) : ('reservation.released' as const)
	await append(
		tx,
		ended.map((one) => ({ type, subject: one.id, actor, bank: one.bank, data: { case: of, line: one.line, why } })),
		{ now, random },
	)
}

export interface Reservation extends Room {
	readonly id: Id<'reservation'>
	readonly case: Id<'case'>
	readonly line: Id<'line'>
	readonly until: number
}
export const reservationsOf = (db: Db, bank: Id<'bank'>): Promise<Reservation[]> =>
	db.rows(sql`SELECT reservation_id AS id, case_id AS "case", line_id AS line, size, accessible, until FROM reservation
		WHERE tenant_id = ${db.tenant} AND bank_id = ${bank} AND ended_at IS NULL ORDER BY created_at, reservation_id`)

/** A bank that was never heard is planned with as if it were empty; of one that was, only what it says is free. */
async function roomsOf(db: Db, bank: Id<'bank'>): Promise<{ all: Room[]; free: Room[] }> {
	const [compartments, doors, live] = [await compartmentsOf(db, bank), await doorsLive(db, bank), await bankLive(db, bank)]
	const inService = compartments.filter((c) => c.outOfService === null)
	if (!live?.seenAt && !live?.eventAt) return { all: inService, free: inService }
	const available = new Set(doors.filter((d) => d.allocation === 'available').map((d) => d.id))
	return { all: inService, free: inService.filter((c) => available.has(c.id)) }
}
