import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DOOR_TIMERS } from './index.ts'
import { listedChoices, seededChoices } from './testing/choice.ts'
import { PLANTED } from './testing/planted.ts'
import { type Distribution, merge, type Plan, runWorld, simulate } from './testing/world.ts'

/** Another seed explores other worlds; a fixed one keeps a red build red until it is mended. */
const SEED = Number(process.env.LATCHWORK_SEED ?? 20_261_122)
/** Scenarios of the seeded part and of the generated part; trust.md §5-A wants 200,000 crash points a change. */
const SEEDED = 800
const GENERATED = 250
const CRASH_POINTS = 200_000
/** Scenarios in which a planted bug must have shown itself. */
const PATIENCE = 1_000

const reached: Distribution = new Map()
let crashPoints = 0

test(`door model: nothing breaks in seeded worlds that die at every effect boundary (seed ${SEED})`, () => {
	const run = runWorld({ seed: SEED, runs: SEEDED })
	merge(reached, run.distribution)
	crashPoints += run.crashPoints
	assert.deepEqual(run.violations, [], 'simulate({ choose: seededChoices(seed), crashAt }) shows it again')
})

/** Lives through the listed choices whole, then dies at each of its effect boundaries; throws at the first violation. */
function liveAndDie(choices: readonly number[], plan: Omit<Plan, 'choose' | 'crashAt'> = {}): void {
	const live = (crashAt?: number) => {
		const outcome = simulate({ ...plan, choose: listedChoices(choices), ...(crashAt !== undefined && { crashAt }) })
		crashPoints += outcome.crashes
		const [first] = outcome.violations
		if (first) throw new Error(`${first.invariant}: ${first.text}${crashAt === undefined ? '' : `, dying at boundary ${crashAt}`}`)
		return outcome.boundaries
	}
	const boundaries = live()
	for (let at = 0; at < boundaries; at++) live(at)
}

/** What a generated world decides; what lies beyond the list is quiet, so a shrunk list is a short story. */
const choices = fc.array(fc.nat({ max: 0xffff }), { maxLength: 400, size: 'max' })

test(`door model: nothing breaks in generated worlds that die at every effect boundary (seed ${SEED})`, () => {
	fc.assert(
		fc.property(choices, (list) => liveAndDie(list, { distribution: reached })),
		{ seed: SEED, numRuns: GENERATED },
	)
})

test('door model: a planted bug is found in a generated world and shrunk to a story that replays', () => {
	const planted = PLANTED.find((p) => p.bug === 're-pulse on recovery')
	assert.ok(planted?.reducer)
	const plan = { reducer: planted.reducer }
	const found = fc.check(
		fc.property(choices, (list) => liveAndDie(list, plan)),
		{ seed: SEED, numRuns: 100 },
	)
	assert.ok(found.failed && found.counterexample)
	const [story] = found.counterexample
	assert.throws(() => liveAndDie(story, plan), /^Error: I1: /)
	assert.doesNotThrow(() => liveAndDie(story))
	console.log(`door model: re-pulse on recovery, found in run ${found.numRuns}, shrunk ${found.numShrinks} times to ${story.length} choices`)
})

test('door model: every planted bug is caught by the invariant that is there for it', () => {
	const rows = PLANTED.map(({ bug, caughtBy, ...plan }) => {
		const { violations } = runWorld({ seed: SEED, runs: PATIENCE, ...plan })
		return { bug, caughtBy, found: violations[0] }
	})
	console.log(rows.map((r) => `  ${r.bug.padEnd(74)} ${r.found?.invariant.padEnd(4)} after ${r.found?.world} runs: ${r.found?.text}`).join('\n'))
	for (const { bug, caughtBy, found } of rows) assert.equal(found?.invariant, caughtBy, bug)
})

test('door model: a violation replays from its seed and its boundary alone', () => {
	const { caughtBy, ...plan } = PLANTED.find((p) => p.bug === 'recovery never ends') ?? assert.fail()
	const [found] = runWorld({ seed: SEED, runs: PATIENCE, ...plan }).violations
	assert.ok(found?.crashAt !== undefined)
	const again = simulate({ ...plan, choose: seededChoices(found.seed), crashAt: found.crashAt })
	assert.deepEqual(again.violations[0], { invariant: caughtBy, text: found.text })
	assert.deepEqual(simulate({ choose: seededChoices(found.seed), crashAt: found.crashAt }).violations, [])
})

/** `timer: ack 12, open 30`. */
function tellGroup(group: string): string {
	const members = [...reached].filter(([what]) => what.startsWith(`${group} `)).sort(([a], [b]) => (a < b ? -1 : 1))
	return `${group}: ${members.map(([what, n]) => `${what.slice(group.length + 1)} ${n}`).join(', ')}`
}

test('door model: every state, end, hold, timer, level and answer was reached, at 200,000 crash points or more', () => {
	for (const group of ['state', 'end', 'why', 'hold', 'timer', 'level', 'refused', 'repeated', 'event'])
		console.log(`door model: ${tellGroup(group)}`)
	console.log(`door model: ${crashPoints} crash points`)
	const must = [
		...['idle × open', 'idle × closed', 'idle × unknown', 'releasing × closed', 'releasing × unknown', 'releasing+asking × unknown'],
		...['opened × open', 'opened × unknown', 'closed × closed', 'closed × unknown', 'closed+asking × closed', 'closed+asking × unknown'],
		...['releasing+recovering × unknown', 'opened+recovering × unknown', 'closed+recovering × unknown', 'closed+asking+recovering × unknown'],
	].map((s) => `state ${s}`)
	must.push(...['committed E0', 'committed E1', 'committed E2', 'committed E3', 'committed E4'].map((s) => `end ${s} ×`))
	must.push(...['not-opened', 'no-change', 'ambiguous', 'failed'].map((s) => `end ${s} ×`))
	must.push(...['quarantined', 'out-of-service', 'pending-inspection'].map((s) => `hold ${s}`))
	must.push(...Object.keys(DOOR_TIMERS).map((s) => `timer ${s}`))
	must.push(...['prompt', 'staff', 'alarm'].map((s) => `level ${s}`))
	must.push(...['command-expired', 'compartment-unavailable', 'door-open', 'content-mismatch'].map((s) => `refused ${s}`))
	must.push(...['live', 'committed', 'not-opened', 'no-change', 'ambiguous', 'failed'].map((s) => `repeated ${s}`))
	const missing = must.filter((what) => ![...reached.keys()].some((key) => key.startsWith(what)))
	assert.deepEqual(missing, [])
	assert.ok(crashPoints >= CRASH_POINTS, `${crashPoints} crash points`)
})
