import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
	type IdentifyTerms,
	identify,
	isMintable,
	isReadBack,
	lengthFormula,
	MINTED_AHEAD_MS,
	MINTED_AT_ONCE,
	MINTED_DIGITS,
	MINTED_HOURS,
	type MintedCode,
	mintDigits,
	mintedHit,
	mintedId,
	mintedUntil,
	mintKeyOf,
	mintKeysAt,
	mintWeek,
	readBackOf,
	readMinted,
	readMintKeys,
	writeMintKeys,
} from './index.ts'
import { SAMPLE_SITE_KEY, SAMPLE_START, sampleBundle, sampleId, samplePin, sampleSubject } from './testing/index.ts'
import { nodeCrypto, testKey } from './testing/node-crypto.ts'

const HOUR = 3_600_000
const BANK = sampleId('bank', 'library')
const ROOT = new Uint8Array(32).fill(7)
const ANA = sampleSubject('ana')
const START = Math.floor(SAMPLE_START / HOUR) * HOUR
const keysAt = (now: number, bank = BANK, root = ROOT) => mintKeysAt(root, bank, now, nodeCrypto)
const keyFor = (code: MintedCode) => mintKeyOf(ROOT, BANK, mintWeek(code.notBefore), nodeCrypto)
const people = sampleBundle(nodeCrypto).subjects.map(({ id }) => id)
const read = (digits: string, now: number, keys = keysAt(now)) => readMinted(digits, { keys, people, now, crypto: nodeCrypto })

const anyCode = fc.record({
	subject: fc.constantFrom(...people),
	notBefore: fc.integer({ min: 0, max: 20_000 }).map((hours) => START + hours * HOUR),
	hours: fc.constantFrom(...MINTED_HOURS),
	n: fc.integer({ min: 0, max: MINTED_AT_ONCE - 1 }),
})

test('whatever was made is read again, at the bank, while it counts and for a day after; its name is the same on both sides', () => {
	const seen = { ahead: 0, live: 0, over: 0 }
	fc.assert(
		fc.property(anyCode, fc.integer({ min: -48, max: 48 }), (code, off) => {
			const now = code.notBefore + off * HOUR + 1
			const digits = mintDigits(keyFor(code), code, nodeCrypto)
			assert.match(digits, /^\d{16}$/)
			assert.deepEqual(read(digits, now), { ...code, id: mintedId(keyFor(code), code, nodeCrypto) })
			seen[now < code.notBefore ? 'ahead' : now < mintedUntil(code) ? 'live' : 'over'] += 1
		}),
	)
	for (const [state, times] of Object.entries(seen)) assert.ok(times > 3, `${state}: ${times}`)
})

test('one digit otherwise, another bank, another controller, another week’s key, or a person who is not known there: nobody’s', () => {
	const code = { subject: ANA, notBefore: START, hours: 4, n: 0 }
	const digits = mintDigits(keyFor(code), code, nodeCrypto)
	for (let at = 0; at < MINTED_DIGITS; at++)
		for (const digit of '0123456789') {
			const other = digits.slice(0, at) + digit + digits.slice(at + 1)
			if (other !== digits) assert.equal(read(other, START), undefined, other)
		}
	assert.ok(read(digits, START), 'the control')
	assert.equal(read(digits, START, keysAt(START, sampleId('bank', 'other'))), undefined)
	assert.equal(read(digits, START, keysAt(START, BANK, new Uint8Array(32).fill(8))), undefined)
	assert.equal(read(digits, START, new Map([[mintWeek(START) + 1, keyFor(code)]])), undefined)
	assert.equal(readMinted(digits, { keys: keysAt(START), people: people.filter((id) => id !== ANA), now: START, crypto: nodeCrypto }), undefined)
	for (const wrong of ['', digits.slice(1), `${digits}0`, `${digits.slice(0, 15)}x`]) assert.equal(read(wrong, START), undefined, wrong)
})

test('a bank that is cut off for a fortnight has the keys of every code that can be made for it meanwhile', () => {
	const keys = keysAt(START)
	for (let day = -1; day <= 14; day++) {
		const code = { subject: ANA, notBefore: START + day * 24 * HOUR, hours: 24, n: 3 }
		assert.ok(read(mintDigits(keyFor(code), code, nodeCrypto), code.notBefore + HOUR, keys), `day ${day}`)
	}
	const late = { subject: ANA, notBefore: START + 28 * 24 * HOUR, hours: 24, n: 3 }
	assert.equal(read(mintDigits(keyFor(late), late, nodeCrypto), late.notBefore, keys), undefined, 'the control: not for ever')
})

