import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Clock, Fault, type Random, toBase64 } from '@latchwork/core/base'
import type { Address, BrokerCounters, BrokerIncident, BrokerState, FromBroker, ToBroker } from './broker-lines.ts'

export interface BrokerConfig {
	readonly device: Address
	/** MQTT over TLS beside the device port. */
	readonly mqtts?: Address
	/** False: an external broker has the messages. */
	readonly mqtt: boolean
	/** Where the sockets between server and child are; nobody else may look in. */
	readonly folder: string
	/** The child faces strangers: it gets no secret of ours by its environment. */
	readonly environment: Readonly<Record<string, string>>
	/** The child's program, where it is not this package's source. */
	readonly program?: string
}

export interface BrokerParts {
	readonly clock: Clock
	readonly random: Random
	readonly log: (line: string) => void
	readonly incident: (incident: BrokerIncident) => void
}

export interface Broker {
	readonly internal: { readonly path: string; readonly secret: string }
	ports(): { readonly device: number; readonly mqtts: number | undefined }
	/** Who is let in from now on; told to every later child, too. */
	update(state: Omit<BrokerState, 'now'>): void
	/** Of the present child: they begin anew with it. */
	counters(): BrokerCounters
	pid(): number
	stop(): Promise<void>
}

/** One that ends sooner did not work; the first restart comes at once, each further one of a row waits twice as long. */
const QUICK_MS = 10_000
const PAUSE = { first: 250, longest: 10_000 }
const TIME_EVERY_MS = 5_000
/** A minute: one that hangs holds the port and lets nobody in, and nothing but its end mends that. Times and no clock: a server that was stopped itself blames nobody. */
const MOST_UNHEARD = 12
const PATIENCE_MS = 5_000

/**
 * A folder that this user alone may enter. The name of a socket has 108 bytes at most: for a longer one there is a folder beside everybody's temporary
 * files, whose name others can guess, so it must really be ours.
 */
export function socketFolder(wanted: string): { readonly folder: string; readonly remove: () => void } {
	mkdirSync(wanted, { recursive: true, mode: 0o700 })
	if (process.platform === 'win32' || fits(wanted)) return { folder: wanted, remove: () => {} }
	const folder = join(tmpdir(), `latchwork-link-${hash('sha256', wanted).slice(0, 24)}`)
	mkdirSync(folder, { recursive: true, mode: 0o700 })
	const { uid, mode } = lstatSync(folder)
	if (uid !== process.getuid?.() || (mode & 0o777) !== 0o700 || !lstatSync(folder).isDirectory())
		throw new Fault('config-invalid', `${folder} was made by somebody else. Remove it, or give the server a data directory with a shorter name.`)
	return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const fits = (folder: string): boolean => Buffer.byteLength(join(folder, 'broker.sock')) <= 100

export const socketPaths = (folder: string): { readonly internal: string; readonly upstream: string } => {
	const path = (name: string) =>
		process.platform === 'win32' ? `\\\\.\\pipe\\${folder.replaceAll(/[^A-Za-z0-9]/g, '-')}-${name}` : join(folder, `${name}.sock`)
	const paths = { internal: path('broker'), upstream: path('device') }
	// sun_path has 108 bytes, and an operating system cuts what is longer without a word.
	if (process.platform !== 'win32' && !fits(folder))
		throw new Fault('config-invalid', `The folder for sockets has a name that is too long: ${folder}`)
	return paths
}

/**
 * Starts the broker child and keeps it running. Controllers and the server's own client connect again by themselves, and whatever was under way is
 * sent again by its owner, so that its end costs a second and loses nothing. Rejects when the first one does not come up.
 */
export async function startBroker(
	config: BrokerConfig,
	first: Omit<BrokerState, 'now'>,
	{ clock, random, log, incident }: BrokerParts,
): Promise<Broker> {
	const secret = toBase64(random(32))
	const paths = socketPaths(config.folder)
	const program = config.program ?? fileURLToPath(new URL('./broker-main.ts', import.meta.url))
	let state = first
	let counters: BrokerCounters = { connected: 0 }
	let stopping = false
	let wake = () => {}
	let ports: { device: number; mqtts: number | undefined } | undefined
	let child = run()
	await child.ready

	function run() {
		// Later ones take the very ports of the first: that is where controllers look for them.
		const device = { ...config.device, port: ports?.device ?? config.device.port }
		const mqtts = config.mqtts && { ...config.mqtts, port: ports?.mqtts ?? config.mqtts.port }
		const began = clock.mono()
		const process_ = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
			stdio: ['pipe', 'pipe', 'pipe'],
			env: { ...config.environment },
		})
		const tell = (line: ToBroker) => void process_.stdin.write(`${JSON.stringify(line)}\n`)
		process_.stdin.on('error', () => {})
		createInterface({ input: process_.stderr }).on('line', log)
		counters = { connected: 0 }
		let unheard = 0
		const { mqtt } = config
		tell({ kind: 'start', device, ...(mqtts && { mqtts }), mqtt, ...paths, secret, state: { ...state, now: clock.now() } })
		const ended = new Promise<void>((done) => process_.once('close', () => done()))
		const ready = new Promise<void>((done, failed) => {
			createInterface({ input: process_.stdout }).on('line', (text) => {
				const line = JSON.parse(text) as FromBroker
				unheard = 0
				if (line.kind === 'counters') counters = line.counters
				else if (line.kind === 'heard') return
				else if (line.kind === 'incident') incident(line.incident)
				else if (line.kind === 'failed') failed(new Fault(line.code, `The device port cannot be opened: ${line.text}`))
				else {
					ports = { device: line.device, mqtts: line.mqtts }
					done()
				}
			})
			process_.once('error', failed)
			process_.once('close', () => failed(new Fault('broker-unavailable', 'The broker ended before it was ready.')))
		})
		ready.catch((fault) => log(String(fault)))
		const tellTime = () => {
			if (unheard++ === MOST_UNHEARD) {
				log('The broker does not answer; ending it.')
				process_.kill('SIGKILL')
			} else tell({ kind: 'now', now: clock.now() })
		}
		return { began, process: process_, tell, tellTime, ended, ready }
	}

	const pause = (ms: number) =>
		new Promise<void>((done) => {
			const cancel = clock.after(ms, done)
			wake = () => {
				cancel()
				done()
			}
		})

	const watch = async (): Promise<void> => {
		for (let quick = 0; ; ) {
			await child.ended
			if (stopping) return
			quick = clock.mono() - child.began >= QUICK_MS ? 0 : quick + 1
			const wait = quick > 1 ? Math.min(PAUSE.first * 2 ** (quick - 2), PAUSE.longest) : 0
			log(`The broker ended; starting it again${wait > 0 ? ` in ${wait / 1000} s` : ''}.`)
			if (wait > 0) await pause(wait)
			if (stopping) return
			child = run()
		}
	}
	void watch()

	let untell = () => {}
	const tellTime = () => {
		child.tellTime()
		untell = clock.after(TIME_EVERY_MS, tellTime)
	}
	untell = clock.after(TIME_EVERY_MS, tellTime)

	return {
		internal: { path: paths.internal, secret },
		ports: () => ports ?? { device: config.device.port, mqtts: config.mqtts?.port },
		update(next) {
			state = next
			child.tell({ kind: 'state', state: { ...state, now: clock.now() } })
		},
		counters: () => counters,
		pid: () => child.process.pid ?? -1,
		async stop() {
			stopping = true
			untell()
			wake()
			child.process.stdin.end()
			const cancel = clock.after(PATIENCE_MS, () => child.process.kill('SIGKILL'))
			await child.ended
			cancel()
		},
	}
}
