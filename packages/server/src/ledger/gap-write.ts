import type { Id, Random } from '@latchwork/core/base'
import { sql, type Tx } from '../store/index.ts'
import { append } from './append-write.ts'
import { GAP_ALARM_MS } from './ingest-write.ts'

/** A controller that says nothing any more cannot be asked again: its gap becomes an alarm all the same. */
export async function alarmGaps(tx: Tx, { now, random }: { readonly now: number; readonly random: Random }): Promise<void> {
	const rows = await tx.rows<{
		tenant: Id<'tenant'>
		stream: string
		controller: string
		bank: Id<'bank'>
		site: Id<'site'>
		from: number
		to: number
	}>(sql`
		UPDATE stream s SET alarm = 'gap', alarm_at = ${Math.floor(now)}
		FROM (SELECT tenant_id, stream FROM stream WHERE gap_since <= ${Math.floor(now) - GAP_ALARM_MS} AND alarm IS NULL
			ORDER BY gap_since LIMIT 100 FOR UPDATE SKIP LOCKED) due
		WHERE s.tenant_id = due.tenant_id AND s.stream = due.stream
		RETURNING s.tenant_id AS tenant, s.stream, s.controller, s.bank, s.site, s.next_seq AS from, s.gap_to AS to`)
	for (const { tenant, stream, controller, bank, site, from, to } of rows)
		await append(tx, [{ type: 'stream.gap', subject: stream, actor: 'server', bank, site, data: { controller, from, to } }], { now, random, tenant })
}
