import type { Evidence, Move, Role, Table } from './table.ts'

export interface LoanSettings {
	/** Where a proven return leads: ready for the next person, first to a look by staff, or to a charger. */
	readonly afterReturn: 'available' | 'inspecting' | 'charging'
	/** What must be proven for custody to pass; never more than the cabinet's sensors can show (trust.md §4.1). */
	readonly evidence: Evidence
	/** ISO 8601 duration; where a rule or the site's calendar decides, the caller hands the time in (`Env.due`). */
	readonly loanFor: string
	/** How long an allotted item waits: 5 minutes for a walk-up, 30 for a booking (workflows.md §3.0, §3.1). */
	readonly hold: string
}

export const LOAN_DEFAULTS: LoanSettings = { afterReturn: 'inspecting', evidence: 3, loanFor: 'PT8H', hold: 'PT5M' }

/**
 * `released`: allotted, then not taken. `in-doubt`: a collect that nobody can prove or rule out. `disputed`: something else
 * came back, or nothing did; the right item is still the borrower's. `missing`: not where it should lie.
 */
export type LoanLine =
	| 'requested'
	| 'refused'
	| 'allotted'
	| 'dispensing'
	| 'released'
	| 'on-loan'
	| 'in-doubt'
	| 'returning'
	| 'returned-unverified'
	| 'inspecting'
	| 'available'
	| 'charging'
	| 'faulty'
	| 'missing'
	| 'disputed'
	| 'lost'
	| 'written-off'

export type LoanCase =
	| 'requested'
	| 'eligible'
	| 'refused'
	| 'allotted'
	| 'dispensing'
	| 'not-taken'
	| 'missing'
	| 'in-doubt'
	| 'on-loan'
	| 'extended'
	| 'due-soon'
	| 'overdue'
	| 'escalated'
	| 'lost'
	| 'disputed'
	| 'returned-unverified'
	| 'returned'
	| 'written-off'

type OnLine = Move<LoanLine, LoanLine>
type OnCase = Move<LoanCase, LoanLine>

/** Somebody has it, may have it, or is about to take it. */
const OUT: LoanLine[] = ['on-loan', 'returning', 'disputed', 'lost']
const OPEN: LoanLine[] = ['requested', 'allotted', 'dispensing', 'in-doubt', ...OUT]
/** Nobody waits for the borrower any more, but staff must look. */
const TO_CHECK: LoanLine[] = ['returned-unverified', 'missing']
const NOT_TAKEN: LoanLine[] = ['released', 'refused']

const BEFORE: LoanCase[] = ['requested', 'eligible', 'allotted', 'dispensing', 'missing', 'in-doubt']
const RUNNING: LoanCase[] = ['on-loan', 'extended', 'due-soon', 'overdue', 'escalated', 'lost']

const ANYONE: Role[] = ['user', 'staff', 'courier']
const STAFF: Role[] = ['staff']

/**
 * The loan of workflows.md §3.1: a device for a day, one line an asset. A walk-up mints the case at the kiosk and goes
 * `allot` → collect → on loan; any later deposit of the item, by anybody, ends it (X13: a return is always allowed).
 */
export function loanTable(settings: LoanSettings = LOAN_DEFAULTS): Table<LoanCase, LoanLine> {
	return {
		name: 'loan',
		version: 1,
		line: {
			start: 'requested',
			end: ['refused', 'released', 'available', 'charging', 'faulty', 'written-off'],
			held: ['requested', 'allotted', 'dispensing', 'released', 'returned-unverified', 'inspecting', 'available', 'charging', 'faulty'],
			moves: [...taking(settings), ...bringingBack(settings), ...settling()],
		},
		case: {
			start: 'requested',
			end: ['refused', 'not-taken', 'returned', 'written-off'],
			moves: [...beforeTheLoan(), ...theLoanItself(), ...afterTheLoan()],
		},
		deadlines: {
			hold: { after: settings.hold },
			due: { after: settings.loanFor, calendar: 'site', movesWithOutage: true },
			'due-soon': { after: 'due-PT1H', movesWithOutage: true },
			grace: { after: 'due+PT15M', movesWithOutage: true },
			escalate: { after: 'due+P1D', calendar: 'site', movesWithOutage: true },
			// Five working days, which is a week on most calendars; then it is deemed lost (workflows.md §3.1).
			lost: { after: 'due+P7D', calendar: 'site', movesWithOutage: true },
		},
		visit: {
			borrow: [{ act: 'collect', line: 'allotted' }],
			return: [{ act: 'deposit', line: 'on-loan' }],
		},
	}
}

