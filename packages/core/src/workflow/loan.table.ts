import type { Facts } from './case.ts'
import type { LoanSettings } from './loan.ts'

/**
 * The loan as a behaviour table. Ann owns the case, Bob is another user, Sam is staff. The laptop starts in A1.
 * `when`: `collect E3`, `deposit E2 by bob at B2 item other`, `outcome missing`, `deadline grace`, `request extend by sam`.
 * `is`: case state / line state after the step. `effects`: complete and in order.
 */
export interface Row {
	readonly given: keyof typeof GIVEN
	readonly when: string
	readonly is?: string
	readonly effects?: readonly string[]
	readonly refused?: string
	/** Who answers for the laptop afterwards (`bank` unless the row says so). */
	readonly holder?: 'bank' | 'ann'
	readonly unverified?: true
	readonly facts?: Partial<Facts>
	readonly settings?: Partial<LoanSettings>
}

const TAKEN = ['request allot', 'collect E3']
const LATE = [...TAKEN, 'deadline due-soon', 'deadline grace']

export const GIVEN = {
	requested: [],
	eligible: ['request approve by sam'],
	refused: ['request refuse by sam'],
	allotted: ['request allot'],
	dispensing: ['request allot', 'request dispense'],
	'not-taken': ['request allot', 'request cancel'],
	missing: ['request allot', 'outcome missing'],
	'in-doubt': ['request allot', 'outcome ambiguous'],
	'on-loan': TAKEN,
	'on-loan-unproven': ['request allot', 'collect E2'],
	extended: [...TAKEN, 'request extend'],
	'due-soon': [...TAKEN, 'deadline due-soon'],
	overdue: LATE,
	escalated: [...LATE, 'deadline escalate'],
	lost: [...LATE, 'deadline escalate', 'deadline lost'],
	returning: [...TAKEN, 'request return'],
	disputed: [...TAKEN, 'outcome wrong-item at B2'],
	'returned-unverified': [...TAKEN, 'deposit E2 at B2'],
	returned: [...TAKEN, 'deposit E3 at B2'],
	'missing-after-return': [...TAKEN, 'deposit E3 at B2', 'outcome missing at B2'],
	'written-off': ['request allot', 'outcome missing', 'request write-off by sam'],
} as const satisfies Record<string, readonly string[]>

const SET_DUE = ['set due', 'set due-soon', 'set escalate', 'set grace', 'set lost']
const ALL_DUE = ['clear due', 'clear due-soon', 'clear escalate', 'clear grace', 'clear hold', 'clear lost']
const started = ['custody bank→ann', 'free A1', ...SET_DUE, 'notify receipt']
const back = ['custody ann→bank', 'notify returned']

