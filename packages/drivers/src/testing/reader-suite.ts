import type { Reader } from '../reader.ts'
import type { DriverClock } from '../transport/index.ts'
import type { LineKind, Reasons } from './bench.ts'
import type { CheckResult } from './check.ts'
import { gaps, listResults } from './list.ts'
import { createReaderBench, type MakeReader, type ReaderCheck } from './reader-bench.ts'

/** What the suite must know of a family of readers or scanners. */
export interface ReaderFamily {
	readonly family: string
	/** The first is the one that can most; its checks try the others where they differ. */
	readonly products: readonly [string, ...string[]]
	create(product: string): Reader
	readonly checks: readonly ReaderCheck[]
	readonly reasons: Reasons
}

export async function runReaderCheck(
	check: ReaderCheck,
	line: LineKind,
	make: MakeReader,
	realClock: DriverClock,
): Promise<Omit<CheckResult, 'product'>> {
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

const makerOf =
	({ products: [first], create }: ReaderFamily): MakeReader =>
	(product = first) =>
		create(product)

/** The whole list on every line, one check after the other, for a command line; `onResult` hears each result at once. */
export async function runReaderConformance(
	family: ReaderFamily,
	realClock: DriverClock,
	onResult: (result: CheckResult) => void = () => {},
): Promise<CheckResult[]> {
	const [product] = family.products
	const results = listResults(product, family.checks, family.reasons)
	for (const result of results) onResult(result)
	for (const { check, line } of plan(family)) {
		const result = { product, ...(await runReaderCheck(check, line, makerOf(family), realClock)) }
		onResult(result)
		results.push(result)
	}
	return results
}

/** Registers the list with a test runner: `readerConformance(test, OSDP_FAMILY, clock)` with `test` of node:test. */
export function readerConformance(test: (name: string, run: () => Promise<void>) => unknown, family: ReaderFamily, realClock: DriverClock): void {
	void test(`${family.family}: the list is whole`, async () => {
		const missing = gaps(family.checks, family.reasons)
		if (missing.length > 0) throw new Error(missing.join('; '))
	})
	for (const { check, line } of plan(family)) {
		void test(`${family.family} ${check.item} over ${line}: ${check.name}`, async () => {
			const { ok, detail } = await runReaderCheck(check, line, makerOf(family), realClock)
			if (!ok) throw new Error(detail)
		})
	}
}

const plan = ({ checks }: ReaderFamily) =>
	(['memory', 'pty', 'tcp'] as const).flatMap((line) => checks.filter((check) => check.lines.includes(line)).map((check) => ({ check, line })))
