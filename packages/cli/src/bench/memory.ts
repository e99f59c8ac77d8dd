import { join } from 'node:path'
import { bundleEdge } from '../bundle/edge.ts'
import { EDGE_FLAGS } from '../edge-flags.ts'
import { type MeasuredBank, makeBank } from './bank.ts'
import { secureReader } from './cold-start.ts'
import { type Bench, type Figure, overFloor, percentile } from './figures.ts'
import { chooseFirst, kioskAt } from './kiosk.ts'
import { type Measured, startBareNode, startMeasured } from './process.ts'
import { type Hardware, startHardware } from './start-hardware.ts'

const SETTLE_MS = 15_000
const LOANS = 1_000
const GOAL_MIB = 80
/** Over the second half of a whole soak, 500 loans: less than 8 KiB a loan, and no more than the collector itself moves. */
const GOAL_SLOPE_MIB = 4

/** P11, its edge part: resident memory of the shipped controller at three sizes, and what it grows by over a soak of loans. */
export const memory: Bench = async ({ folder, effort, log }) => {
	const shipped = join(folder, 'shipped')
	await bundleEdge({ out: shipped })
	const node = await startBareNode()
	const bare = await samples(node, SETTLE_MS / 5)
	await node.stop()
	const figures: Figure[] = []
	for (const doors of [60, 150, 300]) {
		log(`P11: ${doors} doors`)
		const soak = doors === 300 ? Math.max(20, Math.round(LOANS * effort)) : 0
		const { idle, loans } = await measured({ folder: join(folder, `doors-${doors}`), shipped, flags: EDGE_FLAGS, doors, soak, log })
		figures.push(overFloor(`${doors} doors, idle`, 'MiB', idle, bare, GOAL_MIB))
		if (loans.length > 0) figures.push(overFloor(`${doors} doors, after ${soak} loans`, 'MiB', loans.slice(-10), bare, GOAL_MIB), slope(loans, soak))
	}
	log('P11: 60 doors, plain node')
	const { idle } = await measured({ folder: join(folder, 'plain'), shipped, flags: [], doors: 60, soak: 0, log })
	figures.push(overFloor('60 doors, idle, `node` without flags', 'MiB', idle, bare, GOAL_MIB))
	return {
		id: 'P11',
		name: 'memory',
		what: 'resident memory of the shipped controller',
		floor: 'bare Node that waits',
		conditions: [
			`bundled edge, started as the guide says (\`node ${EDGE_FLAGS.join(' ')}\`) for the first time, so that it takes its bundle in; 5,000 people, 200 policies; kr16 boards of 16 channels, ten a bus, behind TCP, all polled as in service; OSDP reader in secure channel`,
			'a loan: taken out and brought back, two openings, over reader, kiosk HTTP and lock bus',
		],
		figures,
	}
}

interface Run {
	readonly folder: string
	readonly shipped: string
	/** For Node. */
	readonly flags: readonly string[]
	readonly doors: number
	/** Loans. */
	readonly soak: number
	readonly log: (line: string) => void
}

async function measured({ folder, shipped, flags, doors, soak, log }: Run): Promise<{ idle: number[]; loans: number[] }> {
	const bank = makeBank(folder, { people: 5_000, policies: 200, doors, items: 12 }, 'tcp', Date.now())
	const hardware = await startHardware(folder, bank.hardware)
	const edge = await startMeasured(
		[...flags, join(shipped, 'latchwork-edge.js'), bank.configure(hardware.lines, join(shipped, 'kiosk')), '--child'],
		'EDGE ',
	)
	const { url } = edge.said as { url: string }
	await secureReader(url)
	const idle = await samples(edge, SETTLE_MS)
	const loans = soak > 0 ? await soaked(edge, url, bank, hardware, soak, log) : []
	await edge.stop()
	await hardware.stop()
	return { idle, loans }
}

/** Memory after every hundredth part of the soak. */
async function soaked(
	edge: Measured,
	url: string,
	bank: MeasuredBank,
	hardware: Hardware,
	loans: number,
	log: (line: string) => void,
): Promise<number[]> {
	const kiosk = await kioskAt(url)
	const found: number[] = []
	const every = Math.max(1, Math.floor(loans / 100))
	for (let i = 0; i < loans; i++) {
		for (const kind of ['borrow', 'return'] as const) {
			const frame = hardware.next('open-frame')
			hardware.send({ do: 'tap', badge: bank.badge(i % 5_000) })
			await chooseFirst(kiosk, kind)
			const { door } = await frame
			const { screen } = await kiosk.until((v) => v.screen.name === 'open')
			const tag = screen.name === 'open' ? screen.item?.tag : undefined
			hardware.send({ do: 'hand', door, present: kind === 'return', ...(kind === 'return' && tag !== undefined && { tag }) })
			await kiosk.until((v) => v.screen.name === 'done')
			await kiosk.act({ kind: 'finish' })
			await kiosk.until((v) => v.screen.name === 'attract')
		}
		if (i % every === every - 1) found.push(edge.memory())
		if (i % 100 === 99) log(`P11: ${i + 1} loans, ${edge.memory().toFixed(0)} MiB`)
	}
	kiosk.close()
	return found
}

/** Least squares over the second half, when caches are full and code is compiled. */
function slope(all: readonly number[], loans: number): Figure {
	const half = all.slice(Math.floor(all.length / 2))
	const [middleX, middleY] = [(half.length - 1) / 2, half.reduce((sum, y) => sum + y, 0) / half.length]
	const above = half.reduce((sum, y, x) => sum + (x - middleX) * (y - middleY), 0)
	const below = half.reduce((sum, _, x) => sum + (x - middleX) ** 2, 0)
	const grown = (above / below) * (half.length - 1)
	return {
		size: `growth over the second half of ${loans} loans`,
		unit: 'MiB',
		p50: grown,
		goal: `≤ ${GOAL_SLOPE_MIB} MiB`,
		met: grown <= GOAL_SLOPE_MIB,
		samples: half.length,
	}
}

async function samples(of: Measured, settleMs: number): Promise<number[]> {
	await new Promise((resolve) => setTimeout(resolve, settleMs))
	const found = []
	for (let i = 0; i < 10; i++) {
		found.push(of.memory())
		await new Promise((resolve) => setTimeout(resolve, 200))
	}
	return [percentile(found, 0.5), ...found]
}
