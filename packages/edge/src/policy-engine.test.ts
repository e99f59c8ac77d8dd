import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type CompiledBundle, compile, decide, GRANT_LIFE_MS, POLICY_SCHEMA, type PolicySet } from '@latchwork/core/access'
import { askRow, DECISIONS, type DecisionRow, rowMismatch, rowRequest, SAMPLE_POLICIES, sampleBundle, sampleId } from '@latchwork/core/access/testing'
import { type Crypto, isFault } from '@latchwork/core/base'
import fc from 'fast-check'
import { cedarEngine } from './policy-engine.ts'

const sha256: Crypto['sha256'] = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest())
const digests: Crypto = { sha256, hmacSha256: (key, bytes) => sha256(new Uint8Array([...key, ...bytes])), verify: () => false }
const bundle = sampleBundle(digests)
const withSets = (sets: PolicySet[]) => ({ ...bundle, policies: { ...bundle.policies, sets } })

function using<T>(of: typeof bundle, use: (compiled: CompiledBundle) => T): T {
	const answer = compile(of, { engine: cedarEngine, sha256 })
	if (!answer.ok) throw new assert.AssertionError({ message: `${answer.set}:${answer.line}: ${answer.text}` })
	try {
		return use(answer.compiled)
	} finally {
		answer.compiled.release()
	}
}

test('every row of the decision table comes out as written', () => {
	using(bundle, (compiled) => {
		const wrong = DECISIONS.map((row) => ({ row, mismatch: rowMismatch(compiled, row) })).filter(({ mismatch }) => mismatch !== undefined)
		assert.deepEqual(wrong, [])
		assert.ok(DECISIONS.length >= 40)
	})
})

test('a planted wrong row is found: each row with another outcome, and with another rule', () => {
	using(bundle, (compiled) => {
		for (const row of DECISIONS) {
			assert.notEqual(rowMismatch(compiled, { ...row, outcome: row.outcome === 'allow' ? 'policy-denied' : 'allow' }), undefined)
			assert.notEqual(rowMismatch(compiled, { ...row, rules: ['school/no-such-rule'] }), undefined)
		}
	})
})
