import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { advanceSharedClock, clockAhead, resumeClock } from './clock-file.ts'

/** Beyond the highest process id that Linux gives. */
const NOBODY = 999_999_999

function folder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'latchwork-clock-'))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}

test('a move tells whether every living process has done what came due', async (t) => {
	const path = folder(t)
	writeFileSync(join(path, `seen-edge-${NOBODY}`), '0')
	assert.equal(await advanceSharedClock(path, 1_000), true)
	writeFileSync(join(path, `seen-edge-${process.pid}`), '1')
	assert.equal(await advanceSharedClock(path, 1_000, undefined, 0), false)
	writeFileSync(join(path, `seen-edge-${process.pid}`), '3')
	assert.equal(await advanceSharedClock(path, 1_000), true)
	const ahead = clockAhead(path)
	assert.ok(ahead > 2_999 && ahead <= 3_000, String(ahead))
})

test('a clock that was stopped goes on at its usual pace from where it stood, and waits for nobody who is gone', async (t) => {
	const path = folder(t)
	await advanceSharedClock(path, 86_400_000, 0)
	writeFileSync(join(path, `seen-edge-${process.pid}`), '0')
	resumeClock(path)
	assert.deepEqual(readdirSync(path), ['clock.json'])
	assert.equal(JSON.parse(readFileSync(join(path, 'clock.json'), 'utf8')).rate, 1)
	assert.ok(clockAhead(path) > 86_390_000)
})
