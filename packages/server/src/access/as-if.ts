import type { Bundle, PolicyEngine, PolicySet } from '@latchwork/core/access'
import type { Id, Random } from '@latchwork/core/base'
import type { Db } from '../store/index.ts'

/**
 * What a bank would decide by if it were told everything now. `authority` composes it, which stands to the right of here, so it comes as an argument.
 */
export interface AsIfBank {
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	readonly name: string
	/** Under these policies; without credentials, which no decision looks at, and without an end. */
	bundle(sets: readonly PolicySet[]): Bundle
	/** What people have on loan, at all banks together, and which of them are late with something. */
	readonly loans: ReadonlyMap<string, number>
	readonly overdue: ReadonlySet<string>
	/** Which asset lies behind a door, as the bank said last; a parcel is none. */
	readonly inside: ReadonlyMap<string, Id<'asset'>>
	/** Whom something waits for behind a door. */
	readonly waiting: ReadonlyMap<string, Id<'subject'>>
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
