import { cedarOf, type Place, type PolicyStatement, policyStatements, scopesOf } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { z } from 'zod'
import { bankIds, placeOf } from '../estate/index.ts'
import { fromTime, idOf, line, listQuery, named, pageOf, pageQuery, pageWithin, type Route, route, time, toTime } from '../http/index.ts'
import type { Db } from '../store/index.ts'
import type { AccessTerms } from './as-if.ts'
import { decision, toDecision } from './decision-routes.ts'
import { problemOf, type Warning, warningsOf } from './judge.ts'
import {
	asSeen,
	draftSet,
	findPolicy,
	listPolicies,
	type Policy,
	type PolicyVersion,
	policySetsOf,
	policyVersions,
	reachOf,
	readsElsewhere,
	seenPolicy,
	sightOf,
} from './policy-read.ts'
import { changeDraft, type DraftText, draftPolicy, publishPolicy, retirePolicy, reviewPolicy, rollBackPolicy } from './policy-write.ts'
import { banksWithin } from './read.ts'
import { decidedLately, replay } from './replay.ts'

const cedar = z.string().min(1).max(60_000)
const code = z.string().regex(/^(?!latchwork\.)[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'must be letters, digits, _ . - and not begin with latchwork.')
const statements = policyStatements.describe('the policy in plain words; its Cedar text is made from them')
const text = { draft: cedar.optional().describe('Cedar; decides nothing until it is published'), statements: statements.optional() }
const policy = named(
	'Policy',
	z.object({
		id: idOf('policy'),
		code: code.describe('as decisions name it'),
		name: z.string(),
		site: idOf('site').optional(),
		bank: idOf('bank').optional().describe('neither site nor bank: everywhere'),
		draft: cedar,
		statements: statements.optional().describe('the draft in plain words; absent: somebody wrote Cedar'),
		draftedBy: z.string(),
		draftedAt: time,
		reviews: z.array(z.object({ by: idOf('subject'), verdict: z.enum(['approved', 'rejected']), at: time })).describe('of this draft'),
		published: z.int().optional().describe('number of the text in force'),
		publishedAt: time.optional(),
		changed: z.boolean().describe('the draft says something else than what is in force'),
		retiredAt: time.optional(),
		version: z.int(),
		createdAt: time,
		updatedAt: time,
	}),
)
const version = named(
	'PolicyVersion',
	z.object({
		number: z.int(),
		cedar,
		statements: statements.optional(),
		publishedAt: time,
		publishedBy: z.string(),
		reviewedBy: z.string().optional(),
		returnedTo: z.int().optional().describe('the earlier version whose text came back with this one'),
	}),
)
const warning = named(
	'PolicyWarning',
	z.object({
		code: z.enum(['denies-everybody', 'opens-everything', 'never-applies', 'unknown-name']),
		text: z.string(),
		line: z.int().optional(),
		bank: idOf('bank').optional(),
		suggestion: z.string().optional(),
	}),
)
const params = z.strictObject({ policy: idOf('policy') })
const acceptWarnings = z.boolean().default(false).describe('although there are warnings')

const toPolicy = ({
	scope,
	place: _,
	live: __,
	revision: ___,
	statements,
	reviews,
	draftedAt,
	published,
	publishedAt,
	retiredAt,
	createdAt,
	updatedAt,
	...rest
}: Policy): z.input<typeof policy> => ({
	...rest,
	...scope,
	...(statements && { statements: [...statements] as PolicyStatement[] }),
	reviews: reviews.map(({ at, ...review }) => ({ ...review, at: toTime(at) })),
	draftedAt: toTime(draftedAt),
	...(published !== undefined && { published }),
	...(publishedAt !== undefined && { publishedAt: toTime(publishedAt) }),
	...(retiredAt !== undefined && { retiredAt: toTime(retiredAt) }),
	createdAt: toTime(createdAt),
	updatedAt: toTime(updatedAt),
})
const toVersion = ({ publishedAt, statements, reviewedBy, returnedTo, ...rest }: PolicyVersion): z.input<typeof version> => ({
	...rest,
	...(statements && { statements: [...statements] as PolicyStatement[] }),
	publishedAt: toTime(publishedAt),
	...(reviewedBy !== null && { reviewedBy }),
	...(returnedTo !== null && { returnedTo }),
})

/** One of both, and not neither. */
function textOf({
	draft,
	statements,
}: {
	readonly draft?: string | undefined
	readonly statements?: readonly PolicyStatement[] | undefined
}): DraftText {
	if ((draft === undefined) === (statements === undefined))
		throw new Fault('request-invalid', 'body: give draft, the Cedar text, or statements, the plain words, and not both.', {
			detail: { field: 'body' },
		})
	return draft === undefined ? { statements: statements ?? [] } : { draft }
}

/** So many banks a policy is tried at: it is the same people and things at most of them. */
const TRIED_AT = 6

/** Banks at which a policy of that scope holds. `within`: of these alone. */
async function banksOf(db: Db, { site, bank }: Policy['scope'], within?: readonly Id<'bank'>[]): Promise<Id<'bank'>[]> {
	const all = bank ? [bank] : await bankIds(db, site ? { site } : {})
	return within === undefined ? all : all.filter((one) => within.includes(one))
}

/** Where a policy belongs is where whoever changes it must be allowed to: at its site or bank, or, for one of the organisation, everywhere. */
const atPolicy = async ({ params }: { params: { policy: Id<'policy'> } }, db: Db): Promise<Place | undefined> =>
	(await findPolicy(db, params.policy))?.place
/** The same of one that is not there yet. */
const atGiven = async (
	db: Db,
	{ site, bank }: { readonly site?: Id<'site'> | undefined; readonly bank?: Id<'bank'> | undefined },
): Promise<Place | undefined> => (bank ? placeOf(db, bank) : site ? { site } : {})

export function policyRoutes({ random, engine, asIf }: AccessTerms): Route[] {
	/** What it would do, at these banks, if this text of the policy were in force, or, without one, nothing of it. */
	const warn = async (
		db: Db,
		{ code, scope }: Pick<Policy, 'code' | 'scope'>,
		cedar: string | undefined,
		{ now, within }: { readonly now: number; readonly within?: readonly Id<'bank'>[] | undefined },
	): Promise<Warning[]> =>
		warningsOf(
			engine,
			{ id: code, draft: cedar === undefined ? undefined : draftSet({ code, scope, draft: cedar }), others: (await policySetsOf(db)).sets },
			await asIf.banks(db, { banks: (await banksOf(db, scope, within)).slice(0, TRIED_AT), now }),
			await asIf.names(db),
			now,
		)
	const heeding = (accept: boolean, now: number) => ({
		accept,
		looked: (tx: Db, policy: Policy, cedar: string | undefined) => warn(tx, policy, cedar, { now }),
	})
	return [
		route({
			method: 'GET',
			path: '/v1/policies',
			tag: 'Access',
			summary:
				'Policies of the places where the caller reads policies. Of those around these places, what is in force: it decides there, too, and its draft is not shown.',
			permission: 'policy.read',
			scope: 'anywhere',
			query: listQuery,
			answers: { 200: pageOf('Policies', policy) },
			handle: ({ read, query, caller }) =>
				read(async (db) => {
					const since = query.updatedSince === undefined ? 0 : fromTime(query.updatedSince)
					const sight = await sightOf(db, caller)
					const changed = (await listPolicies(db)).flatMap((one) => (one.updatedAt >= since ? (asSeen(one, sight) ?? []) : []))
					return pageWithin(changed, query, toPolicy, ({ code }) => code)
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/policies',
			tag: 'Access',
			summary: 'Draft a policy for the organisation, a site or a bank, in plain words or in Cedar.',
			permission: 'policy.draft',
			scope: ({ body }, db) => atGiven(db, body),
			body: z.strictObject({ code, name: line(100).optional(), site: idOf('site').optional(), bank: idOf('bank').optional(), ...text }),
			answers: { 201: policy },
			handle: ({ body, write, caller, now }) =>
				write(async (tx) => toPolicy(await draftPolicy(tx, { actor: caller.subject, now, random }, body, textOf(body)))),
		}),
		route({
			method: 'GET',
			path: '/v1/policies/{policy}',
			tag: 'Access',
			summary: 'One policy.',
			permission: 'policy.read',
			scope: 'anywhere',
			params,
			answers: { 200: policy },
			handle: ({ params, read, caller }) => read(async (db) => toPolicy(await seenPolicy(db, caller, params.policy))),
		}),
		route({
			method: 'PATCH',
			path: '/v1/policies/{policy}',
			tag: 'Access',
			summary: 'Change the draft or the name. Reviews are of a draft: another text needs another one.',
			permission: 'policy.draft',
			scope: atPolicy,
			params,
			body: z.strictObject({ name: line(100).optional(), ...text }),
			answers: { 200: policy },
			handle: ({ params, body, write, ifMatch, caller, now }) =>
				write(async (tx) => {
					const more = body.draft === undefined && body.statements === undefined && body.name !== undefined ? undefined : textOf(body)
					return toPolicy(await changeDraft(tx, { actor: caller.subject, now, random }, params.policy, ifMatch, { name: body.name, text: more }))
				}),
		}),
		route({
			method: 'DELETE',
			path: '/v1/policies/{policy}',
			tag: 'Access',
			summary: 'Take a policy out of force; its versions stay.',
			permission: 'policy.publish',
			scope: atPolicy,
			params,
			query: z.strictObject({ acceptWarnings: z.stringbool().default(false).describe('although there are warnings') }),
			answers: { 204: undefined },
			handle: ({ params, query, write, ifMatch, caller, now }) =>
				write((tx) => retirePolicy(tx, { actor: caller.subject, now, random }, params.policy, ifMatch, heeding(query.acceptWarnings, now))),
		}),
		route({
			method: 'GET',
			path: '/v1/policies/{policy}/versions',
			tag: 'Access',
			summary: 'Every text that was ever in force, newest first.',
			permission: 'policy.read',
			scope: 'anywhere',
			params,
			query: pageQuery,
			answers: { 200: pageOf('PolicyVersions', version) },
			handle: ({ params, read, query, caller }) =>
				read(async (db) => {
					await seenPolicy(db, caller, params.policy)
					return pageWithin(await policyVersions(db, params.policy), query, toVersion, ({ number }) => (1e9 - number).toString())
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/policies/{policy}/versions',
			tag: 'Access',
			summary: 'Publish the draft: it is checked, and in force at every bank that hears of it.',
			permission: 'policy.publish',
			scope: atPolicy,
			params,
			body: z.strictObject({
				version: z.int().describe('of the policy, as it was read'),
				acceptWarnings,
			}),
			answers: { 201: policy },
			handle: ({ params, body, write, caller, now }) =>
				write(async (tx) =>
					toPolicy(
						await publishPolicy(tx, { actor: caller.subject, now, random }, params.policy, body.version, {
							engine,
							...heeding(body.acceptWarnings, now),
						}),
					),
				),
		}),
		route({
			method: 'POST',
			path: '/v1/policies/{policy}/reviews',
			tag: 'Access',
			summary: 'Say as a second person what you think of the draft. The setting policyReview asks for it before anything is published.',
			permission: 'policy.review',
			scope: atPolicy,
			params,
			body: z.strictObject({ version: z.int().describe('of the policy, as it was read'), verdict: z.enum(['approved', 'rejected']) }),
			answers: { 201: policy },
			handle: ({ params, body, write, caller, now }) =>
				write(async (tx) => toPolicy(await reviewPolicy(tx, { actor: caller.subject, now, random }, params.policy, body.version, body.verdict))),
		}),
		route({
			method: 'POST',
			path: '/v1/policies/{policy}/rollbacks',
			tag: 'Access',
			summary: 'Bring an earlier text back at once; it becomes a version of its own.',
			permission: 'policy.publish',
			scope: atPolicy,
			params,
			body: z.strictObject({ version: z.int().describe('of the policy, as it was read'), to: z.int().min(1), acceptWarnings }),
			answers: { 201: policy },
			handle: ({ params, body, write, caller, now }) =>
				write(async (tx) =>
					toPolicy(
						await rollBackPolicy(tx, { actor: caller.subject, now, random }, params.policy, body.version, {
							engine,
							to: body.to,
							...heeding(body.acceptWarnings, now),
						}),
					),
				),
		}),
		route({
			method: 'POST',
			path: '/v1/policy-checks',
			tag: 'Access',
			summary: 'What is wrong with a text, and what it would do at the caller’s banks that its author may not have meant. Nothing is kept.',
			permission: 'policy.read',
			scope: 'anywhere',
			body: z.strictObject({
				policy: idOf('policy').optional().describe('whose text it would replace'),
				without: z.literal(true).optional().describe('in the place of a text: what it would do if this policy were taken out of force'),
				site: idOf('site').optional(),
				bank: idOf('bank').optional(),
				...text,
			}),
			answers: {
				200: named(
					'PolicyCheck',
					z.object({
						cedar: z.string(),
						problem: z.object({ line: z.int(), column: z.int(), text: z.string() }).optional().describe('why it cannot be published'),
						warnings: z.array(warning),
					}),
				),
			},
			handle: ({ body, read, caller, now }) =>
				read(async (db) => {
					const within = await banksWithin(db, scopesOf(caller, 'policy.read'))
					const known = body.policy && (await seenPolicy(db, caller, body.policy))
					if (body.without) {
						if (!known || body.draft !== undefined || body.statements !== undefined)
							throw new Fault('request-invalid', 'body: name the policy that would go, and give no text.', { detail: { field: 'body.without' } })
						const isLive = known.published !== undefined && known.retiredAt === undefined
						return { cedar: '', warnings: isLive ? await warn(db, known, undefined, { now, within }) : [] }
					}
					const given = textOf(body)
					const draft = 'draft' in given ? given.draft : cedarOf(given.statements)
					const scope = known?.scope ?? { ...(body.site && { site: body.site }), ...(body.bank && { bank: body.bank }) }
					const place = known?.place ?? (await atGiven(db, scope))
					if (!place) throw new Fault('not-found', 'There is no such bank.')
					if (!reachOf(await sightOf(db, caller), place)) throw readsElsewhere()
					const code = known?.code ?? 'draft'
					const problem = problemOf(engine, { id: code, cedar: draft })
					return { cedar: draft, ...(problem && { problem }), warnings: problem ? [] : await warn(db, { code, scope }, draft, { now, within }) }
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/policies/{policy}/replays',
			tag: 'Access',
			summary: 'Decides again what banks decided in the last days, with the draft in the place of what is in force, and tells what would change.',
			permission: 'policy.read',
			scope: atPolicy,
			params,
			body: z.strictObject({ days: z.int().min(1).max(30).default(30) }),
			answers: {
				200: named(
					'PolicyReplay',
					z.object({
						decisions: z.int().describe('that could be decided again'),
						same: z.int(),
						nowDenied: z.object({ times: z.int(), people: z.int() }),
						nowAllowed: z.object({ times: z.int(), people: z.int() }),
						banks: z.int().describe('whose decisions were looked at'),
						banksLeftOut: z.int().describe('that decided in these days, and of which nothing was looked at'),
						decisionsLeftOut: z
							.int()
							.describe('that were not looked at, as there were too many: older ones of busy banks, and those of the banks left out'),
						gone: z.int().describe('about people who are known at that bank no more, or of banks that are no more'),
						untold: z.int().describe('that do not say all that the policies ask, as those of older controllers'),
						changes: z
							.array(z.object({ decision, before: z.string().describe('allow, or the reason'), after: z.string().describe('allow, or the reason') }))
							.describe('the newest, as far as the caller may read decisions'),
					}),
				),
			},
			handle: ({ params, body, read, caller, now }) =>
				read(async (db) => {
					const known = await seenPolicy(db, caller, params.policy)
					const set = draftSet(known)
					const problem = problemOf(engine, set)
					if (problem)
						throw new Fault('request-invalid', `The draft cannot be tried: line ${problem.line}, column ${problem.column}: ${problem.text}`, {
							detail: { field: 'draft' },
						})
					const since = now - body.days * 86_400_000
					const { banks, decided, banksLeftOut, decisionsLeftOut, gone } = await decidedLately(db, {
						since,
						at: known.scope,
						banks: await banksOf(db, known.scope),
					})
					const before = (await policySetsOf(db)).sets
					const after = [...before.filter(({ id }) => id !== set.id), set]
					const { changes, ...rest } = await replay(engine, await asIf.banks(db, { banks, now }), decided, { before, after })
					const told = await banksWithin(db, scopesOf(caller, 'decision.read'))
					const counted = (some: typeof changes) => ({ times: some.length, people: new Set(some.map(({ decided }) => decided.user)).size })
					return {
						...rest,
						gone: rest.gone + gone,
						banks: banks.length,
						banksLeftOut,
						decisionsLeftOut,
						nowDenied: counted(changes.filter(({ before }) => before === 'allow')),
						nowAllowed: counted(changes.filter(({ after }) => after === 'allow')),
						changes: changes
							.filter(({ decided }) => told === undefined || told.includes(decided.bank))
							.slice(0, 100)
							.map(({ decided, before, after }) => ({ decision: toDecision(decided), before, after })),
					}
				}),
		}),
	]
}
