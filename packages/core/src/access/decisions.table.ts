import type { DenyReason } from '../wire/index.ts'
import type { Assurance } from './bundle-schema.ts'
import type { AccessAction, Method, StorageLevel } from './decision.ts'
import type { SamplePerson } from './testing/sample-bundle.ts'

/**
 * What the bank of `testing/sample-bundle.ts` answers, as data (style.md rule 7): each row is run against the real policy engine.
 * Where a column is left out: Monday 5 January 2026, 10:00 at the site, by badge of low assurance, online, fresh authority, nothing out.
 */
export interface DecisionRow {
	readonly who: SamplePerson | 'stranger'
	/** It waits there for them. */
	readonly own?: true
	readonly does: AccessAction
	readonly what: 'laptop' | 'camera' | 'foreign-asset' | 'compartment' | 'bank'
	/** Local time at the site. */
	readonly at?: `2026-${string}T${string}`
	readonly by?: Method
	readonly assurance?: Assurance
	readonly offline?: true
	/** Minutes since the newest lease was issued; default one. */
	readonly leaseAge?: number
	readonly storageLevel?: StorageLevel
	readonly authority?: 'stale' | 'superseded' | 'bundle-expired' | 'lease-expired'
	readonly clock?: 'uncertain'
	readonly openLoans?: number
	readonly overdue?: true
	/** The compartment for it is known to be empty. */
	readonly empty?: true
	readonly workflow?: string
	readonly outcome: 'allow' | DenyReason
	readonly rules: readonly string[]
}

const hours = ['school/opening-hours']
const laptops = ['school/students-borrow-laptops']
const cameras = ['school/students-borrow-cameras']
/** With a bank that has no server just now. */
const laptopAlone = { does: 'collect', what: 'laptop', offline: true } as const

/** What waits for somebody is handed over as long as the bundle lives and no rule forbids it. */
const own = { own: true, does: 'collect', what: 'compartment', workflow: 'delivery' } as const
const handOver = ['builtin/own-pick-up']

