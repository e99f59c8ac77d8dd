import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { testKey } from '@latchwork/core/access/testing'
import { seededRandom, toHex } from '@latchwork/core/base'
import { openProof, parseVerifierKey } from '@latchwork/core/ledger'
import { sampleEntries, sampleExport } from '@latchwork/core/ledger/testing'
import { nodeCrypto } from '@latchwork/edge/keys'
import { pathsIn, verifyLogFolder } from './log-folder.ts'

type Files = ReadonlyMap<string, Uint8Array>
const log = testKey(new Uint8Array(32).fill(9))
const terms = (seed: number) => ({ random: seededRandom(seed), sha256: nodeCrypto.sha256, ...log })
const entries = sampleEntries(300, terms(5))
const early = sampleExport(entries.slice(0, 200), [1, 200], terms(5))
const late = sampleExport(entries, [1, 200, 256, 300], terms(5))
const key = new TextDecoder().decode(late.get('log.vkey')).trim()

interface Answer {
	readonly code: number
	readonly out: string
	readonly complaint: string
}
const latchwork = (...args: string[]): Promise<Answer> =>
	new Promise((resolve) => {
		const main = join(import.meta.dirname, '../main.ts')
		execFile(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'ledger', ...args], (error, out, complaint) =>
			resolve({ code: error ? Number(error.code) : 0, out, complaint }),
		)
	})

