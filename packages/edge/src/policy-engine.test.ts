import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Bundle, type CompiledBundle, compile, decide, GRANT_LIFE_MS, type PolicySet } from '@latchwork/core/access'
import { askRow, DECISIONS, type DecisionRow, rowMismatch, rowRequest, SAMPLE_POLICIES, sampleBundle, sampleId } from '@latchwork/core/access/testing'
import { type Crypto, isFault } from '@latchwork/core/base'
import fc from 'fast-check'
import { cedarEngine } from './policy-engine.ts'

const sha256: Crypto['sha256'] = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest())
const bundle = sampleBundle({ sha256, hmacSha256: (key, bytes) => sha256(new Uint8Array([...key, ...bytes])), verify: () => false })
const withSets = (...sets: PolicySet[]): Bundle => ({ ...bundle, policies: { ...bundle.policies, sets } })
const load = (of: Bundle) => compile(of, { engine: cedarEngine, sha256 })

/** Compiles, uses and releases: the slots of the process are shared by all test files. */
function using<T>(of: Bundle, use: (compiled: CompiledBundle) => T): T {
	const answer = load(of)
	assert.ok(answer.ok, answer.ok ? '' : `${answer.set}:${answer.line}: ${answer.text}`)
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

test('the table holds every rule of the sample policies to account: without any one of them a row fails', () => {
	const rules = SAMPLE_POLICIES.split(/(?=^@id)/m).filter((text) => text.startsWith('@id'))
	assert.equal(rules.length, 10)
	for (const rule of rules) {
		const without = SAMPLE_POLICIES.replace(rule, '')
		using(withSets({ id: 'school', cedar: without }), (compiled) => {
			assert.ok(
				DECISIONS.some((row) => rowMismatch(compiled, row) !== undefined),
				`nothing depends on ${rule.slice(0, 40)}`,
			)
		})
	}
})

test('a decision names its versions, its rules and a digest of exactly its inputs', () => {
	using(bundle, (compiled) => {
		const row: DecisionRow = { who: 'ana', does: 'collect', what: 'laptop', outcome: 'allow', rules: [] }
		const { decision } = askRow(compiled, row)
		assert.deepEqual(
			{ ...decision, inputsDigest: '' },
			{
				id: sampleId('decision', 'row'),
				effect: 'allow',
				policyVersion: 3,
				bundleVersion: 7,
				rules: ['school/students-borrow-laptops'],
				inputsDigest: '',
				method: 'badge',
				assurance: 'low',
				offline: false,
				storageLevel: 0,
				stale: false,
				action: 'collect',
				asset: sampleId('asset', 'laptop'),
				workflow: 'loan',
				openLoans: 0,
				overdue: false,
			},
		)
		assert.equal(askRow(compiled, row).decision.inputsDigest, decision.inputsDigest)
		assert.notEqual(askRow(compiled, { ...row, storageLevel: 1 }).decision.inputsDigest, decision.inputsDigest)
		assert.notEqual(askRow(compiled, { ...row, openLoans: 2 }).decision.inputsDigest, decision.inputsDigest)
		assert.equal(askRow(compiled, { ...row, authority: 'stale' }).decision.stale, true)
		// Without the server it also counts how old its last word is.
		const digest = (more: Partial<DecisionRow>) => askRow(compiled, { ...row, ...more }).decision.inputsDigest
		assert.equal(digest({ leaseAge: 2 }), digest({}))
		assert.notEqual(digest({ offline: true, leaseAge: 2 }), digest({ offline: true }))
	})
})

test('one lost badge is refused while the same person’s PIN still counts', () => {
	using({ ...bundle, revoked: { epoch: 3, ids: [sampleId('credential', 'ana-badge')] } }, (compiled) => {
		const row: DecisionRow = { who: 'ana', does: 'collect', what: 'laptop', outcome: 'credential-revoked', rules: ['builtin/revoked'] }
		assert.equal(rowMismatch(compiled, row), undefined)
		assert.equal(askRow(compiled, { ...row, by: 'pin' }).effect, 'allow')
	})
})

test('a grant ends with the authority it came from, and never lives longer than a visit', () => {
	const required = { ...bundle, settings: { ...bundle.settings, leaseRequired: true } }
	using(required, (strict) => {
		const request = rowRequest({ who: 'cem', does: 'collect', what: 'laptop', outcome: 'allow', rules: [] })
		const now = Date.UTC(2026, 0, 5, 9)
		const lease = { format: 'latchwork-lease/1', bank: bundle.bank.id, bundleVersion: 7, issuedAt: now, until: now + 1_000 } as const
		const notAfter = (at: Parameters<typeof decide>[2], by = strict) => {
			const answer = decide(by, request, at)
			return answer.effect === 'allow' ? answer.grant.notAfter : undefined
		}
		assert.equal(notAfter({ now, uncertain: false }), undefined)
		assert.equal(notAfter({ now, uncertain: false, lease }), now + 1_000)
		assert.equal(notAfter({ now: now + 1_000, uncertain: false, lease }), undefined)
		// Where none is required, a lease that ran out ends nothing.
		using(bundle, (lax) => {
			assert.equal(notAfter({ now, uncertain: false }, lax), now + GRANT_LIFE_MS)
			assert.equal(notAfter({ now, uncertain: false, lease }, lax), now + GRANT_LIFE_MS)
			assert.equal(notAfter({ now: now + 1_000, uncertain: false, lease }, lax), now + 1_000 + GRANT_LIFE_MS)
		})
	})
})

test('whose time without the server is their own has it from the issue of the newest lease, each renewed one gives it again, and a grant ends with it', () => {
	using(bundle, (compiled) => {
		const minute = 60_000
		const cut = Date.UTC(2026, 0, 5, 9)
		const leased = (issuedAt: number) =>
			({ format: 'latchwork-lease/1', bank: bundle.bank.id, bundleVersion: 7, issuedAt, until: issuedAt + 30 * minute }) as const
		const ask = (who: 'hal' | 'ana', now: number, issuedAt?: number) => {
			const request = rowRequest({ who, does: 'collect', what: 'laptop', offline: true, outcome: 'allow', rules: [] })
			const answer = decide(compiled, request, { now, uncertain: false, ...(issuedAt !== undefined && { lease: leased(issuedAt) }) })
			return answer.effect === 'allow' ? answer.grant.notAfter - cut : answer.reason
		}
		assert.equal(ask('hal', cut + 14 * minute, cut), 15 * minute)
		assert.equal(ask('ana', cut + 14 * minute, cut), 14 * minute + GRANT_LIFE_MS)
		assert.equal(ask('hal', cut + 16 * minute, cut), 'lease-expired')
		assert.equal(ask('ana', cut + 16 * minute, cut), 16 * minute + GRANT_LIFE_MS, 'the control: a colleague at the same moment')
		assert.equal(ask('hal', cut + 16 * minute, cut + 15 * minute), 30 * minute, 'renewed meanwhile')
		assert.equal(ask('hal', cut + 16 * minute), 'lease-expired', 'with none the bundle is the last word, and it is older')
		assert.equal(ask('ana', cut + 16 * minute), 16 * minute + GRANT_LIFE_MS)
	})
})

test('a bad policy is refused with its set, line and column; nothing of the bundle is then in force', () => {
	const place = (cedar: string) => {
		const answer = load(withSets({ id: 'good', cedar: 'permit (principal, action, resource);' }, { id: 'bad', cedar }))
		return answer.ok ? 'accepted' : `${answer.set}:${answer.line}:${answer.column} ${answer.text}`
	}
	assert.match(place('permit (principal, action, resource)\nwhn { true };'), /^bad:2:1 .*whn/)
	assert.match(place('// größer als Ä\npermit (principal, action, resource)\nwhen { context.methd == "badge" };'), /^bad:3:8 .*methd.*did you mean/)
	assert.match(place('\n\npermit (principal, action, resource in Latchwork::Bnak::"x");'), /^bad:3:\d+ .*Bnak/)
	assert.match(place('permit (principal, action, resource) when { context.openLoans == "one" };'), /^bad:1:\d+ /)
	assert.match(place('@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);'), /^bad:2:1 .*used twice/)
	assert.match(place('permit (principal == ?principal, action, resource);'), /^bad:1:1 /)
	assert.equal(place('permit (principal, action, resource) when { context.openLoans == 1 };'), 'accepted')
})

test('without @id a policy is known by its place in the set, in the order its author wrote', () => {
	const texts = Array.from({ length: 12 }, (_, i) => `forbid (principal, action, resource) when { context.openLoans == ${100 + i} };`)
	using(withSets({ id: 'limits', cedar: texts.join('\n') }, { id: 'open', cedar: 'permit (principal, action, resource);' }), (compiled) => {
		for (const [index] of texts.entries()) {
			const answer = askRow(compiled, { who: 'cem', does: 'collect', what: 'bank', openLoans: 100 + index, outcome: 'allow', rules: [] })
			assert.deepEqual(answer.decision.rules, [`limits/${index + 1}`])
		}
	})
})

test('sets for another site or bank, and policies about people and things that are not here, are left out', () => {
	const all = { cedar: '@id("everybody") permit (principal, action, resource);' }
	const heads = `
		@id("a") permit (principal in Latchwork::Group::"pilots", action, resource);
		@id("b") permit (principal == Latchwork::Person::"sub_nobody", action, resource);
		@id("c") permit (principal, action, resource in Latchwork::Site::"sit_elsewhere");
		@id("d") permit (principal, action == Latchwork::Action::"collect", resource is Latchwork::Asset in Latchwork::AssetType::"boat");
		@id("e") permit (principal is Latchwork::Person in Latchwork::Group::"staff", action, resource in Latchwork::Bank::"${bundle.bank.id}");`
	const sets: PolicySet[] = [
		{ id: 'here', ...all, scope: { bank: bundle.bank.id, site: bundle.site.id } },
		{ id: 'other-bank', ...all, scope: { bank: sampleId('bank', 'elsewhere') } },
		{ id: 'other-site', ...all, scope: { site: sampleId('site', 'elsewhere') } },
		{ id: 'heads', cedar: heads },
	]
	using(withSets(...sets), ({ loaded }) => {
		assert.deepEqual(
			loaded.policies.map(({ id }) => id),
			['here/everybody', 'heads/e'],
		)
	})
})

test('a policy that cannot be evaluated closes the door, even where another one permits', () => {
	const cedar = `permit (principal, action, resource);
		@id("broken") forbid (principal, action, resource) when { context.openLoans * 9223372036854775807 > 5 };`
	using(withSets({ id: 'sums', cedar }), (compiled) => {
		const row: DecisionRow = { who: 'cem', does: 'collect', what: 'laptop', outcome: 'policy-denied', rules: ['sums/broken'] }
		assert.equal(rowMismatch(compiled, { ...row, openLoans: 2 }), undefined)
		assert.equal(askRow(compiled, { ...row, openLoans: 0 }).effect, 'allow')
	})
})

test('slots are used again: more bundles than slots fit one after the other, too many at once are refused, a released one cannot be asked', () => {
	for (let version = 0; version < 80; version++) using(withSets({ id: 'v', cedar: 'permit (principal, action, resource);' }), () => undefined)
	const held: CompiledBundle[] = []
	try {
		assert.throws(
			() => {
				for (let i = 0; i < 100; i++) {
					const answer = load(bundle)
					if (answer.ok) held.push(answer.compiled)
				}
			},
			(error) => isFault(error, 'not-supported'),
		)
		assert.ok(held.length >= 2)
	} finally {
		for (const compiled of held) compiled.release()
	}
	const [first] = held
	assert.ok(first)
	assert.throws(() => askRow(first, { who: 'cem', does: 'collect', what: 'bank', outcome: 'allow', rules: [] }), /released/)
})

/** I10 and I13 of trust.md §4.3, for any person, wish, time and state of the authority. */
const anyRow: fc.Arbitrary<DecisionRow> = fc.record(
	{
		who: fc.constantFrom('ana', 'ben', 'cem', 'dia', 'eli', 'fay', 'gus', 'hal', 'ivo', 'stranger'),
		does: fc.constantFrom('collect', 'deposit', 'open-remote', 'service'),
		what: fc.constantFrom('laptop', 'camera', 'foreign-asset', 'compartment', 'bank'),
		at: fc.constantFrom('2026-01-05T10:00', '2026-01-05T20:00', '2026-01-09T12:15', '2026-01-10T10:00'),
		by: fc.constantFrom('badge', 'pin', 'code', 'badge-and-pin'),
		assurance: fc.constantFrom('low', 'medium', 'high'),
		offline: fc.constant(true),
		leaseAge: fc.constantFrom(1, 20),
		authority: fc.constantFrom('stale', 'superseded', 'bundle-expired', 'lease-expired'),
		clock: fc.constant('uncertain'),
		openLoans: fc.integer({ min: 0, max: 2 }),
		overdue: fc.constant(true),
		empty: fc.constant(true),
		outcome: fc.constant('allow'),
		rules: fc.constant([]),
	},
	{ requiredKeys: ['who', 'does', 'what', 'outcome', 'rules'] },
)

/** Known people on an ordinary day, so that the policies decide and not the built-in rules alone. */
const ordinaryRow: fc.Arbitrary<DecisionRow> = fc.record({
	who: fc.constantFrom('ana', 'cem', 'dia'),
	does: fc.constant('collect'),
	what: fc.constantFrom('laptop', 'camera'),
	at: fc.constantFrom('2026-01-05T10:00', '2026-01-05T20:00', '2026-01-09T12:15', '2026-01-10T10:00'),
	assurance: fc.constantFrom('low', 'medium', 'high'),
	openLoans: fc.integer({ min: 0, max: 2 }),
	outcome: fc.constant('allow'),
	rules: fc.constant([]),
})
const rows = fc.oneof(anyRow, ordinaryRow)

/** What must hold for a row; answers what it came to, for the count below. */
function checkInvariants(compiled: CompiledBundle, row: DecisionRow): string {
	const answer = askRow(compiled, row)
	if (answer.effect === 'deny') {
		assert.equal('grant' in answer, false)
		return answer.reason
	}
	if (answer.grant.walkUpReturn) {
		assert.ok(row.does === 'deposit' && row.empty && ['laptop', 'camera'].includes(row.what))
		return 'walk-up return'
	}
	assert.ok(row.authority === undefined || row.authority === 'stale' || row.authority === 'superseded', 'I13: the authority is in force')
	assert.ok(
		!row.offline || (row.who !== 'ivo' && (row.who !== 'hal' || ((row.leaseAge ?? 1) < 15 && row.authority !== 'stale' && !row.clock))),
		'a person’s own lease has not run out',
	)
	assert.ok(row.who !== 'fay' && row.who !== 'stranger' && row.who !== 'eli', 'I13: the credential is known and not revoked')
	return 'allow'
}

test('denied never carries a grant; allowed means valid authority and an unrevoked person, walk-up returns excepted', (t) => {
	const reached = new Map<string, number>()
	using(bundle, (compiled) => {
		fc.assert(
			fc.property(rows, (row) => {
				const outcome = checkInvariants(compiled, row)
				reached.set(outcome, (reached.get(outcome) ?? 0) + 1)
			}),
			{ numRuns: 1_500 },
		)
		// Control: a bundle in which nobody is revoked must break the property, so it can fail.
		using({ ...bundle, revoked: { epoch: 3, ids: [] } }, (lax) => {
			const rowsOfFay = anyRow.map((row) => ({ ...row, who: 'fay' as const }))
			const found = fc.check(
				fc.property(rowsOfFay, (row) => void checkInvariants(lax, row)),
				{ numRuns: 3_000 },
			)
			assert.match(String(found.errorInstance), /credential is known/)
		})
	})
	const counts = [...reached].sort((a, b) => b[1] - a[1]).map(([outcome, count]) => `${outcome} ${count}`)
	t.diagnostic(`outcomes: ${counts.join(', ')}`)
	for (const outcome of ['allow', 'walk-up return', 'outside-hours', 'bundle-expired', 'lease-expired', 'credential-revoked', 'time-uncertain']) {
		assert.ok((reached.get(outcome) ?? 0) > 0, `never reached: ${outcome}`)
	}
})
