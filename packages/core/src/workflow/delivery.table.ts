import type { Facts } from './case.ts'
import type { DeliverySettings } from './delivery.ts'

/**
 * The delivery as a behaviour table. Ann owns the order, Bob is another user, Sam is staff, Cor a courier, who brings it. One
 * parcel, nowhere at first. `when`: `deposit E3 by cor at A1`, `collect E3`, `outcome missing`, `deadline collect-by`, `request recall by system`.
 * `is`: case state / line state after the step. `effects`: complete and in order.
 */
export interface Row {
	readonly given: keyof typeof GIVEN
	readonly when: string
	readonly is?: string
	readonly effects?: readonly string[]
	readonly refused?: string
	/** Who answers for the parcel afterwards (`bank` unless the row says so). */
	readonly holder?: 'cor' | 'ann' | 'sam'
	readonly unverified?: true
	readonly facts?: Partial<Facts>
	readonly settings?: Partial<DeliverySettings>
}

const IN = ['deposit E3 by cor at A1']
const LATE = [...IN, 'deadline collect-by']
const BACK = [...IN, 'request recall by system']

export const GIVEN = {
	ordered: [],
	reserved: ['request reserve by system'],
	'not-deposited': ['outcome not-inserted at A1'],
	'deposit-in-doubt': ['outcome ambiguous at A1'],
	misplaced: ['outcome wrong-item at A1'],
	unproven: ['deposit E1 by cor at A1'],
	ready: IN,
	collecting: [...IN, 'request dispense'],
	expiring: [...IN, 'deadline reminder', 'deadline expiring'],
	expired: LATE,
	recalled: BACK,
	'recalled-late': [...LATE, 'request recall by sam'],
	missing: [...IN, 'request dispense', 'outcome missing at A1'],
	'pick-up-in-doubt': [...IN, 'request dispense', 'outcome ambiguous at A1'],
	'collected-unproven': [...IN, 'request dispense', 'collect E1 at A1'],
	collected: [...IN, 'request dispense', 'collect E3 at A1'],
	removed: [...LATE, 'collect E3 by sam at A1'],
	cancelled: ['request recall by system'],
	'written-off': [...IN, 'outcome missing at A1', 'request write-off by sam'],
} as const satisfies Record<string, readonly string[]>

const SET = ['set collect-by', 'set expiring', 'set reminder']
const CLEAR = ['clear collect-by', 'clear expiring', 'clear reminder']
const READY = ['issue-code', 'notify ready']
const put = ['custody cor→bank', ...SET, ...READY]
const taken = ['custody bank→ann', 'free A1', 'notify collected', ...CLEAR]
const doubt = ['quarantine A1', 'task ambiguous']

