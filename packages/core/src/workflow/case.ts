import type { Act, Effect, Evidence, LoadedTable, Outcome, Role } from './table.ts'

/** One item on its way. `custodian`: the id of whoever answers for it now, a bank or a subject; never empty, never two. */
export interface Line {
	readonly id: string
	readonly state: string
	readonly asset?: string
	/** Where it lies or may still lie. */
	readonly compartment?: string
	readonly custodian: string
	/** Level of the last act on this line. */
	readonly evidence?: Evidence
	/** The last act was proven less than its move demands: custody did not pass, a person must look. */
	readonly unverified?: true
}

export interface Link {
	readonly name: string
	readonly caseId: string
	readonly state: string
}

/** One run of a workflow: plain JSON, written by `newCase` and `step` only. Times in milliseconds since 1970. */
export interface Case {
	readonly id: string
	readonly workflow: string
	readonly tableHash: string
	/** Rises by one with each accepted step. */
	readonly version: number
	readonly state: string
	readonly owner?: string
	readonly lines: readonly Line[]
	readonly deadlines: Readonly<Record<string, number>>
	/** How often each request was accepted. */
	readonly requests: Readonly<Record<string, number>>
	readonly links: readonly Link[]
}

/** What can happen to a case. `act` and `outcome` report a settled door session; a request that names no line is for the case and every line. */
export type Input =
	| {
			readonly kind: 'act'
			readonly act: Act
			readonly line: string
			readonly by: Role
			readonly subject: string
			readonly evidence: Evidence
			readonly compartment: string
			/** Asset id that was read, when one was. */
			readonly item?: string
	  }
	| { readonly kind: 'outcome'; readonly outcome: Outcome; readonly line: string; readonly compartment: string }
	| { readonly kind: 'deadline'; readonly name: string }
	| {
			readonly kind: 'request'
			readonly name: string
			readonly by: Role
			readonly subject?: string
			readonly line?: string
			/** Where a person found it. */
			readonly compartment?: string
	  }
	| { readonly kind: 'link'; readonly name: string; readonly caseId: string; readonly became: string }
	/** The bank could not serve from then to then (X19); trusted milliseconds since 1970. */
	| { readonly kind: 'outage'; readonly from: number; readonly to: number }

/** What only the outer layer knows, as it was when the decision was made; a door that opened by it is not undone by later news. */
export interface Facts {
	/** `core/access` allows it. */
	readonly entitled: boolean
	/** Items of the wanted kind that are ready to take. */
	readonly stock: number
	readonly freeCompartments: number
	/** The item or the case was called back. */
	readonly recalled: boolean
	readonly spareReturned: boolean
}

export interface Env {
	/** Trusted time, milliseconds since 1970. */
	readonly now: number
	/** The bank where it happens. */
	readonly bank: string
	readonly facts: Facts
	/** Due times that a rule or the site's calendar fixed, by deadline name; wins over the table's `after`. */
	readonly due?: Readonly<Record<string, number>>
}

/** A fact with the transition it made, ready for an event; without `line` it is the case that moved. */
export interface Moved {
	readonly case: string
	readonly line?: string
	readonly from: string
	readonly to: string
	readonly tableHash: string
	readonly version: number
}

/**
 * Effects are names that the outer layer interprets; `about` is the parameter the table gave. `free`: no item of this line
 * is in the compartment (a quarantine on it stays until a person has looked).
 */
export type Effected =
	| { readonly effect: 'custody'; readonly case: string; readonly line: string; readonly from: string; readonly to: string }
	| { readonly effect: 'free' | 'quarantine'; readonly case: string; readonly line: string; readonly compartment: string }
	| { readonly effect: 'set-due'; readonly case: string; readonly deadline: string; readonly dueMs: number }
	| { readonly effect: 'clear-due'; readonly case: string; readonly deadline: string }
	| {
			readonly effect: Exclude<Effect, 'custody' | 'free' | 'quarantine' | 'set-due' | 'clear-due'>
			readonly case: string
			readonly line?: string
			readonly about?: string
	  }

export type RefusalCode =
	| 'wrong-table'
	| 'unknown-line'
	| 'unknown-link'
	| 'wrong-compartment'
	| 'not-due'
	| 'not-possible'
	| 'not-authorised'
	| 'policy-denied'
	| 'nothing-available'
	| 'bank-full'
	| 'item-mismatch'
	| 'spare-not-returned'
	| 'recalled'
	| 'nobody-to-hold'

export interface Refused {
	readonly refused: RefusalCode
	/** For a log or a developer; people see words made from the code. */
	readonly text: string
}

export interface Stepped {
	readonly case: Case
	readonly effects: readonly Effected[]
	readonly moves: readonly Moved[]
}

export interface CaseStart {
	readonly id: string
	readonly owner?: string
	readonly lines: readonly { readonly id: string; readonly asset?: string; readonly compartment?: string; readonly custodian: string }[]
	readonly links?: readonly Link[]
}

/** A case in its start state, version 1. Shape only: the first request (`allot`) is what asks the guards. */
export function newCase(table: LoadedTable, start: CaseStart): Case {
	return {
		id: start.id,
		workflow: table.name,
		tableHash: table.hash,
		version: 1,
		state: table.case.start,
		...(start.owner === undefined ? {} : { owner: start.owner }),
		lines: start.lines.map((line) => ({ ...line, state: table.line.start })),
		deadlines: {},
		requests: {},
		links: start.links ?? [],
	}
}
