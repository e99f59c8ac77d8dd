import { PERMISSIONS, type Permission, type Scope } from '@latchwork/core/access'
import { Fault } from '@latchwork/core/base'
import { z } from 'zod'
import { fromCursor, fromTime, idOf, line, named, page, pageOf, pageQuery, pageWithin, type Route, route, time, toTime } from '../http/index.ts'
import { approvalRoutes } from './approval-routes.ts'
import type { AccessTerms } from './as-if.ts'
import { decisionRoutes } from './decision-routes.ts'
import { ownRoutes } from './own-routes.ts'
import { policyRoutes } from './policy-routes.ts'
import { type Assignment, findRole, listAssignments, listRoles, type Role } from './read.ts'
import { assignRole, changeRole, createRole, mustHold, removeRole, revokeRole } from './role-write.ts'

const permission = z.enum(Object.keys(PERMISSIONS) as [Permission, ...Permission[]])
const role = named(
	'Role',
	z.object({
		id: z.string().describe('rol_…, or the name of one that came with the product'),
		name: z.string(),
		permissions: z.array(permission),
		builtIn: z.boolean(),
		version: z.int(),
		createdAt: time.optional(),
		updatedAt: time.optional(),
	}),
)
const roleId = z.string().regex(/^[a-z-]{2,40}$|^rol_[0-9a-f-]{36}$/, 'must be rol_… or the name of a built-in role')
const scope = named(
	'Scope',
	z.discriminatedUnion('kind', [
		z.strictObject({ kind: z.literal('tenant') }),
		z.strictObject({ kind: z.literal('site'), id: idOf('site') }),
		z.strictObject({ kind: z.literal('area'), id: idOf('area') }),
		z.strictObject({ kind: z.literal('bank'), id: idOf('bank') }),
	]),
)
const assignment = named(
	'RoleAssignment',
	z.object({
		id: idOf('roleAssignment'),
		role: z.string(),
		user: idOf('subject').optional(),
		group: idOf('group').optional(),
		scope,
		until: time.optional().describe('it ends by itself then'),
		createdAt: time,
	}),
)

const toRole = ({ createdAt, updatedAt, permissions, builtIn, ...rest }: Role): z.input<typeof role> => ({
	...rest,
	permissions: [...permissions],
	builtIn,
	...(!builtIn && { createdAt: toTime(createdAt), updatedAt: toTime(updatedAt) }),
})
const toAssignment = ({ user, group, createdAt, until, scope, ...rest }: Assignment): z.input<typeof assignment> => ({
	...rest,
	...(user && { user }),
	...(group && { group }),
	scope: { ...scope },
	...(until !== null && { until: toTime(until) }),
	createdAt: toTime(createdAt),
})

