import { cedarOf, type PolicyEngine, type PolicyStatement } from '@latchwork/core/access'
import { Fault, type Id, newId } from '@latchwork/core/base'
import { bankOf, type Change, markBundles, siteOf, unchangedSince } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { settingsOf } from '../tenants/index.ts'
import { isGrave, problemOf, type Warning } from './judge.ts'
import { findPolicy, type Policy, policyVersions, type Review } from './policy-read.ts'

/** Cedar text, or the plain words that it is made from. */
export type DraftText = { readonly draft: string } | { readonly statements: readonly PolicyStatement[] }

export interface PolicyFields {
	readonly code: string
	readonly name?: string | undefined
	/** Both left out: everywhere. */
	readonly site?: Id<'site'> | undefined
	readonly bank?: Id<'bank'> | undefined
}

const textOf = (text: DraftText) =>
	'draft' in text ? { cedar: text.draft, words: null } : { cedar: cedarOf(text.statements), words: JSON.stringify(text.statements) }

/** A draft decides nothing until it is published. */
export async function draftPolicy(tx: Tx, change: Change, { code, name, site, bank }: PolicyFields, text: DraftText): Promise<Policy> {
	if (site && bank) throw new Fault('request-invalid', 'body: name a site or a bank, and not both.', { detail: { field: 'body' } })
	if (site) await siteOf(tx, site)
	if (bank) await bankOf(tx, bank)
	const id = newId('policy', change.now, change.random)
	const { cedar, words } = textOf(text)
	const made =
		await tx.run(sql`INSERT INTO policy (tenant_id, policy_id, code, name, site_id, bank_id, draft, statements, drafted_by, drafted_at, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${id}, ${code}, ${name ?? code}, ${site ?? null}, ${bank ?? null}, ${cedar}, ${words}::jsonb, ${change.actor}, ${change.now}, 1, ${change.now}, ${change.now})
		ON CONFLICT (tenant_id, code) DO NOTHING`)
	if (made === 0) throw new Fault('already-exists', `There is a policy with the code ${code} already.`, { detail: { field: 'body.code' } })
	return (await findPolicy(tx, id)) as Policy
}

/** Another text is another draft: what was said of the one before does not count for it. */
export async function changeDraft(
	tx: Tx,
	change: Change,
	id: Id<'policy'>,
	ifMatch: number,
	{ name, text }: { readonly name?: string | undefined; readonly text?: DraftText | undefined },
): Promise<Policy> {
	const before = await lockPolicy(tx, id, ifMatch)
	const { cedar, words } = text ? textOf(text) : { cedar: before.draft, words: before.statements ? JSON.stringify(before.statements) : null }
	const [by, at, more] = cedar === before.draft ? [before.draftedBy, before.draftedAt, 0] : [change.actor, change.now, 1]
	await tx.run(sql`UPDATE policy SET name = ${name ?? before.name}, draft = ${cedar}, statements = ${words}::jsonb, drafted_by = ${by}, drafted_at = ${at},
		revision = revision + ${more}, version = version + 1, updated_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND policy_id = ${id}`)
	return (await findPolicy(tx, id)) as Policy
}

/** What a second person says of the draft. Nobody reviews what they wrote themselves. */
export async function reviewPolicy(tx: Tx, change: Change, id: Id<'policy'>, ifMatch: number, verdict: Review['verdict']): Promise<Policy> {
	const before = await lockPolicy(tx, id, ifMatch)
	if (before.draftedBy === change.actor) throw new Fault('request-refused', 'You wrote this draft: somebody else has to look at it.')
	const { now, random, actor } = change
	await tx.run(sql`INSERT INTO policy_review (tenant_id, policy_id, revision, subject_id, verdict, reviewed_at)
		VALUES (${tx.tenant}, ${id}, ${before.revision}, ${actor}, ${verdict}, ${now})
		ON CONFLICT (tenant_id, policy_id, revision, subject_id) DO UPDATE SET verdict = ${verdict}, reviewed_at = ${now}`)
	await tx.run(sql`UPDATE policy SET version = version + 1, updated_at = ${now} WHERE tenant_id = ${tx.tenant} AND policy_id = ${id}`)
	await append(tx, [{ type: 'policy.reviewed', subject: id, actor, ...before.scope, data: { revision: before.revision, verdict } }], { now, random })
	return (await findPolicy(tx, id)) as Policy
}

/** `looked`: what another text in force, or none, would do (`warningsOf`); `accept`: whoever wants it has read that and wants it so. */
export interface Heeding {
	readonly looked: (tx: Tx, policy: Policy, cedar: string | undefined) => Promise<readonly Warning[]>
	readonly accept: boolean
}

/** The draft becomes the text in force at every bank of its scope. Throws `request-invalid`, `approval-needed` or `policy-warned` with what stands against it. */
export async function publishPolicy(
	tx: Tx,
	change: Change,
	id: Id<'policy'>,
	ifMatch: number,
	{ engine, ...heeding }: Heeding & { readonly engine: PolicyEngine },
): Promise<Policy> {
	const before = await lockPolicy(tx, id, ifMatch)
	readable(engine, before, before.draft)
	const reviewer = await approval(tx, before)
	await heed(tx, before, before.draft, heeding)
	return inForce(tx, change, before, { cedar: before.draft, statements: before.statements ?? null, reviewedBy: reviewer ?? null, returnedTo: null })
}

/**
 * An earlier text comes back at once, whatever the draft says and without another review: it was in force before. What it would do among the people,
 * things and policies of today is looked at all the same. Throws `request-invalid`, `request-refused` or `policy-warned`.
 */
