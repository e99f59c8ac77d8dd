import { FAULTS } from '@latchwork/core/base'
import type { FastifySchema } from 'fastify'
import { z } from 'zod'
import { codesOf, problemShape } from './problem.ts'
import type { Route } from './route.ts'

const METHOD_WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const problemOf = (description: string) => ({ description, content: { 'application/problem+json': { schema: problemShape } } })

/** A route as the server validates and the API's description shows it. */
export function schemaOf(route: Route): FastifySchema {
	const isWrite = METHOD_WRITES.has(route.method) && route.permission !== 'public'
	const isChange = asksVersion(route)
	const headers = z.looseObject({
		...(isWrite && { 'idempotency-key': z.string().optional().describe('the same key with the same request gets the same answer for a day') }),
		...(isChange && { 'if-match': z.string().optional().describe('the ETag that was read') }),
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
		response: { ...answersOf(route), ...problemsOf(route), default: problemOf('Another problem (RFC 9457); `code` says which.') },
	} as FastifySchema
}

/** Whether its change must say for which version it was made. */
export const asksVersion = (route: Route): boolean =>
	(route.method === 'PATCH' || route.method === 'DELETE') && route.versioned !== false && route.permission !== 'public'

/** It says in its body for which version it was made. */
const namesVersion = ({ body }: Route): boolean => body instanceof z.ZodObject && 'version' in body.shape

/**
 * Problems that a call of this form can meet. What only its handler knows is told under the same statuses; a test holds the answers of all routes against it.
 */
function problemsOf(route: Route): Record<string, ReturnType<typeof problemOf>> {
	const writes = METHOD_WRITES.has(route.method)
	const known = route.permission !== 'public'
	const statuses = {
		400: true,
		401: known || writes,
		403: known || writes,
		404: known,
		409: true,
		412: asksVersion(route) || namesVersion(route),
		413: route.body !== undefined,
		415: route.body !== undefined,
		422: writes,
		414: route.path.includes('{'),
		428: asksVersion(route),
		429: true,
		503: true,
	}
	return Object.fromEntries(Object.entries(statuses).flatMap(([status, can]) => (can ? [[status, problemOf(meaningOf(Number(status)))]] : [])))
}

const meaningOf = (status: number): string => {
	const codes = codesOf(status)
	return codes.length === 0 ? '`request-invalid`' : codes.map((code) => `\`${code}\``).join(', ')
}

/** The API says 428 where a version is missing, so the header is optional to whoever reads the request, and required in the description. */
export function requireVersion<S extends { schema: unknown }>(described: S): S {
	const { headers } = (described.schema ?? {}) as { headers?: { properties?: object; required?: string[] } }
	if (headers?.properties && 'if-match' in headers.properties) headers.required = ['if-match']
	return described
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
	description: `Sites, banks, people, items, cases and the ledger. Send \`Authorization: Bearer lw_…\`. Errors are problem documents (RFC 9457); \`code\` says which:\n\n${Object.entries(
		FAULTS,
	)
		.map(([code, title]) => `- \`${code}\`: ${title}`)
		.join('\n')}`,
	license: { name: 'Apache-2.0' },
} as const
