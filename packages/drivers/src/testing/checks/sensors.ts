import assert from 'node:assert/strict'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { allPulses, boardEvents, cabinetAt, doorChanges, doorFacts, forceOpen, openCommand, refAt, shut } from './see.ts'

/** Opens, fills and shuts one compartment by hand; every fact that comes must be about it, and true. */
async function handle(bench: Bench, channel: number): Promise<void> {
	const from = bench.events.length
	const cabinet = cabinetAt(bench, 0)
	await forceOpen(bench, 0, channel)
	if (bench.caps.presence) {
		assert.ok(cabinet.setItem(channel, { present: true }))
		await bench.until(`something is in ${channel}`, () =>
			bench.events.slice(from).some(({ fact }) => fact.kind === 'presence' && fact.value === true),
		)
	}
	await shut(bench, 0, channel)
	const reading = await bench.outcome(bench.board.read(0))
	assert.deepEqual(
		reading.door,
		Array.from({ length: cabinet.compartments }, (_, i) => cabinet.door(i)),
	)
	const facts = bench.events
		.slice(from)
		.map(({ fact }) => (fact.kind === 'door' || fact.kind === 'presence' ? [fact.kind, fact.ref.channel, fact.value] : [fact.kind]))
	const expected = [['door', channel, 'open'], ...(bench.caps.presence ? [['presence', channel, true]] : []), ['door', channel, 'closed']]
	assert.deepEqual(facts, expected)
}

export const SENSOR_CHECKS: readonly Check[] = [
	{
		item: 9,
		name: 'first, last and every channel is the right bit, for both polarities and orders',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const wirings = lab.kind === 'memory' ? lab.family.wirings : lab.family.wirings.slice(0, 1)
			for (const wiring of wirings) {
				const bench = await lab.bench({ wiring })
				await bench.start()
				const channels = lab.kind === 'memory' ? Array.from({ length: bench.caps.channels }, (_, i) => i) : [0, bench.caps.channels - 1]
				for (const channel of channels) await handle(bench, channel)
				for (const channel of channels) {
					await bench.outcome(bench.board.open(openCommand(bench, `map-${channel}`, channel)))
					await bench.until(`door ${channel} swings open`, () => cabinetAt(bench, 0).door(channel) === 'open')
					assert.equal(cabinetAt(bench, 0).pulses(channel), 1)
				}
				assert.equal(allPulses(bench), channels.length)
				await bench.board.stop()
			}
			return undefined
		},
	},
	{
		item: 9,
		name: 'a board that is not the first on its bus',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench({ boards: 3 })
			await bench.start()
			for (const board of [2, 0, 1]) {
				await bench.outcome(bench.board.open(openCommand(bench, `third-${board}`, board + 1, board)))
				await bench.until('the door is reported open', () => doorChanges(bench).some(({ ref }) => ref.board === board))
			}
			assert.deepEqual(
				doorChanges(bench).map(({ ref }) => [ref.board, ref.channel]),
				[
					[2, 3],
					[0, 1],
					[1, 2],
				],
			)
			return undefined
		},
	},
	{
		item: 14,
		name: 'facts for the core: no change when the lock is stuck, a change without a command when forced, one change while it stays open',
		lines: ['memory'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			cabinetAt(bench, 0).setFaults(0, { stuckLock: true })
			const stuck = await bench.outcome(bench.board.open(openCommand(bench, 'stuck', 0)))
			await bench.advance(30_000)
			assert.equal(stuck.sent, true)
			assert.deepEqual([cabinetAt(bench, 0).pulses(0), doorChanges(bench)], [1, []])
			await forceOpen(bench, 0, 1)
			await bench.advance(600_000)
			assert.deepEqual(doorChanges(bench), [{ kind: 'door', ref: refAt(bench, 0, 1), value: 'open', initial: false }])
			assert.equal(bench.tap.releases(), 1)
			cabinetAt(bench, 0).setFaults(2, { lateOpenMs: 8000 })
			await bench.outcome(bench.board.open(openCommand(bench, 'late', 2)))
			await bench.advance(7000)
			assert.equal(doorChanges(bench).length, 1)
			await bench.until('the late door is reported', () => doorChanges(bench).length === 2, 2000)
			return undefined
		},
	},
	{
		item: 14,
		name: 'a flapping, frozen or inverted sensor is reported as it speaks and harms no other channel',
		lines: ['memory'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const cabinet = cabinetAt(bench, 0)
			cabinet.setFaults(0, { sensor: 'flapping' })
			await bench.until('the flapping shows', () => doorChanges(bench).filter(({ ref }) => ref.channel === 0).length > 5)
			cabinet.setFaults(1, { sensor: 'stuckClosed' })
			cabinet.setDoor(1, 'open')
			cabinet.setFaults(2, { sensor: 'inverted' })
			await forceOpen(bench, 0, 3)
			await bench.until('the inverted sensor says open', () => doorChanges(bench).some(({ ref, value }) => ref.channel === 2 && value === 'open'))
			assert.ok(!doorChanges(bench).some(({ ref }) => ref.channel === 1), 'a frozen sensor says nothing')
			const reading = await bench.outcome(bench.board.read(0))
			assert.deepEqual(reading.door.slice(1, 5), ['closed', 'open', 'open', 'closed'])
			return undefined
		},
	},
	{
		item: 17,
		name: 'the first reading after a start or a reconnect is a state, what follows is a change',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			cabinetAt(bench, 0).setDoor(1, 'open')
			await bench.start()
			const first = doorFacts(bench)
			assert.equal(first.length, bench.caps.channels)
			assert.ok(first.every(({ initial }) => initial))
			assert.equal(first.find(({ ref }) => ref.channel === 1)?.value, 'open')
			await forceOpen(bench, 0, 2)
			const from = bench.events.length
			await bench.cut()
			await bench.until('the board is lost', () => boardEvents(bench, 'board-down') === 1)
			cabinetAt(bench, 0).setDoor(3, 'open')
			await bench.restore()
			await bench.until('every door is known again', () => doorFacts(bench, from).length >= bench.caps.channels)
			const again = doorFacts(bench, from)
			assert.ok(again.every(({ initial }) => initial))
			assert.deepEqual(
				again.filter(({ value }) => value === 'open').map(({ ref }) => ref.channel),
				[1, 2, 3],
			)
			return undefined
		},
	},
]
