import type { KeyAtBank } from '../shapes.ts'
import { span } from './shell.ts'

type Level = 'L0' | 'L1'

const pins = (n: number) => (n === 1 ? '1 PIN' : `${n} PINs`)
const oneBank = (n: number) => (n === 1 ? '1 bank' : `${n} banks`)
/** "B", "B and C", "B, C and 4 others" */
function named(banks: readonly KeyAtBank[]): string {
	const names = banks.map(({ name }) => name)
	if (names.length > 3) return `${names.slice(0, 2).join(', ')} and ${names.length - 2} others`
	return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? '')
}

export const site = {
	/** The finding: whether its present key has arrived everywhere. */
	lead(banks: readonly KeyAtBank[]): string {
		const machines = banks.filter(({ state }) => state !== 'none')
		const waiting = machines.filter(({ state }) => state === 'waits')
		if (machines.length === 0) return 'No bank of the site has a controller yet.'
		if (waiting.length === 0) return machines.length === 1 ? 'Its bank has the present key.' : `All ${machines.length} banks have its present key.`
		return `${machines.length - waiting.length} of ${oneBank(machines.length)} ${machines.length === 1 ? 'has' : 'have'} its present key. Waiting for ${named(waiting)}.`
	},
	keyOf: (name: string) => `Key of ${name}`,
	key: 'Key of the site',
	keyWhat: 'Banks know badges, PINs and codes by this key. People never see it.',
	since: (time: string) => `The present one is in use since ${time}.`,
	none: 'There is no bank at this site yet.',
	noneNote: 'The key is made with the first bank or PIN that needs it.',
	bank: 'Bank',
	present: 'Present key',
	kept: 'Where it keeps it',
	heard: 'Heard',
	has: 'Has it',
	waits: 'Not yet',
	waitsAway: 'It is away, and goes on by the key before until it is back.',
	noMachine: 'No machine',
	never: 'Never',
	now: 'Now',
	ago: (ms: number) => `${span(ms)} ago`,
	levels: { L0: 'On its disk (L0)', L1: 'In memory (L1)' } satisfies Record<Level, string>,
	unsaid: 'It has not said',

	rotate: 'Give it another key…',
	rotateTitle: (name: string) => `Another key for ${name}`,
	rotateLead:
		'For when the present one may be in other hands. Whoever has it can do nothing with it any more, as soon as the banks have the new one.',
	rotateGoesOn: 'Badges and pick-up codes go on. Nobody enrols again.',
	rotatePins: (n: number) =>
		n === 0
			? 'No PIN lives at this site, so none ends.'
			: `${pins(n)} of this site ${n === 1 ? 'ends' : 'end'}. Give new ones where they are needed.`,
	rotateBanks: (away: readonly KeyAtBank[]) =>
		away.length === 0
			? 'The banks are connected and get it within seconds.'
			: `Banks that are connected get it within seconds. ${named(away)} ${away.length === 1 ? 'is' : 'are'} away, and ${away.length === 1 ? 'goes' : 'go'} on by the present key until back.`,
	rotateSubmit: 'Give it another key',
	rotated: (n: number) =>
		`The site has another key. ${n === 0 ? 'No PIN ended.' : `${n === 1 ? '1 PIN has' : `${n} PINs have`} ended: give new ones where they are needed.`}`,

	level: 'Where controllers keep it',
	levelIs: {
		L0: 'On the disk of each controller, in a file that one user alone can read (level L0).',
		L1: 'In memory alone: each controller fetches it when it starts (level L1).',
	} satisfies Record<Level, string>,
	levelCosts: {
		L0: 'A controller starts and opens doors without its server. Whoever takes its disk has the key until you report the box as gone.',
		L1: 'A stolen box knows nobody. A box that starts without its network stays shut, for returns, too, until the server is back.',
	} satisfies Record<Level, string>,
	levelSetBy: { site: 'Chosen for this site.', tenant: 'As the organisation chose.', default: 'Nobody chose otherwise.' } as Readonly<
		Record<string, string>
	>,
	levelChange: 'Change…',
	levelTitle: (name: string) => `Where controllers of ${name} keep its key`,
	levelSubmit: 'Choose it',
	levelToMemory: (n: number) =>
		`The site gets another key, which is on no disk. ${n === 0 ? 'Badges and codes go on.' : `Badges and codes go on; ${pins(n)} of this site ${n === 1 ? 'ends' : 'end'}.`}`,
	levelToDisk: 'From then on each controller writes the key to its disk. Nothing ends.',
}
