import type { Place } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { type Db, type MasterKey, sealingKey, sql } from '../store/index.ts'
import { type DeviceCaKey, deviceCaFrom, type KeyKind, type Signer, signerFrom } from './keys.ts'
import { type Chosen, chosenShape, type Inherited, inherit, type Level, type Settings } from './settings.ts'

export interface Tenant {
	readonly id: Id<'tenant'>
	readonly name: string
	readonly origin: string
	readonly createdAt: number
}

/** Of the transaction's tenant; system work names it. */
export async function tenantOf(db: Db, tenant = db.tenant): Promise<Tenant> {
	const row = await db.first(sql<Tenant>`SELECT tenant_id AS id, name, origin, created_at AS "createdAt" FROM tenant WHERE tenant_id = ${tenant}`)
	if (!row) throw new Fault('not-found', 'There is no such organisation.')
	return row
}

/** For system work. */
export const allTenants = (db: Db): Promise<Tenant[]> =>
	db.rows(sql<Tenant>`SELECT tenant_id AS id, name, origin, created_at AS "createdAt" FROM tenant ORDER BY created_at, tenant_id`)

interface KeyRow {
	readonly key_id: string
	readonly public_key: Uint8Array | null
	readonly sealed: Uint8Array
}

/** What opens the keys: the installation's master key. */
export interface KeyTerms {
	readonly master: MasterKey
	/** For system work, whose transaction sees no single tenant. */
	readonly tenant?: Id<'tenant'>
}

async function keyOf(db: Db, kind: KeyKind, { master, tenant = db.tenant }: KeyTerms) {
	const row = await db.first(
		sql<KeyRow>`SELECT key_id, public_key, sealed FROM tenant_key WHERE tenant_id = ${tenant} AND kind = ${kind} AND retired_at IS NULL`,
	)
	if (!row || tenant === undefined) throw new Fault('not-found', 'There is no such organisation, or it has no keys.')
	return {
		keyId: row.key_id,
		publicKey: new Uint8Array(row.public_key ?? []),
		secret: master.open(row.sealed, keyContext(tenant, kind, row.key_id)),
	}
}

export const keyContext = (tenant: Id<'tenant'>, kind: KeyKind, keyId: string): string => `tenant-key:${tenant}:${kind}:${keyId}`

/** Signs in the name of the tenant: its log, or its bundles, leases and codes. */
export async function signerOf(db: Db, kind: 'log' | 'maker', terms: KeyTerms): Promise<Signer> {
	const { keyId, publicKey, secret } = await keyOf(db, kind, terms)
	return signerFrom(keyId, publicKey, secret)
}

/** Every public key of the kind, the one in use first: what controllers and verifiers pin. */
export async function publicKeysOf(db: Db, kind: 'log' | 'maker', tenant = db.tenant): Promise<{ keyId: string; publicKey: Uint8Array }[]> {
	const rows = await db.rows(
		sql<KeyRow>`SELECT key_id, public_key FROM tenant_key WHERE tenant_id = ${tenant} AND kind = ${kind} ORDER BY retired_at DESC NULLS FIRST, created_at`,
	)
	return rows.map((row) => ({ keyId: row.key_id, publicKey: new Uint8Array(row.public_key ?? []) }))
}

/** Issues the certificates of the tenant's controllers. */
export async function deviceCaOf(db: Db, terms: KeyTerms): Promise<DeviceCaKey> {
	const { keyId, publicKey, secret } = await keyOf(db, 'device-ca', terms)
	return deviceCaFrom(keyId, publicKey, secret)
}

/** Wraps keys of people and seals what belongs to the whole tenant; `secret` keys its blind indexes. */
export async function tenantSealing(db: Db, terms: KeyTerms & { readonly random: Parameters<typeof sealingKey>[1] }) {
	const { secret } = await keyOf(db, 'kek', terms)
	return { ...sealingKey(secret, terms.random), secret }
}

interface SettingRow {
	readonly level: Level
	readonly chosen: unknown
	readonly version: number
	readonly updated_at: number
}

const rowsAt = (db: Db, place: Place): Promise<SettingRow[]> =>
	db.rows(sql<SettingRow>`SELECT level, chosen, version, updated_at FROM setting WHERE tenant_id = ${db.tenant} AND (level = 'tenant'
		OR (level = 'site' AND place = ${place.site ?? ''}) OR (level = 'area' AND place = ${place.area ?? ''}) OR (level = 'bank' AND place = ${place.bank ?? ''}))`)

/** What a release forgot or narrowed since is left out, not believed. */
const readable = (chosen: unknown): Chosen => {
	const known: Record<string, unknown> = {}
	for (const [name, value] of Object.entries(chosen as object)) {
		const schema = (chosenShape.shape as Record<string, { safeParse(value: unknown): { success: boolean; data?: unknown } }>)[name]
		const parsed = schema?.safeParse(value)
		if (parsed?.success) known[name] = parsed.data
	}
	return known as Chosen
}

/** What holds at a place that names all that it lies in. */
export async function inheritedAt(db: Db, place: Place): Promise<Inherited> {
	return inherit((await rowsAt(db, place)).map(({ level, chosen }) => ({ level, chosen: readable(chosen) })))
}

/** What holds at each of many places, by one look at the database. */
export async function settingsAt(db: Db): Promise<(place: Place) => Settings> {
	const rows = await db.rows(sql<SettingRow & { place: string }>`SELECT level, place, chosen FROM setting WHERE tenant_id = ${db.tenant}`)
	const known = new Map(rows.map(({ level, place, chosen }) => [`${level} ${place}`, { level, chosen: readable(chosen) }]))
	return ({ site = '', area = '', bank = '' }) =>
		inherit(['tenant ', `site ${site}`, `area ${area}`, `bank ${bank}`].flatMap((key) => known.get(key) ?? [])).settings
}

export const settingsOf = async (db: Db, place: Place): Promise<Settings> => (await inheritedAt(db, place)).settings

export interface SettingsHere extends Inherited {
	/** What this very place chose. */
	readonly chosen: Chosen
	/** 0: it never chose anything. */
	readonly version: number
	readonly updatedAt: number | undefined
}

export async function settingsHere(db: Db, place: Place): Promise<SettingsHere> {
	const rows = await rowsAt(db, place)
	const own = rows.find((row) => row.level === levelOf(place))
	return {
		...inherit(rows.map(({ level, chosen }) => ({ level, chosen: readable(chosen) }))),
		chosen: own ? readable(own.chosen) : {},
		version: own?.version ?? 0,
		updatedAt: own?.updated_at,
	}
}

export const levelOf = (place: Place): Level => (place.bank ? 'bank' : place.area ? 'area' : place.site ? 'site' : 'tenant')
