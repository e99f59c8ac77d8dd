import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { cedarOf, compile, POLICY_SCHEMA, type PolicyStatement, policyStatements, type Subject, statementOf } from '@latchwork/core/access'
import { type DecisionRow, rowMismatch, type SamplePerson, sampleBundle, sampleId } from '@latchwork/core/access/testing'
import type { Crypto } from '@latchwork/core/base'
import fc from 'fast-check'
import { cedarEngine } from './policy-engine.ts'

const sha256: Crypto['sha256'] = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest())
const school = sampleBundle({ sha256, hmacSha256: (key, bytes) => sha256(new Uint8Array([...key, ...bytes])), verify: () => false })

type Have = Partial<Record<SamplePerson, Pick<Subject, 'qualifications' | 'approvals'>>>

/** What people of the sample bank get when these sentences are all its policies. */
function answers(statements: readonly PolicyStatement[], rows: readonly DecisionRow[], have: Have = {}): (string | undefined)[] {
	const cedar = cedarOf(policyStatements.parse(statements))
	const subjects = school.subjects.map((one) => ({ ...one, ...Object.entries(have).find(([name]) => sampleId('subject', name) === one.id)?.[1] }))
	const bundle = { ...school, subjects, policies: { ...school.policies, sets: [{ id: 'p', cedar }] } }
	const loaded = compile(bundle, { engine: cedarEngine, sha256 })
	assert.ok(loaded.ok, loaded.ok ? '' : `${loaded.line}: ${loaded.text}\n${cedar}`)
	try {
		return rows.map((row) => rowMismatch(loaded.compiled, row))
	} finally {
		loaded.compiled.release()
	}
}

const take: Extract<PolicyStatement, { kind: 'take' }> = { kind: 'take', groups: ['students', 'staff'], types: ['loan-laptop'] }
const weekdays = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }
const laptop = { does: 'collect', what: 'laptop' } as const
const camera = { does: 'collect', what: 'camera' } as const
const parcel = { what: 'compartment', workflow: 'delivery' } as const
const nobody = { outcome: 'not-authorised', rules: ['builtin/no-permit'] } as const

