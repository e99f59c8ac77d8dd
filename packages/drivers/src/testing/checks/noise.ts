import assert from 'node:assert/strict'
import { seededRandom } from '@latchwork/core/base'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { allPulses, boardEvents, cabinetAt, type DoorFact, doorChanges, openCommand } from './see.ts'

const HOUR_MS = 3_600_000
const NOISE = 0.02
/** Somebody opens a door this often. */
const VISIT_S = 30
/** A fact may be as old as a lost board plus its way back. */
const TRUE_WITHIN_MS = 10_000
/** trust.md T6: an opening that nobody ordered is an alarm within 2 s. */
const SEEN_WITHIN_MS = 2000

interface Move {
	readonly at: number
	readonly board: number
	readonly channel: number
	readonly state: 'open' | 'closed'
}

/** Writes down when which door moved, to judge facts by. */
function witness(bench: Bench): { moves: Move[]; isTrue(fact: DoorFact, mono: number): boolean } {
	const moves: Move[] = []
	const states = (board: number, channel: number) => moves.filter((move) => move.board === board && move.channel === channel)
	for (const [board, cabinet] of bench.cabinets.entries()) {
		for (let channel = 0; channel < cabinet.compartments; channel++) moves.push({ at: 0, board, channel, state: cabinet.door(channel) })
		cabinet.onChange((channel) => {
			const state = cabinet.door(channel)
			if (states(board, channel).at(-1)?.state !== state) moves.push({ at: bench.clock.mono(), board, channel, state })
		})
	}
	return {
		moves,
		/** The door was in that state at some moment of the last while. */
		isTrue({ ref, value }, mono) {
			const history = states(ref.board, ref.channel)
			return history.some(
				({ at, state }, i) => state === value && at <= mono && (history[i + 1]?.at ?? Number.POSITIVE_INFINITY) >= mono - TRUE_WITHIN_MS,
			)
		},
	}
}

/** While a board is lost, that is the alarm; its doors are reported as soon as it is back. */
function seenBy(bench: Bench, board: number, at: number): number {
	const links = bench.events.filter(({ fact }) => (fact.kind === 'board-up' || fact.kind === 'board-down') && fact.board === board)
	const last = links.findLast(({ mono }) => mono <= at + SEEN_WITHIN_MS)
	if (last?.fact.kind !== 'board-down') return at + SEEN_WITHIN_MS
	return (links.find(({ mono }) => mono > last.mono)?.mono ?? Number.POSITIVE_INFINITY) + SEEN_WITHIN_MS
}

