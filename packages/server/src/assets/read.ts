import type { Scope } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { type Noted, type Paging, within } from '../estate/index.ts'
import { type Db, sql } from '../store/index.ts'

export interface AssetType extends Noted {
	readonly id: Id<'assetType'>
	/** As policies name it. */
	readonly code: string
	readonly name: string
	readonly kind: 'laptop' | 'other'
	readonly valueClass: 'normal' | 'high'
}
export interface Asset extends Noted {
	readonly id: Id<'asset'>
	readonly type: Id<'assetType'>
	readonly typeCode: string
	readonly kind: AssetType['kind']
	readonly valueClass: AssetType['valueClass']
	readonly tag: string
	/** Its own, else its type's. */
	readonly name: string
	readonly ownName: string | null
	readonly salt: string
	readonly commitment: string
	readonly condition: 'good' | 'damaged' | 'missing'
	readonly bank: Id<'bank'> | null
	readonly placedIn: Id<'compartment'> | null
	readonly custodian: string
	readonly custodySince: number
	readonly retiredAt: number | null
}

const NOTED = sql`t.labels, t.external_refs AS "externalRefs", t.client_data AS "clientData", t.version, t.created_at AS "createdAt", t.updated_at AS "updatedAt"`
const TYPE = sql`t.asset_type_id AS id, t.code, t.name, t.kind, t.value_class AS "valueClass", ${NOTED}`
const ASSET = sql`t.asset_id AS id, t.asset_type_id AS type, y.code AS "typeCode", y.kind, y.value_class AS "valueClass", t.tag, coalesce(t.name, y.name) AS name,
	t.name AS "ownName", t.salt, t.commitment, t.condition, t.bank_id AS bank, t.placed_in AS "placedIn", t.custodian, t.custody_since AS "custodySince",
	t.retired_at AS "retiredAt", ${NOTED}`
const ASSETS = sql`asset t JOIN asset_type y ON y.tenant_id = t.tenant_id AND y.asset_type_id = t.asset_type_id`

/** Codes of asset types: what a policy can name. */
export const typeCodes = async (db: Db): Promise<string[]> =>
	(await db.rows<{ code: string }>(sql`SELECT code FROM asset_type WHERE tenant_id = ${db.tenant} ORDER BY code`)).map(({ code }) => code)

export const findAssetType = (db: Db, id: string, lock = false): Promise<AssetType | undefined> =>
	db.first(sql`SELECT ${TYPE} FROM asset_type t WHERE t.tenant_id = ${db.tenant} AND t.asset_type_id = ${id} ${lock ? sql`FOR UPDATE` : sql``}`)
export const findAsset = (db: Db, id: string, lock = false): Promise<Asset | undefined> =>
	db.first(sql`SELECT ${ASSET} FROM ${ASSETS} WHERE t.tenant_id = ${db.tenant} AND t.asset_id = ${id} ${lock ? sql`FOR UPDATE OF t` : sql``}`)
export const assetByTag = (db: Db, tag: string): Promise<Asset | undefined> =>
	db.first(sql`SELECT ${ASSET} FROM ${ASSETS} WHERE t.tenant_id = ${db.tenant} AND t.tag = ${tag} AND t.retired_at IS NULL`)

/** What a bank offers and takes back, and what is bound to it otherwise (`also`: things that an open case names). */
export const assetsAt = (db: Db, bank: Id<'bank'>, also: readonly string[] = []): Promise<Asset[]> =>
	db.rows(sql`SELECT ${ASSET} FROM ${ASSETS} WHERE t.tenant_id = ${db.tenant}
		AND ((t.bank_id = ${bank} AND t.retired_at IS NULL) OR t.asset_id = ANY(${also}::text[])) ORDER BY t.asset_id`)

/** Who has something of this bank out, by the banks' own record. */
export const custodiansAt = async (db: Db, bank: Id<'bank'>): Promise<string[]> =>
	(
		await db.rows<{ custodian: string }>(
			sql`SELECT DISTINCT custodian FROM asset WHERE tenant_id = ${db.tenant} AND bank_id = ${bank} AND retired_at IS NULL AND custodian LIKE 'sub\\_%' ORDER BY custodian`,
		)
	).map((row) => row.custodian)

/** The same by person: whose things they have. */
export const custodyOf = (db: Db, people: readonly Id<'subject'>[]): Promise<{ subject: string; bank: Id<'bank'> }[]> =>
	db.rows(sql`SELECT DISTINCT custodian AS subject, bank_id AS bank FROM asset
		WHERE tenant_id = ${db.tenant} AND retired_at IS NULL AND bank_id IS NOT NULL AND custodian = ANY(${[...people]}::text[]) ORDER BY 1, 2`)

export const listAssetTypes = (db: Db, { limit, after, updatedSince }: Omit<Paging, 'scopes'>): Promise<AssetType[]> =>
	db.rows(sql`SELECT ${TYPE} FROM asset_type t WHERE t.tenant_id = ${db.tenant} AND ${sinceSql(updatedSince)}
		AND ${after ? sql`(t.updated_at, t.asset_type_id) > (${after[0]}, ${after[1]})` : sql`true`} ORDER BY t.updated_at, t.asset_type_id LIMIT ${limit + 1}`)

export interface AssetFilter {
	readonly bank?: string | undefined
	readonly type?: string | undefined
	readonly custodian?: string | undefined
	readonly tag?: string | undefined
	readonly retired?: boolean | undefined
}

/** Things that belong to no bank are the whole organisation's. */
export const listAssets = (db: Db, { limit, after, updatedSince, scopes }: Paging, filter: AssetFilter): Promise<Asset[]> =>
	db.rows(sql`SELECT ${ASSET} FROM ${ASSETS} LEFT JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id
		WHERE t.tenant_id = ${db.tenant} AND ${inScopes(scopes)} AND ${sinceSql(updatedSince)}
		AND ${filter.bank ? sql`t.bank_id = ${filter.bank}` : sql`true`} AND ${filter.type ? sql`t.asset_type_id = ${filter.type}` : sql`true`}
		AND ${filter.custodian ? sql`t.custodian = ${filter.custodian}` : sql`true`} AND ${filter.tag ? sql`t.tag = ${filter.tag}` : sql`true`}
		AND ${filter.retired ? sql`t.retired_at IS NOT NULL` : sql`t.retired_at IS NULL`}
		AND ${after ? sql`(t.updated_at, t.asset_id) > (${after[0]}, ${after[1]})` : sql`true`} ORDER BY t.updated_at, t.asset_id LIMIT ${limit + 1}`)

const inScopes = (scopes: readonly Scope[]) => within(scopes, { site: sql`b.site_id`, area: sql`b.area_id`, bank: sql`b.bank_id` })
const sinceSql = (at: number | undefined) => (at === undefined ? sql`true` : sql`t.updated_at >= ${at}`)
