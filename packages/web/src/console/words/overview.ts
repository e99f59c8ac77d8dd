import type { BankSpace, Overview, StandingDoor, Task } from '../shapes.ts'
import { heldBack } from './banks.ts'
import { count, numberWord, span } from './shell.ts'

export const overview = {
	title: (n: number) => (n === 0 ? 'Nothing needs a person' : n === 1 ? 'One thing needs a person' : `${numberWord(n)} things need a person`),
	/** `silent`: banks that are not heard just now, which is not yet an outage. */
	lead: (n: number, silent: number) =>
		silent > 0
			? `${silent === 1 ? 'One bank is' : `${numberWord(silent)} banks are`} silent just now.`
			: n === 0
				? 'Everything is running.'
				: 'Everything else is running.',
	size: (sites: number, banks: number, compartments: number) =>
		`${sites === 1 ? '1 site' : `${sites} sites`} · ${banks === 1 ? '1 bank' : `${banks} banks`} · ${count(compartments)} compartments`,
	numbers: 'Today in numbers',
	free: 'Free compartments',
	freeOf: (all: number) => `of ${count(all)}`,
	freeNote: (toCheck: number, unknown: number) =>
		[...(toCheck > 0 ? [`${count(toCheck)} must be checked first`] : []), ...(unknown > 0 ? [`${count(unknown)} cannot be seen`] : [])].join(', ') ||
		'None waits to be checked',
	doors: 'Door sessions today',
	doorsNote: 'Doors that opened since midnight at their site',
	overdue: 'Overdue loans',
	overdueNote: (cases: number) => (cases === 1 ? '1 case is open' : `${count(cases)} cases are open`),
	full: 'Banks nearly full',
	fullNote: (names: readonly string[]) => (names.length === 0 ? 'Every bank has space' : names.join(', ')),
	outages: 'Banks offline',
	outagesNote: (raw: number, confirmed: number) =>
		confirmed > 0 ? `${confirmed} confirmed, ${raw} raw` : raw > 0 ? `${raw} raw, none confirmed` : 'All that were connected are heard',
	/** In place of it where banks are heard and parts of them are not. */
	partsNote: (parts: string) => `All are heard, but ${parts}`,
	needs: 'Needs a person',
	more: (n: number) => `${count(n)} more are waiting. The oldest are shown.`,
	calm: 'Nothing waits for you.',
	calmNote: 'When a door stays open, a bank or a part of it is away, or two records do not agree, it stands here.',
	settled: (n: number) => `Settled at the banks in 24 hours: ${count(n)}`,
	settledNote: 'A door was shut after all, a thing came back, somebody looked: the bank said so, and nobody had to here.',
	sites: 'Sites',
	/** The worst last. */
	siteState: { running: 'running', unheard: 'never heard', full: 'nearly full', trouble: 'needs a look', offline: 'offline' },
	siteBanks: (banks: number) => (banks === 1 ? '1 bank' : `${count(banks)} banks`),
	lanes: 'Outages, 24 hours',
	lanesNone: 'Every bank was heard all the time.',
	lanesNoneNote: 'A bank that is silent for a while is drawn here: raw at first, confirmed after 10 minutes.',
	lanesRaw: 'raw',
	lanesConfirmed: 'confirmed',
	laneSaid: (confirmed: boolean, from: string, to: string | undefined) =>
		`${confirmed ? 'Confirmed' : 'Raw'} outage from ${from} ${to === undefined ? 'until now' : `to ${to}`}.`,
	lanesNow: 'now',
	lanesMore: (n: number) => (n === 1 ? 'The other bank was heard all the time.' : `The other ${count(n)} banks were heard all the time.`),
	space: 'Space left',
	allBanks: 'All banks',
	bank: 'Bank',
	freeWord: (free: number, all: number) => `${count(free)} free of ${count(all)}`,
	nearlyFull: 'nearly full',
	unheard: 'never heard',
	perHour: 'Door sessions per hour',
	perHourClocks: 'Each site’s hours by its own clock.',
	perHourSaid: (hours: readonly number[]) => {
		const most = Math.max(...hours)
		const at = hours.indexOf(most)
		return `Door sessions per hour today. Busiest so far ${hour(at)} to ${hour(at + 1)} with ${count(most)}.`
	},
	perHourEmpty: 'No door has opened today. Each one that opens is counted here.',
	hour: 'Hour',
	doorsColumn: 'Door sessions',
	asTable: 'Table',
	asChart: 'Chart',
	noBanks: 'There is no bank yet.',
	noBanksNote: 'Add a site, a bank and its controller with the API. The guide “Connect a real controller” shows how.',
	bankAway: (name: string) => `${name} is offline`,
	bankAwayNote: (confirmed: boolean, ms: number) =>
		confirmed
			? `Confirmed, for ${span(ms)}. The bank still decides by itself; what it does is recorded when it comes back.`
			: `Raw, for ${span(ms)}. It is confirmed after 10 min of silence.`,
	approval: (door: number, bank: string) => `Door ${door}, ${bank}: a second person has to agree`,
	approvalNote: 'wants to open it, and something lies there:',
	approvalOwn: 'You asked for it yourself: somebody else has to agree.',
	agree: 'Agree',
	disagree: 'Refuse',
	until: (time: string) => `Until ${time}.`,
	seeBank: 'See the bank',
	seeDoor: 'See the door',
	seeCase: 'See the case',
	done: 'Done…',
	waiting: (ms: number) => `Waiting for ${span(ms)}.`,
}
export const hour = (n: number): string => String(n % 24).padStart(2, '0')

