import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { arrive, borrow, giveBack, leave, move } from './hands.ts'
import { freePorts, type Site, startSite, temporaryData } from './site.ts'

/** `latchwork dev` as a program: what it prints, what it keeps, and that nothing stays behind. */
const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

const byTag = (a: { tag: string }, b: { tag: string }) => a.tag.localeCompare(b.tag)

const alive = (pid: number): boolean => {
	try {
		process.kill(pid, 0)
		return true
	} catch {
		return false
	}
}

/** Resolves when none of these processes lives any more. */
async function gone(pids: readonly number[]): Promise<void> {
	const limit = Date.now() + 30_000
	while (pids.some(alive)) {
		assert.ok(Date.now() < limit, `still alive: ${pids.filter(alive)}`)
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
}

/** Runs a start that is meant to fail; answers its exit code and what it said. */
function refusedStart(env: Record<string, string>, ...args: string[]): Promise<{ code: number; said: string }> {
	return new Promise((resolve) => {
		const options = { env: { ...process.env, ...env }, timeout: 30_000 }
		const child = execFile(process.execPath, [CLI, 'dev', '--alone', ...args], options, (error, stdout, stderr) =>
			resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr }),
		)
		child.stdin?.end()
	})
}

const pidsOf = ({ ready: { pids } }: Pick<Site, 'ready'>): number[] => Object.values(pids).flat()

test('it prints one READY line for scripts; a second start finds a laptop on loan and the metal as it was; --fresh forgets both', async () => {
	const data = temporaryData()
	try {
		const first = await startSite({ data })
		const { kiosk, virtual, dataDir, pids, people, parcels, ...more } = first.ready
		assert.deepEqual(more, {}, 'what comes with a server is not there without one')
		assert.deepEqual(parcels.map(({ expected }) => expected).sort(), [false, true])
		assert.match(kiosk, /^http:\/\/127\.0\.0\.1:\d+\/$/)
		assert.match(virtual, /^http:\/\/127\.0\.0\.1:\d+$/)
		assert.equal(dataDir, data)
		assert.ok(Object.values(pids).flat().every(alive))
		assert.equal(people.length, 4)
		for (const p of people) assert.ok(p.name && /^\d+$/.test(p.badge) && /^\d{8}$/.test(p.pin), JSON.stringify(Object.keys(p)))
		const { tag } = await borrow(first, 0)
		const waits = parcels.find((p) => !p.expected) ?? assert.fail('no parcel waits')
		await first.keypad(waits.code)
		const { door } = await first.screen('open')
		assert.equal(waits.door, door.number)
		await move(first, door.number, false)
		await first.door(door.number, 'closed')
		await first.screen('done')
		await leave(first)
		const metal = await first.metal()
		await first.stop()
		await gone(pidsOf(first))

		const second = await startSite({ data })
		assert.deepEqual(second.ready.people, people)
		assert.deepEqual(await second.metal(), metal)
		const { door: _, ...taken } = waits
		const expected = parcels.filter((p) => p.expected)
		assert.deepEqual(second.ready.parcels.toSorted(byTag), [taken, ...expected].toSorted(byTag), 'nobody waits for what was collected')
		const offered = await arrive(second, 0)
		assert.equal(offered.find((c) => c.kind === 'return')?.item?.tag, tag)
		await leave(second)
		await giveBack(second, 0)
		const { output } = await second.stop()
		assert.deepEqual(
			output.match(/Order \d+(?= +code)/g),
			expected.map(({ order }) => order),
			'nor is its code offered',
		)

		const third = await startSite({ data, args: ['--fresh'] })
		assert.notDeepEqual(third.ready.people, people)
		assert.ok((await third.metal()).every((d) => d.pulses === 0))
		await third.stop()
	} finally {
		rmSync(data, { recursive: true, force: true })
	}
})

