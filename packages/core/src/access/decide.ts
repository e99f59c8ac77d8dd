import { canonicalBytes, toHex } from '../base/index.ts'
import type { DenyReason } from '../wire/index.ts'
import type { CompiledBundle } from './compile.ts'
import type { AccessDecision, AccessRequest, DecisionRecord, Moment } from './decision.ts'
import { entriesOf } from './directory.ts'
import { type AuthorityState, authorityState } from './lease.ts'
import { policyQuestion } from './policy-question.ts'
import { isOpen, nextOpening } from './schedule.ts'

/** Longest life of a grant: as long as a visit can be resumed (architecture.md §3). It ends earlier with the authority it came from. */
export const GRANT_LIFE_MS = 15 * 60_000

/**
 * Which reason a person is told when several stand in the way: first what they cannot mend here, then what passes with time,
 * then what they can do something about, and last the bare "no".
 */
export const REASON_ORDER: readonly DenyReason[] = [
	'unknown-credential',
	'credential-revoked',
	'overdue-block',
	'not-authorised',
	'bundle-expired',
	'lease-expired',
	'time-uncertain',
	'outside-hours',
	'quota-exceeded',
	'qualification-missing',
	'approval-needed',
	'needs-second-factor',
	'policy-denied',
]

const NO_PERMIT = 'builtin/no-permit'

/** A reason found, and the rule that found it. */
interface Finding {
	readonly reason: DenyReason
	readonly rules: readonly string[]
}

/**
 * May this person do this now? The one decision of the product (architecture.md §3): edge, server and what-if page ask here.
 * A walk-up return is never refused (trust.md §3.7). Never throws for a request that the bundle does not know: that is a denial.
 */
export function decide(compiled: CompiledBundle, request: AccessRequest, at: Moment): AccessDecision {
	const authority = authorityState(compiled.bundle, at.lease, at.now)
	if (isWalkUpReturn(compiled, request)) return allow(compiled, request, at, authority, ['builtin/walk-up-return'], true)
	const standing = checkPerson(compiled, request) ?? checkAuthority(compiled, request, at, authority) ?? checkOffline(request)
	if (standing) return deny(compiled, request, at, authority, standing)
	const answer = compiled.loaded.ask(policyQuestion(compiled, request, at, authority === 'stale'))
	// Cedar skips a policy that cannot be evaluated; a skipped forbid would open a door, so any failure closes it.
	if (answer.failed.length > 0) return deny(compiled, request, at, authority, { reason: 'policy-denied', rules: answer.failed })
	const findings = [...checkQuota(compiled, request), ...(answer.effect === 'deny' ? policyFindings(compiled, answer.determining, at) : [])]
	const found = foremost(findings)
	// Nothing speaks against it, and nothing need speak for handing over to people what waits for them (trust.md §3.7).
	if (request.own && found?.rules.includes(NO_PERMIT)) return allow(compiled, request, at, authority, ['builtin/own-pick-up'], false)
	return found ? deny(compiled, request, at, authority, found) : allow(compiled, request, at, authority, answer.determining, false)
}

/** Putting an item that belongs here into a compartment known to be empty: refusing it would only make things worse. */
function isWalkUpReturn({ bundle }: CompiledBundle, { action, resource, intoEmptyCompartment }: AccessRequest): boolean {
	return action === 'deposit' && resource.kind === 'asset' && intoEmptyCompartment && entriesOf(bundle).assets.has(resource.id)
}

function checkPerson({ bundle }: CompiledBundle, request: AccessRequest): Finding | undefined {
	const { subjects, revoked } = entriesOf(bundle)
	const person = subjects.get(request.subject)
	if (revoked.has(request.credential) || revoked.has(request.subject)) return { reason: 'credential-revoked', rules: ['builtin/revoked'] }
	// Who brings the code of a case need not be known otherwise.
	if (!person && request.own && request.method === 'code') return undefined
	if (!person) return { reason: 'unknown-credential', rules: ['builtin/known-person'] }
	if (person.blocked === 'suspended') return { reason: 'not-authorised', rules: ['builtin/suspended'] }
	if (person.blocked === 'overdue' && request.action === 'collect' && !request.own)
		return { reason: 'overdue-block', rules: ['builtin/overdue-block'] }
	return undefined
}

function checkAuthority(compiled: CompiledBundle, request: AccessRequest, at: Moment, authority: AuthorityState): Finding | undefined {
	if (authority === 'bundle-expired' || (authority === 'lease-expired' && !request.own)) return { reason: authority, rules: [`builtin/${authority}`] }
	const end = ownEnd(compiled, request, at)
	if (at.now >= end) return { reason: 'lease-expired', rules: ['builtin/offline-for'] }
	// How long ago the last word was nobody knows then: a power cut that the clock does not survive must not stop the time.
	return at.uncertain && Number.isFinite(end) ? { reason: 'time-uncertain', rules: ['builtin/offline-for'] } : undefined
}

