import { toBase64, toHex } from '../base/index.ts'

/** Digests and ids are random digits: a short number is found in them by chance. */
const RANDOM_HEX = /[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/**
 * Looks for people's data where only pseudonyms and salted commitments may be: for tests that know the demo people's names,
 * addresses, badge numbers and PINs. Finds a needle as it is, in other letter case, escaped as JSON, and as the hex or base64 of its
 * bytes; a number only where it is not part of a longer number or of a digest. Answers the needles that were found.
 */
export function scanForPersonalData(bytes: Uint8Array, needles: Iterable<string>): string[] {
	const text = new TextDecoder().decode(bytes)
	const lower = text.toLowerCase()
	const readable = lower.replace(RANDOM_HEX, ' ')
	return [...needles].filter((needle) => {
		if (needle.length < 4) throw new RangeError(`Too short to look for: ${needle.length} characters`)
		const raw = new TextEncoder().encode(needle)
		// The last base64 character depends on what follows the needle.
		const base64 = toBase64(raw).replace(/=+$/, '').slice(0, -1)
		if (lower.includes(toHex(raw)) || text.includes(base64)) return true
		if (/^\d+$/.test(needle)) return new RegExp(`(?<!\\d)${needle}(?!\\d)`).test(readable)
		return [needle, JSON.stringify(needle).slice(1, -1)].some((form) => readable.includes(form.toLowerCase()))
	})
}
