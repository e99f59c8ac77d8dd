import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { badgeToBits } from '@latchwork/core/access'
import { BOARD_EMULATORS, osdpReaderEmulator } from '@latchwork/drivers/emulators'
import { type Cabinet, createCabinet } from '@latchwork/drivers/testing'
import { type Attach, type EmulatedLine, listenTcp, openPty, type TransportAddress } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'

/** What the process that plays the hardware is given, as a file. */
export interface HardwarePlan {
	readonly busKind: 'pty' | 'tcp'
	readonly buses: readonly { readonly id: string; readonly boards: readonly number[] }[]
	readonly doors: readonly {
		readonly number: number
		readonly bus: string
		readonly board: number
		readonly channel: number
		readonly tag?: string | undefined
	}[]
	readonly readerKey: string
}

/** Where the controller reaches it. `floor`: a line of the same kind as the lock buses, with nothing behind it but an ear. */
export interface Lines {
	readonly buses: Readonly<Record<string, TransportAddress>>
	readonly reader: TransportAddress
	readonly floor: TransportAddress
}

export type ToHardware =
	| { readonly do: 'tap'; readonly badge: string }
	/** The hand in the open compartment: takes out or puts in, then pushes the door shut. */
	| { readonly do: 'hand'; readonly door: number; readonly present: boolean; readonly tag?: string }

/** Times are nanoseconds of the machine's monotonic clock, which all its processes share. */
export type FromHardware =
	| { readonly said: 'ready'; readonly lines: Lines }
	/** An open frame has arrived whole on a lock bus. `tapped`: when the reader handed over the bytes of the last badge. */
	| { readonly said: 'open-frame'; readonly door: number; readonly tapped: number; readonly at: number }
	| { readonly said: 'floor-frame'; readonly at: number }

export const nanoseconds = (): number => Number(process.hrtime.bigint())

/** In the secure channel an answer with card data is this much longer than one without. */
const CARD_ANSWER = 24

/** Plays boards and reader in a process of its own, and says when bytes leave and arrive there. Ends with its parent. */
async function main(planFile: string): Promise<void> {
	const plan = JSON.parse(readFileSync(planFile, 'utf8')) as HardwarePlan
	const say = (message: FromHardware) => process.send?.(message)
	const clock = { ...systemClock, random: (n: number) => new Uint8Array(randomBytes(n)) }
	const openLine = (attach: Attach): Promise<EmulatedLine> => (plan.busKind === 'pty' ? openPty(attach) : listenTcp(attach))

	let tapped = 0
	const cabinets = new Map<string, Cabinet>()
	for (const { id, boards } of plan.buses)
		for (const board of boards) cabinets.set(`${id}/${board}`, createCabinet({ compartments: 16, clock, random: clock.random }))
	const at = (door: HardwarePlan['doors'][number]): Cabinet => cabinets.get(`${door.bus}/${door.board}`) as Cabinet
	for (const door of plan.doors) if (door.tag !== undefined) at(door).setItem(door.channel, { present: true, tag: door.tag }, true)

	const emulate = BOARD_EMULATORS.kr16
	if (!emulate) throw new Error('no emulator')
	const buses = await Promise.all(
		plan.buses.map(async ({ id, boards }) => {
			const watched = boards.map((board) => ({
				board,
				cabinet: pulseWatched(cabinets.get(`${id}/${board}`) as Cabinet, (channel) => {
					const door = plan.doors.find((d) => d.bus === id && d.board === board && d.channel === channel)
					say({ said: 'open-frame', door: door?.number ?? 0, tapped, at: nanoseconds() })
				}),
			}))
			return [id, await openLine(emulate({ boards: watched, clock }).attach)] as const
		}),
	)
	const osdp = osdpReaderEmulator({ address: 1, key: Buffer.from(plan.readerKey, 'hex'), random: clock.random, clock, enforceSecure: true })
	const reader = await listenTcp((wire) =>
		osdp.attach({
			onData: wire.onData,
			write(bytes) {
				if (bytes.length > CARD_ANSWER) tapped = nanoseconds()
				wire.write(bytes)
			},
		}),
	)
	const floor = await openLine((wire) => wire.onData(() => say({ said: 'floor-frame', at: nanoseconds() })))

	process.on('message', (asked: ToHardware) => {
		if (asked.do === 'tap') {
			const image = badgeToBits(asked.badge)
			if (image.ok) osdp.card({ format: 1, bitCount: image.bitCount, bits: image.bits })
			return
		}
		const door = plan.doors.find((d) => d.number === asked.door)
		if (!door) return
		at(door).setItem(door.channel, { present: asked.present, ...(asked.tag !== undefined && { tag: asked.tag }) })
		at(door).setDoor(door.channel, 'closed')
	})
	process.once('disconnect', async () => {
		await Promise.all([...buses.map(([, line]) => line.close()), reader.close(), floor.close()])
		process.exit(0)
	})
	say({
		said: 'ready',
		lines: { buses: Object.fromEntries(buses.map(([id, line]) => [id, line.address])), reader: reader.address, floor: floor.address },
	})
}

function pulseWatched(cabinet: Cabinet, pulsed: (channel: number) => void): Cabinet {
	return {
		...cabinet,
		pulse(channel) {
			pulsed(channel)
			cabinet.pulse(channel)
		},
	}
}

if (import.meta.main) await main(process.argv[2] ?? '')
