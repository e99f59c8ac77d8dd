import { type Id, isFault } from '@latchwork/core/base'
import { type Store, sql, type Tx } from '../store/index.ts'

/** Something to do at a time: `kind` says what, `ref` about which record. */
export interface Deadline {
	readonly key: string
	readonly dueAt: number
	readonly kind: string
	readonly ref: string
}

/** In place of what the key stood for before; without `dueAt` it is taken away. */
export async function setDeadlineRow(
	tx: Tx,
	{ key, dueAt, kind, ref }: Omit<Deadline, 'dueAt'> & { readonly dueAt: number | undefined },
): Promise<void> {
	if (dueAt === undefined) await tx.run(sql`DELETE FROM deadline WHERE tenant_id = ${tx.tenant} AND key = ${key}`)
	else
		await tx.run(sql`INSERT INTO deadline (tenant_id, key, due_at, kind, ref) VALUES (${tx.tenant}, ${key}, ${Math.floor(dueAt)}, ${kind}, ${ref})
			ON CONFLICT (tenant_id, key) DO UPDATE SET due_at = excluded.due_at, kind = excluded.kind, ref = excluded.ref, retry_at = NULL`)
}

/** What a kind of deadline does, in the transaction that takes its row away. */
export type DeadlineHandlers = Readonly<Record<string, (tx: Tx, deadline: Deadline, now: number) => Promise<void>>>

const AT_ONCE = 100
/** What failed is tried again after so long, so that it stands in nobody's way. */
const RETRY_MS = 60_000

/**
 * Does all that is due at `now`; answers how many. Two processes may run it: a row is claimed with SKIP LOCKED and gone with its work. What a
 * handler throws leaves its row for a later look, and the others are done. A kind that nobody here handles is left to whoever does: a newer version.
 */
export async function runDeadlines(
	store: Store,
	handlers: DeadlineHandlers,
	now: number,
	failed: (deadline: Deadline, cause: unknown) => void,
): Promise<number> {
	const due = await store.system((tx) =>
		tx.rows<Deadline & { tenant: Id<'tenant'> }>(sql`SELECT tenant_id AS tenant, key, due_at AS "dueAt", kind, ref FROM deadline
			WHERE coalesce(retry_at, due_at) <= ${now} AND kind = ANY(${Object.keys(handlers)})
			ORDER BY coalesce(retry_at, due_at), tenant_id, key LIMIT ${AT_ONCE}`),
	)
	let done = 0
	for (const one of due) {
		try {
			await store.write(one.tenant, async (tx) => {
				const row = await tx.first<Deadline>(sql`DELETE FROM deadline WHERE (tenant_id, key) IN (SELECT tenant_id, key FROM deadline
					WHERE tenant_id = ${one.tenant} AND key = ${one.key} AND due_at <= ${now} AND kind = ${one.kind} FOR UPDATE SKIP LOCKED) RETURNING key, due_at AS "dueAt", kind, ref`)
				if (!row) return
				await handlers[row.kind]?.(tx, row, now)
				done++
			})
		} catch (cause) {
			failed(one, cause)
			if (isFault(cause, 'database-unavailable')) return done
			await store.write(one.tenant, (tx) =>
				tx.run(
					sql`UPDATE deadline SET retry_at = ${Math.floor(now) + RETRY_MS} WHERE tenant_id = ${tx.tenant} AND key = ${one.key} AND due_at = ${one.dueAt}`,
				),
			)
		}
	}
	return done
}
