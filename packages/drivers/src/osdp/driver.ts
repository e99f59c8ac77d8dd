import { Fault } from '@latchwork/core/base'
import { readBudget, throttledAlarm } from '../read-budget.ts'
import type { Reader, ReaderEvent, ReaderProfile } from '../reader.ts'
import type { DriverClock, DriverStats, Transport } from '../transport/index.ts'
import { type Connection, connect } from './connect.ts'
import { type Line, openLine } from './line.ts'
import { ANSWER, askLocalStatus, buzzer, COMMAND, keyset, led, type Message, poll, readFact } from './messages.ts'
import { OSDP_PRODUCTS } from './products.ts'
import { DEFAULT_KEY, sameBytes } from './secure-channel.ts'
import { type CpSession, cpSession } from './session.ts'

const POLL_MS = 50
/** How long to wait after one, two, … failures in a row: one quick second look, then as long as the reader itself needs to forget a session (8 s), then slower. */
const RETRY_MS = [0, 1_000, 8_000, 16_000, 30_000] as const
/** A connection that lived this long was a good one, and its end the first failure of a new row. */
const GOOD_LIFE_MS = 8_000

const SIGNALS: Readonly<Record<'granted' | 'denied' | 'idle', readonly Message[]>> = {
	granted: [led({ temporary: { on: 1, off: 0, onColour: 'green', offColour: 'green', timer: 20 } }), buzzer(2, 0, 1)],
	denied: [led({ temporary: { on: 2, off: 1, onColour: 'red', offColour: 'off', timer: 20 } }), buzzer(1, 1, 3)],
	// A permanent block with both times 0 is acknowledged and then ignored by some readers.
	idle: [led({ temporary: 'end', permanent: { on: 1, off: 0, onColour: 'amber', offColour: 'amber' } })],
}

interface Rotation {
	readonly key: Uint8Array
	readonly settle: (refusal?: Fault) => void
}

/** Everything that belongs to one start() … stop(). */
interface Run {
	readonly line: Line
	readonly stop: AbortController
	readonly orders: Message[]
	readonly finished: Promise<void>
	rotate(key: Uint8Array): Promise<void>
	wake(): void
}

/**
 * OSDP v2 reader, controller side. Offline → identity → capabilities → secure channel → polled every 50 ms. With a key in the
 * profile nothing is believed outside the secure channel: a reader without it, with another or the published key, a packet in
 * clear, a wrong MAC or a played-back packet raise a `security` event and never a card or key press.
 *
 * Throws `Fault` config-invalid for an unknown product. `openSession` is replaced only by the controls of the conformance list, which must notice a weaker one.
 */
export function osdpReader(product: string = OSDP_PRODUCTS[0].name, openSession: typeof cpSession = cpSession): Reader {
	const found = OSDP_PRODUCTS.find(({ name }) => name === product)
	if (!found) throw new Fault('config-invalid', `osdp has no product "${product}"; known: ${OSDP_PRODUCTS.map(({ name }) => name).join(', ')}.`)
	const { keypad, led: hasLed, buzzer: hasBuzzer } = found
	const shown = (message: Message) => (message.code === COMMAND.led ? hasLed : hasBuzzer)
	let run: Run | undefined
	let assurance: 'plain' | 'secure-channel' = 'secure-channel'
	let lastStats: DriverStats = { tx: 0, rx: 0, timeouts: 0, badFrames: 0, resyncs: 0, lastOkMono: -1 }

	return {
		family: 'osdp',
		get caps() {
			return { card: true, keypad, scan: false, led: hasLed, buzzer: hasBuzzer, assurance }
		},
		async start(io, profile, clock, emit) {
			checkProfile(profile)
			assurance = profile.key ? 'secure-channel' : 'plain'
			run = begin({
				io,
				profile,
				clock,
				emit: (event) => {
					if (event.kind !== 'keys' || keypad) emit(event)
				},
				session: openSession(profile.address ?? 0),
				atRest: SIGNALS.idle.filter(shown),
			})
		},
		async signal(what) {
			// The latest word counts; what was not said yet is out of date.
			run?.orders.splice(0, run.orders.length, ...SIGNALS[what].filter(shown))
			run?.wake()
		},
		async rotateKey(key) {
			checkKey(key)
			if (!run) throw new Fault('reader-insecure', 'The reader is not started.')
			await run.rotate(key)
		},
		stats: () => run?.line.stats() ?? lastStats,
		async stop() {
			const ending = run
			run = undefined
			if (!ending) return
			ending.stop.abort()
			ending.line.close()
			ending.wake()
			lastStats = ending.line.stats()
			await ending.finished
		},
	}
}

function checkProfile({ address = 0, key, allowPlain }: ReaderProfile): void {
	if (!Number.isInteger(address) || address < 0 || address > 126) throw new Fault('config-invalid', 'An OSDP reader has an address from 0 to 126.')
	if (!key && !allowPlain)
		throw new Fault('config-invalid', 'An OSDP reader needs a key of 16 bytes (field key), or allowPlain if its line is to stay open to taps.')
	if (key) checkKey(key)
}

function checkKey(key: Uint8Array): void {
	if (key.length !== 16) throw new Fault('config-invalid', 'The key of an OSDP reader has 16 bytes.')
	if (sameBytes(key, DEFAULT_KEY)) throw new Fault('config-invalid', 'The published default key protects nothing; give the reader a key of its own.')
}

