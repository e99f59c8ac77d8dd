import { Fault } from '@latchwork/core/base'
import { z } from 'zod'
import { fromTime, idOf, named, pageOf, pageQuery, pageWithin, type Route, route, time, toTime } from '../http/index.ts'
import { type Approval, giveApproval, listApprovals, revokeApproval } from './approval-write.ts'
import type { AccessTerms } from './as-if.ts'

const approval = named(
	'Approval',
	z.object({
		id: idOf('approval'),
		user: idOf('subject').describe('who may take it'),
		type: z.string().describe('code of an asset type'),
		until: time,
		givenAt: time,
		givenBy: z.string(),
	}),
)
const toApproval = ({ until, givenAt, ...rest }: Approval): z.input<typeof approval> => ({ ...rest, until: toTime(until), givenAt: toTime(givenAt) })

/** What a policy may ask for (`approved`): that one or two others let somebody take a thing. */
export const approvalRoutes = ({ random, asIf }: AccessTerms): Route[] => [
	route({
		method: 'GET',
		path: '/v1/approvals',
		tag: 'Access',
		summary: 'Approvals that are in force.',
		permission: 'policy.read',
		scope: 'anywhere',
		query: pageQuery.extend({ user: idOf('subject').optional() }),
		answers: { 200: pageOf('Approvals', approval) },
		handle: ({ query: { user, ...query }, read, now }) =>
			read(async (db) => pageWithin(await listApprovals(db, now, user), query, toApproval, ({ id }) => id)),
	}),
	route({
		method: 'POST',
		path: '/v1/approvals',
		tag: 'Access',
		summary: 'Let somebody else take things of a type until some time, where a policy asks for approval.',
		permission: 'approval.give',
		body: z.strictObject({ user: idOf('subject'), type: z.string().max(80).describe('code of an asset type'), until: time }),
		answers: { 201: approval },
		handle: ({ body, write, caller, now }) =>
			write(async (tx) => {
				const until = fromTime(body.until)
				if (until <= now) throw new Fault('request-invalid', 'body.until: lies in the past.', { detail: { field: 'body.until' } })
				if (!(await asIf.names(tx)).assetTypes.includes(body.type))
					throw new Fault('request-invalid', 'body.type: there is no such asset type.', { detail: { field: 'body.type' } })
				return toApproval(await giveApproval(tx, { actor: caller.subject, now, random }, { ...body, until }))
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/approvals/{approval}',
		tag: 'Access',
		summary: 'Take an approval back; banks hear of it within seconds.',
		permission: 'approval.give',
		params: z.strictObject({ approval: idOf('approval') }),
		versioned: false,
		answers: { 204: undefined },
		handle: ({ params, write, caller, now }) => write((tx) => revokeApproval(tx, { actor: caller.subject, now, random }, params.approval)),
	}),
]
