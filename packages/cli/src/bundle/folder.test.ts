import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { refuseForeign, write } from './folder.ts'

const bundle = (files: Readonly<Record<string, string>>) => new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))
const OLD = bundle({ 'latchwork-edge.js': 'old', 'kiosk/index.html': 'old page', 'kiosk/assets/old.js': 'old script' })
const NEW = bundle({ 'latchwork-edge.js': 'new', 'kiosk/index.html': 'new page', 'controller.js': 'new' })

function folder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'latchwork-folder-'))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}

const contents = (out: string) =>
	Object.fromEntries(
		readdirSync(out, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => join(entry.parentPath, entry.name))
			.map((path) => [path.slice(out.length + 1), readFileSync(path, 'utf8')]),
	)

test('a new bundle takes the place of the one before, and leaves what somebody put beside it', (t) => {
	const out = folder(t)
	write(OLD, out)
	mkdirSync(join(out, 'data'))
	writeFileSync(join(out, 'edge.json'), '{}')
	writeFileSync(join(out, 'data/edge.db'), 'records')
	writeFileSync(join(out, 'kiosk/logo.svg'), 'ours')
	refuseForeign(out)
	const { digest } = write(NEW, out)
	const { SHA256SUMS, ...files } = contents(out)
	assert.deepEqual(files, {
		...Object.fromEntries([...NEW].map(([path, bytes]) => [path, bytes.toString()])),
		'edge.json': '{}',
		'data/edge.db': 'records',
		'kiosk/logo.svg': 'ours',
	})
	assert.equal(SHA256SUMS?.split('\n').length, NEW.size + 1)
	assert.ok(!existsSync(join(out, 'kiosk/assets')))
	const elsewhere = folder(t)
	assert.equal(write(NEW, elsewhere).digest, digest)
})

test('it takes nobody’s place: a folder with something else, a file where one of its own must go', (t) => {
	const other = folder(t)
	writeFileSync(join(other, 'notes.txt'), 'mine')
	assert.throws(
		() => refuseForeign(other),
		(fault) => isFault(fault, 'config-invalid'),
	)
	for (const [path, text] of Object.entries({ 'controller.js': 'mine', kiosk: 'a file' })) {
		const out = folder(t)
		write(bundle({ 'latchwork-edge.js': 'old' }), out)
		writeFileSync(join(out, path), text)
		const before = contents(out)
		assert.throws(
			() => write(NEW, out),
			(fault) => isFault(fault, 'config-invalid') && fault.message.includes(join(out, path)),
		)
		assert.deepEqual(contents(out), before)
	}
})

test('a list that leads outside is not followed', (t) => {
	const around = folder(t)
	const out = join(around, 'out')
	write(OLD, out)
	writeFileSync(join(around, 'precious.txt'), 'mine')
	writeFileSync(join(out, 'SHA256SUMS'), `${'0'.repeat(64)}  ../precious.txt\n${readFileSync(join(out, 'SHA256SUMS'), 'utf8')}`)
	write(NEW, out)
	assert.equal(readFileSync(join(around, 'precious.txt'), 'utf8'), 'mine')
	assert.ok(!existsSync(join(out, 'kiosk/assets')))
})

test('a swap that was cut short is mended by the next bundle', (t) => {
	const out = folder(t)
	write(OLD, out)
	const half = folder(t)
	write(NEW, half)
	// The list came, and nothing else.
	writeFileSync(join(out, 'SHA256SUMS'), readFileSync(join(half, 'SHA256SUMS')))
	mkdirSync(join(out, '.latchwork-bundle-cut'))
	write(NEW, out)
	for (const path of NEW.keys()) assert.equal(readFileSync(join(out, path), 'utf8'), NEW.get(path)?.toString())
})
