import { type Bundle, sealTime } from '@latchwork/core/access'
import { sampleId, testKey } from '@latchwork/core/access/testing'
import { type FakeClock, Fault, type Id } from '@latchwork/core/base'
import {
	DEVICE_PATHS,
	type DownChannel,
	type DownMessage,
	downTopic,
	type LinkAck,
	type LinkAnswer,
	type LinkAsk,
	type LinkCommand,
	type LinkResult,
	type LinkStatus,
	linkEvents,
	readUp,
	type UpChannel,
} from '@latchwork/core/wire'
import type { DeviceAnswer } from '../sync/device-http.ts'
import type { Connect } from '../sync/link.ts'
import type { ServerDoor } from '../sync/server.ts'

/** An honest server and the network to it, in this process and with time standing still; every message passes the schema that both sides share. For tests only. */
export interface ServerSide {
	readonly door: ServerDoor
	/** What may pass: all of it, HTTPS alone, or nothing. */
	network(passes: 'all' | 'https' | 'nothing'): void
	/** It answers nothing any more, though the network is fine. */
	mute(silent: boolean): void
	/** Event texts by stream, as far as nothing is missing. */
	readonly streams: ReadonlyMap<string, readonly string[]>
	readonly results: readonly LinkResult[]
	readonly statuses: readonly LinkStatus[]
	readonly asks: readonly LinkAsk[]
	/** What it answers about a badge; default: unknown. Undefined: nothing at all. */
	credential(answer: (verifier: string) => DistributiveOmit<Extract<LinkAnswer, { kind: 'credential' }>, 'v' | 'id' | 'kind'> | undefined): void
	/** What was asked for by GET, but for the time: `bundle?deltas=3`, `lease`. */
	readonly fetched: readonly string[]
	/** How often the controller wanted to be started anew. */
	restarts(): number
	/** From now on it lets this controller in no more, until somebody types this code. */
	shutOut(code: string): void
	/** How many milliseconds its clock is ahead of the stage's. */
	ahead(ms: number): void
	send(command: LinkCommand): void
	tell<C extends DownChannel>(channel: C, message: DownMessage<C>): void
	publishBundle(text: string, bundle: Bundle, quietly?: boolean): void
	publishLease(text: string, bank: Id<'bank'>): void
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

const CONTROLLER = sampleId('controller', 'one')

export function createServerSide(clock: FakeClock, maker = testKey(new Uint8Array(32).fill(3))): ServerSide {
	const streams = new Map<string, string[]>()
	const results: LinkResult[] = []
	const statuses: LinkStatus[] = []
	const asks: LinkAsk[] = []
	const fetched: string[] = []
	const documents = new Map<string, { text: string; etag: string }>()
	let credential: Parameters<ServerSide['credential']>[0] = () => ({ known: false })
	let passes: 'all' | 'https' | 'nothing' = 'all'
	let silent = false
	let wanted: string | undefined
	let aheadMs = 0
	let restarts = 0
	let edge: Parameters<Connect>[0] | undefined

	const tell: ServerSide['tell'] = (channel, message) => {
		const to = edge
		clock.after(1, () => {
			if (to && to === edge) to.message(downTopic(CONTROLLER, channel), new TextEncoder().encode(JSON.stringify(message)))
		})
	}
	const signedTime = (ask: string) => JSON.stringify(sealTime({ ask, at: clock.now() + aheadMs }, 'maker', maker.sign))
	const take = (text: string): LinkAck => {
		const { stream, first, events } = linkEvents.parse(JSON.parse(text))
		const have = streams.get(stream) ?? []
		streams.set(stream, have)
		if (first > have.length + 1) return { v: 1, stream, want: { from: have.length + 1, to: first - 1 } }
		for (const [i, event] of events.entries()) {
			const seq = first + i
			if (seq === have.length + 1) have.push(event)
			else if (have[seq - 1] !== event)
				return { v: 1, stream, refused: { seq, code: 'equivocation', text: `Event ${seq} was sent before with other bytes.` } }
		}
		return { v: 1, stream, seq: have.length }
	}
	const heard = (channel: UpChannel, text: string): void => {
		const read = readUp(channel, new TextEncoder().encode(text))
		if (!read.ok) throw new Error(`${channel}: ${read.text}`)
		if (silent) return
		if (channel === 'events') tell('acks', take(text))
		else if (channel === 'results') results.push(read.message as LinkResult)
		else if (channel === 'status') statuses.push(read.message as LinkStatus)
		else answer(read.message as LinkAsk)
	}
	const answer = (ask: LinkAsk): void => {
		asks.push(ask)
		if (ask.kind === 'time') return tell('answers', { v: 1, id: ask.id, kind: 'time', signed: signedTime(ask.id) })
		const known = credential(ask.verifier)
		if (known) tell('answers', { v: 1, id: ask.id, kind: 'credential', ...known } as LinkAnswer)
	}
	const http = (method: string, path: string, about: { body?: string; etag?: string } = {}): DeviceAnswer => {
		if (wanted !== undefined) return { status: 403, etag: undefined, text: JSON.stringify({ code: 'certificate-invalid' }), keys: {} }
		if (method === 'POST' && path === DEVICE_PATHS.events)
			return { status: 200, etag: undefined, text: JSON.stringify(take(about.body ?? '')), keys: {} }
		const ask = /ask=(.+)$/.exec(path)?.[1]
		if (ask) return { status: 200, etag: undefined, text: JSON.stringify({ signed: signedTime(ask) }), keys: {} }
		const what = path.split('/').at(-1) ?? ''
		fetched.push(what)
		const found = documents.get(what.split('?')[0] ?? '')
		if (!found) return { status: 404, etag: undefined, text: '', keys: {} }
		return found.etag === about.etag ? { status: 304, etag: found.etag, text: '', keys: {} } : { status: 200, keys: {}, ...found }
	}

	return {
		door: {
			address: 'https://server.test',
			software: '0.0.0',
			restart() {
				restarts += 1
			},
			identity: {
				tls: () => ({ ca: [] }),
				renewAt: () => Number.POSITIVE_INFINITY,
				until: () => Number.MAX_SAFE_INTEGER,
				request: () => '',
				check() {},
				take() {},
			},
			async claim(code) {
				if (passes === 'nothing') throw new Fault('server-unreachable', 'the network is cut')
				if (code !== wanted) throw new Fault('claim-invalid', 'This claim does not work.')
				wanted = undefined
				return 'as-before'
			},
			http: {
				async ask(method, path, about) {
					if (passes === 'nothing' || silent) throw new Fault('server-unreachable', 'the network is cut')
					return http(method, path, about)
				},
				close() {},
			},
			connect(on) {
				let over = false
				clock.after(5, () => {
					if (over) return
					if (passes !== 'all' || wanted !== undefined) {
						over = true
						return on.down(wanted === undefined ? 'the network is cut' : 'it is not let in')
					}
					edge = on
					on.up()
				})
				return {
					publish(channel, text) {
						if (edge === on) clock.after(1, () => edge === on && heard(channel, text))
					},
					async close() {
						over = true
						if (edge === on) edge = undefined
					},
				}
			},
		},
		network(next) {
			passes = next
			const was = edge
			if (next === 'all' || !was) return
			edge = undefined
			was.down('the network is cut')
		},
		mute(next) {
			silent = next
		},
		shutOut(code) {
			wanted = code
			const was = edge
			edge = undefined
			was?.down('it is not let in')
		},
		streams,
		results,
		statuses,
		asks,
		credential(next) {
			credential = next
		},
		fetched,
		restarts: () => restarts,
		ahead(ms) {
			aheadMs = ms
		},
		send: (command) => tell('commands', command),
		tell,
		publishBundle(text, { bank, version }, quietly = false) {
			documents.set('bundle', { text, etag: `"${version}"` })
			if (!quietly) tell('authority', { v: 1, kind: 'bundle', bank: bank.id, version, digest: '0'.repeat(64) })
		},
		publishLease(text, bank) {
			documents.set('lease', { text, etag: `"${text.length}-${clock.now()}"` })
			tell('authority', { v: 1, kind: 'lease', bank, lease: text })
		},
	}
}
