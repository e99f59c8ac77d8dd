import type { BankLayout, DenyReason, KioskScreen, KioskView } from '@latchwork/core/wire'
import type { IconName } from '../ui/icon.tsx'
import { clockText, dateText, daysBetween } from '../ui/time.ts'
import { capital, placeWords } from '../ui/words.ts'

/**
 * Every word of the kiosk page. Short common words, one act a sentence, verb first, numbers before adjectives, nothing
 * promised that the page cannot know (visual-language.md §8). Whole sentences with arguments, so that a translation can
 * turn them around; leave 40 % of room wherever they stand.
 */
export const language = 'en-GB'

type Item = { readonly kind: 'laptop' | 'other' | 'parcel'; readonly tag: string; readonly name: string }

/** What is done with a parcel. */
type Task = NonNullable<Extract<KioskScreen, { name: 'open' }>['task']>

type Notice = KioskView['notices'][number]

/** Notices that speak of doors which stand open, and why those do. */
const STANDING = { 'door-left-open': 'left-open', 'door-forced': 'forced', 'door-unexplained': 'unexplained', 'door-by-staff': 'by-staff' } as const
const isStanding = (notice: Notice): notice is keyof typeof STANDING => notice in STANDING

type Named<N extends KioskScreen['name']> = Extract<KioskScreen, { name: N }>

