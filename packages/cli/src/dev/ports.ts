import { createServer } from 'node:net'
import { Fault } from '@latchwork/core/base'

const DEFAULT_PORT = 4180

/**
 * `count` free ports next to each other: from the one that was asked for, or it is an error; otherwise the next free run of them, so that two
 * installations work side by side. The kiosk comes first, then the virtual bank.
 */
export async function choosePorts(asked: number | undefined, count: number): Promise<readonly number[]> {
	for (let port = asked ?? DEFAULT_PORT; port < DEFAULT_PORT + 200 || asked !== undefined; port += count) {
		const run = Array.from({ length: count }, (_, i) => port + i)
		const taken = (await Promise.all(run.map(isFree))).indexOf(false)
		if (taken < 0) return run
		if (asked !== undefined)
			throw new Fault(
				'port-in-use',
				`Port ${run[taken]} is taken by another program (${port} to ${port + count - 1} are needed). Choose others with LATCHWORK_PORT.`,
			)
	}
	throw new Fault('port-in-use', `No ${count} free ports in a row from ${DEFAULT_PORT} on. Name the first with LATCHWORK_PORT.`)
}

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer()
		probe.once('error', () => resolve(false))
		probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
	})
}
