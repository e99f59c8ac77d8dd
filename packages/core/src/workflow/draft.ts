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

export function enter(draft: Draft, move: Move): void {
	note(draft, draft.case.state, move.to)
	draft.case = { ...draft.case, state: move.to }
	for (const effect of move.do ?? []) perform(draft, effect, undefined)
}

export function perform(draft: Draft, effect: Do, lineId: string | undefined): void {
	const [name, about] = typeof effect === 'string' ? [effect, undefined] : effect
	const id = { case: draft.case.id, ...(lineId === undefined ? {} : { line: lineId }) }
	switch (name) {
		case 'custody':
			if (lineId !== undefined) passCustody(draft, lineOf(draft, lineId), about)
			return
		case 'free':
		case 'quarantine':
			if (lineId !== undefined) releaseSpace(draft, lineOf(draft, lineId), name)
			return
		case 'set-due':
			reschedule(draft, setDeadline(draft.table, draft.case.deadlines, about ?? '', draft.env))
			return
		case 'clear-due':
			reschedule(draft, clearDeadline(draft.table, draft.case.deadlines, about))
			return
		default:
			draft.effects.push({ effect: name, ...id, ...(about === undefined ? {} : { about }) })
	}
}

/** One holder hands over to the next: the chain has no gap and no fork (I6). Passing custody settles a doubt about the line. */
function passCustody(draft: Draft, { unverified: _settled, ...line }: Line, hands: string | undefined): void {
	const { input, env } = draft
	const actor = 'subject' in input ? input.subject : undefined
	const to = hands === 'bank' ? env.bank : hands === 'owner' ? draft.case.owner : actor
	if (to === undefined) {
		draft.broken ??= refuse('nobody-to-hold', `custody of line ${line.id} would pass to nobody`)
		return
	}
	write(draft, { ...line, custodian: to })
	if (to !== line.custodian) draft.effects.push({ effect: 'custody', case: draft.case.id, line: line.id, from: line.custodian, to })
}

function releaseSpace(draft: Draft, line: Line, effect: 'free' | 'quarantine'): void {
	const { input } = draft
	const compartment = effect === 'quarantine' && 'compartment' in input ? input.compartment : line.compartment
	if (compartment === undefined) return
	draft.effects.push({ effect, case: draft.case.id, line: line.id, compartment })
	if (effect === 'quarantine') return
	const { compartment: _freed, ...rest } = line
	write(draft, rest)
}

export function reschedule(draft: Draft, deadlines: Record<string, number>): void {
	const { id, deadlines: before } = draft.case
	draft.case = { ...draft.case, deadlines }
	// By name: the order of an object's keys does not survive canonical JSON, and every replay must tell the same story.
	const names = [...new Set([...Object.keys(before), ...Object.keys(deadlines)])].sort()
	for (const deadline of names) {
		const dueMs = deadlines[deadline]
		if (dueMs === undefined) draft.effects.push({ effect: 'clear-due', case: id, deadline })
		else if (dueMs !== before[deadline]) draft.effects.push({ effect: 'set-due', case: id, deadline, dueMs })
	}
}

export function note(draft: Draft, from: string, to: string, line?: string): void {
	const { id, tableHash, version } = draft.case
	draft.moves.push({ case: id, ...(line === undefined ? {} : { line }), from, to, tableHash, version })
}

export function lineOf(draft: Draft, id: string): Line {
	const line = draft.case.lines.find((l) => l.id === id)
	if (!line) throw new Fault('table-invalid', `Case ${draft.case.id} lost its line ${id}.`)
	return line
}

export function write(draft: Draft, line: Line): void {
	draft.case = { ...draft.case, lines: draft.case.lines.map((l) => (l.id === line.id ? line : l)) }
}