test('a code can be made for whole hours, no further ahead than its two digits reach, and not for what is over', () => {
	const code = { subject: ANA, notBefore: START, hours: 4, n: 0 }
	assert.ok(isMintable(code, START + HOUR))
	assert.ok(isMintable({ ...code, notBefore: START + MINTED_AHEAD_MS }, START))
	for (const [what, wrong, now] of [
		['no whole hour', { ...code, notBefore: START + 1 }, START],
		['too far ahead', { ...code, notBefore: START + MINTED_AHEAD_MS + HOUR }, START],
		['over', code, START + 4 * HOUR],
		['a length that is none', { ...code, hours: 5 }, START],
		['more than a day', { ...code, hours: 48 }, START],
		['too many', { ...code, n: 10 }, START],
	] as const)
		assert.equal(isMintable(wrong, now), false, what)
})

test('keys go beside a bundle as text and come back; what is no list of keys is none', () => {
	const keys = keysAt(START)
	assert.deepEqual(readMintKeys(writeMintKeys(keys)), keys)
	for (const wrong of ['', '1:', '1:AAAA', `x:${'A'.repeat(43)}`, `${writeMintKeys(keys)},`]) assert.equal(readMintKeys(wrong), undefined, wrong)
})

const terms: IdentifyTerms = {
	siteKey: SAMPLE_SITE_KEY,
	crypto: nodeCrypto,
	now: START + HOUR,
	uncertain: false,
	proven: START + HOUR,
	makerKeys: new Map([['maker-1', testKey().publicKey]]),
	mintKeys: keysAt(START),
	codeUsed: () => false,
}
const typed = (pin: string, at: Partial<IdentifyTerms> = {}, bundle = sampleBundle(nodeCrypto)) => {
	const answer = identify(bundle, { kind: 'pin', pin }, { ...terms, ...at })
	return answer.ok ? [answer.method, answer.subject, answer.jti] : answer.reason
}

test('typed at the kiosk it names its person once; used, taken back, run out, not begun, and with a doubtful clock it says which', () => {
	const code = { subject: ANA, notBefore: START, hours: 2, n: 0 }
	const digits = mintDigits(keyFor(code), code, nodeCrypto)
	const id = mintedId(keyFor(code), code, nodeCrypto)
	const revoking = (what: string) => sampleBundle(nodeCrypto, { revoked: { epoch: 1, ids: [what] } })
	assert.deepEqual(typed(digits), ['code', ANA, id])
	assert.equal(typed(digits, { codeUsed: (jti) => jti === id }), 'code-used')
	assert.equal(typed(digits, {}, revoking(id)), 'credential-revoked')
	assert.equal(typed(digits, {}, revoking(ANA)), 'credential-revoked')
	assert.equal(typed(digits, { now: START + 2 * HOUR }), 'code-expired')
	assert.equal(typed(digits, { now: START - 1 }), 'outside-hours')
	assert.equal(typed(digits, { uncertain: true }), 'time-uncertain')
	assert.equal(typed(digits, { mintKeys: undefined }), 'wrong-pin')
	assert.equal(typed(`${digits.slice(0, 15)}${(Number(digits[15]) + 1) % 10}`), 'wrong-pin')
	assert.equal(typed(samplePin('ana'))[0], 'pin', 'a PIN stays a PIN')
})

test('a guesser at the keypad gains less than by one pick-up code, unless a bank knows tens of thousands', () => {
	assert.equal(mintedHit(0), 0)
	assert.ok(mintedHit(1_000) <= 1 / 10 ** 8)
	assert.ok(365 * 100 * mintedHit(50_000) < lengthFormula(28, 8, 100) / 5)
	assert.equal(mintedHit(1), mintedHit(100), 'somebody who knows how ids end has one person to aim at')
})

test('the number to read to the help desk is this person’s at this bank for some minutes', () => {
	const keys = keysAt(START)
	const number = readBackOf(keys, ANA, START, nodeCrypto) ?? assert.fail()
	assert.match(number, /^\d{6}$/)
	const right = (at: number, who = ANA, of = keys) => isReadBack(number, of, who, at, nodeCrypto)
	assert.ok(right(START) && right(START + 9 * 60_000) && right(START - 4 * 60_000))
	assert.ok(!right(START + 16 * 60_000) && !right(START - 6 * 60_000))
	assert.ok(!right(START, sampleSubject('ben')) && !right(START, ANA, keysAt(START, sampleId('bank', 'other'))))
	assert.equal(readBackOf(new Map(), ANA, START, nodeCrypto), undefined)
})
