import { createHash, createPrivateKey, createPublicKey, sign as edSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { fromHex, type Random, type Sign, toHex } from '@latchwork/core/base'

/**
 * `log` signs checkpoints, `maker` bundles, leases and codes (Ed25519). `device-ca` issues certificates of controllers (ECDSA P-256: what brokers of
 * clouds accept too). `kek` wraps the keys of people.
 */
export const KEY_KINDS = ['log', 'maker', 'kek', 'device-ca'] as const
export type KeyKind = (typeof KEY_KINDS)[number]

export interface Signer {
	readonly keyId: string
	/** Raw, 32 bytes. */
	readonly publicKey: Uint8Array
	readonly sign: Sign
}

export interface DeviceCaKey {
	readonly keyId: string
	readonly privateKey: KeyObject
	/** SubjectPublicKeyInfo, DER. */
	readonly publicKey: Uint8Array
}

interface NewKey {
	readonly keyId: string
	readonly publicKey: Uint8Array | undefined
	readonly secret: Uint8Array
}

const PKCS8_ED25519 = fromHex('302e020100300506032b657004220420')

/** What is sealed: a seed of 32 bytes, a key of 32 bytes, or PKCS#8. */
export function makeKey(kind: KeyKind, random: Random): NewKey {
	if (kind === 'kek') return { keyId: toHex(random(8)), publicKey: undefined, secret: random(32) }
	if (kind === 'device-ca') {
		const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
		const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
		return { keyId: keyIdOf(spki), publicKey: spki, secret: new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' })) }
	}
	const seed = random(32)
	const publicKey = new Uint8Array(createPublicKey(privateOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-32))
	return { keyId: keyIdOf(publicKey), publicKey, secret: seed }
}

export function signerFrom(keyId: string, publicKey: Uint8Array, seed: Uint8Array): Signer {
	const privateKey = privateOf(seed)
	return { keyId, publicKey, sign: (bytes) => new Uint8Array(edSign(null, bytes, privateKey)) }
}

export const deviceCaFrom = (keyId: string, publicKey: Uint8Array, pkcs8: Uint8Array): DeviceCaKey => ({
	keyId,
	publicKey,
	privateKey: createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }),
})

const privateOf = (seed: Uint8Array) => createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' })
const keyIdOf = (publicKey: Uint8Array) => createHash('sha256').update(publicKey).digest('hex').slice(0, 16)
