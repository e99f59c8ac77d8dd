import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import pg from 'pg'
import { sql } from '../store/index.ts'
import { realClock, type TestStore, testCluster, testStore } from './index.ts'

describe('a store for a test', () => {
	test('is fresh each time, with all tables, and is gone when it is closed', async () => {
		const [one, two] = await Promise.all([testStore(), testStore()])
		const tables = async ({ store }: TestStore) =>
			(
				await store.system((tx) =>
					tx.rows<{ name: string }>(sql`SELECT relname AS name FROM pg_class WHERE relnamespace = 'latchwork'::regnamespace`),
				)
			).map(({ name }) => name)
		assert.ok((await tables(one)).includes('migration'))
		const owner = new pg.Client({ connectionString: one.url })
		await owner.connect()
		await owner.query('CREATE TABLE latchwork.mine (id text)')
		await owner.end()
		assert.deepEqual([(await tables(one)).includes('mine'), (await tables(two)).includes('mine')], [true, false])
		const cluster = await testCluster()
		await Promise.all([one.close(), two.close()])
		const left = await cluster.asked(`SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'`)
		assert.ok(!left.some(({ datname }) => [one, two].some(({ url }) => url.includes(`/${datname}?`))))
	})

	test('leaves no process and no folder when its test process ends, and none when that is killed', async () => {
		for (const end of ['ends', 'is killed'] as const) {
			const { child, directory, pid } = await storeInChild()
			// Of a process that has ended but is not fetched yet the program is gone.
			const program = `/proc/${pid}/exe`
			assert.ok(existsSync(directory) && existsSync(program), 'the control')
			if (end === 'ends') child.stdin?.end()
			else child.kill('SIGKILL')
			await once(child, 'exit')
			// At its own end it waits until all is gone; whoever was killed cannot, and the sweeper does it soon after.
			const isGone = () => !existsSync(directory) && !existsSync(program)
			if (end === 'ends') assert.ok(isGone())
			for (const until = realClock.mono() + 20_000; !isGone(); ) assert.ok(realClock.mono() < until, directory)
		}
	})
})

async function storeInChild(): Promise<{ child: ChildProcess; directory: string; pid: number }> {
	const code = `
		const { testCluster, testStore } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
		await testStore()
		const { directory, pid } = await testCluster()
		console.log(JSON.stringify({ directory, pid: pid() }))
		process.stdin.resume().on('end', () => process.exit())`
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code], {
		stdio: ['pipe', 'pipe', 'inherit'],
	})
	const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
	return { child, ...(JSON.parse(line) as { directory: string; pid: number }) }
}
