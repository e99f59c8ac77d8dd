import { type Caller, covers, type Place, type PolicySet, type PolicyStatement, type Scope, scopesOf } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { type Db, sql } from '../store/index.ts'
import { placeOfScope } from './read.ts'

export interface Review {
	readonly by: Id<'subject'>
	readonly verdict: 'approved' | 'rejected'
	readonly at: number
}

export interface Policy {
	readonly id: Id<'policy'>
	/** As decisions name it. */
	readonly code: string
	readonly name: string
	readonly scope: { readonly site?: Id<'site'>; readonly bank?: Id<'bank'> }
	/** The same with all that it lies in: a bank names its site (and area). */
	readonly place: Place
	/** Cedar text; where it was made from plain words, these are `statements`. */
	readonly draft: string
	readonly statements: readonly PolicyStatement[] | undefined
	/** Counts the drafts. */
	readonly revision: number
	readonly draftedBy: string
	readonly draftedAt: number
	/** Of this draft; the newest last. */
	readonly reviews: readonly Review[]
	/** Number of the text in force; undefined: none is. */
	readonly published: number | undefined
	readonly publishedAt: number | undefined
	/** What the text in force says; a policy that was taken out of force keeps its last one. */
	readonly live: { readonly cedar: string; readonly statements: readonly PolicyStatement[] | undefined; readonly by: string } | undefined
	/** The draft says something else than what is in force. */
	readonly changed: boolean
	readonly retiredAt: number | undefined
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}

interface PolicyRow extends Omit<Policy, 'scope' | 'place' | 'statements' | 'published' | 'publishedAt' | 'live' | 'retiredAt'> {
	readonly site: Id<'site'> | null
	readonly bank: Id<'bank'> | null
	readonly siteOfBank: Id<'site'> | null
	readonly areaOfBank: Id<'area'> | null
	readonly liveCedar: string | null
	readonly liveStatements: PolicyStatement[] | null
	readonly publishedBy: string | null
	readonly statements: PolicyStatement[] | null
	readonly published: number | null
	readonly publishedAt: number | null
	readonly retired: number | null
}

const POLICY = sql`p.policy_id AS id, p.code, p.name, p.site_id AS site, p.bank_id AS bank, b.site_id AS "siteOfBank", b.area_id AS "areaOfBank", p.draft, p.statements, p.revision, p.drafted_by AS "draftedBy",
	p.drafted_at AS "draftedAt", p.published, v.published_at AS "publishedAt", v.cedar AS "liveCedar",
	v.statements AS "liveStatements", v.published_by AS "publishedBy", v.cedar IS DISTINCT FROM p.draft AS changed, p.retired_at AS retired, p.version,
	p.created_at AS "createdAt", p.updated_at AS "updatedAt",
	coalesce((SELECT jsonb_agg(jsonb_build_object('by', r.subject_id, 'verdict', r.verdict, 'at', r.reviewed_at) ORDER BY r.reviewed_at, r.subject_id) FROM policy_review r
		WHERE r.tenant_id = p.tenant_id AND r.policy_id = p.policy_id AND r.revision = p.revision), '[]') AS reviews`
const FROM = sql`policy p LEFT JOIN policy_version v ON v.tenant_id = p.tenant_id AND v.policy_id = p.policy_id AND v.number = p.published
	LEFT JOIN bank b ON b.tenant_id = p.tenant_id AND b.bank_id = p.bank_id`

const toPolicy = ({
	site,
	bank,
	siteOfBank,
	areaOfBank,
	statements,
	published,
	publishedAt,
	liveCedar,
	liveStatements,
	publishedBy,
	retired,
	...row
}: PolicyRow): Policy => ({
	...row,
	scope: { ...(site && { site }), ...(bank && { bank }) },
	place: { ...(site && { site }), ...(siteOfBank && { site: siteOfBank }), ...(areaOfBank && { area: areaOfBank }), ...(bank && { bank }) },
	live: liveCedar === null ? undefined : { cedar: liveCedar, statements: liveStatements ?? undefined, by: publishedBy ?? 'server' },
	statements: statements ?? undefined,
	published: published ?? undefined,
	publishedAt: publishedAt ?? undefined,
	retiredAt: retired ?? undefined,
})

export const listPolicies = async (db: Db): Promise<Policy[]> =>
	(await db.rows(sql<PolicyRow>`SELECT ${POLICY} FROM ${FROM} WHERE p.tenant_id = ${db.tenant} ORDER BY p.code`)).map(toPolicy)

