import type { AccessAction, Bundle, CompiledBundle, Method, PolicyEngine, PolicySet } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { DenyReason } from '@latchwork/core/wire'
import type { AsIfBank } from './as-if.ts'
import { ask, type Outcome, outcomeOf, pause, type Question, using } from './what-if.ts'

/** With what the least is asked of people: first a badge, then both. */
const PROOFS: readonly Method[] = ['badge', 'badge-and-pin']

export interface Opener {
	readonly user: Id<'subject'>
	/** `collect`: takes out what is there, or what waits for them; the others are acts of staff. */
	readonly action: AccessAction
	/** The least that is asked of them. */
	readonly method: Method
	readonly rules: readonly string[]
}

/** Who can open a compartment now: everybody whom the bank would let, with the least proof that does. */
export async function openersOfDoor(
	engine: PolicyEngine,
	at: AsIfBank,
	sets: readonly PolicySet[],
	compartment: Id<'compartment'>,
	now: number,
): Promise<Opener[]> {
	const asset = at.inside.get(compartment)
	const waits = at.waiting.get(compartment)
	return using(engine, at.bundle(sets), async (compiled) => {
		const found: Opener[] = []
		const named = new Set(sets.flatMap(({ cedar }) => [...cedar.matchAll(/\bPerson::"([^"]*)"/g)].map((match) => match[1] ?? '')))
		/** Answers by kind of person: among tens of thousands there are few kinds. */
		const known = new Map<string, readonly Omit<Opener, 'user'>[]>()
		let asked = 0
		for (const { id, groups, blocked, maxLoans, qualifications, approvals } of compiled.bundle.subjects) {
			const alone = named.has(id) || waits === id
			const kind = JSON.stringify([
				alone && id,
				[...groups].sort(),
				blocked,
				maxLoans,
				qualifications,
				approvals,
				at.loans.get(id) ?? 0,
				at.overdue.has(id),
			])
			const same = known.get(kind)
			if (same) {
				found.push(...same.map((one) => ({ user: id, ...one })))
				continue
			}
			const mine: Omit<Opener, 'user'>[] = []
			const base = { subject: id, now, offline: false, openLoans: at.loans.get(id) ?? 0, overdue: at.overdue.has(id) }
			const door = { kind: 'compartment', id: compartment } as const
			const acts: (Omit<Question, 'method'> & { readonly by: readonly Method[] })[] = [
				...(asset ? [{ ...base, action: 'collect' as const, resource: { kind: 'asset', id: asset } as const, workflow: 'loan', by: PROOFS }] : []),
				...(asset ? [] : [{ ...base, action: 'collect' as const, resource: door, workflow: 'delivery', by: PROOFS, own: waits === id }]),
				{ ...base, action: 'service', resource: door, workflow: 'none', by: PROOFS },
				{ ...base, action: 'open-remote', resource: door, workflow: 'none', by: ['remote'] },
			]
			for (const { by, ...question } of acts)
				for (const method of by) {
					await pause(asked++)
					const { effect, decision } = ask(compiled, { ...question, method })
					if (effect === 'deny') continue
					mine.push({ action: question.action, method, rules: decision.rules })
					break
				}
			known.set(kind, mine)
			found.push(...mine.map((one) => ({ user: id, ...one })))
		}
		return found
	})
}

export interface Reach {
	readonly bank: Id<'bank'>
	readonly action: AccessAction
	/** Code of an asset type; absent: compartments of the bank. */
	readonly type?: string
	readonly effect: 'allow' | 'deny'
	readonly reason?: DenyReason
	/** What it takes where it is allowed. */
	readonly method?: Method
	readonly outcome: Outcome
}

/** What one person can do at a bank now. */
export const reachAt = (engine: PolicyEngine, at: AsIfBank, sets: readonly PolicySet[], subject: Id<'subject'>, now: number): Promise<Reach[]> =>
	using(engine, at.bundle(sets), (compiled) => {
		const { bundle } = compiled
		const base = { subject, now, offline: false, openLoans: at.loans.get(subject) ?? 0, overdue: at.overdue.has(subject) }
		return asksOf(bundle).map(({ type, by, ...what }): Reach => {
			const answers = by.map((method) => ({ method, outcome: outcomeOf(compiled, { ...base, ...what, method }, false) }))
			const best = answers.find(({ outcome }) => outcome.effect === 'allow') ?? answers[0]
			const outcome = best?.outcome ?? { effect: 'deny', rules: [], instead: [] }
			const { effect, reason } = outcome
			return {
				bank: at.bank,
				action: what.action,
				...(type !== undefined && { type }),
				effect,
				...(reason && { reason }),
				...(effect === 'allow' && best && { method: best.method }),
				outcome,
			}
		})
	})

type Ask = Pick<Question, 'action' | 'resource' | 'workflow'> & { readonly type?: string; readonly by: readonly Method[] }

/** One question for each kind of thing that can be wanted at the bank. */
export function asksOf({ assets, bank }: Bundle): Ask[] {
	const types = [...new Map(assets.map((one) => [one.type, one])).values()]
	const [door] = bank.compartments
	const at = door && ({ kind: 'compartment', id: door.id } as const)
	return [
		...types.map((asset): Ask => ({ action: 'collect', resource: { kind: 'asset', id: asset.id }, workflow: 'loan', type: asset.type, by: PROOFS })),
		...(at
			? ([
					{ action: 'deposit', resource: at, workflow: 'delivery', by: PROOFS },
					{ action: 'collect', resource: at, workflow: 'delivery', by: PROOFS },
					{ action: 'service', resource: at, workflow: 'none', by: PROOFS },
					{ action: 'open-remote', resource: at, workflow: 'none', by: ['remote'] },
				] satisfies Ask[])
			: []),
	]
}

/** People who belong to the same groups and have the same qualifications and approvals are decided alike, unless a rule names one of them: one for each kind, those that rules name first. */
export function kindsOf(compiled: CompiledBundle, named: ReadonlySet<string>): Id<'subject'>[] {
	const kinds = new Map<string, Id<'subject'>>()
	for (const { id, groups, blocked, qualifications, approvals } of compiled.bundle.subjects) {
		if (blocked) continue
		const kind = named.has(id) ? id : JSON.stringify([[...groups].sort(), qualifications, approvals])
		if (!kinds.has(kind)) kinds.set(kind, id)
	}
	return [...kinds.values()]
}
