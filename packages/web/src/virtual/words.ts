import type { BankLayout, VirtualState } from '@latchwork/core/wire'
import { capital, placeWords } from '../ui/words.ts'

/** Every word of the virtual bank's page: a developer's bench, so plain nouns of the glossary and what each control does to the hardware. */
type Bank = VirtualState['banks'][number]
export type Compartment = Bank['compartments'][number]
export type Reader = Bank['reader']

export const words = {
	title: 'Virtual bank',
	openKiosk: 'Open the kiosk',
	kiosk: 'Kiosk page',
	starting: 'Waiting for the virtual bank…',
	lost: 'The virtual bank does not answer. This page connects again by itself.',
	lead: 'The hands of a person and the faults of the hardware. Nothing here touches the controller: it sees only bytes on its bus.',

	front: (name: string) => `${name}, front`,
	frontHelp: 'A pulse frees the latch and the door swings open by itself. Click a door, or with the drawing in focus:',
	/** Work only while a door of the drawing has the focus. */
	frontKeys: [
		['Arrows', 'another door'],
		['Enter', 'push it shut'],
		['T', 'take out, or put back what was taken last'],
		['F', 'force it open'],
	] as const,
	legend: { empty: 'Empty', item: 'Item inside', open: 'Open', fault: 'Fault set', pulses: 'Pulses on the bus' },
	empty: 'Empty',
	inside: (compartment: Compartment) => compartment.tag ?? 'Item',
	doorLabel: (bank: Bank, compartment: Compartment) =>
		[
			`Compartment ${compartment.number}`,
			compartment.door === 'open' ? 'door open' : 'door closed',
			compartment.item ? `${compartment.tag ?? 'an item'} inside` : 'empty',
			pulses(compartment.pulses),
			...(hasFault(compartment) ? ['fault set'] : []),
			...(boardFault(bank, compartment.board) ? [`board ${boardFault(bank, compartment.board)}`] : []),
		].join(', '),

	people: {
		title: 'People',
		help: 'Demo badges, PINs and one-time codes. A real bank never has such a list.',
		badge: 'Tap badge',
		pin: 'Type PIN',
		qr: (n: number, of: number) => (of === 1 ? 'Show QR' : `QR ${n} of ${of}`),
		other: 'Another badge',
		otherTap: 'Tap',
	},

	parcels: {
		title: 'Parcels',
		help: 'Staff drop off what is expected; the code or its QR picture collects it. A recipient gets these in a message.',
		expected: (tag: string) => `Expected, label ${tag}`,
		inside: (door: number) => `Behind door ${door}`,
		taken: 'Taken out',
		label: 'Scan label',
		code: 'Type code',
		qr: 'Show QR',
	},

	reader: {
		title: 'Reader, keypad, scanner',
		led: (led: Reader['led']) => (led === 'off' ? 'Light off' : `Light ${led}`),
		online: 'Online',
		offline: 'Offline',
		secure: 'Secure channel',
		plain: 'Not secure',
		tampered: 'Cover is off',
		keypad: 'Keypad of the reader',
		key: (key: string) => (key === '#' ? 'finish' : key === '*' ? 'clear' : key),
		scan: 'Text for the scanner',
		scanDo: 'Scan',
		unplug: 'Unplug the reader',
		cover: 'Take the cover off',
	},

	compartment: {
		none: 'Choose a door in the drawing',
		title: (n: number) => `Door ${n}`,
		place: (layout: BankLayout, n: number) => `${capital(placeWords(layout, n))}.`,
		choose: 'Another door',
		open: 'Open',
		closed: 'Closed',
		content: 'Content',
		pulses: 'Pulses',
		board: 'Board',
		shut: 'Push shut',
		force: 'Force open',
		itself: 'Let it open by itself',
		take: (tag: string | undefined) => (tag ? `Take ${tag}` : 'Take the item'),
		putTag: (tag: string) => `Put ${tag} in`,
		putUntagged: 'Put in something without a tag',
		put: 'Put in',
		tag: 'Tag',
		onlyOpen: 'Items move only through an open door.',
		faults: (n: number) => `Faults of door ${n}`,
		stuck: 'Lock is stuck',
		late: 'Opens late by',
		lateOptions: [
			[0, 'at once'],
			[500, '0.5 s'],
			[2000, '2 s'],
			[5000, '5 s'],
			[12_000, '12 s'],
		] as const,
		sensor: 'Latch sensor',
		sensors: [
			['', 'tells the truth'],
			['stuckClosed', 'stuck at closed'],
			['stuckOpen', 'stuck at open'],
			['inverted', 'inverted'],
			['flapping', 'flapping'],
		] as const,
	},

	boards: {
		title: 'Lock boards',
		board: (n: number) => `Board ${n}`,
		silent: 'Silent',
		echo: 'Echo',
		corrupt: 'Changed bytes',
		rates: [
			[0, 'none'],
			[0.02, '2 %'],
			[0.1, '10 %'],
			[0.5, '50 %'],
		] as const,
		direction: 'Direction',
		directions: [
			['both', 'both ways'],
			['answers', 'answers'],
			['commands', 'commands'],
		] as const,
		delay: 'Answers later by',
		delays: [
			[0, '0 s'],
			[200, '0.2 s'],
			[1000, '1 s'],
			[5000, '5 s'],
		] as const,
		clear: 'Clear all faults',
	},

	clock: {
		title: 'Clock of the site',
		steps: [
			[30, '+30 s'],
			[120, '+2 min'],
			[300, '+5 min'],
			[3600, '+1 h'],
			[86_400, '+1 day'],
			[259_200, '+3 days'],
		] as const,
		text: (ms: number) => new Date(ms).toISOString().replace('T', ' ').slice(0, 19),
		zone: 'UTC',
	},

	refused: (why: string) => `Refused: ${why}`,
	unreachable: 'The virtual bank did not answer. Nothing was changed.',
}

export function pulses(n: number): string {
	return n === 1 ? '1 pulse' : `${n} pulses`
}

/** What ails a lock board, in a word; undefined when it is well. */
export function boardFault(bank: Bank, number: number): string | undefined {
	const { silent, corrupt, echo, answerDelayMs } = bank.boards.find(({ board }) => board === number)?.faults ?? {}
	if (silent) return 'silent'
	if (corrupt) return 'with changed bytes'
	if (echo) return 'echoing'
	return answerDelayMs ? 'late' : undefined
}

/** What ails the reader, as short as fits on its drawing. */
export function readerFault({ online, tamper }: Reader): string | undefined {
	if (!online) return words.reader.offline
	return tamper ? words.reader.tampered : undefined
}

export function hasFault({ faults }: Compartment): boolean {
	return Boolean(faults.stuckLock || faults.lateOpenMs || faults.sensor)
}
