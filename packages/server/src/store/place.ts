import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '@latchwork/core/base'

/** Who runs PostgreSQL: it refuses to run as root, so root hands it to a user that owns nothing else. */
export interface Runner {
	readonly uid?: number
	readonly gid?: number
}

/** Where an embedded PostgreSQL lives, as we name it and as its runner does. */
export interface Place {
	readonly root: string
	readonly runner: Runner
	/** The cluster. */
	readonly data: string
	readonly dataArgument: string
	readonly sockets: string
	/** The owner's password, in hex. */
	readonly password: string
	readonly passwordArgument: string
	/** Written when the cluster is whole. */
	readonly mark: string
}

const NOBODY = 65_534
/** Postgres starts inside its cluster and stays there, so this names it even below a directory that the runner may not enter. */
const INSIDE = '/proc/self/cwd'
/** sun_path of unix(7) less the longest name in there and a NUL. */
const LONGEST = 107 - '/.s.PGSQL.5432.lock'.length

/**
 * Makes the directory and hands the runner what it needs. Of root's directory it gets only `data` and `run`: could it put links beside them, root would
 * follow these at the next start. Throws `Fault` config-invalid, database-full.
 */
export function takePlace(directory: string): Place {
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 })
		const root = realpathSync(directory)
		const data = join(root, 'data')
		mkdirSync(data, { recursive: true, mode: 0o700 })
		const runner = runnerOf(data)
		if (runner.uid === undefined) chmodSync(root, 0o700)
		else give(root, { uid: 0, gid: 0 }, 0o711)
		give(data, runner)
		const inside = !reaches(data, runner)
		// Postgres folds `..` out of names of sockets, so below a directory that its runner may not enter they have to lie elsewhere.
		const sockets = !inside && join(root, 'run').length <= LONGEST ? join(root, 'run') : shortPath(root)
		mkdirSync(sockets, { recursive: true, mode: 0o700 })
		takeSockets(sockets, runner)
		return {
			root,
			runner,
			data,
			dataArgument: inside ? INSIDE : data,
			sockets,
			password: join(root, 'password'),
			passwordArgument: inside ? `${INSIDE}/../password` : join(root, 'password'),
			mark: join(root, 'made'),
		}
	} catch (cause) {
		throw placeFault(directory, cause)
	}
}

/** What went wrong with our own files, in the words of whoever chose the directory. */
export function placeFault(directory: string, cause: unknown): unknown {
	const { code = '', message } = cause as NodeJS.ErrnoException
	if (cause instanceof Fault || code === '') return cause
	if (code === 'ENOSPC' || code === 'EDQUOT')
		return new Fault('database-full', `There is no room left for the database in ${directory}: ${message}`, { cause })
	return new Fault(
		'config-invalid',
		`The database cannot be kept in ${directory}: ${message}. Choose a directory that this user owns with LATCHWORK_DATA.`,
		{
			cause,
		},
	)
}

/** Nobody runs in there (the caller has made sure): what sockets and their locks are left are of the dead. */
export function clearSockets({ sockets }: Pick<Place, 'sockets'>): void {
	for (const name of readdirSync(sockets)) if (name.startsWith('.s.PGSQL.')) rmSync(join(sockets, name), { force: true })
}

export function leavePlace({ root, sockets }: Place): void {
	if (sockets.startsWith(`${root}/`)) return
	try {
		clearSockets({ sockets })
		rmdirSync(sockets)
	} catch {
		// It is empty and has a fixed name: the next start takes it again.
	}
}

export function give(path: string, { uid, gid }: Runner, mode = 0o700): void {
	chmodSync(path, mode)
	if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

function runnerOf(data: string): Runner {
	if (process.getuid?.() !== 0) return {}
	const { uid } = statSync(data)
	if (uid !== 0 && uid !== NOBODY)
		throw new Fault(
			'config-invalid',
			`The database in ${data} was begun by the user ${uid}. Start as that user, or choose another directory with LATCHWORK_DATA.`,
		)
	return { uid: NOBODY, gid: NOBODY }
}

/** Outside of our directory, so its name can be guessed: it must be ours already, or not there. */
const shortPath = (root: string): string => join(tmpdir(), `latchwork-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)

function takeSockets(path: string, runner: Runner): void {
	const found = lstatSync(path)
	if (!found.isDirectory() || ![process.getuid?.(), runner.uid].includes(found.uid))
		throw new Fault('config-invalid', `${path} is somebody else's. Remove it, or choose a shorter path with LATCHWORK_DATA.`)
	// What the runner has already it could put a link in place of, and root would give away what that leads to.
	if (found.uid === process.getuid?.()) give(path, runner)
}

/** Asked by trying. */
const reaches = (path: string, runner: Runner): boolean =>
	runner.uid === undefined || spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', path], { ...runner, cwd: '/', env: {}, stdio: 'ignore' }).status === 0
