import { Fault, type Id, newId } from '@latchwork/core/base'
import { bankOf, type Change, markBundles, siteOf, unchangedSince } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { findPolicy, type Policy } from './read.ts'

export interface PolicyFields {
	readonly code: string
	/** Both left out: everywhere. */
	readonly site?: Id<'site'> | undefined
	readonly bank?: Id<'bank'> | undefined
	readonly draft: string
}

/** What is wrong with the text; undefined: nothing. The policy engine comes as an argument. */
export type CheckPolicy = (cedar: string) => string | undefined

/** A draft decides nothing until it is published. */
export async function draftPolicy(tx: Tx, change: Change, { code, site, bank, draft }: PolicyFields): Promise<Policy> {
	if (site && bank) throw new Fault('request-invalid', 'body: name a site or a bank, and not both.', { detail: { field: 'body' } })
	if (site) await siteOf(tx, site)
	if (bank) await bankOf(tx, bank)
	const id = newId('policy', change.now, change.random)
	const made = await tx.run(sql`INSERT INTO policy (tenant_id, policy_id, code, site_id, bank_id, draft, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${id}, ${code}, ${site ?? null}, ${bank ?? null}, ${draft}, 1, ${change.now}, ${change.now}) ON CONFLICT (tenant_id, code) DO NOTHING`)
	if (made === 0) throw new Fault('already-exists', `There is a policy with the code ${code} already.`, { detail: { field: 'body.code' } })
	return (await findPolicy(tx, id)) as Policy
}

export async function changeDraft(tx: Tx, change: Change, id: Id<'policy'>, ifMatch: number, draft: string): Promise<Policy> {
	await lockPolicy(tx, id, ifMatch)
	await tx.run(
		sql`UPDATE policy SET draft = ${draft}, version = version + 1, updated_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND policy_id = ${id}`,
	)
	return (await findPolicy(tx, id)) as Policy
}

/** The draft becomes the text in force at every bank of its scope. Throws `request-invalid` with what the engine says. */
export async function publishPolicy(tx: Tx, change: Change, id: Id<'policy'>, ifMatch: number, check: CheckPolicy): Promise<Policy> {
	const before = await lockPolicy(tx, id, ifMatch)
	const wrong = check(before.draft)
	if (wrong !== undefined) throw new Fault('request-invalid', `The policy cannot be published: ${wrong}`, { detail: { field: 'draft' } })
	const number = (before.published ?? 0) + 1
	await tx.run(sql`INSERT INTO policy_version (tenant_id, policy_id, number, cedar, published_at, published_by)
		VALUES (${tx.tenant}, ${id}, ${number}, ${before.draft}, ${change.now}, ${change.actor})`)
	await tx.run(sql`UPDATE policy SET published = ${number}, retired_at = NULL, version = version + 1, updated_at = ${change.now}
		WHERE tenant_id = ${tx.tenant} AND policy_id = ${id}`)
	await inForce(tx, change, before, number)
	return (await findPolicy(tx, id)) as Policy
}

/** Takes it out of force; its versions stay, because decisions name them. */
export async function retirePolicy(tx: Tx, change: Change, id: Id<'policy'>, ifMatch: number): Promise<void> {
	const before = await lockPolicy(tx, id, ifMatch)
	await tx.run(
		sql`UPDATE policy SET retired_at = ${change.now}, version = version + 1, updated_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND policy_id = ${id}`,
	)
	if (before.published !== undefined) await inForce(tx, change, before, 0)
}

/** `number` 0: none any more. */
async function inForce(tx: Tx, { actor, now, random }: Change, { id, scope }: Policy, number: number): Promise<void> {
	await tx.run(
		sql`INSERT INTO policy_epoch (tenant_id, epoch) VALUES (${tx.tenant}, 1) ON CONFLICT (tenant_id) DO UPDATE SET epoch = policy_epoch.epoch + 1`,
	)
	await append(tx, [{ type: 'policy.published', subject: id, actor, ...scope, data: { number } }], { now, random })
	await markBundles(tx, now, scope)
}

async function lockPolicy(tx: Tx, id: Id<'policy'>, ifMatch: number): Promise<Policy> {
	const before = await findPolicy(tx, id, true)
	if (!before) throw new Fault('not-found', 'There is no such policy.')
	unchangedSince(ifMatch, before)
	return before
}
