import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { badgeToBits } from '@latchwork/core/access'
import { type Clock, Fault } from '@latchwork/core/base'
import type { BankLayout, VirtualFault, VirtualState } from '@latchwork/core/wire'
import { BOARD_EMULATORS, osdpReaderEmulator, scannerEmulator } from '@latchwork/drivers/emulators'
import { type BusFaults, type Cabinet, createCabinet } from '@latchwork/drivers/testing'
import { listenTcp, type TransportAddress } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'

/** One emulated bank as `latchwork dev` describes it to the process that plays it. */
export interface VirtualBankPlan {
	readonly id: string
	readonly name: string
	readonly layout: BankLayout
	readonly family: string
	readonly boards: readonly { readonly board: number; readonly channels: number }[]
	readonly compartments: readonly { readonly number: number; readonly board: number; readonly channel: number; readonly tag?: string }[]
	/** OSDP address and the key of its secure channel, hex. */
	readonly reader: { readonly address: number; readonly key: string }
	/** Things that people hold in their hands at first, by their tags. */
	readonly outside?: readonly string[]
}

type BankView = VirtualState['banks'][number]

/** The hardware of one bank: metal, boards, reader and scanner, reachable over TCP only, as behind a serial gateway. */
export interface VirtualBank {
	readonly plan: VirtualBankPlan
	readonly addresses: { readonly bus: TransportAddress; readonly reader: TransportAddress; readonly scanner: TransportAddress }
	view(): BankView
	/** `been`: it has lain behind a door of this bank; `door`: it does so now. */
	placeOf(tag: string): { readonly been: boolean; readonly door?: number }
	badge(number: string): void
	keypad(keys: string): void
	scan(text: string): void
	door(number: number, state: 'open' | 'closed'): void
	item(number: number, item: { present: boolean; tag?: string | undefined }): void
	fault(fault: VirtualFault): void
	clearFaults(): void
	close(): Promise<void>
}

/** By the numbers of the doors; `been`: tags that have ever lain behind one. */
interface Kept {
	readonly been?: readonly string[]
	readonly [number: number]: { readonly open: boolean; readonly present: boolean; readonly tag?: string; readonly pulses: number }
}

