import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { type Clock, Fault, type Id } from '@latchwork/core/base'
import { allDown, type LinkStatus, MAX_LINK_BYTES, upTopic } from '@latchwork/core/wire'
import { MqttClient } from 'mqtt'
import WebSocket, { createWebSocketStream } from 'ws'
import type { DeviceTls } from './device-http.ts'
import type { Connect } from './link.ts'

/** The broker closes a session that is silent for one and a half of these; so do we. */
const KEEP_ALIVE_S = 20
const CONNECT_MS = 15_000
/** So long a broker may take to confirm the last messages. */
const FAREWELL_MS = 1_000

/**
 * One MQTT session over `wss://` or `mqtts://`, with the device's certificate, on a socket without delay. A session is never taken up again: what
 * must not be lost is kept by its sender (the outbox, the table of commands), so nothing waits in the broker or here for a link that is gone.
 */
export function mqttConnect(given: {
	readonly controller: Id<'controller'>
	readonly url: string
	readonly tls: () => DeviceTls
	/** Real time, as sockets have it. */
	readonly clock: Pick<Clock, 'after'>
}): Connect {
	const { controller, url } = given
	const lost: LinkStatus = { v: 1, online: false, reason: 'lost' }
	return (on) => {
		let over = false
		const down = (why: string) => {
			if (over) return
			over = true
			client.end(true)
			on.down(why)
		}
		const client = new MqttClient(() => streamTo(url, given.tls()) as never, {
			protocolVersion: 4,
			clean: true,
			clientId: controller,
			username: controller,
			keepalive: KEEP_ALIVE_S,
			reconnectPeriod: 0,
			connectTimeout: CONNECT_MS,
			queueQoSZero: false,
			will: { topic: upTopic(controller, 'status'), payload: Buffer.from(JSON.stringify(lost)), qos: 1, retain: false },
		})
		let why = 'the connection was closed'
		client.on('error', (error) => {
			why = error.message
		})
		client.on('close', () => down(why))
		client.on('connect', () =>
			client.subscribe(allDown(controller), { qos: 1 }, (fault, granted) => {
				if (over) return
				if (fault || granted?.some(({ qos }) => qos > 2)) return down('the broker does not let us listen')
				on.up()
			}),
		)
		client.on('message', (topic, payload) => {
			if (!over) on.message(topic, payload)
		})
		return {
			publish(channel, text) {
				// Lost with the session; whoever needs it there sends it again.
				if (!over) client.publish(upTopic(controller, channel), text, { qos: 1 }, () => {})
			},
			close: () =>
				new Promise((resolve) => {
					if (over) return resolve()
					over = true
					const cancel = given.clock.after(FAREWELL_MS, () => client.end(true, {}, () => resolve()))
					client.end(false, {}, () => {
						cancel()
						resolve()
					})
				}),
		}
	}
}

function streamTo(address: string, { key, cert, ca }: DeviceTls): Duplex {
	const url = new URL(address)
	const tls = { ca: [...ca], ...(key && { key }), ...(cert && { cert }) }
	switch (url.protocol) {
		case 'wss:': {
			// It sets its socket to no delay itself.
			const socket = new WebSocket(url, ['mqtt'], { ...tls, perMessageDeflate: false, maxPayload: 2 * MAX_LINK_BYTES, handshakeTimeout: CONNECT_MS })
			const stream = createWebSocketStream(socket)
			// A connection that breaks is told to its reader alone; whoever writes would find out by the keep-alive, 20 s later.
			socket.once('close', () => stream.destroy())
			return stream
		}
		case 'mqtts:': {
			const host = url.hostname.replace(/^\[|\]$/g, '')
			return connectTls({ ...tls, host, port: Number(url.port || 8883) }).setNoDelay(true)
		}
		default:
			throw new Fault('config-invalid', `server.mqtt: ${address} must begin with wss:// or mqtts://.`)
	}
}
