import type { DevConfig } from '../config.ts'
import { startAlone } from './alone.ts'
import { checkDirectory, takeDirectory } from './directory.ts'
import type { Running } from './parts.ts'
import { choosePorts } from './ports.ts'
import { builtWeb } from './web.ts'
import { startWhole } from './whole.ts'

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