/** A server's audit routes over files that a test puts in place. */
interface AuditServer {
	files: Files
	readonly url: string
	readonly asked: string[]
	readonly http: Server
	late?: boolean
}
async function auditServer(): Promise<AuditServer> {
	const asked: string[] = []
	const http = createServer((request, response) => {
		const path = request.url ?? ''
		asked.push(`${request.method} ${path}`)
		const content = path === '/v1/audit/exports' ? Buffer.from('{}') : served.files.get(path.replace('/v1/audit/log/', ''))
		if (request.headers.authorization !== 'Bearer right') response.writeHead(401).end(JSON.stringify({ detail: 'Sign in first.' }))
		// What is there comes after the news of what is not: by then the folder must not be on its way out.
		else if (content && served.late) setTimeout(() => response.writeHead(200).end(content), 50)
		else if (content) response.writeHead(200).end(content)
		else response.writeHead(404).end()
	})
	await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
	const served: AuditServer = { files: early, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`, asked, http }
	return served
}

describe('latchwork ledger over an audit log', () => {
	let folder = ''
	let server: AuditServer
	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'latchwork-audit-'))
		server = await auditServer()
	})
	after(async () => {
		await new Promise((resolve) => server.http.close(resolve))
		rmSync(folder, { recursive: true, force: true })
	})
	const write = (name: string, files: Files): string => {
		for (const [path, bytes] of files) {
			mkdirSync(dirname(join(folder, name, path)), { recursive: true })
			writeFileSync(join(folder, name, path), bytes)
		}
		return join(folder, name)
	}
	/** What lies in a folder; by digests, so that a difference can be printed. */
	const digests = (files: Files) => Object.fromEntries([...files].map(([path, bytes]) => [path, toHex(nodeCrypto.sha256(bytes))]).sort())
	const lying = (name: string) => digests(new Map(pathsIn(join(folder, name)).map((path) => [path, readFileSync(join(folder, name, path))])))
	const beside = (name: string) => readdirSync(folder).filter((one) => one.startsWith(`${name}.`))
	const fetchInto = (name: string, token = 'right') =>
		latchwork('export', '--server', server.url, '--token', token, '--out', join(folder, name), '--key', key)

	test('verifies a folder, says what is in it, and names the first bad place', async () => {
		const whole = write('whole', late)
		const good = await latchwork('verify', whole)
		assert.equal(good.code, 0, good.complaint)
		assert.match(
			good.out,
			/whole\. 300 entries of log\.example\/ten_1, root \S+, 4 checkpoints\.\n\d+ entries of the server, and streams of 3 controller databases:\n {2}str_/,
		)
		assert.match(good.out, /compare it with the one that you were given[^\n]*\n {2}log\.example\/ten_1\+/)
		assert.match((await latchwork('verify', whole, '--key', key)).out, /Signed with the key that you named/)
		const bundle = late.get('tile/entries/000') ?? new Uint8Array()
		const bad = await latchwork('verify', write('bad', new Map([...late, ['tile/entries/000', bundle.with(2, 0)]])))
		assert.equal(bad.code, 1)
		assert.match(bad.out, /NOT WHOLE\. First bad index 0 in tile\/entries\/000 \(altered\)/)
		const stranger = await latchwork('verify', whole, '--key', key.replace('ten_1', 'ten_2'))
		assert.match(stranger.out, /NOT WHOLE\. First bad index 0 in log\.vkey \(key\)/)
	})

	test('proves one entry in a form that needs only the entry and the key', async () => {
		const whole = write('proof', late)
		const proven = await latchwork('proof', whole, '--position', '257', '--key', key)
		assert.equal(proven.code, 0, proven.complaint)
		const known = parseVerifierKey(key, nodeCrypto.sha256)
		assert.ok(known)
		const open = (proof: string, at: number) => openProof(proof, entries[at] ?? new Uint8Array(), [known], nodeCrypto)
		assert.deepEqual([open(proven.out, 257).ok, open(proven.out, 256).ok], [true, false])
		assert.ok(proven.complaint.includes(new TextDecoder().decode(entries[257])))
		for (const damaged of [proven.out.replace('index 257', 'index 256'), proven.out.replace('@v1', '@v2'), proven.out.replace('\n\n', '\n'), ''])
			assert.equal(open(damaged, 257).ok, false)
		const wrong = await latchwork('proof', whole, '--position', '300')
		assert.deepEqual([wrong.code, /has no entry 300/.test(wrong.complaint)], [1, true], wrong.complaint)
		const tile = late.get('tile/0/000') ?? new Uint8Array()
		const lying = await latchwork('proof', write('lying', new Map([...late, ['tile/0/000', tile.with(40, 0).with(41, 0)]])), '--position', '3')
		assert.match(lying.complaint, /not number 3 of the log/)
	})

	test('fetches a log, fetches only what is new, and notices a server that tells another history', async () => {
		server.files = early
		const first = await fetchInto('fetched')
		assert.equal(first.code, 0, first.complaint + first.out)
		assert.match(first.out, /whole\. 200 entries/)
		assert.ok(server.asked.includes('POST /v1/audit/exports'), 'the export is itself recorded')
		server.files = late
		assert.match((await fetchInto('fetched')).out, /whole\. 300 entries .* grown out of the one that was kept/)
		server.asked.length = 0
		assert.equal((await fetchInto('fetched')).code, 0)
		assert.ok(!server.asked.some((path) => /entries\/000$|checkpoints\//.test(path)), server.asked.join())
		server.files = sampleExport(sampleEntries(300, terms(6)), [1, 200, 256, 300], terms(6))
		const lie = await fetchInto('fetched')
		assert.equal(lie.code, 1)
		assert.match(lie.out, /NOT WHOLE.*\n.*fetched is as it was/)
		// What was whole stays so, what the server told is kept beside it, and the truth is believed the next time.
		assert.deepEqual(lying('fetched'), digests(late))
		const [evidence = ''] = beside('fetched')
		assert.match((await latchwork('verify', join(folder, evidence))).out, /NOT WHOLE/)
		rmSync(join(folder, evidence), { recursive: true })
		server.files = late
		assert.equal((await fetchInto('fetched')).code, 0)
	})

	test('an export into a folder that holds another log, another thing or damage changes nothing there, and says so', async () => {
		write('held', late)
		server.files = sampleExport(entries, [1, 300], terms(5), 'log.example/ten_2')
		const other = await latchwork('export', '--server', server.url, '--token', 'right', '--out', join(folder, 'held'))
		assert.deepEqual([other.code, /holds the log log\.example\/ten_1, and the server's is log\.example\/ten_2/.test(other.complaint)], [1, true])
		server.files = new Map([...late].filter(([path]) => path !== 'tile/0/000'))
		rmSync(join(folder, 'held/tile/0/000'))
		assert.match((await fetchInto('held')).complaint, /holds an export that is not whole: tile\/0\/000, index 0 \(missing\)/)
		write('held', late)
		server.files = late
		write('held', new Map([['notes.txt', new Uint8Array()]]))
		assert.match((await fetchInto('held')).complaint, /holds notes\.txt, which is of no log export/)
		rmSync(join(folder, 'held/notes.txt'))
		server.files = new Map([...late].filter(([path]) => path !== 'tile/entries/001.p/44'))
		write('half', early)
		server.late = true
		assert.match((await fetchInto('half')).complaint, /tile\/entries\/001\.p\/44: the server answered 404/)
		server.late = false
		assert.deepEqual([lying('held'), lying('half')], [digests(late), digests(early)])
		assert.deepEqual([beside('held'), beside('half')], [[], []])
	})

	test('after a log has grown, every byte of every file in the folder counts: one that is flipped is named', async () => {
		server.files = early
		await fetchInto('grown')
		write('grown', new Map([['tile/entries/001.p/28', new Uint8Array(3)]]))
		assert.match((await latchwork('verify', join(folder, 'grown'))).out, /NOT WHOLE\. First bad index 0 in tile\/entries\/001\.p\/28 \(beyond-end\)/)
		server.files = late
		assert.equal((await fetchInto('grown')).code, 0)
		assert.deepEqual(lying('grown'), digests(late), 'and nothing is left of the smaller one')
		assert.equal((await verifyLogFolder(join(folder, 'grown'), {})).ok, true)
		const steps = [...late].flatMap(([path, bytes]) => [0, 1, 2, 3].map((quarter) => [path, Math.floor((quarter * (bytes.length - 1)) / 3)] as const))
		for (const [path, at] of steps) {
			const bytes = late.get(path) ?? new Uint8Array()
			write('grown', new Map([[path, bytes.with(at, (bytes[at] ?? 0) ^ 1)]]))
			const verdict = await verifyLogFolder(join(folder, 'grown'), {})
			assert.equal(verdict.ok || verdict.path, path, `byte ${at}`)
			write('grown', new Map([[path, bytes]]))
		}
	})

	test('says in words what a server refuses, and what is missing on the command line', async () => {
		const refused = await fetchInto('refused', 'wrong')
		assert.deepEqual([refused.code, /answered 401\. Sign in first\./.test(refused.complaint)], [1, true], refused.complaint)
		server.files = new Map()
		assert.match((await fetchInto('empty')).complaint, /checkpoint: the server answered 404/)
		const nobody = await latchwork('export', '--server', 'http://127.0.0.1:1', '--token', 'x', '--out', join(folder, 'nobody'))
		assert.match(nobody.complaint, /does not answer/)
		assert.match((await latchwork('export', '--server', 'ftp://x', '--token', 'x', '--out', folder)).complaint, /--server needs an address/)
		assert.match((await latchwork('export', '--server', server.url, '--out', folder)).complaint, /LATCHWORK_TOKEN/)
		assert.match((await latchwork('proof', folder, '--position', '1')).complaint, /Name the folder of a log export/)
		for (const { complaint } of [refused, nobody]) assert.doesNotMatch(complaint, /\n\s+at /)
	})
})
