import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault, sleep } from '@latchwork/core/base'
import { resumeClock, systemClock } from '@latchwork/edge/clock-file'
import { writeJson } from '@latchwork/edge/durable'
import { enrolOnce } from '@latchwork/edge/enrolment'
import { startChild } from './child.ts'
import { type Files, filesOf } from './directory.ts'
import { type EstateFile, estateOf } from './estate-file.ts'
import { dropOff } from './first-parcel.ts'
import { type DemoBank, type Metal, metalOf, startMetal } from './metal.ts'
import type { DevParts, Running } from './parts.ts'
import { type Seeded, seedDemo } from './seed.ts'
import { supervise } from './supervise.ts'

interface ServerReady {
	readonly url: string
	readonly api: string
	readonly openapi: string
	readonly device: string
	readonly pid: number
	readonly broker: number
	readonly database?: number
}

/** Server, broker, database, two banks with a controller each, and their hardware: made through the API, enrolled by claim, as for real machines. */
export async function startWhole(parts: DevParts): Promise<Running> {
	const { config, log, web, ports, open } = parts
	const [kiosk = 0, virtual = 0, api = 0, device = 0, ...more] = ports
	const files = filesOf(config.data)
	const estate = estateOf(files.estate, config.demo)
	if (config.virtualClock) resumeClock(files.clock)
	const clock = config.virtualClock ? { clock: files.clock } : {}

	const server = await supervise<ServerReady>({
		what: 'server',
		start: () => startServerChild(parts, estate, files, { api, device }),
		clock: systemClock,
		log,
		restarted: (pid) => void process.stdout.write(`LATCHWORK SERVER ${JSON.stringify({ pid })}\n`),
	})
	open.push(server.stop)
	const token = await tokenOf(server.ready.url, estate, files)
	const seeded = await seededEstate(server.ready.url, token, estate, files)
	const banks = seeded.sites.map((site, i) => bankOf(site, estate.readers[i]))

	const metal = await startMetal(
		{
			port: virtual,
			web: join(web, 'virtual'),
			kiosk: `http://127.0.0.1:${kiosk}/`,
			...clock,
			keep: files.keep,
			people: seeded.people.map(({ name, badge, pin }) => ({ name, badge, pin, qr: [] })),
			parcels: seeded.parcels.map(({ order, tag, code, picture }) => ({ order, tag, code, qr: picture })),
			banks: banks.map((bank, i) =>
				i === 0
					? metalOf(
							bank,
							new Map(seeded.assets.map(({ door, tag }) => [door, tag])),
							seeded.parcels.map(({ tag }) => tag),
						)
					: metalOf(bank, new Map(), []),
			),
		},
		files,
		log,
	)
	open.push(metal.stop)

	const page = join(config.edge === undefined ? web : dirname(config.edge), 'kiosk')
	const program = config.edge ?? fileURLToPath(import.meta.resolve('@latchwork/edge/main'))
	const starting = banks.map(async (bank, i) => {
		const directory = i === 0 ? config.data : join(config.data, `bank-${i + 1}`)
		mkdirSync(directory, { recursive: true, mode: 0o700 })
		const path = join(directory, 'edge.json')
		const at = { port: i === 0 ? kiosk : (more[i - 1] ?? 0), web: page, readerKey: join(directory, 'reader.key'), ...clock }
		await enrolled({ metal, bank, at, path, directory, controller: seeded.sites[i]?.controller ?? '' }, server.ready, token)
		const edge = await supervise<{ url: string }>({
			what: 'controller',
			start: () => startChild(program, [path, '--child'], 'EDGE', files.cache, log),
			clock: systemClock,
			log,
			restarted: (pid) => void process.stdout.write(`LATCHWORK EDGE ${JSON.stringify({ pid, bank: bank.id })}\n`),
		})
		open.push(edge.stop)
		return edge
	})
	// All have started, or have failed, before anything is stopped again: whoever came later would be left behind.
	await Promise.allSettled(starting)
	const edges = await Promise.all(starting)
	const [first] = edges
	if (!first) throw new Fault('config-invalid', 'The demo estate has no bank.')
	await Promise.all(edges.map(({ ready }) => well(ready.url)))
	const waits = seeded.parcels[WAITS]
	const courier = seeded.people[0]
	if (waits && courier && !estate.waiting) {
		await dropOff({ kiosk: first.ready.url, virtual: metal.url, bank: banks[0]?.id ?? '', badge: courier.badge, tag: waits.tag })
		estate.waiting = true
		writeJson(files.estate, estate)
	}

	const failed = Promise.race([server.failed, metal.failed, ...edges.map((edge) => edge.failed)])
	failed.catch(() => {})
	const { url, openapi, broker, database } = server.ready
	return {
		ready: {
			kiosk: first.ready.url,
			virtual: metal.url,
			console: `${url}/`,
			api: url,
			openapi,
			token,
			admin: estate.admin,
			dataDir: config.data,
			pids: {
				dev: process.pid,
				server: server.pid(),
				broker,
				...(database !== undefined && { database }),
				edge: first.pid(),
				edges: edges.map((edge) => edge.pid()),
				virtual: metal.pid,
			},
			people: seeded.people.map(({ name, badge, pin }) => ({ name, badge, pin })),
			parcels: await metal.parcels(),
			banks: seeded.sites.map(({ id, bank, controller }, i) => ({ id: bank, site: id, controller, kiosk: edges[i]?.ready.url ?? '' })),
		},
		failed,
	}
}

