import { readFileSync, statSync } from 'node:fs'
import {
	type AuthorityState,
	acceptBundle,
	acceptDelta,
	acceptLease,
	acceptPeopleDelta,
	authorityState,
	type Bundle,
	type CompiledBundle,
	compile,
	type DeltaMark,
	grantedIn,
	heldUpTo,
	isNews,
	isPeopleDelta,
	knownElsewhere,
	type Lease,
	type LoansTold,
	type MintKeys,
	type Moment,
	NO_DELTA,
	namesNew,
	type PersonTold,
	type PinnedKeys,
	POLICY_SCHEMA,
	type PolicyEngine,
	type RefusalCode,
	readChanges,
	readMintKeys,
	refusalCode,
	siteKeyMark,
	without,
	withPeople,
	writeMintKeys,
} from '@latchwork/core/access'
import { type Crypto, canonicalBytes, fromHex, type Id, isFault, toHex } from '@latchwork/core/base'
import type { EventDraft } from '@latchwork/core/ledger'
import { EFFECTS, GUARDS, type LoadedTable, loadTable } from '@latchwork/core/workflow'
import type { Entry, Journal } from '../journal/index.ts'
import type { TrustedTime } from '../time.ts'

/** What this controller may decide by: the newest bundle that it accepted, ready to ask, and the lease that keeps it alive. */
export interface Authority {
	readonly bundle: Bundle
	readonly compiled: CompiledBundle
	readonly lease: Lease | undefined
	/** What the bundle's verifiers were made under. */
	readonly siteKey: Uint8Array
	/** Whether that lies on this disk (0), or is fetched at each start and held in memory alone (1). This program knows no chip that would seal it. */
	readonly storageLevel: 0 | 1
	/** By which one-time codes that are typed are known here; empty: none came. */
	readonly mintKeys: MintKeys
	/**
	 * Tables that this edge understands, by their hash, and by the workflow's name the one for new cases: of several the bundle's last. A workflow
	 * without one is shown as not available here yet.
	 */
	readonly tables: ReadonlyMap<string, LoadedTable>
}

/** What comes beside a bundle, over the device port alone. */
export interface KeysBeside {
	/** The site's present one, where it is another than that of the enrolment. */
	readonly siteKey?: Uint8Array
	readonly mintKeys?: MintKeys
}

export interface AuthorityParts {
	/** Where both lie for a controller that works alone; one that is enrolled to a server is handed them (`take`), and reads no files. */
	readonly files?: { readonly bundle: string; readonly lease: string }
	readonly bank: Id<'bank'>
	readonly keys: PinnedKeys
	/** Of the enrolment; a newer one comes with the bundle that needs it. */
	readonly siteKey: Uint8Array
	readonly crypto: Crypto
	readonly engine: PolicyEngine
	readonly journal: Journal
	readonly time: TrustedTime
	/** A new bundle or lease is in force. */
	readonly changed: () => void
}

export interface AuthoritySource {
	current(): Authority | undefined
	state(): AuthorityState | 'missing'
	moment(): Moment
	/** The document that lies there and is not taken; the bundle before the lease. */
	refused(): Refused | undefined
	/** Looks at the files again, where there are any; what is refused is recorded once and changes nothing. Never throws. */
	refresh(): void
	/** A document as the server sent it: the same checks as for a file. False: the disk takes no record, so it must be brought again. */
	take(what: Refused['what'], text: string, keys?: KeysBeside): boolean
	/**
	 * What the server took away at this site, how many loans people have, and what this bank is to know of a few people, before the bundles that say so
	 * are made. `gap`: it counts, and one before it never came, so the newest bundle is to be fetched. `full`: the disk takes no record.
	 */
	takeDelta(text: string): 'taken' | 'gap' | 'refused' | 'full'
	/**
	 * Badges that their holder reports lost here: on record, durable and out of force at this bank in one step, with or without a server; whatever bundle
	 * comes next. Throws `journal-full`, and then nothing of it has happened.
	 */
	lost(badges: readonly Id<'credential'>[], by: Id<'subject'>, about: EventDraft['data']): void
	/** How many things this person has on loan from other banks, by the last word that came. */
	loansElsewhere(subject: string): number
	/** Up to which delta of the site, and which of this bank's about people, none is missing here; 0 without a bundle. */
	held(): { readonly deltas: number; readonly people: number }
	/** Gives the policies' place in the engine back. */
	close(): void
}

