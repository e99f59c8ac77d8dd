import { z } from 'zod'

/**
 * What the kiosk page shows and what a person can do there. The edge holds the session and sends the whole screen each
 * time (`GET /api/screen`, server-sent events, one JSON `KioskView` a message); the page keeps nothing, so a crashed
 * browser resumes where the person was. Codes and facts travel, words are made in the page. No names, no full codes.
 */
const text = z.string().min(1).max(200)
const millis = z.int().nonnegative()

export const doorNumber = z.int().min(1).max(9999)

/** The bank seen from where the person stands; heights and widths in millimetres, cells from top to bottom. */
export const bankLayout = z.object({
	columns: z.array(
		z.object({
			widthMm: z.int().positive(),
			cells: z.array(
				z.discriminatedUnion('kind', [
					z.object({
						kind: z.literal('door'),
						number: doorNumber,
						heightMm: z.int().positive(),
						size: z.enum(['S', 'M', 'L', 'XL']),
						accessible: z.boolean(),
					}),
					z.object({ kind: z.literal('terminal'), heightMm: z.int().positive() }),
				]),
			),
		}),
	),
})
export type BankLayout = z.infer<typeof bankLayout>

export const denyReason = z.enum([
	'unknown-credential',
	'wrong-pin',
	'pin-suspended',
	'credential-revoked',
	'code-used',
	'code-expired',
	'code-other-bank',
	'not-authorised',
	'policy-denied',
	'outside-hours',
	'quota-exceeded',
	'overdue-block',
	'needs-second-factor',
	'qualification-missing',
	'approval-needed',
	'bundle-expired',
	'lease-expired',
	'time-uncertain',
	'nothing-available',
	'bank-full',
	'storage-full',
	'history-lost',
	'door-open',
	'compartment-unavailable',
	'workflow-unknown',
	'not-ready',
])
/** Why a person is refused: the closed list of `core/access`. */
export type DenyReason = z.infer<typeof denyReason>

/** Of a parcel `name` is what its order is known by, and `tag` tells it from the others of the order (the same text where it is the only one). */
const item = z.object({ tag: text, kind: z.enum(['laptop', 'other', 'parcel']), name: text })
/** What is done with a parcel: staff put it in, its recipient takes it, staff take out what has run out or was called back. */
const task = z.enum(['drop-off', 'pick-up', 'pull']).optional()
const door = z.object({ number: doorNumber })
const act = z.enum(['collect', 'deposit'])

