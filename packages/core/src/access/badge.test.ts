import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../base/index.ts'
import { badgeFromBits, badgeToBits } from './index.ts'

const read = (bitCount: number, hex: string) => {
	const reading = badgeFromBits({ bitCount, bits: fromHex(hex) })
	return reading.ok ? reading.normal : reading.code
}

/** Parity written out on text, independent of the arithmetic under test. */
function framed(data: string, half: number): string {
	const ones = (bits: string) => bits.split('1').length - 1
	return `${ones(data.slice(0, half)) % 2}${data}${1 - (ones(data.slice(-half)) % 2)}`
}
const leftAligned = (bits: string) =>
	BigInt(`0b${bits.padEnd(Math.ceil(bits.length / 8) * 8, '0')}`)
		.toString(16)
		.padStart(Math.ceil(bits.length / 8) * 2, '0')

test('a 26-bit badge is read with its facility code: the published pair 118-1603', () => {
	assert.equal(read(26, 'bb032180'), 'h10301:118:1603')
	assert.deepEqual(badgeToBits('118-1603'), { ok: true, bitCount: 26, bits: fromHex('bb032180'), normal: 'h10301:118:1603' })
})

test('numbers come back from the bits they were turned into, and the bits have the parity that the standard describes', () => {
	fc.assert(
		fc.property(fc.bigInt({ min: 0n, max: 34_359_738_367n }), (number) => {
			const image = badgeToBits(String(number))
			assert.ok(image.ok)
			assert.equal(toHex(image.bits), leftAligned(framed(number.toString(2).padStart(35, '0'), 18)))
			assert.equal(read(37, toHex(image.bits)), `h10302:${number}`)
		}),
	)
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 65_535 }), (facility, number) => {
			const image = badgeToBits(`${facility}-${number}`)
			assert.ok(image.ok)
			const data = facility.toString(2).padStart(8, '0') + number.toString(2).padStart(16, '0')
			assert.equal(toHex(image.bits), leftAligned(framed(data, 12)))
			assert.equal(read(26, toHex(image.bits)), `h10301:${facility}:${number}`)
		}),
	)
})

test('one wrong bit in a badge with parity never makes another badge: it is misread', () => {
	const images = [badgeToBits('118-1603'), badgeToBits('12345678'), badgeToBits('34359738367')]
	for (const image of images) {
		assert.ok(image.ok)
		for (let bit = 0; bit < image.bitCount; bit++) {
			const bits: Uint8Array = Uint8Array.from(image.bits)
			bits[bit >> 3] = (bits[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
			assert.equal(read(image.bitCount, toHex(bits)), 'badge-parity')
		}
	}
})

test('any other length keeps every bit and how many there were; what follows the last bit does not count', () => {
	assert.equal(read(56, '04a1b2c3d4e5f6'), 'raw:56:04a1b2c3d4e5f6')
	assert.equal(read(34, '04a1b2c3ff'), 'raw:34:04a1b2c3c0')
	assert.equal(read(34, '04a1b2c3c0'), 'raw:34:04a1b2c3c0')
	assert.notEqual(read(35, '04a1b2c3c0'), read(34, '04a1b2c3c0'))
	assert.deepEqual(badgeToBits('hex:56:04A1B2C3D4E5F6'), { ok: true, bitCount: 56, bits: fromHex('04a1b2c3d4e5f6'), normal: 'raw:56:04a1b2c3d4e5f6' })
})

test('a card that shows a new random number at each tap cannot be enrolled', () => {
	assert.equal(read(32, '08a1b2c3'), 'badge-random-uid')
	assert.equal(read(32, '04a1b2c3'), 'raw:32:04a1b2c3')
	assert.equal(read(56, '08a1b2c3d4e5f6'), 'raw:56:08a1b2c3d4e5f6')
})

test('what is no badge number is refused with the reason', () => {
	const refusal = (text: string) => {
		const image = badgeToBits(text)
		return image.ok ? 'accepted' : image.code
	}
	assert.equal(refusal('34359738368'), 'badge-number')
	assert.equal(refusal('256-1'), 'badge-number')
	assert.equal(refusal('1-65536'), 'badge-number')
	assert.equal(refusal(''), 'badge-number')
	assert.equal(refusal('12a'), 'badge-number')
	assert.equal(refusal('hex:56:04a1'), 'badge-length')
	assert.equal(refusal('hex:26:bb032181'), 'accepted')
	assert.equal(refusal('hex:26:3b032180'), 'badge-parity')
	assert.equal(read(0, ''), 'badge-length')
	assert.equal(read(64, '04a1'), 'badge-length')
	assert.equal(read(26.5, 'bb032180'), 'badge-length')
})
