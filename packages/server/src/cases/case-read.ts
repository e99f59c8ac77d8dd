import type { Scope } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import type { Case, LoadedTable } from '@latchwork/core/workflow'
import { within } from '../estate/index.ts'
import { type Db, type Sql, sql } from '../store/index.ts'

/** What the reducer does not know of a line. */
export interface LineNote {
	readonly label?: string
	/** Text of the label on the thing itself. */
	readonly tag?: string
	readonly size?: 'S' | 'M' | 'L' | 'XL'
	readonly accessible?: boolean
}

export interface CaseRow {
	readonly id: Id<'case'>
	readonly number: string
	readonly workflow: string
	readonly tableHash: string
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	readonly label: string
	readonly hint: string | null
	readonly owner: Id<'subject'> | null
	readonly state: string
	readonly body: Case
	readonly lines: Readonly<Record<string, LineNote>>
	/** The bank writes it from here on; the server gives orders. */
	readonly atBank: boolean
	readonly recalledAt: number | null
	/** Deadlines that were moved by order, by name. */
	readonly orders: Readonly<Record<string, number>>
	readonly conflict: string | null
	readonly recipient: Uint8Array | null
	readonly dueAt: number | null
	/** How many of its things the owner has: these count against the loan limit. */
	readonly thingsOut: number
	readonly openedAt: number
	readonly endedAt: number | null
	readonly labels: Readonly<Record<string, string>>
	readonly externalRefs: readonly { readonly system: string; readonly id: string }[]
	readonly clientData: Readonly<Record<string, unknown>>
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}

const COLUMNS = sql`t.case_id AS id, t.number, t.workflow, t.table_hash AS "tableHash", t.site_id AS site, t.bank_id AS bank, t.label, t.hint, t.owner, t.state,
	t.body, t.lines, t.at_bank AS "atBank", t.recalled_at AS "recalledAt", t.orders, t.conflict, t.recipient, t.due_at AS "dueAt", t.things_out AS "thingsOut", t.opened_at AS "openedAt",
	t.ended_at AS "endedAt", t.labels, t.external_refs AS "externalRefs", t.client_data AS "clientData", t.version, t.created_at AS "createdAt", t.updated_at AS "updatedAt"`

const one = (db: Db, id: string, lock: Sql<unknown>): Promise<CaseRow | undefined> =>
	db.first(sql`SELECT ${COLUMNS} FROM workflow_case t WHERE t.tenant_id = ${db.tenant} AND t.case_id = ${id} ${lock}`)

export const findCase = (db: Db, id: string): Promise<CaseRow | undefined> => one(db, id, sql``)
/** Whoever changes a case holds it, so that two steps of one case never meet. */
export const lockCase = (db: Db, id: string): Promise<CaseRow | undefined> => one(db, id, sql`FOR UPDATE`)

/** The open case that has something in this compartment. */
export const caseInside = async (db: Db, compartment: Id<'compartment'>): Promise<Id<'case'> | undefined> =>
	(
		await db.first<{
			id: Id<'case'>
		}>(sql`SELECT t.case_id AS id FROM workflow_case t JOIN compartment c ON c.tenant_id = t.tenant_id AND c.bank_id = t.bank_id
			WHERE t.tenant_id = ${db.tenant} AND c.compartment_id = ${compartment} AND t.ended_at IS NULL
				AND t.body -> 'lines' @> ${JSON.stringify([{ compartment }])}::jsonb ORDER BY t.case_id LIMIT 1`)
	)?.id

/** All that ever was theirs. */
export const caseIdsOf = async (db: Db, owner: Id<'subject'>): Promise<Id<'case'>[]> =>
	(await db.rows<{ id: Id<'case'> }>(sql`SELECT case_id AS id FROM workflow_case WHERE tenant_id = ${db.tenant} AND owner = ${owner}`)).map(
		({ id }) => id,
	)

export const bankOfCase = async (db: Db, id: Id<'case'>): Promise<Id<'bank'> | undefined> => (await findCase(db, id))?.bank

export async function caseOf(db: Db, id: string): Promise<CaseRow> {
	const found = await findCase(db, id)
	if (!found) throw new Fault('not-found', 'There is no such case.')
	return found
}

export interface CaseFilter {
	readonly workflow?: string | undefined
	readonly state?: string | undefined
	readonly bank?: string | undefined
	readonly site?: string | undefined
	readonly owner?: string | undefined
	readonly open?: boolean | undefined
	readonly conflict?: boolean | undefined
	/** The number begins with it, or the label has it. */
	readonly find?: string | undefined
}

