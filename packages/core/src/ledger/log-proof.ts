import { type Crypto, fromBase64, toBase64 } from '../base/index.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import type { NoteFault, NoteKey } from './note.ts'
import { verifyInclusion } from './proof.ts'
import { HASH_BYTES } from './tiles.ts'
import { hashLeaf } from './tree.ts'

/** That one entry is in a log, as a text that needs nothing else but the entry and the log's key (C2SP tlog-proof). */
export interface EntryProof {
	readonly index: number
	readonly hashes: readonly Uint8Array[]
	/** The signed note, verbatim. */
	readonly checkpoint: Uint8Array
}

export type OpenedProof =
	| { readonly ok: true; readonly index: number; readonly checkpoint: Checkpoint }
	| { readonly ok: false; readonly code: NoteFault | 'not-included'; readonly text: string }

const FIRST_LINE = 'c2sp.org/tlog-proof@v1'
/** No tree is higher. */
const MAX_HASHES = 63

export function formatProof({ index, hashes, checkpoint }: EntryProof): string {
	return [FIRST_LINE, `index ${index}`, ...hashes.map(toBase64), '', new TextDecoder().decode(checkpoint)].join('\n')
}

/** Undefined unless it is exactly such a text. Extra data, which the form allows and nobody signs, is passed over. */
export function parseProof(text: string): EntryProof | undefined {
	const split = text.indexOf('\n\n')
	const [first, ...lines] = text.slice(0, Math.max(0, split)).split('\n')
	if (first !== FIRST_LINE) return undefined
	if (lines[0]?.startsWith('extra ') && fromBase64(lines[0].slice('extra '.length)) !== undefined) lines.shift()
	const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1]
	const hashes = lines.map(fromBase64)
	if (index === undefined || !Number.isSafeInteger(Number(index)) || hashes.length > MAX_HASHES) return undefined
	if (!hashes.every((hash) => hash?.length === HASH_BYTES)) return undefined
	const checkpoint = new TextEncoder().encode(text.slice(split + 2))
	return { index: Number(index), hashes: hashes.filter((hash) => hash !== undefined), checkpoint }
}

/** Is `entry` in the log that a known key has signed? */
export function openProof(text: string, entry: Uint8Array, known: readonly NoteKey[], crypto: Pick<Crypto, 'sha256' | 'verify'>): OpenedProof {
	const proof = parseProof(text)
	if (!proof) return { ok: false, code: 'malformed', text: 'It is not a proof of an entry.' }
	const opened = openCheckpoint(proof.checkpoint, known, crypto)
	if (!opened.ok) return opened
	const { checkpoint } = opened
	const claim = { index: proof.index, size: checkpoint.size, root: checkpoint.root, leafHash: hashLeaf(entry, crypto.sha256) }
	if (verifyInclusion(proof.hashes, claim, crypto.sha256)) return { ok: true, index: proof.index, checkpoint }
	return { ok: false, code: 'not-included', text: `The entry is not number ${proof.index} of the log that the checkpoint stands for.` }
}
