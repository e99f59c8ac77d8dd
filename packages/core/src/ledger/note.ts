import { type Crypto, Fault, fromBase64, type Sign, toBase64, toHex } from '../base/index.ts'
import type { Sha256 } from './tree.ts'

/**
 * Signed notes (C2SP signed-note): a text that ends in a line feed, an empty line, and one line for each signature. A signature names its key
 * by name and a short id; signatures of keys that the reader does not know are passed over, so that witnesses can add theirs.
 */
export interface NoteKey {
	/** For a log, its origin. Without spaces and without `+`. */
	readonly name: string
	readonly publicKey: Uint8Array
}

export interface NoteSignature {
	readonly name: string
	/** Eight hex digits. */
	readonly id: string
	readonly signature: Uint8Array
}

export interface Note {
	readonly text: string
	/** In the order of the note; of unknown keys too. Not verified. */
	readonly signatures: readonly NoteSignature[]
}

/**
 * - `malformed`   not a signed note
 * - `unknown-key` no signature is by a key that the reader knows
 * - `signature`   a signature by a known key does not verify
 */
export type NoteFault = 'malformed' | 'unknown-key' | 'signature'
export type OpenedNote =
	| { readonly ok: true; readonly note: Note; readonly signedBy: readonly NoteKey[] }
	| { readonly ok: false; readonly code: NoteFault; readonly text: string }

const ED25519 = 0x01
const ID_BYTES = 4
/** Sixteen signatures must be taken; those that withstand quantum computers have 5 kB each. */
const MAX_NOTE_BYTES = 262_144
const MAX_SIGNATURES = 64
const NAME = /^[^\p{White_Space}+\p{Cc}]+$/u
/** All that is below U+0020 but the line feed. */
const CONTROL = /[^\P{Cc}\n\x7f-\x9f]/u
const SIGNATURE_LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u

/** First four bytes of the SHA-256 over name, line feed, kind of signature and key, as hex. */
export function keyIdOf({ name, publicKey }: NoteKey, sha256: Sha256): string {
	return toHex(sha256(join(new TextEncoder().encode(`${name}\n`), [ED25519], publicKey)).subarray(0, ID_BYTES))
}

/** The key as one line of text: what an auditor is handed. */
export function formatVerifierKey(key: NoteKey, sha256: Sha256): string {
	mustBeKey(key)
	return `${key.name}+${keyIdOf(key, sha256)}+${toBase64(join([ED25519], key.publicKey))}`
}

/** Undefined unless `text` is a verifier key for Ed25519 whose id is that of its name and key. */
export function parseVerifierKey(text: string, sha256: Sha256): NoteKey | undefined {
	const parts = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(text)
	const name = parts?.[1] ?? ''
	const bytes = fromBase64(parts?.[3] ?? '')
	if (!NAME.test(name) || bytes?.length !== 33 || bytes[0] !== ED25519) return undefined
	const key = { name, publicKey: bytes.slice(1) }
	return keyIdOf(key, sha256) === parts?.[2] ? key : undefined
}

/** Throws `log-invalid` when the text cannot be that of a note. `others`: signature lines that are there already, such as those of witnesses. */
export function signNote(
	text: string,
	key: NoteKey,
	terms: { readonly sign: Sign; readonly sha256: Sha256 },
	others: readonly NoteSignature[] = [],
): Uint8Array {
	mustBeKey(key)
	if (!isNoteText(text)) throw new Fault('log-invalid', 'A note is well-formed text without control characters and ends with a line feed.')
	const own = { name: key.name, id: keyIdOf(key, terms.sha256), signature: terms.sign(new TextEncoder().encode(text)) }
	return new TextEncoder().encode(`${text}\n${[own, ...others].map(signatureLine).join('')}`)
}

const signatureLine = ({ name, id, signature }: NoteSignature): string => {
	const prefix = Uint8Array.from(id.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
	return `— ${name} ${toBase64(join(prefix, signature))}\n`
}

/** Splits a note; undefined when it is not one. */
export function parseNote(bytes: Uint8Array): Note | undefined {
	if (bytes.length > MAX_NOTE_BYTES) return undefined
	let whole: string
	try {
		whole = utf8.decode(bytes)
	} catch {
		return undefined
	}
	const split = whole.lastIndexOf('\n\n')
	const text = whole.slice(0, split + 1)
	const lines = whole.slice(split + 2).split('\n')
	if (split < 1 || !isNoteText(text) || lines.pop() !== '' || lines.length === 0 || lines.length > MAX_SIGNATURES) return undefined
	const signatures = lines.map(readSignature)
	return signatures.every((signature) => signature !== undefined) ? { text, signatures } : undefined
}

function readSignature(line: string): NoteSignature | undefined {
	const [, name = '', base64 = ''] = SIGNATURE_LINE.exec(line) ?? []
	const bytes = fromBase64(base64)
	if (!NAME.test(name) || !bytes || bytes.length <= ID_BYTES) return undefined
	return { name, id: toHex(bytes.subarray(0, ID_BYTES)), signature: bytes.slice(ID_BYTES) }
}

/** Reads a note and verifies the signatures of all known keys: at least one must be there, and none may be wrong. */
export function openNote(bytes: Uint8Array, known: readonly NoteKey[], crypto: Pick<Crypto, 'sha256' | 'verify'>): OpenedNote {
	const note = parseNote(bytes)
	if (!note) return { ok: false, code: 'malformed', text: 'It is not a signed note.' }
	const message = new TextEncoder().encode(note.text)
	const signedBy: NoteKey[] = []
	for (const key of known) {
		const id = keyIdOf(key, crypto.sha256)
		const signatures = note.signatures.filter((signature) => signature.name === key.name && signature.id === id)
		if (signatures.some(({ signature }) => signature.length !== 64 || !crypto.verify(key.publicKey, message, signature)))
			return { ok: false, code: 'signature', text: `The signature of ${key.name} is wrong.` }
		if (signatures.length > 0) signedBy.push(key)
	}
	return signedBy.length > 0 ? { ok: true, note, signedBy } : { ok: false, code: 'unknown-key', text: 'No known key has signed it.' }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const isNoteText = (text: string): boolean => text.endsWith('\n') && text.isWellFormed() && !CONTROL.test(text)

function mustBeKey({ name, publicKey }: NoteKey): void {
	if (!NAME.test(name) || !name.isWellFormed()) throw new Fault('log-invalid', 'A key name is not empty and has no spaces and no "+".')
	if (publicKey.length !== 32) throw new Fault('log-invalid', `An Ed25519 key has 32 bytes, not ${publicKey.length}.`)
}

function join(...parts: readonly ArrayLike<number>[]): Uint8Array {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
	let at = 0
	for (const part of parts) {
		bytes.set(part, at)
		at += part.length
	}
	return bytes
}
