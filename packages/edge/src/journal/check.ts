import { type StreamFault, type StreamVerdict, verifyStream } from '@latchwork/core/ledger'
import { nodeCrypto } from '../keys.ts'
import type { StoredStream } from './read.ts'

/**
 * Is a stream on disk whole? The signed head proves everything up to it; what came after it, at most 64 events or 30 s, is held by the
 * journal's own head and by the mark outside the database. All that say how far the stream came must agree with its events, and the
 * farthest is its end. `publicKey`: the controller's; without it the signature proves nothing.
 */
export function checkStored({ stream, lines, head, ends }: StoredStream, publicKey: Uint8Array | undefined): StreamVerdict {
	const crypto = nodeCrypto
	const last = ends.at(-1)
	if (!last)
		return bad(0, 'other-stream', 'No head, no mark and no later stream says how far it came: its events were put in, or its end was cut off.')
	const signed = head && publicKey && { head, keys: new Map([[head.keyId, publicKey]]) }
	if (signed) {
		const proven = verifyStream(lines.slice(0, head.seq), { crypto, ...signed })
		if (!proven.ok) return proven
		if (head.stream !== stream) return bad(0, 'other-stream', `Its signed head is that of ${head.stream}.`)
	}
	for (const end of ends) {
		const held = verifyStream(end === last ? lines : lines.slice(0, end.seq), { crypto, anchor: end })
		if (!held.ok) return held
	}
	return { ok: true, count: lines.length, head: last, signed: signed?.head.seq === lines.length }
}

const bad = (index: number, code: StreamFault, text: string): StreamVerdict => ({ ok: false, index, code, text })
