import { type Clock, type Crypto, type Id, isFault } from '@latchwork/core/base'
import { tenantsWithLoanNews } from '../cases/index.ts'
import { dirtyOf, placeOf, tenantsWithDirtyPeople } from '../estate/index.ts'
import type { PeopleTerms } from '../people/index.ts'
import { takePinNews } from '../space/index.ts'
import type { Store } from '../store/index.ts'
import { type Signer, signerOf } from '../tenants/index.ts'
import { type DeltaNews, publishDelta, publishLoans } from './delta-write.ts'
import { publishPeople } from './people-write.ts'
import { currentBundle, type Due, dueBanks, inForce, leasedBanks, markedSites, type Published } from './read.ts'
import { leaseText, publishSite, takesPeople } from './write.ts'

/** To whom news of a bank go. */
export interface Addressee {
	readonly tenant: Id<'tenant'>
	readonly controller: Id<'controller'>
	readonly bank: Id<'bank'>
}
/** What `link` carries to controllers: a lease whole, of a bundle that it is there to be fetched. Lost ones are made good by the next. */
export type AuthorityNews = Addressee &
	(
		| { readonly kind: 'lease'; readonly lease: string }
		| { readonly kind: 'bundle'; readonly version: number; readonly digest: string }
		| { readonly kind: 'delta'; readonly delta: string }
	)

export interface AuthorityParts {
	readonly store: Store
	readonly clock: Pick<Clock, 'now'>
	/** How often is looked: in real time, also where the site's time is moved or stands still. */
	readonly pace: Pick<Clock, 'after' | 'mono'>
	readonly people: PeopleTerms
	readonly crypto: Pick<Crypto, 'sha256'>
	readonly publish: (news: AuthorityNews) => void
	/**
	 * Does what is published reach controllers? Of several server processes one has the link, and only that one composes of itself: what another
	 * made would be marked as told and reach nobody. What is lost while the link changes hands the next lease makes good.
	 */
	readonly reaches: () => boolean
	readonly log: (entry: Readonly<Record<string, unknown>>) => void
}

/** What a bank says that it knows already. */
export interface Held {
	readonly deltas?: number | undefined
	readonly people?: number | undefined
}

export interface Authority {
	/**
	 * What a bank fetches; composed now if it never was. Undefined: there is no such bank, or it has no controller. `held`: up to which of the site's
	 * deltas, and of its own about people, it knows them all; a bundle that lacks what it missed is composed anew. Without `deltas` it does not ask for
	 * counts, without `people` its controller takes no deltas about people.
	 */
	current(tenant: Id<'tenant'>, bank: Id<'bank'>, held?: Held): Promise<Published | undefined>
	/** A fresh lease for the version in force; undefined before the first. */
	lease(tenant: Id<'tenant'>, bank: Id<'bank'>): Promise<string | undefined>
	/**
	 * What is marked reaches this bank at once, also where that is being done just now. Answers the version in force, 0 for none, and the newest
	 * delta about people.
	 */
	renew(tenant: Id<'tenant'>, site: Id<'site'>, bank: Id<'bank'>): Promise<{ readonly bundle: number; readonly people: number }>
	/** Tells connected banks what was taken away: before their bundles are made, which takes longer. */
	takeAway(): Promise<void>
	/** Tells connected banks of the people that were marked; banks that must have a bundle instead are marked themselves. */
	tellPeople(): Promise<void>
	/** Tells connected banks what people have on loan at the others, as far as it has changed. */
	tellLoans(): Promise<void>
	/** Everything that is due, now. */
	turn(): Promise<void>
	/** A fresh lease for each bank that is connected. */
	leases(): Promise<void>
	stop(): Promise<void>
}

/** A change reaches the bank within a second: looked for so often, composed in far less. */
const LOOK_EVERY_MS = 250
const LONGEST_REST_MS = 2_000
/** Where thousands of people are brought in one by one, composing leaves most of the time to those who ask; one more person is told of soon after another. */
const COMPOSING_RESTS = 3
const TELLING_RESTS = 1
const LEASE_EVERY_MS = 60_000
const AILING_MS = 30_000
/** So many banks at a look, and of one site in one transaction. */
const AT_ONCE = 64
const IN_ONE_TRANSACTION = 16

