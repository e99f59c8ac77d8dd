import { type Crypto, Fault, fromBase64, type Sign, toBase64 } from '../base/index.ts'
import { type NoteFault, type NoteKey, openNote, parseNote, signNote } from './note.ts'
import type { TreeHead } from './proof.ts'
import { HASH_BYTES } from './tiles.ts'
import type { Sha256 } from './tree.ts'

/** What a log states of itself in a signed note (C2SP tlog-checkpoint). */
export interface Checkpoint extends TreeHead {
	/** Which log: for ours, the name of its key too. */
	readonly origin: string
	/** Opaque lines behind the root; ours have none. */
	readonly extensions: readonly string[]
}

export type OpenedCheckpoint =
	| { readonly ok: true; readonly checkpoint: Checkpoint }
	| { readonly ok: false; readonly code: NoteFault; readonly text: string }

/** A checkpoint's text, the part that is signed. Throws `log-invalid` when it cannot be written. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
	if ([origin, ...extensions].some((line) => line === '' || line.includes('\n')))
		throw new Fault('log-invalid', 'Origin and extensions of a checkpoint are lines that are not empty.')
	if (!Number.isSafeInteger(size) || size < 0 || root.length !== HASH_BYTES)
		throw new Fault('log-invalid', `Not a tree: ${size} entries, a root of ${root.length} bytes.`)
	return [origin, size, toBase64(root), ...extensions, ''].join('\n')
}

/** Undefined unless it is exactly what `formatCheckpoint` writes. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
	const [origin = '', size = '', root = '', ...rest] = text.split('\n')
	const hash = fromBase64(root)
	const isWhole = rest.pop() === '' && origin !== '' && !rest.includes('')
	if (!isWhole || !/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)) || hash?.length !== HASH_BYTES) return undefined
	return { origin, size: Number(size), root: hash, extensions: rest }
}

/** Signs under the origin's name. A log never signs a tree that does not grow out of what it signed before: that is the caller's duty. */
export function signCheckpoint(
	tree: TreeHead & { readonly origin: string },
	key: { readonly publicKey: Uint8Array; readonly sign: Sign; readonly sha256: Sha256 },
): Uint8Array {
	const text = formatCheckpoint({ extensions: [], ...tree })
	return signNote(text, { name: tree.origin, publicKey: key.publicKey }, key)
}

/** Reads a checkpoint that a known key has signed under the name of the checkpoint's origin. */
export function openCheckpoint(bytes: Uint8Array, known: readonly NoteKey[], crypto: Pick<Crypto, 'sha256' | 'verify'>): OpenedCheckpoint {
	const opened = openNote(bytes, known, crypto)
	if (!opened.ok) return opened
	const checkpoint = parseCheckpoint(opened.note.text)
	if (!checkpoint) return { ok: false, code: 'malformed', text: 'It is signed, but it is not a checkpoint.' }
	if (!opened.signedBy.some(({ name }) => name === checkpoint.origin))
		return { ok: false, code: 'unknown-key', text: `It is a checkpoint of ${checkpoint.origin}, and no key of that name has signed it.` }
	return { ok: true, checkpoint }
}

/** What a note says that calls itself a checkpoint: not verified, so only for what is verified later. */
export function peekCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
	const note = parseNote(bytes)
	return note && parseCheckpoint(note.text)
}
