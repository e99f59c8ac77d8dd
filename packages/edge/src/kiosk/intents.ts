import { type AccessDecision, type AccessRequest, type Asset, decide, type Identity, otherBadges } from '@latchwork/core/access'
import { type Id, newId, type Random } from '@latchwork/core/base'
import type { Compartment } from '@latchwork/core/door'
import type { DenyReason, KioskScreen } from '@latchwork/core/wire'
import type { Bank } from '../bank/index.ts'
import type { Cases, Loan, Parcel } from '../cases/index.ts'
import type { Journal } from '../journal/index.ts'
import type { Authority, AuthoritySource } from '../sync/authority.ts'
import { isTheirs, questionOf, shownOf, type Thing } from './things.ts'

/** What a person could do here now. */
export type Intent =
	| { readonly kind: 'borrow'; readonly type: string; readonly candidates: readonly Candidate[] }
	| { readonly kind: 'return'; readonly loan: Loan; readonly asset: Asset }
	| { readonly kind: 'resume'; readonly caseId: string; readonly lineId: string; readonly asset: Asset; readonly compartment: Id<'compartment'> }
	/** What waits for this person. */
	| { readonly kind: 'pick-up'; readonly parcel: Parcel }
	/** The list of what staff put in, or take out. */
	| { readonly kind: 'parcels'; readonly task: 'drop-off' | 'pull' }
	/** Badges of this person other than the one that they hold. */
	| { readonly kind: 'badge-lost'; readonly badges: readonly Id<'credential'>[] }

/** One item of the wanted type and where it lies. */
export interface Candidate {
	readonly asset: Asset
	readonly compartment: Id<'compartment'>
}

const SIZES = ['S', 'M', 'L', 'XL'] as const
type Size = (typeof SIZES)[number]

/** What a compartment must be for a parcel. `above`: larger than this one, which it did not fit. */
export interface Fit {
	readonly parcel: Parcel
	readonly above?: Size
}

export interface IntentParts {
	readonly journal: Journal
	readonly bank: () => Bank
	readonly cases: Cases
	readonly authority: AuthoritySource
	readonly random: Random
	/** No live link to a server. */
	readonly offline: () => boolean
	readonly number: (compartment: string) => number
}

export type Choice = Extract<KioskScreen, { name: 'choose' }>['choices'][number]

export interface Intents {
	/** In the order of the screen: bringing back first, then taking. Each with the sentence the kiosk would say, allowed or not. */
	of(who: Identity): { readonly choice: Choice; readonly intent: Intent }[]
	decide(who: Identity, authority: Authority, action: 'collect' | 'deposit', thing: Thing, compartment: Id<'compartment'>): AccessDecision
	/** Where an item can be put: empty, known to be shut and empty, in no one's way; the accessible and smallest first. */
	emptyCompartments(): Id<'compartment'>[]
	/** Where a parcel can be put: what is kept for it, then the smallest that it fits; accessible ones only where they are asked for. */
	placesFor(fit: Fit): Id<'compartment'>[]
	/** What staff may put in or take out now; of what is expected only what a rule lets this person put in. */
	parcels(who: Identity, task: 'drop-off' | 'pull'): Parcel[]
	/** What waits for this person behind doors that can be opened. */
	waiting(who: Identity): Parcel[]
	candidates(type: string): Candidate[]
	/** Why nothing is lent out at present, whoever asks; returns and what was promised before go on (trust.md §3.6). */
	loansWait(): DenyReason | undefined
}

