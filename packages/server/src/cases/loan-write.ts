import type { Id } from '@latchwork/core/base'
import { type Case, type LoadedTable, possession } from '@latchwork/core/workflow'
import { placeOf, present } from '../estate/index.ts'
import { lockLoanLimit } from '../people/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { settingsOf } from '../tenants/index.ts'
import type { CaseRow } from './case-read.ts'
import { OVER_LIMIT, openTask, settleTasks, type TaskTerms } from './task-write.ts'

/** How many things of this case its owner has, as its bank counts them, too. */
export const thingsOut = (table: LoadedTable | undefined, of: Case): number =>
	of.lines.filter((line) => of.owner !== undefined && possession(table, of, line, of.owner) === 'has').length

/**
 * In the transaction of the step: the other banks of the organisation are to be told how many this person has now. Whoever got more than is allowed,
 * at two banks that did not know of each other, keeps it (trust.md §3.6); staff are told until enough is back.
 */
export async function noteLoans(tx: Tx, before: Pick<CaseRow, 'thingsOut'>, after: CaseRow, doing: TaskTerms): Promise<void> {
	const { owner, bank, thingsOut } = after
	if (owner === null || thingsOut === before.thingsOut) return
	const own = await lockLoanLimit(tx, owner)
	const loans = (await openLoans(tx, [owner])).reduce((sum, one) => sum + one.loans, 0)
	if (thingsOut < before.thingsOut) await settleTasks(tx, { enoughBack: owner, loans }, 'returned', doing)
	else if (after.workflow === 'loan') {
		const limit = own ?? (await settingsOf(tx, present(await placeOf(tx, bank), 'bank'))).maxLoans
		if (loans > limit) await openTask(tx, { kind: OVER_LIMIT, site: after.site, bank, case: after.id, detail: { loans, limit } }, doing)
	}
	await tx.run(sql`INSERT INTO loan_news (tenant_id, subject_id, bank_id, mark) VALUES (${tx.tenant}, ${owner}, ${bank}, 1)
		ON CONFLICT (tenant_id, subject_id, bank_id) DO UPDATE SET mark = loan_news.mark + 1`)
}

export interface LoanNews {
	readonly subject: Id<'subject'>
	/** Where it changed: that bank knows already. */
	readonly bank: Id<'bank'>
	readonly mark: number
}

/** Organisations in which somebody's count has changed. For system work. */
export const tenantsWithLoanNews = async (db: Db): Promise<Id<'tenant'>[]> =>
	(await db.rows<{ tenant: Id<'tenant'> }>(sql`SELECT DISTINCT tenant_id AS tenant FROM loan_news ORDER BY 1`)).map(({ tenant }) => tenant)

export const loanNews = (db: Db, limit: number): Promise<LoanNews[]> =>
	db.rows(
		sql`SELECT subject_id AS subject, bank_id AS bank, mark FROM loan_news WHERE tenant_id = ${db.tenant} ORDER BY subject_id, bank_id LIMIT ${limit}`,
	)

/** Told as it was then; a later change stays. */
export const settleLoanNews = (tx: Tx, news: readonly LoanNews[]): Promise<number> =>
	tx.run(sql`DELETE FROM loan_news n USING unnest(${news.map((one) => one.subject)}::text[], ${news.map((one) => one.bank)}::text[], ${news.map((one) => one.mark)}::bigint[])
		AS told (subject, bank, mark) WHERE n.tenant_id = ${tx.tenant} AND n.subject_id = told.subject AND n.bank_id = told.bank AND n.mark = told.mark`)

/** Who has something on loan that is overdue. */
export const ownersLate = async (db: Db, now: number): Promise<Id<'subject'>[]> =>
	(
		await db.rows<{ owner: Id<'subject'> }>(
			sql`SELECT DISTINCT owner FROM workflow_case WHERE tenant_id = ${db.tenant} AND workflow = 'loan' AND things_out > 0 AND due_at < ${now}`,
		)
	).map(({ owner }) => owner)

/** What people have on loan, by bank; of these people alone, or of everybody. */
export const openLoans = (db: Db, of?: readonly Id<'subject'>[]): Promise<{ subject: Id<'subject'>; bank: Id<'bank'>; loans: number }[]> =>
	db.rows(sql`SELECT owner AS subject, bank_id AS bank, sum(things_out)::integer AS loans FROM workflow_case
		WHERE tenant_id = ${db.tenant} AND things_out > 0 ${of ? sql`AND owner = ANY(${of}::text[])` : sql``} GROUP BY owner, bank_id ORDER BY owner, bank_id`)
