import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ensurePrerequisites, type Machine } from '../house/prerequisites.ts'
import { count, readResults, slowest, type TestEvent } from '../house/results.ts'
import { testEnvironment } from '../house/test-process.ts'
import { verdict } from '../house/verdict.ts'

function machine(installed: string[], mayInstall: boolean, works = true): Machine & { ran: string[] } {
	const ran: string[] = []
	return {
		ran,
		has: (program) => installed.includes(program),
		mayInstall: () => mayInstall,
		run: (command) => {
			ran.push(command)
			if (works) installed.push('chromium-headless-shell', 'socat', 'mosquitto', 'faketime', 'go')
			return works
		},
	}
}

test('with everything there, nothing is installed', () => {
	const m = machine(['chromium-headless-shell', 'socat', 'mosquitto', 'faketime', 'go'], true)
	assert.equal(
		ensurePrerequisites(m, () => {}),
		undefined,
	)
	assert.deepEqual(m.ran, [])
})

test('root on Debian gets what is missing, and is told', () => {
	const said: string[] = []
	const m = machine(['socat', 'mosquitto', 'faketime', 'go'], true)
	assert.equal(
		ensurePrerequisites(m, (text) => said.push(text)),
		undefined,
	)
	assert.match(
		m.ran.join(),
		/^apt-get update && apt-get install -y --no-install-recommends chromium-headless-shell socat mosquitto faketime golang-go golang-golang-x-mod-dev/,
	)
	assert.match(said.join(), /^Installing chromium-headless-shell:/)
})

test('anyone else is told what is missing and the command that installs it, and nothing is run', () => {
	const m = machine(['chromium-headless-shell', 'mosquitto', 'faketime', 'go'], false)
	assert.match(ensurePrerequisites(m, () => {}) ?? '', /need socat\. .*\n {2}apt-get update && apt-get install/)
	assert.deepEqual(m.ran, [])
})

test('a failed installation is no success', () => {
	assert.match(
		ensurePrerequisites(machine([], true, false), () => {}) ?? '',
		/^Could not install chromium-headless-shell and socat and mosquitto and faketime and go/,
	)
})

const events = (...list: TestEvent[]) => list.map((event) => `${JSON.stringify(event)}\n`).join('')
const begin = (id: number, parent: number, name: string): TestEvent => ({ kind: 'begin', id, parent, name, file: '/repository/tests/x.test.ts' })
const end = (id: number, ms = 1, suite = false): TestEvent => ({ kind: 'end', id, line: 3, ms, suite, outcome: 'passed' })

test('results carry the names from the suite inwards; suites are not counted as tests', () => {
	const { tests } = readResults(events(begin(1, 0, 'doors'), begin(2, 1, 'opens'), end(2, 7), end(1, 9, true)))
	assert.deepEqual(
		tests.map((t) => [t.path, t.ms]),
		[[['doors', 'opens'], 7]],
	)
	assert.deepEqual(count(tests), { passed: 1, failed: 0, skipped: 0 })
})

test('events that stop in the middle of a line still tell what was running', () => {
	const text = `${events(begin(1, 0, 'a'), end(1), begin(2, 0, 'doors'), begin(3, 2, 'waits for ever'))}{"kind":"e`
	const { tests, unfinished } = readResults(text)
	assert.equal(tests.length, 1)
	assert.deepEqual(unfinished, ['doors', 'doors > waits for ever'])
})

test('a file that registered no test is not a passed test', () => {
	const { tests, emptyFiles } = readResults(events(begin(1, 0, 'tests/x.test.ts'), end(1)))
	assert.deepEqual([tests.length, emptyFiles], [0, ['tests/x.test.ts']])
})

test('the slowest tests come first, at most as many as asked', () => {
	const { tests } = readResults(events(begin(1, 0, 'a'), end(1, 5), begin(2, 0, 'b'), end(2, 50), begin(3, 0, 'c'), end(3, 20)))
	assert.deepEqual(
		slowest(tests, 2).map((t) => t.path[0]),
		['b', 'c'],
	)
})

test('settings of the person who runs the tests do not reach them', () => {
	const env = testEnvironment(
		{ LATCHWORK_PORT: '1', LATCHWORK_DATA: '/x', NODE_OPTIONS: '--x', NODE_TEST_CONTEXT: 'child', HOME: '/home', TMPDIR: '/t' },
		{ root: '/repository', folder: '/run' },
	)
	assert.deepEqual(env, { HOME: '/home', TMPDIR: '/run', NODE_COMPILE_CACHE: '/repository/node_modules/.cache/latchwork' })
})

const result = (outcome: 'passed' | 'failed' | 'skipped') => ({ path: ['doors', outcome], file: '/x.test.ts', line: 1, ms: 1, outcome })
const run = (...outcomes: ('passed' | 'failed' | 'skipped')[]) => [{ tests: outcomes.map(result), problems: [] }]

test('a run is good when all passed, and its last line is the counts', () => {
	assert.deepEqual(verdict([...run('passed'), ...run('passed')], true), { ok: true, text: '\n2 passed, 0 failed, 0 skipped' })
})

test('a run is not good when a test failed, nothing ran, or something else was wrong', () => {
	assert.equal(verdict(run('passed', 'failed'), false).ok, false)
	assert.deepEqual(verdict(run(), false), { ok: false, text: '\nNo test ran.\n\n0 passed, 0 failed, 0 skipped' })
	assert.equal(verdict([...run('passed'), { tests: [], problems: ['check: left behind: process 7'] }], false).ok, false)
})

test('a skipped test is counted, and fails the run in CI by name', () => {
	assert.equal(verdict(run('passed', 'skipped'), false).ok, true)
	assert.match(verdict(run('passed', 'skipped'), true).text, /Skipped, which CI does not allow: doors > skipped\n\n1 passed, 0 failed, 1 skipped$/)
	assert.equal(verdict(run('passed', 'skipped'), true).ok, false)
})
