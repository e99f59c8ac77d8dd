import { createCipheriv, createDecipheriv } from 'node:crypto'
import { Fault, type Random } from '@latchwork/core/base'

/** Encrypts what must not lie readable in the database. `context` says what it is and whose; opened under another one it fails. */
export interface MasterKey {
	seal(bytes: Uint8Array, context: string): Uint8Array
	/** Throws `sealed-unreadable` for another key, another context, or altered bytes. */
	open(sealed: Uint8Array, context: string): Uint8Array
}

const FORM = 1
const IV_BYTES = 12
const TAG_BYTES = 16
/** What sealing adds. */
export const SEAL_BYTES = 1 + IV_BYTES + TAG_BYTES

/** AES-256-GCM with a fresh 96-bit IV: `form, iv, tag, ciphertext`. One key is good for 2^32 values (NIST SP 800-38D §8.3), which no installation reaches. */
export function sealingKey(key: Uint8Array, random: Random): MasterKey {
	if (key.length !== 32) throw new Fault('config-invalid', 'A sealing key has 32 bytes.')
	return {
		seal(bytes, context) {
			const iv = random(IV_BYTES)
			const cipher = createCipheriv('aes-256-gcm', key, iv)
			cipher.setAAD(Buffer.from(context))
			const sealed = Buffer.concat([cipher.update(bytes), cipher.final()])
			return new Uint8Array(Buffer.concat([Uint8Array.of(FORM), iv, cipher.getAuthTag(), sealed]))
		},
		open(sealed, context) {
			try {
				if (sealed[0] !== FORM) throw new RangeError(`form ${sealed[0]}`)
				const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + IV_BYTES), { authTagLength: TAG_BYTES })
				decipher.setAAD(Buffer.from(context))
				decipher.setAuthTag(sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES))
				return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(1 + IV_BYTES + TAG_BYTES)), decipher.final()]))
			} catch (cause) {
				throw new Fault('sealed-unreadable', 'What is sealed in the database was sealed with another key, or was altered.', { cause })
			}
		},
	}
}
