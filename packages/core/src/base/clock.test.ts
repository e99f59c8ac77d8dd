import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, sleep } from './index.ts'

test('timers fire in order of their due time, each at its own time', async () => {
	const clock = fakeClock(1000)
	const seen: [string, number, number][] = []
	for (const [name, ms] of [
		['c', 30],
		['a', 10],
		['b', 20],
	] as const)
		clock.after(ms, () => seen.push([name, clock.mono(), clock.now()]))
	await clock.advance(25)
	assert.deepEqual(seen, [
		['a', 10, 1010],
		['b', 20, 1020],
	])
	assert.equal(clock.mono(), 25)
	assert.equal(clock.now(), 1025)
	await clock.advance(5)
	assert.deepEqual(seen.at(-1), ['c', 30, 1030])
	assert.equal(clock.pending(), 0)
})

test('timers of the same moment fire in the order they were set', async () => {
	const clock = fakeClock()
	const seen: number[] = []
	for (const n of [1, 2, 3]) clock.after(10, () => seen.push(n))
	await clock.advance(10)
	assert.deepEqual(seen, [1, 2, 3])
})

test('a timer set by a timer fires within the same advance when it is due', async () => {
	const clock = fakeClock()
	const seen: number[] = []
	const again = () => {
		seen.push(clock.mono())
		clock.after(10, again)
	}
	clock.after(10, again)
	await clock.advance(35)
	assert.deepEqual(seen, [10, 20, 30])
	assert.equal(clock.pending(), 1)
})

test('a promise chain between two timers runs before the second', async () => {
	const clock = fakeClock()
	const seen: number[] = []
	const work = async () => {
		await sleep(clock, 10)
		await Promise.resolve()
		await sleep(clock, 10)
		seen.push(clock.mono())
	}
	const done = work()
	await clock.advance(20)
	await done
	assert.deepEqual(seen, [20])
})

test('a cancelled timer never fires; cancelling twice, or after it fired, does nothing', async () => {
	const clock = fakeClock()
	let fired = 0
	const cancelEarly = clock.after(10, () => fired++)
	const cancelLate = clock.after(5, () => fired++)
	cancelEarly()
	cancelEarly()
	await clock.advance(20)
	cancelLate()
	assert.equal(fired, 1)
})

test('a delay of zero or less is due at once, but never within after() itself', async () => {
	const clock = fakeClock()
	let fired = 0
	clock.after(0, () => fired++)
	clock.after(-5, () => fired++)
	assert.equal(fired, 0)
	await clock.advance(0)
	assert.equal(fired, 2)
})

test('stepping the wall clock moves neither monotonic time nor timers', async () => {
	const clock = fakeClock(1000)
	let fired = 0
	clock.after(10, () => fired++)
	clock.stepWall(1_000_000)
	clock.stepWall(-2_000_000)
	await clock.advance(9)
	assert.deepEqual([fired, clock.mono(), clock.now()], [0, 9, 1000 - 1_000_000 + 9])
	await clock.advance(1)
	assert.equal(fired, 1)
})

test('sleep rejects with the reason of the signal and leaves no timer behind', async () => {
	const clock = fakeClock()
	const stop = new AbortController()
	const sleeping = sleep(clock, 1000, stop.signal)
	const refused = assert.rejects(sleeping, /enough/)
	stop.abort(new Error('enough'))
	await refused
	assert.equal(clock.pending(), 0)
	await assert.rejects(sleep(clock, 1000, stop.signal), /enough/)
	assert.equal(clock.pending(), 0)
})

test('sleep lets go of the signal once it is over', async () => {
	const clock = fakeClock()
	const stop = new AbortController()
	const sleeping = sleep(clock, 5, stop.signal)
	await clock.advance(5)
	await sleeping
	stop.abort(new Error('too late'))
	assert.equal(clock.pending(), 0)
})
