import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testKey } from '@latchwork/core/access/testing'
import { seededRandom } from '@latchwork/core/base'
import { bundleEntries, checkpointPath, LOG_FILES, readBundle, verifyLog } from '@latchwork/core/ledger'
import { sampleEntries, sampleExport } from '@latchwork/core/ledger/testing'
import { nodeCrypto } from '@latchwork/edge/keys'
import { openSequencer } from '@latchwork/server/ledger'
import { signerOf, tenantOf } from '@latchwork/server/tenants'
import { realClock } from '@latchwork/server/testing'
import { testApi } from '@latchwork/server/testing/api'

/** The verifier of docs/verify, built and run as the auditor's guide says, from Debian's packages and without network. */
const DOCS = join(import.meta.dirname, '../../docs')
const MARK = '<!-- tests/peers/go-log.test.ts runs this block -->'
type Files = ReadonlyMap<string, Uint8Array>
interface Answer {
	readonly ok: boolean
	readonly size?: number
	readonly root?: string
	readonly checkpoints?: number
	readonly streams?: number
	readonly text?: string
}

const log = testKey(new Uint8Array(32).fill(9))
const terms = (seed: number) => ({ random: seededRandom(seed), sha256: nodeCrypto.sha256, ...log })
const SIZES = [0, 1, 200, 256, 300, 511, 512, 700]
const entries = sampleEntries(700, terms(5))
const original = sampleExport(entries, SIZES, terms(5))

const changed = (path: string, change: (bytes: Uint8Array) => Uint8Array): Files => {
	const bytes = original.get(path)
	assert.ok(bytes, path)
	return new Map([...original, [path, change(bytes)]])
}
const flipped = (path: string, at: number) => changed(path, (bytes) => bytes.with(at, (bytes[at] ?? 0) ^ 1))
const rebundled = (path: string, change: (bundle: Uint8Array[]) => Uint8Array[]) =>
	changed(path, (bytes) => bundleEntries(change(readBundle(bytes).entries)))
const swapped = (a: string, b: string): Files =>
	new Map([...original, [a, original.get(b) ?? new Uint8Array()], [b, original.get(a) ?? new Uint8Array()]])
const without = (path: string): Files => new Map([...original].filter(([one]) => one !== path))
const signatures = [...original].filter(([path]) => path.startsWith('checkpoint'))

const DAMAGES: Readonly<Record<string, Files>> = {
	'a bit of the newest checkpoint': flipped(LOG_FILES.checkpoint, 20),
	'a bit of an old checkpoint': flipped(checkpointPath(3), 20),
	'a bit of a signature': changed(checkpointPath(3), (bytes) => bytes.with(bytes.length - 10, bytes.at(-10) === 65 ? 66 : 65)),
	'a bit of the key': flipped(LOG_FILES.key, 40),
	'a bit of the statement': flipped(LOG_FILES.statement, 5),
	'a bit of a full tile': flipped('tile/0/000', 4_000),
	'a bit of a partial tile': flipped('tile/0/002.p/188', 0),
	'a bit of a tile above': flipped('tile/1/000.p/2', 40),
	'a bit of an entry': flipped('tile/entries/001', 9_000),
	'a bit of a length': flipped('tile/entries/000', 1),
	'an entry removed': rebundled('tile/entries/001', (bundle) => bundle.toSpliced(7, 1)),
	'the last entry removed': rebundled('tile/entries/002.p/188', (bundle) => bundle.slice(0, -1)),
	'an entry twice': rebundled('tile/entries/001', (bundle) => bundle.toSpliced(7, 0, bundle[7] ?? new Uint8Array())),
	'an entry more at the end': rebundled('tile/entries/002.p/188', (bundle) => [...bundle, bundle[0] ?? new Uint8Array()]),
	'two entries swapped': rebundled('tile/entries/000', (bundle) =>
		bundle.with(1, bundle[2] ?? new Uint8Array()).with(2, bundle[1] ?? new Uint8Array()),
	),
	'two bundles swapped': swapped('tile/entries/000', 'tile/entries/001'),
	'two tiles swapped': swapped('tile/0/000', 'tile/0/001'),
	'two checkpoints swapped': swapped(checkpointPath(2), checkpointPath(4)),
	'a tile missing': without('tile/0/001'),
	'a bundle missing': without('tile/entries/001'),
	'a checkpoint missing': without(checkpointPath(4)),
	'the newest checkpoint missing': without(LOG_FILES.checkpoint),
	'a tile of a smaller export left over': new Map([...original, ['tile/0/001.p/44', new Uint8Array(44 * 32)]]),
	'a checkpoint more': new Map([...original, [checkpointPath(SIZES.length + 3), original.get(checkpointPath(3)) ?? new Uint8Array()]]),
	'a stranger’s file': new Map([...original, ['notes.txt', new Uint8Array([1])]]),
	'a cut tile': changed('tile/0/001', (bytes) => bytes.subarray(0, 8_160)),
	'a cut bundle': changed('tile/entries/001', (bytes) => bytes.subarray(0, -1)),
	'an entry rewritten with all its tiles': new Map([
		...sampleExport(entries.with(-1 + entries.length, entries[5] ?? new Uint8Array()), SIZES, terms(5)),
		...signatures,
	]),
	'another history under an old checkpoint': new Map([
		...sampleExport(sampleEntries(700, terms(6)), SIZES, terms(6)),
		[checkpointPath(2), original.get(checkpointPath(2)) ?? new Uint8Array()],
	]),
	'an edge event left out and signed for': sampleExport(entries.toSpliced(103, 1), [699], terms(5)),
}

