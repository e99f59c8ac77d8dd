import { z } from 'zod'
import { canonical, type Id, type IdKind, isId, type Json } from '../base/index.ts'
import { bankLayout, doorNumber } from '../wire/index.ts'

/**
 * The authority bundle: everything a bank may know to decide alone (trust.md §3.2). It holds pseudonyms, keyed verifiers and
 * salted commitments, never a name, an address, a badge number or a PIN. Unknown fields are refused, so that a field that
 * an older edge would ignore can never carry a restriction that it then does not enforce.
 */
const id = <K extends IdKind>(kind: K) => z.custom<Id<K>>((value) => isId(kind, value), { error: `an id of kind ${kind}` })
/** Short codes chosen by the tenant for groups, schedules, policy sets and asset types; made of letters and digits so that they fit into policy text. */
const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/)
const label = z.string().min(1).max(200)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const millis = z.int().nonnegative()
const clock = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/)
const day = z.iso.date()
const timeZone = z.string().refine(isTimeZone, { error: 'an IANA time zone' })
const json = z.custom<Json>(isJson, { error: 'canonical JSON' })

function isTimeZone(name: string): boolean {
	try {
		new Intl.DateTimeFormat('en', { timeZone: name })
		return true
	} catch {
		return false
	}
}

function isJson(value: unknown): boolean {
	try {
		canonical(value)
		return true
	} catch {
		return false
	}
}

/** Weekly opening in local time: `days` 1 = Monday … 7 = Sunday, `from` inclusive, `to` exclusive; `to` '24:00' is the end of the day, and `to` ≤ `from` runs past midnight. */
const schedule = z.strictObject({
	id: code,
	timeZone,
	weekly: z.array(z.strictObject({ days: z.array(z.int().min(1).max(7)).min(1), from: clock, to: z.union([clock, z.literal('24:00')]) })),
	/** Days of the local calendar, both included, on which nothing opens; what opened the day before still runs past midnight. */
	closed: z.array(z.strictObject({ from: day, to: day })).optional(),
})
export type Schedule = z.infer<typeof schedule>

/** Cedar text; one set may hold several policies. A set with a scope is left out at every other site or bank (compile-time slicing). */
const policySet = z.strictObject({
	id: code,
	cedar: z.string().max(200_000),
	scope: z.strictObject({ site: id('site').optional(), bank: id('bank').optional() }).optional(),
})
export type PolicySet = z.infer<typeof policySet>

const assurance = z.enum(['low', 'medium', 'high'])
export type Assurance = z.infer<typeof assurance>

/** `blocked`: 'overdue' takes nothing new out, 'suspended' does nothing at all; both may still bring things back (workflows.md X13). */
export const subject = z.strictObject({
	id: id('subject'),
	groups: z.array(code),
	/**
	 * Milliseconds, for people whose rights must be revocable fast: without the server they end so long after the newest lease was issued, and not with
	 * the bundle. 0: this person is served only with the server.
	 */
	offlineFor: z.int().nonnegative().optional(),
	blocked: z.enum(['overdue', 'suspended']).optional(),
	maxLoans: z.int().nonnegative().optional(),
	/** On loan from other banks of the organisation, up to the site's delta that `deltas` names; absent: nothing. */
	loansElsewhere: z.int().positive().optional(),
	/** What this person has learnt or was found fit for, by the tenant's own codes; without `until` for good. */
	qualifications: z
		.array(z.strictObject({ code, until: millis.optional() }))
		.min(1)
		.optional(),
	/** Other people let this one take things of a type, each until then. */
	approvals: z
		.array(z.strictObject({ type: code, until: millis }))
		.min(1)
		.optional(),
	commitment: hash,
})
export type Subject = z.infer<typeof subject>

/** `verifier`: hex HMAC-SHA256 under the site key of kind and normal form (`verifierOf`). */
export const credential = z.strictObject({
	id: id('credential'),
	kind: z.enum(['badge', 'pin']),
	subject: id('subject'),
	verifier: hash,
	commitment: hash,
	assurance,
})
export type Credential = z.infer<typeof credential>

const asset = z.strictObject({
	id: id('asset'),
	tag: label,
	kind: z.enum(['laptop', 'other']),
	name: label,
	type: code,
	valueClass: z.enum(['normal', 'high']),
	commitment: hash,
})
export type Asset = z.infer<typeof asset>

const loanDue = z.discriminatedUnion('kind', [
	z.strictObject({ kind: z.literal('same-day-by'), time: clock }),
	z.strictObject({ kind: z.literal('hours'), hours: z.int().positive().max(8_760) }),
])
export type LoanDue = z.infer<typeof loanDue>

/** Names of workflow tables and of their states and deadlines, as in `core/workflow`. */
const name = z.string().regex(/^[a-z][a-z0-9-]{0,59}$/)
const size = z.enum(['S', 'M', 'L', 'XL'])