export const words = {
	top: { bankAt: (bank: string, site: string) => `${bank}, ${site}` },

	bar: {
		reading: 'Reading and help',
		trouble: 'If something is wrong',
		/** What a touch makes of it: usual, larger, largest, usual again. */
		text: { usual: 'Larger text', large: 'Largest text', largest: 'Usual text' },
		contrast: 'Contrast',
		low: 'Low layout',
		listen: 'Listen',
		help: 'Help',
		startOver: 'Start over',
		back: 'Back',
		didNotOpen: 'It did not open',
		empty: 'It is empty',
		wrongItem: 'Wrong item',
		somethingInside: 'Something is inside',
		tooSmall: 'It does not fit',
		nextPerson: 'Let the next person start',
		openAgain: (n: number) => `Open door ${n} again`,
	},

	caption: 'What is being said',

	attract: {
		title: 'How do you want to start?',
		lead: 'One of these is enough. No app, no sign-up.',
		badge: 'Badge',
		badgeHow: 'Hold it to the reader next to this screen.',
		badgeOff: 'Not now. The reader does not answer.',
		qr: 'QR code',
		qrHow: 'Show it to the scanner, on paper or on your phone.',
		pin: 'PIN',
		pinHow: 'Touch here and type it.',
		/** Where parcels wait for a code. */
		code: 'PIN or code',
		spoken: 'Hold your badge to the reader next to this screen, show your QR code, or choose PIN.',
		spokenNoBadge: 'Show your QR code, or choose PIN. The badge reader does not answer.',
		spokenCode: 'Hold your badge to the reader next to this screen, show your QR code, or type your PIN or pick-up code.',
		spokenCodeNoBadge: 'Show your QR code, or type your PIN or pick-up code. The badge reader does not answer.',
	},

	pin: {
		title: 'Type your PIN',
		lead: (length: number) => `It has ${count(length)} digits. You can also hold your badge to the reader.`,
		titleCode: 'Type your PIN or pick-up code',
		/** `hint`: so many digits of the recipient's telephone number follow. */
		leadCode: (digits: number, hint: number) =>
			hint === 0
				? `A pick-up code has ${count(digits)} digits. You can also show its QR code to the scanner.`
				: `Pick-up code: the ${count(digits)} digits, then the last ${count(hint)} of your phone number.`,
		/** Sixteen digits that the help desk gave somebody for some hours. */
		oneTime: 'One-time code, 16 digits',
		titleOneTime: 'Type your one-time code',
		leadOneTime: (length: number) => `It has ${length} digits. You can also show its QR code to the scanner.`,
		wrongOneTime: 'That code is not right here. Check it and type it again.',
		go: 'Go on',
		wrongCode: 'That is not right. Check it and type it again.',
		dots: (entered: number, length: number) => `${entered} of ${length} digits typed, hidden`,
		keypad: 'Keypad',
		remove: 'Delete',
		wrong: 'That PIN is not right. Check it and type it again.',
		wait: (seconds: number) => `You can type again in ${seconds}\u00a0s. Badge and QR code work now.`,
	},

	choose: {
		title: 'What would you like to do?',
		lead: 'Touch one. The right door opens next.',
		nothing: {
			take: 'There is nothing for you to take here',
			both: 'Nothing can be taken or returned now',
		},
		ask: (phone: string) => `The help desk can tell you why: ${unbroken(phone)}.`,
		borrow: (item: Item | undefined) => (item?.kind === 'laptop' ? 'Borrow a laptop' : item ? `Borrow: ${inSentence(kindName(item))}` : 'Borrow'),
		giveBack: (item: Item | undefined) => (item ? `Return ${unbroken(item.tag)}` : 'Return'),
		resume: (item: Item | undefined) => (item ? `Go on with ${unbroken(item.tag)}` : 'Go on'),
		resumeHow: 'You were interrupted. Go on where you stopped.',
		free: (free: number, due: string | undefined) => (due ? `${free} ready. Bring it back by ${due}.` : `${free} ready.`),
		until: (due: string) => `Bring it back by ${due}.`,
		pickUp: (item: Item | undefined) => (item ? `Collect ${shortThing(item)}` : 'Collect'),
		pickUpHow: 'It waits here for you.',
		dropOff: 'Drop off',
		dropOffHow: (n: number) => (n === 1 ? 'One parcel is expected here.' : `${n} parcels are expected here.`),
		pull: 'Take out overdue parcels',
		pullHow: (n: number) => (n === 1 ? 'One door is to be emptied.' : `${n} doors are to be emptied.`),
		badgeLost: 'Report a lost badge',
		badgeLostHow: 'You are asked once more. Then it opens nothing.',
		due: (name: string, due: string) => `${name}, due ${due}.`,
		overdue: (name: string, due: string) => `${name} was due ${due}. Returning it now is all you need to do.`,
		why: {
			'overdue-block': 'Not now: return the late item first.',
			'quota-exceeded': 'Not now: you have as many as allowed. Return one first.',
			'nothing-available': 'None is ready now. Try again later.',
			'outside-hours': 'Not at this hour. Returning is always possible.',
			'bank-full': 'Not now: no door is free for this.',
			'compartment-unavailable': 'Not now: its door is out of use.',
			'not-authorised': 'Not set up for you.',
			'needs-second-factor': 'Hold your badge to the reader and type your PIN first.',
			'qualification-missing': 'A qualification is missing or has run out.',
			'approval-needed': 'Somebody has to approve this first.',
		} as Partial<Record<DenyReason, string>>,
		whyElse: 'Not now.',
	},

	badgeLost: {
		title: (n: number) => (n === 1 ? 'Have you lost your badge?' : `Have you lost your ${count(n)} badges?`),
		lead: (n: number) => (n === 1 ? 'It then opens nothing any more, anywhere.' : 'They then open nothing any more, anywhere.'),
		once: 'Only the help desk can give you a badge again.',
		yes: (n: number) => (n === 1 ? 'Yes, it is lost' : 'Yes, they are lost'),
		yesHow: 'You cannot take this back here.',
		no: (n: number) => (n === 1 ? 'No, I have it' : 'No, I have them'),
		noHow: 'Nothing changes.',
		reported: (n: number) => (n === 1 ? 'Your badge is blocked' : 'Your badges are blocked'),
		next: 'Get a new badge at the help desk. If you find the old one, bring it there. What you borrowed can still be returned.',
		goOn: 'Go on',
	},

	parcels: {
		title: { 'drop-off': 'Which parcel do you put in?', pull: 'Which door do you empty?' },
		lead: { 'drop-off': 'Touch it, or hold its label to the scanner.', pull: 'Touch one. Its door opens next.' },
		strange: {
			'drop-off': 'This label is of no parcel that is expected here. Try another label, or touch the parcel.',
			pull: 'This label is of no parcel that is to be taken out here. Try another label, or touch one.',
		},
		page: (from: number, to: number, total: number) => `${from} to ${to} of ${total}.`,
		more: 'Show more',
		moreHow: (n: number) => `${n} more.`,
		recipient: (hint: string) => `For ${hint}`,
		size: { S: 'small door', M: 'medium door', L: 'large door', XL: 'extra large door' },
		door: (n: number) => `door ${n}`,
		why: { expired: 'not collected in time', recalled: 'called back' },
	},

	door: {
		opening: (n: number) => `Door ${n} is opening`,
		open: (n: number) => `Door ${n} is open`,
		stillOpen: (n: number) => `Door ${n} is still open`,
		place: (layout: BankLayout, n: number) => `${capital(placeWords(layout, n))}.`,
		unlocking: 'The lock is letting go. This may take a moment.',
		stillShut: 'Still shut? Push the door lightly.',
		stillShutThen: 'Then touch “It did not open”.',
		unlocked: 'Door unlocked',
		take: (item: Item | undefined) => `Take ${thing(item)}.`,
		put: (item: Item | undefined) => `Put in ${thing(item)}.`,
		taken: (item: Item | undefined) => `${capital(shortThing(item))} is out.`,
		leftInside: 'Take what you left inside.',
		putIn: (item: Item | undefined) => `${capital(shortThing(item))} is in.`,
		push: 'Then push the door until it clicks.',
		pushNow: 'Push the door until it clicks.',
		noted: 'Noted.',
		notedEmpty: 'Noted: it is empty.',
		leave: 'Leave it inside.',
		putBack: 'Put it back inside.',
		leaveAndKeep: 'Leave it inside and keep your item with you.',
		keepParcel: 'Noted: it does not fit. Keep it with you.',
		pushThenLarger: 'Push the door until it clicks. A larger door opens then.',
		sensedOpen: (n: number) => `The sensor says that door ${n} is open.`,
		pull: 'Pull it.',
		stuck: (phone: string) => `Still stuck? Help desk ${unbroken(phone)}.`,
		receipt: { collect: 'You get a receipt with the return time', deposit: 'You get a receipt that it is back' },
		parcelReceipt: {
			'drop-off': 'You get a receipt that it is in',
			'pick-up': 'You get a receipt that you have it',
			pull: 'You get a receipt that you took it out',
		} satisfies Record<Task, string>,
		sameReceipt: 'Your receipt stays as it is',
		number: 'You get a number for the help desk',
		timer: 'Time the door has been open',
		calm: (open: string, remind: string) => `Open for ${open}. No hurry, we remind you at ${remind}.`,
		prompt: (open: string, next: string | undefined) =>
			next ? `Open for ${open}. From ${next} on it is noted for staff.` : `Open for ${open}. It is soon noted for staff.`,
		staff: (open: string, next: string | undefined) =>
			next ? `Open for ${open}. It is noted for staff. From ${next} on it counts as left open.` : `Open for ${open}. It is noted for staff.`,
		alarm: (open: string) => `Open for ${open}. It counts as left open.`,
		spokenStaff: (n: number) => `Door ${n} is still open and is noted for staff.`,
		spokenAlarm: (n: number) => `Door ${n} counts as left open.`,
		context: { collect: (item: Item) => `Borrow ${unbroken(item.tag)}`, deposit: (item: Item) => `Return ${unbroken(item.tag)}` },
		task: {
			'drop-off': (item: Item) => `Drop off ${shortThing(item)}`,
			'pick-up': (item: Item) => `Collect ${shortThing(item)}`,
			pull: (item: Item) => `Take out ${shortThing(item)}`,
		} satisfies Record<Task, (item: Item) => string>,
	},

	notOpened: {
		title: (n: number) => `Door ${n} did not open`,
		lead: 'The door is shut. Nothing is recorded as taken or returned.',
		leadOver: 'The door is shut and stays as it is. Nothing is recorded as taken or returned.',
		retry: 'Try again',
		retryHow: (n: number) => `The lock of door ${n} is released once more.`,
		other: 'Use another door',
		otherHow: 'We look for one that fits.',
		stop: 'Stop here',
		stopHow: 'You leave without it.',
	},

	noChange: {
		title: { collect: 'Nothing was taken', deposit: 'Nothing was put in' },
		lead: {
			collect: (n: number) => `Door ${n} was opened and shut, and everything is still inside.`,
			deposit: (n: number) => `Door ${n} was opened and shut, and it is still empty.`,
		},
		leadOver: 'To try again, start with your badge or code.',
		retry: (n: number) => `Open door ${n} again`,
		retryHow: { collect: (item: Item | undefined) => `Take ${thing(item)}.`, deposit: (item: Item | undefined) => `Put in ${thing(item)}.` },
		stop: { collect: 'I do not need it', deposit: 'I keep it' },
		stopHow: { collect: 'Nothing is recorded as borrowed.', deposit: 'Nothing is recorded as returned.' },
		larger: 'It does not fit',
		largerHow: 'A larger door opens.',
		stopParcel: { collect: 'I leave it here', deposit: 'I keep it' },
		stopParcelHow: { collect: 'It stays inside.', deposit: 'It is recorded as not put in.' },
	},

	confirm: {
		title: {
			collect: (item: Item | undefined) => `Did you take ${shortThing(item)}?`,
			deposit: (item: Item | undefined) => `Did you put in ${shortThing(item)}?`,
		},
		lead: 'This door cannot tell by itself. Your answer is recorded as stated, not proven.',
		yes: { collect: 'Yes, I have it', deposit: 'Yes, it is inside' },
		no: { collect: 'No, it is still inside', deposit: 'No, I still have it' },
	},

	done: {
		collect: (item: Item | undefined) => (item ? `You have ${shortThing(item)}` : 'All done'),
		deposit: (item: Item | undefined) => (item ? `${capital(shortThing(item))} is back` : 'All done'),
		whole: (item: Item) => (item.name.includes(item.tag) ? unbrokenIn(item.name, item.tag) : `${item.name}, ${unbroken(item.tag)}`),
		bringBack: (due: string) => `Bring it back by ${due}.`,
		returnedAt: (at: string) => `Returned ${at}.`,
		anyDoor: 'Start with your badge again. The door for it is chosen then.',
		/** Of a parcel. */
		task: {
			'drop-off': { title: (item: Item | undefined) => `${capital(shortThing(item))} is in`, next: 'It waits here for its recipient.' },
			'pick-up': { title: (item: Item | undefined) => `You have ${shortThing(item)}`, next: 'You can go.' },
			pull: { title: (item: Item | undefined) => `You took out ${shortThing(item)}`, next: 'The door is free again.' },
		} satisfies Record<Task, { title: (item: Item | undefined) => string; next: string }>,
		putIn: 'Put in',
		more: { 'drop-off': 'Next parcel', 'pick-up': 'Open the next door', pull: 'Next door' } satisfies Record<Task, string>,
		moreLeft: {
			'drop-off': (n: number) => (n === 1 ? 'One more is expected.' : `${n} more are expected.`),
			'pick-up': (n: number) => (n === 1 ? 'One more door holds something for you.' : `${n} more doors hold something for you.`),
			pull: (n: number) => (n === 1 ? 'One more door is to be emptied.' : `${n} more doors are to be emptied.`),
		} satisfies Record<Task, (n: number) => string>,
		thanks: 'The loan is closed. You can go.',
		collected: 'You can go.',
		item: 'Item',
		door: 'Door',
		due: 'Return by',
		returned: 'Returned',
		receipt: 'Receipt',
		proof: 'How we know',
		evidence: [
			'You told us. Not proven.',
			'The lock answered.',
			'The door opened and shut.',
			'The door opened and shut, and the inside changed.',
			'The door opened and shut, and the item was read.',
		],
		finish: 'Finish',
	},

	refused: {
		until: (when: string) => `From ${when} it works again.`,
		back: 'Go back',
		call: 'Help desk',
		reasons: {
			'unknown-credential': [
				'We do not know this badge or code',
				'Try another way to start: badge, PIN or QR code. The help desk can add a new badge.',
			],
			'wrong-pin': ['That PIN is not right', 'Check it and type it again, or hold your badge to the reader.'],
			'pin-suspended': ['PINs are switched off at this screen', 'Too many wrong ones were typed here. Badges and QR codes still work.'],
			'credential-revoked': ['This badge or code is blocked', 'The help desk can tell you why and give you a new one.'],
			'code-used': ['This code has been used', 'It opens once. Ask for a new one, or hold your badge to the reader.'],
			'code-expired': ['This code is too old', 'Ask for a new one, or hold your badge to the reader.'],
			'code-other-bank': ['This code is for another place', 'Your message names the place. Look there for this sign: Latchwork.'],
			'not-authorised': ['This is not set up for you', 'The help desk can set it up or tell you who can.'],
			'policy-denied': ['A rule of this site does not allow it', 'The help desk can tell you which rule it is.'],
			'outside-hours': ['Taking things out is closed at this hour', 'You can return things at any time.'],
			'quota-exceeded': ['You have as many as allowed', 'Return one first. Then you can take another.'],
			'overdue-block': ['Something you borrowed is late', 'Return it first. Then you can borrow again.'],
			'qualification-missing': ['A qualification is missing', 'You need a valid qualification for this. The help desk can tell which one.'],
			'approval-needed': ['Somebody has to approve this first', 'Ask whoever decides about it. Once it is approved, come back and try again.'],
			'needs-second-factor': ['One proof is not enough for this', 'Hold your badge to the reader, then type your PIN.'],
			'bundle-expired': ['This bank cannot lend right now', 'It cannot lend until it is connected again. You can still return things.'],
			'lease-expired': [
				'This bank has been on its own for too long',
				'It cannot lend to you until it is connected again. You can still return things.',
			],
			'time-uncertain': ['This bank is not sure what time it is', 'It cannot open what depends on time. The help desk can set its clock.'],
			'nothing-available': ['Nothing is ready to take', 'All are out or being prepared. Try again later.'],
			'bank-full': ['No door is free for this now', 'Keep the item with you and ask the help desk where to bring it.'],
			'storage-full': ['This bank cannot keep a record', 'It opens no door without one. The help desk can get it going again.'],
			'history-lost': ['This bank lost some of its records', 'It lends nothing until a person has looked. You can still return things.'],
			'door-open': ['Another door is still open', 'Push it until it clicks. Then try again.'],
			'compartment-unavailable': ['This door is out of use', 'Start over and choose something else, or ask the help desk.'],
			'workflow-unknown': ['This bank cannot do that', 'Start over and choose something else, or ask the help desk.'],
			'not-ready': ['Your order is not here yet', 'Your code is right. It works as soon as the order has been put in.'],
		} satisfies Record<DenyReason, readonly [title: string, next: string]>,
	},

	needsHelp: {
		title: {
			ambiguous: (n: number) => `We are not sure about door ${n}`,
			'found-occupied': (n: number) => `Something is already in door ${n}`,
			'found-empty': (n: number) => `Door ${n} was empty`,
			'wrong-item': (n: number) => `The wrong item is in door ${n}`,
		},
		lead: {
			ambiguous: 'A person looks at it before anybody uses it again.',
			'found-occupied': 'What is inside stays inside. Keep your item with you.',
			'found-empty': 'Nothing is recorded as taken by you.',
			'wrong-item': 'It stays inside. A person sorts it out.',
		},
		incident: 'Your number',
		call: 'Call',
		say: 'Say this number and the name of this bank',
		start: 'I have the number',
		other: 'Use another door',
		otherHow: 'This one stays out of use.',
		stop: 'I have the number',
		stopHow: 'You stop here.',
	},

	bankFull: {
		title: 'No door is free for this now',
		lead: 'Keep the item with you and ask the help desk where to bring it.',
		larger: 'No larger door is free now',
	},

	out: {
		title: 'This bank is out of use',
		why: {
			'board-lost': 'It cannot reach its doors. They stay locked, and what is inside stays safe.',
			'storage-full': 'It has no room to keep records, and it opens no door without one.',
			'bundle-missing': 'It has not been set up yet.',
		},
	},

	help: {
		title: 'What do you need?',
		desk: 'Help desk',
		say: (bank: string, site: string) => `Say where you are: ${unbroken(bank)}, ${unbroken(site)}.`,
		readBack: 'If the help desk asks for a number, read this one:',
		readBackFor: 'It shows that you stand here, for five minutes.',
		answers: [
			['badge', 'How do I start?', 'Hold your badge to the reader. Or type your PIN, or show your QR code.'],
			['door', 'My door did not open', 'Start again the same way. You can go on where you stopped.'],
			['return', 'How do I return something?', 'Start the same way. Your item is in the list, and its door opens.'],
			['lock', 'I left something inside', 'Call the help desk. Nobody else can open it without a record.'],
		] satisfies readonly (readonly [IconName, question: string, answer: string])[],
		/** At a door, in place of how to start. */
		atDoor: [
			['door', 'My door did not open', 'Push it lightly, then pull. Go back if it stays shut.'],
			['box', 'Something is not right', 'Go back and touch what is wrong.'],
			['lock', 'I left something inside', 'Call the help desk. Nobody else can open it without a record.'],
		] satisfies readonly (readonly [IconName, question: string, answer: string])[],
	},

	asking: { title: 'One moment', lead: 'We are looking up your badge.' },

	/** For the installer; nobody else comes upon it. */
	claim: {
		start: 'For staff: type a claim code',
		startHow: 'The server lets this bank in no more.',
		title: 'Type the claim code',
		lead: (length: number) =>
			`It has ${count(length)} digits. The console makes it, at this bank’s controller. It works once, within 15\u00a0minutes.`,
		dots: (entered: number, length: number) => `${entered} of ${length} digits typed, hidden`,
		asking: ['One moment', 'The server is asked.'],
		accepted: ['This bank is let in again', 'It fetches what it needs. That takes a moment.'],
		refused: 'This code does not work. Check it and type it again, or make a new one.',
		'too-many': 'Too many codes were tried. Wait some minutes, then type it again.',
		unreachable: 'The server does not answer. Look at the network cable, then type it again.',
		'not-kept': 'The disk of this bank takes nothing. Make room, then type it again.',
	} as const,

	badgeReading: {
		waiting: ['Hold the new badge to the reader', 'The help desk asked for it. Nothing opens by it now.'],
		read: ['The badge was read', 'The help desk sees it and goes on from here.'],
		unusable: ['This card cannot be used', 'It shows another number each time, or was not read well. The help desk knows. Try another card.'],
	} satisfies Record<Named<'badge-reading'>['state'], readonly [title: string, lead: string]>,
	badgeRead: 'Done',

	idle: {
		title: 'Are you still there?',
		left: (seconds: number) => `This screen starts over in ${seconds}\u00a0s.`,
		soon: 'This screen starts over soon.',
		spoken: 'Are you still there? This screen starts over soon. Touch “I need more time” to go on.',
		more: 'I need more time',
	},

	lost: {
		title: 'This screen is not connected',
		lead: 'It connects again by itself. Doors stay locked, and you can still push an open door shut.',
		call: (phone: string) => `In a hurry? Call ${unbroken(phone)}.`,
	},

	loading: 'This screen is starting',

	unheard: 'Your touch did not arrive. Touch again.',

	notices: {
		offline: 'This bank is offline. Everything you see here works.',
		'claim-needed': 'This bank is let in no more. Staff: touch Help, then type a claim code.',
		'bundle-stale': 'This bank has not been updated for a while. Everything you see here works.',
		'bundle-expired': 'Only returning works now. This bank cannot lend right now.',
		'clock-uncertain': 'This bank is not sure what time it is. Return times may be off.',
		'reader-insecure': 'The badge reader is not protected. Staff should look at it.',
		'reader-lost': 'The badge reader does not answer.',
		'doors-lost': 'Some doors do not answer and stay locked.',
		'history-lost': 'Only returning works now: records were lost. Staff should look at it.',
		'storage-low': 'This bank is running out of room for records. Staff should look at it.',
	} satisfies Record<Exclude<Notice, keyof typeof STANDING>, string>,

	/** Doors that stand open, by their numbers; none: not known which. */
	standing: {
		'left-open': {
			none: 'A door is still open. Push it until it clicks.',
			one: (n: string) => `Door ${n} is still open. Push it until it clicks.`,
			more: (n: string) => `Doors ${n} are still open. Push them until they click.`,
		},
		unexplained: {
			none: 'A door stands open. Push it until it clicks.',
			one: (n: string) => `Door ${n} stands open. Push it until it clicks.`,
			more: (n: string) => `Doors ${n} stand open. Push them until they click.`,
		},
		forced: {
			none: 'A door was opened without permission.',
			one: (n: string) => `Door ${n} was opened without permission.`,
			more: (n: string) => `Doors ${n} were opened without permission.`,
		},
		'by-staff': {
			none: 'Staff opened a door from elsewhere.',
			one: (n: string) => `Staff opened door ${n} from elsewhere.`,
			more: (n: string) => `Staff opened doors ${n} from elsewhere.`,
		},
	} satisfies Record<KioskView['standing'][number]['why'], object>,

	/** What to do about a notice, where it can be done. */
	noticeNext: {
		startElse: 'Use your PIN or code.',
		tell: (phone: string) => `Please tell the help desk: ${unbroken(phone)}.`,
	},
}

