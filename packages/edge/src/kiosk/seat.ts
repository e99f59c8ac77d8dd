import type { Identity } from '@latchwork/core/access'
import type { Clock, Crypto, Id, Random } from '@latchwork/core/base'
import type { Visit } from '@latchwork/core/visit'
import type { Claimed, KioskScreen } from '@latchwork/core/wire'
import type { Bank } from '../bank/index.ts'
import type { Cases } from '../cases/index.ts'
import type { Journal } from '../journal/index.ts'
import type { AuthoritySource } from '../sync/authority.ts'
import type { TrustedTime } from '../time.ts'
import type { Known, Shown } from './identify.ts'
import type { Intents } from './intents.ts'

export interface SessionParts {
	readonly bankId: Id<'bank'>
	readonly journal: Journal
	readonly bank: () => Bank
	readonly cases: Cases
	readonly authority: AuthoritySource
	readonly time: TrustedTime
	readonly clock: Pick<Clock, 'after' | 'mono'>
	readonly random: Random
	readonly crypto: Pick<Crypto, 'hmacSha256'>
	readonly identify: (shown: Shown) => Known
	/** Where the server may know somebody whom the bundle does not: settles, soon, when there is nothing more to wait for. */
	readonly inquire: (shown: Shown) => Promise<void> | undefined
	/** How a machine that its server lets in no more is let in anew; `needed`: it is not, now. */
	readonly claim: { needed(): boolean; take(code: string): Promise<Claimed> }
	readonly intents: Intents
	/** Door number on the metal. */
	readonly number: (compartment: string) => number
	/** What stands in the way of everything, or undefined. */
	readonly outOfService: () => Extract<KioskScreen, { name: 'out-of-service' }>['why'] | undefined
	readonly signal: (what: 'granted' | 'denied' | 'idle') => void
	/** The screen has changed. */
	readonly changed: () => void
}

/** Who is at the kiosk and what they see: what the two halves of a session, the seat's (session.ts) and the doors' (errands.ts), have in common. */
export interface Seat {
	screen: KioskScreen
	who?: Identity | undefined
	visit?: Visit | undefined
	/** Written with the first door of a visit that began with a one-time code (I9). */
	code?: string | undefined
}
