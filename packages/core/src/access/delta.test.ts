import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalBytes, toHex } from '../base/index.ts'
import {
	acceptDelta,
	type Delta,
	heldUpTo,
	identify,
	knownElsewhere,
	type LoansTold,
	loansElsewhere,
	NO_DELTA,
	readChanges,
	sealDelta,
	without,
} from './index.ts'
import { nodeCrypto, testKey } from './testing/node-crypto.ts'
import { SAMPLE_SITE_KEY, SAMPLE_START, sampleBadge, sampleBundle, sampleId } from './testing/sample-bundle.ts'

const KEY = testKey(new Uint8Array(32).fill(3))
const site = sampleId('site', 'main')
const keys = new Map([['maker', KEY.publicKey]])
const given = { keys, crypto: nodeCrypto, site, now: SAMPLE_START, mark: NO_DELTA }
const delta = (change: Partial<Delta> = {}): Delta => ({
	format: 'latchwork-delta/1',
	site,
	n: 1,
	prev: NO_DELTA.hash,
	changes: [{ revoke: sampleId('credential', 'ana-badge') }],
	issuedAt: SAMPLE_START,
	until: SAMPLE_START + 1_000,
	...change,
})
const text = (change: Partial<Delta> = {}, by = KEY) => JSON.stringify(sealDelta(delta(change), 'maker', by.sign))
const markOf = (sent: string) => toHex(nodeCrypto.sha256(canonicalBytes((JSON.parse(sent) as { signed: unknown }).signed)))

test('deltas of one site form a chain: each is known by its place, a missing one shows, and a repeated one changes nothing', () => {
	const first = acceptDelta(text(), given)
	assert.ok(first.ok && !first.known && !first.gap)
	const second = acceptDelta(text({ n: 2, prev: first.mark.hash }), { ...given, mark: first.mark })
	assert.ok(second.ok && !second.known && !second.gap && second.mark.n === 2)
	const again = acceptDelta(text(), { ...given, mark: second.mark })
	assert.ok(again.ok && again.known && !again.gap)
	assert.deepEqual(again.mark, second.mark)
	const leap = acceptDelta(text({ n: 5, prev: 'a'.repeat(64) }), { ...given, mark: second.mark })
	assert.ok(leap.ok && leap.gap && leap.mark.n === 5)
	const forked = acceptDelta(text({ n: 3, prev: 'b'.repeat(64) }), { ...given, mark: second.mark })
	assert.ok(forked.ok && forked.gap)
})

test('a delta that must not be trusted is refused with its reason', () => {
	const answers = [
		acceptDelta('{}', given),
		acceptDelta(text({}, testKey(new Uint8Array(32).fill(9))), given),
		acceptDelta(text({ site: sampleId('site', 'elsewhere') }), given),
		acceptDelta(text(), { ...given, now: SAMPLE_START + 1_000 }),
		acceptDelta(text().replace('ana', 'ben').replace('"n":1', '"n":2'), given),
	]
	assert.deepEqual(
		answers.map((a) => (a.ok ? 'taken' : a.code)),
		['delta-malformed', 'delta-signature', 'delta-other-site', 'delta-expired', 'delta-signature'],
	)
	assert.ok(acceptDelta(text(), given).ok)
})

test('what a delta takes away counts at once, and the rest of the bundle as before', () => {
	const bundle = sampleBundle(nodeCrypto)
	const terms = {
		siteKey: SAMPLE_SITE_KEY,
		crypto: nodeCrypto,
		now: SAMPLE_START,
		proven: SAMPLE_START,
		uncertain: false,
		makerKeys: keys,
		codeUsed: () => false,
	}
	const show = (of: typeof bundle, person: 'ana' | 'ben') => {
		const answer = identify(of, { kind: 'badge', normal: sampleBadge(person) }, terms)
		return answer.ok ? 'known' : answer.reason
	}
	const after = without(bundle, [sampleId('credential', 'ana-badge')])
	assert.deepEqual([show(bundle, 'ana'), show(after, 'ana'), show(after, 'ben')], ['known', 'credential-revoked', 'known'])
	assert.deepEqual(after.revoked.ids, [...bundle.revoked.ids, sampleId('credential', 'ana-badge')])
	assert.equal(without(bundle, []), bundle)
})

