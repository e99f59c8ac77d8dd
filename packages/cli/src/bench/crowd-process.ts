import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { createInterface } from 'node:readline'
import { type Id, newId } from '@latchwork/core/base'
import { mint, openStream, streamStarted } from '@latchwork/core/ledger'
import { allDown, DEVICE_PATHS, downTopic, readDown, STATUS_EVERY_MS, upTopic } from '@latchwork/core/wire'
import { nodeCrypto } from '@latchwork/edge/keys'
import { type DevicePass, deviceClient } from '@latchwork/server/link/crowd'

/** Controllers without doors, in a process of their own: its first line of standard input says whom it plays, each further one what they do. */
export interface CrowdJob {
	readonly url: string
	readonly ca: string
	readonly devices: readonly (DevicePass & { readonly bank: Id<'bank'> })[]
}

/**
 * `connect`: up to so many. `storm`: each one has events that it keeps until they are acknowledged (`acks`), and says when it was thrown out and is back.
 * `fetch`: each one fetches its bundle from the device port, as a controller that takes deltas about people. `await`: says when each one was told of
 * something since the last `forget`, which says all that the first one was told.
 */
export type CrowdOrder =
	| { readonly do: 'connect'; readonly count: number }
	| { readonly do: 'storm'; readonly acks: boolean }
	| { readonly do: 'fetch'; readonly port: string }
	| { readonly do: 'await' }
	| { readonly do: 'forget' }

const EVENTS = 8
const AT_ONCE = 20
const AGAIN_MS = 5_000
/** As a controller waits: a second at first, and no two the same. */
const RETRY_MS = { least: 1_000, spread: 1_000 }

process.stdin.on('end', () => process.exit(0))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const next = async (): Promise<string> => {
	const { value, done } = await lines.next()
	if (done) process.exit(0)
	return value
}
const say = (told: object): void => void process.stdout.write(`${JSON.stringify(told)}\n`)
const random = (n: number) => new Uint8Array(randomBytes(n))
const { url, ca, devices } = JSON.parse(await next()) as CrowdJob

function member(pass: CrowdJob['devices'][number]) {
	const { controller, bank } = pass
	const began = Date.now()
	const stream = newId('stream', began, random)
	let pending: string | undefined
	let thrownOut = false
	let hears = false
	let changed = () => {}
	/** What came since the last order, and when (Unix ms). */
	let told: { text: string; at: number }[] = []
	const reconnectPeriod = Math.round(RETRY_MS.least + Math.random() * RETRY_MS.spread)
	const client = deviceClient(url, ca, pass, { reconnectPeriod, reconnectOnConnackError: true, clean: true, queueQoSZero: false })
	const publish = (channel: 'events' | 'status', text: string) => client.connected && client.publish(upTopic(controller, channel), text, { qos: 1 })
	const beat = () => {
		const about = { at: Date.now(), clock: 'good', startedAt: began, stream, seq: 0, pending: 0, bundle: 0, storage: 'good', software: '0.1.0' }
		publish('status', JSON.stringify({ v: 1, online: true, ...about }))
	}
	const sendAgain = () => pending !== undefined && publish('events', pending)
	client.on('error', () => {})
	client.on('close', () => {
		thrownOut = true
	})
	client.on('connect', () => {
		client.subscribe(allDown(controller), { qos: 1 }, () => {
			hears = true
			changed()
		})
		beat()
		sendAgain()
		changed()
	})
	client.on('message', (topic, payload) => {
		if (topic === downTopic(controller, 'authority')) {
			const at = performance.timeOrigin + performance.now()
			const news = readDown('authority', payload)
			if (!news.ok || news.message.kind !== 'delta') return
			told.push({ text: news.message.delta, at })
			return changed()
		}
		if (topic !== downTopic(controller, 'acks')) return
		const ack = readDown('acks', payload)
		if (ack.ok && 'seq' in ack.message && ack.message.stream === stream && ack.message.seq >= EVENTS) {
			pending = undefined
			changed()
		}
	})
	setInterval(beat, STATUS_EVERY_MS)
	return {
		/** And told so by the broker, so that nothing which is sent from then on passes it by. */
		connected: () => client.connected && hears,
		/** Was out, is in, and owes nothing. */
		back: () => thrownOut && client.connected && pending === undefined,
		watch(look: () => void) {
			changed = look
		},
		told: () => told,
		forget() {
			told = []
		},
		fetch: (port: string): Promise<void> =>
			new Promise((done, reject) => {
				const url = new URL(DEVICE_PATHS.bundle(bank, { deltas: 0, people: 0 }), port)
				const out = request(url, { ca, cert: pass.cert, key: pass.key, headers: { 'accept-encoding': 'gzip' }, agent: false })
				out.on('response', (answer) => {
					answer.resume()
					answer.on('end', () => (answer.statusCode === 200 ? done() : reject(new Error(`bundle: ${answer.statusCode}`))))
				})
				out.on('error', reject)
				out.end()
			}),
		storm(acks: boolean) {
			thrownOut = false
			if (!acks) return
			pending = JSON.stringify({ v: 1, stream, first: 1, events: eventsOf(stream, controller, bank) })
			sendAgain()
			setInterval(sendAgain, AGAIN_MS)
		},
	}
}

function eventsOf(stream: Id<'stream'>, controller: Id<'controller'>, bank: Id<'bank'>): string[] {
	let head = openStream(stream)
	return Array.from({ length: EVENTS }, (_, i) => {
		const draft =
			i === 0 ? streamStarted(controller) : ({ type: 'visit.started', subject: newId('visit', Date.now(), random), actor: 'edge', data: {} } as const)
		const about = { bank, at: Date.now(), mono: i, clock: 'good', bundle: 1, offline: false, sha256: nodeCrypto.sha256 } as const
		const minted = mint(head, draft, about)
		head = minted.head
		return new TextDecoder().decode(minted.bytes)
	})
}

type Member = ReturnType<typeof member>
const all: Member[] = []
const until = (some: readonly Member[], wanted: (one: Member) => boolean) =>
	new Promise<void>((done) => {
		const look = () => some.every(wanted) && done()
		for (const one of some) one.watch(look)
		look()
	})

for (;;) {
	const order = JSON.parse(await next()) as CrowdOrder
	if (order.do === 'connect') {
		while (all.length < order.count) {
			const some = devices.slice(all.length, Math.min(all.length + AT_ONCE, order.count)).map(member)
			all.push(...some)
			await until(some, (one) => one.connected())
		}
		say({ connected: all.length })
	} else if (order.do === 'fetch') {
		for (let i = 0; i < all.length; i += AT_ONCE) await Promise.all(all.slice(i, i + AT_ONCE).map((one) => one.fetch(order.port)))
		for (const one of all) one.forget()
		say({ fetched: all.length })
	} else if (order.do === 'await') {
		await until(all, (one) => one.told().length > 0)
		say({ at: all.map((one) => one.told()[0]?.at) })
	} else if (order.do === 'forget') {
		say({ texts: all[0]?.told().map(({ text }) => text) })
		for (const one of all) one.forget()
	} else {
		for (const one of all) one.storm(order.acks)
		say({ ready: true })
		await until(all, (one) => one.back())
		say({ back: all.length, events: order.acks ? all.length * EVENTS : 0 })
	}
}