export const DECISIONS: readonly DecisionRow[] = [
	{ who: 'gus', ...own, outcome: 'allow', rules: handOver },
	{ who: 'gus', ...own, by: 'pin', offline: true, outcome: 'allow', rules: handOver },
	{ who: 'gus', does: 'collect', what: 'compartment', workflow: 'delivery', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'gus', does: 'deposit', what: 'compartment', workflow: 'delivery', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'dia', does: 'deposit', what: 'compartment', workflow: 'delivery', outcome: 'allow', rules: ['school/technicians-serve'] },
	{ who: 'ana', ...own, outcome: 'allow', rules: handOver },
	{ who: 'ben', ...own, outcome: 'allow', rules: handOver },
	{ who: 'ana', ...own, openLoans: 5, overdue: true, outcome: 'allow', rules: handOver },
	{ who: 'stranger', ...own, by: 'code', outcome: 'allow', rules: handOver },
	{ who: 'stranger', ...own, outcome: 'unknown-credential', rules: ['builtin/known-person'] },
	{
		who: 'stranger',
		does: 'collect',
		what: 'compartment',
		workflow: 'delivery',
		by: 'code',
		outcome: 'unknown-credential',
		rules: ['builtin/known-person'],
	},
	{ who: 'fay', ...own, outcome: 'credential-revoked', rules: ['builtin/revoked'] },
	{ who: 'fay', ...own, by: 'code', outcome: 'credential-revoked', rules: ['builtin/revoked'] },
	{ who: 'eli', ...own, outcome: 'not-authorised', rules: ['builtin/suspended'] },
	{ who: 'gus', ...own, at: '2026-01-05T19:00', outcome: 'outside-hours', rules: ['school/opening-hours'] },
	{ who: 'stranger', ...own, by: 'code', at: '2026-01-05T19:00', outcome: 'outside-hours', rules: ['school/opening-hours'] },
	{ who: 'gus', ...own, authority: 'lease-expired', outcome: 'allow', rules: handOver },
	{ who: 'stranger', ...own, by: 'code', authority: 'lease-expired', outcome: 'allow', rules: handOver },
	{ who: 'gus', ...own, authority: 'bundle-expired', outcome: 'bundle-expired', rules: ['builtin/bundle-expired'] },
	{
		who: 'dia',
		does: 'deposit',
		what: 'compartment',
		workflow: 'delivery',
		authority: 'lease-expired',
		outcome: 'lease-expired',
		rules: ['builtin/lease-expired'],
	},

	// Who may borrow at all.
	{ who: 'ana', does: 'collect', what: 'laptop', outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'bank', outcome: 'allow', rules: ['school/everybody-begins'] },
	{ who: 'ana', does: 'collect', what: 'laptop', by: 'pin', outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'laptop', by: 'code', assurance: 'medium', outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'laptop', workflow: 'repair', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'ana', does: 'collect', what: 'compartment', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'ana', does: 'collect', what: 'foreign-asset', outcome: 'needs-second-factor', rules: ['school/valuable-needs-two'] },
	{ who: 'ana', does: 'collect', what: 'foreign-asset', assurance: 'high', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'cem', does: 'collect', what: 'laptop', outcome: 'allow', rules: ['school/staff-borrow'] },
	{ who: 'cem', does: 'collect', what: 'laptop', workflow: 'repair', outcome: 'allow', rules: ['school/staff-borrow'] },
	{ who: 'gus', does: 'collect', what: 'laptop', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'gus', does: 'deposit', what: 'bank', outcome: 'allow', rules: ['school/everybody-begins'] },
	{ who: 'stranger', does: 'collect', what: 'laptop', outcome: 'unknown-credential', rules: ['builtin/known-person'] },

	// Standing of the person.
	{ who: 'ben', does: 'collect', what: 'laptop', outcome: 'overdue-block', rules: ['builtin/overdue-block'] },
	{ who: 'ben', does: 'deposit', what: 'bank', outcome: 'allow', rules: ['school/everybody-begins'] },
	{ who: 'eli', does: 'collect', what: 'laptop', outcome: 'not-authorised', rules: ['builtin/suspended'] },
	{ who: 'eli', does: 'deposit', what: 'bank', outcome: 'not-authorised', rules: ['builtin/suspended'] },
	{ who: 'fay', does: 'collect', what: 'laptop', outcome: 'credential-revoked', rules: ['builtin/revoked'] },
	{ who: 'fay', does: 'collect', what: 'laptop', authority: 'bundle-expired', outcome: 'credential-revoked', rules: ['builtin/revoked'] },
	{ who: 'cem', does: 'collect', what: 'laptop', overdue: true, outcome: 'overdue-block', rules: ['school/bring-back-first'] },
	{ who: 'ana', does: 'collect', what: 'laptop', openLoans: 1, outcome: 'quota-exceeded', rules: ['builtin/max-loans'] },
	{ who: 'ana', does: 'collect', what: 'laptop', openLoans: 1, at: '2026-01-05T20:00', outcome: 'outside-hours', rules: hours },
	{ who: 'ana', does: 'collect', what: 'compartment', openLoans: 1, outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'cem', does: 'collect', what: 'laptop', openLoans: 9, outcome: 'allow', rules: ['school/staff-borrow'] },

	// Hours, at their edges, on closed days, and at the site's own midnight.
	{ who: 'ana', does: 'collect', what: 'laptop', at: '2026-01-05T08:00', outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'laptop', at: '2026-01-05T07:59', outcome: 'outside-hours', rules: hours },
	{ who: 'ana', does: 'collect', what: 'laptop', at: '2026-01-05T17:59', outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'laptop', at: '2026-01-05T18:00', outcome: 'outside-hours', rules: hours },
	{ who: 'ana', does: 'collect', what: 'laptop', at: '2026-01-10T10:00', outcome: 'outside-hours', rules: hours },
	{ who: 'ana', does: 'collect', what: 'laptop', at: '2026-01-09T12:15', outcome: 'outside-hours', rules: ['school/lunch-closed'] },
	{ who: 'cem', does: 'collect', what: 'laptop', at: '2026-01-09T12:15', outcome: 'allow', rules: ['school/staff-borrow'] },
	{ who: 'ana', does: 'collect', what: 'laptop', at: '2026-01-09T12:30', outcome: 'allow', rules: laptops },
	{ who: 'dia', does: 'collect', what: 'laptop', at: '2026-01-10T03:00', outcome: 'allow', rules: ['school/technicians-serve'] },
	{ who: 'ana', does: 'deposit', what: 'bank', at: '2026-01-10T10:00', outcome: 'allow', rules: ['school/everybody-begins'] },
	{ who: 'ana', does: 'collect', what: 'laptop', clock: 'uncertain', outcome: 'time-uncertain', rules: hours },
	{ who: 'dia', does: 'collect', what: 'laptop', clock: 'uncertain', outcome: 'allow', rules: ['school/technicians-serve'] },

	// Valuable things need more than a badge that anybody can copy (T4).
	{ who: 'ana', does: 'collect', what: 'camera', outcome: 'needs-second-factor', rules: ['school/valuable-needs-two'] },
	{ who: 'ana', does: 'collect', what: 'camera', by: 'badge-and-pin', assurance: 'medium', outcome: 'allow', rules: cameras },
	{ who: 'ana', does: 'collect', what: 'camera', by: 'badge', assurance: 'medium', outcome: 'allow', rules: cameras },
	{ who: 'ana', does: 'collect', what: 'camera', assurance: 'high', offline: true, outcome: 'policy-denied', rules: ['school/valuable-online-only'] },
	{ who: 'ana', does: 'collect', what: 'camera', offline: true, outcome: 'needs-second-factor', rules: ['school/valuable-needs-two'] },
	{ who: 'cem', does: 'collect', what: 'camera', assurance: 'high', offline: true, outcome: 'allow', rules: ['school/staff-borrow'] },
	{ who: 'ana', does: 'collect', what: 'camera', at: '2026-01-05T20:00', outcome: 'outside-hours', rules: hours },

	// Without the server.
	{ who: 'ana', does: 'collect', what: 'laptop', offline: true, outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'laptop', authority: 'stale', outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'laptop', authority: 'superseded', outcome: 'allow', rules: laptops },
	{ who: 'ana', does: 'collect', what: 'laptop', authority: 'bundle-expired', outcome: 'bundle-expired', rules: ['builtin/bundle-expired'] },
	{ who: 'ana', does: 'collect', what: 'laptop', authority: 'lease-expired', outcome: 'lease-expired', rules: ['builtin/lease-expired'] },
	{ who: 'dia', does: 'service', what: 'compartment', authority: 'bundle-expired', outcome: 'bundle-expired', rules: ['builtin/bundle-expired'] },
	{ who: 'hal', does: 'collect', what: 'laptop', outcome: 'allow', rules: laptops },
	// Hal’s rights end a quarter of an hour after the last word of the server; where no lease has come that is the bundle.
	{ who: 'hal', ...laptopAlone, outcome: 'allow', rules: laptops },
	{ who: 'hal', ...laptopAlone, leaseAge: 14, outcome: 'allow', rules: laptops },
	{ who: 'hal', ...laptopAlone, leaseAge: 15, outcome: 'lease-expired', rules: ['builtin/offline-for'] },
	{ who: 'hal', ...laptopAlone, authority: 'stale', outcome: 'lease-expired', rules: ['builtin/offline-for'] },
	{ who: 'hal', ...laptopAlone, clock: 'uncertain', outcome: 'time-uncertain', rules: ['builtin/offline-for'] },
	{ who: 'hal', ...own, offline: true, leaseAge: 14, outcome: 'allow', rules: handOver },
	{ who: 'hal', ...own, offline: true, leaseAge: 15, outcome: 'lease-expired', rules: ['builtin/offline-for'] },
	{ who: 'ana', ...laptopAlone, leaseAge: 45, outcome: 'allow', rules: laptops },
	{ who: 'hal', does: 'collect', what: 'laptop', leaseAge: 45, outcome: 'allow', rules: laptops },
	{ who: 'hal', ...laptopAlone, does: 'deposit', empty: true, leaseAge: 45, outcome: 'allow', rules: ['builtin/walk-up-return'] },
	// Ivo is served with the server alone.
	{ who: 'ivo', does: 'collect', what: 'laptop', outcome: 'allow', rules: laptops },
	{ who: 'ivo', ...laptopAlone, outcome: 'lease-expired', rules: ['builtin/offline-for'] },
	{ who: 'ivo', ...laptopAlone, does: 'deposit', empty: true, outcome: 'allow', rules: ['builtin/walk-up-return'] },

	// Staff acts.
	{ who: 'dia', does: 'service', what: 'compartment', outcome: 'allow', rules: ['school/technicians-serve'] },
	{ who: 'dia', does: 'open-remote', what: 'compartment', outcome: 'allow', rules: ['school/technicians-serve'] },
	{ who: 'dia', does: 'open-remote', what: 'compartment', by: 'remote', assurance: 'high', outcome: 'allow', rules: ['school/technicians-serve'] },
	{ who: 'dia', does: 'open-remote', what: 'compartment', offline: true, outcome: 'policy-denied', rules: ['builtin/remote-open-needs-link'] },
	{ who: 'cem', does: 'open-remote', what: 'compartment', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'cem', does: 'service', what: 'compartment', outcome: 'not-authorised', rules: ['builtin/no-permit'] },

	// Bringing back what belongs here is always allowed (trust.md §3.7), but only that, and only into an empty compartment.
	{ who: 'ana', does: 'deposit', what: 'laptop', empty: true, outcome: 'allow', rules: ['builtin/walk-up-return'] },
	{ who: 'ana', does: 'deposit', what: 'laptop', empty: true, at: '2026-01-11T03:00', outcome: 'allow', rules: ['builtin/walk-up-return'] },
	{ who: 'ana', does: 'deposit', what: 'laptop', empty: true, authority: 'bundle-expired', outcome: 'allow', rules: ['builtin/walk-up-return'] },
	{ who: 'ana', does: 'deposit', what: 'laptop', empty: true, authority: 'lease-expired', outcome: 'allow', rules: ['builtin/walk-up-return'] },
	{ who: 'eli', does: 'deposit', what: 'laptop', empty: true, outcome: 'allow', rules: ['builtin/walk-up-return'] },
	{ who: 'fay', does: 'deposit', what: 'laptop', empty: true, outcome: 'allow', rules: ['builtin/walk-up-return'] },
	{ who: 'stranger', does: 'deposit', what: 'camera', empty: true, clock: 'uncertain', outcome: 'allow', rules: ['builtin/walk-up-return'] },
	{ who: 'ana', does: 'deposit', what: 'laptop', outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'ana', does: 'deposit', what: 'foreign-asset', empty: true, outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'ana', does: 'deposit', what: 'compartment', empty: true, outcome: 'not-authorised', rules: ['builtin/no-permit'] },
	{ who: 'ana', does: 'deposit', what: 'laptop', authority: 'bundle-expired', outcome: 'bundle-expired', rules: ['builtin/bundle-expired'] },
	{
		who: 'ana',
		does: 'collect',
		what: 'laptop',
		empty: true,
		authority: 'bundle-expired',
		outcome: 'bundle-expired',
		rules: ['builtin/bundle-expired'],
	},
]
