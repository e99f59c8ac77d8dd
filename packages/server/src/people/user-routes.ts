import { z } from 'zod'
import {
	fromCursor,
	fromTime,
	idOf,
	line,
	listFields,
	named,
	noteFields,
	page,
	pageOf,
	type Route,
	recordFields,
	route,
	showRecord,
	time,
	toTime,
	updatedCursor,
} from '../http/index.ts'
import { changePerson, createPerson, erasePerson, type PersonPatch } from './person-write.ts'
import { findPerson, listPeople, nothing, type PeopleTerms, type Person } from './read.ts'
import type { Rights } from './rights.ts'

const email = z
	.string()
	.trim()
	.max(254)
	.regex(/^[^\s@]{1,64}@[^\s@]{1,190}$/, 'must be an e-mail address')
const personalFields = {
	name: line(200),
	email,
	phone: z
		.string()
		.trim()
		.regex(/^\+?[0-9 ()/-]{3,40}$/, 'must be a telephone number'),
	language: z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language tag like de or en-GB'),
}
const maxLoans = z.int().min(0).max(1_000)
/** A fortnight: no site goes on longer without its server (`expireAfterHours`). */
const offlineMinutes = z.int().min(0).max(20_160)

const user = named(
	'User',
	z.object({
		id: idOf('subject').describe('the pseudonym under which ledger and banks know this person'),
		name: z.string().nullable().describe('null: erased'),
		email: z.string().optional(),
		phone: z.string().optional(),
		language: z.string().optional(),
		suspended: z.boolean(),
		maxLoans: maxLoans.optional().describe('absent: as the settings say'),
		offlineMinutes: offlineMinutes
			.optional()
			.describe(
				'how long a bank that is cut off from the server still lets this person take something out, in minutes since it last heard from the server; 0: not at all; absent: as long as it lets anybody. Bringing back is always possible.',
			),
		groups: z.array(idOf('group')),
		erasedAt: time.optional(),
		...recordFields,
	}),
)
/** Many at once, for screens that show ids: `sub_…,sub_…`. */
const idList = z
	.string()
	.max(8_000)
	.transform((text) => text.split(','))
	.pipe(z.array(idOf('subject')).max(200))
const params = z.strictObject({ user: idOf('subject') })

const toUser = ({ id, personal, suspended, maxLoans, offlineMinutes, groups, erasedAt, ...times }: Person): z.input<typeof user> => {
	const { name = null, labels = {}, externalRefs = [], clientData = {}, email, phone, language } = personal ?? {}
	return {
		id,
		name,
		...(email !== undefined && { email }),
		...(phone !== undefined && { phone }),
		...(language !== undefined && { language }),
		suspended,
		...(maxLoans !== undefined && { maxLoans }),
		...(offlineMinutes !== undefined && { offlineMinutes }),
		groups: [...groups],
		...(erasedAt !== undefined && { erasedAt: toTime(erasedAt) }),
		...showRecord({ ...times, labels, externalRefs, clientData }),
	}
}

export const userRoutes = (terms: PeopleTerms, { mayActAs, stillOwned }: Rights): Route[] => [
	route({
		method: 'GET',
		path: '/v1/users',
		tag: 'People',
		summary: 'People, found by beginnings of the words of name, address and foreign ids.',
		permission: 'people.read',
		scope: 'anywhere',
		query: z.strictObject({ ...listFields, search: line(100).optional(), group: idOf('group').optional(), ids: idList.optional() }),
		answers: { 200: pageOf('UserPage', user) },
		handle: ({ query: { limit, cursor, updatedSince, search, group, ids }, read }) =>
			read(async (db) => {
				const after = fromCursor(cursor, updatedCursor)
				const since = updatedSince === undefined ? undefined : fromTime(updatedSince)
				const people = await listPeople(db, { limit, search, group, ids, updatedSince: since, after }, terms)
				return page(people, limit, toUser, (last) => [last.updatedAt, last.id])
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/users',
		tag: 'People',
		summary: 'Add a person.',
		permission: 'people.manage',
		scope: 'anywhere',
		body: z.strictObject({
			name: personalFields.name,
			email: email.optional(),
			phone: personalFields.phone.optional(),
			language: personalFields.language.optional(),
			maxLoans: maxLoans.optional(),
			offlineMinutes: offlineMinutes.optional(),
			...noteFields,
		}),
		answers: { 201: user },
		handle: ({ body: { maxLoans, offlineMinutes, labels = {}, externalRefs = [], clientData = {}, ...known }, write, caller, now }) =>
			write(async (tx) =>
				toUser(
					await createPerson(
						tx,
						{ ...terms, actor: caller.subject, now },
						{
							personal: { ...known, labels, externalRefs, clientData },
							maxLoans,
							offlineMinutes,
						},
					),
				),
			),
	}),
	route({
		method: 'GET',
		path: '/v1/users/{user}',
		tag: 'People',
		summary: 'One person.',
		permission: 'people.read',
		scope: 'anywhere',
		params,
		answers: { 200: user },
		handle: ({ params, read }) =>
			read(async (db) => {
				const found = await findPerson(db, params.user, terms)
				if (!found) throw nothing('person')
				return toUser(found)
			}),
	}),
	route({
		method: 'PATCH',
		path: '/v1/users/{user}',
		tag: 'People',
		summary: 'Change a person, or suspend: sessions and tokens end, and no bank gives anything out.',
		permission: 'people.manage',
		params,
		body: z.strictObject({
			name: personalFields.name.optional(),
			email: email.nullable().optional(),
			phone: personalFields.phone.nullable().optional(),
			language: personalFields.language.nullable().optional(),
			suspended: z.boolean().optional(),
			maxLoans: maxLoans.nullable().optional(),
			offlineMinutes: offlineMinutes.nullable().optional(),
			...noteFields,
		}),
		answers: { 200: user },
		handle: ({ params, body: { suspended, maxLoans, offlineMinutes, ...personal }, write, ifMatch, caller, now }) =>
			write(async (tx) => {
				if (suspended !== undefined || offlineMinutes !== undefined || personal.email !== undefined) await mayActAs(tx, caller, params.user)
				const patch: PersonPatch = { personal: personal as NonNullable<PersonPatch['personal']>, suspended, maxLoans, offlineMinutes }
				const changed = await changePerson(tx, { ...terms, actor: caller.subject, now }, params.user, ifMatch, patch)
				if (changed.suspended) await stillOwned(tx)
				return toUser(changed)
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/users/{user}',
		tag: 'People',
		summary: 'Erase a person: the key of the personal data is destroyed; the pseudonym stays in the ledger.',
		permission: 'people.manage',
		params,
		answers: { 204: undefined },
		handle: ({ params, write, ifMatch, caller, now }) =>
			write(async (tx) => {
				await mayActAs(tx, caller, params.user)
				await erasePerson(tx, { ...terms, actor: caller.subject, now }, params.user, ifMatch)
				await stillOwned(tx)
			}),
	}),
]
