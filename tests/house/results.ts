/** What the reporter writes, one JSON line each. `begin` is sent when a test starts to run, `end` when it is over. */
export type TestEvent =
	| { readonly kind: 'begin'; readonly id: number; readonly parent: number; readonly name: string; readonly file: string }
	| {
			readonly kind: 'end'
			readonly id: number
			readonly line: number
			readonly ms: number
			readonly suite: boolean
			readonly outcome: 'passed' | 'failed' | 'skipped'
			readonly error?: { readonly subtestsOnly: boolean; readonly text: string }
	  }

export interface TestResult {
	/** Names from the outermost suite inwards. */
	readonly path: readonly string[]
	readonly file: string
	readonly line: number
	readonly ms: number
	readonly outcome: 'passed' | 'failed' | 'skipped'
	/** Absent when the only failure is that of a subtest, which is told on its own. */
	readonly error?: string
}

export interface Results {
	readonly tests: readonly TestResult[]
	/** Suites and hooks that failed by themselves. */
	readonly brokenSuites: readonly TestResult[]
	/** Files that were loaded and registered no test: node:test reports such a file as one passed test. */
	readonly emptyFiles: readonly string[]
	/** Begun and not ended when the events stopped. */
	readonly unfinished: readonly string[]
}

/** Reads the event lines of one test process; a half line at the end (the process was killed) is dropped. */
export function readResults(text: string): Results {
	const tests: TestResult[] = []
	const brokenSuites: TestResult[] = []
	const emptyFiles: string[] = []
	const begun = new Map<number, Extract<TestEvent, { kind: 'begin' }>>()
	const open = new Set<number>()
	for (const line of text.split('\n').slice(0, -1)) {
		const event = JSON.parse(line) as TestEvent
		if (event.kind === 'begin') {
			begun.set(event.id, event)
			open.add(event.id)
			continue
		}
		open.delete(event.id)
		const start = begun.get(event.id)
		const file = start?.file ?? ''
		const result: TestResult = {
			path: pathOf(event.id, begun),
			file,
			line: event.line,
			ms: event.ms,
			outcome: event.outcome,
			...(event.error && !event.error.subtestsOnly ? { error: event.error.text } : {}),
		}
		if (event.suite) {
			if (result.error) brokenSuites.push(result)
		} else if (event.outcome === 'passed' && start?.parent === 0 && isNameOfFile(start)) emptyFiles.push(start.name)
		else tests.push(result)
	}
	return { tests, brokenSuites, emptyFiles, unfinished: [...open].map((id) => pathOf(id, begun).join(' > ')) }
}

/** node:test names it as it was given: from the working directory or from the root of the disk. */
const isNameOfFile = ({ name, file }: { readonly name: string; readonly file: string }): boolean =>
	name === file || (name !== '' && file.endsWith(`/${name}`))

function pathOf(id: number, begun: ReadonlyMap<number, { readonly parent: number; readonly name: string }>): string[] {
	const path: string[] = []
	for (let at = begun.get(id); at; at = begun.get(at.parent)) path.unshift(at.name)
	return path
}

export interface Count {
	passed: number
	failed: number
	skipped: number
}

export function count(tests: readonly TestResult[]): Count {
	const sum: Count = { passed: 0, failed: 0, skipped: 0 }
	for (const test of tests) sum[test.outcome] += 1
	return sum
}

export const slowest = (tests: readonly TestResult[], n: number): TestResult[] => [...tests].sort((a, b) => b.ms - a.ms).slice(0, n)
