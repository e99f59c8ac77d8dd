import { Fault, type Id, isId, type Json, newId, type Random } from '@latchwork/core/base'
import type { EndState } from '@latchwork/core/door'
import type { StreamEvent } from '@latchwork/core/ledger'
import { type LinkResult, MAX_COMMAND_MS, resultOfEnd } from '@latchwork/core/wire'
import { enrolledAt, present } from '../estate/index.ts'
import { type Applier, append, type ServerDraft } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { COMMAND, type Command, type CommandState, findCommand } from './command-read.ts'

export interface CommandTerms {
	readonly now: number
	readonly random: Random
}

/** A door says by itself at which bank it is. */
export type NewCommand = { readonly by: Id<'subject'> | 'server' } & (
	| {
			readonly kind: 'open-remote'
			readonly compartment: Id<'compartment'>
			readonly reason: string
			readonly case?: Id<'case'>
			readonly secondPerson?: boolean
			/** In an emergency nobody else was asked. */
			readonly breakGlass?: Id<'breakGlass'>
	  }
	| { readonly kind: 'restart' | 'self-test' | 'read-badge'; readonly bank: Id<'bank'> }
)

/**
 * Asks a bank's controller for something, within half a minute or not at all (trust.md R11). Whoever asks is allowed to; the controller decides once
 * more, by what it knows of the door. Its result is followed in the row and in the ledger. With `secondPerson` nobody is asked until one has agreed.
 */
export async function requestCommand(tx: Tx, wanted: NewCommand, { now, random }: CommandTerms): Promise<Command> {
	const open = wanted.kind === 'open-remote' ? wanted : undefined
	const { site, bank, controller } = present(await enrolledAt(tx, wanted), open ? 'compartment' : 'bank')
	if (controller === null) throw new Fault('request-refused', 'This bank has no controller that is enrolled; there is nobody to ask.')
	const id = newId('command', now, random)
	const issuedAt = Math.floor(now)
	const [state, life] = open?.secondPerson ? (['awaiting-approval', APPROVAL_MS] as const) : (['requested', MAX_COMMAND_MS] as const)
	const command =
		(await tx.first<Command>(sql`INSERT INTO command (tenant_id, command_id, site_id, bank_id, controller_id, kind, compartment_id, reason, case_id, requested_by,
			issued_at, expires_at, state, changed_at)
		VALUES (${tx.tenant}, ${id}, ${site}, ${bank}, ${controller}, ${wanted.kind}, ${open?.compartment ?? null}, ${open?.reason ?? null},
			${open?.case ?? null}, ${wanted.by}, ${issuedAt}, ${issuedAt + life}, ${state}, ${issuedAt}) RETURNING ${COMMAND}`)) as Command
	const about = open && {
		compartment: open.compartment,
		reason: open.reason,
		...(open.case && { case: open.case }),
		...(open.secondPerson && { secondPerson: true }),
		...(open.breakGlass && { breakGlass: open.breakGlass }),
	}
	await append(tx, [factOf(command, 'command.requested', wanted.by, { kind: wanted.kind, expiresAt: command.expiresAt, ...about })], { now, random })
	return command
}

/** So long a second person has. */
const APPROVAL_MS = 10 * 60_000

/** What a second person says. Only then the bank is asked, within half a minute from now. Throws `not-found`, `request-refused`. */
export async function approveCommand(
	tx: Tx,
	id: Id<'command'>,
	by: Id<'subject'>,
	verdict: 'approved' | 'refused',
	{ now, random }: CommandTerms,
): Promise<Command> {
	const command = present(await findCommand(tx, id, true), 'command')
	if (command.by === by) throw new Fault('request-refused', 'You asked for it yourself: somebody else has to agree.')
	const at = Math.floor(now)
	if (command.state !== 'awaiting-approval' || command.expiresAt <= at)
		throw new Fault(
			'request-refused',
			command.state === 'awaiting-approval' || command.state === 'expired' ? 'It has run out. Ask again.' : 'Nobody has to agree to it any more.',
		)
	const [state, code, until] =
		verdict === 'approved' ? (['requested', null, at + MAX_COMMAND_MS] as const) : (['refused', 'not-approved', command.expiresAt] as const)
	await tx.run(sql`UPDATE command SET state = ${state}, approved_by = ${verdict === 'approved' ? by : null}, issued_at = ${at}, expires_at = ${until}, code = ${code}, changed_at = ${at}
		WHERE tenant_id = ${tx.tenant} AND command_id = ${id}`)
	const fact =
		verdict === 'approved'
			? factOf(command, 'command.approved', by, { expiresAt: until })
			: factOf(command, 'command.finished', by, { state, code: 'not-approved' })
	await append(tx, [fact], { now, random })
	return present(await findCommand(tx, id), 'command')
}

