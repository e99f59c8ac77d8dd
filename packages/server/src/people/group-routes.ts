import { z } from 'zod'
import {
	fromCursor,
	fromTime,
	idOf,
	line,
	listQuery,
	named,
	noteFields,
	page,
	pageOf,
	type Route,
	recordFields,
	route,
	showRecord,
	updatedCursor,
} from '../http/index.ts'
import { changeGroup, createGroup, joinGroup, leaveGroup, removeGroup } from './group-write.ts'
import { findGroup, type Group, listGroups, nothing, type PeopleTerms } from './read.ts'
import type { Rights } from './rights.ts'

const code = z.string().regex(/^(?!latchwork\.)[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'must be letters, digits, _ . - and not begin with latchwork.')
const group = named(
	'Group',
	z.object({ id: idOf('group'), code: code.describe('as policies name it'), name: line(200), members: z.int(), ...recordFields }),
)
const params = z.strictObject({ group: idOf('group') })
const member = z.strictObject({ group: idOf('group'), user: idOf('subject') })

const toGroup = (found: Group): z.input<typeof group> => ({
	id: found.id,
	code: found.code,
	name: found.name,
	members: found.members,
	...showRecord(found),
})

export const groupRoutes = (terms: PeopleTerms, { mayLetIn, stillOwned }: Rights): Route[] => [
	route({
		method: 'GET',
		path: '/v1/groups',
		tag: 'People',
		summary: 'Groups.',
		permission: 'people.read',
		scope: 'anywhere',
		query: listQuery,
		answers: { 200: pageOf('GroupPage', group) },
		handle: ({ query: { limit, cursor, updatedSince }, read }) =>
			read(async (db) => {
				const since = updatedSince === undefined ? undefined : fromTime(updatedSince)
				const groups = await listGroups(db, limit, fromCursor(cursor, updatedCursor), since)
				return page(groups, limit, toGroup, (last) => [last.updatedAt, last.id])
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/groups',
		tag: 'People',
		summary: 'Make a group.',
		permission: 'people.manage',
		body: z.strictObject({ code, name: line(200), ...noteFields }),
		answers: { 201: group },
		handle: ({ body, write, caller, now }) => write(async (tx) => toGroup(await createGroup(tx, { ...terms, actor: caller.subject, now }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/groups/{group}',
		tag: 'People',
		summary: 'One group.',
		permission: 'people.read',
		scope: 'anywhere',
		params,
		answers: { 200: group },
		handle: ({ params, read }) =>
			read(async (db) => {
				const found = await findGroup(db, params.group)
				if (!found) throw nothing('group')
				return toGroup(found)
			}),
	}),
	route({
		method: 'PATCH',
		path: '/v1/groups/{group}',
		tag: 'People',
		summary: 'Change a group; its code stays.',
		permission: 'people.manage',
		params,
		body: z.strictObject({ name: line(200).optional(), ...noteFields }),
		answers: { 200: group },
		handle: ({ params, body, write, ifMatch, caller, now }) =>
			write(async (tx) => toGroup(await changeGroup(tx, { ...terms, actor: caller.subject, now }, params.group, ifMatch, body))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/groups/{group}',
		tag: 'People',
		summary: 'Remove a group; its members stay, what it held goes.',
		permission: 'people.manage',
		params,
		answers: { 204: undefined },
		handle: ({ params, write, ifMatch, caller, now }) =>
			write(async (tx) => {
				await removeGroup(tx, { ...terms, actor: caller.subject, now }, params.group, ifMatch)
				await stillOwned(tx)
			}),
	}),
	route({
		method: 'PUT',
		path: '/v1/groups/{group}/members/{user}',
		tag: 'People',
		summary: 'Let somebody in. Who does it must hold what the group holds.',
		permission: 'people.manage',
		params: member,
		answers: { 204: undefined },
		handle: ({ params, write, caller, now }) =>
			write(async (tx) => {
				await mayLetIn(tx, caller, params.group)
				await joinGroup(tx, { ...terms, actor: caller.subject, now }, params.group, params.user)
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/groups/{group}/members/{user}',
		tag: 'People',
		summary: 'Take somebody out.',
		permission: 'people.manage',
		params: member,
		versioned: false,
		answers: { 204: undefined },
		handle: ({ params, write, caller, now }) =>
			write(async (tx) => {
				await leaveGroup(tx, { ...terms, actor: caller.subject, now }, params.group, params.user)
				await stillOwned(tx)
			}),
	}),
]