/** "today 18:00", "tomorrow 09:00", "Friday 9 January, 18:00" in the site's time zone; a time stays in one piece. */
export function when(at: number, view: Pick<KioskView, 'now' | 'bank'>): string {
	const { timeZone } = view.bank
	const clock = clockText(at, timeZone, language)
	const days = daysBetween(view.now, at, timeZone)
	if (days === 0) return `today\u00a0${clock}`
	if (days === 1) return `tomorrow\u00a0${clock}`
	if (days === -1) return `yesterday\u00a0${clock}`
	return `${dateText(at, timeZone, language)}, ${clock}`
}

/** "12 s", "2 min", "2 min 10 s". */
export function lasting(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000))
	if (seconds < 60) return `${seconds}\u00a0s`
	const rest = seconds % 60
	const minutes = `${Math.floor(seconds / 60)}\u00a0min`
	return rest === 0 ? minutes : `${minutes}\u00a0${rest}\u00a0s`
}

/**
 * What is spoken and shown as a caption: the same words for both, never a code or a name (visual-language.md §9). Whoever
 * only listens must get through a whole loan with it. `now`: the site's time, as some sentences change while a screen stands.
 */
export function said(view: KioskView, now = view.now): string {
	const { screen, layout, bank } = view
	switch (screen.name) {
		case 'attract':
			return `${words.attract.title} ${howToStart(screen, view.notices.includes('reader-lost'))}`
		case 'asking':
			return `${words.asking.title}. ${words.asking.lead}`
		case 'badge-reading':
			return words.badgeReading[screen.state].join('. ')
		case 'pin': {
			const { title, lead, wrong } = pinWords(screen)
			if (!screen.wrong) return `${title}. ${lead}`
			// The wait as it was when it began: a spoken number that ticks is heard by nobody.
			return screen.waitUntil !== undefined && now < screen.waitUntil
				? `${wrong} ${words.pin.wait(Math.ceil((screen.waitUntil - view.now) / 1000))}`
				: wrong
		}
		case 'choose':
			if (!isAnyOffered(screen)) return nothingOffered(screen, bank).join('. ')
			return [words.choose.title, ...screen.choices.filter(({ denied }) => !denied).map((choice) => `${choiceTitle(choice)}.`)].join(' ')
		case 'badge-lost': {
			const text = words.badgeLost
			if (screen.reported) return `${text.reported(screen.badges)}. ${text.next}`
			return `${text.title(screen.badges)} ${text.lead(screen.badges)} ${text.once}`
		}
		case 'parcels':
			if (screen.strange) return words.parcels.strange[screen.task]
			return [words.parcels.title[screen.task], words.parcels.lead[screen.task], ...screen.parcels.map((parcel) => `${parcelTitle(parcel)}.`)].join(
				' ',
			)
		case 'opening':
			return now < screen.askAt
				? `${words.door.opening(screen.door.number)}. ${words.door.place(layout, screen.door.number)}`
				: `${words.door.stillShut} ${words.door.stillShutThen}`
		case 'open':
			return saidOpen(screen, layout, bank.helpPhone)
		case 'not-opened':
			return `${words.notOpened.title(screen.door.number)}. ${words.notOpened.lead}`
		case 'no-change':
			return `${words.noChange.title[screen.act]}. ${words.noChange.lead[screen.act](screen.door.number)}`
		case 'confirm':
			return `${words.confirm.title[screen.act](screen.item)} ${words.confirm.lead}`
		case 'done':
			return [
				`${doneTitle(screen)}.`,
				...(screen.due === undefined ? [] : [words.done.bringBack(when(screen.due, view))]),
				...(screen.task && screen.more ? [words.done.moreLeft[screen.task](screen.more)] : []),
			].join(' ')
		case 'denied': {
			const [title, next] = words.refused.reasons[screen.reason]
			return `${title}. ${next}`
		}
		case 'needs-help':
			return `${words.needsHelp.title[screen.why](screen.door.number)}. ${needsHelpLead(screen)}`
		case 'bank-full':
			return `${screen.larger ? words.bankFull.larger : words.bankFull.title}. ${words.bankFull.lead}`
		case 'out-of-service':
			return `${words.out.title}. ${words.out.why[screen.why]}`
		case 'help':
			return words.help.title
		case 'claim': {
			const text = words.claim
			if (screen.state === 'typing') return `${text.title}. ${text.lead(screen.length)}`
			if (screen.state === 'asking' || screen.state === 'accepted') return text[screen.state].join('. ')
			return text[screen.state]
		}
	}
}