/** So often somebody on the phone may answer wrongly. */
const OWNER_TRIES = 3

export interface OwnerVerdict {
	readonly command: Command
	readonly verified: boolean
	readonly triesLeft: number
}

/**
 * The owner of what lies there is on the phone and has told facts about it: with `proven` they are the second person. Whoever asked for the door may be the
 * one who listens. What was right is told to nobody. Throws `not-found`, `request-refused`.
 */
export async function verifyOwner(
	tx: Tx,
	id: Id<'command'>,
	by: Id<'subject'>,
	{ right, proven }: { readonly right: readonly string[]; readonly proven: boolean },
	{ now, random }: CommandTerms,
): Promise<OwnerVerdict> {
	const command = present(await findCommand(tx, id, true), 'command')
	const at = Math.floor(now)
	if (command.state !== 'awaiting-approval' || command.expiresAt <= at) throw new Fault('request-refused', 'It waits for nobody any more. Ask again.')
	const { tries } = (await tx.first(
		sql<{ tries: number }>`SELECT owner_tries AS tries FROM command WHERE tenant_id = ${tx.tenant} AND command_id = ${id}`,
	)) ?? {
		tries: OWNER_TRIES,
	}
	if (tries >= OWNER_TRIES) throw new Fault('request-refused', 'Too many answers were wrong: a second person of staff has to agree.')
	if (!proven) {
		await tx.run(sql`UPDATE command SET owner_tries = owner_tries + 1 WHERE tenant_id = ${tx.tenant} AND command_id = ${id}`)
		await append(tx, [factOf(command, 'command.owner-not-verified', by, { tries: tries + 1 })], { now, random })
		return { command, verified: false, triesLeft: OWNER_TRIES - tries - 1 }
	}
	const until = at + MAX_COMMAND_MS
	await tx.run(sql`UPDATE command SET state = 'requested', owner_facts = ${[...right]}::text[], issued_at = ${at}, expires_at = ${until}, changed_at = ${at}
		WHERE tenant_id = ${tx.tenant} AND command_id = ${id}`)
	await append(tx, [factOf(command, 'command.approved', by, { expiresAt: until, ownerOnPhone: true, facts: [...right] })], { now, random })
	return { command: present(await findCommand(tx, id), 'command'), verified: true, triesLeft: OWNER_TRIES - tries }
}

/** It is with the broker. False: it was answered or given up meanwhile. */
export async function sentCommand(tx: Tx, id: Id<'command'>, terms: CommandTerms): Promise<boolean> {
	const command = await findCommand(tx, id, true)
	if (command?.state !== 'requested') return false
	await change(tx, command, { state: 'sent' }, terms)
	return true
}

/** States that a result may still follow; a last one stays what it is. */
const OPEN: ReadonlySet<CommandState> = new Set(['requested', 'sent', 'accepted', 'expired'])

/**
 * What the controller says became of it. `repeated`: that is known. `foreign`: no command of this controller. `contradicts`: it said something else
 * before; the first word stands.
 */
export async function settleCommand(
	tx: Tx,
	controller: Id<'controller'>,
	result: LinkResult,
	terms: CommandTerms,
): Promise<'settled' | 'repeated' | 'foreign' | 'contradicts'> {
	const command = await findCommand(tx, result.id, true)
	if (command?.controller !== controller) return 'foreign'
	if (command.state === result.state) return 'repeated'
	// Results may overtake each other: one that comes first is not undone by what came before it.
	if (result.state === 'accepted' && !OPEN.has(command.state)) return 'repeated'
	if (!OPEN.has(command.state)) return 'contradicts'
	const { state, code, session, end } = result
	await change(tx, command, { state, ...(code && { code }), ...(session && { session }), ...(end && { end }) }, terms)
	return 'settled'
}