export const kioskScreen = z.discriminatedUnion('name', [
	/** `codes`: parcels wait here for codes that can be typed. */
	z.object({ name: z.literal('attract'), codes: z.literal(true).optional() }),
	/** The server is asked who holds this badge; at most two seconds, then the bank answers by what it knows. */
	z.object({ name: z.literal('asking') }),
	/** Staff ask from elsewhere for a badge that is to be given to somebody. `read`: it can be; `unusable`: this card cannot. */
	z.object({ name: z.literal('badge-reading'), state: z.enum(['waiting', 'read', 'unusable']) }),
	/**
	 * `entered` digits of `length` so far; the digits themselves stay at the edge. `waitUntil`: wrong tries cost time. `code`: a pick-up code
	 * can be typed as well, its last `hint` digits are the end of the recipient's telephone number. `confirms`: the two differ in length, so a
	 * touch says when it is whole. `oneTime`: somebody may have been given a one-time code of many digits, and asks for room for it; `typing`: it is
	 * that which is typed, and `length` is its.
	 */
	z.object({
		name: z.literal('pin'),
		entered: z.int().min(0),
		length: z.int().positive(),
		waitUntil: millis.optional(),
		wrong: z.boolean(),
		code: z.object({ digits: z.int().positive(), hint: z.int().nonnegative() }).optional(),
		confirms: z.literal(true).optional(),
		oneTime: z.enum(['offered', 'typing']).optional(),
	}),
	z.object({
		name: z.literal('choose'),
		choices: z.array(
			z.object({
				id: text,
				kind: z.enum(['borrow', 'return', 'resume', 'pick-up', 'drop-off', 'pull', 'badge-lost']),
				item: item.optional(),
				/** How many of this kind are ready to take; of parcels, how many wait to be put in or taken out; of badges, how many would end. */
				free: z.int().nonnegative().optional(),
				/** Of a return: when it is or was due; of a borrowing: when it would be. */
				due: millis.optional(),
				overdue: z.boolean().optional(),
				/** Present: shown but not offered, with the reason. */
				denied: denyReason.optional(),
			}),
		),
	}),
	/** Whoever is known by another way reports their badges lost: asked once, and not to be undone here. */
	z.object({ name: z.literal('badge-lost'), badges: z.int().positive(), reported: z.boolean() }),
	/** What staff put in or take out, a few at a time: `from` counts from 0, `total` is all there is. A parcel's label can be scanned instead. */
	z.object({
		name: z.literal('parcels'),
		task: z.enum(['drop-off', 'pull']),
		from: z.int().nonnegative(),
		total: z.int().nonnegative(),
		parcels: z.array(
			z.object({
				id: text,
				item,
				/** The recipient, masked. */
				hint: text.optional(),
				size: z.enum(['S', 'M', 'L', 'XL']).optional(),
				/** Where it lies. */
				door: door.optional(),
				why: z.enum(['expired', 'recalled']).optional(),
			}),
		),
		/** A label was scanned that is none of these. */
		strange: z.literal(true).optional(),
	}),
	/** `again`: opened once more after a pick-up, for what was left inside; nothing is to be recorded. `askAt`: from then on "It did not open" is believed (T_ack); a lock may take its time before. */
	z.object({ name: z.literal('opening'), door, act, item: item.optional(), task, askAt: millis, again: z.literal(true).optional() }),
	/** `level`: how far the left-open ladder is: `calm`, `prompt` (30 s), `staff` (2 min), `alarm` (5 min); `remindAt`: when the next rung comes. */
	z.object({
		name: z.literal('open'),
		door,
		act,
		item: item.optional(),
		task,
		openedAt: millis,
		remindAt: millis,
		level: z.enum(['calm', 'prompt', 'staff', 'alarm']),
		/** A content sensor saw the item taken or put in. */
		contentChanged: z.boolean(),
		again: z.literal(true).optional(),
		/** What the person has said about it so far. `did-not-open`: the sensor says that it is open. `too-small`: a larger door opens once this one is shut. */
		said: z.enum(['did-not-open', 'found-occupied', 'found-empty', 'wrong-item', 'too-small']).optional(),
		/** A larger door is free for it. */
		larger: z.literal(true).optional(),
	}),
	/** The door did not open; `retry`: the sensor proves it shut, so a new try is allowed. `other`: another door can be offered. */
	z.object({ name: z.literal('not-opened'), door, act, retry: z.boolean(), other: z.boolean() }),
	/** Opened and closed, but nothing was taken or put in. `retry`: it may be opened again; not by who may be somebody else. */
	z.object({ name: z.literal('no-change'), door, act, item: item.optional(), task, retry: z.boolean(), larger: z.literal(true).optional() }),
	/** The content sensor cannot tell: the person says whether it was done; recorded as stated, not proven. */
	z.object({ name: z.literal('confirm'), door, act, item: item.optional(), task }),
	z.object({
		name: z.literal('done'),
		act,
		item: item.optional(),
		task,
		door,
		due: millis.optional(),
		evidence: z.int().min(0).max(4),
		receipt: text,
		/** Until then the door may be opened once more, for what was left inside. */
		againUntil: millis.optional(),
		/** So many doors are left: parcels of the same order, or of the same round. */
		more: z.int().positive().optional(),
	}),
	z.object({ name: z.literal('denied'), reason: denyReason, until: millis.optional() }),
	/** What happened is not clear: the door is taken out of use and a person must look. `other`: another door can be offered meanwhile (X4). */
	z.object({
		name: z.literal('needs-help'),
		door,
		why: z.enum(['ambiguous', 'found-occupied', 'found-empty', 'wrong-item']),
		incident: text,
		other: z.boolean(),
		/** The sensor says that the door is shut. */
		shut: z.boolean(),
	}),
	/** `larger`: doors are free, but none that is large enough. */
	z.object({ name: z.literal('bank-full'), larger: z.literal(true).optional() }),
	z.object({
		name: z.literal('out-of-service'),
		why: z.enum(['board-lost', 'storage-full', 'bundle-missing']),
	}),
	/**
	 * `claim`: the server lets this bank in no more, and a claim code can be typed. `readBack`: somebody is known here; these digits, read to the help desk
	 * on the phone, prove it to them for some minutes.
	 */
	z.object({
		name: z.literal('help'),
		claim: z.literal(true).optional(),
		readBack: z
			.string()
			.regex(/^\d{6}$/)
			.optional(),
	}),
	/**
	 * An installer types the code that lets this bank in anew; the digits stay at the edge. `refused`: it does not work; `too-many`: the server wants some
	 * minutes of rest; `unreachable`: nobody answered; `not-kept`: the disk took no certificate.
	 */
	z.object({
		name: z.literal('claim'),
		entered: z.int().min(0),
		length: z.int().positive(),
		state: z.enum(['typing', 'asking', 'accepted', 'refused', 'too-many', 'unreachable', 'not-kept']),
	}),
])
export type KioskScreen = z.infer<typeof kioskScreen>
/** What came of a claim code that was typed. */
export type Claimed = Exclude<Extract<KioskScreen, { name: 'claim' }>['state'], 'typing' | 'asking'>

