import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { badgeToBits } from '@latchwork/core/access'
import { sampleId } from '@latchwork/core/access/testing'
import { BOARD_EMULATORS, osdpReaderEmulator, scannerEmulator } from '@latchwork/drivers/emulators'
import { type Cabinet, createCabinet } from '@latchwork/drivers/testing'
import { listenTcp } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'

/** Of the badge reader's secure channel. */
const READER = { address: 1, key: Buffer.alloc(16, 9) }
const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

/** One lock board, a code scanner and, where it is asked for, a badge reader behind TCP, and the file that says how they are wired. */
export interface Hardware {
	readonly wiring: string
	readonly cabinet: Cabinet
	scan(text: string): void
	/** Holds a badge to the reader. */
	badge(number: string): void
	close(): Promise<void>
}

/** `clock`: a folder with a time that can be moved. */
export async function openHardware(
	folder: string,
	compartments: readonly { readonly id: string; readonly number: number }[],
	{ clock, reader = false }: { readonly clock?: string; readonly reader?: boolean } = {},
): Promise<Hardware> {
	const random = (n: number) => crypto.getRandomValues(new Uint8Array(n))
	const cabinet = createCabinet({ compartments: 16, clock: systemClock, random })
	const boards = BOARD_EMULATORS.kr16?.({ boards: [{ board: 0, cabinet }], clock: { ...systemClock, random } })
	assert.ok(boards)
	const scanner = scannerEmulator()
	const osdp = osdpReaderEmulator({ address: READER.address, key: READER.key, random, clock: systemClock, enforceSecure: true })
	const lines = { bus: await listenTcp(boards.attach), scanner: await listenTcp(scanner.attach), osdp: await listenTcp(osdp.attach) }
	const key = join(folder, 'reader.key')
	writeFileSync(key, READER.key.toString('hex'), { mode: 0o600 })
	const wiring = join(folder, 'wiring.json')
	mkdirSync(join(folder, 'page'), { recursive: true })
	writeFileSync(
		wiring,
		JSON.stringify({
			port: 0,
			web: 'page',
			...(clock !== undefined && { clock }),
			buses: [{ id: 'bus-1', family: 'kr16', product: 'CU16', transport: lines.bus.address, boards: [0] }],
			readers: [
				{ id: sampleId('reader', 'one'), family: 'scanner', transport: lines.scanner.address },
				...(reader ? [{ id: sampleId('reader', 'two'), family: 'osdp', transport: lines.osdp.address, address: READER.address, key }] : []),
			],
			compartments: compartments.map(({ id, number }) => ({ id, bus: 'bus-1', board: 0, channel: number - 1 })),
		}),
	)
	return {
		wiring,
		cabinet,
		scan: scanner.scan,
		badge(number) {
			const image = badgeToBits(number)
			assert.ok(image.ok, number)
			osdp.card({ format: 1, bitCount: image.bitCount, bits: image.bits })
		},
		close: async () => void (await Promise.all(Object.values(lines).map((line) => line.close()))),
	}
}

/** `latchwork edge …` in a process of its own. */
export interface ControllerProcess {
	readonly child: ChildProcess
	/** Resolves with the address of the kiosk, or rejects with what the program said when it ended. */
	readonly ready: Promise<string>
	readonly ended: Promise<{ code: number | null; said: string }>
}

export const runController = (...args: string[]): ControllerProcess => runControllerIn({}, ...args)

export function runControllerIn(environment: Readonly<Record<string, string>>, ...args: string[]): ControllerProcess {
	const child = spawn(process.execPath, [CLI, 'edge', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
	let said = ''
	child.stderr?.on('data', (part: Buffer) => {
		said += part
	})
	const ended = new Promise<{ code: number | null; said: string }>((done) => child.once('close', (code) => done({ code, said })))
	const ready = new Promise<string>((done, failed) => {
		createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
			if (line.startsWith('EDGE ')) done((JSON.parse(line.slice(5)) as { url: string }).url)
		})
		void ended.then((end) => failed(new Error(`it ended: ${JSON.stringify(end)}`)))
	})
	ready.catch(() => {})
	return { child, ready, ended }
}

export interface LinkedHealth {
	readonly link: { readonly online: boolean; readonly pending: number; readonly way: string }
	readonly bundle: number
	readonly problems: readonly string[]
	readonly doors: readonly { readonly door: number; readonly session?: string }[]
	readonly boards: readonly { readonly up: boolean }[]
	readonly readers: readonly { readonly online: boolean }[]
}

export const atWork = (h: LinkedHealth) => h.link.online && h.bundle > 0 && h.boards.every((b) => b.up) && h.readers.every((r) => r.online)

/** Asks until it is so; what came last is in the complaint. */
export async function untilSo<T>(ask: () => Promise<T>, wanted: (found: T) => boolean, what: string): Promise<T> {
	let last: T | undefined
	for (const began = performance.now(); performance.now() - began < 60_000; ) {
		last = await ask()
		if (wanted(last)) return last
		await new Promise((done) => setTimeout(done, 20))
	}
	assert.fail(`${what}: ${JSON.stringify(last)}`)
}

export const untilHealth = (url: string, wanted: (health: LinkedHealth) => boolean, what: string): Promise<LinkedHealth> =>
	untilSo(async () => (await (await fetch(`${url}health`)).json()) as LinkedHealth, wanted, what)
