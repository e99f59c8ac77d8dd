import { type Caller, isPermission, PERMISSIONS, type Permission, scopesOf } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { z } from 'zod'
import { answer, fromTime, idOf, line, named, pageOf, pageQuery, pageWithin, type Route, route, time, toTime } from '../http/index.ts'
import type { Store } from '../store/index.ts'
import { tenantOf } from '../tenants/index.ts'
import { checkPassword, type Passwords } from './password.ts'
import { findPerson, nothing, type PeopleTerms } from './read.ts'
import type { Rights } from './rights.ts'
import { cookieName } from './secret.ts'
import { endSession, provePassword, replacePassword, sessionsOf, setPassword, signIn } from './sign-in-write.ts'
import { issueToken, revokeToken, type TokenRecord, tokensOf } from './token-write.ts'

export interface SignInRouteParts {
	readonly terms: PeopleTerms
	readonly store: Store
	readonly passwords: Passwords
	/** People come by https: the cookie is bound to this host and to TLS. */
	readonly secure: boolean
	readonly rights: Rights
}

const password = z.string().min(1).max(500)
const permission = z.enum(Object.keys(PERMISSIONS) as [Permission, ...Permission[]])
const scope = z.object({ kind: z.enum(['tenant', 'site', 'area', 'bank']), id: z.string().optional() })
const me = named(
	'Me',
	z.object({
		user: idOf('subject'),
		name: z.string().nullable(),
		tenant: z.object({ id: idOf('tenant'), name: z.string() }),
		via: z.enum(['session', 'token']),
		holdings: z.array(z.object({ scope, permissions: z.array(permission) })).describe('what the caller may do, and where'),
	}),
)
const session = named('Session', z.object({ id: idOf('session'), current: z.boolean(), createdAt: time, seenAt: time, expiresAt: time }))
const tokenFields = {
	id: idOf('token'),
	user: idOf('subject'),
	name: z.string(),
	permissions: z.array(z.string()).optional().describe('absent: all that its owner may'),
	expiresAt: time.optional(),
	lastUsedAt: time.optional(),
	createdAt: time,
}
const token = named('Token', z.object(tokenFields))
const issuedToken = named(
	'IssuedToken',
	z.object({
		...tokenFields,
		token: z
			.string()
			.describe('shown in this answer alone, and in its repetition to the same session or token with the same Idempotency-Key, for a day'),
	}),
)

const toToken = ({ subject, permissions, expiresAt, lastUsedAt, createdAt, ...rest }: TokenRecord): z.input<typeof token> => ({
	...rest,
	user: subject,
	...(permissions && { permissions: [...permissions] }),
	...(expiresAt !== null && { expiresAt: toTime(expiresAt) }),
	...(lastUsedAt !== null && { lastUsedAt: toTime(lastUsedAt) }),
	createdAt: toTime(createdAt),
})

