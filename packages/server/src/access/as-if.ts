import type { Bundle, PolicyEngine, PolicySet, StorageLevel } from '@latchwork/core/access'
import type { Id, Random } from '@latchwork/core/base'
import type { Proof } from '../people/index.ts'
import type { Db } from '../store/index.ts'

/**
 * What a bank would decide by if it were told everything now. `authority` composes it, which stands to the right of here, so it comes as an argument.
 */
export interface AsIfBank {
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	readonly name: string
	/** Of its controller, by the last word of it; undefined: there is none, or it has not said. */
	readonly storageLevel: StorageLevel | undefined
	/** Under these policies; without credentials, which no decision looks at, and without an end. */
	bundle(sets: readonly PolicySet[]): Bundle
	/** What people have on loan, at all banks together, and which of them are late with something. */
	readonly loans: ReadonlyMap<string, number>
	readonly overdue: ReadonlySet<string>
	/** What can be done at a door, as the bank said last; of one that is shut to everybody, or of which nothing is known, there is nothing. */
	readonly behind: ReadonlyMap<string, Behind>
	/** What people can show there: who has nothing is known to no reader and no keypad. */
	readonly proofs: ReadonlyMap<string, readonly Proof[]>
	/** Who may open doors there by a command of the server. */
	readonly afar: ReadonlySet<string>
	/** Pick-up codes that can be typed or shown there. */
	readonly codes: readonly CodeThere[]
}

export type Behind =
	| { readonly kind: 'asset'; readonly asset: Id<'asset'> }
	/** `pick-up`: it waits for its owner. `pull`: staff are to take it out, as it has run out or was called back. */
	| {
			readonly kind: 'parcel'
			readonly task: 'pick-up' | 'pull'
			readonly workflow: string
			readonly case: Id<'case'>
			readonly owner: Id<'subject'> | undefined
			/** The recipient, masked. */
			readonly hint: string | undefined
	  }
	/** `expects`: workflows of parcels that may be put in. `takesBack`: who has a thing of this bank out, and one that they have. */
	| { readonly kind: 'empty'; readonly expects: readonly string[]; readonly takesBack: ReadonlyMap<string, Id<'asset'>> }

export interface CodeThere {
	readonly id: Id<'credential'>
	readonly case: Id<'case'>
	readonly until: number
	/** For whom in the recipient's place, masked. */
	readonly delegate: string | undefined
}

export interface AsIf {
	/** `only`: these people alone are looked at. */
	banks(db: Db, asked: { readonly banks: readonly Id<'bank'>[]; readonly only?: readonly Id<'subject'>[]; readonly now: number }): Promise<AsIfBank[]>
	/** The codes that a policy may name. */
	names(db: Db): Promise<Names>
	/** What these things are called. */
	called(db: Db, assets: readonly Id<'asset'>[]): Promise<ReadonlyMap<Id<'asset'>, string>>
}

export interface Names {
	readonly groups: readonly string[]
	readonly assetTypes: readonly string[]
	readonly schedules: readonly string[]
}

/** What the routes of this folder work with. */
export interface AccessTerms {
	readonly random: Random
	readonly engine: PolicyEngine
	readonly asIf: AsIf
}
