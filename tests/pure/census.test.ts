import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CensusScope, leftovers, takeCensus } from '../house/census.ts'
import { runTestFiles } from '../house/test-files.ts'

function scopeIn(folder: string, sessions: readonly number[] = []): CensusScope {
	return { mark: `TMPDIR=${folder}`, sessions: new Set(sessions), folder, prefix: 'latchwork-' }
}

function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-census-'))
	return run(folder).finally(() => rmSync(folder, { recursive: true, force: true }))
}

test('the census sees a process by the mark in its environment, and no more once it has ended', () =>
	inFolder(async (folder) => {
		const before = takeCensus(scopeIn(folder))
		const child = spawn('sleep', ['1000'], { env: { ...process.env, TMPDIR: folder }, stdio: 'ignore' })
		try {
			await once(child, 'spawn')
			assert.deepEqual(leftovers(before, takeCensus(scopeIn(folder))), [`process ${child.pid}: sleep 1000`])
		} finally {
			child.kill('SIGKILL')
			await once(child, 'exit')
		}
		assert.deepEqual(leftovers(before, takeCensus(scopeIn(folder))), [])
	}))

test('the census sees a process that wiped its environment by its session, and its child with it', () =>
	inFolder(async (folder) => {
		const before = takeCensus(scopeIn(folder))
		const child = spawn('/bin/sh', ['-c', 'sleep 1000 & echo started; wait'], { env: {}, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
		assert.ok(child.pid !== undefined)
		try {
			await once(child.stdout, 'data')
			const left = leftovers(before, takeCensus(scopeIn(folder, [child.pid])))
			assert.equal(left.length, 2, left.join('\n'))
			assert.deepEqual(leftovers(before, takeCensus(scopeIn(folder))), [], 'without the session nobody would know that it is ours')
		} finally {
			process.kill(-child.pid, 'SIGKILL')
			await once(child, 'close')
		}
	}))

test('the census sees a listening port, and leaves those of others alone', () =>
	inFolder(async (folder) => {
		const before = takeCensus(scopeIn(folder))
		const server = createServer().listen(0, '127.0.0.1')
		await once(server, 'listening')
		const address = server.address()
		assert.ok(typeof address === 'object' && address !== null)
		const after = takeCensus(scopeIn(folder))
		server.close()
		await once(server, 'close')
		assert.ok(leftovers(before, after).includes(`listening TCP port ${address.port}`))
		const ofOthers = { ...after, ports: new Map([[address.port, 'other' as const]]) }
		assert.deepEqual(leftovers(before, ofOthers), [])
		assert.ok(!takeCensus(scopeIn(folder)).ports.has(address.port))
	}))

test('the census sees a temporary folder with our prefix', () =>
	inFolder(async (folder) => {
		mkdirSync(join(folder, 'latchwork-old'))
		const before = takeCensus(scopeIn(folder))
		mkdirSync(join(folder, 'latchwork-edge-x'))
		mkdirSync(join(folder, 'of-somebody-else'))
		assert.deepEqual(leftovers(before, takeCensus(scopeIn(folder))), ['temporary folder latchwork-edge-x'])
	}))

const CLEAN = `
import { test } from 'node:test'
test('good', () => {})
test('not today', { skip: true }, () => {})
test('around', async (t) => { await t.test('bad', () => { throw new Error('as planted') }) })
`
const LEAVES_PROCESS_PORT_AND_FOLDER = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
test('leaves things behind', async () => {
	mkdtempSync(join(tmpdir(), 'latchwork-planted-'))
	const child = spawn(process.execPath, ['-e', "require('node:net').createServer().listen(0, () => console.log('listening'))"], { detached: true })
	await once(child.stdout, 'data')
	child.stdout.destroy()
	child.stderr.destroy()
	child.unref()
})
`

test('a run tells failed tests, empty files, and all that its tests left behind, and ends what it found', () =>
	inFolder(async (folder) => {
		writeFileSync(join(folder, 'a.test.mjs'), CLEAN)
		writeFileSync(join(folder, 'b.test.mjs'), '')
		writeFileSync(join(folder, 'c.test.mjs'), LEAVES_PROCESS_PORT_AND_FOLDER)
		const job = { root: folder, stage: 'planted', patterns: ['*.test.mjs'], shared: 2, testTimeoutMs: 60_000, timeoutMs: 120_000 }
		const { tests, problems } = await runTestFiles(job, () => {})
		assert.deepEqual(tests.map((t) => `${t.path.join(' > ')}: ${t.outcome}`).sort(), [
			'around > bad: failed',
			'around: failed',
			'good: passed',
			'leaves things behind: passed',
			'not today: skipped',
		])
		assert.deepEqual(
			tests.flatMap((t) => (t.error === undefined ? [] : [t.error.includes('as planted')])),
			[true],
		)
		const kinds = problems
			.map((text) => /b\.test\.mjs holds no test|^left behind: (?:process|listening TCP port|temporary folder)/.exec(text)?.[0])
			.sort()
		assert.deepEqual(kinds, ['b.test.mjs holds no test', 'left behind: listening TCP port', 'left behind: process', 'left behind: temporary folder'])
		const port = Number(/TCP port (\d+)/.exec(problems.join('\n'))?.[1])
		await assert.rejects(once(connect(port), 'connect'), { code: 'ECONNREFUSED' }, 'the planted process still listens')
	}))

test('a test process that hangs is killed, and the run says so', () =>
	inFolder(async (folder) => {
		writeFileSync(
			join(folder, 'hang.test.mjs'),
			"import { test } from 'node:test'\ntest('never ends', () => new Promise(() => setInterval(() => {}, 1000)))",
		)
		const job = { root: folder, stage: 'planted', patterns: ['*.test.mjs'], shared: 2, testTimeoutMs: 60_000, timeoutMs: 2_000 }
		const { tests, problems } = await runTestFiles(job, () => {})
		assert.deepEqual(tests, [])
		assert.equal(problems.length, 1)
		assert.match(problems[0] ?? '', /planted 1\/1 was killed after 2 s/)
	}))

/** Ends when the file is there, which another test writes. */
const WAITS_FOR = (file: string) => `
import { existsSync } from 'node:fs'
import { test } from 'node:test'
test('waits', async () => {
	while (!existsSync(${JSON.stringify(file)})) await new Promise((later) => setTimeout(later, 10))
})
`

test('files apart: what takes longest begins before the others have ended, and a name that is no file is told', () =>
	inFolder(async (folder) => {
		const file = join(folder, 'begun')
		for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.test.mjs`), WAITS_FOR(file))
		writeFileSync(
			join(folder, 'd.test.mjs'),
			`import { writeFileSync } from 'node:fs'\nimport { test } from 'node:test'\ntest('begins', () => writeFileSync(${JSON.stringify(file)}, ''))`,
		)
		const job = { root: folder, stage: 'planted', patterns: ['*.test.mjs'], testTimeoutMs: 20_000, timeoutMs: 60_000 }
		const { tests, problems } = await runTestFiles({ ...job, longest: ['d.test.mjs', 'gone.test.mjs'] }, () => {})
		assert.deepEqual(
			tests.map(({ outcome }) => outcome),
			['passed', 'passed', 'passed', 'passed'],
		)
		assert.deepEqual(problems, ['gone.test.mjs is to begin first and is not there'])
	}))

test('no file at all is a problem of its own', () =>
	inFolder(async (folder) => {
		const { problems } = await runTestFiles({ root: folder, stage: 'planted', patterns: ['*.test.mjs'], testTimeoutMs: 1, timeoutMs: 1 }, () => {})
		assert.deepEqual(problems, ['there is no test file'])
	}))
