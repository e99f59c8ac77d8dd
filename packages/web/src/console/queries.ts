import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { get, query, send } from './api.ts'
import type {
	Approval,
	Asset,
	AssetType,
	Bank,
	BankMap,
	Case,
	CaseDetail,
	Checkpoint,
	Conflict,
	Controller,
	Credential,
	Decision,
	Group,
	LedgerEvent,
	LedgerRecord,
	Me,
	OneTimeCode,
	Opener,
	Overview,
	OwnDecision,
	OwnOpening,
	Page,
	PermissionWords,
	Person,
	PinGuessing,
	Policy,
	PolicyCheck,
	PolicyVersion,
	Qualification,
	Reach,
	Role,
	RoleAssignment,
	SettingsHere,
	Site,
	SiteKey,
	Task,
} from './shapes.ts'

/** What is asked of the API, by names that the feed of events can call (live.ts): `bank/ID`, `history/ID`, `case/…`, `people/…`, `overview`, `tasks`. */
export const mine = queryOptions({ queryKey: ['me'], queryFn: ({ signal }) => get<Me>('/v1/me', signal) })

export const overviewNow = queryOptions({ queryKey: ['overview'], queryFn: ({ signal }) => get<Overview>('/v1/overview', signal) })

/** A tenant has few sites and banks beside its doors, so they are read whole. */
export const allSites = queryOptions({ queryKey: ['estate', 'sites'], queryFn: ({ signal }) => everything<Site>('/v1/sites', signal) })
export const allBanks = queryOptions({ queryKey: ['estate', 'banks'], queryFn: ({ signal }) => everything<Bank>('/v1/banks', signal) })
export const allGroups = queryOptions({ queryKey: ['people', 'groups'], queryFn: ({ signal }) => everything<Group>('/v1/groups', signal) })

export const bankMap = (bank: string) =>
	queryOptions({ queryKey: ['bank', bank, 'map'], queryFn: ({ signal }) => get<BankMap>(`/v1/banks/${bank}/map`, signal) })
/** Which number stands on which compartment: it does not change with what happens there, so a list may ask for it. */
export const bankDoors = (bank: string | undefined) =>
	queryOptions({
		queryKey: ['estate', 'doors', bank],
		queryFn: async ({ signal }) =>
			new Map((await get<BankMap>(`/v1/banks/${bank}/map`, signal)).doors.map(({ compartment, number }) => [compartment, number] as const)),
		enabled: bank !== undefined,
		staleTime: 300_000,
	})
export const bankCases = (bank: string) =>
	queryOptions({
		queryKey: ['case', 'of-bank', bank],
		queryFn: ({ signal }) => get<Page<Case>>(`/v1/cases${query({ bank, open: true, limit: 200 })}`, signal),
	})
export const bankAssets = (bank: string) =>
	queryOptions({
		queryKey: ['estate', 'assets', bank],
		queryFn: ({ signal }) => get<Page<Asset>>(`/v1/assets${query({ bank, limit: 200 })}`, signal),
	})
export const oneAsset = (id: string | undefined) =>
	queryOptions({
		queryKey: ['estate', 'asset', id],
		queryFn: ({ signal }) => get<Asset>(`/v1/assets/${id}`, signal),
		enabled: id?.startsWith('ast_') ?? false,
		staleTime: 300_000,
	})
export const bankEvents = (bank: string) =>
	queryOptions({
		queryKey: ['history', bank],
		queryFn: ({ signal }) => get<Page<LedgerEvent>>(`/v1/events${query({ bank, order: 'falling', limit: 100 })}`, signal),
	})

export const controllersOf = (bank: string) =>
	queryOptions({
		queryKey: ['estate', 'controllers', bank],
		queryFn: ({ signal }) => get<Page<Controller>>(`/v1/controllers${query({ bank })}`, signal),
		staleTime: 30_000,
	})

