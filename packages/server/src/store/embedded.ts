import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, Fault, type Random, toHex } from '@latchwork/core/base'
import pg from 'pg'
import { findBinaries, MAJOR, type Runner, runnerOf } from './binaries.ts'
import { asFault } from './faults.ts'
import { lockDirectory } from './lock.ts'
import { bareEnvironment, endOrphans, type Postmaster, startPostmaster } from './postmaster.ts'

export interface EmbeddedConfig {
	/** Ours alone: cluster, password and socket lie in it. */
	readonly directory: string
	readonly clock: Pick<Clock, 'after' | 'mono'>
	readonly random: Random
	readonly log: (line: string) => void
	/** Data that nobody needs tomorrow: nothing is synced, and it ends at once. For tests. */
	readonly throwaway?: boolean
}

export interface Embedded {
	/** Of the cluster's owner, over a socket that only this user may reach, with a password that only this directory knows. Stays the same over restarts. */
	readonly url: string
	/** Of the postmaster that runs now. */
	pid(): number
	/** Resolves when it ended for good: `stop`, or too many ends in a row; then with its last words. */
	readonly ended: Promise<string | undefined>
	stop(): Promise<void>
}

/** Waits before the next start after so many ends in a row, in milliseconds; then it gives up. */
const WAITS = [0, 100, 500, 1_000, 2_000, 5_000, 10_000]
/** Who has lived that long has started well. */
const WELL_MS = 60_000
const OWNER = 'latchwork'
const DATABASE = 'latchwork'

/**
 * PostgreSQL out of the box: made once, started, started again when it dies, ended when this process ends in whatever way.
 * Throws `Fault` prerequisite-missing, config-invalid, data-in-use, data-newer, database-full, database-unavailable.
 */
export async function startEmbedded(config: EmbeddedConfig): Promise<Embedded> {
	const { clock, log } = config
	const runner = runnerOf(process.getuid?.())
	const place = ownDirectory(config.directory, runner)
	const lock = lockDirectory(place.root)
	try {
		await endOrphans(place.data, clock, log)
		const native = findBinaries(place.root, runner)
		await ensureCluster(place, native, runner, config)
		const start = () => startPostmaster(postmasterOf(place, native, runner, config))
		let postmaster: Postmaster = await start()
		await ensureDatabase(place)
		let stopping = false
		const supervise = async (): Promise<string | undefined> => {
			for (let ends = 0; ; ends++) {
				const began = clock.mono()
				const words = await postmaster.ended
				if (stopping) return undefined
				if (clock.mono() - began > WELL_MS) ends = 0
				const wait = WAITS[ends]
				if (wait === undefined) return words
				log('The embedded PostgreSQL ended unasked and is started again.')
				await new Promise<void>((resolve) => void clock.after(wait, resolve))
				await endOrphans(place.data, clock, log)
				if (stopping) return undefined
				postmaster = await start().catch((fault: Fault) => ({ pid: -1, ended: Promise.resolve(fault.message), stop: async () => {} }))
				if (stopping) await postmaster.stop()
			}
		}
		const ended = supervise().finally(() => lock.close())
		return {
			url: urlOf(place, DATABASE),
			pid: () => postmaster.pid,
			ended,
			async stop() {
				stopping = true
				await postmaster.stop()
				await ended
			},
		}
	} catch (fault) {
		lock.close()
		throw fault
	}
}

interface Place {
	readonly root: string
	/** The cluster. */
	readonly data: string
	/** The cluster as the runner names it. */
	readonly dataArgument: string
	/** As we reach the sockets, and as the runner does. */
	readonly sockets: string
	readonly socketsArgument: string
	readonly password: string
}

/** sun_path of unix(7) less the name of the socket and a NUL. */
const LONGEST = 107 - '/.s.PGSQL.5432.lock'.length

function ownDirectory(directory: string, runner: Runner): Place {
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 })
		const root = realpathSync(directory)
		const data = join(root, 'data')
		mkdirSync(data, { recursive: true, mode: 0o700 })
		give(root, runner)
		give(data, runner)
		const sockets = socketsOf(root, runner)
		// Under a home that only root may enter, the runner starts inside its directory and names it by that; no right of the home is touched.
		const reached =
			runner.uid === undefined || spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', data], { ...runner, cwd: '/', stdio: 'ignore' }).status === 0
		const inside = sockets.startsWith(`${root}/`)
		return {
			root,
			data,
			sockets,
			password: join(root, 'password'),
			dataArgument: reached ? data : '/proc/self/cwd',
			socketsArgument: reached || !inside ? sockets : '/proc/self/cwd/../run',
		}
	} catch (cause) {
		if (cause instanceof Fault) throw cause
		const { code = '', message } = cause as NodeJS.ErrnoException
		if (code === 'ENOSPC' || code === 'EDQUOT') throw new Fault('database-full', `There is no room left for the database: ${message}`, { cause })
		throw new Fault(
			'config-invalid',
			`The database cannot be kept in ${directory}: ${message}. Choose a directory that this user owns with LATCHWORK_DATA.`,
			{ cause },
		)
	}
}

