import { covers, MOST_PEOPLE, type PersonRows, sealPeopleDelta } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { approvalsInForce, nextRoleEnd, openersOf, policySetsOf } from '../access/index.ts'
import { custodyOf } from '../assets/index.ts'
import { boundTo, openLoans } from '../cases/index.ts'
import { dirtyPeople, markBundles, placeOf, present, settlePeople } from '../estate/index.ts'
import { bundleCredentials, bundleSubjects, nextExpiry, withdrawnCodes } from '../people/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { settingsAt, signerOf } from '../tenants/index.ts'
import { peopleAt, type SitePeople } from './compose.ts'
import { byPerson, chainOf, type DeltaNews } from './delta-write.ts'
import { earliest } from './gather-write.ts'
import { type Told, toldBanks } from './read.ts'
import type { ComposeTerms } from './terms.ts'

/** At a look. More than that is an import, which costs less in new bundles; so do more than this many told of since the last bundle. */
const MOST_AT_ONCE = 64
const MOST_SINCE = 500
const LOOK_AT = 2_000
/** What the link takes as one document. */
const LONGEST = 32_000

/**
 * Tells each bank what it is to know of the people that were marked, instead of making new bundles for them (decision 0017). Banks that are away, and
 * those that miss one, are given a bundle when they ask. No fact of its own: what was done to the people is on record.
 */
export async function publishPeople(tx: Tx, terms: ComposeTerms): Promise<DeltaNews[]> {
	const { now } = terms
	const marks = await dirtyPeople(tx, LOOK_AT)
	if (marks.length === 0) return []
	await settlePeople(tx, marks)
	if (marks.length > MOST_AT_ONCE) {
		await markBundles(tx, now)
		return []
	}
	const banks = await toldBanks(tx)
	const shared = await gatherPeople(tx, [...new Set(marks.map(({ subject }) => subject))], now)
	const news: DeltaNews[] = []
	const bySite = Map.groupBy(banks, ({ site }) => site)
	const free = new Set(banks.map(({ bank }) => bank))
	// Being composed, perhaps without these people; or never composed yet.
	for (const { bank, site } of await allBanks(tx))
		if (!free.has(bank) && marks.some((mark) => (mark.site ?? site) === site)) await markBundles(tx, now, { bank })
	const signer = await signerOf(tx, 'maker', terms)
	for (const [site, here] of bySite) {
		const people = [...new Set(marks.flatMap((mark) => ((mark.site ?? site) === site ? [mark.subject] : [])))]
		if (people.length === 0) continue
		const takers = here.filter(({ takesPeople, since }) => takesPeople && since + people.length <= MOST_SINCE)
		for (const { bank } of here) if (!takers.some((one) => one.bank === bank)) await markBundles(tx, now, { bank })
		if (takers.length === 0) continue
		const known = { credentials: await bundleCredentials(tx, site, now, people), deltas: (await chainOf(tx, site, now)).n }
		for (const bank of takers) {
			const parts = chunks(people.map((id) => rowsOf(id, bank, shared, known.credentials)))
			const texts = parts.map((rows, i) => {
				const issuedAt = Math.floor(now)
				const until = issuedAt + shared.settings({ site, ...(bank.area && { area: bank.area }), bank: bank.bank }).expireAfterHours * 3_600_000
				const delta = {
					format: 'latchwork-people/1' as const,
					bank: bank.bank,
					n: bank.people + 1 + i,
					deltas: known.deltas,
					people: rows,
					issuedAt,
					until,
				}
				return JSON.stringify(sealPeopleDelta(delta, signer.keyId, signer.sign))
			})
			// Groups and qualifications without end: no message takes that.
			if (texts.some((text) => text.length > LONGEST)) {
				await markBundles(tx, now, { bank: bank.bank })
				continue
			}
			const to = [{ bank: bank.bank, controller: bank.controller }]
			if (bank.online) for (const text of texts) news.push({ text, to })
		}
		await tx.run(sql`UPDATE bundle SET people = people + ${Math.ceil(people.length / MOST_PEOPLE)}, people_since = people_since + ${people.length},
			due_at = least(due_at, ${shared.ends ?? null}::bigint) WHERE tenant_id = ${tx.tenant} AND bank_id = ANY(${takers.map(({ bank }) => bank)}::text[])`)
	}
	return news
}

/** Is this person in the bank's bundle, or would be in the next? */
export async function isKnownAt(tx: Tx, bank: Id<'bank'>, subject: Id<'subject'>, now: number): Promise<boolean> {
	const place = present(await placeOf(tx, bank), 'bank')
	return rowsOf(subject, { area: null, ...place }, await gatherPeople(tx, [subject], now), []).row !== undefined
}

/** What all banks have in common. */
async function gatherPeople(tx: Tx, people: readonly Id<'subject'>[], now: number) {
	return {
		subjects: await bundleSubjects(tx, people),
		approvals: await approvalsInForce(tx, now, people),
		openers: await openersOf(tx, now, people),
		loans: byPerson(await openLoans(tx, [...people])),
		policies: await policySetsOf(tx),
		bound: Map.groupBy([...(await boundTo(tx, people)), ...(await custodyOf(tx, people))], ({ bank }) => bank),
		settings: await settingsAt(tx),
		withdrawn: await withdrawnCodes(tx, now, people),
		ends: earliest(await nextExpiry(tx, now, people), await nextRoleEnd(tx, now)),
	}
}

function rowsOf(
	id: Id<'subject'>,
	{ bank, site, area }: Pick<Told, 'bank' | 'site' | 'area'>,
	shared: Awaited<ReturnType<typeof gatherPeople>>,
	credentials: SitePeople['credentials'],
): PersonRows {
	const place = { site, ...(area && { area }), bank }
	const of = peopleAt({
		site: { id: site },
		bank: { id: bank },
		settings: shared.settings(place),
		people: {
			subjects: shared.subjects.filter((one) => one.id === id),
			approvals: shared.approvals,
			credentials: credentials.filter((one) => one.subject === id),
			withdrawn: shared.withdrawn,
			revoked: [],
		},
		openers: new Set(shared.openers.filter(({ scope }) => covers(scope, place)).map(({ subject }) => subject)),
		policies: shared.policies,
		loans: shared.loans,
		bound: new Set((shared.bound.get(bank) ?? []).map(({ subject }) => subject)),
	})
	const [row] = of.subjects
	const { credentials: all, revoked } = of
	return { id, ...(row && { row, ...(all.length > 0 && { credentials: all }), ...(revoked.length > 0 && { revoked }) }) }
}

const allBanks = (tx: Tx): Promise<{ bank: Id<'bank'>; site: Id<'site'> }[]> =>
	tx.rows(sql`SELECT bank_id AS bank, site_id AS site FROM bank WHERE tenant_id = ${tx.tenant} ORDER BY bank_id`)

const chunks = (people: readonly PersonRows[]): PersonRows[][] =>
	Array.from({ length: Math.ceil(people.length / MOST_PEOPLE) }, (_, i) => people.slice(i * MOST_PEOPLE, (i + 1) * MOST_PEOPLE))
