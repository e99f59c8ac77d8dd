import type { Place, Scope } from '@latchwork/core/access'
import { Fault, type Id, type Json } from '@latchwork/core/base'
import type { BankLayout } from '@latchwork/core/wire'
import { type Db, type Sql, sql } from '../store/index.ts'
import type { Calendar } from './calendar.ts'

/** What every record carries (api.md §4.2). */
export interface Noted {
	readonly labels: { readonly [key: string]: string }
	readonly externalRefs: readonly { readonly system: string; readonly id: string }[]
	readonly clientData: { readonly [key: string]: unknown }
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}
export interface Site extends Noted {
	readonly id: Id<'site'>
	readonly name: string
	readonly timeZone: string
	readonly address: string
	readonly calendar: Calendar
}
export interface Area extends Noted {
	readonly id: Id<'area'>
	readonly site: Id<'site'>
	readonly name: string
}
export interface Bank extends Noted {
	readonly id: Id<'bank'>
	readonly site: Id<'site'>
	readonly area: Id<'area'> | null
	readonly name: string
	readonly helpPhone: string
	readonly layout: BankLayout
}
export interface Module extends Noted {
	readonly id: Id<'module'>
	readonly bank: Id<'bank'>
	readonly position: number
	readonly name: string
}
export interface Compartment extends Noted {
	readonly id: Id<'compartment'>
	readonly bank: Id<'bank'>
	readonly module: Id<'module'>
	/** The label on the door. */
	readonly number: number
	readonly size: 'S' | 'M' | 'L' | 'XL'
	readonly accessible: boolean
	readonly powered: boolean
	readonly wired: boolean
	readonly widthMm: number | null
	readonly heightMm: number | null
	readonly depthMm: number | null
	/** Reason code; null: in service. */
	readonly outOfService: string | null
}
export interface Controller extends Noted {
	readonly id: Id<'controller'>
	readonly bank: Id<'bank'>
	readonly name: string
	/** Hex SHA-256 of the certificate in use; null before the first enrolment. */
	readonly certificate: string | null
	readonly certificateUntil: number | null
	readonly revokedAt: number | null
}

const NOTED = sql`t.labels, t.external_refs AS "externalRefs", t.client_data AS "clientData", t.version, t.created_at AS "createdAt", t.updated_at AS "updatedAt"`
const SITE = sql`t.site_id AS id, t.name, t.time_zone AS "timeZone", t.address, t.calendar, ${NOTED}`
const AREA = sql`t.area_id AS id, t.site_id AS site, t.name, ${NOTED}`
const BANK = sql`t.bank_id AS id, t.site_id AS site, t.area_id AS area, t.name, t.help_phone AS "helpPhone", t.layout, ${NOTED}`
const MODULE = sql`t.module_id AS id, t.bank_id AS bank, t.position, t.name, ${NOTED}`
const COMPARTMENT = sql`t.compartment_id AS id, t.bank_id AS bank, t.module_id AS module, t.number, t.size, t.accessible, t.powered, t.wired,
	t.width_mm AS "widthMm", t.height_mm AS "heightMm", t.depth_mm AS "depthMm", t.out_of_service AS "outOfService", ${NOTED}`
const CONTROLLER = sql`t.controller_id AS id, t.bank_id AS bank, t.name, t.certificate, t.certificate_until AS "certificateUntil", t.revoked_at AS "revokedAt", ${NOTED}`

/** One by its id; row-level security and the tenant of the transaction decide what is there. `lock`: until the transaction ends nobody else changes it. */
const one = async <R>(db: Db, columns: Sql<unknown>, from: Sql<unknown>, lock: boolean): Promise<R | undefined> =>
	db.first<R>(sql`SELECT ${columns} FROM ${from} ${lock ? sql`FOR UPDATE OF t` : sql``}`)

export const findSite = (db: Db, id: string, lock = false) =>
	one<Site>(db, SITE, sql`site t WHERE t.tenant_id = ${db.tenant} AND t.site_id = ${id}`, lock)
export const findArea = (db: Db, id: string, lock = false) =>
	one<Area>(db, AREA, sql`area t WHERE t.tenant_id = ${db.tenant} AND t.area_id = ${id}`, lock)
export const findBank = (db: Db, id: string, lock = false) =>
	one<Bank>(db, BANK, sql`bank t WHERE t.tenant_id = ${db.tenant} AND t.bank_id = ${id}`, lock)
export const findModule = (db: Db, id: string, lock = false) =>
	one<Module>(db, MODULE, sql`module t WHERE t.tenant_id = ${db.tenant} AND t.module_id = ${id}`, lock)
export const findCompartment = (db: Db, id: string, lock = false) =>
	one<Compartment>(db, COMPARTMENT, sql`compartment t WHERE t.tenant_id = ${db.tenant} AND t.compartment_id = ${id}`, lock)