export const kioskView = z.object({
	/** Rises with every change; acts name the turn they answer, so a late touch on an old screen does nothing. */
	turn: z.int().nonnegative(),
	/** Trusted time of the edge, for the clock on the page and for counting. */
	now: millis,
	bank: z.object({ name: text, site: text, timeZone: text, helpPhone: text }),
	layout: bankLayout,
	screen: kioskScreen,
	/** Ends by itself at `endsAt`; from `warnAt` on the page warns by sight and sound, `more-time` moves both. Absent: waits for ever. */
	idle: z.object({ warnAt: millis, endsAt: millis, extensionsLeft: z.int().nonnegative() }).optional(),
	/** Doors that stand open although nobody is at them by right, or for too long; the banners and the drawing name them. */
	standing: z.array(z.object({ number: doorNumber, why: z.enum(['forced', 'left-open', 'unexplained', 'by-staff']) })),
	/** Plain banners, most important first; the `door-…` ones speak of `standing`. */
	notices: z.array(
		z.enum([
			'offline',
			'claim-needed',
			'bundle-stale',
			'bundle-expired',
			'clock-uncertain',
			'reader-insecure',
			'reader-lost',
			'doors-lost',
			'storage-low',
			'history-lost',
			'door-left-open',
			'door-forced',
			'door-unexplained',
			'door-by-staff',
		]),
	),
})
export type KioskView = z.infer<typeof kioskView>

export const kioskAct = z.object({
	turn: z.int().nonnegative(),
	act: z.discriminatedUnion('kind', [
		z.object({ kind: z.literal('start-pin') }),
		/** On the PIN screen, where it is offered. */
		z.object({ kind: z.literal('start-one-time') }),
		/** From Help, where the bank is let in no more. */
		z.object({ kind: z.literal('start-claim') }),
		z.object({ kind: z.literal('keys'), keys: z.string().regex(/^[0-9#*]{1,32}$/) }),
		z.object({ kind: z.literal('choose'), id: text }),
		z.object({ kind: z.literal('retry') }),
		z.object({ kind: z.literal('open-again') }),
		z.object({ kind: z.literal('other-door') }),
		/** It does not fit: this door is shut empty, then a larger one opens. */
		z.object({ kind: z.literal('larger-door') }),
		/** After one parcel is done: the next of the order opens, or the list of the round comes back. */
		z.object({ kind: z.literal('next') }),
		/** More of a long list. */
		z.object({ kind: z.literal('more') }),
		z.object({ kind: z.literal('did-not-open') }),
		z.object({ kind: z.literal('it-is-empty') }),
		z.object({ kind: z.literal('something-inside') }),
		z.object({ kind: z.literal('wrong-item') }),
		/** At a door that has stood open for a while: somebody else wants to use the kiosk; the door stays its person's. */
		z.object({ kind: z.literal('next-person') }),
		z.object({ kind: z.literal('confirm'), done: z.boolean() }),
		z.object({ kind: z.literal('more-time') }),
		z.object({ kind: z.literal('help') }),
		z.object({ kind: z.literal('back') }),
		z.object({ kind: z.literal('finish') }),
	]),
})
/** `POST /api/act`: 204 done, 409 the screen has moved on (the page simply waits for the next view). */
export type KioskAct = z.infer<typeof kioskAct>['act']
