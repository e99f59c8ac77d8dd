import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ALL_UP } from '@latchwork/core/wire'
import { openTransport } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'
import { bareRoundTrip, happened, linkSite } from '@latchwork/server/link/testing'
import { bareCommit } from '@latchwork/server/testing/floor'
import { builtWeb } from '../dev/web.ts'
import type { BankSize } from './bank.ts'
import { secureReader } from './cold-start.ts'
import { enrolledBank } from './enrolled-bank.ts'
import { startEstate } from './estate.ts'
import { alone, type Bench, type Figure, timesFloor } from './figures.ts'
import { openFloor } from './floor.ts'
import { nanoseconds } from './hardware.ts'
import { startMeasured } from './process.ts'
import { startHardware } from './start-hardware.ts'

const SIZES: readonly BankSize[] = [100, 1_000, 5_000].map((people) => ({ people, policies: 200, doors: 60, items: 12 }))
const SAMPLES = { base: 100, growth: 40 }
const WARM_UP = 10
const GOAL = { p50: 2, p99: 4 }
/** A solenoid supply takes two pulses in this time (`maxConcurrent`, longest pulse): no door may wait for it here. */
const PULSES_APART_MS = 1_050

/** P2: a request to the API → the open frame on the lock bus; each one paired with the floor. */
export const remoteOpen: Bench = async ({ folder, effort, log }) => {
	const web = join(builtWeb(log), 'kiosk')
	const figures: Figure[] = []
	for (const size of SIZES) {
		const samples = Math.max(5, Math.round((size === SIZES.at(-1) ? SAMPLES.base : SAMPLES.growth) * effort))
		const name = `${size.people.toLocaleString('en')} people`
		log(`P2: ${name}, ${samples} doors`)
		const { opened, answered, floor } = await measured(join(folder, `people-${size.people}`), web, size, samples)
		figures.push(timesFloor(`${name}: request → open frame`, opened, floor, GOAL), alone(`${name}: request → answer of the API`, 'ms', answered))
	}
	return {
		id: 'P2',
		name: 'remote-open',
		what: 'POST /v1/door-sessions leaves → open frame has arrived on the lock bus, through server, broker, decision and journal of the controller',
		floor:
			'one PostgreSQL commit + one MQTT QoS 1 round trip (the same broker child, bare clients with certificates) + P1’s floor (one SQLite commit, one fdatasync, one frame through a pty), after each door',
		conditions: [
			'server, broker child and embedded PostgreSQL with fsync on, enrolled controller, boards: a process each, on the same disk and cores; 60 doors, 200 policies, OSDP reader and kr16 bus polled as in service',
			'a door about once in two seconds, after ten that do not count; the controller has finished the one before',
			'a note, not measured here: the peer of performance.md (CitrineOS, API → device) takes p50 6.9 ms, p95 24.8 ms, and ends at a socket, without a journal or a bus',
		],
		figures,
	}
}

interface Times {
	readonly opened: number[]
	/** When the API had answered: what the caller waits for. */
	readonly answered: number[]
	readonly floor: number[]
}

async function measured(folder: string, web: string, size: BankSize, samples: number): Promise<Times> {
	const open: (() => unknown)[] = []
	try {
		const estate = await startEstate(folder)
		open.push(estate.stop)
		const plan = await estate.bank(size)
		const hardware = await startHardware(folder, plan.hardware)
		open.push(hardware.stop)
		const path = await enrolledBank(join(folder, 'edge'), plan).configure(hardware.lines, web)
		const edge = await startMeasured([fileURLToPath(import.meta.resolve('@latchwork/edge/main')), path, '--child'], 'EDGE ')
		open.push(edge.stop)
		const { url } = edge.said as { url: string }
		await secureReader(url)
		await until(url, ({ link }) => link?.online === true && link.pending === 0)
		const floor = await floorOf(folder, hardware, estate.url)
		open.push(floor.close)
		const free = plan.compartments.filter(({ number }) => number > size.items)
		const times: Times = { opened: [], answered: [], floor: [] }
		for (let i = 0; i < WARM_UP + samples; i++) {
			const compartment = free[i % free.length]?.id
			const frame = hardware.next('open-frame')
			const began = nanoseconds()
			const answer = estate.api('POST', '/door-sessions', { compartment, reason: 'check-content' }).then(nanoseconds)
			const { door, at } = await frame
			const answered = await answer
			await until(url, ({ doors }) => doors.some((one) => one.session === 'opened'))
			hardware.send({ do: 'hand', door, present: false })
			await until(url, ({ doors, link }) => doors.length === 0 && link?.pending === 0)
			const least = await floor.once()
			await new Promise((done) => setTimeout(done, Math.max(0, PULSES_APART_MS - (nanoseconds() - at) / 1e6)))
			if (i < WARM_UP) continue
			times.opened.push((at - began) / 1e6)
			times.answered.push((answered - began) / 1e6)
			times.floor.push(least)
		}
		return times
	} finally {
		for (const close of open.reverse()) await close()
	}
}

/** What the way cannot do without, one after the other. */
async function floorOf(folder: string, hardware: Awaited<ReturnType<typeof startHardware>>, database: string) {
	const site = await linkSite()
	const server = site.internal()
	await happened(server, 'connect')
	// The port takes no controller in before somebody listens to them.
	await server.subscribeAsync(ALL_UP, { qos: 1 })
	const device = await site.device()
	const client = site.connect(device)
	await happened(client, 'connect')
	const trip = await bareRoundTrip(server, client, device.controller)
	const commit = await bareCommit(database)
	const clock = { ...systemClock, random: (n: number) => new Uint8Array(n) }
	const line = openFloor(folder, await openTransport(hardware.lines.floor, clock))
	return {
		async once(): Promise<number> {
			const heard = hardware.next('floor-frame')
			const began = nanoseconds()
			await commit.once()
			await trip()
			await line.once()
			const { at } = await heard
			return (at - began) / 1e6
		},
		async close() {
			await line.close()
			await commit.close()
			await site.close()
		},
	}
}

interface Seen {
	readonly doors: readonly { readonly session?: string }[]
	readonly link: { readonly online: boolean; readonly pending: number } | null
}

async function until(url: string, wanted: (health: Seen) => boolean): Promise<void> {
	while (!wanted((await (await fetch(`${url}health`)).json()) as Seen)) await new Promise((done) => setTimeout(done, 20))
}
