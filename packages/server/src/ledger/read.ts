import type { Id } from '@latchwork/core/base'
import type { ServerEvent, StreamEvent } from '@latchwork/core/ledger'
import { type Db, type Sql, sql } from '../store/index.ts'
import { fromPosition, monthAt } from './tree-read.ts'

/** An event in its place. `body` is what the bytes say, whoever minted them. */
export interface LoggedEvent {
	readonly position: number
	readonly body: StreamEvent | ServerEvent
	readonly site?: Id<'site'>
	/** When the server had it; for its own facts, when they were recorded. */
	readonly received: number
}

export interface EventQuery {
	/** Rising: those behind this position, from 0 without one. Falling: those before it, from the newest without one. */
	readonly from?: number | undefined
	readonly order: 'rising' | 'falling'
	readonly limit: number
	readonly type?: string | undefined
	readonly subject?: string | undefined
	readonly bank?: string | undefined
	readonly site?: string | undefined
	readonly stream?: string | undefined
	/** Only of these sites and banks: what the caller may see. */
	readonly within?: { readonly sites: readonly string[]; readonly banks: readonly string[] } | undefined
}

interface Row {
	readonly position: number
	readonly bytes: Uint8Array
	readonly site: Id<'site'> | null
	readonly received: number
}

/** At most `limit` events in the order asked for. */
export async function readEvents(db: Db, tenant: Id<'tenant'>, query: EventQuery): Promise<LoggedEvent[]> {
	const { order, limit, from } = query
	const rising = order === 'rising'
	const range = rising ? fromPosition(tenant, from === undefined ? 0 : from + 1) : beforePosition(tenant, from)
	const direction = rising ? sql`ASC` : sql`DESC`
	const rows = await db.rows<Row>(sql`
		SELECT position, bytes, site, received FROM event WHERE ${sql.join([range, ...filters(query)], sql` AND `)}
		ORDER BY month ${direction}, position ${direction} LIMIT ${limit}`)
	return rows.map(({ position, bytes, site, received }) => ({
		position,
		body: JSON.parse(new TextDecoder().decode(bytes)) as LoggedEvent['body'],
		...(site && { site }),
		received,
	}))
}

const beforePosition = (tenant: string, position: number | undefined): Sql<unknown> =>
	position === undefined
		? sql`tenant_id = ${tenant}`
		: sql`tenant_id = ${tenant} AND month <= ${monthAt(tenant, position)} AND (month, position) < (${monthAt(tenant, position)}, ${position})`

function filters({ type, subject, bank, site, stream, within }: EventQuery): Sql<unknown>[] {
	const equal = Object.entries({ type, subject, bank, site, stream }).flatMap(([column, value]) =>
		value === undefined ? [] : [sql`${sql.ref(column)} = ${value}`],
	)
	return within ? [...equal, sql`(site = ANY (${within.sites}::text[]) OR bank = ANY (${within.banks}::text[]))`] : equal
}

/** How many events have a position. */
export async function readSize(db: Db, tenant: Id<'tenant'>): Promise<number> {
	return (await db.first<{ size: number }>(sql`SELECT size FROM ledger_head WHERE tenant_id = ${tenant}`))?.size ?? 0
}

export interface StreamStatus {
	readonly stream: Id<'stream'>
	readonly controller: Id<'controller'>
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	/** The last sequence below which nothing is missing, and the hash of that event. */
	readonly seq: number
	readonly hash: string
	readonly startedAt: number
	readonly receivedAt: number
	readonly gap: { readonly from: number; readonly to: number; readonly since: number } | null
	readonly alarm: 'gap' | 'equivocation' | null
	readonly alarmAt: number | null
}

/** Streams by when they began, the newest first. */
export function readStreams(db: Db, tenant: Id<'tenant'>, limit: number, before?: readonly [number, string]): Promise<StreamStatus[]> {
	return db.rows<StreamStatus>(sql`
		SELECT stream, controller, bank, site, next_seq - 1 AS seq, encode(head_hash, 'hex') AS hash, started_at AS "startedAt", received_at AS "receivedAt",
			CASE WHEN gap_since IS NOT NULL THEN jsonb_build_object('from', next_seq, 'to', gap_to, 'since', gap_since) END AS gap, alarm, alarm_at AS "alarmAt"
		FROM stream WHERE tenant_id = ${tenant} ${before ? sql`AND (started_at, stream) < (${before[0]}, ${before[1]})` : sql``}
		ORDER BY started_at DESC, stream DESC LIMIT ${limit}`)
}