/** Why a document is not taken, for those who must get another one. */
export interface Refused {
	readonly what: 'bundle' | 'lease'
	readonly code: RefusalCode
	/** The exact reason, as it is on record. */
	readonly why: string
	readonly text: string
}

interface Accepted {
	readonly version: number
	readonly digest: string
}

/** What deltas took away that the kept bundle still holds, the newest of them, and from which on to it none is missing. */
interface TakenAway {
	readonly mark: DeltaMark
	readonly from: number
	readonly ids: readonly string[]
}
/** By person, `LoansTold`: counts of deltas that the kept bundle may not know. */
const ELSEWHERE = 'loans-elsewhere'
/** By credential: reported lost here. It counts until a bundle says so itself. */
const LOST = 'badge-lost'
/** By person, `PersonTold`: rows that the kept bundle does not know; and how far their deltas go. */
const PERSON = 'person-told'
const PEOPLE = 'people'
interface PeopleTold {
	readonly n: number
	/** From this one on to the newest none is missing. */
	readonly from: number
}
/** Hex; the site key that came last. As safe here as the file of the first one: readable by this user alone. */
const SITE_KEY = 'site-key'
/** `writeMintKeys`; kept and left out as the site's key is. */
const MINT_KEYS = 'mint-keys'

/** Policies and tables of this bundle passed all checks before, by these rules: a restart need not repeat the checks (performance.md P9). */
interface Proven {
	readonly digest: string
	readonly by: string
	readonly tables: readonly string[]
}

/** Changes when the words do that policies and tables are checked against. */
const proofBy = (crypto: Crypto): string => toHex(crypto.sha256(canonicalBytes([POLICY_SCHEMA, GUARDS, EFFECTS])))

/**
 * Bundle and lease arrive as files or by the link, deltas by the link alone: signed, never older than the last
 * accepted one, and the last good bundle is kept in the journal, so that a damaged one does not take the rights away.
 */
