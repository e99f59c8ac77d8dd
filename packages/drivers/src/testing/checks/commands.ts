import assert from 'node:assert/strict'
import { isFault } from '@latchwork/core/base'
import type { Check } from '../check.ts'
import { allPulses, boardEvents, cabinetAt, doorChanges, openCommand, refAt, shut } from './see.ts'

export const COMMAND_CHECKS: readonly Check[] = [
	{
		item: 8,
		name: 'a board or channel that does not exist is refused before any byte is sent',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const wrong = [
				refAt(bench, 0, bench.caps.channels),
				refAt(bench, 0, -1),
				refAt(bench, 0, 0.5),
				refAt(bench, 0, Number.NaN),
				refAt(bench, 1, 0),
				refAt(bench, -1, 0),
				{ bus: 'another', board: 0, channel: 0 },
			]
			for (const [i, ref] of wrong.entries()) {
				const result = await bench.outcome(bench.board.open({ id: `wrong-${i}`, ref, notAfter: bench.clock.mono() + 60_000 }))
				assert.deepEqual([result.sent, result.ack, result.fault?.code], [false, 'none', 'out-of-range'], JSON.stringify(ref))
			}
			await assert.rejects(bench.outcome(bench.board.read(1)), (error) => isFault(error, 'out-of-range'))
			await bench.exchanges(2)
			assert.equal(bench.tap.releases(), 0)
			assert.equal(allPulses(bench), 0)
			const right = await bench.outcome(bench.board.open(openCommand(bench, 'right', bench.caps.channels - 1)))
			assert.equal(right.sent, true)
			return undefined
		},
	},
	{
		item: 10,
		name: 'the same command twice, at once and later, is one pulse and the first result',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const command = openCommand(bench, 'cmd-1', 3)
			const both = await bench.outcome(Promise.all([bench.board.open(command), bench.board.open({ ...command })]))
			await bench.until('the door is reported open', () => doorChanges(bench).length > 0)
			await shut(bench, 0, 3)
			const again = await bench.outcome(bench.board.open(command))
			const otherDoor = await bench.outcome(bench.board.open({ ...command, ref: refAt(bench, 0, 4) }))
			await bench.exchanges(3)
			assert.deepEqual([both[1], again, otherDoor], [both[0], both[0], both[0]])
			assert.equal(both[0].sent, true)
			assert.equal(bench.tap.releases(), 1)
			assert.equal(allPulses(bench), 1)
			return undefined
		},
	},
	{
		item: 10,
		name: 'an open whose answer is lost is not sent again, whether or not the door opened',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			bench.emulator.setFaults(0, { noOpenAnswer: true })
			const opened = await bench.outcome(bench.board.open(openCommand(bench, 'answer-lost', 0)))
			assert.deepEqual([opened.sent, opened.ack], [true, 'none'])
			await bench.until('the door is reported open', () => doorChanges(bench).length > 0)
			bench.emulator.setFaults(0, { silent: true })
			const lost = await bench.outcome(bench.board.open(openCommand(bench, 'command-lost', 1)))
			assert.deepEqual([lost.sent, lost.ack], [true, 'none'])
			bench.emulator.setFaults(0, {})
			await bench.exchanges(6)
			if (bench.kind === 'memory') await bench.advance(60_000)
			assert.equal(bench.tap.releases(), 2, 'one release frame a command')
			assert.deepEqual([cabinetAt(bench, 0).pulses(0), cabinetAt(bench, 0).pulses(1)], [1, 0])
			return undefined
		},
	},
	{
		item: 10,
		name: 'an open is not sent again when the line breaks in the middle of it',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			let broken: Promise<void> | undefined
			bench.tap.command = (bytes, deliver) => {
				deliver(bytes)
				if (lab.family.releases(bytes) > 0) broken ??= bench.cut()
			}
			bench.tap.answer = (bytes, send) => {
				if (!broken && bench.tap.releases() === 0) send(bytes)
			}
			const result = await bench.outcome(bench.board.open(openCommand(bench, 'broken', 5)))
			assert.deepEqual([result.sent, result.ack], [true, 'none'])
			await bench.until('the board is lost', () => boardEvents(bench, 'board-down') === 1)
			await broken
			bench.tap.clear()
			await bench.restore()
			await bench.until('the board is back', () => boardEvents(bench, 'board-up') === 2)
			await bench.exchanges(4)
			assert.equal(bench.tap.releases(), 1)
			assert.equal(cabinetAt(bench, 0).pulses(5), 1)
			return undefined
		},
	},
	{
		item: 11,
		name: 'a command past its deadline is dropped, and one that waits for the line does not outlive it',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const late = await bench.outcome(bench.board.open({ ...openCommand(bench, 'late', 0), notAfter: bench.clock.mono() - 1 }))
			assert.deepEqual([late.sent, late.fault?.code], [false, 'command-expired'])
			await bench.cut()
			await bench.until('the board is lost', () => boardEvents(bench, 'board-down') === 1)
			const waiting = await bench.outcome(bench.board.open({ ...openCommand(bench, 'waiting', 0), notAfter: bench.clock.mono() + 50 }))
			assert.deepEqual([waiting.sent, waiting.fault?.code], [false, 'command-expired'])
			await bench.restore()
			await bench.until('the board is back', () => boardEvents(bench, 'board-up') === 2)
			await bench.exchanges(4)
			assert.equal(bench.tap.releases(), 0)
			assert.equal(allPulses(bench), 0)
			return undefined
		},
	},
	{
		item: 12,
		name: 'as many opens at once as there are channels: all done, in order, never more at a time than the supply takes',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const { channels, maxConcurrent, cooldownMs, pulse } = bench.caps
			// All of them only where waiting for the supply costs nothing.
			const count = bench.kind === 'memory' ? channels : 5
			const order = Array.from({ length: count }, (_, i) => (i * 5) % channels)
			const released: { at: number; channel: number }[] = []
			cabinetAt(bench, 0).onChange((channel) => released.push({ at: bench.clock.mono(), channel }))
			const results = await bench.outcome(Promise.all(order.map((channel) => bench.board.open(openCommand(bench, `many-${channel}`, channel)))))
			assert.ok(results.every(({ sent }) => sent))
			assert.deepEqual(
				released.map(({ channel }) => channel),
				order,
			)
			// On a real line two frames may arrive closer together than they were sent.
			for (const [i, { at }] of bench.kind === 'memory' ? released.entries() : []) {
				const together = released.slice(0, i + 1).filter((other) => at - other.at < pulse.maxMs).length
				assert.ok(together <= maxConcurrent, `${together} solenoids at once`)
				const previous = released[i - 1]
				if (previous) assert.ok(at - previous.at >= cooldownMs, `${at - previous.at} ms apart`)
			}
			return undefined
		},
	},
	{
		item: 13,
		name: 'acknowledged, unanswered and not sent are three results',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const answered = await bench.outcome(bench.board.open(openCommand(bench, 'answered', 0)))
			bench.emulator.setFaults(0, { noOpenAnswer: true })
			const unanswered = await bench.outcome(bench.board.open(openCommand(bench, 'unanswered', 1)))
			await bench.board.stop()
			const unsent = await bench.outcome(bench.board.open(openCommand(bench, 'unsent', 2)))
			assert.deepEqual(
				[answered, unanswered, unsent].map(({ sent, ack, fault }) => [sent, ack, fault?.code]),
				[
					[true, bench.caps.ackMeaning === 'none' ? 'none' : 'ok', undefined],
					[true, 'none', undefined],
					[false, 'none', 'transport-closed'],
				],
			)
			return undefined
		},
	},
]
