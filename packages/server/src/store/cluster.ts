import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, type Random, toHex } from '@latchwork/core/base'
import pg from 'pg'
import { MAJOR } from './binaries.ts'
import { asFault } from './faults.ts'
import { give, type Place, placeFault, type Runner } from './place.ts'
import { bareEnvironment, isFull } from './postmaster.ts'

const OWNER = 'latchwork'
const REQUESTS = 'latchwork_requests'
const DATABASE = 'latchwork'

/** Made once; what an interrupted start made by half has no mark and is made anew. Throws `Fault` database-full, data-newer, migration-failed. */
export async function ensureCluster(place: Place, native: string, random: Random, synced: boolean): Promise<void> {
	if (existsSync(place.mark)) return refuseOtherVersion(place.data)
	try {
		rmSync(place.data, { recursive: true, force: true })
		mkdirSync(place.data, { mode: 0o700 })
		give(place.data, place.runner)
		rmSync(place.password, { force: true })
		writeFileSync(place.password, toHex(random(32)), { mode: 0o600, flush: true })
		give(place.password, place.runner, 0o600)
		await initdb(place, native, synced)
		writeFileSync(place.mark, `PostgreSQL ${MAJOR}\n`, { mode: 0o600, flush: true })
	} catch (cause) {
		throw placeFault(place.root, cause)
	}
}

async function initdb(place: Place, native: string, synced: boolean): Promise<void> {
	const args = [
		`--pgdata=${place.dataArgument}`,
		`--username=${OWNER}`,
		`--pwfile=${place.passwordArgument}`,
		'--auth=scram-sha-256',
		'--encoding=UTF8',
		// Sorts and folds Unicode alike on every machine.
		'--locale=C',
		'--locale-provider=builtin',
		'--builtin-locale=C.UTF-8',
		...(synced ? [] : ['--no-sync']),
	]
	const words = await lastWords(join(native, 'bin/initdb'), args, place.data, place.runner)
	if (words === undefined) return
	// A container that runs as just any number.
	if (/could not look up effective user ID/.test(words))
		throw new Fault(
			'config-invalid',
			`PostgreSQL runs only as a user with a name: add ${place.runner.uid ?? process.getuid?.()} to /etc/passwd, or give DATABASE_URL.\n${words}`,
		)
	if (isFull(words)) throw new Fault('database-full', `There is no room left to make the database in ${place.root}:\n${words}`)
	throw new Fault('database-unavailable', `The database could not be made in ${place.root}:\n${words}`)
}

function refuseOtherVersion(data: string): void {
	const version = Number(readFileSync(join(data, 'PG_VERSION'), 'utf8'))
	if (version > MAJOR) throw new Fault('data-newer', `${data} was written by PostgreSQL ${version}; this Latchwork brings ${MAJOR}.`)
	if (version < MAJOR)
		throw new Fault(
			'migration-failed',
			`${data} was written by PostgreSQL ${version}, which this Latchwork (${MAJOR}) cannot read. Back it up with the version that wrote it, and restore here.`,
		)
}

/** The database, and the login of requests, which owns nothing: membership in the two roles comes with the tables. */
export async function ensureDatabase(place: Place): Promise<void> {
	const client = new pg.Client({ connectionString: urlOf(place, OWNER, 'postgres') })
	try {
		await client.connect()
		const { rows } = await client.query<{ database: boolean; login: boolean }>(
			`SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS database, EXISTS (SELECT FROM pg_roles WHERE rolname = $2) AS login`,
			[DATABASE, REQUESTS],
		)
		if (!rows[0]?.database) await client.query(`CREATE DATABASE ${DATABASE}`)
		if (!rows[0]?.login) await client.query(`CREATE ROLE ${REQUESTS} LOGIN PASSWORD '${requestsPassword(place)}'`)
	} catch (cause) {
		throw asFault(cause)
	} finally {
		await client.end().catch(() => {})
	}
}

export const ownerUrl = (place: Place): string => urlOf(place, OWNER, DATABASE)
export const requestsUrl = (place: Place): string => urlOf(place, REQUESTS, DATABASE)

function urlOf(place: Place, login: typeof OWNER | typeof REQUESTS, database: string): string {
	const password = login === OWNER ? ownerPassword(place) : requestsPassword(place)
	return `postgresql://${login}:${password}@/${database}?host=${encodeURIComponent(place.sockets)}`
}

const ownerPassword = ({ password }: Place): string => readFileSync(password, 'utf8')
/** Follows from the owner's, but not the other way round. */
const requestsPassword = (place: Place): string =>
	createHash('sha256')
		.update(`latchwork requests ${ownerPassword(place)}`)
		.digest('hex')

/** Undefined when the program did well. */
function lastWords(program: string, args: readonly string[], cwd: string, runner: Runner): Promise<string | undefined> {
	const child = spawn(program, [...args], { ...runner, cwd, env: bareEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
	let words = ''
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (words = (words + text.toString()).slice(-4_000)))
	return new Promise((resolve) => {
		child.once('error', (cause) => resolve(cause.message))
		child.once('close', (code) => resolve(code === 0 ? undefined : words))
	})
}
