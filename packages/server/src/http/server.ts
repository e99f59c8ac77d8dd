import type { Server } from 'node:http'
import fastifySwagger from '@fastify/swagger'
import { isPermission } from '@latchwork/core/access'
import { type Clock, Fault, newId, type Random, seats } from '@latchwork/core/base'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { Store } from '../store/index.ts'
import { Raw, Sse } from './answer.ts'
import { apiPage } from './api-page.ts'
import { ABOUT, requireVersion, schemaOf } from './describe.ts'
import type { Claim, Gate, Sealing } from './gate.ts'
import { checkDepth, checkText } from './json.ts'
import { type Rate, rateLimit } from './limits.ts'
import { hasPages, isPageAddress, pages, sendPage } from './pages.ts'
import { type Performed, perform, performPublic } from './perform.ts'
import { Refused, toProblem } from './problem.ts'
import type { Route } from './route.ts'
import { streamSse } from './sse-stream.ts'
import { validator } from './validate.ts'

export interface HttpParts {
	readonly routes: readonly Route[]
	readonly store: Store
	readonly gate: Gate
	readonly sealing: Sealing
	readonly host: { readonly clock: Clock; readonly random: Random; readonly log: (entry: Readonly<Record<string, unknown>>) => void }
	readonly config: HttpConfig
}

export interface HttpConfig {
	readonly host: string
	/** 0: any free port. */
	readonly port: number
	/** Where people reach it, without a slash at the end; left out: where it listens. Changes by a browser's session must come from there. */
	readonly publicUrl?: string
	readonly version: string
	/** Folder of the built console; without it there is the API alone. */
	readonly web?: string
	/** Addresses of proxies whose `X-Forwarded-For` is believed. */
	readonly proxies?: readonly string[]
	readonly callerRate?: Rate
	readonly addressRate?: Rate
}

export interface HttpServer {
	/** Where it listens, without a slash at the end. */
	readonly url: string
	close(): Promise<void>
}

const BODY_LIMIT = 65_536
/** A machine of many requests has a token of its own. */
const CALLER_RATE: Rate = { burst: 600, perSecond: 60 }
/** Sign-in, the API's page, and whoever shows nothing or something wrong. */
const ADDRESS_RATE: Rate = { burst: 300, perSecond: 10 }

/** Live streams of one session or token at a time: the tabs of a browser, and more processes of an integrator than anybody has. */
const MOST_STREAMS = 20

/** Nothing is loaded from elsewhere, nothing is inline, nobody frames it, nothing is kept by caches. */
const HEADERS = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	'x-content-type-options': 'nosniff',
	'x-frame-options': 'DENY',
	'referrer-policy': 'no-referrer',
	'cross-origin-opener-policy': 'same-origin',
	'cross-origin-resource-policy': 'same-origin',
	'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
	'cache-control': 'no-store',
}

