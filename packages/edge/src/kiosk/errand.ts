import type { Identity } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { Evidence } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import type { DenyReason, KioskScreen } from '@latchwork/core/wire'
import type { CaseEntry } from '../cases/index.ts'
import type { Thing } from './things.ts'

/** What a door is being opened for; kept in the visit's plan, this is its image for the screen. */
export interface Errand {
	readonly stepId: string
	readonly act: 'collect' | 'deposit'
	readonly caseId: string
	readonly lineId: string
	readonly thing: Thing
	readonly compartment: Id<'compartment'>
	readonly session: Id<'doorSession'>
}

/** A thing and the door for it. */
export type Place = Pick<Errand, 'thing' | 'compartment'>

/** The line of a case that a door would move, what to write with it and what must be proven. */
export interface Ready {
	readonly caseId: string
	readonly lineId: string
	readonly entry: CaseEntry
	readonly evidence: Evidence
}

/** `shown`: the screen says what became of it. `next`: this compartment would not do. */
export type Tried = 'shown' | 'next'

/** How an errand shows itself, and how it leaves. */
export interface Stage {
	readonly show: (screen: KioskScreen, idleMs?: number) => void
	readonly deny: (reason: DenyReason, until?: number) => void
	/** Ends the visit, unless a door is under way. */
	readonly finish: () => void
	/** Frees the screen. */
	readonly home: () => void
}

/** What loans and parcels ask of the doors. */
export interface Doors extends Pick<Stage, 'show' | 'deny'> {
	/**
	 * The decision that binds, for every door and every try: it may have changed since the screen was made, or since the last try
	 * (I13).
	 */
	attempt(act: Errand['act'], place: Place, line: (person: Identity) => Ready | undefined): Tried
	/** What a person brings; the case has its line already. */
	depositInto(compartment: Id<'compartment'>, of: Pick<Errand, 'caseId' | 'lineId' | 'thing'>): Tried
	/** A refusal is a refusal even where it cannot be recorded; it never spends the space held back for returns and alarms. */
	refused(event: EventDraft): void
}
