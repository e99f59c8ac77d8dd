/** The cryptography that core needs, as arguments: synchronous, so reducers stay synchronous. Bytes in, bytes out. */
export interface Crypto {
	sha256(bytes: Uint8Array): Uint8Array
	hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array
	/** Ed25519 (RFC 8032): `publicKey` 32 bytes raw, `signature` 64 bytes. Never throws on bad input; answers false. */
	verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean
}
/** Ed25519 signing with a key that stays outside core. */
export type Sign = (bytes: Uint8Array) => Uint8Array

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function toHex(bytes: Uint8Array): string {
	let text = ''
	for (const byte of bytes) text += HEX[byte]
	return text
}
export function fromHex(text: string): Uint8Array {
	const clean = text.replace(/[\s_]/g, '')
	return Uint8Array.from({ length: clean.length / 2 }, (_, i) => Number.parseInt(clean.slice(2 * i, 2 * i + 2), 16))
}