test('with a server, READY says where console and API are; a second start goes on with the loan on record; --fresh forgets it; nothing stays behind', async () => {
	const data = temporaryData()
	const loans = async (site: Site) => (await site.api<{ items: { state: string }[] }>('GET', '/v1/cases?workflow=loan&open=true')).items
	const gives = async (url: string | undefined) => (await fetch(url ?? assert.fail('READY does not say where'))).status
	try {
		const first = await startSite({ data, server: true })
		const { console: pages, api, openapi, token, admin, banks, pids, people } = first.ready
		assert.deepEqual([await gives(pages), await gives(openapi), await gives(`${api}/v1/me`)], [200, 200, 401])
		await first.api('GET', '/v1/me')
		const signIn = { method: 'POST', headers: { 'content-type': 'application/json' } }
		assert.equal((await fetch(`${api}/v1/sign-ins`, { ...signIn, body: JSON.stringify({ ...admin, password: 'another' }) })).status, 401)
		assert.ok((await fetch(`${api}/v1/sign-ins`, { ...signIn, body: JSON.stringify(admin) })).ok)
		assert.equal(new Set(banks?.map(({ site }) => site)).size, 2)
		assert.equal(new Set(pidsOf(first)).size, 7, 'dev, server, broker, database, hardware and two controllers')
		assert.ok(pidsOf(first).every(alive) && pids.broker && pids.database)
		await borrow(first, 0)
		while ((await loans(first))[0]?.state !== 'on-loan') await new Promise((resolve) => setTimeout(resolve, 50))
		assert.equal((await first.stop()).code, 0)
		await gone(pidsOf(first))

		const second = await startSite({ data, server: true })
		assert.deepEqual([second.ready.people, second.ready.token, second.ready.admin], [people, token, admin])
		assert.deepEqual(
			(await loans(second)).map(({ state }) => state),
			['on-loan'],
		)
		process.kill(second.ready.pids.dev, 'SIGTERM')
		await gone(pidsOf(second))
		assert.equal((await second.stop()).code, 0)

		const third = await startSite({ data, server: true, args: ['--fresh'] })
		assert.notEqual(third.ready.token, token)
		assert.deepEqual(await loans(third), [])
		process.kill(third.ready.pids.dev, 'SIGKILL')
		await gone(pidsOf(third))
		await third.stop()
	} finally {
		rmSync(data, { recursive: true, force: true })
	}
})

test('two sites live side by side, each with its own people; --no-demo has a bank and nobody to use it', async (t) => {
	const [demo, bare] = await Promise.all([startSite(), startSite({ args: ['--no-demo'] })])
	try {
		assert.notEqual(demo.ready.kiosk, bare.ready.kiosk)
		assert.deepEqual(bare.ready.people, [])
		assert.equal((await bare.metal()).length, 24)
		assert.ok((await bare.metal()).every((d) => !d.item))
		await bare.badge(demo.ready.people[0]?.badge ?? '')
		assert.equal((await bare.screen('denied')).reason, 'unknown-credential')
		await arrive(demo, 0)

		const { port } = new URL(demo.ready.kiosk)
		const taken = await refusedStart({ LATCHWORK_PORT: port, LATCHWORK_DATA: folder(t) })
		assert.equal(taken.code, 1)
		assert.match(taken.said, new RegExp(`Port ${port} .*LATCHWORK_PORT`))
		const same = await refusedStart({ LATCHWORK_DATA: demo.ready.dataDir })
		assert.equal(same.code, 1)
		for (const { said } of [taken, same]) assert.ok(!/\bat .*\.ts:\d+/.test(said), said)
		assert.ok(same.said.includes(demo.ready.dataDir), same.said)
	} finally {
		await Promise.all([demo.stop(), bare.stop()])
	}
})

test('a start that fails under --virtual-clock ends too, and leaves nothing running', async (t) => {
	const listener = createServer().listen(0, '127.0.0.1')
	await new Promise((resolve) => listener.once('listening', resolve))
	const { port } = listener.address() as { port: number }
	const data = folder(t)
	try {
		const { code, said } = await refusedStart({ LATCHWORK_PORT: String(port), LATCHWORK_DATA: data }, '--virtual-clock')
		assert.equal(code, 1)
		assert.match(said, /taken/)
	} finally {
		listener.close()
	}
})

test('Ctrl-C reaches the whole group and stops everything in order; a killed parent takes its children along', async () => {
	const [asked, killed] = await Promise.all([startSite(), startSite()])
	for (const pid of pidsOf(asked)) process.kill(pid, 'SIGINT')
	process.kill(killed.ready.pids.dev, 'SIGKILL')
	await gone([...pidsOf(asked), ...pidsOf(killed)])
	assert.equal((await asked.stop()).code, 0)
	assert.equal((await killed.stop()).code, null)
})

/** A folder that is removed with the test. */
function folder(t: TestContext): string {
	const path = temporaryData()
	t.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}

/** A start that its harness ends as soon as it is ready. */
async function accepted(data: string): Promise<void> {
	const { code, said } = await refusedStart({ LATCHWORK_DATA: data, LATCHWORK_PORT: String(await freePorts(2)) })
	assert.equal(code, 0, said)
	assert.match(said, /^LATCHWORK READY /m)
}

