import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptDelta, type Delta, identify, NO_DELTA, sealDelta, without } from './index.ts'
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
	const terms = { siteKey: SAMPLE_SITE_KEY, crypto: nodeCrypto, now: SAMPLE_START, uncertain: false, makerKeys: keys, codeUsed: () => false }
	const show = (of: typeof bundle, person: 'ana' | 'ben') => {
		const answer = identify(of, { kind: 'badge', normal: sampleBadge(person) }, terms)
		return answer.ok ? 'known' : answer.reason
	}
	const after = without(bundle, [sampleId('credential', 'ana-badge')])
	assert.deepEqual([show(bundle, 'ana'), show(after, 'ana'), show(after, 'ben')], ['known', 'credential-revoked', 'known'])
	assert.deepEqual(after.revoked.ids, [...bundle.revoked.ids, sampleId('credential', 'ana-badge')])
	assert.equal(without(bundle, []), bundle)
})