const PATIENCE_MS = 5_000
/** What keeps a bank from opening a door just after its start. */
const NOT_YET = new Set(['bundle-missing', 'link-lost', 'board-lost', 'reader-lost'])
/** Whoever reads READY taps, or opens a door from afar, at once. A fault that was left on the drawing keeps nobody longer than this. */
async function well(kiosk: string): Promise<void> {
	for (const until = systemClock.mono() + PATIENCE_MS; systemClock.mono() < until; await sleep(systemClock, 25)) {
		const health = await fetch(`${kiosk}health`).catch(() => undefined)
		if (health && !((await health.json()) as { problems: readonly string[] }).problems.some((problem) => NOT_YET.has(problem))) return
	}
}

/** A database writes out what it holds, which takes a busy disk its time; one that is killed meanwhile leaves its sockets behind. */
const SERVER_PATIENCE_MS = 20_000

/** Which of the demo's parcels waits for its recipient at first; the others are expected. */
const WAITS = 0

function startServerChild({ config, log }: DevParts, { admin }: EstateFile, files: Files, ports: { api: number; device: number }) {
	const program = fileURLToPath(new URL('../main.ts', import.meta.url))
	const clock = config.virtualClock ? ['--clock', files.clock] : []
	return startChild(program, ['server', '--data', files.server, '--child', ...clock], 'SERVER', files.cache, log, {
		env: {
			LATCHWORK_PORT: String(ports.api),
			LATCHWORK_DEVICE_PORT: String(ports.device),
			LATCHWORK_ORGANISATION: 'Fernholt Group',
			LATCHWORK_ADMIN_EMAIL: admin.email,
			LATCHWORK_ADMIN_PASSWORD: admin.password,
		},
		patienceMs: SERVER_PATIENCE_MS,
	})
}

/** The administrator's own token: kept, so that scripts which know it go on after a restart. */
async function tokenOf(url: string, estate: EstateFile, files: Files): Promise<string> {
	if (estate.token !== undefined && (await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${estate.token}` } })).ok) return estate.token
	const json = { 'content-type': 'application/json' }
	const signedIn = await fetch(`${url}/v1/sign-ins`, { method: 'POST', headers: json, body: JSON.stringify(estate.admin) })
	if (!signedIn.ok) throw new Fault('not-signed-in', `The demo administrator cannot sign in: ${await signedIn.text()}`)
	const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
	const issued = await fetch(`${url}/v1/tokens`, {
		method: 'POST',
		headers: { ...json, cookie, origin: url },
		body: JSON.stringify({ name: 'latchwork dev' }),
	})
	if (!issued.ok) throw new Fault('not-permitted', `The demo administrator gets no token: ${await issued.text()}`)
	const { token } = (await issued.json()) as { token: string }
	estate.token = token
	writeJson(files.estate, estate)
	return token
}

async function seededEstate(api: string, token: string, estate: EstateFile, files: Files): Promise<Seeded> {
	if (estate.seeded) return estate.seeded
	const seeded = await seedDemo({ api, token, key: estate.key, badges: estate.badges, demo: estate.demo })
	estate.seeded = {
		...seeded,
		sites: [...seeded.sites],
		people: [...seeded.people],
		assets: [...seeded.assets],
		parcels: [...seeded.parcels],
	} as NonNullable<EstateFile['seeded']>
	writeJson(files.estate, estate)
	return seeded
}

function bankOf({ bank, bankName, layout, compartments }: Seeded['sites'][number], reader: EstateFile['readers'][number] | undefined): DemoBank {
	if (!reader) throw new Fault('config-invalid', 'estate.json has a reader for each bank, and one is missing. Begin anew with --fresh.')
	return { id: bank, name: bankName, layout, compartments, reader: reader.id, readerKey: reader.key }
}

interface Enrolling {
	readonly metal: Metal
	readonly bank: DemoBank
	readonly at: Parameters<Metal['wiring']>[1]
	readonly path: string
	readonly directory: string
	readonly controller: string
}

/** The first time by a claim, as for a machine that was unpacked; later only the wiring is new, since the virtual hardware comes back elsewhere. */
async function enrolled({ metal, bank, at, path, directory, controller }: Enrolling, server: ServerReady, token: string): Promise<void> {
	const wiring = metal.wiring(bank, at)
	if (existsSync(path)) {
		const before = JSON.parse(readFileSync(path, 'utf8')) as object
		writeJson(path, { ...before, ...wiring })
		return
	}
	const claims = `${server.url}/v1/controllers/${controller}/claims`
	const claimed = await fetch(claims, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
	if (!claimed.ok) throw new Fault('claim-invalid', `The demo's controller gets no claim: ${await claimed.text()}`)
	const { token: claim } = (await claimed.json()) as { token: string }
	const file = join(directory, 'wiring.json')
	writeJson(file, wiring)
	await enrolOnce({ server: server.device, claim, config: file, path })
}
