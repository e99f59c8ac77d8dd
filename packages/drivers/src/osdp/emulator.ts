import type { Clock, Random } from '@latchwork/core/base'
import type { BusFaults, ReaderEmulator } from '../testing/emulator.ts'
import type { EmulatorWire } from '../transport/index.ts'
import { encodePacket, MARK, packetParser, type Received } from './codec.ts'
import { ANSWER, COMMAND, type Colour, NAK } from './messages.ts'
import {
	cpCryptogram,
	DEFAULT_KEY,
	initialMac,
	pdCryptogram,
	type SecureChannel,
	type SessionKeys,
	sameBytes,
	secureChannel,
	sessionKeys,
} from './secure-channel.ts'

/** The reader closes its session after this long without a command. */
const SILENCE_MS = 8_000
/** A packet whose rest does not come within this time was cut. */
const GAP_MS = 100
/** Reads kept for the next polls; what comes beyond is lost, as in real readers. */
const QUEUE = 64
/** Commands that are answered in clear even when the reader enforces security. */
const ALWAYS_CLEAR: readonly number[] = [COMMAND.id, COMMAND.cap, COMMAND.challenge, COMMAND.serverCryptogram]
const COLOURS: readonly Colour[] = ['off', 'red', 'green', 'amber', 'blue']

export interface OsdpEmulatorOptions {
	readonly address: number
	/** Absent: fresh from the factory, knows the published default key only and takes an own one by KEYSET. */
	readonly key?: Uint8Array
	readonly random: Random
	readonly clock: Pick<Clock, 'mono'>
	/** Refuses everything in clear but identity, capabilities and the handshake. */
	readonly enforceSecure?: boolean
}

export interface OsdpReaderEmulator extends ReaderEmulator {
	setFaults(faults: Pick<BusFaults, 'corrupt' | 'echo'>): void
	/** Somebody on the cable: gets each answer (without the mark) and says which writes arrive instead. Without argument the line is clean again. */
	tap(alter?: (answer: Uint8Array) => readonly Uint8Array[]): void
	powerFailed(failed: boolean): void
	/** True while the reader knows only the published key. */
	factoryFresh(): boolean
	/** Commands carried out (a repeated one counts once), by code. */
	commands(): ReadonlyMap<number, number>
}

interface Reply {
	readonly code: number
	readonly data: Uint8Array
	readonly security?: { readonly type: number; readonly data: Uint8Array }
	/** What changes once the answer has been sealed. */
	readonly afterwards?: () => void
}
const reply = (code: number, ...data: number[]): Reply => ({ code, data: Uint8Array.from(data) })
const nak = (reason: number): Reply => reply(ANSWER.nak, reason)

/** Type, firmware and serial number of an invented reader. */
const IDENTITY = [0x4c, 0x57, 0x01, 1, 1, 0x10, 0x20, 0x30, 0x40, 1, 0, 0]
/** Function, compliance, count: card format, LED, buzzer, CRC, AES-128. */
const CAPABILITIES = [3, 1, 1, 4, 4, 1, 5, 2, 1, 8, 1, 0, 9, 1, 0]