export function signInRoutes({ terms, store, passwords, secure, rights }: SignInRouteParts): Route[] {
	const signInParts = { store, random: terms.random, installation: terms.installation, passwords }
	const cookie = (value: string, seconds: number) =>
		`${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`
	return [
		route({
			method: 'POST',
			path: '/v1/sign-ins',
			tag: 'Sign-in',
			summary: 'Sign in by e-mail address and password; the session comes as a cookie.',
			permission: 'public',
			body: z.strictObject({
				email: z.string().min(1).max(254),
				password,
				tenant: line(200).optional().describe('id or name of the organisation; only for those who belong to several'),
			}),
			answers: {
				201: named('SignIn', z.object({ session: idOf('session'), tenant: idOf('tenant'), user: idOf('subject'), expiresAt: time })),
			},
			handle: async ({ body, now, address }) => {
				const signedIn = await signIn(signInParts, { ...body, address }, now)
				const { id, tenant, subject, secret, expiresAt } = signedIn
				return answer(
					201,
					{ session: id, tenant, user: subject, expiresAt: toTime(expiresAt) },
					{ 'set-cookie': cookie(secret, Math.floor((expiresAt - now) / 1000)) },
				)
			},
		}),
		route({
			method: 'POST',
			path: '/v1/sign-outs',
			tag: 'Sign-in',
			summary: 'End the session of this request.',
			permission: 'signed-in',
			answers: { 204: undefined },
			handle: async ({ write, caller, now }) => {
				if (caller.kind !== 'session') throw new Fault('request-refused', 'A token has no session; revoke it instead.')
				await write((tx) => endSession(tx, { ...terms, actor: caller.subject, now }, caller.via as Id<'session'>))
				return answer(204, undefined, { 'set-cookie': cookie('', 0) })
			},
		}),
		route({
			method: 'GET',
			path: '/v1/me',
			tag: 'Sign-in',
			summary: 'Who asks, and what they may do.',
			permission: 'signed-in',
			answers: { 200: me },
			handle: ({ read, caller }) =>
				read(async (db) => {
					const [person, tenant] = [await findPerson(db, caller.subject, terms), await tenantOf(db)]
					return {
						user: caller.subject,
						name: person?.personal?.name ?? null,
						tenant: { id: tenant.id, name: tenant.name },
						via: caller.kind,
						holdings: caller.holdings.map(({ scope, permissions }) => ({
							scope,
							permissions: [...permissions].filter((one) => !caller.limits || caller.limits.has(one)),
						})),
					}
				}),
		}),
		route({
			method: 'PUT',
			path: '/v1/me/password',
			tag: 'Sign-in',
			summary: 'Change one’s own password; all sessions end.',
			permission: 'signed-in',
			body: z.strictObject({ current: password, password }),
			answers: { 204: undefined },
			async prepare({ body, caller, tenant, address, now }) {
				if (caller.kind !== 'session') throw new Fault('request-refused', 'A token cannot change a password.')
				const person = await store.read(tenant, (db) => findPerson(db, caller.subject, terms))
				checkPassword(body.password, person?.personal?.email ?? '')
				const proven = await provePassword(signInParts, { tenant, subject: caller.subject, password: body.current, address }, now)
				return { proven, hashed: await passwords.hash(body.password) }
			},
			handle: ({ prepared: { proven, hashed }, write, caller, now }) =>
				write((tx) => replacePassword(tx, { ...terms, actor: caller.subject, now }, caller.subject, proven, hashed)),
		}),
		route({
			method: 'PUT',
			path: '/v1/users/{user}/password',
			tag: 'Sign-in',
			summary: 'Give somebody a password. Who does it must hold all that they hold.',
			permission: 'role.assign',
			params: z.strictObject({ user: idOf('subject') }),
			body: z.strictObject({ password }),
			answers: { 204: undefined },
			prepare: ({ body }) => passwords.hash(body.password),
			handle: ({ params, body, prepared: hashed, write, caller, now }) =>
				write(async (tx) => {
					const person = await findPerson(tx, params.user, terms)
					if (!person) throw nothing('person')
					await rights.mayActAs(tx, caller, params.user)
					checkPassword(body.password, person.personal?.email ?? '')
					await setPassword(tx, { ...terms, actor: caller.subject, now }, params.user, hashed)
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/sessions',
			tag: 'Sign-in',
			summary: 'One’s own sessions.',
			permission: 'signed-in',
			query: pageQuery,
			answers: { 200: pageOf('Sessions', session) },
			handle: ({ read, caller, now, query }) =>
				read(async (db) =>
					pageWithin(
						await sessionsOf(db, caller.subject, now),
						query,
						({ id, createdAt, seenAt, expiresAt }) => ({
							id,
							current: id === caller.via,
							createdAt: toTime(createdAt),
							seenAt: toTime(seenAt),
							expiresAt: toTime(expiresAt),
						}),
						({ id }) => id,
					),
				),
		}),
		route({
			method: 'DELETE',
			path: '/v1/sessions/{session}',
			tag: 'Sign-in',
			summary: 'End one of one’s own sessions.',
			permission: 'signed-in',
			params: z.strictObject({ session: idOf('session') }),
			versioned: false,
			answers: { 204: undefined },
			handle: ({ params, write, caller, now }) =>
				write((tx) => endSession(tx, { ...terms, actor: caller.subject, now }, params.session, caller.subject)),
		}),
		route({
			method: 'GET',
			path: '/v1/tokens',
			tag: 'Sign-in',
			summary: 'API tokens: one’s own, or everybody’s for those who manage them.',
			permission: 'signed-in',
			query: pageQuery,
			answers: { 200: pageOf('Tokens', token) },
			handle: ({ read, caller, query }) =>
				read(async (db) => pageWithin(await tokensOf(db, managesTokens(caller) ? {} : { subject: caller.subject }), query, toToken, ({ id }) => id)),
		}),
		route({
			method: 'POST',
			path: '/v1/tokens',
			tag: 'Sign-in',
			summary: 'Make an API token for oneself; it carries no more than its owner, and may carry less.',
			permission: 'signed-in',
			body: z.strictObject({ name: line(200), permissions: z.array(permission).min(1).max(50).optional(), expiresAt: time.optional() }),
			answers: { 201: issuedToken },
			handle: ({ body, write, caller, now }) =>
				write(async (tx) => {
					const permissions = narrowed(caller, body.permissions)
					const expiresAt = body.expiresAt === undefined ? undefined : fromTime(body.expiresAt)
					const { token, ...made } = await issueToken(
						tx,
						{ ...terms, actor: caller.subject, now },
						{ subject: caller.subject, name: body.name, permissions, expiresAt },
					)
					return { ...toToken(made), token }
				}),
		}),
		route({
			method: 'DELETE',
			path: '/v1/tokens/{token}',
			tag: 'Sign-in',
			summary: 'Revoke a token, at once: one’s own, or anybody’s for those who manage them.',
			permission: 'signed-in',
			params: z.strictObject({ token: idOf('token') }),
			versioned: false,
			answers: { 204: undefined },
			handle: ({ params, write, caller, now }) =>
				write((tx) => revokeToken(tx, { ...terms, actor: caller.subject, now }, params.token, managesTokens(caller) ? undefined : caller.subject)),
		}),
	]
}

const managesTokens = (caller: Caller) => scopesOf(caller, 'token.manage').some((scope) => scope.kind === 'tenant')

/** A token that makes tokens cannot make them stronger than it is itself. */
function narrowed(caller: Caller, wanted: readonly Permission[] | undefined): readonly Permission[] | undefined {
	if (!caller.limits) return wanted
	const all = wanted ?? [...caller.limits].filter(isPermission)
	const beyond = all.find((one) => !caller.limits?.has(one))
	if (beyond) throw new Fault('not-permitted', `This token does not carry ${beyond} itself.`, { detail: { permission: beyond } })
	return all
}