export function isAnyOffered({ choices }: Named<'choose'>): boolean {
	return choices.some(({ denied }) => denied === undefined)
}

export function choiceTitle({ kind, item }: Named<'choose'>['choices'][number]): string {
	const text = words.choose
	const titles = {
		borrow: text.borrow,
		return: text.giveBack,
		resume: text.resume,
		'pick-up': text.pickUp,
		'drop-off': () => text.dropOff,
		pull: () => text.pull,
		'badge-lost': () => text.badgeLost,
	}
	return titles[kind](item)
}

function howToStart({ codes }: Named<'attract'>, noBadge: boolean): string {
	const { spoken, spokenNoBadge, spokenCode, spokenCodeNoBadge } = words.attract
	return codes ? (noBadge ? spokenCodeNoBadge : spokenCode) : noBadge ? spokenNoBadge : spoken
}

/** What is typed here: a PIN alone, or a PIN or a pick-up code. */
export function pinWords({ length, code, oneTime }: Named<'pin'>): { readonly title: string; readonly lead: string; readonly wrong: string } {
	const { title, lead, wrong, titleCode, leadCode, wrongCode, titleOneTime, leadOneTime, wrongOneTime } = words.pin
	if (oneTime === 'typing') return { title: titleOneTime, lead: leadOneTime(length), wrong: wrongOneTime }
	return code ? { title: titleCode, lead: leadCode(code.digits, code.hint), wrong: wrongCode } : { title, lead: lead(length), wrong }
}

