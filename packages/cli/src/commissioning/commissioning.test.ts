import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fromHex, isFault, seededRandom, toHex } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { BOARD_EMULATORS, osdpReaderEmulator } from '@latchwork/drivers/emulators'
import { createCabinet } from '@latchwork/drivers/testing'
import { type Attach, type EmulatedLine, listenTcp, openPty, type TransportAddress } from '@latchwork/drivers/transport'
import { lockDirectory, readJournal } from '@latchwork/edge/journal'
import { makeBank } from '../bench/bank.ts'
import { installKey } from './install-key.ts'
import { learn } from './learn.ts'
import { type Act, realAct } from './place.ts'
import { probe } from './probe.ts'

/** The tools of the cabinet, as a person runs them, against emulated hardware behind real lines. */

const PUBLISHED = fromHex('303132333435363738393a3b3c3d3e3f')
const KEY = fromHex('5d1c9e07b3a84f62d0e1738c2b96fa45')

/** Where nobody answers nothing is lost by waiting fifty times as fast. */
const HASTY: Act['clock'] = (({ clock }: Act) => ({
	...clock,
	mono: () => clock.mono() * 50,
	after: (ms: number, run: () => void) => clock.after(ms / 50, run),
}))(realAct())

function acting() {
	const said: string[] = []
	return { said, act: { ...realAct(), say: (line: string) => void said.push(line) } }
}

async function onPty(t: TestContext, attach: Attach): Promise<EmulatedLine & { path: string }> {
	const line = await openPty(attach)
	t.after(line.close)
	return { ...line, path: line.address.path }
}

/** Boards at these addresses with a cabinet each. */
function boards(addresses: readonly number[], wiring: Parameters<NonNullable<typeof BOARD_EMULATORS.kr16>>[0]['wiring'] = {}) {
	const { clock } = realAct()
	const cabinets = addresses.map(() => createCabinet({ compartments: 16, clock, random: seededRandom(4) }))
	const emulator = BOARD_EMULATORS.kr16?.({ boards: cabinets.map((cabinet, i) => ({ board: addresses[i] ?? 0, cabinet })), clock, wiring })
	return { cabinets, attach: emulator?.attach ?? assert.fail('no emulator') }
}

function reader(key?: Uint8Array) {
	const { clock } = realAct()
	return osdpReaderEmulator({ address: 1, random: clock.random, clock, enforceSecure: true, ...(key && { key }) })
}

/** A controller's folder that names these lines. */
function controller(t: TestContext, lines: { bus?: TransportAddress; reader?: TransportAddress }, change: (config: never) => void = () => {}) {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-commission-'))
	t.after(() => rmSync(folder, { recursive: true, force: true }))
	const nowhere: TransportAddress = { kind: 'tcp', host: '127.0.0.1', port: 1 }
	const bank = makeBank(folder, { people: 1, policies: 1, doors: 16, items: 1 }, 'tcp', Date.now())
	const path = bank.configure({ buses: { 'bus-1': lines.bus ?? nowhere }, reader: lines.reader ?? nowhere, floor: nowhere }, folder)
	const config = JSON.parse(readFileSync(path, 'utf8')) as { compartments: { id: string }[]; readers: { id: string }[] }
	change(config as never)
	writeFileSync(path, JSON.stringify(config))
	const events = () =>
		(existsSync(join(folder, 'edge.db')) ? (readJournal(folder).at(-1)?.lines ?? []) : [])
			.map((line) => JSON.parse(new TextDecoder().decode(line)) as StreamEvent)
			.filter(({ type }) => type === 'override.used' || type === 'reader.key-changed')
	return { folder, path, config, events, keyFile: join(folder, 'reader.key') }
}

const readKey = (path: string) => fromHex(readFileSync(path, 'utf8').trim())
const mode = (path: string) => statSync(path).mode & 0o777

test('probe names the boards that answer on a serial line, and says so when none does', async (t) => {
	const there = await onPty(t, boards([0, 3]).attach)
	const { said, act } = acting()
	assert.equal(await probe([there.path], act), true)
	assert.match(said.join('\n'), /kr16 .* at 19200 baud: boards 0, 3\n.*"boards": \[0,3\]/)
	const silent = await onPty(t, () => () => {})
	const nothing = acting()
	assert.equal(await probe([silent.path], { ...nothing.act, clock: HASTY }), false)
	assert.match(nothing.said.join('\n'), /at 19200 baud: no board\n.*9600.*\n.*38400.*\n.*115200 baud: no board\nNo lock board answers/)
})

