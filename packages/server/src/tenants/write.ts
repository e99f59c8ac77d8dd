import type { Place } from '@latchwork/core/access'
import { Fault, type Id, type Random } from '@latchwork/core/base'
import { type MasterKey, sql, type Tx } from '../store/index.ts'
import { KEY_KINDS, makeKey } from './keys.ts'
import { keyContext, levelOf, settingsHere, type Tenant, tenantOf } from './read.ts'
import type { SettingName, SettingsPatch } from './settings.ts'

export interface NewTenant {
	readonly name: string
	/** Host name in the origin of its log; it never changes, so it should be one that lasts. */
	readonly host: string
}

/** In a transaction of the new tenant: `store.write(newId('tenant', …), (tx) => createTenant(tx, …))`. It has its keys from the first moment. */
export async function createTenant(
	tx: Tx,
	{ name, host }: NewTenant,
	{ now, random, master }: { readonly now: number; readonly random: Random; readonly master: MasterKey },
): Promise<Tenant> {
	const tenant = tx.tenant as Id<'tenant'>
	await tx.run(sql`INSERT INTO tenant (tenant_id, name, origin, created_at) VALUES (${tenant}, ${name}, ${`${host}/log/${tenant}`}, ${now})`)
	for (const kind of KEY_KINDS) {
		const { keyId, publicKey, secret } = makeKey(kind, random)
		const sealed = master.seal(secret, keyContext(tenant, kind, keyId))
		await tx.run(sql`INSERT INTO tenant_key (tenant_id, kind, key_id, public_key, sealed, created_at)
			VALUES (${tenant}, ${kind}, ${keyId}, ${publicKey === undefined ? null : Buffer.from(publicKey)}, ${Buffer.from(sealed)}, ${now})`)
	}
	return tenantOf(tx)
}

/** Sets what the patch names at the place itself; answers the names that really changed. Throws `version-conflict`. */
export async function changeSettings(tx: Tx, place: Place, patch: SettingsPatch, ifMatch: number, now: number): Promise<SettingName[]> {
	// Two first choices at one place meet here and not at the key.
	await tx.run(sql`SELECT 1 FROM tenant WHERE tenant_id = ${tx.tenant} FOR UPDATE`)
	const { chosen, version } = await settingsHere(tx, place)
	if (version !== ifMatch)
		throw new Fault('version-conflict', `These settings are at version ${version} by now, and the change was made for version ${ifMatch}.`, {
			detail: { version },
		})
	const next: Record<string, unknown> = { ...chosen }
	for (const [name, value] of Object.entries(patch)) {
		if (value === null) delete next[name]
		else if (value !== undefined) next[name] = value
	}
	const changed = (Object.keys(patch) as SettingName[]).filter((name) => JSON.stringify(chosen[name]) !== JSON.stringify(next[name]))
	if (changed.length === 0) return []
	const id = place.bank ?? place.area ?? place.site ?? ''
	await tx.run(sql`INSERT INTO setting (tenant_id, level, place, chosen, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${levelOf(place)}, ${id}, ${JSON.stringify(next)}::jsonb, 1, ${now}, ${now})
		ON CONFLICT (tenant_id, level, place) DO UPDATE SET chosen = excluded.chosen, version = setting.version + 1, updated_at = excluded.updated_at`)
	return changed
}
