import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sampleId } from '@latchwork/core/access/testing'
import { isFault } from '@latchwork/core/base'
import { readConfig } from '@latchwork/edge/config'
import { lockDirectory } from '@latchwork/edge/journal'

const MAIN = fileURLToPath(import.meta.resolve('@latchwork/edge/main'))

interface Config {
	[field: string]: unknown
	buses: { [field: string]: unknown }[]
	readers: { [field: string]: unknown }[]
	compartments: { [field: string]: unknown }[]
}

/** A directory from which a controller starts, with hardware that does not answer. */
function folder(t: TestContext): { path: string; config: Config; write(config: unknown): string } {
	const path = mkdtempSync(join(tmpdir(), 'latchwork-start-'))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	mkdirSync(join(path, 'web'))
	writeFileSync(join(path, 'web/index.html'), '<!doctype html>')
	writeFileSync(join(path, 'site.key'), '07'.repeat(32))
	writeFileSync(join(path, 'reader.key'), '08'.repeat(16))
	writeFileSync(join(path, 'device.pem'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
	const nowhere = { kind: 'tcp', host: '127.0.0.1', port: 1 }
	const config: Config = {
		controller: sampleId('controller', 'one'),
		bank: sampleId('bank', 'library'),
		port: 0,
		web: 'web',
		bundle: 'bundle.json',
		lease: 'lease.json',
		makers: [{ keyId: 'maker', publicKey: '00'.repeat(32) }],
		siteKey: 'site.key',
		deviceKey: 'device.pem',
		buses: [{ id: 'a', family: 'kr16', product: 'CU16', transport: nowhere, boards: [0] }],
		readers: [{ id: sampleId('reader', 'one'), family: 'osdp', transport: nowhere, address: 0, key: 'reader.key' }],
		compartments: [{ id: sampleId('compartment', '1'), bus: 'a', board: 0, channel: 0 }],
	}
	return {
		path,
		config,
		write(what) {
			const file = join(path, 'edge.json')
			writeFileSync(file, typeof what === 'string' ? what : JSON.stringify(what))
			return file
		},
	}
}

/** Starts the controller; it ends by itself, or when it says that it is ready. */
async function start(file: string): Promise<{ code: number | null; said: string; ready: boolean }> {
	const child = spawn(process.execPath, [MAIN, file], { stdio: ['ignore', 'pipe', 'pipe'] })
	let said = ''
	let ready = false
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said += text
	})
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		ready ||= text.includes('EDGE ')
		if (ready) child.kill('SIGTERM')
	})
	const code = await new Promise<number | null>((done) => child.once('close', done))
	return { code, said, ready }
}

/** Ends with 1 and one sentence for a person: what is wrong, where, and no place in our code. */
async function refused(file: string, ...words: string[]): Promise<void> {
	const { code, said, ready } = await start(file)
	assert.deepEqual({ code, ready }, { code: 1, ready: false }, said)
	for (const word of words) assert.ok(said.includes(word), `"${word}" is not in: ${said}`)
	assert.doesNotMatch(said, /^\s+at |Error:|node:internal/m)
	assert.equal(said.trim().split('\n').length, 1, said)
}

test('a controller with silent hardware starts, and ends in peace', async (t) => {
	const { config, write } = folder(t)
	assert.deepEqual(await start(write(config)), { code: 0, said: '', ready: true })
})

test('each wrong field of edge.json is named', (t) => {
	const { config, write } = folder(t)
	const wrong: [path: string, value: unknown][] = [
		['controller', 'one'],
		['bank', sampleId('controller', 'x')],
		['port', 70_000],
		['makers', []],
		['makers.0.publicKey', 'xyz'],
		['buses.0.transport.kind', 'udp'],
		['buses.0.transport.port', 0],
		['buses.0.boards', []],
		['buses.0.polarity', 'left'],
		['readers.0.address', 200],
		['readers.0.id', 'reader'],
		['compartments', []],
		['compartments.0.channel', -1],
		['compartments.0.id', undefined],
		['siteKey', undefined],
		['deviceKey', 5],
	]
	for (const [path, value] of wrong) {
		const copy = structuredClone(config)
		const names = path.split('.')
		const parent = names.slice(0, -1).reduce<{ [field: string]: unknown }>((of, name) => of[name] as { [field: string]: unknown }, copy)
		parent[names.at(-1) ?? ''] = value
		assert.throws(
			() => readConfig(write(copy)),
			(e) => isFault(e, 'config-invalid') && e.message.includes(path),
			path,
		)
	}
	assert.throws(
		() => readConfig(write({ ...config, colour: 'red' })),
		(e) => isFault(e, 'config-invalid') && e.message.includes('colour'),
	)
	assert.throws(
		() => readConfig(write({ ...config, compartments: [{ ...config.compartments[0], bus: 'b' }] })),
		(e) => isFault(e, 'config-invalid') && e.message.includes('"b"'),
	)
})

