import { mayDo, type Place, scopesOf } from '@latchwork/core/access'
import { type Crypto, defined, type Id, type Random } from '@latchwork/core/base'
import { RECALL_REASONS, TASK_WAYS } from '@latchwork/core/wire'
import { z } from 'zod'
import { placeOf } from '../estate/index.ts'
import {
	clientData,
	externalRefs,
	fromCursor,
	idOf,
	labels,
	line,
	listFields,
	named,
	page,
	pageOf,
	type Route,
	route,
	time,
	updatedCursor,
} from '../http/index.ts'
import { readEventsOf } from '../ledger/index.ts'
import { codesOfCase } from '../space/index.ts'
import type { Db, MasterKey, Tx } from '../store/index.ts'
import { caseOf, findCase, listCases, noticesOf, recordsOf } from './case-read.ts'
import {
	bookDelivery,
	type CaseTerms,
	delegateDelivery,
	extendDelivery,
	readCode,
	recallDelivery,
	renewCode,
	undelegateDelivery,
} from './delivery-write.ts'
import { overviewRoutes } from './overview-routes.ts'
import { ownRoutes } from './own-routes.ts'
import { contactOf } from './owner-read.ts'
import {
	caseDetailShape,
	caseShape,
	conflictShape,
	ids,
	showCase,
	showCode,
	showConflict,
	showNotice,
	showRecord,
	showTask,
	size,
	taskShape,
	timelineShape,
} from './shown-routes.ts'
import { CONFLICT_RULES, findTask, finishTask, listTasks } from './task-write.ts'

export interface CaseRouteParts {
	readonly random: Random
	readonly crypto: Crypto
	readonly master: MasterKey
	readonly siteKey: (tx: Tx, site: Id<'site'>) => Promise<Uint8Array>
}

/** A case of hundreds of records has gone wrong in a way that no timeline explains. */
const TIMELINE_LIMIT = 500

const caseParams = z.strictObject({ case: ids.case })
const placeOfCase = async ({ params }: { params: { case: string } }, db: Db): Promise<Place | undefined> => {
	const row = await findCase(db, params.case)
	return row && placeOf(db, row.bank)
}

const recipient = z.union([
	z.strictObject({ user: ids.user }),
	z.strictObject({
		name: line(200).optional(),
		email: z.email().max(320).optional(),
		phone: z
			.string()
			.regex(/^\+[1-9]\d{5,14}$/, 'must be a number in international form, such as +4930555018')
			.optional(),
		hint: line(40).optional().describe('what a courier sees to know the right one, masked: M… K…'),
	}),
])

const newDelivery = z.strictObject({
	bank: ids.bank,
	label: line(80).describe('what staff and recipient know it by; not a name of a person'),
	lines: z
		.array(z.strictObject({ label: line(40).optional(), tag: line(80).optional(), size, accessible: z.boolean().default(false) }))
		.min(1)
		.max(20),
	recipient: recipient.default({}),
	collectWindowHours: z.int().min(1).max(2_160).optional(),
	labels: labels.optional(),
	externalRefs: externalRefs.optional(),
	clientData: clientData.optional(),
})

const pickUpCode = named(
	'PickUpCode',
	z.object({ digits: z.string().describe('to be typed at the bank'), picture: z.string().describe('the same code as the text of a QR picture') }),
)
const withCode = named('DeliveryWithCode', z.object({ delivery: caseShape, pickUpCode }))

