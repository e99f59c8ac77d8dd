import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/index.ts'
import { acceptBundle, sealBundle } from './bundle.ts'
import { type Bundle, bundleFaults, type OfferedCase, type PickUpCode } from './bundle-schema.ts'
import { codeNormal, codeRule, drawDigits, type IdentifyTerms, identify, lengthFormula, mintCode, verifierOf } from './index.ts'
import { SAMPLE_SITE_KEY, SAMPLE_START, sampleBundle, sampleId, samplePin, sampleSubject } from './testing/index.ts'
import { nodeCrypto, testKey } from './testing/node-crypto.ts'

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
const BANK = sampleId('bank', 'library')
const DIGITS = '40815162'
const CODE = sampleId('credential', 'code')
const LINES = [sampleId('line', 'a'), sampleId('line', 'b')]

const row: OfferedCase = {
	id: sampleId('case', 'order'),
	workflow: 'delivery',
	tableHash: 'a'.repeat(64),
	version: 1,
	state: 'ordered',
	owner: sampleId('subject', 'guest'),
	label: 'Order 1042',
	lines: LINES.map((id) => ({ id, state: 'expected', custodian: 'shop' })),
}
const code: PickUpCode = {
	id: CODE,
	case: row.id,
	verifier: verifierOf(SAMPLE_SITE_KEY, nodeCrypto, 'code', codeNormal(BANK, DIGITS)),
	commitment: 'c'.repeat(64),
	notAfter: NOW + 60_000,
}
const with_ = (change: Partial<Bundle> = {}) => sampleBundle(nodeCrypto, { cases: [row], codes: [code], ...change })
const typed = (pin: string, bundle = with_(), at: Partial<IdentifyTerms> = {}) => identify(bundle, { kind: 'pin', pin }, { ...terms, ...at })
const reason = (answer: ReturnType<typeof typed>) => (answer.ok ? 'known' : answer.reason)

test('the digits of a code name its case and whose it is, though that person is known nowhere else', () => {
	const expected = { ok: true, subject: row.owner, credential: CODE, method: 'code', assurance: 'low', commitment: code.commitment }
	assert.deepEqual(typed(DIGITS), { ...expected, pickUp: { case: row.id } })
	const one = with_({ codes: [{ ...code, lines: [LINES[0] ?? assert.fail()] }] })
	assert.deepEqual(typed(DIGITS, one), { ...expected, pickUp: { case: row.id, lines: [LINES[0]] } })
})

test('a PIN stays a PIN, and digits that are neither are a wrong PIN', () => {
	assert.equal(typed(samplePin('ana')).ok && reason(typed(samplePin('ana'))), 'known')
	for (const digits of ['', '40815163', `${DIGITS}0`, DIGITS.slice(1)]) assert.equal(reason(typed(digits)), 'wrong-pin', digits)
})

test('the same digits mean nothing under another site key or at another bank of the site', () => {
	assert.equal(reason(typed(DIGITS, with_(), { siteKey: new Uint8Array(32) })), 'wrong-pin')
	const elsewhere = with_()
	assert.equal(reason(typed(DIGITS, { ...elsewhere, bank: { ...elsewhere.bank, id: sampleId('bank', 'gym') } })), 'wrong-pin')
})

test('a code that does not count says why: run out, called back, revoked by itself or with its owner, used', () => {
	assert.equal(reason(typed(DIGITS, with_(), { now: code.notAfter - 1 })), 'known')
	assert.equal(reason(typed(DIGITS, with_(), { now: code.notAfter })), 'code-expired')
	assert.equal(reason(typed(DIGITS, with_({ cases: [{ ...row, recalled: true }] }))), 'credential-revoked')
	for (const id of [CODE, row.owner ?? '']) assert.equal(reason(typed(DIGITS, with_({ revoked: { epoch: 1, ids: [id] } }))), 'credential-revoked')
	assert.equal(reason(typed(DIGITS, with_(), { codeUsed: (jti) => jti === CODE })), 'code-used')
})

test('a signed picture is the same code, as long as the bank knows it; a picture for a case is no badge for a person', () => {
	const about = { jti: CODE, subject: sampleSubject('ana'), case: row.id, bank: BANK, notBefore: NOW - 1_000, expires: NOW + 1_000 }
	const shown = (change: object = {}, bundle = with_()) =>
		identify(bundle, { kind: 'code', text: mintCode({ ...about, ...change }, maker.sign) }, terms)
	const answer = shown()
	assert.ok(answer.ok)
	assert.deepEqual([answer.subject, answer.assurance, answer.pickUp, answer.jti], [row.owner, 'medium', { case: row.id }, undefined])
	assert.equal(reason(shown({}, with_({ codes: [] }))), 'unknown-credential')
	assert.equal(reason(shown({ case: sampleId('case', 'other') })), 'unknown-credential')
	assert.equal(reason(shown({ bank: sampleId('bank', 'gym') })), 'code-other-bank')
	assert.equal(reason(shown({ expires: NOW - 1 })), 'code-expired')
})

test('eight digits do up to 27 live secrets at a hundred tries a day, three more above (trust.md §3.4)', () => {
	assert.deepEqual(
		[27, 28].map((n) => codeRule(n, 100).hint),
		[0, 3],
	)
	assert.ok(lengthFormula(500, 11, 100) < 0.001)
})

test('digits are drawn each with the same chance', () => {
	const random = seededRandom(7)
	const counts = new Map<string, number>()
	for (let n = 0; n < 2_000; n++) for (const digit of drawDigits(10, random)) counts.set(digit, (counts.get(digit) ?? 0) + 1)
	assert.equal(drawDigits(8, random).length, 8)
	assert.equal(counts.size, 10)
	for (const [digit, n] of counts) assert.ok(Math.abs(n - 2_000) < 200, `${digit}: ${n}`)
})

test('a bundle with parcels can be signed and taken; what contradicts itself is named', () => {
	const terms_ = { keys: new Map([['maker', maker.publicKey]]), crypto: nodeCrypto, bank: BANK, now: NOW }
	assert.equal(acceptBundle(JSON.stringify(sealBundle(with_(), 'maker', maker.sign)), terms_).ok, true)
	const faults = (change: Partial<Bundle>) => bundleFaults(with_(change)).join('; ')
	assert.equal(faults({}), '')
	const elsewhere = sampleId('compartment', 'none')
	const lines = (change: object) => row.lines.map((line, i) => (i === 0 ? { ...line, ...change } : line))
	assert.match(faults({ cases: [row, row] }), /cases: the same id twice; cases: the same line twice/)
	assert.match(faults({ cases: [{ ...row, lines: lines({ reserved: elsewhere }) }] }), /names the unknown compartment/)
	assert.match(faults({ cases: [{ ...row, lines: lines({ compartment: elsewhere }) }] }), /names the unknown compartment/)
	assert.match(faults({ cases: [] }), /is for the unknown case/)
	assert.match(faults({ codes: [code, { ...code, id: sampleId('credential', 'two') }] }), /codes: the same verifier twice/)
	assert.match(faults({ codes: [code, code] }), /codes: the same id twice/)
	assert.match(faults({ codes: [{ ...code, lines: [sampleId('line', 'x')] }] }), /unknown line/)
	const { owner: _none, ...ownerless } = row
	assert.match(faults({ cases: [ownerless] }), /has no owner/)
	assert.throws(() => sealBundle(with_({ cases: [] }), 'maker', maker.sign), /unknown case/)
})
