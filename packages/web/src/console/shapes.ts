import type { PolicyStatement } from '@latchwork/core/access'
import type { BankLayout } from '@latchwork/core/wire'

/** What the console reads of the API's records; `/openapi.json` has the whole. */
export interface Page<T> {
	readonly items: readonly T[]
	readonly next?: string
}

export interface Me {
	readonly user: string
	readonly name: string | null
	readonly tenant: { readonly id: string; readonly name: string }
	readonly holdings: readonly {
		readonly scope: { readonly kind: 'tenant' | 'site' | 'area' | 'bank'; readonly id?: string }
		readonly permissions: readonly string[]
	}[]
}

interface Recorded {
	readonly id: string
	readonly version: number
	readonly createdAt: string
	readonly updatedAt: string
}

export interface Site extends Recorded {
	readonly name: string
	readonly timeZone: string
}

export type Outage = 'none' | 'raw' | 'confirmed'

export interface BankLive {
	readonly online: boolean
	readonly seenAt?: string
	readonly outage: Outage
	readonly outageSince?: string
	readonly boards: readonly Part[]
	readonly readers: readonly Part[]
	readonly storage: 'good' | 'low'
	readonly clock: 'good' | 'uncertain'
	readonly historyLost: boolean
	readonly tampered: boolean
}
interface Part {
	readonly name: string
	readonly up: boolean
	readonly since: string
}

export interface Bank extends Recorded {
	readonly site: string
	readonly area?: string
	readonly name: string
	readonly layout: BankLayout
	readonly live: BankLive
}

export interface DoorLive {
	readonly door: 'open' | 'closed' | 'unknown'
	readonly alarm?: 'forced' | 'opened-while-down' | 'opened-late' | 'left-open' | 'stuck'
	readonly sensor: 'reliable' | 'unreliable'
	readonly session?: { readonly id: string; readonly state: 'releasing' | 'opened' | 'closed'; readonly act: string; readonly by: string }
	readonly allocation: 'available' | 'reserved' | 'in-use' | 'occupied' | 'pending-inspection' | 'quarantined' | 'out-of-service'
	readonly why?: string
	readonly reservedFor?: string
	readonly content: 'empty' | 'item' | 'unknown'
	readonly asset?: string
	readonly since: string
}

export interface MapDoor {
	readonly compartment: string
	readonly number: number
	readonly size: 'S' | 'M' | 'L' | 'XL'
	readonly accessible: boolean
	readonly powered: boolean
	readonly wired: boolean
	readonly service: { readonly state: 'in-service' } | { readonly state: 'out-of-service'; readonly reason: string }
	readonly live: DoorLive
}

export interface BankMap {
	readonly bank: { readonly id: string; readonly site: string; readonly name: string; readonly timeZone: string }
	readonly layout: BankLayout
	readonly live: BankLive
	readonly doors: readonly MapDoor[]
}

export interface Line {
	readonly id: string
	readonly state: string
	readonly label?: string
	readonly tag?: string
	readonly size?: string
	readonly asset?: string
	readonly compartment?: string
	readonly custodian: string
	readonly evidence?: number
	readonly unverified: boolean
}

export interface Case extends Recorded {
	readonly number: string
	readonly workflow: string
	readonly state: string
	readonly site: string
	readonly bank: string
	readonly label: string
	readonly owner?: string
	readonly lines: readonly Line[]
	readonly deadlines: Readonly<Record<string, string>>
	readonly dueAt?: string
	readonly atBank: boolean
	readonly recalledAt?: string
	readonly conflict?: string
	readonly openedAt: string
	readonly endedAt?: string
}

export interface CaseDetail extends Case {
	readonly notices: readonly { readonly id: string; readonly kind: string; readonly dueAt: string }[]
	readonly codes: readonly {
		readonly id: string
		readonly state: 'live' | 'used' | 'revoked' | 'expired'
		readonly notAfter: string
		readonly usedAt?: string
		/** Who collects with it in the recipient's place, masked. */
		readonly delegate?: string
	}[]
	readonly recipient?: { readonly name?: string; readonly email?: string; readonly phone?: string }
}

