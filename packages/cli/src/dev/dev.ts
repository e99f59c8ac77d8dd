import type { DevConfig } from '../config.ts'
import { startAlone } from './alone.ts'
import { checkDirectory, takeDirectory } from './directory.ts'
import { choosePorts } from './ports.ts'
import { builtWeb } from './web.ts'
import { startWhole } from './whole.ts'

export interface DevReady {
	/** Of the first bank. */
	readonly kiosk: string
	readonly virtual: string
	readonly dataDir: string
	readonly pids: {
		readonly dev: number
		edge: number
		readonly virtual: number
		readonly edges?: readonly number[]
		readonly server?: number
		readonly broker?: number
		readonly database?: number
	}
	readonly people: readonly { readonly name: string; readonly badge: string; readonly pin: string }[]
	readonly parcels: readonly { readonly order: string; readonly tag: string; readonly code: string; readonly expected: boolean }[]
	/** What comes with the server: not there with `--alone`. */
	readonly console?: string
	/** The API lies under `{api}/v1`. */
	readonly api?: string
	readonly openapi?: string
	/** Bearer token of the demo administrator. */
	readonly token?: string
	readonly admin?: { readonly email: string; readonly password: string }
	readonly banks?: readonly { readonly id: string; readonly site: string; readonly controller: string; readonly kiosk: string }[]
}

export interface Running {
	readonly ready: DevReady
	readonly failed: Promise<never>
}

export interface DevParts {
	readonly config: DevConfig
	readonly log: (line: string) => void
	/** Built pages. */
	readonly web: string
	/** Free ones, next to each other. */
	readonly ports: readonly number[]
	/** What runs so far, to be ended in reverse: also when a later part does not start. */
	readonly open: (() => unknown)[]
}

/** Everything on this machine. Rejects with what did not start; nothing is left running then. */
export async function startDev(config: DevConfig, log: (line: string) => void): Promise<Running & { stop(): Promise<void> }> {
	// What can fail without the directory comes first: a start that fails leaves nothing there.
	checkDirectory(config)
	const web = builtWeb(log)
	const ports = await choosePorts(config.port, config.alone ? 2 : 5)
	const lock = takeDirectory(config, log)
	const open: (() => unknown)[] = [() => lock.close()]
	const stop = async () => {
		for (let end = open.pop(); end; end = open.pop()) await end()
	}
	try {
		const parts = { config, log, web, ports, open }
		return { ...(await (config.alone ? startAlone(parts) : startWhole(parts))), stop }
	} catch (fault) {
		await stop()
		throw fault
	}
}
