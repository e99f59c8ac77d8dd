import { join } from 'node:path'
import { type Clock, Fault, type Random, sleep } from '@latchwork/core/base'
import { findBinaries } from './binaries.ts'
import { ensureCluster, ensureDatabase, ownerUrl, requestsUrl } from './cluster.ts'
import { lockDirectory } from './lock.ts'
import { clearSockets, leavePlace, type Place, placeFault, takePlace } from './place.ts'
import { endNow, endOrphans, type Postmaster, type PostmasterConfig, startPostmaster } from './postmaster.ts'

export interface EmbeddedConfig {
	/** Ours alone: cluster, password and sockets lie in it. */
	readonly directory: string
	/** Real time: it waits for processes, which a moved clock does not hasten. */
	readonly clock: Pick<Clock, 'after' | 'mono'>
	readonly random: Random
	readonly log: (line: string) => void
	/** Data that nobody needs tomorrow: nothing is synced, it ends at once, and it keeps no process alive. For tests. */
	readonly throwaway?: boolean
}

export interface Embedded {
	/** Of the owner, over a socket that only this user may reach, with a password that only this directory knows. Stays the same over restarts. */
	readonly url: string
	/** Of the login of requests. */
	readonly appUrl: string
	/** Of the postmaster that runs now. */
	pid(): number
	/** Resolves when it ended for good: with undefined after `stop`, with its last words after too many ends in a row. */
	readonly ended: Promise<string | undefined>
	stop(): Promise<void>
	/** For a handler of a process's exit, where nothing can be awaited: drops what is under way, and returns when nothing runs any more. */
	endNow(): void
}

/** Waits before the next start after so many ends in a row, in milliseconds; then it gives up. */
const WAITS = [0, 100, 500, 1_000, 2_000, 5_000, 10_000]
/** Who has lived that long has started well. */
const WELL_MS = 60_000

/**
 * PostgreSQL out of the box: made once, started, started again when it dies, ended when this process ends in whatever way.
 * Throws `Fault` prerequisite-missing, config-invalid, data-in-use, data-newer, database-full, database-unavailable.
 */
export async function startEmbedded(config: EmbeddedConfig): Promise<Embedded> {
	const { clock, log, random, throwaway = false } = config
	const place = takePlace(config.directory)
	const lock = lockDirectory(place.root)
	let postmaster: Postmaster | undefined
	try {
		const native = findBinaries(place)
		const start = async () => {
			await endOrphans(place.data, clock, log)
			clearSockets(place)
			return startPostmaster(postmasterOf(place, native, config))
		}
		await endOrphans(place.data, clock, log)
		await ensureCluster(place, native, random, !throwaway)
		postmaster = await start()
		await ensureDatabase(place)
		const kept = keepRunning(postmaster, start, config)
		return {
			url: ownerUrl(place),
			appUrl: requestsUrl(place),
			pid: kept.pid,
			ended: kept.ended.finally(() => {
				leavePlace(place)
				lock.close()
			}),
			stop: kept.stop,
			endNow() {
				endNow(place.data, kept.pid(), clock)
				leavePlace(place)
			},
		}
	} catch (cause) {
		await postmaster?.stop()
		leavePlace(place)
		lock.close()
		throw placeFault(place.root, cause)
	}
}

/** Of a database that another process of this machine keeps running in the directory: for a short visit beside it. */
export function besideEmbedded(directory: string): Pick<Embedded, 'url' | 'appUrl'> {
	const place = takePlace(directory)
	return { url: ownerUrl(place), appUrl: requestsUrl(place) }
}

/** Starts it again when it ends unasked. */
function keepRunning(first: Postmaster, start: () => Promise<Postmaster>, { clock, log }: EmbeddedConfig) {
	const stopping = new AbortController()
	let current = first
	const follow = async (): Promise<string | undefined> => {
		for (let ends = 0; ; ends++) {
			const began = clock.mono()
			let words = await current.ended
			if (clock.mono() - began > WELL_MS) ends = 0
			for (; ; ends++) {
				const wait = WAITS[ends]
				if (stopping.signal.aborted) return undefined
				if (wait === undefined) return words
				log('The embedded PostgreSQL ended unasked and is started again.')
				try {
					await sleep(clock, wait, stopping.signal)
					current = await start()
					break
				} catch (cause) {
					words = cause instanceof Fault ? cause.message : String(cause)
				}
			}
			// Stopped while it was starting: it has not heard of that.
			if (stopping.signal.aborted) await current.stop()
		}
	}
	const ended = follow()
	return {
		ended,
		pid: () => current.pid(),
		async stop() {
			stopping.abort()
			await current.stop()
			await ended
		},
	}
}

function postmasterOf(place: Place, native: string, { throwaway = false, clock, log }: EmbeddedConfig): PostmasterConfig {
	const settings = {
		listen_addresses: '',
		unix_socket_directories: place.sockets,
		unix_socket_permissions: '0700',
		// More than the largest pool, with some for LISTEN, locks and whoever looks.
		max_connections: '250',
		// Failures reach us as answers: no statement and no row is written to a log.
		log_min_messages: 'log',
		log_min_error_statement: 'panic',
		log_checkpoints: 'off',
		...(throwaway && {
			fsync: 'off',
			synchronous_commit: 'off',
			full_page_writes: 'off',
			wal_level: 'minimal',
			max_wal_senders: '0',
			deadlock_timeout: '50ms',
			dynamic_shared_memory_type: 'mmap',
		}),
	}
	return {
		binary: join(native, 'bin/postgres'),
		args: ['-D', place.dataArgument, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
		data: place.data,
		runner: place.runner,
		signal: throwaway ? 'QUIT' : 'INT',
		background: throwaway,
		clock,
		log,
	}
}
