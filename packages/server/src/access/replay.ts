import type { AccessAction, Assurance, CompiledBundle, Method, PolicyEngine, PolicySet, StorageLevel } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { DenyReason } from '@latchwork/core/wire'
import { countOfBanks, type LoggedEvent, newestOfBanks } from '../ledger/index.ts'
import type { Db } from '../store/index.ts'
import type { AsIfBank } from './as-if.ts'
import { ask, breathe, pause, type Question, using } from './what-if.ts'

/** A decision of a bank, as its event tells it. */
export interface Decided {
	readonly id: Id<'decision'>
	readonly position: number
	readonly at: number
	readonly bank: Id<'bank'>
	readonly user?: Id<'subject'>
	readonly effect: 'allow' | 'deny'
	readonly reason?: DenyReason
	readonly rules: readonly string[]
	readonly method: Method
	readonly assurance?: Assurance
	readonly offline: boolean
	/** Absent: from before decisions said it. */
	readonly storageLevel?: StorageLevel
	readonly stale: boolean
	readonly action?: AccessAction
	readonly asset?: Id<'asset'>
	readonly compartment?: Id<'compartment'>
	readonly case?: Id<'case'>
	readonly command?: Id<'command'>
	readonly policyVersion?: number
	readonly bundleVersion?: number
	readonly inputsDigest?: string
	/** What it takes to decide it again; absent: an event from before decisions said it, or one that no policy was asked about. */
	readonly question?: Question
}

/** Reads `decision.allowed` and `decision.denied`. */
export function decidedFrom({ position, body }: LoggedEvent): Decided | undefined {
	if (!('stream' in body) || (body.type !== 'decision.allowed' && body.type !== 'decision.denied')) return undefined
	// biome-ignore lint/suspicious/noExplicitAny: bytes that a controller minted, by the shape of core's DecisionRecord.
	const data = body.data as Record<string, any>
	const user = body.actor?.startsWith('sub_') ? (body.actor as Id<'subject'>) : undefined
	const resource = data.asset
		? ({ kind: 'asset', id: data.asset } as const)
		: data.compartment
			? ({ kind: 'compartment', id: data.compartment } as const)
			: ({ kind: 'bank' } as const)
	const known = [
		'reason',
		'method',
		'assurance',
		'storageLevel',
		'action',
		'asset',
		'compartment',
		'case',
		'command',
		'policyVersion',
		'bundleVersion',
		'inputsDigest',
	]
	return {
		id: body.subject as Id<'decision'>,
		position,
		at: body.at,
		bank: body.bank,
		...(user && { user }),
		effect: body.type === 'decision.allowed' ? 'allow' : 'deny',
		rules: data.rules ?? [],
		method: data.method,
		offline: data.offline ?? body.offline,
		stale: data.stale ?? false,
		...Object.fromEntries(known.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]]))),
		...(user &&
			data.action !== undefined &&
			data.workflow !== undefined && {
				question: {
					subject: user,
					action: data.action,
					resource,
					workflow: data.workflow,
					method: data.method,
					assurance: data.assurance,
					offline: data.offline,
					storageLevel: data.storageLevel,
					now: body.at,
					uncertain: body.clock === 'uncertain',
					openLoans: data.openLoans,
					overdue: data.overdue,
					own: data.own === true,
					intoEmpty: data.intoEmptyCompartment === true,
				},
			}),
	}
}

/** Decided again, twice each, and bundles made for: some seconds of work, in which others are served. */
const MOST = { decisions: 10_000, banks: 100 }

/** What banks decided, as far as it is decided again, and how much is not. */
export interface Lately {
	readonly banks: readonly Id<'bank'>[]
	readonly decided: readonly Decided[]
	/** Banks of which nothing is looked at though they decided, and decisions that are not looked at, those of such banks among them. */
	readonly banksLeftOut: number
	readonly decisionsLeftOut: number
	/** Decisions of banks that are no more. */
	readonly gone: number
}

/**
 * The newest of each bank: where there are more than can be decided again, the busy ones leave room for the quiet ones, and the banks of which nothing is
 * looked at are those that decided least. Nothing is left out without being counted.
 */
