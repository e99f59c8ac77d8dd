import { createHash } from 'node:crypto'
import { type Caller, covers, mayDo, type Permission, scopesOf } from '@latchwork/core/access'
import { type Clock, Fault } from '@latchwork/core/base'
import type { FastifyRequest } from 'fastify'
import type { Db, Store, Tx } from '../store/index.ts'
import { Answer, Raw, Sse, type Still } from './answer.ts'
import { markCursor, markOf, unmarkCursor } from './cursor.ts'
import { asksVersion } from './describe.ts'
import type { Claim, Gate, Sealing } from './gate.ts'
import { claimKey, type KeptAnswer, type Keyed, keepAnswer } from './idempotency-write.ts'
import type { Route } from './route.ts'

export interface Performing {
	readonly store: Store
	readonly clock: Pick<Clock, 'now'>
	readonly gate: Gate
	readonly sealing: Sealing
}

/** What goes out: text that is ready, bytes, or a feed. */
export interface Performed extends Omit<KeptAnswer, 'request'> {
	readonly content?: Raw | Sse
	readonly replayed?: boolean
	/** Present for a feed: whether its caller may still have it. */
	readonly still?: () => Promise<boolean>
}

/** How often a request is done anew when the database says that two changes met. */
const TRIES = 3

/** One request of a known caller: identify, permit, do, keep the answer; all of it in one transaction. */
export async function perform(route: Route, request: FastifyRequest, claim: Claim, signal: AbortSignal, parts: Performing): Promise<Performed> {
	const now = parts.clock.now()
	const asked = askedOf(request, signal, now)
	if (route.method === 'GET') {
		const { performed, touch } = await parts.store.read(claim.tenant, async (db) => {
			const { caller, touch } = await permitted(route, asked, claim, db, parts.gate, now)
			const read = <T>(work: (db: Db) => Promise<T>) => work(db)
			return { performed: await toPerformed(route, request.url, await handled(route, { ...asked, caller, tenant: claim.tenant, read })), touch }
		})
		// What was read is answered also where its use cannot be recorded at this moment.
		if (touch) await parts.store.write(claim.tenant, touch).catch(() => {})
		const { content } = performed
		return content instanceof Sse ? { ...performed, still: () => stillPermitted(route, asked, claim, content.still, parts) } : performed
	}
	const ifMatch = ifMatchOf(route, request)
	const prepared = route.prepare && (await prepare(route.prepare, route, asked, claim, parts))
	const work = async (tx: Tx): Promise<Performed> => {
		const { caller, touch } = await permitted(route, asked, claim, tx, parts.gate, now)
		if (touch) await touch(tx)
		const keyed = keyedOf(request, caller)
		const context = `idempotency:${claim.tenant}:${keyed?.caller}:${keyed?.key}`
		const before = keyed && (await claimKey(tx, keyed, now))
		if (before) {
			const { request: answered, ...kept } = JSON.parse(Buffer.from(parts.sealing.open(before.kept, context)).toString('utf8')) as KeptAnswer
			if (answered !== digestOf(request))
				throw new Fault('idempotency-mismatch', 'This Idempotency-Key was used within a day for another request. Use a new key for each request.', {
					detail: { field: 'Idempotency-Key' },
				})
			return { ...kept, replayed: true }
		}
		const inside = <T>(work: (tx: Tx) => Promise<T>) => work(tx)
		const result = await handled(route, {
			...asked,
			caller,
			tenant: claim.tenant,
			read: inside,
			write: inside,
			...(ifMatch !== undefined && { ifMatch }),
			...(route.prepare && { prepared }),
		})
		const performed = await toPerformed(route, request.url, result)
		if (keyed) {
			const { status, headers, body } = performed
			await keepAnswer(
				tx,
				keyed,
				parts.sealing.seal(Buffer.from(JSON.stringify({ request: digestOf(request), status, headers, body } satisfies KeptAnswer)), context),
			)
		}
		return performed
	}
	for (let left = TRIES; ; left--) {
		try {
			return await parts.store.write(claim.tenant, work)
		} catch (fault) {
			if (!(fault instanceof Fault) || fault.code !== 'database-busy' || left <= 1) throw fault
		}
	}
}

async function prepare(work: NonNullable<Route['prepare']>, route: Route, asked: Asked, claim: Claim, { store, gate }: Performing): Promise<unknown> {
	const { caller } = await store.read(claim.tenant, (db) => permitted(route, asked, claim, db, gate, asked.now))
	return work({ ...asked, caller, tenant: claim.tenant } as never)
}

/** A route that is open to everybody has no caller, tenant or transaction. */
export async function performPublic(route: Route, request: FastifyRequest, signal: AbortSignal, now: number): Promise<Performed> {
	return toPerformed(route, request.url, await handled(route, askedOf(request, signal, now)))
}

interface Asked {
	readonly params: unknown
	readonly query: unknown
	readonly body: unknown
	readonly now: number
	readonly address: string
	readonly headers: FastifyRequest['headers']
	readonly signal: AbortSignal
}

