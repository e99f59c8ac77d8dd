import { createServer, type Server, Socket } from 'node:net'
import type { Attach, DriverClock, EmulatedLine, Transport, TransportAddress } from './contract.ts'
import { type Dial, reconnecting } from './reconnect.ts'

const CONNECT_TIMEOUT_MS = 5000
/**
 * A gateway that was unplugged answers nothing and resets nothing, and what we write waits in the system's buffer. With
 * questions and no answer for this long the socket is reset, which throws the buffer away: a release frame must not reach
 * its board after the door session gave up (T_open is 10 s, trust.md R7).
 */
const DEAF_MS = 5000

/** A raw TCP socket to a serial gateway or board, without Nagle's delay. */
export function tcpTransport(address: Extract<TransportAddress, { kind: 'tcp' }>, clock: DriverClock): Promise<Transport> {
	const dial: Dial = async (events) => {
		const socket = new Socket()
		let unanswered: (() => void) | undefined
		const heard = () => {
			unanswered?.()
			unanswered = undefined
		}
		socket.setNoDelay(true)
		socket.on('data', (bytes: Buffer) => {
			heard()
			events.data(bytes)
		})
		socket.on('close', () => {
			heard()
			events.lost()
		})
		await connected(socket, address, clock)
		return {
			write(bytes, written) {
				unanswered ??= clock.after(DEAF_MS, () => socket.resetAndDestroy())
				socket.write(bytes, () => written())
			},
			destroy() {
				heard()
				socket.destroy()
			},
		}
	}
	return reconnecting(dial, clock, 0)
}

function connected(socket: Socket, address: { host: string; port: number }, clock: DriverClock): Promise<void> {
	return new Promise((resolve, reject) => {
		const cancel = clock.after(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error(`no answer from ${address.host}:${address.port}`)))
		socket.once('error', (error) => {
			cancel()
			reject(error)
		})
		// Later errors are always followed by 'close', which is where a loss is handled.
		socket.on('error', () => {})
		socket.connect(address, () => {
			cancel()
			resolve()
		})
	})
}

/** Emulated hardware behind a TCP port of the loopback interface; port 0 takes a free one, which `address` names. */
export async function listenTcp(
	attach: Attach,
	port = 0,
	host = '127.0.0.1',
): Promise<EmulatedLine & { readonly address: { kind: 'tcp'; host: string; port: number } }> {
	const sockets = new Set<Socket>()
	let server: Server | undefined
	const listen = async (at: number): Promise<number> => {
		const fresh = createServer((socket) => {
			sockets.add(socket)
			socket.setNoDelay(true)
			const detach = attach({
				write: (bytes) => void (socket.writable && socket.write(bytes)),
				onData(listener) {
					const onData = (bytes: Buffer) => listener(bytes)
					socket.on('data', onData)
					return () => void socket.off('data', onData)
				},
			})
			socket.on('error', () => {})
			socket.on('close', () => {
				sockets.delete(socket)
				detach()
			})
		})
		await new Promise<void>((resolve, reject) => fresh.once('error', reject).listen(at, host, resolve))
		server = fresh
		const bound = fresh.address()
		return typeof bound === 'object' && bound ? bound.port : at
	}
	const cut = async () => {
		const open = server
		server = undefined
		if (!open) return
		const ended = new Promise<void>((resolve) => open.close(() => resolve()))
		for (const socket of sockets) socket.resetAndDestroy()
		await ended
	}
	const bound = await listen(port)
	return {
		address: { kind: 'tcp', host, port: bound },
		cut,
		async restore() {
			if (!server) await listen(bound)
		},
		close: cut,
	}
}