export interface CaseFilter {
	readonly workflow?: string | undefined
	readonly state?: string | undefined
	readonly bank?: string | undefined
	readonly owner?: string | undefined
	readonly open?: boolean | undefined
	readonly conflict?: boolean | undefined
	readonly find?: string | undefined
}
export const caseList = (filter: CaseFilter, cursor?: string, limit = 50) => get<Page<Case>>(`/v1/cases${query({ ...filter, cursor, limit })}`)
export const oneCase = (id: string) =>
	queryOptions({ queryKey: ['case', id, 'detail'], queryFn: ({ signal }) => get<CaseDetail>(`/v1/cases/${id}`, signal) })
export const caseTimeline = (id: string) =>
	queryOptions({
		queryKey: ['case', id, 'timeline'],
		queryFn: ({ signal }) => get<{ items: LedgerRecord[]; whole: boolean }>(`/v1/cases/${id}/timeline`, signal),
	})
export const caseTasks = (id: string) =>
	queryOptions({ queryKey: ['tasks', id], queryFn: ({ signal }) => get<Page<Task>>(`/v1/tasks${query({ case: id, open: true })}`, signal) })

export const conflictList = (filter: { readonly open: boolean; readonly bank?: string | undefined }, cursor?: string) =>
	get<Page<Conflict>>(`/v1/conflicts${query({ ...filter, cursor, limit: 50 })}`)

export const peopleFound = (search: string, limit = 50) =>
	queryOptions({
		queryKey: ['people', 'found', search, limit],
		queryFn: ({ signal }) => get<Page<Person>>(`/v1/users${query({ search, limit })}`, signal),
	})
export const rolesOf = (of: { readonly user: string } | { readonly group: string }) =>
	queryOptions({
		queryKey: ['people', 'roles', of],
		queryFn: ({ signal }) => get<Page<RoleAssignment>>(`/v1/role-assignments${query({ ...of, limit: 200 })}`, signal),
	})
export const allRoles = queryOptions({
	queryKey: ['people', 'roles'],
	queryFn: ({ signal }) => everything<Role>('/v1/roles', signal),
	staleTime: 60_000,
})
/** Who holds a role, where. */
export const holdersOf = (role: string) =>
	queryOptions({
		queryKey: ['people', 'holders', role],
		queryFn: ({ signal }) => everything<RoleAssignment>('/v1/role-assignments', signal, { role }),
	})
export const allPermissions = queryOptions({
	queryKey: ['permissions'],
	queryFn: ({ signal }) => everything<PermissionWords>('/v1/permissions', signal),
	staleTime: 3_600_000,
})
export const onePerson = (id: string) =>
	queryOptions({ queryKey: ['people', 'one', id], queryFn: ({ signal }) => get<Person>(`/v1/users/${id}`, signal) })
export const credentialsOf = (user: string) =>
	queryOptions({
		queryKey: ['people', 'credentials', user],
		queryFn: ({ signal }) => get<Page<Credential>>(`/v1/credentials${query({ user, limit: 200 })}`, signal),
	})
export const oneTimeCodesOf = (user: string) =>
	queryOptions({
		queryKey: ['people', 'one-time-codes', user],
		queryFn: ({ signal }) => get<Page<OneTimeCode>>(`/v1/one-time-codes${query({ user, limit: 200 })}`, signal),
	})
/** One's own. */
export const ownCredentials = queryOptions({
	queryKey: ['people', 'own-credentials'],
	queryFn: ({ signal }) => get<Page<Credential>>('/v1/me/credentials?limit=200', signal),
})

/** One's own, in pages. */
const ownPages = <T>(name: string) =>
	infiniteQueryOptions({
		queryKey: ['own', name],
		queryFn: ({ pageParam, signal }) => get<Page<T>>(`/v1/me/${name}${query({ limit: 20, cursor: pageParam })}`, signal),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: ({ next }) => next,
	})
export const ownDecisions = ownPages<OwnDecision>('decisions')
export const ownOpenings = ownPages<OwnOpening>('openings')

