import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '../../base/index.ts'
import { nodeCrypto, testKey } from './node-crypto.ts'

test('the cryptography of the tests gives the digests of FIPS 180-4 and RFC 4231', () => {
	const abc = new TextEncoder().encode('abc')
	assert.equal(toHex(nodeCrypto.sha256(abc)), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
	const mac = nodeCrypto.hmacSha256(new TextEncoder().encode('Jefe'), new TextEncoder().encode('what do ya want for nothing?'))
	assert.equal(toHex(mac), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
})

test('the cryptography of the tests signs and verifies as RFC 8032 §7.1 test 2', () => {
	const key = testKey(fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'))
	const signature = key.sign(fromHex('72'))
	assert.equal(toHex(key.publicKey), '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
	assert.match(toHex(signature), /^92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c/)
	assert.equal(nodeCrypto.verify(key.publicKey, fromHex('72'), signature), true)
	assert.equal(nodeCrypto.verify(key.publicKey, fromHex('73'), signature), false)
	assert.equal(nodeCrypto.verify(key.publicKey.subarray(1), fromHex('72'), signature), false)
})
