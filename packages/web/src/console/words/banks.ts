import { type DoorState, doorState } from '../door-state.ts'
import type { BankLive, Command, DoorLive, MapDoor } from '../shapes.ts'
import { count, span } from './shell.ts'

export const banks = {
	title: 'Banks',
	lead: (n: number) => (n === 1 ? '1 bank' : `${count(n)} banks`),
	site: 'Site',
	bank: 'Bank',
	state: 'State',
	space: 'Space',
	open: 'Open doors',
	heard: 'Heard',
	never: 'Never',
	ago: (ms: number) => `${span(ms)} ago`,
	empty: 'There is no bank yet.',
	emptyNote: 'Banks are added with the API: a site, a bank with its drawing, a controller.',
}

export const bank = {
	compartments: (n: number, modules: number) => `${count(n)} compartments, ${modules === 1 ? '1 module' : `${modules} modules`}`,
	heard: (ms: number) => `heard ${span(ms)} ago`,
	neverHeard: 'never heard',
	view: 'View',
	drawing: 'Drawing',
	list: 'List',
	legend: 'Show or fade states',
	drawingOf: 'Drawing of the bank',
	front: (name: string) => `${name}, front`,
	keys: 'Arrow keys move between doors.',
	keyOpen: 'open with a reason',
	keyList: 'list',
	keyDrawing: 'drawing',
	chooseDoor: 'Choose a door to see what is in it, whose it is, and what happened there.',
	number: 'Door',
	size: 'Size',
	place: 'Where',
	since: 'Since',
	content: 'Inside',
	noneShown: 'Every state is switched off. Switch one on above.',
	hardware: (live: BankLive): readonly string[] => [
		...live.boards.filter(({ up }) => !up).map(({ name }) => `Lock board ${name} does not answer`),
		...live.readers.filter(({ up }) => !up).map(({ name }) => `Reader ${name} does not answer`),
		...(live.tampered ? ['The cabinet reports tampering'] : []),
		...(live.historyLost ? ['The controller lost part of its history'] : []),
		...(live.storage === 'low' ? ['The controller’s disk is nearly full'] : []),
		...(live.clock === 'uncertain' ? ['The controller is not sure of the time'] : []),
	],
}

export const STATES: Readonly<Record<DoorState, string>> = {
	available: 'Free',
	reserved: 'Reserved',
	'in-use': 'In use',
	occupied: 'Occupied',
	'to-check': 'To check',
	'out-of-use': 'Out of use',
	quarantined: 'Quarantine',
	open: 'Open',
	alarm: 'Forced, stuck',
	unknown: 'Unknown',
}
export const SIZES: Readonly<Record<string, string>> = { S: 'Small', M: 'Medium', L: 'Large', XL: 'Extra large' }

const ALARMS: Readonly<Record<NonNullable<DoorLive['alarm']>, string>> = {
	forced: 'Forced',
	'opened-while-down': 'Opened while the controller was off',
	'opened-late': 'Opened late',
	'left-open': 'Left open',
	stuck: 'Stuck',
}

/** The state that is drawn, in a word; of an alarm which one it is, and whether the door stands open. */
export function stateWord(door: Pick<MapDoor, 'service' | 'live'>): string {
	const state = doorState(door)
	const { alarm, door: shown } = door.live
	if (state !== 'alarm' || !alarm) return STATES[state]
	return `${alarm === 'opened-while-down' ? 'Opened while off' : ALARMS[alarm]}${shown === 'open' ? ', open' : ''}`
}

/** The fact of the door, with how long where that matters. */
export function doorWords({ live }: MapDoor, now: number): string {
	const since = span(now - Date.parse(live.since))
	if (live.alarm === 'forced' || live.alarm === 'stuck' || live.alarm === 'opened-while-down')
		return `${ALARMS[live.alarm]}${live.door === 'open' ? `, open for ${since}` : ''}`
	if (live.session?.state === 'releasing' && live.door !== 'open') return 'Opening…'
	if (live.door === 'open') return `Open for ${since}`
	if (live.session?.state === 'closed') return 'Closed, checking…'
	return live.door === 'closed' ? 'Closed' : 'Unknown'
}

