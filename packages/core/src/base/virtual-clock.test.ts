import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClockFile, fakeClock, virtualClock, virtualTime } from './index.ts'

const HOUR = 3_600_000

function shared() {
	const real = fakeClock(1000)
	const state = { file: { turn: 0, offsetMs: 0 } as ClockFile, seen: [] as number[] }
	const clock = virtualClock(
		real,
		() => state.file,
		(turn) => state.seen.push(turn),
		20,
	)
	const move = (ms: number) => {
		state.file = { turn: state.file.turn + 1, offsetMs: state.file.offsetMs + ms }
	}
	return { real, clock, state, move }
}

test('virtual time is real time plus the offset of the file, for wall and monotonic time alike', async () => {
	const { real, clock, move } = shared()
	await real.advance(20)
	assert.deepEqual([clock.now(), clock.mono()], [1020, 20])
	move(HOUR)
	await real.advance(20)
	assert.deepEqual([clock.now(), clock.mono()], [1040 + HOUR, 40 + HOUR])
	clock.stop()
})

test('a move makes timers due, in order, and only then is the turn acknowledged', async () => {
	const { real, clock, state, move } = shared()
	const seen: string[] = []
	clock.after(2 * HOUR, () => seen.push(`two hours, turns seen ${state.seen}`))
	clock.after(HOUR, () => seen.push(`one hour, turns seen ${state.seen}`))
	clock.after(5 * HOUR, () => seen.push('five hours'))
	assert.deepEqual(state.seen, [0])
	move(3 * HOUR)
	await real.advance(20)
	assert.deepEqual(seen, ['one hour, turns seen 0', 'two hours, turns seen 0'])
	assert.deepEqual(state.seen, [0, 1])
	clock.stop()
})

test('a clock at rate 0 stands still until it is moved; at another rate it runs on from where it stood, never back', async () => {
	const { real, clock, state } = shared()
	const set = (ms: number, rate: number) => {
		const sinceMs = real.now()
		state.file = { turn: state.file.turn + 1, offsetMs: virtualTime(state.file, sinceMs) + ms - sinceMs, rate, sinceMs }
	}
	let fired = 0
	set(0, 0)
	await real.advance(20)
	const [now, mono] = [clock.now(), clock.mono()]
	clock.after(50, () => fired++)
	await real.advance(10_000)
	assert.deepEqual([clock.now() - now, clock.mono() - mono, fired], [0, 0, 0])
	set(60, 0)
	await real.advance(20)
	assert.deepEqual([clock.now() - now, clock.mono() - mono, fired], [60, 60, 1])
	set(0, 10)
	await real.advance(20)
	const from = [clock.now(), clock.mono()]
	await real.advance(1_000)
	assert.deepEqual([clock.now() - (from[0] ?? 0), clock.mono() - (from[1] ?? 0)], [10_000, 10_000])
	set(0, 1)
	await real.advance(20)
	assert.ok(clock.now() >= (from[0] ?? 0) + 10_000)
	clock.stop()
})

test('timers also fire as real time passes, without any move', async () => {
	const { real, clock } = shared()
	let fired = 0
	clock.after(50, () => fired++)
	await real.advance(40)
	assert.equal(fired, 0)
	await real.advance(20)
	assert.equal(fired, 1)
	clock.stop()
})

test('a timer set by a due timer and due itself runs within the same move', async () => {
	const { real, clock, state, move } = shared()
	const seen: string[] = []
	clock.after(HOUR, () => {
		seen.push('first')
		clock.after(0, () => seen.push('second'))
	})
	move(HOUR)
	await real.advance(20)
	assert.deepEqual(seen, ['first', 'second'])
	assert.deepEqual(state.seen, [0, 1])
	clock.stop()
})

test('a cancelled timer does not fire on a move', async () => {
	const { real, clock, move } = shared()
	let fired = 0
	clock.after(HOUR, () => fired++)()
	move(2 * HOUR)
	await real.advance(20)
	assert.equal(fired, 0)
	clock.stop()
})

test('after stop nothing is left waiting on the real clock', async () => {
	const { real, clock } = shared()
	await real.advance(100)
	clock.stop()
	assert.equal(real.pending(), 0)
})
