import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { advanceSharedClock, clockAhead, resumeClock } from '@latchwork/edge/clock-file'
import { lockDirectory } from '@latchwork/edge/journal'
import { type DevConfig, devConfig } from '../config.ts'
import { demo } from './demo.ts'
import { checkDirectory, filesOf, makeKeys, takeDirectory } from './directory.ts'
import { estateOf } from './estate-file.ts'

function folder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'latchwork-directory-'))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}

/** Of a cabinet alone; `whole`: with a server. */
const config = (data: string, ...args: string[]) => devConfig(['--alone', '--data', data, ...args], {})
const whole = (data: string, ...args: string[]) => devConfig(['--data', data, ...args], {})

/** As a start and its controller leave it. */
function used(t: TestContext, people = true): string {
	const data = folder(t)
	const files = filesOf(data)
	takeDirectory(config(data), assert.fail).close()
	demo(files.demo, 0, people)
	makeKeys(files)
	journalOf(data, 1)
	for (const name of [
		'edge.json',
		'virtual.json',
		'bundle.json',
		'lease.json',
		'reader.key',
		'edge.mark',
		'reserve.bin',
		'operator.token',
		'metal-bnk_1.json',
	])
		writeFileSync(join(data, name), name)
	mkdirSync(files.clock)
	writeFileSync(join(files.clock, 'seen-edge-999999999'), '0')
	return data
}

/** As a start with a server and its controllers leave it. */
function usedWhole(t: TestContext, people = true): string {
	const data = folder(t)
	const files = filesOf(data)
	takeDirectory(whole(data), assert.fail).close()
	estateOf(files.estate, people)
	journalOf(data, 1)
	for (const name of [
		'edge.json',
		'virtual.json',
		'wiring.json',
		'link.pem',
		'link.crt',
		'server-ca.crt',
		'site.key',
		'device.pem',
		'metal-bnk_2.json',
	])
		writeFileSync(join(data, name), name)
	mkdirSync(join(files.server, 'postgres'), { recursive: true })
	writeFileSync(files.masterKey, 'master')
	writeFileSync(join(files.server, 'postgres', 'PG_VERSION'), '17')
	mkdirSync(join(data, 'bank-2'))
	writeFileSync(join(data, 'bank-2', 'edge.json'), '{}')
	return data
}

function journalOf(data: string, version: number): void {
	const db = new DatabaseSync(join(data, 'edge.db'))
	db.exec(`CREATE TABLE IF NOT EXISTS event (seq); PRAGMA user_version=${version}`)
	db.close()
}

const contents = (data: string) =>
	Object.fromEntries(
		readdirSync(data, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'hex')]),
	)

/** Refused with these words, and not a byte of the directory is another. */
function refused(data: string, words: RegExp, ...args: string[]): void {
	refusedStart(data, words, config(data, ...args))
}

function refusedStart(data: string, words: RegExp, start: DevConfig): void {
	const before = contents(data)
	assert.throws(
		() => checkDirectory(start),
		(fault) => {
			assert.ok(isFault(fault), String(fault))
			assert.match(fault.message, words)
			return true
		},
	)
	assert.deepEqual(contents(data), before)
}

test('a directory that is new, empty, ours, or left by a start that failed may be used', (t) => {
	checkDirectory(config(join(folder(t), 'new')))
	checkDirectory(config(folder(t)))
	checkDirectory(config(used(t)))
	checkDirectory(config(used(t), '--fresh'))
	for (const data of [join(folder(t), 'new'), folder(t), usedWhole(t)]) checkDirectory(whole(data))
	checkDirectory(whole(usedWhole(t), '--fresh'))
	const begun = folder(t)
	lockDirectory(begun, 'dev').close()
	writeFileSync(join(begun, 'demo.json.new'), '{')
	checkDirectory(config(begun))
	checkDirectory(config(begun, '--fresh'))
})

