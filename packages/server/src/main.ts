import { gate } from './access/index.ts'
import { forgetBadgeUses } from './cases/index.ts'
import type { ServerConfig } from './config.ts'
import { forgetKeys, httpServer } from './http/index.ts'
import { openInstallation } from './installation.ts'
import { firstStart, type NewPassword } from './organisation.ts'
import type { Parts, ServerHost } from './parts.ts'
import { forgetTries } from './people/index.ts'
import { routesOf } from './routes.ts'
import { forgetReadings } from './space/index.ts'
import type { Store } from './store/index.ts'
import { VERSION } from './version.ts'
import { openWorks, pace } from './works.ts'

export interface RunningServer {
	readonly url: string
	readonly store: Store
	/** `https://…` of the device port; undefined while another process of this installation has it. */
	device(): string | undefined
	/** Process ids of the broker child and of the database that comes along; undefined where another one is used. */
	broker(): number | undefined
	database(): number | undefined
	/** Of the very first start: said once, kept nowhere. */
	readonly first: NewPassword | undefined
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
		const { parts, database, close } = await openInstallation(config, host, 'serve')
		opened.unshift(close)
		const { store, master } = parts
		const works = await openWorks(parts)
		opened.unshift(works.close)
		const http = await httpServer({
			routes: routesOf(parts, { requested: works.link.requested, watch: works.watch, pace, device: works.device }),
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
		return { url: http.url, device: works.device, broker: works.link.pid, database, store, first, stop }
	} catch (fault) {
		await stop()
		throw fault
	}
}

const SWEEP_MS = 3_600_000

/** Once an hour what nobody asks for any more is forgotten: answers and failed sign-ins older than a day, badges that were read, and where badges were used. */
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
					await forgetReadings(tx, now)
					await forgetBadgeUses(tx, now)
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
