import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { heardSigned, LONGEST_SLEEP_MS, sawSigned, startTime, type TimeState, TOLERANCE_MS, trustedNow } from './index.ts'

const T0 = Date.UTC(2026, 0, 5, 9)
const HOUR = 3_600_000
const fresh = () => startTime({ floor: T0, lived: T0, reached: T0 })
/** Reads at several moments, given as [wall, mono]; answers the last reading and all events. */
function readings(state: TimeState, ...moments: [wall: number, mono: number][]) {
	const events: string[] = []
	let last = trustedNow(state, ...(moments[0] ?? [0, 0]))
	for (const [index, moment] of moments.entries()) {
		if (index > 0) last = trustedNow(last.state, ...moment)
		if (last.event) events.push(last.event.kind)
	}
	return { ...last, events }
}

test('an honest clock is believed, and small corrections are followed forward and absorbed backward', () => {
	const { now, uncertain, events } = readings(fresh(), [T0 + 10, 0], [T0 + 1_010, 1_000], [T0 + 3_000, 2_000])
	assert.deepEqual({ now, uncertain, events }, { now: T0 + 3_000, uncertain: false, events: [] })
	const back = readings(fresh(), [T0 + 10_000, 0], [T0 + 9_000, 1_000])
	assert.deepEqual([back.now, back.uncertain], [T0 + 11_000, false])
})

test('a clock set back is overruled by what was known and the monotonic clock, and said once', () => {
	const { now, uncertain, events } = readings(fresh(), [T0 + HOUR, 0], [T0 - 5 * 365 * 24 * HOUR, 1_000], [T0 - 5 * 365 * 24 * HOUR, 61_000])
	assert.deepEqual({ now, uncertain, events }, { now: T0 + HOUR + 61_000, uncertain: true, events: ['clock-went-back'] })
})

test('after a restart without battery the time is the floor until somebody knows better', () => {
	const boot = trustedNow(fresh(), 0, 0)
	assert.deepEqual([boot.now, boot.uncertain, boot.event?.kind], [T0, true, 'clock-went-back'])
	const lifted = trustedNow(sawSigned(boot.state, T0 + HOUR), 1_000, 1_000)
	assert.deepEqual([lifted.now, lifted.uncertain], [T0 + HOUR, true])
	const told = trustedNow(heardSigned(lifted.state, T0 + 2 * HOUR, 2_000, 2_000), 3_000, 3_000)
	assert.deepEqual([told.now, told.uncertain, told.event?.kind], [T0 + 2 * HOUR + 1_000, false, 'clock-good'])
})

test('an old signed document lowers nothing', () => {
	assert.equal(sawSigned(fresh(), T0 - HOUR).floor, T0)
})

test('a clock far ahead expires things but poisons nothing: set right again, all is well', () => {
	const year = 365 * 24 * HOUR
	const ahead = readings(fresh(), [T0, 0], [T0 + 5 * year, 1_000])
	assert.deepEqual([ahead.now, ahead.uncertain, ahead.events, ahead.state.lived], [T0 + 5 * year, true, ['clock-jumped'], T0 + 1_000])
	const righted = trustedNow(ahead.state, T0 + 2_000, 2_000)
	assert.deepEqual([righted.now, righted.uncertain, righted.event?.kind], [T0 + 2_000, false, 'clock-good'])
})

test('a night off is believed, a year off must be confirmed', () => {
	const night = trustedNow(fresh(), T0 + 12 * HOUR, 0)
	assert.deepEqual([night.now, night.uncertain], [T0 + 12 * HOUR, false])
	assert.equal(trustedNow(fresh(), T0 + LONGEST_SLEEP_MS, 0).uncertain, false)
	assert.equal(trustedNow(fresh(), T0 + LONGEST_SLEEP_MS + 1, 0).uncertain, true)
})

test('the very first start has nothing to compare with and believes its clock', () => {
	const { now, uncertain } = trustedNow(startTime({ floor: 0, lived: 0, reached: 0 }), T0, 0)
	assert.deepEqual([now, uncertain], [T0, false])
})

const DAY = 24 * HOUR
/** The next start with what the state before would have kept. */
const restart = ({ floor, lived, reached }: TimeState) => startTime({ floor, lived, reached })

test('a clock that was ten days fast at one start leaves nothing behind when it is set right, at the next start or in the same run', () => {
	const fast = readings(fresh(), [T0 + 10 * DAY, 0], [T0 + 10 * DAY + HOUR, HOUR])
	assert.deepEqual([fast.now, fast.uncertain], [T0 + 10 * DAY + HOUR, false], 'it may as well have slept so long')
	const right = readings(restart(fast.state), [T0 + 2 * HOUR, 0], [T0 + 2 * HOUR + 1_000, 1_000])
	assert.deepEqual([right.now, right.uncertain, right.events], [T0 + 2 * HOUR + 1_000, false, ['clock-went-back']])
	assert.equal(trustedNow(restart(right.state), T0 + 3 * HOUR, 0).event, undefined, 'said once')
	const stepped = readings(fast.state, [T0 + 2 * HOUR, 2 * HOUR], [T0 + 2 * HOUR + 1_000, 2 * HOUR + 1_000])
	assert.deepEqual([stepped.now, stepped.uncertain, stepped.events], [T0 + 2 * HOUR + 1_000, false, ['clock-went-back']])
})

