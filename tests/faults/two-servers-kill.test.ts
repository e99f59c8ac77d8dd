import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { throwawayCluster } from '@latchwork/server/testing'
import { brokerOf, eventually, freePorts, type Site, startSite } from '../scenarios/site.ts'
import { startTraffic } from './traffic.ts'

/** How often the server that has the link is killed in one run, each one in its turn; a campaign asks for more. */
const KILLS = Number(process.env.LATCHWORK_SERVER_KILLS ?? 2)
const SEED = Number(process.env.LATCHWORK_SEED ?? 20261126)
const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

interface OneOfTwo {
	pid(): number
	/** kill -9; another one in its place is started once `meanwhile` is over, so that nobody but the other can have taken the link. */
	kill(meanwhile: () => Promise<void>): Promise<void>
}

/** The one that `latchwork dev` keeps running: with dev itself held, it is not started again. */
const supervised = (site: Site): OneOfTwo => ({
	pid: site.serverPid,
	async kill(meanwhile) {
		const next = site.nextServer()
		next.catch(() => {}) // awaited below; a failure before that is the one to report
		process.kill(site.ready.pids.dev, 'SIGSTOP')
		try {
			process.kill(site.serverPid(), 'SIGKILL')
			await meanwhile()
		} finally {
			process.kill(site.ready.pids.dev, 'SIGCONT')
		}
		await next
	},
})

/** One that an operator starts beside it. */
async function beside(env: Readonly<Record<string, string>>): Promise<OneOfTwo & { stop(): Promise<void> }> {
	const data = mkdtempSync(join(tmpdir(), 'latchwork-beside-'))
	let child: ChildProcess
	const start = async () => {
		child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, 'server', '--data', data, '--child'], {
			stdio: ['pipe', 'pipe', 'inherit'],
			env: { ...process.env, ...env },
		})
		for await (const line of createInterface({ input: child.stdout ?? assert.fail() })) if (line.startsWith('SERVER ')) break
		child.stdout?.resume()
	}
	const end = async (act: () => void) => {
		const ended = child.exitCode ?? child.signalCode ?? once(child, 'close')
		act()
		await ended
	}
	await start()
	return {
		pid: () => child.pid ?? assert.fail('it runs'),
		async kill(meanwhile) {
			await end(() => child.kill('SIGKILL'))
			await meanwhile()
			await start()
		},
		async stop() {
			await end(() => child.stdin?.end())
			rmSync(data, { recursive: true, force: true })
		},
	}
}

test('kill -9 of whichever of two servers has the link, while people, staff and programs are at work: the other takes over, every event once and in order, one pulse an intent', async (t) => {
	const opened: (() => Promise<unknown>)[] = []
	// The database last.
	t.after(async () => {
		for (const close of opened.toReversed()) await close()
	})
	// It must outlive both servers, so it is none of theirs; that it syncs nothing does no harm, since it is not what dies here.
	const cluster = await throwawayCluster()
	opened.push(cluster.close)
	const { url, appUrl } = await cluster.database('empty')
	const named = (text: string) => text.replace('@/', '@localhost/')
	const shared = { DATABASE_URL: named(url), DATABASE_APP_URL: named(appUrl), LATCHWORK_MASTER_KEY: randomBytes(32).toString('hex') }
	const site = await startSite({ server: true, env: shared })
	opened.push(site.stop)
	const { server } = JSON.parse(readFileSync(join(site.ready.dataDir, 'edge.json'), 'utf8')) as { server: { https: string } }
	const port = await freePorts(1)
	// Controllers know one address: whoever has the link listens there.
	const other = await beside({ ...shared, LATCHWORK_PORT: String(port), LATCHWORK_DEVICE_PORT: new URL(server.https).port })
	opened.push(other.stop)

	const both: readonly OneOfTwo[] = [supervised(site), other]
	const owners = () => both.filter((one) => brokerOf(one.pid()) !== undefined)
	const { people, program, desk, ...traffic } = await startTraffic(site, [site.ready.api ?? '', `http://127.0.0.1:${port}`])
	for (let kill = 0; kill < KILLS; kill++) {
		const [owner, standby] = kill % 2 === 0 ? both : both.toReversed()
		assert.ok(owner && standby)
		assert.deepEqual(owners(), [owner], `before kill ${kill} the one that took over has the link, and it alone`)
		await Promise.all([program.goesOn(3), desk.goesOn(1)])
		await owner.kill(async () => {
			await eventually(
				async () => owners(),
				([now]) => now === standby,
				'the other server to take the link',
			)
			const before = traffic.opened()
			await Promise.all([
				people.goesOn(1),
				program.goesOn(1),
				eventually(
					async () => traffic.opened(),
					(now) => now > before,
					'a door that the other server opens',
				),
			])
		})
	}
	t.diagnostic(`seed ${SEED}: ${KILLS} kills of the server that has the link, taken over by the other each time; ${await traffic.settled()}`)
	assert.ok(traffic.repeated() > 0, 'the kills fell into traffic')
})
