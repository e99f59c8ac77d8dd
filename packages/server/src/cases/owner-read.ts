import type { Id } from '@latchwork/core/base'
import { findPerson, type PeopleTerms } from '../people/index.ts'
import { codeInUse, type OwnerFactKind } from '../space/index.ts'
import type { Db } from '../store/index.ts'
import { type CaseRow, findCase } from './case-read.ts'
import { caseSealing, contactContext } from './delivery-write.ts'

/**
 * What somebody on the phone can be asked who says that the thing behind a door is theirs (workflows.md X22): the end of the telephone number or the
 * address on file, the number of the order or the label of the thing, the pick-up code. Not a name, which everybody knows who wants to pretend.
 */
export interface OwnerFact {
	readonly kind: OwnerFactKind
	readonly value: string
}

/** Digits of a telephone number that are asked for. */
const PHONE_DIGITS = 4

/** The kinds of facts that are right, each once. What is on file is told to nobody. */
export async function rightFacts(db: Db, of: Id<'case'>, facts: readonly OwnerFact[], terms: PeopleTerms, now: number): Promise<OwnerFactKind[]> {
	const row = await findCase(db, of)
	if (!row) return []
	const contact = row.recipient ? await contactOf(db, row, terms) : row.owner ? (await findPerson(db, row.owner, terms))?.personal : undefined
	const code = await codeInUse(db, of, now, await caseSealing(db, terms))
	const order = [row.number, row.label, ...Object.values(row.lines).flatMap(({ tag }) => tag ?? [])].map(plain)
	const digits = contact?.phone?.replaceAll(/\D/g, '') ?? ''
	const judge: Readonly<Record<OwnerFactKind, (value: string) => boolean>> = {
		phone: (value) => /^\d+$/.test(value) && value.length >= PHONE_DIGITS && digits.length >= PHONE_DIGITS && digits.endsWith(value),
		email: (value) => contact?.email !== undefined && plain(contact.email) === plain(value),
		order: (value) => order.includes(plain(value)),
		code: (value) => code !== undefined && code.code === value.replaceAll(/\s/g, ''),
	}
	return [...new Set(facts.filter(({ kind, value }) => judge[kind](value.trim())).map(({ kind }) => kind))]
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
