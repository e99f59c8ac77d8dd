import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Clock, Fault, sleep } from '@latchwork/core/base'
import { GUARD } from './guard.sh.ts'
import type { Runner } from './place.ts'

export interface PostmasterConfig {
	readonly binary: string
	readonly args: readonly string[]
	/** The cluster; also where it runs, which is how its processes are recognised. */
	readonly data: string
	readonly runner: Runner
	/** How it ends: SIGINT rolls back and checkpoints, SIGQUIT drops everything. */
	readonly signal: 'INT' | 'QUIT'
	readonly log: (line: string) => void
	/** Its pipes do not keep this process alive; it ends with us all the same. */
	readonly background: boolean
	readonly clock: Pick<Clock, 'after'>
}

/** A running postmaster and the guard that ends it when we do. */
export interface Postmaster {
	pid(): number
	/** Its last words. Nothing of its processes is left then, if nobody killed the guard. */
	readonly ended: Promise<string>
	stop(): Promise<void>
}

const READY = /database system is ready to accept connections/
const WORDS = 20
/** Longer than a checkpoint on a slow disk; then it ends at once and recovers at the next start. */
const STOP_MS = 60_000

/** The environment of the server holds keys and passwords: nothing of it goes to other programs. */
export const bareEnvironment = (): NodeJS.ProcessEnv => ({ PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', TMPDIR: tmpdir() })

/** Resolves when it takes connections. Throws `Fault` database-unavailable with its last words, or database-full, data-in-use. */
export async function startPostmaster({ binary, args, data, runner, signal, log, background, clock }: PostmasterConfig): Promise<Postmaster> {
	const guard = spawn('/bin/sh', ['-c', GUARD, 'latchwork-postgres-guard', signal, binary, ...args], {
		...runner,
		cwd: data,
		env: bareEnvironment(),
		stdio: ['pipe', 'pipe', 'pipe'],
		detached: true,
	})
	const words: string[] = []
	let pid = -1
	guard.stdin.on('error', () => {})
	createInterface({ input: guard.stdout }).once('line', (line) => (pid = Number(line)))
	const ended = new Promise<string>((resolve) => {
		const tell = (how: unknown) => resolve(words.join('\n') || `It ended by itself (${how}).`)
		// A killed guard leaves its pipes to the postmaster, which lives: they do not close.
		guard.once('exit', (_, killed) => killed && tell(killed))
		guard.once('close', (code) => tell(`exit code ${code}`))
		guard.once('error', (cause) => tell(cause.message))
	})
	await new Promise<void>((resolve, reject) => {
		createInterface({ input: guard.stderr }).on('line', (line) => {
			words.push(line)
			if (words.length > WORDS) words.shift()
			if (READY.test(line)) resolve()
			else if (/ (?:FATAL|PANIC): /.test(line)) log(`PostgreSQL: ${line}`)
		})
		void ended.then((last) => reject(startFault(last)))
	})
	if (background) for (const handle of [guard, guard.stdin, guard.stdout, guard.stderr]) (handle as unknown as { unref(): void }).unref()
	return {
		pid: () => pid,
		ended,
		async stop() {
			guard.ref()
			guard.stdin.end()
			const cancel = clock.after(STOP_MS, () => signalTo(pid, 'SIGQUIT'))
			await ended
			cancel()
		},
	}
}

export const isFull = (words: string): boolean => /No space left on device|Disk quota exceeded/.test(words)

function startFault(words: string): Fault {
	if (/No space left on device|Disk quota exceeded/.test(words))
		return new Fault('database-full', `There is no room left for the database:\n${words}`)
	if (/lock file "[^"]*" already exists|pre-existing shared memory block/.test(words))
		return new Fault('data-in-use', `Another PostgreSQL uses this database:\n${words}`)
	return new Fault('database-unavailable', `The embedded PostgreSQL does not start:\n${words}`)
}

/** Process ids of everything that runs in the cluster's directory; a stale postmaster.pid may name a process of somebody else. */
export function processesIn(data: string): number[] {
	return list('/proc')
		.filter((name) => /^\d+$/.test(name) && link(`/proc/${name}/cwd`) === data && /\bpostgres\b/.test(read(`/proc/${name}/cmdline`)))
		.map(Number)
}

const PATIENCE_MS = 15_000
const LOOK_MS = 20

/** What an earlier start left running, because its guard was killed too, is ended: fast, then hard. Whoever calls it owns the directory. */
export async function endOrphans(data: string, clock: Pick<Clock, 'after' | 'mono'>, log: (line: string) => void): Promise<void> {
	for (const [signal, patience] of [
		['SIGINT', PATIENCE_MS],
		['SIGQUIT', PATIENCE_MS],
		['SIGKILL', PATIENCE_MS],
	] as const) {
		const left = processesIn(data)
		if (left.length === 0) break
		log(`Ending a PostgreSQL that an earlier start left running (${left.join(', ')}).`)
		for (const pid of postmasterAmong(data, left)) signalTo(pid, signal)
		for (const until = clock.mono() + patience; clock.mono() < until && processesIn(data).length > 0; ) await sleep(clock, LOOK_MS)
	}
	if (processesIn(data).length > 0) throw new Fault('data-in-use', `A PostgreSQL that cannot be ended uses ${data}.`)
	rmSync(join(data, 'postmaster.pid'), { force: true })
}

export function endNow(data: string, pid: number, clock: Pick<Clock, 'mono'>): void {
	signalTo(pid, 'SIGQUIT')
	const pause = new Int32Array(new SharedArrayBuffer(4))
	for (const until = clock.mono() + PATIENCE_MS; processesIn(data).length > 0 && clock.mono() < until; ) Atomics.wait(pause, 0, 0, 5)
}

/** Signals go to the postmaster alone if it lives, which ends its children; else to those that it left. */
function postmasterAmong(data: string, pids: readonly number[]): readonly number[] {
	const named = Number(read(join(data, 'postmaster.pid')).split('\n')[0])
	return pids.includes(named) ? [named] : pids
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
	// What has not started has no number, and -1 would mean everybody.
	if (pid <= 0) return
	try {
		process.kill(pid, signal)
	} catch {
		// It ended meanwhile.
	}
}

// A process may end while it is being looked at: what is gone reads as nothing.
const read = (path: string): string => orElse('', () => readFileSync(path, 'utf8'))
const list = (path: string): string[] => orElse([], () => readdirSync(path))
const link = (path: string): string => orElse('', () => readlinkSync(path))
function orElse<T>(fallback: T, get: () => T): T {
	try {
		return get()
	} catch {
		return fallback
	}
}
