import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import { Fault } from '@latchwork/core/base'
import {
	type VirtualState,
	virtualBadge,
	virtualBanks,
	virtualClockAdvance,
	virtualDoor,
	virtualFault,
	virtualItem,
	virtualKeypad,
	virtualScan,
	virtualState,
} from '@latchwork/core/wire'
import { strangerOnLoopback } from '@latchwork/edge/loopback'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import {
	createJsonSchemaTransform,
	createJsonSchemaTransformObject,
	hasZodFastifySchemaValidationErrors,
	serializerCompiler,
	validatorCompiler,
	type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { VirtualBank } from './hardware.ts'

/** What its recipient was sent, and its label; where it lies the metal knows. */
export type DemoParcel = Omit<VirtualState['parcels'][number], 'expected' | 'door'>

export interface VirtualServerParts {
	readonly banks: readonly VirtualBank[]
	readonly people: VirtualState['people']
	readonly parcels: readonly DemoParcel[]
	readonly kiosk: () => string
	/** Built page of the virtual bank. */
	readonly web: string
	/** Present under `--virtual-clock`: moves the site's time and resolves when due work is done, or with false when that takes too long. */
	readonly clock?: { now(): number; advance(ms: number, rate?: number): Promise<boolean> }
}

const problem = z.object({ type: z.string(), title: z.string(), status: z.int(), code: z.string(), detail: z.string() })
const bankParams = z.object({ id: z.string() })
const doorParams = z.object({
	id: z.string(),
	n: z
		.string()
		.regex(/^\d{1,4}$/)
		.transform(Number),
})
const clockNow = z.object({ now: z.int() })
const DONE = z.null()

/** Names of the schemas in the OpenAPI document, for those who generate a client from it. */
const SCHEMAS = z.registry<{ id?: string; description?: string }>()
SCHEMAS.add(DONE, { description: 'Done.' })
for (const [id, schema] of Object.entries({
	Problem: problem,
	Banks: virtualBanks,
	State: virtualState,
	Badge: virtualBadge,
	Keypad: virtualKeypad,
	Scan: virtualScan,
	Door: virtualDoor,
	Item: virtualItem,
	Fault: virtualFault,
	ClockMove: virtualClockAdvance,
	ClockNow: clockNow,
}))
	SCHEMAS.add(schema, { id })

const answer = <S extends z.ZodType>(description: string, schema: S) => ({ description, content: { 'application/json': { schema } } })
const refusal = (description: string) => ({ description, content: { 'application/problem+json': { schema: problem } } })
const REFUSALS = {
	400: refusal('The request does not have the documented shape; `detail` names the field.'),
	404: refusal('There is no such bank, door or board; `detail` says which.'),
	409: refusal('Not possible now; `detail` says what stands in the way.'),
}
const ANSWERS = { 204: DONE, ...REFUSALS }
/** The page comes from this origin alone; beside it stands the kiosk's, which has a port of its own. */
const HEADERS = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-src http://127.0.0.1:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	'referrer-policy': 'no-referrer',
	'x-content-type-options': 'nosniff',
	'cache-control': 'no-store',
}

/**
 * The control API of the virtual bank: it touches the emulators only, never the controller; what it does, a hand could do.
 * Every program on the machine may use it, no web page but its own.
 */
