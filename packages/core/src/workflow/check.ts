import { parseAfter } from './deadline.ts'
import { checkSummary } from './summary.ts'
import { asList, EFFECTS, GUARDS, HANDS, type Move, type Table } from './table.ts'

type Level = 'line' | 'case'

/**
 * What is wrong with a table, one sentence a finding that names the place; empty when it may run. Everything is decided
 * here, at load, so that `step` never meets a name it does not know, a state without a way on, or a summary without end.
 */
export function check(table: Table): string[] {
	const names = checkNames(table)
	// A graph over names that do not exist would only repeat the same findings.
	if (names.length > 0) return names
	return [
		...checkGraph('line', table.line),
		...checkGraph('case', table.case),
		...checkHidden('line', table.line.moves),
		...checkHidden('case', table.case.moves),
		...checkCustody(table),
		...checkDeadlines(table),
		...checkSummary(table),
	]
}

const place = (level: Level, index: number, move: Move): string => {
	const from = asList(move.from)
	return `${level === 'line' ? 'Line' : 'Case'} move ${index} (${from.length > 2 ? `${from[0]} …` : from.join(', ')} → ${move.to})`
}

const places = (table: Table): { at: string; level: Level; move: Move }[] => [
	...table.line.moves.map((move, i) => ({ at: place('line', i, move), level: 'line' as const, move })),
	...table.case.moves.map((move, i) => ({ at: place('case', i, move), level: 'case' as const, move })),
]

const targets = (move: Move): string[] => [move.to, ...(move.unverified === undefined ? [] : [move.unverified])]

/** Every state that is the start or that some move leads to: what `reached` walks and other names are held against. */
const reachable = (part: { start: string; moves: readonly Move[] }): Set<string> => new Set([part.start, ...part.moves.flatMap(targets)])

/** The states in which a case of this table and its lines can be. */
export const statesOf = (table: Table): { readonly case: ReadonlySet<string>; readonly line: ReadonlySet<string> } => ({
	case: reachable(table.case),
	line: reachable(table.line),
})

function checkNames(table: Table): string[] {
	const lineStates = reachable(table.line)
	return [
		...places(table).flatMap(({ at, level, move }) =>
			[...checkTrigger(table, level, move, lineStates), ...checkEffects(table, level, move)].map((f) => `${at} ${f}.`),
		),
		...table.line.held.filter((s) => !lineStates.has(s)).map((s) => `The held state ${s} is not a line state.`),
		...visitFindings(table, lineStates),
	]
}

function checkTrigger(table: Table, level: Level, { on, unverified }: Move, lineStates: ReadonlySet<string>): string[] {
	const found: string[] = []
	const unless = (ok: boolean, finding: string) => void (ok || found.push(finding))
	if ('guards' in on) for (const guard of on.guards ?? []) unless((GUARDS as readonly string[]).includes(guard), `asks the unknown guard ${guard}`)
	if ('deadline' in on) unless(Object.hasOwn(table.deadlines ?? {}, on.deadline), `waits for the unknown deadline ${on.deadline}`)
	if ('link' in on) unless(Object.hasOwn(table.links ?? {}, on.link), `waits for the unknown link ${on.link}`)
	if ('lines' in on) for (const state of on.in) unless(lineStates.has(state), `sums up the unknown line state ${state}`)
	unless(level === 'case' || !('lines' in on), 'sums up lines, which only a case can')
	unless(level === 'line' || !('act' in on || 'outcome' in on), 'answers a door, which only a line can')
	unless(unverified === undefined || 'act' in on, 'has an unverified state without an act')
	return found
}

function checkEffects(table: Table, level: Level, move: Move): string[] {
	return (move.do ?? []).flatMap((effect) => {
		const [name, about] = typeof effect === 'string' ? [effect, undefined] : effect
		const unknown = (kind: string, list: object | undefined) =>
			Object.hasOwn(list ?? {}, about ?? '') ? [] : [`has ${name} for the unknown ${kind} ${about ?? '(none named)'}`]
		switch (name) {
			case 'custody':
				if (level === 'case') return ['passes custody, which only a line can']
				if (!(HANDS as readonly string[]).includes(about ?? '')) return [`passes custody to the unknown hands ${about ?? '(none named)'}`]
				return about === 'actor' && !('by' in move.on) ? ['passes custody to an actor where nobody acts'] : []
			case 'free':
			case 'quarantine':
				return level === 'case' ? [`has ${name}, which only a line can`] : []
			case 'set-due':
				return unknown('deadline', table.deadlines)
			case 'clear-due':
				return about === undefined ? [] : unknown('deadline', table.deadlines)
			case 'open-link':
			case 'settle-link':
				return unknown('link', table.links)
			default:
				return (EFFECTS as readonly string[]).includes(name) ? [] : [`has the unknown effect ${name}`]
		}
	})
}

function visitFindings(table: Table, lineStates: ReadonlySet<string>): string[] {
	return Object.entries(table.visit ?? {}).flatMap(([name, steps]) =>
		steps.flatMap((step, i) => {
			const at = `Visit ${name}, step ${i},`
			if (step.of !== undefined) return Object.hasOwn(table.links ?? {}, step.of) ? [] : [`${at} belongs to the unknown link ${step.of}.`]
			if (!lineStates.has(step.line)) return [`${at} names the unknown line state ${step.line}.`]
			const offered = table.line.moves.some((m) => 'act' in m.on && m.on.act === step.act && asList(m.from).includes(step.line))
			return offered ? [] : [`${at} wants a ${step.act} from ${step.line}, which no move offers.`]
		}),
	)
}

