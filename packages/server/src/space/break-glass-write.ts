import { Fault, type Id, newId, type Random } from '@latchwork/core/base'
import { placeOf, present } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'

/** Why somebody opens what is others' without asking anybody. */
export const EMERGENCIES = ['danger-to-people', 'fire-or-water', 'somebody-locked-in', 'theft-in-progress', 'medicine-needed'] as const
export type Emergency = (typeof EMERGENCIES)[number]

export interface BreakGlass {
	readonly id: Id<'breakGlass'>
	readonly by: Id<'subject'>
	readonly bank: Id<'bank'>
	readonly reason: string
	readonly startedAt: number
	readonly until: number
}

const COLUMNS = sql`break_glass_id AS id, subject_id AS "by", bank_id AS bank, reason, started_at AS "startedAt", until`

export interface BreakGlassTerms {
	readonly by: Id<'subject'>
	readonly now: number
	readonly random: Random
}

/** From now on, for so many minutes, this person needs nobody else at this bank. It is in the log before the first door. */
export async function breakGlass(
	tx: Tx,
	{ bank, reason, minutes }: { readonly bank: Id<'bank'>; readonly reason: Emergency; readonly minutes: number },
	{ by, now, random }: BreakGlassTerms,
): Promise<BreakGlass> {
	const { site } = present(await placeOf(tx, bank), 'bank')
	if (await liveBreakGlass(tx, by, bank, now)) throw new Fault('request-refused', 'You have broken the glass at this bank already.')
	const id = newId('breakGlass', now, random)
	const until = Math.floor(now) + minutes * 60_000
	await tx.run(sql`INSERT INTO break_glass (tenant_id, break_glass_id, subject_id, bank_id, reason, started_at, until)
		VALUES (${tx.tenant}, ${id}, ${by}, ${bank}, ${reason}, ${Math.floor(now)}, ${until})`)
	await append(tx, [{ type: 'break-glass.started', subject: id, actor: by, ...(site && { site }), bank, data: { reason, until } }], { now, random })
	return (await findBreakGlass(tx, id)) as BreakGlass
}

/** Before its time is over, by whoever began it or somebody else who may. Throws `not-found`, `request-refused`. */
export async function endBreakGlass(tx: Tx, id: Id<'breakGlass'>, { by, now, random }: BreakGlassTerms): Promise<void> {
	const found = present(await findBreakGlass(tx, id), 'emergency')
	if (found.until <= now) throw new Fault('request-refused', 'It is over already.')
	await tx.run(sql`UPDATE break_glass SET until = ${Math.floor(now)} WHERE tenant_id = ${tx.tenant} AND break_glass_id = ${id}`)
	await append(tx, [{ type: 'break-glass.ended', subject: id, actor: by, bank: found.bank, data: {} }], { now, random })
}

export const findBreakGlass = (db: Db, id: string): Promise<BreakGlass | undefined> =>
	db.first(sql`SELECT ${COLUMNS} FROM break_glass WHERE tenant_id = ${db.tenant} AND break_glass_id = ${id}`)

/** This person's at this bank, while it lasts. */
export const liveBreakGlass = (db: Db, by: Id<'subject'>, bank: Id<'bank'>, now: number): Promise<BreakGlass | undefined> =>
	db.first(
		sql`SELECT ${COLUMNS} FROM break_glass WHERE tenant_id = ${db.tenant} AND subject_id = ${by} AND bank_id = ${bank} AND until > ${now} LIMIT 1`,
	)
