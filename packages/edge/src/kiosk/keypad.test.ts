import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keypadRule, typeKeys } from './keypad.ts'

const settings = { pinLength: 8 }

test('without parcels the keypad is for PINs; with codes of the same length the last digit still sends', () => {
	assert.deepEqual(keypadRule(settings, { codes: false }), { length: 8 })
	assert.deepEqual(keypadRule(undefined, { codes: true }), { length: 8, code: { digits: 8, hint: 0 } })
	assert.deepEqual(typeKeys('1234567', '8', keypadRule(settings, { codes: true })), { typed: '', whole: '12345678' })
})

test('where PIN and code differ in length the longer one bounds, and a touch says that it is whole', () => {
	const rule = keypadRule({ ...settings, pickUpCode: { digits: 8, hint: 3 } }, { codes: true })
	assert.deepEqual(rule, { length: 11, code: { digits: 8, hint: 3 }, confirms: true })
	assert.deepEqual(typeKeys('', '12345678', rule), { typed: '12345678' })
	assert.deepEqual(typeKeys('12345678', '#', rule), { typed: '', whole: '12345678' })
	assert.deepEqual(typeKeys('12345678', '90123', rule), { typed: '12345678901' })
	assert.deepEqual(typeKeys('12345678901', '#', rule), { typed: '', whole: '12345678901' })
})

test('one key takes one digit back, and nothing typed is never sent', () => {
	const rule = keypadRule(settings, { codes: false })
	assert.deepEqual(typeKeys('', '12*3', rule), { typed: '13' })
	assert.deepEqual(typeKeys('', '*#', rule), { typed: '' })
	assert.deepEqual(typeKeys('', '1234#5', rule), { typed: '', whole: '1234' })
})
