import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type CensusScope, leftovers, takeCensus } from './census.ts'
import type { TestResult } from './results.ts'
import { type Ended, runTests, type TestProcess } from './test-process.ts'

/** One stage's test files and how long they may take, in milliseconds. */
export interface TestFiles {
	readonly root: string
	readonly stage: string
	readonly patterns: readonly string[]
	/** Each in a process of its own, these first: what takes longest must not begin last. */
	readonly longest?: readonly string[]
	/** So many processes share the other files; without it each of them has one of its own, too. */
	readonly shared?: number
	readonly testTimeoutMs: number
	readonly timeoutMs: number
}

export interface Outcome {
	readonly tests: readonly TestResult[]
	/** Failures that no test tells; each fails the run. */
	readonly problems: readonly string[]
}

/** A test process uses one core, and waits for databases, controllers and browsers: there is room for one more than there are cores. */
const AT_ONCE = 3
/** A process that was just killed needs a moment to be gone. */
const SETTLE_MS = 3_000

/** Runs the files and counts what is left on the machine afterwards: processes, listening ports, temporary folders. */
export async function runTestFiles(job: TestFiles, say: (text: string) => void): Promise<Outcome> {
	const files = [...new Set(globSync([...job.patterns], { cwd: job.root, exclude: ['**/node_modules/**'] }))]
		.sort()
		.map((file) => join(job.root, file))
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-run-'))
	// Databases and brokers that root starts run as users of their own, and must get through to what lies in there.
	chmodSync(folder, 0o711)
	const sessions = new Set<number>()
	const scope: CensusScope = { mark: `TMPDIR=${folder}`, sessions, folder, prefix: 'latchwork-' }
	const before = takeCensus(scope)
	try {
		const parts = partsOf(files, job)
		const ended: Ended[] = []
		const work = async () => {
			for (let part = parts.shift(); part; part = parts.shift()) {
				const start = performance.now()
				ended.push(await runTests({ ...job, ...part, folder }, (pid) => sessions.add(pid), say))
				say(`[${part.name}] ended after ${((performance.now() - start) / 1000).toFixed(1)} s`)
			}
		}
		await Promise.all(Array.from({ length: AT_ONCE }, work))
		const left = await settled(() => leftovers(before, takeCensus(scope)))
		const renamed = (job.longest ?? []).filter((name) => !files.includes(join(job.root, name)))
		const outcome = outcomeOf(files.length, ended, left)
		return { ...outcome, problems: [...outcome.problems, ...renamed.map((name) => `${name} is to begin first and is not there`)] }
	} finally {
		for (const pid of takeCensus(scope).processes.keys()) end(pid)
		await settled(() => [...takeCensus(scope).processes.values()])
		rmSync(folder, { recursive: true, force: true })
	}
}

type Part = Pick<TestProcess, 'name' | 'files'>

function partsOf(files: readonly string[], { root, longest = [], shared }: TestFiles): Part[] {
	const first = longest.map((name) => join(root, name)).filter((file) => files.includes(file))
	const others = files.filter((file) => !first.includes(file))
	const alone = shared === undefined ? [...first, ...others] : first
	const shares = Math.min(shared ?? 0, others.length)
	return [
		...alone.map((file) => ({ name: relative(root, file), files: [file] })),
		...Array.from({ length: shares }, (_, i) => ({ name: `${i + 1}/${shares}`, files: others.filter((_, n) => n % shares === i) })),
	]
}

function outcomeOf(files: number, ended: readonly Ended[], left: readonly string[]): Outcome {
	return {
		tests: ended.flatMap((e) => e.results.tests),
		problems: [
			...(files === 0 ? ['there is no test file'] : []),
			...ended.flatMap((e) => (e.trouble === undefined ? [] : [e.trouble])),
			...ended.flatMap((e) => e.results.brokenSuites.map((suite) => `suite "${suite.path.join(' > ')}" failed: ${suite.error}`)),
			...ended.flatMap((e) => e.results.emptyFiles.map((file) => `${file} holds no test of its own`)),
			...left.map((what) => `left behind: ${what}`),
		],
	}
}

async function settled(look: () => string[]): Promise<string[]> {
	const until = performance.now() + SETTLE_MS
	for (;;) {
		const left = look()
		if (left.length === 0 || performance.now() > until) return left
		await new Promise((resolve) => setTimeout(resolve, 100))
	}
}

function end(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL')
	} catch {
		// It ended by itself.
	}
}