/** Too long a path for a socket gets a short one; its name is guessable, so it must be ours already or not there. */
function socketsOf(root: string, runner: Runner): string {
	const near = join(root, 'run')
	const sockets = near.length <= LONGEST ? near : join(tmpdir(), `latchwork-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)
	mkdirSync(sockets, { recursive: true, mode: 0o700 })
	const found = lstatSync(sockets)
	if (!found.isDirectory() || ![process.getuid?.(), runner.uid].includes(found.uid))
		throw new Fault('config-invalid', `${sockets} is somebody else's. Choose a shorter path with LATCHWORK_DATA.`)
	give(sockets, runner)
	return sockets
}

function give(path: string, { uid, gid }: Runner): void {
	chmodSync(path, 0o700)
	if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

/** Made once. What an interrupted start made by half has no mark and is made anew. */
async function ensureCluster(place: Place, native: string, runner: Runner, { random, throwaway, log }: EmbeddedConfig): Promise<void> {
	const mark = join(place.root, 'made')
	if (existsSync(mark)) return refuseOtherVersion(place.data)
	log('Making the database.')
	rmSync(place.data, { recursive: true, force: true })
	mkdirSync(place.data, { mode: 0o700 })
	give(place.data, runner)
	rmSync(place.password, { force: true })
	writeFileSync(place.password, toHex(random(32)), { mode: 0o600 })
	if (runner.uid !== undefined && runner.gid !== undefined) chownSync(place.password, runner.uid, runner.gid)
	const inside = place.dataArgument !== place.data
	const args = [
		`--pgdata=${place.dataArgument}`,
		`--username=${OWNER}`,
		`--pwfile=${inside ? '/proc/self/cwd/../password' : place.password}`,
		'--auth=scram-sha-256',
		'--encoding=UTF8',
		'--locale=C',
		'--locale-provider=builtin',
		'--builtin-locale=C.UTF-8',
		...(throwaway ? ['--no-sync'] : []),
	]
	const words = await run(join(native, 'bin/initdb'), args, place.data, runner)
	if (words !== undefined) throw initFault(words)
	writeFileSync(mark, `${MAJOR}\n`, { mode: 0o600, flush: true })
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

function initFault(words: string): Fault {
	if (/No space left on device|Disk quota exceeded/.test(words))
		return new Fault('database-full', `There is no room left to make the database:\n${words}`)
	return new Fault('database-unavailable', `The database could not be made:\n${words}`)
}

/** Undefined when it did well, else its last words. */
function run(program: string, args: readonly string[], cwd: string, runner: Runner): Promise<string | undefined> {
	const child = spawn(program, [...args], { ...runner, cwd, env: bareEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
	let words = ''
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (words = (words + text.toString()).slice(-4_000)))
	return new Promise((resolve) => {
		child.once('error', (cause) => resolve(cause.message))
		child.once('close', (code) => resolve(code === 0 ? undefined : words))
	})
}

function postmasterOf(place: Place, native: string, runner: Runner, { throwaway, log }: EmbeddedConfig) {
	const settings = {
		listen_addresses: '',
		unix_socket_directories: place.socketsArgument,
		unix_socket_permissions: '0700',
		max_connections: '100',
		// No row of anybody's in a log: failures reach us as answers, what ends the server is written.
		log_min_messages: 'log',
		log_min_error_statement: 'panic',
		log_checkpoints: 'off',
		...(throwaway && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: '0' }),
	}
	return {
		binary: join(native, 'bin/postgres'),
		args: ['-D', place.dataArgument, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
		data: place.data,
		runner,
		signal: throwaway ? ('QUIT' as const) : ('INT' as const),
		background: throwaway === true,
		log,
	}
}

/** Beside the mark of a made cluster, because only a running one can make it. */
async function ensureDatabase(place: Place): Promise<void> {
	const client = new pg.Client({ connectionString: urlOf(place, 'postgres') })
	try {
		await client.connect()
		const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE])
		if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
	} catch (cause) {
		throw asFault(cause)
	} finally {
		await client.end().catch(() => {})
	}
}

function urlOf({ password, sockets }: Place, database: string): string {
	const secret = readFileSync(password, 'utf8').trim()
	return `postgresql://${OWNER}:${secret}@/${database}?host=${encodeURIComponent(sockets)}`
}
