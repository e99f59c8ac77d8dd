import type { Scope } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { type Db, type Sql, sql } from '../store/index.ts'
import type { Allocation, BankLive, DoorAlarm, DoorLive } from './live.ts'
import { within } from './read.ts'

export interface DoorRow {
	readonly id: Id<'compartment'>
	readonly bank: Id<'bank'>
	readonly door: DoorLive['door']
	readonly shown: DoorLive['shown']
	readonly alarm: DoorAlarm | null
	readonly sensorReliable: boolean
	readonly sessionId: string | null
	readonly sessionState: NonNullable<DoorLive['session']>['state'] | null
	readonly sessionAct: string | null
	readonly sessionSubject: string | null
	readonly allocation: Allocation
	readonly hold: NonNullable<DoorLive['hold']>['kind'] | null
	readonly holdWhy: string | null
	readonly reservedFor: string | null
	readonly content: DoorLive['content']
	readonly asset: string | null
	readonly since: number
	readonly stream: Id<'stream'> | null
	readonly seq: number | null
}

const DOOR = sql`s.compartment_id AS id, s.bank_id AS bank, s.door, s.shown, s.alarm, s.sensor_reliable AS "sensorReliable", s.session_id AS "sessionId",
	s.session_state AS "sessionState", s.session_act AS "sessionAct", s.session_subject AS "sessionSubject", s.allocation, s.hold, s.hold_why AS "holdWhy",
	s.reserved_for AS "reservedFor", s.content, s.asset_id AS asset, s.since, s.stream_id AS stream, s.seq`

export const doorOf = (row: DoorRow): DoorLive => ({
	id: row.id,
	door: row.door,
	shown: row.shown,
	...(row.alarm !== null && { alarm: row.alarm }),
	sensorReliable: row.sensorReliable,
	...(row.sessionId !== null &&
		row.sessionState !== null && {
			session: { id: row.sessionId, state: row.sessionState, act: row.sessionAct ?? 'inspect', subject: row.sessionSubject ?? 'edge' },
		}),
	...(row.hold !== null && { hold: { kind: row.hold, why: row.holdWhy ?? '' } }),
	...(row.reservedFor !== null && { reservedFor: row.reservedFor }),
	content: row.content,
	...(row.asset !== null && { asset: row.asset }),
	since: row.since,
	...(row.stream !== null && row.seq !== null && { event: { stream: row.stream, seq: row.seq } }),
})

/** What is known of every door of a bank, or of some of them. */
export const doorsLive = (db: Db, bank: Id<'bank'>, only?: readonly string[], lock = false): Promise<(DoorRow & { outOfService: boolean })[]> =>
	db.rows(sql`SELECT ${DOOR}, c.out_of_service IS NOT NULL AS "outOfService" FROM compartment_state s
		JOIN compartment c ON c.tenant_id = s.tenant_id AND c.compartment_id = s.compartment_id
		WHERE s.tenant_id = ${db.tenant} AND s.bank_id = ${bank} AND ${only ? sql`s.compartment_id = ANY(${only}::text[])` : sql`true`} ORDER BY c.number
		${lock ? sql`FOR UPDATE OF s` : sql``}`)
export const doorLive = (db: Db, compartment: Id<'compartment'>): Promise<DoorRow | undefined> =>
	db.first(sql`SELECT ${DOOR} FROM compartment_state s WHERE s.tenant_id = ${db.tenant} AND s.compartment_id = ${compartment}`)
export const doorsById = async (db: Db, compartments: readonly Has<'compartment'>[]): Promise<ReadonlyMap<string, DoorRow>> => {
	const rows = await db.rows<DoorRow>(
		sql`SELECT ${DOOR} FROM compartment_state s WHERE s.tenant_id = ${db.tenant} AND s.compartment_id = ANY(${idsOf(compartments)}::text[])`,
	)
	return new Map(rows.map((row) => [row.id, row]))
}
/** Where things lie by the banks' own word. */
export const doorsHolding = async (db: Db, assets: readonly string[]): Promise<ReadonlyMap<string, Id<'compartment'>>> => {
	const rows = await db.rows<{ asset: string; id: Id<'compartment'> }>(sql`SELECT s.asset_id AS asset, s.compartment_id AS id
		FROM compartment_state s WHERE s.tenant_id = ${db.tenant} AND s.content = 'item' AND s.asset_id = ANY(${assets}::text[])`)
	return new Map(rows.map((row) => [row.asset, row.id]))
}