export function doneTitle({ task, act, item }: Named<'done'>): string {
	return task ? words.done.task[task].title(item) : words.done[act](item)
}

type ListedParcel = Named<'parcels'>['parcels'][number]

/** "Order 1042, 2 of 3". */
export const parcelTitle = ({ item }: ListedParcel): string => wholeOrder(item)

/** What tells it from others like it: for whom, how large a door, or which door and why. */
export function parcelMore({ hint, size, door, why }: ListedParcel): string {
	const text = words.parcels
	const facts = [
		...(door ? [text.door(door.number)] : []),
		...(why ? [text.why[why]] : []),
		...(hint ? [text.recipient(hint)] : []),
		...(size && !door ? [text.size[size]] : []),
	]
	return facts.length > 0 ? `${capital(facts.join(', '))}.` : ''
}

const wholeOrder = ({ name, tag }: Item): string => (tag === name ? unbroken(name) : `${unbroken(name)}, ${unbroken(tag)}`)

/** Nobody may be told to go on where nothing can be touched. One reason for all is the title itself. */
export function nothingOffered({ choices }: Named<'choose'>, bank: KioskView['bank']): readonly [title: string, next: string] {
	const [reason, ...others] = new Set(choices.map(({ denied }) => denied))
	if (reason && others.length === 0) return words.refused.reasons[reason]
	const title = choices.some(({ kind }) => kind !== 'borrow') ? words.choose.nothing.both : words.choose.nothing.take
	return [title, words.choose.ask(bank.helpPhone)]
}

