import assert from 'node:assert/strict'
import {
	createHash,
	createHmac,
	createPrivateKey,
	createPublicKey,
	sign as edSign,
	verify as edVerify,
	generateKeyPairSync,
	type KeyObject,
} from 'node:crypto'
import { test } from 'node:test'
import { type Crypto, fromHex, type Sign, toHex } from '../../base/index.ts'

/** The cryptography that tests hand to core, made of Node's own and proven on the vectors of its standards below. */
const SPKI = fromHex('302a300506032b6570032100')
const PKCS8 = fromHex('302e020100300506032b657004220420')

export const nodeCrypto: Crypto = {
	sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
	hmacSha256: (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()),
	verify(publicKey, bytes, signature) {
		if (publicKey.length !== 32 || signature.length !== 64) return false
		return edVerify(null, bytes, createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' }), signature)
	},
}

export interface TestKey {
	readonly publicKey: Uint8Array
	readonly sign: Sign
}

/** An Ed25519 key: from a 32-byte seed, else a new one. */
export function testKey(seed?: Uint8Array): TestKey {
	const privateKey: KeyObject = seed
		? createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
		: generateKeyPairSync('ed25519').privateKey
	const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32))
	return { publicKey, sign: (bytes) => new Uint8Array(edSign(null, bytes, privateKey)) }
}

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
