import { canonicalBytes, toHex } from '../base/index.ts'

/**
 * A workflow is a data table: plain JSON with a hash, over two physical acts (*deposit*, *collect*) on *lines* (one item,
 * one compartment); the *case* sums up lines, deadlines, requests and links. Guards and effects are closed lists in code,
 * so a table from a bundle can name what may happen but never bring code along.
 */
export const GUARDS = ['entitled', 'owner', 'stock', 'capacity', 'item-matches', 'spare-returned', 'not-recalled'] as const
export type Guard = (typeof GUARDS)[number]

export const EFFECTS = [
	'custody',
	'free',
	'set-due',
	'clear-due',
	'issue-code',
	'revoke-code',
	'notify',
	'ticket',
	'task',
	'quarantine',
	'open-link',
	'settle-link',
] as const
export type Effect = (typeof EFFECTS)[number]

/** Who acts or asks: a person with a case of their own, staff of the bank's owner, a carrier's person, or Latchwork itself. */
export const ROLES = ['user', 'staff', 'courier', 'system'] as const
export type Role = (typeof ROLES)[number]

/** E0 stated by the person · E1 pulse acknowledged · E2 door edge open→close · E3 E2 + content changed · E4 E3 + item identified. */
export type Evidence = 0 | 1 | 2 | 3 | 4
export const ACTS = ['deposit', 'collect'] as const
export type Act = (typeof ACTS)[number]
/** What a door session found instead of a proven act. */
export const OUTCOMES = ['missing', 'wrong-item', 'not-inserted', 'not-taken', 'ambiguous'] as const
export type Outcome = (typeof OUTCOMES)[number]
/** Whose hands `custody` passes to: who acted, the owner of the case, or the bank where it happened. */
export const HANDS = ['actor', 'owner', 'bank'] as const

/** `act` is the only trigger that moves a door. `lines` belongs to the case alone, `act` and `outcome` to lines alone. */
export type Trigger<L extends string = string> =
	| { readonly act: Act; readonly by: readonly Role[]; readonly guards?: readonly Guard[]; readonly evidence?: Evidence }
	| { readonly outcome: Outcome }
	| { readonly deadline: string }
	| { readonly request: string; readonly by: readonly Role[]; readonly guards?: readonly Guard[] }
	| { readonly link: string; readonly became: string }
	| { readonly lines: 'all' | 'any' | 'none-left'; readonly in: readonly L[] }

/** An effect with the parameter it needs: a deadline, a link, whose hands, or the topic of a notice, task or ticket. */
export type Do = Effect | readonly [Effect, string]

/**
 * Moves are tried in the order they are written; the first whose trigger and guards hold is taken.
 * `unverified`: where an act with too little evidence leads (default `to`); such a line is marked and becomes a task.
 */
export interface Move<S extends string = string, L extends string = string> {
	readonly from: S | readonly S[]
	readonly on: Trigger<L>
	readonly to: S
	readonly unverified?: S
	readonly do?: readonly Do[]
}

/**
 * `after`: an ISO 8601 duration (`PT5M`, `P1D`) from the moment the deadline is set, or from another deadline (`due-PT1H`,
 * `due+PT15M`). `calendar: 'site'`: the caller counts it on the site's calendar and hands the time in (`Env.due`).
 */
export interface Deadline {
	readonly after: string
	readonly calendar?: 'site'
	readonly movesWithOutage?: boolean
}

/** One door of a visit: `of` names the link whose case it belongs to; `skippable`: the person may pass over it; `together`: may be open with the step before (R8). */
export interface VisitStep<L extends string = string> {
	readonly act: Act
	readonly line: L
	readonly of?: string
	readonly skippable?: boolean
	readonly together?: boolean
}

/** `held`: the line states in which the item lies in a compartment. Case states `C`, line states `L`. */
export interface Table<C extends string = string, L extends string = string> {
	readonly name: string
	readonly version: number
	readonly line: { readonly start: L; readonly end: readonly L[]; readonly held: readonly L[]; readonly moves: readonly Move<L, L>[] }
	readonly case: { readonly start: C; readonly end: readonly C[]; readonly moves: readonly Move<C, L>[] }
	readonly deadlines?: Readonly<Record<string, Deadline>>
	readonly links?: Readonly<Record<string, { readonly workflow: string; readonly cardinality: '0..1' | '0..n' }>>
	readonly visit?: Readonly<Record<string, readonly VisitStep<L>[]>>
}

/** A table that passed `check`, with its hash: the only kind that `step` takes. */
export type LoadedTable<C extends string = string, L extends string = string> = Table<C, L> & { readonly hash: string }

export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** Hex SHA-256 of the table's canonical JSON. A case keeps the hash it began with. */
export const tableHash = (table: Table, sha256: Sha256): string => toHex(sha256(canonicalBytes(table)))

export const asList = <T extends string>(value: T | readonly T[]): readonly T[] => (typeof value === 'string' ? [value] : value)