/** The sample bank's people and hours; Monday, 10:00, by badge unless a row says otherwise. */
const CASES: readonly {
	readonly says: string
	readonly statements: readonly PolicyStatement[]
	readonly rows: readonly DecisionRow[]
	readonly have?: Have
}[] = [
	{
		says: 'groups take things of a type, and nobody else does, and nothing else',
		statements: [take],
		rows: [
			{ who: 'ana', ...laptop, outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
			{ who: 'cem', ...laptop, at: '2026-01-11T03:00', outcome: 'allow', rules: ['p/s1:staff:loan-laptop'] },
			{ who: 'ana', ...camera, ...nobody },
			{ who: 'gus', ...laptop, ...nobody },
			{ who: 'ana', does: 'service', what: 'compartment', ...nobody },
		],
	},
	{
		says: 'on weekdays from eight to six, at its edges, and never while the clock cannot be trusted',
		statements: [{ ...take, times: weekdays }],
		rows: [
			{ who: 'ana', ...laptop, at: '2026-01-05T08:00', outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
			{ who: 'ana', ...laptop, at: '2026-01-05T07:59', ...nobody },
			{ who: 'ana', ...laptop, at: '2026-01-09T17:59', outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
			{ who: 'ana', ...laptop, at: '2026-01-09T18:00', ...nobody },
			{ who: 'ana', ...laptop, at: '2026-01-10T10:00', ...nobody },
			{ who: 'ana', ...laptop, clock: 'uncertain', ...nobody },
		],
	},
	{
		says: 'parcels are dropped off by one group and taken out by another',
		statements: [
			{ kind: 'carry', groups: ['staff'], acts: ['deposit'] },
			{ kind: 'carry', groups: ['technicians'], acts: ['collect', 'deposit'] },
		],
		rows: [
			{ who: 'cem', does: 'deposit', ...parcel, outcome: 'allow', rules: ['p/s1:staff'] },
			{ who: 'cem', does: 'collect', ...parcel, ...nobody },
			{ who: 'dia', does: 'collect', ...parcel, outcome: 'allow', rules: ['p/s2:technicians'] },
			{ who: 'dia', does: 'collect', what: 'compartment', ...nobody },
		],
	},
	{
		says: 'staff serve, there and from afar, and only while there is a server',
		statements: [{ kind: 'serve', groups: ['technicians'] }],
		rows: [
			{ who: 'dia', does: 'service', what: 'compartment', outcome: 'allow', rules: ['p/s1:technicians'] },
			{ who: 'dia', does: 'open-remote', what: 'compartment', by: 'remote', outcome: 'allow', rules: ['p/s1:technicians'] },
			{ who: 'dia', does: 'open-remote', what: 'compartment', offline: true, outcome: 'policy-denied', rules: ['builtin/remote-open-needs-link'] },
			{ who: 'cem', does: 'service', what: 'compartment', ...nobody },
		],
	},
	{
		says: 'outside the opening hours nothing is taken, but by those who are excepted',
		statements: [take, { kind: 'hours', except: ['staff'] }],
		rows: [
			{ who: 'ana', ...laptop, outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
			{ who: 'ana', ...laptop, at: '2026-01-05T20:00', outcome: 'outside-hours', rules: ['p/s2'] },
			{ who: 'cem', ...laptop, at: '2026-01-05T20:00', outcome: 'allow', rules: ['p/s1:staff:loan-laptop'] },
			{ who: 'ana', ...laptop, clock: 'uncertain', outcome: 'time-uncertain', rules: ['p/s2'] },
		],
	},
	{
		says: 'what is of high value takes two things, and a server',
		statements: [
			{ ...take, types: ['loan-laptop', 'loan-camera'] },
			{ kind: 'second-factor', about: { valueClass: 'high' } },
			{ kind: 'online', about: { types: ['loan-camera'] } },
		],
		rows: [
			{ who: 'ana', ...camera, outcome: 'needs-second-factor', rules: ['p/s2'] },
			{ who: 'ana', ...camera, by: 'pin', assurance: 'medium', outcome: 'needs-second-factor', rules: ['p/s2'] },
			{ who: 'ana', ...camera, assurance: 'high', outcome: 'needs-second-factor', rules: ['p/s2'] },
			{ who: 'ana', ...camera, by: 'badge-and-pin', assurance: 'medium', outcome: 'allow', rules: ['p/s1:students:loan-camera'] },
			{ who: 'ana', ...camera, by: 'badge-and-pin', assurance: 'medium', offline: true, outcome: 'policy-denied', rules: ['p/s3:loan-camera'] },
			{ who: 'ana', ...laptop, offline: true, outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
		],
	},
	{
		says: 'without the server a PIN counts, alone or with a badge, only where keys are kept at the level or above; a badge alone always does',
		statements: [
			{ ...take, types: ['loan-laptop', 'loan-camera'] },
			{ kind: 'storage-level', level: 2, about: { types: ['loan-camera'] } },
			{ kind: 'storage-level', level: 1, about: { anything: true } },
		],
		rows: [
			...([0, 1] as const).map((storageLevel) => ({
				...{ who: 'ana' as const, ...camera, by: 'badge-and-pin' as const, offline: true as const, storageLevel },
				...{ outcome: 'policy-denied' as const, rules: storageLevel === 0 ? ['p/s2:loan-camera', 'p/s3'] : ['p/s2:loan-camera'] },
			})),
			...([2, 3] as const).map((storageLevel) => ({
				...{ who: 'ana' as const, ...camera, by: 'badge-and-pin' as const, offline: true as const, storageLevel },
				...{ outcome: 'allow' as const, rules: ['p/s1:students:loan-camera'] },
			})),
			{ who: 'ana', ...camera, by: 'pin', offline: true, storageLevel: 1, outcome: 'policy-denied', rules: ['p/s2:loan-camera'] },
			{ who: 'ana', ...camera, by: 'badge-and-pin', outcome: 'allow', rules: ['p/s1:students:loan-camera'] },
			{ who: 'ana', ...camera, offline: true, outcome: 'allow', rules: ['p/s1:students:loan-camera'] },
			{ who: 'ana', ...laptop, by: 'pin', offline: true, outcome: 'policy-denied', rules: ['p/s3'] },
			{ who: 'ana', ...laptop, by: 'pin', offline: true, storageLevel: 1, outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
			{ who: 'gus', own: true, by: 'pin', offline: true, does: 'collect', ...parcel, outcome: 'allow', rules: ['builtin/own-pick-up'] },
		],
	},
	{
		says: 'whatever is taken takes two things, where the sentence is about anything',
		statements: [take, { kind: 'second-factor', about: { anything: true } }],
		rows: [
			{ who: 'ana', ...laptop, outcome: 'needs-second-factor', rules: ['p/s2'] },
			{ who: 'stranger', own: true, by: 'code', does: 'collect', ...parcel, outcome: 'allow', rules: ['builtin/own-pick-up'] },
			{ who: 'ana', ...laptop, by: 'badge-and-pin', assurance: 'medium', outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
		],
	},
	{
		says: 'a qualification that has not run out, and never by a clock that cannot be trusted',
		statements: [
			{ ...take, types: ['loan-laptop', 'loan-camera'] },
			{ kind: 'qualified', qualification: 'studio', about: { types: ['loan-camera'] } },
		],
		have: {
			ana: { qualifications: [{ code: 'studio', until: Date.parse('2026-01-05T12:00Z') }] },
			cem: { qualifications: [{ code: 'studio' }] },
			hal: { qualifications: [{ code: 'forklift' }] },
		},
		rows: [
			{ who: 'ana', ...camera, outcome: 'allow', rules: ['p/s1:students:loan-camera'] },
			{ who: 'ana', ...camera, at: '2026-01-06T10:00', outcome: 'qualification-missing', rules: ['p/s2:loan-camera'] },
			{ who: 'ana', ...camera, clock: 'uncertain', outcome: 'qualification-missing', rules: ['p/s2:loan-camera'] },
			{ who: 'cem', ...camera, clock: 'uncertain', outcome: 'allow', rules: ['p/s1:staff:loan-camera'] },
			{ who: 'hal', ...camera, outcome: 'qualification-missing', rules: ['p/s2:loan-camera'] },
			{ who: 'hal', ...laptop, outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
		],
	},
	{
		says: 'two others let somebody take what is of high value, each until some time, and of one type only',
		statements: [
			{ ...take, types: ['loan-laptop', 'loan-camera'] },
			{ kind: 'approved', people: 2, about: { valueClass: 'high' } },
		],
		have: {
			ana: { approvals: [1, 2].map(() => ({ type: 'loan-camera', until: Date.parse('2026-01-05T12:00Z') })) },
			cem: { approvals: [{ type: 'loan-camera', until: Date.parse('2026-02-01T00:00Z') }] },
			hal: { approvals: [1, 2].map(() => ({ type: 'loan-laptop', until: Date.parse('2026-02-01T00:00Z') })) },
		},
		rows: [
			{ who: 'ana', ...camera, outcome: 'allow', rules: ['p/s1:students:loan-camera'] },
			{ who: 'ana', ...camera, at: '2026-01-05T14:00', outcome: 'approval-needed', rules: ['p/s2'] },
			{ who: 'cem', ...camera, outcome: 'approval-needed', rules: ['p/s2'] },
			{ who: 'hal', ...camera, outcome: 'approval-needed', rules: ['p/s2'] },
			{ who: 'hal', ...laptop, outcome: 'allow', rules: ['p/s1:students:loan-laptop'] },
		],
	},
	{
		says: 'at most so many loans, of some or of everybody, and nothing more while something is overdue',
		statements: [take, { kind: 'limit', groups: ['staff'], loans: 2 }, { kind: 'limit', loans: 3 }, { kind: 'overdue' }],
		rows: [
			{ who: 'cem', ...laptop, openLoans: 1, outcome: 'allow', rules: ['p/s1:staff:loan-laptop'] },
			{ who: 'cem', ...laptop, openLoans: 2, outcome: 'quota-exceeded', rules: ['p/s2:staff'] },
			{ who: 'cem', ...laptop, openLoans: 3, outcome: 'quota-exceeded', rules: ['p/s2:staff', 'p/s3'] },
			{ who: 'cem', ...laptop, overdue: true, outcome: 'overdue-block', rules: ['p/s4'] },
			{ who: 'gus', own: true, does: 'collect', ...parcel, openLoans: 9, overdue: true, outcome: 'allow', rules: ['builtin/own-pick-up'] },
		],
	},
]

for (const { says, statements, rows, have } of CASES)
	test(`plain words decide: ${says}`, () => {
		assert.deepEqual(
			answers(statements, rows, have),
			rows.map(() => undefined),
		)
		// The control: each of the sentences matters to one of the rows.
		if (statements.length > 1)
			for (const left of statements.keys()) {
				const without = answers(statements.with(left, { kind: 'carry', groups: ['nobody'], acts: ['deposit'] }), rows, have)
				assert.ok(
					without.some((mismatch) => mismatch !== undefined),
					`nothing depends on sentence ${left + 1}`,
				)
			}
	})

const code = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,12}$/)
const codes = fc.uniqueArray(code, { minLength: 1, maxLength: 3 })
const about = fc.oneof(
	codes.map((types) => ({ types })),
	fc.constant({ valueClass: 'high' as const }),
	fc.constant({ anything: true as const }),
)
const times = fc.tuple(fc.integer({ min: 0, max: 22 }), fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 })).map(([hour, days]) => ({
	days,
	from: `${String(hour).padStart(2, '0')}:00`,
	to: `${String(hour + 1).padStart(2, '0')}:30`,
}))
const anyStatement: fc.Arbitrary<PolicyStatement> = fc.oneof(
	fc.record({ kind: fc.constant('take' as const), groups: codes, types: codes, times }, { requiredKeys: ['kind', 'groups', 'types'] }),
	fc.record({
		kind: fc.constant('carry' as const),
		groups: codes,
		acts: fc.constantFrom<('deposit' | 'collect')[]>(['deposit'], ['collect', 'deposit']),
	}),
	fc.record({ kind: fc.constant('serve' as const), groups: codes }),
	fc.record({ kind: fc.constant('hours' as const), except: codes }, { requiredKeys: ['kind'] }),
	fc.record({ kind: fc.constantFrom('second-factor' as const, 'online' as const), about }),
	fc.record({ kind: fc.constant('storage-level' as const), level: fc.constantFrom(1, 2, 3), about }),
	fc.record({ kind: fc.constant('qualified' as const), qualification: code, about }),
	fc.record({ kind: fc.constant('approved' as const), people: fc.constantFrom(1, 2), about }),
	fc.record({ kind: fc.constant('limit' as const), groups: codes, loans: fc.integer({ min: 0, max: 100 }) }, { requiredKeys: ['kind', 'loans'] }),
	fc.constant({ kind: 'overdue' as const }),
)

test('whatever sentences are put together, the text fits the schema, and each of its rules leads back to its sentence', () => {
	fc.assert(
		fc.property(fc.array(anyStatement, { minLength: 1, maxLength: 8 }), (statements) => {
			const cedar = cedarOf(policyStatements.parse(statements))
			const answer = cedarEngine.load({
				schema: POLICY_SCHEMA,
				sets: [{ id: 'p', cedar }],
				exists: () => true,
			})
			assert.ok(answer.ok, answer.ok ? '' : `${answer.line}: ${answer.text}\n${cedar}`)
			const { policies } = answer.loaded
			answer.loaded.release()
			const found = policies.map(({ id }) => statementOf(id.slice('p/'.length)))
			assert.deepEqual(
				[...new Set(found)],
				statements.map((_, i) => i + 1),
			)
		}),
		{ numRuns: 150 },
	)
})

test('what is no sentence is refused with its place', () => {
	for (const wrong of [
		[],
		[{ kind: 'take', groups: [], types: ['a'] }],
		[{ kind: 'take', groups: ['a"); permit(principal, action, resource'], types: ['a'] }],
		[{ ...take, times: { ...weekdays, from: '18:00', to: '08:00' } }],
		[{ ...take, times: { ...weekdays, days: [0] } }],
		[{ kind: 'limit', loans: -1 }],
		[{ kind: 'storage-level', level: 0, about: { anything: true } }],
		[{ kind: 'open-everything' }],
		[{ kind: 'overdue', really: true }],
	])
		assert.equal(policyStatements.safeParse(wrong).success, false, JSON.stringify(wrong))
	assert.equal(policyStatements.safeParse([take]).success, true)
	assert.equal(statementOf('staff-borrow'), undefined)
	assert.equal(statementOf('s12:staff'), 12)
})
