import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, isFault, seededRandom } from '@latchwork/core/base'
import type { BoardEvent, BoardProfile } from '../board.ts'
import { createCabinet } from '../testing/index.ts'
import { memoryPipe } from '../transport/index.ts'
import { kr16 } from './driver.ts'
import { kr16Emulator } from './emulator.ts'

const PROFILE: BoardProfile = { bus: 'a', boards: [0, 1], product: 'CU12' }

/** Two CU12 in memory; the driver is started. */
async function running(profile: Partial<BoardProfile> = {}) {
	const fake = fakeClock()
	const clock = { mono: fake.mono, after: fake.after, random: seededRandom(3) }
	const cabinets = [0, 1].map(() => createCabinet({ compartments: 12, clock, random: clock.random }))
	const emulator = kr16Emulator({ boards: cabinets.map((cabinet, board) => ({ board, cabinet })), clock })
	const pipe = memoryPipe()
	emulator.attach(pipe.wire)
	const asked: { at: number; board: number; command: number }[] = []
	pipe.wire.onData((bytes) => asked.push({ at: fake.mono(), board: (bytes[1] ?? 0) >> 4, command: bytes[2] ?? 0 }))
	const events: BoardEvent[] = []
	const board = kr16('CU12')
	await board.start(pipe.transport, { ...PROFILE, ...profile }, clock, (event) => events.push(event))
	await fake.advance(1000)
	return { fake, cabinets, emulator, pipe, asked, events, board }
}

/** Pauses between the polls of a board from a moment on. */
const pauses = (asked: readonly { at: number; board: number; command: number }[], board: number, from: number) => {
	const times = asked.filter((one) => one.board === board && one.command === 0x30 && one.at >= from).map(({ at }) => at)
	return times.slice(1).map((at, i) => at - (times[i] ?? 0))
}

test('a profile that cannot be is refused at the start, with the field that is wrong', async () => {
	const clock = { ...fakeClock(), random: seededRandom(1) }
	const start = (profile: BoardProfile) => kr16('CU12').start(memoryPipe().transport, profile, clock, () => {})
	const refused = async (profile: BoardProfile, field: string) =>
		assert.rejects(start(profile), (error) => isFault(error, 'config-invalid') && error.message.startsWith(field))
	await refused({ ...PROFILE, boards: [0, 10] }, 'boards')
	await refused({ ...PROFILE, boards: [1.5] }, 'boards')
	await refused({ ...PROFILE, boards: [2, 2] }, 'boards')
	await refused({ ...PROFILE, product: 'CU16' }, 'product')
	assert.throws(
		() => kr16('CU48'),
		(error: unknown) => isFault(error, 'config-invalid') && error.message.includes('CU12, CU16'),
	)
})

test('before the start nothing is sent, and a second start is refused', async () => {
	const idle = kr16('CU12')
	const result = await idle.open({ id: 'x', ref: { bus: 'a', board: 0, channel: 0 }, notAfter: 1 })
	assert.deepEqual([result.sent, result.fault?.code], [false, 'transport-closed'])
	await assert.rejects(idle.read(0), (error) => isFault(error, 'transport-closed'))
	assert.equal(idle.stats().lastOkMono, -1)
	const { board, pipe } = await running()
	await assert.rejects(
		board.start(pipe.transport, PROFILE, { ...fakeClock(), random: seededRandom(1) }, () => {}),
		(error) => isFault(error, 'config-invalid'),
	)
})

test('polls every 250 ms, every 75 ms for ten seconds after an opening, on that board only', async () => {
	const { fake, asked, board } = await running()
	const idleFrom = fake.mono()
	await fake.advance(5000)
	assert.deepEqual([...new Set([...pauses(asked, 0, idleFrom), ...pauses(asked, 1, idleFrom)])], [250])
	await board.open({ id: 'x', ref: { bus: 'a', board: 0, channel: 0 }, notAfter: fake.mono() + 100 })
	const busyFrom = fake.mono() + 100
	await fake.advance(9000)
	assert.deepEqual([new Set(pauses(asked, 0, busyFrom)), new Set(pauses(asked, 1, busyFrom))], [new Set([75]), new Set([250])])
	await fake.advance(2000)
	const idleAgain = fake.mono()
	await fake.advance(5000)
	assert.deepEqual(new Set(pauses(asked, 0, idleAgain)), new Set([250]))
})

