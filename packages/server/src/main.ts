import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault, type Random, toHex } from '@latchwork/core/base'
import { gate } from './access/index.ts'
import { keyBytes, type ServerConfig } from './config.ts'
import { type FirstAdministrator, firstStart } from './first-start.ts'
import { forgetKeys, httpServer } from './http/index.ts'
import type { Parts, ServerHost } from './parts.ts'
import { forgetTries, installationKey, type PeopleTerms, passwords } from './people/index.ts'
import { routesOf } from './routes.ts'
import { migrate, openStore, type Store, sealingKey, startEmbedded } from './store/index.ts'
import { VERSION } from './version.ts'
import { openWorks, pace } from './works.ts'

interface DatabaseUrls {
	readonly url: string
	readonly appUrl: string | undefined
	pid?(): number
}

export interface RunningServer {
	readonly url: string
	readonly store: Store
	/** `https://…` of the device port; undefined while another process of this installation has it. */
	device(): string | undefined
	/** Process ids of the broker child and of the database that comes along; undefined where another one is used. */
	broker(): number | undefined
	database(): number | undefined
	/** Of the very first start: said once, kept nowhere. */
	readonly first: FirstAdministrator | undefined
	/** Ends everything in the opposite order of its start. */
	stop(): Promise<void>
}

/** Database, tables, then the door: whoever gets an answer gets it from a server that is ready. */
export async function startServer(config: ServerConfig, host: ServerHost): Promise<RunningServer> {
	const opened: (() => Promise<void>)[] = []
	const stop = async () => {
		for (const close of opened.splice(0)) await close()
	}
	try {
		mkdirSync(config.data, { recursive: true, mode: 0o700 })
		const master = sealingKey(masterKeyBytes(config, host.random), host.random)
		const urls: DatabaseUrls = config.database ?? (await embedded(config, host, (close) => opened.unshift(close)))
		const { url, appUrl } = urls
		await migrate({
			url,
			appUrl,
			now: host.clock.now(),
			log: (text) => host.log({ level: 'info', text }),
		})
		const store = openStore({ url, appUrl, pool: config.pool })
		opened.unshift(store.close)
		const { random, clock } = host
		const installation = await store.system((tx) => installationKey(tx, master, random, clock.now()))
		const terms: PeopleTerms = { master, random, installation }
		const parts: Parts = { ...host, store, master, config, terms, passwords: passwords(installation, random) }
		const works = await openWorks(parts)
		opened.unshift(works.close)
		const http = await httpServer({
			routes: routesOf(parts, { requested: works.link.requested, watch: works.watch, pace }),
			store,
			gate,
			sealing: master,
			host,
			config: {
				host: config.host,
				port: config.port,
				version: VERSION,
				proxies: config.proxies,
				...(config.publicUrl && { publicUrl: config.publicUrl }),
				...(host.web !== undefined && { web: host.web }),
			},
		})
		opened.unshift(http.close)
		opened.unshift(sweep(parts))
		// Last: an owner whose password nobody was told could not be told it later, so nothing that can fail comes after.
		const first = await firstStart(parts)
		return { url: http.url, device: works.device, broker: works.link.pid, database: () => urls.pid?.(), store, first, stop }
	} catch (fault) {
		await stop()
		throw fault
	}
}

const SWEEP_MS = 3_600_000

/** Once an hour what nobody asks for any more is forgotten: answers and failed sign-ins older than a day. */
function sweep({ store, clock, log }: Parts): () => Promise<void> {
	let cancel = () => {}
	let sweeping = Promise.resolve()
	const plan = () => {
		cancel = clock.after(SWEEP_MS, () => {
			const now = clock.now()
			sweeping = store
				.system(async (tx) => {
					await forgetKeys(tx, now)
					await forgetTries(tx, now)
				})
				.catch((fault: unknown) => log({ level: 'warn', text: `Nothing was swept: ${fault instanceof Error ? fault.message : fault}` }))
				.finally(plan)
		})
	}
	plan()
	return async () => {
		cancel()
		await sweeping
		cancel()
	}
}

async function embedded(config: ServerConfig, { random, log, failed }: ServerHost, onStop: (close: () => Promise<void>) => void) {
	const database = await startEmbedded({
		directory: join(config.data, 'postgres'),
		clock: pace,
		random,
		log: (text) => log({ level: 'info', text }),
	})
	onStop(() => database.stop())
	void database.ended.then((words) => words !== undefined && failed(new Fault('database-unavailable', words)))
	return { url: database.url, appUrl: database.appUrl, pid: database.pid }
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
