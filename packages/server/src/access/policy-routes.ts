import { Fault, type Random } from '@latchwork/core/base'
import { z } from 'zod'
import { fromTime, idOf, listQuery, named, pageOf, pageQuery, pageWithin, type Route, route, time, toTime } from '../http/index.ts'
import { type CheckPolicy, changeDraft, draftPolicy, publishPolicy, retirePolicy } from './policy-write.ts'
import { findPolicy, listPolicies, type Policy, type PolicyVersion, policyVersions } from './read.ts'

const cedar = z.string().min(1).max(60_000)
const code = z.string().regex(/^(?!latchwork\.)[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'must be letters, digits, _ . - and not begin with latchwork.')
const policy = named(
	'Policy',
	z.object({
		id: idOf('policy'),
		code: code.describe('as decisions name it'),
		site: idOf('site').optional(),
		bank: idOf('bank').optional().describe('neither site nor bank: everywhere'),
		draft: cedar.describe('Cedar; decides nothing until it is published'),
		published: z.int().optional().describe('number of the text in force'),
		retiredAt: time.optional(),
		version: z.int(),
		createdAt: time,
		updatedAt: time,
	}),
)
const version = named('PolicyVersion', z.object({ number: z.int(), cedar, publishedAt: time, publishedBy: z.string() }))
const params = z.strictObject({ policy: idOf('policy') })

const toPolicy = ({ scope, published, retiredAt, createdAt, updatedAt, ...rest }: Policy): z.input<typeof policy> => ({
	...rest,
	...scope,
	...(published !== undefined && { published }),
	...(retiredAt !== undefined && { retiredAt: toTime(retiredAt) }),
	createdAt: toTime(createdAt),
	updatedAt: toTime(updatedAt),
})

export const policyRoutes = (random: Random, check: CheckPolicy): Route[] => [
	route({
		method: 'GET',
		path: '/v1/policies',
		tag: 'Access',
		summary: 'Site policies.',
		permission: 'policy.read',
		scope: 'anywhere',
		query: listQuery,
		answers: { 200: pageOf('Policies', policy) },
		handle: ({ read, query }) =>
			read(async (db) => {
				const since = query.updatedSince === undefined ? 0 : fromTime(query.updatedSince)
				const changed = (await listPolicies(db)).filter(({ updatedAt }) => updatedAt >= since)
				return pageWithin(changed, query, toPolicy, ({ code }) => code)
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/policies',
		tag: 'Access',
		summary: 'Draft a policy for the organisation, a site or a bank.',
		permission: 'policy.publish',
		body: z.strictObject({ code, site: idOf('site').optional(), bank: idOf('bank').optional(), draft: cedar }),
		answers: { 201: policy },
		handle: ({ body, write, caller, now }) => write(async (tx) => toPolicy(await draftPolicy(tx, { actor: caller.subject, now, random }, body))),
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
		handle: ({ params, read }) =>
			read(async (db) => {
				const found = await findPolicy(db, params.policy)
				if (!found) throw new Fault('not-found', 'There is no such policy.')
				return toPolicy(found)
			}),
	}),
	route({
		method: 'PATCH',
		path: '/v1/policies/{policy}',
		tag: 'Access',
		summary: 'Change the draft.',
		permission: 'policy.publish',
		params,
		body: z.strictObject({ draft: cedar }),
		answers: { 200: policy },
		handle: ({ params, body, write, ifMatch, caller, now }) =>
			write(async (tx) => toPolicy(await changeDraft(tx, { actor: caller.subject, now, random }, params.policy, ifMatch, body.draft))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/policies/{policy}',
		tag: 'Access',
		summary: 'Take a policy out of force; its versions stay.',
		permission: 'policy.publish',
		params,
		answers: { 204: undefined },
		handle: ({ params, write, ifMatch, caller, now }) =>
			write((tx) => retirePolicy(tx, { actor: caller.subject, now, random }, params.policy, ifMatch)),
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
		handle: ({ params, read, query }) =>
			read(async (db) => {
				if (!(await findPolicy(db, params.policy))) throw new Fault('not-found', 'There is no such policy.')
				const toVersion = ({ publishedAt, ...rest }: PolicyVersion) => ({ ...rest, publishedAt: toTime(publishedAt) })
				return pageWithin(await policyVersions(db, params.policy), query, toVersion, ({ number }) => (1e9 - number).toString())
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/policies/{policy}/versions',
		tag: 'Access',
		summary: 'Publish the draft: it is checked, and in force at every bank that hears of it.',
		permission: 'policy.publish',
		params,
		body: z.strictObject({ version: z.int().describe('of the policy, as it was read') }),
		answers: { 201: policy },
		handle: ({ params, body, write, caller, now }) =>
			write(async (tx) => toPolicy(await publishPolicy(tx, { actor: caller.subject, now, random }, params.policy, body.version, check))),
	}),
]
