import { type AccessDecision, type AccessRequest, type Asset, decide, type Identity } from '@latchwork/core/access'
import { type Id, newId, type Random } from '@latchwork/core/base'
import type { Compartment } from '@latchwork/core/door'
import type { DenyReason, KioskScreen } from '@latchwork/core/wire'
import type { Bank } from '../bank/index.ts'
import type { Cases, Loan } from '../cases/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Authority, AuthoritySource } from '../sync/authority.ts'

/** What a person could do here now. */
export type Intent =
	| { readonly kind: 'borrow'; readonly type: string; readonly candidates: readonly Candidate[] }
	| { readonly kind: 'return'; readonly loan: Loan; readonly asset: Asset }
	| { readonly kind: 'resume'; readonly caseId: string; readonly lineId: string; readonly asset: Asset; readonly compartment: Id<'compartment'> }

/** One item of the wanted type and where it lies. */
export interface Candidate {
	readonly asset: Asset
	readonly compartment: Id<'compartment'>
}

export interface IntentParts {
	readonly journal: Journal
	readonly bank: () => Bank
	readonly cases: Cases
	readonly authority: AuthoritySource
	readonly random: Random
	readonly number: (compartment: string) => number
}

export type Choice = Extract<KioskScreen, { name: 'choose' }>['choices'][number]

export interface Intents {
	/** In the order of the screen: bringing back first, then taking. Each with the sentence the kiosk would say, allowed or not. */
	of(who: Identity): { readonly choice: Choice; readonly intent: Intent }[]
	decide(who: Identity, authority: Authority, action: 'collect' | 'deposit', asset: Asset, intoEmpty: boolean): AccessDecision
	/** Where an item can be put: empty, known to be shut and empty, in no one's way; the accessible and smallest first. */
	emptyCompartments(): Id<'compartment'>[]
	candidates(type: string): Candidate[]
	/** Why nothing is lent out at present, whoever asks; returns and what was promised before go on (trust.md §3.6). */
	loansWait(): DenyReason | undefined
}

export function intents(parts: IntentParts): Intents {
	const { cases, authority } = parts
	const usable = (c: Compartment) => !c.session && !c.hold && c.door === 'closed' && c.reliable

	const emptyCompartments = (): Id<'compartment'>[] => {
		const known = new Map(authority.current()?.bundle.bank.compartments.map((c) => [c.id, c]))
		const rank = (id: Id<'compartment'>) => {
			const c = known.get(id)
			return (c?.accessible ? 0 : 1_000_000) + 'SMLXL'.indexOf(c?.size ?? 'XL') * 10_000 + (c?.number ?? 0)
		}
		// With records lost, only a sensor that sees nothing says that nobody's thing is in there.
		const free = (c: Compartment) => (parts.journal.lost() ? c.presence === false : c.presence !== true)
		return Object.values(parts.bank().state().compartments)
			.filter((c) => usable(c) && c.content.kind === 'empty' && free(c) && fitsLaptop(known.get(c.id)?.size))
			.map((c) => c.id)
			.sort((a, b) => rank(a) - rank(b))
	}

	const candidates = (type: string): Candidate[] => {
		const assets = new Map(
			authority
				.current()
				?.bundle.assets.filter((a) => a.type === type)
				.map((a) => [a.id as string, a]),
		)
		const promised = cases.promised()
		return Object.values(parts.bank().state().compartments)
			.flatMap((c): Candidate[] => {
				const asset = c.content.kind === 'item' && usable(c) && !promised.has(c.content.item) ? assets.get(c.content.item) : undefined
				return asset ? [{ asset, compartment: c.id }] : []
			})
			.sort(
				(a, b) =>
					lastUsed(parts.journal, a.asset.id) - lastUsed(parts.journal, b.asset.id) || parts.number(a.compartment) - parts.number(b.compartment),
			)
	}

	const ask = (who: Identity, by: Authority, action: 'collect' | 'deposit', asset: Asset, intoEmpty: boolean): AccessDecision => {
		const loans = cases.loansOf(who.subject)
		const moment = authority.moment()
		const request: AccessRequest = {
			decision: newId('decision', moment.now, parts.random),
			subject: who.subject,
			credential: who.credential,
			method: who.method,
			assurance: who.assurance,
			action,
			resource: { kind: 'asset', id: asset.id },
			workflow: 'loan',
			offline: true,
			openLoans: loans.filter((l) => !l.doubtful).length,
			overdue: loans.some((l) => l.overdue),
			intoEmptyCompartment: intoEmpty,
		}
		return decide(by.compiled, request, moment)
	}

	const loansWait = (): DenyReason | undefined => {
		if (parts.journal.lost()) return 'history-lost'
		return parts.journal.storage() === 'low' ? 'storage-full' : undefined
	}

	const borrowing = (who: Identity, by: Authority, type: string): { choice: Choice; intent: Intent } | undefined => {
		const found = candidates(type)
		const example = found[0]?.asset ?? by.bundle.assets.find((a) => a.type === type)
		if (!example) return undefined
		const decision = ask(who, by, 'collect', example, false)
		const denied = !by.tables.has('loan')
			? 'workflow-unknown'
			: decision.effect === 'deny'
				? decision.reason
				: (loansWait() ?? (found.length ? undefined : 'nothing-available'))
		const item = { tag: example.tag, kind: example.kind, name: example.name }
		const due = denied ? undefined : cases.dueIfBorrowed()
		return {
			choice: { id: `borrow:${type}`, kind: 'borrow', item, free: found.length, ...(due !== undefined && { due }), ...(denied && { denied }) },
			intent: { kind: 'borrow', type, candidates: found },
		}
	}

	return {
		of(who) {
			const by = authority.current()
			if (!by) return []
			const assets = new Map(by.bundle.assets.map((a) => [a.id as string, a]))
			const space = emptyCompartments().length > 0
			const returns = cases.loansOf(who.subject).flatMap((loan): { choice: Choice; intent: Intent }[] => {
				const asset = assets.get(loan.asset)
				if (!asset) return []
				const item = { tag: asset.tag, kind: asset.kind, name: asset.name }
				const choice: Choice = {
					id: `return:${loan.caseId}`,
					kind: 'return',
					item,
					...(loan.due !== undefined && { due: loan.due }),
					overdue: loan.overdue,
					...(!space && { denied: 'bank-full' as const }),
				}
				return [{ choice, intent: { kind: 'return', loan, asset } }]
			})
			const types = [...new Set(by.bundle.assets.map((a) => a.type))].sort()
			return [...returns, ...types.flatMap((type) => borrowing(who, by, type) ?? [])]
		},
		decide: ask,
		emptyCompartments,
		candidates,
		loansWait,
	}
}

/** Least recently used first, so that batteries and wear are shared (workflows.md §3.1 step 4). */
const lastUsed = (journal: Journal, asset: string): number => journal.fact<number>('asset-used', asset) ?? 0

/** Until asset types carry dimensions: a laptop lies in everything but the smallest size. */
const fitsLaptop = (size: string | undefined): boolean => size !== 'S'
