import { createHmac, createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { type Crypto, fromHex } from '@latchwork/core/base'

/** SubjectPublicKeyInfo of Ed25519 up to the 32 raw bytes (RFC 8410). */
const SPKI = fromHex('302a300506032b6570032100')
const REMEMBERED = 1_000
const keys = new Map<string, KeyObject>()

/** Core's cryptography by Node's. */
export const nodeCrypto: Crypto = {
	sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
	hmacSha256: (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()),
	verify(publicKey, bytes, signature) {
		try {
			return verify(null, bytes, parsed(publicKey), signature)
		} catch {
			return false
		}
	},
}

/** Parsing a key costs as much as using it once. */
function parsed(publicKey: Uint8Array): KeyObject {
	const name = Buffer.from(publicKey).toString('latin1')
	const known = keys.get(name)
	if (known) return known
	const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
	if (keys.size >= REMEMBERED) keys.clear()
	keys.set(name, key)
	return key
}
