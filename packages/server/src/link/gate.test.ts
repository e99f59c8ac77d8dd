import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, seededRandom } from '@latchwork/core/base'
import { allDown, downTopic, LINK_DOWN, LINK_UP, MAX_LINK_BYTES, upTopic } from '@latchwork/core/wire'
import { frameWatch } from './frames.ts'
import { mayReceive, maySubscribe, refusesPublish } from './gate.ts'

const random = seededRandom(10)
const controllers = Array.from({ length: 50 }, () => newId('controller', Date.UTC(2026, 0, 7), random))
const ups = Object.keys(LINK_UP) as (keyof typeof LINK_UP)[]
const downs = Object.keys(LINK_DOWN) as (keyof typeof LINK_DOWN)[]

/** 2,000 topics: forty a controller, of which four are its own to publish. */
const topicsOf = (of: (typeof controllers)[number]) => {
	const own = [...ups.map((c) => upTopic(of, c)), ...downs.map((c) => downTopic(of, c))]
	return [
		...own,
		...own.map((topic) => `${topic}/x`),
		...own.map((topic) => topic.toUpperCase()),
		...own.map((topic) => `$share/g/${topic}`),
		`lw/1/${of}`,
		`lw/1/${of}/`,
		`lw/1/${of}/up`,
		`lw/1/${of}/up/`,
		`/lw/1/${of}/up/events`,
		`lw//${of}/up/events`,
		`lw/1/${of}x/up/events`,
		`$SYS/${of}/up/events`,
	]
}
const topics = controllers.flatMap(topicsOf)

test('of 50 controllers and 2,000 topics each may publish four and receive four, all of them its own', () => {
	assert.equal(topics.length, 2_000)
	for (const controller of controllers) {
		const published = topics.filter((topic) => !refusesPublish(controller, { topic, retain: false, payload: [] }))
		assert.deepEqual(
			published,
			ups.map((c) => upTopic(controller, c)),
		)
		const received = topics.filter((topic) => mayReceive(controller, topic))
		assert.deepEqual(
			received,
			downs.map((c) => downTopic(controller, c)),
		)
	}
})

test('a subscription stays below the own prefix, whatever its wildcards', () => {
	const [mine = assert.fail(), other = assert.fail()] = controllers
	for (const filter of [allDown(mine), `lw/1/${mine}/down/+`, ...downs.map((c) => downTopic(mine, c))]) assert.ok(maySubscribe(mine, filter), filter)
	const refused = [
		'#',
		'+/#',
		'lw/#',
		'lw/1/#',
		'lw/1/+/down/#',
		'lw/1/+/down/acks',
		`lw/1/${mine}/#`,
		`lw/1/${mine}/+/acks`,
		`lw/1/${mine}/up/#`,
		`lw/+/${mine}/down/#`,
		`lw/1/${mine}/down`,
		`lw/1/${mine}/down/+/x`,
		`lw/1/${mine}/down/acks/#`,
		`$share/g/${allDown(mine)}`,
		'$SYS/#',
		'',
		allDown(other),
		...topics.filter((topic) => topic.includes(other)),
	]
	for (const filter of refused) assert.equal(maySubscribe(mine, filter), false, filter)
})

test('what is retained or too long is refused with its reason', () => {
	const [mine = assert.fail()] = controllers
	const packet = { topic: upTopic(mine, 'status'), retain: false, payload: new Uint8Array(MAX_LINK_BYTES) }
	assert.equal(refusesPublish(mine, packet), undefined)
	assert.equal(refusesPublish(mine, { ...packet, retain: true }), 'retained')
	assert.equal(refusesPublish(mine, { ...packet, payload: new Uint8Array(MAX_LINK_BYTES + 1) }), 'size')
})

const CONNECT = [0x10, 0x02, 1, 2]
const publish = (length: number) => [0x30, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14]

test('the lengths of packets are followed through any cut of the stream', () => {
	const body = new Uint8Array(MAX_LINK_BYTES)
	const stream = Uint8Array.of(...CONNECT, ...publish(body.length), ...body, 0xc0, 0x00, 0x30, 0x01, 0xff, 0xe0, 0x00)
	for (const cut of [1, 2, 3, 7, 1_000, stream.length]) {
		const watch = frameWatch()
		for (let i = 0; i < stream.length; i += cut) assert.equal(watch(stream.subarray(i, i + cut)), undefined, `${cut} at ${i}`)
	}
})

test('a packet that is too long is known by its first bytes, and rubbish at once', () => {
	const after = (...bytes: number[]) => {
		const watch = frameWatch()
		watch(Uint8Array.from(CONNECT))
		return watch(Uint8Array.from(bytes))
	}
	assert.equal(after(...publish(MAX_LINK_BYTES + 257)), 'size')
	assert.equal(after(...publish(MAX_LINK_BYTES + 256)), undefined)
	assert.equal(after(0x30, 0xff, 0xff, 0xff, 0x7f), 'size')
	assert.equal(after(0x30, 0xff, 0xff, 0xff, 0xff), 'malformed')
	assert.equal(after(0x00, 0x00), 'malformed')
	assert.equal(after(0xf0, 0x00), 'malformed')
	assert.equal(after(0x80, 0x00), 'malformed')
	assert.equal(after(...CONNECT), 'malformed')
	assert.equal(frameWatch()(Uint8Array.of(0xc0, 0x00)), 'malformed')
	assert.equal(frameWatch()(Uint8Array.of(0x10, 0x81, 0x20)), 'size')
	assert.equal(frameWatch()(new TextEncoder().encode('GET / HTTP/1.1\r\n')), 'malformed')
})