/** The part of the API that says who may do what. */
export const accessRoutes = ({ random, ...terms }: AccessTerms): Route[] => [
	route({
		method: 'GET',
		path: '/v1/roles',
		tag: 'Access',
		summary: 'Roles: those that came with the product, and one’s own.',
		permission: 'role.read',
		scope: 'anywhere',
		query: pageQuery,
		answers: { 200: pageOf('Roles', role) },
		handle: ({ read, query }) => read(async (db) => pageWithin(await listRoles(db), query, toRole, ({ builtIn, id }) => `${builtIn ? 0 : 1} ${id}`)),
	}),
	route({
		method: 'POST',
		path: '/v1/roles',
		tag: 'Access',
		summary: 'Make a role of permissions that one holds oneself.',
		permission: 'role.assign',
		body: z.strictObject({ name: line(100), permissions: z.array(permission).min(1) }),
		answers: { 201: role },
		handle: ({ body, write, caller, now }) =>
			write(async (tx) => {
				mustHold(caller, [everywhere(body.permissions)], {})
				return toRole(await createRole(tx, { actor: caller.subject, now, random }, body))
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/roles/{role}',
		tag: 'Access',
		summary: 'One role.',
		permission: 'role.read',
		scope: 'anywhere',
		params: z.strictObject({ role: roleId }),
		answers: { 200: role },
		handle: ({ params, read }) =>
			read(async (db) => {
				const found = await findRole(db, params.role)
				if (!found) throw new Fault('not-found', 'There is no such role.')
				return toRole(found)
			}),
	}),
	route({
		method: 'PATCH',
		path: '/v1/roles/{role}',
		tag: 'Access',
		summary: 'Change a role of one’s own; it counts from the next request of everybody who holds it.',
		permission: 'role.assign',
		params: z.strictObject({ role: roleId }),
		body: z.strictObject({ name: line(100).optional(), permissions: z.array(permission).min(1).optional() }),
		answers: { 200: role },
		handle: ({ params, body, write, ifMatch, caller, now }) =>
			write(async (tx) => {
				if (body.permissions) mustHold(caller, [everywhere(body.permissions)], {})
				const patch = { ...(body.name !== undefined && { name: body.name }), ...(body.permissions && { permissions: body.permissions }) }
				return toRole(await changeRole(tx, { actor: caller.subject, now, random }, params.role, ifMatch, patch))
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/roles/{role}',
		tag: 'Access',
		summary: 'Remove a role that nobody holds.',
		permission: 'role.assign',
		params: z.strictObject({ role: roleId }),
		answers: { 204: undefined },
		handle: ({ params, write, ifMatch, caller, now }) => write((tx) => removeRole(tx, { actor: caller.subject, now, random }, params.role, ifMatch)),
	}),
	route({
		method: 'GET',
		path: '/v1/permissions',
		tag: 'Access',
		summary: 'What roles are made of, in words.',
		permission: 'role.read',
		scope: 'anywhere',
		query: pageQuery,
		answers: { 200: pageOf('Permissions', named('Permission', z.object({ permission, words: z.string() }))) },
		handle: async ({ query }) =>
			pageWithin(
				Object.entries(PERMISSIONS) as [Permission, string][],
				query,
				([permission, words]) => ({ permission, words }),
				([permission]) => permission,
			),
	}),
	route({
		method: 'GET',
		path: '/v1/role-assignments',
		tag: 'Access',
		summary: 'Who holds which role where.',
		permission: 'role.read',
		query: pageQuery.extend({ user: idOf('subject').optional(), group: idOf('group').optional(), role: roleId.optional() }),
		answers: { 200: pageOf('RoleAssignments', assignment) },
		handle: ({ query: { limit, cursor, ...of }, read }) =>
			read(async (db) => {
				const after = fromCursor(cursor, z.tuple([z.string().max(80)]))?.[0]
				return page(await listAssignments(db, of, { after, limit: limit + 1 }), limit, toAssignment, ({ id }) => [id])
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/role-assignments',
		tag: 'Access',
		summary: 'Give a role to a user or a group at a scope, for good or until some time. Who gives it must hold all of it there.',
		permission: 'role.assign',
		scope: 'anywhere',
		body: z.strictObject({
			role: roleId,
			user: idOf('subject').optional(),
			group: idOf('group').optional(),
			scope,
			until: time.optional().describe('absent: until it is taken away'),
		}),
		answers: { 201: assignment },
		handle: ({ body, write, caller, now }) =>
			write(async (tx) => {
				const { until, scope, ...rest } = body
				const fields = { ...rest, scope: scope as Scope, until: until === undefined ? undefined : fromTime(until) }
				return toAssignment(await assignRole(tx, { actor: caller.subject, now, random }, fields, caller))
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/role-assignments/{assignment}',
		tag: 'Access',
		summary: 'Take a role away; it counts from the next request.',
		permission: 'role.assign',
		scope: 'anywhere',
		params: z.strictObject({ assignment: idOf('roleAssignment') }),
		versioned: false,
		answers: { 204: undefined },
		handle: ({ params, write, caller, now }) => write((tx) => revokeRole(tx, { actor: caller.subject, now, random }, params.assignment, caller)),
	}),
	...policyRoutes({ random, ...terms }),
	...decisionRoutes({ random, ...terms }),
	...ownRoutes({ random, ...terms }),
	...approvalRoutes({ random, ...terms }),
]

const everywhere = (permissions: readonly Permission[]) => ({ scope: { kind: 'tenant' } as const, permissions: new Set(permissions) })
