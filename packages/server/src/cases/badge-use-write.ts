import { type Id, isId, type Random } from '@latchwork/core/base'
import { type Applier, append } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { settingsOf } from '../tenants/index.ts'
import { openTask } from './task-write.ts'

interface Use {
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	readonly at: number
}

/** Longer than any way that a setting can name: then it is forgotten where a badge was. */
const KEPT_MS = 24 * 3_600_000

/**
 * An applier of the ledger: one badge at two sites in less time than the way takes is two badges, and one of them a copy (trust.md T4). Somebody who was cut
 * off tells late; what counts is when the badge was shown. Nobody is kept out by it: a person looks.
 */
export function badgeUseApplier({ random }: { readonly random: Random }): Applier {
	return async (tx, events, { site, bank, now }) => {
		for (const { type, subject: visit, actor, data, at } of events) {
			const { method, commitment } = data
			if (type !== 'visit.started' || (method !== 'badge' && method !== 'badge-and-pin') || typeof commitment !== 'string' || at < now - KEPT_MS)
				continue
			const { travelMinutes } = await settingsOf(tx, { site })
			const elsewhere = await tx.first<Use>(sql`SELECT site_id AS site, bank_id AS bank, at FROM badge_use WHERE tenant_id = ${tx.tenant}
				AND commitment = ${commitment} AND site_id <> ${site} AND abs(at - ${at}) < ${travelMinutes * 60_000} ORDER BY abs(at - ${at}) LIMIT 1`)
			await tx.run(sql`INSERT INTO badge_use (tenant_id, commitment, site_id, bank_id, at) VALUES (${tx.tenant}, ${commitment}, ${site}, ${bank}, ${at})
				ON CONFLICT (tenant_id, commitment, site_id) DO UPDATE SET bank_id = excluded.bank_id, at = greatest(badge_use.at, excluded.at)`)
			if (!elsewhere) continue
			const badge = await tx.first(
				sql<{ id: Id<'credential'> }>`SELECT credential_id AS id FROM credential WHERE tenant_id = ${tx.tenant} AND commitment = ${commitment}`,
			)
			if (!badge) continue
			const apart = Math.round(Math.abs(elsewhere.at - at) / 1_000)
			const about = { credential: badge.id, visit, otherSite: elsewhere.site, otherBank: elsewhere.bank, secondsApart: apart }
			const detail = { ...about, ...(isId('subject', actor) && { user: actor }) }
			await openTask(tx, { kind: 'badge-at-two-sites', site, bank, detail }, { now, random })
			await append(tx, [{ type: 'credential.at-two-sites', subject: badge.id, actor: 'server', site, bank, data: about }], { now, random })
		}
	}
}

/** System work. */
export const forgetBadgeUses = (tx: Tx, now: number): Promise<number> => tx.run(sql`DELETE FROM badge_use WHERE at < ${now - KEPT_MS}`)
