import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, Fault } from '@latchwork/core/base'
import type { TransportAddress } from '@latchwork/drivers/transport'
import { sharedClock, systemClock } from '@latchwork/edge/clock-file'
import { lockDirectory } from '@latchwork/edge/journal'
import { secretBytes } from '@latchwork/edge/keys'
import type { DevConfig } from '../config.ts'
import type { VirtualPlan } from '../virtual/main.ts'
import { type Child, startChild } from './child.ts'
import { BOARDS, type Demo, demo, demoPeople, LAYOUT, MAKER_KEY_ID, type Maker, maker } from './demo.ts'
import { builtWeb } from './web.ts'

const DEFAULT_PORT = 4180
/** The maker renews the lease each minute and the bundle twice a day, as a server would. */
const LEASE_EVERY_MS = 60_000
const BUNDLE_EVERY_MS = 12 * 3_600_000
/** An edge that ends before it is ready this often in a row has a fault that a restart does not mend. */
const STARTS = 5

interface VirtualReady {
	readonly url: string
	readonly banks: readonly {
		readonly id: string
		readonly bus: TransportAddress
		readonly reader: TransportAddress
		readonly scanner: TransportAddress
	}[]
}
interface EdgeReady {
	readonly url: string
}

export interface DevReady {
	readonly kiosk: string
	readonly virtual: string
	readonly dataDir: string
	readonly pids: { readonly dev: number; edge: number; readonly virtual: number }
	readonly people: readonly { readonly name: string; readonly badge: string; readonly pin: string }[]
}

/** Everything embedded: one controller, one virtual bank, and the maker of what the controller may decide by. */
export async function startDev(
	config: DevConfig,
	log: (line: string) => void,
): Promise<{ ready: DevReady; stop: () => Promise<void>; failed: Promise<never> }> {
	if (config.fresh) removeData(config.data)
	refuseForeign(config.data)
	mkdirSync(config.data, { recursive: true, mode: 0o700 })
	const lock = lockDirectory(config.data, 'dev')
	/** What runs so far, to be ended in reverse: also when a later part does not start. */
	const running: (() => unknown)[] = [() => lock.close()]
	const stop = async () => {
		for (let end = running.pop(); end; end = running.pop()) await end()
	}
	try {
		return { ...(await startParts(config, log, running)), stop }
	} catch (fault) {
		await stop()
		throw fault
	}
}

async function startParts(
	config: DevConfig,
	log: (line: string) => void,
	running: (() => unknown)[],
): Promise<{ ready: DevReady; failed: Promise<never> }> {
	const web = builtWeb(log)
	const ports = await choosePorts(config.port)
	const files = filesOf(config)
	const clock = siteClock(config, files, running)
	const estate = demo(config.data, Math.floor(clock.now()), config.demo)
	makeKeys(files)
	const made = maker(config.data, estate, secretBytes(files.siteKey, 32))
	const cli = fileURLToPath(new URL('../', import.meta.url))

	writeJson(files.virtualPlan, virtualPlan(config, estate, made, clock, ports, web, files))
	const virtual = startChild(join(cli, 'virtual', 'main.ts'), [files.virtualPlan], 'VIRTUAL', files.cache, log)
	let stopping = false
	running.push(() => {
		stopping = true
		return virtual.stop()
	})
	const hardware = (await virtual.ready) as VirtualReady
	writeJson(files.edge, edgeFile(config, estate, made, hardware, ports.kiosk, files, web))
	running.push(keepMaking(made, files, clock))

	const edgeMain = config.edge ?? fileURLToPath(import.meta.resolve('@latchwork/edge/main'))
	const supervised = await superviseEdge(() => startChild(edgeMain, [files.edge, '--child'], 'EDGE', files.cache, log), log)
	running.push(supervised.stop)
	const ended = virtual.ended.then(() =>
		stopping
			? new Promise<never>(() => {})
			: Promise.reject(new Fault('transport-closed', 'The virtual bank ended. Start again; its doors and items are kept.')),
	)
	const failed = Promise.race([supervised.failed, ended])
	failed.catch(() => {})
	return {
		ready: {
			kiosk: supervised.ready.url,
			virtual: hardware.url,
			dataDir: config.data,
			pids: { dev: process.pid, edge: supervised.pid(), virtual: virtual.pid },
			people: estate.people.map(({ name, badge, pin }) => ({ name, badge, pin })),
		},
		failed,
	}
}

