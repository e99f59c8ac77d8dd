import { type Id, isId } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { findCompartment, placeOf } from '../estate/index.ts'
import type { Applied } from '../ledger/index.ts'
import type { Db, Tx } from '../store/index.ts'
import { bankOfCase } from './case-read.ts'
import { openTask, type TaskTerms } from './task-write.ts'

/** A thing that a bank's record speaks of, and the bank whose it is. */
export type SpokenOf = { readonly bank: Id<'bank'> } & (
	| { readonly case: Id<'case'> }
	| { readonly compartment: Id<'compartment'> }
	| { readonly asset: Id<'asset'> }
)

/** Undefined: no case and no compartment, or one that is not known here. */
export async function spokenOf(db: Db, id: unknown): Promise<Exclude<SpokenOf, { readonly asset: unknown }> | undefined> {
	if (isId('case', id)) {
		const bank = await bankOfCase(db, id)
		return bank && { bank, case: id }
	}
	const compartment = isId('compartment', id) ? await findCompartment(db, id) : undefined
	return compartment && { bank: compartment.bank, compartment: compartment.id }
}

/** The case or compartment as a task of this bank names it; nothing where it is another bank's. */
export async function ownOf(
	db: Db,
	bank: Id<'bank'>,
	id: unknown,
): Promise<{ readonly case?: Id<'case'>; readonly compartment?: Id<'compartment'> }> {
	const of = await spokenOf(db, id)
	if (of && of.bank !== bank) return {}
	return isId('case', id) ? { case: id } : isId('compartment', id) ? { compartment: id } : {}
}

/**
 * A controller is believed about its own bank alone, also where one organisation has many: a case, a compartment and a thing have one bank that
 * writes of them (architecture.md §3). What another records of them stays on record and changes nothing; people at both banks are told.
 */
export async function believed(
	tx: Tx,
	{ bank, stream, seq, type }: StreamEvent,
	{ bank: whose, ...thing }: SpokenOf,
	{ site }: Pick<Applied, 'site'>,
	terms: TaskTerms,
): Promise<boolean> {
	if (whose === bank) return true
	const kind = 'foreign-record'
	const record = { stream, seq, type }
	// One task for all that it says of others: whoever invents cases fills no list with them.
	await openTask(tx, { kind, site, bank, detail: { ...record, of: whose, subject: Object.values(thing)[0] ?? '' } }, terms)
	const place = await placeOf(tx, whose)
	if (!place) return false
	const about = 'asset' in thing ? {} : thing
	await openTask(tx, { kind, site: place.site, bank: whose, ...about, detail: { ...record, ...thing, by: bank } }, terms)
	return false
}
