import { timingSafeEqual } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { Aedes, type AuthenticateError, type Client, type ConnectPacket } from 'aedes'
import type { BrokerTally } from './broker-lines.ts'
import type { DeviceIdentity } from './device-check.ts'
import { mayReceive, maySubscribe, refusesPublish } from './gate.ts'
import { watchedStream } from './watched-stream.ts'

export interface MqttBroker {
	/** `who`: proven by the connection; `'server'` has yet to say the secret. */
	take(connection: Duplex, who: DeviceIdentity | 'server', address: string): void
	connected(): number
	close(): Promise<void>
}

/** A controller pings at least so often, whatever it asked for; silent for half as much again, it is gone. */
const MOST_KEEPALIVE_S = 120
const CONNECT_WITHIN_MS = 10_000
/** Nobody may subscribe to it: what is refused ends there, acknowledged, so that it is not sent again. */
const NOWHERE = 'dropped'
const MOST_HALF_DONE = 16

/** MQTT 3.1.1 by aedes; the gate decides. Sessions do not outlive their connection: what is owed is kept at its owner's disk, not here. */
export async function openMqttBroker({ secret, tally }: { readonly secret: string; readonly tally: BrokerTally }): Promise<MqttBroker> {
	const peers = new WeakMap<Duplex, { readonly who: DeviceIdentity | 'server'; readonly address: string }>()
	const peerOf = (client: Client | null) => client && peers.get(client.conn as Duplex)
	/** From its first subscription to its end. */
	let serverListens = false
	const aedes = new Aedes({
		connectTimeout: CONNECT_WITHIN_MS,
		maxInflightInbound: MOST_HALF_DONE,
		maxTopicLevels: 8,

		preConnect(client, packet, done) {
			const peer = peerOf(client)
			if (peer && peer.who !== 'server') admitOnOurTerms(packet, peer.who)
			done(null, peer !== undefined)
		},

		authenticate(client, _, password, done) {
			const peer = peerOf(client)
			if (peer?.who === 'server') {
				if (sameSecret(password, secret)) return done(null, true)
				tally.tell({ what: 'refused-secret' })
				return done(refusal(4), false)
			}
			// Confirmed to a controller and heard by nobody, its messages would wait for its patience to end.
			if (!serverListens) {
				tally.count('refused-early')
				return done(refusal(3), false)
			}
			const about = { ...nameOf(peer?.who), ...(peer && { address: peer.address }) }
			// Whoever says another's name would throw the other out (trust.md T11).
			if (client.id !== peer?.who.controller) {
				tally.tell({ what: 'refused-client-id', ...about, text: `said to be ${client.id.slice(0, 80)}` })
				return done(refusal(2), false)
			}
			if (client.id in clients()) tally.tell({ what: 'taken-over', ...about })
			tally.count('accepted')
			done(null, true)
		},

		authorizePublish(client, packet, done) {
			const who = peerOf(client)?.who
			if (who !== 'server' && client) {
				const refused = who ? refusesPublish(who.controller, { ...packet, retain: packet.retain === true }) : 'topic'
				if (refused) {
					tally.tell({ what: `dropped-${refused}`, ...nameOf(who), text: packet.topic.slice(0, 120) })
					Object.assign(packet, { topic: NOWHERE, payload: Buffer.alloc(0), retain: false })
				}
			}
			done(null)
		},

		authorizeSubscribe(client, subscription, done) {
			const who = peerOf(client)?.who
			if (who === 'server' || (who && maySubscribe(who.controller, subscription.topic))) return done(null, subscription)
			tally.tell({ what: 'dropped-subscription', ...nameOf(who), text: subscription.topic.slice(0, 120) })
			// Failure by the return code of MQTT 3.1.1 §3.9.3; the connection stays.
			done(null, null)
		},

		authorizeForward(client, packet) {
			const who = peerOf(client)?.who
			return who === 'server' || (who && mayReceive(who.controller, packet.topic)) ? packet : null
		},
	})

	aedes.on('subscribe', (_, client) => {
		if (peerOf(client)?.who === 'server') serverListens = true
	})
	aedes.on('clientDisconnect', (client) => {
		if (peerOf(client)?.who === 'server') serverListens = false
	})

	/** aedes keeps them by client id; its types do not say so. */
	const clients = () => (aedes as unknown as { readonly clients: Readonly<Record<string, Client>> }).clients

	function admitOnOurTerms(packet: ConnectPacket, who: DeviceIdentity) {
		packet.clean = true
		packet.keepalive = Math.min(packet.keepalive || MOST_KEEPALIVE_S, MOST_KEEPALIVE_S)
		const { will } = packet
		if (will && refusesPublish(who.controller, { topic: will.topic, retain: will.retain === true, payload: will.payload })) {
			tally.tell({ what: 'dropped-will', ...nameOf(who), text: will.topic.slice(0, 120) })
			delete packet.will
		}
	}

	await aedes.listen()
	// A client's fault is its own; without a listener it would be the broker's end.
	for (const event of ['clientError', 'connectionError'] as const) aedes.on(event, () => {})
	aedes.on('keepaliveTimeout', () => tally.count('silent'))

	return {
		take(connection, who, address) {
			const stream = watchedStream(connection, (fault) =>
				tally.tell({ what: fault === 'size' ? 'too-long' : 'malformed', ...(who !== 'server' && nameOf(who)), address }),
			)
			peers.set(stream, { who, address })
			aedes.handle(stream)
		},
		connected: () => aedes.connectedClients,
		close: () => new Promise((done) => aedes.close(() => done())),
	}
}

const nameOf = (who: DeviceIdentity | 'server' | undefined) => (who && who !== 'server' ? { controller: who.controller, tenant: who.tenant } : {})

const refusal = (returnCode: number): AuthenticateError => Object.assign(new Error('not let in'), { returnCode }) as AuthenticateError

function sameSecret(given: Buffer | undefined, secret: string): boolean {
	const wanted = Buffer.from(secret)
	return given?.length === wanted.length && timingSafeEqual(given, wanted)
}
