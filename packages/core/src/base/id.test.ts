import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ID_PREFIXES, type IdKind, isId, newId, seededRandom, uuidv7 } from './index.ts'

test('a UUIDv7 equals the example of RFC 9562 appendix A.6', () => {
	// unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F: the random bits fill octets 6 to 15.
	const random = () => Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f)
	assert.equal(uuidv7(0x017f22e279b0, random), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
})

test('version and variant bits hold whatever the random bytes are', () => {
	for (const fill of [0x00, 0xff]) {
		const id = uuidv7(Date.UTC(2026, 0, 5), (n) => new Uint8Array(n).fill(fill))
		assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
	}
})

test('ids of later milliseconds sort after earlier ones, up to the last millisecond that 48 bits hold', () => {
	const random = seededRandom(7)
	const times = [0, 1, 255, 256, 0xffff_ffff, 0x1_0000_0000, Date.UTC(2026, 0, 5), 2 ** 48 - 1]
	const ids = times.map((ms) => uuidv7(ms, random))
	assert.deepEqual([...ids].sort(), ids)
})

test('a fraction of a millisecond is cut off, not carried into other fields', () => {
	const random = () => new Uint8Array(10)
	assert.equal(uuidv7(1000.9, random), uuidv7(1000, random))
})

test('ten thousand ids of one millisecond are all different', () => {
	const random = seededRandom(1)
	const ids = new Set(Array.from({ length: 10_000 }, () => uuidv7(0, random)))
	assert.equal(ids.size, 10_000)
})

test('every kind has its own prefix of three letters, and an id of one kind is not one of another', () => {
	const kinds = Object.keys(ID_PREFIXES) as IdKind[]
	assert.equal(new Set(Object.values(ID_PREFIXES)).size, kinds.length)
	for (const kind of kinds) {
		assert.match(ID_PREFIXES[kind], /^[a-z]{3}$/)
		const id = newId(kind, Date.UTC(2026, 0, 5), seededRandom(3))
		for (const other of kinds) assert.equal(isId(other, id), other === kind, `${id} as ${other}`)
	}
})

test('what is not an id is refused', () => {
	const good = newId('bank', 0, seededRandom(3))
	const bad = [
		undefined,
		null,
		7,
		'',
		'bnk_',
		good.slice(4),
		good.toUpperCase(),
		` ${good}`,
		`${good}0`,
		good.replace(/-/g, ''),
		`bnk_${'0'.repeat(36)}`,
	]
	assert.equal(isId('bank', good), true)
	for (const text of bad) assert.equal(isId('bank', text), false, String(text))
})
