import assert from 'node:assert/strict'
import type { BoardEvent, ChannelRef, OpenCommand } from '../../board.ts'
import type { Bench } from '../bench.ts'
import type { Cabinet } from '../emulator.ts'

export type DoorFact = Extract<BoardEvent['fact'], { kind: 'door' }>

export const refAt = (bench: Bench, board: number, channel: number): ChannelRef => ({ bus: bench.bus, board, channel })

export function cabinetAt(bench: Bench, board: number): Cabinet {
	const cabinet = bench.cabinets[board]
	assert.ok(cabinet, `the bench has no board ${board}`)
	return cabinet
}

/** An open command with a minute to spare. */
export const openCommand = (bench: Bench, id: string, channel: number, board = 0): OpenCommand => ({
	id,
	ref: refAt(bench, board, channel),
	notAfter: bench.clock.mono() + 60_000,
})

/** Door facts from the given event on. */
export const doorFacts = (bench: Bench, from = 0): DoorFact[] => bench.events.slice(from).flatMap(({ fact }) => (fact.kind === 'door' ? [fact] : []))

/** Doors that changed, as opposed to first readings. */
export const doorChanges = (bench: Bench, from = 0): DoorFact[] => doorFacts(bench, from).filter((fact) => !fact.initial)

export const protocolCodes = (bench: Bench): string[] => bench.events.flatMap(({ fact }) => (fact.kind === 'protocol' ? [fact.code] : []))

export const boardEvents = (bench: Bench, kind: 'board-up' | 'board-down', board = 0): number =>
	bench.events.filter(({ fact }) => fact.kind === kind && fact.board === board).length

/** Forces a door and waits until the driver says so, as a change. */
export async function forceOpen(bench: Bench, board: number, channel: number): Promise<void> {
	const from = bench.events.length
	cabinetAt(bench, board).setDoor(channel, 'open')
	await bench.until(`door ${channel} is reported open`, () =>
		doorChanges(bench, from).some((fact) => fact.ref.board === board && fact.ref.channel === channel && fact.value === 'open'),
	)
}

/** Pushes a door shut and waits until the driver says so. */
export async function shut(bench: Bench, board: number, channel: number): Promise<void> {
	const from = bench.events.length
	cabinetAt(bench, board).setDoor(channel, 'closed')
	await bench.until(`door ${channel} is reported shut`, () =>
		doorChanges(bench, from).some((fact) => fact.ref.board === board && fact.ref.channel === channel && fact.value === 'closed'),
	)
}

/** Pulses of all doors together. */
export const allPulses = (bench: Bench): number =>
	bench.cabinets.reduce(
		(total, cabinet) => total + Array.from({ length: cabinet.compartments }, (_, i) => cabinet.pulses(i)).reduce((a, b) => a + b, 0),
		0,
	)
