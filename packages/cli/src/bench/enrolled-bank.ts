import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Id } from '@latchwork/core/base'
import { enrolOnce } from '@latchwork/edge/enrolment'
import { badge, type MeasuredBank } from './bank.ts'
import type { HardwarePlan, Lines } from './hardware.ts'

/** A bank of a server that runs, for the process that plays its controller. */
export interface EnrolledPlan {
	readonly hardware: HardwarePlan
	readonly reader: Id<'reader'>
	readonly compartments: readonly {
		readonly id: Id<'compartment'>
		readonly number: number
		readonly bus: string
		readonly board: number
		readonly channel: number
	}[]
	/** The device port. */
	readonly device: string
	readonly claim: string
}

export interface EnrolledBank extends Omit<MeasuredBank, 'configure'> {
	configure(lines: Lines, web: string): Promise<string>
}

/** Enrols as a machine that was unpacked; from then on it reaches the server through the relay alone. */
export function enrolledBank(folder: string, plan: EnrolledPlan, relay?: Relay): EnrolledBank {
	const { hardware, reader, compartments, device, claim } = plan
	return {
		hardware,
		badge,
		async configure(lines, web) {
			mkdirSync(folder, { recursive: true, mode: 0o700 })
			writeFileSync(join(folder, 'reader.key'), hardware.readerKey, { mode: 0o600 })
			const wiring = {
				port: 0,
				web,
				buses: hardware.buses.map((b) => ({ ...b, family: 'kr16', product: 'CU16', transport: lines.buses[b.id] })),
				readers: [{ id: reader, family: 'osdp', transport: lines.reader, address: 1, key: 'reader.key' }],
				compartments: compartments.map(({ id, bus, board, channel }) => ({ id, bus, board, channel })),
			}
			const file = join(folder, 'wiring.json')
			writeFileSync(file, JSON.stringify(wiring))
			const path = join(folder, 'edge.json')
			await enrolOnce({ server: device, claim, config: file, path })
			if (relay) writeFileSync(path, readFileSync(path, 'utf8').replaceAll(`:${new URL(device).port}`, `:${relay.port}`))
			return path
		},
	}
}

/** The network between a controller and its server, which can be cut: bytes go through, and nothing is changed. */
export interface Relay {
	readonly port: number
	cut(): void
	mend(): void
	close(): Promise<void>
}

export async function openRelay(to: string): Promise<Relay> {
	const { hostname, port } = new URL(to)
	const sockets = new Set<Socket>()
	let whole = true
	const server = createServer({ noDelay: true }, (near) => {
		if (!whole) return near.destroy()
		const far = connect({ host: hostname, port: Number(port), noDelay: true })
		for (const [one, other] of [
			[near, far],
			[far, near],
		] as const) {
			sockets.add(one)
			one.pipe(other)
			one.on('error', () => {})
			one.on('close', () => {
				sockets.delete(one)
				other.destroy()
			})
		}
	})
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
	const cut = () => {
		whole = false
		for (const socket of sockets) socket.destroy()
	}
	return {
		port: (server.address() as AddressInfo).port,
		cut,
		mend() {
			whole = true
		},
		close: () =>
			new Promise((done) => {
				server.close(() => done())
				cut()
			}),
	}
}