/** An OSDP reader that speaks real packets: the other side of the same cable. */
export function osdpReaderEmulator(options: OsdpEmulatorOptions): OsdpReaderEmulator {
	const { address, random, clock, enforceSecure = false } = options
	let key = options.key
	let faults: Pick<BusFaults, 'corrupt' | 'echo'> = {}
	let alter: ((answer: Uint8Array) => readonly Uint8Array[]) | undefined
	let offline = false

	const events: Reply[] = []
	const status = { tamper: false, powerFailed: false }
	const lamp = { permanent: 0, temporary: 0, until: 0 }
	const commands = new Map<number, number>()

	let heardAt = Number.NEGATIVE_INFINITY
	let sequence: number | undefined
	let lastAnswer: Uint8Array = new Uint8Array(0)
	let pending: { keys: SessionKeys; proof: Uint8Array } | undefined
	let channel: SecureChannel | undefined

	const forget = () => {
		sequence = undefined
		pending = undefined
		channel = undefined
	}
	const queue = (event: Reply) => {
		if (events.length < QUEUE && !offline) events.push(event)
	}
	const statusReply = () => reply(ANSWER.localStatus, Number(status.tamper), Number(status.powerFailed))

	function hear(packet: Received): Uint8Array | undefined {
		if (packet.answer || packet.address !== address) return undefined
		if (clock.mono() - heardAt >= SILENCE_MS) channel = undefined
		heardAt = clock.mono()

		if (packet.sequence === 0) forget()
		else if (packet.sequence === sequence) return lastAnswer
		else if (sequence === undefined || packet.sequence !== (sequence % 3) + 1) return encode(packet.sequence, nak(NAK.sequence))
		sequence = packet.sequence

		const { answer, sealed } = judge(packet)
		lastAnswer = sealed && channel ? channel.seal(inPacket(sequence, answer)) : encode(sequence, answer)
		answer.afterwards?.()
		return lastAnswer
	}

	function judge(packet: Received): { answer: Reply; sealed: boolean } {
		if (packet.mac) {
			const data = channel?.open(packet)
			if (data) return { answer: obey(packet.code, data, true), sealed: true }
			channel = undefined
			return { answer: nak(NAK.notSecure), sealed: false }
		}
		channel = undefined
		if (enforceSecure && !ALWAYS_CLEAR.includes(packet.code)) return { answer: nak(NAK.notSecure), sealed: false }
		return { answer: obey(packet.code, packet.data, false, packet.security?.data[0]), sealed: false }
	}

	const inPacket = (number: number, { code, data, security }: Reply) => ({
		address,
		answer: true,
		sequence: number,
		code,
		data,
		...(security && { security }),
	})
	const encode = (number: number, answer: Reply) => encodePacket(inPacket(number, answer))

	function obey(code: number, data: Uint8Array, secure: boolean, keyNumber = 0): Reply {
		commands.set(code, (commands.get(code) ?? 0) + 1)
		switch (code) {
			case COMMAND.poll:
				return events.shift() ?? reply(ANSWER.ack)
			case COMMAND.id:
				return reply(ANSWER.id, ...IDENTITY)
			case COMMAND.cap:
				return reply(ANSWER.cap, ...CAPABILITIES)
			case COMMAND.localStatus:
				return statusReply()
			case COMMAND.inputStatus:
				return reply(ANSWER.inputStatus, 0)
			case COMMAND.outputStatus:
			case COMMAND.output:
				return reply(ANSWER.outputStatus, 0)
			case COMMAND.led:
				light(data)
				return reply(ANSWER.ack)
			case COMMAND.buzzer:
			case COMMAND.text:
				return reply(ANSWER.ack)
			case COMMAND.comset:
				return reply(ANSWER.com, ...data)
			case COMMAND.challenge:
				return challenged(data, keyNumber)
			case COMMAND.serverCryptogram:
				return proven(data)
			case COMMAND.keyset:
				return secure ? takeKey(data) : nak(NAK.notSecure)
			default:
				return nak(NAK.unknownCommand)
		}
	}

	function challenged(cpRandom: Uint8Array, keyNumber: number): Reply {
		if (cpRandom.length !== 8) return nak(NAK.length)
		// With an own key the published one is out of use, whichever number is asked for.
		const keys = sessionKeys(key ?? DEFAULT_KEY, cpRandom)
		const pdRandom = random(8)
		pending = { keys, proof: cpCryptogram(keys, cpRandom, pdRandom) }
		const identity = IDENTITY.slice(0, 8)
		return {
			...reply(ANSWER.clientCryptogram, ...identity, ...pdRandom, ...pdCryptogram(keys, cpRandom, pdRandom)),
			security: { type: 0x12, data: Uint8Array.of(key ? keyNumber : 0) },
		}
	}

	function proven(proof: Uint8Array): Reply {
		const waiting = pending
		pending = undefined
		if (!waiting) return nak(NAK.notSecure)
		const right = sameBytes(proof, waiting.proof)
		const mac = right ? initialMac(waiting.keys, proof) : new Uint8Array(16)
		return {
			...reply(ANSWER.initialMac, ...mac),
			security: { type: 0x14, data: Uint8Array.of(right ? 1 : 0xff) },
			afterwards: () => {
				if (right) channel = secureChannel('pd', waiting.keys, mac)
			},
		}
	}

	function takeKey(data: Uint8Array): Reply {
		const [type, length] = data
		if (type !== 1 || length !== 16 || data.length !== 18) return nak(NAK.notProcessed)
		return {
			...reply(ANSWER.ack),
			afterwards: () => {
				key = data.slice(2)
				channel = undefined
			},
		}
	}

	function light(data: Uint8Array): void {
		const [, , temporary, , , temporaryColour = 0, , low = 0, high = 0, permanent, , , permanentColour = 0] = data
		if (temporary === 1) lamp.until = 0
		if (temporary === 2) {
			lamp.temporary = temporaryColour
			lamp.until = clock.mono() + (low + 256 * high) * 100
		}
		if (permanent === 1) lamp.permanent = permanentColour
	}

	const damage = (bytes: Uint8Array, direction: 'answers' | 'commands'): Uint8Array => {
		const corrupt = faults.corrupt
		if (!corrupt || (corrupt.direction !== 'both' && corrupt.direction !== direction)) return bytes
		const dice = random(3 * bytes.length)
		return bytes.map((byte, i) => {
			const [low = 0, high = 0, change = 0] = dice.subarray(3 * i)
			return (low + 256 * high) / 65_536 < corrupt.rate ? byte ^ (change || 1) : byte
		})
	}

	return {
		attach(wire: EmulatorWire) {
			let byteAt = 0
			const parser = packetParser(
				(packet) => {
					const answer = hear(packet)
					if (!answer) return
					for (const bytes of alter?.(answer) ?? [Uint8Array.of(MARK, ...answer)]) wire.write(damage(bytes, 'answers'))
				},
				() => {},
			)
			return wire.onData((bytes) => {
				if (offline) return
				if (faults.echo) wire.write(bytes)
				if (clock.mono() - byteAt >= GAP_MS) parser.clear()
				byteAt = clock.mono()
				parser.push(damage(bytes, 'commands'))
			})
		},
		card({ format, bitCount, bits }) {
			queue(reply(ANSWER.card, 0, format, bitCount & 0xff, bitCount >> 8, ...bits))
		},
		keys(keys) {
			queue(reply(ANSWER.keys, 0, keys.length, ...new TextEncoder().encode(keys)))
		},
		tamper(active) {
			status.tamper = active
			queue(statusReply())
		},
		powerFailed(failed) {
			status.powerFailed = failed
			queue(statusReply())
		},
		setOffline(next) {
			if (next && !offline) {
				forget()
				events.length = 0
				heardAt = Number.NEGATIVE_INFINITY
			}
			offline = next
		},
		setFaults(next) {
			faults = next
		},
		tap(next) {
			alter = next
		},
		factoryFresh: () => key === undefined,
		commands: () => commands,
		indicator() {
			const online = !offline && clock.mono() - heardAt < SILENCE_MS
			const colour = COLOURS[lamp.until > clock.mono() ? lamp.temporary : lamp.permanent] ?? 'off'
			return { led: online ? colour : 'off', online, secure: online && channel !== undefined }
		},
	}
}
