import { count } from './shell.ts'

/** Badges as readers and lists write them. */
export const badges = {
	read: 'Read at a kiosk',
	at: 'At which kiosk?',
	waiting: (bank: string) => `Hold the badge to the reader of ${bank}. Its screen asks for it, and nobody is identified by it.`,
	first: 'Choose the kiosk first.',
	asked: 'Asking the kiosk…',
	stop: 'Stop waiting',
	said: (bits: number, family: string, secure: boolean) =>
		`The reader (${family.toUpperCase()}${secure ? ', secured' : ', not secured'}) reported ${bits} bits.`,
	insecure: 'Its line to the controller is not secured, so what it says is worth little at a door.',
	late: 'It was read, but the number did not come through. Read it once more.',
	elsewhere: 'The same card elsewhere',
	elsewhereLead: 'How other readers and lists write it. Compare with what is printed on the card, or with the list that you have.',
	form: ({ notation, reversed, parity }: { readonly notation: keyof typeof NOTATIONS; readonly reversed: boolean; readonly parity: boolean }) =>
		[NOTATIONS[notation], reversed && 'low byte first', parity && 'with parity bits'].filter(Boolean).join(', '),
	why: {
		'kiosk-in-use': 'Somebody is at that kiosk. Try again in a moment.',
		'no-badge': 'No badge was held to the reader.',
		'badge-random-uid': 'This card shows a new number at every tap, so it names nobody. Another card is needed.',
		'badge-parity': 'The card was misread. Hold it there once more.',
		'badge-length': 'The reader reports a length that no badge has.',
		interrupted: 'The controller was started anew meanwhile. Try again.',
		'time-uncertain': 'The controller does not trust its clock, so it takes no orders now.',
		'kind-unknown': 'The controller there is older than this. Its software must be updated.',
		expired: 'The kiosk did not answer in time.',
	} as Readonly<Record<string, string>>,
	failed: (code: string) => `The kiosk refused: ${code.replaceAll('-', ' ')}.`,
}
const NOTATIONS = {
	decimal: 'Decimal',
	hex: 'Hexadecimal',
	pair: 'Facility and number',
	joined: 'Facility and number in one',
	number: 'Number without facility',
}

export const badgeList = {
	title: 'Badges from a list',
	lead: 'A list of the building’s access system becomes badges here: five cards show how it writes their numbers.',
	link: 'Badges from a list',
	list: '1. The list',
	file: 'A file of text (CSV)',
	paste: 'Or paste it here',
	pasteHint: 'A line for each badge: who, and its number. Separated by comma, semicolon or tab.',
	header: 'The first line names the columns',
	person: 'Column with the person',
	personHint: 'A person is an e-mail address, an id of ours, or the id of another system',
	number: 'Column with the number',
	column: (n: number, example: string) => (example ? `${n}: ${example}` : `${n}`),
	lines: (n: number) => (n === 1 ? '1 line' : `${count(n)} lines`),
	unread: 'This file could not be read.',
	skipped: (n: number, first: number) =>
		`${n === 1 ? '1 line has' : `${count(n)} lines have`} no person or no number, or far too long ones, and ${n === 1 ? 'is' : 'are'} left out; the first is line ${first}.`,
	tooMany: (n: number, most: number) =>
		`The list has ${count(n)} lines, and ${count(most)} go at a time. Divide it, and take one part after the other.`,
	cards: '2. Five cards',
	cardsLead: 'Take five cards that are in the list. Type each number as the list has it, then read the card, or type what a reader of ours reports.',
	listed: (n: number) => `Card ${n}, as in the list`,
	reading: (n: number) => `Card ${n}, as the reader reports it`,
	more: 'One more card',
	lacking: (n: number) => `Card ${n} lacks one of its two numbers.`,
	try: 'What would happen?',
	result: '3. What would happen',
	learned: (how: string, bits: number, facility: string | undefined) =>
		`The list is written so: ${how.toLowerCase()}, ${bits} bits${facility === undefined ? '' : `, facility ${facility} for all`}.`,
	undecided: (numbers: readonly string[]) => `These cards leave more than one way open. Read the card with the number ${numbers[0]} as well.`,
	would: (n: number, of: number) => `${n} of ${of} lines give somebody a badge.`,
	left: {
		unknownPerson: (n: number) => `${n} about nobody who is known here`,
		unreadable: (n: number) => `${n} with a number that is not written so`,
		taken: (n: number) => `${n} with a badge that somebody else has`,
		twice: (n: number) => `${n} with a number that is in the list more than once`,
		present: (n: number) => `${n} that their person has already`,
	},
	why: {
		'unknown-person': 'nobody is known by that',
		unreadable: 'not written so',
		taken: 'somebody else has it',
		twice: 'in the list more than once',
		present: 'has it already',
	} as Readonly<Record<string, string>>,
	line: 'Line',
	who: 'Who',
	what: 'Number',
	reason: 'Why not',
	import: (n: number) => (n === 1 ? 'Give 1 badge' : `Give ${n} badges`),
	done: (n: number) => (n === 1 ? '1 badge was given.' : `${n} badges were given.`),
	another: 'Another list',
}
