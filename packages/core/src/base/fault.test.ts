import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS, Fault, isFault } from './index.ts'

test('a fault carries its code, a text, a detail and a cause, and says so when printed', () => {
	const cause = new Error('EADDRINUSE')
	const fault = new Fault('port-in-use', 'Port 8480 is taken.', { detail: { port: 8480 }, cause })
	assert.ok(fault instanceof Error)
	assert.deepEqual(
		[fault.name, fault.code, fault.message, fault.detail, fault.cause],
		['Fault', 'port-in-use', 'Port 8480 is taken.', { port: 8480 }, cause],
	)
	assert.match(String(fault), /^Fault: Port 8480 is taken\.$/)
})

test('a fault without a cause has no cause field, so printing it shows none', () => {
	assert.equal(Object.hasOwn(new Fault('not-found', 'There is no bank 7.'), 'cause'), false)
})

test('isFault tells faults from other errors, and one code from another', () => {
	const fault = new Fault('not-found', 'There is no bank 7.')
	assert.equal(isFault(fault), true)
	assert.equal(isFault(fault, 'not-found'), true)
	assert.equal(isFault(fault, 'port-in-use'), false)
	for (const other of [new Error('not-found'), { code: 'not-found' }, 'not-found', null, undefined]) assert.equal(isFault(other, 'not-found'), false)
})

test('every code is kebab case and its sentence is one for people: a capital, a full stop, no code in it', () => {
	for (const [code, text] of Object.entries(FAULTS)) {
		assert.match(code, /^[a-z]+(-[a-z]+)*$/)
		assert.match(text, /^[A-Z].*\.$/, code)
		assert.ok(!text.includes(code), code)
	}
})