/** Why the bank gives a compartment to nobody, by the code of its record. */
const WHY: Readonly<Record<string, string>> = {
	ambiguous: 'Nobody can prove what happened at the last door session.',
	'content-changed': 'The content changed while the door was closed.',
	'content-changed-while-closed': 'The content changed while the door was closed.',
	'never-seen': 'The bank has not said what is in it.',
	forced: 'It opened and nobody had been let in.',
	'opened-while-down': 'It was opened while the controller was off.',
	'opened-late': 'It opened when the lock should have held again.',
	stuck: 'The lock was pulsed more than once, and the door did not move.',
	'found-empty': 'Something should lie in it, and the sensor sees nothing.',
	'found-occupied': 'It should be empty, and the sensor sees something.',
	'left-open': 'It stood open so long that anybody could have been at it.',
	'evidence-below-need': 'No sensor proved what was put in or taken out.',
	'board-lost-while-open': 'It stood open when its lock board fell silent.',
	'another-door-opened': 'Another door opened when this one should have.',
	'history-lost': 'The bank lost its records of what lies here.',
	unanswered: 'Nobody said whether the door had opened.',
}
export const whyWords = (why: string): string => WHY[why] ?? `The bank says: ${why.replaceAll('-', ' ')}.`

/** What ends a hold of the bank: only somebody who stands there can say what is in it. */
export const heldBack = 'The bank keeps it back until somebody at the bank has looked and said what is in it.'

export const panel = {
	held: 'Held by the bank',
	heldLook: 'Go to the bank and look behind the door.',
	/** The console has no right to say what is in a door that it does not see. */
	heldSay: 'Say what is there at the machine in the cabinet: nothing, or the tag of what lies inside.',
	heldCommand: (n: number) => `latchwork edge settle ${n} nothing`,
	heldThen: 'The bank gives it out again by itself.',
	door: (n: number) => `Door ${n}`,
	bankLine: (size: string, place: string) => `${size} · ${place}`,
	layers: { door: 'Door', compartment: 'Compartment', case: 'Case' },
	noCase: 'None',
	sensorUnreliable: 'The sensor of this door is not reliable.',
	content: 'Content',
	empty: 'Empty',
	item: 'Something is inside',
	unknown: 'Not known',
	lastKnown: (tag: string) => `Not known. Last known: ${tag}`,
	actions: 'Actions',
	open: 'Open…',
	outOfUse: 'Out of use…',
	backInUse: 'Back in use',
	openNote: 'Opening a door never changes the case. You choose that afterwards, with a reason.',
	offlineNote: 'The bank is not connected, so nothing can be opened from here. At the bank itself all goes on.',
	history: 'History',
	allHistory: 'All of this bank',
	noHistory: 'Nothing was recorded of this door lately.',
	id: 'Id, for the installer',
	close: 'Close the panel',
	reachable: 'in reach of a wheelchair',
}

