import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, isFault } from '@latchwork/core/base'
import { type DriverClock, openTransport, type Transport, type TransportAddress } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'

/** Where a person says that hardware is: behind a controller's `edge.json`, or at the end of a line. */
export type Place =
	| { readonly kind: 'config'; readonly path: string }
	| { readonly kind: 'line'; at(baud: number): TransportAddress; readonly serial: boolean }

/** What each step of a commissioning act needs of the world. */
export interface Act {
	readonly clock: DriverClock
	readonly say: (line: string) => void
}

export const realAct = (): Act => ({
	clock: { mono: systemClock.mono, after: systemClock.after, random: (n) => new Uint8Array(randomBytes(n)) },
	say: (line) => void process.stdout.write(`${line}\n`),
})

/** `edge.json` or its folder, a device, or `host:port`. Throws `Fault` config-invalid or not-found. */
export function placeOf(text: string | undefined): Place {
	if (!text)
		throw new Fault('config-invalid', 'Say where the hardware is: an edge.json, a device such as /dev/serial/by-id/…, or HOST:PORT of a gateway.')
	const found = statSync(text, { throwIfNoEntry: false })
	if (found?.isDirectory()) return configAt(join(text, 'edge.json'))
	if (found?.isFile() || text.endsWith('.json')) return configAt(text)
	const [, host, port] = /^([^/]+):(\d+)$/.exec(text) ?? []
	if (host && !found) return { kind: 'line', serial: false, at: () => ({ kind: 'tcp', host, port: Number(port) }) }
	if (!found) throw new Fault('not-found', `There is no ${text}. List the serial ports with: ls /dev/serial/by-id`)
	return { kind: 'line', serial: true, at: (baud) => ({ kind: 'serial', path: text, baud }) }
}

function configAt(path: string): Place {
	if (!existsSync(path)) throw new Fault('not-found', `There is no ${path}.`)
	return { kind: 'config', path }
}

/** Opens a line for one act and closes it afterwards, whatever happens. Throws `Fault` transport-closed when nothing is there. */
export async function onLine<T>(address: TransportAddress, clock: DriverClock, act: (io: Transport) => Promise<T>): Promise<T> {
	const io = await openTransport(address, clock)
	try {
		await io.reopen().catch((cause: unknown) => {
			if (isFault(cause, 'transport-denied')) throw cause
			throw new Fault('transport-closed', `${nameOf(address)} cannot be opened. Is it plugged in, and is the controller stopped?`, { cause })
		})
		return await act(io)
	} finally {
		await io.close()
	}
}

export const nameOf = (address: TransportAddress): string =>
	address.kind === 'serial' ? `${address.path} at ${address.baud} baud` : `${address.host}:${address.port}`

export function wholeNumber(text: string | undefined, name: string, most: number): number {
	const value = Number(text)
	if (text === undefined || !/^\d+$/.test(text) || value > most) throw new Fault('config-invalid', `${name} is a number from 0 to ${most}.`)
	return value
}

export function baudOf(text: unknown, usual = 9_600): number {
	if (text === undefined) return usual
	const baud = Number(text)
	if (!Number.isInteger(baud) || baud < 300 || baud > 1_000_000)
		throw new Fault('config-invalid', '--baud is a speed in bits a second, such as 19200.')
	return baud
}
