import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../base/index.ts'
import { type IdentifyTerms, type Identity, identify, mintCode, type OneTimeCode, type Presented, strengthen } from './index.ts'
import { SAMPLE_SITE_KEY, SAMPLE_START, sampleBadge, sampleBundle, sampleId, samplePin, sampleSubject } from './testing/index.ts'
import { nodeCrypto, testKey } from './testing/node-crypto.ts'

const bundle = sampleBundle(nodeCrypto)
const maker = testKey()
const NOW = SAMPLE_START + 3_600_000
const terms: IdentifyTerms = {
	siteKey: SAMPLE_SITE_KEY,
	crypto: nodeCrypto,
	now: NOW,
	proven: NOW,
	uncertain: false,
	makerKeys: new Map([['maker-1', maker.publicKey]]),
	codeUsed: () => false,
}
const who = (presented: Presented, change: Partial<IdentifyTerms> = {}) => identify(bundle, presented, { ...terms, ...change })
const outcome = (presented: Presented, change: Partial<IdentifyTerms> = {}) => {
	const answer = who(presented, change)
	return answer.ok ? answer.subject : answer.reason
}
const known = (presented: Presented): Identity => {
	const answer = who(presented)
	assert.ok(answer.ok)
	return answer
}

test('a badge and a PIN name the person they belong to, with the commitment that may be recorded', () => {
	assert.deepEqual(who({ kind: 'badge', normal: sampleBadge('ana') }), {
		ok: true,
		subject: sampleSubject('ana'),
		credential: sampleId('credential', 'ana-badge'),
		method: 'badge',
		assurance: 'low',
		commitment: (1001).toString(16).padStart(64, '0'),
	})
	assert.equal(outcome({ kind: 'pin', pin: samplePin('cem') }), sampleSubject('cem'))
})

test('the number alone is not enough: another site key, another kind or another format names nobody', () => {
	assert.equal(outcome({ kind: 'badge', normal: sampleBadge('ana') }, { siteKey: new Uint8Array(32) }), 'unknown-credential')
	assert.equal(outcome({ kind: 'badge', normal: samplePin('ana') }), 'unknown-credential')
	assert.equal(outcome({ kind: 'badge', normal: 'h10301:0:1001' }), 'unknown-credential')
	assert.equal(outcome({ kind: 'pin', pin: sampleBadge('ana') }), 'wrong-pin')
})

test('a badge of somebody without rights is known, so that things can come back (X13)', () => {
	assert.equal(identify(bundle, { kind: 'badge', normal: sampleBadge('fay') }, terms).ok, true)
})

test('revoked badges say so, while every PIN that does not count gets one answer', () => {
	assert.equal(outcome({ kind: 'pin', pin: samplePin('fay') }), 'wrong-pin')
	assert.equal(outcome({ kind: 'pin', pin: '00000000' }), 'wrong-pin')
	assert.equal(outcome({ kind: 'pin', pin: '' }), 'wrong-pin')
	const lost = { ...bundle, revoked: { epoch: 3, ids: [sampleId('credential', 'ana-badge')] } }
	const answers = [sampleBadge('ana'), sampleBadge('fay')].map((normal) => identify(lost, { kind: 'badge', normal }, terms).ok)
	assert.deepEqual(answers, [false, true])
})

test('a number from a reader without secure channel is worth little, however it was enrolled', () => {
	const trusted = { ...bundle, credentials: bundle.credentials.map((one) => ({ ...one, assurance: 'high' as const })) }
	const worth = (secure?: boolean) => {
		const answer = identify(trusted, { kind: 'badge', normal: sampleBadge('ana'), ...(secure === undefined ? {} : { secure }) }, terms)
		return answer.ok && answer.assurance
	}
	assert.deepEqual([worth(false), worth(true), worth()], ['low', 'high', 'high'])
})

