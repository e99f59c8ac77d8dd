import { type Crypto, Fault, type Id, type Sign, toHex } from '../base/index.ts'
import { type Bundle, bundleFaults, bundleSchema } from './bundle-schema.ts'
import { type Envelope, isSignedBy, type PinnedKeys, readEnvelope, seal } from './signed.ts'

export type BundleRefusal = 'bundle-malformed' | 'bundle-signature' | 'bundle-other-bank' | 'bundle-rollback'
export type BundleAnswer =
	| { readonly ok: true; readonly bundle: Bundle; readonly digest: string; readonly expired: boolean }
	| { readonly ok: false; readonly code: BundleRefusal; readonly text: string }

export interface BundleTerms {
	readonly keys: PinnedKeys
	readonly crypto: Crypto
	readonly bank: Id<'bank'>
	/** Trusted time, only to say whether the bundle is expired; an expired one is accepted, since it still allows returns. */
	readonly now: number
	/** What was accepted before: an older version, or the same version with other bytes, is refused (T23). */
	readonly last?: { readonly version: number; readonly digest: string }
}

/** Signs a bundle; throws `bundle-invalid` with the field when it is not one. */
export function sealBundle(bundle: Bundle, keyId: string, sign: Sign): Envelope<Bundle> {
	const parsed = bundleSchema.safeParse(bundle)
	const wrong = parsed.success ? bundleFaults(parsed.data).join('; ') : whereWrong(parsed.error)
	if (!parsed.success || wrong) throw new Fault('bundle-invalid', `The bundle cannot be signed: ${wrong}`)
	return seal(parsed.data, keyId, sign)
}

/** `input`: the text as received, or the envelope already parsed. The signature is checked before anything inside is believed. */
export function acceptBundle(input: unknown, terms: BundleTerms): BundleAnswer {
	const envelope = readEnvelope(input)
	if (!envelope) return refuse('bundle-malformed', 'The bundle is not a signed document.')
	if (!isSignedBy(terms.keys, envelope.bytes, envelope.signatures, terms.crypto)) {
		return refuse('bundle-signature', 'No signature on the bundle is by a key that this bank trusts.')
	}
	const parsed = bundleSchema.safeParse(envelope.signed)
	if (!parsed.success) return refuse('bundle-malformed', `The bundle does not have the documented fields: ${whereWrong(parsed.error)}`)
	const bundle = parsed.data
	if (bundle.bank.id !== terms.bank) return refuse('bundle-other-bank', `The bundle is for ${bundle.bank.id}, not for this bank.`)
	const [fault] = bundleFaults(bundle)
	if (fault) return refuse('bundle-malformed', `The bundle contradicts itself: ${fault}`)
	const digest = toHex(terms.crypto.sha256(envelope.bytes))
	if (terms.last && bundle.version < terms.last.version) {
		return refuse('bundle-rollback', `Bundle ${bundle.version} is older than ${terms.last.version}, which was accepted before.`)
	}
	if (terms.last && bundle.version === terms.last.version && digest !== terms.last.digest) {
		return refuse('bundle-rollback', `Another bundle ${bundle.version} was accepted before; one version has one content.`)
	}
	return { ok: true, bundle, digest, expired: terms.now >= bundle.expiresAt }
}

const refuse = (code: BundleRefusal, text: string): BundleAnswer => ({ ok: false, code, text })

function whereWrong(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
	const [first] = error.issues
	return first ? `${first.path.map(String).join('.') || 'document'}: ${first.message}` : 'unknown'
}
