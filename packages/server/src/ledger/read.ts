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
	return rows.map(logged)
}

const logged = ({ position, bytes, site, received }: Row): LoggedEvent => ({
	position,
	body: JSON.parse(new TextDecoder().decode(bytes)) as LoggedEvent['body'],
	...(site && { site }),
	received,
})

const beforePosition = (tenant: string, position: number | undefined): Sql<unknown> =>
	position === undefined
		? sql`tenant_id = ${tenant}`
		: sql`tenant_id = ${tenant} AND month <= ${monthAt(tenant, position)} AND (month, position) < (${monthAt(tenant, position)}, ${position})`

function filters({ type, subject, bank, site, stream, within }: Partial<EventQuery>): Sql<unknown>[] {
	const equal = Object.entries({ type, subject, bank, site, stream }).flatMap(([column, value]) =>
		value === undefined ? [] : [sql`${sql.ref(column)} = ${value}`],
	)
	return within ? [...equal, sql`(site = ANY (${within.sites}::text[]) OR bank = ANY (${within.banks}::text[]))`] : equal
}

/** As the index of what people did says it. */
const doneBy = (person: string): Sql<unknown> => sql`starts_with(actor, 'sub_') AND actor = ${person}`

export interface TrailQuery extends Pick<EventQuery, 'within' | 'limit'> {
	/** Everything that they did. */
	readonly person: string
	/** Everything about these: themselves, and what is theirs. */
	readonly subjects: readonly string[]
	/** Position of the last one seen. */
	readonly before?: number | undefined
}

/** What is recorded of one person, the newest first. */
export async function readTrail(db: Db, tenant: Id<'tenant'>, { person, subjects, before, within, limit }: TrailQuery): Promise<LoggedEvent[]> {
	const newest = (whose: Sql<unknown>) => sql`(SELECT month, position, bytes, site, received FROM event
		WHERE ${sql.join([beforePosition(tenant, before), whose, ...filters({ within })], sql` AND `)} ORDER BY month DESC, position DESC LIMIT ${limit})`
	const rows = await db.rows<Row>(sql`SELECT position, bytes, site, received FROM (
		${newest(doneBy(person))} UNION ${newest(sql`subject = ANY (${[...subjects]}::text[])`)}) e ORDER BY month DESC, position DESC LIMIT ${limit}`)
	return rows.map(logged)
}

/** What is recorded about a subject, and some records of streams besides; the first `limit`, in their order. */
export async function readEventsOf(
	db: Db,
	tenant: Id<'tenant'>,
	{
		subject,
		records,
		limit,
	}: { readonly subject: string; readonly records: readonly { readonly stream: string; readonly seq: number }[]; readonly limit: number },
): Promise<LoggedEvent[]> {
	const [streams, seqs] = [records.map(({ stream }) => stream), records.map(({ seq }) => seq)]
	const rows = await db.rows<Row>(sql`
		SELECT position, bytes, site, received FROM event WHERE tenant_id = ${tenant} AND subject = ${subject}
		UNION SELECT e.position, e.bytes, e.site, e.received FROM unnest(${streams}::text[], ${seqs}::bigint[]) r (stream, seq)
			JOIN event e ON e.tenant_id = ${tenant} AND e.stream = r.stream AND e.seq = r.seq
		ORDER BY position LIMIT ${limit}`)
	return rows.map(logged)
}

/** Of a type, as far as the server had them no earlier than `since`; at most `limit`, the newest first. */
export async function newestOf(db: Db, type: string, since: number, limit: number): Promise<LoggedEvent[]> {
	const events = await readEvents(db, db.tenant as Id<'tenant'>, { type, order: 'falling', limit })
	return events.filter(({ received }) => received >= since)
}

export interface BankQuery {
	readonly types: readonly string[]
	/** As far as the server had them no earlier. */
	readonly since: number
	/** Of that site or bank alone. */
	readonly at: { readonly site?: string | undefined; readonly bank?: string | undefined }
}

async function ofBanks(db: Db, { types, since, at }: BankQuery): Promise<Sql<unknown>> {
	const tenant = db.tenant as Id<'tenant'>
	const first = await positionAt(db, tenant, since)
	const conditions = [fromPosition(tenant, first), sql`type = ANY(${[...types]}::text[])`, sql`bank IS NOT NULL`]
	if (at.site !== undefined) conditions.push(sql`site = ${at.site}`)
	if (at.bank !== undefined) conditions.push(sql`bank = ${at.bank}`)
	return sql.join(conditions, sql` AND `)
}

