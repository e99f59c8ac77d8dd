import { type Crypto, type Id, type IdKind, newId, seededRandom } from '../../base/index.ts'
import type { Asset, Bundle, Credential, Subject } from '../bundle-schema.ts'
import { verifierOf } from '../credential.ts'

/** A bank at a school for tests: who may do what there is told by `SAMPLE_POLICIES` and tabled in `decisions.table.ts`. */
export const SAMPLE_START = Date.UTC(2026, 0, 5, 5, 0, 0)
export const SAMPLE_SITE_KEY = new Uint8Array(32).fill(7)
const DAY = 86_400_000

/** The same name gives the same id in every run. */
export function sampleId<K extends IdKind>(kind: K, name: string): Id<K> {
	let seed = 0
	for (const letter of `${kind}:${name}`) seed = (Math.imul(seed, 31) + (letter.codePointAt(0) ?? 0)) >>> 0
	return newId(kind, SAMPLE_START, seededRandom(seed))
}

/** Groups and standing of each person; the badge is `h10302:` and the person's number, the PIN the number padded to eight digits. */
export const SAMPLE_PEOPLE = {
	ana: { number: 1001, groups: ['students'], maxLoans: 1 },
	ben: { number: 1002, groups: ['students'], blocked: 'overdue' },
	cem: { number: 1003, groups: ['staff'] },
	dia: { number: 1004, groups: ['technicians'] },
	eli: { number: 1005, groups: ['students'], blocked: 'suspended' },
	fay: { number: 1006, groups: ['students'] },
	gus: { number: 1007, groups: [] },
	hal: { number: 1008, groups: ['students'], offlineFor: 15 * 60_000 },
	ivo: { number: 1009, groups: ['students'], offlineFor: 0 },
} as const satisfies Record<string, Partial<Subject> & { number: number; groups: readonly string[] }>
export type SamplePerson = keyof typeof SAMPLE_PEOPLE

export const SAMPLE_ASSETS = {
	laptop: { kind: 'laptop', type: 'loan-laptop', valueClass: 'normal' },
	camera: { kind: 'other', type: 'loan-camera', valueClass: 'high' },
} as const satisfies Record<string, Partial<Asset>>

export const SAMPLE_POLICIES = `
@id("students-borrow-laptops")
permit (principal in Latchwork::Group::"students", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"loan-laptop")
when { context.workflow == "loan" };

@id("students-borrow-cameras")
permit (principal in Latchwork::Group::"students", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"loan-camera")
when { context.workflow == "loan" };

@id("staff-borrow")
permit (principal in Latchwork::Group::"staff", action == Latchwork::Action::"collect", resource is Latchwork::Asset);

@id("everybody-begins")
permit (principal, action in [Latchwork::Action::"collect", Latchwork::Action::"deposit"], resource is Latchwork::Bank);

@id("technicians-serve")
permit (principal in Latchwork::Group::"technicians", action, resource);

@id("opening-hours") @reason("outside-hours")
forbid (principal, action == Latchwork::Action::"collect", resource)
unless { context.withinHours || principal in Latchwork::Group::"technicians" };

@id("lunch-closed") @reason("outside-hours")
forbid (principal in Latchwork::Group::"students", action == Latchwork::Action::"collect", resource)
when { context.openSchedules.contains("lunch") };

@id("valuable-needs-two") @reason("needs-second-factor")
forbid (principal, action == Latchwork::Action::"collect", resource is Latchwork::Asset)
when { resource.valueClass == "high" && context.assuranceLevel < 2 };

@id("valuable-online-only") @reason("ask the desk")
forbid (principal in Latchwork::Group::"students", action == Latchwork::Action::"collect", resource is Latchwork::Asset)
when { resource.valueClass == "high" && context.offline };

@id("bring-back-first") @reason("overdue-block")
forbid (principal in Latchwork::Group::"staff", action == Latchwork::Action::"collect", resource)
when { context.overdue };
`

const pad = (number: number) => String(number).padStart(8, '0')
export const sampleBadge = (person: SamplePerson): string => `h10302:${SAMPLE_PEOPLE[person].number}`
export const samplePin = (person: SamplePerson): string => pad(SAMPLE_PEOPLE[person].number)
export const sampleSubject = (person: SamplePerson): Id<'subject'> => sampleId('subject', person)

const commitment = (number: number) => number.toString(16).padStart(64, '0')

/** Soft life 15 min, hard life ten days (long, so that one bundle covers a week of table rows). `change` replaces whole fields. */
export function sampleBundle(crypto: Crypto, change: Partial<Bundle> = {}): Bundle {
	const people = Object.entries(SAMPLE_PEOPLE)
	const assets = Object.entries(SAMPLE_ASSETS)
	const compartments = [1, 2, 3, 4].map(
		(number) => ({ id: sampleId('compartment', `${number}`), number, size: 'M', accessible: number === 2 }) as const,
	)
	const cells = compartments.map(({ number, accessible }) => ({ kind: 'door', number, heightMm: 300, size: 'M', accessible }) as const)
	const credential = (name: string, number: number, kind: Credential['kind'], normal: string): Credential => ({
		id: sampleId('credential', `${name}-${kind}`),
		kind,
		subject: sampleId('subject', name),
		verifier: verifierOf(SAMPLE_SITE_KEY, crypto, kind, normal),
		commitment: commitment(number),
		assurance: 'low',
	})
	return {
		format: 'latchwork-bundle/1',
		tenant: sampleId('tenant', 'school'),
		site: { id: sampleId('site', 'main'), name: 'Main building', timeZone: 'Europe/Berlin' },
		bank: {
			id: sampleId('bank', 'library'),
			name: 'Library',
			helpPhone: '+49 30 555 0100',
			layout: { columns: [{ widthMm: 400, cells }] },
			compartments,
		},
		version: 7,
		issuedAt: SAMPLE_START,
		staleAt: SAMPLE_START + 15 * 60_000,
		expiresAt: SAMPLE_START + 10 * DAY,
		policies: {
			version: 3,
			sets: [{ id: 'school', cedar: SAMPLE_POLICIES }],
			schedules: [
				{ id: 'opening', timeZone: 'Europe/Berlin', weekly: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }] },
				{ id: 'lunch', timeZone: 'Europe/Berlin', weekly: [{ days: [5], from: '12:00', to: '12:30' }] },
			],
		},
		groups: ['students', 'staff', 'technicians'].map((id) => ({ id })),
		subjects: people.map(([name, { number, groups, ...standing }]) => ({
			id: sampleId('subject', name),
			groups: [...groups],
			...standing,
			commitment: commitment(number),
		})),
		credentials: people.flatMap(([name, { number }]) => [
			credential(name, number, 'badge', `h10302:${number}`),
			credential(name, number + 5_000, 'pin', pad(number)),
		]),
		revoked: { epoch: 2, ids: [sampleId('subject', 'fay')] },
		assets: assets.map(([name, about], index) => ({
			id: sampleId('asset', name),
			tag: `TAG-${index}`,
			name,
			...about,
			commitment: commitment(index),
		})),
		initialContents: [{ compartment: sampleId('compartment', '1'), asset: sampleId('asset', 'laptop') }],
		workflows: [{ name: 'loan', tableHash: commitment(99), table: { name: 'loan' }, settings: {} }],
		settings: { pinLength: 8, wrongPinsPerDay: 20, loanDue: { kind: 'same-day-by', time: '18:00' }, openingHours: 'opening', leaseRequired: false },
		...change,
	}
}
