import { type Caller, scopesOf } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { z } from 'zod'
import {
	fromCursor,
	fromTime,
	idOf,
	listFields,
	named,
	page,
	pageOf,
	pageQuery,
	type Route,
	route,
	time,
	toTime,
	updatedCursor,
} from '../http/index.ts'
import type { Db } from '../store/index.ts'
import { type CredentialRecord, findCredential, listCredentials } from './credential-read.ts'
import { issueBadge, issuePin, reportLost, revokeCredential } from './credential-write.ts'
import { recordOf } from './person-write.ts'
import { nothing, type PeopleTerms } from './read.ts'
import type { Rights } from './rights.ts'

const fields = {
	id: idOf('credential'),
	user: idOf('subject'),
	kind: z.enum(['badge', 'pin']),
	site: idOf('site').optional().describe('of a PIN: the site that it opens at'),
	assurance: z.enum(['low', 'medium', 'high']),
	notAfter: time.optional(),
	revokedAt: time.optional(),
	lostAt: time.optional().describe('its holder reported it lost; it is revoked, and whoever shows it since then may have found or stolen it'),
	version: z.int(),
	createdAt: time,
	updatedAt: time,
}
const credential = named('Credential', z.object(fields))
const issued = named(
	'IssuedCredential',
	z.object({
		...fields,
		pin: z
			.string()
			.optional()
			.describe('shown in this answer alone, and in its repetition to the same session or token with the same Idempotency-Key, for a day'),
	}),
)
const params = z.strictObject({ credential: idOf('credential') })

const toCredential = ({
	subject,
	commitment: _,
	site,
	notAfter,
	revokedAt,
	lostAt,
	createdAt,
	updatedAt,
	...rest
}: CredentialRecord): z.input<typeof credential> => ({
	...rest,
	user: subject,
	...(site !== undefined && { site }),
	...(notAfter !== undefined && { notAfter: toTime(notAfter) }),
	...(revokedAt !== undefined && { revokedAt: toTime(revokedAt) }),
	...(lostAt !== undefined && { lostAt: toTime(lostAt) }),
	createdAt: toTime(createdAt),
	updatedAt: toTime(updatedAt),
})

const newCredential = z.discriminatedUnion('kind', [
	z.strictObject({
		kind: z.literal('badge'),
		user: idOf('subject'),
		number: z.string().trim().min(1).max(300).describe('digits, FACILITY-NUMBER, or hex:BITCOUNT:HEX'),
		assurance: z.enum(['low', 'medium', 'high']).optional().describe('left out: low, as most badges can be copied'),
		notAfter: time.optional().describe('when it ends by itself'),
		replaces: idOf('credential').optional().describe('a badge of the same person that ends with this'),
	}),
	z.strictObject({
		kind: z.literal('pin'),
		user: idOf('subject'),
		site: idOf('site').describe('an older PIN of this person at the site ends'),
		notAfter: time.optional().describe('when it ends by itself'),
	}),
])

/** Throws `request-refused` where a guesser would succeed too easily by what can be typed at the kiosks of this site. */
export type CheckPins = (db: Db, at: { readonly site: Id<'site'> }, now: number) => Promise<void>

