import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { newId } from '@latchwork/core/base'
import { kioskView } from '@latchwork/core/wire'
import { BOARD_EMULATORS } from '@latchwork/drivers/emulators'
import { createCabinet } from '@latchwork/drivers/testing'
import { openPty } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'
import { bundleEdge } from '../../packages/cli/src/bundle/edge.ts'
import type { EdgeBundle } from '../../packages/cli/src/bundle/folder.ts'
import { startSite, temporaryData, watch } from './site.ts'

/** The controller as it is shipped: one program, byte-identical when built twice, at work in a folder that holds nothing else. */
describe('the controller as it is shipped', () => {
	const REPOSITORY = join(import.meta.dirname, '../..')
	let folder: string
	let sources: string
	let shipped: EdgeBundle

	/** An installation, nowhere near this repository and its `node_modules`. */
	const installed = () => join(folder, 'installed')

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'latchwork-shipped-'))
		sources = copyOfSources(REPOSITORY, 'sources')
		shipped = await bundleEdge({ root: sources, out: join(folder, 'built') })
		cpSync(join(folder, 'built'), installed(), { recursive: true })
	})
	after(() => rmSync(folder, { recursive: true, force: true }))

	test('built twice, in two places, it is the same to the byte; one changed letter of a source changes it', async () => {
		const elsewhere = copyOfSources(sources, 'another-place')
		const second = await bundleEdge({ root: elsewhere, out: join(folder, 'second') })
		assert.equal(second.digest, shipped.digest)
		assert.deepEqual(readdirSync(join(folder, 'second'), { recursive: true }).sort(), readdirSync(installed(), { recursive: true }).sort())

		const source = join(elsewhere, 'packages/edge/src/main.ts')
		const text = readFileSync(source, 'utf8')
		const changed = text.replace('Name the configuration', 'name the configuration')
		assert.notEqual(changed, text)
		writeFileSync(source, changed)
		const third = await bundleEdge({ root: elsewhere, out: join(folder, 'second') })
		assert.notEqual(third.digest, shipped.digest)
	})

	test('a bundle that cannot be made leaves the one before as it was', async () => {
		const out = join(folder, 'kept')
		cpSync(installed(), out, { recursive: true })
		writeFileSync(join(out, 'edge.json'), '{}')
		const before = readdirSync(out, { recursive: true }).sort()
		await assert.rejects(bundleEdge({ root: sources, out, platform: 'abacus-9' }), /--platform/)
		assert.deepEqual(readdirSync(out, { recursive: true }).sort(), before)
	})

	test('what only a controller with a server needs lies in a file of its own, and costs the others no memory', () => {
		const speaksMqtt = (name: string) => readFileSync(join(installed(), name), 'utf8').includes('MqttClient')
		assert.deepEqual(['controller.js', 'server-door.js'].map(speaksMqtt), [false, true])
	})

	test('an old Node is told which one is needed', () => {
		// The entry is read as an old Node would, which knows no more of it than its first lines.
		const entry = readFileSync(join(installed(), 'latchwork-edge.js'), 'utf8')
		assert.doesNotMatch(entry, /^import\b|\?\?|\?\./m)
		const old = entry.replaceAll('process.versions.node', "'20.20.2'")
		writeFileSync(join(installed(), 'old.mjs'), old)
		const { status, stderr } = spawnSync(process.execPath, [join(installed(), 'old.mjs')], { encoding: 'utf8' })
		rmSync(join(installed(), 'old.mjs'))
		assert.equal(status, 1)
		assert.match(stderr, /^Latchwork needs Node 24 or newer, and this is .*\n$/)
	})

	test('it tells nothing about where it was built, names the licenses of all that is in it, and is small', () => {
		for (const { path } of shipped.files) {
			const text = readFileSync(join(installed(), path), 'latin1')
			for (const place of [folder, REPOSITORY]) assert.ok(!text.includes(place), `${path} names ${basename(place)}`)
		}
		const licenses = readFileSync(join(installed(), 'THIRD-PARTY-LICENSES.txt'), 'utf8')
		for (const name of ['@cedar-policy/cedar-wasm', '@serialport/bindings-cpp', 'fastify', 'react', 'react-dom', 'scheduler', 'zod']) {
			assert.match(licenses, new RegExp(`^${name} \\d`, 'm'), name)
		}
		assert.ok(!licenses.includes('@latchwork/'))
		assert.ok(shipped.bytes <= 15_000_000, `${shipped.bytes} bytes`)
	})

	test('installed in an empty folder, it turns a badge tap into one pulse and a laptop on loan', async () => {
		const data = temporaryData()
		const site = await startSite({ data, args: ['--edge', join(installed(), 'latchwork-edge.js')] })
		try {
			const running = readFileSync(`/proc/${site.ready.pids.edge}/cmdline`, 'utf8').split('\0')
			assert.ok(running.includes(join(installed(), 'latchwork-edge.js')), running.join(' '))
			assert.match(await (await fetch(site.ready.kiosk)).text(), /<script type="module"/)

			const before = await site.metal()
			await site.badge(site.ready.people[0]?.badge ?? '')
			const { choices } = await site.screen('choose')
			await site.act({ kind: 'choose', id: choices.find((c) => c.kind === 'borrow')?.id ?? '' })
			const { door } = await site.screen('open')
			const moved = (await site.metal()).filter((d) => d.pulses !== before.find((b) => b.number === d.number)?.pulses)
			assert.deepEqual(
				moved.map((d) => [d.number, d.pulses]),
				[[door.number, 1]],
			)
			await site.item(door.number, false)
			await site.until((v) => v.screen.name === 'open' && v.screen.contentChanged, 'the taken laptop')
			await site.door(door.number, 'closed')
			assert.equal((await site.screen('done')).evidence, 3)
		} finally {
			const { code, output } = await site.stop()
			rmSync(data, { recursive: true, force: true })
			assert.equal(code, 0, output)
		}
	})

	test('its serial add-on goes along: a lock board behind a terminal line comes up', async () => {
		const random = (n: number) => new Uint8Array(randomBytes(n))
		const cabinet = createCabinet({ compartments: 16, clock: systemClock, random })
		const emulate = BOARD_EMULATORS.kr16 ?? assert.fail('no emulator')
		const line = await openPty(emulate({ boards: [{ board: 0, cabinet }], clock: { ...systemClock, random } }).attach)
		const data = temporaryData()
		const edge = runEdge(data, line.address)
		try {
			const url = await edge.url
			// The screen is told of every change, so nobody asks again and again.
			await watch(
				`${url}api/screen`,
				(text) => kioskView.parse(JSON.parse(text)),
				(v) => !v.notices.includes('doors-lost'),
				'the board',
			)
			const { boards } = (await (await fetch(`${url}health`)).json()) as { boards: { up: boolean }[] }
			assert.deepEqual(
				boards.map(({ up }) => up),
				[true],
			)
		} finally {
			edge.child.stdin?.end()
			await edge.ended
			await line.close()
			rmSync(data, { recursive: true, force: true })
		}
	})

	/** Runs the installed program itself, as a service manager does, with one board on that line and nothing else. */
	function runEdge(data: string, transport: object): { child: ChildProcess; url: Promise<string>; ended: Promise<void> } {
		const id = newId('compartment', 0, randomBytes)
		writeFileSync(join(data, 'site.key'), randomBytes(32).toString('hex'))
		writeFileSync(join(data, 'device.pem'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
		const config = {
			controller: newId('controller', 0, randomBytes),
			bank: newId('bank', 0, randomBytes),
			port: 0,
			web: join(installed(), 'kiosk'),
			bundle: 'bundle.json',
			lease: 'lease.json',
			makers: [{ keyId: 'nobody', publicKey: '00'.repeat(32) }],
			siteKey: 'site.key',
			deviceKey: 'device.pem',
			buses: [{ id: 'bus-1', family: 'kr16', product: 'CU16', transport, boards: [0] }],
			readers: [],
			compartments: [{ id, bus: 'bus-1', board: 0, channel: 0 }],
		}
		writeFileSync(join(data, 'edge.json'), JSON.stringify(config))
		const child = spawn(process.execPath, ['latchwork-edge.js', join(data, 'edge.json'), '--child'], {
			cwd: installed(),
			stdio: ['pipe', 'pipe', 'inherit'],
		})
		const url = new Promise<string>((resolve, reject) => {
			createInterface({ input: child.stdout }).on(
				'line',
				(line) => line.startsWith('EDGE ') && resolve((JSON.parse(line.slice(5)) as { url: string }).url),
			)
			child.once('exit', () => reject(new Error('the controller ended before it was ready')))
		})
		const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
		return { child, url, ended }
	}

	/** Sources as they are now (somebody may be writing), with links to what they import from outside. */
	function copyOfSources(from: string, name: string): string {
		const to = join(folder, name)
		const own = (path: string) => !['node_modules', 'dist'].includes(basename(path))
		cpSync(join(from, 'packages'), join(to, 'packages'), { recursive: true, filter: own })
		for (const file of ['LICENSE', 'NOTICE', 'package.json', 'tsconfig.json']) cpSync(join(from, file), join(to, file))
		const modules = join(REPOSITORY, 'node_modules')
		mkdirSync(join(to, 'node_modules/@latchwork'), { recursive: true })
		for (const one of readdirSync(modules)) {
			if (one !== '@latchwork') symlinkSync(join(modules, one), join(to, 'node_modules', one))
		}
		for (const one of readdirSync(join(to, 'packages'))) symlinkSync(join(to, 'packages', one), join(to, 'node_modules/@latchwork', one))
		return to
	}
})
