import { Fault } from '../base/index.ts'
import type { Case, Env, Input, Line, RefusalCode, Refused, Stepped } from './case.ts'
import { afterOutage, givesTime } from './deadline.ts'
import { type Draft, enter, lineOf, note, perform, refuse, reschedule, write } from './draft.ts'
import { failing } from './guards.ts'
import { type Act, asList, type Evidence, type LoadedTable, type Move, type Role, type Trigger } from './table.ts'

/**
 * One step of a case, pure: what the input moves on the lines, then on the case, then the summary moves to a fixed point.
 * A refusal changes nothing. The same case, input and env give the same answer at the edge and on the server.
 */
export function step(table: LoadedTable, before: Case, input: Input, env: Env): Stepped | Refused {
	const unfit = misfit(table, before, input, env)
	if (unfit) return unfit
	const draft = begin(table, before, input, env)
	take(draft)
	moveLines(draft)
	moveCase(draft)
	if (draft.broken) return draft.broken
	if (draft.moves.length === 0 && input.kind !== 'link')
		return draft.denied ?? refuse('not-possible', `${describe(input)} does nothing in ${before.state}`)
	settle(draft)
	closeDeadlines(draft)
	return { case: draft.case, effects: draft.effects, moves: draft.moves }
}

/** An act that this person could do now, with the evidence it needs, or why not. Ask before a door opens. */
export interface Offer {
	readonly line: string
	readonly act: Act
	readonly evidence: Evidence
	readonly refused?: RefusalCode
}

/** The acts that the table knows from the present line states, allowed and refused ones, in line order. */
export function offers(table: LoadedTable, of: Case, who: { by: Role; subject: string }, env: Env): Offer[] {
	if (of.tableHash !== table.hash) return []
	return of.lines.flatMap((line) =>
		(['collect', 'deposit'] as const).flatMap((act): Offer[] => {
			const input: Input = { kind: 'act', act, line: line.id, ...who, evidence: 4, compartment: line.compartment ?? '' }
			const found = pick(table.line.moves, line.state, of, line, input, env)
			if ('move' in found) return [{ line: line.id, act, evidence: demanded(found.move) }]
			return found.denied ? [{ line: line.id, act, evidence: 0, refused: found.denied.refused }] : []
		}),
	)
}

function misfit(table: LoadedTable, of: Case, input: Input, env: Env): Refused | undefined {
	if (of.workflow !== table.name || of.tableHash !== table.hash) return refuse('wrong-table', `case ${of.id} began with another table`)
	switch (input.kind) {
		case 'act':
		case 'outcome': {
			const line = of.lines.find((l) => l.id === input.line)
			if (!line) return refuse('unknown-line', `case ${of.id} has no line ${input.line}`)
			const elsewhere = line.compartment !== undefined && line.compartment !== input.compartment
			if (input.kind === 'act' && input.act === 'collect' && elsewhere) return refuse('wrong-compartment', `line ${line.id} lies elsewhere`)
			return undefined
		}
		case 'deadline': {
			const due = of.deadlines[input.name]
			return due !== undefined && due <= env.now ? undefined : refuse('not-due', `deadline ${input.name} is not due`)
		}
		case 'request':
			if (input.line === undefined || of.lines.some((l) => l.id === input.line)) return undefined
			return refuse('unknown-line', `case ${of.id} has no line ${input.line}`)
		case 'link':
			if (of.links.some((l) => l.name === input.name && l.caseId === input.caseId)) return undefined
			return refuse('unknown-link', `case ${of.id} has no link ${input.name} to ${input.caseId}`)
		case 'outage':
			// One that is still to come would let a clock that is wrong give time away.
			return input.from < input.to && input.to <= env.now ? undefined : refuse('not-possible', 'an outage is told when it is over')
	}
}

const begin = (table: LoadedTable, of: Case, input: Input, env: Env): Draft => ({
	table,
	input,
	env,
	case: { ...of, version: of.version + 1 },
	effects: [],
	moves: [],
})

/** What the input itself changes: a deadline is used up, a request counted, a link follows its case. */
function take(draft: Draft): void {
	const { input, case: of } = draft
	if (input.kind === 'deadline') {
		const { [input.name]: _past, ...deadlines } = of.deadlines
		draft.case = { ...of, deadlines }
	} else if (input.kind === 'request') {
		draft.case = { ...of, requests: { ...of.requests, [input.name]: (of.requests[input.name] ?? 0) + 1 } }
	} else if (input.kind === 'link') {
		const follows = (l: Case['links'][number]) => l.name === input.name && l.caseId === input.caseId
		draft.case = { ...of, links: of.links.map((l) => (follows(l) ? { ...l, state: input.became } : l)) }
	} else if (input.kind === 'outage') passOver(draft, input)
}

/** The state stays, and the step is told as a move to it, so that other copies of the case follow. */
function passOver(draft: Draft, outage: { readonly from: number; readonly to: number }): void {
	const { state, deadlines: before } = draft.case
	const after = afterOutage(draft.table, before, outage)
	if (after === before) return
	note(draft, state, state)
	reschedule(draft, after)
	if (givesTime(draft.table, before, after)) perform(draft, ['notify', 'extended'], undefined)
}

function moveLines(draft: Draft): void {
	const only = 'line' in draft.input ? draft.input.line : undefined
	for (const line of draft.case.lines) {
		if (only !== undefined && line.id !== only) continue
		const found = pick(draft.table.line.moves, line.state, draft.case, line, draft.input, draft.env)
		if ('move' in found) moveLine(draft, line, found.move)
		else if (found.denied) draft.denied ??= found.denied
	}
}

