import { type DeltaMark, NO_DELTA, sealDelta } from '@latchwork/core/access'
import { canonicalBytes, type Id, toHex } from '@latchwork/core/base'
import { append } from '../ledger/index.ts'
import { takenAwaySince } from '../people/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { settingsOf, signerOf } from '../tenants/index.ts'
import { onlineAt } from './read.ts'
import type { ComposeTerms } from './terms.ts'

interface Chain extends DeltaMark {
	readonly lookedAt: number
	readonly told: Readonly<Record<string, number>>
}

/** A change that was dated earlier may be committed later than the look that should have seen it. */
const REACH_BACK_MS = 30_000
const MOST_CHANGES = 400

export interface DeltaNews {
	readonly text: string
	readonly to: readonly { readonly bank: Id<'bank'>; readonly controller: Id<'controller'> }[]
}

/** Tells every connected bank of a site at once what was taken away since the last look. Undefined: nothing was. */
export async function publishDelta(tx: Tx, site: Id<'site'>, terms: ComposeTerms): Promise<DeltaNews | undefined> {
	const { now, crypto, random } = terms
	const chain = await lockChain(tx, site)
	// Before the first bundle of the site there is nothing to take away from.
	if (!chain) return undefined
	const all = await takenAwaySince(tx, site, chain.lookedAt - REACH_BACK_MS, now)
	const revoked = all.filter((id) => chain.told[id] === undefined).slice(0, MOST_CHANGES)
	if (revoked.length === 0) return undefined
	const signer = await signerOf(tx, 'maker', terms)
	const { expireAfterHours } = await settingsOf(tx, { site })
	const issuedAt = Math.floor(now)
	const until = issuedAt + expireAfterHours * 3_600_000
	const changes = revoked.map((revoke) => ({ revoke }))
	const envelope = sealDelta(
		{ format: 'latchwork-delta/1', site, n: chain.n + 1, prev: chain.hash, changes, issuedAt, until },
		signer.keyId,
		signer.sign,
	)
	const hash = toHex(crypto.sha256(canonicalBytes(envelope.signed)))
	const told = { ...recent(chain, now), ...Object.fromEntries(revoked.map((id) => [id, issuedAt])) }
	const complete = all.length <= MOST_CHANGES
	await tx.run(sql`UPDATE site_chain SET n = ${chain.n + 1}, hash = ${hash}, looked_at = ${complete ? issuedAt : chain.lookedAt},
		told = ${JSON.stringify(told)}::jsonb WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`)
	await append(tx, [{ type: 'delta.published', subject: site, actor: 'server', site, data: { n: chain.n + 1, hash, revoked: revoked.length } }], {
		now,
		random,
	})
	return { text: JSON.stringify(envelope), to: await onlineAt(tx, site) }
}

/** Old enough that no later look reaches back to it. */
const recent = ({ told, lookedAt }: Chain, now: number) =>
	Object.fromEntries(Object.entries(told).filter(([, at]) => at > Math.min(lookedAt, now) - 2 * REACH_BACK_MS))

const lockChain = (tx: Tx, site: Id<'site'>): Promise<Chain | undefined> =>
	tx.first(sql`SELECT n, hash, looked_at AS "lookedAt", told FROM site_chain WHERE tenant_id = ${tx.tenant} AND site_id = ${site} FOR UPDATE`)

/**
 * Where the chain stands; begun with the first bundle of the site. Read before the rows of a bundle are: then the bundle holds all that the
 * deltas up to here took away.
 */
export async function chainOf(tx: Tx, site: Id<'site'>, now: number): Promise<DeltaMark & { readonly told: readonly string[] }> {
	await tx.run(sql`INSERT INTO site_chain (tenant_id, site_id, n, hash, looked_at, told)
		VALUES (${tx.tenant}, ${site}, 0, ${NO_DELTA.hash}, ${Math.floor(now)}, '{}') ON CONFLICT DO NOTHING`)
	const chain = await tx.first<Pick<Chain, 'n' | 'hash' | 'told'>>(
		sql`SELECT n, hash, told FROM site_chain WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`,
	)
	return { ...NO_DELTA, ...chain, told: Object.keys(chain?.told ?? {}) }
}
