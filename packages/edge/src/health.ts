import type { AuthorityState } from '@latchwork/core/access'
import type { Compartment, LiveState } from '@latchwork/core/door'
import type { Bank } from './bank/index.ts'
import type { EdgeConfig } from './config.ts'
import type { Journal } from './journal/index.ts'
import type { KioskSession } from './kiosk/index.ts'
import type { ReaderState } from './readers.ts'
import type { AuthoritySource, Refused } from './sync/authority.ts'
import type { LinkState } from './sync/link.ts'
import type { OutboxState } from './sync/outbox.ts'
import type { TrustedTime } from './time.ts'

/** What is wrong, in stable codes: whoever watches many banks acts on them. */
export type Problem =
	| 'bundle-missing'
	| 'bundle-expired'
	| 'lease-expired'
	| 'bundle-refused'
	| 'lease-refused'
	| 'history-lost'
	| 'stream-refused'
	| 'claim-needed'
	| 'link-lost'
	| 'storage-low'
	| 'records-wait'
	| 'clock-uncertain'
	| 'board-lost'
	| 'reader-lost'
	| 'door-forced'
	| 'door-open'
	| 'door-left-open'
	| 'door-held'

/** A door that somebody uses, that is held, or that stands open without anybody's right. */
export interface DoorInUse {
	readonly door: number
	readonly sensor: Compartment['door']
	readonly session?: LiveState
	/** A restart fell into it and the reading that settles it is awaited. */
	readonly undecided?: boolean
	readonly hold?: NonNullable<Compartment['hold']>['kind']
	readonly why?: string
}

/** `GET /health`: the state of a controller for machines and for `latchwork doctor`. */
export interface Health {
	readonly ok: boolean
	/** Empty when `ok`; most urgent first. */
	readonly problems: readonly Problem[]
	readonly controller: string
	readonly bank: string
	readonly head: ReturnType<Journal['head']>
	readonly lost: NonNullable<ReturnType<Journal['lost']>> | null
	readonly storage: 'good' | 'low'
	/** Facts of doors that wait for the disk. */
	readonly waiting: { readonly count: number; readonly oldestMs: number }
	readonly authority: AuthorityState | 'missing'
	/** Version in force; 0 before the first. */
	readonly bundle: number
	/** The document that lies there and is not taken. */
	readonly refused: Refused | null
	/** `proven`: what signatures and the time lived through since vouch for; the rest of `now` is the machine's clock alone. */
	readonly clock: { readonly now: number; readonly uncertain: boolean; readonly proven: number }
	/** The server that this controller is enrolled to; null: it works alone. */
	readonly link: LinkHealth | null
	readonly boards: ReturnType<Bank['boards']>
	readonly readers: readonly ReaderState[]
	readonly doors: readonly DoorInUse[]
	/** Compartments that have a sensor which has not told yet, as in the first moments after a start, or tells no more. */
	readonly unseen: number
	readonly screen: string
}

/** `pending`: events that the server has not acknowledged. `certificateUntil`: trusted milliseconds. `claim`: the server lets this controller in no more. */
export type LinkHealth = LinkState & OutboxState & { readonly server: string; readonly certificateUntil: number; readonly claim: boolean }

export interface HealthParts {
	readonly config: Pick<EdgeConfig, 'controller' | 'bank'>
	readonly journal: Journal
	readonly bank: Bank
	readonly authority: AuthoritySource
	readonly time: TrustedTime
	readonly session: KioskSession
	readonly link: LinkHealth | undefined
	readonly readers: readonly ReaderState[]
	readonly number: (compartment: string) => number
}

export function healthOf({ config, journal, bank, authority, time, session, link, readers, number }: HealthParts): Health {
	const now = time.now()
	const compartments = Object.values(bank.state().compartments)
	const { count, since } = bank.waiting()
	const known = {
		controller: config.controller,
		bank: config.bank,
		head: journal.head(),
		lost: journal.lost() ?? null,
		storage: journal.storage(),
		waiting: { count, oldestMs: since === undefined ? 0 : Math.max(0, now - since) },
		authority: authority.state(),
		bundle: authority.current()?.bundle.version ?? 0,
		refused: authority.refused() ?? null,
		clock: { now, uncertain: time.uncertain(), proven: time.proven() },
		link: link ?? null,
		boards: bank.boards(),
		readers,
		doors: compartments.flatMap((c) => inUse(c, number)),
		unseen: compartments.filter((c) => (c.senses.door && c.door === 'unknown') || (c.senses.presence && c.presence === 'unknown')).length,
		screen: session.screen().name,
	}
	const problems = [...problemsOf(known, compartments)]
	return { ok: problems.length === 0, problems, ...known }
}

function* problemsOf(known: Omit<Health, 'ok' | 'problems'>, compartments: readonly Compartment[]): Generator<Problem> {
	const { authority, refused } = known
	if (compartments.some((c) => c.hold?.why === 'forced')) yield 'door-forced'
	if (compartments.some((c) => c.session?.level === 'alarm')) yield 'door-left-open'
	if (compartments.some(standsOpen)) yield 'door-open'
	if (known.boards.some((b) => !b.up)) yield 'board-lost'
	if (known.lost) yield 'history-lost'
	if (known.link?.refused.length) yield 'stream-refused'
	if (known.waiting.count > 0) yield 'records-wait'
	if (known.storage === 'low') yield 'storage-low'
	if (authority === 'missing') yield 'bundle-missing'
	if (authority === 'bundle-expired' || authority === 'lease-expired') yield authority
	if (refused) yield `${refused.what}-refused`
	if (known.link?.claim) yield 'claim-needed'
	if (known.link?.lost) yield 'link-lost'
	if (known.clock.uncertain) yield 'clock-uncertain'
	if (known.readers.some((r) => !r.online)) yield 'reader-lost'
	if (compartments.some((c) => c.hold)) yield 'door-held'
}

const standsOpen = (c: Compartment): boolean => c.door === 'open' && !c.session

function inUse(c: Compartment, number: (id: string) => number): DoorInUse[] {
	if (!c.session && !c.hold && !standsOpen(c)) return []
	return [
		{
			door: number(c.id),
			sensor: c.door,
			...(c.session && { session: c.session.state, undecided: c.session.recovering }),
			...(c.hold && { hold: c.hold.kind, why: c.hold.why }),
		},
	]
}
