import { Fault, type Id, newId } from '@latchwork/core/base'
import { type Change, markPeople } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { isPerson } from '../people/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'

export interface Approval {
	readonly id: Id<'approval'>
	readonly user: Id<'subject'>
	/** Code of an asset type. */
	readonly type: string
	readonly until: number
	readonly givenAt: number
	readonly givenBy: string
}

const APPROVAL = sql`approval_id AS id, subject_id AS "user", type_code AS type, until, given_at AS "givenAt", given_by AS "givenBy"`

export const listApprovals = (db: Db, now: number, user?: Id<'subject'> | readonly Id<'subject'>[]): Promise<Approval[]> =>
	db.rows(
		sql`SELECT ${APPROVAL} FROM approval WHERE tenant_id = ${db.tenant} AND until > ${now} ${user ? sql`AND subject_id = ANY(${[user].flat()}::text[])` : sql``} ORDER BY approval_id`,
	)

/** What is in force, by person: what bundles say. `only`: of these people. */
export async function approvalsInForce(
	db: Db,
	now: number,
	only?: readonly Id<'subject'>[],
): Promise<ReadonlyMap<string, readonly { readonly type: string; readonly until: number }[]>> {
	const all = await listApprovals(db, now, only)
	return new Map([...Map.groupBy(all, ({ user }) => user as string)].map(([user, some]) => [user, some.map(({ type, until }) => ({ type, until }))]))
}

/** Nobody approves of themselves; the same person twice gives the approval another end. */
export async function giveApproval(
	tx: Tx,
	{ actor, now, random }: Change & { readonly actor: Id<'subject'> },
	{ user, type, until }: Pick<Approval, 'user' | 'type' | 'until'>,
): Promise<Approval> {
	if (user === actor) throw new Fault('request-refused', 'Nobody approves of themselves: somebody else has to.')
	if (!(await isPerson(tx, user))) throw new Fault('request-invalid', 'body.user: there is no such person.', { detail: { field: 'body.user' } })
	const id = newId('approval', now, random)
	const given = await tx.first<Approval>(sql`INSERT INTO approval (tenant_id, approval_id, subject_id, type_code, until, given_at, given_by)
		VALUES (${tx.tenant}, ${id}, ${user}, ${type}, ${until}, ${now}, ${actor})
		ON CONFLICT (tenant_id, subject_id, type_code, given_by) DO UPDATE SET until = excluded.until, given_at = excluded.given_at RETURNING ${APPROVAL}`)
	await append(tx, [{ type: 'approval.given', subject: user, actor, data: { type, until } }], { now, random })
	await markPeople(tx, now, [user])
	return given as Approval
}

export async function revokeApproval(tx: Tx, { actor, now, random }: Change, id: Id<'approval'>): Promise<void> {
	const gone = await tx.first<{ user: Id<'subject'>; type: string }>(
		sql`DELETE FROM approval WHERE tenant_id = ${tx.tenant} AND approval_id = ${id} RETURNING subject_id AS "user", type_code AS type`,
	)
	if (!gone) throw new Fault('not-found', 'There is no such approval.')
	await append(tx, [{ type: 'approval.revoked', subject: gone.user, actor, data: { type: gone.type } }], { now, random })
	await markPeople(tx, now, [gone.user as Id<'subject'>])
}
