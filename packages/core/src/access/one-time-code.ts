import { z } from 'zod'
import { type Crypto, canonicalBytes, Fault, fromBase64Url, type Id, isId, type Sign, toBase64Url } from '../base/index.ts'
import type { DenyReason } from '../wire/index.ts'
import type { PinnedKeys } from './signed.ts'

/**
 * A one-time code as shown in a QR picture: `LW1.<payload>.<signature>`, both base64url; the payload is canonical JSON, the
 * signature Ed25519 over the text before the last dot. It names one bank, so two banks can never both accept it (trust.md T3, I9).
 */
const payloadSchema = z.strictObject({
	/** Of a pick-up code: its id in the bundle. */
	jti: z.string().regex(/^[A-Za-z0-9_-]{8,80}$/),
	/** Who shows it; of a pick-up code whose case it is. */
	subject: z.custom<Id<'subject'>>((value) => isId('subject', value)),
	/** Present: it opens the compartments of this case and nothing else, and the bank knows it by its bundle. */
	case: z.custom<Id<'case'>>((value) => isId('case', value)).exactOptional(),
	bank: z.custom<Id<'bank'>>((value) => isId('bank', value)),
	notBefore: z.int().nonnegative(),
	expires: z.int().nonnegative(),
})
export type OneTimeCode = z.infer<typeof payloadSchema>

export type CodeAnswer = { readonly ok: true; readonly code: OneTimeCode } | { readonly ok: false; readonly reason: DenyReason }

export interface CodeTerms {
	readonly makerKeys: PinnedKeys
	readonly crypto: Crypto
	readonly bank: Id<'bank'>
	readonly now: number
	/** The part of it that no clock can lengthen. */
	readonly proven: number
	readonly uncertain: boolean
	readonly codeUsed: (jti: string) => boolean
}

const MAX_TEXT = 1_000

/** Does it claim to be a code? Everything else that a scanner reads is a label of something. */
export const isCodeText = (text: string): boolean => text.startsWith('LW1.')

/** Throws `request-invalid` when the code would never be valid. */
export function mintCode(code: OneTimeCode, sign: Sign): string {
	const parsed = payloadSchema.safeParse(code)
	if (!parsed.success || parsed.data.expires <= parsed.data.notBefore)
		throw new Fault('request-invalid', 'A one-time code needs an id, a person, a bank and a time span.')
	const statement = `LW1.${toBase64Url(canonicalBytes(parsed.data))}`
	return `${statement}.${toBase64Url(sign(new TextEncoder().encode(statement)))}`
}

/** The issue time inside a code is signed too: the caller may lift its time floor with `notBefore` (trust.md §3.5). */
export function verifyCode(text: string, terms: CodeTerms): CodeAnswer {
	const code = readCode(text, terms)
	if (!code) return { ok: false, reason: 'unknown-credential' }
	if (code.bank !== terms.bank) return { ok: false, reason: 'code-other-bank' }
	if (terms.codeUsed(code.jti)) return { ok: false, reason: 'code-used' }
	if (terms.now >= code.expires) return { ok: false, reason: 'code-expired' }
	// A clock that somebody set ahead lets nothing begin; and where it is behind, "not yet" cannot be told from "our clock is behind".
	if ((terms.uncertain ? terms.proven : terms.now) < code.notBefore)
		return { ok: false, reason: terms.uncertain ? 'time-uncertain' : 'outside-hours' }
	return { ok: true, code }
}

function readCode(text: string, { makerKeys, crypto }: CodeTerms): OneTimeCode | undefined {
	const [scheme, payload, signature, ...rest] = text.length <= MAX_TEXT ? text.split('.') : []
	if (scheme !== 'LW1' || payload === undefined || signature === undefined || rest.length > 0) return undefined
	const bytes = fromBase64Url(payload)
	const raw = fromBase64Url(signature)
	if (!bytes || !raw) return undefined
	const statement = new TextEncoder().encode(`${scheme}.${payload}`)
	if (![...makerKeys.values()].some((key) => crypto.verify(key, statement, raw))) return undefined
	try {
		return payloadSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data
	} catch {
		return undefined
	}
}
