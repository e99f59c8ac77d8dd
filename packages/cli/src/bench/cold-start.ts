import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleEdge } from '../bundle/edge.ts'
import { makeBank } from './bank.ts'
import { type Bench, type Figure, overFloor } from './figures.ts'
import { chooseFirst, kioskAt } from './kiosk.ts'
import { startBareNode, startMeasured } from './process.ts'
import { startHardware } from './start-hardware.ts'

const STARTS = 15
const FIRST_DOORS = 5
const GOAL_MS = 1_000

/** P9, its edge part: a controller that is started again on the data of the last run, and a new user's way to the first open door. */
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
	log(`P9: first virtual door, ${doors} times`)
	const first: number[] = []
	for (let i = 0; i < doors; i++) first.push(await firstDoor(join(folder, `dev-${i}`)))
	return {
		id: 'P9',
		name: 'cold-start',
		what: 'start of the shipped controller → it answers; `latchwork dev` in a new folder → first virtual door open',
		floor: 'start of bare Node → its first line, before each start',
		conditions: [
			'bundled edge, 60 doors on 4 boards, 200 policies; journal and bundle of the run before; code cache of the run before, as under `latchwork dev`',
			'`latchwork dev`: from sources, pages already built, new data (demo seeding is part of it), a badge is tapped as soon as it is ready',
		],
		figures: [...figures, overFloor('`latchwork dev` → first virtual door', 'ms', first, bare, Number.POSITIVE_INFINITY)].map(withoutEmptyGoal),
	}
}

function withoutEmptyGoal({ goal, met, ...figure }: Figure): Figure {
	return goal?.includes('Infinity') ? figure : { ...figure, ...(goal !== undefined && { goal }), ...(met !== undefined && { met }) }
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
}

async function firstDoor(data: string): Promise<number> {
	const began = performance.now()
	const dev = await startMeasured([fileURLToPath(import.meta.resolve('@latchwork/cli/main')), 'dev', '--data', data], 'LATCHWORK READY ')
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
