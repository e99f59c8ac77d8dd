import { createHmac, createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Crypto, Fault, fromHex, type Sign } from '@latchwork/core/base'

/** SubjectPublicKeyInfo of Ed25519 up to the 32 raw bytes (RFC 8410). */
const SPKI = fromHex('302a300506032b6570032100')
const keys = new Map<string, KeyObject>()

/** Core's cryptography by Node's. */
export const nodeCrypto: Crypto = {
	// Asked for a Buffer, Node makes a big one for each digest: by way of a text it takes half as long.
	sha256: (bytes) => Buffer.from(hash('sha256', bytes, 'binary'), 'binary'),
	hmacSha256: (key, bytes) => createHmac('sha256', key).update(bytes).digest(),
	verify(publicKey, bytes, signature) {
		try {
			return verify(null, bytes, parsed(publicKey), signature)
		} catch {
			return false
		}
	},
}

/** As `nodeCrypto.verify` judges, by a thread of Node's pool. */
export const verifyAside = (...[publicKey, bytes, signature]: Parameters<Crypto['verify']>): Promise<boolean> =>
	new Promise((resolve) => {
		try {
			verify(null, bytes, parsed(publicKey), signature, (fault, genuine) => resolve(!fault && genuine))
		} catch {
			resolve(false)
		}
	})

/** Parsing a key costs as much as using it once. */
function parsed(publicKey: Uint8Array): KeyObject {
	const name = Buffer.from(publicKey).toString('latin1')
	const known = keys.get(name)
	if (known) return known
	const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
	keys.set(name, key)
	return key
}

/** Ed25519 signing with a PKCS#8 PEM file; `publicKey` is the raw 32 bytes. */
export function signingKey(path: string): { sign: Sign; publicKey: Uint8Array } {
	const key = privateKey(path)
	const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
	return { sign: (bytes) => sign(null, bytes, key), publicKey: raw }
}

function privateKey(path: string): KeyObject {
	const text = readSecret(path)
	try {
		return createPrivateKey(text)
	} catch (cause) {
		throw new Fault('config-invalid', `${path} must hold an Ed25519 private key as PKCS#8 PEM.`, { cause })
	}
}

/** Of an OSDP secure channel. */
export const READER_KEY_BYTES = 16

/** A key kept as hex in a file of its own (level L0: protects against casual copying only, SECURITY.md). */
export function secretBytes(path: string, length: number): Uint8Array {
	const bytes = fromHex(readSecret(path).trim())
	if (bytes.length !== length) throw new Fault('config-invalid', `${path} must hold ${length} bytes in hex.`)
	return bytes
}

function readSecret(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (cause) {
		throw new Fault('config-invalid', `The key file ${path} cannot be read.`, { cause })
	}
}