/** A request for one line is that line's alone; the case follows by its summary. */
function moveCase(draft: Draft): void {
	if ('line' in draft.input && draft.input.line !== undefined) return
	const found = pick(draft.table.case.moves, draft.case.state, draft.case, undefined, draft.input, draft.env)
	if ('move' in found) enter(draft, found.move)
	else if (found.denied) draft.denied ??= found.denied
}

/** Summary moves to a fixed point. `check` proves that they settle; a table that slipped past it must not hang a door. */
function settle(draft: Draft): void {
	const seen = new Set([draft.case.state])
	for (;;) {
		const move = draft.table.case.moves.find((m) => asList(m.from).includes(draft.case.state) && 'lines' in m.on && sums(m.on, draft.case.lines))
		if (!move) return
		enter(draft, move)
		if (seen.has(draft.case.state)) throw new Fault('table-invalid', `The summary of workflow ${draft.table.name} does not settle.`)
		seen.add(draft.case.state)
	}
}

/** Nothing is waited for once a case has ended. */
function closeDeadlines(draft: Draft): void {
	if (draft.table.case.end.includes(draft.case.state)) perform(draft, 'clear-due', undefined)
}

function sums(on: Extract<Trigger, { lines: string }>, lines: readonly Line[]): boolean {
	if (lines.length === 0) return false
	const inside = (line: Line) => on.in.includes(line.state)
	return on.lines === 'all' ? lines.every(inside) : on.lines === 'any' ? lines.some(inside) : !lines.some(inside)
}

const demanded = (move: Move): Evidence => ('act' in move.on ? (move.on.evidence ?? 0) : 0)

/** The first move that fits state and trigger and whose role and guards hold; else the refusal of the first that nearly did. */
function pick(
	moves: readonly Move[],
	state: string,
	of: Case,
	line: Line | undefined,
	input: Input,
	env: Env,
): { move: Move } | { denied?: Refused } {
	let denied: Refused | undefined
	for (const move of moves) {
		if (!asList(move.from).includes(state) || !fits(move.on, input)) continue
		const why = barred(move.on, of, line, input, env)
		if (!why) return { move }
		denied ??= why
	}
	return denied ? { denied } : {}
}

function fits(on: Trigger, input: Input): boolean {
	switch (input.kind) {
		case 'act':
			return 'act' in on && on.act === input.act
		case 'outcome':
			return 'outcome' in on && on.outcome === input.outcome
		case 'deadline':
			return 'deadline' in on && on.deadline === input.name
		case 'request':
			return 'request' in on && on.request === input.name
		case 'link':
			return 'link' in on && on.link === input.name && on.became === input.became
		case 'outage':
			return false
	}
}

function barred(on: Trigger, of: Case, line: Line | undefined, input: Input, env: Env): Refused | undefined {
	if (!('by' in on) || !('by' in input)) return undefined
	if (!on.by.includes(input.by)) return refuse('not-authorised', `${describe(input)} is not for ${input.by}`)
	const rule = failing(on.guards, of, line, input, env.facts)
	return rule && refuse(rule.refusal, `${describe(input)}: ${rule.text}`)
}

/**
 * Too little evidence does not undo what happened: the line still moves (to the move's `unverified` state), is marked,
 * and becomes a task. Custody does not pass and the compartment is not freed (R6, I4): the item may still be there.
 */
function moveLine(draft: Draft, line: Line, move: Move): void {
	const { input } = draft
	const proven = input.kind !== 'act' || input.evidence >= demanded(move)
	const to = proven ? move.to : (move.unverified ?? move.to)
	note(draft, line.state, to, line.id)
	const found = input.kind === 'request' && input.compartment !== undefined ? { compartment: input.compartment } : {}
	write(draft, { ...line, state: to, ...found })
	if (input.kind === 'act') recordAct(draft, line, input, proven)
	for (const effect of move.do ?? []) {
		if (proven || !['custody', 'free'].includes(asList<string>(effect)[0] ?? '')) perform(draft, effect, line.id)
	}
	if (!proven) draft.effects.push({ effect: 'task', case: draft.case.id, line: line.id, about: 'unverified' })
}

function recordAct(draft: Draft, line: Line, input: Extract<Input, { kind: 'act' }>, proven: boolean): void {
	const { unverified: _old, ...now } = lineOf(draft, line.id)
	const asset = line.asset ?? input.item
	write(draft, {
		...now,
		evidence: input.evidence,
		...(asset === undefined ? {} : { asset }),
		...(proven ? {} : { unverified: true as const }),
		...(input.act === 'deposit' ? { compartment: input.compartment } : {}),
	})
	// An item put in here no longer lies where a doubtful collect may have left it.
	const left = line.compartment
	if (input.act === 'deposit' && left !== undefined && left !== input.compartment) {
		draft.effects.push({ effect: proven ? 'free' : 'quarantine', case: draft.case.id, line: line.id, compartment: left })
	}
}

function describe(input: Input): string {
	switch (input.kind) {
		case 'act':
			return input.act
		case 'outcome':
			return `outcome ${input.outcome}`
		case 'link':
			return `link ${input.name} became ${input.became}`
		case 'outage':
			return 'an outage'
		default:
			return `${input.kind} ${input.name}`
	}
}
