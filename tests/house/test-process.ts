import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Results, readResults } from './results.ts'

export interface TestProcess {
	readonly root: string
	readonly stage: string
	/** How it is called in what it says. */
	readonly name: string
	readonly files: readonly string[]
	/** Milliseconds for one test, and for the whole process. */
	readonly testTimeoutMs: number
	readonly timeoutMs: number
	/** Own temporary folder of the run: TMPDIR of the tests, and the mark of the census. */
	readonly folder: string
}

export interface Ended {
	readonly results: Results
	/** Why the process did not end well although no test says so. */
	readonly trouble?: string
}

/** Process groups of the tests that run now, so that nothing outlives an interrupted run. */
const groups = new Set<number>()
export function killRunningTests(): void {
	for (const pid of groups) killGroup(pid)
}

/**
 * One `node --test` over many files in one process (starting a process a file costs more than most files' tests), in its own process
 * group: when it takes too long the whole group is killed and the report names the tests that were running.
 */
export async function runTests(job: TestProcess, onStart: (pid: number) => void, say: (text: string) => void): Promise<Ended> {
	const events = join(job.folder, `events-${job.name.replaceAll('/', '-')}.jsonl`)
	const child = spawn(process.execPath, nodeArguments(job, events), {
		cwd: job.root,
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: testEnvironment(process.env, job),
	})
	if (child.pid !== undefined) {
		groups.add(child.pid)
		onStart(child.pid)
	}
	for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (text) => say(`[${job.name}] ${text}`))
	const { code, timedOut } = await ended(child, job.timeoutMs)
	const results = readResults(readEvents(events))
	const trouble = timedOut ? hanging(job, results) : silentFailure(code, results)
	return trouble === undefined ? { results } : { results, trouble }
}

function nodeArguments(job: TestProcess, events: string): string[] {
	const reporter = join(import.meta.dirname, 'reporter.ts')
	return [
		`--import=${join(import.meta.dirname, 'seed.ts')}`,
		'--test',
		'--test-isolation=none',
		`--test-timeout=${job.testTimeoutMs}`,
		`--test-reporter=${reporter}`,
		`--test-reporter-destination=${events}`,
		...job.files,
	]
}

/**
 * Settings of the person who runs the tests must not reach them: neither Latchwork's nor those of an outer test run. What Node compiled for one
 * process serves the next ones, in the folder that `latchwork dev` uses: a good part of a short process is the reading of its own sources.
 */
export function testEnvironment(from: NodeJS.ProcessEnv, { root, folder }: Pick<TestProcess, 'root' | 'folder'>): NodeJS.ProcessEnv {
	const kept = Object.entries(from).filter(([name]) => !name.startsWith('LATCHWORK_') && name !== 'NODE_TEST_CONTEXT' && name !== 'NODE_OPTIONS')
	return { ...Object.fromEntries(kept), TMPDIR: folder, NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/latchwork') }
}

function ended(child: ChildProcess, timeoutMs: number): Promise<{ code: number | null; timedOut: boolean }> {
	return new Promise((resolve, reject) => {
		let timedOut = false
		const timer = setTimeout(() => {
			timedOut = true
			if (child.pid !== undefined) killGroup(child.pid)
			// A grandchild in another group may hold the pipes open; without this `close` would wait for it.
			child.stdout?.destroy()
			child.stderr?.destroy()
		}, timeoutMs)
		child.once('error', reject)
		child.once('close', (code) => {
			clearTimeout(timer)
			if (child.pid !== undefined) groups.delete(child.pid)
			resolve({ code, timedOut })
		})
	})
}

function killGroup(pid: number): void {
	try {
		process.kill(-pid, 'SIGKILL')
	} catch {
		// The group is gone already.
	}
}

function readEvents(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		return ''
	}
}

function hanging(job: TestProcess, results: Results): string {
	const took = `The test process ${job.stage} ${job.name} was killed after ${job.timeoutMs / 1000} s.`
	if (results.unfinished.length > 0) return `${took} Still running: ${results.unfinished.join('; ')}`
	return `${took} Every test had ended: something keeps the process alive (a timer, a socket, a child process left open).`
}

/** The exit code is the last word: it also knows of errors outside any test. */
function silentFailure(code: number | null, results: Results): string | undefined {
	if (code === 0 || results.brokenSuites.length > 0 || results.tests.some((t) => t.outcome === 'failed')) return undefined
	return `The test process ended with ${code === null ? 'a signal' : `exit code ${code}`}, and no test says why.`
}
