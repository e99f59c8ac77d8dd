import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isFault, seededRandom } from '@latchwork/core/base'
import { type Blobs, openBlobs, sealingKey } from './index.ts'

const random = seededRandom(20261128)
const key = sealingKey(random(32), random)
const photo = random(50_000)
const digest = createHash('sha256').update(photo).digest('hex')

test('a blob is named by its content, is read back as it was, is sealed on the disk and readable by its user only', async (t) => {
	const { blobs, directory, path } = await opened(t)
	assert.equal(await blobs.put(photo), digest)
	assert.deepEqual(await blobs.get(digest), photo)
	assert.ok(!readFileSync(path).includes(Buffer.from(photo.subarray(0, 16))))
	assert.equal(statSync(path).mode & 0o077, 0)
	assert.deepEqual(readdirSync(join(directory, 'drafts')), [])
})

test('the same content is kept once, by many at the same time too', async (t) => {
	const { blobs, directory } = await opened(t)
	assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => blobs.put(photo)))), new Set([digest]))
	assert.deepEqual(readdirSync(join(directory, digest.slice(0, 2))), [digest])
	assert.deepEqual(readdirSync(join(directory, 'drafts')), [])
	assert.deepEqual(await blobs.get(digest), photo)
})

test('a file that was changed, cut, emptied, grown, moved or sealed under another key is refused', async (t) => {
	const { blobs, directory, path } = await opened(t)
	await blobs.put(photo)
	const other = await blobs.put(random(50_000))
	const whole = readFileSync(path)
	const invalid = (e: unknown) => isFault(e, 'sealed-unreadable')
	const refuses = (store: Blobs) => assert.rejects(store.get(digest), invalid)
	const changed = Buffer.from(whole)
	changed[25_000] = (changed[25_000] ?? 0) ^ 1
	writeFileSync(path, changed)
	await refuses(blobs)
	for (const size of [49_999, 10, 0, 10_000_000]) {
		truncateSync(path, size)
		await refuses(blobs)
	}
	writeFileSync(path, readFileSync(join(directory, other.slice(0, 2), other)))
	await refuses(blobs)
	// Whoever has the key cannot put other content under the name either.
	writeFileSync(path, key.seal(random(50_000), `blob ${digest}`))
	await refuses(blobs)
	writeFileSync(path, whole)
	await refuses(await openBlobs({ directory, key: sealingKey(random(32), random), random, limit: 100_000 }))
	assert.deepEqual(await blobs.get(digest), photo)
})

test('too much content, a name that is none, and a blob that is not there are refused; a path never leaves the directory', async (t) => {
	const { blobs } = await opened(t)
	await assert.rejects(blobs.put(new Uint8Array(100_001)), (e) => isFault(e, 'request-invalid'))
	await blobs.put(new Uint8Array(100_000))
	for (const name of ['', '../../etc/passwd', digest.toUpperCase(), `${digest}/..`, digest])
		await assert.rejects(blobs.get(name), (e) => isFault(e, 'not-found'), name)
	await assert.rejects(blobs.remove('../x'), (e) => isFault(e, 'not-found'))
})

test('what is removed is gone, and removing it again is nothing', async (t) => {
	const { blobs, path } = await opened(t)
	await blobs.put(photo)
	assert.equal(await blobs.has(digest), true)
	await blobs.remove(digest)
	await blobs.remove(digest)
	assert.equal(await blobs.has(digest), false)
	assert.equal(existsSync(path), false)
})

test('what a killed process was writing is swept at a later start, and what is complete stays', async (t) => {
	const { blobs, directory } = await opened(t)
	await blobs.put(photo)
	for (const name of ['old.new', 'young.new']) writeFileSync(join(directory, 'drafts', name), 'half')
	const then = statSync(join(directory, 'drafts', 'old.new')).mtimeMs / 1_000 - 3_700
	utimesSync(join(directory, 'drafts', 'old.new'), then, then)
	const again = await openBlobs({ directory, key, random, limit: 100_000 })
	assert.deepEqual(readdirSync(join(directory, 'drafts')), ['young.new'], 'another process may be writing the young one')
	assert.deepEqual(await again.get(digest), photo)
})

async function opened(t: TestContext) {
	const directory = mkdtempSync(join(tmpdir(), 'latchwork-blobs-'))
	t.after(() => rmSync(directory, { recursive: true, force: true }))
	return { directory, path: join(directory, digest.slice(0, 2), digest), blobs: await openBlobs({ directory, key, random, limit: 100_000 }) }
}
