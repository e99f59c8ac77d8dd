import type { Case, Line } from './case.ts'
import { FINISHED } from './replay.ts'
import { offers } from './step.ts'
import type { LoadedTable } from './table.ts'

/**
 * Whether this person has what the line is about. `has`: by the record, or taken unproven, so that by all appearances they have it and must be able
 * to bring it back; it counts against the loan limit. `may-have`: nobody can prove it; bringing it back settles that, and it counts against nobody.
 */
export function possession(table: LoadedTable | undefined, of: Case, line: Line, subject: string): 'has' | 'may-have' | undefined {
	if (line.asset === undefined) return undefined
	if (line.custodian === subject) return 'has'
	if (of.owner !== subject || !table || !mayComeBack(table, of, line)) return undefined
	return line.state === 'in-doubt' ? 'may-have' : 'has'
}

/** The table knows this line as something that its owner may put back now. Whether it may be put back does not depend on where, when and what else. */
function mayComeBack(table: LoadedTable, of: Case, { id }: Line): boolean {
	const env = { now: 0, bank: '', facts: FINISHED }
	return offers(table, of, { by: 'user', subject: of.owner ?? '' }, env).some((o) => o.line === id && o.act === 'deposit' && o.refused === undefined)
}
