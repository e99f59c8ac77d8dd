import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonical, canonicalBytes, fromHex, isFault, toHex } from './index.ts'

test('fields sort by UTF-16 code units: the example of RFC 8785 §3.2.3', () => {
	const value = {
		'€': 'Euro Sign',
		'\r': 'Carriage Return',
		'\ufb33': 'Hebrew Letter Dalet With Dagesh',
		'1': 'One',
		'\u{1f600}': 'Emoji: Grinning Face',
		'\u0080': 'Control',
		ö: 'Latin Small Letter O With Diaeresis',
	}
	const order = [
		'Carriage Return',
		'One',
		'Control',
		'Latin Small Letter O With Diaeresis',
		'Euro Sign',
		'Emoji: Grinning Face',
		'Hebrew Letter Dalet With Dagesh',
	]
	const written = canonical(value)
	assert.deepEqual(
		order.map((name) => written.indexOf(name)),
		order.map((name) => written.indexOf(name)).sort((a, b) => a - b),
	)
	assert.deepEqual(Object.values(JSON.parse(written) as object).sort(), Object.values(value).sort())
})

test('strings are escaped as RFC 8785 §3.2.2.2 says, and nothing else is', () => {
	// The string of the RFC's example (§3.2.2), whose literals and numbers our restricted form refuses.
	const text = '€$\u000f\nA\'B"\\\\"/'
	assert.equal(canonical(text), '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"')
	assert.equal(canonical('\b\t\n\f\r\u0000\u001f'), '"\\b\\t\\n\\f\\r\\u0000\\u001f"')
	assert.equal(canonical('\u007f\u2028\u2029</script>'), '"\u007f\u2028\u2029</script>"')
})

test('bytes are UTF-8 of the text', () => {
	assert.equal(toHex(canonicalBytes({ a: '€' })), toHex(fromHex('7b 22 61 22 3a 22 e2 82 ac 22 7d')))
})

test('nesting, whitespace and order of writing do not matter', () => {
	assert.equal(canonical({ b: [true, { d: 'x', c: 1 }], a: false }), '{"a":false,"b":[true,{"c":1,"d":"x"}]}')
	assert.equal(canonical([]), '[]')
	assert.equal(canonical({}), '{}')
})

test('an absent field and a field of undefined are the same, as in JSON', () => {
	assert.equal(canonical({ a: undefined, b: 1 }), canonical({ b: 1 }))
})

test('what other languages would write differently is refused', () => {
	const bad: readonly [string, unknown][] = [
		['null', null],
		['undefined', undefined],
		['undefined in an array', [undefined]],
		['null in depth', { a: [{ b: null }] }],
		['fraction', 1.5],
		['2^53', 2 ** 53],
		['-2^53', -(2 ** 53)],
		['NaN', Number.NaN],
		['infinity', Number.POSITIVE_INFINITY],
		['minus zero', -0],
		['big integer', 1n],
		['half a surrogate pair', 'a\ud83d'],
		['half a surrogate pair as a field', { '\udc00': 1 }],
		['function', () => 1],
		['symbol', Symbol('x')],
	]
	for (const [name, value] of bad)
		assert.throws(
			() => canonical(value),
			(e) => isFault(e, 'event-invalid'),
			name,
		)
})

test('the largest and the smallest integers are written in full', () => {
	assert.equal(canonical([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0]), '[9007199254740991,-9007199254740991,0]')
})

test('property: what was written reads back the same, and writes the same bytes again', () => {
	const { tree } = fc.letrec((tie) => ({
		tree: fc.oneof(
			{ depthSize: 'small' },
			fc.string({ unit: 'grapheme' }),
			fc.boolean(),
			fc.maxSafeInteger().map((n) => n + 0),
			fc.array(tie('tree')),
			fc.dictionary(fc.string({ unit: 'grapheme' }), tie('tree'), { noNullPrototype: true }),
		),
	}))
	fc.assert(
		fc.property(tree, (value) => {
			const written = canonical(value)
			assert.deepEqual(JSON.parse(written), value)
			assert.equal(canonical(JSON.parse(written)), written)
		}),
	)
})
