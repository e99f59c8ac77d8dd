import { type Id, isId, type Random } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { type Case, type Input, type LoadedTable, type Moved, newCase, recordedSteps, step } from '@latchwork/core/workflow'
import { z } from 'zod'
import { nodeCrypto } from '../crypto.ts'
import type { Change } from '../estate/index.ts'
import { type Applied, type Applier, append } from '../ledger/index.ts'
import { takenAwayBy } from '../people/index.ts'
import { type MasterKey, sql, type Tx } from '../store/index.ts'
import { type CaseRow, findCase, lockCase, tableOf } from './case-read.ts'
import { insertCase, keepTable } from './delivery-write.ts'
import { believed, ownOf, spokenOf } from './foreign-write.ts'
import { adopt, saveStep } from './step-write.ts'
import { bankTables } from './tables.ts'
import { COLLECTED_AFTER_RECALL, openTask, settleTasks } from './task-write.ts'

export interface BankTerms {
	readonly random: Random
	readonly master: MasterKey
}

/**
 * Follows what banks record of cases: the same reducer is led the same way here (architecture.md §3, one writer a fact). Where it would have
 * gone elsewhere, the bank's fact stands, the case is marked with both histories, and somebody gets a task (X10).
 */
export function caseApplier({ random, master }: BankTerms): Applier {
	const follow = async (tx: Tx, event: StreamEvent, about: Applied) => {
		const doing: Change = { actor: 'server', now: about.now, random }
		switch (event.type) {
			case 'case.opened':
				return opened(tx, event, about, { ...doing, master })
			case 'case.moved':
				return moved(tx, event, about, doing)
			case 'case.conflict':
				return disputed(tx, event, about, doing)
			case 'task.created':
				return task(tx, event, about, doing)
			case 'compartment.returned-to-service':
				return settled(tx, event, about, { compartment: event.subject, kind: 'check-compartment', how: 'returned-to-service' }, doing)
			default:
				if (event.type === 'door-session.releasing') await judgeRelease(tx, event, about, doing)
				if (event.type.startsWith('door-session.')) await session(tx, event, about, doing)
		}
	}
	return async (tx, events, about) => {
		for (const event of events) await follow(tx, event, about)
	}
}

const openedSchema = z.object({
	tableHash: z.string(),
	start: z.object({
		owner: z.string().optional(),
		lines: z
			.array(z.object({ id: z.string(), asset: z.string().exactOptional(), compartment: z.string().exactOptional(), custodian: z.string() }))
			.min(1),
	}),
})

/** A case that a person began at the bank: a walk-up loan. */
async function opened(tx: Tx, event: StreamEvent, about: Applied, doing: Change & { readonly master: MasterKey }): Promise<void> {
	if (!isId('case', event.subject)) return
	const { site } = about
	const same = await lockCase(tx, event.subject)
	if (same) {
		await believed(tx, event, { bank: same.bank, case: same.id }, about, doing)
		return
	}
	const { tableHash, start } = openedSchema.parse(event.data)
	const { owner, lines } = start
	const known = await tableOf(tx, tableHash)
	const standard = known ? undefined : bankTables(nodeCrypto.sha256).find(({ hash }) => hash === tableHash)
	const table = known ?? (standard && (await keepTable(tx, standard, doing.now)))
	const place = { site, bank: event.bank }
	if (!table) return openTask(tx, { kind: 'unknown-table', ...place, detail: { case: event.subject, tableHash } }, doing)
	const subject = isId('subject', owner) ? owner : undefined
	const body = newCase(table, { id: event.subject, ...(subject !== undefined && { owner: subject }), lines })
	await insertCase(
		tx,
		{ id: event.subject, place, table, owner: subject, opened: body, label: '', notes: {}, atBank: true },
		{ ...doing, now: event.at },
	)
}

