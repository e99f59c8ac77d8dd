import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newCase } from './case.ts'
import { check } from './check.ts'
import { GIVEN, ROWS } from './loan.table.ts'
import { LOAN_DEFAULTS, type LoanSettings, loanTable } from './loan.ts'
import { behaviourOf } from './testing/behaviour.ts'

const { load, walk, untaken } = behaviourOf<LoanSettings>({
	given: GIVEN,
	rows: ROWS,
	draft: (settings) => loanTable({ ...LOAN_DEFAULTS, ...settings }),
	start: (table) => newCase(table, { id: 'case', owner: 'ann', lines: [{ id: 'line', asset: 'laptop', compartment: 'A1', custodian: 'bank' }] }),
})

test('each row of the loan table does what it says', async (t) => {
	assert.ok(ROWS.length >= 60)
	await walk(t)
	console.log(`loan rows: ${ROWS.length}, of them ${ROWS.filter((row) => row.refused !== undefined).length} refusals`)
})

test('the rows take every line move of the table from every state it starts in', () => {
	assert.deepEqual(untaken(), [])
})

test('each setting gives a table that passes its check and has its own hash', () => {
	const all = (['available', 'inspecting', 'charging'] as const).map((afterReturn) => loanTable({ ...LOAN_DEFAULTS, afterReturn }))
	for (const table of all) assert.deepEqual(check(table), [])
	const hashes = [load(), load({ afterReturn: 'available' }), load({ evidence: 2 }), load({ hold: 'PT30M' })].map((t) => t.hash)
	assert.equal(new Set(hashes).size, 4)
	assert.equal(load().hash, load().hash)
})