const ENDS: ReadonlyMap<string, EndState> = new Map(
	(['committed', 'not-opened', 'no-change', 'ambiguous', 'interrupted', 'aborted', 'failed'] as const).map((end) => [`door-session.${end}`, end]),
)

/**
 * An applier of the ledger: what a bank recorded of the doors that it was ordered to open. A result is told once and may meet a server or a
 * database that is away; the record comes until it is acknowledged, so no command that was carried out stays without its end.
 */
export function commandApplier({ random }: Pick<CommandTerms, 'random'>): Applier {
	return async (tx, events, { sender, now }) => {
		const ended = events.filter(({ type, subject }) => ENDS.has(type) && isId('doorSession', subject))
		const begun = events.flatMap((event) => resultsOf(event))
		if (begun.length === 0 && ended.length === 0) return
		const settle = (result: LinkResult) => settleCommand(tx, sender.controller, result, { now, random })
		for (const result of begun) await settle(result)
		if (ended.length === 0) return
		const commands = await tx.rows<{ id: Id<'command'>; session: string }>(sql`SELECT command_id AS id, door_session_id AS session FROM command
			WHERE tenant_id = ${tx.tenant} AND state = 'accepted' AND door_session_id = ANY(${ended.map(({ subject }) => subject)})`)
		for (const { id, session } of commands) {
			const end = ENDS.get(ended.find(({ subject }) => subject === session)?.type ?? '')
			if (end !== undefined) await settle({ v: 1, id, state: resultOfEnd(end), session: session as Id<'doorSession'>, end })
		}
	}
}

function resultsOf({ type, subject, data }: StreamEvent): LinkResult[] {
	if (type === 'door-session.releasing' && isId('doorSession', subject) && isId('command', data.command))
		return [{ v: 1, id: data.command, state: 'accepted', session: subject }]
	if (type === 'command.refused' && isId('command', subject)) return [{ v: 1, id: subject, state: 'refused', code: String(data.code) }]
	return []
}

/** System work: gives up what was not answered in time. Answers how many. */
export async function expireCommands(tx: Tx, terms: CommandTerms): Promise<number> {
	const late = await tx.rows<{ tenant: Id<'tenant'>; id: Id<'command'>; site: Id<'site'>; bank: Id<'bank'> }>(sql`
		UPDATE command SET state = 'expired', changed_at = ${Math.floor(terms.now)}
		WHERE (tenant_id, command_id) IN (SELECT tenant_id, command_id FROM command WHERE state IN ('awaiting-approval', 'requested', 'sent') AND expires_at <= ${Math.floor(terms.now)}
			ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED)
		RETURNING tenant_id AS tenant, command_id AS id, site_id AS site, bank_id AS bank`)
	for (const command of late) await append(tx, [factOf(command, 'command.expired', 'server', {})], { ...terms, tenant: command.tenant })
	return late.length
}

type Outcome = Pick<Command, 'state'> & Partial<Pick<LinkResult, 'code' | 'session' | 'end'>>

async function change(tx: Tx, command: Command, { state, code, session, end }: Outcome, terms: CommandTerms): Promise<void> {
	await tx.run(sql`UPDATE command SET state = ${state}, changed_at = ${Math.floor(terms.now)}, code = ${code ?? null},
			door_session_id = coalesce(${session ?? null}, door_session_id), outcome = ${end ?? null}
		WHERE tenant_id = ${tx.tenant} AND command_id = ${command.id}`)
	const type = state === 'sent' || state === 'accepted' ? (`command.${state}` as const) : 'command.finished'
	const about = { ...(code && { code }), ...(session && { session }), ...(end && { end }) }
	await append(tx, [factOf(command, type, 'server', type === 'command.finished' ? { state, ...about } : about)], terms)
}

const factOf = (
	{ id, site, bank }: Pick<Command, 'id' | 'site' | 'bank'>,
	type: ServerDraft['type'],
	actor: ServerDraft['actor'],
	data: { readonly [key: string]: Json },
): ServerDraft => ({ type, subject: id, actor, site, bank, data })
