import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, seededRandom } from '../base/index.ts'
import {
	ALL_UP,
	allDown,
	type DownChannel,
	deviceExamples,
	downExamples,
	downTopic,
	enrolmentAnswer,
	enrolmentRequest,
	LINK_DOWN,
	LINK_UP,
	MAX_LINK_BYTES,
	readDown,
	readTopic,
	readUp,
	renewalAnswer,
	renewalRequest,
	type UpChannel,
	upExamples,
	upTopic,
} from './index.ts'

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const controller = newId('controller', Date.UTC(2026, 0, 7), seededRandom(1))

test('every example of the link is read as what it was', () => {
	for (const channel of Object.keys(LINK_UP) as UpChannel[])
		for (const message of upExamples[channel]) assert.deepEqual(readUp(channel, bytes(message)), { ok: true, message }, channel)
	for (const channel of Object.keys(LINK_DOWN) as DownChannel[])
		for (const message of downExamples[channel]) assert.deepEqual(readDown(channel, bytes(message)), { ok: true, message }, channel)
})

test('the examples of the device port are valid', () => {
	for (const [schema, example] of [
		[enrolmentRequest, deviceExamples.enrolmentRequest],
		[enrolmentAnswer, deviceExamples.enrolmentAnswer],
		[renewalRequest, deviceExamples.renewalRequest],
		[renewalAnswer, deviceExamples.renewalAnswer],
	] as const)
		assert.deepEqual(schema.parse(example), example)
})

test('every kind of message has an example', () => {
	const kinds = (messages: readonly object[]) => new Set(messages.map((message) => ('kind' in message ? message.kind : undefined)))
	assert.deepEqual([...kinds(upExamples.asks)], ['time', 'credential'])
	assert.deepEqual([...kinds(downExamples.answers)], ['time', 'credential', 'refused'])
	assert.deepEqual([...kinds(downExamples.commands)], ['open-remote', 'restart', 'self-test', 'collect-logs', 'read-badge'])
	assert.deepEqual([...kinds(downExamples.authority)], ['lease', 'bundle', 'delta'])
	assert.deepEqual(new Set(upExamples.results.map(({ state }) => state)), new Set(['accepted', 'done', 'refused', 'failed']))
})

test('a message with one field more, one less, or another version is refused with the field', () => {
	const [ack] = downExamples.acks
	const complaint = (value: unknown) => {
		const read = readDown('acks', bytes(value))
		return read.ok ? assert.fail('was read') : read.text
	}
	assert.ok(complaint({ ...ack, more: 1 }))
	assert.ok(complaint({ ...ack, v: 2 }))
	assert.ok(complaint({ v: 1 }))
	const [status] = upExamples.status
	const read = readUp('status', bytes({ ...status, seq: -1 }))
	assert.match(read.ok ? '' : read.text, /^seq: /)
})

test('what is not JSON, not UTF-8 or too long is refused before it is understood', () => {
	for (const junk of ['', '{', 'null', '[]', '"x"']) assert.equal(readUp('status', bytes(junk)).ok, false, junk)
	assert.equal(readUp('status', Uint8Array.of(0x22, 0xff, 0x22)).ok, false)
	const long = bytes(' '.repeat(MAX_LINK_BYTES) + JSON.stringify(upExamples.status[2]))
	assert.match((readUp('status', long) as { text: string }).text, /bytes; 65536 are allowed/)
	assert.equal(readUp('status', long, 2 * MAX_LINK_BYTES).ok, true)
})

test('a command lives for half a minute at most', () => {
	const [command] = downExamples.commands
	const living = (ms: number) => readDown('commands', bytes({ ...command, expiresAt: (command?.issuedAt ?? 0) + ms })).ok
	assert.deepEqual([0, 1, 30_000, 30_001].map(living), [false, true, true, false])
})

test('topics are read to the letter', () => {
	assert.deepEqual(readTopic(upTopic(controller, 'events')), { controller, way: 'up', channel: 'events' })
	assert.deepEqual(readTopic(downTopic(controller, 'acks')), { controller, way: 'down', channel: 'acks' })
	const up = upTopic(controller, 'events')
	for (const other of [
		ALL_UP,
		allDown(controller),
		`${up}/`,
		`/${up}`,
		`${up}/x`,
		up.replace('lw/1', 'lw/2'),
		up.replace('events', 'acks'),
		up.replace('events', 'toString'),
		up.replace('/up/', '/UP/'),
		up.replace('ctl_', 'CTL_'),
		`$share/x/${up}`,
		'$SYS/x',
		'',
	])
		assert.equal(readTopic(other), undefined, other)
})