export function intents(parts: IntentParts): Intents {
	const { cases, authority } = parts
	/** Taken out of service by people, through the server; what the bank found out itself is a hold. */
	const closedByStaff = (id: string) => authority.current()?.bundle.bank.compartments.find((c) => c.id === id)?.outOfService === true
	const usable = (c: Compartment) => !c.session && !c.hold && c.door === 'closed' && c.reliable && !closedByStaff(c.id)

	const sizes = () => new Map(authority.current()?.bundle.bank.compartments.map((c) => [c.id as string, c]))

	/** Empty and shut, and kept for nobody but this parcel. */
	const free = (forLine?: string): Compartment[] => {
		const kept = new Map(cases.parcels().flatMap((p) => (p.task === 'drop-off' && p.reserved ? [[p.reserved as string, p.lineId as string]] : [])))
		// With records lost, only a sensor that sees nothing says that nobody's thing is in there.
		const empty = (c: Compartment) => (parts.journal.lost() ? c.presence === false : c.presence !== true)
		return Object.values(parts.bank().state().compartments).filter(
			(c) => usable(c) && c.content.kind === 'empty' && empty(c) && (kept.get(c.id) ?? forLine) === forLine,
		)
	}

	const emptyCompartments = (): Id<'compartment'>[] => {
		const known = sizes()
		const rank = (id: Id<'compartment'>) => {
			const c = known.get(id)
			return (c?.accessible ? 0 : 1_000_000) + 'SMLXL'.indexOf(c?.size ?? 'XL') * 10_000 + (c?.number ?? 0)
		}
		return free()
			.filter((c) => fitsLaptop(known.get(c.id)?.size))
			.map((c) => c.id)
			.sort((a, b) => rank(a) - rank(b))
	}

	const placesFor = ({ parcel, above }: Fit): Id<'compartment'>[] => {
		const known = sizes()
		const least = Math.max(SIZES.indexOf(parcel.size ?? 'S'), above === undefined ? 0 : SIZES.indexOf(above) + 1)
		const sizeOf = (id: string) => SIZES.indexOf(known.get(id)?.size ?? 'S')
		const rank = (id: string) => (id === parcel.reserved ? -1 : sizeOf(id) * 1_000_000 + (known.get(id)?.accessible ? 100_000 : 0) + parts.number(id))
		return free(parcel.lineId)
			.map((c) => c.id)
			.filter((id) => sizeOf(id) >= least && known.has(id) && (!parcel.accessible || known.get(id)?.accessible))
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

	const ask = (who: Identity, by: Authority, action: 'collect' | 'deposit', thing: Thing, compartment: Id<'compartment'>): AccessDecision => {
		const loans = cases.loansOf(who.subject)
		const moment = authority.moment()
		const request: AccessRequest = {
			decision: newId('decision', moment.now, parts.random),
			subject: who.subject,
			credential: who.credential,
			method: who.method,
			assurance: who.assurance,
			offline: parts.offline(),
			storageLevel: by.storageLevel,
			openLoans: loans.filter((l) => !l.doubtful).length + authority.loansElsewhere(who.subject),
			overdue: loans.some((l) => l.overdue),
			...questionOf(thing, action, compartment, who),
		}
		return decide(by.compiled, request, moment)
	}

	const shutAt = (id: string | undefined): boolean => {
		const c = id === undefined ? undefined : parts.bank().state().compartments[id]
		return c !== undefined && usable(c)
	}

	const waiting = (who: Identity): Parcel[] => cases.parcels().filter((p) => p.task === 'pick-up' && isTheirs(p, who) && shutAt(p.compartment))

	/** Asked at the first door that would do: a rule may tell sizes and doors apart, and what it says of the one that opens is asked then. */
	const parcels = (who: Identity, task: 'drop-off' | 'pull'): Parcel[] => {
		const by = authority.current()
		const allowed = (parcel: Parcel) => {
			const at = task === 'pull' ? parcel.compartment : (placesFor({ parcel })[0] ?? by?.bundle.bank.compartments[0]?.id)
			const act = task === 'pull' ? 'collect' : 'deposit'
			return by !== undefined && at !== undefined && ask(who, by, act, { kind: 'parcel', parcel, task }, at).effect === 'allow'
		}
		const wanted = cases.parcels().filter((p) => p.task === task && (task === 'drop-off' || shutAt(p.compartment)))
		// Rules about parcels are rules about doors: one answer for all that go to the same one is enough.
		const answers = new Map<string, boolean>()
		return wanted.filter((parcel) => {
			const at = task === 'pull' ? parcel.lineId : `${parcel.size} ${parcel.accessible} ${parcel.reserved ?? ''}`
			const known = answers.get(at) ?? allowed(parcel)
			answers.set(at, known)
			return known
		})
	}

	const loansWait = (): DenyReason | undefined => {
		if (parts.journal.lost()) return 'history-lost'
		return parts.journal.storage() === 'low' ? 'storage-full' : undefined
	}

	const ownParcels = (who: Identity): { choice: Choice; intent: Intent }[] =>
		waiting(who).map((parcel): { choice: Choice; intent: Intent } => ({
			choice: { id: `pick-up:${parcel.lineId}`, kind: 'pick-up', item: shownOf({ kind: 'parcel', parcel, task: 'pick-up' }) },
			intent: { kind: 'pick-up', parcel },
		}))

	/** The work of staff. */
	const rounds = (who: Identity): { choice: Choice; intent: Intent }[] =>
		(['drop-off', 'pull'] as const).flatMap((task): { choice: Choice; intent: Intent }[] => {
			const found = parcels(who, task).length
			const denied = task === 'drop-off' ? loansWait() : undefined
			return found ? [{ choice: { id: task, kind: task, free: found, ...(denied && { denied }) }, intent: { kind: 'parcels', task } }] : []
		})

	const losing = (who: Identity, { bundle }: Authority): { choice: Choice; intent: Intent }[] => {
		const badges = otherBadges(bundle, who)
		return badges.length > 0
			? [{ choice: { id: 'badge-lost', kind: 'badge-lost', free: badges.length }, intent: { kind: 'badge-lost', badges } }]
			: []
	}

	const borrowing = (who: Identity, by: Authority, type: string): { choice: Choice; intent: Intent } | undefined => {
		const found = candidates(type)
		const example = found[0]?.asset ?? by.bundle.assets.find((a) => a.type === type)
		if (!example) return undefined
		const decision = ask(who, by, 'collect', { kind: 'asset', asset: example }, NOWHERE)
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
			if (who.pickUp) return ownParcels(who)
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
			return [...returns, ...ownParcels(who), ...types.flatMap((type) => borrowing(who, by, type) ?? []), ...rounds(who), ...losing(who, by)]
		},
		decide: ask,
		emptyCompartments,
		placesFor,
		parcels,
		waiting,
		candidates,
		loansWait,
	}
}

/** An asset is judged by what it is, not by where it lies. */
const NOWHERE = '' as Id<'compartment'>

/** Least recently used first, so that batteries and wear are shared (workflows.md §3.1 step 4). */
const lastUsed = (journal: Journal, asset: string): number => journal.fact<number>('asset-used', asset) ?? 0

/** Until asset types carry dimensions: a laptop lies in everything but the smallest size. */
const fitsLaptop = (size: string | undefined): boolean => size !== 'S'
