import { hash } from 'node:crypto'

/** By the platform: the only hash of the ledger, where core asks for one as an argument. */
export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