export async function virtualServer(parts: VirtualServerParts): Promise<{ app: FastifyInstance; changed: () => void }> {
	const app = fastify({ forceCloseConnections: true, routerOptions: { ignoreDuplicateSlashes: true } })
	acceptEmptyJson(app)
	app.setValidatorCompiler(validatorCompiler)
	app.setSerializerCompiler(serializerCompiler)
	app.addHook('onRequest', async (request, reply) => {
		void reply.headers(HEADERS)
		const stranger = strangerOnLoopback(request.method, request.headers)
		if (stranger) return sendProblem(reply, { code: 'request-invalid', ...stranger })
	})
	app.setErrorHandler((error, _request, reply) => {
		void sendProblem(reply, problemOf(error))
	})
	app.setNotFoundHandler((request, reply) => {
		const detail = `There is nothing at ${request.method} ${request.url.split('?')[0]}. GET /openapi.json lists what there is.`
		return sendProblem(reply, { status: 404, code: 'not-found', detail })
	})
	await app.register(swagger, {
		openapi: {
			openapi: '3.1.0',
			info: {
				title: 'Latchwork virtual bank',
				version: '1',
				description:
					'A bank without metal. Whatever a hand could do at a real one is a request here; the controller sees only bytes on its reader and its lock bus.',
			},
		},
		transform: createJsonSchemaTransform({ schemaRegistry: SCHEMAS }),
		transformObject: (document) => withNames(createJsonSchemaTransformObject({ schemaRegistry: SCHEMAS })(document)),
	})
	const state = (): VirtualState => ({
		banks: parts.banks.map((b) => b.view()),
		people: parts.people,
		parcels: parts.parcels.map((parcel) => {
			const places = parts.banks.map((b) => b.placeOf(parcel.tag))
			const door = places.find((place) => place.door !== undefined)?.door
			return { ...parcel, expected: !places.some(({ been }) => been), ...(door !== undefined && { door }) }
		}),
		kiosk: parts.kiosk(),
		...(parts.clock && { clock: { now: parts.clock.now(), virtual: true as const } }),
	})
	const live = liveEvents(state)
	await app.register(async (scope) => routes(scope, parts, live))
	await app.register(fastifyStatic, { root: parts.web, index: 'index.html' })
	return { app, changed: live.changed }
}

function routes(scope: FastifyInstance, parts: VirtualServerParts, live: ReturnType<typeof liveEvents>): void {
	const app = scope.withTypeProvider<ZodTypeProvider>()
	const bank = (id: string): VirtualBank => {
		const found = parts.banks.find((b) => b.plan.id === id)
		if (!found) throw new Fault('not-found', `There is no bank ${id}. GET /banks lists them.`)
		return found
	}

	app.get(
		'/banks',
		{ schema: { summary: 'Doors, items and pulses as the metal has them', response: { 200: answer('All banks.', virtualBanks) } } },
		async () =>
			parts.banks.map((b) => {
				const { id, name, compartments } = b.view()
				return { id, name, compartments: compartments.map(({ number, door, item, pulses }) => ({ number, door, item, pulses })) }
			}),
	)
	app.get(
		'/state',
		{ schema: { summary: 'Everything, as the page shows it', response: { 200: answer('Banks, people and clock.', virtualState) } } },
		async () => live.state(),
	)
	app.get('/events', { schema: { summary: 'The same after each change, as server-sent events', hide: true } }, (request, reply) => {
		reply.hijack()
		reply.raw.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
		const stop = live.listen((text) => void reply.raw.write(text))
		request.raw.on('close', stop)
	})
	app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
	app.post(
		'/banks/:id/badge',
		{ schema: { summary: 'Holds a badge to the reader', params: bankParams, body: virtualBadge, response: ANSWERS } },
		async ({ params, body }, reply) => {
			bank(params.id).badge(body.number)
			return reply.code(204).send(null)
		},
	)
	app.post(
		'/banks/:id/keypad',
		{ schema: { summary: 'Presses keys', params: bankParams, body: virtualKeypad, response: ANSWERS } },
		async ({ params, body }, reply) => {
			bank(params.id).keypad(body.keys)
			return reply.code(204).send(null)
		},
	)
	app.post(
		'/banks/:id/scan',
		{ schema: { summary: 'Holds a code to the scanner', params: bankParams, body: virtualScan, response: ANSWERS } },
		async ({ params, body }, reply) => {
			bank(params.id).scan(body.text)
			return reply.code(204).send(null)
		},
	)
	app.post(
		'/banks/:id/compartments/:n/door',
		{ schema: { summary: 'Pushes a door shut, or forces it open', params: doorParams, body: virtualDoor, response: ANSWERS } },
		async ({ params, body }, reply) => {
			bank(params.id).door(params.n, body.state)
			return reply.code(204).send(null)
		},
	)
	app.post(
		'/banks/:id/compartments/:n/item',
		{ schema: { summary: 'Puts something in or takes it out; the door must be open', params: doorParams, body: virtualItem, response: ANSWERS } },
		async ({ params, body }, reply) => {
			bank(params.id).item(params.n, body)
			return reply.code(204).send(null)
		},
	)
	app.post(
		'/banks/:id/faults',
		{ schema: { summary: 'Sets a fault', params: bankParams, body: virtualFault, response: ANSWERS } },
		async ({ params, body }, reply) => {
			bank(params.id).fault(body)
			return reply.code(204).send(null)
		},
	)
	app.delete('/banks/:id/faults', { schema: { summary: 'Clears all faults', params: bankParams, response: ANSWERS } }, async ({ params }, reply) => {
		bank(params.id).clearFaults()
		return reply.code(204).send(null)
	})
	app.post(
		'/clock',
		{
			schema: {
				summary: 'Moves the time of the whole site forward, sets its pace, and answers when what came due is done',
				body: virtualClockAdvance,
				response: {
					200: answer('The time of the site now, in milliseconds since 1970.', clockNow),
					...REFUSALS,
					503: refusal('The time was moved, but what came due was not done within 10 s.'),
				},
			},
		},
		async ({ body }, reply) => {
			if (!parts.clock) throw new Fault('request-refused', 'Time is real here. Start with --virtual-clock to move it.')
			const done = await parts.clock.advance((body.advanceSeconds ?? 0) * 1000, body.rate)
			live.changed()
			if (!done) return sendProblem(reply, { status: 503, code: 'request-refused', detail: LATE })
			return reply.send({ now: Math.floor(parts.clock.now()) })
		},
	)
}