export interface BankRow extends Omit<BankLive, 'stream' | 'bundle' | 'eventAt'> {
	readonly bank: Id<'bank'>
	readonly stream: Id<'stream'> | null
	readonly online: boolean
	readonly seenAt: number | null
	/** Heartbeats are missing since; and when that was long enough to act on. */
	readonly silentSince: number | null
	readonly outageConfirmedAt: number | null
	readonly bundleVersion: number
	readonly bundleDigest: string | null
	readonly bundleExpiresAt: number | null
	readonly bundleRefused: string | null
	readonly eventAt: number | null
}

const BANK = sql`b.bank_id AS bank, b.stream_id AS stream, b.online, b.seen_at AS "seenAt", b.silent_since AS "silentSince",
	b.outage_confirmed_at AS "outageConfirmedAt", b.bundle_version AS "bundleVersion", b.bundle_digest AS "bundleDigest",
	b.bundle_expires_at AS "bundleExpiresAt", b.bundle_refused AS "bundleRefused", b.boards, b.readers, b.storage, b.clock,
	b.history_lost AS "historyLost", b.tampered, b.event_at AS "eventAt"`

export const bankLive = (db: Db, bank: Id<'bank'>, lock = false): Promise<BankRow | undefined> =>
	db.first(sql`SELECT ${BANK} FROM bank_state b WHERE b.tenant_id = ${db.tenant} AND b.bank_id = ${bank} ${lock ? sql`FOR UPDATE` : sql``}`)
/** For lists. */
export const banksLive = async (db: Db, banks: readonly Has<'bank'>[]): Promise<ReadonlyMap<string, BankRow>> => {
	const rows = await db.rows<BankRow>(
		sql`SELECT ${BANK} FROM bank_state b WHERE b.tenant_id = ${db.tenant} AND b.bank_id = ANY(${idsOf(banks)}::text[])`,
	)
	return new Map(rows.map((row) => [row.bank, row]))
}

export const liveOf = (row: BankRow): BankLive => ({
	...(row.stream !== null && { stream: row.stream }),
	bundle: {
		version: row.bundleVersion,
		...(row.bundleDigest !== null && { digest: row.bundleDigest }),
		...(row.bundleExpiresAt !== null && { expiresAt: row.bundleExpiresAt }),
		...(row.bundleRefused !== null && { refused: row.bundleRefused }),
	},
	boards: row.boards,
	readers: row.readers,
	storage: row.storage,
	clock: row.clock,
	historyLost: row.historyLost,
	tampered: row.tampered,
	...(row.eventAt !== null && { eventAt: row.eventAt }),
})

export interface ControllerRow {
	readonly id: Id<'controller'>
	readonly online: boolean
	readonly seenAt: number
	readonly software: string | null
	readonly storageLevel: 'L0' | 'L1' | null
	readonly stream: Id<'stream'> | null
	readonly seq: number | null
}
export const controllersLive = async (db: Db, controllers: readonly Has<'controller'>[]): Promise<ReadonlyMap<string, ControllerRow>> => {
	const rows =
		await db.rows<ControllerRow>(sql`SELECT controller_id AS id, online, seen_at AS "seenAt", software, storage_level AS "storageLevel", stream_id AS stream, seq
		FROM controller_state WHERE tenant_id = ${db.tenant} AND controller_id = ANY(${idsOf(controllers)}::text[])`)
	return new Map(rows.map((row) => [row.id, row]))
}

/** How well the controller whose word about this bank counts keeps the key of its site, as it said last; undefined: there is none, or it never said. */
export async function storageLevelOf(db: Db, bank: Id<'bank'>): Promise<0 | 1 | undefined> {
	const row = await db.first<{ level: 'L0' | 'L1' | null }>(sql`SELECT s.storage_level AS level FROM controller c
		JOIN controller_state s ON s.tenant_id = c.tenant_id AND s.controller_id = c.controller_id
		WHERE c.tenant_id = ${db.tenant} AND c.bank_id = ${bank} AND c.revoked_at IS NULL`)
	return row?.level == null ? undefined : row.level === 'L1' ? 1 : 0
}

type Has<K extends 'bank' | 'compartment' | 'controller'> = { readonly id: Id<K> }
const idsOf = (records: readonly { readonly id: string }[]) => records.map((record) => record.id)

