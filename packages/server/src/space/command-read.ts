import type { Id } from '@latchwork/core/base'
import type { CommandKind, LinkCommand } from '@latchwork/core/wire'
import { type Db, sql } from '../store/index.ts'

/** `expired` is the server's word: nothing was heard in time. What the controller says later counts all the same, because it is what happened. */
export type CommandState = 'requested' | 'sent' | 'accepted' | 'refused' | 'done' | 'failed' | 'expired'

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
	reason, case_id AS "case", requested_by AS "by", issued_at AS "issuedAt", expires_at AS "expiresAt", state, changed_at AS "changedAt", code,
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

/** As it goes over the link. */
export function messageOf(c: Command): LinkCommand {
	const { id, bank, issuedAt, expiresAt, by } = c
	const about = { v: 1, id, bank, issuedAt, expiresAt, by } as const
	if (c.kind !== 'open-remote') return { ...about, kind: c.kind }
	const { compartment, reason } = c as Command & { compartment: Id<'compartment'>; reason: string }
	return { ...about, kind: c.kind, compartment, reason, ...(c.case !== null && { case: c.case }) }
}