test('the rates of the profile are taken', async () => {
	const { fake, asked } = await running({ pollIdleMs: 500 })
	const from = fake.mono()
	await fake.advance(5000)
	assert.deepEqual(new Set(pauses(asked, 1, from)), new Set([500]))
})

test('a flapping sensor does not take the bus for itself', async () => {
	const { fake, asked, cabinets } = await running()
	cabinets[0]?.setFaults(0, { sensor: 'flapping' })
	const from = asked.length
	await fake.advance(10_000)
	assert.ok(asked.length - from < 200, `${asked.length - from} questions in 10 s`)
})

test('an open goes before reads, reads before polls', async () => {
	const { fake, asked, board, emulator } = await running()
	emulator.setFaults(1, { silent: true })
	await fake.advance(260)
	const from = asked.length
	const reads = [board.read(0), board.read(0)]
	const open = board.open({ id: 'x', ref: { bus: 'a', board: 0, channel: 5 }, notAfter: fake.mono() + 1000 })
	await fake.advance(400)
	assert.equal((await open).sent, true)
	await Promise.all(reads)
	const commands = asked.slice(from).map(({ command, board: address }) => `${command.toString(16)}:${address}`)
	assert.deepEqual(commands.slice(0, 3), ['31:0', '30:0', '30:0'])
})

test('a lost board is asked every two seconds, and often after an opening that may have reached it', async () => {
	const { fake, asked, board, emulator } = await running()
	emulator.setFaults(1, { silent: true })
	await fake.advance(10_000)
	const lost = fake.mono()
	await fake.advance(20_000)
	assert.ok(pauses(asked, 1, lost).every((pause) => pause >= 2000))
	const open = board.open({ id: 'x', ref: { bus: 'a', board: 1, channel: 0 }, notAfter: fake.mono() + 1000 })
	await fake.advance(200)
	assert.deepEqual([(await open).sent, (await open).ack], [true, 'none'])
	const after = fake.mono()
	await fake.advance(5000)
	assert.ok(pauses(asked, 1, after).every((pause) => pause < 500))
})

test('a board that never answers an open is polled at once after it all the same', async () => {
	const { fake, cabinets, emulator, events, board } = await running()
	emulator.setFaults(0, { noOpenAnswer: true })
	const from = fake.mono()
	const open = board.open({ id: 'x', ref: { bus: 'a', board: 0, channel: 7 }, notAfter: fake.mono() + 1000 })
	await fake.advance(1000)
	await open
	assert.equal(cabinets[0]?.door(7), 'open')
	const seen = events.find(({ fact }) => fact.kind === 'door' && fact.value === 'open')
	assert.ok(seen && seen.mono - from <= 200, `seen after ${seen && seen.mono - from} ms`)
})

test('a line that takes bytes and does not let go of them blocks nothing: the open counts as sent and unanswered', async () => {
	const fake = fakeClock()
	const pipe = memoryPipe()
	const board = kr16('CU12')
	const stuck = { ...pipe.transport, write: () => new Promise<void>(() => {}) }
	await board.start(stuck, PROFILE, { mono: fake.mono, after: fake.after, random: seededRandom(1) }, () => {})
	const first = board.open({ id: '1', ref: { bus: 'a', board: 0, channel: 0 }, notAfter: 500 })
	const second = board.open({ id: '2', ref: { bus: 'a', board: 0, channel: 1 }, notAfter: 500 })
	const third = board.open({ id: '3', ref: { bus: 'a', board: 0, channel: 2 }, notAfter: 500 })
	await fake.advance(1000)
	assert.deepEqual(await first, { id: '1', sent: true, ack: 'none' })
	assert.deepEqual(await second, { id: '2', sent: true, ack: 'none' })
	assert.equal((await third).fault?.code, 'command-expired')
	await board.stop()
	assert.equal(fake.pending(), 0)
})

