import { covers, siteKeyMark } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { approvalsInForce, nextRoleEnd, openersOf, policySetsOf } from '../access/index.ts'
import { assetsAt, custodiansAt } from '../assets/index.ts'
import { boundAt, casePart, openLoans } from '../cases/index.ts'
import { nodeCrypto } from '../crypto.ts'
import { bankOf, compartmentsOf, doorsLive, placeOf, present, siteOf } from '../estate/index.ts'
import {
	bundleCredentials,
	bundleSubjects,
	nextExpiry,
	type PeopleTerms,
	readyCredentials,
	revokedCredentials,
	rotatedSiteKey,
	withdrawnCodes,
} from '../people/index.ts'
import type { Db, Tx } from '../store/index.ts'
import { settingsOf } from '../tenants/index.ts'
import type { BundleRows, SitePeople } from './compose.ts'
import { byPerson, chainOf } from './delta-write.ts'

/** What all banks of a site have in common; read once for those that are composed together. */
export interface SiteRows extends SitePeople {
	readonly deltas: BundleRows['deltas']
	readonly loans: BundleRows['loans']
	readonly policies: BundleRows['policies']
	/** Who may open from afar, and where. */
	readonly openers: Awaited<ReturnType<typeof openersOf>>
	/** When the next credential ends by itself. */
	readonly nextExpiry: number | undefined
}

/** Makes the site's missing verifiers on the way: a badge that was issued elsewhere counts here with the first bundle that names it. */
export async function gatherSite(tx: Tx, site: Id<'site'>, terms: PeopleTerms, now: number): Promise<SiteRows> {
	await readyCredentials(tx, site, terms, now)
	const rotated = await rotatedSiteKey(tx, site, terms)
	const deltas = await chainOf(tx, site, now)
	return {
		deltas,
		subjects: await bundleSubjects(tx),
		credentials: [...(await bundleCredentials(tx, site, now))],
		revoked: await revokedCredentials(tx, now),
		withdrawn: await withdrawnCodes(tx, now),
		siteKey: rotated && siteKeyMark(rotated, nodeCrypto),
		approvals: await approvalsInForce(tx, now),
		loans: byPerson(await openLoans(tx)),
		policies: await policySetsOf(tx),
		openers: await openersOf(tx, now),
		nextExpiry: earliest(await nextExpiry(tx, now), await nextRoleEnd(tx, now)),
	}
}

/** `told`: the newest of the bank's deltas about people. */
export async function gatherBank(tx: Db, tenant: Id<'tenant'>, id: Id<'bank'>, site: SiteRows, now: number, told = 0): Promise<BundleRows> {
	const bank = await bankOf(tx, id)
	const place = present(await placeOf(tx, id), 'bank')
	const cases = await boundAt(tx, id)
	return {
		tenant,
		site: await siteOf(tx, bank.site),
		bank,
		compartments: await compartmentsOf(tx, id),
		doors: await doorsLive(tx, id),
		settings: await settingsOf(tx, place),
		people: site,
		openers: new Set(site.openers.filter(({ scope }) => covers(scope, place)).map(({ subject }) => subject)),
		loans: site.loans,
		policies: site.policies,
		deltas: site.deltas,
		told,
		assets: await assetsAt(tx, id, [...cases.assets]),
		cases: await casesOf(tx, id, now),
		bound: new Set([...cases.subjects, ...(await custodiansAt(tx, id))]),
	}
}

async function casesOf(tx: Db, bank: Id<'bank'>, now: number): Promise<BundleRows['cases']> {
	const { cases, codes, revoked, tables, digits } = await casePart(tx, bank, now)
	return { cases: [...cases], codes: [...codes], revoked, tables, digits }
}

/** Undefined: none of them is known. */
export const earliest = (...times: readonly (number | undefined)[]): number | undefined => {
	const known = times.filter((at) => at !== undefined)
	return known.length > 0 ? Math.min(...known) : undefined
}
