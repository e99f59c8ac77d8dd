import { type Crypto, canonicalBytes, type FaultCode, fromBase64, type Sign, toBase64 } from '../base/index.ts'

/** The two faults of a bundle or lease that is not taken: it is older than what was accepted, or it is not to be trusted at all. */
export type RefusalCode = Extract<FaultCode, 'bundle-rollback' | 'bundle-invalid'>
export const refusalCode = (why: string): RefusalCode => (why.endsWith('-rollback') ? 'bundle-rollback' : 'bundle-invalid')

/** A signed document: the signatures are Ed25519 over `canonicalBytes(signed)`. */
export interface Envelope<T> {
	readonly signed: T
	readonly signatures: readonly { readonly keyId: string; readonly signature: string }[]
}

/** Public keys that this edge pinned when it was set up, by key id; 32 raw bytes each. */
export type PinnedKeys = ReadonlyMap<string, Uint8Array>

export function seal<T>(signed: T, keyId: string, sign: Sign): Envelope<T> {
	return { signed, signatures: [{ keyId, signature: toBase64(sign(canonicalBytes(signed))) }] }
}

/** True when at least one signature is by a pinned key and fits these bytes; signatures by strangers are ignored (a key roll signs twice). */
export function isSignedBy(keys: PinnedKeys, bytes: Uint8Array, signatures: Envelope<unknown>['signatures'], crypto: Crypto): boolean {
	return signatures.some(({ keyId, signature }) => {
		const key = keys.get(keyId)
		const raw = fromBase64(signature)
		return key !== undefined && raw !== undefined && crypto.verify(key, bytes, raw)
	})
}

/** Above a bank with 50,000 people (about 50 MB); a longer text is refused before it is parsed. */
const MAX_TEXT = 128 * 1024 * 1024

/** The shape around every signed document; undefined when it is not there or cannot be written canonically. */
export function readEnvelope(input: unknown): { signed: unknown; bytes: Uint8Array; signatures: Envelope<unknown>['signatures'] } | undefined {
	if (typeof input === 'string' && input.length > MAX_TEXT) return undefined
	try {
		const value: unknown = typeof input === 'string' ? JSON.parse(input) : input
		if (!isRecord(value) || Object.keys(value).sort().join() !== 'signatures,signed' || !Array.isArray(value.signatures)) return undefined
		const signatures = value.signatures.filter(isSignature)
		return signatures.length === value.signatures.length ? { signed: value.signed, bytes: canonicalBytes(value.signed), signatures } : undefined
	} catch {
		// Not JSON, not canonical JSON, or nested so deep that the stack ends: all the same to us.
		return undefined
	}
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isSignature = (value: unknown): value is { keyId: string; signature: string } =>
	isRecord(value) && typeof value.keyId === 'string' && typeof value.signature === 'string'
