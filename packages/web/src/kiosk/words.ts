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

type Item = { readonly kind: 'laptop' | 'other'; readonly tag: string; readonly name: string }

type Notice = KioskView['notices'][number]

type Named<N extends KioskScreen['name']> = Extract<KioskScreen, { name: N }>

export const words = {
	top: { bankAt: (bank: string, site: string) => `${bank}, ${site}` },

	bar: {
		reading: 'Reading and help',
		trouble: 'If something is wrong',
		largerText: 'Larger text',
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
	},

	caption: 'What is being said',

	attract: {
		title: 'How do you want to start?',
		lead: 'One of these is enough. No app, no sign-up.',
		badge: 'Badge',
		badgeHow: 'Hold it to the reader next to this screen.',
		qr: 'QR code',
		qrHow: 'Show it to the scanner, on paper or on your phone.',
		pin: 'PIN',
		pinHow: 'Touch here and type it.',
	},

	pin: {
		title: 'Type your PIN',
		lead: (length: number) => `It has ${count(length)} digits. You can also hold your badge to the reader.`,
		dots: (entered: number, length: number) => `${entered} of ${length} digits typed, hidden`,
		keypad: 'Keypad',
		remove: 'Delete',
		go: 'Go on',
		wrong: 'That PIN is not right. Check it and type it again.',
		wait: (seconds: number) => `You can type again in ${seconds} s. Badge and QR code work now.`,
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
		giveBack: (item: Item | undefined) => (item ? `Return ${item.tag}` : 'Return'),
		resume: (item: Item | undefined) => (item ? `Go on with ${item.tag}` : 'Go on'),
		resumeHow: 'You were interrupted. Go on where you stopped.',
		free: (free: number, due: string | undefined) => (due ? `${free} ready. Bring it back by ${due}.` : `${free} ready.`),
		until: (due: string) => `Bring it back by ${due}.`,
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
		} as Partial<Record<DenyReason, string>>,
		whyElse: 'Not now.',
	},

	door: {
		opening: (n: number) => `Door ${n} is opening`,
		open: (n: number) => `Door ${n} is open`,
		stillOpen: (n: number) => `Door ${n} is still open`,
		place: (layout: BankLayout, n: number) => `${capital(placeWords(layout, n))}.`,
		unlocking: 'The lock is letting go. This takes up to 3 s.',
		unlocked: 'Door unlocked',
		take: (item: Item | undefined) => `Take ${thing(item)}.`,
		put: (item: Item | undefined) => `Put in ${thing(item)}.`,
		taken: (item: Item | undefined) => `${capital(shortThing(item))} is out.`,
		putIn: (item: Item | undefined) => `${capital(shortThing(item))} is in.`,
		push: 'Then push the door until it clicks.',
		pushNow: 'Push the door until it clicks.',
		receipt: { collect: 'You get a receipt with the return time', deposit: 'You get a receipt that it is back' },
		timer: 'Time the door has been open',
		calm: (open: string, remind: string) => `Open for ${open}. No hurry, we remind you at ${remind}.`,
		prompt: (open: string, next: string | undefined) =>
			next ? `Open for ${open}. From ${next} on it counts as left open.` : `Open for ${open}. It soon counts as left open.`,
		staff: (open: string, next: string | undefined) =>
			next ? `Open for ${open}. It counts as left open. The alarm starts at ${next}.` : `Open for ${open}. It counts as left open.`,
		alarm: (open: string) => `Open for ${open}. The alarm is on and stops when the door is shut.`,
		context: { collect: (item: Item) => `Borrow ${item.tag}`, deposit: (item: Item) => `Return ${item.tag}` },
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
		retry: (n: number) => `Open door ${n} again`,
		retryHow: { collect: (item: Item | undefined) => `Take ${thing(item)}.`, deposit: (item: Item | undefined) => `Put in ${thing(item)}.` },
		stop: { collect: 'I do not need it', deposit: 'I keep it' },
		stopHow: { collect: 'Nothing is recorded as borrowed.', deposit: 'Nothing is recorded as returned.' },
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
		whole: (item: Item) => (item.name.includes(item.tag) ? item.name : `${item.name}, ${item.tag}`),
		bringBack: (due: string) => `Bring it back by ${due}.`,
		returnedAt: (at: string) => `Returned ${at}.`,
		anyDoor: 'Start with your badge again. The door for it is chosen then.',
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
			'needs-second-factor': ['One proof is not enough for this', 'Hold your badge to the reader, then type your PIN.'],
			'bundle-expired': ['This bank has had no new rules for too long', 'It cannot hand things out until it has. You can still return things.'],
			'lease-expired': [
				'This bank has been on its own for too long',
				'It cannot hand things out until it hears from its server. You can still return things.',
			],
			'time-uncertain': ['This bank is not sure what time it is', 'It cannot open what depends on time. The help desk can set its clock.'],
			'nothing-available': ['Nothing is ready to take', 'All are out or being prepared. Try again later.'],
			'bank-full': ['No door is free for this now', 'Keep the item with you and ask the help desk where to bring it.'],
			'storage-full': ['This bank cannot keep a record', 'It opens no door without one. The help desk can get it going again.'],
			'history-lost': ['This bank lost some of its records', 'It lends nothing until a person has looked. You can still return things.'],
			'door-open': ['Another door is still open', 'Push it until it clicks. Then try again.'],
			'compartment-unavailable': ['This door is out of use', 'Start over and choose something else, or ask the help desk.'],
			'workflow-unknown': ['This bank cannot do that', 'Start over and choose something else, or ask the help desk.'],
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
			ambiguous: 'A person looks at it before anybody uses it again. If the door is open, push it until it clicks.',
			'found-occupied': 'Leave it inside and push the door until it clicks. Keep your item with you.',
			'found-empty': 'Nothing is recorded as taken by you. Push the door until it clicks.',
			'wrong-item': 'Leave it inside and push the door until it clicks. A person sorts it out.',
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
	},

	out: {
		title: 'This bank is out of use',
		why: {
			'board-lost': 'It cannot reach its doors. They stay locked, and what is inside stays safe.',
			'storage-full': 'It has no room to keep records, and it opens no door without one.',
			'bundle-missing': 'It has not been set up yet. It starts when it gets its rules.',
		},
	},

	help: {
		title: 'What do you need?',
		desk: 'Help desk',
		say: (bank: string, site: string) => `Say where you are: ${bank}, ${site}.`,
		answers: [
			['badge', 'How do I start?', 'Hold your badge to the reader. Or type your PIN, or show your QR code.'],
			['door', 'My door did not open', 'Push it lightly, then touch “It did not open”. You can try again.'],
			['return', 'How do I return something?', 'Start the same way. Your item is in the list, and its door opens.'],
			['lock', 'I left something inside', 'Call the help desk. Nobody else can open it without a record.'],
		] satisfies readonly (readonly [IconName, question: string, answer: string])[],
	},

	idle: {
		title: 'Are you still there?',
		left: (seconds: number) => `This screen starts over in ${seconds} s.`,
		more: 'I need more time',
	},

	lost: {
		title: 'This screen lost its controller',
		lead: 'It connects again by itself. Doors stay locked, and you can still push an open door shut.',
		call: (phone: string) => `In a hurry? Call ${unbroken(phone)}.`,
	},

	loading: 'This screen is starting',

	notices: {
		'bundle-stale': 'This bank has had no news from its server for a while. Everything you see here works.',
		'bundle-expired': 'Only returning works now: this bank needs new rules from its server.',
		'clock-uncertain': 'This bank is not sure what time it is. Return times may be off.',
		'reader-insecure': 'The badge reader is not protected. Staff should look at it.',
		'reader-lost': 'The badge reader does not answer.',
		'doors-lost': 'Some doors do not answer and stay locked.',
		'history-lost': 'Only returning works now: records were lost. Staff should look at it.',
		'storage-low': 'This bank is running out of room for records. Staff should look at it.',
		'door-left-open': 'A door is still open. Push the door until it clicks.',
		'door-forced': 'A door was opened without permission.',
		'door-unexplained': 'A door stands open. Please push it until it clicks.',
	} satisfies Record<Notice, string>,

	/** What to do about a notice, where it can be done. */
	noticeNext: {
		startElse: 'Use your PIN or code.',
		tell: (phone: string) => `Please tell the help desk: ${unbroken(phone)}.`,
	},
}

