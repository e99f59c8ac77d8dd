import { chmodSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { writeMintKeys } from '@latchwork/core/access'
import { type Clock, Fault, isId, newId, type Random, toBase64 } from '@latchwork/core/base'
import { enrolmentRequest, type LinkAck, MAX_POSTED_BYTES, MINT_KEYS_HEADER, readUp, renewalRequest, SITE_KEY_HEADER } from '@latchwork/core/wire'
import fastify, { type FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { type Rate, rateLimit, toProblem } from '../http/index.ts'
import type { StreamAnswer } from '../ledger/index.ts'
import type { Store } from '../store/index.ts'
import { isOnBooks } from './books.ts'
import { checkDevice, type DeviceCheck, type DeviceTrust } from './device-check.ts'
import type { Directory, LinkSender } from './directory.ts'
import { type EnrolmentParts, enrol, renew } from './enrolment.ts'
import type { BankDocument, LinkHandlers, LinkIncident } from './handlers.ts'
import type { SignedTime } from './signed-time.ts'

export interface DeviceRouteParts {
	/** Unix socket on which the broker child finds them. */
	readonly path: string
	readonly store: Store
	readonly clock: Clock
	readonly random: Random
	readonly trust: () => DeviceTrust
	readonly directory: Directory
	readonly handlers: LinkHandlers
	readonly enrolment: EnrolmentParts
	readonly time: SignedTime
	/** Tries of one address to become a controller. */
	readonly enrolmentRate?: Rate
	readonly incident: (incident: LinkIncident) => void
}

/** A machine tries a claim a few times; who tries often is guessing. */
const ENROLMENTS: Rate = { burst: 10, perSecond: 10 / 60 }
/** Of one machine that was let in before, from wherever: a code has few digits. */
const OWN_ENROLMENTS: Rate = { burst: 20, perSecond: 1 / 60 }
const ALL_ENROLMENTS: Rate = { burst: 300, perSecond: 5 }
const RENEWALS: Rate = { burst: 10, perSecond: 1 / 60 }
const REQUESTS: Rate = { burst: 60, perSecond: 10 }

/**
 * `/device/v1/…`, behind the broker child, which hands on the certificate as it came: everything is judged here, by our own books. A controller sees
 * its own bank and nothing else.
 */
export async function openDeviceRoutes(parts: DeviceRouteParts): Promise<{ close(): Promise<void> }> {
	const { clock, handlers } = parts
	const limits = {
		enrolments: rateLimit(clock, parts.enrolmentRate ?? ENROLMENTS),
		own: rateLimit(clock, OWN_ENROLMENTS),
		all: rateLimit(clock, ALL_ENROLMENTS),
		renewals: rateLimit(clock, RENEWALS),
		requests: rateLimit(clock, REQUESTS),
	}
	const app = fastify({ bodyLimit: MAX_POSTED_BYTES, forceCloseConnections: true, genReqId: () => newId('request', clock.now(), parts.random) })
	app.removeAllContentTypeParsers()
	app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
	app.setErrorHandler((error, request, reply) => {
		const { problem, headers, defect } = toProblem(error, request.id)
		if (defect) parts.incident({ code: 'failed', text: `${request.method} ${request.routeOptions.url}`, cause: error })
		else if (problem.code === 'claim-invalid' || problem.code === 'certificate-invalid' || problem.code === 'rate-limited')
			parts.incident({ code: problem.code, ...nameOf(presented(request)), text: `${request.method} ${request.routeOptions.url}` })
		return reply.code(problem.status).headers(headers).type('application/problem+json').send(JSON.stringify(problem))
	})
	app.setNotFoundHandler(() => {
		throw new Fault('not-found', 'There is nothing at this address of the device port.')
	})

	const presented = (request: FastifyRequest): DeviceCheck => {
		const { 'x-latchwork-certificate': der } = request.headers
		return checkDevice(typeof der === 'string' ? Buffer.from(der, 'base64url') : undefined, parts.trust(), clock.now())
	}
	const addressOf = ({ headers: { 'x-latchwork-address': address } }: FastifyRequest) => (typeof address === 'string' ? address : '')

	/** The controller that asks. Throws `certificate-invalid`. */
	const sender = async (request: FastifyRequest): Promise<LinkSender> => {
		const check = presented(request)
		if (!check.ok) throw new Fault('certificate-invalid', WORDS[check.why])
		limits.requests.take(check.controller)
		const found = await parts.directory.find(check.controller)
		const valid = found?.tenant === check.tenant && (await parts.store.read(check.tenant, (db) => isOnBooks(db, check.controller, check.fingerprint)))
		if (!found || !valid) throw new Fault('certificate-invalid', 'This certificate was revoked. Enrol the controller again with a claim token.')
		return found
	}

	app.post('/device/v1/enrolments', async (request, reply) => {
		limits.all.take('')
		limits.enrolments.take(addressOf(request))
		const check = presented(request)
		if ('controller' in check) limits.own.take(check.controller)
		return reply.code(201).send(await enrol(parts.enrolment, bodyOf(request, enrolmentRequest), check))
	})
	app.post('/device/v1/renewals', async (request) => {
		const check = presented(request)
		limits.renewals.take('controller' in check ? check.controller : addressOf(request))
		return renew(parts.enrolment, bodyOf(request, renewalRequest).csr, check)
	})
	for (const what of ['bundle', 'lease'] as const)
		app.get<{ Params: { bank: string }; Querystring: { deltas?: string; people?: string } }>(
			`/device/v1/banks/:bank/${what}`,
			async (request, reply) => {
				const who = await sender(request)
				const found =
					request.params.bank === who.bank
						? await handlers[what](who, { deltas: numberOf(request.query.deltas), people: numberOf(request.query.people) })
						: undefined
				if (!found) throw new Fault('not-found', `There is no ${what} for this bank yet, or it is another controller’s.`)
				reply.header('etag', tagOf(found)).header('cache-control', 'no-store')
				if (request.headers['if-none-match'] === tagOf(found)) return reply.code(304).send()
				if (found.siteKey) reply.header(SITE_KEY_HEADER, toBase64(found.siteKey))
				if (found.mintKeys) reply.header(MINT_KEYS_HEADER, writeMintKeys(found.mintKeys))
				reply.type('application/json').header('vary', 'accept-encoding')
				if (found.text.length < WORTH_PACKING || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(found.text)
				return reply.header('content-encoding', 'gzip').send(await gzip(found.text, { level: 1 }))
			},
		)
	app.post('/device/v1/events', async (request): Promise<LinkAck> => {
		const who = await sender(request)
		const read = readUp('events', request.body as Buffer, MAX_POSTED_BYTES)
		if (!read.ok) throw new Fault('request-invalid', read.text)
		return ackOf(await handlers.ingest(who, read.message))
	})
	app.get<{ Querystring: { ask?: string } }>('/device/v1/time', async (request) => {
		const { tenant } = await sender(request)
		const { ask = '' } = request.query
		if (!/^[A-Za-z0-9_-]{8,80}$/.test(ask)) throw new Fault('request-invalid', 'ask: 8 to 80 letters, digits, - or _, unlike any other.')
		return { signed: await parts.time(tenant, ask) }
	})

	const isFile = !parts.path.startsWith('\\\\.\\')
	// A socket file that a killed server left behind is nobody's.
	if (isFile) rmSync(parts.path, { force: true })
	await app.listen({ path: parts.path })
	if (isFile) chmodSync(parts.path, 0o600)
	return { close: () => app.close() }
}

const WORDS: Readonly<Record<Extract<DeviceCheck, { ok: false }>['why'], string>> = {
	none: 'This needs the certificate of a controller.',
	foreign: 'This certificate is not one of ours.',
	malformed: 'This is not the certificate of a controller.',
	expired: 'This certificate has run out; renew it.',
	'not-yet': 'This certificate is not valid yet.',
}

/** One answer for HTTP: what stands in the way goes before what is done. */
function ackOf({ stream, seq, want, refused }: StreamAnswer): LinkAck {
	if (refused) return { v: 1, stream, refused }
	return want ? { v: 1, stream, want } : { v: 1, stream, seq }
}

function bodyOf<S extends z.ZodType>(request: FastifyRequest, schema: S): z.output<S> {
	let value: unknown
	try {
		value = JSON.parse((request.body as Buffer | undefined)?.toString('utf8') ?? '')
	} catch (cause) {
		throw new Fault('request-invalid', 'The body is not JSON.', { cause })
	}
	const parsed = schema.safeParse(value)
	if (parsed.success) return parsed.data
	const [issue] = parsed.error.issues
	const field = issue?.path.map(String).join('.') || 'body'
	throw new Fault('request-invalid', `${field}: ${issue?.message ?? 'not allowed'}`, { detail: { field } })
}

/** Shorter ones gain nothing. Packed at the lowest level: digests do not get shorter, whatever time is spent on them. */
const WORTH_PACKING = 16_384
const gzip = promisify(zlib.gzip) as (text: string, options: zlib.ZlibOptions) => Promise<Buffer>

/** What it says of the deltas that it knows decides nothing but whether it gets a newer bundle. */
const numberOf = (text: string | undefined): number | undefined => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined)
const tagOf = ({ digest }: BankDocument) => `"${digest}"`
const nameOf = (check: DeviceCheck) => ('controller' in check && isId('controller', check.controller) ? { controller: check.controller } : {})