export const ROWS: readonly Row[] = [
	// Asking
	{ given: 'requested', when: 'request approve by sam', is: 'eligible/requested', effects: [] },
	{ given: 'requested', when: 'request approve by ann', refused: 'not-authorised' },
	{ given: 'requested', when: 'request refuse by system', is: 'refused/refused', effects: ['notify refused'] },
	{ given: 'eligible', when: 'request refuse by sam', is: 'refused/refused', effects: ['notify refused'] },
	{ given: 'requested', when: 'request refuse by ann', refused: 'not-authorised' },
	{ given: 'requested', when: 'request allot', is: 'allotted/allotted', effects: ['set hold'] },
	{ given: 'eligible', when: 'request allot by system', is: 'allotted/allotted', effects: ['set hold'] },
	{ given: 'requested', when: 'request allot', facts: { entitled: false }, refused: 'policy-denied' },
	{ given: 'requested', when: 'request allot', facts: { stock: 0 }, refused: 'nothing-available' },
	{ given: 'requested', when: 'request allot', facts: { recalled: true }, refused: 'recalled' },
	{ given: 'requested', when: 'request allot', facts: { entitled: false, stock: 0, recalled: true }, refused: 'policy-denied' },
	{ given: 'requested', when: 'request cancel', is: 'not-taken/released', effects: [] },
	{ given: 'requested', when: 'collect E3', refused: 'not-possible' },
	{ given: 'requested', when: 'request nonsense', refused: 'not-possible' },
	{ given: 'allotted', when: 'request allot', refused: 'not-possible' },
	{ given: 'refused', when: 'request allot', refused: 'not-possible' },

	// Taking
	{ given: 'allotted', when: 'collect E3', is: 'on-loan/on-loan', holder: 'ann', effects: started },
	{ given: 'allotted', when: 'collect E4 item laptop', is: 'on-loan/on-loan', holder: 'ann', effects: started },
	{ given: 'dispensing', when: 'collect E3', is: 'on-loan/on-loan', holder: 'ann', effects: started },
	{
		given: 'allotted',
		when: 'collect E2',
		is: 'on-loan/on-loan',
		unverified: true,
		effects: ['task unverified', ...SET_DUE, 'notify receipt'],
	},
	{ given: 'allotted', when: 'collect E0', is: 'on-loan/on-loan', unverified: true, effects: ['task unverified', ...SET_DUE, 'notify receipt'] },
	{ given: 'allotted', when: 'collect E2', settings: { evidence: 2 }, is: 'on-loan/on-loan', holder: 'ann', effects: started },
	{ given: 'allotted', when: 'collect E3 by bob', refused: 'not-authorised' },
	{ given: 'allotted', when: 'collect E3 by sam', refused: 'not-authorised' },
	{ given: 'allotted', when: 'collect E4 item other', refused: 'item-mismatch' },
	{ given: 'allotted', when: 'collect E3 at B2', refused: 'wrong-compartment' },
	{ given: 'allotted', when: 'collect E3', facts: { recalled: true }, refused: 'recalled' },
	{ given: 'allotted', when: 'collect E3', facts: { entitled: false, stock: 0 }, is: 'on-loan/on-loan', holder: 'ann', effects: started },
	{ given: 'allotted', when: 'deposit E3 at B2', refused: 'not-possible' },
	{ given: 'allotted', when: 'request dispense', is: 'dispensing/dispensing', effects: [] },
	{ given: 'allotted', when: 'request cancel', is: 'not-taken/released', effects: ['clear hold'] },
	{ given: 'allotted', when: 'request cancel by sam', is: 'not-taken/released', effects: ['clear hold'] },
	{ given: 'allotted', when: 'request cancel by bob', refused: 'not-authorised' },
	{ given: 'dispensing', when: 'request cancel', refused: 'not-possible' },
	{ given: 'allotted', when: 'deadline hold', is: 'not-taken/released', effects: [] },
	{ given: 'dispensing', when: 'deadline hold', refused: 'not-possible' },
	{ given: 'allotted', when: 'deadline hold early', refused: 'not-due' },
	{ given: 'allotted', when: 'deadline due', refused: 'not-due' },
	{ given: 'dispensing', when: 'outcome not-taken', is: 'allotted/allotted', effects: ['set hold'] },
	{ given: 'allotted', when: 'outcome not-taken', is: 'allotted/allotted', effects: ['set hold'] },
	{
		given: 'dispensing',
		when: 'outcome missing',
		is: 'missing/missing',
		effects: ['quarantine A1', 'task missing-item', 'notify missing-item'],
	},
	{
		given: 'dispensing',
		when: 'outcome wrong-item',
		is: 'missing/missing',
		effects: ['quarantine A1', 'task wrong-item', 'notify missing-item'],
	},
	{ given: 'dispensing', when: 'outcome ambiguous', is: 'in-doubt/in-doubt', effects: ['quarantine A1', 'task ambiguous'] },
	{ given: 'allotted', when: 'outcome missing', is: 'missing/missing', effects: ['quarantine A1', 'task missing-item', 'notify missing-item'] },
	{ given: 'allotted', when: 'outcome wrong-item', is: 'missing/missing', effects: ['quarantine A1', 'task wrong-item', 'notify missing-item'] },
	{ given: 'allotted', when: 'outcome ambiguous', is: 'in-doubt/in-doubt', effects: ['quarantine A1', 'task ambiguous'] },
	{ given: 'dispensing', when: 'outcome not-inserted', refused: 'not-possible' },
	{ given: 'not-taken', when: 'collect E3', refused: 'not-possible' },
	{ given: 'not-taken', when: 'request allot', refused: 'not-possible' },

	// Missing or in doubt
	{ given: 'missing', when: 'collect E3', refused: 'not-possible' },
	{ given: 'missing', when: 'request confirm-inside by sam', is: 'not-taken/released', effects: ['clear hold'] },
	{ given: 'missing', when: 'request confirm-inside', refused: 'not-authorised' },
	{ given: 'missing', when: 'request write-off by sam', is: 'written-off/written-off', effects: ['clear hold'] },
	{
		given: 'in-doubt',
		when: 'request confirm-taken by sam',
		is: 'on-loan/on-loan',
		holder: 'ann',
		effects: started,
	},
	{ given: 'in-doubt', when: 'request confirm-inside by sam', is: 'not-taken/released', effects: ['clear hold'] },
	{ given: 'in-doubt', when: 'deposit E3 at B2', is: 'returned/inspecting', effects: ['free A1', 'notify returned', 'clear hold'] },
	{
		given: 'in-doubt',
		when: 'deposit E1 at B2',
		is: 'returned-unverified/returned-unverified',
		unverified: true,
		effects: ['quarantine A1', 'notify returned', 'task unverified'],
	},
	{
		given: 'on-loan-unproven',
		when: 'request confirm-taken by sam',
		is: 'on-loan/on-loan',
		holder: 'ann',
		effects: ['custody bank→ann', 'free A1'],
	},
	{ given: 'on-loan-unproven', when: 'deposit E3 at B2', is: 'returned/inspecting', effects: ['free A1', 'notify returned', ...ALL_DUE] },
	{ given: 'on-loan-unproven', when: 'deposit E3 at A1', is: 'returned/inspecting', effects: ['notify returned', ...ALL_DUE] },

	// The clock
	{ given: 'on-loan', when: 'deadline due-soon', is: 'due-soon/on-loan', holder: 'ann', effects: ['notify due-soon'] },
	{ given: 'on-loan', when: 'deadline due-soon early', refused: 'not-due' },
	{ given: 'on-loan', when: 'deadline due', refused: 'not-possible' },
	{ given: 'on-loan', when: 'deadline hold', refused: 'not-possible' },
	{ given: 'due-soon', when: 'deadline grace', is: 'overdue/on-loan', holder: 'ann', effects: ['notify overdue'] },
	{ given: 'on-loan', when: 'deadline grace', is: 'overdue/on-loan', holder: 'ann', effects: ['notify overdue'] },
	{ given: 'overdue', when: 'deadline escalate', is: 'escalated/on-loan', holder: 'ann', effects: ['notify escalated'] },
	{ given: 'escalated', when: 'deadline lost', is: 'lost/lost', holder: 'ann', effects: ['task deemed-lost', 'notify lost'] },
	{ given: 'returning', when: 'deadline lost', is: 'lost/lost', holder: 'ann', effects: ['task deemed-lost', 'notify lost'] },
	{ given: 'extended', when: 'deadline due-soon', is: 'due-soon/on-loan', holder: 'ann', effects: ['notify due-soon'] },
	{ given: 'disputed', when: 'deadline grace', is: 'disputed/disputed', holder: 'ann', effects: ['notify overdue'] },
	{ given: 'disputed', when: 'deadline escalate', is: 'disputed/disputed', holder: 'ann', effects: ['notify escalated'] },
	{ given: 'disputed', when: 'deadline lost', is: 'disputed/disputed', holder: 'ann', effects: ['task deemed-lost'] },
	{ given: 'returned', when: 'deadline grace', refused: 'not-due' },

	// Extending
	{ given: 'on-loan', when: 'request extend', is: 'extended/on-loan', holder: 'ann', effects: [...SET_DUE, 'notify extended'] },
	{ given: 'extended', when: 'request extend', is: 'extended/on-loan', holder: 'ann', effects: [...SET_DUE, 'notify extended'] },
	{ given: 'overdue', when: 'request extend by sam', is: 'extended/on-loan', holder: 'ann', effects: [...SET_DUE, 'notify extended'] },
	{ given: 'on-loan', when: 'request extend by bob', refused: 'not-authorised' },
	{ given: 'on-loan', when: 'request extend', facts: { entitled: false }, refused: 'policy-denied' },
	{ given: 'on-loan', when: 'request extend', facts: { recalled: true }, refused: 'recalled' },
	{ given: 'lost', when: 'request extend by sam', refused: 'not-possible' },

	// Bringing back
	{ given: 'on-loan', when: 'deposit E3 at B2', is: 'returned/inspecting', effects: [...back, ...ALL_DUE] },
	{ given: 'on-loan', when: 'deposit E4 at B2 item laptop', is: 'returned/inspecting', effects: [...back, ...ALL_DUE] },
	{ given: 'on-loan', when: 'deposit E3 by bob at B2', is: 'returned/inspecting', effects: [...back, ...ALL_DUE] },
	{ given: 'on-loan', when: 'deposit E3 by sam at A1', is: 'returned/inspecting', effects: [...back, ...ALL_DUE] },
	{
		given: 'on-loan',
		when: 'deposit E3 at B2',
		facts: { entitled: false, recalled: true },
		is: 'returned/inspecting',
		effects: [...back, ...ALL_DUE],
	},
	{ given: 'returning', when: 'deposit E3 at B2', is: 'returned/inspecting', effects: [...back, ...ALL_DUE] },
	{ given: 'on-loan', when: 'deposit E3 at B2', settings: { afterReturn: 'available' }, is: 'returned/available', effects: [...back, ...ALL_DUE] },
	{ given: 'on-loan', when: 'deposit E3 at B2', settings: { afterReturn: 'charging' }, is: 'returned/charging', effects: [...back, ...ALL_DUE] },
	{
		given: 'overdue',
		when: 'deposit E3 at B2',
		is: 'returned/inspecting',
		effects: [...back, 'clear due', 'clear escalate', 'clear hold', 'clear lost'],
	},
	{ given: 'lost', when: 'deposit E3 at B2', is: 'returned/inspecting', effects: [...back, 'clear due', 'clear hold'] },
	{ given: 'on-loan', when: 'deposit E4 at B2 item other', refused: 'item-mismatch' },
	{
		given: 'on-loan',
		when: 'deposit E2 at B2',
		is: 'returned-unverified/returned-unverified',
		holder: 'ann',
		unverified: true,
		effects: ['notify returned', 'task unverified', ...ALL_DUE],
	},
	{
		given: 'on-loan',
		when: 'deposit E0 at B2',
		settings: { afterReturn: 'available' },
		is: 'returned-unverified/returned-unverified',
		holder: 'ann',
		unverified: true,
		effects: ['notify returned', 'task unverified', ...ALL_DUE],
	},
	{ given: 'on-loan', when: 'deposit E2 at B2', settings: { evidence: 2 }, is: 'returned/inspecting', effects: [...back, ...ALL_DUE] },
	{ given: 'on-loan', when: 'collect E3', refused: 'not-possible' },
	{ given: 'on-loan', when: 'request return', is: 'on-loan/returning', holder: 'ann', effects: [] },
	{ given: 'returning', when: 'outcome not-inserted', is: 'on-loan/on-loan', holder: 'ann', effects: [] },
	{ given: 'on-loan', when: 'outcome not-inserted', is: 'on-loan/on-loan', holder: 'ann', effects: [] },
	{ given: 'on-loan', when: 'outcome ambiguous at B2', is: 'on-loan/on-loan', holder: 'ann', effects: ['quarantine B2', 'task ambiguous'] },
	{ given: 'returning', when: 'outcome ambiguous at B2', is: 'on-loan/on-loan', holder: 'ann', effects: ['quarantine B2', 'task ambiguous'] },
	{
		given: 'on-loan',
		when: 'outcome wrong-item at B2',
		is: 'disputed/disputed',
		holder: 'ann',
		effects: ['quarantine B2', 'task wrong-item', 'notify wrong-item'],
	},
	{
		given: 'returning',
		when: 'outcome wrong-item at B2',
		is: 'disputed/disputed',
		holder: 'ann',
		effects: ['quarantine B2', 'task wrong-item', 'notify wrong-item'],
	},
	{ given: 'on-loan', when: 'outcome missing', refused: 'not-possible' },
	// Whatever was open stays open when a try to bring it back comes to nothing.
	...(
		[
			['disputed', 'ann'],
			['lost', 'ann'],
			['in-doubt', 'bank'],
			['returned-unverified', 'ann'],
		] as const
	).flatMap(([given, holder]): Row[] => {
		const same = { given, is: `${given}/${given}`, holder, ...(given === 'returned-unverified' && { unverified: true as const }) }
		return [
			{ ...same, when: 'outcome not-inserted at B2', effects: [] },
			{ ...same, when: 'outcome ambiguous at B2', effects: ['quarantine B2', 'task ambiguous'] },
			{ ...same, when: 'outcome wrong-item at B2', effects: ['quarantine B2', 'task wrong-item', 'notify wrong-item'] },
		]
	}),

	// Settling a return
	{ given: 'disputed', when: 'deposit E3 at B3', is: 'returned/inspecting', effects: [...back, ...ALL_DUE] },
	{ given: 'disputed', when: 'request confirm-returned by sam', is: 'returned/inspecting', effects: ['custody ann→bank', ...ALL_DUE] },
	{ given: 'disputed', when: 'request confirm-returned', refused: 'not-authorised' },
	{ given: 'disputed', when: 'request resume by sam', is: 'on-loan/on-loan', holder: 'ann', effects: SET_DUE },
	{ given: 'disputed', when: 'request write-off by sam', is: 'written-off/written-off', holder: 'ann', effects: ALL_DUE },
	{ given: 'lost', when: 'request write-off by sam', is: 'written-off/written-off', holder: 'ann', effects: ['clear due', 'clear hold'] },
	{ given: 'lost', when: 'request confirm-returned by sam', is: 'returned/inspecting', effects: ['custody ann→bank', 'clear due', 'clear hold'] },
	{ given: 'on-loan', when: 'request confirm-returned by sam', is: 'returned/inspecting', effects: ['custody ann→bank', ...ALL_DUE] },
	{ given: 'returning', when: 'request confirm-returned by sam', is: 'returned/inspecting', effects: ['custody ann→bank', ...ALL_DUE] },
	{ given: 'returned-unverified', when: 'request confirm-returned by sam', is: 'returned/inspecting', effects: ['custody ann→bank'] },
	{
		given: 'returned-unverified',
		when: 'outcome missing at B2',
		is: 'disputed/disputed',
		holder: 'ann',
		unverified: true,
		effects: ['free B2', 'task missing-item', 'notify not-returned'],
	},
	{ given: 'returned-unverified', when: 'deposit E3 at B3', is: 'returned/inspecting', effects: ['free B2', ...back] },
	{ given: 'returned-unverified', when: 'request pass by sam', refused: 'not-possible' },

	// After the end of the case the item still has its own way
	{ given: 'returned', when: 'request pass by sam', is: 'returned/available', effects: [] },
	{ given: 'returned', when: 'request charge by sam', is: 'returned/charging', effects: [] },
	{ given: 'returned', when: 'request fail by sam', is: 'returned/faulty', effects: ['task faulty'] },
	{ given: 'returned', when: 'outcome missing at B2', is: 'returned/missing', effects: ['quarantine B2', 'task missing-item'] },
	{ given: 'missing-after-return', when: 'request confirm-inside by sam', is: 'returned/released', effects: [] },
	{ given: 'missing-after-return', when: 'request write-off by sam', is: 'returned/written-off', effects: [] },
	{ given: 'returned', when: 'request pass', refused: 'not-authorised' },
	{ given: 'returned', when: 'deposit E3 at B2', refused: 'not-possible' },
	{ given: 'written-off', when: 'request confirm-inside by sam', refused: 'not-possible' },
]
