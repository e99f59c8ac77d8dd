import { z } from 'zod'
import { bankLayout, doorNumber } from './kiosk.ts'

/**
 * The control API of a virtual bank: the hands of a person and the faults of the hardware, never the controller's side.
 * It touches only the emulators, except `clock`, which moves the clock file all processes share (architecture.md §5).
 * Paths are fixed because scripts rely on them; state flows by server-sent events, acts by the requests below.
 */
const text = z.string().min(1).max(200)
const millis = z.int().nonnegative()

const physicalDoor = z.enum(['open', 'closed'])

/** What the latch contact tells instead of the truth. */
export const sensorFault = z.enum(['stuckClosed', 'stuckOpen', 'inverted', 'flapping'])
export type SensorFault = z.infer<typeof sensorFault>

const compartmentFaults = z.object({
	/** The solenoid fires and the latch does not let go. */
	stuckLock: z.boolean().optional(),
	/** The door swings open this long after the pulse. */
	lateOpenMs: z.int().min(0).max(60_000).optional(),
	sensor: sensorFault.optional(),
})
export type VirtualCompartmentFaults = z.infer<typeof compartmentFaults>

const corruption = z.object({ rate: z.number().min(0).max(1), direction: z.enum(['answers', 'commands', 'both']) })

const boardFaults = z.object({
	/** Takes no command and gives no answer: no power, or a pulled cable. */
	silent: z.boolean().optional(),
	/** Share (0–1) of bytes that arrive changed. */
	corrupt: corruption.optional(),
	/** The bus returns what the controller sends. */
	echo: z.boolean().optional(),
	answerDelayMs: z.int().min(0).max(10_000).optional(),
})
export type VirtualBoardFaults = z.infer<typeof boardFaults>

/** `GET /banks`: what scripts wait on. `pulses` are counted on the bus by the emulator, never by the controller. */
export const virtualBanks = z.array(
	z.object({
		id: text,
		name: text,
		compartments: z.array(z.object({ number: doorNumber, door: physicalDoor, item: z.boolean(), pulses: z.int().nonnegative() })),
	}),
)
export type VirtualBanks = z.infer<typeof virtualBanks>

/** `GET /events`: the whole state after every change, one JSON a message; the page keeps nothing. */
export const virtualState = z.object({
	banks: z.array(
		z.object({
			id: text,
			name: text,
			layout: bankLayout,
			compartments: z.array(
				z.object({
					number: doorNumber,
					/** Which lock board drives it, as numbered in `boards`. */
					board: z.int().nonnegative(),
					door: physicalDoor,
					item: z.boolean(),
					tag: text.optional(),
					pulses: z.int().nonnegative(),
					faults: compartmentFaults,
				}),
			),
			/** Tags that have been in this bank and lie in no compartment now: in somebody's hands, the last one taken first. */
			outside: z.array(text),
			boards: z.array(z.object({ board: z.int().nonnegative(), faults: boardFaults })),
			reader: z.object({
				led: z.enum(['off', 'red', 'green', 'amber', 'blue']),
				online: z.boolean(),
				/** Unplugged by a fault; without it, `online: false` means that the controller does not ask. */
				offline: z.boolean(),
				/** The OSDP secure channel is up. */
				secure: z.boolean(),
				/** The cover is off. */
				tamper: z.boolean(),
			}),
		}),
	),
	/** Demo people; their secrets are printed here on purpose, a real bank never has such a list. */
	people: z.array(z.object({ name: text, badge: text, pin: text, qr: z.array(z.string().min(1).max(4096)) })),
	/**
	 * Demo parcels with what their recipients were sent. `expected`: it has not been behind a door yet, staff put it in first; `door`: where it lies
	 * now. Neither: it was taken out.
	 */
	parcels: z.array(
		z.object({ order: text, tag: text, code: text, qr: z.string().min(1).max(4096), expected: z.boolean(), door: z.int().positive().optional() }),
	),
	/** Address of the kiosk page. */
	kiosk: z.url(),
	/** Present only under `--virtual-clock`. */
	clock: z.object({ now: millis, virtual: z.literal(true) }).optional(),
})
export type VirtualState = z.infer<typeof virtualState>

