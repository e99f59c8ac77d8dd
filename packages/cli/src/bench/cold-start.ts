import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '@latchwork/core/base'
import { bundleEdge } from '../bundle/edge.ts'
import { builtWeb } from '../dev/web.ts'
import { makeBank } from './bank.ts'
import { alone, type Bench, type Figure, overFloor, timesFloor } from './figures.ts'
import { chooseFirst, kioskAt } from './kiosk.ts'
import { startBareNode, startMeasured } from './process.ts'
import { startHardware } from './start-hardware.ts'

const STARTS = 15
const FIRST_DOORS = 5
const GOAL_MS = 1_000
const GOAL_FIRST = { p50: 4, p99: 4 }

/** P9: a controller that is started again on the data of the last run, and a new user's way to the first open door of everything that `npm start` brings up. */
export const coldStart: Bench = async ({ folder, effort, log }) => {
	const starts = Math.max(3, Math.round(STARTS * effort))
	const shipped = join(folder, 'shipped')
	await bundleEdge({ out: shipped })
	const bare: number[] = []
	const figures: Figure[] = []
	for (const people of [100, 5_000, 50_000]) {
		log(`P9: restart with ${people} people, ${starts} times`)
		const ours = await restarts(join(folder, `people-${people}`), shipped, people, starts, bare)
		figures.push(overFloor(`edge restart → ready, ${people.toLocaleString('en')} people`, 'ms', ours, bare, GOAL_MS))
	}
	const doors = Math.max(1, Math.round(FIRST_DOORS * effort))
	builtWeb(log)
	log(`P9: first virtual door, ${doors} times with people and without`)
	const times = { database: [] as number[], remote: [] as number[], tap: [] as number[] }
	for (let i = 0; i < doors; i++) {
		times.database.push(await firstDatabase(join(folder, `database-${i}`)))
		times.remote.push(await firstRemoteDoor(join(folder, `bare-${i}`)))
		times.tap.push(await firstDoor(join(folder, `dev-${i}`)))
	}
	return {
		id: 'P9',
		name: 'cold-start',
		what: 'start of the shipped controller → it answers; `latchwork dev` (server, broker, database, two controllers, virtual banks) → first virtual door open',
		floor:
			'a controller: start of bare Node → its first line, before each start; `latchwork dev` in a new folder: bare Node + initdb + PostgreSQL → it answers, before each start',
		conditions: [
			'bundled edge, 60 doors on 4 boards, 200 policies; journal and bundle of the run before; code cache of the run before, as under `latchwork dev`',
			'`latchwork dev`: from sources, pages already built; two sites are made and two controllers enrolled through the API; seeding apart: without people and things, a door is opened from afar as soon as it is ready; with the demo: seeded, and a badge is tapped as soon as the reader is ready',
		],
		figures: [
			...figures,
			timesFloor('`latchwork dev`, new folder, seeding apart → first virtual door', times.remote, times.database, GOAL_FIRST),
			alone('`latchwork dev`, new folder, with the demo → first virtual door', 'ms', times.tap),
		],
	}
}

async function restarts(folder: string, shipped: string, people: number, starts: number, bare: number[]): Promise<number[]> {
	const bank = makeBank(folder, { people, policies: 200, doors: 60, items: 12 }, 'tcp', Date.now())
	const hardware = await startHardware(folder, bank.hardware)
	const config = bank.configure(hardware.lines, join(shipped, 'kiosk'))
	const times: number[] = []
	for (let i = 0; i <= starts; i++) {
		const node = await startBareNode()
		await node.stop()
		const edge = await startMeasured([join(shipped, 'latchwork-edge.js'), config, '--child'], 'EDGE ', {
			NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
		})
		await edge.stop()
		if (i === 0) continue // the first start takes the bundle in and fills the code cache
		bare.push(node.readyMs)
		times.push(edge.readyMs)
	}
	await hardware.stop()
	return times
}

interface Ready {
	readonly kiosk: string
	readonly virtual: string
	readonly people: readonly { readonly badge: string }[]
	readonly api: string
	readonly token: string
	readonly banks: readonly { readonly id: string }[]
}

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

async function firstDatabase(data: string): Promise<number> {
	const database = await startMeasured([fileURLToPath(new URL('./bare-database.ts', import.meta.url)), data], 'DATABASE ')
	await database.stop()
	return database.readyMs
}

/** Without the demo there is nothing to take: the administrator opens a door from afar. */
async function firstRemoteDoor(data: string): Promise<number> {
	const began = performance.now()
	const dev = await startMeasured([CLI, 'dev', '--no-demo', '--data', data], 'LATCHWORK READY ')
	try {
		const { api, token, virtual, banks } = dev.said as Ready
		const bank = banks[0]?.id
		const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
		const { items } = (await (await fetch(`${api}/v1/compartments?bank=${bank}&limit=1`, { headers })).json()) as { items: { id: string }[] }
		const body = JSON.stringify({ compartment: items[0]?.id, reason: 'check-content' })
		const asked = await fetch(`${api}/v1/door-sessions`, { method: 'POST', headers, body })
		if (!asked.ok) throw new Fault('request-refused', `No door is opened from afar: ${await asked.text()}`)
		const { id } = (await asked.json()) as { id: string }
		for (;;) {
			const metal = (await (await fetch(`${virtual}/banks`)).json()) as { id: string; compartments: { pulses: number }[] }[]
			if (metal.find((one) => one.id === bank)?.compartments.some(({ pulses }) => pulses > 0)) return performance.now() - began
			const { state, code } = (await (await fetch(`${api}/v1/commands/${id}`, { headers })).json()) as { state: string; code?: string }
			if (['refused', 'failed', 'expired'].includes(state)) throw new Fault('request-refused', `The door was not opened: ${state} ${code ?? ''}`)
			await new Promise((done) => setTimeout(done, 10))
		}
	} finally {
		await dev.stop()
	}
}

async function firstDoor(data: string): Promise<number> {
	const began = performance.now()
	const dev = await startMeasured([CLI, 'dev', '--data', data], 'LATCHWORK READY ')
	try {
		const { kiosk: url, virtual, people } = dev.said as Ready
		const kiosk = await kioskAt(url)
		const banks = async () => (await (await fetch(`${virtual}/banks`)).json()) as { id: string; compartments: { pulses: number }[] }[]
		const [bank] = await banks()
		await secureReader(url)
		const badge = JSON.stringify({ number: people[0]?.badge })
		await fetch(`${virtual}/banks/${bank?.id}/badge`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: badge })
		await chooseFirst(kiosk, 'borrow')
		await kiosk.until((v) => v.screen.name === 'open')
		kiosk.close()
		return performance.now() - began
	} finally {
		await dev.stop()
	}
}

/** A person waits for the reader's light before tapping. */
export async function secureReader(url: string): Promise<void> {
	const state = async () => (await (await fetch(`${url}health`)).json()) as { ok: boolean; readers: { family: string; secure: boolean }[] }
	for (let now = await state(); !now.ok || !now.readers.every((r) => r.secure || r.family !== 'osdp'); now = await state())
		await new Promise((done) => setTimeout(done, 20))
}
