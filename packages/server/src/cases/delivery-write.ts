import { codeRule, mintCode } from '@latchwork/core/access'
import { type Crypto, Fault, type Id, newId, type Random } from '@latchwork/core/base'
import { type LoadedTable, newCase, type Refused, type Stepped, step } from '@latchwork/core/workflow'
import { type Change, placeOf } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { isPerson, livePins } from '../people/index.ts'
import {
	type CodeTerms,
	codeInUse,
	codesOfCase,
	issueCode,
	liveCodes,
	markShown,
	reserve,
	revokeCodes,
	revokeDelegate,
	triesAt,
} from '../space/index.ts'
import { type Db, type MasterKey, sql, type Tx } from '../store/index.ts'
import { type KeyTerms, settingsOf, signerOf, tenantSealing } from '../tenants/index.ts'
import { type CaseRow, caseOf, type LineNote, lockCase, tableOf } from './case-read.ts'
import { giveNotice, officeEnv, saveOrder, saveStep } from './step-write.ts'
import { deliveriesWithin } from './tables.ts'

export interface CaseTerms extends Change {
	readonly crypto: Crypto
	readonly master: MasterKey
	/** Of the site, under which its banks know codes. */
	readonly siteKey: (tx: Tx, site: Id<'site'>) => Promise<Uint8Array>
}

/** Somebody who is to collect: a person of the organisation, or anybody who can be reached. */
export type Recipient =
	| { readonly user: Id<'subject'> }
	| {
			readonly name?: string | undefined
			readonly email?: string | undefined
			readonly phone?: string | undefined
			readonly hint?: string | undefined
	  }

export interface NewDelivery {
	readonly bank: Id<'bank'>
	/** What staff and recipient know it by: `Order 1042`. */
	readonly label: string
	readonly lines: readonly { readonly label?: string; readonly tag?: string; readonly size: 'S' | 'M' | 'L' | 'XL'; readonly accessible?: boolean }[]
	readonly recipient: Recipient
	readonly collectWindowHours?: number | undefined
	readonly labels?: CaseRow['labels'] | undefined
	readonly externalRefs?: CaseRow['externalRefs'] | undefined
	readonly clientData?: CaseRow['clientData'] | undefined
}

const HOUR = 3_600_000
/** How long a code is good before the parcel has come; with the parcel its life becomes the collect window. */
const HOLD_MS = 7 * 24 * HOUR

/**
 * Announces parcels to a bank: space is claimed for each or nothing happens, a code is drawn that this bank alone can check, and the bank has the case
 * with its next bundle. The digits are answered here, once. Throws `not-found`, `bank-full`, `no-suitable-compartment`.
 */
export async function bookDelivery(tx: Tx, wanted: NewDelivery, terms: CaseTerms): Promise<{ row: CaseRow; code: Shown }> {
	const { now, random, actor } = terms
	const place = await placeOf(tx, wanted.bank)
	if (!place) throw new Fault('not-found', 'There is no such bank.')
	if ('user' in wanted.recipient && !(await isPerson(tx, wanted.recipient.user)))
		throw new Fault('not-found', 'The recipient is no person of this organisation. List them with GET /v1/users.', {
			detail: { field: 'body.recipient.user' },
		})
	const settings = await settingsOf(tx, place)
	const table = await keepTable(tx, deliveriesWithin(wanted.collectWindowHours ?? settings.collectWindowHours, terms.crypto.sha256), now)
	const id = newId('case', now, random)
	const owner = 'user' in wanted.recipient ? wanted.recipient.user : newId('subject', now, random)
	const lines = wanted.lines.map((line) => ({ ...line, id: newId('line', now, random) }))
	const opened = newCase(table, { id, owner, lines: lines.map((line) => ({ id: line.id, custodian: 'sender' })) })
	const row = await insertCase(
		tx,
		{ id, place, table, owner, opened, ...wanted, notes: Object.fromEntries(lines.map(({ id: line, ...note }) => [line, note])) },
		terms,
	)
	await append(
		tx,
		[
			{
				type: 'delivery.booked',
				subject: id,
				actor,
				site: place.site,
				bank: place.bank,
				data: { number: row.number, lines: lines.length, tableHash: table.hash },
			},
		],
		terms,
	)
	const until = now + HOLD_MS
	const rooms = lines.map(({ id: line, size, accessible = false }) => ({ line, size, accessible }))
	await reserve(tx, { ...place, case: id, until }, rooms, terms)
	const held = await office(tx, row, table, 'reserve', terms)
	const code = await issueCode(
		tx,
		{ ...place, case: id, notAfter: until, digits: await digitsFor(tx, place, now) },
		await codeTerms(tx, place.site, terms),
	)
	return { row: held, code: await shown(tx, held, { ...code, notAfter: until }, terms) }
}

