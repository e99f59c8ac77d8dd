import { z } from 'zod'
import type { Crypto, Sign } from '../base/index.ts'
import { type Envelope, isSignedBy, type PinnedKeys, readEnvelope, seal } from './signed.ts'

/** The server's word for what time it is, about one question: an old answer replayed is about another one (trust.md §3.5). */
const timeSchema = z.strictObject({ format: z.literal('latchwork-time/1'), ask: z.string().min(1).max(80), at: z.int().nonnegative() })
export type TimeStatement = z.infer<typeof timeSchema>

export const sealTime = (given: { readonly ask: string; readonly at: number }, keyId: string, sign: Sign): Envelope<TimeStatement> =>
	seal(timeSchema.parse({ format: 'latchwork-time/1', ...given }), keyId, sign)

/** Milliseconds; undefined when it is not signed by a pinned key, or answers another question. */
export function acceptTime(input: unknown, given: { keys: PinnedKeys; crypto: Crypto; ask: string }): number | undefined {
	const envelope = readEnvelope(input)
	if (!envelope || !isSignedBy(given.keys, envelope.bytes, envelope.signatures, given.crypto)) return undefined
	const parsed = timeSchema.safeParse(envelope.signed)
	return parsed.success && parsed.data.ask === given.ask ? parsed.data.at : undefined
}
