import type { OfferedCase, PickUp } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { DenyReason } from '@latchwork/core/wire'
import type { Case, Line, LoadedTable } from '@latchwork/core/workflow'
import type { Offer } from './offered.ts'

/** What is to be done with a parcel: staff put it in, its recipient takes it, staff take out what has run out or was called back. */
export type Task = 'drop-off' | 'pick-up' | 'pull'
const TASKS: readonly Task[] = ['drop-off', 'pick-up', 'pull']

/** One line of an order that this bank knows of. The door reducer knows the thing itself by the line's id. */
export interface Parcel {
	readonly caseId: Id<'case'>
	readonly lineId: Id<'line'>
	readonly workflow: string
	/** What can be done with it now. */
	readonly task?: Task
	readonly state: string
	readonly owner?: string
	/** Of the order, and what tells this parcel from the others of it. */
	readonly label: string
	readonly part?: string
	/** As a scanner reads it. */
	readonly tag?: string
	readonly hint?: string
	readonly size?: 'S' | 'M' | 'L' | 'XL'
	readonly accessible: boolean
	readonly reserved?: Id<'compartment'>
	/** Where it lies. */
	readonly compartment?: Id<'compartment'>
}

/** `row` says what is to be seen of it, the case what has become of it. What was called back before it came is not expected any more. */
export function parcelOf(of: Case, line: Line, table: LoadedTable, row: OfferedCase): Parcel {
	const about = row.lines.find((l) => l.id === line.id)
	const task = TASKS.find((name) => table.visit?.[name]?.some((step) => step.line === line.state))
	const { label: part, tag, size, accessible, reserved } = about ?? {}
	return {
		caseId: row.id,
		lineId: line.id as Id<'line'>,
		workflow: of.workflow,
		...(task && !(row.recalled && task !== 'pull') && { task }),
		state: line.state,
		...(of.owner && { owner: of.owner }),
		label: row.label,
		...(part && { part }),
		...(tag && { tag }),
		...(row.hint && { hint: row.hint }),
		...(size && { size }),
		accessible: accessible === true,
		...(reserved && { reserved }),
		...(line.compartment && { compartment: line.compartment as Id<'compartment'> }),
	}
}

/** What a person is told whose code is right and whose parcel cannot be had, by where the parcel is; the foremost first. */
const WHY: readonly (readonly [states: readonly string[], reason: DenyReason])[] = [
	[['recalled', 'cancelled'], 'credential-revoked'],
	[['expired', 'pulled'], 'code-expired'],
	[['expected', 'not-deposited'], 'not-ready'],
	[['collected', 'collected-unverified'], 'code-used'],
]
/** The same for an order that has ended here and is not kept any more. */
const ENDED: Readonly<Record<string, DenyReason>> = { collected: 'code-used', removed: 'code-expired', cancelled: 'credential-revoked' }

/** Why this code opens nothing here now. */
export function whyNot({ lines }: PickUp, of: Case | undefined, offer: Offer | undefined): DenyReason | undefined {
	if (!of) return (offer?.end !== undefined && ENDED[offer.end]) || 'compartment-unavailable'
	if (offer?.row.recalled) return 'credential-revoked'
	const states = of.lines.filter((line) => !lines || lines.some((id) => id === line.id)).map((line) => line.state)
	if (states.includes('deposited')) return undefined
	return WHY.find(([some]) => states.some((state) => some.includes(state)))?.[1] ?? 'compartment-unavailable'
}