export async function decidedLately(
	db: Db,
	{ since, at, banks }: { readonly since: number; readonly at: PolicySet['scope']; readonly banks: readonly Id<'bank'>[] },
	most = MOST,
): Promise<Lately> {
	const query = { types: ['decision.allowed', 'decision.denied'], since, at: at ?? {} }
	const counts = await countOfBanks(db, query)
	const here = banks.filter((bank) => counts.has(bank)).sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1))
	const looked = here.slice(0, most.banks)
	const each = shareOf(
		looked.map((bank) => counts.get(bank) ?? 0),
		most.decisions,
	)
	const decided = (await newestOfBanks(db, query, looked, each)).flatMap((event) => decidedFrom(event) ?? [])
	const total = (of: Iterable<number>) => [...of].reduce((sum, one) => sum + one, 0)
	const standing = total(here.map((bank) => counts.get(bank) ?? 0))
	return {
		banks: looked,
		decided,
		banksLeftOut: here.length - looked.length,
		decisionsLeftOut: standing - decided.length,
		gone: total(counts.values()) - standing,
	}
}

/** How many of each there may be, so that all together are at most `most`: what a small one leaves goes to the others. */
export function shareOf(counts: readonly number[], most: number): number {
	let left = most
	for (const [i, count] of counts.toSorted((a, b) => a - b).entries()) {
		const each = Math.floor(left / (counts.length - i))
		if (count > each) return each
		left -= count
	}
	return most
}

export interface Changed {
	readonly decided: Decided
	readonly before: 'allow' | DenyReason
	readonly after: 'allow' | DenyReason
}

export interface Replayed {
	/** How many could be decided again, and how many of those would come out as they would without the draft. */
	readonly decisions: number
	readonly same: number
	readonly changes: readonly Changed[]
	/** Old ones that do not say all that was asked, as far as it matters to the policies, and those about people and things that are not here any more. */
	readonly untold: number
	readonly gone: number
}

/**
 * Decides again what was decided, once by what is in force now and once with the draft in its place: what differs is the draft's doing, and not that of
 * people who have changed their groups since.
 */
export async function replay(
	engine: PolicyEngine,
	banks: readonly AsIfBank[],
	decided: readonly Decided[],
	{ before, after }: { readonly before: readonly PolicySet[]; readonly after: readonly PolicySet[] },
): Promise<Replayed> {
	const changes: Changed[] = []
	let [same, untold, gone] = [0, 0, 0]
	const decidedAt = Map.groupBy(decided, ({ bank }) => bank)
	for (const at of banks) {
		// To make two bundles ready takes as long as many questions.
		await breathe()
		const here = decidedAt.get(at.bank) ?? []
		const told = here.filter(({ question }) => question !== undefined)
		untold += here.length - told.length
		await using(engine, at.bundle(before), (old) =>
			using(engine, at.bundle(after), async (young) => {
				let asked = 0
				for (const one of told) {
					if (!one.question) continue
					await pause(asked++)
					const was = wordOf(old, one.question)
					const is = wordOf(young, one.question)
					if (was === undefined || is === undefined) untold += 1
					else if (was === 'unknown-credential' && is === was && one.reason !== was) gone += 1
					else if ((was === 'allow') === (is === 'allow')) same += 1
					else changes.push({ decided: one, before: was, after: is })
				}
			}),
		)
	}
	changes.sort((a, b) => b.decided.position - a.decided.position)
	return { decisions: same + changes.length, same, changes, untold, gone }
}

/** At those that there were when decisions did not say theirs. */
const UNSAID: readonly StorageLevel[] = [0, 1]

/** Undefined: that depends on the storage level, which an old record does not say. */
function wordOf(compiled: CompiledBundle, question: Question): 'allow' | DenyReason | undefined {
	const at = (storageLevel: StorageLevel) => {
		const answer = ask(compiled, { ...question, storageLevel })
		return answer.effect === 'allow' ? 'allow' : answer.reason
	}
	if (question.storageLevel !== undefined) return at(question.storageLevel)
	const [word, ...others] = (speaksOfLevel(compiled) ? UNSAID : [0 as const]).map(at)
	return others.every((other) => other === word) ? word : undefined
}

const speaksOfLevel = ({ bundle }: CompiledBundle): boolean => bundle.policies.sets.some(({ cedar }) => cedar.includes('storageLevel'))
