import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { Fault, toHex } from '@latchwork/core/base'
import pg from 'pg'
import { asFault } from './faults.ts'
import { SEARCH_PATH } from './store.ts'

/** A numbered SQL file; each is one transaction, is applied once, and never changes afterwards. */
export interface Migration {
	readonly name: string
	readonly sql: string
	readonly sha256: string
}

export interface MigrateConfig {
	/** A login that owns the tables, or may create them. */
	readonly url: string
	/** The login of requests, when it is another: it becomes a member of the two roles. */
	readonly appUrl?: string | undefined
	/** Milliseconds since 1970, kept beside what was applied. */
	readonly now: number
	readonly log?: (line: string) => void
	readonly migrations?: readonly Migration[]
}

/** "latchwork" on the keys of a telephone, so that nobody else's lock is meant. Advisory locks are per database. */
const LOCK = 528_249_675
const TRIES = 5
const ROLES = ['latchwork_app', 'latchwork_system'] as const

/** Brings the tables to the version of this code, and says what was applied. Throws `Fault` database-unavailable, database-denied, data-newer, migration-failed. */
export async function migrate(config: MigrateConfig): Promise<string[]> {
	const { migrations = readMigrations(), log = () => {} } = config
	return connected(config.url, async (owner) => {
		// Of two processes that start at once, the second waits here and then finds nothing to do.
		await takeTurn(owner, log)
		await ensureRights(owner, config.appUrl)
		await owner.query(`CREATE SCHEMA IF NOT EXISTS latchwork`)
		await owner.query('CREATE TABLE IF NOT EXISTS latchwork.migration (name text PRIMARY KEY, sha256 text NOT NULL, applied_at bigint NOT NULL)')
		const { rows } = await owner.query<Applied>('SELECT name, sha256 FROM latchwork.migration ORDER BY name')
		const due = pending(migrations, rows)
		for (const migration of due) {
			await apply(owner, migration, config.now)
			log(`Tables: ${migration.name} applied.`)
		}
		if (config.appUrl !== undefined) await ensureSameDatabase(owner, config.appUrl)
		return due.map(({ name }) => name)
	})
}

/** A login that reaches other tables would find none of ours, or, worse, those of another installation. */
async function ensureSameDatabase(owner: pg.Client, appUrl: string): Promise<void> {
	const name = await first<{ mark: string }>(
		owner,
		`SELECT current_database() || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS mark`,
	)
	await connected(appUrl, async (app) => {
		const theirs = await first<{ mark: string }>(
			app,
			`SELECT current_database() || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS mark`,
		)
		if (theirs?.mark !== name?.mark)
			throw new Fault('config-invalid', 'DATABASE_APP_URL names another database than DATABASE_URL. Both must end in the same one.', {
				detail: { setting: 'DATABASE_APP_URL' },
			})
	})
}

async function takeTurn(owner: pg.Client, log: (line: string) => void): Promise<void> {
	const turn = await first<{ ours: boolean }>(owner, 'SELECT pg_try_advisory_lock($1) AS ours', [LOCK])
	if (!turn?.ours) {
		log('Another process is bringing the tables up to date; waiting for it.')
		await owner.query('SELECT pg_advisory_lock($1)', [LOCK])
	}
	// When this process is killed, its statement ends too and does not hold up the next one. Not every system can; there the statement is waited for.
	await owner.query('SET client_connection_check_interval = 1000').catch(() => {})
}

/** The files of this code in their order. Throws `Fault` migration-failed when two have one number. */
export function readMigrations(folder: URL = new URL('./migrations/', import.meta.url)): Migration[] {
	const names = readdirSync(folder)
		.filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
		.sort()
	for (const [i, name] of names.entries())
		if (names[i - 1]?.slice(0, 4) === name.slice(0, 4)) throw new Fault('migration-failed', `${names[i - 1]} and ${name} have the same number.`)
	return names.map((name) => {
		const sql = readFileSync(new URL(name, folder), 'utf8')
		return { name, sql, sha256: toHex(createHash('sha256').update(sql).digest()) }
	})
}

interface Applied {
	readonly name: string
	readonly sha256: string
}

function pending(migrations: readonly Migration[], applied: readonly Applied[]): Migration[] {
	const known = new Map(migrations.map((m) => [m.name, m]))
	for (const { name, sha256 } of applied) {
		const migration = known.get(name)
		if (!migration)
			throw new Fault('data-newer', `The database has the migration ${name}, which this version does not know: a newer Latchwork wrote it.`)
		if (migration.sha256 !== sha256)
			throw new Fault('migration-failed', `${name} was changed after it had been applied. Put the file back as it was; a change is a new file.`)
	}
	const done = new Set(applied.map(({ name }) => name))
	return migrations.filter(({ name }) => !done.has(name))
}

async function apply(owner: pg.Client, { name, sql, sha256 }: Migration, now: number): Promise<void> {
	try {
		await owner.query(`BEGIN; SET LOCAL search_path = ${SEARCH_PATH}`)
		await owner.query(sql)
		await owner.query('INSERT INTO latchwork.migration (name, sha256, applied_at) VALUES ($1, $2, $3)', [name, sha256, now])
		await owner.query('COMMIT')
	} catch (cause) {
		await owner.query('ROLLBACK').catch(() => {})
		const fault = asFault(cause)
		if (fault instanceof Fault) throw fault
		const { message, position } = cause as Error & { position?: string }
		const line = position === undefined ? '' : `, line ${sql.slice(0, Number(position)).split('\n').length}`
		throw new Fault('migration-failed', `${name}${line}: ${message}`, { cause })
	}
}