/** How many there are of each bank. */
export async function countOfBanks(db: Db, query: BankQuery): Promise<Map<string, number>> {
	const rows = await db.rows(
		sql<{ bank: string; count: number }>`SELECT bank, count(*)::int AS count FROM event WHERE ${await ofBanks(db, query)} GROUP BY bank`,
	)
	return new Map(rows.map(({ bank, count }) => [bank, count]))
}

/** The newest of each of these banks, at most `each`; all together the newest first. */
export async function newestOfBanks(db: Db, query: BankQuery, banks: readonly string[], each: number): Promise<LoggedEvent[]> {
	// Places are sorted without what stands there: a month of a busy estate does not fit into memory.
	const rows = await db.rows<Row>(sql`SELECT e.position, e.bytes, e.site, e.received FROM (
			SELECT month, position, row_number() OVER (PARTITION BY bank ORDER BY month DESC, position DESC) AS nth
			FROM event WHERE ${await ofBanks(db, query)} AND bank = ANY(${[...banks]}::text[])) n
		JOIN event e ON e.tenant_id = ${db.tenant} AND e.month = n.month AND e.position = n.position
		WHERE n.nth <= ${each} ORDER BY e.month DESC, e.position DESC`)
	return rows.map(logged)
}

export interface DecisionQuery {
	readonly bank?: string | undefined
	/** Whom it was about. */
	readonly user?: string | undefined
	readonly effect?: 'allow' | 'deny' | undefined
	/** Only of these banks: what the caller may see. */
	readonly within?: readonly string[] | undefined
	/** Position of the last one seen. */
	readonly before?: number | undefined
	readonly limit: number
}

/** What banks allowed and refused, the newest first. */
export async function decisionEvents(db: Db, { bank, user, effect, within, before, limit }: DecisionQuery): Promise<LoggedEvent[]> {
	const tenant = db.tenant as Id<'tenant'>
	const types = effect === undefined ? ['decision.allowed', 'decision.denied'] : [effect === 'allow' ? 'decision.allowed' : 'decision.denied']
	const conditions = [
		beforePosition(tenant, before),
		sql`position IS NOT NULL`,
		sql`type = ANY(${types}::text[])`,
		...(bank === undefined ? [] : [sql`bank = ${bank}`]),
		...(user === undefined ? [] : [doneBy(user)]),
		...(within === undefined ? [] : [sql`bank = ANY(${[...within]}::text[])`]),
	]
	const rows = await db.rows<Row>(sql`SELECT position, bytes, site, received FROM event WHERE ${sql.join(conditions, sql` AND `)}
		ORDER BY month DESC, position DESC LIMIT ${limit}`)
	return rows.map(logged)
}

/** How many events of a type each hour brought since the starts, all banks together, by when they happened. */
export async function countPerHour(db: Db, type: string, since: readonly { readonly bank: string; readonly start: number }[]): Promise<number[]> {
	if (since.length === 0) return []
	const tenant = db.tenant as Id<'tenant'>
	const first = await positionAt(db, tenant, Math.min(...since.map(({ start }) => start)))
	const rows = await db.rows<{ hour: number; count: number }>(sql`
		SELECT ((e.at - s.start) / 3600000)::int AS hour, count(*)::int AS count
		FROM event e JOIN unnest(${since.map(({ bank }) => bank)}::text[], ${since.map(({ start }) => start)}::bigint[]) s (bank, start) ON s.bank = e.bank
		WHERE ${fromPosition(tenant, first)} AND e.type = ${type} AND e.at >= s.start GROUP BY 1`)
	const hours: number[] = new Array(Math.min(48, 1 + Math.max(-1, ...rows.map(({ hour }) => hour)))).fill(0)
	for (const { hour, count } of rows) if (hour < hours.length) hours[hour] = count
	return hours
}

/** The first position whose event the server had no earlier: what came before a day need not be looked at to count that day. */
async function positionAt(db: Db, tenant: Id<'tenant'>, received: number): Promise<number> {
	let [from, to] = [0, await readSize(db, tenant)]
	while (from < to) {
		const middle = Math.floor((from + to) / 2)
		const row = await db.first<{ received: number }>(
			sql`SELECT received FROM event WHERE ${fromPosition(tenant, middle)} ORDER BY month, position LIMIT 1`,
		)
		if (row && row.received < received) from = middle + 1
		else to = middle
	}
	return from
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