test('a clock behind what was signed or lived through is proven wrong, and what had expired by any certain time stays expired', () => {
	const slept = readings(fresh(), [T0 + 10 * DAY, 0], [T0 + 10 * DAY + HOUR, HOUR])
	for (const wall of [T0 - DAY, T0 + HOUR - TOLERANCE_MS - 1]) {
		const back = trustedNow(restart(slept.state), wall, 0)
		assert.deepEqual([back.now, back.uncertain, back.event?.kind], [T0 + 10 * DAY + HOUR, true, 'clock-went-back'])
	}
	const confirmed = sawSigned(slept.state, T0 + 10 * DAY)
	const back = trustedNow(restart(confirmed), T0 + DAY, 0)
	assert.deepEqual([back.now, back.uncertain], [T0 + 10 * DAY + HOUR, true], 'a signature spoke for it')
	const inRun = trustedNow(confirmed, T0 + DAY, HOUR)
	assert.deepEqual([inRun.now, inRun.uncertain], [T0 + 10 * DAY + HOUR, true])
})

test('a fresh signed time outweighs a clock that was believed by mistake', () => {
	const wrong = trustedNow(fresh(), T0 + 10 * 24 * HOUR, 0)
	const told = trustedNow(heardSigned(wrong.state, T0 + HOUR, T0 + 10 * 24 * HOUR, 0), T0 + 10 * 24 * HOUR + 500, 500)
	assert.deepEqual([told.now, told.uncertain, told.state.lived], [T0 + HOUR + 500, false, T0 + HOUR + 500])
})

/** What an attacker or bad luck can do to a box's clocks. */
type Mishap = { kind: 'run'; ms: number } | { kind: 'set-wall'; by: number } | { kind: 'restart'; offMs: number } | { kind: 'signed'; age: number }
const mishaps: fc.Arbitrary<Mishap> = fc.oneof(
	fc.record({ kind: fc.constant('run' as const), ms: fc.integer({ min: 0, max: 6 * HOUR }) }),
	fc.record({ kind: fc.constant('set-wall' as const), by: fc.integer({ min: -5 * 365 * 24 * HOUR, max: 5 * 365 * 24 * HOUR }) }),
	fc.record({ kind: fc.constant('set-wall' as const), by: fc.integer({ min: -2 * TOLERANCE_MS, max: 2 * TOLERANCE_MS }) }),
	fc.record({ kind: fc.constant('restart' as const), offMs: fc.integer({ min: 0, max: 48 * HOUR }) }),
	fc.record({ kind: fc.constant('signed' as const), age: fc.integer({ min: 0, max: HOUR }) }),
)

test('whatever happens to the clocks, time is never before what was signed and lived through, and a clock that is behind that brings nothing back', (t) => {
	const met = new Map<string, number>()
	const count = (what: string) => met.set(what, (met.get(what) ?? 0) + 1)
	fc.assert(
		fc.property(fc.array(mishaps, { minLength: 1, maxLength: 30 }), (story) => {
			let real = T0
			let wallOffset = 0
			let mono = 0
			let { state } = trustedNow(fresh(), real, mono)
			let proven = T0
			let latest = T0
			for (const step of story) {
				if (step.kind === 'run') {
					real += step.ms
					mono += step.ms
					proven += step.ms
				} else if (step.kind === 'set-wall') wallOffset += step.by
				else if (step.kind === 'restart') {
					real += step.offMs
					mono = 0
					state = restart(state)
				} else {
					state = sawSigned(state, real - step.age)
					proven = Math.max(proven, real - step.age)
				}
				const wall = real + wallOffset
				const reading = trustedNow(state, wall, mono)
				state = reading.state
				assert.ok(reading.now >= proven, 'before what was signed and lived through')
				assert.equal(state.lived, proven, 'no wall clock makes it longer')
				if (wall < proven - TOLERANCE_MS) {
					assert.ok(reading.uncertain)
					assert.ok(reading.now >= latest, 'a clock that is proven wrong brought something back')
				}
				const back = !reading.uncertain && reading.now < latest - TOLERANCE_MS
				assert.equal(back, back && reading.event?.kind === 'clock-went-back', 'back, and nobody was told')
				if (!reading.uncertain) latest = reading.now
				count(back ? 'set right' : state.condition)
			}
		}),
		{ numRuns: 2_000 },
	)
	t.diagnostic([...met].map(([what, times]) => `${what} ${times}`).join(', '))
	assert.deepEqual([...met.keys()].sort(), ['ahead', 'behind', 'good', 'set right'])
})