test('badge and PIN together are stronger, in either order, and only of one person', () => {
	const badge = known({ kind: 'badge', normal: sampleBadge('ana') })
	const pin = known({ kind: 'pin', pin: samplePin('ana') })
	const both = { ...badge, method: 'badge-and-pin', assurance: 'medium' }
	assert.deepEqual(strengthen(badge, pin), both)
	assert.deepEqual(strengthen(pin, badge), both)
	assert.deepEqual(strengthen(badge, known({ kind: 'pin', pin: samplePin('cem') })), { ok: false, reason: 'wrong-pin' })
	assert.deepEqual(strengthen(badge, badge), { ok: false, reason: 'wrong-pin' })
})

const code: OneTimeCode = {
	jti: 'one-time-0001',
	subject: sampleSubject('ana'),
	bank: bundle.bank.id,
	notBefore: NOW - 1_000,
	expires: NOW + 600_000,
}
const show = (change: Partial<OneTimeCode> = {}, sign = maker.sign): Presented => ({ kind: 'code', text: mintCode({ ...code, ...change }, sign) })

test('a one-time code names its person until it expires, at its bank, once', () => {
	assert.deepEqual(who(show()), {
		ok: true,
		subject: sampleSubject('ana'),
		credential: 'one-time-0001',
		method: 'code',
		assurance: 'medium',
		commitment: (1001).toString(16).padStart(64, '0'),
		jti: 'one-time-0001',
	})
	assert.equal(outcome(show(), { codeUsed: (jti) => jti === 'one-time-0001' }), 'code-used')
	assert.equal(outcome(show(), { now: code.expires - 1 }), sampleSubject('ana'))
	assert.equal(outcome(show(), { now: code.expires }), 'code-expired')
	assert.equal(outcome(show({ bank: sampleId('bank', 'elsewhere') })), 'code-other-bank')
	assert.equal(outcome(show({ subject: sampleSubject('fay') })), 'credential-revoked')
	const withdrawn = { ...bundle, revoked: { epoch: 3, ids: ['one-time-0001'] } }
	assert.deepEqual(identify(withdrawn, show(), terms), { ok: false, reason: 'credential-revoked' })
	assert.equal(outcome(show({ subject: sampleId('subject', 'nobody') })), 'unknown-credential')
})

test('a code for later is refused, and with an uncertain clock for that reason: one that is ahead lets none begin', () => {
	assert.equal(outcome(show({ notBefore: NOW + 1 })), 'outside-hours')
	assert.equal(outcome(show({ notBefore: NOW + 1 }), { uncertain: true }), 'time-uncertain')
	assert.equal(outcome(show({ notBefore: NOW }), { uncertain: true }), sampleSubject('ana'))
	const ahead = { now: code.expires - 1, uncertain: true }
	assert.equal(outcome(show({ notBefore: NOW + 1 }), ahead), 'time-uncertain')
	assert.equal(outcome(show({ notBefore: NOW }), ahead), sampleSubject('ana'))
	assert.equal(outcome(show({ notBefore: NOW + 1 }), { ...ahead, uncertain: false }), sampleSubject('ana'), 'the control: in its time')
})

test('a code by another maker, or changed anywhere, is nobody’s', () => {
	assert.equal(outcome(show({}, testKey().sign)), 'unknown-credential')
	const { text } = show() as { text: string }
	for (let place = 0; place < text.length; place++) {
		const other = text[place] === 'A' ? 'B' : 'A'
		assert.equal(outcome({ kind: 'code', text: text.slice(0, place) + other + text.slice(place + 1) }), 'unknown-credential', `changed at ${place}`)
	}
	for (const damaged of ['', 'LW1', 'LW1..', `${text}.x`, `${text} `, text.slice(0, -1), 'x'.repeat(5_000), text.replace('LW1', 'LW2')]) {
		assert.equal(outcome({ kind: 'code', text: damaged }), 'unknown-credential')
	}
})

test('a code that could never be valid is not minted', () => {
	const refused = (change: Partial<OneTimeCode>) =>
		assert.throws(
			() => mintCode({ ...code, ...change }, maker.sign),
			(error) => isFault(error, 'request-invalid'),
		)
	refused({ expires: code.notBefore })
	refused({ jti: 'short' })
	refused({ notBefore: 0.5 })
})