const offeredLine = z.strictObject({
	id: id('line'),
	state: name,
	/** Who answers for it now: a subject, a bank, or whoever sends it. */
	custodian: z.string().regex(/^[A-Za-z0-9_-]{1,80}$/),
	asset: id('asset').optional(),
	/** Where it lies or may still lie. */
	compartment: id('compartment').optional(),
	evidence: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).optional(),
	unverified: z.literal(true).optional(),
	/** What tells it from the other lines on a screen: `2 of 3`. */
	label: label.optional(),
	/** The text of the label on the thing itself, as a scanner reads it. */
	tag: label.optional(),
	size: size.optional(),
	/** Only a compartment that is marked as accessible will do. */
	accessible: z.literal(true).optional(),
	/** Kept free for it; another one is taken when this one cannot be. */
	reserved: id('compartment').optional(),
})

/**
 * A case that this bank may go on with by itself: what the server made, as the server knows it. While nothing of it has happened here the row
 * is the case, and a newer row replaces it. From the first act on the case is the bank's: of later rows only the orders count
 * (`recalled`, `due`), which the bank carries out by the table when nobody is at the door, and reports as moves (architecture.md §3).
 */
const offeredCase = z.strictObject({
	id: id('case'),
	workflow: name,
	tableHash: hash,
	version: z.int().positive(),
	state: name,
	/** Whose it is. Somebody without an account has a pseudonym of their own for this case, which need not be among `subjects`. */
	owner: id('subject').optional(),
	/** What staff and recipient know it by, never a name: `Order 1042`. */
	label,
	/** The recipient as shown to who drops off, masked: `M… K…`. */
	hint: label.optional(),
	lines: z.array(offeredLine).min(1),
	deadlines: z.record(name, millis).optional(),
	requests: z.record(name, z.int().nonnegative()).optional(),
	links: z.array(z.strictObject({ name, caseId: id('case'), state: name })).optional(),
	/** Order: the case is called back. Codes stop at once, staff take out what is there. */
	recalled: z.literal(true).optional(),
	/** Order: these deadlines end at another time than the table gave them. */
	due: z.record(name, millis).optional(),
})
export type OfferedCase = z.infer<typeof offeredCase>

/** `verifier`: hex HMAC-SHA256 under the site key of the kind `code` and `codeNormal` of the digits. Lives no longer than its case. */
const pickUpCode = z.strictObject({
	id: id('credential'),
	case: id('case'),
	/** Absent: all lines of the case. */
	lines: z.array(id('line')).min(1).optional(),
	verifier: hash,
	commitment: hash,
	notAfter: millis,
})
export type PickUpCode = z.infer<typeof pickUpCode>

const settings = z.strictObject({
	pinLength: z.int().min(4).max(12),
	/** What recipients type (`codeRule`); absent: eight digits. */
	pickUpCode: z.strictObject({ digits: z.int().min(6).max(12), hint: z.int().min(0).max(4) }).optional(),
	/** G of the length formula (trust.md §3.4): wrong PIN tries a kiosk takes in one day. */
	wrongPinsPerDay: z.int().positive().max(1_000),
	loanDue,
	/** The bank's opening hours: a schedule id. Absent: always open. */
	openingHours: code.optional(),
	/** True: without a live lease nothing is allowed (but returns), however young the bundle. */
	leaseRequired: z.boolean(),
	/** True: no door is released while another one of this bank stands open, whoever opened it (trust.md R8). */
	singleOpen: z.boolean().optional(),
	/** Storage level L1 (trust.md §3.3): the site's key is fetched at each start and is on no disk. Absent: L0, a file that one user alone can read. */
	siteKeyInMemory: z.boolean().optional(),
})
export type BundleSettings = z.infer<typeof settings>

