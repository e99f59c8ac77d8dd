/** A list that somebody pasted or chose as a file: lines of cells. */
export interface ListText {
	readonly rows: readonly (readonly string[])[]
	/** Columns of the longest line. */
	readonly columns: number
}

const SEPARATORS = ['\t', ';', ','] as const

/** Text with separators as spreadsheets write it (RFC 4180, or with semicolons or tabs): quoted cells may hold separators, quotation marks and line ends. */
export function readList(text: string): ListText {
	const plain = text.replace(/^\uFEFF/, '')
	const [first = ''] = plain.split(/\r?\n/, 1)
	// What the first line has most of; a name may hold a comma where a tab or a semicolon separates.
	const separator = SEPARATORS.find((one) => first.includes(one)) ?? ','
	const rows: string[][] = []
	let row: string[] = []
	let cell = ''
	let quoted = false
	const endCell = () => {
		row.push(cell.trim())
		cell = ''
	}
	const endRow = () => {
		endCell()
		if (row.some((one) => one !== '')) rows.push(row)
		row = []
	}
	for (let i = 0; i < plain.length; i++) {
		const at = plain[i] as string
		if (quoted) {
			if (at !== '"') cell += at
			else if (plain[i + 1] === '"') cell += plain[++i]
			else quoted = false
		} else if (at === '"' && cell.trim() === '') {
			cell = ''
			quoted = true
		} else if (at === separator) endCell()
		else if (at === '\n') endRow()
		else if (at !== '\r') cell += at
	}
	endRow()
	return { rows, columns: Math.max(0, ...rows.map(({ length }) => length)) }
}

/** The column that looks most like people (addresses), and the one beside it that looks most like numbers; from 0. */
export function guessColumns({ rows, columns }: ListText): { readonly person: number; readonly number: number } {
	const count = (column: number, of: RegExp) => rows.slice(0, 50).filter((row) => of.test(row[column] ?? '')).length
	const best = (of: RegExp, not?: number) =>
		Array.from({ length: columns }, (_, i) => i)
			.filter((i) => i !== not)
			.toSorted((a, b) => count(b, of) - count(a, of))[0] ?? 0
	const person = best(/@|^sub_/)
	return { person, number: best(/^(?:0x)?[0-9a-f][0-9a-f :,/-]{2,}$/i, person) }
}