function siteClock(config: DevConfig, files: Files, running: (() => unknown)[]): Clock {
	if (!config.virtualClock) return systemClock
	const shared = sharedClock(files.clock, 'maker')
	running.push(shared.stop)
	return shared
}

const filesOf = ({ data }: DevConfig) => ({
	edge: join(data, 'edge.json'),
	virtualPlan: join(data, 'virtual.json'),
	bundle: join(data, 'bundle.json'),
	lease: join(data, 'lease.json'),
	siteKey: join(data, 'site.key'),
	deviceKey: join(data, 'device.pem'),
	readerKey: join(data, 'reader.key'),
	clock: join(data, 'clock'),
	keep: join(data, 'metal'),
	/** Shared by all data directories of this checkout; Node does without where it cannot write. */
	cache: fileURLToPath(new URL('../../../../node_modules/.cache/latchwork', import.meta.url)),
})
type Files = ReturnType<typeof filesOf>

/** A folder with somebody's files in it never becomes ours, so that `--fresh` can never remove them. */
function refuseForeign(data: string): void {
	if (!existsSync(data) || existsSync(join(data, 'demo.json'))) return
	if (!statSync(data).isDirectory()) throw new Fault('config-invalid', `${data} is a file. Choose a directory with LATCHWORK_DATA.`)
	if (readdirSync(data).length > 0)
		throw new Fault('config-invalid', `${data} holds files that Latchwork did not make. Choose an empty directory with LATCHWORK_DATA.`)
}

/** Only what a start made is removed: a directory with anything else in it is not ours to empty. */
function removeData(data: string): void {
	if (!existsSync(data)) return
	if (!existsSync(join(data, 'demo.json')))
		throw new Fault('config-invalid', `--fresh would empty ${data}, but Latchwork did not make it. Remove it by hand, or choose another directory.`)
	lockDirectory(data, 'dev').close()
	rmSync(data, { recursive: true, force: true })
}

