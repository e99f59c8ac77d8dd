import { z } from 'zod'
import { canonical, type Json } from '../base/index.ts'
import type { Case, Env, Facts, Input, Moved, Stepped } from './case.ts'
import { step } from './step.ts'
import { ACTS, type LoadedTable, OUTCOMES, ROLES } from './table.ts'

/** What the guards of an act that is over may rely on: the decision was made before the door opened. */
export const FINISHED: Facts = { entitled: true, stock: 1, freeCompartments: 1, recalled: false, spareReturned: false }

/** What one step was made of, apart from the case: enough to make it again elsewhere. */
export interface Told {
	readonly input: Input
	readonly env: Env
}

/** One step of a case as a controller recorded it. */
export interface Recorded extends Told {
	readonly moves: readonly Moved[]
}

type Data = { readonly [key: string]: Json }

/**
 * The payloads of the `case.moved` events of one step, in order. The first carries what the step was made of (`step`), so that
 * another copy of the case can be led the same way; facts are written only where they are not those of a finished act.
 */
export function movedData({ moves }: Stepped, { input, env }: Told): Data[] {
	const facts = canonical(env.facts) === canonical(FINISHED) ? {} : { facts: { ...env.facts } }
	const made = { ...input, now: env.now, ...facts, ...(env.due && { due: { ...env.due } }) }
	return moves.map(
		({ line, from, to, tableHash, version }, i): Data => ({
			...(line !== undefined && { line }),
			from,
			to,
			tableHash,
			version,
			...(i === 0 && { step: made }),
		}),
	)
}

const millis = z.int().nonnegative()
const text = z.string().min(1).max(200)
const factsSchema = z.strictObject({
	entitled: z.boolean(),
	stock: z.int().nonnegative(),
	freeCompartments: z.int().nonnegative(),
	recalled: z.boolean(),
	spareReturned: z.boolean(),
})
const around = { now: millis, facts: factsSchema.exactOptional(), due: z.record(text, millis).exactOptional() }
const stepSchema = z.discriminatedUnion('kind', [
	z.strictObject({
		kind: z.literal('act'),
		act: z.enum(ACTS),
		line: text,
		by: z.enum(ROLES),
		subject: text,
		evidence: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
		compartment: text,
		item: text.exactOptional(),
		...around,
	}),
	z.strictObject({ kind: z.literal('outcome'), outcome: z.enum(OUTCOMES), line: text, compartment: text, ...around }),
	z.strictObject({ kind: z.literal('deadline'), name: text, ...around }),
	z.strictObject({
		kind: z.literal('request'),
		name: text,
		by: z.enum(ROLES),
		subject: text.exactOptional(),
		line: text.exactOptional(),
		compartment: text.exactOptional(),
		...around,
	}),
	z.strictObject({ kind: z.literal('link'), name: text, caseId: text, became: text, ...around }),
	z.strictObject({ kind: z.literal('outage'), from: millis, to: millis, ...around }),
])
const movedSchema = z.strictObject({
	line: text.exactOptional(),
	from: text,
	to: text,
	tableHash: text,
	version: z.int().positive(),
	step: stepSchema.exactOptional(),
})

export interface MovedEvent {
	/** The case. */
	readonly subject: string
	readonly bank: string
	readonly data: unknown
}

/**
 * The steps that a run of `case.moved` events of one or several cases tells, in order; `unreadable` is the index of the first
 * event that no controller of this version writes.
 */
export function recordedSteps(events: readonly MovedEvent[]): { readonly steps: readonly Recorded[]; readonly unreadable?: number } {
	const steps: (Recorded & { moves: Moved[] })[] = []
	for (const [index, event] of events.entries()) {
		const read = movedSchema.safeParse(event.data)
		if (!read.success) return { steps, unreadable: index }
		const { step: made, ...move } = read.data
		const moved: Moved = { case: event.subject, ...move }
		const last = steps.at(-1)
		if (made) {
			const { now, facts = FINISHED, due, ...input } = made
			steps.push({ input: input as Input, env: { now, bank: event.bank, facts, ...(due && { due }) }, moves: [moved] })
		} else if (last && last.moves[0]?.case === moved.case && last.moves[0].version === moved.version) last.moves.push(moved)
		else return { steps, unreadable: index }
	}
	return { steps }
}

/**
 * `known`: this copy is already past that version, so the step came before. `gap`: steps in between are missing. `other-case`, `other-table`: not
 * about this case. `refused`: the reducer does not allow it from here. `other-moves`: it leads elsewhere than was recorded.
 */
export type Conflict = 'known' | 'gap' | 'other-case' | 'other-table' | 'refused' | 'other-moves'
export type Replayed = { readonly applied: Stepped } | { readonly conflict: Conflict; readonly text: string }

/**
 * One recorded step on another copy of the case (architecture.md §3, one writer a fact): the same reducer is run and must tell the same
 * story. A conflict changes nothing; what happened at the door stands, and a person or a rule decides about the case (X10).
 */
export function replay(table: LoadedTable, before: Case, { input, env, moves }: Recorded): Replayed {
	const [first] = moves
	if (!first || first.case !== before.id) return conflict('other-case', `the step is not about case ${before.id}`)
	if (first.tableHash !== table.hash || before.tableHash !== table.hash)
		return conflict('other-table', `case ${before.id} follows table ${before.tableHash}, the step ${first.tableHash}`)
	if (first.version <= before.version)
		return conflict('known', `case ${before.id} is at version ${before.version}, the step leads to ${first.version}`)
	if (first.version > before.version + 1)
		return conflict('gap', `case ${before.id} is at version ${before.version}, the step leads to ${first.version}`)
	const stepped = step(table, before, input, env)
	if ('refused' in stepped) return conflict('refused', `${stepped.refused}: ${stepped.text}`)
	if (canonical(stepped.moves) !== canonical(moves))
		return conflict('other-moves', `case ${before.id} would move ${spell(stepped.moves)}, not ${spell(moves)}`)
	return { applied: stepped }
}

const conflict = (why: Conflict, told: string): Replayed => ({ conflict: why, text: told })
const spell = (moves: readonly Moved[]): string => moves.map(({ line, from, to }) => `${line ?? 'case'} ${from} → ${to}`).join(', ') || 'nothing'