export function openAuthority(parts: AuthorityParts): AuthoritySource {
	const { journal, time, files } = parts
	let authority: Authority | undefined
	/** Kept beside the bundle: it may come first. */
	let lease: Lease | undefined
	const refused = new Map<Refused['what'], Refused>()
	const stamps = new Map<string, string>()

	const refuse = (what: Refused['what'], { code, text }: { readonly code: string; readonly text: string }): void => {
		if (refused.get(what)?.why !== code) journal.note({ type: 'bundle.refused', subject: parts.bank, actor: 'edge', data: { what, code } })
		refused.set(what, { what, code: refusalCode(code), why: code, text })
	}

	/** The key that a bundle names, of those that are known here; undefined: it never came. */
	const keyFor = ({ siteKey: mark }: Bundle, given: Uint8Array | undefined): Uint8Array | undefined => {
		if (mark === undefined) return parts.siteKey
		const known = journal.fact<string>('authority', SITE_KEY)
		return [given, known === undefined ? undefined : fromHex(known), parts.siteKey].find(
			(key) => key !== undefined && siteKeyMark(key, parts.crypto) === mark,
		)
	}

	let mintKeys: MintKeys = readMintKeys(journal.fact<string>('authority', MINT_KEYS) ?? '') ?? new Map()
	const mintKeysPut = (keys: MintKeys, inMemory: boolean): NonNullable<Entry['put']> =>
		inMemory || writeMintKeys(keys) === journal.fact('authority', MINT_KEYS) ? [] : [{ kind: 'authority', key: MINT_KEYS, body: writeMintKeys(keys) }]

	const takeBundle = (text: string, kept: boolean, given: KeysBeside = {}): void => {
		if (!kept && authority && text === journal.fact<string>('authority', 'bundle')) {
			refused.delete('bundle')
			if (!given.mintKeys) return
			const put = mintKeysPut(given.mintKeys, authority.bundle.settings.siteKeyInMemory === true)
			if (put.length > 0) journal.commit({ events: [], put, essential: true })
			mintKeys = given.mintKeys
			authority = { ...authority, mintKeys }
			return
		}
		const last = journal.fact<Accepted>('authority', 'accepted')
		const answer = acceptBundle(text, { keys: parts.keys, crypto: parts.crypto, bank: parts.bank, now: time.now(), ...(last && { last }) })
		if (!answer.ok) return refuse('bundle', answer)
		refused.delete('bundle')
		if (authority && answer.bundle.version === authority.bundle.version) return
		const siteKey = keyFor(answer.bundle, given.siteKey)
		const inMemory = answer.bundle.settings.siteKeyInMemory === true
		// As it is meant to be: after a start nobody is known here until the server has brought the key.
		if (!siteKey && kept && inMemory) return
		// Without it nobody would be known any more: the bundle before stays, until the key comes.
		if (!siteKey)
			return refuse('bundle', {
				code: 'bundle-site-key',
				text: `Bundle ${answer.bundle.version} is made under a site key that did not come with it.`,
			})
		const before = journal.fact<Proven>('authority', 'proven')
		const proven = before?.digest === answer.digest && before.by === proofBy(parts.crypto) ? before : undefined
		const whole = withPeople(answer.bundle, toldSince(answer.bundle))
		const compiled = compile(whole, { engine: parts.engine, sha256: parts.crypto.sha256, proven: proven !== undefined })
		if (!compiled.ok)
			return refuse('bundle', { code: 'bundle-policy', text: `The policies of bundle ${answer.bundle.version} cannot be used: ${compiled.text}` })
		time.saw(answer.bundle.issuedAt)
		const tables = tablesOf(answer.bundle, parts.crypto, proven?.tables)
		const proof: Proven = { digest: answer.digest, by: proofBy(parts.crypto), tables: [...tables.keys()] }
		try {
			// With the bundle that needs it, or not at all: a power cut leaves both or neither.
			const key = siteKey === parts.siteKey || kept || inMemory ? [] : [{ kind: 'authority', key: SITE_KEY, body: toHex(siteKey) }]
			if (inMemory) forgetKeys()
			keep(
				answer,
				[
					...key,
					...(given.mintKeys ? mintKeysPut(given.mintKeys, inMemory) : []),
					...(proven ? [] : [{ kind: 'authority', key: 'proven', body: proof }]),
				],
				kept ? undefined : text,
			)
		} catch (cause) {
			// What was kept before is in force whether or not its proof can be kept with it.
			if (!kept || !isFault(cause, 'journal-full')) {
				compiled.compiled.release()
				throw cause
			}
		}
		authority?.compiled.release()
		const bundle = without(whole, [...sinceBundle(answer.bundle).ids, ...journal.facts(LOST).keys()])
		mintKeys = given.mintKeys ?? mintKeys
		authority = {
			bundle,
			compiled: { ...compiled.compiled, bundle },
			lease,
			siteKey,
			storageLevel: inMemory && siteKey !== parts.siteKey ? 1 : 0,
			mintKeys,
			tables,
		}
		parts.changed()
	}

	/** The last keys that lay here: they are kept in memory alone from now on. */
	const forgetKeys = (): void => {
		const drop = [SITE_KEY, MINT_KEYS].flatMap((key) => (journal.fact('authority', key) === undefined ? [] : [{ kind: 'authority', key }]))
		if (drop.length > 0) journal.commit({ events: [], put: [], drop, essential: true })
	}

	/** A bundle that holds them all makes what was kept of deltas empty. */
	const sinceBundle = ({ deltas = NO_DELTA }: Bundle): TakenAway => {
		const kept = journal.fact<TakenAway>('authority', 'deltas')
		return kept && kept.mark.n > deltas.n ? kept : { mark: deltas, from: deltas.n + 1, ids: [] }
	}

	const takeAway = (ids: readonly string[]): void => {
		if (!authority) return
		const bundle = without(authority.bundle, ids)
		authority = { ...authority, bundle, compiled: { ...authority.compiled, bundle } }
	}

	const toldSince = ({ people = 0 }: Bundle): PersonTold[] =>
		[...journal.facts<PersonTold>(PERSON)].flatMap(([, told]) => (told.n > people ? [told] : []))
	const peopleSince = ({ people = 0 }: Bundle): PeopleTold => {
		const kept = journal.fact<PeopleTold>('authority', PEOPLE)
		return kept && kept.n > people ? kept : { n: people, from: people + 1 }
	}
	const refuseDelta = (code: string): 'refused' => {
		journal.note({ type: 'bundle.refused', subject: parts.bank, actor: 'edge', data: { what: 'delta', code } })
		return 'refused'
	}

	const takePeople = (text: string): 'taken' | 'gap' | 'refused' => {
		if (!authority) return 'refused'
		const answer = acceptPeopleDelta(text, { keys: parts.keys, crypto: parts.crypto, bank: parts.bank, now: time.now() })
		if (!answer.ok) return refuseDelta(answer.code)
		const { n, deltas, people, issuedAt } = answer.delta
		time.saw(issuedAt)
		const last = peopleSince(authority.bundle)
		if (n <= last.n) return 'taken'
		const gap = n !== last.n + 1
		const told: PersonTold[] = people.map((one) => ({ ...one, n, deltas }))
		const since = sinceBundle(authority.bundle)
		// What was taken away and given back since is not taken away any more.
		const given = new Set(deltas >= since.mark.n ? told.flatMap(grantedIn) : [])
		const away = since.ids.filter((id) => !given.has(id))
		const bundle = without(withPeople(authority.bundle, told), [...away, ...journal.facts(LOST).keys()])
		const anew = namesNew(authority.bundle, told) ? compile(bundle, { engine: parts.engine, sha256: parts.crypto.sha256, proven: true }) : undefined
		if (anew && !anew.ok) return refuseDelta('bundle-policy')
		const next: PeopleTold = { n, from: gap ? n : last.from }
		// Durable before it counts, as what is taken away with it may not come back with the power (T23).
		journal.commit({
			events: [],
			put: [
				{ kind: 'authority', key: PEOPLE, body: next },
				...(away.length < since.ids.length ? [{ kind: 'authority', key: 'deltas', body: { ...since, ids: away } satisfies TakenAway }] : []),
				...told.map((one) => ({ kind: PERSON, key: one.id, body: one })),
			],
			essential: true,
		})
		if (anew) authority.compiled.release()
		authority = { ...authority, bundle, compiled: anew ? anew.compiled : { ...authority.compiled, bundle } }
		parts.changed()
		return gap ? 'gap' : 'taken'
	}

	const takeDelta = (text: string): 'taken' | 'gap' | 'refused' => {
		if (!authority) return 'refused'
		if (isPeopleDelta(text)) return takePeople(text)
		const { bundle } = authority
		const since = sinceBundle(bundle)
		const answer = acceptDelta(text, { keys: parts.keys, crypto: parts.crypto, site: bundle.site.id, now: time.now(), mark: since.mark })
		if (!answer.ok) return refuseDelta(answer.code)
		time.saw(answer.delta.issuedAt)
		if (answer.known) return 'taken'
		const { revoked: all, loans } = readChanges(answer.delta, parts.bank)
		// Rows that came first although they know of this delta: what they grant was given back since.
		const later = new Set(toldSince(bundle).flatMap((told) => (told.deltas >= answer.delta.n ? grantedIn(told) : [])))
		const revoked = all.filter((id) => !later.has(id))
		const next: TakenAway = { mark: answer.mark, from: answer.gap ? answer.mark.n : since.from, ids: [...new Set([...since.ids, ...revoked])] }
		const counts = loans.map(({ subject, ...told }) => ({ kind: ELSEWHERE, key: subject, body: told satisfies LoansTold }))
		// Durable before it counts: whoever cuts the power cannot bring back what was taken away (T23).
		journal.commit({ events: [], put: [{ kind: 'authority', key: 'deltas', body: next }, ...counts], essential: true })
		takeAway(revoked)
		parts.changed()
		return answer.gap ? 'gap' : 'taken'
	}

	/** Durable before it is used, all of it or nothing: whoever cuts the power cannot bring an older one back (T23). `text`: it is new. */
	const keep = ({ bundle, digest }: { bundle: Bundle; digest: string }, proof: NonNullable<Entry['put']>, text: string | undefined): void => {
		if (text === undefined && proof.length === 0) return
		const { version, expiresAt } = bundle
		journal.commit({
			events: text === undefined ? [] : [{ type: 'bundle.accepted', subject: parts.bank, actor: 'edge', data: { version, digest, expiresAt } }],
			put: [
				...(text === undefined
					? []
					: [
							{ kind: 'authority', key: 'accepted', body: { version, digest } },
							{ kind: 'authority', key: 'bundle', body: text },
						]),
				...proof,
			],
			drop: [
				...[...journal.facts<LoansTold>(ELSEWHERE)].flatMap(([key, told]) => (isNews(bundle, told) ? [] : [{ kind: ELSEWHERE, key }])),
				...bundle.revoked.ids.filter((id) => journal.fact(LOST, id) !== undefined).map((key) => ({ kind: LOST, key })),
				...[...journal.facts<PersonTold>(PERSON)].flatMap(([key, { n }]) => (n > (bundle.people ?? 0) ? [] : [{ kind: PERSON, key }])),
			],
			essential: true,
		})
	}

	const takeLease = (text: string, kept: boolean): void => {
		const answer = acceptLease(text, { keys: parts.keys, crypto: parts.crypto, bank: parts.bank, ...(lease && { last: lease }) })
		if (!answer.ok) return refuse('lease', answer)
		refused.delete('lease')
		if (answer.lease.issuedAt === lease?.issuedAt) return
		time.saw(answer.lease.issuedAt)
		if (!kept) journal.commit({ events: [], put: [{ kind: 'authority', key: 'lease', body: text }], essential: true })
		lease = answer.lease
		if (!authority) return
		authority = { ...authority, lease }
		parts.changed()
	}

	const takeNew = (what: Refused['what'], text: string, keys?: KeysBeside): void =>
		what === 'bundle' ? takeBundle(text, false, keys) : takeLease(text, false)

	const look = (what: Refused['what']): void => {
		if (!files) return
		try {
			const { mtimeMs, size, ino } = statSync(files[what])
			const stamp = `${mtimeMs}/${size}/${ino}`
			if (stamps.get(what) === stamp) return
			const text = readFileSync(files[what], 'utf8')
			takeNew(what, text)
			stamps.set(what, stamp)
		} catch (cause) {
			// No file yet, or it is being replaced: the kept one goes on, the next look may find it. On a full disk the next look tries again.
			if (isFault(cause, 'journal-full')) return
			if ((cause as { code?: string }).code === 'ENOENT') return void refused.delete(what)
			const code = isFault(cause) ? cause.code : (cause as { syscall?: string }).syscall && `${what}-unreadable`
			if (!code) throw cause
			refuse(what, { code, text: `${files[what]} cannot be used: ${(cause as Error).message}` })
		}
	}

	const kept = journal.fact<string>('authority', 'bundle')
	if (kept) takeBundle(kept, true)
	const keptLease = journal.fact<string>('authority', 'lease')
	if (keptLease) takeLease(keptLease, true)

	return {
		current: () => authority,
		state: () => (authority ? authorityState(authority.bundle, authority.lease, time.now()) : 'missing'),
		moment: () => ({ now: time.now(), uncertain: time.uncertain(), ...(lease && { lease }) }),
		refused: () => refused.get('bundle') ?? refused.get('lease'),
		refresh() {
			look('bundle')
			look('lease')
		},
		take(what, text, keys) {
			try {
				takeNew(what, text, keys)
				return true
			} catch (cause) {
				if (!isFault(cause, 'journal-full')) throw cause
				return false
			}
		},
		takeDelta(text) {
			try {
				return takeDelta(text)
			} catch (cause) {
				if (!isFault(cause, 'journal-full')) throw cause
				return 'full'
			}
		},
		lost(ids, by, about) {
			const at = time.now()
			journal.commit({
				events: ids.map((id) => ({ type: 'credential.reported-lost', subject: id, actor: by, data: about })),
				put: ids.map((key) => ({ kind: LOST, key, body: { at } })),
				essential: true,
			})
			takeAway(ids)
			parts.changed()
		},
		loansElsewhere: (subject) => (authority ? knownElsewhere(authority.bundle, journal.fact<LoansTold>(ELSEWHERE, subject), subject) : 0),
		held() {
			if (!authority) return { deltas: 0, people: 0 }
			const { mark, from } = sinceBundle(authority.bundle)
			const people = peopleSince(authority.bundle)
			return {
				deltas: heldUpTo(authority.bundle, mark, from),
				people: people.from <= (authority.bundle.people ?? 0) + 1 ? people.n : (authority.bundle.people ?? 0),
			}
		},
		close() {
			authority?.compiled.release()
			authority = undefined
		},
	}
}

function tablesOf(bundle: Bundle, crypto: Crypto, proven: readonly string[] | undefined): Map<string, LoadedTable> {
	const tables = new Map<string, LoadedTable>()
	for (const { name, tableHash, table } of bundle.workflows) {
		if (proven && !proven.includes(tableHash)) continue
		const loaded = loadTable(table, crypto.sha256, proven !== undefined)
		if (!('table' in loaded)) continue
		tables.set(loaded.table.hash, loaded.table)
		tables.set(name, loaded.table)
	}
	return tables
}