function taking({ evidence }: LoanSettings): OnLine[] {
	const waiting: LoanLine[] = ['allotted', 'dispensing']
	return [
		{ from: 'requested', on: { request: 'refuse', by: ['staff', 'system'] }, to: 'refused' },
		{
			from: 'requested',
			on: { request: 'allot', by: ['user', 'staff', 'system'], guards: ['entitled', 'stock', 'not-recalled'] },
			to: 'allotted',
			do: [['set-due', 'hold']],
		},
		{ from: ['requested', 'allotted'], on: { request: 'cancel', by: ['staff', 'system'] }, to: 'released' },
		{ from: ['requested', 'allotted'], on: { request: 'cancel', by: ['user'], guards: ['owner'] }, to: 'released' },
		{ from: 'allotted', on: { deadline: 'hold' }, to: 'released' },
		{ from: 'allotted', on: { request: 'dispense', by: ['user', 'system'] }, to: 'dispensing' },
		{
			from: waiting,
			on: { act: 'collect', by: ['user'], guards: ['owner', 'not-recalled', 'item-matches'], evidence },
			to: 'on-loan',
			do: [['custody', 'owner'], 'free'],
		},
		{ from: waiting, on: { outcome: 'not-taken' }, to: 'allotted', do: [['set-due', 'hold']] },
		// X5 and X6: what should lie here does not. Nothing is marked as taken; no new code until staff have looked.
		{ from: waiting, on: { outcome: 'missing' }, to: 'missing', do: ['quarantine', ['task', 'missing-item'], ['notify', 'missing-item']] },
		{ from: waiting, on: { outcome: 'wrong-item' }, to: 'missing', do: ['quarantine', ['task', 'wrong-item'], ['notify', 'missing-item']] },
		// R4: owner unchanged, compartment out of use, a person decides.
		{ from: waiting, on: { outcome: 'ambiguous' }, to: 'in-doubt', do: ['quarantine', ['task', 'ambiguous']] },
	]
}

function bringingBack({ evidence, afterReturn }: LoanSettings): OnLine[] {
	const theirs: LoanLine[] = ['on-loan', 'returning']
	return [
		{ from: 'on-loan', on: { request: 'return', by: ['user', 'staff'] }, to: 'returning' },
		{
			from: [...OUT, 'in-doubt', 'returned-unverified'],
			on: { act: 'deposit', by: ANYONE, guards: ['item-matches'], evidence },
			to: afterReturn,
			unverified: 'returned-unverified',
			do: [
				['custody', 'bank'],
				['notify', 'returned'],
			],
		},
		{ from: theirs, on: { outcome: 'not-inserted' }, to: 'on-loan' },
		{ from: theirs, on: { outcome: 'ambiguous' }, to: 'on-loan', do: ['quarantine', ['task', 'ambiguous']] },
		// X6: something else lies in there now; the loan of the right item stays open.
		{ from: theirs, on: { outcome: 'wrong-item' }, to: 'disputed', do: ['quarantine', ['task', 'wrong-item'], ['notify', 'wrong-item']] },
		{ from: theirs, on: { deadline: 'lost' }, to: 'lost', do: [['task', 'deemed-lost']] },
		// A try to bring it back that came to nothing leaves everything else as open as it was.
		...(['disputed', 'lost', 'in-doubt', 'returned-unverified'] as const).flatMap((state): OnLine[] => [
			{ from: state, on: { outcome: 'not-inserted' }, to: state },
			{ from: state, on: { outcome: 'ambiguous' }, to: state, do: ['quarantine', ['task', 'ambiguous']] },
			{ from: state, on: { outcome: 'wrong-item' }, to: state, do: ['quarantine', ['task', 'wrong-item'], ['notify', 'wrong-item']] },
		]),
	]
}

/** What staff find when they look, each with the custody that follows from it. */
function settling(): OnLine[] {
	const ask = (request: string) => ({ request, by: STAFF })
	return [
		{ from: ['on-loan', 'in-doubt'], on: ask('confirm-taken'), to: 'on-loan', do: [['custody', 'owner'], 'free'] },
		{ from: ['in-doubt', 'missing'], on: ask('confirm-inside'), to: 'released' },
		{ from: [...OUT, 'returned-unverified'], on: ask('confirm-returned'), to: 'inspecting', do: [['custody', 'bank']] },
		{ from: 'returned-unverified', on: { outcome: 'missing' }, to: 'disputed', do: ['free', ['task', 'missing-item'], ['notify', 'not-returned']] },
		{ from: 'inspecting', on: { outcome: 'missing' }, to: 'missing', do: ['quarantine', ['task', 'missing-item']] },
		{ from: 'inspecting', on: ask('pass'), to: 'available' },
		{ from: 'inspecting', on: ask('charge'), to: 'charging' },
		{ from: 'inspecting', on: ask('fail'), to: 'faulty', do: [['task', 'faulty']] },
		{ from: 'disputed', on: ask('resume'), to: 'on-loan', do: [['set-due', 'due']] },
		{ from: ['missing', 'disputed', 'lost'], on: ask('write-off'), to: 'written-off' },
	]
}

