/**
 * Serial code scanners (hardware design §2.2): one code a line, ended by CR, LF or CR LF, printable ASCII. GS (1D) is let through,
 * as GS1 codes use it between fields. A line with any other byte is rubbish as a whole: half a code is another code.
 */
const CR = 0x0d
const LF = 0x0a
const GS = 0x1d
/** Several times a signed code; what is longer is rubbish. */
const LONGEST = 1024
/** Scanners send a code in one go; what stood unfinished this long was cut and never becomes part of a code. */
const QUIET_MS = 300

/** Why bytes were thrown away. `prefix`: the line does not begin with the text that this scanner puts in front of every code. */
export type ScanDiscard = 'binary' | 'overlong' | 'cut' | 'prefix'

export interface ScanParser {
	push(bytes: Uint8Array): void
	/** Forgets an unfinished line. */
	clear(): void
	/** Bytes of the unfinished line; bounded. */
	held(): number
}

export interface ScanParserParts {
	/** Monotonic milliseconds. */
	readonly mono: () => number
	readonly prefix?: string
	readonly onCode: (text: string) => void
	readonly onDiscard: (why: ScanDiscard, bytes: number) => void
}

export function scanParser({ mono, prefix = '', onCode, onDiscard }: ScanParserParts): ScanParser {
	let line = ''
	let spoilt: 'binary' | 'overlong' | undefined
	let skipped = 0
	let heardAt = mono()

	const reset = () => {
		line = ''
		spoilt = undefined
		skipped = 0
	}

	function end(): void {
		const [text, why, bytes] = [line, spoilt, line.length + skipped]
		reset()
		if (why) onDiscard(why, bytes)
		else if (text === '') return
		else if (!text.startsWith(prefix) || text === prefix) onDiscard('prefix', bytes)
		else onCode(text.slice(prefix.length))
	}

	function take(byte: number): void {
		if (line.length === LONGEST) spoilt ??= 'overlong'
		if (byte !== GS && (byte < 0x20 || byte > 0x7e)) spoilt = 'binary'
		if (spoilt) skipped++
		else line += String.fromCharCode(byte)
	}

	const clear = () => {
		const bytes = line.length + skipped
		reset()
		if (bytes > 0) onDiscard('cut', bytes)
	}

	return {
		push(bytes) {
			if (mono() - heardAt >= QUIET_MS) clear()
			heardAt = mono()
			for (const byte of bytes) {
				if (byte === CR || byte === LF) end()
				else take(byte)
			}
		},
		clear,
		held: () => line.length,
	}
}

/** A code as a scanner sends it. */
export const encodeScan = (text: string, prefix = '', terminator: '\r' | '\r\n' = '\r'): Uint8Array =>
	new TextEncoder().encode(prefix + text + terminator)