/** A right that is needed, the statement that gives it, and whether it is there. */
interface Right {
	readonly statement: string
	isThere(): Promise<boolean>
}

/** Gives itself what is missing where it may. Where it may not, it refuses at the door with all that an administrator must type, not half-way with "permission denied". */
async function ensureRights(owner: pg.Client, appUrl: string | undefined): Promise<void> {
	await refuseOtherOwner(owner)
	const login = await loginOf(owner)
	const logins = new Set([login, ...(appUrl === undefined ? [] : [await connected(appUrl, loginOf)])])
	const rights = [
		await rightToCreate(owner, login),
		...ROLES.map((role) => rightToExist(owner, role)),
		...[...logins].flatMap((name) => ROLES.map((role) => rightToSet(owner, role, name))),
	]
	for (const right of rights) {
		if (await gained(owner, right)) continue
		const missing: string[] = []
		for (const { statement, isThere } of rights) if (!(await isThere().catch(() => false))) missing.push(`  ${statement};`)
		throw new Fault(
			'database-denied',
			`The login ${login} lacks a right that Latchwork needs once. An administrator of the database types, connected to it:\n${missing.join('\n')}`,
		)
	}
}

/** False: this login may not. Roles belong to the whole cluster: another database's server may make or grant them at this very moment, and the later one looks again. */
async function gained(owner: pg.Client, { statement, isThere }: Right): Promise<boolean> {
	for (let tries = 0; tries < TRIES; tries++) {
		if (await isThere()) return true
		try {
			await owner.query(statement)
		} catch (cause) {
			const { code = '' } = cause as Error & { code?: string }
			if (code === '42501') return false
			// 42710 and 23505: made meanwhile; XX000: "tuple concurrently updated".
			if (!['42710', '23505', 'XX000'].includes(code)) throw cause
		}
	}
	// A grant by somebody who may not is a warning at times, not an error.
	return isThere()
}

async function rightToCreate(owner: pg.Client, login: string): Promise<Right> {
	const database = (await first<{ name: string }>(owner, 'SELECT current_database() AS name'))?.name ?? ''
	return {
		statement: `GRANT CREATE ON DATABASE ${quoted(database)} TO ${quoted(login)}`,
		isThere: () => holds(owner, `SELECT to_regnamespace('latchwork') IS NOT NULL OR has_database_privilege(current_database(), 'CREATE') AS yes`),
	}
}

const rightToExist = (owner: pg.Client, role: string): Right => ({
	statement: `CREATE ROLE ${role} NOLOGIN`,
	isThere: () => holds(owner, 'SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS yes', [role]),
})

/** From 16 on a membership alone does not allow SET ROLE, and whoever may should not have the role's rights by accident. */
const rightToSet = (owner: pg.Client, role: string, login: string): Right => ({
	statement: `GRANT ${role} TO ${quoted(login)}${versionOf(owner) >= 16 ? ' WITH SET TRUE, INHERIT FALSE' : ''}`,
	isThere: () => holds(owner, 'SELECT pg_has_role($1::name, $2::name, $3) AS yes', [login, role, versionOf(owner) >= 16 ? 'SET' : 'MEMBER']),
})

/** Tables have one owner, and only that one may change them. */
async function refuseOtherOwner(owner: pg.Client): Promise<void> {
	const other = await first<{ name: string }>(
		owner,
		`SELECT pg_get_userbyid(nspowner) AS name FROM pg_namespace WHERE nspname = 'latchwork' AND NOT pg_has_role(nspowner, 'USAGE')`,
	)
	if (other === undefined) return
	throw new Fault(
		'database-denied',
		`The tables belong to the login ${other.name}, and ${await loginOf(owner)} may not change them. Give ${other.name} in DATABASE_URL, and this one in DATABASE_APP_URL if requests shall use it.`,
	)
}

const holds = async (owner: pg.Client, question: string, values: unknown[] = []): Promise<boolean> =>
	(await first<{ yes: boolean }>(owner, question, values))?.yes === true

const loginOf = async (client: pg.Client): Promise<string> => (await first<{ login: string }>(client, 'SELECT session_user AS login'))?.login ?? ''

async function first<R extends pg.QueryResultRow>(client: pg.Client, text: string, values: unknown[] = []): Promise<R | undefined> {
	return (await client.query<R>(text, values)).rows[0]
}

const versions = new WeakMap<pg.Client, number>()
const versionOf = (client: pg.Client): number => versions.get(client) ?? 0
const OLDEST = 15

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
	const client = new pg.Client({ connectionString: url, application_name: 'latchwork', connectionTimeoutMillis: 10_000 })
	client.on('error', () => {})
	try {
		await client.connect()
		const found = await first<{ number: string }>(client, `SELECT current_setting('server_version_num') AS number`)
		const version = Math.floor(Number(found?.number) / 10_000)
		if (version < OLDEST) throw new Fault('migration-failed', `The database is PostgreSQL ${version}; Latchwork needs ${OLDEST} or newer.`)
		versions.set(client, version)
		return await work(client)
	} catch (cause) {
		throw asFault(cause)
	} finally {
		await client.end().catch(() => {})
	}
}

const quoted = (name: string): string => pg.escapeIdentifier(name)
