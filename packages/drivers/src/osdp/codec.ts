/**
 * OSDP v2 framing (IEC 60839-11-5): bytes <-> packets, nothing else. Knows where a packet ends, whether its check bytes fit and
 * where its parts lie; what a code means is `messages.ts`, what a MAC is worth `secure-channel.ts`.
 *
 *   53 · address (bit 7: answer) · length low, high (53 … check bytes) · control · [security block] · code · data · [MAC 4] · CRC low, high
 */
const START = 0x53
/** Driven before the packet so that the line settles; not part of it. */
export const MARK = 0xff

const ANSWER = 0x80
const SEQUENCE = 0x03
const CRC = 0x04
const SECURITY = 0x08

const HEADER = 5
const MAC = 4
/** The standard allows 1440 for file transfer and biometrics; nothing that this driver asks for comes near 256. */
const LONGEST = 256

export interface Packet {
	/** 0–126; 127 reaches every reader on the line. */
	readonly address: number
	readonly answer: boolean
	/** 0 starts afresh, then 1, 2, 3, 1 …; a repeated command keeps its number. */
	readonly sequence: number
	/** Security block without its length byte: type 0x11–0x18 and what belongs to it. */
	readonly security?: { readonly type: number; readonly data: Uint8Array }
	readonly code: number
	readonly data: Uint8Array
}

export interface Received extends Packet {
	readonly check: 'crc' | 'sum'
	/** 4 bytes, present exactly for security types 0x15–0x18. */
	readonly mac?: Uint8Array
	/** What the MAC is computed over: start byte up to the end of the data. */
	readonly covered: Uint8Array
}

/** CRC-16, polynomial 1021, start 1D0F, not reflected (hardware design, Appendix A). */
export function crc16(bytes: Uint8Array): number {
	let crc = 0x1d0f
	for (const byte of bytes) {
		crc ^= byte << 8
		for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
	}
	return crc
}

/** Older readers: two's complement of the byte sum. We read it and never send it. */
export function checksum(bytes: Uint8Array): number {
	let sum = 0
	for (const byte of bytes) sum += byte
	return -sum & 0xff
}

const carriesMac = (type: number | undefined): boolean => type !== undefined && type >= 0x15 && type <= 0x18

/** One packet as it goes on the wire, without the mark. `sign` gets the covered bytes and is asked for security types 0x15–0x18 only. */
export function encodePacket(packet: Packet, sign?: (covered: Uint8Array) => Uint8Array): Uint8Array {
	const block = packet.security ? [packet.security.data.length + 2, packet.security.type, ...packet.security.data] : []
	const signed = sign !== undefined && carriesMac(packet.security?.type)
	const covered = HEADER + block.length + 1 + packet.data.length
	const bytes = new Uint8Array(covered + (signed ? MAC : 0) + 2)
	const control = (packet.sequence & SEQUENCE) | CRC | (packet.security ? SECURITY : 0)
	bytes.set([START, packet.address | (packet.answer ? ANSWER : 0), bytes.length & 0xff, bytes.length >> 8, control, ...block, packet.code])
	bytes.set(packet.data, covered - packet.data.length)
	if (signed) bytes.set(sign(bytes.slice(0, covered)).subarray(0, MAC), covered)
	const crc = crc16(bytes.subarray(0, -2))
	bytes.set([crc & 0xff, crc >> 8], bytes.length - 2)
	return bytes
}

/** Reads exactly one whole packet; `undefined` when its check bytes or its inner lengths do not fit. */
export function decodePacket(bytes: Uint8Array): Received | undefined {
	const [start, address = 0, low = 0, high = 0, control = 0] = bytes
	if (start !== START || low + 256 * high !== bytes.length || bytes.length < HEADER + 2) return undefined
	const check = control & CRC ? 'crc' : 'sum'
	if (!checkFits(bytes, check)) return undefined

	const end = bytes.length - (check === 'crc' ? 2 : 1)
	const blockLength = control & SECURITY ? (bytes[HEADER] ?? 0) : 0
	if (control & SECURITY && blockLength < 2) return undefined
	const security = blockLength ? { type: bytes[HEADER + 1] ?? 0, data: bytes.slice(HEADER + 2, HEADER + blockLength) } : undefined
	const withMac = carriesMac(security?.type)
	const covered = end - (withMac ? MAC : 0)
	const at = HEADER + blockLength
	if (at >= covered) return undefined
	return {
		address: address & 0x7f,
		answer: (address & ANSWER) !== 0,
		sequence: control & SEQUENCE,
		...(security && { security }),
		code: bytes[at] ?? 0,
		data: bytes.slice(at + 1, covered),
		check,
		...(withMac && { mac: bytes.slice(covered, end) }),
		covered: bytes.slice(0, covered),
	}
}

function checkFits(bytes: Uint8Array, check: 'crc' | 'sum'): boolean {
	if (check === 'sum') return checksum(bytes.subarray(0, -1)) === bytes.at(-1)
	return crc16(bytes.subarray(0, -2)) === (bytes.at(-2) ?? 0) + 256 * (bytes.at(-1) ?? 0)
}

/** Why bytes were thrown away: no start byte, impossible length, wrong check bytes or inner lengths, left over when the line was cleared. */
export type Discard = 'noise' | 'length' | 'check' | 'cut'

export interface PacketParser {
	push(bytes: Uint8Array): void
	/** Forgets a packet that never became whole. */
	clear(): void
	/** Bytes waiting for the rest of their packet; never more than the longest packet. */
	held(): number
}

/**
 * Finds packets in a stream of any cut. After a bad packet it goes on at the next start byte *inside* it, because a damaged length
 * must not swallow the good packet behind it. `onPacket` may push again (a memory pipe answers at once).
 */
export function packetParser(onPacket: (packet: Received) => void, onDiscard: (why: Discard, bytes: number) => void): PacketParser {
	let buffer: Uint8Array = new Uint8Array(0)
	const drop = (count: number, why: Discard) => {
		buffer = buffer.subarray(count)
		onDiscard(why, count)
	}

	function next(): Received | 'more' | 'again' {
		const start = buffer.indexOf(START)
		const before = start < 0 ? buffer : buffer.subarray(0, start)
		const noise = before.reduce((count, byte) => count + (byte === MARK ? 0 : 1), 0)
		buffer = buffer.subarray(before.length)
		if (noise > 0) onDiscard('noise', noise)
		if (buffer.length < 4) return 'more'

		const length = (buffer[2] ?? 0) + 256 * (buffer[3] ?? 0)
		if (length < HEADER + 2 || length > LONGEST) {
			drop(1, 'length')
			return 'again'
		}
		if (buffer.length < length) return 'more'
		const packet = decodePacket(buffer.subarray(0, length))
		if (!packet) {
			drop(1, 'check')
			return 'again'
		}
		buffer = buffer.subarray(length)
		return packet
	}

	return {
		push(bytes) {
			const joined = new Uint8Array(buffer.length + bytes.length)
			joined.set(buffer)
			joined.set(bytes, buffer.length)
			buffer = joined
			for (let found = next(); found !== 'more'; found = next()) if (found !== 'again') onPacket(found)
			// A view would keep the whole joined chunk alive.
			buffer = buffer.slice()
		},
		clear() {
			if (buffer.length > 0) drop(buffer.length, 'cut')
		},
		held: () => buffer.length,
	}
}
