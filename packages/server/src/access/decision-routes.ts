import { scopesOf } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { z } from 'zod'
import { bankIds, placeOf, placeOfCompartment } from '../estate/index.ts'
import { fromCursor, fromTime, idOf, named, page, pageOf, pageQuery, type Route, route, time, toTime } from '../http/index.ts'
import { decisionEvents } from '../ledger/index.ts'
import { isPerson } from '../people/index.ts'
import type { Db } from '../store/index.ts'
import type { AccessTerms, AsIfBank } from './as-if.ts'
import { asSeen, draftSet, findPolicy, policySetsOf, readsElsewhere, sightOf } from './policy-read.ts'
import { type Opener, openersOfDoor, type Reach, reachAt, waitsFor } from './reach.ts'
import { banksWithin } from './read.ts'
import { type Decided, decidedFrom } from './replay.ts'
import { type Instead, type Outcome, outcomeOf, type Question, standingAt, using } from './what-if.ts'

const method = z.enum(['badge', 'pin', 'code', 'badge-and-pin', 'remote'])
const action = z.enum(['collect', 'deposit', 'service', 'open-remote'])
/** trust.md §3.3 */
const storageLevel = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)])
const reason = z.string().describe('one of the reasons in docs/guides/errors.md')

/** A decision as its bank recorded it. */
export const decision = named(
	'Decision',
	z.object({
		id: z.string(),
		position: z.int().describe('of its event in the log'),
		at: time,
		bank: idOf('bank'),
		user: idOf('subject').optional().describe('absent: nobody was recognised'),
		effect: z.enum(['allow', 'deny']),
		reason: reason.optional(),
		rules: z.array(z.string()).describe('that decided: policy and rule, or builtin/…'),
		method: z.string(),
		assurance: z.enum(['low', 'medium', 'high']).optional(),
		offline: z.boolean(),
		storageLevel: storageLevel.optional().describe('of the controller that decided; absent: one of before, which did not say'),
		stale: z.boolean(),
		action: action.optional(),
		asset: idOf('asset').optional(),
		compartment: idOf('compartment').optional(),
		case: idOf('case').optional(),
		command: idOf('command').optional(),
		policyVersion: z.int().optional(),
		bundleVersion: z.int().optional(),
		inputsDigest: z.string().optional().describe('hex SHA-256 of all that it was decided on'),
	}),
)
export const toDecision = ({ question: _, at, rules, ...rest }: Decided): z.input<typeof decision> => ({ ...rest, rules: [...rules], at: toTime(at) })

export const outcome = named(
	'Outcome',
	z.object({
		effect: z.enum(['allow', 'deny']),
		reason: reason.optional(),
		until: time.optional().describe('when this reason is gone, as far as it is known'),
		rules: z.array(
			z.object({
				rule: z.string(),
				policy: z.string().optional().describe('its code'),
				line: z.int().optional(),
				statement: z.int().optional().describe('the sentence of a policy in plain words, counted from 1'),
			}),
		),
		instead: z
			.array(z.object({ change: z.enum(['second-factor', 'online', 'loans', 'overdue', 'time']), at: time.optional() }))
			.describe('what would have to be otherwise, alone, for it to be allowed'),
	}),
)
export const toOutcome = ({ until, rules, instead, ...rest }: Outcome): z.input<typeof outcome> => ({
	...rest,
	...(until !== undefined && { until: toTime(until) }),
	rules: [...rules],
	instead: instead.map((one: Instead) => (one.change === 'time' ? { change: one.change, at: toTime(one.at) } : one)),
})

const reach = named(
	'Reach',
	z.object({
		bank: idOf('bank'),
		action,
		type: z.string().optional().describe('code of an asset type; absent: compartments of the bank'),
		own: z.literal(true).optional().describe('what waits there for this person'),
		doors: z.array(z.int()).optional().describe('numbers of the doors that this is about; absent: all of them alike'),
		tags: z.array(z.string()).optional().describe('of the things that this is about; absent: all of that type alike'),
		effect: z.enum(['allow', 'deny']),
		reason: reason.optional(),
		method: method.optional().describe('the least that it takes, of what this person can show'),
		missing: method
			.optional()
			.describe('what it would be allowed with and this person does not have; remote: the permission door.open.remote at that bank'),
		outcome,
	}),
)
const toReach = ({ outcome, doors, tags, ...rest }: Reach): z.input<typeof reach> => ({
	...rest,
	...(doors && { doors: [...doors] }),
	...(tags && { tags: [...tags] }),
	outcome: toOutcome(outcome),
})

