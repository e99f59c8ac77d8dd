import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault, type Id } from '@latchwork/core/base'
import { type BankLayout, virtualState } from '@latchwork/core/wire'
import type { TransportAddress } from '@latchwork/drivers/transport'
import { writeJson, writeText } from '@latchwork/edge/durable'
import type { VirtualBankPlan } from '../virtual/hardware.ts'
import type { VirtualPlan } from '../virtual/main.ts'
import { startChild } from './child.ts'
import { BOARDS } from './demo.ts'
import type { DevReady } from './parts.ts'

/** A bank of the demo: what its hardware is, and where each of its compartments hangs. */
export interface DemoBank {
	readonly id: Id<'bank'>
	readonly name: string
	readonly layout: BankLayout
	readonly reader: Id<'reader'>
	/** Hex. */
	readonly readerKey: string
	readonly compartments: readonly { readonly id: Id<'compartment'>; readonly number: number; readonly board: number; readonly channel: number }[]
}

/** The metal of it: `inside` are tags by door, `outside` what lies about in front of it. */
export const metalOf = (bank: DemoBank, inside: ReadonlyMap<number, string>, outside: readonly string[]): VirtualBankPlan => ({
	id: bank.id,
	name: bank.name,
	layout: bank.layout,
	family: 'kr16',
	boards: BOARDS,
	compartments: bank.compartments.map(({ number, board, channel }) => {
		const tag = inside.get(number)
		return { number, board, channel, ...(tag !== undefined && { tag }) }
	}),
	reader: { address: 1, key: bank.readerKey },
	outside,
})

interface Lines {
	readonly id: string
	readonly bus: TransportAddress
	readonly reader: TransportAddress
	readonly scanner: TransportAddress
}
export interface Metal {
	readonly url: string
	readonly pid: number
	/** How this controller is wired to it: the part of `edge.json` that no server knows. The reader's key goes into a file of its own. */
	wiring(bank: DemoBank, at: { readonly port: number; readonly web: string; readonly readerKey: string; readonly clock?: string }): object
	/** The demo's parcels and where they lie now. */
	parcels(): Promise<DevReady['parcels']>
	/** Rejects when it ended without being asked to. */
	readonly failed: Promise<never>
	stop(): Promise<void>
}

/** Plays the hardware of all banks in a process of its own. */
export async function startMetal(
	plan: VirtualPlan,
	files: { readonly virtualPlan: string; readonly cache: string },
	log: (line: string) => void,
): Promise<Metal> {
	writeJson(files.virtualPlan, plan)
	const program = join(fileURLToPath(new URL('../', import.meta.url)), 'virtual', 'main.ts')
	const child = startChild(program, [files.virtualPlan], 'VIRTUAL', files.cache, log)
	let stopping = false
	const failed = child.ended.then(() =>
		stopping
			? new Promise<never>(() => {})
			: Promise.reject(new Fault('transport-closed', 'The virtual bank ended. Start again; its doors and items are kept.')),
	)
	failed.catch(() => {})
	const { url, banks } = (await child.ready) as { url: string; banks: readonly Lines[] }
	return {
		url,
		pid: child.pid,
		wiring({ id, reader, readerKey, compartments }, at) {
			const lines = banks.find((b) => b.id === id)
			if (!lines) throw new Fault('config-invalid', 'The virtual bank does not play the bank of this data directory.')
			writeText(at.readerKey, readerKey)
			return {
				port: at.port,
				web: at.web,
				...(at.clock !== undefined && { clock: at.clock }),
				buses: [{ id: 'bus-1', family: 'kr16', product: 'CU16', transport: lines.bus, boards: BOARDS.map((b) => b.board) }],
				readers: [
					{ id: reader, family: 'osdp', transport: lines.reader, address: 1, key: at.readerKey },
					{ id: reader, family: 'scanner', transport: lines.scanner },
				],
				compartments: compartments.map(({ id: compartment, board, channel }) => ({ id: compartment, bus: 'bus-1', board, channel })),
			}
		},
		async parcels() {
			const { parcels } = virtualState.parse(await (await fetch(`${url}/state`)).json())
			return parcels.map(({ order, tag, code, expected, door }) => ({ order, tag, code, expected, ...(door !== undefined && { door }) }))
		},
		failed,
		stop: () => {
			stopping = true
			return child.stop()
		},
	}
}