/** Nothing is out and nothing is left to check; what had to be written off gives the case its end. */
const ended = (from: LoanCase[]): OnCase[] => [
	{ from, on: { lines: 'none-left', in: [...OPEN, ...TO_CHECK, 'written-off'] }, to: 'returned' },
	{ from, on: { lines: 'none-left', in: [...OPEN, ...TO_CHECK] }, to: 'written-off' },
]

function beforeTheLoan(): OnCase[] {
	return [
		{ from: 'requested', on: { request: 'approve', by: ['staff', 'system'] }, to: 'eligible' },
		{ from: ['requested', 'eligible'], on: { lines: 'all', in: ['refused'] }, to: 'refused', do: [['notify', 'refused']] },
		{
			from: BEFORE,
			on: { lines: 'any', in: OUT },
			to: 'on-loan',
			do: [
				['set-due', 'due'],
				['notify', 'receipt'],
			],
		},
		{ from: BEFORE, on: { lines: 'all', in: NOT_TAKEN }, to: 'not-taken' },
		...ended(BEFORE),
		{ from: BEFORE.filter((s) => s !== 'in-doubt'), on: { lines: 'any', in: ['in-doubt'] }, to: 'in-doubt' },
		{ from: ['requested', 'eligible', 'allotted'], on: { lines: 'any', in: ['dispensing'] }, to: 'dispensing' },
		{ from: ['allotted', 'dispensing', 'in-doubt'], on: { lines: 'none-left', in: [...OPEN, 'returned-unverified'] }, to: 'missing' },
		{ from: ['allotted', 'dispensing', 'in-doubt'], on: { lines: 'none-left', in: OPEN }, to: 'returned-unverified' },
		{ from: ['requested', 'eligible'], on: { lines: 'any', in: ['allotted'] }, to: 'allotted' },
		{ from: 'dispensing', on: { lines: 'none-left', in: ['dispensing'] }, to: 'allotted' },
		{ from: 'in-doubt', on: { lines: 'none-left', in: ['in-doubt'] }, to: 'allotted' },
	]
}

/** A case is as late as its deadlines say; the ladder tells the borrower, then the manager, then the owner of the pool. */
function theLoanItself(): OnCase[] {
	const ladder: OnCase[] = [
		{ from: ['on-loan', 'extended'], on: { deadline: 'due-soon' }, to: 'due-soon', do: [['notify', 'due-soon']] },
		{ from: ['on-loan', 'extended', 'due-soon'], on: { deadline: 'grace' }, to: 'overdue', do: [['notify', 'overdue']] },
		{ from: ['on-loan', 'extended', 'due-soon', 'overdue'], on: { deadline: 'escalate' }, to: 'escalated', do: [['notify', 'escalated']] },
		{ from: ['on-loan', 'extended', 'due-soon', 'overdue', 'escalated'], on: { deadline: 'lost' }, to: 'lost', do: [['notify', 'lost']] },
	]
	const extendable: LoanCase[] = ['on-loan', 'extended', 'due-soon', 'overdue', 'escalated']
	const anew: OnCase['do'] = [
		['set-due', 'due'],
		['notify', 'extended'],
	]
	return [
		...ladder,
		{ from: extendable, on: { request: 'extend', by: ['user'], guards: ['owner', 'entitled', 'not-recalled'] }, to: 'extended', do: anew },
		{ from: extendable, on: { request: 'extend', by: STAFF }, to: 'extended', do: anew },
		// The clock runs on in a dispute, so that a wrong item put in gains no time; only a person ends it.
		{ from: 'disputed', on: { deadline: 'grace' }, to: 'disputed', do: [['notify', 'overdue']] },
		{ from: 'disputed', on: { deadline: 'escalate' }, to: 'disputed', do: [['notify', 'escalated']] },
		{ from: 'disputed', on: { deadline: 'lost' }, to: 'disputed', do: [['task', 'deemed-lost']] },
	]
}

function afterTheLoan(): OnCase[] {
	const over: LoanCase[] = [...RUNNING, 'disputed']
	return [
		...ended([...over, 'returned-unverified']),
		{ from: over, on: { lines: 'none-left', in: OPEN }, to: 'returned-unverified', do: ['clear-due'] },
		{ from: [...RUNNING, 'returned-unverified'], on: { lines: 'any', in: ['disputed'] }, to: 'disputed' },
		{ from: 'disputed', on: { lines: 'none-left', in: ['disputed'] }, to: 'on-loan' },
	]
}