export const opening = {
	title: (n: number, bank: string) => `Open door ${n}, ${bank}`,
	lead: 'The lock is pulsed once. Your name and the reason are recorded.',
	reason: 'Why do you open it?',
	reasons: [
		['person-at-the-door', 'Somebody stands at the door and cannot open it.'],
		['check-content', 'I want to see what is inside.'],
		['take-out', 'I take something out.'],
		['put-in', 'I put something in.'],
		['repair', 'The door or the lock is repaired.'],
	] as const,
	submit: 'Open the door',
	steps: { requested: 'Asked for', sent: 'Sent to the bank', accepted: 'The bank pulsed the lock', done: 'The door session ended' } as const,
	done: (end: string | undefined) => `Done${end ? `: ${(ENDS[end] ?? end.replaceAll('-', ' ')).toLowerCase()}` : ''}.`,
	refused: (code: string | undefined) => `The bank refused: ${code ? code.replaceAll('-', ' ') : 'it gave no reason'}. No lock was pulsed.`,
	failed: (end: string | undefined, code: string | undefined) =>
		FAILED[end ?? ''] ?? `It did not work${code ? `: ${code.replaceAll('-', ' ')}` : ''}. Nobody knows whether the lock moved; look at the door.`,
	expired: 'The bank did not answer in time. The order has run out and will not open the door later.',
	waiting: 'Waiting for the bank…',
	approval:
		'Something lies behind this door, so a second person has to agree. Anybody else who may open doors here sees it on the overview, for ten minutes.',
	phone: {
		title: 'The owner is on the phone',
		lead: 'Somebody who stands at the bank starts there as always (badge, PIN or code) and touches Help: it shows them six digits. Only they and the server know them.',
		readBack: 'Number from the kiosk',
		elseLead:
			'Or ask for two of these. What you could have looked up yourself does not count: it would prove that you know it, and nothing about them.',
		facts: [
			['code', 'Pick-up code', 'unless you were shown it'],
			['phone', 'Last four digits of their phone number', undefined],
			['email', 'E-mail address', undefined],
		] as const,
		told: 'You do not see whether one of them is right, and the owner gets a notice that the door was opened.',
		none: 'Ask for the number from the kiosk, or for two facts at least.',
		submit: 'Check, and open',
		wrong: (left: number) =>
			left === 0
				? 'That does not fit. Somebody else of staff has to agree now.'
				: `That does not fit. ${left === 1 ? 'One more try' : `${left} more tries`}, then somebody else of staff has to agree.`,
	},
	emergency: {
		title: 'In an emergency',
		lead: 'For fifteen minutes you open occupied compartments of this bank alone. It is on record first, everybody who works here sees it, owners are told of each door, and somebody else reviews it.',
		reason: 'What happened?',
		reasons: [
			['danger-to-people', 'People are in danger.'],
			['fire-or-water', 'There is fire or water.'],
			['somebody-locked-in', 'A person or an animal is locked in.'],
			['theft-in-progress', 'Something is being stolen.'],
			['medicine-needed', 'Medicine or a device is needed at once.'],
		] as const,
		minutes: 15,
		submit: 'Break the glass, and open',
	},
	notApproved: 'The second person did not agree. The bank was not asked.',
	pulsed: 'The bank has pulsed the lock. The door has not been seen to open yet.',
	opened: 'The door is open. Push it shut when you are done.',
	recorded: 'Recorded as',
}
const ENDS: Readonly<Record<string, string>> = {
	committed: 'Opened, and shut again',
	'no-change': 'Nothing changed inside',
}
/** Ends of a door session that are none of what was wanted: what the bank knows, and what follows. */
const FAILED: Readonly<Record<string, string>> = {
	'not-opened': 'The door did not open. The lock was pulsed, and the door did not move. See what blocks it.',
	ambiguous: 'Nobody can prove what happened at the door. Look at it, and see what is in it.',
	failed: 'The lock board did not carry out the order. Look at the door.',
}
export const isOver = ({ state }: Command): boolean => state === 'done' || state === 'refused' || state === 'failed' || state === 'expired'

/** How far an order is known to have come. A door session begins with the pulse, so whatever ended one was carried out. */
export function reached({ state, doorSession, end }: Command): 'requested' | 'sent' | 'accepted' | 'done' {
	if (state === 'done' || end !== undefined) return 'done'
	if (doorSession !== undefined || state === 'accepted') return 'accepted'
	return state === 'requested' || state === 'expired' || state === 'awaiting-approval' ? 'requested' : 'sent'
}