/** Plain graph search: each state is reached, each end is reached and final, and from each state some end can be reached. */
function checkGraph(level: Level, part: { start: string; end: readonly string[]; moves: readonly Move[] }): string[] {
	const title = level === 'line' ? 'Line' : 'Case'
	const edges = part.moves.flatMap((move) => asList(move.from).flatMap((from) => targets(move).map((to) => ({ from, to }))))
	const reached = search([part.start], (state) => edges.filter((e) => e.from === state).map((e) => e.to))
	const named = new Set([...edges.map((e) => e.from), ...edges.map((e) => e.to)])
	const ends = search(part.end, (state) => edges.filter((e) => e.to === state).map((e) => e.from))
	const leaves = new Set(edges.map((e) => e.from))
	return [
		...[...named].filter((s) => !reached.has(s) && !part.end.includes(s)).map((s) => `${title} state ${s} cannot be reached.`),
		...part.end.filter((s) => !reached.has(s)).map((s) => `${title} end ${s} has no way to it.`),
		...part.end.filter((s) => leaves.has(s)).map((s) => `${title} end ${s} is left again by a move.`),
		...[...reached].filter((s) => !leaves.has(s) && !part.end.includes(s)).map((s) => `${title} state ${s} is a dead end but not an end.`),
		...[...reached].filter((s) => leaves.has(s) && !ends.has(s)).map((s) => `${title} state ${s} has no way to any end.`),
	]
}

function search(from: readonly string[], next: (state: string) => readonly string[]): Set<string> {
	const seen = new Set(from)
	for (const state of seen) for (const other of next(state)) seen.add(other)
	return seen
}

/**
 * The first move that holds is taken, so a later one for the same trigger counts only if it asks less. One that asks the
 * same or more is either a mistake or two opinions about one moment. (Summary moves are proven in `checkSummary`.)
 */
function checkHidden(level: Level, moves: readonly Move[]): string[] {
	return moves.flatMap((later, j) =>
		moves.slice(0, j).flatMap((earlier, i) => {
			const shared = asList(later.from).filter((s) => asList(earlier.from).includes(s))
			const roles = rolesOf(later).filter((r) => rolesOf(earlier).includes(r))
			const asksMore = guardsOf(earlier).every((g) => guardsOf(later).includes(g))
			const same = triggerKey(later) !== undefined && triggerKey(later) === triggerKey(earlier)
			if (!same || !asksMore || shared.length === 0 || roles.length === 0) return []
			return [`${place(level, j, later)} is ambiguous with move ${i}: same trigger from ${shared.join(', ')}, and the earlier one asks no more.`]
		}),
	)
}

const rolesOf = ({ on }: Move): readonly string[] => ('by' in on ? on.by : ['anyone'])
const guardsOf = ({ on }: Move): readonly string[] => ('guards' in on ? (on.guards ?? []) : [])

function triggerKey({ on }: Move): string | undefined {
	if ('act' in on) return `act ${on.act}`
	if ('outcome' in on) return `outcome ${on.outcome}`
	if ('deadline' in on) return `deadline ${on.deadline}`
	if ('request' in on) return `request ${on.request}`
	if ('link' in on) return `link ${on.link} ${on.became}`
	return undefined
}

/** Hands change with the item (R6, I6): what is taken out leaves the held states, what is put in enters them, and custody goes along. */
function checkCustody(table: Table): string[] {
	const held = (state: string) => table.line.held.includes(state)
	return table.line.moves.flatMap((move, i) => {
		const { on } = move
		if (!('act' in on)) return []
		const found: string[] = []
		if (on.act === 'collect' && asList(move.from).some((s) => !held(s))) found.push('collects from a state that is not held')
		if (on.act === 'collect' && held(move.to)) found.push('collects into a held state')
		if (on.act === 'deposit' && targets(move).some((s) => !held(s))) found.push('deposits into a state that is not held')
		if (!(move.do ?? []).some((effect) => asList<string>(effect)[0] === 'custody')) found.push(`is a ${on.act} without custody`)
		return found.map((finding) => `${place('line', i, move)} ${finding}.`)
	})
}

function checkDeadlines(table: Table): string[] {
	const all = Object.entries(table.deadlines ?? {})
	const base = (name: string) => parseAfter(table.deadlines?.[name]?.after ?? '')?.base
	const chain = (name: string): ReadonlySet<string> => search([name], (n) => [base(n)].filter((b) => b !== undefined))
	const moves = places(table).map(({ move }) => move)
	const setDirectly = new Set(moves.flatMap((m) => (m.do ?? []).flatMap((e) => (typeof e !== 'string' && e[0] === 'set-due' ? [e[1]] : []))))
	const heard = new Set(moves.flatMap(({ on }) => ('deadline' in on ? [on.deadline] : [])))
	return all.flatMap(([name, { after }]) => {
		const bases = [...chain(name)]
		if (!parseAfter(after)) return [`Deadline ${name} has a time that cannot be read: ${after}.`]
		const unknown = bases.find((b) => !Object.hasOwn(table.deadlines ?? {}, b))
		if (unknown !== undefined) return [`Deadline ${name} counts from the unknown deadline ${unknown}.`]
		if (bases.some((b) => base(b) === name)) return [`Deadline ${name} counts from itself.`]
		const found: string[] = []
		if (!bases.some((b) => setDirectly.has(b))) found.push(`Deadline ${name} is never set.`)
		if (!heard.has(name) && !all.some(([other]) => base(other) === name)) found.push(`Deadline ${name} moves nothing.`)
		return found
	})
}
