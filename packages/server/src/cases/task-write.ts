import type { Scope } from '@latchwork/core/access'
import { Fault, type Id, type Json, newId, type Random } from '@latchwork/core/base'
import { placeOf, present, within } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import type { BreakGlass } from '../space/index.ts'
import { type Db, type Sql, sql, type Tx } from '../store/index.ts'

export interface Task {
	readonly id: Id<'task'>
	readonly kind: string
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	readonly compartment: Id<'compartment'> | null
	readonly case: Id<'case'> | null
	/** Ids and codes that say what about. */
	readonly detail: Readonly<Record<string, Json>>
	readonly openedAt: number
	readonly doneAt: number | null
	readonly doneBy: string | null
	readonly doneHow: string | null
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}

export interface NewTask {
	readonly kind: string
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	readonly compartment?: Id<'compartment'> | undefined
	readonly case?: Id<'case'> | undefined
	readonly detail?: Readonly<Record<string, Json>>
}

export interface TaskTerms {
	readonly now: number
	readonly random: Random
}

/** One open task of a kind about a thing is enough: the second finding of the same is told by the first. `recorded`: a bank's own event says it already. */
export async function openTask(tx: Tx, task: NewTask, { now, random }: TaskTerms, recorded = false): Promise<void> {
	const { kind, site, bank, compartment = null, case: of = null, detail = {} } = task
	const same = await tx.first(sql`SELECT 1 FROM task WHERE tenant_id = ${tx.tenant} AND done_at IS NULL AND kind = ${kind} AND bank_id = ${bank}
		AND compartment_id IS NOT DISTINCT FROM ${compartment}::text AND case_id IS NOT DISTINCT FROM ${of}::text
		AND detail ->> 'asset' IS NOT DISTINCT FROM ${typeof detail.asset === 'string' ? detail.asset : null}::text
		AND detail ->> 'credential' IS NOT DISTINCT FROM ${typeof detail.credential === 'string' ? detail.credential : null}::text
		AND detail ->> 'breakGlass' IS NOT DISTINCT FROM ${typeof detail.breakGlass === 'string' ? detail.breakGlass : null}::text`)
	if (same) return
	const id = newId('task', now, random)
	await tx.run(sql`INSERT INTO task (tenant_id, task_id, kind, site_id, bank_id, compartment_id, case_id, detail, opened_at, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${id}, ${kind}, ${site}, ${bank}, ${compartment}, ${of}, ${JSON.stringify(detail)}::jsonb, ${now}, 1, ${now}, ${now})`)
	if (recorded) return
	const about = { kind, ...(of !== null && { case: of }), ...(compartment !== null && { compartment }) }
	await append(tx, [{ type: 'task.created', subject: id, actor: 'server', site, bank, data: about }], { now, random })
}

/** Somebody opened doors alone in an emergency; somebody else looks into it. */
const BREAK_GLASS = 'break-glass'
export const reviewBreakGlass = async (tx: Tx, { id, by, bank, reason, until }: BreakGlass, terms: TaskTerms): Promise<void> => {
	const { site } = present(await placeOf(tx, bank), 'bank')
	if (site) await openTask(tx, { kind: BREAK_GLASS, site, bank, detail: { breakGlass: id, user: by, reason, until } }, terms)
}

/** Handed out by a bank that had not heard that it was called back. */
export const COLLECTED_AFTER_RECALL = 'collected-after-recall'

/** Somebody has more on loan than is allowed. */
export const OVER_LIMIT = 'over-limit'

/** A kind of task at a compartment; or what a person has too much, when the thing of that case is back or what they still have is allowed. */
type Settled =
	| { readonly compartment: Id<'compartment'>; readonly kind: string }
	/** A case has ended: what somebody should do for it at the bank has been done there. */
	| { readonly ended: Id<'case'> }
	| { readonly enoughBack: Id<'subject'>; readonly loans: number }

/** Kinds of tasks that the end of their case settles: what was to be taken out is out, what counted as lost is back. Disputes are for a person. */
const DONE_BY_THE_END = ['pull', 'deemed-lost'] as const

/** It turned out by itself that there is nothing left to do. */
export async function settleTasks(tx: Tx, about: Settled, how: string, { now, random }: TaskTerms): Promise<void> {
	const which =
		'ended' in about
			? sql`case_id = ${about.ended} AND kind = ANY(${[...DONE_BY_THE_END]}::text[])`
			: 'kind' in about
				? sql`kind = ${about.kind} AND compartment_id = ${about.compartment}`
				: sql`kind = ${OVER_LIMIT} AND case_id IN (SELECT c.case_id FROM workflow_case c WHERE c.tenant_id = ${tx.tenant} AND c.owner = ${about.enoughBack}
				AND (c.things_out = 0 OR (task.detail ->> 'limit')::integer >= ${about.loans}))`
	const done = await tx.rows<{
		id: string
		site: Id<'site'>
		bank: Id<'bank'>
	}>(sql`UPDATE task SET done_at = ${now}, done_by = 'server', done_how = ${how},
		version = version + 1, updated_at = ${now} WHERE tenant_id = ${tx.tenant} AND done_at IS NULL AND ${which}
		RETURNING task_id AS id, site_id AS site, bank_id AS bank`)
	await append(
		tx,
		done.map(({ id, site, bank }) => ({ type: 'task.done' as const, subject: id, actor: 'server' as const, site, bank, data: { how } })),
		{ now, random },
	)
}

