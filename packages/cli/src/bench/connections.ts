import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Fault, type Id, newId } from '@latchwork/core/base'
import { ALL_UP } from '@latchwork/core/wire'
import { ALWAYS_OPEN, createBank, createController, createSite } from '@latchwork/server/estate'
import { certified } from '@latchwork/server/link/crowd'
import { happened, linkSite } from '@latchwork/server/link/testing'
import { sql } from '@latchwork/server/store'
import { columnsOf } from './bank.ts'
import type { CrowdJob, CrowdOrder } from './crowd-process.ts'
import { type Estate, startEstate } from './estate.ts'
import { alone, type Bench, type Figure, percentile } from './figures.ts'
import { residentMiB } from './process.ts'

const SIZES = [100, 250, 500] as const
const MOST = 500
const SETTLE_MS = 35_000
const GOAL = { memory: 1.3, backS: 60 }
const IN_ONE_TRANSACTION = 25
const random = (n: number) => new Uint8Array(randomBytes(n))

/** P5 in small: what a connected controller costs server and broker, and how long a crowd takes to come back when the broker dies. */
export const connections: Bench = async ({ folder, effort, log }) => {
	const settle = Math.max(8_000, Math.round(SETTLE_MS * Math.min(1, effort)))
	log(`P5: the broker alone with ${MOST} bare clients`)
	const bare = await bareCrowd(settle)
	log(`P5: server and broker with ${MOST} controllers`)
	const ours = await servedCrowd(folder, settle)
	const memory = SIZES.map((count, i): Figure => {
		const [a = Number.NaN, b = Number.NaN] = [ours.memory[i], bare.memory[i]]
		return {
			size: `${count} connected: memory of server and broker for each`,
			unit: 'KiB',
			p50: a,
			floor: { p50: b },
			against: { kind: 'times', p50: a / b },
			goal: `≤ ${GOAL.memory}× the broker’s own`,
			met: a / b <= GOAL.memory,
			samples: count,
		}
	})
	const storm: Figure = {
		size: `broker killed: all ${MOST} are back, all ${ours.events} events acknowledged`,
		unit: 's',
		p50: ours.backS,
		floor: { p50: bare.backS },
		against: { kind: 'times', p50: ours.backS / bare.backS },
		goal: `≤ ${GOAL.backS} s, no event lost`,
		met: ours.backS <= GOAL.backS && ours.kept === ours.events,
		samples: MOST,
	}
	return {
		id: 'P5',
		name: 'connections',
		what: 'resident memory of server and broker over that before the first connection, for each connected controller; a broker that is killed → every controller is back and its events are durable',
		floor: 'a broker child of the same program with as many bare clients and certificates, and nobody who acts on what they say',
		conditions: [
			'clients in a process of their own, MQTT over WebSocket and TLS, certificates as enrolment issues them; a status each 30 s; every controller has a bank of two doors, whose bundle and leases the server makes',
			`memory is that of the operating system (ps), the median of ten looks, ${settle / 1000} s after the last connection; the collector moves it by some MiB`,
			'storm: each controller holds eight events, sends them as the broker is killed and again at each connection until they are acknowledged; it tries again after one to two seconds; all on the same cores',
		],
		figures: [
			...memory,
			alone('of that with 500, the server’s', 'KiB', [ours.server]),
			storm,
			{
				size: 'events of the storm that are kept, each once',
				unit: '%',
				p50: (100 * ours.kept) / ours.events,
				goal: '100 %, none twice',
				met: ours.kept === ours.events && ours.rows === ours.events,
				samples: ours.events,
			},
		],
	}
}

async function bareCrowd(settle: number): Promise<{ memory: number[]; backS: number }> {
	const site = await linkSite()
	try {
		const server = site.internal()
		server.on('connect', () => void server.subscribe(ALL_UP, { qos: 1 }))
		await happened(server, 'connect')
		const devices: CrowdJob['devices'][number][] = []
		for (let i = 0; i < MOST; i++) devices.push({ ...(await site.device()), bank: newId('bank', Date.now(), random) })
		const crowd = openCrowd({ url: `wss://localhost:${site.broker.ports().device}/mqtt`, ca: site.portCa, devices })
		try {
			const memory = await memories(crowd, settle, () => residentMiB(site.broker.pid()))
			return { memory, backS: await crowd.storm(false, site.broker.pid()) }
		} finally {
			await crowd.end()
		}
	} finally {
		await site.close()
	}
}