interface Doing {
	readonly title: (where: string) => string
	readonly text: string
}

/** What a person must do, by the code of the task. */
const TASKS: Readonly<Record<string, Doing>> = {
	'check-compartment': {
		title: (where) => `${where}: look inside`,
		text: 'The bank cannot prove what is in it. It gives it to nobody until somebody has looked.',
	},
	'check-compartment/forced': {
		title: (where) => `${where} was forced open`,
		text: 'It opened and nobody had been let in. See whether something was taken or broken. If it stands open, push it shut.',
	},
	'check-compartment/opened-while-down': {
		title: (where) => `${where} was open after the controller had been off`,
		text: 'Nobody knows who opened it. See what is in it. If it stands open, push it shut.',
	},
	'check-compartment/opened-late': {
		title: (where) => `${where} opened too late`,
		text: 'It opened when the lock should have held again, so nobody knows who was at it. See what is in it.',
	},
	'check-compartment/stuck': {
		title: (where) => `${where} is stuck`,
		text: 'The lock was pulsed and the door did not move. See what blocks it; it is given to nobody until then.',
	},
	'check-compartment/found-empty': {
		title: (where) => `${where} was empty`,
		text: 'Somebody came for what should lie there, and it did not. Find out who has it.',
	},
	'check-compartment/found-occupied': {
		title: (where) => `${where}: something was inside`,
		text: 'It should have been empty. See what it is and whose.',
	},
	'check-compartment/content-changed-while-closed': {
		title: (where) => `${where}: the content changed behind a shut door`,
		text: 'See whether the back of the cabinet was opened. If not, the sensor in the compartment is faulty.',
	},
	'check-compartment/board-lost-while-open': {
		title: (where) => `${where} was open when its lock board fell silent`,
		text: 'Nobody knows whether it is shut. Look, and push it shut.',
	},
	'close-door': { title: (where) => `${where} stands open`, text: 'Push the door shut until it clicks.' },
	'wrong-item': { title: (where) => `${where}: something else was inside`, text: 'What lies there is not what was expected. It is kept apart.' },
	'missing-item': { title: (where) => `${where}: the item is missing`, text: 'It should lie there and does not. Find out who has it.' },
	ambiguous: {
		title: (where) => `${where}: nobody can prove what happened`,
		text: 'The door opened and the sensors do not agree. Look, and say what is there.',
	},
	pull: { title: (where) => `${where}: take the parcel out`, text: 'Its time has run out, or it was called back.' },
	'deemed-lost': { title: (where) => `${where}: a loan counts as lost`, text: 'It did not come back in time. Speak to the borrower.' },
	'after-revocation': {
		title: (where) => `${where}: opened after the rights were gone`,
		text: 'The bank had not heard yet that the person or the badge was blocked. What was taken stands. See to it that it comes back.',
	},
	'collected-after-recall': {
		title: (where) => `${where}: collected after it was recalled`,
		text: 'The bank was cut off and had not heard of it. The recipient has it. Tell whoever recalled it, and arrange with the recipient what is to become of it.',
	},
	'badge-at-two-sites': {
		title: (where) => `${where}: a badge that was at another site just before`,
		text: 'Nobody is that fast, so one of the two badges is a copy. Ask its holder, revoke the badge, and give another one.',
	},
	'lost-badge-shown': {
		title: (where) => `${where}: somebody showed a badge that is reported lost`,
		text: 'It has been found, or stolen. Nothing opened where it was refused; where the bank had not heard of the loss yet, see the events. Look who is there, and take the badge.',
	},
	'unknown-code-used': {
		title: (where) => `${where}: a one-time code that nobody was given`,
		text: 'Somebody has the keys of this bank and makes codes by themselves. Look at its box. If it was opened or its disk copied, revoke the controller as gone, which ends its keys.',
	},
	'break-glass': {
		title: (where) => `${where}: somebody opens doors alone, in an emergency`,
		text: 'It is on record who, why and until when. Somebody else looks into it afterwards: was it needed, and what was opened?',
	},
	'over-limit': {
		title: (where) => `${where}: more on loan than allowed`,
		text: 'Two banks that did not know of each other lent to one person. The loan stands. Ask for one back, or allow it.',
	},
	conflict: { title: (where) => `${where}: two truths`, text: 'What the bank did and what was known here do not agree. A person has to choose.' },
	'unknown-table': { title: (where) => `${where}: a workflow is not known here`, text: 'The bank runs a version that this server never gave out.' },
	'unknown-case': { title: (where) => `${where}: a case is not known here`, text: 'The bank speaks of a case that this server does not have.' },
	'foreign-record': {
		title: (where) => `${where}: one bank spoke of what is another’s`,
		text: 'A controller recorded something about a case, a door or a thing of another bank. It changed nothing. Look at both banks: no controller does that by itself.',
	},
	'custody-gap': {
		title: (where) => `${where}: who had a thing is not clear`,
		text: 'The bank passed it on from somebody who, as known here, did not have it. A record is missing or came late. Look where it is, and ask.',
	},
	'event-unapplied': {
		title: (where) => `${where}: a record could not be used`,
		text: 'It is kept and proven like all others, and nothing here followed from it. See what the bank did, and set right what it concerns.',
	},
	'unreadable-step': { title: (where) => `${where}: a record cannot be read`, text: 'The bank’s record of a case does not say what it should.' },
}
/** By what must be done, and for some of it by why. */
export const taskWords = ({ kind, detail }: Pick<Task, 'kind' | 'detail'>): Doing =>
	TASKS[`${kind}/${String(detail.why)}`] ??
	TASKS[kind] ?? { title: (where) => `${where}: ${kind.replaceAll('-', ' ')}`, text: 'A person has to look.' }