/** Listens when it resolves. Throws `config-invalid` for a route that does not say who may use it, `port-in-use` for a taken port. */
export async function httpServer(parts: HttpParts): Promise<HttpServer> {
	for (const route of parts.routes) checkRoute(route)
	const { config, host } = parts
	const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
		const { problem, headers, defect } = toProblem(validationFault(error) ?? wordedFault(error, request) ?? error, request.id)
		if (defect) host.log({ level: 'error', request: request.id, method: request.method, route: request.routeOptions.url, error: wordsOf(error) })
		return reply.code(problem.status).headers(headers).type('application/problem+json').send(JSON.stringify(problem))
	}
	const app = fastify({
		bodyLimit: BODY_LIMIT,
		requestTimeout: 30_000,
		keepAliveTimeout: 65_000,
		forceCloseConnections: true,
		return503OnClosing: true,
		trustProxy: config.proxies === undefined ? false : [...config.proxies],
		genReqId: () => newId('request', host.clock.now(), host.random),
		requestIdHeader: false,
		routerOptions: { maxParamLength: 128 },
		frameworkErrors: (error, request, reply) => void refuse(error, request, reply.headers(HEADERS) as FastifyReply),
		http: { maxHeaderSize: 16_384, headersTimeout: 15_000 },
	})
	const closing = new AbortController()
	const claims = new WeakMap<FastifyRequest, Claim>()
	const url = () => (config.publicUrl ?? listeningAt(app.server, config)).replace(/\/$/, '')
	const secure = config.publicUrl?.startsWith('https:') ?? false
	const callers = rateLimit(host.clock, config.callerRate ?? CALLER_RATE)
	const addresses = rateLimit(host.clock, config.addressRate ?? ADDRESS_RATE)
	const streams = seats()

	app.setValidatorCompiler(validator)
	// Answers are checked and written inside the transaction (perform.ts); what comes here is text already.
	app.setSerializerCompiler(() => (value) => (typeof value === 'string' ? value : JSON.stringify(value)))
	app.removeAllContentTypeParsers()
	const parse = app.getDefaultJsonParser('error', 'error')
	app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
		// A script names the type of every request, also of those that have nothing to say. Where a body is needed, its schema asks for it.
		if (text === '') return done(null, undefined)
		try {
			checkDepth(text)
		} catch (fault) {
			return done(fault as Fault)
		}
		// Two names of fields are refused by the parser though the text is JSON: they would reach into every object.
		parse(request, text, (fault, value) => done(fault && isJson(text) ? new Fault('request-invalid', POISONED) : fault, value))
	})
	app.addHook('onRequest', async (request, reply) => {
		// The site's time, also where that was moved: pages count by it.
		void reply.headers({ ...HEADERS, 'x-request-id': request.id, date: new Date(host.clock.now()).toUTCString() })
	})
	app.addHook('preValidation', async ({ params, query, body }) => {
		for (const [where, given] of Object.entries({ params, query, body })) checkText(given, where)
	})
	app.addHook('onSend', async (request, reply) => {
		if (request.protocol === 'https') void reply.header('strict-transport-security', 'max-age=31536000')
	})
	app.setErrorHandler(refuse)
	const web = config.web !== undefined && hasPages(config.web) ? config.web : undefined
	app.setNotFoundHandler((request, reply) => {
		if (web !== undefined && isPageAddress(request)) return sendPage(reply)
		addresses.take(request.ip)
		const methods = methodsAt(parts.routes, addressOf(request))
		if (methods.length === 0) return refuse(nothingAt(request), request, reply)
		return refuse(
			new Refused(405, `${addressOf(request)} takes ${methods.join(', ')}, and no ${request.method}.`, { allow: methods.join(', ') }),
			request,
			reply,
		)
	})
	await app.register(fastifySwagger, {
		openapi: {
			openapi: '3.1.0',
			info: { ...ABOUT, version: config.version },
			components: {
				securitySchemes: {
					token: { type: 'http', scheme: 'bearer', description: 'An API token, lw_…' },
					session: { type: 'apiKey', in: 'cookie', name: 'latchwork', description: 'Set by POST /v1/sign-ins.' },
				},
			},
			security: [{ token: [] }, { session: [] }],
		},
		transform: (given) => requireVersion(jsonSchemaTransform(given)),
		transformObject: jsonSchemaTransformObject,
	})
	const performing = { store: parts.store, clock: host.clock, gate: parts.gate, sealing: parts.sealing }
	await app.register(async (api) => {
		for (const route of parts.routes) {
			api.route({
				method: route.method,
				url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
				schema: schemaOf(route),
				...(route.bodyLimit && { bodyLimit: route.bodyLimit }),
				onRequest: async (request, reply) => {
					const claim = route.permission === 'public' ? undefined : parts.gate.claimOf(request.headers, secure)
					const allowance = claim ? callers.take(claim.digest) : addresses.take(request.ip)
					void reply.headers({
						'ratelimit-limit': String(allowance.limit),
						'ratelimit-remaining': String(allowance.remaining),
						'ratelimit-reset': String(allowance.reset),
					})
					if (route.permission === 'public') {
						// Nobody's page signs somebody in here under another name.
						if (route.method !== 'GET' && request.headers.origin !== undefined) checkOrigin(request, url())
						return
					}
					if (!claim) throw new Fault('not-signed-in', 'Sign in, or send a token: Authorization: Bearer lw_…')
					if (claim.kind === 'session' && route.method !== 'GET') checkOrigin(request, url())
					claims.set(request, claim)
				},
				handler: async (request, reply) => {
					const gone = new AbortController()
					reply.raw.on('close', () => gone.abort())
					const signal = AbortSignal.any([gone.signal, closing.signal])
					const claim = claims.get(request)
					const performed =
						claim === undefined
							? await performPublic(route, request, signal, host.clock.now())
							: await perform(route, request, claim, signal, performing).catch((fault: unknown) => {
									// Whoever guesses has a new token each time, but not a new address. Those who share it and are known go on.
									if (fault instanceof Fault && fault.code === 'not-signed-in') addresses.take(request.ip)
									throw fault
								})
					return sent(performed, request, reply, signal)
				},
			})
		}
	})
	const sent = async (performed: Performed, request: FastifyRequest, reply: FastifyReply, signal: AbortSignal) => {
		const { status, headers, body, content, still } = performed
		if (content instanceof Sse) {
			const leave = streams.take(claims.get(request)?.digest ?? request.ip, MOST_STREAMS)
			if (!leave)
				throw new Fault('rate-limited', `You have ${MOST_STREAMS} live streams already, which is the most of one session or token: close one.`, {
					detail: { retryAfterSeconds: 60 },
				})
			reply.hijack()
			const all = { ...(reply.getHeaders() as Record<string, string>), ...headers }
			await streamSse(reply.raw, { feed: content.feed, headers: all, signal, still: still ?? (async () => true), clock: host.clock }).catch((fault) =>
				host.log({ level: 'error', request: request.id, route: request.routeOptions.url, error: wordsOf(fault) }),
			)
			leave()
			return
		}
		void reply.code(status).headers(headers)
		if (performed.replayed) void reply.header('idempotency-replayed', 'true')
		const seen = request.headers['if-none-match']
		if (request.method === 'GET' && seen !== undefined && seen === headers.etag) return reply.code(304).send()
		return reply.send(
			content instanceof Raw ? (content.content instanceof Uint8Array ? Buffer.from(content.content) : content.content) : body || undefined,
		)
	}

	apiPage(app, url)
	if (web !== undefined) await pages(app, web)
	await app.listen({ host: config.host, port: config.port }).catch((cause: { code?: string }) => {
		throw cause.code === 'EADDRINUSE'
			? new Fault('port-in-use', `Port ${config.port} is taken by another program. Choose another with LATCHWORK_PORT.`, { cause })
			: cause.code === 'EACCES'
				? new Fault('config-invalid', `This user may not listen at port ${config.port}. Choose one above 1023 with LATCHWORK_PORT.`, { cause })
				: cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND'
					? new Fault('config-invalid', `LATCHWORK_HOST: ${config.host} is no address of this machine.`, { cause })
					: cause
	})
	return {
		url: listeningAt(app.server, config),
		async close() {
			closing.abort()
			await app.close()
		},
	}
}

