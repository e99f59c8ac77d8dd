import { readFileSync } from 'node:fs'
import { fromHex } from '@latchwork/core/base'

const lines = (name: string): string[] =>
	readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8')
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('#'))

/** Rows of `vectors/annex-e.txt`: name, bytes, and for checks what they must give. */
export const annexE = (): { name: string; bytes: Uint8Array; gives: Uint8Array }[] =>
	lines('annex-e.txt').map((line) => {
		const [name = '', bytes = '', gives = ''] = line.split(/\s+/)
		return { name, bytes: fromHex(bytes), gives: fromHex(gives) }
	})

/** A recorded session: commands of the controller and the reader's answers, without marks. */
export function recorded(name: 'plain' | 'secure'): { command: Uint8Array; answer: Uint8Array }[] {
	const all = lines(`session-${name}.txt`).map((line) => fromHex(line.slice(2)))
	return Array.from({ length: all.length / 2 }, (_, i) => ({ command: all[2 * i] ?? new Uint8Array(0), answer: all[2 * i + 1] ?? new Uint8Array(0) }))
}
