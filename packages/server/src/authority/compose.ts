import { type Bundle, type DeltaMark, loansElsewhere, type PolicySet, type Schedule } from '@latchwork/core/access'
import { type Crypto, canonicalBytes, type Id, toHex } from '@latchwork/core/base'
import type { LoadedTable } from '@latchwork/core/workflow'
import type { Asset } from '../assets/index.ts'
import { bankTables } from '../cases/index.ts'
import type { Bank, Compartment, DoorRow, Site } from '../estate/index.ts'
import type { Settings } from '../tenants/index.ts'
import { entitled } from './entitled.ts'

/** All that the domains say about one bank, read in one transaction. */
export interface BundleRows {
	readonly tenant: Id<'tenant'>
	readonly site: Site
	readonly bank: Bank
	readonly compartments: readonly Compartment[]
	readonly doors: readonly DoorRow[]
	readonly settings: Settings
	readonly people: SitePeople
	readonly loans: OpenLoans
	/** Who may open doors of this bank from afar. */
	readonly openers: ReadonlySet<string>
	readonly policies: { readonly version: number; readonly sets: readonly PolicySet[] }
	/** All that these told is in the rows. */
	readonly deltas: DeltaMark & {
		readonly told: readonly string[]
		/** The newest of them that counted loans. */
		readonly counted: number
	}
	/** The newest of the bank's own deltas about people, all of which is in the rows; 0 for a controller that does not take them. */
	readonly told: number
	readonly assets: readonly Asset[]
	readonly cases: Pick<Bundle, 'cases' | 'codes'> & {
		readonly tables: readonly LoadedTable[]
		readonly revoked: readonly string[]
		readonly digits: number
	}
	/** Whom an open case, or something in their hands, binds to this bank: their rows stay, whatever rights they lost meanwhile (decision 0005). */
	readonly bound: ReadonlySet<string>
}

/** Who may be known at the banks of a site; the same for all of them. */
export interface SitePeople {
	readonly subjects: readonly {
		readonly id: Id<'subject'>
		readonly groups: readonly string[]
		readonly suspended: boolean
		readonly maxLoans: number | undefined
		readonly offlineMinutes?: number | undefined
		readonly commitment: string
		readonly qualifications?: readonly { readonly code: string; readonly until?: number }[]
	}[]
	/** Who may take what because others let them, by person. */
	readonly approvals?: ReadonlyMap<string, readonly { readonly type: string; readonly until: number }[]>
	readonly credentials: readonly (Bundle['credentials'][number] & { readonly lost?: boolean })[]
	/** One-time codes that were taken back and have not run out. */
	readonly withdrawn?: readonly { readonly id: string; readonly subject: string; readonly bank: string }[]
	/** Revoked and expired credentials, ever. */
	readonly revoked: readonly string[]
	/** Names the key of the verifiers, where it is another than that of the enrolments. */
	readonly siteKey?: string | undefined
}

/** What people have on loan anywhere in the organisation: all of it, and of it at which bank. Who has nothing is not in it. */
export type OpenLoans = ReadonlyMap<string, { readonly loans: number; readonly at: Readonly<Record<Id<'bank'>, number>> }>

/** Nobody's own group has a dot in its code. */
const OPENERS = 'latchwork.openers'
/** A role of the organisation lets somebody open from afar; site policies may still forbid it. */
const FROM_AFAR: PolicySet = {
	id: 'latchwork.openers',
	cedar: `@id("role-opens-from-afar")
permit (principal in Latchwork::Group::"${OPENERS}", action == Latchwork::Action::"open-remote", resource is Latchwork::Compartment);
`,
}

/** A bundle without version and times: two that are equal need not be sent again. */
export type BundleContent = Omit<Bundle, 'format' | 'version' | 'issuedAt' | 'staleAt' | 'expiresAt'>

type PeopleHere = Pick<BundleRows, 'people' | 'loans' | 'openers' | 'policies' | 'bound'> & {
	readonly site: Pick<Site, 'id'>
	readonly bank: Pick<Bank, 'id'>
	readonly settings: Pick<Settings, 'maxLoans'>
}

const setsAt = ({ site, bank, policies, openers }: PeopleHere): PolicySet[] => [
	...policies.sets.filter(({ scope }) => (scope?.site ?? site.id) === site.id && (scope?.bank ?? bank.id) === bank.id),
	...(openers.size > 0 ? [FROM_AFAR] : []),
]