function write(root: string, files: Files): void {
	for (const [path, bytes] of files) {
		mkdirSync(dirname(join(root, path)), { recursive: true })
		writeFileSync(join(root, path), bytes)
	}
}

describe('the verifier in Go', () => {
	let folder = ''
	let program = ''
	before(() => {
		folder = mkdtempSync(join(tmpdir(), 'latchwork-go-'))
		program = join(folder, 'verify_log')
		const guide = readFileSync(join(DOCS, 'guides/auditor.md'), 'utf8')
		const [script] = guide.split(`${MARK}\n\`\`\`sh\n`)[1]?.split('```') ?? []
		assert.ok(script !== undefined, 'the guide says how to build it')
		symlinkSync(DOCS, join(folder, 'docs'))
		write(join(folder, 'audit-log'), original)
		writeFileSync(join(folder, 'log.vkey'), original.get(LOG_FILES.key) ?? '')
		const env = { ...process.env, GOCACHE: join(folder, 'cache'), GOFLAGS: '', GOTOOLCHAIN: 'local' }
		const build = spawnSync('sh', ['-ec', script], { cwd: folder, encoding: 'utf8', env })
		assert.equal(build.status, 0, `apt-get install golang-go golang-golang-x-mod-dev brings what is needed.\n${build.stderr}`)
		assert.match(build.stdout, /^\{"ok":true,"folder":"audit-log","size":700,/)
	})
	after(() => rmSync(folder, { recursive: true, force: true }))

	/** Writes the exports and lets the program judge all of them in one go. */
	const judge = (exports: readonly Files[], ...options: string[]): { answers: Answer[]; code: number | null } => {
		const written = exports.map((files, i) => {
			const root = join(folder, `export-${i}`)
			rmSync(root, { recursive: true, force: true })
			write(root, files)
			return root
		})
		const run = spawnSync(program, [...options, ...written], { encoding: 'utf8' })
		assert.equal(run.stderr, '')
		const lines = run.stdout.trim().split('\n')
		return { answers: lines.map((line): Answer => JSON.parse(line)), code: run.status }
	}
	const ours = (files: Files, kept?: Uint8Array) =>
		verifyLog((path) => files.get(path), { crypto: nodeCrypto, paths: [...files.keys()], ...(kept && { kept }) })

	test('accepts an untouched export of any size, and finds in it what ours finds', async () => {
		const exports = [0, 1, 255, 256, 257, 512].map((size) =>
			sampleExport(entries.slice(0, size), size === 0 ? [0] : [1, size].filter((n, i) => i === 1 || n < size), terms(5)),
		)
		const { answers, code } = judge([...exports, original])
		assert.equal(code, 0, JSON.stringify(answers))
		for (const [i, files] of [...exports, original].entries()) {
			const verdict = await ours(files)
			assert.ok(verdict.ok)
			const { size = 0, root, checkpoints, streams = 0 } = answers[i] ?? { ok: false }
			assert.deepEqual([size, root, checkpoints, streams], [verdict.size, verdict.root, verdict.checkpoints, verdict.streams.size])
		}
	})

	test('refuses every damaged export, as ours does; the untouched one passes in the same run', async (t) => {
		const names = Object.keys(DAMAGES)
		const { answers, code } = judge([original, ...Object.values(DAMAGES)])
		assert.equal(code, 1)
		assert.equal(answers[0]?.ok, true)
		const passed = names.filter((_, i) => answers[i + 1]?.ok !== false)
		assert.deepEqual(passed, [], 'accepted by Go')
		const verdicts = await Promise.all([original, ...Object.values(DAMAGES)].map((files) => ours(files)))
		assert.deepEqual(
			verdicts.map(({ ok }) => ok),
			[true, ...names.map(() => false)],
		)
		t.diagnostic(`${names.length} damages refused by both`)
	})

	test('tells two signed histories apart by a checkpoint that was kept', async () => {
		const other = sampleExport(sampleEntries(700, terms(6)), SIZES, terms(6))
		const kept = original.get(checkpointPath(4)) ?? new Uint8Array()
		const file = join(folder, 'kept')
		writeFileSync(file, kept)
		const { answers } = judge([original, other], '-kept', file)
		assert.deepEqual(
			answers.map(({ ok }) => ok),
			[true, false],
		)
		assert.deepEqual([(await ours(original, kept)).ok, (await ours(other, kept)).ok], [true, false])
	})

	test('accepts what a server exports, with an export that ours fetched, and refuses it with one bit changed', async () => {
		const api = await testApi()
		const faults: unknown[] = []
		const sequencer = openSequencer({
			store: api.store,
			clock: api.clock,
			pace: realClock,
			random: api.parts.random,
			checkpointAfterMs: 0,
			failed: (cause) => faults.push(cause),
			signerOf: async (db, tenant) => ({
				...(await signerOf(db, 'log', { master: api.parts.master, tenant })),
				origin: (await tenantOf(db, tenant)).origin,
			}),
		})
		try {
			const { owner } = await api.tenant('Audited')
			const { token } = owner
			for (let i = 0; i < 8; i++) {
				const body = { name: `Group ${i}`, code: `group-${i}` }
				const made = await api.ask('POST', '/v1/groups', { token, body })
				assert.equal(made.status, 201, made.text)
			}
			const isSigned = async () => (await api.ask('GET', '/v1/audit/log/checkpoint', { token })).status === 200
			while (!(await isSigned())) await new Promise((resolve) => setTimeout(resolve, 50))
			const served = join(folder, 'served')
			const out = await latchwork('export', '--server', api.url, '--token', token, '--out', served)
			assert.match(out, /whole\. \d+ entries/)
			const key = readFileSync(join(served, LOG_FILES.key), 'utf8').trim()
			const judged = () => spawnSync(program, ['-key', key, served], { encoding: 'utf8' })
			const good = judged()
			assert.equal(good.status, 0, good.stdout + good.stderr)
			assert.ok(JSON.parse(good.stdout).size >= 8)
			const [bundle = ''] = globSync('tile/entries/**/*', { cwd: served }).filter((path) => statSync(join(served, path)).isFile())
			const bytes = readFileSync(join(served, bundle))
			writeFileSync(join(served, bundle), bytes.with(99, (bytes[99] ?? 0) ^ 1))
			assert.equal(judged().status, 1)
			assert.match(await latchwork('verify', served), /NOT WHOLE\. First bad index 0 in tile\/entries/)
			assert.deepEqual(faults, [])
		} finally {
			await sequencer.close()
			await api.close()
		}
	})
})

const latchwork = (...args: string[]): Promise<string> =>
	new Promise((resolve) => {
		const main = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
		execFile(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'ledger', ...args], (_, out, complaint) => resolve(out + complaint))
	})