const DOORS: Readonly<Record<StandingDoor['alarm'], (where: string, open: boolean) => string>> = {
	forced: (where, open) => (open ? `${where} was forced and stands open` : `${where} was forced`),
	'opened-while-down': (where, open) =>
		open ? `${where} stands open, and nobody knows since when` : `${where} was opened while the controller was off`,
	'opened-late': (where) => `${where} opened too late and stands open`,
	'left-open': (where) => `${where} stands open`,
	stuck: (where) => `${where} is stuck`,
}
/** A door that no task speaks of, or no longer: saying that it is done did not make it so. */
export const standing = (one: Pick<StandingDoor, 'door' | 'bankName' | 'alarm' | 'open'>) => ({
	title: DOORS[one.alarm](`Door ${one.door}, ${one.bankName}`, one.open),
	text: one.open ? 'Push the door shut until it clicks, and see what is in it.' : heldBack,
})

const amount = (n: number, one: string, many: string) => (n === 1 ? `1 ${one}` : `${count(n)} ${many}`)

/** "2 lock boards and 1 reader do not answer", or nothing. */
export function silentParts(boards: number, readers: number): string | undefined {
	if (boards + readers === 0) return undefined
	const parts = [...(boards > 0 ? [amount(boards, 'lock board', 'lock boards')] : []), ...(readers > 0 ? [amount(readers, 'reader', 'readers')] : [])]
	return `${parts.join(' and ')} ${boards + readers === 1 ? 'does' : 'do'} not answer`
}

