import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Clock, Fault, type Random, toHex } from '@latchwork/core/base'
import { keyBytes, type ServerConfig } from './config.ts'
import { healthRoutes } from './health-routes.ts'
import { type Gate, httpServer, type Route } from './http/index.ts'
import { type MasterKey, migrate, openStore, type Store, sealingKey, startEmbedded } from './store/index.ts'

/** What the server gets from whoever starts it: time, chance, a place for its log lines. */
export interface ServerHost {
	readonly clock: Clock
	readonly random: Random
	readonly log: (entry: Readonly<Record<string, unknown>>) => void
	/** Something that the server cannot live without ended for good; whoever keeps this process starts it anew. */
	readonly failed: (fault: Fault) => void
}

/** What the parts of a server are made of. */
export interface Parts extends ServerHost {
	readonly store: Store
	readonly master: MasterKey
	readonly config: ServerConfig
}

export interface RunningServer {
	readonly url: string
	readonly store: Store
	/** Ends everything in the opposite order of its start. */
	stop(): Promise<void>
}

const VERSION = '0.1.0'

/** Database, tables, then the door: whoever gets an answer gets it from a server that is ready. */
export async function startServer(config: ServerConfig, host: ServerHost): Promise<RunningServer> {
	const opened: (() => Promise<void>)[] = []
	const stop = async () => {
		for (const close of opened.splice(0)) await close()
	}
	try {
		mkdirSync(config.data, { recursive: true, mode: 0o700 })
		const master = sealingKey(masterKeyBytes(config, host.random), host.random)
		const urls = config.database ?? (await embedded(config, host, (close) => opened.unshift(close)))
		await migrate({
			...urls,
			now: host.clock.now(),
			log: (text) => host.log({ level: 'info', text }),
		})
		const store = openStore({ ...urls, pool: config.pool })
		opened.unshift(store.close)
		const parts: Parts = { ...host, store, master, config }
		const http = await httpServer({
			routes: routesOf(parts),
			store,
			gate: gateOf(),
			sealing: master,
			host,
			config: {
				host: config.host,
				port: config.port,
				version: VERSION,
				proxies: config.proxies,
				...(config.publicUrl && { publicUrl: config.publicUrl }),
			},
		})
		opened.unshift(http.close)
		return { url: http.url, store, stop }
	} catch (fault) {
		await stop()
		throw fault
	}
}

/** The API. Each domain adds its routes here. */
export function routesOf({ store }: Parts): Route[] {
	return [...healthRoutes(store, VERSION)]
}

function gateOf(): Gate {
	return { claimOf: () => undefined, identify: async () => undefined }
}

/** A process is waited for in real time, also where the site's time is moved or stands still. */
const processClock: Pick<Clock, 'after' | 'mono'> = {
	mono: () => performance.now(),
	after(ms, run) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
}

async function embedded(config: ServerConfig, { random, log, failed }: ServerHost, onStop: (close: () => Promise<void>) => void) {
	const database = await startEmbedded({
		directory: join(config.data, 'postgres'),
		clock: processClock,
		random,
		log: (text) => log({ level: 'info', text }),
	})
	onStop(() => database.stop())
	void database.ended.then((words) => words !== undefined && failed(new Fault('database-unavailable', words)))
	return { url: database.url, appUrl: database.appUrl }
}

/** Made at the first start, for this user alone; without it nothing that is sealed in the database can be read again. */
function masterKeyBytes({ masterKey }: ServerConfig, random: Random): Uint8Array {
	if ('bytes' in masterKey) return masterKey.bytes
	const { file } = masterKey
	if (!existsSync(file)) {
		mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
		writeFileSync(file, `${toHex(random(32))}\n`, { mode: 0o600, flag: 'wx' })
	}
	if ((statSync(file).mode & 0o077) !== 0)
		throw new Fault('config-invalid', `${file} can be read by others. It is the master key: \`chmod 600\` it, and ask who has read it.`)
	return keyBytes(file, readFileSync(file, 'utf8'))
}
