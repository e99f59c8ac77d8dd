import { createPublicKey, type KeyObject, sign } from 'node:crypto'

/**
 * A certification request (PKCS #10, RFC 2986) for an ECDSA key on P-256 (RFC 5758), in PEM: this key, no name, no wishes. Who it is for is known
 * to whoever signs it, by the claim or by the certificate that it renews.
 */
export function certificationRequest(key: KeyObject): string {
	const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
	const info = der(SEQUENCE, der(INTEGER, [0]), der(SEQUENCE), publicKey, der(ATTRIBUTES))
	const signature = sign('sha256', info, key)
	const request = der(SEQUENCE, info, der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256)), der(BIT_STRING, [0], signature))
	return pemOf('CERTIFICATE REQUEST', request)
}

export function pemOf(label: string, bytes: Uint8Array): string {
	const lines =
		Buffer.from(bytes)
			.toString('base64')
			.match(/.{1,64}/g) ?? []
	return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

const INTEGER = 0x02
const BIT_STRING = 0x03
const OBJECT_IDENTIFIER = 0x06
const SEQUENCE = 0x30
/** `[0]`, a set that may be empty and may not be left out. */
const ATTRIBUTES = 0xa0
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]

/** Tag, length and content; nothing here is as long as 256 bytes. */
function der(tag: number, ...content: (Uint8Array | readonly number[])[]): Buffer {
	const body = Buffer.concat(content.map((part) => Uint8Array.from(part)))
	return Buffer.concat([Uint8Array.from(body.length < 128 ? [tag, body.length] : [tag, 0x81, body.length]), body])
}
