import { readFileSync } from 'node:fs'
import { fromHex } from '@latchwork/core/base'

/** Rows of `vectors/lines.txt`: bytes as they come, the codes in them, and why lines were dropped; `-` for none. */
export const recordedLines = (): { bytes: Uint8Array; codes: string; dropped: string }[] =>
	readFileSync(new URL('vectors/lines.txt', import.meta.url), 'utf8')
		.split('\n')
		.filter((row) => /^[0-9a-f]/.test(row))
		.map((row) => {
			const [hex = '', codes = '', dropped = ''] = row.split(/\s+/)
			return { bytes: fromHex(hex), codes, dropped }
		})
