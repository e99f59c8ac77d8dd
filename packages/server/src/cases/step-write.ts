import { type Id, newId } from '@latchwork/core/base'
import { type Case, type Effected, FINISHED, type LoadedTable, movedData, nextDeadline, type Stepped, type Told } from '@latchwork/core/workflow'
import { type Change, markBundles } from '../estate/index.ts'
import { append, type ServerDraft } from '../ledger/index.ts'
import { endReservations, extendCodes, markCodesUsed, revokeCodes } from '../space/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { type CaseRow, findCase } from './case-read.ts'
import { setDeadlineRow } from './deadline-write.ts'
import { noteLoans, thingsOut } from './loan-write.ts'
import { openTask, settleTasks } from './task-write.ts'

/** How long after a deadline the bank is waited for to say what became of it, before the people are told all the same. */
export const PATIENCE_MS = 120_000

/**
 * A case after one step: the row, what follows from it for space, notices, codes and deadlines. `told`: the server made the step and records it;
 * absent: a bank recorded it. Only what the bank does not do itself is done here: it frees and holds compartments and makes its own tasks.
 */
export async function saveStep(tx: Tx, row: CaseRow, table: LoadedTable, stepped: Stepped, doing: Change, told?: Told): Promise<CaseRow> {
	const { case: body, effects } = stepped
	const after: CaseRow = {
		...row,
		body,
		state: body.state,
		atBank: row.atBank || told === undefined,
		thingsOut: thingsOut(table, body),
		endedAt: endOf(table, body, row, doing.now),
	}
	await saveCase(tx, after, doing.now)
	await noteLoans(tx, row, after, doing)
	if (told) await append(tx, factsOf(after, stepped, told, doing), doing)
	for (const effect of effects) await perform(tx, row, effect, told !== undefined, doing)
	await settleSpace(tx, table, row.body, after, doing)
	await schedule(tx, after, table)
	await markBundles(tx, doing.now, { site: row.site, bank: row.bank })
	return after
}

/** The bank's word against what was known here: its facts are taken over as they are, so that what it says next can be followed. */
export async function adopt(tx: Tx, row: CaseRow, table: LoadedTable | undefined, body: Case, why: string, doing: Change): Promise<CaseRow> {
	const after: CaseRow = {
		...row,
		body,
		state: body.state,
		atBank: true,
		conflict: row.conflict ?? why,
		thingsOut: thingsOut(table, body),
		endedAt: table ? endOf(table, body, row, doing.now) : row.endedAt,
	}
	await saveCase(tx, after, doing.now)
	await noteLoans(tx, row, after, doing)
	if (table) {
		await settleSpace(tx, table, row.body, after, doing)
		await schedule(tx, after, table)
	}
	await markBundles(tx, doing.now, { site: row.site, bank: row.bank })
	return after
}

async function saveCase(tx: Tx, row: CaseRow, now: number): Promise<void> {
	await tx.run(sql`UPDATE workflow_case SET state = ${row.state}, body = ${JSON.stringify(row.body)}::jsonb, at_bank = ${row.atBank}, conflict = ${row.conflict},
		recalled_at = ${row.recalledAt}, orders = ${JSON.stringify(row.orders)}::jsonb, due_at = ${dueOf(row.body) ?? null}, things_out = ${row.thingsOut}, ended_at = ${row.endedAt},
		version = version + 1, updated_at = ${now} WHERE tenant_id = ${tx.tenant} AND case_id = ${row.id}`)
}

/** An order to the bank: kept on the row, carried out by the bank, which reports it as a step. */
export async function saveOrder(tx: Tx, row: CaseRow, now: number): Promise<void> {
	await saveCase(tx, row, now)
	await markBundles(tx, now, { site: row.site, bank: row.bank })
}

/** By when something is to happen, for lists: the end of a loan or of a collect window. */
const dueOf = (body: Case): number | undefined => body.deadlines.due ?? body.deadlines['collect-by'] ?? body.deadlines.hold

function endOf(table: LoadedTable, body: Case, row: CaseRow, now: number): number | null {
	const over = table.case.end.includes(body.state) && body.lines.every((line) => table.line.end.includes(line.state))
	return over ? (row.endedAt ?? now) : null
}

function factsOf(row: CaseRow, stepped: Stepped, told: Told, { actor }: Change): ServerDraft[] {
	const at = { actor, site: row.site, bank: row.bank }
	return movedData(stepped, told).map((data) => ({ type: 'case.moved', subject: row.id, ...at, data }))
}

