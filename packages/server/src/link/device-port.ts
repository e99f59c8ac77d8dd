import { type Server as HttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'
import { createServer as createTls, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { seats } from '@latchwork/core/base'
import { LINK_PATH, MAX_POSTED_BYTES } from '@latchwork/core/wire'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { BrokerStart, BrokerState, BrokerTally } from './broker-lines.ts'
import { checkDevice, type DeviceIdentity, type DeviceTrust, trustOf } from './device-check.ts'
import type { MqttBroker } from './mqtt-broker.ts'

export interface DevicePort {
	readonly device: number
	readonly mqtts: number | undefined
	/** Who is let in from now on; who may no longer stay is put out at once. */
	update(state: Pick<BrokerState, 'port' | 'authorities' | 'revoked'>): void
	/** Puts out whose certificate has run out meanwhile. */
	sweep(): void
	close(): Promise<void>
}

export interface DevicePortParts {
	readonly start: Pick<BrokerStart, 'device' | 'mqtts' | 'upstream' | 'state'>
	/** Undefined: messages go by another broker. */
	readonly broker: MqttBroker | undefined
	/** The server's time. */
	readonly now: () => number
	readonly tally: BrokerTally
}

const MOST_CONNECTIONS = 20_000
/** Handshake, headers, a whole request: nobody holds a place by sending slowly. */
const LIMITS = {
	handshakeTimeout: 10_000,
	headersTimeout: 10_000,
	requestTimeout: 60_000,
	keepAliveTimeout: 75_000,
	connectionsCheckingInterval: 2_000,
}
const UPSTREAM_MS = 30_000
/** Of one certificate of ours; of one address without any: a controller needs three. */
const MOST_OF_ONE = 16
/** Of one address before the handshake has said who it is: behind one may stand a whole site that comes back at once. */
const MOST_SHAKING = 512
const MOST_WS_BYTES = 262_144

/**
 * The one port for controllers: HTTPS and MQTT over WebSocket, and MQTT over TLS beside it where wanted. TLS proves that the other side holds its key;
 * whose certificate it is, `checkDevice` says. No list of authorities is offered in the handshake: it would tell strangers who our tenants are.
 */
export async function openDevicePort({ start, broker, now, tally }: DevicePortParts): Promise<DevicePort> {
	let trust: DeviceTrust = []
	let revoked: ReadonlySet<string> = new Set()
	/** Every open connection of somebody whom we know. */
	const known = new Map<Socket, DeviceIdentity>()

	/** Who it is now, or why it is not let in; a certificate can run out or be revoked while its connection stands. */
	const judge = (socket: TLSSocket) => {
		const check = checkDevice(socket.getPeerX509Certificate()?.raw, trust, now())
		return check.ok && revoked.has(check.fingerprint) ? ({ ...check, ok: false, why: 'revoked' } as const) : check
	}

	const enter = (socket: TLSSocket): DeviceIdentity | undefined => {
		const check = judge(socket)
		if (check.ok) {
			known.set(socket, check)
			socket.once('close', () => known.delete(socket))
			return check
		}
		tally.tell({
			what: `refused-${check.why}`,
			...('controller' in check && { controller: check.controller, tenant: check.tenant }),
			address: addressOf(socket),
		})
		return undefined
	}

	const putOut = () => {
		for (const [socket, { fingerprint, expiresAt, controller, tenant }] of known) {
			const what = revoked.has(fingerprint) ? 'ended-revoked' : now() >= expiresAt ? 'ended-expired' : undefined
			if (what === undefined) continue
			tally.tell({ what, controller, tenant })
			socket.destroy()
		}
	}

	const proxy = proxyTo(start.upstream, tally)
	const secure = { ...LIMITS, requestCert: true, rejectUnauthorized: false, ...contextOf(start.state.port) }
	const https = createHttps(secure, proxy)
	https.maxConnections = MOST_CONNECTIONS
	const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MOST_WS_BYTES, handleProtocols: () => 'mqtt' })
	https.on('upgrade', (incoming: IncomingMessage, socket: TLSSocket, head: Buffer) => {
		// The HTTP server lets go of the socket here: what goes wrong on it is ours.
		socket.on('error', () => socket.destroy())
		socket.setNoDelay(true)
		if (!broker || incoming.url !== LINK_PATH || !offersMqtt(incoming)) return refuseUpgrade(socket, '404 Not Found', tally)
		const who = enter(socket)
		if (!who) return refuseUpgrade(socket, '403 Forbidden', tally)
		sockets.handleUpgrade(incoming, socket, head, (ws) => broker.take(createWebSocketStream(ws), who, addressOf(socket)))
	})

	const mqtts = start.mqtts && broker ? createTls({ ...secure, ...LIMITS }) : undefined
	mqtts?.on('secureConnection', (socket: TLSSocket) => {
		socket.on('error', () => socket.destroy())
		socket.setNoDelay(true)
		if (socket.destroyed) return
		const who = enter(socket)
		if (who && broker) broker.take(socket, who, addressOf(socket))
		else socket.destroy()
	})
	const places = seats()
	const refuseMany = (socket: Socket) => {
		tally.tell({ what: 'refused-many', address: addressOf(socket) })
		socket.destroy()
	}
	/** A place until the handshake says whose the connection is, by the address and port that it comes from. */
	const shaking = new Map<string, () => void>()
	const shake = (socket: Socket) => {
		// Set before the handshake: its last message waits for nobody either.
		socket.setNoDelay(true)
		const leave = places.take(`shaking ${addressOf(socket)}`, MOST_SHAKING)
		if (!leave) return refuseMany(socket)
		const from = endOf(socket)
		const left = () => {
			leave()
			if (shaking.get(from) === left) shaking.delete(from)
		}
		shaking.set(from, left)
		socket.once('close', left)
	}
	/** A certificate is a place of its own only if it is of ours: a stranger makes as many as he likes. */
	const seat = (socket: TLSSocket) => {
		shaking.get(endOf(socket))?.()
		const check = judge(socket)
		const leave = places.take('fingerprint' in check ? check.fingerprint : addressOf(socket), MOST_OF_ONE)
		if (leave) socket.once('close', leave)
		else refuseMany(socket)
	}

	for (const server of [https, mqtts]) {
		server?.prependListener('connection', shake)
		server?.prependListener('secureConnection', seat)
		server?.on('tlsClientError', (_, socket: TLSSocket) => socket.destroy())
	}

	const update: DevicePort['update'] = (state) => {
		trust = trustOf(state.authorities)
		revoked = new Set(state.revoked)
		for (const server of [https, mqtts]) server?.setSecureContext(contextOf(state.port))
		putOut()
	}
	update(start.state)
	const device = await listen(https, start.device)
	const mqttsPort = mqtts && start.mqtts ? await listen(mqtts, start.mqtts) : undefined
	return {
		device,
		mqtts: mqttsPort,
		update,
		sweep: putOut,
		async close() {
			for (const socket of known.keys()) socket.destroy()
			https.closeAllConnections()
			await Promise.all([https, mqtts].map((server) => new Promise<void>((done) => (server ? server.close(() => done()) : done()))))
		},
	}
}

