import { z } from 'zod'
import { check } from './check.ts'
import { ACTS, type LoadedTable, OUTCOMES, ROLES, type Sha256, type Table, tableHash } from './table.ts'

/** Names become keys of plain objects, so the names that every object already has are not free. */
const name = z
	.string()
	.regex(/^[a-z][a-z0-9-]{0,59}$/)
	.refine((text) => !(text in {}))
const state = name
/** Guards and effects are plain names here: a newer table may know more of them than this edge, and `check` says which. */
const known = name
const by = z.array(z.enum(ROLES)).min(1)

const trigger = z.union([
	z.strictObject({
		act: z.enum(ACTS),
		by,
		guards: z.array(known).exactOptional(),
		evidence: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).exactOptional(),
	}),
	z.strictObject({ outcome: z.enum(OUTCOMES) }),
	z.strictObject({ deadline: name }),
	z.strictObject({ request: name, by, guards: z.array(known).exactOptional() }),
	z.strictObject({ link: name, became: name }),
	z.strictObject({ lines: z.enum(['all', 'any', 'none-left']), in: z.array(state).min(1) }),
])
const moves = z.array(
	z.strictObject({
		from: z.union([state, z.array(state).min(1)]),
		on: trigger,
		to: state,
		unverified: state.exactOptional(),
		do: z.array(z.union([known, z.tuple([known, name])])).exactOptional(),
	}),
)
const visitStep = z.strictObject({
	act: z.enum(ACTS),
	line: state,
	of: name.exactOptional(),
	skippable: z.boolean().exactOptional(),
	together: z.boolean().exactOptional(),
})

/** A table as it comes in a bundle. Shape only; `check` proves that it makes sense. */
export const tableSchema = z.strictObject({
	name,
	version: z.int().positive(),
	line: z.strictObject({ start: state, end: z.array(state).min(1), held: z.array(state), moves }),
	case: z.strictObject({ start: state, end: z.array(state).min(1), moves }),
	deadlines: z
		.record(
			name,
			z.strictObject({ after: z.string().max(80), calendar: z.literal('site').exactOptional(), movesWithOutage: z.boolean().exactOptional() }),
		)
		.exactOptional(),
	links: z.record(name, z.strictObject({ workflow: name, cardinality: z.enum(['0..1', '0..n']) })).exactOptional(),
	visit: z.record(name, z.array(visitStep).min(1)).exactOptional(),
})

/**
 * Reads, proves and hashes a table. Problems are a value: such a workflow is shown as not available here, others go on.
 * `proven`: this very table passed before, by these rules.
 */
export function loadTable(value: unknown, sha256: Sha256, proven = false): { table: LoadedTable } | { problems: string[] } {
	const read = tableSchema.safeParse(value)
	if (!read.success) return { problems: read.error.issues.map((issue) => `${issue.path.join('.') || 'table'}: ${issue.message}`) }
	// The schema leaves guard and effect names open; `check` refuses every name outside the closed lists.
	const table = read.data as Table
	const problems = proven ? [] : check(table)
	return problems.length > 0 ? { problems } : { table: { ...table, hash: tableHash(table, sha256) } }
}