async function refused(data: string, words: RegExp, ...args: string[]): Promise<string> {
	const { code, said } = await refusedStart({ LATCHWORK_DATA: data }, ...args)
	assert.equal(code, 1, said)
	assert.match(said, words)
	assert.doesNotMatch(said, /^\s+at |Error:|node:internal/m)
	return said
}

test('a first start that fails leaves nothing behind, and what an older one left stands in nobody’s way', async (t) => {
	const listener = createServer().listen(0, '127.0.0.1')
	await new Promise((resolve) => listener.once('listening', resolve))
	const { port } = listener.address() as { port: number }
	const data = join(folder(t), 'new')
	const taken = await refusedStart({ LATCHWORK_PORT: String(port), LATCHWORK_DATA: data }).finally(() => listener.close())
	assert.match(taken.said, /taken/)
	assert.equal(existsSync(data), false)
	mkdirSync(data)
	writeFileSync(join(data, 'dev.lock'), '')
	writeFileSync(join(data, 'demo.json.new'), '{')
	await accepted(data)
})

test('a directory whose time was moved goes on in that time or not at all, and at its usual pace', async (t) => {
	const data = folder(t)
	const moved = await startSite({ data, args: ['--virtual-clock'] })
	await moved.advance(10 * 86_400)
	await moved.freeze()
	await moved.stop()
	await refused(data, /moved 10 days ahead .*--virtual-clock .*--fresh/)
	const again = await startSite({ data, args: ['--virtual-clock'] })
	try {
		const clock = async () => ((await (await fetch(`${again.ready.virtual}/state`)).json()) as { clock: { now: number } }).clock.now
		const from = await clock()
		assert.ok(from > Date.now() + 9 * 86_400_000)
		while ((await clock()) === from);
		await borrow(again, 0)
	} finally {
		await again.stop()
	}
})

/** `npm start`, or the program itself, with that standard input; resolves when it is ready, rejects when all of it has ended before. */
async function started(t: TestContext, command: readonly string[], stdin: 'ignore' | 'pipe') {
	const [file = '', ...args] = command
	const env = { ...process.env, LATCHWORK_DATA: folder(t), LATCHWORK_PORT: String(await freePorts(5)) }
	const child = spawn(file, args, { cwd: join(import.meta.dirname, '../..'), env, stdio: [stdin, 'pipe', 'inherit'] })
	const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
	const ready = await new Promise<Site['ready']>((resolve, reject) => {
		createInterface({ input: child.stdout ?? assert.fail() }).on('line', (line) => {
			if (line.startsWith('LATCHWORK READY ')) resolve(JSON.parse(line.slice(16)))
		})
		child.once('close', () => reject(new Error('it ended before it was ready')))
	})
	return { child, ready, ended, pids: Object.values(ready.pids).flat() }
}

test('with /dev/null as its input, as under a service manager, it stays until it is told to stop', async (t) => {
	const { child, ready, ended, pids } = await started(t, [process.execPath, CLI, 'dev', '--alone'], 'ignore')
	const online = async () => {
		const health = (await (await fetch(`${ready.kiosk}health`)).json()) as { readers: { online: boolean }[] }
		return health.readers.every((r) => r.online)
	}
	while (!(await online())) await new Promise((resolve) => setTimeout(resolve, 20))
	assert.ok(pids.every(alive))
	child.kill('SIGTERM')
	assert.equal(await ended, 0)
	await gone(pids)
})

test('npm takes along what it started, asked or killed, while its input stays open', async (t) => {
	const [asked, killed] = await Promise.all([
		started(t, ['npm', 'start', '--', '--alone'], 'pipe'),
		started(t, ['npm', 'start', '--', '--alone'], 'pipe'),
	])
	asked.child.kill('SIGTERM')
	killed.child.kill('SIGKILL')
	await gone([...asked.pids, ...killed.pids])
})

test('when the virtual bank dies all ends, with a reason', async () => {
	const site = await startSite()
	process.kill(site.ready.pids.virtual, 'SIGKILL')
	await gone(pidsOf(site))
	const { code, output } = await site.stop()
	assert.equal(code, 1)
	assert.match(output, /The virtual bank ended/)
})

test('what a controller says that does not start is said once', async (t) => {
	const data = folder(t)
	const edge = join(folder(t), 'edge.mjs')
	writeFileSync(edge, 'console.error("no luck today"); process.exit(1)')
	assert.equal((await refused(data, /no luck today/, '--edge', edge)).split('no luck today').length, 2)
})
