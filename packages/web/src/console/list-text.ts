/** A list that somebody pasted or chose as a file: lines of cells. */
export interface ListText {
	readonly rows: readonly (readonly string[])[]
	/** At which line of the text each of them begins, from 1: what somebody finds again in their own list. */
	readonly at: readonly number[]
	/** Columns of the longest line. */
	readonly columns: number
}

const SEPARATORS = ['\t', ';', ','] as const

/** Text with separators as spreadsheets write it (RFC 4180, or with semicolons or tabs): quoted cells may hold separators, quotation marks and line ends. */
export function readList(text: string): ListText {
	const plain = text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
	const [first = ''] = plain.split('\n', 1)
	// What the first line has most of; a name may hold a comma where a tab or a semicolon separates.
	const separator = SEPARATORS.find((one) => first.includes(one)) ?? ','
	const rows: string[][] = []
	const at: number[] = []
	let line = 1
	let began = 1
	let row: string[] = []
	let cell = ''
	let quoted = false
	const endCell = () => {
		row.push(cell.trim())
		cell = ''
	}
	const endRow = () => {
		endCell()
		if (row.some((one) => one !== '')) {
			rows.push(row)
			at.push(began)
		}
		row = []
		began = line
	}
	for (let i = 0; i < plain.length; i++) {
		const char = plain[i] as string
		if (char === '\n') line++
		if (quoted) {
			if (char !== '"') cell += char
			else if (plain[i + 1] === '"') cell += plain[++i]
			else quoted = false
		} else if (char === '"' && cell.trim() === '') {
			cell = ''
			quoted = true
		} else if (char === separator) endCell()
		else if (char === '\n') endRow()
		else cell += char
	}
	endRow()
	return { rows, at, columns: rows.reduce((most, { length }) => Math.max(most, length), 0) }
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

/** Names of columns hold no digit and no `@`; of people and badges at least one of the two does. */
export const namesColumns = ({ rows: [first, ...rest] }: ListText): boolean =>
	first !== undefined && rest.length > 0 && !first.some((cell) => /[\d@]/.test(cell))

export interface ListLine {
	readonly line: number
	readonly person: string
	readonly listed: string
}
/** As much as the API takes of either. */
const MOST = { person: 254, listed: 60 }

/** The lines that have a person and a number, and where those stand that lack one or have far too much of it. */
export function linesOf(
	{ rows, at }: ListText,
	{ header, person, number }: { readonly header: boolean; readonly person: number; readonly number: number },
): { readonly lines: readonly ListLine[]; readonly skipped: readonly number[] } {
	const all = rows.map((row, i) => ({ line: at[i] ?? 0, person: row[person] ?? '', listed: row[number] ?? '' })).slice(header ? 1 : 0)
	const whole = ({ person, listed }: ListLine) => person !== '' && listed !== '' && person.length <= MOST.person && listed.length <= MOST.listed
	return { lines: all.filter(whole), skipped: all.filter((one) => !whole(one)).map(({ line }) => line) }
}
