import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../base/index.ts'
import { acceptBundle, acceptLease, authorityState, type Bundle, type BundleTerms, type Lease, sealBundle, sealLease } from './index.ts'
import { seal } from './signed.ts'
import { SAMPLE_START, sampleBundle, sampleId } from './testing/index.ts'
import { nodeCrypto, testKey } from './testing/node-crypto.ts'

const maker = testKey()
const stranger = testKey()
const bundle = sampleBundle(nodeCrypto)
const keys = new Map([['maker-1', maker.publicKey]])
const terms: BundleTerms = { keys, crypto: nodeCrypto, bank: bundle.bank.id, now: SAMPLE_START }
const sealed = (change: object = {}) => JSON.stringify(seal({ ...bundle, ...change }, 'maker-1', maker.sign))
const verdict = (input: unknown, change: Partial<BundleTerms> = {}) => {
	const answer = acceptBundle(input, { ...terms, ...change })
	return answer.ok ? 'accepted' : answer.code
}

test('a sealed bundle is accepted as text and as an object, and comes out as it went in', () => {
	const envelope = sealBundle(bundle, 'maker-1', maker.sign)
	for (const input of [envelope, JSON.stringify(envelope)]) {
		const answer = acceptBundle(input, terms)
		assert.ok(answer.ok)
		assert.deepEqual(answer.bundle, bundle)
		assert.match(answer.digest, /^[0-9a-f]{64}$/)
		assert.equal(answer.expired, false)
	}
})

test('an expired bundle is accepted and marked, because returns still need to know what belongs here', () => {
	const answer = acceptBundle(sealed(), { ...terms, now: bundle.expiresAt })
	assert.ok(answer.ok)
	assert.equal(answer.expired, true)
})

test('one signature by a trusted key is needed and enough, and it must fit these bytes', () => {
	const { signed, signatures } = sealBundle(bundle, 'maker-1', maker.sign)
	const byStranger = sealBundle(bundle, 'maker-1', stranger.sign).signatures
	assert.equal(verdict({ signed, signatures: byStranger }), 'bundle-signature')
	assert.equal(verdict({ signed, signatures: sealBundle(bundle, 'unknown', maker.sign).signatures }), 'bundle-signature')
	assert.equal(verdict({ signed, signatures: [] }), 'bundle-signature')
	assert.equal(verdict({ signed, signatures: [...byStranger, ...signatures] }), 'accepted')
	assert.equal(verdict({ signed: { ...signed, expiresAt: signed.expiresAt + 1 }, signatures }), 'bundle-signature')
})

test('the field order of the text does not matter, a changed value anywhere does', () => {
	const { signed, signatures } = sealBundle(bundle, 'maker-1', maker.sign)
	assert.equal(verdict({ signatures, signed: Object.fromEntries(Object.entries(signed).reverse()) }), 'accepted')
	for (const field of Object.keys(signed)) assert.equal(verdict({ signed: { ...signed, [field]: 'changed' }, signatures }), 'bundle-signature')
})

test('going back is refused: an older version, or other bytes under the same one', () => {
	const first = acceptBundle(sealed(), terms)
	assert.ok(first.ok)
	const last = { version: first.bundle.version, digest: first.digest }
	assert.equal(verdict(sealed(), { last }), 'accepted')
	assert.equal(verdict(sealed({ version: 8 }), { last }), 'accepted')
	assert.equal(verdict(sealed({ version: 6 }), { last }), 'bundle-rollback')
	assert.equal(verdict(sealed({ groups: [...bundle.groups, { id: 'guests' }] }), { last }), 'bundle-rollback')
})

test('a bundle for another bank is refused', () => {
	assert.equal(verdict(sealed(), { bank: sampleId('bank', 'elsewhere') }), 'bundle-other-bank')
})

test('what is no bundle is refused and never throws', () => {
	for (const input of [
		'',
		'{',
		'null',
		'[]',
		'{"signed":1}',
		null,
		7,
		[],
		{ signed: bundle },
		{ signed: bundle, signatures: [7] },
		'['.repeat(100_000),
	]) {
		assert.equal(verdict(input), 'bundle-malformed')
	}
	assert.equal(verdict({ signed: { a: 0.5 }, signatures: [] }), 'bundle-malformed')
	assert.equal(verdict({ ...sealBundle(bundle, 'maker-1', maker.sign), more: 1 }), 'bundle-malformed')
})

