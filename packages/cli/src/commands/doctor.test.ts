import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@latchwork/core/base'
import { pinGuessing } from './doctor.ts'

const id = <K extends 'credential' | 'subject'>(kind: K) => newId(kind, Date.UTC(2026, 10, 22), (n) => crypto.getRandomValues(new Uint8Array(n)))
const settings = { wrongPinsPerDay: 100, loanDue: { kind: 'hours', hours: 8 }, leaseRequired: true } as const
const pins = (count: number) =>
	Array.from({ length: count }, () => ({
		id: id('credential'),
		kind: 'pin' as const,
		subject: id('subject'),
		verifier: '0'.repeat(64),
		commitment: '0'.repeat(64),
		assurance: 'low' as const,
	}))

test('the chance of guessing a PIN within a year at one kiosk is said, and above 1 % it is bad and names the length that is enough', () => {
	const four = pins(4)
	const good = pinGuessing({ version: 7, credentials: four, revoked: { epoch: 0, ids: [] }, settings: { ...settings, pinLength: 8 } })
	assert.equal(good.ok, true)
	assert.match(good.what, /^bundle 7: 4 PINs of 8 digits, 100 wrong tries a day: .* 0\.15 %$/)
	const short = pinGuessing({ version: 8, credentials: four, revoked: { epoch: 0, ids: [] }, settings: { ...settings, pinLength: 6 } })
	assert.equal(short.ok, false)
	assert.match(short.remedy ?? '', /Use 8 digits/)
	const many = pins(28)
	const over = { version: 9, credentials: many, settings: { ...settings, pinLength: 8 } }
	assert.equal(pinGuessing({ ...over, revoked: { epoch: 0, ids: [] } }).ok, false)
	assert.equal(pinGuessing({ ...over, revoked: { epoch: 1, ids: [many[0]?.id ?? assert.fail()] } }).ok, true, 'a revoked PIN opens nothing')
})
