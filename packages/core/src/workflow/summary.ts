import { asList, type Table } from './table.ts'

/** Enough for any table a person can read, and a bound on the work that a table from a bundle can cause. */
const MOST_GROUPS = 14

interface Sum {
	readonly index: number
	readonly from: ReadonlySet<string>
	readonly to: string
	readonly holds: (present: number) => boolean
}

/**
 * Proves by exhaustion what summary moves do. Lines do not change while the case settles, and a condition only asks which
 * line states are present, so line states that every condition treats alike form one group, and each non-empty set of
 * groups is one situation. In every situation and case state the first move that holds is followed to its end.
 */
export function checkSummary(table: Table): string[] {
	const sums = table.case.moves.flatMap(({ on }) => ('lines' in on ? [on] : []))
	const groups = new Set(lineStates(table).map((state) => signature(sums, state)))
	if (groups.size > MOST_GROUPS)
		return [`The summary tells ${groups.size} groups of line states apart; more than ${MOST_GROUPS} cannot be proven to settle.`]
	const moves = readSums(table, [...groups])
	const taken = new Set<string>()
	const loops = new Set<string>()
	for (let present = 1; present < 1 << groups.size; present++) {
		for (const state of new Set(moves.flatMap((move) => [...move.from]))) {
			const loop = follow(moves, state, present, taken)
			if (loop) loops.add(loop)
		}
	}
	const hidden = moves.flatMap((move) => [...move.from].filter((from) => !taken.has(`${move.index} ${from}`)).map((from) => ({ move, from })))
	return [
		...[...loops].sort().map((loop) => `The summary does not settle: ${loop}.`),
		...hidden.map(({ move, from }) => `Case move ${move.index} (${from} → ${move.to}) is never taken: an earlier move always comes first.`),
	]
}

const lineStates = ({ line }: Table): string[] => [
	...new Set([line.start, ...line.moves.flatMap((m) => [m.to, ...(m.unverified ? [m.unverified] : [])])]),
]

const signature = (sums: readonly { in: readonly string[] }[], state: string): string =>
	sums.map((sum) => (sum.in.includes(state) ? '1' : '0')).join('')

/** Conditions as bit masks over the groups; bit g of `present` says that some line is in group g. */
function readSums(table: Table, groups: readonly string[]): Sum[] {
	let nth = 0
	return table.case.moves.flatMap((move, index) => {
		const { on } = move
		if (!('lines' in on)) return []
		const column = nth++
		const inside = groups.reduce((mask, group, g) => (group[column] === '1' ? mask | (1 << g) : mask), 0)
		const holds = {
			all: (present: number) => (present & ~inside) === 0,
			any: (present: number) => (present & inside) !== 0,
			'none-left': (present: number) => (present & inside) === 0,
		}[on.lines]
		return [{ index, from: new Set(asList(move.from)), to: move.to, holds }]
	})
}

/** Follows the case from one state; notes each move taken; a state met twice is a loop, told by its states. */
function follow(moves: readonly Sum[], start: string, present: number, taken: Set<string>): string | undefined {
	const path = [start]
	for (;;) {
		const state = path[path.length - 1] ?? start
		const move = moves.find((m) => m.from.has(state) && m.holds(present))
		if (!move) return undefined
		taken.add(`${move.index} ${state}`)
		const met = path.indexOf(move.to)
		if (met >= 0) return turned([...path.slice(met)]).join(' → ')
		path.push(move.to)
	}
}

/** A loop is told from its first state in alphabetical order, so that each loop is told once. */
function turned(loop: string[]): string[] {
	const first = loop.indexOf([...loop].sort()[0] ?? '')
	const round = [...loop.slice(first), ...loop.slice(0, first)]
	return [...round, round[0] ?? '']
}
