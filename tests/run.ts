import { spawn } from 'node:child_process'
import { join, relative } from 'node:path'
import { censusSupported } from './house/census.ts'
import { ensurePrerequisites, thisMachine } from './house/prerequisites.ts'
import { slowest, type TestResult } from './house/results.ts'
import { type Outcome, runTestFiles } from './house/test-files.ts'
import { killRunningTests } from './house/test-process.ts'
import { verdict } from './house/verdict.ts'
import { buildWebIfStale } from './house/web-build.ts'

/** The program behind `npm test`: stages `check`, `scenario`, `peers` (all, or those named), then one line with the counts. */
const root = join(import.meta.dirname, '..')
const PURE = ['packages/*/src/**/*.test.{ts,tsx}', 'tests/pure/**/*.test.ts', 'tests/*.test.ts']
const SCENARIO = ['tests/scenarios/**/*.test.ts', 'tests/faults/**/*.test.ts', 'tests/browser/**/*.test.ts']
/** Of those, what takes a minute by itself. */
const LONGEST_PURE = ['packages/server/src/access/matrix.test.ts']
/** From the longest down, as the run itself says how long each took; the others follow by name. */
const LONGEST = [
	'tests/browser/console.test.ts',
	'tests/faults/bus.test.ts',
	'tests/scenarios/readme.test.ts',
	'tests/scenarios/dev.test.ts',
	'tests/faults/two-servers-kill.test.ts',
	'tests/scenarios/estate.test.ts',
	'tests/faults/server-kill.test.ts',
	'tests/scenarios/conflicts.test.ts',
	'tests/browser/gallery.test.ts',
	'tests/browser/policies.test.ts',
	'tests/scenarios/identify.test.ts',
	'tests/faults/clock.test.ts',
	'tests/scenarios/site-key.test.ts',
	'tests/faults/kill.test.ts',
	'tests/scenarios/door.test.ts',
	'tests/faults/link.test.ts',
	'tests/scenarios/operate.test.ts',
	'tests/scenarios/one-time-code.test.ts',
]
const PEERS = ['tests/peers/**/*.test.ts']
const MINUTE = 60_000
const STAGES: ReadonlyMap<string, () => Promise<Outcome>> = new Map([
	['check', check],
	['scenario', scenario],
	['peers', peers],
])

const say = (text: string) => console.log(text)

async function main(wanted: readonly string[]): Promise<number> {
	const unknown = wanted.filter((name) => !STAGES.has(name))
	if (unknown.length > 0) return refuse(`There is no stage ${unknown.join(', ')}. Stages: ${[...STAGES.keys()].join(', ')}.`)
	const missing = ensurePrerequisites(thisMachine, say)
	if (missing !== undefined) return refuse(missing)
	if (!censusSupported) say(`On ${process.platform} left-over processes and ports are not counted; on Linux they fail the run.`)
	const outcomes: Outcome[] = []
	for (const [name, stage] of STAGES) if (wanted.length === 0 || wanted.includes(name)) outcomes.push(await timed(name, stage))
	const { text, ok } = verdict(outcomes, process.env.CI === 'true')
	say(text)
	return ok ? 0 : 1
}

function refuse(why: string): number {
	console.error(why)
	return 1
}

/** Types, lint, dead code and every test that needs no running system. Goal: two minutes. */
async function check(): Promise<Outcome> {
	const tools = await Promise.all([
		tool('tsc', ['-p', 'tsconfig.json']),
		tool('tsc', ['-p', 'packages/web/tsconfig.json']),
		tool('biome', ['check', '.']),
		tool('knip', []),
	])
	const tested = await runTestFiles(
		{ root, stage: 'check', patterns: PURE, longest: LONGEST_PURE, shared: 3, testTimeoutMs: 6 * MINUTE, timeoutMs: 14 * MINUTE },
		say,
	)
	return { tests: tested.tests, problems: [...tools.flat(), ...tested.problems] }
}

/** Through the public doors: reader bytes in, lock-bus bytes out, pages in a browser. Goal: eight minutes. */
async function scenario(): Promise<Outcome> {
	const unbuilt = buildWebIfStale(root, say)
	if (unbuilt !== undefined) return { tests: [], problems: [unbuilt] }
	return runTestFiles({ root, stage: 'scenario', patterns: SCENARIO, longest: LONGEST, testTimeoutMs: 5 * MINUTE, timeoutMs: 12 * MINUTE }, say)
}

/** Programs of others that judge ours. */
function peers(): Promise<Outcome> {
	return runTestFiles({ root, stage: 'peers', patterns: PEERS, testTimeoutMs: 2 * MINUTE, timeoutMs: 5 * MINUTE }, say)
}

/** Runs a tool of node_modules/.bin; its output is shown only when it fails. */
function tool(name: string, args: readonly string[]): Promise<string[]> {
	const start = performance.now()
	const child = spawn(join(root, 'node_modules/.bin', name), [...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
	let output = ''
	for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
	return new Promise((resolve) => {
		child.once('error', (error) => resolve([`${name} could not be started: ${error.message}`]))
		child.once('close', (code) => {
			const command = [name, ...args].join(' ')
			say(`${command}: ${code === 0 ? 'ok' : 'failed'} in ${seconds(performance.now() - start)}`)
			resolve(code === 0 ? [] : [`${command} failed:\n${output.trim()}`])
		})
	})
}

async function timed(name: string, stage: () => Promise<Outcome>): Promise<Outcome> {
	say(`\n== ${name}`)
	const start = performance.now()
	const { tests, problems } = await stage()
	for (const test of tests) if (test.error !== undefined) say(describe(test, test.error))
	if (tests.length > 0)
		say(
			`Slowest:\n${slowest(tests, 5)
				.map((t) => `${seconds(t.ms).padStart(9)}  ${t.path.join(' > ')}`)
				.join('\n')}`,
		)
	say(`== ${name}: ${tests.length} tests, ${seconds(performance.now() - start)}`)
	return { tests, problems: problems.map((text) => `${name}: ${text}`) }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
const describe = (test: TestResult, error: string): string =>
	`\nFAILED ${test.path.join(' > ')}\n  ${relative(root, test.file)}:${test.line}\n${error.replace(/^/gm, '  ')}`

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => {
		killRunningTests()
		process.exit(1)
	})
}
process.exitCode = await main(process.argv.slice(2))