/** Builds it; what lay where when it was last switched off is read from `keep`, as metal remembers. */
export async function buildVirtualBank(plan: VirtualBankPlan, clock: Clock, keep: string, changed: () => void): Promise<VirtualBank> {
	const random = (n: number) => new Uint8Array(randomBytes(n))
	// Springs and latches live in the site's time, electronics in real time: moving the clock is no bus failure.
	const bench = { ...systemClock, random }
	const cabinets = new Map(plan.boards.map(({ board, channels }) => [board, createCabinet({ compartments: channels, clock, random })]))
	const place = new Map(plan.compartments.map((c) => [c.number, c]))
	const boardFaults = new Map<number, BusFaults>(plan.boards.map(({ board }) => [board, {}]))
	const pulsesBefore = new Map<number, number>()
	let reader = { offline: false, tamper: false }
	/** Every tag that was ever in here, the last one moved at the end. */
	const seen = new Set([...(plan.outside ?? []), ...plan.compartments.flatMap(({ tag }) => tag ?? [])])

	const at = (number: number): { cabinet: Cabinet; channel: number } => {
		const c = place.get(number)
		const cabinet = c && cabinets.get(c.board)
		if (!c || !cabinet) throw new Fault('not-found', `This bank has no door ${number}.`)
		return { cabinet, channel: c.channel }
	}
	const pulses = (number: number) => (pulsesBefore.get(number) ?? 0) + at(number).cabinet.pulses(at(number).channel)

	const plugged = () => {
		if (reader.offline) throw new Fault('request-refused', 'The reader is offline by a fault and notices nothing. Clear that fault first.')
	}
	const outside = () => {
		const inside = new Set(plan.compartments.map(({ number }) => at(number).cabinet.item(at(number).channel).tag))
		return [...seen].filter((tag) => !inside.has(tag)).reverse()
	}

	const been = new Set(restore(plan, keep, at, pulsesBefore))
	let refused = false
	const save = () => {
		const doors: Kept = Object.fromEntries(
			plan.compartments.map(({ number }) => {
				const { cabinet, channel } = at(number)
				const item = cabinet.item(channel)
				if (item.tag !== undefined) been.add(item.tag)
				return [number, { open: cabinet.door(channel) === 'open', ...item, pulses: pulses(number) }]
			}),
		)
		const state: Kept = { ...doors, been: [...been] }
		try {
			writeFileSync(`${keep}.new`, JSON.stringify(state))
			renameSync(`${keep}.new`, keep)
			refused = false
		} catch (cause) {
			// Metal does not stop because a disk is full; only its state after the next start may be an older one.
			if (!refused) process.stderr.write(`The state of the bank cannot be kept: ${cause instanceof Error ? cause.message : cause}.\n`)
			refused = true
		}
	}
	for (const cabinet of cabinets.values()) {
		cabinet.onChange(() => {
			save()
			changed()
		})
	}
	save()

	const makeBoards = BOARD_EMULATORS[plan.family]
	if (!makeBoards) throw new Fault('config-invalid', `There is no emulator for the family ${plan.family}.`)
	const bus = makeBoards({ boards: plan.boards.map(({ board }) => ({ board, cabinet: cabinets.get(board) as Cabinet })), clock: bench })
	const osdp = osdpReaderEmulator({
		address: plan.reader.address,
		key: Buffer.from(plan.reader.key, 'hex'),
		random,
		clock: bench,
		enforceSecure: true,
	})
	const scanner = scannerEmulator()
	const lines = { bus: await listenTcp(bus.attach), reader: await listenTcp(osdp.attach), scanner: await listenTcp(scanner.attach) }

	return {
		plan,
		addresses: { bus: lines.bus.address, reader: lines.reader.address, scanner: lines.scanner.address },
		view: () => ({
			id: plan.id,
			name: plan.name,
			layout: plan.layout,
			compartments: plan.compartments.map(({ number, board }) => {
				const { cabinet, channel } = at(number)
				const { present, tag } = cabinet.item(channel)
				return {
					number,
					board,
					door: cabinet.door(channel),
					item: present,
					...(tag !== undefined && { tag }),
					pulses: pulses(number),
					faults: cabinet.faults(channel),
				}
			}),
			outside: outside(),
			boards: plan.boards.map(({ board }) => ({ board, faults: boardFaults.get(board) ?? {} })),
			reader: { ...osdp.indicator(), ...reader },
		}),
		placeOf(tag) {
			const door = plan.compartments.find(({ number }) => at(number).cabinet.item(at(number).channel).tag === tag)?.number
			return { been: been.has(tag), ...(door !== undefined && { door }) }
		},
		badge(number) {
			plugged()
			const image = badgeToBits(number)
			if (!image.ok) throw new Fault('request-invalid', image.text)
			osdp.card({ format: 1, bitCount: image.bitCount, bits: image.bits })
		},
		keypad(keys) {
			plugged()
			osdp.keys(keys)
		},
		scan: (text) => scanner.scan(text),
		door(number, state) {
			const { cabinet, channel } = at(number)
			cabinet.setDoor(channel, state)
		},
		item(number, { present, tag }) {
			const { cabinet, channel } = at(number)
			const before = cabinet.item(channel).tag
			if (!cabinet.setItem(channel, { present, ...(tag !== undefined && { tag }) })) {
				throw new Fault('request-refused', `Door ${number} is closed. Open it first.`)
			}
			for (const moved of [before, tag]) {
				if (moved === undefined) continue
				seen.delete(moved)
				seen.add(moved)
			}
		},
		fault(fault) {
			if ('reader' in fault) {
				reader = { offline: fault.reader.offline ?? reader.offline, tamper: fault.reader.tamper ?? reader.tamper }
				osdp.setOffline(reader.offline)
				osdp.tamper(reader.tamper)
			} else if ('board' in fault) {
				const { board, ...change } = fault
				const before = boardFaults.get(board)
				if (!before) throw new Fault('not-found', `This bank has no board ${board}.`)
				const next = Object.fromEntries(
					Object.entries({ ...before, ...change }).filter(([, v]) => v !== null && v !== false && v !== undefined),
				) as BusFaults
				boardFaults.set(board, next)
				bus.setFaults(board, next)
			} else {
				const { compartment, opensByItself, ...change } = fault
				const { cabinet, channel } = at(compartment)
				const next = Object.fromEntries(
					Object.entries({ ...cabinet.faults(channel), ...change }).filter(([, v]) => v !== null && v !== false && v !== undefined && v !== 0),
				)
				cabinet.setFaults(channel, next)
				if (opensByItself) cabinet.setDoor(channel, 'open')
			}
			changed()
		},
		clearFaults() {
			for (const { board } of plan.boards) {
				boardFaults.set(board, {})
				bus.setFaults(board, {})
			}
			for (const { number } of plan.compartments) at(number).cabinet.setFaults(at(number).channel, {})
			reader = { offline: false, tamper: false }
			osdp.setOffline(false)
			osdp.tamper(false)
			changed()
		},
		async close() {
			save()
			await Promise.all([lines.bus.close(), lines.reader.close(), lines.scanner.close()])
		},
	}
}

function readKept(keep: string): Kept {
	try {
		const kept: unknown = JSON.parse(readFileSync(keep, 'utf8'))
		if (typeof kept === 'object' && kept !== null) return kept as Kept
	} catch {}
	throw new Fault(
		'config-invalid',
		`${keep} is damaged: it says which doors stand open and what lies where. Remove it for a bank as it was at first, or begin anew with --fresh.`,
	)
}

/** Answers the tags that have lain in it before. */
function restore(
	plan: VirtualBankPlan,
	keep: string,
	at: (n: number) => { cabinet: Cabinet; channel: number },
	pulses: Map<number, number>,
): readonly string[] {
	const kept = existsSync(keep) ? readKept(keep) : undefined
	for (const { number, tag } of plan.compartments) {
		const { cabinet, channel } = at(number)
		const was = kept?.[number]
		if (was ? was.present : tag !== undefined) {
			const inside = was ? was.tag : tag
			cabinet.setItem(channel, { present: true, ...(inside !== undefined && { tag: inside }) }, true)
		}
		if (was?.open) cabinet.setDoor(channel, 'open')
		pulses.set(number, was?.pulses ?? 0)
	}
	return kept?.been ?? []
}