/** "today 18:00", "tomorrow 09:00", "Friday 9 January, 18:00" in the site's time zone. */
export function when(at: number, view: Pick<KioskView, 'now' | 'bank'>): string {
	const { timeZone } = view.bank
	const clock = clockText(at, timeZone, language)
	const days = daysBetween(view.now, at, timeZone)
	if (days === 0) return `today ${clock}`
	if (days === 1) return `tomorrow ${clock}`
	if (days === -1) return `yesterday ${clock}`
	return `${dateText(at, timeZone, language)}, ${clock}`
}

/** "12 s", "2 min", "2 min 10 s". */
export function lasting(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000))
	if (seconds < 60) return `${seconds} s`
	const rest = seconds % 60
	return rest === 0 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 60)} min ${rest} s`
}

/** The sentence that is spoken and shown as a caption: the same words for both, never a code or a name (visual-language.md §9). */
export function said(view: KioskView): string {
	const { screen, layout } = view
	switch (screen.name) {
		case 'attract':
			return `${words.attract.title} ${words.attract.lead}`
		case 'pin':
			return screen.wrong ? words.pin.wrong : `${words.pin.title}. ${words.pin.lead(screen.length)}`
		case 'choose':
			return isAnyOffered(screen) ? words.choose.title : `${nothingOffered(screen)}. ${words.choose.ask(view.bank.helpPhone)}`
		case 'opening':
			return `${words.door.opening(screen.door.number)}. ${words.door.place(layout, screen.door.number)}`
		case 'open':
			return saidOpen(screen, layout)
		case 'not-opened':
			return `${words.notOpened.title(screen.door.number)}. ${words.notOpened.lead}`
		case 'no-change':
			return `${words.noChange.title[screen.act]}. ${words.noChange.lead[screen.act](screen.door.number)}`
		case 'confirm':
			return `${words.confirm.title[screen.act](screen.item)} ${words.confirm.lead}`
		case 'done':
			return screen.due === undefined
				? `${words.done[screen.act](screen.item)}.`
				: `${words.done[screen.act](screen.item)}. ${words.done.bringBack(when(screen.due, view))}`
		case 'denied': {
			const [title, next] = words.refused.reasons[screen.reason]
			return `${title}. ${next}`
		}
		case 'needs-help':
			return `${words.needsHelp.title[screen.why](screen.door.number)}. ${words.needsHelp.lead[screen.why]}`
		case 'bank-full':
			return `${words.bankFull.title}. ${words.bankFull.lead}`
		case 'out-of-service':
			return `${words.out.title}. ${words.out.why[screen.why]}`
		case 'help':
			return words.help.title
	}
}

export function isAnyOffered({ choices }: Named<'choose'>): boolean {
	return choices.some(({ denied }) => denied === undefined)
}

/** Nobody may be told to go on where nothing can be touched. */
export function nothingOffered({ choices }: Named<'choose'>): string {
	return choices.some(({ kind }) => kind !== 'borrow') ? words.choose.nothing.both : words.choose.nothing.take
}

/** The banners of a screen: none that says again, or less exactly, what the screen itself is about. */
export function noticesOn({ notices, screen, bank }: KioskView): readonly (readonly [Notice, string])[] {
	const told = (notice: Notice) =>
		screen.name === 'out-of-service'
			? notice === 'doors-lost' && screen.why === 'board-lost'
			: screen.name === 'open' && screen.level === 'alarm' && notice === 'door-left-open'
	return notices
		.filter((notice) => !told(notice))
		.map((notice) => {
			const next =
				notice === 'door-forced'
					? words.noticeNext.tell(bank.helpPhone)
					: notice === 'reader-lost' && screen.name === 'attract'
						? words.noticeNext.startElse
						: ''
			return [notice, `${words.notices[notice]} ${next}`.trim()]
		})
}

function saidOpen(screen: Named<'open'>, layout: BankLayout): string {
	const n = screen.door.number
	const place = words.door.place(layout, n)
	return screen.level === 'calm' ? `${words.door.open(n)}. ${place}` : `${words.door.stillOpen(n)}. ${place} ${words.door.pushNow}`
}

/** Door messages are always captioned and spoken; the others when a person asks to listen. */
export function isDoorMessage(screen: KioskScreen): boolean {
	return ['opening', 'open', 'not-opened', 'no-change', 'confirm', 'needs-help'].includes(screen.name)
}

function thing(item: Item | undefined): string {
	if (!item) return 'what is yours'
	return item.kind === 'laptop' ? `laptop ${item.tag} and its charger` : shortThing(item)
}

function shortThing(item: Item | undefined): string {
	if (!item) return 'it'
	return item.kind === 'laptop' ? `laptop ${item.tag}` : `${inSentence(kindName(item))} ${item.tag}`
}

/** "Hand scanner" starts small within an English sentence, "USB hub" does not. */
function inSentence(name: string): string {
	return /^[A-Z][a-z]/.test(name) ? name.slice(0, 1).toLowerCase() + name.slice(1) : name
}

/** A choice names the kind; which piece it will be is decided when the door is chosen. */
function kindName(item: Item): string {
	return item.name.replace(item.tag, '').trim() || item.name
}

/** A telephone number stays on one line. */
function unbroken(phone: string): string {
	return phone.replaceAll(' ', '\u00a0')
}

function count(n: number): string {
	return ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'][n] ?? String(n)
}

export type { Named }
