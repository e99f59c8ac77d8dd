import type { LineKind, Reasons } from './bench.ts'
import type { CheckResult } from './check.ts'

/** So many items has the conformance list of hardware.md §6. */
const ITEMS = 24
const REAL_LINES: readonly LineKind[] = ['pty', 'tcp']

interface Listed {
	readonly item: number
	readonly lines: readonly LineKind[]
}

/** What is missing from a family's list: each item has checks, on real lines too, or a reason; never both. */
export function gaps(checks: readonly Listed[], { notApplicable, memoryOnly }: Reasons): string[] {
	return Array.from({ length: ITEMS }, (_, i) => i + 1).flatMap((item) => {
		const lines = new Set(checks.filter((check) => check.item === item).flatMap((check) => check.lines))
		const missing = REAL_LINES.filter((line) => !lines.has(line))
		if (notApplicable[item] !== undefined) return lines.size > 0 ? [`item ${item} has checks and a reason to have none`] : []
		if (lines.size === 0) return [`item ${item} has neither a check nor a reason`]
		if (memoryOnly[item] !== undefined) return missing.length < REAL_LINES.length ? [`item ${item} is tried on real lines and says why not`] : []
		return missing.map((line) => `item ${item} is never tried over ${line}`)
	})
}

/** The items that a planted bug must turn red, less those for which somebody wrote why there is none. */
export function uncontrolled(checks: readonly Listed[], controlled: readonly number[], without: Readonly<Record<number, string>> = {}): number[] {
	const items = [...new Set(checks.map(({ item }) => item))].sort((a, b) => a - b)
	return items.filter((item) => !controlled.includes(item) && without[item] === undefined)
}

/** The list itself as results: its gaps, and what does not apply. */
export function listResults(product: string, checks: readonly Listed[], reasons: Reasons): CheckResult[] {
	const about = { product, line: 'memory' } as const
	return [
		...gaps(checks, reasons).map((detail) => ({ ...about, item: 0, name: 'the list is whole', ok: false, detail })),
		...Object.entries(reasons.notApplicable).map(([item, detail]) => ({
			...about,
			item: Number(item),
			name: 'does not apply',
			ok: true,
			notApplicable: true as const,
			detail,
		})),
	]
}