/** One entry of the ledger, as a timeline shows it. */
export interface LedgerRecord {
	readonly position: number
	readonly type: string
	readonly subject: string
	readonly actor?: string
	readonly at: string
	readonly bank?: string
	/** Another bank said this of the case; it changed nothing. */
	readonly foreign?: true
	readonly offline?: boolean
	readonly data: Readonly<Record<string, unknown>>
}

export interface Task {
	readonly id: string
	readonly kind: string
	readonly site: string
	readonly bank: string
	readonly compartment?: string
	readonly case?: string
	readonly detail: Readonly<Record<string, unknown>>
	readonly openedAt: string
	readonly doneAt?: string
}

export interface BankSpace {
	readonly bank: string
	readonly name: string
	readonly site: string
	readonly siteName: string
	readonly timeZone: string
	readonly compartments: number
	readonly free: number
	readonly open: number
	readonly alarms: number
	readonly toCheck: number
	readonly unknown: number
	readonly silentBoards: readonly string[]
	readonly silentReaders: readonly string[]
	readonly noBoards: boolean
	readonly storage: BankLive['storage']
	readonly historyLost: boolean
	readonly tampered: boolean
	readonly online: boolean
	readonly seenAt?: string
	readonly outage: Outage
	readonly outageSince?: string
}

/** A door that a person must see to though no open task says so. */
export interface StandingDoor {
	readonly compartment: string
	readonly door: number
	readonly bank: string
	readonly bankName: string
	readonly alarm: NonNullable<DoorLive['alarm']>
	readonly open: boolean
	readonly since: string
}

export interface Overview {
	readonly at: string
	readonly approvals: readonly {
		readonly command: string
		readonly bank: string
		readonly bankName: string
		readonly door: number
		readonly reason: string
		readonly by: string
		readonly expiresAt: string
	}[]
	readonly tasks: readonly (Task & { readonly bankName: string; readonly door?: number; readonly caseNumber?: string })[]
	readonly doors: readonly StandingDoor[]
	readonly banks: readonly BankSpace[]
	readonly counts: {
		readonly tasks: number
		readonly doors: number
		readonly cases: number
		readonly overdueLoans: number
		readonly conflicts: number
		readonly doorsToday: number
		readonly settledAtBanks: number
	}
	readonly outages: readonly OutageSpan[]
	readonly doorsPerHour: readonly number[]
}

/** A time in which a bank was not heard. */
export interface OutageSpan {
	readonly bank: string
	readonly from: string
	readonly to?: string
	readonly confirmed: boolean
}

export interface Person extends Recorded {
	readonly name: string | null
	readonly email?: string
	readonly phone?: string
	readonly suspended: boolean
	/** Left out: as the settings say. */
	readonly maxLoans?: number
	/** Of a bank that is cut off; left out: as the site says. */
	readonly offlineMinutes?: number
	readonly groups: readonly string[]
	readonly erasedAt?: string
}

export interface Role {
	readonly id: string
	readonly name: string
	readonly permissions: readonly string[]
	readonly builtIn: boolean
	readonly version: number
}

export interface RoleAssignment {
	readonly id: string
	readonly role: string
	readonly user?: string
	readonly group?: string
	readonly scope: { readonly kind: 'tenant' | 'site' | 'area' | 'bank'; readonly id?: string }
	readonly until?: string
}

export interface Group extends Recorded {
	readonly code: string
	readonly name: string
	readonly members: number
}

export interface Credential extends Recorded {
	readonly user: string
	readonly kind: 'badge' | 'pin'
	readonly assurance: 'low' | 'medium' | 'high'
	readonly site?: string
	readonly notAfter?: string
	readonly revokedAt?: string
	readonly lostAt?: string
	readonly pin?: string
}

export interface OneTimeCode {
	readonly id: string
	readonly user: string
	readonly site: string
	readonly bank: string
	readonly notBefore: string
	readonly notAfter: string
	readonly state: 'ahead' | 'live' | 'used' | 'expired' | 'withdrawn'
}

export interface Asset extends Recorded {
	readonly tag: string
	readonly name: string
	readonly kind: string
	readonly condition: string
}

