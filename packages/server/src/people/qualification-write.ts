import type { Id } from '@latchwork/core/base'
import { markPeople } from '../estate/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { type PeopleChange, recordOf } from './person-write.ts'
import { nothing } from './read.ts'

export interface Qualification {
	readonly code: string
	/** Undefined: for good. */
	readonly until: number | undefined
	readonly givenAt: number
	readonly givenBy: string
}

export const qualificationsOf = async (db: Db, subject: Id<'subject'>): Promise<Qualification[]> =>
	(
		await db.rows(sql<
			Omit<Qualification, 'until'> & { until: number | null }
		>`SELECT code, until, given_at AS "givenAt", given_by AS "givenBy" FROM qualification
			WHERE tenant_id = ${db.tenant} AND subject_id = ${subject} ORDER BY code`)
	).map((row) => ({ ...row, until: row.until ?? undefined }))

/** Gives it, or gives it another end. */
export async function giveQualification(
	tx: Tx,
	change: PeopleChange,
	subject: Id<'subject'>,
	code: string,
	until: number | undefined,
): Promise<Qualification> {
	const { now, actor } = change
	const known = await tx.first(sql`SELECT 1 FROM person WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND erased_at IS NULL FOR SHARE`)
	if (!known) throw nothing('person')
	await tx.run(sql`INSERT INTO qualification (tenant_id, subject_id, code, until, given_at, given_by)
		VALUES (${tx.tenant}, ${subject}, ${code}, ${until ?? null}, ${now}, ${actor})
		ON CONFLICT (tenant_id, subject_id, code) DO UPDATE SET until = excluded.until, given_at = excluded.given_at, given_by = excluded.given_by`)
	await recordOf(tx, change, 'qualification.given', subject, { code, ...(until !== undefined && { until }) })
	await markPeople(tx, now, [subject])
	return { code, until, givenAt: now, givenBy: actor }
}

/** Takes it away; what is not there is gone already. */
export async function endQualification(tx: Tx, change: PeopleChange, subject: Id<'subject'>, code: string): Promise<void> {
	const gone = await tx.run(sql`DELETE FROM qualification WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND code = ${code}`)
	if (gone === 0) throw nothing('qualification')
	await recordOf(tx, change, 'qualification.ended', subject, { code })
	await markPeople(tx, change.now, [subject])
}
