import type { Id } from '@latchwork/core/base'
import { markBundles, siteOf } from '../estate/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { tenantSealing } from '../tenants/index.ts'
import { siteKeyContext } from './credential-read.ts'
import { ensureSiteKey, readyCredentials } from './credential-write.ts'
import { type PeopleChange, recordOf } from './person-write.ts'

/**
 * Another key for a site: whoever has the old one can do nothing more with it. Badges are known under the new one at once, since the server keeps
 * their numbers sealed, and nobody enrols again. PINs are kept nowhere but under the old key, so they end. Banks get the key with the bundle that
 * needs it. Answers how many PINs ended.
 */
export async function rotateSiteKey(tx: Tx, change: PeopleChange, site: Id<'site'>): Promise<{ readonly pins: number }> {
	const { now } = change
	await siteOf(tx, site)
	await ensureSiteKey(tx, site, change, now)
	// One rotation after the other: the second one begins from what the first one left.
	await tx.run(sql`SELECT 1 FROM site_key WHERE tenant_id = ${tx.tenant} AND site_id = ${site} FOR UPDATE`)
	const sealed = (await tenantSealing(tx, change)).seal(change.random(32), siteKeyContext(site))
	await tx.run(sql`UPDATE site_key SET sealed = ${Buffer.from(sealed)}, rotated_at = ${now} WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`)
	await tx.run(sql`DELETE FROM credential_verifier WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`)
	const ended = await tx.rows<{
		id: Id<'credential'>
		subject: Id<'subject'>
	}>(sql`UPDATE credential SET revoked_at = ${now}, version = version + 1, updated_at = ${now}
		WHERE tenant_id = ${tx.tenant} AND site_id = ${site} AND kind = 'pin' AND revoked_at IS NULL RETURNING credential_id AS id, subject_id AS subject`)
	for (const { id, subject } of ended) await recordOf(tx, change, 'credential.revoked', id, { subject, why: 'site-key' }, site)
	await readyCredentials(tx, site, change, now)
	await recordOf(tx, change, 'site.key-rotated', site, { pins: ended.length }, site)
	await markBundles(tx, now, { site })
	return { pins: ended.length }
}
