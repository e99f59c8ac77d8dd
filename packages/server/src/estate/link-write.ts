import type { Id, Random } from '@latchwork/core/base'
import { append, type ServerDraft } from '../ledger/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'

/** Raw: two heartbeats and a bit are missing. Confirmed: long enough to act on (workflows.md §3.0). */
export const SILENT_AFTER_MS = 90_000
export const CONFIRMED_AFTER_MS = 600_000

export interface Heard {
	readonly controller: Id<'controller'>
	readonly bank: Id<'bank'>
	/** Server time of the hearing. */
	readonly now: number
	readonly online: boolean
	readonly software?: string
	readonly storageLevel?: 'L0' | 'L1'
	readonly stream?: Id<'stream'>
	readonly seq?: number
}

/** A controller was heard, or its link said that it is gone; each heartbeat, each will. An outage ends when it is heard again. */
export async function heardController(
	tx: Tx,
	{ controller, bank, now, online, software, storageLevel, stream, seq }: Heard,
	random: Random,
): Promise<void> {
	await tx.run(sql`INSERT INTO controller_state AS s (tenant_id, controller_id, online, seen_at, software, storage_level, stream_id, seq)
		VALUES (${tx.tenant}, ${controller}, ${online}, ${now}, ${software ?? null}, ${storageLevel ?? null}, ${stream ?? null}, ${seq ?? null})
		ON CONFLICT (tenant_id, controller_id) DO UPDATE SET online = excluded.online, seen_at = CASE WHEN excluded.online THEN excluded.seen_at ELSE s.seen_at END,
			software = coalesce(excluded.software, s.software), storage_level = coalesce(excluded.storage_level, s.storage_level), stream_id = coalesce(excluded.stream_id, s.stream_id), seq = coalesce(excluded.seq, s.seq)`)
	const before = await tx.first<{ silentSince: number | null; confirmedAt: number | null; site: Id<'site'> }>(sql`
		SELECT s.silent_since AS "silentSince", s.outage_confirmed_at AS "confirmedAt", b.site_id AS site FROM bank_state s
		JOIN bank b ON b.tenant_id = s.tenant_id AND b.bank_id = s.bank_id WHERE s.tenant_id = ${tx.tenant} AND s.bank_id = ${bank} FOR UPDATE OF s`)
	if (!before) return
	if (!online) {
		// The clock of the outage runs from the last word; the will itself is no proof of anything.
		await tx.run(sql`UPDATE bank_state SET online = false WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank}`)
		return
	}
	await tx.run(sql`UPDATE bank_state SET online = true, seen_at = ${now}, silent_since = NULL, outage_confirmed_at = NULL
		WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank}`)
	if (before.silentSince === null) return
	const data = { silentMs: now - before.silentSince, confirmed: before.confirmedAt !== null }
	await append(tx, [{ type: 'bank.online', subject: bank, actor: 'server', site: before.site, bank, data }], { now, random })
}

interface Silent {
	readonly tenant: Id<'tenant'>
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	readonly seenAt: number
	readonly silentSince: number | null
}

/**
 * Banks that have become silent, or have been so for long enough: one fact each, once. System work, every few seconds. A server that was away
 * itself has heard nobody: `listeningSince` keeps its own absence from being everybody's outage.
 */
export async function judgeOutages(tx: Tx, now: number, listeningSince: number, random: Random): Promise<void> {
	const heard = (row: Silent) => Math.max(row.seenAt, listeningSince)
	for (const row of await silentBanks(tx, now - SILENT_AFTER_MS)) {
		if (now - heard(row) < SILENT_AFTER_MS) continue
		const { tenant, site, bank } = row
		const fact = (type: ServerDraft['type'], data: { [key: string]: number }) =>
			append(tx, [{ type, subject: bank, actor: 'server', site, bank, data }], { now, random, tenant })
		if (row.silentSince === null) {
			await tx.run(sql`UPDATE bank_state SET online = false, silent_since = ${row.seenAt} WHERE tenant_id = ${tenant} AND bank_id = ${bank}`)
			await fact('bank.offline', { since: row.seenAt })
		}
		if (now - heard(row) < CONFIRMED_AFTER_MS) continue
		await tx.run(sql`UPDATE bank_state SET outage_confirmed_at = ${now} WHERE tenant_id = ${tenant} AND bank_id = ${bank}`)
		await fact('bank.outage-confirmed', { since: row.silentSince ?? row.seenAt })
	}
}

const silentBanks = (db: Db, before: number): Promise<Silent[]> =>
	db.rows(sql`SELECT s.tenant_id AS tenant, b.site_id AS site, s.bank_id AS bank, s.seen_at AS "seenAt", s.silent_since AS "silentSince" FROM bank_state s
		JOIN bank b ON b.tenant_id = s.tenant_id AND b.bank_id = s.bank_id
		WHERE s.seen_at <= ${before} AND s.outage_confirmed_at IS NULL ORDER BY s.seen_at LIMIT 1000 FOR UPDATE OF s SKIP LOCKED`)
