import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Case, newCase } from './case.ts'
import { deliveryTable } from './delivery.ts'
import { loanTable } from './loan.ts'
import { FINISHED, movedData, recordedSteps, replay } from './replay.ts'
import { step } from './step.ts'
import { type LoadedTable, tableHash } from './table.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const loaded = (table: ReturnType<typeof loanTable> | ReturnType<typeof deliveryTable>): LoadedTable =>
	({ ...table, hash: tableHash(table, sha256) }) as LoadedTable
const TABLES = [loaded(loanTable()), loaded(deliveryTable())]
/** Written here once more, so that a flag that is lost in a table is seen. */
const MOVING = ['due', 'due-soon', 'grace', 'escalate', 'lost', 'collect-by', 'reminder', 'expiring']

const START = 1_800_000_000_000
const minutes = fc.integer({ min: 0, max: 2_000 }).map((n) => START + n * 60_000)
const told = fc.record({
	table: fc.constantFrom(...TABLES),
	deadlines: fc.dictionary(fc.constantFrom('hold', 'constructor', ...MOVING), minutes, { noNullPrototype: true }),
	from: minutes,
	lastMin: fc.integer({ min: 1, max: 2_000 }),
})

test('property: an outage moves what was to come and moves with outages, by its own length, once; all else stays', () => {
	const seen = { moved: 0, refused: 0, stayed: 0 }
	fc.assert(
		fc.property(told, ({ table, deadlines, from, lastMin }) => {
			const lines = [{ id: 'line-1', custodian: 'bank' }]
			const before: Case = { ...newCase(table, { id: 'case-1', lines }), deadlines }
			const to = from + lastMin * 60_000
			const input = { kind: 'outage', from, to } as const
			const env = { now: to, bank: 'bank', facts: FINISHED }
			const done = step(table, before, input, env)
			const moving = Object.keys(deadlines).filter((n) => MOVING.includes(n) && Object.hasOwn(table.deadlines ?? {}, n) && (deadlines[n] ?? 0) > from)
			if ('refused' in done) {
				seen.refused++
				assert.deepEqual([done.refused, moving], ['not-possible', []])
				return
			}
			seen.moved++
			const names = Object.keys(deadlines)
			for (const name of names) {
				const was: number = deadlines[name] ?? 0
				const is: number = done.case.deadlines[name] ?? 0
				if (!moving.includes(name)) seen.stayed++
				assert.equal(is, moving.includes(name) ? was + (to - from) : was, name)
			}
			for (const a of names.filter((n) => MOVING.includes(n) && Object.hasOwn(table.deadlines ?? {}, n)))
				for (const b of names.filter((n) => MOVING.includes(n) && Object.hasOwn(table.deadlines ?? {}, n)))
					if ((deadlines[a] ?? 0) <= (deadlines[b] ?? 0))
						assert.ok((done.case.deadlines[a] ?? 0) <= (done.case.deadlines[b] ?? 0), `${a} before ${b}`)
			assert.deepEqual([done.case.state, done.case.lines, done.case.version], [before.state, before.lines, before.version + 1])

			// The other copy follows what was recorded, and follows it once.
			const { steps } = recordedSteps(movedData(done, { input, env }).map((data) => ({ subject: 'case-1', bank: 'bank', data })))
			const [recorded] = steps
			assert.ok(recorded && steps.length === 1)
			const led = replay(table, before, recorded)
			assert.deepEqual('applied' in led && led.applied.case, done.case)
			const again = replay(table, done.case, recorded)
			assert.equal('conflict' in again && again.conflict, 'known')
		}),
		{ seed: 19, numRuns: 400 },
	)
	for (const [what, times] of Object.entries(seen)) assert.ok(times > 20, `${what}: ${times}`)
})

test('an outage that is not over, or lasted no time, moves nothing; the one that is told when it is over does', () => {
	const table = TABLES[0] as LoadedTable
	const of: Case = { ...newCase(table, { id: 'case-1', lines: [{ id: 'line-1', custodian: 'bank' }] }), deadlines: { due: START + 60_000 } }
	const at = (from: number, to: number, now: number) => step(table, of, { kind: 'outage', from, to }, { now, bank: 'bank', facts: FINISHED })
	assert.equal('refused' in at(START, START, START) && 'none', 'none')
	assert.equal('refused' in at(START, START + 600_000, START) && 'to come', 'to come')
	const done = at(START, START + 600_000, START + 600_000)
	assert.ok(!('refused' in done))
	assert.equal(done.case.deadlines.due, START + 660_000)
	assert.deepEqual(
		done.effects.map(({ effect }) => effect),
		['set-due', 'notify'],
		'whoever has longer is told',
	)
})