export async function rollBackPolicy(
	tx: Tx,
	change: Change,
	id: Id<'policy'>,
	ifMatch: number,
	{ engine, to, ...heeding }: Heeding & { readonly engine: PolicyEngine; readonly to: number },
): Promise<Policy> {
	const before = await lockPolicy(tx, id, ifMatch)
	const earlier = (await policyVersions(tx, id)).find(({ number }) => number === to)
	if (!earlier) throw new Fault('request-invalid', `body.to: this policy has no version ${to}.`, { detail: { field: 'body.to' } })
	if (before.published === to && before.retiredAt === undefined) throw new Fault('request-refused', `Version ${to} is the one in force.`)
	const { cedar, statements } = earlier
	readable(engine, before, cedar)
	await heed(tx, before, cedar, heeding)
	return inForce(tx, change, before, { cedar, statements, reviewedBy: null, returnedTo: to })
}

/** Takes it out of force; its versions stay, because decisions name them. Throws `approval-needed` or `policy-warned`. */
export async function retirePolicy(tx: Tx, change: Change, id: Id<'policy'>, ifMatch: number, heeding: Heeding): Promise<void> {
	const before = await lockPolicy(tx, id, ifMatch)
	const isLive = before.published !== undefined && before.retiredAt === undefined
	// One person who takes a policy away changes as much as one who publishes another text.
	if (isLive && (await isReviewed(tx, before.scope)))
		throw new Fault(
			'approval-needed',
			'Here a second person looks at each change of policies. Draft a text that allows nothing, and have it approved and published instead.',
		)
	if (isLive) await heed(tx, before, undefined, heeding)
	await tx.run(
		sql`UPDATE policy SET retired_at = ${change.now}, version = version + 1, updated_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND policy_id = ${id}`,
	)
	if (before.published !== undefined) await tell(tx, change, before, 'policy.published', { number: 0 })
}

/** A text that banks refuse would leave each of them without a bundle; so would an earlier one that the schema of today does not know. */
function readable(engine: PolicyEngine, { code }: Policy, cedar: string): void {
	const wrong = problemOf(engine, { id: code, cedar })
	if (wrong)
		throw new Fault('request-invalid', `The policy cannot be published: line ${wrong.line}, column ${wrong.column}: ${wrong.text}`, {
			detail: { field: 'draft', line: wrong.line, column: wrong.column },
		})
}

async function heed(tx: Tx, policy: Policy, cedar: string | undefined, { looked, accept }: Heeding): Promise<void> {
	const warnings = accept ? [] : (await looked(tx, policy, cedar)).filter(isGrave)
	if (warnings.length > 0)
		throw new Fault('policy-warned', `${warnings.map(({ text }) => text).join(' ')} With acceptWarnings it is done all the same.`, {
			detail: { warnings },
		})
}

interface Text {
	readonly cedar: string
	readonly statements: readonly PolicyStatement[] | null
	readonly reviewedBy: string | null
	readonly returnedTo: number | null
}

async function inForce(tx: Tx, change: Change, before: Policy, { cedar, statements, reviewedBy, returnedTo }: Text): Promise<Policy> {
	const { now, actor } = change
	const { id } = before
	const number = (before.published ?? 0) + 1
	const words = statements && JSON.stringify(statements)
	await tx.run(sql`INSERT INTO policy_version (tenant_id, policy_id, number, cedar, statements, published_at, published_by, reviewed_by, returned_to)
		VALUES (${tx.tenant}, ${id}, ${number}, ${cedar}, ${words}::jsonb, ${now}, ${actor}, ${reviewedBy}, ${returnedTo})`)
	await tx.run(sql`UPDATE policy SET published = ${number}, retired_at = NULL, version = version + 1, updated_at = ${now}
		WHERE tenant_id = ${tx.tenant} AND policy_id = ${id}`)
	await (returnedTo === null
		? tell(tx, change, before, 'policy.published', { number, ...(reviewedBy !== null && { reviewedBy }) })
		: tell(tx, change, before, 'policy.rolled-back', { number, returnedTo }))
	return (await findPolicy(tx, id)) as Policy
}

/** `number` 0: none any more. */
async function tell(
	tx: Tx,
	{ actor, now, random }: Change,
	{ id, scope }: Policy,
	type: 'policy.published' | 'policy.rolled-back',
	data: Readonly<Record<string, string | number>>,
): Promise<void> {
	await tx.run(
		sql`INSERT INTO policy_epoch (tenant_id, epoch) VALUES (${tx.tenant}, 1) ON CONFLICT (tenant_id) DO UPDATE SET epoch = policy_epoch.epoch + 1`,
	)
	await append(tx, [{ type, subject: id, actor, ...scope, data }], { now, random })
	await markBundles(tx, now, scope)
}

/** Who approved the draft. Throws `approval-needed` where somebody had to and did not, or where somebody rejected it. */
async function approval(tx: Tx, { scope, reviews, draftedBy }: Policy): Promise<string | undefined> {
	const approved = reviews.find(({ verdict, by }) => verdict === 'approved' && by !== draftedBy)
	if (reviews.some(({ verdict }) => verdict === 'rejected'))
		throw new Fault('approval-needed', 'Somebody rejected this draft. Change it, or ask them to look at it again.')
	if (!approved && (await isReviewed(tx, scope)))
		throw new Fault('approval-needed', 'Somebody else than its author has to approve this draft before it is published.')
	return approved?.by
}

const isReviewed = async (tx: Tx, scope: Policy['scope']): Promise<boolean> =>
	(await settingsOf(tx, scope.bank ? { bank: scope.bank } : scope.site ? { site: scope.site } : {})).policyReview

async function lockPolicy(tx: Tx, id: Id<'policy'>, ifMatch: number): Promise<Policy> {
	const before = await findPolicy(tx, id, true)
	if (!before) throw new Fault('not-found', 'There is no such policy.')
	unchangedSince(ifMatch, before)
	return before
}
