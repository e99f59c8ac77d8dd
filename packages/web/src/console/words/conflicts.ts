import type { Conflict } from '../shapes.ts'

export const conflicts = {
	title: 'Conflicts',
	lead: 'Where a bank that was cut off and this server came to different things. What happened at a door stands; what follows from it is for a person.',
	open: 'To settle',
	settled: 'Settled',
	state: 'Which',
	bank: 'Bank',
	anyBank: 'All banks',
	none: 'Nothing contradicts itself.',
	noneSettled: 'Nothing was settled yet.',
	noneNote: 'A bank that was away tells what it did when it is back. What does not fit to what was decided meanwhile stands here.',
	stands: 'What stands',
	hereKnown: (state: string, version: number) => `Known here then: ${state.replaceAll('-', ' ')}, version ${version}.`,
	done: 'Settle…',
	settledBy: 'Settled',
}

const RULES: Readonly<Record<Conflict['rule'], string>> = {
	'case-follows-bank': 'What the bank did counts, and the case goes on from there. Say when the rest is settled.',
	'opening-stands': 'The door was opened by rights that the bank still knew. What was taken is on loan or collected.',
	'pick-up-stands': 'It stays with who collected it. Whoever called it back is told by an event, and has to arrange the rest.',
	'loan-stands': 'The loan stands. Nothing more is lent to this person until enough is back.',
	'custody-kept': 'Who has it goes by the word of the bank where it belongs, and from hand to hand.',
	'nothing-changed': 'A bank is believed about what is its own. Nothing was changed by this.',
	'kept-aside': 'It is on record, and nothing was made of it.',
}
export const ruleOf = ({ rule }: Pick<Conflict, 'rule'>): string => RULES[rule]