const opener = named(
	'Opener',
	z.discriminatedUnion('kind', [
		z.object({
			kind: z.literal('person'),
			user: idOf('subject'),
			action,
			method: method.describe('the least that is asked of them, of what they can show'),
			rules: z.array(z.string()),
		}),
		z.object({
			kind: z.literal('code').describe('whoever has this pick-up code: nobody asks who that is'),
			code: idOf('credential'),
			case: idOf('case'),
			for: z.enum(['recipient', 'delegate']),
			hint: z.string().optional().describe('masked: who is meant to have it'),
			until: time,
			rules: z.array(z.string()),
		}),
	]),
)
const toOpener = ({ rules, ...one }: Opener): z.input<typeof opener> =>
	one.kind === 'person' ? { ...one, rules: [...rules] } : { ...one, until: toTime(one.until), rules: [...rules] }
/** Codes before people; by this they are put in order, and found again on the next page. */
const keyOf = (one: Opener): [string, string] => (one.kind === 'code' ? [one.code, ''] : [one.user, one.action])

const MOST_BANKS = 40

/** Decisions that were made, and those that would be. */
export function decisionRoutes({ engine, asIf }: AccessTerms): Route[] {
	const bankAsIf = async (db: Db, bank: Id<'bank'>, now: number, only?: readonly Id<'subject'>[]): Promise<AsIfBank> => {
		const [at] = (await placeOf(db, bank)) ? await asIf.banks(db, { banks: [bank], now, ...(only && { only }) }) : []
		if (!at) throw new Fault('request-invalid', 'body.bank: there is no such bank.', { detail: { field: 'body.bank' } })
		return at
	}
	return [
		route({
			method: 'GET',
			path: '/v1/decisions',
			tag: 'Access',
			summary: 'What banks allowed and refused, the newest first.',
			permission: 'decision.read',
			scope: 'anywhere',
			query: pageQuery.extend({
				bank: idOf('bank').optional(),
				user: idOf('subject').optional(),
				effect: z.enum(['allow', 'deny']).optional(),
			}),
			answers: { 200: pageOf('Decisions', decision) },
			handle: ({ query: { limit, cursor, bank, user, effect }, read, caller }) =>
				read(async (db) => {
					const before = fromCursor(cursor, z.tuple([z.int()]))?.[0]
					const scopes = scopesOf(caller, 'decision.read')
					const events = await decisionEvents(db, { bank, user, effect, before, limit: limit + 1, within: await banksWithin(db, scopes) })
					return page(
						events.flatMap((event) => decidedFrom(event) ?? []),
						limit,
						toDecision,
						({ position }) => [position],
					)
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/what-if',
			tag: 'Access',
			summary: 'What a bank would decide: the same code and the same bundle as there. Nothing is opened and nothing is recorded.',
			permission: 'policy.read',
			scope: async ({ body: { bank } }, db) => placeOf(db, bank),
			body: z.strictObject({
				user: idOf('subject'),
				bank: idOf('bank'),
				action: action.default('collect'),
				type: z.string().max(80).optional().describe('code of an asset type: one of its things at the bank'),
				asset: idOf('asset').optional(),
				compartment: idOf('compartment').optional(),
				workflow: z.enum(['loan', 'delivery', 'none']).optional(),
				method: method.default('badge'),
				offline: z.boolean().default(false),
				offlineMinutes: z.int().min(0).max(1_000_000).default(0).describe('with `offline`: for so long already'),
				at: time.optional().describe('absent: now'),
				policy: idOf('policy').optional().describe('decide also by its draft, in the place of what is in force, as far as the caller may see it'),
			}),
			answers: {
				200: named(
					'WhatIf',
					z.object({
						inForce: outcome,
						draft: outcome.optional(),
						storageLevel: storageLevel
							.optional()
							.describe('of the bank’s controller, by its last word, for which it was decided; absent: none has said it, and 0 was taken'),
					}),
				),
			},
			handle: ({ body, read, caller, now }) =>
				read(async (db) => {
					if (!(await isPerson(db, body.user)))
						throw new Fault('request-invalid', 'body.user: there is no such person.', { detail: { field: 'body.user' } })
					const at = await bankAsIf(db, body.bank, now, [body.user])
					const { sets } = await policySetsOf(db)
					const bundle = at.bundle(sets)
					const resource = resourceOf(body, bundle)
					const question: Question = {
						...standingAt(at, body.user, body.at === undefined ? now : fromTime(body.at)),
						action: body.action,
						resource,
						workflow:
							body.workflow ??
							(resource.kind === 'asset' ? 'loan' : body.action === 'service' || body.action === 'open-remote' ? 'none' : 'delivery'),
						method: body.method,
						offline: body.offline,
						offlineFor: body.offlineMinutes * 60_000,
						own: resource.kind === 'compartment' && waitsFor(at.behind.get(resource.id), body.user),
					}
					const inForce = await using(engine, bundle, (compiled) => outcomeOf(compiled, question))
					const answer = { inForce: toOutcome(inForce), ...(at.storageLevel !== undefined && { storageLevel: at.storageLevel }) }
					if (!body.policy) return answer
					const known = await findPolicy(db, body.policy)
					if (!known) throw new Fault('request-invalid', 'body.policy: there is no such policy.', { detail: { field: 'body.policy' } })
					const seen = asSeen(known, await sightOf(db, caller))
					if (!seen) throw readsElsewhere()
					const set = draftSet(seen)
					const drafted = at.bundle([...sets.filter(({ id }) => id !== set.id), set])
					return { ...answer, draft: toOutcome(await using(engine, drafted, (compiled) => outcomeOf(compiled, question))) }
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/compartments/{compartment}/openers',
			tag: 'Access',
			summary: 'Who can open this compartment now, as things are: whom its bank would let with what they can show, and which pick-up codes open it.',
			permission: 'policy.read',
			scope: async ({ params: { compartment } }, db) => placeOfCompartment(db, compartment),
			params: z.strictObject({ compartment: idOf('compartment') }),
			query: pageQuery.extend({ at: time.optional().describe('absent: now; who has which badge or code is looked at then, too') }),
			answers: { 200: pageOf('Openers', opener) },
			handle: ({ params: { compartment }, query: { limit, cursor, at: when }, read, now }) =>
				read(async (db) => {
					const place = await placeOfCompartment(db, compartment)
					if (!place?.bank) throw new Fault('not-found', 'There is no such compartment.')
					const after = fromCursor(cursor, z.tuple([z.string().max(80), z.string().max(20)]))
					const at = await bankAsIf(db, place.bank, now)
					const all = await openersOfDoor(engine, at, (await policySetsOf(db)).sets, compartment, when === undefined ? now : fromTime(when))
					const key = (one: Opener) => keyOf(one).join(' ')
					const left = all.sort((a, b) => (key(a) < key(b) ? -1 : 1)).filter((one) => after === undefined || key(one) > after.join(' '))
					return page(left.slice(0, limit + 1), limit, toOpener, keyOf)
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/users/{user}/reach',
			tag: 'Access',
			summary: 'What this person can open now, at every bank that the caller may see, and why the rest is refused.',
			permission: 'policy.read',
			scope: 'anywhere',
			params: z.strictObject({ user: idOf('subject') }),
			query: pageQuery.extend({ at: time.optional().describe('absent: now'), bank: idOf('bank').optional() }),
			answers: { 200: pageOf('Reaches', reach) },
			handle: ({ params: { user }, query: { limit, cursor, at: when, bank }, read, caller, now }) =>
				read(async (db) => {
					if (!(await isPerson(db, user))) throw new Fault('not-found', 'There is no such person.')
					const seen = (await banksWithin(db, scopesOf(caller, 'policy.read'))) ?? (await bankIds(db, {}))
					const after = fromCursor(cursor, z.tuple([z.string().max(80), z.int()]))
					const banks = seen.filter((id) => (bank === undefined || id === bank) && (after === undefined || id >= after[0])).sort()
					const { sets } = await policySetsOf(db)
					const found: { reach: Reach; key: readonly [string, number] }[] = []
					for (const at of await asIf.banks(db, { banks: banks.slice(0, MOST_BANKS), only: [user], now }))
						for (const [i, one] of (await reachAt(engine, at, sets, user, when === undefined ? now : fromTime(when))).entries())
							if (after === undefined || at.bank !== after[0] || i > after[1]) found.push({ reach: one, key: [at.bank, i] })
					return page(
						found.slice(0, limit + 1),
						limit,
						({ reach }) => toReach(reach),
						({ key }) => key,
					)
				}),
		}),
	]
}

function resourceOf(
	{
		type,
		asset,
		compartment,
	}: { readonly type?: string | undefined; readonly asset?: Id<'asset'> | undefined; readonly compartment?: Id<'compartment'> | undefined },
	{ assets, bank }: ReturnType<AsIfBank['bundle']>,
): Question['resource'] {
	if ([type, asset, compartment].filter((one) => one !== undefined).length !== 1)
		throw new Fault('request-invalid', 'body: name one of type, asset and compartment.', { detail: { field: 'body' } })
	if (compartment !== undefined) {
		if (!bank.compartments.some(({ id }) => id === compartment))
			throw new Fault('request-invalid', 'body.compartment: it is not at this bank.', { detail: { field: 'body.compartment' } })
		return { kind: 'compartment', id: compartment }
	}
	const thing = assets.find((one) => (asset === undefined ? one.type === type : one.id === asset))
	const field = asset === undefined ? 'body.type' : 'body.asset'
	if (!thing) throw new Fault('request-invalid', `${field}: this bank knows no such thing.`, { detail: { field } })
	return { kind: 'asset', id: thing.id }
}
