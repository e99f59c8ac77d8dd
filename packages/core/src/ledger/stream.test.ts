import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeCrypto, testKey } from '../access/testing/node-crypto.ts'
import { canonicalBytes, isFault, newId, seededRandom, toHex } from '../base/index.ts'
import {
	EVENT_TYPES,
	type EventDraft,
	MAX_EVENT_BYTES,
	type MintContext,
	mint,
	NO_PREVIOUS,
	openStream,
	scanForPersonalData,
	signHead,
	streamStarted,
} from './index.ts'
import { headBytes } from './stream.ts'

const random = seededRandom(1)
const stream = newId('stream', 0, random)
const bank = newId('bank', 0, random)
const person = newId('subject', 0, random)
const context: MintContext = { bank, at: 1_767_600_000_123.9, mono: 42.7, clock: 'good', bundle: 7, offline: true, sha256: nodeCrypto.sha256 }
const draft: EventDraft = { type: 'visit.started', subject: 'vis_1', actor: person, data: { method: 'badge' } }

test('an event is written once, as canonical bytes, and the head moves on by exactly it', () => {
	const first = mint(openStream(stream), streamStarted('ctl_1'), context)
	const second = mint(first.head, draft, context)
	assert.equal(first.event.prev, NO_PREVIOUS)
	assert.deepEqual([first.event.seq, second.event.seq], [1, 2])
	assert.equal(second.event.prev, toHex(nodeCrypto.sha256(first.bytes)))
	assert.deepEqual(second.head, { stream, seq: 2, hash: toHex(nodeCrypto.sha256(second.bytes)) })
	assert.equal(
		new TextDecoder().decode(second.bytes),
		`{"actor":"${person}","at":1767600000123,"bank":"${bank}","bundle":7,"clock":"good","data":{"method":"badge"},"mono":42,"offline":true,` +
			`"prev":"${first.head.hash}","seq":2,"stream":"${stream}","subject":"vis_1","type":"visit.started","v":1}`,
	)
})

test('a stream that follows a loss of history names the mark that is missing', () => {
	const mark = { stream: newId('stream', 0, random), seq: 17, hash: 'ab'.repeat(32) }
	assert.deepEqual(streamStarted('ctl_1', mark).data, { after: mark })
	assert.deepEqual(streamStarted('ctl_1').data, {})
})

test('what cannot be an event is refused with its reason, and the head stays where it was', () => {
	const head = openStream(stream)
	const refused = (change: object, reason: RegExp) =>
		assert.throws(
			() => mint(head, { ...draft, ...change }, context),
			(error) => isFault(error, 'event-invalid') && reason.test(error.message),
		)
	refused({ type: 'visit.began' }, /its type/)
	refused({ subject: '' }, /its subject/)
	refused({ actor: 'Ana' }, /its actor/)
	refused({ data: { ratio: 0.5 } }, /integer/)
	refused({ data: { gone: null } }, /null/)
	refused({ data: { text: '\ud800' } }, /surrogate/)
	refused({ data: { long: 'x'.repeat(MAX_EVENT_BYTES) } }, /bytes/)
	assert.equal(mint(head, draft, context).event.seq, 1)
})

test('an event may be as long as its limit and not a byte longer', () => {
	const room = MAX_EVENT_BYTES - mint(openStream(stream), { ...draft, data: { long: '' } }, context).bytes.length
	assert.equal(mint(openStream(stream), { ...draft, data: { long: 'x'.repeat(room) } }, context).bytes.length, MAX_EVENT_BYTES)
	assert.throws(() => mint(openStream(stream), { ...draft, data: { long: 'x'.repeat(room + 1) } }, context), /65536 bytes/)
})

test('a signed head is bound to every one of its fields', () => {
	const key = testKey()
	const signed = signHead(mint(openStream(stream), draft, context).head, 99, 'edge-1', key.sign)
	const raw = Uint8Array.from(atob(signed.signature), (c) => c.charCodeAt(0))
	assert.equal(nodeCrypto.verify(key.publicKey, headBytes(signed), raw), true)
	for (const change of [{ seq: 2 }, { at: 100 }, { keyId: 'edge-2' }, { hash: NO_PREVIOUS }, { stream: newId('stream', 1, random) }]) {
		assert.equal(nodeCrypto.verify(key.publicKey, headBytes({ ...signed, ...change }), raw), false)
	}
})

test('no event type is listed twice, and all are nouns with a past fact', () => {
	assert.equal(new Set(EVENT_TYPES).size, EVENT_TYPES.length)
	for (const type of EVENT_TYPES) assert.match(type, /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/)
})

test('the scan finds people in bytes however they are spelt, and finds nobody in pseudonyms, times and digests', () => {
	const needles = ['Ana Lüdtke', '12345678', 'ana@example.org']
	const found = (data: EventDraft['data']) => scanForPersonalData(mint(openStream(stream), { ...draft, data }, context).bytes, needles)
	assert.deepEqual(found({ note: 'for ANA LÜDTKE, please' }), ['Ana Lüdtke'])
	assert.deepEqual(found({ pin: '12345678' }), ['12345678'])
	assert.deepEqual(found({ badge: 'h10302:12345678' }), ['12345678'])
	assert.deepEqual(found({ pin: 12_345_678 }), ['12345678'])
	assert.deepEqual(found({ blob: btoa('mail ana@example.org'.slice(5)) }), ['ana@example.org'])
	assert.deepEqual(found({ blob: toHex(new TextEncoder().encode('ana@example.org')) }), ['ana@example.org'])
	assert.deepEqual(found({ at: 1_123_456_789, hash: '12345678'.repeat(8), id: 'sub_12345678-1234-7123-8123-123456781234' }), [])
	assert.throws(() => scanForPersonalData(canonicalBytes({}), ['Ana']), RangeError)
})
