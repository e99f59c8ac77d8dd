import { type Delta, type DeltaMark, type LoansChange, NO_DELTA, sealDelta } from '@latchwork/core/access'
import { canonicalBytes, type Id, toHex } from '@latchwork/core/base'
import { type LoanNews, loanNews, openLoans, settleLoanNews } from '../cases/index.ts'
import { append } from '../ledger/index.ts'
import { takenAwaySince } from '../people/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { type Signer, settingsOf, signerOf } from '../tenants/index.ts'
import type { BundleRows, OpenLoans } from './compose.ts'
import { chainedSites, onlineAt } from './read.ts'
import type { ComposeTerms } from './terms.ts'

interface Chain extends DeltaMark {
	readonly lookedAt: number
	/** What was told to be taken away, and when that had happened: it may be given back and taken away again. */
	readonly told: Readonly<Record<string, number>>
}

/** A change that was dated earlier may be committed later than the look that should have seen it. */
const REACH_BACK_MS = 30_000
const MOST_CHANGES = 400
/** Each may name many banks, and a message is small. */
const MOST_COUNTS = 100

export interface DeltaNews {
	readonly text: string
	readonly to: readonly { readonly bank: Id<'bank'>; readonly controller: Id<'controller'> }[]
}

/** Tells every connected bank of a site at once what was taken away since the last look. Undefined: nothing was. */
export async function publishDelta(tx: Tx, site: Id<'site'>, terms: ComposeTerms): Promise<DeltaNews | undefined> {
	const { now, random } = terms
	const chain = await lockChain(tx, site)
	// Before the first bundle of the site there is nothing to take away from.
	if (!chain) return undefined
	const all = await takenAwaySince(tx, site, chain.lookedAt - REACH_BACK_MS, now)
	const untold = all.filter(({ id, at }) => (chain.told[id] ?? Number.NEGATIVE_INFINITY) < at)
	const revoked = untold.slice(0, MOST_CHANGES)
	if (revoked.length === 0) return undefined
	const changes = revoked.map(({ id }) => ({ revoke: id }))
	const { n, hash, text } = await next(tx, { site, chain, changes, signer: await signerOf(tx, 'maker', terms) }, terms)
	const issuedAt = Math.floor(now)
	const told = { ...recent(chain, now), ...Object.fromEntries(revoked.map(({ id, at }) => [id, at])) }
	const complete = untold.length <= MOST_CHANGES
	await tx.run(sql`UPDATE site_chain SET n = ${n}, hash = ${hash}, looked_at = ${complete ? issuedAt : chain.lookedAt},
		told = ${JSON.stringify(told)}::jsonb WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`)
	await append(tx, [{ type: 'delta.published', subject: site, actor: 'server', site, data: { n, hash, revoked: revoked.length } }], { now, random })
	return { text, to: await onlineAt(tx, site) }
}

/**
 * Tells all sites how many loans those have whose count has changed, but for sites where the only bank is the one that knows it already. No fact of
 * its own: the loans are on record. A site whose banks are all away goes on in its chain, so that they miss something when they come back.
 */
export async function publishLoans(tx: Tx, terms: ComposeTerms): Promise<DeltaNews[]> {
	// Before all else is read: of two processes the second one reads later, and tells later.
	const sites = await chainedSites(tx)
	const news = await loanNews(tx, MOST_COUNTS)
	if (news.length === 0) return []
	const loans = byPerson(await openLoans(tx, [...new Set(news.map(({ subject }) => subject))]))
	const signer = await signerOf(tx, 'maker', terms)
	const told: DeltaNews[] = []
	for (const { site, banks, ...chain } of sites) {
		const changes = countsFor(new Set(banks), news, loans)
		if (changes.length === 0) continue
		const { n, hash, text } = await next(tx, { site, chain, changes, signer }, terms)
		await tx.run(sql`UPDATE site_chain SET n = ${n}, hash = ${hash}, counted = ${n} WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`)
		told.push({ text, to: await onlineAt(tx, site) })
	}
	await settleLoanNews(tx, news)
	return told
}

function countsFor(banks: ReadonlySet<string>, news: readonly LoanNews[], loans: OpenLoans): LoansChange[] {
	const concerned = news.filter(({ bank }) => banks.size > (banks.has(bank) ? 1 : 0))
	return [...new Set(concerned.map(({ subject }) => subject))].map((subject) => {
		const found = loans.get(subject)
		const at = Object.entries(found?.at ?? {}).filter(([bank]) => banks.has(bank))
		return { subject, loans: found?.loans ?? 0, ...(at.length > 0 && { at: Object.fromEntries(at) }) }
	})
}

/** Sums up what each has, and where. */
export function byPerson(open: Awaited<ReturnType<typeof openLoans>>): OpenLoans {
	const found = new Map<string, { loans: number; at: Record<string, number> }>()
	for (const { subject, bank, loans } of open) {
		const one = found.get(subject) ?? { loans: 0, at: {} }
		found.set(subject, { loans: one.loans + loans, at: { ...one.at, [bank]: loans } })
	}
	return found
}

interface Next extends Pick<Delta, 'site' | 'changes'> {
	readonly chain: DeltaMark
	readonly signer: Signer
}

async function next(tx: Tx, { site, chain, changes, signer }: Next, { now, crypto }: ComposeTerms): Promise<DeltaMark & { readonly text: string }> {
	const { expireAfterHours } = await settingsOf(tx, { site })
	const issuedAt = Math.floor(now)
	const until = issuedAt + expireAfterHours * 3_600_000
	const n = chain.n + 1
	const envelope = sealDelta({ format: 'latchwork-delta/1', site, n, prev: chain.hash, changes, issuedAt, until }, signer.keyId, signer.sign)
	return { n, hash: toHex(crypto.sha256(canonicalBytes(envelope.signed))), text: JSON.stringify(envelope) }
}

/** Old enough that no later look reaches back to it. */
const recent = ({ told, lookedAt }: Chain, now: number) =>
	Object.fromEntries(Object.entries(told).filter(([, at]) => at > Math.min(lookedAt, now) - 2 * REACH_BACK_MS))

const lockChain = (tx: Tx, site: Id<'site'>): Promise<Chain | undefined> =>
	tx.first(sql`SELECT n, hash, looked_at AS "lookedAt", told FROM site_chain WHERE tenant_id = ${tx.tenant} AND site_id = ${site} FOR UPDATE`)

/**
 * Where the chain stands; begun with the first bundle of the site. Read before the rows of a bundle are: then the bundle holds all that the
 * deltas up to here told.
 */
export async function chainOf(tx: Tx, site: Id<'site'>, now: number): Promise<BundleRows['deltas']> {
	await tx.run(sql`INSERT INTO site_chain (tenant_id, site_id, n, hash, looked_at, told)
		VALUES (${tx.tenant}, ${site}, 0, ${NO_DELTA.hash}, ${Math.floor(now)}, '{}') ON CONFLICT DO NOTHING`)
	const chain = await tx.first<Pick<Chain, 'n' | 'hash' | 'told'> & { readonly counted: number }>(
		sql`SELECT n, hash, told, counted FROM site_chain WHERE tenant_id = ${tx.tenant} AND site_id = ${site}`,
	)
	return { ...NO_DELTA, counted: 0, ...chain, told: Object.keys(chain?.told ?? {}) }
}
