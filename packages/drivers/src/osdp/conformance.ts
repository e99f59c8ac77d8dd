import type { Reader } from '../reader.ts'
import type { LineKind } from '../testing/bench.ts'
import type { CheckResult } from '../testing/check.ts'
import { createReaderBench, type ReaderCheck } from '../testing/reader-bench.ts'
import type { DriverClock } from '../transport/index.ts'
import { ABILITY_CHECKS } from './checks/abilities.ts'
import { BYTE_CHECKS, LINK_CHECKS } from './checks/line.ts'
import { SECURITY_CHECKS } from './checks/security.ts'

/** What every OSDP reader driver must hold (hardware design §6), on real packets; golden vectors are tried without a line. */
export const READER_CHECKS: readonly ReaderCheck[] = [...BYTE_CHECKS, ...LINK_CHECKS, ...ABILITY_CHECKS, ...SECURITY_CHECKS].sort(
	(a, b) => a.item - b.item,
)

export async function runReaderCheck(check: ReaderCheck, line: LineKind, make: () => Reader, realClock: DriverClock): Promise<CheckResult> {
	const bench = createReaderBench(line, realClock)
	const about = { item: check.item, name: check.name, line }
	try {
		await check.run(bench, make)
		if (bench.pending() > 0) throw new Error(`${bench.pending()} timers are left`)
		return { ...about, ok: true, detail: '' }
	} catch (error) {
		return { ...about, ok: false, detail: error instanceof Error ? error.message : String(error) }
	} finally {
		bench.stop()
	}
}

/** Every check on every line, one after the other, for a command line; `onResult` hears each result at once. */
export async function runReaderConformance(
	make: () => Reader,
	realClock: DriverClock,
	options: { readonly items?: readonly number[]; readonly lines?: readonly LineKind[]; readonly onResult?: (result: CheckResult) => void } = {},
): Promise<CheckResult[]> {
	const results: CheckResult[] = []
	for (const { check, line } of plan(options.lines)) {
		if (options.items && !options.items.includes(check.item)) continue
		const result = await runReaderCheck(check, line, make, realClock)
		options.onResult?.(result)
		results.push(result)
	}
	return results
}

/** Registers the list with a test runner: `readerConformance(test, osdpReader, clock)` with `test` of node:test. */
export function readerConformance(test: (name: string, run: () => Promise<void>) => unknown, make: () => Reader, realClock: DriverClock): void {
	for (const { check, line } of plan()) {
		void test(`osdp ${check.item} over ${line}: ${check.name}`, async () => {
			const { ok, detail } = await runReaderCheck(check, line, make, realClock)
			if (!ok) throw new Error(detail)
		})
	}
}

const plan = (lines: readonly LineKind[] = ['memory', 'pty', 'tcp']) =>
	lines.flatMap((line) => READER_CHECKS.filter((check) => check.lines.includes(line)).map((check) => ({ check, line })))