test('one with somebody’s files, a file, and one that is in use may not', (t) => {
	const foreign = folder(t)
	writeFileSync(join(foreign, 'edge.json'), '{}')
	refused(foreign, /files that Latchwork did not make \(edge\.json\)/)
	refused(foreign, /--fresh would empty/, '--fresh')
	writeFileSync(join(foreign, 'demo.json'), '{}')
	refused(foreign, /--fresh would empty.*dev\.lock is missing/, '--fresh')
	assert.throws(() => checkDirectory(config(join(foreign, 'edge.json'))), /is a file/)
	const data = used(t)
	const lock = lockDirectory(data, 'dev')
	refused(data, /Another Latchwork uses/)
	lock.close()
})

test('data that a start cannot go on with is refused by name', (t) => {
	const data = used(t)
	const whole = readFileSync(join(data, 'demo.json'), 'utf8')
	const damages: [name: string, text: string | undefined, words: RegExp][] = [
		['demo.json', '', /demo\.json is damaged \(it is not whole\).*--fresh/],
		['demo.json', 'null', /demo\.json is damaged/],
		['demo.json', '{"people": []}', /demo\.json is damaged \(tenant: /],
		['demo.json', JSON.stringify({ ...JSON.parse(whole), format: 99 }), /newer Latchwork .*99/],
		['maker.pem', undefined, /maker\.pem is missing, and the journal.*--fresh/],
		['site.key', undefined, /site\.key is missing, and the journal/],
		['device.pem', undefined, /device\.pem is missing, and the journal/],
	]
	for (const [name, text, words] of damages) {
		const before = readFileSync(join(data, name))
		if (text === undefined) rmSync(join(data, name))
		else writeFileSync(join(data, name), text)
		refused(data, words)
		writeFileSync(join(data, name), before)
	}
	checkDirectory(config(data))
	journalOf(data, 99)
	refused(data, /newer Latchwork .*99/)
})

test('the data of a server that a start cannot go on with is refused by name', (t) => {
	const data = usedWhole(t)
	const files = filesOf(data)
	const text = readFileSync(files.estate, 'utf8')
	const { readers: _, ...without } = JSON.parse(text)
	const damages: [file: string, text: string | undefined, words: RegExp][] = [
		[files.estate, '', /estate\.json is damaged \(it is not whole\).*--fresh/],
		[files.estate, JSON.stringify(without), /estate\.json is damaged \(readers: /],
		[files.estate, JSON.stringify({ ...JSON.parse(text), format: 99 }), /newer Latchwork .*99/],
		[files.masterKey, undefined, /master\.key is missing, and the journal.*--fresh/],
		[files.siteKey, undefined, /site\.key is missing, and the journal/],
	]
	for (const [file, damaged, words] of damages) {
		const before = readFileSync(file)
		if (damaged === undefined) rmSync(file)
		else writeFileSync(file, damaged)
		refusedStart(data, words, whole(data))
		writeFileSync(file, before)
	}
	checkDirectory(whole(data))
	// The maker's key is the server's own: there is no such file here.
	assert.ok(!existsSync(files.makerKey))
})

test('a cabinet alone becomes none with a server, nor the other way round, without --fresh', (t) => {
	const alone = used(t)
	refusedStart(alone, /was made with --alone\. Start with --alone again/, whole(alone))
	checkDirectory(whole(alone, '--fresh'))
	const estate = usedWhole(t)
	refused(estate, /was made with a server\. Start without --alone/)
	checkDirectory(config(estate, '--fresh'))
})

test('a demo.json of before its format was numbered is one of the first format', (t) => {
	const data = used(t)
	const { format, ...older } = JSON.parse(readFileSync(join(data, 'demo.json'), 'utf8'))
	assert.equal(format, 1)
	writeFileSync(join(data, 'demo.json'), JSON.stringify(older))
	checkDirectory(config(data))
})

test('without a journal each missing key is drawn anew, and those that are there stay', (t) => {
	const data = used(t)
	const files = filesOf(data)
	rmSync(files.journal)
	const site = readFileSync(files.siteKey, 'utf8')
	rmSync(files.deviceKey)
	checkDirectory(config(data))
	makeKeys(files)
	assert.equal(readFileSync(files.siteKey, 'utf8'), site)
	assert.match(readFileSync(files.deviceKey, 'utf8'), /PRIVATE KEY/)
})

test('people are there or not as they were at first: another wish is refused and not ignored', (t) => {
	const people = used(t)
	refused(people, /--no-demo --fresh/, '--no-demo')
	checkDirectory(config(people, '--no-demo', '--fresh'))
	const nobody = used(t, false)
	refused(nobody, /Start with --no-demo again, begin anew with --fresh/)
	checkDirectory(config(nobody, '--no-demo'))
	const estate = usedWhole(t)
	refusedStart(estate, /--no-demo --fresh/, whole(estate, '--no-demo'))
	const bare = usedWhole(t, false)
	refusedStart(bare, /Start with --no-demo again/, whole(bare))
	checkDirectory(whole(bare, '--no-demo'))
})

test('a time that was moved is gone on with or refused, and goes on at its usual pace', async (t) => {
	const data = used(t)
	const { clock } = filesOf(data)
	checkDirectory(config(data))
	await advanceSharedClock(clock, 10 * 86_400_000, 0)
	refused(data, /moved 10 days ahead .*--virtual-clock .*--fresh/)
	checkDirectory(config(data, '--virtual-clock'))
	resumeClock(clock)
	const { rate } = JSON.parse(readFileSync(join(clock, 'clock.json'), 'utf8'))
	assert.equal(rate, 1)
	assert.equal(Math.round(clockAhead(clock) / 86_400_000), 10)
	assert.deepEqual(readdirSync(clock), ['clock.json'])
	writeFileSync(join(clock, 'clock.json'), '{')
	refused(data, /clock\.json is damaged/)
})

test('--fresh takes away what Latchwork made and nothing else, and says what it left', (t) => {
	const data = used(t)
	const said: string[] = []
	const fresh = () => takeDirectory(config(data, '--fresh'), (line) => void said.push(line)).close()
	fresh()
	assert.deepEqual(readdirSync(data), ['dev.lock'])
	assert.deepEqual(said, [])

	demo(filesOf(data).demo, 0, true)
	mkdirSync(join(data, 'sub'))
	writeFileSync(join(data, 'sub/notes.txt'), 'mine')
	mkdirSync(join(data, 'clock'))
	writeFileSync(join(data, 'clock/seconds.txt'), 'mine too')
	writeFileSync(join(data, 'photo.jpg'), 'mine too')
	fresh()
	assert.deepEqual(said, [`Left in ${data}, as Latchwork did not make it: clock, photo.jpg, sub.`])
	assert.ok(existsSync(join(data, 'sub/notes.txt')) && existsSync(join(data, 'clock/seconds.txt')))
	assert.ok(!existsSync(join(data, 'demo.json')))
})

test('--fresh takes the server’s folder and those of further banks as well, and nothing that looks like them', (t) => {
	const data = usedWhole(t)
	const said: string[] = []
	const fresh = () => takeDirectory(whole(data, '--fresh'), (line) => void said.push(line)).close()
	fresh()
	assert.deepEqual(readdirSync(data), ['dev.lock'])
	assert.deepEqual(said, [])

	estateOf(filesOf(data).estate, true)
	for (const name of ['servers', 'bank-two', 'my-bank-2']) {
		mkdirSync(join(data, name))
		writeFileSync(join(data, name, 'notes.txt'), 'mine')
	}
	writeFileSync(join(data, 'bank-3'), 'a file of mine')
	fresh()
	assert.deepEqual(readdirSync(data).sort(), ['bank-3', 'bank-two', 'dev.lock', 'my-bank-2', 'servers'])
	assert.match(said.join(), /Left in .*bank-two/)
})

test('--fresh takes nothing from a controller that somebody runs on the directory', (t) => {
	const data = used(t)
	const lock = lockDirectory(data, 'edge')
	assert.throws(
		() => takeDirectory(config(data, '--fresh'), assert.fail),
		(fault) => isFault(fault, 'data-in-use'),
	)
	lock.close()
	assert.ok(existsSync(join(data, 'demo.json')))
	checkDirectory(config(data))
})

test('variables that are set to nothing are not set, and an option that names nothing is refused', () => {
	const unset = devConfig([], {})
	assert.deepEqual(devConfig([], { LATCHWORK_DATA: '', LATCHWORK_PORT: '' }), unset)
	assert.notEqual(unset.data, process.cwd())
	assert.throws(() => devConfig(['--data='], {}), /--data/)
})
