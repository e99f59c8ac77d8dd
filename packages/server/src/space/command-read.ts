import type { Scope } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { CommandKind, LinkCommand } from '@latchwork/core/wire'
import { within } from '../estate/index.ts'
import { type Db, sql } from '../store/index.ts'

/** `expired` is the server's word: nothing was heard in time. What the controller says later counts all the same, because it is what happened. */
export type CommandState = 'awaiting-approval' | 'requested' | 'sent' | 'accepted' | 'refused' | 'done' | 'failed' | 'expired'

export interface Command {
	readonly id: Id<'command'>
	readonly tenant: Id<'tenant'>
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	readonly controller: Id<'controller'>
	readonly kind: CommandKind
	readonly compartment: Id<'compartment'> | null
	readonly reason: string | null
	readonly case: Id<'case'> | null
	readonly by: Id<'subject'> | 'server'
	/** The second person, where there had to be one. */
	readonly approvedBy: Id<'subject'> | null
	/** What the owner on the phone has told, where they were the second person. */
	readonly ownerFacts: readonly string[] | null
	readonly issuedAt: number
	readonly expiresAt: number
	readonly state: CommandState
	readonly changedAt: number
	/** Why it was refused or failed. */
	readonly code: string | null
	readonly session: Id<'doorSession'> | null
	/** How the door session ended. */
	readonly end: string | null
}

export const COMMAND = sql`command_id AS id, tenant_id AS tenant, site_id AS site, bank_id AS bank, controller_id AS controller, kind, compartment_id AS compartment,
	reason, case_id AS "case", requested_by AS "by", approved_by AS "approvedBy", owner_facts AS "ownerFacts", issued_at AS "issuedAt", expires_at AS "expiresAt", state, changed_at AS "changedAt", code,
	door_session_id AS session, outcome AS "end"`

export const findCommand = (db: Db, id: string, lock = false): Promise<Command | undefined> =>
	db.first(sql`SELECT ${COMMAND} FROM command WHERE tenant_id = ${db.tenant} AND command_id = ${id} ${lock ? sql`FOR UPDATE` : sql``}`)

/**
 * Of all tenants, for system work: what nobody has answered yet. What was not sent comes first, and no tenant's row stands before another's: banks
 * that are away leave many unanswered.
 */
export const waitingCommands = (db: Db, most = 500): Promise<Command[]> =>
	db.rows(sql`SELECT ${COMMAND} FROM (SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY state = 'sent', expires_at) AS place FROM command
		WHERE state IN ('requested', 'sent')) waiting WHERE place <= ${most} ORDER BY state = 'sent', expires_at`)

/** What waits for a second person to agree, the oldest first, with the number on the door. */
export const awaitingApproval = (db: Db, scopes: readonly Scope[], now: number, most: number): Promise<(Command & { door: number })[]> =>
	db.rows(sql`SELECT a.*, c.number AS door FROM (SELECT ${COMMAND} FROM command WHERE tenant_id = ${db.tenant} AND state = 'awaiting-approval'
			AND expires_at > ${Math.floor(now)}) a
		JOIN compartment c ON c.tenant_id = a.tenant AND c.compartment_id = a.compartment
		JOIN bank b ON b.tenant_id = a.tenant AND b.bank_id = a.bank
		WHERE ${within(scopes, { site: sql`b.site_id`, area: sql`b.area_id`, bank: sql`b.bank_id` })} ORDER BY a."issuedAt", a.id LIMIT ${most}`)

/** System work: nobody agreed in time. */
export const isApprovalLate = async (db: Db, now: number): Promise<boolean> =>
	(await db.first(sql`SELECT 1 FROM command WHERE state = 'awaiting-approval' AND expires_at <= ${Math.floor(now)} LIMIT 1`)) !== undefined

/** As it goes over the link. */
export function messageOf(c: Command): LinkCommand {
	const { id, bank, issuedAt, expiresAt, by } = c
	const about = { v: 1, id, bank, issuedAt, expiresAt, by } as const
	if (c.kind !== 'open-remote') return { ...about, kind: c.kind }
	const { compartment, reason } = c as Command & { compartment: Id<'compartment'>; reason: string }
	return { ...about, kind: c.kind, compartment, reason, ...(c.case !== null && { case: c.case }) }
}