/** One event of a step. The first tells what the step was made of; each one after it must be the next of those that it led to here. */
async function moved(tx: Tx, event: StreamEvent, about: Applied, doing: Change): Promise<void> {
	const row = await lockCase(tx, event.subject)
	if (!row) return openTask(tx, { kind: 'unknown-case', site: about.site, bank: event.bank, detail: { case: event.subject } }, doing)
	if (!(await believed(tx, event, { bank: row.bank, case: row.id }, about, doing))) return
	const expected = await takeExpected(tx, row.id)
	const { steps } = recordedSteps([{ subject: event.subject, bank: event.bank, data: event.data }])
	const [recorded] = steps
	if (!recorded) return next(tx, row, event, expected, about, doing)
	const [move] = recorded.moves
	if (!move) return
	// The bank's last step ended sooner than it did here.
	if (expected.length > 0) await dispute(tx, row, event, 'other-moves', about, doing)
	const table = await tableOf(tx, row.tableHash)
	if (!table || move.tableHash !== row.tableHash) return force(tx, row, table, move, event, 'other-table', about, doing)
	const inStep = move.version === row.body.version + 1
	// Told the same way from where the bank stood, it is followed even where a step was missed: the next ones depend on it.
	const stepped = step(table, { ...row.body, version: move.version - 1 }, recorded.input, recorded.env)
	if ('refused' in stepped) return force(tx, lies(row, recorded.input), table, move, event, 'refused', about, doing)
	const [first, ...rest] = stepped.moves
	if (!first || !equal(first, move)) return force(tx, row, table, move, event, 'other-moves', about, doing)
	if (inStep) await tellLateCollection(tx, row, await saveStep(tx, row, table, stepped, doing), event, doing)
	else {
		await adopt(tx, row, table, stepped.case, move.version > row.body.version ? 'gap' : 'known', doing)
		await dispute(tx, row, event, move.version > row.body.version ? 'gap' : 'known', about, doing)
	}
	if (rest.length > 0)
		await tx.run(
			sql`INSERT INTO case_step (tenant_id, case_id, version, expected) VALUES (${tx.tenant}, ${row.id}, ${first.version}, ${JSON.stringify(rest)}::jsonb)`,
		)
}

/** Called back here, and handed out there by a bank that had not heard of it: it stays with who has it, and whoever called it back is told. */
async function tellLateCollection(
	tx: Tx,
	before: CaseRow,
	{ id, site, bank, state, recalledAt, conflict }: CaseRow,
	event: StreamEvent,
	doing: Change,
): Promise<void> {
	if (state !== 'collected' || before.state === 'collected' || recalledAt === null || event.at < recalledAt) return
	const fact = { type: 'delivery.collected-after-recall', subject: id, actor: 'server', site, bank, cause: `${event.stream}/${event.seq}` } as const
	await append(tx, [{ ...fact, data: { recalledAt, at: event.at } }], doing)
	// Where more than this does not fit together, the dispute is the task.
	if (conflict === null)
		await openTask(
			tx,
			{ kind: COLLECTED_AFTER_RECALL, site, bank, case: id, detail: { recalledAt, at: event.at, stream: event.stream, seq: event.seq } },
			doing,
		)
}

/** A further move of a step that has begun. */
async function next(tx: Tx, row: CaseRow, event: StreamEvent, [first, ...rest]: readonly Moved[], about: Applied, doing: Change): Promise<void> {
	const parsed = moveSchema.safeParse(event.data)
	if (!parsed.success) return openTask(tx, { kind: 'unreadable-step', site: about.site, bank: event.bank, case: row.id }, doing)
	const move: Moved = { case: row.id, ...parsed.data }
	if (first && equal(first, move)) {
		if (rest.length > 0)
			await tx.run(
				sql`INSERT INTO case_step (tenant_id, case_id, version, expected) VALUES (${tx.tenant}, ${row.id}, ${move.version}, ${JSON.stringify(rest)}::jsonb)`,
			)
		return
	}
	return force(tx, row, await tableOf(tx, row.tableHash), move, event, 'other-moves', about, doing)
}

const moveSchema = z.object({
	line: z.string().exactOptional(),
	from: z.string(),
	to: z.string(),
	tableHash: z.string(),
	version: z.int().positive(),
})

async function takeExpected(tx: Tx, of: Id<'case'>): Promise<readonly Moved[]> {
	const row = await tx.first<{ expected: Moved[] }>(sql`DELETE FROM case_step WHERE tenant_id = ${tx.tenant} AND case_id = ${of} RETURNING expected`)
	return row?.expected ?? []
}

type Why = 'other-table' | 'refused' | 'other-moves' | 'gap' | 'known' | 'at-the-bank'

/** Where the bank put it, though the table would not have let it. */
function lies(row: CaseRow, input: Input): CaseRow {
	if (input.kind !== 'act' || input.act !== 'deposit') return row
	const { line, compartment, evidence } = input
	const lines = row.body.lines.map((one) => (one.id === line ? { ...one, compartment, evidence, custodian: row.bank } : one))
	return { ...row, body: { ...row.body, lines } }
}

/** What happened at the door stands, whatever the table says here. */
async function force(
	tx: Tx,
	row: CaseRow,
	table: LoadedTable | undefined,
	move: Moved,
	event: StreamEvent,
	why: Why,
	about: Applied,
	doing: Change,
): Promise<void> {
	await adopt(tx, row, table, forced(row.body, move), why, doing)
	await dispute(tx, row, event, why, about, doing)
}

function forced(of: Case, { line, to, version }: Moved): Case {
	if (line === undefined) return { ...of, version, state: to }
	return { ...of, version, lines: of.lines.map((one) => (one.id === line ? { ...one, state: to } : one)) }
}