/** Nobody is told to push a door that is shut. */
export function needsHelpLead({ why, shut }: Named<'needs-help'>): string {
	return shut ? words.needsHelp.lead[why] : `${words.needsHelp.lead[why]} ${words.door.pushNow}`
}

/** The banners of a screen: none that says again, or less exactly, what the screen itself is about. */
export function noticesOn({ notices, standing, screen, bank }: KioskView): readonly (readonly [Notice, string])[] {
	// Of the doors that stand open, the one that the screen is about needs no banner.
	const others = standing.filter(({ number }) => !('door' in screen && screen.door.number === number))
	const told = (notice: Notice) =>
		screen.name === 'out-of-service'
			? notice === 'doors-lost' && screen.why === 'board-lost'
			: isStanding(notice) && standing.some(({ why }) => why === STANDING[notice]) && !others.some(({ why }) => why === STANDING[notice])
	const textOf = (notice: Notice) => {
		if (!isStanding(notice)) return words.notices[notice]
		const { none, one, more } = words.standing[STANDING[notice]]
		const numbers = others.filter(({ why }) => why === STANDING[notice]).map(({ number }) => String(number))
		return numbers.length === 0 ? none : numbers.length === 1 ? one(numbers.join()) : more(list(numbers))
	}
	return notices
		.filter((notice) => !told(notice))
		.map((notice) => {
			const next =
				notice === 'door-forced'
					? words.noticeNext.tell(bank.helpPhone)
					: notice === 'reader-lost' && screen.name === 'attract'
						? words.noticeNext.startElse
						: ''
			return [notice, `${textOf(notice)} ${next}`.trim()]
		})
}

