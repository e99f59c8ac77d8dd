import { sealBundle, sealLease } from '@latchwork/core/access'
import { canonicalBytes, type Id, toHex } from '@latchwork/core/base'
import { authorityOf, dirtyOf, settleDirty } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { type Signer, signerOf } from '../tenants/index.ts'
import { bundleOf, contentDigest, contentOf, refreshAt } from './compose.ts'
import { gatherBank, gatherSite, type SiteRows } from './gather-write.ts'
import { type InForce, inForce } from './read.ts'
import type { ComposeTerms } from './terms.ts'

/** A bank that has something new to fetch. */
export interface News {
	readonly tenant: Id<'tenant'>
	readonly controller: Id<'controller'>
	readonly bank: Id<'bank'>
	readonly version: number
	readonly digest: string
	/** For the new version, to be sent with the news: the old lease says nothing about it. */
	readonly lease: string
}

const LEASE_LIFE_MS = 30 * 60_000

/**
 * Composes the marked and ageing banks of one site, in one transaction; answers those that have to be told. `patient`: a bank that somebody else
 * composes just now is waited for, and looked at once more; without it that one is left to them. `missed`: a bundle that lacks the newest deltas is
 * made anew, too.
 */
export async function publishSite(
	tx: Tx,
	site: Id<'site'>,
	banks: readonly Id<'bank'>[],
	terms: ComposeTerms,
	{ patient = false, missed = false } = {},
): Promise<News[]> {
	const tenant = tx.tenant as Id<'tenant'>
	const news: News[] = []
	let shared: SiteRows | undefined
	let signer: Signer | undefined
	for (const bank of banks) {
		const before = await lockBundle(tx, bank, patient)
		if (!before) continue
		// Read before all else: what is marked from here on is composed once more.
		const mark = await dirtyOf(tx, bank)
		const controller = await authorityOf(tx, bank)
		if (controller) {
			shared ??= await gatherSite(tx, site, terms, terms.now)
			signer ??= await signerOf(tx, 'maker', terms)
			const told = await publishBank(tx, tenant, bank, { before, shared, signer, terms, missed })
			if (told) news.push({ tenant, controller: controller.id, bank, ...told })
		} else await rest(tx, bank)
		if (mark) await settleDirty(tx, mark)
	}
	return news
}

interface Before {
	readonly version: number
	readonly contentDigest: string
	readonly dueAt: number
	readonly deltas: number
	/** The newest delta about people, and up to which one the bundle holds them. */
	readonly people: number
	readonly peopleHeld: number
	readonly takesPeople: boolean
}

interface Publishing {
	readonly before: Before
	readonly shared: SiteRows
	readonly signer: Signer
	readonly terms: ComposeTerms
	readonly missed: boolean
}

async function publishBank(tx: Tx, tenant: Id<'tenant'>, bank: Id<'bank'>, { before, shared, signer, terms, missed }: Publishing) {
	const { now, crypto, random } = terms
	const rows = await gatherBank(tx, tenant, bank, shared, now, before.takesPeople ? before.people : 0)
	const content = contentOf(rows, crypto.sha256)
	const contents = contentDigest(content, rows, crypto.sha256)
	const behind = missed && (before.deltas < rows.deltas.counted || (before.takesPeople && before.peopleHeld < before.people))
	if (contents === before.contentDigest && now < before.dueAt && !behind) return undefined
	const bundle = bundleOf(content, rows.settings, { version: before.version + 1, now })
	const envelope = sealBundle(bundle, signer.keyId, signer.sign)
	const digest = toHex(crypto.sha256(canonicalBytes(envelope.signed)))
	const { siteKey = '' } = bundle
	const dueAt = Math.min(refreshAt(bundle), shared.nextExpiry ?? Number.POSITIVE_INFINITY)
	await tx.run(sql`UPDATE bundle SET version = ${bundle.version}, content_digest = ${contents}, digest = ${digest},
		text = ${Buffer.from(JSON.stringify(envelope))}, issued_at = ${bundle.issuedAt}, stale_at = ${bundle.staleAt}, expires_at = ${bundle.expiresAt},
		due_at = ${dueAt}, deltas = ${rows.deltas.n}, people_held = ${rows.told}, people_since = 0, site_key = ${siteKey},
		site_key_since = CASE WHEN site_key = ${siteKey} THEN site_key_since ELSE ${bundle.version} END WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank}`)
	const data = { version: bundle.version, digest, subjects: bundle.subjects.length, credentials: bundle.credentials.length }
	await append(tx, [{ type: 'bundle.published', subject: bank, actor: 'server', site: rows.site.id, bank, data }], { now, random })
	return { version: bundle.version, digest, lease: leaseText((await inForce(tx, bank)) as InForce, signer, now) }
}

/** One composes a bank at a time. Undefined: somebody else does just now, and settles the mark. */
async function lockBundle(tx: Tx, bank: Id<'bank'>, patient: boolean): Promise<Before | undefined> {
	await tx.run(sql`INSERT INTO bundle (tenant_id, bank_id, version, content_digest, digest, text, issued_at, stale_at, expires_at, due_at)
		VALUES (${tx.tenant}, ${bank}, 0, '', '', '', 0, 0, 0, ${Number.MAX_SAFE_INTEGER}) ON CONFLICT DO NOTHING`)
	return tx.first(sql`SELECT version, content_digest AS "contentDigest", due_at AS "dueAt", deltas, people, people_held AS "peopleHeld",
		takes_people AS "takesPeople" FROM bundle
		WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank} FOR UPDATE ${patient ? sql`` : sql`SKIP LOCKED`}`)
}

/**
 * From now on the controller takes deltas about people, or takes none any more: it was set back to an older program. What its bundle lacks is
 * composed into the next one.
 */
export async function takesPeople(tx: Tx, bank: Id<'bank'>, takes: boolean): Promise<void> {
	await lockBundle(tx, bank, true)
	await tx.run(sql`UPDATE bundle SET takes_people = ${takes}, content_digest = CASE WHEN people > people_held THEN '' ELSE content_digest END
		WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank}`)
}

/** Nobody fetches it: it need not be kept young, and the next controller gets a new one whatever has changed by then. */
const rest = (tx: Tx, bank: Id<'bank'>): Promise<number> =>
	tx.run(sql`UPDATE bundle SET content_digest = '', due_at = ${Number.MAX_SAFE_INTEGER} WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank}`)

/** Says that this version is still the newest; the bank may go on with it for half an hour. */
export const leaseText = (
	{ bank, version, counted, people, restUntil }: InForce,
	{ keyId, sign }: Pick<Signer, 'keyId' | 'sign'>,
	now: number,
): string => {
	const issuedAt = Math.floor(now)
	const deltas = counted > 0 ? { deltas: counted } : {}
	const told = people > 0 ? { people } : {}
	const rest = restUntil !== null && restUntil > now ? { pinsRestUntil: restUntil } : {}
	const until = issuedAt + LEASE_LIFE_MS
	return JSON.stringify(
		sealLease({ format: 'latchwork-lease/1', bank, bundleVersion: version, ...deltas, ...told, ...rest, issuedAt, until }, keyId, sign),
	)
}