test('a rightly signed document with a field too many, too few or contradicting itself is refused with the place', () => {
	const refusal = (change: object) => {
		const answer = acceptBundle(sealed(change), terms)
		return answer.ok ? 'accepted' : `${answer.code} ${answer.text}`
	}
	const [subject] = bundle.subjects
	const [credential] = bundle.credentials
	assert.ok(subject && credential)
	assert.match(refusal({ onlyWeekdays: true }), /^bundle-malformed .*onlyWeekdays/)
	assert.match(refusal({ subjects: [{ ...subject, name: 'Ana' }] }), /subjects\.0/)
	assert.match(refusal({ subjects: [{ ...subject, commitment: 'short' }] }), /subjects\.0\.commitment/)
	assert.match(refusal({ site: { ...bundle.site, timeZone: 'Mars/Olympus' } }), /site\.timeZone/)
	assert.match(refusal({ staleAt: undefined }), /staleAt/)
	assert.match(refusal({ staleAt: bundle.expiresAt + 1 }), /order/)
	assert.match(refusal({ subjects: bundle.subjects.slice(1) }), /unknown subject/)
	assert.match(refusal({ groups: [] }), /unknown group/)
	assert.match(refusal({ credentials: [credential, { ...credential, id: sampleId('credential', 'copy') }] }), /same verifier/)
	assert.match(refusal({ assets: [] }), /unknown asset/)
	assert.match(refusal({ settings: { ...bundle.settings, openingHours: 'never' } }), /unknown schedule/)
})

test('a maker cannot sign what no bank would accept', () => {
	const wrong: Bundle = { ...bundle, staleAt: bundle.issuedAt - 1 }
	assert.throws(
		() => sealBundle(wrong, 'maker-1', maker.sign),
		(error) => isFault(error, 'bundle-invalid') && /order/.test(error.message),
	)
})

const lease: Lease = {
	format: 'latchwork-lease/1',
	bank: bundle.bank.id,
	bundleVersion: 7,
	issuedAt: SAMPLE_START + 60_000,
	until: SAMPLE_START + 3_600_000,
}

test('a lease is accepted from a trusted key, for this bank, and never an older one', () => {
	const leaseVerdict = (input: unknown, last?: Lease) => {
		const answer = acceptLease(input, { keys, crypto: nodeCrypto, bank: bundle.bank.id, ...(last ? { last } : {}) })
		return answer.ok ? answer.lease : answer.code
	}
	const envelope = sealLease(lease, 'maker-1', maker.sign)
	assert.deepEqual(leaseVerdict(JSON.stringify(envelope)), lease)
	assert.deepEqual(leaseVerdict(envelope, lease), lease)
	assert.equal(leaseVerdict(envelope, { ...lease, issuedAt: lease.issuedAt + 1 }), 'lease-rollback')
	assert.equal(leaseVerdict(sealLease(lease, 'maker-1', stranger.sign)), 'lease-signature')
	assert.equal(leaseVerdict(seal({ ...lease, bank: sampleId('bank', 'elsewhere') }, 'maker-1', maker.sign)), 'lease-other-bank')
	assert.equal(leaseVerdict(seal({ ...lease, more: 1 }, 'maker-1', maker.sign)), 'lease-malformed')
	assert.equal(leaseVerdict(sealBundle(bundle, 'maker-1', maker.sign)), 'lease-malformed')
	assert.equal(leaseVerdict('nonsense'), 'lease-malformed')
})

test('authority ages from fresh to stale to expired, by the bundle, and by the lease where one is required', () => {
	const soft = bundle.staleAt
	const hard = bundle.expiresAt
	const required: Bundle = { ...bundle, settings: { ...bundle.settings, leaseRequired: true } }
	const rows: [Bundle, Lease | undefined, number, ReturnType<typeof authorityState>][] = [
		[bundle, undefined, soft - 1, 'fresh'],
		[bundle, undefined, soft, 'stale'],
		[bundle, undefined, hard - 1, 'stale'],
		[bundle, undefined, hard, 'bundle-expired'],
		[required, undefined, SAMPLE_START, 'lease-expired'],
		[required, lease, soft - 1, 'fresh'],
		// The lease carries the soft life on from its own issue.
		[bundle, lease, soft, 'fresh'],
		[bundle, lease, soft + 60_000, 'stale'],
		[bundle, lease, lease.until - 1, 'stale'],
		[bundle, lease, lease.until, 'stale'],
		[bundle, lease, hard - 1, 'stale'],
		[required, lease, lease.until - 1, 'stale'],
		[required, lease, lease.until, 'lease-expired'],
		[bundle, { ...lease, until: hard + 1 }, hard, 'bundle-expired'],
		// For an older bundle it says nothing; for a newer one it says that ours is superseded.
		[bundle, { ...lease, bundleVersion: 6 }, lease.until, 'stale'],
		[required, { ...lease, bundleVersion: 6 }, SAMPLE_START, 'lease-expired'],
		[bundle, { ...lease, bundleVersion: 8 }, SAMPLE_START, 'stale'],
	]
	for (const [index, [of, by, now, expected]] of rows.entries()) assert.equal(authorityState(of, by, now), expected, `row ${index}`)
})
