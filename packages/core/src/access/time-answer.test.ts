import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptTime, sealTime } from './index.ts'
import { nodeCrypto, testKey } from './testing/node-crypto.ts'

const maker = testKey()
const stranger = testKey()
const given = { keys: new Map([['maker-1', maker.publicKey]]), crypto: nodeCrypto, ask: 'ask-1' }
const at = Date.UTC(2026, 0, 7, 11, 41)
const text = (ask: string, key = maker) => JSON.stringify(sealTime({ ask, at }, 'maker-1', key.sign))

test('the time is believed from a pinned key, about the question that was asked', () => {
	assert.equal(acceptTime(text('ask-1'), given), at)
	assert.equal(acceptTime(text('ask-0'), given), undefined)
	assert.equal(acceptTime(text('ask-1', stranger), given), undefined)
	assert.equal(acceptTime(text('ask-1').replace(String(at), String(at + 1)), given), undefined)
	for (const none of ['', 'x', '{}', '{"signed":{},"signatures":[]}']) assert.equal(acceptTime(none, given), undefined)
})