test('of two counts the later one counts, each bank leaves its own out, and a bundle that holds the delta knows better', () => {
	const [here, next] = [sampleId('bank', 'here'), sampleId('bank', 'next')]
	const ana = sampleId('subject', 'ana')
	const taken = acceptDelta(text({ changes: [{ subject: ana, loans: 3, at: { [here]: 1 } }] }), given)
	assert.ok(taken.ok)
	const told = (bank: typeof here) => readChanges(taken.delta, bank)
	assert.deepEqual(told(here), { revoked: [], loans: [{ subject: ana, n: 1, elsewhere: 2 }] })
	assert.equal(told(next).loans[0]?.elsewhere, 3)
	const bundle = (elsewhere: number | undefined, n: number) => {
		const of = sampleBundle(nodeCrypto)
		const subjects = of.subjects.map((one) => (one.id === ana && elsewhere ? { ...one, loansElsewhere: elsewhere } : one))
		return { ...of, subjects, deltas: { n, hash: NO_DELTA.hash } }
	}
	const [word] = told(here).loans
	assert.deepEqual(
		[
			knownElsewhere(bundle(1, 0), word, ana),
			knownElsewhere(bundle(1, 1), word, ana),
			knownElsewhere(bundle(undefined, 1), word, ana),
			knownElsewhere(bundle(1, 0), undefined, ana),
		],
		[2, 1, 0, 1],
	)
	assert.ok(!acceptDelta(JSON.stringify(sealDelta(delta(), 'maker', KEY.sign)).replace('"revoke"', '"grant"'), given).ok)
})

/**
 * One site of two banks and one of the organisation's other banks; loans come and go, the server tells them by deltas of which some are lost, and
 * makes bundles at any moment. A bank that knows all deltas up to the newest knows the true count.
 */
test('property: whatever is lost on the way, a bank that holds them all counts as the organisation does', () => {
	const ana = sampleId('subject', 'ana')
	const banks = ['one', 'two', 'far'].map((name) => sampleId('bank', name))
	const [one = sampleId('bank', ''), two = one] = banks
	const sample = sampleBundle(nodeCrypto)
	const seen = { whole: 0, behind: 0, gap: 0, byBundle: 0, zero: 0 }
	const act = fc.oneof(
		{ weight: 4, arbitrary: fc.record({ kind: fc.constant('loan' as const), bank: fc.integer({ min: 0, max: 2 }), more: fc.boolean() }) },
		{ weight: 4, arbitrary: fc.record({ kind: fc.constant('delta' as const), arrives: fc.boolean() }) },
		{ weight: 2, arbitrary: fc.constant({ kind: 'bundle' as const }) },
	)
	fc.assert(
		fc.property(fc.array(act, { maxLength: 40 }), fc.constantFrom(one, two), (acts, bank) => {
			const loans = new Map<string, number>()
			const total = () => [...loans.values()].reduce((sum, n) => sum + n, 0)
			const counts = () => ({ loans: total(), at: Object.fromEntries([one, two].flatMap((b) => (loans.get(b) ? [[b, loans.get(b) ?? 0]] : []))) })
			let server = NO_DELTA
			let truth = 0
			const edge = { bundle: sample, mark: NO_DELTA, from: 1, told: undefined as LoansTold | undefined }
			for (const next of acts) {
				if (next.kind === 'loan') {
					const at = banks[next.bank] ?? one
					loans.set(at, Math.max(0, (loans.get(at) ?? 0) + (next.more ? 1 : -1)))
					continue
				}
				if (next.kind === 'delta') {
					const sent = text({ n: server.n + 1, prev: server.hash, changes: [{ subject: ana, ...counts() }] })
					truth = loansElsewhere(counts(), bank)
					const accepted = acceptDelta(sent, { ...given, mark: edge.mark })
					assert.ok(accepted.ok)
					server = { n: server.n + 1, hash: markOf(sent) }
					if (!next.arrives) continue
					if (accepted.gap) {
						edge.from = server.n
						seen.gap++
					}
					edge.mark = accepted.mark
					edge.told = readChanges(accepted.delta, bank).loans[0]
				} else {
					// Told first, so that what the bundle says up to that delta is the truth now.
					if (loansElsewhere(counts(), bank) !== truth) continue
					const subjects = sample.subjects.map(({ ...s }) => (s.id === ana && truth > 0 ? { ...s, loansElsewhere: truth } : s))
					edge.bundle = { ...sample, subjects, deltas: server }
					if (server.n >= edge.mark.n) Object.assign(edge, { mark: server, from: server.n + 1 })
					seen.byBundle++
				}
				const held = heldUpTo(edge.bundle, edge.mark, edge.from)
				assert.ok(held <= server.n)
				if (held < server.n) seen.behind++
				else {
					assert.equal(knownElsewhere(edge.bundle, edge.told, ana), truth)
					seen.whole++
					if (truth === 0) seen.zero++
				}
			}
		}),
		{ seed: 7, numRuns: 400 },
	)
	for (const [what, times] of Object.entries(seen)) assert.ok(times >= 30, `${what}: ${times}`)
})
