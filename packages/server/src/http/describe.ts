import { FAULTS } from '@latchwork/core/base'
import type { FastifySchema } from 'fastify'
import { z } from 'zod'
import { problemShape } from './problem.ts'
import type { Route } from './route.ts'

const METHOD_WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const problemContent = { description: 'A problem (RFC 9457); `code` says which.', content: { 'application/problem+json': { schema: problemShape } } }

/** A route as the server validates and the API's description shows it. */
export function schemaOf(route: Route): FastifySchema {
	const isWrite = METHOD_WRITES.has(route.method) && route.permission !== 'public'
	const isChange = (route.method === 'PATCH' || route.method === 'DELETE') && route.versioned !== false && isWrite
	const headers = z.looseObject({
		...(isWrite && { 'idempotency-key': z.string().optional().describe('the same key with the same request gets the same answer for a day') }),
		...(isChange && { 'if-match': z.string().optional().describe('required: the ETag that was read') }),
	})
	return {
		tags: [route.tag],
		summary: route.summary,
		operationId: operationOf(route),
		...(route.permission === 'public' ? { security: [] } : {}),
		'x-permission': route.permission,
		params: route.params ?? (route.path.includes('{') ? undefined : z.strictObject({})),
		querystring: route.query ?? z.strictObject({}),
		...(route.body && { body: route.body }),
		...(isWrite && { headers }),
		response: { ...answersOf(route), default: problemContent },
	} as FastifySchema
}

function answersOf(route: Route): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(route.answers).map(([status, schema]) => [
			status,
			schema === undefined
				? z.undefined().describe('No body.')
				: route.produces === undefined
					? schema
					: { description: route.summary, content: { [route.produces]: { schema } } },
		]),
	)
}

/** `getV1SitesSite`: stable as long as the path is. */
const operationOf = ({ method, path }: Route): string =>
	method.toLowerCase() +
	path
		.split(/[^A-Za-z0-9]+/)
		.filter(Boolean)
		.map((word) => word[0]?.toUpperCase() + word.slice(1))
		.join('')

export const ABOUT = {
	title: 'Latchwork',
	description: `Sites, banks, people, items, cases and the ledger. Send \`Authorization: Bearer lw_…\`. Errors are problem documents; codes: ${Object.keys(FAULTS).join(', ')}.`,
	license: { name: 'Apache-2.0' },
} as const