/** A person says that it is done. Throws `not-found`, `version-conflict`, `request-refused`. */
export async function finishTask(
	tx: Tx,
	id: Id<'task'>,
	how: string,
	ifMatch: number | undefined,
	{ actor, now, random }: TaskTerms & { readonly actor: Id<'subject'> },
): Promise<Task> {
	const task = await findTask(tx, id, sql`FOR UPDATE`)
	if (!task) throw new Fault('not-found', 'There is no such task.')
	if (ifMatch !== undefined && ifMatch !== task.version) throw new Fault('version-conflict', 'Somebody else has changed this task. Read it again.')
	if (task.doneAt !== null) throw new Fault('request-refused', 'This task is done already.')
	if (task.kind === BREAK_GLASS && task.detail.user === actor)
		throw new Fault('request-refused', 'You broke the glass yourself: somebody else reviews it.')
	await tx.run(sql`UPDATE task SET done_at = ${now}, done_by = ${actor}, done_how = ${how}, version = version + 1, updated_at = ${now}
		WHERE tenant_id = ${tx.tenant} AND task_id = ${id}`)
	// Whoever has looked at both histories and chosen what follows ends the dispute; the records of both stay.
	if (task.kind === 'conflict' && task.case !== null)
		await tx.run(
			sql`UPDATE workflow_case SET conflict = NULL, version = version + 1, updated_at = ${now} WHERE tenant_id = ${tx.tenant} AND case_id = ${task.case}`,
		)
	await append(
		tx,
		[
			{
				type: 'task.done',
				subject: id,
				actor,
				site: task.site,
				bank: task.bank,
				data: { how, kind: task.kind, ...(task.case !== null && { case: task.case }) },
			},
		],
		{ now, random },
	)
	return (await findTask(tx, id)) as Task
}

const COLUMNS = sql`t.task_id AS id, t.kind, t.site_id AS site, t.bank_id AS bank, t.compartment_id AS compartment, t.case_id AS "case", t.detail,
	t.opened_at AS "openedAt", t.done_at AS "doneAt", t.done_by AS "doneBy", t.done_how AS "doneHow", t.version, t.created_at AS "createdAt", t.updated_at AS "updatedAt"`

export const findTask = (db: Db, id: string, lock: Sql<unknown> = sql``): Promise<Task | undefined> =>
	db.first(sql`SELECT ${COLUMNS} FROM task t WHERE t.tenant_id = ${db.tenant} AND t.task_id = ${id} ${lock}`)

export interface TaskFilter {
	readonly open?: boolean | undefined
	readonly bank?: string | undefined
	readonly case?: string | undefined
	readonly kind?: string | undefined
	readonly kinds?: readonly string[] | undefined
}
/** Oldest first: what has waited longest. */
export function listTasks(
	db: Db,
	{ open, bank, case: of, kind, kinds }: TaskFilter,
	paging: { limit: number; after?: readonly [number, string] | undefined; scopes: readonly Scope[] },
): Promise<Task[]> {
	const conditions = [
		within(paging.scopes, { site: sql`t.site_id`, bank: sql`t.bank_id`, area: sql`b.area_id` }),
		...(open === undefined ? [] : [open ? sql`t.done_at IS NULL` : sql`t.done_at IS NOT NULL`]),
		...(bank ? [sql`t.bank_id = ${bank}`] : []),
		...(of ? [sql`t.case_id = ${of}`] : []),
		...(kind ? [sql`t.kind = ${kind}`] : []),
		...(kinds ? [sql`t.kind = ANY(${[...kinds]}::text[])`] : []),
		...(paging.after ? [sql`(t.opened_at, t.task_id) > (${paging.after[0]}, ${paging.after[1]})`] : []),
	]
	return db.rows(sql`SELECT ${COLUMNS} FROM task t JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id
		WHERE t.tenant_id = ${db.tenant} AND ${sql.join(conditions, sql` AND `)} ORDER BY t.opened_at, t.task_id LIMIT ${paging.limit + 1}`)
}

/**
 * Tasks that come from two truths: what a bank did while it was cut off, and what was decided here meanwhile (trust.md §3.6). What happened at a door stands in
 * each of them; the word says what follows of itself, and what is left for a person.
 */
export const CONFLICT_RULES = {
	conflict: 'case-follows-bank',
	'after-revocation': 'opening-stands',
	[COLLECTED_AFTER_RECALL]: 'pick-up-stands',
	[OVER_LIMIT]: 'loan-stands',
	'custody-gap': 'custody-kept',
	'foreign-record': 'nothing-changed',
	'unknown-case': 'kept-aside',
	'unknown-table': 'kept-aside',
	'unreadable-step': 'kept-aside',
	'event-unapplied': 'kept-aside',
} as const
