import { canonicalBytes, type Id, isId } from '../base/index.ts'
import type { SignedHead } from './stream.ts'

/**
 * A stream as a file: the bytes of each event and a line feed, then the signed head the same way. Canonical JSON holds no raw line
 * feed, so lines and events are the same thing, and the file can be read with any tool.
 */
export function* writeExport(events: Iterable<Uint8Array>, head: SignedHead): Generator<Uint8Array> {
	for (const bytes of events) yield withLineFeed(bytes)
	yield withLineFeed(canonicalBytes(head))
}

const LINE_FEED = 0x0a
const withLineFeed = (bytes: Uint8Array): Uint8Array => {
	const line = new Uint8Array(bytes.length + 1)
	line.set(bytes)
	line[bytes.length] = LINE_FEED
	return line
}

/** Splits a file into its event lines and its head; the head is undefined when the last line is not one (then the end was cut off). */
export function readExport(file: Uint8Array): { readonly events: readonly Uint8Array[]; readonly head: SignedHead | undefined } {
	const lines: Uint8Array[] = []
	let start = 0
	while (start < file.length) {
		const end = file.indexOf(LINE_FEED, start)
		lines.push(file.subarray(start, end < 0 ? file.length : end))
		start = end < 0 ? file.length : end + 1
	}
	const head = readHead(lines.at(-1))
	return { events: head ? lines.slice(0, -1) : lines, head }
}

function readHead(line: Uint8Array | undefined): SignedHead | undefined {
	try {
		const value: unknown = JSON.parse(new TextDecoder().decode(line))
		return isHead(value) ? value : undefined
	} catch {
		return undefined
	}
}

function isHead(value: unknown): value is SignedHead {
	if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== 'at,format,hash,keyId,seq,signature,stream') return false
	const head = value as Record<keyof SignedHead, unknown>
	const texts = [head.hash, head.keyId, head.signature].every((text) => typeof text === 'string')
	const stream: Id<'stream'> | undefined = isId('stream', head.stream) ? head.stream : undefined
	return head.format === 'latchwork-head/1' && texts && stream !== undefined && Number.isSafeInteger(head.seq) && Number.isSafeInteger(head.at)
}