/** Where an order stands. That the door is open is said when the bank has seen it, and not because its lock was pulsed. */
export function openingWords({ state, code, end }: Command, door: DoorLive['door']): string {
	if (state === 'done') return opening.done(end)
	if (state === 'awaiting-approval') return opening.approval
	if (state === 'refused') return code === 'not-approved' ? opening.notApproved : opening.refused(code)
	if (state === 'failed') return opening.failed(end, code)
	if (state === 'expired') return opening.expired
	return state === 'accepted' ? (door === 'open' ? opening.opened : opening.pulsed) : opening.waiting
}

export const outOfUse = {
	title: (n: number) => `Take door ${n} out of use`,
	lead: 'The bank gives it to nobody until somebody puts it back in use. What lies in it stays there.',
	reason: 'Why?',
	reasons: [
		['broken', 'The door, the lock or the sensor is broken.'],
		['dirty', 'It must be cleaned.'],
		['kept-free', 'It is kept free for something else.'],
		['misused', 'It was misused.'],
	] as const,
	submit: 'Take out of use',
	is: (reason: string) => `Out of use: ${reason.replaceAll('-', ' ')}.`,
}

export const controllers = {
	title: 'Controllers',
	name: 'Name',
	state: 'State',
	software: 'Software',
	storage: 'Key of the site',
	certificate: 'Certificate',
	actions: 'Actions',
	until: (time: string) => `until ${time}`,
	none: 'This bank has no controller yet.',
	noneNote: 'Add one, make a claim token, and start the machine with it.',
	waiting: 'Waits for its machine',
	connected: 'Connected',
	away: 'Not connected',
	revoked: 'Revoked',
	add: 'Add a controller…',
	addTitle: 'Add a controller',
	addLead: 'It is the computer at the bank. A claim token lets its machine in.',
	addSubmit: 'Add it',
	claim: 'Claim token…',
	claimTitle: (name: string) => `Claim token for ${name}`,
	claimLead: (enrolled: boolean) =>
		enrolled
			? 'A machine works as this controller already. The token lets another one take its place: the present one is shut out.'
			: 'It lets one machine in, within 15 minutes. An older token works no more.',
	claimSubmit: 'Make a token',
	code: 'Claim code…',
	codeTitle: (name: string) => `Claim code for ${name}`,
	codeLead:
		'For the machine that works as this controller, when it slept so long that it is let in no more. Its records and keys stay. An older claim works no more.',
	codeSubmit: 'Make a code',
	codeIs: 'The claim code',
	codeHow: 'At its kiosk: touch Help, then For staff: type a claim code. No other machine can use it.',
	claimIs: 'The claim token',
	claimOnce: (until: string) => `It is shown this once and works until ${until}.`,
	/** Everybody on a machine can read its command lines, so the token goes into a file. */
	claimHow: (server: string) =>
		`umask 077; cat > claim.txt    # paste the token, then Ctrl-D\nlatchwork edge --server ${server} --claim-file claim.txt --config wiring.json`,
	revoke: 'Revoke…',
	revokeTitle: (name: string) => `Revoke ${name}`,
	revokeLead: 'Its certificate counts no more, and its bank is free for another controller. What it did stays on record.',
	revokeSubmit: 'Revoke it',
	revokeKind: 'What happened?',
	revokeReplaced: 'It is taken out of use, and its disk stays in our hands.',
	revokeLost: 'The box is gone: stolen, lost, or in other hands.',
	revokeLostNote: 'The site gets another key at once: badges go on, PINs of the site end, and pick-up codes of this bank are drawn anew.',
	lostTitle: (name: string) => `${name} is out`,
	lostSays: (pins: number, codes: number) =>
		`The site has another key. ${pins === 1 ? '1 PIN has' : `${pins} PINs have`} ended: give new ones where they are needed. ${codes === 1 ? '1 pick-up code was' : `${codes} pick-up codes were`} drawn anew: their recipients get a notice.`,
	lostNext:
		'Add a controller and enrol the box that takes its place. Badges at the other banks of the site go on, as soon as these have heard of it.',
}