/** Keeps the bundles of all banks true, in the process that has the link. While it changes hands two may be at it: a bank is composed by one of them. */
export function openAuthority({ store, clock, pace, people, crypto, publish, reaches, log }: AuthorityParts): Authority {
	/** Banks whose rows cannot be composed (a policy too long, a name emptied), and when they are looked at again. */
	const ailing = new Map<Id<'bank'>, number>()
	/** Organisations that were told of in the log, until all is well with them again. */
	const troubled = new Set<Id<'tenant'>>()
	let stopped = false
	let leasedAt = Number.NEGATIVE_INFINITY

	const publishBanks = async (tenant: Id<'tenant'>, site: Id<'site'>, banks: readonly Id<'bank'>[], how = {}): Promise<void> => {
		const terms = { ...people, now: clock.now(), crypto }
		for (const { lease, version, digest, ...to } of await store.write(tenant, (tx) => publishSite(tx, site, banks, terms, how))) {
			publish({ ...to, kind: 'bundle', version, digest })
			publish({ ...to, kind: 'lease', lease })
		}
	}

	/** One bank that cannot be composed must not keep the others from their news. */
	const publishEach = async (of: readonly Due[]): Promise<void> => {
		const [first] = of
		if (!first) return
		const { tenant, site, bank } = first
		try {
			await publishBanks(
				tenant,
				site,
				of.map((one) => one.bank),
			)
			for (const one of of) ailing.delete(one.bank)
		} catch (fault) {
			if (isFault(fault, 'database-unavailable')) throw fault
			if (of.length > 1) {
				for (const one of of) await publishEach([one])
				return
			}
			if (!ailing.has(bank))
				log({ level: 'error', text: 'The bundle of a bank cannot be composed; it keeps the one it has.', bank, fault: wordsOf(fault) })
			ailing.set(bank, pace.mono() + AILING_MS)
		}
	}

	/** One organisation whose key cannot be read, or whose rows make no sense, must not keep the others from their leases and revocations. */
	const apart = async (tenant: Id<'tenant'>, work: () => Promise<void>): Promise<void> => {
		try {
			await work()
			troubled.delete(tenant)
		} catch (fault) {
			if (isFault(fault, 'database-unavailable')) throw fault
			if (!troubled.has(tenant)) log({ level: 'error', text: 'Nothing can be signed or told for an organisation.', tenant, fault: wordsOf(fault) })
			troubled.add(tenant)
		}
	}

	const turn = async (): Promise<void> => {
		await tellPeople()
		const due = await store.system((tx) => dueBanks(tx, clock.now(), AT_ONCE + ailing.size))
		for (const group of groups(due.filter(({ bank }) => (ailing.get(bank) ?? 0) <= pace.mono()))) await publishEach(group)
	}

	const leases = async (): Promise<void> => {
		const signers = new Map<string, Signer>()
		const banks = await store.system(async (tx) => {
			const found = await leasedBanks(tx)
			for (const tenant of new Set(found.map((one) => one.tenant)))
				await apart(tenant, async () => void signers.set(tenant, await signerOf(tx, 'maker', { master: people.master, tenant })))
			return found
		})
		const now = clock.now()
		for (const { tenant, controller, ...of } of banks) {
			const signer = signers.get(tenant)
			if (signer) publish({ tenant, controller, bank: of.bank, kind: 'lease', lease: leaseText(of, signer, now) })
		}
	}

	const takeAway = async (): Promise<void> => {
		for (const { tenant, site } of await store.system(markedSites))
			await apart(tenant, async () => {
				const news = await store.write(tenant, (tx) => publishDelta(tx, site, { ...people, now: clock.now(), crypto }))
				if (news) tell(tenant, news)
			})
	}

	let telling: Promise<void> = Promise.resolve()
	/** One after the other: whoever asks once more waits for what is being told just now. */
	const tellPeople = (): Promise<void> => {
		const turn = telling.catch(() => {}).then(tellMarked)
		telling = turn
		return turn
	}
	const tellMarked = async (): Promise<void> => {
		// What was taken away counts before all else, and is told to banks that take nothing else, too.
		await takeAway()
		for (const tenant of await store.system(tenantsWithDirtyPeople))
			await apart(tenant, async () => {
				for (const news of await store.write(tenant, (tx) => publishPeople(tx, { ...people, now: clock.now(), crypto }))) tell(tenant, news)
			})
	}

	const tellLoans = async (): Promise<void> => {
		for (const tenant of await store.system(tenantsWithLoanNews))
			await apart(tenant, async () => {
				for (const news of await store.write(tenant, (tx) => publishLoans(tx, { ...people, now: clock.now(), crypto }))) tell(tenant, news)
			})
	}

	const tell = (tenant: Id<'tenant'>, { text, to }: DeltaNews): void => {
		for (const one of to) publish({ tenant, ...one, kind: 'delta', delta: text })
	}

	const bundlesAndLeases = async (): Promise<void> => {
		await turn()
		// A lease counts in the site's time: where that was moved, back too, the next one is due at once.
		if (Math.abs(clock.now() - leasedAt) < LEASE_EVERY_MS && !(await store.system(takePinNews))) return
		await leases()
		leasedAt = clock.now()
	}

	/** Again and again, with a rest of so many times what it took. Nothing here may end the server: a database that is away comes back. */
	const repeat = (work: () => Promise<void>, rests: number): (() => Promise<void>) => {
		let cancel = () => {}
		let working: Promise<void> = Promise.resolve()
		let away = false
		const beat = async (): Promise<void> => {
			const began = pace.mono()
			try {
				if (reaches()) await work()
				away = false
			} catch (fault) {
				if (!away) log({ level: 'error', text: 'Bundles and leases cannot be made now; it is tried again.', fault: wordsOf(fault) })
				away = true
			}
			const rest = Math.min(rests * (pace.mono() - began), LONGEST_REST_MS)
			if (!stopped) cancel = pace.after(Math.max(LOOK_EVERY_MS, rest), run)
		}
		const run = () => {
			working = beat()
		}
		cancel = pace.after(LOOK_EVERY_MS, run)
		return async () => {
			cancel()
			await working
			cancel()
		}
	}
	// Each at its own pace: what is taken away waits for nothing else.
	const ends = [repeat(bundlesAndLeases, COMPOSING_RESTS), repeat(tellPeople, TELLING_RESTS), repeat(tellLoans, TELLING_RESTS)]

	const current = (tenant: Id<'tenant'>, bank: Id<'bank'>) => store.read(tenant, (db) => currentBundle(db, bank))

	return {
		async current(tenant, bank, { deltas = Number.POSITIVE_INFINITY, people: told } = {}) {
			const takes = told !== undefined
			const known = await current(tenant, bank)
			if (known && known.takesPeople !== takes) await store.write(tenant, (tx) => takesPeople(tx, bank, takes))
			// Who takes no deltas about people needs all that was told in the bundle itself.
			const knows = Math.max(known?.peopleHeld ?? 0, told ?? 0)
			if (known && known.people <= knows && known.counted <= Math.max(known.deltas, deltas)) return known
			const place = await store.read(tenant, (db) => placeOf(db, bank))
			if (!place) return undefined
			if (!known) await store.write(tenant, (tx) => takesPeople(tx, bank, takes))
			await publishBanks(tenant, place.site, [bank], { patient: true, missed: true })
			return current(tenant, bank)
		},
		lease: (tenant, bank) =>
			store.read(tenant, async (db) => {
				const of = await inForce(db, bank)
				return of && leaseText(of, await signerOf(db, 'maker', people), clock.now())
			}),
		async renew(tenant, site, bank) {
			await tellPeople()
			const before = await store.read(tenant, (db) => inForce(db, bank))
			const marked = await store.read(tenant, (db) => dirtyOf(db, bank))
			if (!before || marked) await publishBanks(tenant, site, [bank], { patient: true })
			const of = before && !marked ? before : await store.read(tenant, (db) => inForce(db, bank))
			return { bundle: of?.version ?? 0, people: of?.people ?? 0 }
		},
		takeAway,
		tellPeople,
		tellLoans,
		turn,
		leases,
		async stop() {
			stopped = true
			for (const end of ends) await end()
		},
	}
}

/** By site, in the order in which they wait. */
function groups(due: readonly Due[]): Due[][] {
	const bySite = new Map<string, Due[]>()
	for (const one of due) {
		const key = `${one.tenant}/${one.site}`
		bySite.set(key, [...(bySite.get(key) ?? []), one])
	}
	return [...bySite.values()].flatMap((all) =>
		Array.from({ length: Math.ceil(all.length / IN_ONE_TRANSACTION) }, (_, i) => all.slice(i * IN_ONE_TRANSACTION, (i + 1) * IN_ONE_TRANSACTION)),
	)
}

const wordsOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault))