test('wiring that opens the wrong door, or none that exists, is refused by file and field', (t) => {
	const { config, write } = folder(t)
	const [bus] = config.buses
	const [reader] = config.readers
	const line = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port })
	const at = (name: string, on: string, board: number, channel: number) => ({ id: sampleId('compartment', name), bus: on, board, channel })
	const two = [
		{ ...bus, boards: [0, 1] },
		{ ...bus, id: 'b', transport: line(2), product: 'CU12' },
	]
	const good = [at('1', 'a', 0, 0), at('2', 'a', 1, 0), at('3', 'b', 0, 0), at('4', 'a', 0, 15), at('5', 'b', 0, 11)]
	readConfig(write({ ...config, buses: two, compartments: good }))
	const wrong: [change: object, words: RegExp][] = [
		[{ compartments: [...good, at('6', 'a', 1, 0)] }, /compartments\.5\.channel: output 0 of board 1 on a drives compartments\.1 already/],
		[{ compartments: [...good, at('2', 'a', 1, 1)] }, /compartments\.5\.id: .* compartments\.1 too/],
		[{ compartments: [at('1', 'a', 0, 40)] }, /compartments\.0\.channel: CU16 has no output 40; they go from 0 to 15/],
		[{ compartments: [at('1', 'b', 0, 12)] }, /compartments\.0\.channel: CU12 has no output 12/],
		[{ compartments: [at('1', 'b', 1, 0)] }, /compartments\.0\.board: there is no board 1 on b/],
		[{ compartments: [at('1', 'c', 0, 0)] }, /compartments\.0\.bus: unknown bus "c"/],
		[{ buses: [...two, { ...bus, transport: line(3) }] }, /buses\.2\.id: "a" is the id of buses\.0 too/],
		[{ buses: [...two, { ...bus, id: 'c', transport: line(2) }] }, /buses\.2\.transport: .* buses\.1 too/],
		[{ buses: [{ ...bus, boards: [0, 12] }] }, /buses\.0\.boards\.1: 12 is no address .* 0 to 9/],
		[{ buses: [{ ...bus, boards: [0, 0] }] }, /buses\.0\.boards\.1: board 0 is named twice/],
		[{ buses: [{ ...bus, product: 'CU99' }] }, /buses\.0\.product: .*"CU99"; there are: CU12, CU16/],
		[{ buses: [{ ...bus, family: 'abacus' }] }, /buses\.0\.family: .*"abacus"; there are: kr16/],
		[{ readers: [{ ...reader, key: undefined }] }, /readers\.0\.key: .*allowPlain/],
		[{ readers: [{ ...reader, product: 'turnstile' }] }, /readers\.0\.product: .*"turnstile"/],
		[{ readers: [{ ...reader, family: 'kr16' }] }, /readers\.0\.family: .*"kr16"/],
	]
	for (const [change, words] of wrong) {
		const file = write({ ...config, buses: two, compartments: [at('1', 'a', 0, 0)], ...change })
		assert.throws(
			() => readConfig(file),
			(e) => isFault(e, 'config-invalid') && e.message.startsWith(`${file}: `) && words.test(e.message),
			String(words),
		)
	}
	readConfig(write({ ...config, readers: [{ ...reader, key: undefined, allowPlain: true }] }))
})

test('what keeps a controller from starting is said in one sentence that names it', async (t) => {
	const { path, config, write } = folder(t)
	await refused(join(path, 'nowhere.json'), 'nowhere.json')
	await refused(write('{"controller": '), 'edge.json')
	await refused(write({ ...config, siteKey: 'lost.key' }), 'lost.key')
	writeFileSync(join(path, 'short.key'), 'abcd')
	await refused(write({ ...config, siteKey: 'short.key' }), 'short.key', '32')
	writeFileSync(join(path, 'words.key'), 'this is not hex')
	await refused(write({ ...config, siteKey: 'words.key' }), 'words.key')
	writeFileSync(join(path, 'bad.pem'), 'this is no key')
	await refused(write({ ...config, deviceKey: 'bad.pem' }), 'bad.pem')
	await refused(write({ ...config, buses: [{ ...config.buses[0], family: 'abacus' }] }), 'edge.json', 'buses.0.family', 'abacus')
	await refused(write({ ...config, buses: [{ ...config.buses[0], product: 'CU99' }] }), 'edge.json', 'buses.0.product', 'CU99')
	await refused(write({ ...config, readers: [{ ...config.readers[0], family: 'abacus' }] }), 'abacus')
	await refused(write({ ...config, readers: [{ ...config.readers[0], product: 'reader-piano' }] }), 'product', 'reader-piano', 'reader-keypad')
	await refused(write({ ...config, readers: [{ ...config.readers[0], key: 'lost.key' }] }), 'lost.key')
	await refused(write({ ...config, web: 'no-page' }), 'no-page')
})

test('a port in use, data of a newer version, and data in use by another process: each is said, and nothing is changed', async (t) => {
	const { path, config, write } = folder(t)
	const server = createServer()
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
	const address = server.address()
	const port = typeof address === 'object' ? address?.port : 0
	await refused(write({ ...config, port }), String(port), 'LATCHWORK_PORT')
	await new Promise((done) => server.close(done))
	const lock = lockDirectory(path, 'edge')
	await refused(write(config), path, 'LATCHWORK_DATA')
	lock.close()
	assert.equal((await start(write(config))).code, 0)
	const db = new DatabaseSync(join(path, 'edge.db'))
	db.exec('PRAGMA user_version=99')
	db.close()
	await refused(write(config), '99')
})