export interface Trouble {
	readonly kind: 'parts' | 'tampered' | 'history-lost' | 'storage-low'
	readonly title: string
	readonly text: string
}
/** What is wrong with a bank that is heard: of one that is away nobody knows, and its outage is told. */
export function troublesOf(bank: BankSpace): readonly Trouble[] {
	if (bank.seenAt === undefined || bank.outage === 'confirmed') return []
	const { name, silentBoards, silentReaders, unknown } = bank
	const silent = silentParts(silentBoards.length, silentReaders.length)
	const unseen = amount(unknown, 'door', 'doors')
	const found: Trouble[] = []
	if (bank.noBoards && unknown > 0)
		found.push({
			kind: 'parts',
			title: `${name}: ${unseen} cannot be seen${silent === undefined ? '' : `, and ${silent}`}`,
			text: 'Its controller has not told of any lock board. See whether the boards have power and the bus is connected.',
		})
	else if (silent !== undefined)
		found.push({
			kind: 'parts',
			title: `${name}: ${silent}`,
			text: `${unknown > 0 ? `${unseen} cannot be seen, and none of them opens. ` : ''}See whether power and cable are in place: ${[...silentBoards.map((board) => `board ${board}`), ...silentReaders.map((reader) => `reader ${reader}`)].slice(0, 4).join(', ')}${silentBoards.length + silentReaders.length > 4 ? ' and more' : ''}.`,
		})
	if (bank.tampered)
		found.push({ kind: 'tampered', title: `${name}: the cabinet reports tampering`, text: 'A cover is open or a reader was moved. Go and look.' })
	if (bank.historyLost)
		found.push({
			kind: 'history-lost',
			title: `${name} lost part of its history`,
			text: 'What lies in its doors is not proven any more. Each must be looked into at the bank.',
		})
	if (bank.storage === 'low')
		found.push({
			kind: 'storage-low',
			title: `${name}: the controller’s disk is nearly full`,
			text: 'When it is full the bank opens nothing any more.',
		})
	return found
}

/** What the overview's title counts: tasks, doors that no task speaks of, banks that are away, and what is wrong with the others. */
export const needing = ({ counts, banks, approvals }: Pick<Overview, 'counts' | 'banks' | 'approvals'>): number =>
	counts.tasks + counts.doors + approvals.length + banks.reduce((sum, bank) => sum + (bank.outage === 'confirmed' ? 1 : troublesOf(bank).length), 0)

export const completion = {
	/** `about`: the task as the list calls it. */
	lead: (about: string) => `${about}. What you choose is recorded with your name.`,
	title: 'Say that it is done',
	how: 'How was it settled?',
	ways: [
		['checked-and-in-order', 'I looked. All is in order.'],
		['item-taken-out', 'I took the item out.'],
		['item-put-back', 'I put the item where it belongs.'],
		['door-closed', 'I closed the door.'],
		['settled-with-the-person', 'I settled it with the person.'],
		['nothing-to-do', 'There was nothing to do.'],
	] as const,
	submit: 'Record it',
}
