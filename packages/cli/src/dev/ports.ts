import { createServer } from 'node:net'
import { Fault } from '@latchwork/core/base'

const DEFAULT_PORT = 4180

export interface Ports {
	readonly kiosk: number
	readonly virtual: number
}

/** A port that was asked for is taken or it is an error; otherwise the next free pair, so that two installations run side by side. */
export async function choosePorts(asked: number | undefined): Promise<Ports> {
	for (let port = asked ?? DEFAULT_PORT; port < DEFAULT_PORT + 200 || asked !== undefined; port += 2) {
		const free = (await isFree(port)) && (await isFree(port + 1))
		if (free) return { kiosk: port, virtual: port + 1 }
		if (asked !== undefined)
			throw new Fault('port-in-use', `Port ${port} or ${port + 1} is taken by another program. Choose another with LATCHWORK_PORT.`)
	}
	throw new Fault('port-in-use', `No free pair of ports from ${DEFAULT_PORT} on. Name one with LATCHWORK_PORT.`)
}

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer()
		probe.once('error', () => resolve(false))
		probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
	})
}