export interface Command {
	readonly id: string
	readonly state: 'awaiting-approval' | 'requested' | 'sent' | 'accepted' | 'refused' | 'done' | 'failed' | 'expired'
	readonly code?: string
	readonly doorSession?: string
	readonly end?: string
	readonly expiresAt: string
}

/** A CloudEvent of the ledger. */
export interface LedgerEvent {
	readonly id: string
	readonly type: string
	readonly subject: string
	readonly time: string
	readonly sequence: string
	readonly siteid?: string
	readonly bankid?: string
	readonly actor?: string
	readonly offline?: boolean
	readonly data: Readonly<Record<string, unknown>>
}

export interface EventProof {
	readonly position: number
	readonly size: number
	readonly entry: string
	readonly proof: readonly string[]
	readonly checkpoint: string
}

export interface Checkpoint {
	readonly number: number
	readonly size: number
	readonly signedAt: string
}

export interface Controller extends Recorded {
	readonly bank: string
	readonly name: string
	readonly state: 'waiting' | 'enrolled' | 'revoked'
	readonly certificate?: { readonly until: string }
	readonly live: { readonly online: boolean; readonly software?: string; readonly storageLevel?: 'L0' | 'L1' }
}

/** A bank of a site, and whether it goes by the site's present key. */
export interface KeyAtBank {
	readonly bank: string
	readonly name: string
	readonly state: 'has' | 'waits' | 'none'
	readonly online: boolean
	readonly seenAt?: string
	readonly storageLevel?: 'L0' | 'L1'
}
export interface SiteKey {
	readonly since?: string
	readonly pins: number
	readonly banks: readonly KeyAtBank[]
}

/** Core's own shape: the server validates by the same schema. */
export type { PolicyStatement } from '@latchwork/core/access'

export interface Policy extends Recorded {
	readonly code: string
	readonly name: string
	readonly site?: string
	readonly bank?: string
	readonly draft: string
	readonly statements?: readonly PolicyStatement[]
	readonly draftedBy: string
	readonly draftedAt: string
	readonly reviews: readonly { readonly by: string; readonly verdict: 'approved' | 'rejected'; readonly at: string }[]
	readonly published?: number
	readonly publishedAt?: string
	readonly changed: boolean
	readonly retiredAt?: string
}

export interface PolicyVersion {
	readonly number: number
	readonly cedar: string
	readonly statements?: readonly PolicyStatement[]
	readonly publishedAt: string
	readonly publishedBy: string
	readonly reviewedBy?: string
	readonly returnedTo?: number
}

export interface PolicyCheck {
	readonly cedar: string
	readonly problem?: { readonly line: number; readonly column: number; readonly text: string }
	readonly warnings: readonly {
		readonly code: 'denies-everybody' | 'opens-everything' | 'never-applies' | 'unknown-name'
		readonly text: string
		readonly line?: number
	}[]
}

export interface Outcome {
	readonly effect: 'allow' | 'deny'
	readonly reason?: string
	readonly until?: string
	readonly rules: readonly { readonly rule: string; readonly policy?: string; readonly line?: number; readonly statement?: number }[]
	readonly instead: readonly { readonly change: 'second-factor' | 'online' | 'loans' | 'overdue' | 'time'; readonly at?: string }[]
}

export type Action = 'collect' | 'deposit' | 'service' | 'open-remote'

export interface Decision {
	readonly id: string
	readonly position: number
	readonly at: string
	readonly bank: string
	readonly user?: string
	readonly effect: 'allow' | 'deny'
	readonly reason?: string
	readonly rules: readonly string[]
	readonly method: string
	readonly offline: boolean
	readonly stale: boolean
	readonly action?: Action
	readonly asset?: string
	readonly compartment?: string
	readonly case?: string
}

/** What somebody sees of their own without any role: places come with their names. */
interface OwnPlace {
	readonly bank: string
	readonly site: string
	readonly timeZone: string
}
export interface OwnDecision extends Decision {
	readonly place?: OwnPlace
	readonly door?: number
	readonly thing?: string
	/** Of what was refused: what the bank would say now. */
	readonly now?: Outcome
}
export interface OwnOpening {
	readonly command: string
	readonly at: string
	readonly place: OwnPlace
	readonly door?: number
	readonly case: { readonly number: string; readonly label: string }
	readonly reason?: string
	readonly roles?: readonly string[]
	readonly agreed: 'second-person' | 'owner-on-phone' | 'emergency' | 'nobody'
	readonly secondRoles?: readonly string[]
	readonly state: 'requested' | 'sent' | 'accepted' | 'refused' | 'done' | 'failed' | 'expired'
}

