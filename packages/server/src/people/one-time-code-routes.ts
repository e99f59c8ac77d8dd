import { MINTED_HOURS, scopesOf } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { z } from 'zod'
import { placeOf, within } from '../estate/index.ts'
import { fromCursor, fromTime, idOf, listFields, named, page, pageOf, type Route, route, time, toTime, updatedCursor } from '../http/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { mayHandle } from './credential-routes.ts'
import { bankHears, findOneTimeCode, listOneTimeCodes, type OneTimeCodeRecord } from './one-time-code-read.ts'
import { issueOneTimeCode, withdrawOneTimeCode } from './one-time-code-write.ts'
import type { PeopleTerms } from './read.ts'
import type { Rights } from './rights.ts'

const fields = {
	id: z.string(),
	user: idOf('subject'),
	site: idOf('site'),
	bank: idOf('bank').describe('the only one at which it counts'),
	notBefore: time,
	notAfter: time,
	state: z
		.enum(['ahead', 'live', 'used', 'expired', 'withdrawn'])
		.describe('`used`: as the bank told, which may be away; `withdrawn`: it was taken back before it was used'),
	issuedBy: z.string(),
	usedAt: time.optional(),
	withdrawnAt: time.optional(),
	createdAt: time,
	updatedAt: time,
}
const oneTimeCode = named('OneTimeCode', z.object(fields))
const issued = named(
	'IssuedOneTimeCode',
	z.object({
		...fields,
		digits: z
			.string()
			.describe(
				'16, as they are typed at the kiosk; shown in this answer alone, and in its repetition to the same session or token with the same Idempotency-Key, for a day',
			),
		picture: z.string().describe('what a QR code for the scanner holds; shown once, as the digits are'),
	}),
)
const withdrawn = named(
	'WithdrawnOneTimeCode',
	z.object({
		...fields,
		bankTold: z
			.enum(['now', 'when-it-is-back'])
			.describe('`when-it-is-back`: the bank is cut off, so until it is back, or until the window ends, it may still take the code'),
	}),
)
const params = z.strictObject({ code: z.string().regex(/^mint_[A-Za-z0-9_-]{22}$/, 'must be the id of a one-time code') })

const HOUR_MS = 3_600_000

function show({ subject, controller: _, notBefore, notAfter, createdAt, updatedAt, usedAt, withdrawnAt, ...rest }: OneTimeCodeRecord, now: number) {
	const state = usedAt !== null ? 'used' : withdrawnAt !== null ? 'withdrawn' : now >= notAfter ? 'expired' : now < notBefore ? 'ahead' : 'live'
	return {
		...rest,
		user: subject,
		state,
		notBefore: toTime(notBefore),
		notAfter: toTime(notAfter),
		...(usedAt !== null && { usedAt: toTime(usedAt) }),
		...(withdrawnAt !== null && { withdrawnAt: toTime(withdrawnAt) }),
		createdAt: toTime(createdAt),
		updatedAt: toTime(updatedAt),
	} satisfies z.input<typeof oneTimeCode>
}

/** Does the bank know this person at all? Only who may do something there is in its bundle. */
export type KnownAt = (tx: Tx, bank: Id<'bank'>, subject: Id<'subject'>, now: number) => Promise<boolean>

/** Codes for somebody who has no badge with them, or none yet: for one bank, for some hours, once, with or without a network. */
export const oneTimeCodeRoutes = (terms: PeopleTerms, { mayActAs }: Rights, knownAt: KnownAt): Route[] => {
	const placeOfCode = async (db: Db, id: string) => {
		const code = await findOneTimeCode(db, id)
		return code && placeOf(db, code.bank)
	}
	return [
		route({
			method: 'POST',
			path: '/v1/one-time-codes',
			tag: 'People',
			summary:
				'Give somebody a code by which one bank knows them once, within a window of at most a day: 16 digits to type or a QR code to show. The bank takes it without having heard of it, so it may be cut off. What the person may do there is for the policies to say.',
			permission: 'credential.manage',
			scope: async ({ body }, db) => placeOf(db, body.bank),
			body: z.strictObject({
				user: idOf('subject'),
				bank: idOf('bank'),
				notBefore: time.optional().describe('a whole hour, at most 48 hours ahead; left out: the hour that runs now'),
				hours: z
					.literal([...MINTED_HOURS])
					.optional()
					.describe('how long it counts; left out: 4'),
			}),
			answers: { 201: issued },
			handle: ({ body, write, caller, now }) =>
				write(async (tx) => {
					await mayHandle(mayActAs, tx, caller, body.user)
					const notBefore = body.notBefore === undefined ? Math.floor(now / HOUR_MS) * HOUR_MS : fromTime(body.notBefore)
					const wanted = { subject: body.user, bank: body.bank, notBefore, hours: body.hours ?? 4 }
					const { code, digits, picture } = await issueOneTimeCode(tx, { ...terms, actor: caller.subject, now }, wanted)
					if (!(await knownAt(tx, body.bank, body.user, now)))
						throw new Fault(
							'request-refused',
							'No policy lets this person do anything at this bank, so it does not know them and would not take their code. Put them into a group that may, first.',
							{ detail: { field: 'body.user' } },
						)
					return { ...show(code, now), digits, picture }
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/one-time-codes',
			tag: 'People',
			summary: 'Codes that were given to people for some hours: for whom, where, and what became of them; never the digits.',
			permission: 'people.read',
			scope: 'anywhere',
			query: z.strictObject({
				limit: listFields.limit,
				cursor: listFields.cursor,
				user: idOf('subject').optional(),
				bank: idOf('bank').optional(),
			}),
			answers: { 200: pageOf('OneTimeCodePage', oneTimeCode) },
			handle: ({ query: { limit, cursor, user, bank }, read, caller, now }) =>
				read(async (db) => {
					const places = within(scopesOf(caller, 'people.read'), {
						site: sql`site_id`,
						area: sql`(SELECT area_id FROM bank b WHERE b.tenant_id = one_time_code.tenant_id AND b.bank_id = one_time_code.bank_id)`,
						bank: sql`bank_id`,
					})
					const found = await listOneTimeCodes(db, { subject: user, bank, places }, { limit, after: fromCursor(cursor, updatedCursor) })
					return page(
						found,
						limit,
						(one) => show(one, now),
						(last) => [last.updatedAt, last.id],
					)
				}),
		}),
		route({
			method: 'DELETE',
			path: '/v1/one-time-codes/{code}',
			tag: 'People',
			summary: 'Take a code back before it is used. One that was used or has run out stays as it is.',
			permission: 'credential.manage',
			scope: ({ params: { code } }, db) => placeOfCode(db, code),
			params,
			versioned: false,
			answers: { 200: withdrawn },
			handle: ({ params: { code }, write, caller, now }) =>
				write(async (tx) => {
					const known = await findOneTimeCode(tx, code)
					if (known) await mayHandle(mayActAs, tx, caller, known.subject)
					const gone = await withdrawOneTimeCode(tx, { ...terms, actor: caller.subject, now }, code)
					return { ...show(gone, now), bankTold: (await bankHears(tx, gone.bank)) ? 'now' : 'when-it-is-back' }
				}),
		}),
	]
}