/** What this bank is to know of these people: of all who may be known at the site, or of a few that are told alone. */
export function peopleAt(rows: PeopleHere): Pick<Bundle, 'subjects' | 'credentials'> & { readonly revoked: string[] } {
	const people = rows.people.subjects.map((one) => (rows.openers.has(one.id) ? { ...one, groups: [...one.groups, OPENERS] } : one))
	const known = entitled(people, setsAt(rows), rows.bound)
	const here = new Set(known.map(({ id }) => id))
	const credentials = rows.people.credentials.filter(({ subject }) => here.has(subject))
	return {
		subjects: known.map(({ id, groups, suspended, maxLoans, offlineMinutes, commitment, qualifications = [] }) => {
			const approvals = rows.people.approvals?.get(id) ?? []
			const elsewhere = loansElsewhere(rows.loans.get(id) ?? { loans: 0 }, rows.bank.id)
			return {
				id,
				groups: [...groups],
				...(suspended && { blocked: 'suspended' as const }),
				maxLoans: maxLoans ?? rows.settings.maxLoans,
				...(offlineMinutes !== undefined && { offlineFor: offlineMinutes * 60_000 }),
				...(elsewhere > 0 && { loansElsewhere: elsewhere }),
				...(qualifications.length > 0 && { qualifications: [...qualifications] }),
				...(approvals.length > 0 && { approvals: [...approvals] }),
				commitment,
			}
		}),
		credentials: credentials.map(({ id, kind, subject, verifier, commitment, assurance }) => ({
			id,
			kind,
			subject,
			verifier,
			commitment,
			assurance,
		})),
		// A bank is to know which badge somebody found; and a one-time code by its key alone, so it must be told that it was taken back.
		revoked: [
			...credentials.flatMap(({ id, lost }) => (lost ? [id] : [])),
			...(rows.people.withdrawn ?? []).flatMap(({ id, subject, bank }) => (bank === rows.bank.id && here.has(subject as Id<'subject'>) ? [id] : [])),
		],
	}
}

export function contentOf(rows: BundleRows, sha256: Crypto['sha256']): BundleContent {
	const { tenant, site, bank, settings } = rows
	const { subjects, credentials, revoked } = peopleAt(rows)
	const compartments = new Set(rows.compartments.map(({ id }) => id))
	return {
		tenant,
		site: { id: site.id, name: site.name, timeZone: site.timeZone },
		bank: {
			id: bank.id,
			name: bank.name,
			helpPhone: bank.helpPhone,
			layout: bank.layout,
			compartments: rows.compartments.map(({ id, number, size, accessible, outOfService }) => ({
				id,
				number,
				size,
				accessible,
				...(outOfService !== null && { outOfService: true as const }),
			})),
		},
		policies: { version: rows.policies.version, sets: setsAt(rows), schedules: schedulesOf(site) },
		groups: [...new Set(subjects.flatMap(({ groups }) => groups))].sort().map((id) => ({ id })),
		subjects,
		...(rows.people.siteKey !== undefined && { siteKey: rows.people.siteKey }),
		credentials,
		// A snapshot holds no row of what was revoked, so it names none, but for codes (of orders that are remembered, and for once) and badges that were reported lost; the epoch
		// says that something was.
		revoked: { epoch: rows.people.revoked.length, ids: [...rows.cases.revoked, ...revoked] },
		...(rows.deltas.n > 0 && { deltas: { n: rows.deltas.n, hash: rows.deltas.hash } }),
		...(rows.told > 0 && { people: rows.told }),
		assets: rows.assets.map(({ id, tag, kind, name, typeCode, valueClass, commitment }) => ({
			id,
			tag,
			kind,
			name,
			type: typeCode,
			valueClass,
			commitment,
		})),
		initialContents: contentsOf(rows).filter(({ compartment }) => compartments.has(compartment)),
		...(rows.cases.cases && rows.cases.cases.length > 0 && { cases: rows.cases.cases }),
		...(rows.cases.codes && rows.cases.codes.length > 0 && { codes: rows.cases.codes }),
		workflows: workflowsOf(rows.cases.tables, sha256),
		// Both parts of a code are typed one after the other: only their sum matters to a keypad.
		settings: { ...settingsOf(settings, site), ...(rows.cases.digits > 8 && { pickUpCode: { digits: 8, hint: rows.cases.digits - 8 } }) },
	}
}

