import { isReadBack, type Permission } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { enrolledAt } from '../estate/index.ts'
import { findPerson, mintKeysOf, type PeopleTerms } from '../people/index.ts'
import { codeInUse, type OwnerFact, type OwnerFactKind } from '../space/index.ts'
import type { Db } from '../store/index.ts'
import { type CaseRow, findCase } from './case-read.ts'
import { caseSealing, contactContext } from './delivery-write.ts'

/** Digits of a telephone number that are asked for. */
const PHONE_DIGITS = 4

/** Those who can look something up know it without its owner. */
export interface Listeners {
	/** Who asked for the door, and who is on the phone. */
	readonly people: readonly string[]
	/** Whether one of them may do this where the case is. */
	readonly may: (permission: Permission, bank: Id<'bank'>) => Promise<boolean>
}

/**
 * The kinds of facts that are right and that those who listen could not have said themselves, each once (workflows.md X22): the number that the kiosk shows
 * to the owner, the pick-up code where none of them was shown it, the end of the telephone number or the address on file where none of them may read those.
 * Neither a name nor what stands on the label, which everybody knows who wants to pretend. What is on file is told to nobody.
 */
export async function rightFacts(
	db: Db,
	of: Id<'case'>,
	facts: readonly OwnerFact[],
	listeners: Listeners,
	terms: PeopleTerms,
	now: number,
): Promise<OwnerFactKind[]> {
	const row = await findCase(db, of)
	if (!row) return []
	const given = new Set(facts.map(({ kind }) => kind))
	const contact = given.has('phone') || given.has('email') ? await secretContact(db, row, listeners, terms) : undefined
	const code = given.has('code') ? await secretCode(db, row, listeners, terms, now) : undefined
	const keys = given.has('read-back') ? await keysAt(db, row.bank, terms, now) : undefined
	const digits = contact?.phone?.replaceAll(/\D/g, '') ?? ''
	const judge: Readonly<Record<OwnerFactKind, (value: string) => boolean>> = {
		'read-back': (value) =>
			keys !== undefined && row.owner != null && isReadBack(value.replaceAll(/\D/g, ''), keys, row.owner as Id<'subject'>, now, nodeCrypto),
		code: (value) => code !== undefined && code === value.replaceAll(/\s/g, ''),
		phone: (value) => /^\d+$/.test(value) && value.length >= PHONE_DIGITS && digits.length >= PHONE_DIGITS && digits.endsWith(value),
		email: (value) => contact?.email !== undefined && plain(contact.email) === plain(value),
	}
	return [...new Set(facts.filter(({ kind, value }) => judge[kind](value.trim())).map(({ kind }) => kind))]
}

async function secretContact(db: Db, row: CaseRow, { may }: Listeners, terms: PeopleTerms) {
	if (await may(row.recipient ? 'case.manage' : 'people.read', row.bank)) return undefined
	return row.recipient ? contactOf(db, row, terms) : row.owner ? (await findPerson(db, row.owner, terms))?.personal : undefined
}

async function secretCode(db: Db, row: CaseRow, { people }: Listeners, terms: PeopleTerms, now: number): Promise<string | undefined> {
	const code = await codeInUse(db, row.id, now, await caseSealing(db, terms))
	return code && !code.shownTo.some((one) => people.includes(one)) ? code.code : undefined
}

async function keysAt(db: Db, bank: Id<'bank'>, terms: PeopleTerms, now: number) {
	const controller = (await enrolledAt(db, { bank }))?.controller
	return controller ? mintKeysOf(db, { bank, controller }, terms, now) : undefined
}

/** Of somebody who has no account. */
export async function contactOf(
	db: Db,
	row: CaseRow,
	terms: Pick<PeopleTerms, 'master' | 'random'>,
): Promise<{ readonly name?: string; readonly email?: string; readonly phone?: string }> {
	const sealing = await caseSealing(db, terms)
	return JSON.parse(new TextDecoder().decode(sealing.open(row.recipient ?? new Uint8Array(), contactContext(row.id)))) as object
}

const plain = (text: string): string => text.normalize('NFKC').trim().toLowerCase()
