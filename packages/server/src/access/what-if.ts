import {
	type AccessAction,
	type AccessDecision,
	type AccessResource,
	type Assurance,
	type Bundle,
	type CompiledBundle,
	compile,
	decide,
	type Method,
	type PolicyEngine,
	type StorageLevel,
	statementOf,
} from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import type { DenyReason } from '@latchwork/core/wire'
import { nodeCrypto } from '../crypto.ts'
import type { AsIfBank } from './as-if.ts'

/** A decision that nobody asked for at a door: the same code and the same bundle as there (architecture.md §3), and nothing is recorded. */
export interface Question {
	readonly subject: Id<'subject'>
	readonly action: AccessAction
	readonly resource: AccessResource
	readonly workflow: string
	readonly method: Method
	readonly offline: boolean
	/** Without the server since so long, in ms; left out: since just now. */
	readonly offlineFor?: number
	/** Undefined: nobody knows. It is decided as by a controller that keeps keys least well. */
	readonly storageLevel: StorageLevel | undefined
	readonly now: number
	readonly openLoans: number
	readonly overdue: boolean
	readonly own?: boolean
	readonly uncertain?: boolean
	/** Left out: what the method alone proves. */
	readonly assurance?: Assurance
	/** It is known to go into an empty compartment: a walk-up return, which nothing refuses. */
	readonly intoEmpty?: boolean
}

/** What every question about one person at one bank has in common, as things are. */
export const standingAt = (at: AsIfBank, subject: Id<'subject'>, now: number) => ({
	subject,
	now,
	offline: false,
	storageLevel: at.storageLevel,
	openLoans: at.loans.get(subject) ?? 0,
	overdue: at.overdue.has(subject),
})

/** What a method proves without a better credential behind it (core/access credential.ts). */
const PROVES: Readonly<Record<Method, Assurance>> = { badge: 'low', pin: 'medium', code: 'medium', 'badge-and-pin': 'medium', remote: 'high' }
/** Never recorded, so it needs no number of its own. */
const UNRECORDED = 'dec_00000000-0000-7000-8000-000000000000'

export function ask(compiled: CompiledBundle, question: Question): AccessDecision {
	const {
		subject,
		action,
		resource,
		workflow,
		method,
		offline,
		offlineFor = 0,
		storageLevel,
		now,
		openLoans,
		overdue,
		own,
		uncertain,
		assurance,
		intoEmpty,
	} = question
	const { bank, version: bundleVersion } = compiled.bundle
	const issuedAt = now - offlineFor
	return decide(
		compiled,
		{
			decision: UNRECORDED,
			subject,
			credential: UNRECORDED,
			method,
			assurance: assurance ?? PROVES[method],
			action,
			resource,
			workflow,
			offline,
			storageLevel: storageLevel ?? 0,
			openLoans,
			overdue,
			intoEmptyCompartment: intoEmpty ?? false,
			...(own && { own: true as const }),
		},
		{ now, uncertain: uncertain ?? false, lease: { format: 'latchwork-lease/1', bank: bank.id, bundleVersion, issuedAt, until: issuedAt } },
	)
}

/** Uses a bundle that was made ready and gives its place back. Throws `request-invalid` when its policies cannot be read. */
export async function using<T>(engine: PolicyEngine, bundle: Bundle, use: (compiled: CompiledBundle) => T | Promise<T>): Promise<T> {
	const answer = compile(bundle, { engine, sha256: nodeCrypto.sha256 })
	if (!answer.ok)
		throw new Fault('request-invalid', `Policy ${answer.set}, line ${answer.line}, column ${answer.column}: ${answer.text}`, {
			detail: { field: 'draft' },
		})
	try {
		return await use(answer.compiled)
	} finally {
		answer.compiled.release()
	}
}

/** The policy engine has no thread of its own: others are served between so many questions. */
const AT_ONCE = 100
export async function pause(asked: number): Promise<void> {
	if (asked % AT_ONCE === AT_ONCE - 1) await breathe()
}
export const breathe = (): Promise<void> => new Promise((later) => setImmediate(later))

export interface Rule {
	/** `set/rule`, or `builtin/…`. */
	readonly rule: string
	/** Code of the policy, for one that people wrote. */
	readonly policy?: string
	readonly line?: number
	/** Which sentence of a policy in plain words it came from, counted from 1. */
	readonly statement?: number
}

/** What would have to be otherwise, alone, for it to be allowed. */
export type Instead = { readonly change: 'second-factor' | 'online' | 'loans' | 'overdue' } | { readonly change: 'time'; readonly at: number }

export interface Outcome {
	readonly effect: 'allow' | 'deny'
	readonly reason?: DenyReason
	/** When this reason is gone, as far as it is known. */
	readonly until?: number
	readonly rules: readonly Rule[]
	readonly instead: readonly Instead[]
}

/** `ahead`: the coming week is looked at, too, for when it would be allowed, which takes some hundred questions. */
export function outcomeOf(compiled: CompiledBundle, question: Question, ahead = true): Outcome {
	const decision = ask(compiled, question)
	const rules = decision.decision.rules.map((rule) => ruleOf(compiled, rule))
	if (decision.effect === 'allow') return { effect: 'allow', rules, instead: [] }
	const { reason, until } = decision
	return { effect: 'deny', reason, ...(until !== undefined && { until }), rules, instead: insteadOf(compiled, question, ahead) }
}

function ruleOf({ loaded }: CompiledBundle, rule: string): Rule {
	const known = loaded.policies.find(({ id }) => id === rule)
	const cut = rule.indexOf('/')
	const [set, name] = [rule.slice(0, cut), rule.slice(cut + 1)]
	if (!known || set.startsWith('latchwork.')) return { rule }
	const statement = statementOf(name)
	return { rule, policy: set, line: known.line, ...(statement !== undefined && { statement }) }
}

const STEP_MS = 30 * 60_000
const AHEAD_MS = 7 * 86_400_000

function insteadOf(compiled: CompiledBundle, question: Question, ahead: boolean): Instead[] {
	const allowed = (change: Partial<Question>) => ask(compiled, { ...question, ...change }).effect === 'allow'
	const found: Instead[] = []
	if (
		question.action !== 'open-remote' &&
		question.method !== 'badge-and-pin' &&
		allowed({ method: 'badge-and-pin', assurance: PROVES['badge-and-pin'] })
	)
		found.push({ change: 'second-factor' })
	if (question.offline && allowed({ offline: false })) found.push({ change: 'online' })
	if (question.overdue && allowed({ overdue: false })) found.push({ change: 'overdue' })
	if (question.openLoans > 0 && allowed({ openLoans: 0 })) found.push({ change: 'loans' })
	if (!ahead) return found
	const first = Math.ceil((question.now + 1) / STEP_MS) * STEP_MS
	for (let at = first; at < first + AHEAD_MS; at += STEP_MS) if (allowed({ now: at })) return [...found, { change: 'time', at }]
	return found
}