/** A remote open needs somebody at the other end now; without the link it can only be an old command (trust.md §3.7). */
function checkOffline({ action, offline }: AccessRequest): Finding | undefined {
	return offline && action === 'open-remote' ? { reason: 'policy-denied', rules: ['builtin/remote-open-needs-link'] } : undefined
}

function checkQuota({ bundle }: CompiledBundle, { action, workflow, subject, openLoans }: AccessRequest): Finding[] {
	const most = entriesOf(bundle).subjects.get(subject)?.maxLoans
	const exceeded = action === 'collect' && workflow === 'loan' && most !== undefined && openLoans >= most
	return exceeded ? [{ reason: 'quota-exceeded', rules: ['builtin/max-loans'] }] : []
}

/** One finding per forbid that applied, with the reason its author gave; none applied means that nothing permits it. */
function policyFindings({ reasons }: CompiledBundle, determining: readonly string[], { uncertain }: Moment): Finding[] {
	if (determining.length === 0) return [{ reason: 'not-authorised', rules: [NO_PERMIT] }]
	return determining.map((id) => {
		const reason = reasons.get(id) ?? 'policy-denied'
		// With an uncertain clock every schedule counts as closed; say what is really wrong.
		return { reason: uncertain && reason === 'outside-hours' ? 'time-uncertain' : reason, rules: [id] }
	})
}

function foremost(findings: readonly Finding[]): Finding | undefined {
	const rank = ({ reason }: Finding) => REASON_ORDER.indexOf(reason) >>> 0
	const [first] = [...findings].sort((a, b) => rank(a) - rank(b))
	return first && { reason: first.reason, rules: findings.filter(({ reason }) => reason === first.reason).flatMap(({ rules }) => rules) }
}

function allow(
	compiled: CompiledBundle,
	request: AccessRequest,
	at: Moment,
	authority: AuthorityState,
	rules: readonly string[],
	walkUpReturn: boolean,
): AccessDecision {
	const { decision, subject, action, resource } = request
	const notAfter = walkUpReturn ? at.now + GRANT_LIFE_MS : Math.min(at.now + GRANT_LIFE_MS, authorityEnd(compiled, request, at))
	return {
		effect: 'allow',
		grant: { decision, subject, action, resource, notAfter, walkUpReturn },
		decision: record(compiled, request, at, authority, { effect: 'allow', rules }),
	}
}

/** When this person's rights end without the server, counted from the last word of it: a lease, or the bundle where none has come yet. */
function ownEnd({ bundle }: CompiledBundle, { offline, subject }: AccessRequest, { lease }: Moment): number {
	const offlineFor = offline ? entriesOf(bundle).subjects.get(subject)?.offlineFor : undefined
	return offlineFor === undefined ? Number.POSITIVE_INFINITY : Math.max(bundle.issuedAt, lease?.issuedAt ?? 0) + offlineFor
}

function authorityEnd(compiled: CompiledBundle, request: AccessRequest, at: Moment): number {
	const { bundle } = compiled
	const { lease } = at
	const bound = bundle.settings.leaseRequired && lease !== undefined && !request.own
	return Math.min(bundle.expiresAt, bound ? lease.until : bundle.expiresAt, ownEnd(compiled, request, at))
}

function deny(compiled: CompiledBundle, request: AccessRequest, at: Moment, authority: AuthorityState, { reason, rules }: Finding): AccessDecision {
	const until = reason === 'outside-hours' ? opens(compiled, at) : undefined
	const decision = record(compiled, request, at, authority, { effect: 'deny', reason, rules })
	return { effect: 'deny', reason, ...(until !== undefined && { until }), decision }
}

/** When the site's own hours begin; unknown while they run, as then some other schedule stands in the way. */
function opens({ bundle: { policies, settings } }: CompiledBundle, { now }: Moment): number | undefined {
	const hours = policies.schedules.find(({ id }) => id === settings.openingHours)
	return hours && !isOpen(hours, now) ? nextOpening(hours, now) : undefined
}

function record(
	{ bundle, sha256 }: CompiledBundle,
	request: AccessRequest,
	at: Moment,
	authority: AuthorityState,
	outcome: Pick<DecisionRecord, 'effect' | 'reason' | 'rules'>,
): DecisionRecord {
	const { resource, own, intoEmptyCompartment, offline } = request
	const leased = offline ? at.lease?.issuedAt : undefined
	const inputs = { ...request, now: at.now, uncertain: at.uncertain, authority, leased, bundle: bundle.version, policies: bundle.policies.version }
	return {
		id: request.decision,
		...outcome,
		policyVersion: bundle.policies.version,
		bundleVersion: bundle.version,
		inputsDigest: toHex(sha256(canonicalBytes(inputs))),
		method: request.method,
		assurance: request.assurance,
		offline: request.offline,
		storageLevel: request.storageLevel,
		stale: authority !== 'fresh',
		action: request.action,
		...(resource.kind !== 'bank' && { [resource.kind]: resource.id }),
		workflow: request.workflow,
		openLoans: request.openLoans,
		overdue: request.overdue,
		...(own && { own }),
		...(intoEmptyCompartment && { intoEmptyCompartment }),
	}
}
