import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, Fault } from '@latchwork/core/base'
import type { TransportAddress } from '@latchwork/drivers/transport'
import { resumeClock, sharedClock, systemClock } from '@latchwork/edge/clock-file'
import { writeJson, writeText } from '@latchwork/edge/durable'
import { secretBytes } from '@latchwork/edge/keys'
import type { DevConfig } from '../config.ts'
import type { VirtualPlan } from '../virtual/main.ts'
import { startChild } from './child.ts'
import { BOARDS, type Demo, demo, demoContents, demoParcels, demoPeople, LAYOUT, MAKER_KEY_ID, type Maker, maker, SITE } from './demo.ts'
import { checkDirectory, type Files, filesOf, makeKeys, takeDirectory } from './directory.ts'
import { keepMaking } from './making.ts'
import { choosePorts, type Ports } from './ports.ts'
import { superviseEdge } from './supervise.ts'
import { builtWeb } from './web.ts'

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
	readonly parcels: readonly { readonly order: string; readonly tag: string; readonly code: string; readonly expected: boolean }[]
}

/** Everything embedded: one controller, one virtual bank, and the maker of what the controller may decide by. */
export async function startDev(
	config: DevConfig,
	log: (line: string) => void,
): Promise<{ ready: DevReady; stop: () => Promise<void>; failed: Promise<never> }> {
	// What can fail without the directory comes first: a start that fails leaves nothing there.
	checkDirectory(config)
	const web = builtWeb(log)
	const ports = await choosePorts(config.port)
	const lock = takeDirectory(config, log)
	/** What runs so far, to be ended in reverse: also when a later part does not start. */
	const running: (() => unknown)[] = [() => lock.close()]
	const stop = async () => {
		for (let end = running.pop(); end; end = running.pop()) await end()
	}
	try {
		return { ...(await startParts({ config, log, web, ports }, running)), stop }
	} catch (fault) {
		await stop()
		throw fault
	}
}

interface Parts {
	readonly config: DevConfig
	readonly log: (line: string) => void
	/** Built pages. */
	readonly web: string
	readonly ports: Ports
}

async function startParts({ config, log, web, ports }: Parts, running: (() => unknown)[]): Promise<{ ready: DevReady; failed: Promise<never> }> {
	const files = filesOf(config.data)
	const estate = demo(files.demo, Math.floor(systemClock.now()), config.demo)
	makeKeys(files)
	const clock = siteClock(config, files, running)
	const made = maker(files, estate, secretBytes(files.siteKey, 32))
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
	const put = { bundle: (text: string) => writeText(files.bundle, text), lease: (text: string) => writeText(files.lease, text) }
	running.push(keepMaking({ made, clock, put, log }))

	const edgeMain = config.edge ?? fileURLToPath(import.meta.resolve('@latchwork/edge/main'))
	const supervised = await superviseEdge<EdgeReady>({
		start: () => startChild(edgeMain, [files.edge, '--child'], 'EDGE', files.cache, log),
		clock: systemClock,
		log,
		restarted: (pid) => void process.stdout.write(`LATCHWORK EDGE ${JSON.stringify({ pid })}\n`),
	})
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
			parcels: estate.parcels.map(({ order, tag, digits, door }) => ({ order, tag, code: digits, expected: door === undefined })),
		},
		failed,
	}
}

function siteClock(config: DevConfig, files: Files, running: (() => unknown)[]): Clock {
	if (!config.virtualClock) return systemClock
	resumeClock(files.clock)
	const shared = sharedClock(files.clock, 'maker')
	running.push(shared.stop)
	return shared
}

function virtualPlan(config: DevConfig, of: Demo, made: Maker, clock: Clock, ports: Ports, web: string, files: Files): VirtualPlan {
	const inside = demoContents(of)
	const now = Math.floor(clock.now())
	const parcels = demoParcels(of, made, now)
	return {
		port: ports.virtual,
		web: join(web, 'virtual'),
		kiosk: `http://127.0.0.1:${ports.kiosk}/`,
		...(config.virtualClock && { clock: files.clock }),
		keep: files.keep,
		people: demoPeople(of, made, now),
		parcels,
		banks: [
			{
				id: of.bank,
				name: SITE.bank,
				layout: LAYOUT,
				family: 'kr16',
				boards: BOARDS,
				compartments: of.compartments.map(({ number, board, channel }) => {
					const tag = inside.get(number)
					return { number, board, channel, ...(tag !== undefined && { tag }) }
				}),
				reader: { address: 1, key: of.readerKey },
				outside: parcels.filter((p) => p.expected).map((p) => p.tag),
			},
		],
	}
}

function edgeFile(config: DevConfig, of: Demo, made: Maker, hardware: VirtualReady, port: number, files: Files, web: string) {
	const bank = hardware.banks.find((b) => b.id === of.bank)
	if (!bank) throw new Fault('config-invalid', 'The virtual bank does not play the bank of this data directory.')
	writeText(files.readerKey, of.readerKey)
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
