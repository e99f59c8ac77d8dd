import type { Bank } from './shapes.ts'

/** A line of the palette. */
export interface Found {
	readonly key: string
	readonly words: string
	readonly aside?: string
}

/** `>` before it: actions only; `@`: people only; "door 14", "14": a door. */
export function parseFind(typed: string): { readonly kind: 'all' | 'actions' | 'people'; readonly text: string; readonly door: number | undefined } {
	const trimmed = typed.trim()
	const kind = trimmed.startsWith('>') ? 'actions' : trimmed.startsWith('@') ? 'people' : 'all'
	const text = kind === 'all' ? trimmed : trimmed.slice(1).trim()
	const [, digits] = /^(?:door\s*)?(\d{1,4})$/i.exec(text) ?? []
	return { kind, text, door: digits === undefined || kind !== 'all' ? undefined : Number(digits) }
}

export interface FoundDoor {
	readonly bank: string
	readonly site: string
	readonly name: string
	readonly number: number
}
/** Doors of that number in all banks; "14 lobby" narrows to banks whose name has the word. */
export function searchDoors(banks: readonly Bank[], text: string, door: number | undefined): FoundDoor[] {
	const [, digits, rest = ''] = /^(?:door\s*)?(\d{1,4})[\s,]+(.+)$/i.exec(text) ?? []
	const number = door ?? (digits === undefined ? undefined : Number(digits))
	if (number === undefined) return []
	return banks
		.filter(({ name }) => name.toLowerCase().includes(rest.toLowerCase()))
		.filter(({ layout }) => layout.columns.some(({ cells }) => cells.some((cell) => cell.kind === 'door' && cell.number === number)))
		.slice(0, 8)
		.map(({ id, site, name }) => ({ bank: id, site, name, number }))
}

export function searchBanks(banks: readonly Bank[], text: string): readonly Bank[] {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean)
	return banks.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word))).slice(0, 6)
}