test('eight dead boards do not keep the live ones waiting', async () => {
	const { fake, asked } = await running({ boards: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })
	await fake.advance(30_000)
	const from = fake.mono()
	await fake.advance(30_000)
	const longest = Math.max(...pauses(asked, 0, from))
	assert.ok(longest <= 500, `a pause of ${longest} ms`)
})

test('an open that is on its way when the line breaks ends then, not when its time is up', async () => {
	const { fake, board, pipe, emulator } = await running()
	emulator.setFaults(0, { noOpenAnswer: true })
	const open = board.open({ id: 'x', ref: { bus: 'a', board: 0, channel: 0 }, notAfter: fake.mono() + 1000 })
	await fake.advance(0)
	pipe.cut()
	assert.deepEqual(await open, { id: 'x', sent: true, ack: 'none' })
	await board.stop()
})

for (const boards of [[0, 1], [0]]) {
	test(`${boards.length} board(s) behind a slow gateway get more time after the first late answer: none is lost, and a door is seen to open`, async () => {
		for (const answerDelayMs of [160, 200, 300, 350]) {
			const { fake, cabinets, emulator, events, board } = await running({ boards })
			for (const address of boards) emulator.setFaults(address, { answerDelayMs })
			await fake.advance(5_000)
			const last = boards.length - 1
			const opening = board.open({ id: 'slow', ref: { bus: 'a', board: last, channel: 4 }, notAfter: fake.mono() + 2_500 })
			await fake.advance(3_000)
			assert.equal((await opening).sent, true, `${answerDelayMs} ms`)
			assert.equal(cabinets[last]?.pulses(4), 1)
			const seen = events.some(({ fact }) => fact.kind === 'door' && fact.ref.board === last && fact.ref.channel === 4 && fact.value === 'open')
			assert.ok(seen, `${answerDelayMs} ms: the open door is seen within three seconds`)
			const { timeouts } = board.stats()
			await fake.advance(200_000)
			assert.equal(events.filter(({ fact }) => fact.kind === 'board-down').length, 0, `${answerDelayMs} ms`)
			assert.equal(board.stats().timeouts, timeouts, `${answerDelayMs} ms: as long as it is slow it keeps its longer time`)
			await board.stop()
		}
	})
}

test('a board that dies is lost about two seconds after its last answer, however slow it was', async () => {
	for (const answerDelayMs of [0, 160, 300, 400]) {
		for (const boards of [[0], [0, 1]]) {
			const { fake, emulator, events, board } = await running({ boards })
			for (const address of boards) emulator.setFaults(address, { answerDelayMs })
			await fake.advance(10_000)
			for (const address of boards) emulator.setFaults(address, { silent: true })
			// What was under way still arrives.
			await fake.advance(answerDelayMs)
			const last = board.stats().lastOkMono
			await fake.advance(5_000)
			const lost = events.filter(({ fact }) => fact.kind === 'board-down').map(({ mono }) => mono - last)
			assert.equal(lost.length, boards.length)
			// The second board of a bus waits while the first is asked.
			assert.ok(Math.max(...lost) <= (boards.length === 1 ? 2_100 : 3_000), `${answerDelayMs} ms, ${boards.length} board(s): lost after ${lost} ms`)
			await board.stop()
		}
	}
})

test('a slow board is not lost by two damaged answers in a row', async () => {
	const { fake, pipe, emulator, events, board } = await running({ boards: [0] })
	emulator.setFaults(0, { answerDelayMs: 300 })
	await fake.advance(10_000)
	let silentFor = 2
	const asked = pipe.wire.onData((bytes) => {
		if (bytes[2] === 0x30 && silentFor-- > 0) emulator.setFaults(0, { silent: true })
		else emulator.setFaults(0, { answerDelayMs: 300 })
	})
	await fake.advance(10_000)
	asked()
	assert.equal(events.filter(({ fact }) => fact.kind === 'board-down').length, 0)
	await board.stop()
})