interface RunParts {
	readonly io: Transport
	readonly profile: ReaderProfile
	readonly clock: DriverClock
	readonly emit: (event: ReaderEvent) => void
	readonly session: CpSession
	/** Shown by a reader that has just come up. */
	readonly atRest: readonly Message[]
}

function begin({ io, profile, clock, emit, session, atRest }: RunParts): Run {
	const stop = new AbortController()
	const tell = (event: ReaderEvent) => {
		if (!stop.signal.aborted) emit(event)
	}
	const alarm = throttledAlarm(clock, (code: Extract<ReaderEvent, { kind: 'security' }>['code']) => tell({ kind: 'security', code }))
	const budget = readBudget(clock)
	const line = openLine({ io, session, clock, stopped: stop.signal, onAlarm: alarm })
	const orders: Message[] = []

	let keys = profile.key ? [profile.key] : []
	let rotation: Rotation | undefined
	let tamper = false
	let powerFailed = false

	let pipeOpen = false
	let wake = () => {}
	/** Ends early when there is something to do. */
	const pause = (ms: number): Promise<void> => {
		if (stop.signal.aborted) return Promise.resolve()
		return new Promise((resolve) => {
			const cancel = clock.after(ms, resolve)
			wake = () => {
				cancel()
				resolve()
			}
		})
	}
	const offState = io.onState((open) => {
		pipeOpen = open
		wake()
	})

	function report(code: number, data: Uint8Array): void {
		const fact = readFact(code, data)
		const secure = session.isSecure()
		if (fact?.kind === 'status') {
			if (fact.tamper !== tamper) tell({ kind: 'tamper', active: fact.tamper })
			if (fact.powerFailed !== powerFailed) tell({ kind: 'power', failed: fact.powerFailed })
			tamper = fact.tamper
			powerFailed = fact.powerFailed
		} else if (fact) {
			if (budget.take()) tell({ ...fact, secure })
			else alarm('overflow')
		}
	}

	/** Polls until the connection ends, and says how. */
	async function serve(): Promise<'gone' | 'rekeyed'> {
		orders.splice(0, orders.length, ...atRest)
		for (let command = askLocalStatus(); ; command = orders.shift() ?? poll()) {
			const changing = rotation
			const outcome = await line.exchange(changing ? keyset(changing.key) : command)
			if (changing) {
				const refused = outcome.kind === 'answer' && outcome.code !== ANSWER.ack
				if (!refused) {
					// Acknowledged, or the answer was lost and either key may be in force: the next handshake finds out.
					keys = [changing.key, ...keys]
					return outcome.kind === 'answer' ? 'rekeyed' : 'gone'
				}
				settleRotation(new Fault('reader-insecure', 'The reader refused the new key and keeps its old one.'))
			}
			if (outcome.kind !== 'answer' || stop.signal.aborted) return 'gone'
			report(outcome.code, outcome.data)
			if (orders.length === 0 && !rotation) await pause(profile.pollMs ?? POLL_MS)
		}
	}

	function settleRotation(refusal?: Fault): void {
		const ending = rotation
		rotation = undefined
		ending?.settle(refusal)
	}

	/** After a change of keys: whichever the reader proved to hold is the key from now on. */
	function settleKeys(connection: Connection): void {
		if (connection.kind === 'online' && connection.key) keys = [connection.key]
		if (!rotation || connection.kind === 'installed') return
		const agreed = connection.kind === 'online' && connection.key !== undefined && sameBytes(connection.key, rotation.key)
		settleRotation(agreed ? undefined : new Fault('reader-insecure', 'The reader did not come back with its new key; the old one stays valid.'))
	}

	async function online(): Promise<'gone' | 'rekeyed'> {
		const secure = session.isSecure()
		tell({ kind: 'reader-up', secure })
		const end = await serve()
		tell({ kind: 'reader-down' })
		if (secure && end === 'gone') alarm('channel-lost')
		return end
	}

	async function live(): Promise<void> {
		let failures = 0
		while (!stop.signal.aborted) {
			if (!pipeOpen) {
				failures = 0
				await pause(RETRY_MS[2])
				continue
			}
			const installing = profile.installUntil !== undefined && clock.mono() < profile.installUntil
			const connection = await connect({ line, session, random: clock.random, keys, installing })
			settleKeys(connection)
			if (connection.kind === 'installed') continue
			if (connection.kind === 'refused') alarm(connection.code)
			const since = clock.mono()
			const end = connection.kind === 'online' ? await online() : 'gone'
			// Which key the reader holds is asked at once; the answer, or none, settles the change.
			if (end === 'rekeyed' || rotation) continue
			failures = connection.kind === 'online' && clock.mono() - since >= GOOD_LIFE_MS ? 0 : failures + 1
			await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0)
		}
	}

	const finished = live().finally(() => {
		offState()
		settleRotation(new Fault('reader-insecure', 'The driver was stopped before the reader came back with its new key.'))
	})
	return {
		line,
		stop,
		orders,
		finished,
		wake: () => wake(),
		rotate(key) {
			if (!session.isSecure() || rotation) {
				return Promise.reject(new Fault('reader-insecure', 'The key changes only inside a secure channel, one change at a time.'))
			}
			return new Promise((resolve, reject) => {
				rotation = { key, settle: (refusal) => (refusal ? reject(refusal) : resolve()) }
				wake()
			})
		},
	}
}
