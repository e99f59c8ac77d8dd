import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CensusScope, leftovers, takeCensus } from './census.ts'
import type { TestResult } from './results.ts'
import { type Ended, runTests } from './test-process.ts'

/** One stage's test files and how long they may take, in milliseconds. */
export interface TestFiles {
	readonly root: string
	readonly stage: string
	readonly patterns: readonly string[]
	/** A file that takes as long as all others together gets a process of its own. */
	readonly alone?: string
	readonly testTimeoutMs: number
	readonly timeoutMs: number
}

export interface Outcome {
	readonly tests: readonly TestResult[]
	/** Failures that no test tells; each fails the run. */
	readonly problems: readonly string[]
}

/** node:test without isolation uses one core: two processes share the files of a stage. */
const SHARDS = 2
/** A process that was just killed needs a moment to be gone. */
const SETTLE_MS = 3_000

/** Runs the files in two processes and counts what is left on the machine afterwards: processes, listening ports, temporary folders. */
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
		const alone = files.filter((file) => job.alone !== undefined && file.endsWith(job.alone))
		const shared = files.filter((file) => !alone.includes(file))
		const shards = Math.min(SHARDS, shared.length)
		const parts = [
			...alone.map((file) => ({ files: [file], shard: '1/1' })),
			...Array.from({ length: shards }, (_, i) => ({ files: shared, shard: `${i + 1}/${shards}` })),
		]
		const ended = await Promise.all(parts.map((part) => runTests({ ...job, ...part, folder }, (pid) => sessions.add(pid), say)))
		const left = await settled(() => leftovers(before, takeCensus(scope)))
		return outcomeOf(files.length, ended, left)
	} finally {
		for (const pid of takeCensus(scope).processes.keys()) end(pid)
		await settled(() => [...takeCensus(scope).processes.values()])
		rmSync(folder, { recursive: true, force: true })
	}
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
