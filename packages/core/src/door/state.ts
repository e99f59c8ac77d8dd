import type { Id } from '../base/index.ts'

/**
 * The one vocabulary of a door (trust.md §4.1): words here are the words in events, on screens and in the API.
 * Three layers never mix: what the sensors say, what the space may be used for, and the door session that moves it.
 */
export type Tri = 'open' | 'closed' | 'unknown'

/** Evidence: E0 stated · E1 pulse acknowledged · E2 open and close edge · E3 and content changed · E4 and item identified. */
export type Evidence = 0 | 1 | 2 | 3 | 4

/** Live states. `requested` is volatile: it lasts one call of `step` and ends as `denied` or `releasing`. */
export type LiveState = 'releasing' | 'opened' | 'closed'
export type EndState = 'committed' | 'not-opened' | 'no-change' | 'ambiguous' | 'interrupted' | 'aborted' | 'failed'

export type Act = 'collect' | 'deposit' | 'inspect'

/** Why a compartment may not be used; a state of the compartment, never of a door session. */
export type Hold = 'quarantined' | 'out-of-service' | 'pending-inspection'

export type Content =
	| { readonly kind: 'empty' }
	| { readonly kind: 'item'; readonly item: string }
	/** `unstocked`: nobody has said yet what lies there, and nothing has happened there; the first bundle that names the compartment will. */
	| { readonly kind: 'unknown'; readonly last?: string; readonly unstocked?: true }

/** What the hardware of this compartment can tell; caps the evidence (hardware.md §6, caps). */
export interface Senses {
	readonly door: boolean
	readonly presence: boolean
	/** The board answers open commands; silence then means something. */
	readonly acks: boolean
}

export interface DoorSession {
	readonly id: Id<'doorSession'>
	/** Number of the lease; answers that carry an older one are ignored (R5). */
	readonly fence: number
	readonly command: string
	readonly state: LiveState
	readonly act: Act
	readonly subject: Id<'subject'>
	readonly item?: string
	readonly needs: Evidence
	readonly pre: { readonly door: Tri; readonly presence: boolean | 'unknown' }
	readonly evidence: Evidence
	readonly identified?: string
	/** How far the left-open ladder has come. */
	readonly level: 'calm' | 'prompt' | 'staff' | 'alarm'
	/** Another door opened without an intent while this one was live (R6). */
	readonly unaccounted: boolean
	/** What the person said at the open door. */
	readonly report?: 'found-occupied' | 'found-empty' | 'wrong-item'
	/** Closed, and only the person can say whether it was done (no content sensor). */
	readonly asking: boolean
	/** The controller restarted during this session and the reading that settles it is awaited. */
	readonly recovering: boolean
	/** Trusted time of the opening, for screens and for the ladder after a restart. */
	readonly openedAt?: number
}

export interface Compartment {
	readonly id: Id<'compartment'>
	readonly senses: Senses
	readonly door: Tri
	/** What the door was when it was last seen: an opening is a change against this, also across a restart or a lost board (I7). */
	readonly lastDoor?: 'open' | 'closed'
	readonly presence: boolean | 'unknown'
	readonly reliable: boolean
	/** Monotonic times of the latest door edges, for flapping (R10). */
	readonly edges: readonly number[]
	readonly fence: number
	readonly content: Content
	readonly hold?: { readonly kind: Hold; readonly why: string }
	/** Trusted times of `not-opened` ends in the last 24 h (X1). */
	readonly notOpened: readonly number[]
	readonly session?: DoorSession
	/** Last release of this compartment, for R7: an opening within T_open of it is late, not forced. */
	readonly lastRelease?: { readonly session: Id<'doorSession'>; readonly mono: number; readonly at: number }
}

export type DoorRefusal = 'command-expired' | 'compartment-unavailable' | 'door-open' | 'content-mismatch'

export interface KnownCommand {
	readonly command: string
	readonly session: Id<'doorSession'>
	readonly compartment: Id<'compartment'>
	/** Until then the same command could be taken for a new one, so it is not forgotten before. */
	readonly notAfter: number
	readonly end?: EndState
	/** A refusal is an answer too: the same command never opens later what it was denied before (I10). */
	readonly refused?: DoorRefusal
}

export interface BankState {
	readonly compartments: { readonly [id: string]: Compartment }
	/** One command is one intent and has one answer (R11, X16); durable, as a repeated command may come after a restart. */
	readonly commands: readonly KnownCommand[]
	/** A second person's door opens only when all are shut (R8, a setting of the bank). */
	readonly singleOpen: boolean
}

/** Answered commands kept beyond their expiry, so that a sender that asks late still gets its first answer. */
export const COMMANDS_KEPT = 512

/** The item that is, or was last known to be, in there: a doubt about a compartment never erases whose thing it holds (R4). */
export const lastItem = (content: Content): string | undefined =>
	content.kind === 'item' ? content.item : content.kind === 'unknown' ? content.last : undefined

export const unknownContent = (last: string | undefined): Content => ({ kind: 'unknown', ...(last !== undefined && { last }) })

export function newCompartment(id: Id<'compartment'>, senses: Senses, content: Content = { kind: 'empty' }): Compartment {
	return { id, senses, door: 'unknown', presence: 'unknown', reliable: true, edges: [], fence: 0, content, notOpened: [] }
}

export function newBank(compartments: readonly Compartment[], singleOpen = false): BankState {
	return { compartments: Object.fromEntries(compartments.map((c) => [c.id, c])), commands: [], singleOpen }
}