/** Eight digits while the kiosk has few live secrets, more above that (trust.md §3.4). */
async function digitsFor(tx: Tx, at: { readonly bank: Id<'bank'>; readonly site: Id<'site'> }, now: number): Promise<number> {
	const secrets = (await liveCodes(tx, at.bank, now)).length + (await livePins(tx, at.site, now))
	const { digits, hint } = codeRule(secrets + 1, await triesAt(tx, at.bank))
	return digits + hint
}

/**
 * Calls a delivery back: its codes stop here at once, and at the bank with the next bundle. What the bank has not touched yet ends here;
 * else staff are sent to take it out. Throws `not-found`, `request-refused`.
 */
export async function recallDelivery(tx: Tx, id: Id<'case'>, reason: string, terms: CaseTerms): Promise<CaseRow> {
	const { row, table } = await running(tx, id)
	if (row.recalledAt !== null) return row
	await revokeCodes(tx, id, terms)
	const { actor, now } = terms
	await append(tx, [{ type: 'delivery.recalled', subject: id, actor, site: row.site, bank: row.bank, data: { reason } }], terms)
	const ordered = { ...row, recalledAt: now }
	if (!row.atBank) return office(tx, ordered, table, 'recall', terms)
	await saveOrder(tx, ordered, now)
	return ordered
}

/** More time, until `until`. The bank hears of it with its next bundle. Throws `not-found`, `request-refused`. */
export async function extendDelivery(tx: Tx, id: Id<'case'>, until: number, terms: CaseTerms): Promise<CaseRow> {
	const { row } = await running(tx, id)
	const due = row.body.deadlines['collect-by']
	if (due === undefined) throw new Fault('request-refused', 'Nothing waits to be collected yet, so there is no time to extend.')
	if (until <= Math.max(due, terms.now)) throw new Fault('request-refused', 'The new end lies before the present one.')
	const { actor, now } = terms
	const ordered = { ...row, orders: { ...row.orders, 'collect-by': until } }
	await append(tx, [{ type: 'case.extended', subject: id, actor, site: row.site, bank: row.bank, data: { until } }], terms)
	await saveOrder(tx, ordered, now)
	return ordered
}

/** A fresh code in place of the present one, for somebody who lost it. Throws `not-found`, `request-refused`. */
export async function renewCode(tx: Tx, id: Id<'case'>, terms: CaseTerms): Promise<{ row: CaseRow; code: Shown }> {
	const { row } = await running(tx, id)
	if (row.recalledAt !== null) throw new Fault('request-refused', 'This delivery was called back; it has no code any more.')
	const notAfter = row.body.deadlines['collect-by'] ?? terms.now + HOLD_MS
	if (notAfter <= terms.now) throw new Fault('request-refused', 'The time to collect is over. Extend it first.')
	const digits = await digitsFor(tx, row, terms.now)
	const code = await issueCode(tx, { bank: row.bank, site: row.site, case: id, notAfter, digits }, await codeTerms(tx, row.site, terms))
	await saveOrder(tx, row, terms.now)
	return { row, code: await shown(tx, row, { ...code, notAfter }, terms) }
}

/** So many may collect in a recipient's place at the same time: each is one more that a guesser may hit. */
const MOST_DELEGATES = 3

/**
 * Somebody else collects: a code of their own beside the recipient's, which goes on. Whoever comes first takes what is there, and then no code is good any
 * more. The recipient hears of it. Throws `not-found`, `request-refused`.
 */