/** `POST /banks/{id}/badge`: a badge is held to the reader. */
export const virtualBadge = z.object({ number: text })
/** `POST /banks/{id}/keypad`: digits, `#` to finish, `*` to clear. */
export const virtualKeypad = z.object({ keys: z.string().regex(/^[0-9#*]{1,32}$/) })
/** `POST /banks/{id}/scan`: a printed or shown code is held to the scanner, which reads printable ASCII and the GS (1D) of GS1 codes. */
export const virtualScan = z.object({
	text: z
		.string()
		.min(1)
		.max(1024)
		// biome-ignore lint/suspicious/noControlCharactersInRegex: GS stands between the fields of a code
		.regex(/^[\x20-\x7e\x1d]*$/, 'a scanner reads printable ASCII only'),
})
/** `POST /banks/{id}/compartments/{n}/door`: pushed shut until it clicks, or forced open without a pulse. */
export const virtualDoor = z.object({ state: physicalDoor })
/** `POST /banks/{id}/compartments/{n}/item`: put in or taken out; 409 while the door is closed. */
export const virtualItem = z.object({ present: z.boolean(), tag: text.optional() })

const FAULT_PLACES = ['compartment', 'board', 'reader'] as const
const place = (value: unknown) => (typeof value === 'object' && value !== null ? FAULT_PLACES.filter((name) => name in value) : [])
/** A place alone is no fault. */
const breaks = (least: number) => (value: object) => Object.keys(value).length >= least

/**
 * `POST /banks/{id}/faults`: one compartment, one board or the reader. Named fields are set, the others stay as they are;
 * `false`, `0` and `null` clear one. `DELETE /banks/{id}/faults` clears them all.
 */
export const virtualFault = z.union(
	[
		z
			.strictObject({
				compartment: doorNumber,
				stuckLock: z.boolean().optional(),
				lateOpenMs: z.int().min(0).max(60_000).optional(),
				/** Happens at once and once: the door swings open though nobody pulsed it. */
				opensByItself: z.literal(true).optional(),
				sensor: sensorFault.nullable().optional(),
			})
			.refine(breaks(2), 'say what breaks there: stuckLock, lateOpenMs, opensByItself or sensor'),
		z
			.strictObject({
				board: z.int().nonnegative(),
				silent: z.boolean().optional(),
				corrupt: corruption.nullable().optional(),
				echo: z.boolean().optional(),
				answerDelayMs: z.int().min(0).max(10_000).optional(),
			})
			.refine(breaks(2), 'say what breaks there: silent, corrupt, echo or answerDelayMs'),
		z.strictObject({
			reader: z
				.strictObject({ offline: z.boolean().optional(), tamper: z.boolean().optional() })
				.refine(breaks(1), 'say what breaks there: offline or tamper'),
		}),
	],
	{ error: (issue) => (issue.code === 'invalid_union' ? faultWords(issue.input, issue.errors) : undefined) },
)

/** Of the three shapes only the one is judged that the body is meant to have. */
function faultWords(input: unknown, issues: readonly (readonly { readonly path: PropertyKey[]; readonly message: string }[])[]): string {
	const named = place(input)
	const [only] = named
	if (only === undefined || named.length > 1) return 'a fault names exactly one place: compartment, board or reader'
	const [first] = issues[FAULT_PLACES.indexOf(only)] ?? []
	return first ? [first.path.join('.'), first.message].filter((part) => part !== '').join(': ') : `${only}: not a fault`
}
export type VirtualFault = z.infer<typeof virtualFault>

/**
 * `POST /clock`: moves the site's time forward, at most a year at once; 409 without `--virtual-clock`. From then on time runs `rate` times as fast as
 * real time; 0 stops it between moves, which makes a script independent of the machine's speed.
 */
export const virtualClockAdvance = z
	.object({
		advanceSeconds: z
			.number()
			.min(0)
			.max(366 * 86_400)
			.optional(),
		rate: z.number().min(0).max(1_000).optional(),
	})
	.refine(({ advanceSeconds, rate }) => advanceSeconds !== undefined || rate !== undefined, 'say advanceSeconds, or rate, or both')
