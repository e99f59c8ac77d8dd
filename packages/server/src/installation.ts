import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, isFault } from '@latchwork/core/base'
import type { ServerConfig } from './config.ts'
import { masterKeyBytes } from './master-key.ts'
import type { Parts, ServerHost } from './parts.ts'
import { installationKey, passwords } from './people/index.ts'
import { besideEmbedded, migrate, openStore, sealingKey, startEmbedded } from './store/index.ts'
import { pace } from './works.ts'

/** Keys and a database whose tables are up to date: what everything else of a server stands on. */
export interface Installation {
	readonly parts: Parts
	/** Process id of the database that comes along; undefined where it is not ours. */
	database(): number | undefined
	close(): Promise<void>
}

/**
 * `serve`: for a server, which makes what is not there yet. `visit`: for a command beside a server that may be running, or not: it makes no key, and uses
 * the embedded database of whoever runs it.
 */
export async function openInstallation(config: ServerConfig, host: ServerHost, how: 'serve' | 'visit'): Promise<Installation> {
	const { random, clock, log } = host
	const opened: (() => Promise<void>)[] = []
	const close = async () => {
		for (const end of opened.splice(0)) await end()
	}
	try {
		if (how === 'serve') mkdirSync(config.data, { recursive: true, mode: 0o700 })
		const master = sealingKey(masterKeyBytes(config, random, how), random)
		const { url, appUrl, pid } = await databaseOf(config, host, how, (end) => opened.unshift(end))
		await migrate({ url, appUrl, now: clock.now(), log: (text) => log({ level: 'info', text }) })
		const store = openStore({ url, appUrl, pool: config.pool })
		opened.unshift(store.close)
		const installation = await store.system((tx) => installationKey(tx, master, random, clock.now()))
		const terms = { master, random, installation }
		return {
			parts: { ...host, store, master, config, terms, passwords: passwords(installation, random) },
			database: () => pid?.(),
			close,
		}
	} catch (fault) {
		await close()
		throw fault
	}
}

interface Database {
	readonly url: string
	readonly appUrl: string | undefined
	pid?(): number
}

async function databaseOf(
	config: ServerConfig,
	{ random, log, failed }: ServerHost,
	how: 'serve' | 'visit',
	onStop: (close: () => Promise<void>) => void,
): Promise<Database> {
	if (config.database) return config.database
	const directory = join(config.data, 'postgres')
	try {
		const database = await startEmbedded({ directory, clock: pace, random, log: (text) => log({ level: 'info', text }) })
		onStop(() => database.stop())
		void database.ended.then((words) => words !== undefined && failed(new Fault('database-unavailable', words)))
		return { url: database.url, appUrl: database.appUrl, pid: database.pid }
	} catch (fault) {
		if (how === 'visit' && isFault(fault, 'data-in-use')) return besideEmbedded(directory)
		throw fault
	}
}