const LATE =
	'The time was moved, but a process of the site has not done what came due within 10 s. Look at its log, and ask again with {"advanceSeconds": 0}, which waits once more.'

/** A client that says "JSON" with every request says so with a DELETE too, which has no body. */
function acceptEmptyJson(app: FastifyInstance): void {
	const parse = app.getDefaultJsonParser('error', 'error')
	app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
		if (body === '') done(null, undefined)
		else parse(request, body, done)
	})
}

/** Only what a path uses, each under one name: whether a schema is for a body or an answer is to be seen where it stands. */
function withNames<D extends { paths?: object; components?: { schemas?: object } }>(document: D): D {
	const paths = JSON.stringify(document.paths)
	const schemas = Object.entries(document.components?.schemas ?? {}).filter(([name]) => paths.includes(`"#/components/schemas/${name}"`))
	const plain = (name: string) => name.replace(/Input$/, '')
	return {
		...document,
		paths: JSON.parse(paths.replaceAll(/("#\/components\/schemas\/\w+?)Input"/g, '$1"')),
		components: { ...document.components, schemas: Object.fromEntries(schemas.map(([name, schema]) => [plain(name), schema])) },
	}
}

/** The newest state to every listener, at most once a tick. */
function liveEvents(state: () => VirtualState) {
	const listeners = new Set<(text: string) => void>()
	let planned = false
	const message = () => `data: ${JSON.stringify(state())}\n\n`
	return {
		state,
		listen(listener: (text: string) => void): () => void {
			listeners.add(listener)
			listener(message())
			return () => void listeners.delete(listener)
		},
		changed() {
			if (planned || listeners.size === 0) return
			planned = true
			setImmediate(() => {
				planned = false
				const text = message()
				for (const listener of listeners) listener(text)
			})
		},
	}
}

interface Problem {
	readonly status: number
	readonly code: string
	readonly detail: string
}

function sendProblem(reply: FastifyReply, { status, code, detail }: Problem): FastifyReply {
	const body: z.infer<typeof problem> = { type: `urn:latchwork:problem:${code}`, title: code, status, code, detail }
	return reply.code(status).type('application/problem+json').send(JSON.stringify(body))
}

function problemOf(error: unknown): Problem {
	if (error instanceof Fault) {
		const status = error.code === 'not-found' ? 404 : error.code === 'request-refused' ? 409 : 400
		return { status, code: error.code, detail: error.message }
	}
	if (hasZodFastifySchemaValidationErrors(error)) {
		const [first] = error.validation
		const where = [error.validationContext, ...(first?.instancePath ?? '').split('/')].filter((part) => part).join('.')
		return { status: 400, code: 'request-invalid', detail: `${where}: ${first?.message}` }
	}
	const { statusCode: status = 500, message } = error as { statusCode?: number; message: string }
	if (status < 500) return { status, code: 'request-invalid', detail: message }
	return { status, code: 'internal', detail: 'The virtual bank failed. Its log says why.' }
}