export async function delegateDelivery(tx: Tx, id: Id<'case'>, hint: string, terms: CaseTerms): Promise<{ id: Id<'credential'>; code: Shown }> {
	const { row } = await running(tx, id)
	if (row.recalledAt !== null) throw new Fault('request-refused', 'This delivery was called back; nobody can collect it.')
	const delegates = (await codesOfCase(tx, id)).filter((one) => one.delegate !== null && one.usedAt === null && one.revokedAt === null)
	if (delegates.length >= MOST_DELEGATES)
		throw new Fault('request-refused', `${MOST_DELEGATES} people can collect it in the recipient’s place. Take one back first.`)
	const notAfter = row.body.deadlines['collect-by'] ?? terms.now + HOLD_MS
	if (notAfter <= terms.now) throw new Fault('request-refused', 'The time to collect is over. Extend it first.')
	const digits = await digitsFor(tx, row, terms.now)
	const wanted = { bank: row.bank, site: row.site, case: id, notAfter, digits, delegate: hint }
	const code = await issueCode(tx, wanted, await codeTerms(tx, row.site, terms))
	await giveNotice(tx, row, 'delegated', terms, code.id)
	await saveOrder(tx, row, terms.now)
	return { id: code.id, code: await shown(tx, row, { ...code, notAfter }, terms) }
}

/** The delegate's code ends at once here, and at the bank with its next bundle. Throws `not-found`. */
export async function undelegateDelivery(tx: Tx, id: Id<'case'>, code: Id<'credential'>, terms: CaseTerms): Promise<void> {
	const { row } = await running(tx, id)
	if (!(await revokeDelegate(tx, id, code, terms))) throw new Fault('not-found', 'Nobody collects by this code in the recipient’s place.')
	await giveNotice(tx, row, 'delegation-ended', terms, code)
	await saveOrder(tx, row, terms.now)
}

/** Draws anew every code that lives at a bank: whoever has the box that knew them knows them, too. Recipients are told. Answers how many. */
export async function renewCodes(tx: Tx, bank: Id<'bank'>, terms: CaseTerms): Promise<number> {
	const known = new Set((await liveCodes(tx, bank, terms.now)).map((code) => code.case))
	for (const id of known) {
		await revokeCodes(tx, id, terms)
		const { row } = await renewCode(tx, id, terms)
		await giveNotice(tx, row, 'code-changed', terms, `codes/${terms.now}`)
	}
	return known.size
}

/** The code in use once more. A person who was shown it could use it, so that is a fact of the case. Throws `not-found`. */
export async function readCode(tx: Tx, id: Id<'case'>, terms: CaseTerms): Promise<Shown | undefined> {
	const row = await caseOf(tx, id)
	const { actor, now } = terms
	const code = await codeInUse(tx, id, now, await caseSealing(tx, terms))
	if (!code) return undefined
	await markShown(tx, code.id, actor)
	await append(tx, [{ type: 'delivery.code-shown', subject: id, actor, site: row.site, bank: row.bank, data: { credential: code.id } }], terms)
	return shown(tx, row, code, terms)
}

/** What a recipient gets: digits to type, and the same code as the text of a picture that a scanner reads. */
export interface Shown {
	readonly digits: string
	readonly picture: string
}

async function shown(
	db: Db,
	{ owner, id, bank }: CaseRow,
	{ id: jti, code, notAfter }: { readonly id: Id<'credential'>; readonly code: string; readonly notAfter: number },
	{ master, now }: Pick<CaseTerms, 'master' | 'now'>,
): Promise<Shown> {
	const { sign } = await signerOf(db, 'maker', { master })
	const said = { jti, subject: owner as Id<'subject'>, case: id, bank, notBefore: Math.floor(now) - CLOCKS_APART_MS, expires: notAfter }
	return { digits: code, picture: mintCode(said, sign) }
}

const CLOCKS_APART_MS = 60_000

async function running(tx: Tx, id: Id<'case'>): Promise<{ row: CaseRow; table: LoadedTable }> {
	const row = await lockCase(tx, id)
	if (row?.workflow !== 'delivery') throw new Fault('not-found', 'There is no such delivery.')
	if (row.endedAt !== null) throw new Fault('request-refused', `This delivery has ended (${row.state}).`)
	const table = await tableOf(tx, row.tableHash)
	if (!table) throw new Fault('table-invalid', 'The table of this delivery is missing.')
	return { row, table }
}

/** A step that the office makes while the bank has not touched the case. */
async function office(tx: Tx, row: CaseRow, table: LoadedTable, name: string, terms: CaseTerms): Promise<CaseRow> {
	const input = { kind: 'request', name, by: 'system' } as const
	const env = officeEnv(row, terms.now)
	return saveStep(tx, row, table, accepted(step(table, row.body, input, env)), terms, { input, env })
}