test('probe finds a board that speaks at another speed, and names the speed', async (t) => {
	const { attach } = boards([2])
	let path = ''
	const speed = () => Number(execFileSync('stty', ['-F', path, 'speed'], { encoding: 'utf8' }))
	const line = await onPty(t, (wire) =>
		// At a wrong speed a board hears rubbish; the pty itself would carry every byte.
		attach({ write: wire.write, onData: (listener) => wire.onData((bytes) => listener(speed() === 9_600 ? bytes : bytes.map((b) => b ^ 0xb5))) }),
	)
	path = line.path
	const { said, act } = acting()
	assert.equal(await probe([path], act), true)
	assert.match(said.join('\n'), /at 19200 baud: no board\n.*at 9600 baud: boards 2\n.*"baud":9600/)
})

test('probe compares an edge.json with what answers, over TCP, and not while the controller runs', async (t) => {
	const line = await listenTcp(boards([0, 4]).attach)
	t.after(line.close)
	const { path, folder } = controller(t, { bus: line.address }, (config: { buses: { boards: number[] }[] }) => {
		for (const bus of config.buses) bus.boards = [0, 1]
	})
	const { said, act } = acting()
	assert.equal(await probe([folder], act), false, 'its folder is enough')
	assert.match(said.join('\n'), /boards 0, 4\n.*in edge\.json and silent: 1\..*\n.*not in edge\.json: 4/)
	const lock = lockDirectory(folder, 'edge')
	await assert.rejects(probe([path], act), (fault) => isFault(fault, 'data-in-use'))
	lock.close()
})

test('learn finds out how a board is wired, says what edge.json must say, and it is on record before the pulse', async (t) => {
	const { cabinets, attach } = boards([0], { polarity: 'bit1Open', statusOrder: 'highFirst' })
	const line = await onPty(t, attach)
	const { path, config, events } = controller(t, { bus: line.address })
	const before: string[] = []
	cabinets[0]?.onChange(() => before.push(...events().map(({ type }) => type)))
	const { said, act } = acting()
	assert.equal(await learn([path, 'bus-1', '0', '3'], act), false)
	assert.match(said.join('\n'), /"polarity": "bit1Open", "statusOrder": "highFirst"\nThere it is otherwise now: change polarity and statusOrder\./)
	assert.deepEqual([cabinets[0]?.pulses(3), before[0]], [1, 'override.used'])
	const [event] = events()
	assert.deepEqual(
		[event?.subject, event?.actor, event?.data],
		[config.compartments[3]?.id, 'staff', { act: 'learn-wiring', board: 0, bus: 'bus-1', channel: 3 }],
	)
	cabinets[0]?.setDoor(3, 'closed')
	const alone = acting()
	assert.equal(await learn([line.path, '0', '3'], alone.act), true)
	assert.match(alone.said.join('\n'), /recorded nowhere/)
	cabinets[0]?.setFaults(5, { stuckLock: true })
	await assert.rejects(learn([line.path, '0', '5'], act), (fault) => isFault(fault, 'not-found'))
})

test('learn opens no compartment in which something is or may be', async (t) => {
	const { cabinets, attach } = boards([0])
	const line = await listenTcp(attach)
	t.after(line.close)
	const { path, folder, config, events } = controller(t, { bus: line.address })
	await learn([path, 'bus-1', '0', '0'], acting().act)
	cabinets[0]?.setDoor(0, 'closed')
	const db = new DatabaseSync(join(folder, 'edge.db'))
	const keep = db.prepare('INSERT INTO fact (kind, key, body) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body')
	const id = config.compartments[0]?.id ?? ''
	for (const [content, refused] of [
		[{ kind: 'item', item: 'ast_1' }, true],
		[{ kind: 'unknown' }, true],
		[{ kind: 'unknown', unstocked: true }, false],
		[{ kind: 'empty' }, false],
	] as const) {
		keep.run('compartment', id, JSON.stringify({ id, content }))
		const [pulses, recorded] = [cabinets[0]?.pulses(0) ?? 0, events().length]
		const learning = learn([path, 'bus-1', '0', '0'], acting().act)
		if (refused) await assert.rejects(learning, (fault) => isFault(fault, 'request-refused'))
		else await learning
		assert.deepEqual([cabinets[0]?.pulses(0), events().length], refused ? [pulses, recorded] : [pulses + 1, recorded + 1], JSON.stringify(content))
		cabinets[0]?.setDoor(0, 'closed')
	}
	db.close()
})

test('install-key brings a key of its own into a factory-fresh reader, keeps it for this user alone, and tells nobody what it is', async (t) => {
	const emulator = reader()
	const line = await onPty(t, emulator.attach)
	const { path, keyFile, events, config } = controller(t, { reader: { ...line.address, baud: 9_600 } as TransportAddress })
	rmSync(keyFile)
	const { said, act } = acting()
	assert.equal(await installKey([path], act), true)
	assert.equal(emulator.factoryFresh(), false)
	assert.deepEqual([mode(keyFile), existsSync(`${keyFile}.new`)], [0o600, false])
	const key = readKey(keyFile)
	assert.notDeepEqual(key, PUBLISHED)
	assert.ok(!JSON.stringify([said, events()]).includes(toHex(key)))
	assert.deepEqual(
		events().map(({ type, subject, actor, data }) => [type, subject, actor, data.act ?? data.how]),
		[
			['override.used', config.readers[0]?.id, 'staff', 'reader-install-mode'],
			['reader.key-changed', config.readers[0]?.id, 'staff', 'installed'],
		],
	)
	const again = acting()
	await installKey([path], again.act)
	assert.match(again.said.join('\n'), /holds this key already/)
	assert.equal(events().length, 2, 'nothing was opened the second time')
})

