import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
	chmodSync,
	chownSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import pg from 'pg'
import { realClock } from '../testing/index.ts'
import { findBinaries } from './binaries.ts'
import { type Embedded, type EmbeddedConfig, openStore, type Store, sql, startEmbedded } from './index.ts'
import { takePlace } from './place.ts'
import { processesIn } from './postmaster.ts'

const isRoot = process.getuid?.() === 0
const mounted = new Set<string>()
/** False where mounting is forbidden, as in some containers even to root. */
function mountSmall(folder: string, size: string): boolean {
	if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', folder]).status !== 0) return false
	mounted.add(folder)
	return true
}

describe('the embedded PostgreSQL', () => {
	test('is made once, keeps its rows over a restart, and leaves no process when it is stopped', async (t) => {
		const { start, data, said } = emptyPlace(t)
		const first = await start()
		await asked(first.url, 'CREATE TABLE kept AS SELECT 42 AS n')
		assert.ok(processesIn(data).length > 0, 'the control: processes are found while it runs')
		assert.equal(await asked(first.url, 'SHOW fsync').then((rows) => rows[0]?.fsync), 'on')
		await first.stop()
		assert.equal(await first.ended, undefined)
		assert.deepEqual(processesIn(data), [])
		const second = await start()
		assert.deepEqual(await asked(second.url, 'SELECT n FROM kept'), [{ n: 42 }])
		assert.equal(second.url, first.url)
		await second.stop()
		assert.deepEqual(
			said.filter((line) => /left running|unasked/.test(line)),
			[],
		)
	})

	test('lets nobody in but who knows the password, over a socket that only its user may reach, and listens on no port', async (t) => {
		const { start, directory } = await place(t)
		const embedded = await start()
		for (const url of [embedded.url, embedded.appUrl])
			await assert.rejects(asked(url.replace(/:[0-9a-f]{64}@/, `:${'0'.repeat(64)}@`), 'SELECT 1'), (e) => (e as { code?: string }).code === '28P01')
		await assert.rejects(asked(embedded.url.replace(/:[0-9a-f]{64}@/, '@'), 'SELECT 1'))
		assert.equal(await asked(embedded.url, 'SHOW listen_addresses').then((rows) => rows[0]?.listen_addresses), '')
		assert.equal(statSync(directory).mode & 0o066, 0)
		for (const path of ['data', 'run', 'password']) assert.equal(statSync(join(directory, path)).mode & 0o077, 0, path)
		assert.match(readFileSync(join(directory, 'data/pg_hba.conf'), 'utf8').replace(/^#.*$/gm, ''), /scram-sha-256/)
		assert.doesNotMatch(readFileSync(join(directory, 'data/pg_hba.conf'), 'utf8').replace(/^#.*$/gm, ''), /trust|peer|md5/)
	})

	test('is started again when its postmaster is killed: the store says that the database is away, and goes on by itself', async (t) => {
		const { start, said } = await place(t)
		const embedded = await start()
		await using store = openedStore(embedded.url)
		await asked(embedded.url, 'CREATE ROLE latchwork_system')
		const pid = embedded.pid()
		await assert.rejects(
			store.system(async (tx) => {
				process.kill(pid, 'SIGKILL')
				for (;;) await tx.rows(sql`SELECT pg_sleep(0.01)`)
			}),
			(e) => isFault(e, 'database-unavailable'),
		)
		await until(() => store.system((tx) => tx.rows(sql`SELECT 1 AS one`)))
		assert.notEqual(embedded.pid(), pid)
		assert.ok(said.includes('The embedded PostgreSQL ended unasked and is started again.'))
	})

	test('ends when the process that started it is killed, and the next start finds all that was saved', async (t) => {
		const { config, start, directory, data } = await place(t)
		const { child, url } = await startInChild(directory)
		await asked(url, 'CREATE TABLE saved AS SELECT 7 AS n')
		child.kill('SIGKILL')
		await once(child, 'exit')
		const { clock } = config
		for (const until = clock.mono() + 20_000; processesIn(data).length > 0; ) assert.ok(clock.mono() < until, 'PostgreSQL outlives its parent')
		const next = await start()
		assert.deepEqual(await asked(next.url, 'SELECT n FROM saved'), [{ n: 7 }])
	})

	test('whose guard was killed as well is ended by the next start, which finds all that was saved', async (t) => {
		const { start, directory, data, said } = await place(t)
		const { child, url, pid } = await startInChild(directory)
		await asked(url, 'CREATE TABLE saved AS SELECT 7 AS n')
		// Stopped first, so that it cannot see its guard die and act on it.
		child.kill('SIGSTOP')
		const guards = guardsOf(data)
		assert.equal(guards.length, 2)
		for (const guard of guards) process.kill(guard, 'SIGKILL')
		child.kill('SIGKILL')
		await once(child, 'exit')
		assert.ok(processesIn(data).includes(pid), 'the control: it has outlived all who could end it')
		const next = await start()
		assert.deepEqual(await asked(next.url, 'SELECT n FROM saved'), [{ n: 7 }])
		assert.notEqual(next.pid(), pid)
		assert.match(said.join('\n'), new RegExp(`left running.*\\b${pid}\\b`))
	})

	test('starts over a postmaster.pid and sockets that a power cut left, even when the number is that of a living process', async (t) => {
		const { start, data, directory } = await place(t)
		writeFileSync(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1700000000\n5432\n${join(directory, 'run')}\n\n  0  0\nready\n`)
		writeFileSync(join(directory, 'run/.s.PGSQL.5432.lock'), `${process.pid}\n${data}\n1700000000\n5432\n${join(directory, 'run')}\n`)
		const next = await start()
		assert.deepEqual(await asked(next.url, 'SELECT 1 AS one'), [{ one: 1 }])
		await next.stop()
	})

	test('that was made by half is made anew', async (t) => {
		const { start, data } = emptyPlace(t)
		mkdirSync(data, { recursive: true })
		writeFileSync(join(data, 'PG_VERSION'), '18\n')
		const embedded = await start()
		assert.deepEqual(await asked(embedded.url, 'SELECT 1 AS one'), [{ one: 1 }])
		await embedded.stop()
	})

	test('serves one process at a time: the second is told who is in its way, and the first is not disturbed', async (t) => {
		const { start } = await place(t)
		const embedded = await start()
		await assert.rejects(start(), (e) => isFault(e, 'data-in-use'))
		assert.deepEqual(await asked(embedded.url, 'SELECT 1 AS one'), [{ one: 1 }])
	})

	test('refuses data of another major version and touches nothing', async (t) => {
		const { start, data } = await place(t)
		for (const [version, code] of [
			['19', 'data-newer'],
			['17', 'migration-failed'],
		] as const) {
			writeFileSync(join(data, 'PG_VERSION'), `${version}\n`)
			await assert.rejects(start(), (e) => isFault(e, code) && e.message.includes(version))
		}
		writeFileSync(join(data, 'PG_VERSION'), '18\n')
		await (await start()).stop()
	})

	test('keeps its socket elsewhere when the path is too long for one', async (t) => {
		const { start, data } = await place(t, { below: 'x'.repeat(110) })
		const embedded = await start()
		assert.deepEqual(await asked(embedded.url, 'SELECT 1 AS one'), [{ one: 1 }])
		const sockets = new URL(embedded.url.replace('@/', '@x/')).searchParams.get('host') ?? ''
		assert.ok(sockets.length < 90 && existsSync(sockets))
		await embedded.stop()
		assert.ok(!existsSync(sockets))
		assert.deepEqual(processesIn(data), [])
	})

	test('of root runs as a user that may do nothing else, below a home that this user may not enter', {
		skip: !isRoot && 'only root drops its rights',
	}, async (t) => {
		const { start, data, directory } = emptyPlace(t, { below: 'home/latchwork' })
		const home = join(directory, '..')
		mkdirSync(home, { recursive: true })
		chmodSync(home, 0o700)
		const embedded = await start()
		assert.match(readFileSync(`/proc/${embedded.pid()}/status`, 'utf8'), /^Uid:\t65534\t65534\t65534\t65534$/m)
		assert.match(readFileSync(`/proc/${embedded.pid()}/status`, 'utf8'), /^Groups:\s*$/m)
		assert.equal(statSync(data).uid, 65_534)
		// Root follows no link that this user could have put there.
		assert.equal(statSync(directory).uid, 0)
		assert.equal(statSync(directory).mode & 0o022, 0)
		assert.equal(statSync(home).uid, 0)
		assert.equal(statSync(home).mode & 0o777, 0o700)
		await asked(embedded.url, 'CREATE TABLE kept AS SELECT 1 AS one')
		await embedded.stop()
		const again = await start()
		assert.deepEqual(await asked(again.url, 'SELECT * FROM kept'), [{ one: 1 }])
		await again.stop()
	})

	test('of an ordinary user is not taken over by root', { skip: !isRoot && 'only root can try' }, async (t) => {
		const { start, data } = await place(t)
		chownSync(data, 1_000, 1_000)
		await assert.rejects(start(), (e) => isFault(e, 'config-invalid') && e.message.includes('1000'))
		assert.equal(statSync(data).uid, 1_000)
	})

	test('of root is copied beside the data when its user cannot run what is installed', { skip: !isRoot && 'only root drops its rights' }, (t) => {
		const { root, directory } = emptyPlace(t)
		const { runner } = takePlace(directory)
		const installed = join(root, 'home/native')
		mkdirSync(dirname(installed), { mode: 0o700 })
		cpSync(findBinaries({ root: directory, runner: {} }), installed, { recursive: true, verbatimSymlinks: true })
		const found = findBinaries({ root: directory, runner }, installed)
		assert.equal(found, join(directory, 'native-18'))
		assert.equal(findBinaries({ root: directory, runner }, installed), found, 'copied once')
		chmodSync(dirname(installed), 0o755)
		assert.equal(findBinaries({ root: directory, runner }, installed), installed, 'the control: it is used where it can be')
	})

	test('its processes get none of the secrets in our environment', async (t) => {
		const { directory } = await place(t)
		const { child, pid } = await startInChild(directory, { LATCHWORK_MASTER_KEY: 'not for others' })
		assert.ok(readFileSync(`/proc/${child.pid}/environ`, 'utf8').includes('not for others'), 'the control')
		assert.ok(!readFileSync(`/proc/${pid}/environ`, 'utf8').includes('not for others'))
		child.stdin?.end()
		await once(child, 'exit')
	})

	test('on a disk that is full says so: when it is made, and when it writes; with room again it goes on', async (t) => {
		const tiny = emptyPlace(t)
		if (!mountSmall(tiny.root, '12m')) return t.skip('this machine lets nobody make a small file system')
		await assert.rejects(tiny.start(), (e) => isFault(e, 'database-full'))
		const small = emptyPlace(t)
		mountSmall(small.root, '110m')
		const embedded = await small.start()
		await using store = openedStore(embedded.url)
		await asked(
			embedded.url,
			'CREATE ROLE latchwork_system BYPASSRLS; CREATE TABLE filled (bytes bytea); ALTER TABLE filled OWNER TO latchwork_system',
		)
		await asked(embedded.url, 'ALTER TABLE filled ALTER bytes SET STORAGE EXTERNAL')
		writeFileSync(join(small.root, 'ballast'), new Uint8Array(50_000_000))
		const fill = () => store.system((tx) => tx.run(sql`INSERT INTO filled SELECT decode(repeat('00', 100000), 'hex') FROM generate_series(1, 400)`))
		await assert.rejects(fill(), (e) => isFault(e, 'database-full') || isFault(e, 'database-unavailable'))
		rmSync(join(small.root, 'ballast'))
		assert.equal(await until(() => store.system((tx) => tx.first<{ n: number }>(sql`SELECT count(*) AS n FROM filled`))).then((row) => row?.n), 0)
	})

	test('a place where nothing can be made is refused in the words of whoever chose it', async (t) => {
		const { directory, config } = emptyPlace(t)
		writeFileSync(directory, 'a file')
		await assert.rejects(
			startEmbedded({ ...config, directory: join(directory, 'below') }),
			(e) => isFault(e, 'config-invalid') && e.message.includes(directory) && e.message.includes('LATCHWORK_DATA'),
		)
	})
})

/** Made by the first who needs one; the others copy it, as making takes a second and more. */
let model: Promise<string> | undefined
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

async function makeModel(t: TestContext): Promise<string> {
	const { start, directory } = emptyPlace(t, { kept: true })
	await (await start()).stop()
	return directory
}

async function place(t: TestContext, { below = 'pg' } = {}) {
	model ??= makeModel(t)
	const from = await model
	const made = emptyPlace(t, { below })
	mkdirSync(dirname(made.directory), { recursive: true })
	// With owners and modes, which node:fs does not copy.
	assert.equal(spawnSync('cp', ['-a', from, made.directory]).status, 0)
	return made
}

function emptyPlace(t: TestContext, { below = 'pg', kept = false } = {}) {
	// Syncing costs nothing in memory; whether a disk keeps what it was told to is not asked here.
	const root = realpathSync(mkdtempSync(join(MEMORY, 'latchwork-embedded-')))
	chmodSync(root, 0o755)
	const running: Embedded[] = []
	const remove = () => {
		if (mounted.delete(root)) spawnSync('umount', [root])
		rmSync(root, { recursive: true, force: true })
	}
	if (kept) process.once('exit', remove)
	else
		t.after(async () => {
			for (const { stop } of running) await stop()
			remove()
		})
	const said: string[] = []
	const directory = join(root, below)
	const config: EmbeddedConfig = {
		directory,
		clock: realClock,
		random: (n) => new Uint8Array(randomBytes(n)),
		log: (line) => void said.push(line),
	}
	const start = async () => {
		const embedded = await startEmbedded(config)
		running.push(embedded)
		return embedded
	}
	return { root, directory, data: join(directory, 'data'), config, start, said }
}

async function asked(url: string, statement: string): Promise<Record<string, unknown>[]> {
	const client = new pg.Client({ connectionString: url })
	client.on('error', () => {})
	try {
		await client.connect()
		return (await client.query(statement)).rows
	} finally {
		await client.end().catch(() => {})
	}
}

function openedStore(url: string): Store & AsyncDisposable {
	const store = openStore({ url, pool: 2 })
	return { ...store, [Symbol.asyncDispose]: store.close }
}

async function until<T>(work: () => Promise<T>): Promise<T> {
	for (const end = realClock.mono() + 20_000; ; ) {
		try {
			return await work()
		} catch (fault) {
			if (!isFault(fault, 'database-unavailable') || realClock.mono() > end) throw fault
		}
	}
}

/** A process of its own that starts one, says where, and stops it when its standard input ends. */
async function startInChild(directory: string, env: Record<string, string> = {}): Promise<{ child: ChildProcess; url: string; pid: number }> {
	const code = `
		import { randomBytes } from 'node:crypto'
		const { startEmbedded } = await import(${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)})
		const { realClock: clock } = await import(${JSON.stringify(new URL('../testing/index.ts', import.meta.url).href)})
		const embedded = await startEmbedded({ directory: ${JSON.stringify(directory)}, clock, random: (n) => new Uint8Array(randomBytes(n)), log: console.error })
		console.log(JSON.stringify({ url: embedded.url, pid: embedded.pid() }))
		process.stdin.resume().on('end', () => embedded.stop())`
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code], {
		stdio: ['pipe', 'pipe', 'ignore'],
		env: { ...process.env, ...env },
	})
	const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
	return { child, ...(JSON.parse(line) as { url: string; pid: number }) }
}

/** The shells of the guard, by where they are. */
function guardsOf(data: string): number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.filter((name) => {
			try {
				return realpathSync(`/proc/${name}/cwd`) === data && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('latchwork-postgres-guard')
			} catch {
				return false
			}
		})
		.map(Number)
}