const askedOf = (request: FastifyRequest, signal: AbortSignal, now: number): Asked => ({
	params: request.params,
	query: request.query,
	body: request.body,
	now,
	address: request.ip,
	headers: request.headers,
	signal,
})

/** A list is one page: its cursor is looked at before, and marked as this list's after. */
async function handled<A extends Asked>(route: Route, asked: A): Promise<unknown> {
	const fields = (route.query as { shape?: object } | undefined)?.shape
	if (fields === undefined || !('cursor' in fields)) return route.handle(asked as never)
	const mark = markOf(route.path, asked.params, asked.query)
	const { cursor, ...query } = asked.query as { cursor?: string }
	const result = await route.handle({ ...asked, query: { ...query, ...(cursor !== undefined && { cursor: unmarkCursor(mark, cursor) }) } } as never)
	const { next } = result as { next?: string }
	return next === undefined ? result : { ...(result as object), next: markCursor(mark, next) }
}

async function permitted(route: Route, asked: Asked, claim: Claim, db: Db, gate: Gate, now: number) {
	const known = await gate.identify(db, claim, now)
	if (!known) throw new Fault('not-signed-in', 'Sign in again: this session or token is not known, has expired or was revoked.')
	const { permission, scope } = route
	if (permission === 'public' || permission === 'signed-in') return known
	const { caller } = known
	if (scopesOf(caller, permission).length === 0) throw lacks(permission, 'anywhere in this organisation')
	if (scope === 'anywhere') return known
	if (scope === undefined) {
		if (!mayDo(caller, permission, {})) throw lacks(permission, 'for the whole organisation')
		return known
	}
	const place = await scope(asked as never, db)
	if (place === 'anywhere') return known
	if (place === undefined) throw new Fault('not-found', 'There is no such thing.')
	if (!scopesOf(caller, permission).some((held) => covers(held, place))) throw lacks(permission, 'at this place')
	return known
}

const lacks = (permission: Permission, where: string) =>
	new Fault('not-permitted', `This needs the permission ${permission} ${where}.`, { detail: { permission } })

async function stillPermitted(route: Route, asked: Asked, claim: Claim, still: Still, { store, gate, clock }: Performing): Promise<boolean> {
	try {
		return await store.read(claim.tenant, async (db) => still(db, (await permitted(route, asked, claim, db, gate, clock.now())).caller))
	} catch (fault) {
		// A database that is away for a moment says nothing about the session.
		return fault instanceof Fault && fault.code === 'database-unavailable'
	}
}

function ifMatchOf(route: Route, request: FastifyRequest): number | undefined {
	if (!asksVersion(route)) return undefined
	const header = request.headers['if-match']
	if (header === undefined)
		throw new Fault('version-missing', 'Say which version you saw: send its ETag in the header If-Match.', { detail: { field: 'If-Match' } })
	const [, version] = /^"(\d{1,15})"$/.exec(header) ?? []
	if (version === undefined)
		throw new Fault('request-invalid', 'If-Match: one version in quotation marks, as the ETag gave it.', { detail: { field: 'If-Match' } })
	return Number(version)
}

function keyedOf(request: FastifyRequest, caller: Caller): Keyed | undefined {
	const key = request.headers['idempotency-key']
	if (key === undefined) return undefined
	if (typeof key !== 'string' || !/^[\x21-\x7e]{8,128}$/.test(key))
		throw new Fault('request-invalid', 'Idempotency-Key: 8 to 128 printable characters without spaces.', { detail: { field: 'Idempotency-Key' } })
	return { caller: caller.via, key }
}

const digestOf = ({ method, url, body, headers }: FastifyRequest): string =>
	createHash('sha256')
		.update(JSON.stringify([method, url, body ?? null, headers['if-match'] ?? null]))
		.digest('hex')

/** Serialised here, inside the transaction: an answer that is not what the API describes rolls the change back. */
async function toPerformed(route: Route, url: string, result: unknown): Promise<Performed> {
	const given = result instanceof Answer ? result : new Answer(undefined, result)
	const status = given.status ?? Number(Object.keys(route.answers)[0])
	if (given.body instanceof Raw || given.body instanceof Sse)
		return { status, headers: { ...given.headers, ...(route.produces && { 'content-type': route.produces }) }, body: '', content: given.body }
	const schema = route.answers[status]
	if (schema === undefined) return { status, headers: given.headers, body: '' }
	const body = schema.parse(given.body) as { id?: unknown; version?: unknown }
	return {
		status,
		headers: {
			...(typeof body?.version === 'number' && { etag: `"${body.version}"` }),
			...(status === 201 && typeof body?.id === 'string' && { location: `${url.split('?')[0]}/${body.id}` }),
			...given.headers,
			'content-type': 'application/json; charset=utf-8',
		},
		body: JSON.stringify(body),
	}
}
