import type { Case, Env } from './case.ts'
import { asList, type Deadline, type Table } from './table.ts'

const AFTER = /^(?:(?<base>[a-z][a-z0-9-]*)(?<sign>[+-]))?P(?:(?<d>\d{1,4})D)?(?:T(?:(?<h>\d{1,4})H)?(?:(?<m>\d{1,5})M)?(?:(?<s>\d{1,6})S)?)?$/

/** `due-PT1H` → an hour before `due`; `P1D` → a day from now (24 hours: calendar days are the caller's, see `Deadline`). */
export function parseAfter(text: string): { base: string | undefined; ms: number } | undefined {
	const part = AFTER.exec(text)?.groups
	if (!part || !/\d[DHMS]$/.test(text)) return undefined
	const count = (name: string) => Number(part[name] ?? 0)
	const ms = (((count('d') * 24 + count('h')) * 60 + count('m')) * 60 + count('s')) * 1000
	return { base: part.base, ms: part.sign === '-' ? -ms : ms }
}

/** Sets `name` and every deadline that counts from it; a reminder whose time has already gone by is left out. */
export function setDeadline(table: Table, deadlines: Case['deadlines'], name: string, env: Env): Record<string, number> {
	const next = { ...deadlines }
	const all: Readonly<Record<string, Deadline>> = table.deadlines ?? {}
	const set = (key: string) => {
		const after = parseAfter(all[key]?.after ?? '')
		if (!after) return
		const due = env.due?.[key] ?? (after.base === undefined ? env.now : (next[after.base] ?? env.now)) + after.ms
		if (key !== name && after.ms < 0 && due <= env.now) delete next[key]
		else next[key] = due
		for (const other of Object.keys(all)) if (parseAfter(all[other]?.after ?? '')?.base === key) set(other)
	}
	set(name)
	return next
}

/** Clears `name` and every deadline that counts from it; without a name all of them. */
export function clearDeadline(table: Table, deadlines: Case['deadlines'], name: string | undefined): Record<string, number> {
	if (name === undefined) return {}
	const { [name]: _gone, ...rest } = deadlines
	const counted = Object.entries(table.deadlines ?? {}).filter(([, d]) => parseAfter(d.after)?.base === name)
	return counted.reduce((left, [key]) => clearDeadline(table, left, key), rest)
}

/**
 * X19: what was still to come when the outage began, and moves with outages by the table, comes later by as long as it lasted. What had come before it
 * stays, so deadlines that count from each other keep their order. The same object when nothing moves.
 */
export function afterOutage(
	table: Table,
	deadlines: Case['deadlines'],
	{ from, to }: { readonly from: number; readonly to: number },
): Case['deadlines'] {
	const moves = ([name, at]: [string, number]) => at > from && movesWithOutage(table, name)
	const all = Object.entries(deadlines)
	if (!all.some(moves)) return deadlines
	return Object.fromEntries(all.map(([name, at]) => [name, moves([name, at]) ? at + (to - from) : at]))
}

/** A time that others count from has moved: the person has longer, which is more than a later reminder. */
export const givesTime = (table: Table, before: Case['deadlines'], after: Case['deadlines']): boolean =>
	Object.keys(after).some((name) => after[name] !== before[name] && parseAfter(deadlineOf(table, name)?.after ?? '')?.base === undefined)

/** From then on somebody is late, as far as no outage gave them longer; a reminder before that says nothing of the kind. */
export const isTooLate = (table: Table, name: string): boolean =>
	movesWithOutage(table, name) && (parseAfter(deadlineOf(table, name)?.after ?? '')?.ms ?? 0) >= 0

const deadlineOf = (table: Table, name: string): Deadline | undefined =>
	Object.hasOwn(table.deadlines ?? {}, name) ? table.deadlines?.[name] : undefined
const movesWithOutage = (table: Table, name: string): boolean => deadlineOf(table, name)?.movesWithOutage === true

/** The next deadline that would move this case or one of its lines, or nothing: what a timer should wait for. */
export function nextDeadline(table: Table, of: Case): { name: string; dueMs: number } | undefined {
	const heard = new Set<string>()
	const hears = (moves: Table['case']['moves'], state: string) => {
		for (const { from, on } of moves) if ('deadline' in on && asList(from).includes(state)) heard.add(on.deadline)
	}
	hears(table.case.moves, of.state)
	for (const line of of.lines) hears(table.line.moves, line.state)
	return Object.entries(of.deadlines)
		.filter(([name]) => heard.has(name))
		.map(([name, dueMs]) => ({ name, dueMs }))
		.sort((a, b) => a.dueMs - b.dueMs || (a.name < b.name ? -1 : 1))[0]
}
