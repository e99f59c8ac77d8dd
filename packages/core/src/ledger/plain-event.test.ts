import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nodeCrypto, testKey } from '../access/testing/node-crypto.ts'
import { seededRandom } from '../base/index.ts'
import { EVENT_TYPES, SERVER_EVENT_TYPES } from './index.ts'
import { readLogEvent } from './log-events.ts'
import { readPlainEvent } from './plain-event.ts'
import { Scan } from './scan.ts'
import { sampleEntries } from './testing/sample-log.ts'

const entries = sampleEntries(400, { random: seededRandom(3), sha256: nodeCrypto.sha256, ...testKey(new Uint8Array(32).fill(2)) })
const asText = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes)
const plain = (bytes: Uint8Array) => readPlainEvent(new Scan(bytes), 0, bytes.length)
const TYPES: Readonly<Record<'edge' | 'server', ReadonlySet<string>>> = {
	edge: new Set(EVENT_TYPES),
	server: new Set([...EVENT_TYPES, ...SERVER_EVENT_TYPES]),
}
const typesOf = ({ stream }: { readonly stream?: unknown }) => (stream === undefined ? TYPES.server : TYPES.edge)
const easy = entries.filter((bytes) => plain(bytes) !== undefined)

/** What is put in place of a part of an event: bits of JSON, of other spellings, and rubbish. */
const scraps = [
	'{',
	'}',
	'[',
	']',
	',',
	':',
	'"',
	'\\',
	' ',
	'\n',
	'0',
	'00',
	'-',
	'-0',
	'1.0',
	'1e2',
	'true',
	'null',
	'é',
	'\u0000',
	'"a":1',
	'"z":[]',
	'{}',
	'"v":1',
	'',
]
const damage = fc
	.tuple(fc.nat(), fc.nat(), fc.nat(12), fc.oneof(fc.constantFrom(...scraps), fc.string({ maxLength: 4 }), fc.stringMatching(/^[0-9]{1,17}$/)))
	.map(([which, at, cut, scrap]) => {
		const text = new TextDecoder().decode(easy[which % easy.length])
		const from = at % text.length
		return text.slice(0, from) + scrap + text.slice(from + cut)
	})

test('the short way says of an event what parsing says, and takes most of them', () => {
	assert.ok(easy.length > entries.length * 0.8 && easy.length < entries.length)
	for (const bytes of easy) {
		const { event } = readLogEvent(bytes)
		const facts = plain(bytes)
		assert.ok(event && facts)
		const at = (place: number | undefined, length: number) => asText(bytes).slice(place, (place ?? 0) + length)
		assert.equal(asText(bytes).slice(facts.type, facts.typeEnd), event.type)
		if ('source' in event) assert.equal(facts.stream === undefined && at(facts.tenant, 40), event.tenant)
		else assert.deepEqual(facts.stream !== undefined && [at(facts.stream, 40), facts.seq, at(facts.prev, 64)], [event.stream, event.seq, event.prev])
	}
})

test('whatever is done to an event, the short way takes nothing that parsing refuses, but an unknown type', (t) => {
	let taken = 0
	const check = (read: typeof plain, runs: number) =>
		fc.check(
			fc.property(damage, (text) => {
				const bytes = new TextEncoder().encode(text)
				const facts = read(bytes)
				// The type is looked up by whoever asks.
				if (facts === undefined || !typesOf(facts).has(asText(bytes).slice(facts.type, facts.typeEnd))) return
				taken++
				assert.equal(readLogEvent(bytes).fault, undefined)
			}),
			{ numRuns: runs },
		)
	const { failed, counterexample } = check(plain, 20_000)
	assert.equal(failed, false, JSON.stringify(counterexample))
	t.diagnostic(`${taken} of 20,000 damaged texts are still events`)
	assert.ok(taken > 500)
	// The property can fail: a reader that looks at the brackets alone is found out.
	const careless: typeof plain = (bytes) => {
		const text = asText(bytes)
		const [type, typeEnd] = [text.lastIndexOf('"type":"') + 8, text.lastIndexOf('","v":1}')]
		return /^\{.*\}$/s.test(text) ? { in: new Scan(bytes), tenant: 0, type, typeEnd } : undefined
	}
	assert.equal(check(careless, 500).failed, true)
})

test('nested data in order is plain; names out of order, twice, or with another spelling of a number are not', () => {
	const [sample] = easy
	const withData = (data: string) =>
		plain(new TextEncoder().encode(asText(sample ?? new Uint8Array()).replace(/"data":\{.*?\},"/, `"data":${data},"`))) !== undefined
	for (const data of ['{}', '{"a":1}', '{"a":[],"b":{"c":[1,[true,false],{}]},"c":-12}', '{"":0}']) assert.equal(withData(data), true, data)
	const wrong = [
		'{"b":1,"a":1}',
		'{"a":1,"a":1}',
		'{"a":01}',
		'{"a":-0}',
		'{"a":1.0}',
		'{"a":null}',
		'{"a":1,}',
		'{"a" :1}',
		'[]',
		'1',
		'{"a":9007199254740993}',
		'{"a":"\\u0041"}',
		'{"a"',
	]
	for (const data of wrong) assert.equal(withData(data), false, data)
})