test('install-key brings the key of the file into a reader that was replaced', async (t) => {
	const emulator = reader()
	const line = await listenTcp(emulator.attach)
	t.after(line.close)
	const { path, keyFile } = controller(t, { reader: line.address })
	const key = readKey(keyFile)
	await installKey([path], acting().act)
	assert.deepEqual([emulator.factoryFresh(), readKey(keyFile)], [false, key])
})

test('install-key without a controller writes the key where it is told', async (t) => {
	const emulator = reader()
	const line = await onPty(t, emulator.attach)
	const { folder } = controller(t, {})
	const { said, act } = acting()
	const file = join(folder, 'bench.key')
	await assert.rejects(installKey([line.path], act), (fault) => isFault(fault, 'config-invalid') && fault.message.includes('--key'))
	await installKey([line.path, '--key', file, '--address', '1'], act)
	assert.deepEqual([emulator.factoryFresh(), mode(file), readKey(file).length], [false, 0o600, 16])
	assert.match(said.join('\n'), /recorded nowhere/)
})

test('a reader with another key gets none, and nothing is written or recorded', async (t) => {
	const line = await listenTcp(reader(KEY).attach)
	t.after(line.close)
	const { path, keyFile, events } = controller(t, { reader: line.address })
	rmSync(keyFile)
	await assert.rejects(installKey([path], acting().act), (fault) => isFault(fault, 'reader-insecure') && fault.message.includes(keyFile))
	assert.deepEqual([existsSync(keyFile), existsSync(`${keyFile}.new`), events()], [false, false, []])
})

test('--rotate changes the key inside the secure channel, and only for a reader that holds the old one', async (t) => {
	const { path, keyFile, events, config } = controller(t, {})
	const emulator = reader(readKey(keyFile))
	const line = await onPty(t, emulator.attach)
	Object.assign(config.readers[0] ?? {}, { transport: { ...line.address, baud: 9_600 } })
	writeFileSync(path, JSON.stringify(config))
	const old = readKey(keyFile)
	await installKey([path, config.readers[0]?.id ?? '', '--rotate'], acting().act)
	assert.notDeepEqual(readKey(keyFile), old)
	assert.equal(mode(keyFile), 0o600)
	assert.deepEqual(
		events().map(({ type, data }) => [type, data.how]),
		[['reader.key-changed', 'rotated']],
	)
	await installKey([path], acting().act)
	writeFileSync(keyFile, toHex(old))
	await assert.rejects(installKey([path, '--rotate'], acting().act), (fault) => isFault(fault, 'reader-insecure'), 'the old key opens nothing now')
	assert.equal(events().length, 1)
})

test('an act that was cut off after the key was written is carried on', async (t) => {
	const { path, keyFile, events, config } = controller(t, {})
	const line = await listenTcp(reader(KEY).attach)
	t.after(line.close)
	Object.assign(config.readers[0] ?? {}, { transport: line.address })
	writeFileSync(path, JSON.stringify(config))
	writeFileSync(`${keyFile}.new`, toHex(KEY), { mode: 0o600 })
	const { said, act } = acting()
	await installKey([path, '--rotate'], act)
	assert.match(said.join('\n'), /cut off/)
	assert.deepEqual([readKey(keyFile), existsSync(`${keyFile}.new`)], [KEY, false])
	assert.equal(events().length, 1)
})

test('a reader that does not answer, a line that is not there and a place that is none are said', async (t) => {
	const act = { clock: HASTY, say: () => {} }
	const line = await listenTcp(() => () => {})
	t.after(line.close)
	const { path, keyFile, events } = controller(t, { reader: line.address })
	rmSync(keyFile)
	await assert.rejects(installKey([path], act), (fault) => isFault(fault, 'board-timeout'))
	assert.deepEqual([existsSync(`${keyFile}.new`), events()], [false, []])
	const gone = controller(t, {})
	await assert.rejects(installKey([gone.path], act), (fault) => isFault(fault, 'transport-closed') && fault.message.includes('127.0.0.1:1'))
	await assert.rejects(probe(['/dev/no-such-port'], act), (fault) => isFault(fault, 'not-found'))
	await assert.rejects(probe([], act), (fault) => isFault(fault, 'config-invalid'))
	await assert.rejects(learn([gone.path, 'bus-9', '0', '0'], act), (fault) => isFault(fault, 'not-found') && fault.message.includes('bus-1'))
})
