import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import type { Child, Ended } from './child.ts'
import { supervise } from './supervise.ts'

/** A bench where time stands still: children end when told to, pauses are over when asked for. */
function bench() {
	const children: { end: (how: Partial<Ended>) => Promise<void> }[] = []
	const pauses: number[] = []
	const log: string[] = []
	const restarted: number[] = []
	let now = 0
	const start = (): Child => {
		let end: (how: Ended) => void = () => {}
		const ended = new Promise<Ended>((resolve) => {
			end = resolve
		})
		const pid = children.length + 1
		children.push({
			async end(how) {
				end({ words: `child ${pid} is tired`, killed: false, ...how })
				for (let turn = 0; turn < 20; turn++) await Promise.resolve()
			},
		})
		return { pid, ready: Promise.resolve({ url: 'somewhere' }), ended, stop: async () => end({ words: '', killed: false }) }
	}
	const clock = {
		mono: () => now,
		after(ms: number, run: () => void) {
			pauses.push(ms)
			now += ms
			run()
			return () => {}
		},
	}
	const live = (ms: number) => {
		now += ms
	}
	return {
		parts: {
			what: 'controller',
			start,
			clock,
			log: (line: string) => void log.push(line),
			restarted: (pid: number) => void restarted.push(pid),
		},
		children,
		pauses,
		log,
		restarted,
		live,
	}
}

test('a controller that was killed is started again at once, however often', async () => {
	const { parts, children, pauses, restarted } = bench()
	const supervised = await supervise(parts)
	for (let i = 0; i < 30; i++) await children[i]?.end({ killed: true })
	assert.deepEqual(pauses, [])
	assert.equal(restarted.length, 30)
	assert.equal(supervised.pid(), 31)
	await supervised.stop()
})

test('one that ends soon after each start is started ever more slowly, and given up with its words', async () => {
	const { parts, children, pauses } = bench()
	const supervised = await supervise(parts)
	for (let i = 0; i < 8; i++) await children[i]?.end({})
	assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 8000])
	await assert.rejects(supervised.failed, (fault) => isFault(fault) && /8 times in a row.*child 8 is tired/.test(fault.message))
	assert.equal(children.length, 8)
})

test('one that worked for a while begins a new row', async () => {
	const { parts, children, pauses, live } = bench()
	await supervise(parts)
	for (let i = 0; i < 20; i++) {
		if (i % 3 === 2) live(11_000)
		await children[i]?.end({})
	}
	assert.ok(
		pauses.every((ms) => ms === 250),
		String(pauses),
	)
	assert.equal(children.length, 21)
})
