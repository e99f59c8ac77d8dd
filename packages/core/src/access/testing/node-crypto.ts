import {
	createHmac,
	createPrivateKey,
	createPublicKey,
	sign as edSign,
	verify as edVerify,
	generateKeyPairSync,
	hash,
	type KeyObject,
} from 'node:crypto'
import { type Crypto, fromHex, type Sign } from '../../base/index.ts'

/** The cryptography that tests hand to core, made of Node's own and proven on the vectors of its standards in node-crypto.test.ts. */
const SPKI = fromHex('302a300506032b6570032100')
const PKCS8 = fromHex('302e020100300506032b657004220420')

export const nodeCrypto: Crypto = {
	sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
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