/** Told once a case: what the bank says later of the same case is followed, and read by whoever settles it. */
async function dispute(tx: Tx, row: CaseRow, { stream, seq, bank }: StreamEvent, why: Why, { site }: Applied, doing: Change): Promise<void> {
	if (row.conflict !== null) return
	const here = { state: row.state, version: row.body.version }
	await append(
		tx,
		[{ type: 'case.conflict', subject: row.id, actor: 'server', site, bank, cause: `${stream}/${seq}`, data: { why, ...here } }],
		doing,
	)
	await openTask(tx, { kind: 'conflict', site, bank, case: row.id, detail: { why, ...here, stream, seq } }, doing)
}

/** The bank itself met something that its table does not allow. */
async function disputed(tx: Tx, event: StreamEvent, about: Applied, doing: Change): Promise<void> {
	const row = await lockCase(tx, event.subject)
	if (!row || !(await believed(tx, event, { bank: row.bank, case: row.id }, about, doing))) return
	await adopt(tx, row, await tableOf(tx, row.tableHash), row.body, 'at-the-bank', doing)
	await dispute(tx, row, event, 'at-the-bank', about, doing)
}

async function task(tx: Tx, event: StreamEvent, about: Applied, doing: Change): Promise<void> {
	const { subject, bank, data } = event
	const { kind = 'check', ...detail } = data
	const of = await spokenOf(tx, subject)
	if (of && !(await believed(tx, event, of, about, doing))) return
	await openTask(tx, { kind: String(kind), site: about.site, ...of, bank, detail: { ...detail, subject } }, doing, true)
}

/**
 * The bank let somebody at a door whose rights had been taken away before: it had not heard of it, or not yet. What happened stands; it is named, and
 * staff follow it up (trust.md §3.6). Bringing something back is allowed to everybody.
 */
async function judgeRelease(tx: Tx, { subject, actor, bank, at, stream, seq, data }: StreamEvent, { site }: Applied, doing: Change): Promise<void> {
	if (!isId('subject', actor)) return
	const of = isId('case', data.case) ? await ownOf(tx, bank, data.case) : {}
	if (data.act === 'deposit' && (!of.case || (await findCase(tx, of.case))?.workflow === 'loan')) return
	const credential = isId('credential', data.credential) ? { credential: data.credential } : {}
	const taken = await takenAwayBy(tx, { subject: actor, ...credential, at })
	if (!taken) return
	const found = { ...taken, person: actor, ...(taken.what === 'credential' && credential) }
	const fact = { type: 'door-session.after-revocation', subject, actor: 'server', site, bank, cause: `${stream}/${seq}` } as const
	await append(tx, [{ ...fact, data: { ...found, at, ...of } }], doing)
	const where = of.case ? of : await ownOf(tx, bank, data.compartment)
	await openTask(tx, { kind: 'after-revocation', site, bank, ...where, detail: { ...found, session: subject, at } }, doing)
}

/** Door sessions belong to the case that they were opened for: the first event names it, the others only the session. */
async function session(tx: Tx, event: StreamEvent, about: Applied, doing: Change): Promise<void> {
	const { subject, stream, seq, data, type, bank } = event
	const of = isId('case', data.case) ? await spokenOf(tx, data.case) : undefined
	if (of && 'case' in of && (await believed(tx, event, of, about, doing)))
		await tx.run(
			sql`INSERT INTO case_session (tenant_id, session_id, case_id) VALUES (${tx.tenant}, ${subject}, ${of.case}) ON CONFLICT (tenant_id, session_id) DO NOTHING`,
		)
	await tx.run(sql`INSERT INTO case_event (tenant_id, case_id, stream_id, seq) SELECT s.tenant_id, s.case_id, ${stream}, ${seq}::bigint FROM case_session s
		JOIN workflow_case c ON c.tenant_id = s.tenant_id AND c.case_id = s.case_id AND c.bank_id = ${bank}
		WHERE s.tenant_id = ${tx.tenant} AND s.session_id = ${subject} ON CONFLICT DO NOTHING`)
	if (type === 'door-session.closed')
		await settled(tx, event, about, { compartment: data.compartment, kind: 'close-door', how: 'closed' }, { ...doing, now: event.at })
}

/** What the bank did at a compartment of its own leaves a task of this kind there without anything to do. */
async function settled(
	tx: Tx,
	event: StreamEvent,
	about: Applied,
	{ compartment, kind, how }: { readonly compartment: unknown; readonly kind: string; readonly how: string },
	doing: Change,
): Promise<void> {
	const of = isId('compartment', compartment) ? await spokenOf(tx, compartment) : undefined
	if (of && 'compartment' in of && (await believed(tx, event, of, about, doing))) await settleTasks(tx, { ...of, kind }, how, doing)
}

const equal = (a: Moved, b: Moved): boolean =>
	a.line === b.line && a.from === b.from && a.to === b.to && a.version === b.version && a.tableHash === b.tableHash
