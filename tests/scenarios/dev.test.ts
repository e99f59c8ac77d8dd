import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { arrive, borrow, giveBack, leave } from './hands.ts'
import { type Site, startSite, temporaryData } from './site.ts'

/** `latchwork dev` as a program: what it prints, what it keeps, and that nothing stays behind. */
const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

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
	const limit = Date.now() + 10_000
	while (pids.some(alive)) {
		assert.ok(Date.now() < limit, `still alive: ${pids.filter(alive)}`)
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
}

/** Runs a start that is meant to fail; answers its exit code and what it said. */
function refusedStart(env: Record<string, string>, ...args: string[]): Promise<{ code: number; said: string }> {
	return new Promise((resolve) => {
		const options = { env: { ...process.env, ...env }, timeout: 30_000 }
		const child = execFile(process.execPath, [CLI, 'dev', ...args], options, (error, stdout, stderr) =>
			resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr }),
		)
		child.stdin?.end()
	})
}

const pidsOf = (site: Site) => [site.ready.pids.dev, site.ready.pids.edge, site.ready.pids.virtual]

test('it prints one READY line for scripts; a second start finds a laptop on loan and the metal as it was; --fresh forgets both', async () => {
	const data = temporaryData()
	try {
		const first = await startSite({ data })
		const { kiosk, virtual, dataDir, pids, people, ...more } = first.ready
		assert.deepEqual(more, {})
		assert.match(kiosk, /^http:\/\/127\.0\.0\.1:\d+\/$/)
		assert.match(virtual, /^http:\/\/127\.0\.0\.1:\d+$/)
		assert.equal(dataDir, data)
		assert.ok(Object.values(pids).every(alive))
		assert.equal(people.length, 4)
		for (const p of people) assert.ok(p.name && /^\d+$/.test(p.badge) && /^\d{8}$/.test(p.pin), JSON.stringify(Object.keys(p)))
		const { tag } = await borrow(first, 0)
		const metal = await first.metal()
		await first.stop()
		await gone(pidsOf(first))

		const second = await startSite({ data })
		assert.deepEqual(second.ready.people, people)
		assert.deepEqual(await second.metal(), metal)
		const offered = await arrive(second, 0)
		assert.equal(offered.find((c) => c.kind === 'return')?.item?.tag, tag)
		await leave(second)
		await giveBack(second, 0)
		await second.stop()

		const third = await startSite({ data, args: ['--fresh'] })
		assert.notDeepEqual(third.ready.people, people)
		assert.ok((await third.metal()).every((d) => d.pulses === 0))
		await third.stop()
	} finally {
		rmSync(data, { recursive: true, force: true })
	}
})

test('two sites live side by side, each with its own people; --no-demo has a bank and nobody to use it', async () => {
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
		const taken = await refusedStart({ LATCHWORK_PORT: port, LATCHWORK_DATA: temporaryName() })
		assert.equal(taken.code, 1)
		assert.match(taken.said, new RegExp(`Port ${port} .*LATCHWORK_PORT`))
		const same = await refusedStart({ LATCHWORK_DATA: demo.ready.dataDir })
		assert.equal(same.code, 1)
		for (const { said } of [taken, same]) assert.ok(!/\bat .*\.ts:\d+/.test(said), said)
		assert.ok(same.said.includes(demo.ready.dataDir), same.said)
	} finally {
		await Promise.all([demo.stop(), bare.stop()])
		for (const path of unused) rmSync(path, { recursive: true, force: true })
	}
})

const unused: string[] = []
function temporaryName(): string {
	const path = temporaryData()
	unused.push(path)
	return path
}

test('a start that fails under --virtual-clock ends too, and leaves nothing running', async () => {
	const listener = createServer().listen(0, '127.0.0.1')
	await new Promise((resolve) => listener.once('listening', resolve))
	const { port } = listener.address() as { port: number }
	const data = temporaryName()
	try {
		const { code, said } = await refusedStart({ LATCHWORK_PORT: String(port), LATCHWORK_DATA: data }, '--virtual-clock')
		assert.equal(code, 1)
		assert.match(said, /taken/)
	} finally {
		listener.close()
		rmSync(data, { recursive: true, force: true })
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
