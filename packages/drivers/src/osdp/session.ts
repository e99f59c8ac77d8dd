import { encodePacket, type Packet, type Received } from './codec.ts'
import { ANSWER, COMMAND, type Message, NAK } from './messages.ts'
import { cpCryptogram, DEFAULT_KEY, initialMac, pdCryptogram, type SecureChannel, sameBytes, secureChannel, sessionKeys } from './secure-channel.ts'

/**
 * The controller's side of one line without any I/O or time: numbers commands, seals them, and judges every packet that comes
 * back. Whatever is not an `answer` here never reaches a person's case.
 */
export type Verdict =
	| {
			readonly kind: 'answer'
			readonly code: number
			readonly data: Uint8Array
			readonly security?: { readonly type: number; readonly data: Uint8Array }
	  }
	/** The reader is busy or got our packet damaged: the same bytes again. */
	| { readonly kind: 'repeat' }
	/** Not for us, or the late copy of an answer that we had asked for twice. */
	| { readonly kind: 'ignored' }
	| { readonly kind: 'alarm'; readonly code: 'replay' | 'mac-mismatch' | 'plain-refused' }
	/** The reader no longer holds the session: begin anew. */
	| { readonly kind: 'lost' }

export interface CpSession {
	/** The next command with the next number, sealed while a channel is up. */
	command(message: Message): Uint8Array
	/** The last command once more, unchanged: the reader answers a known number with its last answer and does nothing twice. */
	again(): Uint8Array
	judge(packet: Received): Verdict
	/** From now on everything is sealed, and nothing that is not is believed. */
	secure(channel: SecureChannel): void
	isSecure(): boolean
	/** Forgets number and channel. */
	restart(): void
}

/** MACs of the last answers, to tell a played-back packet from a damaged or foreign one. */
const REMEMBERED = 64

export function cpSession(address: number): CpSession {
	let sequence = -1
	let last: Uint8Array = new Uint8Array(0)
	let channel: SecureChannel | undefined
	/** Copies of answers that may still arrive because a command went out more than once. */
	let copiesDue = 0
	let timesSent = 0
	let awaited = false
	let recent: string[] = []

	const stale = (): Verdict => {
		if (copiesDue === 0) return channel ? { kind: 'alarm', code: 'replay' } : { kind: 'ignored' }
		copiesDue--
		return { kind: 'ignored' }
	}
	const accept = (verdict: Verdict): Verdict => {
		copiesDue = Math.min(copiesDue + timesSent - 1, 16)
		timesSent = 1
		awaited = false
		return verdict
	}

	/** Without a seal only two things are heard: "again" and "I have lost the session"; believing them costs time and nothing else. */
	function judgePlainInChannel(packet: Received): Verdict {
		const nak = packet.code === ANSWER.nak ? packet.data[0] : undefined
		if (nak === NAK.check || nak === NAK.length) return { kind: 'repeat' }
		return nak === undefined ? { kind: 'alarm', code: 'plain-refused' } : { kind: 'lost' }
	}

	function judgeSealed(packet: Received, open: SecureChannel): Verdict {
		const mac = packet.mac?.join() ?? ''
		const data = open.open(packet)
		if (!data) return recent.includes(mac) ? stale() : { kind: 'alarm', code: 'mac-mismatch' }
		recent = [mac, ...recent.slice(0, REMEMBERED - 1)]
		return accept({ kind: 'answer', code: packet.code, data })
	}

	function judgePlain(packet: Received): Verdict {
		const nak = packet.code === ANSWER.nak ? packet.data[0] : undefined
		if (nak === NAK.check || nak === NAK.length) return { kind: 'repeat' }
		if (nak === NAK.sequence) return { kind: 'lost' }
		const { code, data, security } = packet
		return accept({ kind: 'answer', code, data, ...(security && { security }) })
	}

	return {
		command(message) {
			sequence = sequence < 3 ? sequence + 1 : 1
			timesSent = 1
			awaited = true
			const packet: Packet = { address, answer: false, sequence, ...message }
			last = channel ? channel.seal(packet) : encodePacket(packet)
			return last
		},
		again() {
			timesSent++
			return last
		},
		judge(packet) {
			// Our own echo, another reader on the line, or a check that eight bits are too weak for.
			if (!packet.answer || packet.address !== address || packet.check !== 'crc') return { kind: 'ignored' }
			// BUSY carries number 0 and no seal by the standard.
			if (packet.code === ANSWER.busy) return { kind: 'repeat' }
			if (!awaited || packet.sequence !== sequence) return stale()
			if (!channel) return judgePlain(packet)
			return packet.mac ? judgeSealed(packet, channel) : judgePlainInChannel(packet)
		},
		secure(established) {
			channel = established
			copiesDue = 0
		},
		isSecure: () => channel !== undefined,
		restart() {
			sequence = -1
			channel = undefined
			awaited = false
			copiesDue = 0
			recent = []
		},
	}
}

/** The published default key is number 0 on the wire, an own key number 1. */
export type Handshake =
	| { readonly kind: 'secure'; readonly channel: SecureChannel }
	| { readonly kind: 'refused'; readonly code: 'wrong-key' | 'default-key-refused' | 'no-secure-channel' }
	| { readonly kind: 'lost' }

/**
 * The handshake as the standard orders it, as a dialogue: yields commands, is fed answers (`undefined`: none came).
 * The reader proves itself first; the controller's own proof goes only to a reader that has.
 */
export function* handshake(key: Uint8Array, cpRandom: Uint8Array): Generator<Message, Handshake, Verdict | undefined> {
	const number = Uint8Array.of(sameBytes(key, DEFAULT_KEY) ? 0 : 1)
	const hello = yield { code: COMMAND.challenge, data: cpRandom, security: { type: 0x11, data: number } }
	if (hello?.kind !== 'answer') return { kind: 'lost' }
	if (hello.code === ANSWER.nak) return { kind: 'refused', code: 'no-secure-channel' }
	if (hello.code !== ANSWER.clientCryptogram || hello.security?.type !== 0x12 || hello.data.length !== 32) return { kind: 'lost' }

	const pdRandom = hello.data.slice(8, 16)
	const proof = hello.data.slice(16)
	const keys = sessionKeys(key, cpRandom)
	if (!sameBytes(proof, pdCryptogram(keys, cpRandom, pdRandom))) {
		const withDefault = pdCryptogram(sessionKeys(DEFAULT_KEY, cpRandom), cpRandom, pdRandom)
		return { kind: 'refused', code: sameBytes(proof, withDefault) ? 'default-key-refused' : 'wrong-key' }
	}

	const ours = cpCryptogram(keys, cpRandom, pdRandom)
	const done = yield { code: COMMAND.serverCryptogram, data: ours, security: { type: 0x13, data: number } }
	if (done?.kind !== 'answer') return { kind: 'lost' }
	const mac = initialMac(keys, ours)
	const agreed = done.code === ANSWER.initialMac && done.security?.type === 0x14 && done.security.data[0] !== 0xff && sameBytes(done.data, mac)
	return agreed ? { kind: 'secure', channel: secureChannel('cp', keys, mac) } : { kind: 'refused', code: 'wrong-key' }
}
