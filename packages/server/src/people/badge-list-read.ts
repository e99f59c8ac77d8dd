import { type BadgeMapping, type BadgeSample, distinguishes, learnMapping, readListed } from '@latchwork/core/access'
import { Fault, type Id, isId } from '@latchwork/core/base'
import { type Db, sql } from '../store/index.ts'
import { tenantSealing } from '../tenants/index.ts'
import type { NewBadge } from './credential-write.ts'
import { blindIndex, normalEmail } from './personal.ts'
import { listPeople, type PeopleTerms } from './read.ts'

/** One line of the list of another system: whose badge, by e-mail address, our id or a foreign id, and its number as written there. */
export interface ListedBadge {
	readonly person: string
	readonly listed: string
}

/** Why a line gives nobody a badge. `present`: they have it already. `twice`: the list has the number more than once. */
export type LineFault = 'unknown-person' | 'unreadable' | 'taken' | 'twice' | 'present'

export interface MatchedList {
	readonly mapping: BadgeMapping
	readonly badges: readonly NewBadge[]
	/** `line` from 1. */
	readonly left: readonly (ListedBadge & { readonly line: number; readonly why: LineFault })[]
	/** Numbers of the list of which one, read at a reader, would tell which of several ways of writing it is: empty where the cards have told. */
	readonly undecided: readonly string[]
}

const MOST_UNDECIDED = 5

/** What five cards teach about a list, and who would get which badge by it. Changes nothing. Throws `request-invalid` that names the card. */
export async function matchList(db: Db, samples: readonly BadgeSample[], lines: readonly ListedBadge[], terms: PeopleTerms): Promise<MatchedList> {
	const learned = learnMapping(samples)
	if (!learned.ok) {
		const field = learned.sample === undefined ? 'body.samples' : `body.samples.${learned.sample}`
		throw new Fault('request-invalid', `${field}: ${learned.text}`, { detail: { field, refusal: learned.code } })
	}
	const [mapping] = learned.mappings as [BadgeMapping]
	const undecided =
		learned.mappings.length === 1 ? [] : lines.filter(({ listed }) => distinguishes(learned.mappings, listed)).slice(0, MOST_UNDECIDED)
	const people = await peopleOf(db, [...new Set(lines.map(({ person }) => person.trim()))], terms)
	const read = lines.map(({ listed }) => {
		const image = readListed(mapping, listed)
		return image?.ok ? image.normal : undefined
	})
	const holders = await holdersOf(db, [...new Set(read.filter((normal) => normal !== undefined))], terms)
	const times = new Map<string, number>()
	for (const normal of read) if (normal !== undefined) times.set(normal, (times.get(normal) ?? 0) + 1)
	const badges: NewBadge[] = []
	const left: MatchedList['left'][number][] = []
	for (const [i, line] of lines.entries()) {
		const normal = read[i]
		const subject = people.get(line.person.trim())
		const why =
			normal === undefined
				? 'unreadable'
				: (times.get(normal) ?? 0) > 1
					? 'twice'
					: subject === undefined
						? 'unknown-person'
						: fault(holders.get(normal), subject)
		if (why === undefined && normal !== undefined && subject !== undefined) badges.push({ subject, normal })
		else left.push({ ...line, line: i + 1, why: why ?? 'unreadable' })
	}
	return { mapping, badges, left, undecided: undecided.map(({ listed }) => listed) }
}

const fault = (holder: Id<'subject'> | undefined, subject: Id<'subject'>): LineFault | undefined =>
	holder === undefined ? undefined : holder === subject ? 'present' : 'taken'

/** Who that is, for each way of naming somebody. Foreign ids lie sealed with the person, so they are looked for among all. */
async function peopleOf(db: Db, named: readonly string[], terms: PeopleTerms): Promise<Map<string, Id<'subject'>>> {
	const found = new Map<string, Id<'subject'>>()
	const ids = named.filter((text): text is Id<'subject'> => isId('subject', text))
	for (const { id } of await db.rows(
		sql<{
			id: Id<'subject'>
		}>`SELECT subject_id AS id FROM person WHERE tenant_id = ${db.tenant} AND subject_id = ANY(${ids}::text[]) AND erased_at IS NULL`,
	))
		found.set(id, id)
	const { secret } = await tenantSealing(db, terms)
	const emails = new Map(
		named.filter((text) => text.includes('@')).map((text) => [blindIndex(secret, 'email', normalEmail(text)).toString('hex'), text]),
	)
	for (const { id, index } of await db.rows(sql<{
		id: Id<'subject'>
		index: string
	}>`SELECT subject_id AS id, encode(email_index, 'hex') AS index FROM person
		WHERE tenant_id = ${db.tenant} AND email_index = ANY(${[...emails.keys()].map((hex) => Buffer.from(hex, 'hex'))}::bytea[])`)) {
		const text = emails.get(index)
		if (text !== undefined) found.set(text, id)
	}
	const foreign = new Set(named.filter((text) => !text.includes('@') && !isId('subject', text)))
	if (foreign.size === 0) return found
	const twice = new Set<string>()
	for (const { id, personal } of await listPeople(db, { limit: MOST_PEOPLE }, terms))
		for (const ref of personal?.externalRefs ?? []) {
			if (!foreign.has(ref.id)) continue
			// Two people with one id in two systems: nobody can say who is meant.
			if (found.has(ref.id) && found.get(ref.id) !== id) twice.add(ref.id)
			found.set(ref.id, id)
		}
	for (const ref of twice) found.delete(ref)
	return found
}

const MOST_PEOPLE = 100_000

async function holdersOf(db: Db, normals: readonly string[], terms: PeopleTerms): Promise<Map<string, Id<'subject'>>> {
	const { secret } = await tenantSealing(db, terms)
	const byIndex = new Map(normals.map((normal) => [blindIndex(secret, 'badge', normal).toString('hex'), normal]))
	const rows = await db.rows(sql<{
		subject: Id<'subject'>
		index: string
	}>`SELECT subject_id AS subject, encode(number_index, 'hex') AS index FROM credential
		WHERE tenant_id = ${db.tenant} AND revoked_at IS NULL AND number_index = ANY(${[...byIndex.keys()].map((hex) => Buffer.from(hex, 'hex'))}::bytea[])`)
	return new Map(rows.flatMap(({ subject, index }) => (byIndex.has(index) ? [[byIndex.get(index) as string, subject] as const] : [])))
}