function schedulesOf({ calendar, timeZone }: Site): Schedule[] {
	const closed = calendar.closures.map(({ from, to }) => ({ from, to }))
	return calendar.schedules.map(({ id, weekly }) => ({
		id,
		timeZone,
		weekly: weekly.map(({ days, from, to }) => ({ days: [...days], from, to })),
		...(closed.length > 0 && { closed }),
	}))
}

/** Only what a bundle may hold: the other settings are the server's own. */
function settingsOf(
	{ pinLength, wrongPinsPerDay, loanDue, leaseRequired, singleOpen, siteKeyInMemory }: Settings,
	{ calendar }: Site,
): Bundle['settings'] {
	const { openingHours } = calendar
	const level = siteKeyInMemory ? { siteKeyInMemory } : {}
	return { pinLength, wrongPinsPerDay, loanDue, leaseRequired, singleOpen, ...level, ...(openingHours !== undefined && { openingHours }) }
}

/**
 * What a controller that knows nothing yet is told of its compartments: the bank's own last word where it spoke before, else what people said.
 * A controller that has spoken ignores it.
 */
function contentsOf({ doors, assets }: BundleRows): Bundle['initialContents'] {
	const spoken = new Map(doors.filter((door) => door.stream !== null).map((door) => [door.id as string, door]))
	const known = new Set(assets.map(({ id }) => id as string))
	const told = [...spoken.values()].flatMap((door) =>
		door.content === 'item' && door.asset !== null && known.has(door.asset) ? [{ compartment: door.id, asset: door.asset as Id<'asset'> }] : [],
	)
	const lies = new Set(told.map(({ asset }) => asset))
	const placed = assets.flatMap(({ id, placedIn }) =>
		placedIn && !spoken.has(placedIn) && !lies.has(id) ? [{ compartment: placedIn, asset: id }] : [],
	)
	return [...told, ...placed].sort((a, b) => (a.compartment < b.compartment ? -1 : 1))
}

/** The tables by which a bank can begin a case by itself, and before them those that open cases began with: of two of one name the last is for new cases. */
function workflowsOf(tables: readonly LoadedTable[], sha256: Crypto['sha256']): Bundle['workflows'] {
	const standard = bankTables(sha256)
	const older = tables.filter(({ hash }) => !standard.some((one) => one.hash === hash))
	return [...older, ...standard].map(({ hash, ...table }) => ({
		name: table.name,
		tableHash: hash,
		table: JSON.parse(JSON.stringify(table)),
		settings: {},
	}))
}

/**
 * Whether a bank has to be told. What lies in its compartments it knows better itself, so a change of that alone is no news; what people said
 * about a thing's place is. That a delta was told to all changes the bundles only of those whom it concerns, and how many loans somebody has
 * elsewhere is told by deltas alone: a loan must not make a bundle for every bank. So is how far people were told of.
 */
export function contentDigest(content: BundleContent, rows: Pick<BundleRows, 'assets' | 'deltas'>, sha256: Crypto['sha256']): string {
	const placed = rows.assets.flatMap(({ id, placedIn }) => (placedIn ? [{ asset: id, compartment: placedIn }] : []))
	// Taken away, told, and given back before a bundle was made of it: the bank goes by the delta until a bundle says that it knows better.
	const told = new Set(rows.deltas.told)
	const back = content.subjects.some(({ id }) => told.has(id))
	const deltas = back ? rows.deltas.n : undefined
	const subjects = content.subjects.map(({ loansElsewhere: _, ...one }) => one)
	return toHex(sha256(canonicalBytes({ ...content, subjects, deltas, people: undefined, revoked: content.revoked.ids, initialContents: placed })))
}

export interface BundleTimes {
	readonly version: number
	readonly now: number
}

export function bundleOf(content: BundleContent, { staleAfterMinutes, expireAfterHours }: Settings, { version, now }: BundleTimes): Bundle {
	const issuedAt = Math.floor(now)
	const expiresAt = issuedAt + expireAfterHours * 3_600_000
	return {
		format: 'latchwork-bundle/1',
		...content,
		version,
		issuedAt,
		staleAt: Math.min(issuedAt + staleAfterMinutes * 60_000, expiresAt),
		expiresAt,
	}
}

const LONGEST_UNTOUCHED_MS = 12 * 3_600_000

/** A bundle is made anew long before it expires, so that a bank that loses its network then has nearly its whole life before it. */
export const refreshAt = ({ issuedAt, expiresAt }: Pick<Bundle, 'issuedAt' | 'expiresAt'>): number =>
	issuedAt + Math.min(LONGEST_UNTOUCHED_MS, Math.floor((expiresAt - issuedAt) / 6))