export const findController = (db: Db, id: string, lock = false) =>
	one<Controller>(db, CONTROLLER, sql`controller t WHERE t.tenant_id = ${db.tenant} AND t.controller_id = ${id}`, lock)

/** What was found, or `Fault` not-found: another tenant's things are not there either. */
export function present<T>(found: T | undefined, what: string): T {
	if (found === undefined) throw new Fault('not-found', `There is no such ${what}.`)
	return found
}

export const siteOf = async (db: Db, id: Id<'site'>) => present(await findSite(db, id), 'site')
export const bankOf = async (db: Db, id: Id<'bank'>) => present(await findBank(db, id), 'bank')

export const compartmentsOf = (db: Db, bank: Id<'bank'>): Promise<Compartment[]> =>
	db.rows(sql`SELECT ${COMPARTMENT} FROM compartment t WHERE t.tenant_id = ${db.tenant} AND t.bank_id = ${bank} ORDER BY t.number`)
export const modulesOf = (db: Db, bank: Id<'bank'>): Promise<Module[]> =>
	db.rows(sql`SELECT ${MODULE} FROM module t WHERE t.tenant_id = ${db.tenant} AND t.bank_id = ${bank} ORDER BY t.position`)
export const banksOfSite = (db: Db, site: Id<'site'>): Promise<Bank[]> =>
	db.rows(sql`SELECT ${BANK} FROM bank t WHERE t.tenant_id = ${db.tenant} AND t.site_id = ${site} ORDER BY t.bank_id`)
export const bankIds = async (db: Db, at: Place = {}): Promise<Id<'bank'>[]> =>
	(
		await db.rows<{ id: Id<'bank'> }>(sql`SELECT t.bank_id AS id FROM bank t WHERE t.tenant_id = ${db.tenant} AND ${lying(at)} ORDER BY t.bank_id`)
	).map((b) => b.id)
/** The ids of all schedules that sites have: what a policy can name. */
export const scheduleIds = async (db: Db): Promise<string[]> =>
	(
		await db.rows<{ id: string }>(
			sql`SELECT DISTINCT s ->> 'id' AS id FROM site t CROSS JOIN jsonb_array_elements(t.calendar -> 'schedules') s WHERE t.tenant_id = ${db.tenant} ORDER BY 1`,
		)
	).map(({ id }) => id)

export const siteIds = async (db: Db): Promise<Id<'site'>[]> =>
	(await db.rows<{ id: Id<'site'> }>(sql`SELECT t.site_id AS id FROM site t WHERE t.tenant_id = ${db.tenant} ORDER BY t.site_id`)).map((s) => s.id)

const lying = ({ site, area, bank }: Place): Sql<unknown> =>
	bank ? sql`t.bank_id = ${bank}` : area ? sql`t.area_id = ${area}` : site ? sql`t.site_id = ${site}` : sql`true`

/** The controller whose word about this bank counts. */
export const authorityOf = (db: Db, bank: Id<'bank'>): Promise<Controller | undefined> =>
	db.first(sql`SELECT ${CONTROLLER} FROM controller t WHERE t.tenant_id = ${db.tenant} AND t.bank_id = ${bank} AND t.revoked_at IS NULL`)

const bankOfCompartment = (db: Db, compartment: string): Sql<unknown> =>
	sql`(SELECT c.bank_id FROM compartment c WHERE c.tenant_id = ${db.tenant} AND c.compartment_id = ${compartment})`

/** Whom to ask at a bank, or at that of a compartment: `controller` is null where none is enrolled whose word counts. Undefined: there is no such bank. */
export const enrolledAt = (
	db: Db,
	at: { readonly bank: string } | { readonly compartment: string },
): Promise<{ site: Id<'site'>; bank: Id<'bank'>; controller: Id<'controller'> | null } | undefined> =>
	db.first(sql`SELECT b.site_id AS site, b.bank_id AS bank, t.controller_id AS controller FROM bank b
		LEFT JOIN controller t ON t.tenant_id = b.tenant_id AND t.bank_id = b.bank_id AND t.revoked_at IS NULL AND t.certificate IS NOT NULL
		WHERE b.tenant_id = ${db.tenant} AND b.bank_id = ${'compartment' in at ? bankOfCompartment(db, at.compartment) : at.bank}`)

type BankPlace = Place & { site: Id<'site'>; bank: Id<'bank'> }

/** Where a bank lies, with all that it lies in; undefined: there is no such bank. */
export const placeOf = (db: Db, bank: string): Promise<BankPlace | undefined> => placeWhere(db, sql`${bank}`)
/** Where the bank of a compartment lies. */
export const placeOfCompartment = (db: Db, compartment: string): Promise<BankPlace | undefined> => placeWhere(db, bankOfCompartment(db, compartment))

