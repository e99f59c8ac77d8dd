import { MAX_LINK_BYTES } from '@latchwork/core/wire'

/** A topic of ours, its length, a packet identifier: more than the payload never travels. */
const MOST_BYTES = MAX_LINK_BYTES + 256
/** Client id, user name and a will that we drop if it is not ours. */
const MOST_CONNECT_BYTES = 4_096

/** MQTT 3.1.1 §2.2: types 1 to 14, and the flags that each must have; PUBLISH carries its own. */
const CONNECT = 1
const PUBLISH = 3
const FLAGS: Readonly<Record<number, number>> = { 1: 0, 2: 0, 4: 0, 5: 0, 6: 2, 7: 0, 8: 2, 9: 0, 10: 2, 11: 0, 12: 0, 13: 0, 14: 0 }

export type FrameFault = 'malformed' | 'size'

/**
 * Follows the lengths in a stream of MQTT packets, so that nobody makes the broker gather a packet of 256 MB: its library would wait for the end
 * of it. Give it every chunk; what it answers is the end of the connection.
 */
export function frameWatch(): (chunk: Uint8Array) => FrameFault | undefined {
	let first = true
	let type = 0
	/** Bytes of the body still to come; while `lengthAt` is set they are being counted. */
	let remaining = 0
	let lengthAt: number | undefined
	return (chunk) => {
		for (let i = 0; i < chunk.length; ) {
			if (lengthAt === undefined && remaining > 0) {
				const taken = Math.min(remaining, chunk.length - i)
				remaining -= taken
				i += taken
				continue
			}
			const byte = chunk[i++] ?? 0
			if (lengthAt === undefined) {
				type = byte >> 4
				if (first !== (type === CONNECT) || (type !== PUBLISH && FLAGS[type] !== (byte & 0x0f))) return 'malformed'
				first = false
				lengthAt = 0
				continue
			}
			remaining += (byte & 0x7f) << (7 * lengthAt)
			if (byte >= 0x80) {
				if (++lengthAt > 3) return 'malformed'
				continue
			}
			lengthAt = undefined
			if (remaining > (type === CONNECT ? MOST_CONNECT_BYTES : MOST_BYTES)) return 'size'
		}
		return undefined
	}
}
