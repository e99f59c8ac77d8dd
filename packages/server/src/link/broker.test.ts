import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { fakeClock, seededRandom } from '@latchwork/core/base'
import { ALL_UP, allDown, downTopic, LINK_DOWN, LINK_UP, MAX_LINK_BYTES, MAX_POSTED_BYTES, upTopic } from '@latchwork/core/wire'
import type { MqttClient } from 'mqtt'
import { socketPaths } from './broker.ts'
import { DAY_MS } from './pki.ts'
import { happened, type LinkSite, linkSite, message, newAuthority, type TestDevice } from './testing/site.ts'

const ups = Object.keys(LINK_UP) as (keyof typeof LINK_UP)[]
const downs = Object.keys(LINK_DOWN) as (keyof typeof LINK_DOWN)[]

/** Connected, or how it ended instead. */
async function outcome(client: MqttClient): Promise<'connected' | 'refused'> {
	const how = await Promise.race([
		happened(client, 'connect').then(() => 'connected' as const),
		happened(client, 'close').then(() => 'refused' as const),
	])
	if (how === 'refused') await client.endAsync(true)
	return how
}

describe('the broker child', () => {
	let site: LinkSite
	let server: MqttClient
	let mine: TestDevice
	let other: TestDevice
	before(async () => {
		site = await linkSite()
		server = site.internal()
		await happened(server, 'connect')
		mine = await site.device()
		// Nobody is let in before somebody hears what they say.
		const early = site.connect(mine)
		assert.equal(await outcome(early), 'refused')
		await server.subscribeAsync(ALL_UP, { qos: 1 })
		other = await site.device({ tenant: site.tenants[1] })
	})
	after(() => site.close())

	const connected = async (device: TestDevice, options: Parameters<LinkSite['connect']>[1] = {}) => {
		const client = site.connect(device, options)
		await happened(client, 'connect')
		return client
	}
	/** Every message that reaches `client` until `mark` does. */
	const until = (client: MqttClient, mark: string) =>
		new Promise<{ topic: string; text: string }[]>((resolve) => {
			const seen: { topic: string; text: string }[] = []
			const hear = (topic: string, payload: Buffer) => {
				const text = payload.toString()
				if (text !== mark) return void seen.push({ topic, text })
				client.off('message', hear)
				resolve(seen)
			}
			client.on('message', hear)
		})

	for (const mqtts of [false, true]) {
		const way = mqtts ? 'over TLS' : 'over WebSocket'

		test(`${way}, the right certificate is let in, and no other`, async () => {
			const now = Date.now()
			const stranger = await newAuthority(site.tenants[0], now)
			const attempt = async (device: TestDevice | undefined, options: { clientId?: string } = {}) => {
				const client = site.connect(device, { mqtts, ...options })
				const how = await outcome(client)
				await client.endAsync(true)
				return how
			}
			const revoked = await site.device()
			assert.equal(await attempt(revoked), 'connected')
			site.revoke(revoked.fingerprint)
			assert.equal(await attempt(await site.device()), 'connected')
			assert.equal(await attempt(other), 'connected')
			assert.equal(await attempt(revoked), 'refused')
			assert.equal(await attempt(undefined, { clientId: mine.controller }), 'refused')
			assert.equal(await attempt(await site.device({ by: stranger })), 'refused')
			assert.equal(await attempt(await site.device({ by: site.authority(site.tenants[1]) })), 'refused')
			assert.equal(await attempt(await site.device({ now: now - 100 * DAY_MS })), 'refused')
			assert.equal(await attempt(await site.device({ now: now + 2 * DAY_MS })), 'refused')
			assert.equal(await attempt(mine, { clientId: other.controller }), 'refused')
			assert.equal(await attempt(mine, { clientId: `${mine.controller}x` }), 'refused')
			site.revoke()
			await site.told('refused-client-id', mine)
		})
	}

	test('who says another’s name does not throw it out; its owner connecting anew takes over, and that is told', async () => {
		const first = await connected(mine)
		const thief = site.connect(other, { clientId: mine.controller })
		assert.equal(await outcome(thief), 'refused')
		assert.ok(first.connected)
		const gone = happened(first, 'close')
		const second = await connected(mine, { mqtts: true })
		await gone
		await site.told('taken-over', mine)
		await second.endAsync()
	})

	test('a revoked controller is put out at once, its neighbour stays', async () => {
		const client = await connected(mine)
		const neighbour = await connected(other)
		const gone = happened(client, 'close')
		site.revoke(mine.fingerprint)
		await gone
		await site.told('ended-revoked', mine)
		assert.ok(neighbour.connected)
		site.revoke()
		await neighbour.endAsync()
	})

	test('controllers × topics: nothing reaches another by publishing, subscribing, wildcards, wills or retaining; every own topic does', async () => {
		const devices = [mine, other, await site.device(), await site.device({ tenant: site.tenants[1] })]
		await server.subscribeAsync('#', { qos: 1 })
		const clients = await Promise.all(devices.map((device) => connected(device)))

		// Out: each tries each topic of each, and some that are nobody's.
		const heard = until(server, 'the last')
		const strange = ['$SYS/x', '$share/g/x', 'x', 'lw/1', `lw/1/${mine.controller}`]
		let refused = 0
		let wanted = 0
		for (const [i, client] of clients.entries())
			for (const device of devices)
				for (const topic of [...ups.map((c) => upTopic(device.controller, c)), ...downs.map((c) => downTopic(device.controller, c)), ...strange])
					for (const retain of [false, true]) {
						const own = devices[i] === device && topic.includes('/up/') && !retain
						if (own) wanted += 1
						else refused += 1
						await client.publishAsync(topic, `from ${i}`, { qos: 1, retain })
					}
		for (const client of clients) assert.ok(client.connected)
		await clients[0]?.publishAsync(upTopic(mine.controller, 'status'), 'the last', { qos: 1 })
		const arrived = await heard
		const leaks = arrived.filter(
			({ topic, text }) => topic.startsWith('lw/') && !devices.some((d, i) => topic.startsWith(`lw/1/${d.controller}/up/`) && text === `from ${i}`),
		)
		assert.deepEqual(leaks, [])
		assert.equal(arrived.filter(({ text }) => text.startsWith('from ')).filter(({ topic }) => topic !== 'dropped').length, wanted)
		assert.ok(refused > 10 * wanted)

		// In: each asks for everything, gets its own.
		const own = await Promise.all(clients.map((client, i) => client.subscribeAsync(allDown(devices[i]?.controller ?? assert.fail()), { qos: 1 })))
		assert.ok(own.every(([granted]) => granted?.qos === 1))
		for (const [i, client] of clients.entries())
			for (const filter of [
				'#',
				'+/#',
				'lw/#',
				'lw/1/+/down/#',
				ALL_UP,
				'dropped',
				'$SYS/#',
				'$share/g/#',
				...devices.flatMap((d, j) => (i === j ? [`lw/1/${d.controller}/#`] : [allDown(d.controller)])),
				...devices.map((d) => `$share/g/${allDown(d.controller)}`),
			])
				await assert.rejects(client.subscribeAsync(filter, { qos: 1 }), filter)
		const inboxes = clients.map((client) => until(client, 'the last'))
		for (const device of devices)
			for (const channel of downs) await server.publishAsync(downTopic(device.controller, channel), `to ${device.controller}`, { qos: 1 })
		for (const device of devices) await server.publishAsync(downTopic(device.controller, 'acks'), 'the last', { qos: 1 })
		for (const [i, inbox] of (await Promise.all(inboxes)).entries())
			assert.deepEqual(
				inbox,
				downs.map((channel) => ({ topic: downTopic(devices[i]?.controller ?? assert.fail(), channel), text: `to ${devices[i]?.controller}` })),
			)
		for (const client of clients) await client.endAsync()

		// Wills: a foreign one is forgotten at the door, wherever it is for and whether or not it is to be kept; the own one is sent.
		const last = until(server, 'own will')
		const foreign = [...ups.map((c) => upTopic(other.controller, c)), ...downs.map((c) => downTopic(other.controller, c)), ...strange]
		for (const topic of [...foreign, ...downs.map((c) => downTopic(mine.controller, c))])
			for (const retain of [false, true]) {
				const liar = await connected(mine, { will: { topic, payload: Buffer.from('foreign will'), qos: 1, retain } })
				liar.stream.destroy()
				await happened(liar, 'close')
			}
		await site.told('dropped-will', mine)
		const honest = await connected(other, {
			will: { topic: upTopic(other.controller, 'status'), payload: Buffer.from('own will'), qos: 1, retain: false },
		})
		honest.stream.destroy()
		assert.deepEqual(
			(await last).filter(({ text }) => text === 'foreign will'),
			[],
		)

		// Nothing of all that was to be kept is kept: who asks later for everything, or for its own, hears nothing of it.
		await server.unsubscribeAsync('#')
		const kept = [until(server, 'later')]
		await server.subscribeAsync('#', { qos: 1 })
		const comers = await Promise.all(devices.map((device) => connected(device)))
		for (const [i, client] of comers.entries()) {
			kept.push(until(client, 'later'))
			await client.subscribeAsync(allDown(devices[i]?.controller ?? assert.fail()), { qos: 1 })
		}
		for (const device of devices) await server.publishAsync(downTopic(device.controller, 'acks'), 'later', { qos: 1 })
		assert.deepEqual((await Promise.all(kept)).flat(), [])
		for (const client of comers) await client.endAsync()
		await server.unsubscribeAsync('#')
	})

	test('the longest message passes; a longer one ends its sender’s connection and nobody else’s', async () => {
		const neighbour = await connected(other)
		const topic = upTopic(mine.controller, 'events')
		const client = await connected(mine)
		const arrived = message(server)
		await client.publishAsync(topic, Buffer.alloc(MAX_LINK_BYTES, 0x20), { qos: 1 })
		assert.equal((await arrived).length, MAX_LINK_BYTES)
		const gone = happened(client, 'close')
		client.publish(topic, Buffer.alloc(2 * MAX_LINK_BYTES, 0x20), { qos: 1 })
		await gone
		await site.told('too-long', mine)
		assert.ok(neighbour.connected)
		await neighbour.endAsync()
	})

	test('rubbish ends its connection, and a silent controller is gone after half as much again as it promised', async () => {
		const raw = async (device: TestDevice): Promise<TLSSocket> => {
			const socket = connectTls({ port: site.broker.ports().mqtts ?? 0, host: 'localhost', ca: site.portCa, cert: device.cert, key: device.key })
			socket.on('error', () => {})
			await once(socket, 'secureConnect')
			return socket
		}
		const junk = await raw(mine)
		junk.write('GET / HTTP/1.1\r\n\r\n')
		junk.resume()
		await once(junk, 'close')
		await site.told('malformed', mine)
		const packet = await raw(other)
		// A CONNECT whose protocol name is not MQTT: well framed, and wrong inside.
		packet.write(Uint8Array.of(0x10, 0x06, 0, 4, 0x4d, 0x51, 0x54, 0x58))
		packet.resume()
		await once(packet, 'close')
		const quiet = await connected(mine, { keepalive: 1, reschedulePings: false })
		Object.assign(quiet, { sendPing: () => {} })
		quiet.stream.pause()
		await happened(quiet, 'close')
		const still = await connected(other)
		await still.endAsync()
	})

	test('whatever bytes a controller sends, the broker lives and its neighbours stay', async (t) => {
		const neighbour = await connected(other)
		const pid = site.broker.pid()
		const chance = seededRandom(7)
		const upTo = (n: number) => ((chance(1)[0] ?? 0) * 256 + (chance(1)[0] ?? 0)) % n
		const text = (words: string) => [words.length >> 8, words.length & 0xff, ...Buffer.from(words)]
		const own = text(upTopic(mine.controller, 'events'))
		const packet = (head: number, body: number[]) => [
			head,
			...(body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7]),
			...body,
		]
		const packets = [
			packet(0x30, [...own, 1, 2, 3]),
			packet(0x32, [...own, 0, 7, 1]),
			packet(0x34, [...own, 0, 8, 1]),
			packet(0x3d, [...own, 0, 9, 1]),
			packet(0x62, [0, 8]),
			packet(0x40, [0, 1]),
			packet(0x50, [0, 1]),
			packet(0x70, [0, 1]),
			packet(0x82, [0, 9, ...text(allDown(mine.controller)), 1]),
			packet(0x82, [0, 9, ...text('#'), 2, ...text('__proto__'), 0]),
			packet(0xa2, [0, 9, ...text('constructor')]),
			packet(0xc0, []),
			packet(0x30, [...text(`${'a/'.repeat(60)}b`)]),
			packet(0x30, [...text('\u0000'), 1]),
		]
		const id = [...Buffer.from(mine.controller)]
		let survived = 0
		for (let round = 0; round < 150; round++) {
			const socket = connectTls({ port: site.broker.ports().mqtts ?? 0, host: 'localhost', ca: site.portCa, cert: mine.cert, key: mine.key })
			socket.on('error', () => {})
			const closed = new Promise<false>((done) => void socket.once('close', () => done(false)))
			await once(socket, 'secureConnect')
			socket.write(Uint8Array.from(packet(0x10, [0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 10, 0, id.length, ...id])))
			await once(socket, 'data')
			const bytes = Array.from({ length: 1 + upTo(6) }, () => packets[upTo(packets.length)] ?? []).flat()
			for (let flips = upTo(4); flips > 0; flips--) bytes[upTo(bytes.length)] = upTo(256)
			socket.resume()
			// Behind the rubbish a farewell: who still understands it closes, who waits for more bytes is left.
			socket.write(Uint8Array.from([...bytes, 0xe0, 0x00]))
			const alive = new Promise<true>((done) => neighbour.publish(upTopic(other.controller, 'status'), 'x', { qos: 1 }, () => done(true)))
			if (await Promise.race([alive, closed.then(() => alive)])) survived += 1
			socket.destroy()
			await closed
		}
		t.diagnostic(JSON.stringify({ rounds: 150, counters: site.broker.counters() }))
		assert.equal(survived, 150)
		assert.equal(site.broker.pid(), pid)
		assert.ok(neighbour.connected)
		await neighbour.endAsync()
	})

	test('one controller has so many connections and no more, and takes no place from another; strangers share one place, however many certificates they make', async () => {
		const dial = async (by?: TestDevice) => {
			const socket = connectTls({
				port: site.broker.ports().device,
				host: 'localhost',
				ca: site.portCa,
				...(by && { cert: by.cert, key: by.key }),
			})
			socket.on('error', () => {})
			socket.resume()
			await once(socket, 'secureConnect')
			return socket
		}
		const fill = async (next: () => Promise<TestDevice | undefined>) => {
			const sockets: TLSSocket[] = []
			for (let i = 0; i < 16; i++) sockets.push(await dial(await next()))
			const above = await dial(await next())
			await new Promise<void>((done) => void above.once('close', () => done()))
			await site.told('refused-many')
			assert.ok(sockets.every((socket) => !socket.destroyed))
			return sockets
		}
		const device = await site.device()
		const ours = await fill(async () => device)
		// Each with a certificate of its own, of an authority that nobody here knows, or with none.
		const stranger = await newAuthority(site.tenants[0], Date.now())
		let turn = 0
		const strangers = await fill(async () => (turn++ % 2 === 0 ? site.device({ by: stranger }) : undefined))
		const neighbour = await dial(await site.device())
		assert.ok([...ours, ...strangers].every((socket) => !socket.destroyed))
		const gone = [...ours, ...strangers, neighbour].map((socket) => new Promise<void>((done) => void socket.once('close', () => done())))
		for (const socket of [...ours, ...strangers, neighbour]) socket.destroy()
		await Promise.all(gone)
		// A place that was left is there again.
		const again = await connected(device)
		await again.endAsync()
	})

	test('who opens connections and says nothing has so many of an address, and the next is shut before it costs a handshake', async () => {
		const dial = (localAddress: string) => {
			const socket = connectTcp({ port: site.broker.ports().device, host: '127.0.0.1', localAddress })
			socket.on('error', () => {})
			return socket
		}
		const silent = Array.from({ length: 513 }, () => dial('127.0.0.7'))
		await site.told('refused-many')
		const neighbour = await connected(mine)
		await neighbour.endAsync()
		for (const socket of silent) socket.destroy()
	})

	test('a handshake that fails, and a connection that is cut before it, leave their places', async () => {
		const localAddress = '127.0.0.8'
		const port = site.broker.ports().device
		const fail = (i: number) =>
			new Promise<void>((done) => {
				const socket = connectTcp({ port, host: '127.0.0.1', localAddress }, () => {
					if (i % 2 === 0) socket.write('GET / HTTP/1.1\r\n\r\n')
					else socket.destroy()
				})
				socket.on('error', () => {})
				socket.resume()
				socket.once('close', () => done())
			})
		for (let i = 0; i < 700; i += 50) await Promise.all(Array.from({ length: 50 }, (_, n) => fail(i + n)))
		const device = await site.device()
		const wire = connectTcp({ port, host: '127.0.0.1', localAddress })
		const socket = connectTls({ socket: wire, servername: 'localhost', ca: site.portCa, cert: device.cert, key: device.key })
		await once(socket, 'secureConnect')
		socket.destroy()
	})

	test('a resumed TLS session still shows the certificate', async () => {
		const dial = (session?: Buffer) =>
			connectTls({
				port: site.broker.ports().mqtts ?? 0,
				host: 'localhost',
				ca: site.portCa,
				cert: mine.cert,
				key: mine.key,
				...(session && { session }),
			})
		const first = dial()
		first.on('error', () => {})
		const [session] = (await once(first, 'session')) as [Buffer]
		first.destroy()
		const again = dial(session)
		again.on('error', () => {})
		await once(again, 'secureConnect')
		assert.ok(again.isSessionReused())
		// CONNECT: protocol level 4, clean session, keep-alive 10 s, the client id.
		const id = Buffer.from(mine.controller)
		again.write(Buffer.concat([Uint8Array.of(0x10, 12 + id.length, 0, 4), Buffer.from('MQTT'), Uint8Array.of(4, 2, 0, 10, 0, id.length), id]))
		const [connack] = (await once(again, 'data')) as [Buffer]
		assert.deepEqual([...connack], [0x20, 2, 0, 0])
		again.destroy()
	})

	test('the inner door wants the secret', async () => {
		assert.equal(await outcome(site.internal({ password: 'x', clientId: 'thief', reconnectPeriod: 0 })), 'refused')
		assert.ok(server.connected)
	})

	test('HTTPS goes on to the server with the certificate that came, whatever the sender claims', async () => {
		const seen: { url: string | undefined; certificate: unknown; address: unknown; verified: unknown; body: number }[] = []
		const upstream = createHttp((incoming, answer) => {
			let body = 0
			incoming.on('data', (chunk: Buffer) => {
				body += chunk.length
			})
			incoming.on('end', () => {
				const { 'x-latchwork-certificate': certificate, 'x-latchwork-address': address, 'x-latchwork-verified': verified } = incoming.headers
				seen.push({ url: incoming.url, certificate, address, verified, body })
				answer.writeHead(201, { 'content-type': 'text/plain', etag: '"7"' }).end('well')
			})
		})
		const call = (path: string, { device, body = '', method = 'POST' }: { device?: TestDevice; body?: string | Buffer; method?: string } = {}) =>
			new Promise<{ status: number; etag: unknown; text: string }>((resolve, reject) => {
				const { device: port } = site.broker.ports()
				const outgoing = request(
					{
						port,
						host: 'localhost',
						path,
						method,
						agent: false,
						ca: site.portCa,
						headers: { 'x-latchwork-certificate': 'AAAA', 'x-latchwork-verified': 'yes' },
						...(device && { cert: device.cert, key: device.key }),
					},
					(answer) => {
						let text = ''
						answer.setEncoding('utf8').on('data', (chunk) => {
							text += chunk
						})
						answer.on('end', () => resolve({ status: answer.statusCode ?? 0, etag: answer.headers.etag, text }))
					},
				)
				outgoing.on('error', reject)
				outgoing.end(body)
			})
		assert.equal((await call('/device/v1/time', { device: mine })).status, 503)
		upstream.listen(socketPaths(site.folder).upstream)
		await once(upstream, 'listening')
		assert.deepEqual(await call('/device/v1/events', { device: mine, body: 'x'.repeat(1_000) }), { status: 201, etag: '"7"', text: 'well' })
		assert.equal((await call('/device/v1/enrolments')).status, 201)
		const expired = await site.device({ now: Date.now() - 100 * DAY_MS })
		assert.equal((await call('/device/v1/renewals', { device: expired })).status, 201)
		const der = (device: TestDevice) => Buffer.from(device.cert.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64url')
		assert.deepEqual(
			seen.map(({ url, certificate, body }) => ({ url, certificate, body })),
			[
				{ url: '/device/v1/events', certificate: der(mine), body: 1_000 },
				{ url: '/device/v1/enrolments', certificate: undefined, body: 0 },
				{ url: '/device/v1/renewals', certificate: der(expired), body: 0 },
			],
		)
		assert.ok(seen.every(({ address, verified }) => address === '127.0.0.1' && verified === undefined))
		assert.equal((await call('/v1/users', { device: mine })).status, 404)
		assert.equal((await call('/device/v1/events', { device: mine, method: 'DELETE' })).status, 405)
		assert.equal((await call('/device/v1/events', { device: mine, body: Buffer.alloc(MAX_POSTED_BYTES + 1) })).status, 413)
		assert.equal(seen.length, 3)
		upstream.close()
	})
})