export async function findPolicy(db: Db, id: Id<'policy'>, lock = false): Promise<Policy | undefined> {
	const row = await db.first(
		sql<PolicyRow>`SELECT ${POLICY} FROM ${FROM} WHERE p.tenant_id = ${db.tenant} AND p.policy_id = ${id} ${lock ? sql`FOR UPDATE OF p` : sql``}`,
	)
	return row && toPolicy(row)
}

/** Where somebody reads policies: the scopes of their roles, and these as places. */
export interface Sight {
	readonly scopes: readonly Scope[]
	readonly places: readonly Place[]
}

export async function sightOf(db: Db, caller: Caller): Promise<Sight> {
	const scopes = scopesOf(caller, 'policy.read')
	const places: Place[] = []
	for (const scope of scopes) {
		const place = await placeOfScope(db, scope)
		if (place) places.push(place)
	}
	return { scopes, places }
}

/** `all`: they read policies there. `around`: it is about more than the places where they do, and decides at these, too. Undefined: it is elsewhere. */
export function reachOf({ scopes, places }: Sight, at: Place): 'all' | 'around' | undefined {
	if (scopes.some((scope) => covers(scope, at))) return 'all'
	const around = places.some(({ site, area, bank }) => (at.bank ?? bank) === bank && (at.area ?? area) === area && (at.site ?? site) === site)
	return around ? 'around' : undefined
}

/**
 * The policy as they may see it. Of one around their places that is the text in force, as if there were no draft: what others think of is theirs until it
 * decides. Undefined: nothing of it.
 */
export function asSeen(policy: Policy, sight: Sight): Policy | undefined {
	const reach = reachOf(sight, policy.place)
	if (reach !== 'around') return reach && policy
	const { live, publishedAt, retiredAt } = policy
	if (!live || publishedAt === undefined || retiredAt !== undefined) return undefined
	const { cedar, statements, by } = live
	return { ...policy, draft: cedar, statements, draftedBy: by, draftedAt: publishedAt, reviews: [], changed: false }
}

/** Throws `not-found`, or `not-permitted` for one of which they may see nothing. */
export async function seenPolicy(db: Db, caller: Caller, id: Id<'policy'>): Promise<Policy> {
	const known = await findPolicy(db, id)
	if (!known) throw new Fault('not-found', 'There is no such policy.')
	const seen = asSeen(known, await sightOf(db, caller))
	if (!seen) throw readsElsewhere()
	return seen
}

export const readsElsewhere = () =>
	new Fault('not-permitted', 'This needs the permission policy.read at this place.', { detail: { permission: 'policy.read' } })

export interface PolicyVersion {
	readonly number: number
	readonly cedar: string
	readonly statements: readonly PolicyStatement[] | null
	readonly publishedAt: number
	readonly publishedBy: string
	readonly reviewedBy: string | null
	readonly returnedTo: number | null
}

/** Newest first. */
export const policyVersions = (db: Db, id: Id<'policy'>): Promise<PolicyVersion[]> =>
	db.rows(sql<PolicyVersion>`SELECT number, cedar, statements, published_at AS "publishedAt", published_by AS "publishedBy", reviewed_by AS "reviewedBy",
		returned_to AS "returnedTo" FROM policy_version WHERE tenant_id = ${db.tenant} AND policy_id = ${id} ORDER BY number DESC`)

/** What is in force, as a bundle takes it; `version` grows with every change of it. */
export async function policySetsOf(db: Db): Promise<{ version: number; sets: PolicySet[] }> {
	const rows = await db.rows(sql<{ id: string; cedar: string; site: Id<'site'> | null; bank: Id<'bank'> | null }>`
		SELECT p.code AS id, v.cedar, p.site_id AS site, p.bank_id AS bank FROM policy p
		JOIN policy_version v ON v.tenant_id = p.tenant_id AND v.policy_id = p.policy_id AND v.number = p.published
		WHERE p.tenant_id = ${db.tenant} AND p.retired_at IS NULL ORDER BY p.code`)
	const epoch = await db.first(sql<{ epoch: number }>`SELECT epoch FROM policy_epoch WHERE tenant_id = ${db.tenant}`)
	return {
		version: epoch?.epoch ?? 0,
		sets: rows.map(({ id, cedar, site, bank }) => ({
			id,
			cedar,
			...((site || bank) && { scope: { ...(site && { site }), ...(bank && { bank }) } }),
		})),
	}
}

/** The draft as a set: what would be in force if it were published. */
export const draftSet = ({ code, draft, scope }: Pick<Policy, 'code' | 'draft' | 'scope'>): PolicySet => ({
	id: code,
	cedar: draft,
	...((scope.site || scope.bank) && { scope }),
})