/** The compiler says so for TypeScript; this says so for whatever else mounted it. */
function checkRoute({ method, path, permission, params, handle }: Route): void {
	const wrong = (text: string) => new Fault('config-invalid', `Route ${method} ${path}: ${text}`)
	if (permission !== 'public' && permission !== 'signed-in' && !isPermission(permission)) throw wrong(`it declares no known permission.`)
	if (typeof handle !== 'function') throw wrong('it has no handler.')
	if (path.includes('{') && params === undefined) throw wrong('its parameters have no schema.')
}

/** A browser says which page asks. A page of another origin, or one that hides where it comes from, changes nothing (T17). */
function checkOrigin(request: FastifyRequest, own: string): void {
	const { origin } = request.headers
	if (origin !== undefined ? origin !== new URL(own).origin : request.headers['sec-fetch-site'] !== 'same-origin')
		throw new Fault('not-permitted', 'This change does not come from a page of this server.')
}

function validationFault(error: unknown): Fault | undefined {
	const { validation, validationContext } = (error ?? {}) as {
		validation?: readonly { instancePath?: string; message?: string }[]
		validationContext?: string
	}
	const [first] = validation ?? []
	if (first === undefined) return undefined
	const where = validationContext === 'querystring' ? 'query' : (validationContext ?? 'request')
	const field = [where, ...(first.instancePath ?? '').split('/').filter(Boolean)].join('.')
	return new Fault('request-invalid', `${field}: ${first.message ?? 'is not as documented'}`, { detail: { field } })
}

const addressOf = ({ url }: FastifyRequest): string => url.split('?')[0]?.slice(0, 200) ?? ''
const nothingAt = (request: FastifyRequest) => new Fault('not-found', `There is nothing at ${request.method} ${addressOf(request)}.`)

/** What an address takes, where it is one of the API. */
const methodsAt = (routes: readonly Route[], address: string): string[] => [
	...new Set(
		routes
			.filter(({ path }) =>
				new RegExp(
					`^${path
						.replaceAll('.', '\\.')
						.replaceAll(/\{\w+\}/g, '[^/]+')
						.replace('*', '.+')}$`,
				).test(address),
			)
			.map(({ method }) => method),
	),
]

const POISONED = 'The body holds a field called __proto__, or prototype within constructor: no field here has such a name.'
function isJson(text: string): boolean {
	try {
		JSON.parse(text)
		return true
	} catch {
		return false
	}
}

/** What the HTTP server itself refuses, in words that say what to do. */
function wordedFault(error: unknown, request: FastifyRequest): Error | undefined {
	if (error instanceof Fault || error instanceof Refused) return undefined
	const { code = '', statusCode } = (error ?? {}) as { code?: string; statusCode?: number }
	switch (code) {
		case 'FST_ERR_CTP_BODY_TOO_LARGE':
			return new Refused(
				413,
				`The body is larger than ${(request.routeOptions.bodyLimit ?? BODY_LIMIT).toLocaleString('en')} bytes, which is the most here.`,
			)
		case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
			return new Refused(415, 'The body must be JSON: send it with Content-Type: application/json.')
		case 'FST_ERR_CTP_INVALID_JSON_BODY':
			return new Fault('request-invalid', 'The body is not JSON: a bracket, a quotation mark or a comma is missing, or one is too many.')
		case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
			return new Fault('request-invalid', 'The body is not as long as Content-Length says.')
		case 'FST_ERR_BAD_URL':
			return new Fault('request-invalid', 'The address holds a % that is not followed by two hex digits of UTF-8.')
		case 'FST_ERR_MAX_PARAM_LENGTH':
			return new Refused(414, 'A part of the address is longer than anything here is called.')
	}
	// Files of the console: what may not be looked at is not there.
	return statusCode === 403 ? nothingAt(request) : undefined
}

function listeningAt(server: Server, config: HttpConfig): string {
	const address = server.address()
	const port = typeof address === 'object' && address ? address.port : config.port
	const host = config.host.includes(':') ? `[${config.host}]` : config.host === '0.0.0.0' ? '127.0.0.1' : config.host
	return `http://${host}:${port}`
}

const wordsOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