async function perform(tx: Tx, row: CaseRow, effect: Effected, own: boolean, doing: Change): Promise<void> {
	switch (effect.effect) {
		case 'notify':
			return giveNotice(tx, row, effect.about ?? 'changed', doing)
		case 'revoke-code':
			return void (await revokeCodes(tx, row.id, doing))
		case 'set-due':
			return effect.deadline === 'collect-by' ? extendCodes(tx, row.id, effect.dueMs) : undefined
		case 'task':
			return own ? openTask(tx, { kind: effect.about ?? 'check', site: row.site, bank: row.bank, case: row.id }, doing) : undefined
		default:
			return undefined
	}
}

/** The occasion is the deadline that it is about, so that the bank and the clock here never tell a person twice. */
const TIMED: ReadonlySet<string> = new Set(['reminder', 'expiring', 'expired', 'not-delivered', 'due-soon', 'overdue', 'escalated', 'lost'])

/** `about`: what it is told of, where that is no step of the case; `told`: what is so now and could not be found out later. */
export async function giveNotice(tx: Tx, row: CaseRow, kind: string, { now, random }: Change, about?: string, told?: OpenedBy): Promise<void> {
	const occasion = about ?? (TIMED.has(kind) ? `due/${dueOf(row.body) ?? ''}` : `step/${row.body.version + 1}`)
	const id = newId('notice', now, random)
	const added = await tx.run(sql`INSERT INTO notice (tenant_id, notice_id, case_id, kind, occasion, due_at, told)
		VALUES (${tx.tenant}, ${id}, ${row.id}, ${kind}, ${occasion}, ${now}, ${told ? JSON.stringify(told) : null}::jsonb) ON CONFLICT (tenant_id, case_id, kind, occasion) DO NOTHING`)
	if (added === 0) return
	const to = row.owner === null ? {} : { to: row.owner }
	await append(tx, [{ type: 'notice.due', subject: id, actor: 'server', site: row.site, bank: row.bank, data: { case: row.id, kind, ...to } }], {
		now,
		random,
	})
}

/** What lies in a compartment needs no claim on one, and what has ended needs no code. */
async function settleSpace(tx: Tx, table: LoadedTable, before: Case, { id, body, endedAt }: CaseRow, doing: Change): Promise<void> {
	for (const line of body.lines) {
		const was = before.lines.find((l) => l.id === line.id)
		const held = (state: string | undefined) => state !== undefined && table.line.held.includes(state)
		if (held(line.state) && !held(was?.state)) await endReservations(tx, id, line.id, 'filled', doing)
	}
	if (endedAt === null) return
	await endReservations(tx, id, undefined, 'released', doing)
	await settleTasks(tx, { ended: id }, 'done-at-the-bank', doing)
	// One code opens every line of its case, so it is used up with the last of them.
	if (body.state === 'collected') await markCodesUsed(tx, id, doing.now)
	await revokeCodes(tx, id, doing)
}

/** Before its first act the case is moved here when its deadline comes; afterwards the bank does that, and here people are told if it cannot say so. */
export async function schedule(tx: Tx, row: CaseRow, table: LoadedTable): Promise<void> {
	const next = row.endedAt === null ? nextDeadline(table, row.body) : undefined
	const dueAt = next && next.dueMs + (row.atBank ? PATIENCE_MS : 0)
	await setDeadlineRow(tx, { key: `case/${row.id}`, dueAt, kind: row.atBank ? 'case-late' : 'case', ref: row.id })
}

/** Facts of an office act: nothing was decided at a door. */
export const officeEnv = (row: CaseRow, now: number) => ({ now, bank: row.bank, facts: FINISHED })

/** Who opens a door from afar, as its owner may know it: by their roles. */
export interface OpenedBy {
	readonly roles: readonly string[]
	/** Of the second person, where one agreed. */
	readonly second?: readonly string[]
	/** In an emergency nobody else was asked. */
	readonly emergency?: true
}

/** The owner of a case hears that somebody opens the door behind which their thing lies. */
export async function tellOwner(tx: Tx, of: Id<'case'>, command: Id<'command'>, by: OpenedBy, change: Change): Promise<void> {
	const row = await findCase(tx, of)
	if (row) await giveNotice(tx, row, 'opened-from-afar', change, command, by)
}