async function servedCrowd(folder: string, settle: number) {
	const estate = await startEstate(folder)
	try {
		const devices = await controllersOf(estate)
		const [root] = await estate.store.system((db) => db.rows<{ certificate: string }>(sql`SELECT certificate FROM port_authority`))
		// Bundles are made, and the port has heard of the authority.
		await pause(settle)
		const crowd = openCrowd({ url: `${estate.device.replace(/^http/, 'ws')}/mqtt`, ca: root?.certificate ?? '', devices })
		try {
			const parts: number[] = []
			const before = estate.memory()
			const memory = await memories(
				crowd,
				settle,
				() => estate.memory() + residentMiB(estate.broker),
				() => parts.push(estate.memory()),
			)
			const backS = await crowd.storm(true, estate.broker)
			const kept = await estate.store.system((db) =>
				db.first<{ each: number; rows: number }>(sql`SELECT count(DISTINCT (stream, seq))::int AS each, count(*)::int AS rows FROM
					(SELECT stream, seq FROM event_pending UNION ALL SELECT stream, seq FROM event) AS all_of_it WHERE stream IS NOT NULL`),
			)
			return {
				memory,
				server: ((parts.at(-1) ?? 0) - before) * (1024 / MOST),
				backS,
				events: crowd.events(),
				kept: kept?.each ?? 0,
				rows: kept?.rows ?? 0,
			}
		} finally {
			await crowd.end()
		}
	} finally {
		await estate.stop()
	}
}

async function controllersOf({ tenant, store, terms }: Estate): Promise<CrowdJob['devices']> {
	const change = { actor: 'server', now: Date.now(), random } as const
	const site = await store.write(tenant, (tx) => createSite(tx, change, { name: 'Crowd', timeZone: 'UTC', address: '', calendar: ALWAYS_OPEN }))
	const made: CrowdJob['devices'][number][] = []
	while (made.length < MOST)
		await store.write(tenant, async (tx) => {
			for (let i = 0; i < IN_ONE_TRANSACTION; i++) {
				const { id: bank } = await createBank(tx, change, {
					site: site.id,
					name: `Bank ${made.length}`,
					helpPhone: '0',
					layout: { columns: columnsOf([1, 2]) },
				})
				const { id } = await createController(tx, change, { bank, name: 'Crowd' })
				made.push({ ...(await certified(tx, { ...terms, now: change.now }, id as Id<'controller'>)), bank })
			}
		})
	return made
}

/** KiB for each connected controller at each size. */
async function memories(crowd: ReturnType<typeof openCrowd>, settle: number, resident: () => number, looked = () => {}): Promise<number[]> {
	const look = async () => {
		const found: number[] = []
		for (let i = 0; i < 10; i++) {
			found.push(resident())
			await pause(100)
		}
		looked()
		return percentile(found, 0.5)
	}
	const before = await look()
	const all: number[] = []
	for (const count of SIZES) {
		await crowd.connect(count)
		await pause(settle)
		all.push(((await look()) - before) * (1024 / count))
	}
	return all
}

export function openCrowd(job: CrowdJob) {
	const program = fileURLToPath(new URL('./crowd-process.ts', import.meta.url))
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], { stdio: ['pipe', 'pipe', 'inherit'] })
	const ended = once(child, 'exit')
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	const heard = async (): Promise<{ readonly events?: number; readonly at?: number[]; readonly texts?: string[] }> => {
		const { value } = await lines.next()
		if (typeof value !== 'string') throw new Fault('transport-closed', 'The process of the crowd ended too early.')
		return JSON.parse(value) as Awaited<ReturnType<typeof heard>>
	}
	const tell = (order: CrowdOrder | CrowdJob): void => void child.stdin.write(`${JSON.stringify(order)}\n`)
	let events = 0
	tell(job)
	return {
		events: () => events,
		async connect(count: number) {
			tell({ do: 'connect', count })
			await heard()
		},
		async fetch(port: string) {
			tell({ do: 'fetch', port })
			await heard()
		},
		/** When each was told of something first (Unix ms). */
		async told(): Promise<readonly number[]> {
			tell({ do: 'await' })
			return (await heard()).at ?? []
		},
		/** What the first was told since the last time. */
		async forget(): Promise<readonly string[]> {
			tell({ do: 'forget' })
			return (await heard()).texts ?? []
		},
		/** Seconds from the broker's end until all are back. */
		async storm(acks: boolean, broker: number): Promise<number> {
			tell({ do: 'storm', acks })
			await heard()
			const began = performance.now()
			process.kill(broker, 'SIGKILL')
			events = (await heard()).events ?? 0
			return (performance.now() - began) / 1000
		},
		async end() {
			child.stdin.end()
			await ended
		},
	}
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))
