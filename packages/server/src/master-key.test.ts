import assert from 'node:assert/strict'
import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { seededRandom, toHex } from '@latchwork/core/base'
import { masterKeyBytes } from './master-key.ts'

const RIVAL = toHex(seededRandom(2)(32))

/** `at`: what else happens at a call of the disk. */
function start(t: TestContext, at: Partial<Record<'fsyncSync' | 'linkSync', (file: string) => void>> = {}) {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-key-'))
	const file = join(folder, 'keys', 'master.key')
	const calls: string[] = []
	for (const name of ['fsyncSync', 'linkSync', 'rmSync'] as const) {
		const real = fs[name] as (...given: unknown[]) => void
		t.mock.method(fs, name, (...given: unknown[]) => {
			calls.push(`${name}: ${readdirSync(dirname(file)).length === 0 ? 'nothing' : existing(file)}`)
			at[name as keyof typeof at]?.(file)
			return real(...given)
		})
	}
	syncBuiltinESMExports()
	t.after(() => {
		t.mock.restoreAll()
		syncBuiltinESMExports()
		rmSync(folder, { recursive: true, force: true })
	})
	return { file, calls, left: () => readdirSync(dirname(file)), key: () => toHex(masterKeyBytes({ masterKey: { file } }, seededRandom(1), 'serve')) }
}

const existing = (file: string) => (readdirSync(dirname(file)).includes('master.key') ? `${statSync(file).size} bytes` : 'aside')

test('the first master key is on the disk, whole, before it has its name, and its name is on the disk before it is used', (t) => {
	const { file, calls, left, key } = start(t)
	const first = key()
	assert.deepEqual(calls, ['fsyncSync: aside', 'linkSync: aside', 'rmSync: 65 bytes', 'fsyncSync: 65 bytes'])
	assert.deepEqual([left(), statSync(file).mode & 0o777, readFileSync(file, 'utf8')], [['master.key'], 0o600, `${first}\n`])
	assert.equal(key(), first)
	assert.equal(calls.length, 4, 'the second start writes nothing')
})

test('a disk that fails before the key is on it leaves no key, and the next start makes one', (t) => {
	let fails = true
	const { left, key } = start(t, {
		fsyncSync() {
			if (fails) throw new Error('EIO')
		},
	})
	assert.throws(key, /EIO/)
	assert.deepEqual(left(), [])
	fails = false
	assert.equal(key().length, 64)
})

test('of two first starts at the same moment both have the key of the one that was first', (t) => {
	const { left, key } = start(t, { linkSync: (file) => writeFileSync(file, `${RIVAL}\n`, { mode: 0o600 }) })
	assert.equal(key(), RIVAL)
	assert.deepEqual(left(), ['master.key'])
})