/**
 * What to do at an open door, by what is known of it: what the person said, then what the sensor saw, then the errand. `act` is
 * the one thing to do now; `note` stands before it, `after` behind it.
 */
export function toDo(screen: Named<'open'>, phone: string): { readonly note?: string; readonly act: string; readonly after?: string } {
	const text = words.door
	switch (screen.said) {
		case 'did-not-open':
			return { note: text.sensedOpen(screen.door.number), act: text.pull, after: text.stuck(phone) }
		case 'wrong-item':
			return { note: text.noted, act: screen.act === 'collect' && screen.contentChanged ? text.putBack : text.leave, after: text.pushNow }
		case 'found-occupied':
			return { note: text.noted, act: text.leaveAndKeep, after: text.pushNow }
		case 'found-empty':
			return { note: text.notedEmpty, act: text.pushNow }
		case 'too-small':
			return { note: text.keepParcel, act: text.pushThenLarger }
	}
	// From here on the door is all that matters: the same words as on every banner about it.
	if (screen.level === 'alarm') return { act: text.pushNow }
	if (screen.again) return { act: text.leftInside, after: text.push }
	if (screen.contentChanged) return { note: screen.act === 'collect' ? text.taken(screen.item) : text.putIn(screen.item), act: text.pushNow }
	return { act: screen.act === 'collect' ? text.take(screen.item) : text.put(screen.item), after: text.push }
}

