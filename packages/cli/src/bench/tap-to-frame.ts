import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Fault } from '@latchwork/core/base'
import { builtWeb } from '../dev/web.ts'
import type { BankSize } from './bank.ts'
import { startEstate } from './estate.ts'
import { alone, type Bench, type Figure, growth, percentile, timesFloor } from './figures.ts'
import type { TapJob, TapSeries, TapTimes } from './tap-process.ts'

const BASE: BankSize = { people: 5_000, policies: 200, doors: 60, items: 12 }
const GOAL = { p50: 4, p99: 6 }
const SAMPLES = { base: 100, online: 60, growth: 40, warmUp: 20 }

/** P1: reader bytes in → open frame on the lock bus, for taking something out; each tap paired with the floor. */
export const tapToFrame: Bench = async ({ folder, effort, log }) => {
	const web = join(builtWeb(log), 'kiosk')
	const measure = async (change: Partial<BankSize>, samples: number): Promise<TapTimes> => {
		const size = { ...BASE, ...change }
		log(`P1: ${nameOf(size)}, ${samples} taps`)
		return measured({ folder: join(folder, 'taps'), web, size, samples, warmUp: SAMPLES.warmUp })
	}
	const few = Math.max(5, Math.round(SAMPLES.growth * effort))
	const base = await measure({}, Math.max(5, Math.round(SAMPLES.base * effort)))
	const people = { 100: await measure({ people: 100 }, few), 50000: await measure({ people: 50_000 }, few) }
	const policies = { 10: await measure({ policies: 10 }, few), 1000: await measure({ policies: 1_000 }, few) }
	const sliced = await measure({ policies: 50, policiesElsewhere: 950 }, few)
	const enrolled = await measuredOnline(folder, web, Math.max(6, Math.round(SAMPLES.online * effort)), log)
	const share = base.deciding.map((ms, i) => (100 * ms) / (base.borrow[i] ?? Number.NaN))
	const decision: Figure = {
		size: 'policy engine’s share of a tap (4 questions: 3 types offered, 1 taken)',
		unit: '%',
		p50: percentile(share, 0.5),
		p99: percentile(share, 0.99),
		samples: share.length,
	}
	return {
		id: 'P1',
		name: 'tap-to-frame',
		what: 'badge bytes leave the reader → open frame has arrived on the lock bus, without a server, and online beside cut off',
		floor: `one SQLite commit (WAL, FULL) + one fdatasync + one frame through a pty, after each tap in the same process; its durable part alone in a loop: ${base.floorRate}/s`,
		conditions: [
			'60 doors on 4 boards of one kr16 bus behind a pty (socat), polled as in service; OSDP reader in secure channel behind TCP; boards and reader in a process of their own, whose clock takes both times',
			'the choice on the kiosk is made by code in the tick in which it is offered; a tap about once a second after 20 that do not count',
			'enrolled: the same people and policies at a server with broker and embedded PostgreSQL on the same disk and cores, which takes in the records of the tap before; one controller, whose network is cut and mended in turns',
			'all policies are about teams of people and in force at this bank, one of them permits; "elsewhere": of the same tenant, left out when the bundle is compiled',
		],
		figures: [
			timesFloor(`${nameOf(BASE)}: take out`, base.borrow, base.floor, GOAL),
			timesFloor(`${nameOf(BASE)}: bring back`, base.bringBack, base.floor, GOAL),
			decision,
			timesFloor(`${nameOf(BASE)}, enrolled, online: take out`, enrolled.online.borrow, enrolled.online.floor, GOAL),
			timesFloor(`${nameOf(BASE)}, enrolled, cut off: take out`, enrolled.borrow, enrolled.floor, GOAL),
			growth('online over cut off: take out', enrolled.online.borrow, enrolled.borrow, 1.1),
			growth('online over cut off: bring back', enrolled.online.bringBack, enrolled.bringBack, 1.1),
			alone('100 people', 'ms', people[100].borrow),
			growth('5,000 people', base.borrow, people[100].borrow, 1.2),
			growth('50,000 people', people[50_000].borrow, people[100].borrow, 1.2),
			alone('10 policies', 'ms', policies[10].borrow),
			growth('200 policies', base.borrow, policies[10].borrow, 1.3),
			growth('1,000 policies, 50 of them here', sliced.borrow, policies[10].borrow, 1.3),
			growth('1,000 policies, all here', policies[1_000].borrow, policies[10].borrow, 1.3),
		],
	}
}

const nameOf = ({ people, policies, policiesElsewhere = 0 }: BankSize): string =>
	`${people.toLocaleString('en')} people, ${policies.toLocaleString('en')} policies${policiesElsewhere ? ` + ${policiesElsewhere} elsewhere` : ''}`

/** One controller and one journal, now with the server and now without: what differs is the link and what the server does beside it. */
async function measuredOnline(
	folder: string,
	web: string,
	samples: number,
	log: (line: string) => void,
): Promise<TapTimes & { readonly online: TapSeries }> {
	log(`P1: ${nameOf(BASE)}, enrolled: ${samples} taps online, ${samples} cut off`)
	const estate = await startEstate(join(folder, 'estate'))
	try {
		const enrolled = await estate.bank(BASE)
		const { online, ...times } = await measured({ folder: join(folder, 'taps'), web, size: BASE, samples, warmUp: SAMPLES.warmUp, enrolled })
		if (!online) throw new Fault('transport-closed', 'The controller was never online.')
		return { ...times, online }
	} finally {
		await estate.stop()
	}
}

/** A process of its own for each size, so that none profits from what the one before has warmed. */
async function measured(job: TapJob): Promise<TapTimes> {
	const file = `${job.folder}.json`
	writeFileSync(file, JSON.stringify(job))
	const program = fileURLToPath(new URL('./tap-process.ts', import.meta.url))
	const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', program, file], { maxBuffer: 1 << 26 })
	rmSync(job.folder, { recursive: true, force: true })
	return JSON.parse(stdout) as TapTimes
}