export const caseRoutes = ({ random, crypto, master, siteKey }: CaseRouteParts): Route[] => {
	const terms = (actor: Id<'subject'>, now: number): CaseTerms => ({ actor, now, random, crypto, master, siteKey })
	return [
		...ownRoutes(),
		...overviewRoutes(),
		route({
			method: 'GET',
			path: '/v1/cases',
			tag: 'Cases',
			summary: 'Runs of workflows by their last change, the newest first.',
			permission: 'case.read',
			scope: 'anywhere',
			query: z.strictObject({
				...listFields,
				workflow: z.string().max(60).optional(),
				state: z.string().max(60).optional(),
				bank: ids.bank.optional(),
				site: ids.site.optional(),
				owner: ids.user.optional(),
				open: z.stringbool().optional(),
				conflict: z.stringbool().optional(),
				find: z.string().trim().min(1).max(80).optional(),
				order: z
					.enum(['falling', 'rising'])
					.default('falling')
					.describe('rising, a case that changes while you page comes on a later page; falling, it is missed'),
			}),
			answers: { 200: pageOf('Cases', caseShape) },
			handle: ({ read, query, caller }) =>
				read(async (db) => {
					const { limit, cursor, updatedSince, order, ...filter } = query
					const from = fromCursor(cursor, updatedCursor)
					const since = updatedSince === undefined ? undefined : Date.parse(updatedSince)
					const rows = await listCases(db, filter, { limit, order, from, updatedSince: since, scopes: scopesOf(caller, 'case.read') })
					return page(rows, limit, showCase, (row) => [row.updatedAt, row.id])
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/cases/{case}',
			tag: 'Cases',
			summary: 'One case with its notices, codes and records.',
			permission: 'case.read',
			scope: placeOfCase,
			params: caseParams,
			answers: { 200: caseDetailShape },
			handle: ({ read, params, caller, now }) =>
				read(async (db) => {
					const row = await caseOf(db, params.case)
					const seesContact = row.recipient !== null && mayDo(caller, 'case.manage', (await placeOf(db, row.bank)) ?? {})
					const contact = seesContact ? await contactOf(db, row, { master, random }) : undefined
					return {
						...showCase(row),
						notices: (await noticesOf(db, row.id)).map(showNotice),
						codes: (await codesOfCase(db, row.id)).map((code) => showCode(code, now)),
						records: await recordsOf(db, row.id),
						...(contact && { recipient: contact }),
					}
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/cases/{case}/timeline',
			tag: 'Cases',
			summary: 'What is recorded of a case, in the order of the ledger: each record with its position, so that it can be proven.',
			permission: 'case.read',
			scope: placeOfCase,
			params: caseParams,
			answers: { 200: timelineShape },
			handle: ({ read, params, tenant }) =>
				read(async (db) => {
					const row = await caseOf(db, params.case)
					const events = await readEventsOf(db, tenant, { subject: row.id, records: await recordsOf(db, row.id), limit: TIMELINE_LIMIT + 1 })
					const foreign = (bank: string | undefined) => bank !== undefined && bank !== row.bank
					const items = events.slice(0, TIMELINE_LIMIT).map((event) => ({
						...showRecord(event),
						...('stream' in event.body && foreign(event.body.bank) && event.body.subject === row.id && { foreign: true as const }),
					}))
					return { items, whole: events.length <= TIMELINE_LIMIT }
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/deliveries',
			tag: 'Deliveries',
			summary: 'Announces parcels: space is kept for each of them, and a pick-up code is drawn that the bank can check without a network.',
			permission: 'delivery.create',
			scope: async ({ body }, db) => placeOf(db, body.bank),
			body: newDelivery,
			answers: { 201: withCode },
			handle: ({ write, body, caller, now }) =>
				write(async (tx) => {
					const { row, code } = await bookDelivery(tx, { ...body, lines: body.lines.map((one) => defined(one)) }, terms(caller.subject, now))
					return { delivery: showCase(row), pickUpCode: code }
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/deliveries/{case}/recalls',
			tag: 'Deliveries',
			summary: 'Calls a delivery back: its code stops, and staff take out what is there.',
			permission: 'case.manage',
			scope: placeOfCase,
			params: caseParams,
			body: z.strictObject({ reason: z.enum(RECALL_REASONS) }),
			answers: { 201: caseShape },
			handle: ({ write, params, body, caller, now }) =>
				write(async (tx) => showCase(await recallDelivery(tx, params.case, body.reason, terms(caller.subject, now)))),
		}),
		route({
			method: 'POST',
			path: '/v1/deliveries/{case}/extensions',
			tag: 'Deliveries',
			summary: 'Gives more time to collect.',
			permission: 'case.extend',
			scope: placeOfCase,
			params: caseParams,
			body: z.strictObject({ until: time }),
			answers: { 201: caseShape },
			handle: ({ write, params, body, caller, now }) =>
				write(async (tx) => showCase(await extendDelivery(tx, params.case, Date.parse(body.until), terms(caller.subject, now)))),
		}),
		route({
			method: 'POST',
			path: '/v1/deliveries/{case}/code-readings',
			tag: 'Deliveries',
			summary: 'Shows the code in use once more, to those who hand it out; who was shown it stands in the ledger.',
			permission: 'case.manage',
			scope: placeOfCase,
			params: caseParams,
			answers: { 201: named('CodeInUse', z.object({ pickUpCode: pickUpCode.optional().describe('absent: no code is in use') })) },
			handle: ({ write, params, caller, now }) =>
				write(async (tx) => {
					const code = await readCode(tx, params.case, terms(caller.subject, now))
					return code ? { pickUpCode: code } : {}
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/deliveries/{case}/codes',
			tag: 'Deliveries',
			summary: 'Draws a new pick-up code in place of the present one.',
			permission: 'case.manage',
			scope: placeOfCase,
			params: caseParams,
			answers: { 201: withCode },
			handle: ({ write, params, caller, now }) =>
				write(async (tx) => {
					const { row, code } = await renewCode(tx, params.case, terms(caller.subject, now))
					return { delivery: showCase(row), pickUpCode: code }
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/deliveries/{case}/delegations',
			tag: 'Deliveries',
			summary: 'Somebody else collects: a code of their own, beside the recipient’s. Whoever comes first takes it. The recipient hears of it.',
			permission: 'case.manage',
			scope: placeOfCase,
			params: caseParams,
			body: z.strictObject({ hint: line(40).describe('who that is, masked: M… K…') }),
			answers: { 201: named('Delegation', z.object({ id: z.string(), pickUpCode })) },
			handle: ({ write, params, body, caller, now }) =>
				write(async (tx) => {
					const { id, code } = await delegateDelivery(tx, params.case, body.hint, terms(caller.subject, now))
					return { id, pickUpCode: code }
				}),
		}),
		route({
			method: 'DELETE',
			path: '/v1/deliveries/{case}/delegations/{credential}',
			tag: 'Deliveries',
			summary: 'Take it back: that code collects nothing any more.',
			permission: 'case.manage',
			scope: placeOfCase,
			params: z.strictObject({ case: ids.case, credential: idOf('credential') }),
			versioned: false,
			answers: { 204: undefined },
			handle: ({ write, params, caller, now }) => write((tx) => undelegateDelivery(tx, params.case, params.credential, terms(caller.subject, now))),
		}),
		route({
			method: 'GET',
			path: '/v1/tasks',
			tag: 'Cases',
			summary: 'What a person must do, the oldest first.',
			permission: 'case.read',
			scope: 'anywhere',
			query: z.strictObject({
				limit: listFields.limit,
				cursor: listFields.cursor,
				open: z.stringbool().optional(),
				bank: ids.bank.optional(),
				case: ids.case.optional(),
				kind: z.string().max(60).optional(),
			}),
			answers: { 200: pageOf('Tasks', taskShape) },
			handle: ({ read, query, caller }) =>
				read(async (db) => {
					const { limit, cursor, ...filter } = query
					const rows = await listTasks(db, filter, { limit, after: fromCursor(cursor, updatedCursor), scopes: scopesOf(caller, 'case.read') })
					return page(rows, limit, showTask, (row) => [row.openedAt, row.id])
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/conflicts',
			tag: 'Cases',
			summary:
				'Where a bank that was cut off and the server came to different things, the oldest first: what stands of itself, and what a person has to settle.',
			permission: 'case.read',
			scope: 'anywhere',
			query: z.strictObject({ limit: listFields.limit, cursor: listFields.cursor, open: z.stringbool().default(true), bank: ids.bank.optional() }),
			answers: { 200: pageOf('Conflicts', conflictShape) },
			handle: ({ read, query, caller }) =>
				read(async (db) => {
					const { limit, cursor, ...filter } = query
					const about = { ...filter, kinds: Object.keys(CONFLICT_RULES) }
					const rows = await listTasks(db, about, { limit, after: fromCursor(cursor, updatedCursor), scopes: scopesOf(caller, 'case.read') })
					return page(rows, limit, showConflict, (row) => [row.openedAt, row.id])
				}),
		}),
		route({
			method: 'POST',
			path: '/v1/tasks/{task}/completions',
			tag: 'Cases',
			summary: 'Says that a task is done, and how.',
			permission: 'case.manage',
			scope: async ({ params }, db) => {
				const task = await findTask(db, params.task)
				return task && placeOf(db, task.bank)
			},
			params: z.strictObject({ task: ids.task }),
			body: z.strictObject({ how: z.enum(TASK_WAYS) }),
			answers: { 201: taskShape },
			handle: ({ write, params, body, caller, now }) =>
				write(async (tx) => showTask(await finishTask(tx, params.task, body.how, undefined, { actor: caller.subject, now, random }))),
		}),
	]
}
