import { createPublicKey, type KeyObject, sign } from 'node:crypto'

/**
 * A certification request (PKCS #10, RFC 2986) for an Ed25519 key (RFC 8410), in PEM: this key, no name, no wishes. Who it is for is known to
 * whoever signs it, by the claim or by the certificate that it renews.
 */
export function certificationRequest(key: KeyObject): string {
	const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
	const info = der(SEQUENCE, der(INTEGER, [0]), der(SEQUENCE), publicKey, der(ATTRIBUTES))
	const signature = sign(null, info, key)
	const request = der(SEQUENCE, info, der(SEQUENCE, der(OBJECT_IDENTIFIER, ED25519)), der(BIT_STRING, [0], signature))
	const lines = request.toString('base64').match(/.{1,64}/g) ?? []
	return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`
}

const INTEGER = 0x02
const BIT_STRING = 0x03
const OBJECT_IDENTIFIER = 0x06
const SEQUENCE = 0x30
/** `[0]`, a set that may be empty and may not be left out. */
const ATTRIBUTES = 0xa0
/** 1.3.101.112 */
const ED25519 = [0x2b, 0x65, 0x70]

/** Tag, length and content; nothing here is as long as 256 bytes. */
function der(tag: number, ...content: (Uint8Array | readonly number[])[]): Buffer {
	const body = Buffer.concat(content.map((part) => Uint8Array.from(part)))
	return Buffer.concat([Uint8Array.from(body.length < 128 ? [tag, body.length] : [tag, 0x81, body.length]), body])
}