describe('the supervisor of the broker', () => {
	/** A server and a controller who come back by themselves. */
	const faithful = async (site: LinkSite) => {
		const device = await site.device()
		const server = site.internal()
		server.on('connect', () => void server.subscribe(ALL_UP, { qos: 1 }))
		const client = site.connect(device, { reconnectPeriod: 100, reconnectOnConnackError: true })
		await happened(client, 'connect')
		return { device, server, client }
	}

	test('after kill -9 the port is back where it was, and everybody connects again by themselves', async () => {
		const site = await linkSite()
		try {
			const { device, server, client } = await faithful(site)
			const before = { pid: site.broker.pid(), ports: site.broker.ports() }
			const back = Promise.all([happened(server, 'connect'), happened(client, 'connect')])
			process.kill(before.pid, 'SIGKILL')
			await back
			assert.notEqual(site.broker.pid(), before.pid)
			assert.deepEqual(site.broker.ports(), before.ports)
			const arrived = message(server)
			await client.publishAsync(upTopic(device.controller, 'status'), 'here', { qos: 1 })
			await arrived
		} finally {
			await site.close()
		}
	})

	test('one that hangs is ended after a minute without a word, and its follower lets everybody in again', async () => {
		const time = fakeClock(Date.now())
		const site = await linkSite({}, time)
		try {
			const { server, client } = await faithful(site)
			const pid = site.broker.pid()
			process.kill(pid, 'SIGSTOP')
			const back = Promise.all([happened(server, 'connect'), happened(client, 'connect')])
			await time.advance(59_000)
			assert.equal(site.broker.pid(), pid)
			await time.advance(6_000)
			await back
			assert.notEqual(site.broker.pid(), pid)
		} finally {
			await site.close()
		}
	})

	test('one that answers is left alone, and a certificate that runs out takes its connection along', async () => {
		const time = fakeClock(Date.now())
		const site = await linkSite({}, time)
		try {
			const [short, long] = [await site.device({ days: 1 }), await site.device()]
			const server = site.internal()
			await happened(server, 'connect')
			await server.subscribeAsync(ALL_UP, { qos: 1 })
			const [leaves, stays] = [short, long].map((device) => site.connect(device)) as [MqttClient, MqttClient]
			await Promise.all([happened(leaves, 'connect'), happened(stays, 'connect')])
			const pid = site.broker.pid()
			const gone = happened(leaves, 'close')
			time.stepWall(DAY_MS)
			for (let i = 0; i < 30; i++) {
				await time.advance(5_000)
				const arrived = message(server)
				await stays.publishAsync(upTopic(long.controller, 'status'), 'here', { qos: 1 })
				await arrived
			}
			await gone
			await site.told('ended-expired', short)
			assert.deepEqual([stays.connected, site.broker.pid()], [true, pid])
		} finally {
			await site.close()
		}
	})

	test('a port that is taken and a folder with too long a name are told', async () => {
		const site = await linkSite()
		try {
			const { device } = site.broker.ports()
			await assert.rejects(linkSite({ device: { host: '127.0.0.1', port: device } }), { code: 'port-in-use' })
			await assert.rejects(linkSite({ folder: join('/', 'x'.repeat(120)) }), { code: 'config-invalid' })
		} finally {
			await site.close()
		}
	})

	test('where an external broker has the messages, the port speaks HTTPS only', async () => {
		const site = await linkSite({ mqtt: false })
		try {
			assert.equal(site.broker.ports().mqtts, undefined)
			assert.equal(await outcome(site.connect(await site.device())), 'refused')
		} finally {
			await site.close()
		}
	})
})