export const bundleSchema = z.strictObject({
	format: z.literal('latchwork-bundle/1'),
	tenant: id('tenant'),
	site: z.strictObject({ id: id('site'), name: label, timeZone }),
	bank: z.strictObject({
		id: id('bank'),
		name: label,
		helpPhone: label,
		layout: bankLayout,
		compartments: z.array(
			z.strictObject({
				id: id('compartment'),
				number: doorNumber,
				size,
				accessible: z.boolean(),
				/** Nothing new is put in or taken out until people say so; what is there, and its records, stay as they are. */
				outOfService: z.literal(true).optional(),
			}),
		),
	}),
	version: z.int().positive(),
	issuedAt: millis,
	staleAt: millis,
	expiresAt: millis,
	policies: z.strictObject({ version: z.int().nonnegative(), sets: z.array(policySet), schedules: z.array(schedule) }),
	groups: z.array(z.strictObject({ id: code })),
	/** Which site key the verifiers were made under (`siteKeyMark`); absent: the one that came with the enrolment. */
	siteKey: z
		.string()
		.regex(/^[0-9a-f]{16}$/)
		.optional(),
	subjects: z.array(subject),
	credentials: z.array(credential),
	/** Ids of credentials, subjects and one-time codes that no longer count; cumulative until their rows are gone. */
	revoked: z.strictObject({ epoch: z.int().nonnegative(), ids: z.array(label) }),
	/** Holds all that the site's deltas up to this one told (`delta.ts`). */
	deltas: z.strictObject({ n: z.int().nonnegative(), hash }).optional(),
	/** Holds all that this bank's deltas about people up to this one told (`people-delta.ts`); absent: there was none. */
	people: z.int().positive().optional(),
	assets: z.array(asset),
	initialContents: z.array(z.strictObject({ compartment: id('compartment'), asset: id('asset') })),
	cases: z.array(offeredCase).optional(),
	codes: z.array(pickUpCode).optional(),
	workflows: z.array(z.strictObject({ name: code, tableHash: hash, table: json, settings: json })),
	settings,
})
export type Bundle = z.infer<typeof bundleSchema>

/** References that the shape alone cannot check. Answers what is wrong, in words; empty when all is well. */
export function bundleFaults(bundle: Bundle): string[] {
	const faults: string[] = []
	const known = (list: readonly { id: string }[], what: string) => {
		const ids = new Set(list.map((entry) => entry.id))
		if (ids.size < list.length) faults.push(`${what}: the same id twice`)
		return ids
	}
	const groups = known(bundle.groups, 'groups')
	const subjects = known(bundle.subjects, 'subjects')
	const assets = known(bundle.assets, 'assets')
	const compartments = known(bundle.bank.compartments, 'bank.compartments')
	const schedules = known(bundle.policies.schedules, 'policies.schedules')
	known(bundle.credentials, 'credentials')
	known(bundle.policies.sets, 'policies.sets')
	for (const { id, groups: of } of bundle.subjects)
		for (const group of of) if (!groups.has(group)) faults.push(`subjects: ${id} is in the unknown group ${group}`)
	for (const { id, subject } of bundle.credentials)
		if (!subjects.has(subject)) faults.push(`credentials: ${id} belongs to the unknown subject ${subject}`)
	// Two people with one verifier would make "who is this?" a matter of order in the list.
	if (new Set(bundle.credentials.map((c) => c.verifier)).size < bundle.credentials.length) faults.push('credentials: the same verifier twice')
	for (const { compartment, asset } of bundle.initialContents) {
		if (!compartments.has(compartment)) faults.push(`initialContents: unknown compartment ${compartment}`)
		if (!assets.has(asset)) faults.push(`initialContents: unknown asset ${asset}`)
	}
	faults.push(...caseFaults(bundle, compartments))
	if (new Set(bundle.bank.compartments.map((c) => c.number)).size < compartments.size) faults.push('bank.compartments: the same number twice')
	const hours = bundle.settings.openingHours
	if (hours !== undefined && !schedules.has(hours)) faults.push(`settings.openingHours: unknown schedule ${hours}`)
	if (bundle.issuedAt > bundle.staleAt || bundle.staleAt > bundle.expiresAt) faults.push('issuedAt, staleAt and expiresAt are not in this order')
	return faults
}

/** A code without a case to open, or a line in two cases, would be found out only by the person at the door. */
function caseFaults({ cases = [], codes = [] }: Bundle, compartments: ReadonlySet<string>): string[] {
	const faults: string[] = []
	const byId = new Map(cases.map((of) => [of.id as string, of]))
	const lines = cases.flatMap((of) => of.lines)
	if (byId.size < cases.length) faults.push('cases: the same id twice')
	if (new Set(lines.map((line) => line.id)).size < lines.length) faults.push('cases: the same line twice')
	for (const { id, compartment, reserved } of lines)
		for (const at of [compartment, reserved])
			if (at !== undefined && !compartments.has(at)) faults.push(`cases: line ${id} names the unknown compartment ${at}`)
	if (new Set(codes.map((c) => c.id)).size < codes.length) faults.push('codes: the same id twice')
	if (new Set(codes.map((c) => c.verifier)).size < codes.length) faults.push('codes: the same verifier twice')
	for (const one of codes) {
		const of = byId.get(one.case)
		if (!of) faults.push(`codes: ${one.id} is for the unknown case ${one.case}`)
		// Custody passes to somebody: who has no account has a pseudonym for this case.
		else if (of.owner === undefined) faults.push(`codes: ${one.id} is for case ${one.case}, which has no owner`)
		const stray = one.lines?.find((line) => !of?.lines.some((l) => l.id === line))
		if (stray) faults.push(`codes: ${one.id} is for the unknown line ${stray}`)
	}
	return faults
}
