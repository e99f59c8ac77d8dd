import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { Fault, isFault } from '@latchwork/core/base'
import pg from 'pg'
import { testCluster, throwawayCluster } from '../testing/index.ts'
import { type Migration, migrate, openStore, readMigrations } from './index.ts'

const NOW = Date.UTC(2026, 0, 5, 9)
const file = (name: string, sql: string): Migration => ({ name, sql, sha256: createHash('sha256').update(sql).digest('hex') })
const ONE = file('0001-one.sql', 'CREATE TABLE one (id text)')
const TWO = file('0002-two.sql', 'CREATE TABLE two (id text);\nINSERT INTO two VALUES ($$x$$)')
const THREE = file('0003-three.sql', 'CREATE TABLE three (id text)')

describe('migrations', () => {
	test('are applied in their order, once, and what is missing is applied when it comes', async (t) => {
		const { url, rows } = await emptyDatabase(t)
		assert.deepEqual(await migrate({ url, now: NOW, migrations: [ONE, THREE] }), [ONE.name, THREE.name])
		assert.deepEqual(await migrate({ url, now: NOW + 1, migrations: [ONE, TWO, THREE] }), [TWO.name])
		assert.deepEqual(await migrate({ url, now: NOW + 2, migrations: [ONE, TWO, THREE] }), [])
		assert.deepEqual(await rows('SELECT name, sha256, applied_at FROM latchwork.migration ORDER BY name'), [
			{ name: ONE.name, sha256: ONE.sha256, applied_at: NOW },
			{ name: TWO.name, sha256: TWO.sha256, applied_at: NOW + 1 },
			{ name: THREE.name, sha256: THREE.sha256, applied_at: NOW },
		])
		assert.deepEqual(await tables(rows), ['migration', 'one', 'three', 'two'])
	})

	test('of the product are numbered, in one transaction each, and never ask the database for the time', () => {
		const all = readMigrations()
		assert.ok(all.length >= 1)
		for (const { name, sql } of all) {
			assert.doesNotMatch(sql, /^\s*(?:BEGIN|COMMIT|ROLLBACK|START TRANSACTION)\s*;/im, name)
			assert.doesNotMatch(sql, /\bnow\s*\(|\bcurrent_(?:timestamp|date|time)\b|\bclock_timestamp\b/i, name)
		}
	})

	test('that fail leave nothing of themselves, name file and line, and are done when they are mended', async (t) => {
		const { url, rows } = await emptyDatabase(t)
		const bad = file(TWO.name, 'CREATE TABLE two (id text);\nCREATE TABLE two_more (id nonsense)')
		await assert.rejects(
			migrate({ url, now: NOW, migrations: [ONE, bad, THREE] }),
			(e) => isFault(e, 'migration-failed') && /^0002-two\.sql, line 2: .*nonsense/.test(e.message),
		)
		assert.deepEqual(await tables(rows), ['migration', 'one'])
		assert.deepEqual(await migrate({ url, now: NOW, migrations: [ONE, TWO, THREE] }), [TWO.name, THREE.name])
	})

	test('that were changed after they had been applied are refused by name', async (t) => {
		const { url, rows } = await emptyDatabase(t)
		await migrate({ url, now: NOW, migrations: [ONE, TWO] })
		const changed = file(ONE.name, `${ONE.sql} -- no`)
		await assert.rejects(
			migrate({ url, now: NOW, migrations: [changed, TWO, THREE] }),
			(e) => isFault(e, 'migration-failed') && e.message.includes(ONE.name),
		)
		assert.deepEqual(await tables(rows), ['migration', 'one', 'two'], 'nothing further was applied')
	})

	test('that this version does not know mean newer data, and nothing is touched', async (t) => {
		const { url, rows } = await emptyDatabase(t)
		await migrate({ url, now: NOW, migrations: [ONE, TWO, THREE] })
		await assert.rejects(migrate({ url, now: NOW, migrations: [ONE, TWO] }), (e) => isFault(e, 'data-newer') && e.message.includes(THREE.name))
		assert.deepEqual(await tables(rows), ['migration', 'one', 'three', 'two'])
	})

	test('are done once by processes that start together, in two databases of a cluster that knows none of our roles', async (t) => {
		const cluster = await throwawayCluster()
		t.after(() => cluster.close())
		const [left, right] = [await cluster.database('empty'), await cluster.database('empty')]
		const done = await Promise.all(
			Array.from({ length: 8 }, (_, i) => (i % 2 ? left : right)).map(({ url, appUrl }) =>
				migrate({ url, appUrl, now: NOW, migrations: [ONE, TWO, THREE] }),
			),
		)
		const once = (parity: number) => done.filter((_, i) => i % 2 === parity).map((names) => names.length)
		assert.deepEqual(
			[once(0).sort(), once(1).sort()],
			[
				[0, 0, 0, 3],
				[0, 0, 0, 3],
			],
		)
	})

	test('interrupted by kill -9 between two files go on with the second', async (t) => {
		const { url, rows } = await emptyDatabase(t)
		const child = migrateInChild(url, [ONE, TWO, THREE], 'while (true) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)')
		assert.match(await nextLine(child), /0001-one\.sql applied/)
		await killed(child)
		assert.deepEqual(await tables(rows), ['migration', 'one'])
		assert.deepEqual(await migrate({ url, now: NOW, migrations: [ONE, TWO, THREE] }), [TWO.name, THREE.name])
	})

	test('interrupted by kill -9 inside a file leave nothing of it, and its dead process holds up nobody', async (t) => {
		const { url, rows } = await emptyDatabase(t)
		const slow = file(TWO.name, 'CREATE TABLE two (id text); SELECT pg_advisory_xact_lock(99); CREATE TABLE two_more (id text)')
		const gate = await connectedTo(url)
		await gate.query('SELECT pg_advisory_lock(99)')
		const child = migrateInChild(url, [ONE, slow, THREE])
		const waits = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 99 AND NOT granted`
		while ((await gate.query(waits)).rowCount === 0);
		await killed(child)
		// The gate is still shut: only the end of the dead process's statement lets the next one through.
		const noGate = file(TWO.name, 'CREATE TABLE two (id text); CREATE TABLE two_more (id text)')
		const said: string[] = []
		assert.deepEqual(await migrate({ url, now: NOW, migrations: [ONE, noGate, THREE], log: (line) => said.push(line) }), [TWO.name, THREE.name])
		assert.match(said[0] ?? '', /Another process is bringing the tables up to date/)
		await gate.end()
		assert.deepEqual(await tables(rows), ['migration', 'one', 'three', 'two', 'two_more'])
	})

	test('refused to a login without rights say what to type, and that is enough', async (t) => {
		const cluster = await throwawayCluster()
		t.after(() => cluster.close())
		const { url } = await cluster.database('empty')
		const administrator = await connectedTo(url)
		await administrator.query(`CREATE ROLE "Poor owner" LOGIN PASSWORD 'p'; CREATE ROLE poor_requests LOGIN PASSWORD 'p'`)
		const poor = { url: as(url, 'Poor owner'), appUrl: as(url, 'poor_requests'), now: NOW }
		const fault = await migrate(poor).then(
			() => undefined,
			(e: unknown) => e,
		)
		assert.ok(isFault(fault, 'database-denied'), String(fault))
		const statements = fault.message.split('\n').slice(1)
		assert.equal(statements.length, 7, fault.message)
		for (const statement of statements) await administrator.query(statement)
		await administrator.end()
		assert.ok((await migrate(poor)).length >= 1)
		const store = openStore({ ...poor, pool: 1 })
		t.after(() => store.close())
		assert.deepEqual(await store.system(async () => 'works'), 'works')
		// The login of requests cannot take over the tables, and is told whose they are.
		const other = await migrate({ url: poor.appUrl, now: NOW }).then(
			() => undefined,
			(e: unknown) => e,
		)
		assert.ok(isFault(other, 'database-denied') && /belong to the login Poor owner/.test(other.message), String(other))
	})

	test('a login for requests that leads to another database is refused with what is wrong', async (t) => {
		const cluster = await throwawayCluster()
		t.after(() => cluster.close())
		const [one, other] = [await cluster.database('empty'), await cluster.database('empty')]
		const mixed = await migrate({ url: one.url, appUrl: other.url, now: NOW }).then(
			() => undefined,
			(e: unknown) => e,
		)
		assert.ok(isFault(mixed, 'config-invalid') && /DATABASE_APP_URL names another database/.test(mixed.message), String(mixed))
		assert.ok((await migrate({ url: other.url, appUrl: other.url, now: NOW })).length >= 1, 'the control')
	})

	test('with the logins of the guide for operators just work', async (t) => {
		const cluster = await throwawayCluster()
		t.after(() => cluster.close())
		const guide = readFileSync(new URL('../../../../docs/guides/operator.md', import.meta.url), 'utf8')
		const [, block = ''] = /```sql\n(CREATE ROLE[\s\S]*?)```/.exec(guide) ?? []
		const statements = block
			.replace(/--.*$/gm, '')
			.split(';')
			.map((s) => s.trim())
			.filter((s) => s !== '')
		assert.ok(statements.length >= 6, block)
		for (const statement of statements)
			await cluster.asked(statement.replace(/PASSWORD '[^']*'/, `PASSWORD 'p'`).replace('DATABASE latchwork', 'DATABASE guide'))
		const [url, appUrl] = ['latchwork_owner', 'latchwork_server'].map((login) => as(cluster.url, login).replace('/latchwork?', '/guide?')) as [
			string,
			string,
		]
		assert.ok((await migrate({ url, appUrl, now: NOW })).length >= 1)
		const store = openStore({ url, appUrl, pool: 1 })
		t.after(() => store.close())
		assert.deepEqual(await store.system(async () => 'works'), 'works')
	})

	test('by a login that may create roles need no administrator', async (t) => {
		const cluster = await throwawayCluster()
		t.after(() => cluster.close())
		const { url } = await cluster.database('empty')
		const administrator = await connectedTo(url)
		await administrator.query(`CREATE ROLE able LOGIN CREATEROLE PASSWORD 'p'`)
		await administrator.query(`ALTER DATABASE ${new URL(url.replace('@/', '@x/')).pathname.slice(1)} OWNER TO able`)
		await administrator.end()
		assert.ok((await migrate({ url: as(url, 'able'), now: NOW })).length >= 1)
		const store = openStore({ url: as(url, 'able'), pool: 1 })
		t.after(() => store.close())
		assert.deepEqual(await store.system(async () => 'works'), 'works')
	})

	test('with a wrong password or a server that is not there end with a fault that says so', async (t) => {
		const { url } = await emptyDatabase(t)
		await assert.rejects(migrate({ url: url.replace(/:[0-9a-f]{64}@/, ':wrong@'), now: NOW }), (e) => isFault(e, 'database-denied'))
		await assert.rejects(migrate({ url: url.replace(/host=[^&]+/, 'host=/nowhere'), now: NOW }), (e) => isFault(e, 'database-unavailable'))
	})
})

type Rows = (text: string) => Promise<unknown[]>

async function emptyDatabase(t: TestContext): Promise<{ url: string; rows: Rows }> {
	const { url, drop } = await (await testCluster()).database('empty')
	const client = await connectedTo(url)
	t.after(async () => {
		await client.end()
		await drop()
	})
	return { url, rows: async (text) => (await client.query(text)).rows }
}

async function connectedTo(url: string): Promise<pg.Client> {
	const client = new pg.Client({ connectionString: url })
	await client.connect()
	return client
}

const tables = async (rows: Rows): Promise<unknown[]> =>
	(await rows(`SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace('latchwork') AND relkind = 'r' ORDER BY 1`)).map(
		(row) => (row as { name: string }).name,
	)

const as = (url: string, login: string): string => url.replace(/\/\/[^@]+@/, `//${encodeURIComponent(login)}:p@`)

/** `onLine` runs after each line of the log has been written. */
function migrateInChild(url: string, migrations: readonly Migration[], onLine = ''): ChildProcess {
	const code = `
		import { writeSync } from 'node:fs'
		const { migrate } = await import(${JSON.stringify(new URL('./migrate.ts', import.meta.url).href)})
		await migrate({ ...${JSON.stringify({ url, now: NOW, migrations })}, log: (line) => { writeSync(1, line + '\\n'); ${onLine} } })`
	return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
}

async function nextLine({ stdout }: ChildProcess): Promise<string> {
	if (stdout === null) throw new Fault('transport-closed', 'The child has no output.')
	const [line] = await once(createInterface({ input: stdout }), 'line')
	return line as string
}

async function killed(child: ChildProcess): Promise<void> {
	child.kill('SIGKILL')
	await once(child, 'exit')
}
