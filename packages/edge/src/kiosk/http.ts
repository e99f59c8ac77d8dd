import { timingSafeEqual } from 'node:crypto'
import fastifyStatic from '@fastify/static'
import { Fault } from '@latchwork/core/base'
import { type KioskAct, type KioskView, kioskAct } from '@latchwork/core/wire'
import fastify, { type FastifyInstance } from 'fastify'
import { strangerOnLoopback } from './loopback.ts'

export interface KioskHttpParts {
	/** Built kiosk page. */
	readonly web: string
	readonly port: number
	readonly view: () => KioskView
	/** False: the screen has moved on. */
	readonly act: (turn: number, act: KioskAct) => boolean
	readonly health: () => object
	/** Acts of a person who has this machine's own token (`operator.token`, readable by its user only). */
	readonly operator: { readonly token: string; readonly settle: (body: unknown) => object }
}

export interface KioskHttp {
	readonly url: string
	/** Sends the newest view to every open page. */
	changed(): void
	close(): Promise<void>
}

/** A page that hears nothing for two and a half of these says that it is cut off; a controller under load is not that slow. */
const HEARTBEAT_MS = 3_000
/** The page comes from this origin alone and needs nothing inline. */
const HEADERS = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' http://127.0.0.1:*",
	'referrer-policy': 'no-referrer',
	'x-content-type-options': 'nosniff',
	'cache-control': 'no-store',
}

/**
 * What the browser of the kiosk talks to. Loopback only: whoever can reach this port can touch the screen, nothing more;
 * it opens no door that a person at the kiosk could not open. Pages of other origins are kept out.
 */
export async function kioskHttp(parts: KioskHttpParts): Promise<KioskHttp> {
	// The address of the kiosk ends in a slash, and scripts put another one behind it.
	const app = fastify({ forceCloseConnections: true, bodyLimit: 16_384, routerOptions: { ignoreDuplicateSlashes: true } })
	app.addHook('onRequest', async (request, reply) => {
		void reply.headers(HEADERS)
		const stranger = strangerOnLoopback(request.method, request.headers)
		if (stranger) return reply.code(stranger.status).send(problem(stranger.status, 'request-invalid', stranger.detail))
	})
	app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
		if (error instanceof Fault) return reply.code(statusOf(error)).send(problem(statusOf(error), error.code, error.message))
		const status = error.statusCode ?? 500
		return reply
			.code(status)
			.send(
				problem(
					status,
					status < 500 ? 'request-invalid' : 'internal',
					status < 500 ? error.message : 'The controller could not do this. Its journal says what is known.',
				),
			)
	})
	app.setNotFoundHandler((request, reply) =>
		reply.code(404).send(problem(404, 'not-found', `There is nothing at ${request.method} ${request.url.split('?')[0]} on this kiosk.`)),
	)
	const pages = livePages(app, parts.view)
	app.get('/health', async () => parts.health())
	app.get('/api/view', async () => parts.view())
	app.post('/api/act', async (request, reply) => {
		const body = kioskAct.safeParse(request.body)
		if (!body.success)
			return reply
				.code(400)
				.send(problem(400, 'request-invalid', `Not an act of this kiosk: ${body.error.issues[0]?.path.join('.')} ${body.error.issues[0]?.message}`))
		return parts.act(body.data.turn, body.data.act)
			? reply.code(204).send()
			: reply.code(409).send(problem(409, 'request-refused', 'The screen has moved on.'))
	})
	app.post('/api/operator/settle', async (request, reply) => {
		if (!sameToken(request.headers.authorization, parts.operator.token))
			return reply.code(401).send(problem(401, 'request-refused', 'This needs the operator token of this machine.'))
		return parts.operator.settle(request.body)
	})
	await app.register(fastifyStatic, { root: parts.web, index: 'index.html' })
	await app.listen({ host: '127.0.0.1', port: parts.port }).catch((cause: { code?: string }) => {
		throw cause.code === 'EADDRINUSE'
			? new Fault('port-in-use', `Port ${parts.port} is taken by another program. Choose another in edge.json, or with LATCHWORK_PORT.`, { cause })
			: cause
	})
	const address = app.server.address()
	const port = typeof address === 'object' && address ? address.port : parts.port
	return {
		url: `http://127.0.0.1:${port}/`,
		changed: pages.changed,
		async close() {
			pages.close()
			await app.close()
		},
	}
}

/** Understood and refused; or there is no such thing; or not now, as nothing can be recorded. */
const statusOf = ({ code }: Fault): number => (code === 'not-found' ? 404 : code === 'journal-full' ? 503 : 409)

const problem = (status: number, code: string, detail: string) => ({ type: `urn:latchwork:problem:${code}`, title: code, status, code, detail })

function sameToken(header: string | undefined, token: string): boolean {
	const given = Buffer.from(header ?? '')
	const wanted = Buffer.from(`Bearer ${token}`)
	return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/**
 * Server-sent events: the whole view after each change, at most once a tick. Between them a beat that the page can see, with
 * the milliseconds to the next: a controller that hangs keeps its connection open, so silence is the only sign of it.
 */
function livePages(app: FastifyInstance, view: () => KioskView) {
	const open = new Set<{ write(text: string): void; end(): void }>()
	let planned = false
	const message = () => `data: ${JSON.stringify(view())}\n\n`
	const beat = `event: beat\ndata: ${HEARTBEAT_MS}\n\n`
	app.get('/api/screen', (request, reply) => {
		reply.hijack()
		reply.raw.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
		const page = { write: (text: string) => void reply.raw.write(text), end: () => void reply.raw.end() }
		open.add(page)
		page.write(message())
		page.write(beat)
		const beats = setInterval(() => page.write(beat), HEARTBEAT_MS)
		request.raw.on('close', () => {
			clearInterval(beats)
			open.delete(page)
		})
	})
	return {
		changed() {
			if (planned || open.size === 0) return
			planned = true
			setImmediate(() => {
				planned = false
				const text = message()
				for (const page of open) page.write(text)
			})
		},
		close() {
			for (const page of open) page.end()
		},
	}
}
