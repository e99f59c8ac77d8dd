import { Fault } from '../base/index.ts'
import type { Case, Effected, Env, Input, Line, Moved, RefusalCode, Refused } from './case.ts'
import { clearDeadline, setDeadline } from './deadline.ts'
import type { Do, LoadedTable, Move } from './table.ts'

/** The one mutable thing: a draft of the case under way, thrown away when the step is refused. */
export interface Draft {
	readonly table: LoadedTable
	readonly input: Input
	readonly env: Env
	case: Case
	readonly effects: Effected[]
	readonly moves: Moved[]
	/** Why a move that fits the state was not taken. */
	denied?: Refused
	/** A move was taken that cannot be carried out. */
	broken?: Refused
}

export const refuse = (refused: RefusalCode, text: string): Refused => ({ refused, text })

export function enter(run: Draft, move: Move): void {
	note(run, run.case.state, move.to)
	run.case = { ...run.case, state: move.to }
	for (const effect of move.do ?? []) perform(run, effect, undefined)
}

export function perform(run: Draft, effect: Do, lineId: string | undefined): void {
	const [name, about] = typeof effect === 'string' ? [effect, undefined] : effect
	const id = { case: run.case.id, ...(lineId === undefined ? {} : { line: lineId }) }
	switch (name) {
		case 'custody':
			if (lineId !== undefined) passCustody(run, lineOf(run, lineId), about)
			return
		case 'free':
		case 'quarantine':
			if (lineId !== undefined) releaseSpace(run, lineOf(run, lineId), name)
			return
		case 'set-due':
			reschedule(run, setDeadline(run.table, run.case.deadlines, about ?? '', run.env))
			return
		case 'clear-due':
			reschedule(run, clearDeadline(run.table, run.case.deadlines, about))
			return
		default:
			run.effects.push({ effect: name, ...id, ...(about === undefined ? {} : { about }) })
	}
}

/** One holder hands over to the next: the chain has no gap and no fork (I6). Passing custody settles a doubt about the line. */
function passCustody(run: Draft, { unverified: _settled, ...line }: Line, hands: string | undefined): void {
	const { input, env } = run
	const actor = 'subject' in input ? input.subject : undefined
	const to = hands === 'bank' ? env.bank : hands === 'owner' ? run.case.owner : actor
	if (to === undefined) {
		run.broken ??= refuse('nobody-to-hold', `custody of line ${line.id} would pass to nobody`)
		return
	}
	write(run, { ...line, custodian: to })
	if (to !== line.custodian) run.effects.push({ effect: 'custody', case: run.case.id, line: line.id, from: line.custodian, to })
}

function releaseSpace(run: Draft, line: Line, effect: 'free' | 'quarantine'): void {
	const { input } = run
	const compartment = effect === 'quarantine' && 'compartment' in input ? input.compartment : line.compartment
	if (compartment === undefined) return
	run.effects.push({ effect, case: run.case.id, line: line.id, compartment })
	if (effect === 'quarantine') return
	const { compartment: _freed, ...rest } = line
	write(run, rest)
}

function reschedule(run: Draft, deadlines: Record<string, number>): void {
	const before = run.case.deadlines
	run.case = { ...run.case, deadlines }
	for (const name of Object.keys(before)) {
		if (deadlines[name] === undefined) run.effects.push({ effect: 'clear-due', case: run.case.id, deadline: name })
	}
	for (const [name, dueMs] of Object.entries(deadlines)) {
		if (before[name] !== dueMs) run.effects.push({ effect: 'set-due', case: run.case.id, deadline: name, dueMs })
	}
}

export function note(run: Draft, from: string, to: string, line?: string): void {
	const { id, tableHash, version } = run.case
	run.moves.push({ case: id, ...(line === undefined ? {} : { line }), from, to, tableHash, version })
}

export function lineOf(run: Draft, id: string): Line {
	const line = run.case.lines.find((l) => l.id === id)
	if (!line) throw new Fault('table-invalid', `Case ${run.case.id} lost its line ${id}.`)
	return line
}

export function write(run: Draft, line: Line): void {
	run.case = { ...run.case, lines: run.case.lines.map((l) => (l.id === line.id ? line : l)) }
}
