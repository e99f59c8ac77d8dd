import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { Id } from '@latchwork/core/base'
import { ALL_UP, allDown, downTopic, LINK_DOWN, LINK_UP, MAX_LINK_BYTES, upTopic } from '@latchwork/core/wire'
import {
	bareRoundTrip,
	brokerCertificate,
	clientOf,
	compare,
	deviceStream,
	type Enrolled,
	happened,
	type LinkWorld,
	linkRoundTrip,
	linkWorld,
	type MqttClient,
	strangerFor,
} from '@latchwork/server/link/testing'

/** The configuration that the operator's guide gives, run by Debian's mosquitto as it stands there. */
const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/operator.md'), 'utf8')
const block = (name: string) =>
	new RegExp(`<!-- ${name}: tests/peers/mosquitto.test.ts runs this block -->\\s*\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``).exec(GUIDE)?.[1] ??
	assert.fail(`the guide has no ${name}`)
const DAY_MS = 86_400_000
const ups = Object.keys(LINK_UP) as (keyof typeof LINK_UP)[]
const downs = Object.keys(LINK_DOWN) as (keyof typeof LINK_DOWN)[]

const freePort = () =>
	new Promise<number>((resolve) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port } = server.address() as { port: number }
			server.close(() => resolve(port))
		})
	})

async function mosquitto(file: string): Promise<ChildProcess> {
	const child = spawn('mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
	const words: string[] = []
	await new Promise<void>((resolve, reject) => {
		child.once('error', reject)
		child.once('exit', () => reject(new Error(`mosquitto ended: ${words.join('\n')}`)))
		createInterface({ input: child.stderr as NonNullable<typeof child.stderr> }).on('line', (line) => {
			words.push(line)
			if (line.endsWith(' running')) resolve()
		})
	})
	return child
}

describe('the link over mosquitto', () => {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-mosquitto-'))
	// It runs as a user of its own.
	chmodSync(folder, 0o755)
	const path = (name: string) => join(folder, name)
	let world: LinkWorld
	let child: ChildProcess
	let mine: Enrolled
	let other: Enrolled
	let ports: { tls: number; plain: number }
	let brokerCa: string
	let ahead = 0
	let heard = () => {}
	const clients: MqttClient[] = []

	const start = async (change: (conf: string) => string = (conf) => conf) => {
		const conf = block('mosquitto.conf')
			.replaceAll('/etc/mosquitto/latchwork', folder)
			.replaceAll('/var/lib/latchwork/broker', folder)
			.replace('8883', String(ports.tls))
			.replace('1883', String(ports.plain))
		writeFileSync(path('mosquitto.conf'), change(conf))
		child = await mosquitto(path('mosquitto.conf'))
	}
	const stop = async () => {
		if (child.exitCode !== null) return
		const gone = new Promise((done) => child.once('exit', done))
		child.kill()
		await gone
	}
	const server = () => keep(clientOf(`mqtt://latchwork:secret@127.0.0.1:${ports.plain}`))
	const keep = (client: MqttClient) => {
		clients.push(client)
		client.on('error', () => {})
		return client
	}
	const outcome = async (device: Pick<Enrolled, 'answer' | 'key'>, options: { clientId?: string } = {}) => {
		const client = world.dial(device, options)
		const how = await Promise.race([happened(client, 'connect').then(() => 'connected'), happened(client, 'close').then(() => 'refused')])
		await client.endAsync(true)
		return how
	}
	const nameOf = ({ answer }: Enrolled) => answer.controller as Id<'controller'>

	before(async () => {
		ports = { tls: await freePort(), plain: await freePort() }
		const broker = await brokerCertificate()
		brokerCa = broker.ca
		writeFileSync(path('broker.pem'), broker.certificate)
		writeFileSync(path('broker.key'), broker.key)
		writeFileSync(path('controllers.acl'), block('controllers.acl'))
		assert.equal(spawnSync('mosquitto_passwd', ['-b', '-c', path('passwords'), 'latchwork', 'secret']).status, 0)
		for (const name of ['broker.key', 'passwords']) chmodSync(path(name), 0o644)
		// As `latchwork server` runs: what it writes is for it alone, but for what the broker has to read.
		const mask = process.umask(0o077)
		world = await linkWorld({
			ahead: () => ahead,
			external: {
				url: `mqtt://latchwork:secret@127.0.0.1:${ports.plain}`,
				controllersUrl: `mqtts://localhost:${ports.tls}`,
				ca: brokerCa,
				trust: folder,
			},
			handlers: {
				async credential() {
					heard()
					return undefined
				},
			},
		})
		process.umask(mask)
		for (const name of ['devices.pem', 'revoked.pem']) assert.equal(statSync(path(name)).mode & 0o777, 0o644, name)
		mine = await world.enrol((await world.bank()).controller)
		other = await world.enrol((await world.bank(world.tenants[1])).controller, world.tenants[1])
		await start()
		// The server has tried all the while.
		while (!world.link.connected()) await new Promise((done) => setImmediate(done))
	})
	after(async () => {
		for (const client of clients) await client.endAsync(true)
		await world.close()
		await stop()
		rmSync(folder, { recursive: true, force: true })
	})

	test('the right certificate is let in; none, a stranger’s, one that has run out and one that was taken back are not', async () => {
		assert.equal(await outcome(mine), 'connected')
		assert.equal(await outcome(other), 'connected')
		assert.equal(await outcome({ ...mine, answer: { ...mine.answer, certificate: await strangerFor(mine) } }), 'refused')
		ahead = -100 * DAY_MS
		const expired = await world.enrol((await world.bank()).controller)
		ahead = 0
		assert.equal(await outcome(expired), 'refused')
		const { controller } = await world.bank()
		const old = await world.enrol(controller)
		const next = await world.enrol(controller)
		child.kill('SIGHUP')
		while ((await outcome(old)) === 'connected');
		assert.equal(await outcome(next), 'connected')
	})
	test('a name that is not the certificate’s is not taken: nobody is thrown out by it', async () => {
		const first = await world.connect(mine)
		const thief = await world.connect(other, { clientId: nameOf(mine) })
		assert.ok(first.connected)
		await thief.endAsync()
		await first.endAsync()
	})

	test('controllers × topics: nothing reaches another by publishing, subscribing, wildcards, wills or retaining; every own topic does', async () => {
		const devices = [mine, other, await world.enrol((await world.bank()).controller)]
		const all = server()
		await happened(all, 'connect')
		await all.subscribeAsync('#', { qos: 1 })
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
		const heardAll = until(all, 'the last')
		const bystander = await world.connect(await world.enrol((await world.bank(world.tenants[1])).controller, world.tenants[1]))
		for (const filter of ['#', '+/#', 'lw/#', ALL_UP, 'lw/1/+/down/#', '$share/g/#', ...devices.map((d) => allDown(nameOf(d)))])
			await bystander.subscribeAsync(filter, { qos: 1 }).catch(() => {})
		let leaked = 0
		bystander.on('message', () => {
			leaked += 1
		})

		const connected = await Promise.all(devices.map((device) => world.connect(device)))
		let wanted = 0
		for (const [i, client] of connected.entries())
			for (const device of devices)
				for (const topic of [
					...ups.map((c) => upTopic(nameOf(device), c)),
					...downs.map((c) => downTopic(nameOf(device), c)),
					'x',
					'lw/1',
					'$SYS/x',
				]) {
					if (devices[i] === device && topic.includes('/up/')) wanted += 1
					await client.publishAsync(topic, `from ${i}`, { qos: 1 })
				}
		const liar = await world
			.connect(mine, { will: { topic: upTopic(nameOf(other), 'status'), payload: Buffer.from('foreign will'), qos: 1, retain: true } })
			.catch(() => undefined)
		liar?.stream.destroy()
		const honest = await world.connect(devices[2] ?? assert.fail(), {
			will: { topic: upTopic(nameOf(devices[2] ?? assert.fail()), 'status'), payload: Buffer.from('own will'), qos: 1, retain: false },
		})
		honest.stream.destroy()
		for (const device of devices)
			for (const channel of downs) await all.publishAsync(downTopic(nameOf(device), channel), 'to a controller', { qos: 1 })
		await connected[1]?.publishAsync(upTopic(nameOf(other), 'status'), 'the last', { qos: 1 })
		const arrived = (await heardAll).filter(({ text }) => text !== 'to a controller')
		assert.deepEqual(
			arrived.filter(
				({ topic, text }) => text !== 'own will' && !devices.some((d, i) => topic.startsWith(`lw/1/${nameOf(d)}/up/`) && text === `from ${i}`),
			),
			[],
		)
		assert.equal(arrived.filter(({ text }) => text.startsWith('from ')).length, wanted)
		assert.equal(leaked, 0)
		for (const client of [...connected, bystander, all]) await client.endAsync(true)
	})

	test('events are acknowledged, questions answered, a too long message is not taken, and all of it goes on when mosquitto was away', async () => {
		const device = await world.enrol((await world.bank()).controller)
		const life = deviceStream(device)
		life.grow(20)
		const session = async () => {
			const client = await world.connect(device)
			await client.subscribeAsync(allDown(nameOf(device)), { qos: 1 })
			return client
		}
		const acks = (client: MqttClient) =>
			new Promise<unknown>((resolve) => void client.once('message', (_, payload) => resolve(JSON.parse(payload.toString()))))
		const first = await session()
		const acked = acks(first)
		await first.publishAsync(upTopic(nameOf(device), 'events'), JSON.stringify(life.batch(1, 10)), { qos: 1 })
		assert.deepEqual(await acked, { v: 1, stream: life.id, seq: 10 })
		const answered = acks(first)
		first.publish(upTopic(nameOf(device), 'asks'), Buffer.alloc(MAX_LINK_BYTES + 1, 0x20), { qos: 1 })
		await first.publishAsync(upTopic(nameOf(device), 'asks'), JSON.stringify({ v: 1, id: 'ask-000000', kind: 'time' }), { qos: 1 })
		assert.equal(((await answered) as { kind: string }).kind, 'time')

		const lost = happened(first, 'close')
		await stop()
		await lost
		await start()
		while (!world.link.connected()) await new Promise((done) => setImmediate(done))
		// Heard or not before the server listens: a controller sends again what nobody acknowledged.
		const again = await session()
		const done = acks(again)
		const send = () => again.publish(upTopic(nameOf(device), 'events'), JSON.stringify(life.batch(11, 20)), { qos: 1 })
		send()
		const repeat = setInterval(send, 500)
		assert.deepEqual(await done, { v: 1, stream: life.id, seq: 20 })
		clearInterval(repeat)
	})

	test('no socket waits with the guide’s configuration, and without its line they do', async (t) => {
		const measured = async (noDelay: boolean, rounds: number) => {
			const enrolled = await world.enrol((await world.bank()).controller)
			const device = await world.connect(enrolled)
			const end = server()
			await happened(end, 'connect')
			const bare = await world.enrol((await world.bank()).controller)
			const client = await world.connect(bare)
			;(client.stream as TLSSocket).setNoDelay(noDelay)
			;(device.stream as TLSSocket).setNoDelay(noDelay)
			;(end.stream as TLSSocket).setNoDelay(noDelay)
			const through = await linkRoundTrip(world, enrolled, device, (told) => {
				heard = told
			})
			return compare([await bareRoundTrip(end, client, nameOf(bare)), through], rounds)
		}
		const [floor = 0, link = 0] = await measured(true, 100)
		await stop()
		await start((conf) => conf.replace('set_tcp_nodelay true', ''))
		while (!world.link.connected()) await new Promise((done) => setImmediate(done))
		const [waiting = 0] = await measured(false, 20)
		t.diagnostic(JSON.stringify({ p50Ms: { floor, link, waiting } }))
		assert.ok(link - floor <= 5, `${link} ms over a floor of ${floor} ms`)
		assert.ok(waiting - floor > 20, `the control waits ${waiting} ms, the floor is ${floor} ms`)
	})
})