async function placeWhere(db: Db, bank: Sql<unknown>): Promise<BankPlace | undefined> {
	const found = await db.first<{ site: Id<'site'>; area: Id<'area'> | null; bank: Id<'bank'> }>(
		sql`SELECT site_id AS site, area_id AS area, bank_id AS bank FROM bank WHERE tenant_id = ${db.tenant} AND bank_id = ${bank}`,
	)
	return found && { site: found.site, bank: found.bank, ...(found.area !== null && { area: found.area }) }
}

/** The device port knows a controller by its certificate, before it knows the tenant: for system work. */
export const controllerAnywhere = (db: Db, id: string): Promise<(Controller & { tenant: Id<'tenant'>; site: Id<'site'> }) | undefined> =>
	db.first(sql`SELECT t.tenant_id AS tenant, b.site_id AS site, ${CONTROLLER} FROM controller t
		JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id WHERE t.controller_id = ${id}`)

export interface Paging {
	/** One more than this is read, so that the caller knows of another page. */
	readonly limit: number
	/** (updatedAt, id) of the last one shown. */
	readonly after?: readonly [number, string] | undefined
	readonly updatedSince?: number | undefined
	/** Where the caller may read. */
	readonly scopes: readonly Scope[]
}

export const listSites = (db: Db, paging: Paging): Promise<Site[]> =>
	list(db, SITE, sql`site t`, sql`t.site_id`, paging, { site: sql`t.site_id` }, sql`true`)
export const listAreas = (db: Db, paging: Paging, site?: string): Promise<Area[]> =>
	list(db, AREA, sql`area t`, sql`t.area_id`, paging, { site: sql`t.site_id`, area: sql`t.area_id` }, site ? sql`t.site_id = ${site}` : sql`true`)
export const listBanks = (db: Db, paging: Paging, of: { site?: string | undefined; area?: string | undefined } = {}): Promise<Bank[]> =>
	list(
		db,
		BANK,
		sql`bank t`,
		sql`t.bank_id`,
		paging,
		{ site: sql`t.site_id`, area: sql`t.area_id`, bank: sql`t.bank_id` },
		sql`${of.site ? sql`t.site_id = ${of.site}` : sql`true`} AND ${of.area ? sql`t.area_id = ${of.area}` : sql`true`}`,
	)

const IN_BANK = { site: sql`b.site_id`, area: sql`b.area_id`, bank: sql`b.bank_id` }
const ofBank = (table: string) => sql`${sql.table(table)} t JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id`
const inBank = (bank: string | undefined) => (bank ? sql`t.bank_id = ${bank}` : sql`true`)

export const listModules = (db: Db, paging: Paging, bank?: string): Promise<Module[]> =>
	list(db, MODULE, ofBank('module'), sql`t.module_id`, paging, IN_BANK, inBank(bank))
export const listCompartments = (db: Db, paging: Paging, bank?: string): Promise<Compartment[]> =>
	list(db, COMPARTMENT, ofBank('compartment'), sql`t.compartment_id`, paging, IN_BANK, inBank(bank))
export const listControllers = (db: Db, paging: Paging, bank?: string): Promise<Controller[]> =>
	list(db, CONTROLLER, ofBank('controller'), sql`t.controller_id`, paging, IN_BANK, inBank(bank))

type Columns = { readonly [K in Exclude<Scope['kind'], 'tenant'>]?: Sql<unknown> }

function list<R>(
	db: Db,
	columns: Sql<unknown>,
	from: Sql<unknown>,
	id: Sql<unknown>,
	{ limit, after, updatedSince, scopes }: Paging,
	lies: Columns,
	filter: Sql<unknown>,
): Promise<R[]> {
	return db.rows<R>(sql`SELECT ${columns} FROM ${from} WHERE t.tenant_id = ${db.tenant} AND ${filter} AND ${within(scopes, lies)}
		AND ${updatedSince === undefined ? sql`true` : sql`t.updated_at >= ${updatedSince}`}
		AND ${after ? sql`(t.updated_at, ${id}) > (${after[0]}, ${after[1]})` : sql`true`}
		ORDER BY t.updated_at, ${id} LIMIT ${limit + 1}`)
}

/** Inside one of the scopes. A thing that lies in no bank is not inside a bank. */
export function within(scopes: readonly Scope[], lies: Columns): Sql<unknown> {
	if (scopes.some((s) => s.kind === 'tenant')) return sql`true`
	const parts = scopes.flatMap((s) => {
		const column = s.kind === 'tenant' ? undefined : lies[s.kind]
		return column && s.kind !== 'tenant' ? [sql`${column} = ${s.id}`] : []
	})
	return parts.length ? sql`(${sql.join(parts, sql` OR `)})` : sql`false`
}

export const asJson = (value: unknown): Sql<Json> => sql`${JSON.stringify(value)}::jsonb`