/** Newest change first: what a desk looks at. Rising, what changes while somebody pages comes later and is not missed. */
export function listCases(
	db: Db,
	filter: CaseFilter,
	paging: {
		limit: number
		order: 'falling' | 'rising'
		from?: readonly [number, string] | undefined
		updatedSince?: number | undefined
		scopes: readonly Scope[]
	},
): Promise<CaseRow[]> {
	const { workflow, state, bank, site, owner, open, conflict, find } = filter
	const { from } = paging
	const rising = paging.order === 'rising'
	const conditions = [
		within(paging.scopes, { site: sql`t.site_id`, bank: sql`t.bank_id`, area: sql`b.area_id` }),
		...(workflow ? [sql`t.workflow = ${workflow}`] : []),
		...(state ? [sql`t.state = ${state}`] : []),
		...(bank ? [sql`t.bank_id = ${bank}`] : []),
		...(site ? [sql`t.site_id = ${site}`] : []),
		...(owner ? [sql`t.owner = ${owner}`] : []),
		...(open === undefined ? [] : [open ? sql`t.ended_at IS NULL` : sql`t.ended_at IS NOT NULL`]),
		...(conflict === undefined ? [] : [conflict ? sql`t.conflict IS NOT NULL` : sql`t.conflict IS NULL`]),
		...(find ? [sql`(t.number ILIKE ${`${literal(find)}%`} OR t.label ILIKE ${`%${literal(find)}%`})`] : []),
		...(paging.updatedSince === undefined ? [] : [sql`t.updated_at >= ${paging.updatedSince}`]),
		...(from ? [sql`(t.updated_at, t.case_id) ${rising ? sql`>` : sql`<`} (${from[0]}, ${from[1]})`] : []),
	]
	const order = rising ? sql`t.updated_at, t.case_id` : sql`t.updated_at DESC, t.case_id DESC`
	return db.rows(sql`SELECT ${COLUMNS} FROM workflow_case t JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id
		WHERE t.tenant_id = ${db.tenant} AND ${sql.join(conditions, sql` AND `)} ORDER BY ${order} LIMIT ${paging.limit + 1}`)
}

/** As part of a LIKE pattern it stands for itself. */
const literal = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

/** What a bank has to know: cases that are open there. */
const openCasesOf = (db: Db, bank: Id<'bank'>): Promise<CaseRow[]> =>
	db.rows(
		sql`SELECT ${COLUMNS} FROM workflow_case t WHERE t.tenant_id = ${db.tenant} AND t.bank_id = ${bank} AND t.ended_at IS NULL ORDER BY t.case_id`,
	)

/** Open ones, and those that ended a short while ago: whoever comes once more with the same code is told that it was used, not that it is wrong. */
export const casesToldTo = (db: Db, bank: Id<'bank'>, endedAfter: number): Promise<CaseRow[]> =>
	db.rows(
		sql`SELECT ${COLUMNS} FROM workflow_case t WHERE t.tenant_id = ${db.tenant} AND t.bank_id = ${bank} AND (t.ended_at IS NULL OR t.ended_at > ${endedAfter}) ORDER BY t.case_id`,
	)

/** Which people and assets an open case binds to a bank: their rows stay in its bundle, whatever they have lost meanwhile (decision 0005). */
export async function boundAt(db: Db, bank: Id<'bank'>): Promise<{ subjects: Set<Id<'subject'>>; assets: Set<string> }> {
	const open = await openCasesOf(db, bank)
	return {
		subjects: new Set(open.flatMap(({ owner }) => owner ?? [])),
		assets: new Set(open.flatMap(({ body }) => body.lines.flatMap((line) => line.asset ?? []))),
	}
}

/** The same by person: at which banks an open case binds them. */
export const boundTo = (db: Db, people: readonly Id<'subject'>[]): Promise<{ subject: string; bank: Id<'bank'> }[]> =>
	db.rows(sql`SELECT DISTINCT owner AS subject, bank_id AS bank FROM workflow_case
		WHERE tenant_id = ${db.tenant} AND ended_at IS NULL AND owner = ANY(${[...people]}::text[]) ORDER BY 1, 2`)

export async function tableOf(db: Db, hash: string): Promise<LoadedTable | undefined> {
	const row = await db.first<{ body: LoadedTable }>(sql`SELECT body FROM workflow_table WHERE tenant_id = ${db.tenant} AND hash = ${hash}`)
	return row && { ...row.body, hash }
}

export interface Notice {
	readonly id: string
	readonly kind: string
	readonly dueAt: number
}
export const noticesOf = (db: Db, of: Id<'case'>): Promise<Notice[]> =>
	db.rows(
		sql`SELECT notice_id AS id, kind, due_at AS "dueAt" FROM notice WHERE tenant_id = ${db.tenant} AND case_id = ${of} ORDER BY due_at, notice_id`,
	)

export interface RecordRef {
	readonly stream: Id<'stream'>
	readonly seq: number
}
/** Records of banks that speak of the case under another subject: its door sessions, its codes. */
export const recordsOf = (db: Db, of: Id<'case'>): Promise<RecordRef[]> =>
	db.rows(sql`SELECT stream_id AS stream, seq FROM case_event WHERE tenant_id = ${db.tenant} AND case_id = ${of} ORDER BY stream_id, seq`)
