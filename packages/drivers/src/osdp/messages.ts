import { Fault } from '@latchwork/core/base'

/** OSDP commands (controller to reader) and answers by name; the numbers of the standard, hardware design §2.1. */
export const COMMAND = {
	poll: 0x60,
	id: 0x61,
	cap: 0x62,
	localStatus: 0x64,
	inputStatus: 0x65,
	outputStatus: 0x66,
	output: 0x68,
	led: 0x69,
	buzzer: 0x6a,
	text: 0x6b,
	comset: 0x6e,
	keyset: 0x75,
	challenge: 0x76,
	serverCryptogram: 0x77,
} as const

export const ANSWER = {
	ack: 0x40,
	nak: 0x41,
	id: 0x45,
	cap: 0x46,
	localStatus: 0x48,
	inputStatus: 0x49,
	outputStatus: 0x4a,
	card: 0x50,
	keys: 0x53,
	com: 0x54,
	clientCryptogram: 0x76,
	initialMac: 0x78,
	busy: 0x79,
} as const

/** Why a reader refused a command. */
export const NAK = { check: 1, length: 2, unknownCommand: 3, sequence: 4, noSecureChannel: 5, notSecure: 6, notProcessed: 9 } as const

export interface Message {
	readonly code: number
	readonly data: Uint8Array
	/** Security block of the handshake (types 0x11–0x14); the channel itself adds 0x15–0x18. */
	readonly security?: { readonly type: number; readonly data: Uint8Array }
}

const message = (code: number, ...data: number[]): Message => ({ code, data: Uint8Array.from(data) })
const word = (value: number): [number, number] => [value & 0xff, value >> 8]

export type Colour = 'off' | 'red' | 'green' | 'amber' | 'blue'
const COLOURS: readonly Colour[] = ['off', 'red', 'green', 'amber', 'blue']

/** On and off times in 100 ms. */
export interface Blink {
	readonly on: number
	readonly off: number
	readonly onColour: Colour
	readonly offColour: Colour
}
export interface LedOrder {
	/** Shown for `timer` × 100 ms, then the permanent state returns; `end` returns at once. */
	readonly temporary?: (Blink & { readonly timer: number }) | 'end'
	readonly permanent?: Blink
}
const blink = (b: Blink): number[] => [b.on, b.off, COLOURS.indexOf(b.onColour), COLOURS.indexOf(b.offColour)]

export const poll = (): Message => message(COMMAND.poll)
export const askId = (): Message => message(COMMAND.id, 0)
export const askCapabilities = (): Message => message(COMMAND.cap, 0)
export const askLocalStatus = (): Message => message(COMMAND.localStatus)
export const askInputs = (): Message => message(COMMAND.inputStatus)
export const askOutputs = (): Message => message(COMMAND.outputStatus)

export function led(order: LedOrder): Message {
	const { temporary, permanent } = order
	const first = typeof temporary === 'object' ? [2, ...blink(temporary), ...word(temporary.timer)] : [temporary ? 1 : 0, 0, 0, 0, 0, 0, 0]
	const last = permanent ? [1, ...blink(permanent)] : [0, 0, 0, 0, 0]
	return message(COMMAND.led, 0, 0, ...first, ...last)
}

/** Default tone, times in 100 ms. */
export const buzzer = (on: number, off: number, count: number): Message => message(COMMAND.buzzer, 0, 2, on, off, count)

/** Permanent text from row 1, column 1; printable ASCII, at most 32 characters. */
export function text(line: string): Message {
	if (!/^[ -~]{0,32}$/.test(line)) throw new Fault('request-invalid', 'A reader shows at most 32 printable ASCII characters.')
	return message(COMMAND.text, 0, 1, 0, 1, 1, line.length, ...new TextEncoder().encode(line))
}

/** Output `number` to state `code` (5 = timed on), `timer` × 100 ms. */
export const output = (number: number, code: number, timer: number): Message => message(COMMAND.output, number, code, ...word(timer))

export const comset = (address: number, baud: number): Message =>
	message(COMMAND.comset, address, ...[0, 8, 16, 24].map((shift) => (baud >>> shift) & 0xff))

/** Key type 1 (SCBK), 16 bytes. Only ever sent inside a secure channel. */
export const keyset = (key: Uint8Array): Message => message(COMMAND.keyset, 1, key.length, ...key)

/** PDCAP: function → compliance and number of objects. */
export function readCapabilities(data: Uint8Array): ReadonlyMap<number, { readonly compliance: number; readonly count: number }> {
	const found = new Map<number, { compliance: number; count: number }>()
	for (let i = 0; i + 2 < data.length; i += 3) found.set(data[i] ?? 0, { compliance: data[i + 1] ?? 0, count: data[i + 2] ?? 0 })
	return found
}
export const CAPABILITY = { led: 4, buzzer: 5, checkCharacter: 8, security: 9 } as const

/** What a reader reports by itself: one such answer per POLL. */
export type ReaderFact =
	| { readonly kind: 'card'; readonly format: number; readonly bitCount: number; readonly bits: Uint8Array }
	| { readonly kind: 'keys'; readonly keys: string }
	| { readonly kind: 'status'; readonly tamper: boolean; readonly powerFailed: boolean }

/** `undefined`: not a report, or one whose inner lengths contradict each other. */
export function readFact(code: number, data: Uint8Array): ReaderFact | undefined {
	switch (code) {
		case ANSWER.card: {
			const [, format = 0, low = 0, high = 0] = data
			const bitCount = low + 256 * high
			const bits = data.slice(4)
			if (data.length < 4 || bitCount === 0 || bits.length !== Math.ceil(bitCount / 8)) return undefined
			// Bits behind the last one count for nothing; two readers must not make two cards of one by them.
			const spare = (8 - (bitCount % 8)) % 8
			bits[bits.length - 1] = (bits.at(-1) ?? 0) & (0xff << spare)
			return { kind: 'card', format, bitCount, bits }
		}
		case ANSWER.keys: {
			const [, count] = data
			if (count === undefined || count === 0 || data.length !== 2 + count) return undefined
			const keys = Array.from(data.subarray(2), keyOf).join('')
			return keys.length === count ? { kind: 'keys', keys } : undefined
		}
		case ANSWER.localStatus:
			return data.length === 2 ? { kind: 'status', tamper: data[0] !== 0, powerFailed: data[1] !== 0 } : undefined
	}
	return undefined
}

/** By the standard 0D (return) is the key enter or `#`, 7F (delete) is clear or `*`; readers that send the printed character exist. Function keys are none. */
function keyOf(byte: number): string {
	if (byte === 0x0d) return '#'
	if (byte === 0x7f) return '*'
	const key = String.fromCharCode(byte)
	return /^[0-9#*]$/.test(key) ? key : ''
}
