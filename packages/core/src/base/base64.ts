/** Base64 (RFC 4648 §4) and base64url without padding (§5), for signatures and one-time codes. Works in Node and in the browser. */
export const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''))

export const toBase64Url = (bytes: Uint8Array): string => toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** Strict: answers undefined unless `text` is exactly what `toBase64` writes, so that one value has one spelling. */
export function fromBase64(text: string): Uint8Array | undefined {
	if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
	const binary = atob(text)
	return btoa(binary) === text ? Uint8Array.from({ length: binary.length }, (_, i) => binary.charCodeAt(i)) : undefined
}

export function fromBase64Url(text: string): Uint8Array | undefined {
	if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
	const standard = text.replaceAll('-', '+').replaceAll('_', '/')
	return fromBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, '='))
}