export const credentialRoutes = (terms: PeopleTerms, { mayActAs }: Rights, checkPins: CheckPins): Route[] => [
	route({
		method: 'GET',
		path: '/v1/credentials',
		tag: 'People',
		summary: 'Badges and PINs: whose, of what kind, until when; never a number.',
		permission: 'people.read',
		scope: 'anywhere',
		query: z.strictObject({ ...listFields, user: idOf('subject').optional() }),
		answers: { 200: pageOf('CredentialPage', credential) },
		handle: ({ query: { limit, cursor, updatedSince, user }, read }) =>
			read(async (db) => {
				const after = fromCursor(cursor, updatedCursor)
				const found = await listCredentials(db, {
					limit,
					...(user && { subject: user }),
					...(after && { after }),
					...(updatedSince !== undefined && { updatedSince: fromTime(updatedSince) }),
				})
				return page(found, limit, toCredential, (last) => [last.updatedAt, last.id])
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/credentials',
		tag: 'People',
		summary: 'Give a badge, or a PIN that the system makes and shows once.',
		permission: 'credential.manage',
		// A badge counts everywhere, so who gives it at a place only is asked about its person (mayHandle); a PIN is of one site.
		scope: async ({ body }) => (body.kind === 'pin' ? { site: body.site } : 'anywhere'),
		body: newCredential,
		answers: { 201: issued },
		handle: ({ body: { user, notAfter: until, ...what }, write, caller, now }) =>
			write(async (tx) => {
				await mayHandle(mayActAs, tx, caller, user)
				const change = { ...terms, actor: caller.subject, now }
				const notAfter = until === undefined ? undefined : fromTime(until)
				if (what.kind === 'badge') {
					const { number, assurance, replaces } = what
					return toCredential(await issueBadge(tx, change, { subject: user, number, assurance, notAfter, replaces }))
				}
				const { pin, ...made } = await issuePin(tx, change, { subject: user, site: what.site, notAfter })
				// With this one among them; codes are typed at the same keys.
				await checkPins(tx, { site: what.site }, now)
				return { ...toCredential(made), pin }
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/credentials/{credential}',
		tag: 'People',
		summary: 'One credential.',
		permission: 'people.read',
		scope: 'anywhere',
		params,
		answers: { 200: credential },
		handle: ({ params, read }) =>
			read(async (db) => {
				const found = await findCredential(db, params.credential)
				if (!found) throw nothing('credential')
				return toCredential(found)
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/credentials/{credential}',
		tag: 'People',
		summary: 'Revoke a credential: banks hear of it at once, and those that are offline at their next contact.',
		permission: 'credential.manage',
		params,
		scope: async ({ params }, db) => {
			const found = await findCredential(db, params.credential)
			return found && (found.site ? { site: found.site } : 'anywhere')
		},
		answers: { 200: credential },
		handle: ({ params, write, ifMatch, caller, now }) =>
			write(async (tx) => {
				const found = await findCredential(tx, params.credential)
				if (!found) throw nothing('credential')
				await mayHandle(mayActAs, tx, caller, found.subject)
				return toCredential(await revokeCredential(tx, { ...terms, actor: caller.subject, now }, params.credential, ifMatch))
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/me/credentials',
		tag: 'People',
		summary: 'One’s own badges and PINs; never a number.',
		permission: 'signed-in',
		query: pageQuery,
		answers: { 200: pageOf('CredentialPage', credential) },
		handle: ({ query: { limit, cursor }, read, caller }) =>
			read(async (db) => {
				const after = fromCursor(cursor, updatedCursor)
				const found = await listCredentials(db, { limit, subject: caller.subject, ...(after && { after }) })
				return page(found, limit, toCredential, (last) => [last.updatedAt, last.id])
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/me/losses',
		tag: 'People',
		summary: 'Report one’s own badge as lost, or one’s own PIN as known to somebody else: it ends as if it was revoked, and cannot be taken back.',
		permission: 'signed-in',
		body: z.strictObject({ credential: idOf('credential') }),
		answers: { 201: credential },
		handle: ({ body, write, caller, now }) =>
			write(async (tx) => {
				const found = await findCredential(tx, body.credential, true)
				// Somebody else's is not there, whoever asks: staff revoke it.
				if (found?.subject !== caller.subject) throw nothing('credential')
				const change = { ...terms, actor: caller.subject, now }
				if (found.lostAt === undefined) await recordOf(tx, change, 'credential.reported-lost', found.id, { kind: found.kind }, found.site)
				return toCredential(await reportLost(tx, change, found))
			}),
	}),
]

/**
 * Who holds somebody's badge or PIN is that person at a bank. Whoever gives and takes them in the whole organisation does so for everybody; at a
 * place, only for those who may do no more than oneself.
 */
export async function mayHandle(mayActAs: Rights['mayActAs'], db: Db, by: Caller, subject: Id<'subject'>): Promise<void> {
	if (!scopesOf(by, 'credential.manage').some(({ kind }) => kind === 'tenant')) await mayActAs(db, by, subject)
}
