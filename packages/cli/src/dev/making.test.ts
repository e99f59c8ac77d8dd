import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '@latchwork/core/base'
import { keepMaking } from './making.ts'

const HOUR = 3_600_000

/** Both clocks are moved by hand; the timer runs when asked. */
function bench() {
	const time = { wall: 0, mono: 0 }
	let due = () => {}
	const clock: Clock = {
		now: () => time.wall,
		mono: () => time.mono,
		after(_ms, run) {
			due = run
			return () => {}
		},
	}
	const kept = { bundles: [] as string[], leases: [] as string[] }
	const put = { bundle: (text: string) => void kept.bundles.push(text), lease: (text: string) => void kept.leases.push(text) }
	const made = { bundle: (now: number) => `bundle of ${now}`, lease: (now: number) => `lease of ${now}` }
	return { time, clock, kept, put, made, minute: () => due() }
}

test('the bundle is renewed twice a day by whichever clock went on: also after a sleep, and when the time was set back', () => {
	const { time, clock, kept, put, made, minute } = bench()
	keepMaking({ made, clock, put, log: assert.fail })
	time.wall = time.mono = 11 * HOUR
	minute()
	assert.equal(kept.bundles.length, 1)
	time.mono = time.wall = 12 * HOUR
	minute()
	assert.equal(kept.bundles.length, 2)
	time.wall += 13 * HOUR // the machine slept: its monotonic clock did not count
	minute()
	assert.equal(kept.bundles.at(-1), `bundle of ${25 * HOUR}`)
	time.wall = 0
	minute()
	assert.equal(kept.bundles.at(-1), 'bundle of 0')
	assert.equal(kept.leases.length, 5)
})

test('a full disk is said once, and the next minute tries again', () => {
	const { time, clock, kept, put, made, minute } = bench()
	const said: string[] = []
	let full = false
	const lease = (text: string) => {
		if (full) throw new Error('ENOSPC: no space left on device')
		put.lease(text)
	}
	keepMaking({ made, clock, put: { ...put, lease }, log: (line) => void said.push(line) })
	full = true
	for (let i = 0; i < 3; i++) minute()
	assert.equal(said.length, 1)
	full = false
	time.wall = 60_000
	minute()
	assert.deepEqual(kept.leases, ['lease of 0', 'lease of 60000'])
})
