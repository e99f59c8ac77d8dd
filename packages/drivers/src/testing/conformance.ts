import type { DriverClock } from '../transport/index.ts'
import { type Bench, type BoardFamily, createBench, type LineKind, type Reasons } from './bench.ts'
import type { Check, CheckResult, Lab } from './check.ts'
import { COMMAND_CHECKS } from './checks/commands.ts'
import { FRAME_CHECKS } from './checks/frames.ts'
import { LINK_CHECKS } from './checks/link.ts'
import { NOISE_CHECKS } from './checks/noise.ts'
import { SENSOR_CHECKS } from './checks/sensors.ts'
import { gaps, listResults, uncontrolled } from './list.ts'

/** What every family of lock boards must pass (hardware.md §6); each family says what does not concern it. */
const BOARD_CHECKS: readonly Check[] = [...FRAME_CHECKS, ...COMMAND_CHECKS, ...SENSOR_CHECKS, ...LINK_CHECKS, ...NOISE_CHECKS].sort(
	(a, b) => a.item - b.item,
)

/** Of the checks above; what a family adds stands in its own reasons. */
const MEMORY_ONLY: Readonly<Record<number, string>> = {
	1: 'bytes alone, no line',
	14: 'minutes must pass in which nothing happens, which only a clock that can be moved gives',
	19: 'bytes alone, no line',
}

const reasonsOf = ({ reasons }: BoardFamily): Reasons => ({ ...reasons, memoryOnly: { ...MEMORY_ONLY, ...reasons.memoryOnly } })
export const boardGaps = (family: BoardFamily): string[] => gaps(BOARD_CHECKS, reasonsOf(family))
/** Items of the list for which none of these planted bugs is meant. */
export const boardItemsWithout = (controlled: readonly number[]): number[] => uncontrolled(BOARD_CHECKS, controlled)

interface Job {
	readonly check: Check
	readonly line: LineKind
	readonly product: string
}

async function runCheck({ check, line, product }: Job, family: BoardFamily, realClock: DriverClock): Promise<CheckResult> {
	const open: Bench[] = []
	const lab: Lab = {
		family,
		product,
		kind: line,
		async bench(options) {
			const bench = await createBench(family, line, realClock, { product, ...options })
			open.push(bench)
			return bench
		},
	}
	const about = { item: check.item, name: check.name, line, product }
	try {
		return { ...about, ok: true, detail: (await check.run(lab)) ?? '' }
	} catch (error) {
		return { ...about, ok: false, detail: error instanceof Error ? error.message : String(error) }
	} finally {
		for (const bench of open) await bench.close()
	}
}

/** The whole list for each product on each line, one check after the other, for a command line; `onResult` hears each result at once. */
export async function runConformance(
	family: BoardFamily,
	realClock: DriverClock,
	onResult: (result: CheckResult) => void = () => {},
): Promise<CheckResult[]> {
	const results: CheckResult[] = []
	const tell = (result: CheckResult) => {
		results.push(result)
		onResult(result)
	}
	for (const product of family.products) {
		for (const result of listResults(product, BOARD_CHECKS, reasonsOf(family))) tell(result)
		for (const job of plan(product)) tell(await runCheck(job, family, realClock))
	}
	return results
}

/** Some checks of the family's first product in memory, for controls: a planted bug must turn one of them red. */
export async function runSome(
	family: BoardFamily,
	realClock: DriverClock,
	only: (check: Check) => boolean,
	lines: readonly LineKind[],
): Promise<CheckResult[]> {
	const results: CheckResult[] = []
	for (const job of plan(family.products[0], lines)) if (only(job.check)) results.push(await runCheck(job, family, realClock))
	return results
}

/** Real lines mostly wait, so several checks wait together. */
const REAL_LINES_AT_ONCE = 10

/** Registers the suite with a test runner: `boardConformance(test, family, clock)` with `test` of node:test. */
export function boardConformance(test: (name: string, run: () => Promise<void>) => unknown, family: BoardFamily, realClock: DriverClock): void {
	void test(`${family.family}: the list is whole`, async () => {
		const missing = boardGaps(family)
		if (missing.length > 0) throw new Error(missing.join('; '))
	})
	const all = (lines: readonly LineKind[]) => family.products.flatMap((product) => plan(product, lines))
	const real = all(['pty', 'tcp'])
	const inMemory = all(['memory']).map((job) => ({ ...job, result: () => runCheck(job, family, realClock) }))
	// The first test on a real line starts them all; those in memory keep the processor busy and therefore come first.
	let started: Promise<CheckResult>[] | undefined
	const onRealLines = real.map((job, i) => ({
		...job,
		async result() {
			started ??= atOnce(
				REAL_LINES_AT_ONCE,
				real.map((one) => () => runCheck(one, family, realClock)),
			)
			return started[i] ?? runCheck(job, family, realClock)
		},
	}))
	for (const { check, line, product, result } of [...inMemory, ...onRealLines]) {
		void test(`${family.family} ${product} ${check.item} over ${line}: ${check.name}`, async () => {
			const { ok, detail } = await result()
			if (!ok) throw new Error(detail)
		})
	}
}

/** Starts the jobs in order, never more than `limit` at a time. */
function atOnce<T>(limit: number, jobs: readonly (() => Promise<T>)[]): Promise<T>[] {
	const slots = jobs.map((job) => ({ job, ...Promise.withResolvers<T>() }))
	const waiting = slots.values()
	const work = async () => {
		for (const { job, resolve, reject } of waiting) await job().then(resolve, reject)
	}
	for (let i = 0; i < limit; i++) void work()
	return slots.map(({ promise }) => promise)
}

const plan = (product: string, lines: readonly LineKind[] = ['memory', 'pty', 'tcp']): Job[] =>
	BOARD_CHECKS.flatMap((check) => check.lines.filter((line) => lines.includes(line)).map((line) => ({ check, line, product })))