export const qualificationsOf = (user: string) =>
	queryOptions({
		queryKey: ['people', 'qualifications', user],
		queryFn: ({ signal }) => get<Page<Qualification>>(`/v1/users/${user}/qualifications?limit=200`, signal),
	})
export const approvalsOf = (user: string) =>
	queryOptions({
		queryKey: ['people', 'approvals', user],
		queryFn: ({ signal }) => get<Page<Approval>>(`/v1/approvals${query({ user, limit: 200 })}`, signal),
	})

export const newestCheckpoint = queryOptions({
	queryKey: ['checkpoint'],
	queryFn: ({ signal }) => get<Page<Checkpoint>>('/v1/audit/checkpoints?limit=1', signal),
})

async function everything<T>(path: string, signal: AbortSignal, filter: Readonly<Record<string, string>> = {}): Promise<readonly T[]> {
	const all: T[] = []
	let cursor: string | undefined
	do {
		const page: Page<T> = await get<Page<T>>(`${path}${query({ ...filter, limit: 200, cursor })}`, signal)
		all.push(...page.items)
		cursor = page.next
	} while (cursor !== undefined)
	return all
}

/** An organisation has few policies, so they are read whole. */
export const allPolicies = queryOptions({ queryKey: ['policies', 'all'], queryFn: ({ signal }) => everything<Policy>('/v1/policies', signal) })
export const policyVersions = (policy: string) =>
	queryOptions({
		queryKey: ['policies', 'versions', policy],
		queryFn: ({ signal }) => get<Page<PolicyVersion>>(`/v1/policies/${policy}/versions?limit=200`, signal),
	})
/** What is wrong with a text of a policy, its draft or an earlier one, and what it would do, or what it would do if nothing of the policy were left; of one text it is asked once. */
export const policyCheck = ({ id, version }: Policy, text: { readonly draft: string } | { readonly without: true }) =>
	queryOptions({
		queryKey: ['policies', 'check', id, version, text],
		queryFn: () => send<PolicyCheck>('POST', '/v1/policy-checks', { policy: id, ...text }),
		staleTime: 60_000,
	})
export const allTypes = queryOptions({ queryKey: ['estate', 'types'], queryFn: ({ signal }) => everything<AssetType>('/v1/asset-types', signal) })
export interface DecisionFilter {
	readonly bank?: string | undefined
	readonly user?: string | undefined
	readonly effect?: string | undefined
}
export const decisionList = (filter: DecisionFilter, cursor?: string) =>
	get<Page<Decision>>(`/v1/decisions${query({ ...filter, cursor, limit: 50 })}`)
export const openersOf = (compartment: string) =>
	queryOptions({
		queryKey: ['policies', 'openers', compartment],
		queryFn: ({ signal }) => get<Page<Opener>>(`/v1/compartments/${compartment}/openers?limit=200`, signal),
	})
export const reachOf = (user: string) =>
	queryOptions({
		queryKey: ['policies', 'reach', user],
		queryFn: ({ signal }) => get<Page<Reach>>(`/v1/users/${user}/reach?limit=200`, signal),
	})

export const credentialList = (cursor?: string, limit = 50) => get<Page<Credential>>(`/v1/credentials${query({ cursor, limit })}`)
export const pinGuessing = queryOptions({ queryKey: ['pin-guessing'], queryFn: ({ signal }) => get<PinGuessing>('/v1/pin-guessing', signal) })
export const siteKey = (site: string) =>
	queryOptions({ queryKey: ['site', site, 'key'], queryFn: ({ signal }) => get<SiteKey>(`/v1/sites/${site}/key`, signal) })
export const siteSettings = (site: string) =>
	queryOptions({ queryKey: ['site', site, 'settings'], queryFn: ({ signal }) => get<SettingsHere>(`/v1/settings${query({ site })}`, signal) })
export const settingsHere = queryOptions({ queryKey: ['settings'], queryFn: ({ signal }) => get<SettingsHere>('/v1/settings', signal) })
