import assert from 'node:assert/strict'
import { isFault } from '@latchwork/core/base'
import type { Check } from '../check.ts'
import { type DriverJob, startDriver } from '../driver-process.ts'
import { allPulses, boardEvents, cabinetAt, doorChanges, forceOpen, openCommand, refAt } from './see.ts'

export const LINK_CHECKS: readonly Check[] = [
	{
		item: 15,
		name: 'starts with the line unplugged, and comes up by itself when it is plugged in',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench({ unplugged: true })
			await bench.start({ absent: true })
			assert.equal(boardEvents(bench, 'board-up'), 0)
			assert.equal(boardEvents(bench, 'board-down'), 1, 'a board that is away from the start is reported')
			await bench.restore()
			await bench.until('the board is up', () => boardEvents(bench, 'board-up') === 1)
			await bench.until('the doors are known', () => bench.events.some(({ fact }) => fact.kind === 'door'))
			await forceOpen(bench, 0, 0)
			return undefined
		},
	},
	{
		item: 15,
		name: 'starts with a board absent, and finds it when it is there',
		lines: ['memory'],
		async run(lab) {
			const bench = await lab.bench({ boards: 2 })
			bench.emulator.setFaults(1, { silent: true })
			await bench.start({ absent: true })
			await bench.until('the live board is up', () => boardEvents(bench, 'board-up', 0) === 1)
			await bench.until('the absent board is reported', () => boardEvents(bench, 'board-down', 1) === 1, 3000)
			await bench.advance(60_000)
			assert.equal(boardEvents(bench, 'board-down', 1), 1, 'reported once')
			bench.emulator.setFaults(1, {})
			await bench.until('the board is found', () => boardEvents(bench, 'board-up', 1) === 1, 5000)
			await forceOpen(bench, 1, 0)
			assert.equal(boardEvents(bench, 'board-down', 0), 0)
			return undefined
		},
	},
	{
		item: 15,
		name: 'a dead board does not slow the polls of a live one to half',
		lines: ['memory'],
		async run(lab) {
			const bench = await lab.bench({ boards: 2 })
			await bench.start()
			const answersIn = async (ms: number) => {
				const before = bench.tap.answers
				await bench.advance(ms)
				return bench.tap.answers - before
			}
			const alone = (await answersIn(60_000)) / 2
			bench.emulator.setFaults(1, { silent: true })
			const besideDying = await answersIn(1000)
			await bench.until('the dead board is reported', () => boardEvents(bench, 'board-down', 1) === 1, 3000)
			const besideDead = await answersIn(60_000)
			assert.ok(besideDead * 2 > alone, `${alone} polls a minute alone, ${besideDead} beside a dead board`)
			assert.ok(besideDying * 2 > alone / 60, `${alone / 60} polls a second alone, ${besideDying} beside a dying board`)
			return undefined
		},
	},
	{
		item: 16,
		name: 'the port vanishes and returns, twice: boards lost and found, no invented door movement',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			await forceOpen(bench, 0, 4)
			const changes = doorChanges(bench).length
			for (const time of [1, 2]) {
				await bench.cut()
				await bench.until('the board is lost', () => boardEvents(bench, 'board-down') === time)
				await assert.rejects(bench.outcome(bench.board.read(0)), (error) => isFault(error, 'board-timeout'))
				await bench.restore()
				await bench.until('the board is found', () => boardEvents(bench, 'board-up') === time + 1)
				assert.equal((await bench.outcome(bench.board.read(0))).door[4], 'open')
			}
			assert.equal(doorChanges(bench).length, changes)
			return undefined
		},
	},
	{
		item: 18,
		name: 'stopping in the middle of a pulse leaves no output on, no frame and no timer',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			const inFlight = bench.board.open(openCommand(bench, 'in-flight', 0))
			await bench.until('the pulse arrives', () => cabinetAt(bench, 0).pulses(0) === 1)
			assert.equal(bench.emulator.energised(), true)
			const queued = bench.board.open(openCommand(bench, 'queued', 1))
			const read = bench.board.read(0)
			read.catch(() => {})
			await bench.board.stop()
			assert.equal((await bench.outcome(inFlight)).sent, true)
			const { sent, fault } = await bench.outcome(queued)
			assert.deepEqual([sent, fault?.code], [false, 'transport-closed'])
			await assert.rejects(bench.outcome(read), (error) => isFault(error, 'transport-closed'))
			if (bench.kind !== 'memory') return undefined
			assert.equal(bench.pending(), 0, 'timers left behind')
			const frames = bench.tap.commands.length
			const events = bench.events.length
			await bench.advance(bench.caps.pulse.maxMs)
			assert.equal(bench.emulator.energised(), false, 'the output must be off after the longest pulse')
			await bench.advance(60_000)
			assert.deepEqual([bench.tap.commands.length, bench.events.length], [frames, events])
			return undefined
		},
	},
	{
		item: 18,
		name: 'a process that is killed in the middle of a pulse leaves no output on, and nothing comes after it',
		lines: ['pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench({ elsewhere: true })
			assert.ok(bench.address)
			const job: DriverJob = { family: lab.family.family, product: lab.product, address: bench.address }
			const victim = startDriver(job)
			try {
				await bench.until('the pulse arrives', () => cabinetAt(bench, 0).pulses(0) === 1)
				assert.equal(bench.emulator.energised(), true)
			} finally {
				await victim.kill()
			}
			await new Promise<void>((resolve) => void bench.clock.after(bench.caps.pulse.maxMs, resolve))
			assert.equal(bench.emulator.energised(), false, 'the output must be off after the longest pulse')
			assert.deepEqual([bench.tap.releases(), allPulses(bench)], [1, 1])
			return undefined
		},
	},
	{
		item: 21,
		name: 'what the driver claims it can do, it does; what it lacks is absent or refused with a code',
		lines: ['memory', 'pty', 'tcp'],
		async run(lab) {
			const bench = await lab.bench({ boards: 2 })
			await bench.start()
			const { caps, board } = bench
			assert.equal(board.family, lab.family.family)
			assert.equal((await bench.outcome(board.read(1))).door.length, caps.channels)
			assert.equal(caps.discover, board.probe !== undefined)
			if (board.probe) {
				const found: number[] = []
				const search = async () => {
					for await (const answer of board.probe?.() ?? []) found.push(answer.board)
				}
				await bench.outcome(search())
				assert.deepEqual(found, [0, 1])
			}
			const presence = (await bench.outcome(board.read(0))).presence
			assert.ok(presence.every((value) => (caps.presence ? value === false : value === 'unknown')))
			assert.throws(
				() => lab.family.create('no such product'),
				(error: unknown) => isFault(error, 'config-invalid'),
			)
			const profile = { bus: 'b', boards: [0], product: 'no such product' }
			await assert.rejects(
				lab.family.create(lab.product).start({} as never, profile, bench.clock, () => {}),
				(error) => isFault(error, 'config-invalid'),
			)
			return undefined
		},
	},
	{
		item: 21,
		name: 'the pulse is as long as claimed and ends without the driver',
		lines: ['memory'],
		async run(lab) {
			const bench = await lab.bench()
			await bench.start()
			await bench.outcome(bench.board.open(openCommand(bench, 'pulse', 0)))
			const from = bench.clock.mono()
			await bench.until('the output goes off', () => !bench.emulator.energised(), 10_000)
			const { minMs, maxMs, by } = bench.caps.pulse
			assert.equal(by, 'board', 'a pulse that the driver ends needs its own check here')
			assert.ok(bench.clock.mono() - from >= minMs - 20 && bench.clock.mono() - from <= maxMs)
			return undefined
		},
	},
	{
		item: 21,
		name: 'the learn step finds polarity and order of every wiring, and says when nothing moved',
		lines: ['memory'],
		async run(lab) {
			for (const wiring of lab.family.wirings) {
				const bench = await lab.bench({ wiring })
				if (!bench.board.learn) return 'the family has one wiring only'
				await bench.start({ absent: true, profile: { polarity: 'bit1Closed', statusOrder: 'lowFirst' } })
				assert.deepEqual(await bench.outcome(bench.board.learn(refAt(bench, 0, 3))), { ...wiring })
				cabinetAt(bench, 0).setFaults(4, { stuckLock: true })
				await assert.rejects(bench.outcome(bench.board.learn(refAt(bench, 0, 4))), (error) => isFault(error, 'not-found'))
				assert.equal(bench.tap.releases(), 2)
				await bench.board.stop()
			}
			return undefined
		},
	},
]
