import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '../base/index.ts'
import { type BadgeImage, type BadgeMapping, badgeForms, badgeToBits, distinguishes, learnMapping, readListed, writeBadge } from './index.ts'

/** Cards as a reader reports them, and the same cards as lists of access systems write them: worked out by hand and by `bc`, not by the code under test. */
const UIDS = ['04a1b2c3', '9c55e021', '10203040', 'fe0d1b77', '3344aa01']
const LISTS: Readonly<Record<string, { readonly read: readonly string[]; readonly listed: readonly string[]; readonly form: object }>> = {
	'hex as it is': {
		read: UIDS.map((uid) => `hex:32:${uid}`),
		listed: ['04:A1:B2:C3', '9C:55:E0:21', '10:20:30:40', 'FE:0D:1B:77', '33:44:AA:01'],
		form: { notation: 'hex', reversed: false },
	},
	'decimal, low byte first': {
		read: UIDS.map((uid) => `hex:32:${uid}`),
		listed: ['3283263748', '568350108', '1076895760', '1998261758', '27935795'],
		form: { notation: 'decimal', reversed: true },
	},
	'facility and number in one': {
		read: ['118-1603', '118-1604', '118-40001', '118-7', '118-65535'],
		listed: ['11801603', '11801604', '11840001', '11800007', '11865535'],
		form: { notation: 'joined', reversed: false },
	},
	'the number alone, one facility for all': {
		read: ['118-1603', '118-1604', '118-40001', '118-7', '118-65535'],
		listed: ['1603', '1604', '40001', '00007', '65535'],
		form: { notation: 'number', reversed: false, facility: '118' },
	},
	'facility and number, apart': {
		read: ['12-1603', '118-1604', '3-40001', '255-7', '0-65535'],
		listed: ['12,1603', '118 1604', '3/40001', '255:00007', '0 - 65535'],
		form: { notation: 'pair', reversed: false },
	},
	'all 26 bits as one number': {
		read: ['118-1603', '118-1604', '118-40001', '118-7', '118-65535'],
		listed: ['49024134', '49024137', '49100931', '49020942', '49151999'],
		form: { notation: 'decimal', parity: true },
	},
}

for (const [what, { read, listed, form }] of Object.entries(LISTS))
	test(`five cards teach a list: ${what}`, () => {
		const learned = learnMapping(read.map((text, i) => ({ read: text, listed: listed[i] ?? '' })))
		assert.ok(learned.ok, JSON.stringify(learned))
		assert.deepEqual({ ...learned.mappings[0], ...form }, learned.mappings[0])
		for (const [i, text] of read.entries()) {
			const image = badgeToBits(text)
			const again = learned.mappings[0] && readListed(learned.mappings[0], listed[i] ?? '')
			assert.ok(image.ok && again?.ok && image.normal === again.normal)
		}
	})

test('whatever form a list has, five of its cards teach one that means every other card of it', () => {
	const counts = fc.constantFrom(26, 32, 34, 37, 56, 64)
	const cards = fc.uniqueArray(fc.bigInt({ min: 0n, max: (1n << 31n) - 1n }), { minLength: 12, maxLength: 12 })
	fc.assert(
		fc.property(counts, cards, fc.nat(), (bitCount, numbers, pick) => {
			const forms = badgeForms(bitCount).filter(({ notation }) => notation !== 'number')
			const form = forms[pick % forms.length]
			assert.ok(form)
			const images = numbers.flatMap((number, i) => {
				const wide = (number << 25n) | BigInt(i) | (number >> 3n)
				const typed = typedAs(bitCount, number, wide)
				const image = badgeToBits(typed)
				return image.ok ? [{ image, typed }] : []
			})
			const all = images.map(({ image, typed }) => ({ image, read: typed, listed: writeBadge(form, image.bitCount, image.bits) }))
			fc.pre(new Set(all.map(({ image }) => image.normal)).size === all.length && all.length >= 6)
			const learned = learnMapping(all.slice(0, 5))
			assert.ok(learned.ok, JSON.stringify([form, learned, all.map(({ read, listed }) => [read, listed])]))
			for (const { listed, image } of all.slice(5)) {
				if (distinguishes(learned.mappings, listed)) continue
				const mapping: BadgeMapping | undefined = learned.mappings[0]
				const meant: BadgeImage | undefined = mapping && readListed(mapping, listed)
				assert.equal(meant?.ok && meant.normal, image.normal)
			}
		}),
		{ numRuns: 300 },
	)
})
/** A card of that many bits; of 34 bits one with the parity of H10306. */
function typedAs(bitCount: number, number: bigint, wide: bigint): string {
	if (bitCount === 26) return `${number % 256n}-${(number >> 8n) % 65_536n}`
	if (bitCount === 37) return String(number)
	if (bitCount !== 34) return `hex:${bitCount}:${padded(wide.toString(16), bitCount)}`
	const data = number.toString(2).padStart(32, '0')
	const ones = (bits: string) => bits.split('1').length - 1
	return `hex:34:${padded(BigInt(`0b${ones(data.slice(0, 16)) % 2}${data}${1 - (ones(data.slice(16)) % 2)}`).toString(16), 34)}`
}

