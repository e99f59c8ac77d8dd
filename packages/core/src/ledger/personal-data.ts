import { toBase64, toHex } from '../base/index.ts'

/**
 * Looks for people's data where only pseudonyms and salted commitments may be: for tests that know the demo people's names,
 * addresses, badge numbers and PINs. Finds a needle as it is, in other letter case, escaped as JSON, and as the hex or base64 of its bytes.
 * Answers the needles that were found. Needles shorter than four characters are refused: they would be found in any hash.
 */
export function scanForPersonalData(bytes: Uint8Array, needles: Iterable<string>): string[] {
	const text = new TextDecoder().decode(bytes)
	const lower = text.toLowerCase()
	return [...needles].filter((needle) => {
		if (needle.length < 4) throw new RangeError(`Too short to look for: ${needle.length} characters`)
		const raw = new TextEncoder().encode(needle)
		const escaped = JSON.stringify(needle).slice(1, -1)
		return (
			[needle, escaped, toHex(raw)].some((form) => lower.includes(form.toLowerCase())) || text.includes(toBase64(raw).replace(/=+$/, '').slice(0, -1))
		)
	})
}