/** The door first and where it is, then what to do. What changes while the person stands at it needs no place again. */
function saidOpen(screen: Named<'open'>, layout: BankLayout, phone: string): string {
	const n = screen.door.number
	const { note, act, after } = toDo(screen, phone)
	const place = words.door.place(layout, n)
	const heads = {
		calm: screen.contentChanged || screen.said ? [] : [`${words.door.open(n)}.`, place],
		prompt: [`${words.door.stillOpen(n)}.`, place],
		staff: [words.door.spokenStaff(n), place],
		alarm: [words.door.spokenAlarm(n), place],
	}
	return [...heads[screen.level], note, act, after].filter((sentence) => sentence !== undefined).join(' ')
}

/** What is about a door, or says how a try ended, is always captioned and spoken; the rest when a person asks to listen. */
export function isSpoken(screen: KioskScreen): boolean {
	if (screen.name === 'parcels') return screen.strange === true
	if (screen.name === 'badge-lost') return screen.reported
	return ['opening', 'open', 'not-opened', 'no-change', 'confirm', 'done', 'asking', 'badge-reading', 'denied', 'needs-help', 'bank-full'].includes(
		screen.name,
	)
}

function thing(item: Item | undefined): string {
	if (!item) return 'what is yours'
	return item.kind === 'laptop' ? `laptop ${unbroken(item.tag)} and its charger` : shortThing(item)
}

function shortThing(item: Item | undefined): string {
	if (!item) return 'it'
	if (item.kind === 'parcel') return inSentence(wholeOrder(item))
	return item.kind === 'laptop' ? `laptop ${unbroken(item.tag)}` : `${inSentence(kindName(item))} ${unbroken(item.tag)}`
}

/** "Hand scanner" starts small within an English sentence, "USB hub" does not. */
function inSentence(name: string): string {
	return /^[A-Z][a-z]/.test(name) ? name.slice(0, 1).toLowerCase() + name.slice(1) : name
}

/** A choice names the kind; which piece it will be is decided when the door is chosen. */
function kindName(item: Item): string {
	return item.name.replace(item.tag, '').trim() || item.name
}

/** A telephone number, a tag, a receipt and the name of a place stay on one line. */
export function unbroken(text: string): string {
	return text.replaceAll(' ', '\u00a0').replaceAll('-', '\u2011')
}

const unbrokenIn = (text: string, part: string) => text.replaceAll(part, unbroken(part))

/** "3", "3 and 20", "3, 7 and 20" */
function list(numbers: readonly string[]): string {
	const [last, ...rest] = numbers.toReversed()
	return rest.length === 0 ? String(last) : `${rest.toReversed().join(', ')} and ${last}`
}

function count(n: number): string {
	return ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'][n] ?? String(n)
}

export type { Named }
