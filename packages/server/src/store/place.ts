import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
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

/** Makes the directory and hands it to the runner. Throws `Fault` config-invalid, database-full. */
export function takePlace(directory: string): Place {
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 })
		const root = realpathSync(directory)
		const data = join(root, 'data')
		mkdirSync(data, { recursive: true, mode: 0o700 })
		const runner = runnerOf(data)
		for (const path of [root, data]) give(path, runner)
		const inside = !reaches(data, runner)
		// Postgres folds `..` out of names of sockets, so below a directory that its runner may not enter they have to lie elsewhere.
		const sockets = !inside && join(root, 'run').length <= LONGEST ? join(root, 'run') : shortPath(root)
		mkdirSync(sockets, { recursive: true, mode: 0o700 })
		refuseForeign(sockets, runner)
		give(sockets, runner)
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
export function clearSockets({ sockets }: Place): void {
	for (const name of readdirSync(sockets)) rmSync(join(sockets, name), { force: true })
}

export function leavePlace(place: Place): void {
	if (!place.sockets.startsWith(place.root)) rmSync(place.sockets, { recursive: true, force: true })
}

export function give(path: string, { uid, gid }: Runner, mode = 0o700): void {
	chmodSync(path, mode)
	if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

/** Data that an ordinary user began stays that user's when root goes on with it. */
function runnerOf(data: string): Runner {
	if (process.getuid?.() !== 0) return {}
	const { uid, gid } = statSync(data)
	return uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid }
}

/** Outside of our directory, so its name can be guessed: it must be ours already, or not there. */
const shortPath = (root: string): string => join(tmpdir(), `latchwork-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)

function refuseForeign(path: string, runner: Runner): void {
	const found = lstatSync(path)
	if (!found.isDirectory() || ![process.getuid?.(), runner.uid].includes(found.uid))
		throw new Fault('config-invalid', `${path} is somebody else's. Choose a shorter path with LATCHWORK_DATA.`)
}

/** Asked by trying. */
const reaches = (path: string, runner: Runner): boolean =>
	runner.uid === undefined || spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', path], { ...runner, cwd: '/', env: {}, stdio: 'ignore' }).status === 0
