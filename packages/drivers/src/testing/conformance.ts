import type { DriverClock } from '../transport/index.ts'
import { type Bench, type BoardFamily, createBench, type LineKind } from './bench.ts'
import type { Check, CheckResult, Lab } from './check.ts'
import { COMMAND_CHECKS } from './checks/commands.ts'
import { FRAME_CHECKS } from './checks/frames.ts'
import { LINK_CHECKS } from './checks/link.ts'
import { NOISE_CHECKS } from './checks/noise.ts'
import { SENSOR_CHECKS } from './checks/sensors.ts'

/**
 * What every family of lock boards must pass (hardware.md §6, items 1–22). Item 14 belongs to the core; here only the facts
 * that it needs are proven. Item 23 is for OSDP, item 24 for families with a peer in Debian.
 */
export const BOARD_CHECKS: readonly Check[] = [...FRAME_CHECKS, ...COMMAND_CHECKS, ...SENSOR_CHECKS, ...LINK_CHECKS, ...NOISE_CHECKS].sort(
	(a, b) => a.item - b.item,
)

async function runCheck(check: Check, line: LineKind, family: BoardFamily, realClock: DriverClock): Promise<CheckResult> {
	const open: Bench[] = []
	const lab: Lab = {
		family,
		kind: line,
		async bench(options) {
			const bench = await createBench(family, line, realClock, options)
			open.push(bench)
			return bench
		},
	}
	const about = { item: check.item, name: check.name, line }
	try {
		return { ...about, ok: true, detail: (await check.run(lab)) ?? '' }
	} catch (error) {
		return { ...about, ok: false, detail: error instanceof Error ? error.message : String(error) }
	} finally {
		for (const bench of open) await bench.close()
	}
}

/** Every check on every line, one after the other, for a command line; `onResult` hears each result at once. */
export async function runConformance(
	family: BoardFamily,
	realClock: DriverClock,
	options: {
		readonly only?: (check: Check) => boolean
		readonly lines?: readonly LineKind[]
		readonly onResult?: (result: CheckResult) => void
	} = {},
): Promise<CheckResult[]> {
	const results: CheckResult[] = []
	for (const { check, line } of plan(options.lines)) {
		if (options.only && !options.only(check)) continue
		const result = await runCheck(check, line, family, realClock)
		options.onResult?.(result)
		results.push(result)
	}
	return results
}

/** Real lines mostly wait, so several checks wait together. */
const REAL_LINES_AT_ONCE = 6

/** Registers the suite with a test runner: `boardConformance(test, family, clock)` with `test` of node:test. */
export function boardConformance(test: (name: string, run: () => Promise<void>) => unknown, family: BoardFamily, realClock: DriverClock): void {
	const real = plan(['pty', 'tcp'])
	const inMemory = plan(['memory']).map((entry) => ({ ...entry, result: () => runCheck(entry.check, entry.line, family, realClock) }))
	// The first test on a real line starts them all; those in memory keep the processor busy and therefore come first.
	let started: Promise<CheckResult>[] | undefined
	const onRealLines = real.map((entry, i) => ({
		...entry,
		async result() {
			started ??= atOnce(
				REAL_LINES_AT_ONCE,
				real.map(
					({ check, line }) =>
						() =>
							runCheck(check, line, family, realClock),
				),
			)
			return started[i] ?? runCheck(entry.check, entry.line, family, realClock)
		},
	}))
	for (const { check, line, result } of [...inMemory, ...onRealLines]) {
		void test(`${family.family} ${check.item} over ${line}: ${check.name}`, async () => {
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

const plan = (lines?: readonly LineKind[]) =>
	BOARD_CHECKS.flatMap((check) => check.lines.filter((line) => !lines || lines.includes(line)).map((line) => ({ check, line })))
