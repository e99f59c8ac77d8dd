import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { Fault } from '@latchwork/core/base'
import type { DriverClock, Transport, TransportAddress } from './contract.ts'
import { reconnecting } from './reconnect.ts'

/** Start bit, eight data bits, no parity, stop bit: all boards and readers of hardware.md §1 and §2 use 8N1. */
const BITS_PER_CHARACTER = 10

/** A serial port, 8N1. Give the by-id path: plain names swap when two adapters restart (hardware.md §1.9). */
export function serialTransport(address: Extract<TransportAddress, { kind: 'serial' }>, clock: DriverClock): Promise<Transport> {
	const dial: Parameters<typeof reconnecting>[0] = async (events) => {
		await permitted(address.path)
		// Loaded on first use, so that a controller with TCP gateways only runs without the native binding.
		const { SerialPort } = await import('serialport')
		const port = new SerialPort({ path: address.path, baudRate: address.baud, autoOpen: false })
		port.on('data', (bytes: Buffer) => events.data(bytes))
		port.on('close', () => events.lost())
		port.on('error', () => events.lost())
		await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())))
		return {
			// The callback may carry an error, but then bytes may have left all the same.
			write: (bytes, written) => void port.write(bytes, () => written()),
			destroy: () => {
				if (port.isOpen) port.close(() => {})
			},
		}
	}
	return reconnecting(dial, clock, (BITS_PER_CHARACTER * 1000) / address.baud)
}

/** The binding reports refusals as text only; the file system has codes. */
async function permitted(path: string): Promise<void> {
	try {
		await access(path, constants.R_OK | constants.W_OK)
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? error.code : undefined
		if (code !== 'EACCES' && code !== 'EPERM') throw error
		throw new Fault('transport-denied', `No permission to use ${path}. Add this user to the group that owns it: usermod -aG dialout <user>`, {
			detail: { path },
			cause: error,
		})
	}
}