function makeKeys(files: Files): void {
	if (existsSync(files.siteKey)) return
	writeFileSync(files.siteKey, randomBytes(32).toString('hex'), { mode: 0o600 })
	writeFileSync(files.deviceKey, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
}

function virtualPlan(config: DevConfig, of: Demo, made: Maker, clock: Clock, ports: Ports, web: string, files: Files): VirtualPlan {
	const inside = new Map(of.assets.map((a) => [a.door, a.tag]))
	return {
		port: ports.virtual,
		web: join(web, 'virtual'),
		kiosk: `http://127.0.0.1:${ports.kiosk}/`,
		...(config.virtualClock && { clock: files.clock }),
		keep: files.keep,
		people: demoPeople(of, made, Math.floor(clock.now())),
		banks: [
			{
				id: of.bank,
				name: 'HQ Lobby A',
				layout: LAYOUT,
				family: 'kr16',
				boards: BOARDS,
				compartments: of.compartments.map(({ number, board, channel }) => {
					const tag = inside.get(number)
					return { number, board, channel, ...(tag !== undefined && { tag }) }
				}),
				reader: { address: 1, key: of.readerKey },
			},
		],
	}
}

function edgeFile(config: DevConfig, of: Demo, made: Maker, hardware: VirtualReady, port: number, files: Files, web: string) {
	const bank = hardware.banks.find((b) => b.id === of.bank)
	if (!bank) throw new Fault('config-invalid', 'The virtual bank does not play the bank of this data directory.')
	writeFileSync(files.readerKey, of.readerKey, { mode: 0o600 })
	return {
		controller: of.controller,
		bank: of.bank,
		port,
		web: join(config.edge === undefined ? web : dirname(config.edge), 'kiosk'),
		bundle: files.bundle,
		lease: files.lease,
		makers: [{ keyId: MAKER_KEY_ID, publicKey: made.publicKey }],
		siteKey: files.siteKey,
		deviceKey: files.deviceKey,
		...(config.virtualClock && { clock: files.clock }),
		buses: [{ id: 'bus-1', family: 'kr16', product: 'CU16', transport: bank.bus, boards: BOARDS.map((b) => b.board) }],
		readers: [
			{ id: of.reader, family: 'osdp', transport: bank.reader, address: 1, key: files.readerKey },
			{ id: of.reader, family: 'scanner', transport: bank.scanner },
		],
		compartments: of.compartments.map(({ id, board, channel }) => ({ id, bus: 'bus-1', board, channel })),
	}
}

function keepMaking(made: Maker, files: Files, clock: Clock): () => void {
	const now = () => Math.floor(clock.now())
	writeText(files.bundle, made.bundle(now()))
	writeText(files.lease, made.lease(now()))
	let cancel = () => {}
	let sinceBundle = clock.mono()
	const turn = () => {
		if (clock.mono() - sinceBundle >= BUNDLE_EVERY_MS) {
			sinceBundle = clock.mono()
			writeText(files.bundle, made.bundle(now()))
		}
		writeText(files.lease, made.lease(now()))
		cancel = clock.after(LEASE_EVERY_MS, turn)
	}
	cancel = clock.after(LEASE_EVERY_MS, turn)
	return () => cancel()
}

/** The edge is started again when it ends, as an init system would; what it was doing is settled by its own recovery. */
async function superviseEdge(start: () => Child, log: (line: string) => void) {
	let child = start()
	let stopping = false
	let give: (e: unknown) => void = () => {}
	const failed = new Promise<never>((_, reject) => {
		give = reject
	})
	const ready = (await child.ready) as EdgeReady
	const watch = async (): Promise<void> => {
		for (let failures = 0; !stopping; ) {
			await child.ended
			if (stopping) return
			log('The controller ended; starting it again.')
			child = start()
			try {
				await child.ready
				failures = 0
				process.stdout.write(`LATCHWORK EDGE ${JSON.stringify({ pid: child.pid })}\n`)
			} catch (fault) {
				failures += 1
				if (failures >= STARTS) return give(fault)
			}
		}
	}
	void watch()
	return {
		ready,
		failed,
		pid: () => child.pid,
		async stop() {
			stopping = true
			await child.stop()
		},
	}
}

interface Ports {
	readonly kiosk: number
	readonly virtual: number
}

/** A port that was asked for is taken or it is an error; otherwise the next free pair, so that two installations run side by side. */
async function choosePorts(asked: number | undefined): Promise<Ports> {
	for (let port = asked ?? DEFAULT_PORT; port < DEFAULT_PORT + 200 || asked !== undefined; port += 2) {
		const free = (await isFree(port)) && (await isFree(port + 1))
		if (free) return { kiosk: port, virtual: port + 1 }
		if (asked !== undefined)
			throw new Fault('port-in-use', `Port ${port} or ${port + 1} is taken by another program. Choose another with LATCHWORK_PORT.`)
	}
	throw new Fault('port-in-use', `No free pair of ports from ${DEFAULT_PORT} on. Name one with LATCHWORK_PORT.`)
}

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer()
		probe.once('error', () => resolve(false))
		probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
	})
}

function writeText(path: string, text: string): void {
	writeFileSync(`${path}.new`, text, { mode: 0o600 })
	renameSync(`${path}.new`, path)
}

const writeJson = (path: string, value: unknown): void => writeText(path, JSON.stringify(value, null, '\t'))
