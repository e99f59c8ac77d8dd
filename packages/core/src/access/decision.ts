import type { Id } from '../base/index.ts'
import type { DenyReason } from '../wire/index.ts'
import type { Assurance } from './bundle-schema.ts'
import type { Lease } from './lease.ts'

/** How a person proved who they are. `badge-and-pin`: both, for the same person (`strengthen`). `remote`: signed in at the server, not at the bank. */
export type Method = 'badge' | 'pin' | 'code' | 'badge-and-pin' | 'remote'

/** What a person may want to do; the actions of the policy schema. `open-remote` and `service` are acts of staff. */
export type AccessAction = 'collect' | 'deposit' | 'open-remote' | 'service'

/** How well a controller keeps the key of its site (trust.md §3.3): in a file, in memory alone, sealed by a chip, sealed and wiped by a tamper switch. */
export type StorageLevel = 0 | 1 | 2 | 3

/** On what. `bank`: may this person use the bank for this at all, before a compartment or an item is known. */
export type AccessResource =
	| { readonly kind: 'asset'; readonly id: Id<'asset'> }
	| { readonly kind: 'compartment'; readonly id: Id<'compartment'> }
	| { readonly kind: 'bank' }

export interface AccessRequest {
	/** Minted by the caller once and kept on retry. */
	readonly decision: Id<'decision'>
	readonly subject: Id<'subject'>
	/** The credential's id, the one-time code's `jti`, or the id of the server's command. */
	readonly credential: string
	readonly method: Method
	readonly assurance: Assurance
	readonly action: AccessAction
	readonly resource: AccessResource
	/** Name of the workflow table, e.g. 'loan'; 'none' where no case is involved. */
	readonly workflow: string
	/** No live link to the server while deciding. */
	readonly offline: boolean
	/** Of the controller that decides. */
	readonly storageLevel: StorageLevel
	/** What this person has out now: the count that came with the bundle plus what happened here since. */
	readonly openLoans: number
	/** One of these is past its due time. */
	readonly overdue: boolean
	/** True when the compartment that the item would go into is known to be empty; makes a deposit a walk-up return. */
	readonly intoEmptyCompartment: boolean
	/** It waits here for this person: they own its case or showed its code. Until the bundle itself expires only a rule can keep it from them. */
	readonly own?: true
}

/** Trusted time (`trustedNow`) and the newest lease, at the moment of deciding. */
export interface Moment {
	readonly now: number
	readonly uncertain: boolean
	readonly lease?: Lease
}

/** What goes into the ledger with every allow and deny: who decided, by which rules, on what. */
export interface DecisionRecord {
	readonly id: Id<'decision'>
	readonly effect: 'allow' | 'deny'
	readonly reason?: DenyReason
	readonly policyVersion: number
	readonly bundleVersion: number
	/** Ids of the determining policies, or of the built-in rule (`builtin/…`). */
	readonly rules: readonly string[]
	/** Hex SHA-256 over the canonical inputs, so that a replay can prove that it decided on the same ones. */
	readonly inputsDigest: string
	readonly method: Method
	readonly assurance: Assurance
	readonly offline: boolean
	readonly storageLevel: StorageLevel
	readonly stale: boolean
	/** What was asked, so that other policies can be tried on it later: the rest of it are who and when, which the event says. */
	readonly action: AccessAction
	readonly asset?: Id<'asset'>
	readonly compartment?: Id<'compartment'>
	readonly workflow: string
	readonly openLoans: number
	readonly overdue: boolean
	readonly own?: true
	readonly intoEmptyCompartment?: true
}

/** The right to do one thing until `notAfter` (trusted milliseconds); the door session carries it. */
export interface Grant {
	readonly decision: Id<'decision'>
	readonly subject: Id<'subject'>
	readonly action: AccessAction
	readonly resource: AccessResource
	readonly notAfter: number
	/** A return that no expired authority can refuse (trust.md §3.7). */
	readonly walkUpReturn: boolean
}

export type AccessDecision =
	| { readonly effect: 'allow'; readonly grant: Grant; readonly decision: DecisionRecord }
	/** `until`: from then on (trusted milliseconds) this reason is gone, as far as it is known. */
	| { readonly effect: 'deny'; readonly reason: DenyReason; readonly until?: number; readonly decision: DecisionRecord }
