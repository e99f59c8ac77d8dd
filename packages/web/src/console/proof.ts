import { canonical, fromBase64, type Json } from '@latchwork/core/base'
import { hashLeaf, openCheckpoint, parseVerifierKey, verifyConsistency, verifyInclusion } from '@latchwork/core/ledger'
import { sha256 } from '@noble/hashes/sha2.js'
import type { EventProof } from './shapes.ts'

/**
 * Verifies here, in the browser, what the server says about its ledger: that a record is under a checkpoint, that the log's key has signed the
 * checkpoint, and that the log only grew since this browser saw it last. The server's word is not taken for any of it, but for the key: that comes
 * from the server too, and is kept by this browser from the first time on.
 */
export type Verdict =
	| { readonly ok: true; readonly position: number; readonly size: number; readonly steps: number }
	| { readonly ok: false; readonly why: 'not-the-record' | 'checkpoint' | 'inclusion' | 'key' | 'history' }

/**
 * On which side of the record's own way up each hash of its inclusion proof lies, from the leaf on (RFC 9162 §2.1.3.2). As many as the proof has hashes:
 * a record at the right edge of a tree that is not full has fewer.
 */
export function siblingSides(position: number, size: number): ('left' | 'right')[] {
	const sides: ('left' | 'right')[] = []
	for (let at = position, last = size - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
		if (at % 2 === 1) sides.push('left')
		else if (at < last) sides.push('right')
	}
	return sides
}

/** What the screen shows of a record. */
export interface Shown {
	readonly position: number
	readonly type: string
	readonly subject: string
	readonly data: Readonly<Record<string, unknown>>
}

export type VerifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>

/** A checkpoint that was verified. */
export interface Trusted {
	readonly size: number
	readonly root: Uint8Array
}

export async function checkProof(
	proof: EventProof,
	shown: Shown,
	verifierKey: string,
	verify: VerifySignature,
): Promise<{ readonly verdict: Verdict; readonly checkpoint?: Trusted }> {
	const refuse = (why: (Verdict & { ok: false })['why']) => ({ verdict: { ok: false, why } as const })
	const entry = fromBase64(proof.entry)
	if (!entry || proof.position !== shown.position || !saysWhatIsShown(entry, shown)) return refuse('not-the-record')
	const checkpoint = await openSigned(proof.checkpoint, verifierKey, verify)
	if (checkpoint === undefined) return refuse('checkpoint')
	const path = proof.proof.map(fromBase64)
	if (!path.every((hash) => hash !== undefined)) return refuse('inclusion')
	const { size, root } = checkpoint
	const claim = { index: shown.position, size, leafHash: hashLeaf(entry, sha256), root }
	if (!verifyInclusion(path, claim, sha256)) return refuse('inclusion')
	return { verdict: { ok: true, position: shown.position, size, steps: path.length }, checkpoint }
}

/** A proof of other bytes would be a proof of nothing that anybody sees. */
function saysWhatIsShown(entry: Uint8Array, { type, subject, data }: Shown): boolean {
	try {
		const said = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(entry)) as { type?: string; subject?: string; data?: Json }
		return said.type === type && said.subject === subject && canonical(said.data ?? {}) === canonical(data as Json)
	} catch {
		return false
	}
}

/** The checkpoint of a note that the key has signed. Core asks for signatures at once and browsers answer later: they are asked for afterwards. */
export async function openSigned(note: string, verifierKey: string, verify: VerifySignature): Promise<Trusted | undefined> {
	const key = parseVerifierKey(verifierKey.trim(), sha256)
	if (!key) return undefined
	const asked: Parameters<VerifySignature>[] = []
	const opened = openCheckpoint(new TextEncoder().encode(note), [key], {
		sha256,
		verify(...signed) {
			asked.push(signed)
			return true
		},
	})
	if (!opened.ok || asked.length === 0) return undefined
	for (const signed of asked) if (!(await verify(...signed))) return undefined
	return opened.checkpoint
}

/** Whether the log that was seen before is still the beginning of the one that is shown now. */
export function grewOutOf(proof: readonly string[], old: Trusted, now: Trusted): boolean {
	const path = proof.map(fromBase64)
	return path.every((hash) => hash !== undefined) && verifyConsistency(path, old, now, sha256)
}

/** Ed25519 by the browser itself. */
export const browserVerify: VerifySignature = async (publicKey, message, signature) => {
	const key = await crypto.subtle.importKey('raw', publicKey as BufferSource, { name: 'Ed25519' }, false, ['verify'])
	return crypto.subtle.verify({ name: 'Ed25519' }, key, signature as BufferSource, message as BufferSource)
}