/** Left-aligned bytes of that many bits. */
const padded = (hex: string, bitCount: number): string => {
	const bytes = Math.ceil(bitCount / 8)
	return ((BigInt(`0x${hex}`) & ((1n << BigInt(bitCount)) - 1n)) << BigInt(bytes * 8 - bitCount)).toString(16).padStart(bytes * 2, '0')
}

test('what cannot be learned is refused with the card that stands out', () => {
	const good = UIDS.map((uid, i) => ({ read: `hex:32:${uid}`, listed: LISTS['decimal, low byte first']?.listed[i] ?? '' }))
	const said = (samples: readonly { read: string; listed: string }[]) => {
		const learned = learnMapping(samples)
		return learned.ok ? 'ok' : [learned.code, learned.sample]
	}
	const instead = (at: number, sample: { read?: string; listed?: string }) => good.map((one, i) => (i === at ? { ...one, ...sample } : one))
	assert.equal(said(good), 'ok')
	assert.deepEqual(said(good.slice(0, 4)), ['too-few', undefined])
	assert.deepEqual(said(instead(2, { read: 'nonsense' })), ['not-readable', 2])
	assert.deepEqual(said(instead(2, { read: 'hex:32:08112233' })), ['not-readable', 2], 'drawn anew at every tap')
	assert.deepEqual(said(instead(4, { read: good[0]?.read ?? '' })), ['same-card', 4])
	assert.deepEqual(said(instead(3, { read: 'hex:56:04a1b2c3d4e5f6' })), ['mixed-cards', 3])
	assert.deepEqual(said(instead(1, { listed: '568350109' })), ['no-form', 1], 'one digit mistyped')
	assert.deepEqual(said(good.map(({ read }, i) => ({ read, listed: String(1_000 + i) }))), ['no-form', undefined])
	// Fewer bits than the reader reports: nothing leads back.
	assert.deepEqual(said(UIDS.map((uid) => ({ read: `hex:32:${uid}`, listed: String(Number.parseInt(uid.slice(2), 16)) }))), ['no-form', undefined])
})

test('cards that read the same both ways leave two forms open, and the list has a card that tells them apart', () => {
	const palindromes = ['a1b2b2a1', '33444433', '01020201', '7f00007f', 'c3d4d4c3']
	const learned = learnMapping(palindromes.map((uid) => ({ read: `hex:32:${uid}`, listed: uid })))
	assert.ok(learned.ok && learned.mappings.length === 2, JSON.stringify(learned))
	assert.equal(distinguishes(learned.mappings, '55666655'), false)
	assert.equal(distinguishes(learned.mappings, '04a1b2c3'), true)
})

test('a form writes what a list or a card shows: 26 bits 118-1603, and a four-byte card', () => {
	const shown = (text: string) => {
		const image = badgeToBits(text)
		assert.ok(image.ok)
		return badgeForms(image.bitCount).map(
			(form) =>
				`${form.notation}${form.reversed ? ' reversed' : ''}${form.parity ? ' with parity' : ''}: ${writeBadge(form, image.bitCount, image.bits)}`,
		)
	}
	const card = shown('118-1603')
	for (const line of ['decimal: 7734851', 'hex: 760643', 'pair: 118-1603', 'joined: 11801603', 'number: 1603', 'decimal with parity: 49024134'])
		assert.ok(card.includes(line), `${line} in ${JSON.stringify(card)}`)
	const uid = shown('hex:32:04a1b2c3')
	for (const line of ['decimal: 77705923', 'decimal reversed: 3283263748', 'hex reversed: C3B2A104', 'pair: 1185-45763'])
		assert.ok(uid.includes(line), `${line} in ${JSON.stringify(uid)}`)
	assert.ok(fromHex('04a1b2c3').length === 4)
})
