import { count } from './results.ts'
import type { Outcome } from './test-files.ts'

/**
 * What the whole run comes to: all problems, then one plain line with the counts. It fails on any failed test, on any problem, when nothing ran
 * at all, and in CI on a skipped test, which everywhere else is only counted.
 */
export function verdict(outcomes: readonly Outcome[], ci: boolean): { readonly ok: boolean; readonly text: string } {
	const tests = outcomes.flatMap((o) => o.tests)
	const { passed, failed, skipped } = count(tests)
	const names = tests.filter((t) => t.outcome === 'skipped').map((t) => t.path.join(' > '))
	const problems = [
		...outcomes.flatMap((o) => o.problems),
		...(tests.length === 0 ? ['No test ran.'] : []),
		...(ci && skipped > 0 ? [`Skipped, which CI does not allow: ${names.join('; ')}`] : []),
	]
	const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`
	return { ok: failed === 0 && problems.length === 0, text: `\n${[...problems, counts].join('\n\n')}` }
}