export interface PolicyReplay {
	readonly decisions: number
	readonly same: number
	readonly nowDenied: { readonly times: number; readonly people: number }
	readonly nowAllowed: { readonly times: number; readonly people: number }
	readonly gone: number
	readonly untold: number
	readonly banks: number
	readonly banksLeftOut: number
	readonly decisionsLeftOut: number
	readonly changes: readonly { readonly decision: Decision; readonly before: string; readonly after: string }[]
}

export type Opener =
	| { readonly kind: 'person'; readonly user: string; readonly action: Action; readonly method: string; readonly rules: readonly string[] }
	| {
			readonly kind: 'code'
			readonly code: string
			readonly case: string
			readonly for: 'recipient' | 'delegate'
			readonly hint?: string
			readonly until: string
			readonly rules: readonly string[]
	  }

export interface Reach {
	readonly bank: string
	readonly action: Action
	readonly type?: string
	readonly own?: true
	readonly doors?: readonly number[]
	readonly tags?: readonly string[]
	readonly effect: 'allow' | 'deny'
	readonly reason?: string
	readonly method?: string
	readonly missing?: string
	readonly outcome: Outcome
}

export interface AssetType extends Recorded {
	readonly code: string
	readonly name: string
}

export interface PermissionWords {
	readonly permission: string
	readonly words: string
}

export interface Conflict extends Task {
	readonly rule: 'case-follows-bank' | 'opening-stands' | 'pick-up-stands' | 'loan-stands' | 'custody-kept' | 'nothing-changed' | 'kept-aside'
	readonly here?: { readonly state: string; readonly version: number }
	readonly record?: { readonly stream: string; readonly seq: number }
	readonly doneHow?: string
	readonly doneBy?: string
}

export interface Qualification {
	readonly code: string
	readonly until?: string
}

export interface Approval {
	readonly id: string
	readonly user: string
	readonly type: string
	readonly until: string
	readonly givenBy: string
}

/** What a kiosk was asked for a badge. */
export interface BadgeRead {
	readonly command: Command
	readonly reading?: { readonly number: string; readonly family: string; readonly secure: boolean }
}

export interface BadgeForm {
	readonly notation: 'hex' | 'decimal' | 'pair' | 'joined' | 'number'
	readonly reversed: boolean
	readonly parity: boolean
}
export interface BadgeForms {
	readonly bitCount: number
	readonly forms: readonly (BadgeForm & { readonly text: string })[]
}

/** What five cards taught about a list, and what it would give, or gave. */
export interface MatchedBadgeList {
	readonly mapping: BadgeForm & { readonly bitCount: number; readonly facility?: string }
	readonly lines: number
	readonly matched: number
	readonly left: {
		readonly unknownPerson: number
		readonly unreadable: number
		readonly taken: number
		readonly twice: number
		readonly present: number
	}
	readonly examples: readonly { readonly line: number; readonly person: string; readonly listed: string; readonly why: string }[]
	readonly undecided: readonly string[]
}

/** The chances of somebody who guesses PINs and codes. */
export interface PinGuessing {
	readonly highest: number
	readonly highestAtSite: number
	readonly highestInAll: number
	readonly organisation: { readonly wrongADay: number; readonly chance: number }
	readonly sites: readonly {
		readonly site: string
		readonly pins: number
		readonly digits: number
		readonly wrongADay: number
		readonly chance: number
		readonly restsUntil?: string
		readonly kiosks: readonly { readonly bank: string; readonly codes: number; readonly wrongADay: number; readonly chance: number }[]
	}[]
}

/** Of the organisation. */
export interface SettingsHere {
	readonly version: number
	readonly settings: Readonly<Record<string, unknown>>
	/** Which level set each of them. */
	readonly setBy: Readonly<Record<string, string>>
}