export const NOISE_CHECKS: readonly Check[] = [
	{
		item: 20,
		name: 'an hour of traffic with 2 % of all bytes damaged: no false door, no open from an answer, every read recovers',
		lines: ['memory'],
		async run(lab) {
			const bench = await lab.bench({ boards: 2, seed: 20 })
			// The slow end of what hardware.md §1.9 asks for: a fake hour is not free.
			await bench.start({ profile: { pollIdleMs: 500, pollBusyMs: 100 } })
			const { moves, isTrue } = witness(bench)
			const from = bench.events.length
			for (const board of [0, 1]) bench.emulator.setFaults(board, { corrupt: { rate: NOISE, direction: 'both' } })
			const random = seededRandom(2020)
			let commands = 0
			let reads = 0
			for (let second = 0; second < HOUR_MS / 1000; second += VISIT_S) {
				const [which = 0, where = 0] = random(2)
				const board = which & 1
				const channel = where % bench.caps.channels
				const result = await bench.outcome(bench.board.open(openCommand(bench, `noise-${second}`, channel, board)))
				assert.equal(result.sent, true)
				commands++
				assert.equal(bench.tap.releases(), commands, 'one release frame for each command and no other')
				await bench.advance(5000)
				const reading = await bench.outcome(bench.board.read(board))
				reads++
				const cabinet = cabinetAt(bench, board)
				assert.deepEqual(
					reading.door,
					Array.from({ length: cabinet.compartments }, (_, i) => cabinet.door(i)),
				)
				for (let i = 0; i < cabinet.compartments; i++) cabinet.setDoor(i, 'closed')
				await bench.advance((VISIT_S - 5) * 1000)
			}
			const lies = bench.events.slice(from).filter(({ fact, mono }) => fact.kind === 'door' && !isTrue(fact, mono))
			assert.deepEqual(lies, [])
			assert.ok(bench.board.stats().badFrames > 1000, 'the noise must have arrived')
			const openings = moves.filter(({ state }) => state === 'open')
			const unseen = openings.filter(
				({ at, board, channel }) =>
					!bench.events.some(
						({ fact, mono }) =>
							fact.kind === 'door' &&
							fact.value === 'open' &&
							fact.ref.board === board &&
							fact.ref.channel === channel &&
							mono >= at &&
							mono <= seenBy(bench, board, at),
					),
			)
			assert.deepEqual(unseen, [], 'every physical opening must be reported')
			assert.ok(openings.length >= commands * 0.6, `of ${commands} commands ${openings.length} opened a door`)
			const { badFrames, resyncs, timeouts } = bench.board.stats()
			return `${commands} commands, ${reads} reads, ${openings.length} openings, ${badFrames} bad frames, ${resyncs} resyncs, ${timeouts} timeouts, ${boardEvents(bench, 'board-down')} boards lost`
		},
	},
	{
		item: 20,
		name: 'a damaged answer whose check byte fits is not believed until the next one says the same',
		lines: ['memory'],
		async run(lab) {
			const forge = lab.family.forge
			if (!forge) return 'the check of this family catches every pair of damaged bytes'
			const bench = await lab.bench()
			await bench.start()
			let forged = 0
			bench.tap.answer = (bytes, send) => {
				// Every third answer, so that a driver that asks again at once gets the truth.
				const lie = bench.tap.answers % 3 === 0
				if (lie) forged++
				send(lie ? forge(bytes) : bytes)
			}
			await bench.advance(10_000)
			const reading = await bench.outcome(bench.board.read(0))
			assert.ok(forged > 10)
			assert.deepEqual([doorChanges(bench), reading.door[0]], [[], 'closed'])
			return undefined
		},
	},
	{
		item: 20,
		name: 'a release that the wire turned into another valid one shows as an open door on the other channel',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const misdirect = lab.family.misdirect
			if (!misdirect) return 'the check of this family catches every pair of damaged bytes'
			const bench = await lab.bench()
			await bench.start()
			assert.equal(bench.caps.checksum, 'weak')
			bench.tap.command = (bytes, deliver) => deliver(lab.family.releases(bytes) > 0 ? misdirect(bytes) : bytes)
			const wanted = 2
			const result = await bench.outcome(bench.board.open(openCommand(bench, 'misdirected', wanted)))
			assert.deepEqual([result.sent, result.ack], [true, 'none'], 'the answer names another address and acknowledges nothing')
			await bench.until('an open door is reported', () => doorChanges(bench).length > 0, 2000)
			assert.equal(allPulses(bench), 1)
			assert.deepEqual([cabinetAt(bench, 0).pulses(wanted), doorChanges(bench).some(({ ref }) => ref.channel === wanted)], [0, false])
			return undefined
		},
	},
	{
		item: 22,
		name: 'events, results and statistics carry no raw frames',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			bench.emulator.setFaults(0, { corrupt: { rate: NOISE, direction: 'both' } })
			await bench.start()
			const result = await bench.outcome(bench.board.open(openCommand(bench, 'quiet', 0)))
			if (bench.kind === 'memory') await bench.advance(60_000)
			else await bench.exchanges(10)
			const seen: unknown[] = [...bench.events, result, bench.board.stats()]
			assert.deepEqual(seen.filter(holdsBytes), [])
			return 'a lock board has no credentials; there is no log below the events'
		},
	},
]

function holdsBytes(value: unknown): boolean {
	if (ArrayBuffer.isView(value)) return true
	if (typeof value === 'string') return /^([0-9a-f]{2}[ :]?){5,}$/i.test(value)
	return typeof value === 'object' && value !== null && Object.values(value).some(holdsBytes)
}