/** For the map: drawing, labels and live state of one bank in one query. */
export interface MapRow extends DoorRow {
	readonly number: number
	readonly size: 'S' | 'M' | 'L' | 'XL'
	readonly accessible: boolean
	readonly powered: boolean
	readonly wired: boolean
	readonly outOfService: string | null
}
export const mapOf = (db: Db, bank: Id<'bank'>): Promise<MapRow[]> => db.rows(mapQuery(db.tenant, bank))

const mapQuery = (tenant: string | undefined, bank: string): Sql<MapRow> => sql`SELECT c.number, c.size, c.accessible, c.powered, c.wired,
	c.out_of_service AS "outOfService", ${DOOR} FROM compartment c
	JOIN compartment_state s ON s.tenant_id = c.tenant_id AND s.compartment_id = c.compartment_id
	WHERE c.tenant_id = ${tenant} AND c.bank_id = ${bank} ORDER BY c.number`

/** How full a bank is, and whether it is heard. */
export interface BankSpace {
	readonly bank: Id<'bank'>
	readonly name: string
	readonly site: Id<'site'>
	readonly siteName: string
	readonly timeZone: string
	readonly compartments: number
	readonly free: number
	readonly open: number
	readonly alarms: number
	readonly toCheck: number
	/** Doors of which nobody knows whether they are shut, because a lock board does not answer. A door without a sensor is no such door. */
	readonly unknown: number
	readonly online: boolean
	readonly seenAt: number | null
	readonly silentSince: number | null
	readonly outageConfirmedAt: number | null
	/** Boards and readers that do not answer. */
	readonly silentBoards: readonly string[]
	readonly silentReaders: readonly string[]
	/** No board of its wiring was ever told of. */
	readonly noBoards: boolean
	readonly storage: BankLive['storage']
	readonly historyLost: boolean
	readonly tampered: boolean
}
const silent = (parts: Sql<unknown>) => sql`ARRAY(SELECT p.key FROM jsonb_each(${parts}) p WHERE p.value->'up' = 'false' ORDER BY p.key)`
/** A bank of which some boards do not answer, or all. */
const BLIND = sql`(l.boards = '{}' OR jsonb_path_exists(l.boards, '$.* ? (@.up == false)'))`
export const bankSpaces = (db: Db, scopes: readonly Scope[]): Promise<BankSpace[]> =>
	db.rows(sql`SELECT b.bank_id AS bank, b.name, b.site_id AS site, s.name AS "siteName", s.time_zone AS "timeZone", n.compartments, n.free, n.open, n.alarms,
		n."toCheck", n.unknown, ${silent(sql`l.boards`)} AS "silentBoards", ${silent(sql`l.readers`)} AS "silentReaders", l.boards = '{}' AS "noBoards",
		l.storage, l.history_lost AS "historyLost", l.tampered, l.online, l.seen_at AS "seenAt", l.silent_since AS "silentSince", l.outage_confirmed_at AS "outageConfirmedAt"
		FROM bank b JOIN site s ON s.tenant_id = b.tenant_id AND s.site_id = b.site_id JOIN bank_state l ON l.tenant_id = b.tenant_id AND l.bank_id = b.bank_id
		CROSS JOIN LATERAL (SELECT count(*)::int AS compartments, count(*) FILTER (WHERE d.allocation = 'available' AND c.out_of_service IS NULL
				AND NOT (d.door = 'unknown' AND ${BLIND}))::int AS free, count(*) FILTER (WHERE d.door = 'unknown' AND ${BLIND})::int AS unknown,
			count(*) FILTER (WHERE d.door = 'open')::int AS open, count(*) FILTER (WHERE d.alarm IN ('forced', 'opened-while-down', 'stuck'))::int AS alarms,
			count(*) FILTER (WHERE d.allocation IN ('pending-inspection', 'quarantined'))::int AS "toCheck"
			FROM compartment_state d JOIN compartment c ON c.tenant_id = d.tenant_id AND c.compartment_id = d.compartment_id
			WHERE d.tenant_id = b.tenant_id AND d.bank_id = b.bank_id) n
		WHERE b.tenant_id = ${db.tenant} AND ${within(scopes, { site: sql`b.site_id`, area: sql`b.area_id`, bank: sql`b.bank_id` })} ORDER BY s.name, b.name, b.bank_id`)
