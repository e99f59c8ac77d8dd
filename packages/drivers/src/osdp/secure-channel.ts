import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { encodePacket, type Packet, type Received } from './codec.ts'

/**
 * OSDP secure channel: AES-128 for keys, cryptograms, MAC and data. The formulas are those of hardware design §2.1; the SIA
 * Annex E vectors and a session recorded against an independent peer reproduce byte for byte (`vectors/`).
 */

/** SCBK-D: published with the standard, so it proves nothing; good for bringing an own key into a new reader and nothing else. */
export const DEFAULT_KEY: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0x30 + i)

const BLOCK = 16
const ZERO = new Uint8Array(BLOCK)

function cbc(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Uint8Array {
	const cipher = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false)
	return Uint8Array.from(Buffer.concat([cipher.update(plain), cipher.final()]))
}
function cbcOpen(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array {
	const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false)
	return Uint8Array.from(Buffer.concat([decipher.update(sealed), decipher.final()]))
}
function ecb(key: Uint8Array, plain: Uint8Array): Uint8Array {
	const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
	return Uint8Array.from(Buffer.concat([cipher.update(plain), cipher.final()]))
}
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))
const inverted = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ~byte)
/** 0x80 and zeros up to the next whole block; adds a block of its own to a text that is already whole. */
const padded = (bytes: Uint8Array): Uint8Array => join(bytes, Uint8Array.of(0x80), new Uint8Array(BLOCK - 1 - (bytes.length % BLOCK)))
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)

export interface SessionKeys {
	readonly encryption: Uint8Array
	readonly mac1: Uint8Array
	readonly mac2: Uint8Array
}

/** Keys of one session from the reader's base key and 8 random bytes of the controller, of which the first 6 count. */
export function sessionKeys(baseKey: Uint8Array, cpRandom: Uint8Array): SessionKeys {
	const derive = (a: number, b: number) => ecb(baseKey, join(Uint8Array.of(a, b), cpRandom.subarray(0, 6), ZERO.subarray(8)))
	return { encryption: derive(0x01, 0x82), mac1: derive(0x01, 0x01), mac2: derive(0x01, 0x02) }
}

/** What only a holder of the base key can say: the reader's proof. */
export const pdCryptogram = (keys: SessionKeys, cpRandom: Uint8Array, pdRandom: Uint8Array): Uint8Array =>
	ecb(keys.encryption, join(cpRandom, pdRandom))
/** The controller's proof. */
export const cpCryptogram = (keys: SessionKeys, cpRandom: Uint8Array, pdRandom: Uint8Array): Uint8Array =>
	ecb(keys.encryption, join(pdRandom, cpRandom))

/** Where the chain of MACs starts: known to both sides after the handshake. */
export const initialMac = (keys: SessionKeys, proof: Uint8Array): Uint8Array => ecb(keys.mac2, ecb(keys.mac1, proof))

/** CBC-MAC: all blocks but the last under MAC1, the last under MAC2. Unlike data, a whole text is not padded. */
function macOf(keys: SessionKeys, previous: Uint8Array, covered: Uint8Array): Uint8Array {
	const text = covered.length % BLOCK === 0 ? covered : padded(covered)
	const head = text.subarray(0, -BLOCK)
	const iv = head.length > 0 ? cbc(keys.mac1, previous, head).subarray(-BLOCK) : previous
	return cbc(keys.mac2, iv, text.subarray(-BLOCK))
}

/** Data under the encryption key; the IV is the other side's last MAC, inverted, so equal texts never look equal. */
export const encryptData = (keys: SessionKeys, previous: Uint8Array, data: Uint8Array): Uint8Array =>
	cbc(keys.encryption, inverted(previous), padded(data))

/** `undefined`: not whole blocks, or no padding at the end. */
export function decryptData(keys: SessionKeys, previous: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
	if (sealed.length === 0 || sealed.length % BLOCK !== 0) return undefined
	const text = cbcOpen(keys.encryption, inverted(previous), sealed)
	const end = text.findLastIndex((byte) => byte !== 0)
	return text[end] === 0x80 ? text.slice(0, end) : undefined
}

export interface SecureChannel {
	/** One packet sealed and signed as wire bytes; `security` of the argument is replaced by type 15–18. */
	seal(packet: Packet): Uint8Array
	/** The data in clear once the MAC has been found right; `undefined`, and no state moved, when it is not. */
	open(packet: Received): Uint8Array | undefined
}

/**
 * Both directions of an established session. Each MAC starts from the other side's last one, which makes the exchange one chain:
 * a packet that is repeated, left out or taken from elsewhere no longer fits. `side` says whose packets `seal` makes.
 */
export function secureChannel(side: 'cp' | 'pd', keys: SessionKeys, firstMac: Uint8Array): SecureChannel {
	let ours = firstMac
	let theirs = firstMac
	const [plainType, sealedType] = side === 'cp' ? [0x15, 0x17] : [0x16, 0x18]
	const [plainTypeIn, sealedTypeIn] = side === 'cp' ? [0x16, 0x18] : [0x15, 0x17]
	return {
		seal(packet) {
			const empty = packet.data.length === 0
			const data = empty ? packet.data : encryptData(keys, theirs, packet.data)
			const security = { type: empty ? plainType : sealedType, data: new Uint8Array(0) }
			return encodePacket({ ...packet, data, security }, (covered) => {
				ours = macOf(keys, theirs, covered)
				return ours
			})
		},
		open(packet) {
			const type = packet.security?.type
			if (!packet.mac || (type !== plainTypeIn && type !== sealedTypeIn)) return undefined
			const mac = macOf(keys, ours, packet.covered)
			if (!sameBytes(mac.subarray(0, packet.mac.length), packet.mac)) return undefined
			const data = type === sealedTypeIn ? decryptData(keys, ours, packet.data) : packet.data
			if (data) theirs = mac
			return data
		},
	}
}
