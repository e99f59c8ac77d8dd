import { hash } from 'node:crypto'

/** SHA-256 by the platform: the only hash of the ledger, where core asks for one as an argument. */
export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')

const LEAF = Uint8Array.of(0)

/** RFC 6962 §2.1: the hash of one entry. */
export const leafOf = (bytes: Uint8Array): Uint8Array => sha256(Buffer.concat([LEAF, bytes]))