export const ROWS: readonly Row[] = [
	// Before it comes
	{ given: 'ordered', when: 'request reserve by system', is: 'reserved/expected', holder: 'cor', effects: ['set hold'] },
	{ given: 'reserved', when: 'request reserve by system', refused: 'not-possible' },
	{ given: 'reserved', when: 'deadline hold', is: 'ordered/expected', holder: 'cor', effects: ['notify not-delivered'] },
	{ given: 'ordered', when: 'request recall by system', is: 'cancelled/cancelled', holder: 'cor', effects: [] },
	{ given: 'not-deposited', when: 'request recall by sam', is: 'cancelled/cancelled', holder: 'cor', effects: [] },
	{ given: 'ordered', when: 'request recall by ann', refused: 'not-authorised' },
	{ given: 'ordered', when: 'request extend by system', refused: 'not-possible' },
	{ given: 'ordered', when: 'collect E3 at A1', refused: 'not-possible' },
	{ given: 'cancelled', when: 'deposit E3 by cor at A1', refused: 'not-possible' },

	// Putting in
	{ given: 'ordered', when: 'deposit E3 by cor at A1', is: 'ready/deposited', effects: put },
	{ given: 'reserved', when: 'deposit E3 by sam at A1', is: 'ready/deposited', effects: put },
	{ given: 'not-deposited', when: 'deposit E4 by cor at A1', is: 'ready/deposited', effects: put },
	{ given: 'ordered', when: 'deposit E3 by ann at A1', refused: 'not-authorised' },
	{ given: 'ordered', when: 'deposit E3 by cor at A1', facts: { entitled: false }, refused: 'policy-denied' },
	{ given: 'ordered', when: 'deposit E3 by cor at A1', facts: { recalled: true }, refused: 'recalled' },
	{
		given: 'ordered',
		when: 'deposit E2 by cor at A1',
		is: 'blocked/deposited-unverified',
		holder: 'cor',
		unverified: true,
		effects: [...SET, 'task unverified'],
	},
	{ given: 'ordered', when: 'deposit E2 by cor at A1', settings: { evidence: { deposit: 2, collect: 2 } }, is: 'ready/deposited', effects: put },
	{ given: 'ordered', when: 'outcome not-inserted at A1', is: 'ordered/not-deposited', holder: 'cor', effects: ['notify not-deposited'] },
	{ given: 'not-deposited', when: 'outcome not-inserted at A1', is: 'ordered/not-deposited', holder: 'cor', effects: ['notify not-deposited'] },
	{ given: 'ordered', when: 'outcome ambiguous at A1', is: 'blocked/deposit-in-doubt', holder: 'cor', effects: doubt },
	{ given: 'not-deposited', when: 'outcome ambiguous at A1', is: 'blocked/deposit-in-doubt', holder: 'cor', effects: doubt },
	{ given: 'ordered', when: 'outcome wrong-item at A1', is: 'blocked/misplaced', holder: 'cor', effects: ['quarantine A1', 'task wrong-item'] },
	{ given: 'not-deposited', when: 'outcome wrong-item at A1', is: 'blocked/misplaced', holder: 'cor', effects: ['quarantine A1', 'task wrong-item'] },
	{ given: 'deposit-in-doubt', when: 'deposit E3 by cor at B2', is: 'ready/deposited', effects: put },
	{ given: 'misplaced', when: 'deposit E3 by cor at B2', is: 'ready/deposited', effects: put },
	{ given: 'deposit-in-doubt', when: 'outcome not-inserted at B2', is: 'blocked/deposit-in-doubt', holder: 'cor', effects: [] },
	{ given: 'misplaced', when: 'outcome not-inserted at B2', is: 'blocked/misplaced', holder: 'cor', effects: [] },
	{ given: 'deposit-in-doubt', when: 'outcome ambiguous at A1', is: 'blocked/deposit-in-doubt', holder: 'cor', effects: doubt },
	{ given: 'misplaced', when: 'outcome ambiguous at A1', is: 'blocked/misplaced', holder: 'cor', effects: doubt },
	{
		given: 'deposit-in-doubt',
		when: 'outcome wrong-item at A1',
		is: 'blocked/deposit-in-doubt',
		holder: 'cor',
		effects: ['quarantine A1', 'task wrong-item'],
	},
	{ given: 'misplaced', when: 'outcome wrong-item at A1', is: 'blocked/misplaced', holder: 'cor', effects: ['quarantine A1', 'task wrong-item'] },
	{ given: 'ready', when: 'outcome not-inserted at B2', is: 'ready/deposited', effects: [] },
	{ given: 'unproven', when: 'outcome not-inserted at B2', is: 'blocked/deposited-unverified', holder: 'cor', unverified: true, effects: [] },
	{ given: 'deposit-in-doubt', when: 'collect E3 at A1', refused: 'not-possible' },
	{ given: 'unproven', when: 'collect E3 at A1', refused: 'not-possible' },

	// What staff find about it
	{ given: 'deposit-in-doubt', when: 'request confirm-inside by sam', is: 'ready/deposited', effects: put },
	{ given: 'misplaced', when: 'request confirm-inside by sam', is: 'ready/deposited', effects: put },
	{ given: 'unproven', when: 'request confirm-inside by sam', is: 'ready/deposited', effects: ['custody cor→bank', ...SET, ...READY] },
	{ given: 'unproven', when: 'request confirm-inside by ann', refused: 'not-authorised' },
	{ given: 'deposit-in-doubt', when: 'request confirm-taken by sam', is: 'ordered/not-deposited', holder: 'cor', effects: ['notify not-deposited'] },
	{ given: 'misplaced', when: 'request confirm-taken by sam', is: 'ordered/not-deposited', holder: 'cor', effects: ['notify not-deposited'] },
	{
		given: 'unproven',
		when: 'request confirm-taken by sam',
		is: 'ordered/not-deposited',
		holder: 'cor',
		unverified: true,
		effects: ['free A1', 'notify not-deposited'],
	},
	{ given: 'deposit-in-doubt', when: 'request write-off by sam', is: 'written-off/written-off', holder: 'cor', effects: [] },
	{ given: 'misplaced', when: 'request write-off by sam', is: 'written-off/written-off', holder: 'cor', effects: [] },
	{ given: 'unproven', when: 'request write-off by sam', is: 'written-off/written-off', holder: 'cor', unverified: true, effects: CLEAR },

	{ given: 'ready', when: 'request confirm-inside by sam', is: 'ready/deposited', effects: [] },
	{ given: 'expired', when: 'request confirm-inside by sam', is: 'expired/expired', effects: [] },
	{ given: 'recalled', when: 'request confirm-inside by sam', is: 'recalled/recalled', effects: [] },

	// Taking
	{ given: 'ready', when: 'request dispense', is: 'ready/collecting', effects: [] },
	{ given: 'expiring', when: 'request dispense', is: 'expiring/collecting', effects: [] },
	{ given: 'ready', when: 'request dispense', facts: { recalled: true }, refused: 'recalled' },
	{ given: 'ready', when: 'request dispense', facts: { entitled: false }, refused: 'policy-denied' },
	{ given: 'expired', when: 'request dispense', refused: 'not-possible' },
	{ given: 'recalled', when: 'request dispense', refused: 'not-possible' },
	{ given: 'collecting', when: 'collect E3 at A1', is: 'collected/collected', holder: 'ann', effects: taken },
	{ given: 'collecting', when: 'collect E4 at A1', is: 'collected/collected', holder: 'ann', effects: taken },
	{ given: 'ready', when: 'collect E3 at A1', is: 'collected/collected', holder: 'ann', effects: taken },
	{ given: 'collecting', when: 'collect E3 by bob at A1', refused: 'not-authorised' },
	{ given: 'collecting', when: 'collect E3 by sam at A1', refused: 'not-authorised' },
	{ given: 'collecting', when: 'collect E3 at B2', refused: 'wrong-compartment' },
	{ given: 'expired', when: 'collect E3 at A1', refused: 'not-authorised' },
	{ given: 'recalled', when: 'collect E3 at A1', refused: 'not-authorised' },
	{ given: 'collected', when: 'collect E3 at A1', refused: 'not-possible' },
	{ given: 'collecting', when: 'collect E2 at A1', is: 'blocked/collected-unverified', unverified: true, effects: ['task unverified'] },
	{ given: 'ready', when: 'collect E0 at A1', is: 'blocked/collected-unverified', unverified: true, effects: ['task unverified'] },
	{ given: 'collecting', when: 'outcome not-taken at A1', is: 'ready/deposited', effects: [] },
	{ given: 'ready', when: 'outcome not-taken at A1', is: 'ready/deposited', effects: [] },
	{
		given: 'collecting',
		when: 'outcome missing at A1',
		is: 'blocked/missing',
		effects: ['quarantine A1', 'task missing-item', 'notify missing-item'],
	},
	{ given: 'ready', when: 'outcome missing at A1', is: 'blocked/missing', effects: ['quarantine A1', 'task missing-item', 'notify missing-item'] },
	{
		given: 'collecting',
		when: 'outcome wrong-item at A1',
		is: 'blocked/missing',
		effects: ['quarantine A1', 'task wrong-item', 'notify missing-item'],
	},
	{ given: 'ready', when: 'outcome wrong-item at A1', is: 'blocked/missing', effects: ['quarantine A1', 'task wrong-item', 'notify missing-item'] },
	{ given: 'collecting', when: 'outcome ambiguous at A1', is: 'blocked/pick-up-in-doubt', effects: doubt },
	{ given: 'ready', when: 'outcome ambiguous at A1', is: 'blocked/pick-up-in-doubt', effects: doubt },
	{ given: 'missing', when: 'request confirm-inside by sam', is: 'ready/deposited', effects: READY },
	{ given: 'pick-up-in-doubt', when: 'request confirm-inside by sam', is: 'ready/deposited', effects: READY },
	{ given: 'collected-unproven', when: 'request confirm-inside by sam', is: 'ready/deposited', effects: READY },
	{ given: 'pick-up-in-doubt', when: 'request confirm-taken by sam', is: 'collected/collected', holder: 'ann', effects: taken },
	{ given: 'collected-unproven', when: 'request confirm-taken by sam', is: 'collected/collected', holder: 'ann', effects: taken },
	{ given: 'missing', when: 'request confirm-taken by sam', refused: 'not-possible' },
	{ given: 'missing', when: 'request write-off by sam', is: 'written-off/written-off', effects: CLEAR },
	{ given: 'pick-up-in-doubt', when: 'request write-off by sam', is: 'written-off/written-off', effects: CLEAR },
	{ given: 'collected-unproven', when: 'request write-off by sam', is: 'written-off/written-off', unverified: true, effects: CLEAR },

	// Time
	{ given: 'ready', when: 'deadline reminder early', refused: 'not-due' },
	{ given: 'ready', when: 'deadline reminder', is: 'ready/deposited', effects: ['notify reminder'] },
	{ given: 'ready', when: 'deadline expiring', is: 'expiring/deposited', effects: ['notify expiring'] },
	{ given: 'ready', when: 'deadline collect-by', is: 'expired/expired', effects: ['revoke-code', 'task pull', 'notify expired'] },
	{ given: 'expiring', when: 'deadline collect-by', is: 'expired/expired', effects: ['revoke-code', 'task pull', 'notify expired'] },
	{ given: 'collecting', when: 'deadline collect-by', refused: 'not-possible' },
	{ given: 'expiring', when: 'request extend', is: 'ready/deposited', effects: [...SET, 'notify extended'] },
	{ given: 'ready', when: 'request extend by system', is: 'ready/deposited', effects: [...SET, 'notify extended'] },
	{ given: 'ready', when: 'request extend by bob', refused: 'not-authorised' },
	{ given: 'expired', when: 'request extend by system', is: 'ready/deposited', effects: [...SET, ...READY] },
	{ given: 'expired', when: 'request extend', refused: 'not-authorised' },
	{ given: 'recalled', when: 'request extend by system', refused: 'not-possible' },

	// Taking back
	{ given: 'ready', when: 'request recall by system', is: 'recalled/recalled', effects: ['revoke-code', 'task pull', 'notify recalled'] },
	{ given: 'expiring', when: 'request recall by sam', is: 'recalled/recalled', effects: ['revoke-code', 'task pull', 'notify recalled'] },
	{ given: 'expired', when: 'request recall by system', is: 'recalled/recalled', effects: ['revoke-code', 'task pull', 'notify recalled'] },
	{ given: 'collecting', when: 'request recall by system', refused: 'not-possible' },
	{ given: 'collected', when: 'request recall by system', refused: 'not-possible' },
	{ given: 'ready', when: 'request recall by ann', refused: 'not-authorised' },
	{
		given: 'expired',
		when: 'collect E3 by sam at A1',
		is: 'removed/pulled',
		holder: 'sam',
		effects: ['custody bank→sam', 'free A1', 'notify removed', ...CLEAR.slice(1)],
	},
	{
		given: 'recalled',
		when: 'collect E3 by sam at A1',
		is: 'removed/pulled',
		holder: 'sam',
		effects: ['custody bank→sam', 'free A1', 'notify removed', ...CLEAR],
	},
	{
		given: 'recalled-late',
		when: 'collect E3 by sam at A1',
		is: 'removed/pulled',
		holder: 'sam',
		effects: ['custody bank→sam', 'free A1', 'notify removed', ...CLEAR.slice(1)],
	},
	{
		given: 'ready',
		when: 'collect E3 by sam at A1',
		is: 'removed/pulled',
		holder: 'sam',
		effects: ['custody bank→sam', 'free A1', 'notify removed', ...CLEAR],
	},
	{ given: 'recalled', when: 'collect E3 by cor at A1', refused: 'not-authorised' },
	{ given: 'expired', when: 'collect E1 by sam at A1', is: 'blocked/collected-unverified', unverified: true, effects: ['task unverified'] },
	...(['expired', 'recalled'] as const).flatMap((given): Row[] => [
		{ given, when: 'outcome not-taken at A1', is: `${given}/${given}`, effects: [] },
		{ given, when: 'outcome missing at A1', is: 'blocked/missing', effects: ['quarantine A1', 'task missing-item'] },
		{ given, when: 'outcome wrong-item at A1', is: 'blocked/missing', effects: ['quarantine A1', 'task wrong-item'] },
		{ given, when: 'outcome ambiguous at A1', is: 'blocked/pick-up-in-doubt', effects: doubt },
	]),
	{ given: 'removed', when: 'request extend by system', refused: 'not-possible' },
	{ given: 'written-off', when: 'request confirm-inside by sam', refused: 'not-possible' },
]
