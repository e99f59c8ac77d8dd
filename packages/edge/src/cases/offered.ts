import type { OfferedCase } from '@latchwork/core/access'
import { type Case, type Line, type LoadedTable, statesOf } from '@latchwork/core/workflow'

/** What a bundle last said of a case, and at which version of it. It outlives the case, so that an old row does not begin it anew. */
export interface Offer {
	readonly row: OfferedCase
	readonly version: number
	/** The case has ended here, in this state. */
	readonly end?: string
}

/** What is done about a row: the case and the note to keep, each only if it changes. */
export interface Taken {
	readonly offer?: Offer
	readonly case?: Case
}

/**
 * One row of the bundle against what is known here (architecture.md §3, one writer a fact). The server writes a case as long as
 * nothing of it has happened here; from then on the case is ours, whatever a row says of its state.
 */
export function takeRow(row: OfferedCase, table: LoadedTable, known: { readonly offer?: Offer; readonly case?: Case }): Taken {
	const { offer, case: of } = known
	if (!understood(row, table)) return {}
	const same = offer !== undefined && JSON.stringify(offer.row) === JSON.stringify(row)
	const fresh = of ? isTheirs(of, offer, table) && row.version > of.version : offer === undefined
	// An order that ended before anything of it came is nobody's business here.
	if (fresh && table.case.end.includes(row.state)) return { offer: { row, version: row.version, end: row.state } }
	if (fresh) return { offer: { row, version: row.version }, case: caseOf(row) }
	return same || !offer ? {} : { offer: { ...offer, row } }
}

/** Nothing has happened here yet, so the server is the one to say what it is. */
export const isTheirs = (of: Case, offer: Offer | undefined, table: LoadedTable): boolean =>
	offer !== undefined && of.version === offer.version && of.lines.every((line) => line.state === table.line.start)

/** Nothing of it lies here or may lie here: a door may have been opened for it, and nothing was put in. */
export function nothingHere(of: Case, { line, visit }: LoadedTable): boolean {
	const awaited = [line.start, ...(visit?.['drop-off'] ?? []).map((step) => step.line)]
	return of.lines.every(({ state }) => awaited.includes(state) || line.end.includes(state))
}

/** A state that the table does not know could never be left. */
function understood({ state, lines }: OfferedCase, table: LoadedTable): boolean {
	const known = statesOf(table)
	return known.case.has(state) && lines.every((line) => known.line.has(line.state))
}

function caseOf(row: OfferedCase): Case {
	const { id, workflow, tableHash, version, state, owner } = row
	const lines = row.lines.map(
		({ id: lineId, state: at, asset, compartment, custodian, evidence, unverified }): Line => ({
			id: lineId,
			state: at,
			custodian,
			...(asset && { asset }),
			...(compartment && { compartment }),
			...(evidence !== undefined && { evidence }),
			...(unverified && { unverified }),
		}),
	)
	return {
		id,
		workflow,
		tableHash,
		version,
		state,
		...(owner && { owner }),
		lines,
		deadlines: row.deadlines ?? {},
		requests: row.requests ?? {},
		links: row.links ?? [],
	}
}