function accepted(answer: Stepped | Refused): Stepped {
	if ('refused' in answer)
		throw new Fault('request-refused', `The delivery does not allow it now (${answer.refused}).`, { detail: { text: answer.text } })
	return answer
}

async function codeTerms(tx: Tx, site: Id<'site'>, terms: CaseTerms): Promise<CodeTerms> {
	const { crypto, now, random, actor } = terms
	return { siteKey: await terms.siteKey(tx, site), sealing: await caseSealing(tx, terms), crypto, now, random, actor }
}
/** Seals what cases keep of people: codes, and the contact of somebody without an account. */
export const caseSealing = (tx: Parameters<typeof tenantSealing>[0], { master, random }: Pick<KeyTerms, 'master'> & { readonly random: Random }) =>
	tenantSealing(tx, { master, random })

export async function keepTable(tx: Tx, table: LoadedTable, now: number): Promise<LoadedTable> {
	const { hash, ...body } = table
	await tx.run(sql`INSERT INTO workflow_table (tenant_id, hash, workflow, body, created_at) VALUES (${tx.tenant}, ${hash}, ${table.name}, ${JSON.stringify(body)}::jsonb, ${now})
		ON CONFLICT (tenant_id, hash) DO NOTHING`)
	return table
}

const PREFIX: Readonly<Record<string, string>> = { delivery: 'DL', loan: 'LN' }

export interface Opening {
	readonly id: Id<'case'>
	readonly place: { readonly site: Id<'site'>; readonly bank: Id<'bank'> }
	readonly table: LoadedTable
	readonly owner: Id<'subject'> | undefined
	readonly opened: CaseRow['body']
	readonly label: string
	readonly notes: Readonly<Record<string, LineNote>>
	readonly atBank?: boolean
	readonly recipient?: Recipient | undefined
	readonly labels?: CaseRow['labels'] | undefined
	readonly externalRefs?: CaseRow['externalRefs'] | undefined
	readonly clientData?: CaseRow['clientData'] | undefined
}

/** The row of a case in its start state, with the number that people call it by. */
export async function insertCase(tx: Tx, of: Opening, terms: Pick<CaseTerms, 'now' | 'random' | 'master'>): Promise<CaseRow> {
	const { now } = terms
	const { id, place, table, owner = null, opened, recipient = {} } = of
	const { last } = (await tx.first<{ last: number }>(sql`INSERT INTO case_number (tenant_id, workflow, last) VALUES (${tx.tenant}, ${table.name}, 1)
		ON CONFLICT (tenant_id, workflow) DO UPDATE SET last = case_number.last + 1 RETURNING last`)) ?? { last: 1 }
	const number = `${PREFIX[table.name] ?? 'CS'}-${String(last).padStart(5, '0')}`
	const { hint, ...contact } = 'user' in recipient ? { hint: undefined } : recipient
	const hasContact = Object.values(contact).some((value) => value !== undefined)
	const sealed = hasContact ? (await caseSealing(tx, terms)).seal(Buffer.from(JSON.stringify(contact)), contactContext(id)) : undefined
	await tx.run(sql`INSERT INTO workflow_case (tenant_id, case_id, number, workflow, table_hash, site_id, bank_id, label, hint, owner, state, body, lines, at_bank, orders, recipient,
			opened_at, labels, external_refs, client_data, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${id}, ${number}, ${table.name}, ${table.hash}, ${place.site}, ${place.bank}, ${of.label}, ${hint ?? null}, ${owner}, ${opened.state},
			${JSON.stringify(opened)}::jsonb, ${JSON.stringify(of.notes)}::jsonb, ${of.atBank === true}, '{}'::jsonb, ${sealed ? Buffer.from(sealed) : null},
			${now}, ${JSON.stringify(of.labels ?? {})}::jsonb, ${JSON.stringify(of.externalRefs ?? [])}::jsonb, ${JSON.stringify(of.clientData ?? {})}::jsonb, 1, ${now}, ${now})`)
	return (await lockCase(tx, id)) as CaseRow
}

export const contactContext = (id: Id<'case'>): string => `case-recipient:${id}`