const contextOf = ({ certificate, key }: BrokerState['port']): SecureContextOptions => ({ cert: certificate, key, ca: [], minVersion: 'TLSv1.2' })

function listen(server: HttpServer | NetServer, { host, port }: BrokerStart['device']): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once('error', reject)
		server.listen(port, host, () => {
			server.off('error', reject)
			const address = server.address()
			resolve(typeof address === 'object' && address ? address.port : port)
		})
	})
}

const addressOf = (socket: Socket): string => socket.remoteAddress ?? ''
const endOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`

const offersMqtt = ({ headers }: IncomingMessage): boolean =>
	(headers['sec-websocket-protocol'] ?? '').split(',').some((name) => name.trim() === 'mqtt')

function refuseUpgrade(socket: Socket, status: string, tally: BrokerTally): void {
	if (status.startsWith('404')) tally.count('refused-path')
	socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

/** Headers of one connection, not of the message (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set([
	'connection',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
	'expect',
])
const OURS = 'x-latchwork-'

/**
 * `/device/…` goes on to the server, with the certificate that came and nothing that says what to think of it: the server looks into its own books.
 */
function proxyTo(socketPath: string, tally: BrokerTally) {
	return (incoming: IncomingMessage, answer: ServerResponse) => {
		tally.count('requests')
		const refuse = (status: number, text: string, code = 'request-invalid') => {
			tally.count('requests-refused')
			if (answer.headersSent) return void answer.destroy()
			const body = JSON.stringify({ type: 'about:blank', title: text, status, code })
			answer
				.writeHead(status, { 'content-type': 'application/problem+json', connection: 'close', ...(status === 503 && { 'retry-after': '5' }) })
				.end(body)
		}
		const { method = '', url = '' } = incoming
		if (!url.startsWith('/device/')) return refuse(404, 'There is nothing at this address of the device port.', 'not-found')
		if (method !== 'GET' && method !== 'POST') return refuse(405, 'Only GET and POST.')
		if (Number(incoming.headers['content-length'] ?? 0) > MAX_POSTED_BYTES) return refuse(413, `At most ${MAX_POSTED_BYTES} bytes.`)
		const socket = incoming.socket as TLSSocket
		const headers = Object.fromEntries(
			Object.entries(incoming.headers).filter(([name]) => !HOP_BY_HOP.has(name) && !name.startsWith(OURS) && name !== 'host'),
		)
		const der = socket.getPeerX509Certificate()?.raw
		const outgoing = request({
			socketPath,
			method,
			path: url,
			timeout: UPSTREAM_MS,
			headers: {
				...headers,
				host: 'device',
				[`${OURS}address`]: addressOf(socket),
				...(der && { [`${OURS}certificate`]: der.toString('base64url') }),
			},
		})
		outgoing.once('timeout', () => outgoing.destroy())
		outgoing.once('error', () => refuse(503, 'The server does not answer. Try again in a moment.', 'database-unavailable'))
		outgoing.once('response', (incomingAnswer) => {
			const kept = Object.entries(incomingAnswer.headers).filter(([name]) => !HOP_BY_HOP.has(name))
			answer.writeHead(incomingAnswer.statusCode ?? 502, Object.fromEntries(kept))
			incomingAnswer.pipe(answer)
			incomingAnswer.once('error', () => answer.destroy())
			answer.once('close', () => incomingAnswer.destroy())
		})
		let bytes = 0
		incoming.on('data', (chunk: Buffer) => {
			bytes += chunk.length
			if (bytes <= MAX_POSTED_BYTES) return
			outgoing.removeAllListeners('error').on('error', () => {})
			outgoing.destroy()
			refuse(413, `At most ${MAX_POSTED_BYTES} bytes.`)
		})
		incoming.once('error', () => outgoing.destroy())
		incoming.pipe(outgoing)
	}
}
